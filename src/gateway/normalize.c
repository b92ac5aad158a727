/* SPDX-License-Identifier: MIT */
/*
 * normalize.c - from a parsed event to what the store keeps (W3)
 *
 * ROLE        Between the library's typed events and the store's nouns.  Owns
 *             the dedupe key and the choice of the relay lane.
 * INVARIANTS  1. Equal repetitions of a webhook give equal (dedupe_s, hash).
 *             2. Only message events have a seq; only statuses lie in a lane
 *                per message.
 *             3. json is one object on one line and holds nothing that depends
 *                on the store.
 * THREADS     Any.
 * TESTS       tests/unit/test_normalize.c
 */
#include "gateway/normalize.h"
#include "base/mac.h"
#include "base/panic.h"
#include "gateway/advice.h"
#include "gateway/consent.h"
#include "gateway/conversation.h"
#include "gateway/template_fact.h"
#include "json/json.h"

static struct str view(gw_str s)
{
	return str_of_gw(s);
}

static struct str part(struct str body, gw_span s)
{
	return str_slice(body, s.at, (size_t)s.at + s.len);
}

/* How deep a value of Meta's may be nested: the event and CloudEvents put four levels around it. */
#define RAW_DEPTH_MAX (JSON_DEPTH_MAX - 4)

/* A JSON value without the blanks between its tokens: it becomes one line of a stream. */
static void put_compact(struct buf *out, struct str json)
{
	bool quoted = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (quoted) {
			buf_put_char(out, c);
			if (c == '\\' && i + 1 < json.len)
				buf_put_char(out, json.ptr[++i]);
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '"')
			quoted = true;
		buf_put_char(out, c);
	}
}

static bool has_blanks(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\t' || s.ptr[i] == '\r')
			return true;
	return false;
}

static bool is_too_deep(struct str json)
{
	unsigned depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
	}
	return deepest > RAW_DEPTH_MAX;
}

static void kv_span(struct json_writer *w, const char *key, struct str body, gw_span s)
{
	struct str value;
	struct buf tight;

	if (s.len == 0)
		return;
	json_w_key(w, str_from(key));
	value = part(body, s);
	if (is_too_deep(value)) { /* a reader would refuse the event for it */
		json_w_str(w, value);
		return;
	}
	if (!has_blanks(value)) {
		json_w_raw(w, value);
		return;
	}
	buf_init(&tight, value.len + 1);
	put_compact(&tight, value);
	json_w_raw(w, buf_str(&tight));
	buf_release(&tight);
}

static void kv_opt(struct json_writer *w, const char *key, gw_str value)
{
	if (value.len > 0)
		json_w_kv_str(w, key, view(value));
}

static void put_error(struct json_writer *w, const gw_event *e, struct str body)
{
	if (e->error_code == 0 && e->errors.len == 0)
		return;
	json_w_key(w, STR("error"));
	json_w_object(w);
	json_w_kv_i64(w, "code", e->error_code);
	json_w_kv_str(w, "title", view(e->error_title));
	kv_opt(w, "details", e->error_details);
	advice_put(w, e->error_code, 0);
	json_w_end(w);
	kv_span(w, "errors", body, e->errors); /* word for word: they cannot be fetched again */
}

static void put_media(struct json_writer *w, const gw_event *e)
{
	if (e->media_id.len == 0 && e->media_url.len == 0)
		return;
	json_w_key(w, STR("media"));
	json_w_object(w);
	kv_opt(w, "id", e->media_id);
	kv_opt(w, "mime_type", e->media_type);
	kv_opt(w, "sha256", e->media_sha256);
	kv_opt(w, "url", e->media_url);
	kv_opt(w, "filename", e->media_name);
	if (e->media_voice)
		json_w_kv_bool(w, "voice", true);
	if (e->media_animated)
		json_w_kv_bool(w, "animated", true);
	json_w_end(w);
}

static void put_system(struct json_writer *w, const gw_event *e)
{
	if (e->kind != GW_KIND_SYSTEM)
		return;
	json_w_key(w, STR("system"));
	json_w_object(w);
	json_w_kv_str(w, "type", view(e->system_type));
	kv_opt(w, "new_phone", e->new_phone);
	kv_opt(w, "new_user_id", e->new_user_id);
	kv_opt(w, "previous_user_id", e->previous_user_id);
	json_w_end(w);
}

