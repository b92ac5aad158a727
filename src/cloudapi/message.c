/* SPDX-License-Identifier: MIT */
/*
 * message.c - the envelope of a message, text messages, and kinds given as JSON
 *
 * Members are written in a fixed order, so that the same inputs always give
 * the same bytes.
 * TESTS  tests/unit/test_message.c: both sides of every limit
 */
#include "cloudapi/message_int.h"
#include "base/panic.h"
#include "base/utf8.h"

#define TYPE_MAX 32 /* characters; Meta's longest is "interactive" */

struct gw_message {
	struct str json; /* malloc()ed */
};

gw_status message_check_text(gw_str text, const char *what, size_t min, size_t max,
			     struct gw_error *err)
{
	size_t count;

	if (!utf8_valid(str_of_gw(text)))
		return gw_error_set(err, GW_EARG, "%s is not valid UTF-8", what);
	count = utf8_count(str_of_gw(text));
	if (count < min)
		return gw_error_set(err, GW_EARG, "%s is empty", what);
	if (count > max)
		return gw_error_set(err, GW_ELIMIT, "%s has %zu characters; at most %zu", what,
				    count, max);
	return GW_OK;
}

gw_status gw_phone_normalize(gw_str text, char out[GW_PHONE_MAX], struct gw_error *err)
{
	char number[GW_PHONE_MAX];
	size_t digits = 0, len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == ' ' || c == '-' || c == '(' || c == ')')
			continue;
		if (c == '+' && len == 0) {
			number[len++] = c;
			continue;
		}
		if (c < '0' || c > '9')
			return gw_error_set(err, GW_EARG,
					    "not a phone number: byte %zu is none of 0-9 + - ( ) "
					    "and space",
					    i + 1);
		if (digits == GW_PHONE_DIGITS_MAX)
			return gw_error_set(err, GW_ELIMIT, "phone number of more than %d digits",
					    GW_PHONE_DIGITS_MAX);
		digits++;
		number[len++] = c;
	}
	if (digits == 0)
		return gw_error_set(err, GW_EARG, "phone number without digits");
	number[len] = '\0';
	memcpy(out, number, len + 1);
	return GW_OK;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* ^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$ (user-id page, 2026-02) */
static bool is_user_id(gw_str id)
{
	struct str s = str_of_gw(id);

	if (s.len < 3 || s.ptr[0] < 'A' || s.ptr[0] > 'Z' || s.ptr[1] < 'A' || s.ptr[1] > 'Z' ||
	    s.ptr[2] != '.')
		return false;
	s = str_slice(s, 3, s.len);
	if (str_starts(s, STR("ENT.")))
		s = str_slice(s, 4, s.len);
	for (size_t i = 0; i < s.len; i++) {
		if (!is_alnum(s.ptr[i]))
			return false;
	}
	return s.len >= 1 && s.len <= 128;
}

static gw_status put_recipient(struct message_draft *d, const gw_address *to, struct gw_error *err)
{
	char phone[GW_PHONE_MAX];
	gw_status st;

	if (to->to.len == 0 && to->recipient.len == 0)
		return gw_error_set(err, GW_EARG, "no recipient: neither to nor recipient is set");
	json_w_kv_text(&d->w, "recipient_type", to->is_group ? "group" : "individual");
	if (to->to.len > 0 && to->is_group) {
		st = message_check_text(to->to, "the group id", 1, GW_MESSAGE_ID_MAX, err);
		if (st != GW_OK)
			return st;
		json_w_kv_str(&d->w, "to", str_of_gw(to->to));
	} else if (to->to.len > 0) {
		st = gw_phone_normalize(to->to, phone, err);
		if (st != GW_OK)
			return st;
		json_w_kv_text(&d->w, "to", phone);
	}
	if (to->recipient.len > 0) {
		if (!is_user_id(to->recipient))
			return gw_error_set(err, GW_EARG,
					    "recipient is not a business-scoped user id "
					    "(\"US.\" and 1 to 128 letters and digits)");
		json_w_kv_str(&d->w, "recipient", str_of_gw(to->recipient));
	}
	return GW_OK;
}

static gw_status put_extras(struct message_draft *d, const gw_address *to, const char *type,
			    struct gw_error *err)
{
	gw_status st;

	if (to->reply_to.len > 0) {
		if (strcmp(type, "reaction") == 0)
			return gw_error_set(err, GW_EARG, "a reaction cannot quote a message");
		st = message_check_text(to->reply_to, "reply_to", 1, GW_MESSAGE_ID_MAX, err);
		if (st != GW_OK)
			return st;
		json_w_key(&d->w, STR("context"));
		json_w_object(&d->w);
		json_w_kv_str(&d->w, "message_id", str_of_gw(to->reply_to));
		json_w_end(&d->w);
	}
	if (to->opaque.len > 0) {
		st = message_check_text(to->opaque, "opaque", 1, GW_MESSAGE_OPAQUE_MAX, err);
		if (st != GW_OK)
			return st;
		json_w_kv_str(&d->w, "biz_opaque_callback_data", str_of_gw(to->opaque));
	}
	if (to->identity_hash.len > 0) {
		st = message_check_text(to->identity_hash, "identity_hash", 1, 256, err);
		if (st != GW_OK)
			return st;
		json_w_kv_str(&d->w, "recipient_identity_key_hash", str_of_gw(to->identity_hash));
	}
	return GW_OK;
}

