/* SPDX-License-Identifier: MIT */
/*
 * message_template.c - template messages: name, language, variable parts
 *
 * Only the sending side is checked: whether name, language and the number of
 * parameters fit the approved template is Meta's to say (132001, 132000).
 */
#include "cloudapi/message_int.h"

#define LANGUAGE_MAX 15 /* "en_US"; the longest of Meta's list has 5 */
#define BLANKS_MAX 4 /* consecutive spaces in a parameter */

static bool is_name(gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9'))
			return false;
	}
	return s.len >= 1 && s.len <= GW_TEMPLATE_NAME_MAX;
}

static bool is_language(gw_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z'))
			return false;
	}
	return s.len >= 2 && s.len <= LANGUAGE_MAX;
}

/* Meta refuses parameters with line breaks, tabs or more than four spaces in a row. */
static bool has_bad_blanks(gw_str s)
{
	size_t spaces = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n' || s.ptr[i] == '\r' || s.ptr[i] == '\t')
			return true;
		spaces = s.ptr[i] == ' ' ? spaces + 1 : 0;
		if (spaces > BLANKS_MAX)
			return true;
	}
	return false;
}

static gw_status put_text(struct message_draft *d, const gw_param *p, const char *type, size_t max,
			  struct gw_error *err)
{
	gw_status st = message_check_text(p->text, type, 1, max, err);

	if (st != GW_OK)
		return st;
	if (has_bad_blanks(p->text))
		return gw_error_set(err, GW_EARG,
				    "%s has a line break, a tab or more than %d spaces in a row",
				    type, BLANKS_MAX);
	json_w_kv_text(&d->w, "type", type);
	json_w_kv_str(&d->w, type, str_of_gw(p->text));
	return GW_OK;
}

static gw_status put_media(struct message_draft *d, const gw_param *p, const char *type,
			   struct gw_error *err)
{
	struct str link = str_of_gw(p->media_link);

	if ((p->media_id.len > 0) == (link.len > 0))
		return gw_error_set(err, GW_EARG, "%s: want exactly one of media_id and media_link",
				    type);
	if (link.len > 0 && !str_starts(link, STR("https://")) && !str_starts(link, STR("http://")))
		return gw_error_set(err, GW_EARG, "%s: the link is not http or https", type);
	json_w_kv_text(&d->w, "type", type);
	json_w_key(&d->w, str_from(type));
	json_w_object(&d->w);
	if (link.len > 0)
		json_w_kv_str(&d->w, "link", link);
	else
		json_w_kv_str(&d->w, "id", str_of_gw(p->media_id));
	if (p->filename.len > 0 && p->kind == GW_PARAM_DOCUMENT)
		json_w_kv_str(&d->w, "filename", str_of_gw(p->filename));
	json_w_end(&d->w);
	return GW_OK;
}

/* Both show the text; Meta formats neither any more (2026-09). */
static gw_status put_fallback(struct message_draft *d, const gw_param *p, struct gw_error *err)
{
	bool is_currency = p->kind == GW_PARAM_CURRENCY;
	const char *type = is_currency ? "currency" : "date_time";
	gw_status st = message_check_text(p->text, type, 1, GW_TEMPLATE_TEXT_MAX, err);

	if (st != GW_OK)
		return st;
	if (is_currency && p->currency.len != 3)
		return gw_error_set(err, GW_EARG, "currency: want a code of three letters");
	json_w_kv_text(&d->w, "type", type);
	json_w_key(&d->w, str_from(type));
	json_w_object(&d->w);
	json_w_kv_str(&d->w, "fallback_value", str_of_gw(p->text));
	if (is_currency) {
		json_w_kv_str(&d->w, "code", str_of_gw(p->currency));
		json_w_kv_i64(&d->w, "amount_1000", p->amount_1000);
	}
	json_w_end(&d->w);
	return GW_OK;
}

/* One JSON object, checked; written as it stands. */
static gw_status put_json(struct message_draft *d, gw_str json, struct gw_error *err)
{
	const struct json_doc *doc = NULL;
	struct arena *a = NULL;
	gw_status st;

	if (json.len > GW_MESSAGE_MAX)
		return gw_error_set(err, GW_ELIMIT, "JSON of %zu bytes; at most %u", json.len,
				    GW_MESSAGE_MAX);
	a = arena_new((size_t)16 * 1024 + 32 * json.len);
	if (a == NULL)
		return gw_error_set(err, GW_ENOMEM, "no memory for a message");
	st = json_scan(str_of_gw(json), a, &doc, err);
	if (st == GW_OK && json_type(json_root(doc)) != JSON_OBJECT)
		st = gw_error_set(err, GW_EARG, "want a JSON object");
	if (st == GW_OK)
		json_w_raw(&d->w, json_bytes(json_root(doc)));
	arena_free(a);
	return st;
}