static void put_message(struct json_writer *w, const gw_event *e, struct str body)
{
	json_w_key(w, STR("message"));
	json_w_object(w);
	json_w_kv_str(w, "id", view(e->id));
	json_w_kv_text(w, "kind", gw_message_kind_name(e->kind));
	if (e->kind == GW_KIND_OTHER)
		kv_opt(w, "kind_word", e->kind_word);
	if (e->text.len > 0)
		json_w_kv_str(w, "text", view(e->text));
	else
		json_w_kv_null(w, "text");
	if (e->reply_to.len > 0)
		json_w_kv_str(w, "reply_to", view(e->reply_to));
	else
		json_w_kv_null(w, "reply_to");
	kv_opt(w, "reply_id", e->reply_id);
	if (e->type == GW_EVENT_MESSAGE_REACTION)
		json_w_kv_str(w, "emoji", view(e->emoji));
	if (e->forwarded)
		json_w_kv_bool(w, "forwarded", true);
	kv_opt(w, "group_id", e->group_id);
	put_media(w, e);
	put_system(w, e);
	if (e->kind != GW_KIND_TEXT)
		kv_span(w, "content", body, e->content);
	kv_span(w, "referral", body, e->referral);
	put_error(w, e, body);
	json_w_end(w);
}

/* Meta's words by their kind; the states that notice.c composes by themselves. */
static const char *status_kind(const gw_event *e)
{
	static const char *const ours[] = { "unknown", "accepted", "rejected", "expired" };

	for (size_t i = 0; i < ARRAY_LEN(ours) && e->status == GW_STATUS_OTHER; i++) {
		if (str_eq(view(e->status_word), str_from(ours[i])))
			return ours[i];
	}
	return gw_status_kind_name(e->status);
}

static void put_status(struct json_writer *w, const gw_event *e, struct str body, bool ours)
{
	json_w_key(w, STR("message"));
	json_w_object(w);
	json_w_kv_str(w, "id", view(e->id));
	json_w_end(w);
	json_w_key(w, STR("status"));
	json_w_object(w);
	json_w_kv_text(w, "state", status_kind(e));
	if (e->status == GW_STATUS_OTHER)
		kv_opt(w, "word", e->status_word);
	kv_opt(w, "recipient", e->recipient);
	kv_opt(w, "participant", e->participant);
	kv_opt(w, "group_id", e->group_id);
	kv_span(w, "pricing", body, e->pricing);
	kv_span(w, "conversation", body, e->conversation);
	put_error(w, e, body);
	json_w_end(w);
	if (!ours)
		kv_opt(w, "opaque", e->opaque);
}

static void put_consent(struct json_writer *w, const struct store_event_in *in)
{
	if (in->consent == STORE_CONSENT_NONE)
		return;
	json_w_key(w, STR("consent"));
	json_w_object(w);
	json_w_kv_text(w, "what", in->consent == STORE_CONSENT_OUT ? "optout" : "optin");
	json_w_kv_text(w, "scope", "marketing");
	json_w_kv_text(w, "source", in->consent_source);
	json_w_end(w);
}

static void put_change(struct json_writer *w, const gw_event *e, struct str body)
{
	json_w_key(w, STR("change"));
	json_w_object(w);
	json_w_kv_str(w, "field", view(e->field));
	kv_opt(w, "id", e->id);
	kv_span(w, "value", body, e->item);
	put_error(w, e, body);
	json_w_end(w);
}

static bool is_message(gw_event_type type)
{
	return type == GW_EVENT_MESSAGE_RECEIVED || type == GW_EVENT_MESSAGE_EDITED ||
	       type == GW_EVENT_MESSAGE_DELETED || type == GW_EVENT_MESSAGE_REACTION ||
	       type == GW_EVENT_MESSAGE_SENT_ELSEWHERE;
}

static void put_json(const gw_event *e, struct str body, struct buf *text,
		     struct store_event_in *out)
{
	struct json_writer w;
	size_t at = text->len;