gw_status message_begin(struct message_draft *d, const gw_address *to, const char *type,
			struct gw_error *err)
{
	gw_status st;

	buf_init(&d->buf, GW_MESSAGE_MAX);
	json_w_init(&d->w, &d->buf);
	json_w_object(&d->w);
	json_w_kv_text(&d->w, "messaging_product", "whatsapp");
	st = to == NULL ? gw_error_set(err, GW_EARG, "no address") : put_recipient(d, to, err);
	if (st == GW_OK)
		st = put_extras(d, to, type, err);
	if (st != GW_OK) {
		message_drop(d);
		return st;
	}
	json_w_kv_text(&d->w, "type", type);
	return GW_OK;
}

void message_drop(struct message_draft *d)
{
	buf_release(&d->buf);
}

gw_status message_finish(struct message_draft *d, gw_message **out, struct gw_error *err)
{
	gw_message *m = malloc(sizeof(*m));
	gw_status st = GW_OK;

	json_w_end(&d->w);
	if (m == NULL || buf_failed(&d->buf)) {
		st = gw_error_set(err, m == NULL ? GW_ENOMEM : GW_ELIMIT,
				  "no memory, or a message of more than %u bytes", GW_MESSAGE_MAX);
		goto out;
	}
	m->json = buf_take(&d->buf);
	*out = m;
	m = NULL;
out:
	free(m);
	buf_release(&d->buf);
	return st;
}

gw_str gw_message_json(const gw_message *m)
{
	return str_to_gw(m->json);
}

void gw_message_free(gw_message *m)
{
	if (m == NULL)
		return;
	free((void *)(uintptr_t)m->json.ptr);
	free(m);
}

gw_status gw_message_text(const gw_address *to, gw_str body, bool preview_url, gw_message **out,
			  struct gw_error *err)
{
	struct message_draft d;
	gw_status st = message_check_text(body, "the text", 1, GW_TEXT_MAX, err);

	if (st == GW_OK)
		st = message_begin(&d, to, "text", err);
	if (st != GW_OK)
		return st;
	json_w_key(&d.w, STR("text"));
	json_w_object(&d.w);
	json_w_kv_str(&d.w, "body", str_of_gw(body));
	if (preview_url)
		json_w_kv_bool(&d.w, "preview_url", true);
	json_w_end(&d.w);
	return message_finish(&d, out, err);
}

static bool is_type(const char *type)
{
	size_t len = type == NULL ? 0 : strlen(type);

	for (size_t i = 0; i < len; i++) {
		if (type[i] != '_' && (type[i] < 'a' || type[i] > 'z'))
			return false;
	}
	return len >= 1 && len <= TYPE_MAX;
}

/* The envelope's own members cannot be written twice. */
static bool is_reserved(const char *type)
{
	static const char *const words[] = { "messaging_product", "recipient_type", "to", "type",
					     "recipient",         "context" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], type) == 0)
			return true;
	}
	return false;
}

gw_status gw_message_json_kind(const gw_address *to, const char *type, gw_str json,
			       gw_message **out, struct gw_error *err)
{
	const struct json_doc *doc = NULL;
	struct arena *a = NULL;
	struct message_draft d;
	gw_status st;

	if (!is_type(type) || is_reserved(type))
		return gw_error_set(err, GW_EARG, "not a message type: want 1 to %d of a-z and _",
				    TYPE_MAX);
	if (json.len > GW_MESSAGE_MAX)
		return gw_error_set(err, GW_ELIMIT, "%s of %zu bytes; at most %u", type, json.len,
				    GW_MESSAGE_MAX);
	a = arena_new((size_t)16 * 1024 + 32 * json.len);
	if (a == NULL)
		return gw_error_set(err, GW_ENOMEM, "no memory for a message");
	st = json_scan(str_of_gw(json), a, &doc, err);
	if (st != GW_OK) {
		gw_error_context(err, "%s", type);
		goto out;
	}
	st = message_check_kind(type, json_root(doc), err);
	if (st == GW_OK)
		st = message_begin(&d, to, type, err);
	if (st != GW_OK)
		goto out;
	json_w_kv_raw(&d.w, type, json_bytes(json_root(doc)));
	st = message_finish(&d, out, err);
out:
	arena_free(a);
	return st;
}
