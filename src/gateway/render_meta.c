/* SPDX-License-Identifier: MIT */
/*
 * render_meta.c - an event in Meta's own shape, from Meta's own bytes
 *
 * ROLE        A receiver of format meta sees the original body and signature
 *             when the body holds this one event and nothing in it has to
 *             change; else a body spliced from spans of the original: the item,
 *             its metadata and its contact, never a sibling.
 *
 *   {"object":O,"entry":[{"id":I,"time":T,"changes":[{"field":F,"value":
 *     {"messaging_product":"whatsapp","metadata":M,"contacts":[C],LIST:[ITEM]}}]}]}
 *
 * INVARIANTS  1. Bytes of an item are copied, but for biz_opaque_callback_data:
 *                our token never leaves; the caller's value stands there, or
 *                nothing when there was none.
 *             2. An event without a place in Meta's shape is not rendered.
 *             3. A medium's address, which opens with Meta's token only, is exchanged for one
 *                that leads here (media_link.h); nothing else of the item is.
 * THREADS     Any.
 * TESTS       tests/unit/test_render.c, tests/system/test_relay_meta.py
 */
#include "gateway/render.h"
#include "gateway/media_link.h"
#include "json/json.h"

#define OPAQUE_KEY "\"biz_opaque_callback_data\""

static struct str span(const struct store_event_row *e, enum store_span which)
{
	size_t at = e->splice.at[which];

	return str_slice(e->body, at, at + e->splice.len[which]);
}

static const char *object_word(struct str channel)
{
	if (str_eq(channel, STR("whatsapp")))
		return "whatsapp_business_account";
	if (str_eq(channel, STR("messenger")))
		return "page";
	if (str_eq(channel, STR("instagram")))
		return "instagram";
	return NULL;
}

static size_t skip_back(struct str s, size_t at)
{
	while (at > 0 && (s.ptr[at - 1] == ' ' || s.ptr[at - 1] == '\n' || s.ptr[at - 1] == '\t' ||
			  s.ptr[at - 1] == '\r'))
		at--;
	return at;
}

static size_t skip_ahead(struct str s, size_t at)
{
	while (at < s.len &&
	       (s.ptr[at] == ' ' || s.ptr[at] == '\n' || s.ptr[at] == '\t' || s.ptr[at] == '\r'))
		at++;
	return at;
}

/*
 * Widen [from, to), a member's value, to the whole member with one comma.
 * False when the key in front of it is spelled in some other way.
 */
static bool widen_to_member(struct str s, size_t *from, size_t *to)
{
	struct str key = STR(OPAQUE_KEY);
	size_t at = skip_back(s, *from), end = skip_ahead(s, *to);

	if (at == 0 || s.ptr[at - 1] != ':')
		return false;
	at = skip_back(s, at - 1);
	if (at < key.len || !str_eq(str_slice(s, at - key.len, at), key))
		return false;
	at -= key.len;
	if (end < s.len && s.ptr[end] == ',') {
		end++;
	} else {
		size_t before = skip_back(s, at);

		if (before > 0 && s.ptr[before - 1] == ',')
			at = before - 1;
	}
	*from = at;
	*to = end;
	return true;
}

/* inv. 3; false: nothing in it has to lead elsewhere, and nothing was put. */
static bool put_linked(struct buf *out, struct str bytes, const struct store_event_row *e,
		       const struct render_how *how)
{
	return str_eq(e->channel, STR("whatsapp")) &&
	       media_links_put(out, bytes, how->media_base, e->account_id);
}

/* inv. 1 */
static void put_item(struct buf *out, const struct store_event_row *e, const struct render_how *how,
		     bool restore)
{
	struct str item = span(e, SPAN_ITEM);
	size_t from = e->splice.at[SPAN_OPAQUE] - (size_t)e->splice.at[SPAN_ITEM];
	size_t to = from + e->splice.len[SPAN_OPAQUE];

	if (!restore) {
		if (!put_linked(out, item, e, how))
			buf_put_str(out, item);
		return;
	}
	if (e->opaque.len == 0 && widen_to_member(item, &from, &to)) {
		buf_put_str(out, str_slice(item, 0, from));
	} else {
		buf_put_str(out, str_slice(item, 0, from));
		json_quote(out, e->opaque, true);
	}
	buf_put_str(out, str_slice(item, to, item.len));
}

static void put_value(struct buf *out, const struct store_event_row *e,
		      const struct render_how *how, bool restore)
{
	struct str metadata = span(e, SPAN_METADATA), contact = span(e, SPAN_CONTACT);

	if (e->splice.list[0] == '\0') {
		put_item(out, e, how, restore);
		return;
	}
	buf_put_text(out, "{\"messaging_product\":\"whatsapp\"");
	if (metadata.len > 0) {
		buf_put_text(out, ",\"metadata\":");
		buf_put_str(out, metadata);
	}
	if (contact.len > 0) {
		buf_put_text(out, ",\"contacts\":[");
		buf_put_str(out, contact);
		buf_put_char(out, ']');
	}
	buf_put_text(out, ",\"");
	buf_put_text(out, e->splice.list);
	buf_put_text(out, "\":[");
	put_item(out, e, how, restore);
	buf_put_text(out, "]}");
}

static bool is_entry_list(const char *list)
{
	return str_eq(str_from(list), STR("messaging")) || str_eq(str_from(list), STR("standby"));
}

static bool put_minimal(struct buf *out, const struct store_event_row *e,
			const struct render_how *how, bool restore)
{
	const char *object = object_word(e->channel);
	struct str entry_id = span(e, SPAN_ENTRY_ID), entry_time = span(e, SPAN_ENTRY_TIME);
	struct str field = span(e, SPAN_FIELD);
	bool direct = is_entry_list(e->splice.list);

	if (object == NULL || (!direct && field.len == 0))
		return false; /* inv. 2 */
	buf_put_fmt(out, "{\"object\":\"%s\",\"entry\":[{", object);
	if (entry_id.len > 0) {
		buf_put_text(out, "\"id\":");
		buf_put_str(out, entry_id);
		buf_put_char(out, ',');
	}
	if (entry_time.len > 0) {
		buf_put_text(out, "\"time\":");
		buf_put_str(out, entry_time);
		buf_put_char(out, ',');
	}
	if (direct) {
		buf_put_fmt(out, "\"%s\":[", e->splice.list);
		put_item(out, e, how, restore);
		buf_put_text(out, "]}]}");
		return true;
	}
	buf_put_text(out, "\"changes\":[{\"field\":");
	buf_put_str(out, field);
	buf_put_text(out, ",\"value\":");
	put_value(out, e, how, restore);
	buf_put_text(out, "}]}]}");
	return true;
}

bool render_meta(struct buf *out, const struct store_event_row *e, const struct render_how *how,
		 bool *original)
{
	bool restore = e->splice.len[SPAN_OPAQUE] > 0;

	if (e->body.len == 0 || e->splice.len[SPAN_ITEM] == 0)
		return false;
	if (e->composed && !str_eq(e->kind, STR("failed")))
		return false; /* a transition of ours: Meta has no word for it */
	*original = false;
	if (e->siblings == 1 && !restore) {
		if (put_linked(out, e->body, e, how))
			return true;
		*original = e->signature.len > 0;
		buf_put_str(out, e->body);
		return true;
	}
	return put_minimal(out, e, how, restore);
}