	json_w_init(&w, text);
	json_w_object(&w);
	if (is_message(e->type))
		put_message(&w, e, body);
	else if (e->type == GW_EVENT_MESSAGE_STATUS)
		put_status(&w, e, body, out->has_token);
	else
		put_change(&w, e, body);
	put_consent(&w, out);
	json_w_end(&w);
	/* The offset for now: the buffer may move (normalize_settle). */
	out->json = (struct str){ (const char *)(uintptr_t)at, text->len - at };
}

void normalize_settle(struct store_event_in *events, size_t count, const struct buf *text)
{
	for (size_t i = 0; i < count; i++)
		events[i].json.ptr = text->data + (uintptr_t)events[i].json.ptr;
}

/* inv. 1: from what a repetition has too, and nothing else. */
static void dedupe_key(const gw_event *e, struct str body, struct store_event_in *out)
{
	unsigned char digest[SHA256_BYTES];
	struct buf b;
	bool has_identity = e->id.len > 0 && e->at > 0 &&
			    (is_message(e->type) || e->type == GW_EVENT_MESSAGE_STATUS);

	buf_init(&b, (size_t)INBOX_KEY_MAX + body.len);
	buf_put_text(&b, gw_channel_name(e->channel));
	buf_put_char(&b, '\n');
	buf_put_text(&b, gw_event_type_name(e->type));
	buf_put_char(&b, '\n');
	if (has_identity) {
		buf_put_str(&b, view(e->id));
		buf_put_char(&b, '\n');
		buf_put_str(&b, view(e->status_word));
		buf_put_char(&b, '\n');
		buf_put_str(&b, view(e->recipient));
		buf_put_char(&b, '\n');
		buf_put_str(&b, view(e->participant));
		buf_put_char(&b, '\n');
		/* A placeholder and the message that takes its place have one id. */
		buf_put_str(&b, view(e->kind_word));
		if (e->type != GW_EVENT_MESSAGE_STATUS && e->channel != GW_CHANNEL_WHATSAPP) {
			/* a mid may be edited or reacted to again in the same second */
			buf_put_char(&b, '\n');
			buf_put_str(&b, part(body, e->item));
		}
	} else {
		buf_put_str(&b, view(e->field));
		buf_put_char(&b, '\n');
		buf_put_str(&b, part(body, e->entry_id));
		buf_put_str(&b, part(body, e->entry_time));
		buf_put_char(&b, '\n');
		buf_put_str(&b, part(body, e->item));
	}
	ASSERT(!buf_failed(&b));
	sha256(buf_str(&b), digest);
	memcpy(out->hash, digest, sizeof(out->hash));
	out->dedupe_s = e->at > 0 ? e->at : 0;
	buf_release(&b);
}

static void splice_span(struct store_splice *s, enum store_span which, gw_span from)
{
	s->at[which] = from.at;
	s->len[which] = from.len;
}

static void fill_splice(const gw_event *e, bool ours, struct store_splice *s)
{
	splice_span(s, SPAN_ITEM, e->item);
	splice_span(s, SPAN_ENTRY_ID, e->entry_id);
	splice_span(s, SPAN_ENTRY_TIME, e->entry_time);
	splice_span(s, SPAN_FIELD, e->field_word);
	splice_span(s, SPAN_METADATA, e->metadata);
	splice_span(s, SPAN_CONTACT, e->contact);
	splice_span(s, ours ? SPAN_OPAQUE : SPAN_FOREIGN, e->opaque_value);
	if (e->list != NULL)
		(void)str_copy(str_from(e->list), s->list, sizeof(s->list));
}

static void fill_contact(const gw_event *e, struct arena *a, struct store_event_in *out)
{
	char variants[VARIANTS_MAX][RECIPIENT_MAX];
	struct str *aliases;
	size_t n;

	out->user_id = view(e->user_id);
	out->parent_user_id = view(e->parent_user_id);
	out->phone = view(e->phone);
	out->username = view(e->username);
	out->name = view(e->name);
	out->group_id = view(e->group_id);
	out->has_contact = e->user_id.len > 0 || e->phone.len > 0;
	if (e->phone.len == 0)
		return;
	n = number_variants(out->phone, variants);
	aliases = arena_alloc(a, (n + 1) * sizeof(*aliases));
	if (aliases == NULL)
		return; /* found under its own spelling all the same */
	for (size_t i = 0; i < n; i++)
		aliases[i] = arena_str(a, str_from(variants[i]));
	out->aliases = aliases;
	out->alias_count = n;
}

