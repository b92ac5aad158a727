/* SPDX-License-Identifier: MIT */
/*
 * render_godwit.c - the normalized event (docs/events.md), also as CloudEvents
 *
 * ROLE        The store keeps what the body says (store_event_row.json, one
 *             object); this adds what only the store knows: ids, seq,
 *             state_version, our message and the caller's opaque value.
 * THREADS     Any.
 * TESTS       tests/unit/test_render.c
 */
#include "gateway/render.h"
#include "base/clock.h"
#include "base/panic.h"
#include "gateway/media_link.h"
#include "json/json.h"

#define CE_WORD_MAX 2048
#define PHONE_MAX 64 /* digits; E.164 has 15 */

static void kv_time_s(struct json_writer *w, const char *key, int64_t at_s)
{
	char text[CLOCK_RFC3339_MAX];

	if (at_s <= 0) {
		json_w_kv_null(w, key);
		return;
	}
	clock_format_s(at_s, text);
	json_w_kv_text(w, key, text);
}

static void kv_opt(struct json_writer *w, const char *key, struct str value)
{
	if (value.len > 0)
		json_w_kv_str(w, key, value);
	else
		json_w_kv_null(w, key);
}

static void kv_id(struct json_writer *w, const char *key, enum id_kind kind, const struct id *id)
{
	char text[ID_TEXT_MAX];

	id_text(kind, id, text);
	json_w_kv_text(w, key, text);
}

static void put_account(struct json_writer *w, const struct store_event_row *e)
{
	json_w_key(w, STR("account"));
	json_w_object(w);
	kv_opt(w, "id", e->account_id);
	kv_opt(w, "address", e->address);
	kv_opt(w, "business_id", e->business_id);
	json_w_end(w);
}

static void put_conversation(struct json_writer *w, const struct store_event_row *e)
{
	if (!e->has_conversation) {
		json_w_kv_null(w, "conversation");
		return;
	}
	json_w_key(w, STR("conversation"));
	json_w_object(w);
	kv_id(w, "id", ID_CONVERSATION, &e->conversation);
	if (e->seq > 0)
		json_w_kv_i64(w, "seq", e->seq);
	json_w_end(w);
}

static void kv_phone(struct json_writer *w, struct str digits)
{
	char phone[PHONE_MAX + 2];

	if (digits.len == 0 || digits.len > PHONE_MAX) {
		json_w_kv_null(w, "phone");
		return;
	}
	phone[0] = '+';
	memcpy(phone + 1, digits.ptr, digits.len);
	json_w_kv_str(w, "phone", str_make(phone, digits.len + 1));
}

static void put_contact(struct json_writer *w, const struct store_event_row *e)
{
	if (!e->has_contact) {
		json_w_kv_null(w, "contact");
		return;
	}
	json_w_key(w, STR("contact"));
	json_w_object(w);
	kv_id(w, "id", ID_CONTACT, &e->contact);
	kv_opt(w, "user_id", e->user_id);
	kv_phone(w, e->phone);
	kv_opt(w, "username", e->username);
	kv_opt(w, "name", e->name);
	json_w_end(w);
}

/* The members of the stored object, without its braces. */
static struct str inner(struct str object)
{
	ASSERT(object.len >= 2 && object.ptr[0] == '{');
	return str_slice(object, 1, object.len - 1);
}

void render_godwit(struct buf *out, const struct store_event_row *e, const struct render_how *how)
{
	struct json_writer w;
	char received[CLOCK_RFC3339_MAX];
	struct str rest = inner(e->json);
	struct buf linked;

	buf_init(&linked, e->json.len + MEDIA_GROWTH_MAX);
	if (str_eq(e->channel, STR("whatsapp")) &&
	    media_links_put(&linked, e->json, how->media_base, e->account_id))
		rest = inner(buf_str(&linked));
	json_w_init(&w, out);
	json_w_object(&w);
	kv_id(&w, "id", ID_EVENT, &e->id);
	json_w_kv_str(&w, "type", e->type);
	json_w_kv_i64(&w, "schema", 1);
	kv_time_s(&w, "time", e->at_s);
	clock_format_ms(e->received_ms, received);
	json_w_kv_text(&w, "received_at", received);
	json_w_kv_str(&w, "channel", e->channel);
	put_account(&w, e);
	put_conversation(&w, e);
	put_contact(&w, e);
	if (e->has_message)
		kv_id(&w, "sent_message", ID_MESSAGE, &e->message);
	/* A value that is not our token stands in the stored part, as it came. */
	if (e->opaque.len > 0 && e->splice.len[SPAN_FOREIGN] == 0)
		json_w_kv_str(&w, "opaque", e->opaque);
	if (e->state_version > 0)
		json_w_kv_i64(&w, "state_version", e->state_version);
	if (e->stale)
		json_w_kv_bool(&w, "stale", true);
	if (how->raw && e->body.len > 0)
		json_w_kv_str(
			&w, "raw",
			str_slice(e->body, e->splice.at[SPAN_ITEM],
				  (size_t)e->splice.at[SPAN_ITEM] + e->splice.len[SPAN_ITEM]));
	if (rest.len > 0) { /* the writer has written members before: a comma is due */
		buf_put_char(out, ',');
		buf_put_str(out, rest);
	}
	buf_release(&linked);
	json_w_end(&w);
}

static void put_ce_type(struct json_writer *w, struct str type)
{
	struct buf b;

	buf_init(&b, CE_WORD_MAX);
	buf_put_fmt(&b, "org.godwit.%.*s", STR_ARG(type));
	json_w_kv_str(w, "type", buf_str(&b));
	buf_release(&b);
}

/* A URI reference: what may not stand in one is escaped. */
static void put_ce_source(struct json_writer *w, const struct store_event_row *e)
{
	struct buf b;

	buf_init(&b, CE_WORD_MAX);
	buf_put_fmt(&b, "/%.*s/", STR_ARG(e->channel));
	for (size_t i = 0; i < e->account_id.len && i < CE_WORD_MAX / 4; i++) {
		unsigned char c = (unsigned char)e->account_id.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			buf_put_char(&b, (char)c);
		else
			buf_put_fmt(&b, "%%%02X", c);
	}
	json_w_kv_str(w, "source", buf_str(&b));
	buf_release(&b);
}

void render_cloudevents(struct buf *out, const struct store_event_row *e,
			const struct render_how *how)
{
	struct json_writer w;
	char received[CLOCK_RFC3339_MAX];

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "specversion", "1.0");
	kv_id(&w, "id", ID_EVENT, &e->id);
	put_ce_type(&w, e->type);
	put_ce_source(&w, e);
	if (e->at_s > 0) {
		kv_time_s(&w, "time", e->at_s);
	} else {
		clock_format_ms(e->received_ms, received);
		json_w_kv_text(&w, "time", received);
	}
	if (e->has_conversation)
		kv_id(&w, "subject", ID_CONVERSATION, &e->conversation);
	json_w_kv_text(&w, "datacontenttype", "application/json");
	json_w_key(&w, STR("data"));
	json_w_raw(&w, STR(" "));
	render_godwit(out, e, how);
	json_w_end(&w);
}