static gw_status put_param(struct message_draft *d, const gw_param *p, struct gw_error *err)
{
	gw_status st;

	if (p->kind == GW_PARAM_JSON)
		return put_json(d, p->json, err);
	json_w_object(&d->w);
	switch (p->kind) {
	case GW_PARAM_TEXT: st = put_text(d, p, "text", GW_TEMPLATE_TEXT_MAX, err); break;
	case GW_PARAM_PAYLOAD: st = put_text(d, p, "payload", GW_TEMPLATE_PAYLOAD_MAX, err); break;
	case GW_PARAM_COUPON:
		st = put_text(d, p, "coupon_code", GW_TEMPLATE_COUPON_MAX, err);
		break;
	case GW_PARAM_IMAGE: st = put_media(d, p, "image", err); break;
	case GW_PARAM_VIDEO: st = put_media(d, p, "video", err); break;
	case GW_PARAM_DOCUMENT: st = put_media(d, p, "document", err); break;
	case GW_PARAM_CURRENCY:
	case GW_PARAM_DATE_TIME: st = put_fallback(d, p, err); break;
	case GW_PARAM_JSON:
	default: st = gw_error_set(err, GW_EARG, "no such kind of parameter"); break;
	}
	if (st == GW_OK && p->name.len > 0) {
		if (!is_name(p->name))
			return gw_error_set(err, GW_EARG, "parameter name: want a-z, 0-9 and _");
		json_w_kv_str(&d->w, "parameter_name", str_of_gw(p->name));
	}
	json_w_end(&d->w);
	return st;
}

static gw_status put_head(struct message_draft *d, const gw_part *part, struct gw_error *err)
{
	char index[2] = { 0 };

	switch (part->kind) {
	case GW_PART_HEADER:
		if (part->param_count > 1)
			return gw_error_set(err, GW_ELIMIT,
					    "a header has at most one parameter, not %zu",
					    part->param_count);
		json_w_kv_text(&d->w, "type", "header");
		return GW_OK;
	case GW_PART_BODY: json_w_kv_text(&d->w, "type", "body"); return GW_OK;
	case GW_PART_BUTTON:
		if (part->sub_type == NULL || part->sub_type[0] == '\0')
			return gw_error_set(err, GW_EARG, "a button without sub_type");
		if (part->index < 0 || part->index > 9)
			return gw_error_set(err, GW_ELIMIT, "button index %d; 0 to 9", part->index);
		index[0] = (char)('0' + part->index);
		json_w_kv_text(&d->w, "type", "button");
		json_w_kv_text(&d->w, "sub_type", part->sub_type);
		json_w_kv_text(&d->w, "index", index);
		return GW_OK;
	case GW_PART_JSON:
	default: return gw_error_set(err, GW_EARG, "no such kind of part");
	}
}

static gw_status put_part(struct message_draft *d, const gw_part *part, struct gw_error *err)
{
	gw_status st;

	if (part->kind == GW_PART_JSON)
		return put_json(d, part->json, err);
	if (part->param_count > GW_TEMPLATE_PARAMS_MAX)
		return gw_error_set(err, GW_ELIMIT, "%zu parameters in one part; at most %d",
				    part->param_count, GW_TEMPLATE_PARAMS_MAX);
	json_w_object(&d->w);
	st = put_head(d, part, err);
	if (st != GW_OK)
		return st;
	json_w_key(&d->w, STR("parameters"));
	json_w_array(&d->w);
	for (size_t i = 0; i < part->param_count; i++) {
		st = put_param(d, &part->params[i], err);
		if (st != GW_OK) {
			gw_error_context(err, "parameter %zu", i + 1);
			return st;
		}
	}
	json_w_end(&d->w);
	json_w_end(&d->w);
	return GW_OK;
}

static gw_status put_parts(struct message_draft *d, const gw_template *t, struct gw_error *err)
{
	gw_status st;

	if (t->part_count > GW_TEMPLATE_PARTS_MAX)
		return gw_error_set(err, GW_ELIMIT, "template of %zu parts; at most %d",
				    t->part_count, GW_TEMPLATE_PARTS_MAX);
	json_w_key(&d->w, STR("components"));
	json_w_array(&d->w);
	for (size_t i = 0; i < t->part_count; i++) {
		st = put_part(d, &t->parts[i], err);
		if (st != GW_OK)
			return st;
	}
	json_w_end(&d->w);
	return GW_OK;
}

gw_status gw_message_template(const gw_address *to, const gw_template *t, gw_message **out,
			      struct gw_error *err)
{
	struct message_draft d;
	gw_status st;

	if (!is_name(t->name))
		return gw_error_set(err, GW_EARG, "template name: want 1 to %d of a-z, 0-9 and _",
				    GW_TEMPLATE_NAME_MAX);
	if (!is_language(t->language))
		return gw_error_set(err, GW_EARG, "language: want a code such as en or en_US");
	st = message_begin(&d, to, "template", err);
	if (st != GW_OK)
		return st;
	json_w_key(&d.w, STR("template"));
	json_w_object(&d.w);
	json_w_kv_str(&d.w, "name", str_of_gw(t->name));
	json_w_key(&d.w, STR("language"));
	json_w_object(&d.w);
	json_w_kv_str(&d.w, "code", str_of_gw(t->language));
	json_w_end(&d.w);
	if (t->part_count > 0)
		st = put_parts(&d, t, err);
	if (st != GW_OK) {
		message_drop(&d);
		return st;
	}
	json_w_end(&d.w);
	return message_finish(&d, out, err);
}