static void fill_status(const gw_event *e, struct str body, const struct token_reader *token,
			struct store_event_in *out)
{
	out->status = view(e->status_word);
	out->recipient = view(e->recipient);
	out->errors = part(body, e->errors);
	out->error_code = e->error_code;
	if (token == NULL) /* composed by us, who name our message by our id (notice.c) */
		out->has_token = id_parse(ID_MESSAGE, view(e->id), &out->token_id);
	else if (e->opaque.len > 0)
		out->has_token = token_read(token, view(e->opaque), &out->token_id,
					    &out->token_try);
}

#define SCAN_ROOM(len) ((len)*16 + 65536)

/* Of a template that changed: what the field says of it.  Meta's stamp has seconds: as late in its
 * second as it can have been, so that the answer to a creation a moment before is older. */
static void fill_template(const gw_event *e, struct str item, struct arena *a,
			  struct store_event_in *out)
{
	struct arena *scan = arena_new(SCAN_ROOM(item.len));
	struct store_template t, *kept;
	const struct json_doc *doc;

	ASSERT(scan != NULL);
	if (json_scan(item, scan, &doc, NULL) == GW_OK &&
	    template_read_change(json_root(doc), view(e->business_id),
				 e->at > 0 ? e->at * 1000 + 999 : 0, a, &t)) {
		kept = arena_alloc(a, sizeof(*kept));
		if (kept != NULL) {
			*kept = t;
			out->template_ = kept;
		}
	}
	arena_free(scan);
}

/* The category that a status is priced by tells the template's. */
static void fill_price(struct str pricing, struct store_event_in *out)
{
	struct arena *scan;
	const struct json_doc *doc;
	struct str word;
	const char *category;

	if (pricing.len == 0)
		return;
	scan = arena_new(SCAN_ROOM(pricing.len));
	ASSERT(scan != NULL);
	if (json_scan(pricing, scan, &doc, NULL) == GW_OK &&
	    json_get_str(json_root(doc), STR("category"), 64, &word)) {
		category = template_category_word(template_category_of(word));
		out->priced_as = category[0] != '\0' ? category : NULL;
	}
	arena_free(scan);
}

void normalize_event(const gw_event *e, struct str body, const struct token_reader *token,
		     struct arena *a, struct buf *text, struct store_event_in *out)
{
	bool message = is_message(e->type);
	bool status = e->type == GW_EVENT_MESSAGE_STATUS;

	out->type = gw_event_type_name(e->type);
	out->kind = message ? gw_message_kind_name(e->kind) : status ? status_kind(e) : "";
	out->channel = gw_channel_name(e->channel);
	out->account_id = view(e->account_id);
	out->address = view(e->address);
	out->business_id = view(e->business_id);
	out->external_id = view(e->id);
	out->at_s = e->at;
	fill_contact(e, a, out);
	out->has_seq = message && out->has_contact;
	out->opens_window = out->has_seq && e->type != GW_EVENT_MESSAGE_SENT_ELSEWHERE &&
			    e->kind != GW_KIND_SYSTEM;
	out->lane_by = status             ? STORE_LANE_MESSAGE
		       : out->has_contact ? STORE_LANE_CONVERSATION
					  : STORE_LANE_ACCOUNT;
	out->never_stale = str_eq(view(e->field), STR("history"));
	if (e->kind == GW_KIND_SYSTEM) {
		out->new_phone = view(e->new_phone);
		out->new_user_id = view(e->new_user_id);
	}
	if (status)
		fill_status(e, body, token, out);
	if (status && out->has_token && token != NULL)
		fill_price(part(body, e->pricing), out);
	if (e->type == GW_EVENT_TEMPLATE && token != NULL)
		fill_template(e, part(body, e->item), a, out);
	if (e->type == GW_EVENT_CONSENT && e->channel == GW_CHANNEL_WHATSAPP)
		consent_read(part(body, e->item), token == NULL, a, out);
	dedupe_key(e, body, out);
	fill_splice(e, out->has_token, &out->splice);
	put_json(e, body, text, out);
}
