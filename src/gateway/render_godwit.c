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
#include "json/json.h"

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
	if (e->phone.len > 0) {
		json_w_key(w, STR("phone"));
		char phone[64];
		size_t n = e->phone.len < sizeof(phone) - 2 ? e->phone.len : sizeof(phone) - 2;

		phone[0] = '+';
		memcpy(phone + 1, e->phone.ptr, n);
		json_w_str(w, str_make(phone, n + 1));
	} else {
		json_w_kv_null(w, "phone");
	}
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

void render_godwit(struct buf *out, const struct store_event_row *e, bool include_raw)
{
	struct json_writer w;
	char received[CLOCK_RFC3339_MAX];
	struct str rest = inner(e->json);

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
	if (e->opaque.len > 0)
		json_w_kv_str(&w, "opaque", e->opaque);
	if (e->state_version > 0)
		json_w_kv_i64(&w, "state_version", e->state_version);
	if (e->stale)
		json_w_kv_bool(&w, "stale", true);
	if (include_raw && e->body.len > 0)
		json_w_kv_str(
			&w, "raw",
			str_slice(e->body, e->splice.at[SPAN_ITEM],
				  (size_t)e->splice.at[SPAN_ITEM] + e->splice.len[SPAN_ITEM]));
	if (rest.len > 0) { /* the writer has written members before: a comma is due */
		buf_put_char(out, ',');
		buf_put_str(out, rest);
	}
	json_w_end(&w);
}

void render_cloudevents(struct buf *out, const struct store_event_row *e, bool include_raw)
{
	struct json_writer w;
	char received[CLOCK_RFC3339_MAX];

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "specversion", "1.0");
	kv_id(&w, "id", ID_EVENT, &e->id);
	json_w_key(&w, STR("type"));
	{
		char type[96];
		int n = snprintf(type, sizeof(type), "org.godwit.%.*s", STR_ARG(e->type));

		json_w_str(&w, str_make(type, (size_t)n < sizeof(type) ? (size_t)n : 0));
	}
	json_w_key(&w, STR("source"));
	{
		char source[192];
		int n = snprintf(source, sizeof(source), "/%.*s/%.*s", STR_ARG(e->channel),
				 STR_ARG(e->account_id));

		json_w_str(&w, str_make(source, (size_t)n < sizeof(source) ? (size_t)n : 0));
	}
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
	render_godwit(out, e, include_raw);
	json_w_end(&w);
}
