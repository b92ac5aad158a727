/* SPDX-License-Identifier: MIT */
/*
 * fuzz_notification.c - any bytes through the parser of notifications
 *
 * INVARIANTS  1. A refusal says why and leaves nothing behind.
 *             2. There is at least one event, and at most one for two bytes.
 *             3. Spans lie inside the body; an item is one JSON value; what
 *                belongs to an item lies inside it.
 *             4. Strings are valid UTF-8 and no longer than their ceilings;
 *                phone numbers are digits; times are not negative.
 *             5. A typed event has what its type promises; an unknown one of
 *                a list has no kind and no status, but for history.
 *             6. The same bytes give the same events.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "base/utf8.h"
#include "json/json.h"
#include <godwit/godwit.h>

#define TEXT_MAX ((size_t)256 * 1024)

static struct str bytes(gw_str body, gw_span s)
{
	ASSERT((size_t)s.at + s.len <= body.len); /* inv. 3 */
	return (struct str){ body.ptr + s.at, s.len };
}

static void check_string(gw_str s, size_t max)
{
	ASSERT(s.len <= max);
	ASSERT(s.len == 0 || s.ptr != NULL);
	ASSERT(utf8_valid(str_of_gw(s)));
}

static void check_digits(gw_str s)
{
	for (size_t i = 0; i < s.len; i++)
		ASSERT(s.ptr[i] >= '0' && s.ptr[i] <= '9');
}

/* inv. 4 */
static void check_strings(const gw_event *e)
{
	const gw_str ids[] = { e->account_id, e->business_id, e->group_id,  e->id,
			       e->reply_to,   e->media_id,    e->recipient, e->participant };
	const gw_str users[] = { e->user_id, e->parent_user_id, e->new_user_id,
				 e->previous_user_id };
	const gw_str others[] = { e->address,      e->field,        e->username,  e->name,
				  e->kind_word,    e->text,         e->reply_id,  e->emoji,
				  e->media_type,   e->media_sha256, e->media_url, e->media_name,
				  e->system_type,  e->status_word,  e->opaque,    e->error_title,
				  e->error_details };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		check_string(ids[i], GW_WAMID_MAX);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		check_string(users[i], GW_USER_ID_MAX);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		check_string(others[i], TEXT_MAX);
	check_digits(e->phone);
	check_digits(e->new_phone);
	ASSERT(e->phone.len <= 20 && e->new_phone.len <= 20);
	ASSERT(e->opaque.len <= 4 * (size_t)GW_OPAQUE_MAX && e->at >= 0);
}

static void check_json(struct str text)
{
	const struct json_doc *doc = NULL;
	struct arena *a = arena_new((size_t)64 * 1024 + 32 * text.len);

	ASSERT(a != NULL && json_scan(text, a, &doc, NULL) == GW_OK);
	arena_free(a);
}

/* inv. 3 */
static void check_spans(gw_str body, const gw_event *e)
{
	const gw_span inside[] = { e->content,      e->referral, e->pricing,
				   e->conversation, e->errors,   e->opaque_value };
	const gw_span around[] = { e->entry_id, e->entry_time, e->field_word, e->metadata,
				   e->contact };

	ASSERT(e->item.len > 0);
	check_json(bytes(body, e->item));
	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		if (inside[i].len == 0)
			continue;
		check_json(bytes(body, inside[i]));
		ASSERT(inside[i].at >= e->item.at &&
		       inside[i].at + inside[i].len <= e->item.at + e->item.len);
	}
	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		if (around[i].len > 0)
			check_json(bytes(body, around[i]));
	}
}

/* inv. 5 */
static void check_type(const gw_event *e)
{
	bool history = str_eq(str_of_gw(e->field), STR("history"));

	ASSERT((unsigned)e->type < GW_EVENT_NTYPES && (unsigned)e->kind < GW_NKINDS);
	ASSERT((unsigned)e->status < GW_NSTATUSES && (unsigned)e->channel <= GW_CHANNEL_OTHER);
	switch (e->type) {
	case GW_EVENT_MESSAGE_RECEIVED:
	case GW_EVENT_MESSAGE_EDITED:
	case GW_EVENT_MESSAGE_DELETED:
	case GW_EVENT_MESSAGE_REACTION:
	case GW_EVENT_MESSAGE_SENT_ELSEWHERE:
		ASSERT(e->kind != GW_KIND_NONE && e->status == GW_STATUS_NONE);
		ASSERT(e->channel != GW_CHANNEL_OTHER);
		ASSERT(e->channel != GW_CHANNEL_WHATSAPP || e->id.len > 0);
		return;
	case GW_EVENT_MESSAGE_STATUS:
		ASSERT(e->kind == GW_KIND_NONE && e->status != GW_STATUS_NONE);
		ASSERT(e->id.len > 0 && e->status_word.len > 0);
		return;
	default:
		ASSERT(e->status == GW_STATUS_NONE);
		ASSERT(e->kind == GW_KIND_NONE || (history && e->type == GW_EVENT_UNKNOWN));
		return;
	}
}

static void check_same(const gw_event *a, const gw_event *b)
{
	ASSERT(a->type == b->type && a->kind == b->kind && a->status == b->status);
	ASSERT(a->item.at == b->item.at && a->item.len == b->item.len && a->at == b->at);
	ASSERT(str_eq(str_of_gw(a->id), str_of_gw(b->id)));
	ASSERT(str_eq(str_of_gw(a->text), str_of_gw(b->text)));
	ASSERT(str_eq(str_of_gw(a->phone), str_of_gw(b->phone)));
	ASSERT(a->contact.at == b->contact.at && a->contact.len == b->contact.len);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	gw_str body = { (const char *)data, size };
	gw_notification *n = NULL, *again = NULL;
	struct gw_error err = GW_ERROR_INIT;
	gw_status st = gw_notification_parse(body, &n, &err);

	if (st != GW_OK) { /* inv. 1 */
		ASSERT(n == NULL && err.status == st && err.message[0] != '\0');
		ASSERT(st == GW_EPARSE || st == GW_ELIMIT);
		return;
	}
	ASSERT(gw_notification_parse(body, &again, NULL) == GW_OK);
	ASSERT(gw_notification_count(n) >= 1 && gw_notification_count(n) <= size / 2 + 1);
	ASSERT(gw_notification_count(n) == gw_notification_count(again));
	for (size_t i = 0; i < gw_notification_count(n); i++) {
		const gw_event *e = gw_notification_event(n, i);

		check_spans(body, e);
		check_strings(e);
		check_type(e);
		check_same(e, gw_notification_event(again, i));
	}
	ASSERT(gw_notification_event(n, gw_notification_count(n)) == NULL);
	check_string(gw_notification_object(n), TEXT_MAX);
	gw_notification_free(n);
	gw_notification_free(again);
}
