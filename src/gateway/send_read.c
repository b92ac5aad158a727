/* SPDX-License-Identifier: MIT */
/*
 * send_read.c - who, what and what for, of a send's body
 *
 * Sources: cloud-api.md 2.1 (envelope), 2.4 (one-time passwords), 1.3 (words of
 * Meta's refusals).  `to` wins over `recipient`, a missing type is text, numbers
 * may stand for strings where Meta takes them.
 *
 * A class is known for free-form messages (a reply) and for the marketing
 * path.  The category of a template is Meta's to say (template_fact.h); until
 * it has, one that repeats its only body parameter in its URL button is a
 * one-time password, since that is the form Meta demands of those and of nothing
 * else.  A wrong guess costs a place in the queue, nothing more; the caller may
 * say what is marketing, which consent asks (guard.c), in Godwit-Category.
 * TESTS  tests/unit/test_send_read.c
 */
#include "gateway/send_read.h"

#include "base/utf8.h"

static const char opaque_key[] = "biz_opaque_callback_data";

static bool read_opaque(struct json_val root, struct send *out, struct refusal *r)
{
	struct json_val v = json_member(root, str_from(opaque_key));

	if (!json_exists(v) || json_type(v) == JSON_NULL)
		return true;
	if (json_type(v) != JSON_STRING)
		return refuse(r, REFUSAL_OPAQUE, 100, "%s must be a string", opaque_key);
	if (!json_str(v, (size_t)SEND_OPAQUE_MAX * 4, &out->opaque) ||
	    utf8_count(out->opaque) > SEND_OPAQUE_MAX)
		return refuse(r, REFUSAL_OPAQUE, 100, "%s has more than %d characters", opaque_key,
			      SEND_OPAQUE_MAX);
	return true;
}

static bool read_recipient(struct json_val root, struct send *out, struct refusal *r)
{
	bool found = json_get_text(root, STR("to"), SEND_TO_MAX, &out->to) && out->to.len > 0;

	if (!found && json_get_str(root, STR("recipient"), SEND_TO_MAX, &out->to) &&
	    out->to.len > 0)
		found = out->is_user_id = true;
	if (!found)
		return refuse(r, REFUSAL_INVALID, 100,
			      "the parameter to (or recipient) is required: a telephone number, "
			      "a user id or a group id");
	out->lane = str_make(out->lane_text, recipient_canonical(out->to, out->lane_text));
	if (out->lane.len == 0)
		return refuse(r, REFUSAL_INVALID, 100,
			      "the parameter to has no digits, or more than %d characters",
			      RECIPIENT_MAX - 1);
	return true;
}

/* The text of the only parameter of a component. */
static bool only_parameter(struct json_val component, struct str *out)
{
	struct json_val list = json_member(component, STR("parameters"));

	return json_type(list) == JSON_ARRAY && json_count(list) == 1 &&
	       json_get_str(json_at(list, 0), STR("text"), SEND_NAME_MAX, out);
}

static bool is_one_time_password(struct json_val template)
{
	struct json_iter it = json_iter(json_member(template, STR("components")));
	struct str type, sub_type, in_body = STR_EMPTY, in_button = STR_EMPTY;
	struct json_val component;

	while (json_next(&it, &component)) {
		if (!json_get_str(component, STR("type"), SEND_KIND_MAX, &type))
			return false;
		if (str_eq_nocase(type, STR("body"))) {
			if (!only_parameter(component, &in_body))
				return false;
		} else if (str_eq_nocase(type, STR("button"))) {
			if (!json_get_str(component, STR("sub_type"), SEND_KIND_MAX, &sub_type) ||
			    !str_eq_nocase(sub_type, STR("url")) ||
			    !only_parameter(component, &in_button))
				return false;
		} else {
			return false;
		}
	}
	return in_body.len > 0 && str_eq(in_body, in_button);
}

static void read_kind(struct json_val root, struct str target, struct send *out)
{
	struct json_val template = json_member(root, STR("template"));
	size_t at;

	out->kind = STR("text");
	(void)json_get_str(root, STR("type"), SEND_KIND_MAX, &out->kind);
	out->class_ = OUTQ_REPLY;
	if (!str_eq(out->kind, STR("template")))
		return;
	(void)json_get_str(template, STR("name"), SEND_NAME_MAX, &out->template_name);
	(void)json_get_str(json_member(template, STR("language")), STR("code"), SEND_KIND_MAX,
			   &out->template_language);
	out->class_ = OUTQ_UTILITY;
	if (str_find(target, STR("/marketing_messages"), &at))
		out->class_ = OUTQ_MARKETING;
	else if (is_one_time_password(template))
		out->class_ = OUTQ_AUTHENTICATION;
}

static bool context_of(struct json_val root, struct id *out)
{
	struct str text;

	return json_get_str(json_member(root, STR("context")), STR("message_id"), SEND_NAME_MAX,
			    &text) &&
	       id_parse(ID_MESSAGE, text, out);
}

bool send_read(struct str body, struct str target, struct arena *a, struct send *out,
	       struct refusal *r)
{
	struct gw_error err = GW_ERROR_INIT;
	const struct json_doc *doc;
	struct json_val root;
	struct str product;

	*out = (struct send){ .lane = STR_EMPTY };
	if (json_scan(body, a, &doc, &err) != GW_OK)
		return refuse(r, REFUSAL_INVALID, 100, "the body is not JSON: %s", err.message);
	root = json_root(doc);
	if (json_type(root) != JSON_OBJECT)
		return refuse(r, REFUSAL_INVALID, 100, "the body is not a JSON object");
	if (!json_get_str(root, STR("messaging_product"), SEND_KIND_MAX, &product))
		return refuse(r, REFUSAL_INVALID, 100,
			      "the parameter messaging_product is required; it is always "
			      "\"whatsapp\"");
	if (!str_eq(product, STR("whatsapp")))
		return refuse(r, REFUSAL_INVALID, 100,
			      "the parameter messaging_product must be \"whatsapp\"");
	if (!read_recipient(root, out, r) || !read_opaque(root, out, r))
		return false;
	read_kind(root, target, out);
	out->has_context = context_of(root, &out->context);
	return true;
}

bool send_read_category(struct str category, struct send *s, struct refusal *r)
{
	static const struct {
		const char *word;
		enum outq_class class_;
	} words[] = { { "marketing", OUTQ_MARKETING },
		      { "utility", OUTQ_UTILITY },
		      { "authentication", OUTQ_AUTHENTICATION } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_eq_nocase(category, str_from(words[i].word)))
			continue;
		if (words[i].class_ == OUTQ_MARKETING ||
		    (s->class_ != OUTQ_MARKETING && str_eq(s->kind, STR("template"))))
			s->class_ = words[i].class_; /* a reply stays one */
		return true;
	}
	return category.len == 0 ||
	       refuse(r, REFUSAL_INVALID, 100,
		      "the header Godwit-Category must be marketing, utility or authentication");
}

bool send_read_context(struct str body, struct arena *a, struct id *out)
{
	const struct json_doc *doc;

	return json_scan(body, a, &doc, NULL) == GW_OK && context_of(json_root(doc), out);
}
