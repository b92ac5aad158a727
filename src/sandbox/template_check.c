/* SPDX-License-Identifier: MIT */
/*
 * template_check.c - do the parameters of a send fit the template?
 *
 * ROLE        cloud-api.md 2.4, read 2026-11: unknown or unapproved 132001,
 *             paused 132015, disabled 132016, wrong count 132000, wrong kind
 *             132012, too long once filled in 132005, a button's parameter
 *             missing 131008.
 * TESTS       tests/unit/test_sandbox_template.c
 */
#include "sandbox/template.h"

#include "base/panic.h"
#include "base/utf8.h"

#define BODY_RENDERED_MAX 1024 /* characters; 2.4 */
#define HEADER_RENDERED_MAX 60
#define PARAM_MAX 32768 /* bytes looked at */
#define URL_SUFFIX_MAX 2000
#define COUPON_MAX 15 /* 2.4, copy_code */

/* What a send gave for one template. */
struct given {
	const struct template *t;
	struct json_val header, body; /* "parameters" arrays, missing when not given */
	struct json_val buttons[TEMPLATE_BUTTONS_MAX];
	size_t cards;
};

static const char *const header_words[] = { "NONE",     "TEXT", "IMAGE",    "VIDEO",
					    "DOCUMENT", "GIF",  "LOCATION", "PRODUCT" };

static bool find_template(const struct templates *all, struct json_val sent,
			  const struct template **out, struct metaerr *err)
{
	struct json_val language = json_member(sent, STR("language"));
	const struct template *t;
	struct str name, code, policy;

	if (!json_get_str(sent, STR("name"), TEMPLATE_NAME_MAX, &name) || name.len == 0)
		return metaerr_set(err, 131008, "template['name'] is required");
	if (!json_get_str(language, STR("code"), 16, &code) || code.len == 0)
		return metaerr_set(err, 131008, "template['language']['code'] is required");
	if (json_get_str(language, STR("policy"), 64, &policy) &&
	    !str_eq(policy, STR("deterministic")))
		return metaerr_set(err, 131009,
				   "template['language']['policy'] must be deterministic");
	t = templates_find(all, name, code);
	if (t != NULL && strcmp(t->status, "PAUSED") == 0)
		return metaerr_set(err, 132015, "template (%.*s) is paused", STR_ARG(name));
	if (t != NULL && strcmp(t->status, "DISABLED") == 0)
		return metaerr_set(err, 132016, "template (%.*s) is disabled", STR_ARG(name));
	if (t == NULL || strcmp(t->status, "APPROVED") != 0)
		return metaerr_set(err, 132001, "template name (%.*s) does not exist in %.*s",
				   STR_ARG(name), STR_ARG(code));
	*out = t;
	return true;
}

static bool read_button(struct given *g, struct json_val component, struct metaerr *err)
{
	struct str text, sub_type;
	uint32_t index;

	if (!json_get_text(component, STR("index"), 4, &text) || !str_to_u32(text, &index))
		return metaerr_set(err, 131008, "a button component needs an index from 0 to 9");
	if (!json_get_str(component, STR("sub_type"), 32, &sub_type))
		return metaerr_set(err, 131008, "a button component needs a sub_type");
	if (index >= g->t->button_count)
		return metaerr_set(err, 132000,
				   "buttons: index %u is beyond the template's %zu buttons", index,
				   g->t->button_count);
	g->buttons[index] = json_member(component, STR("parameters"));
	return true;
}

static bool read_given(struct given *g, struct json_val components, struct metaerr *err)
{
	struct json_iter it;
	struct json_val v;
	struct str type;

	if (json_exists(components) && json_type(components) != JSON_ARRAY)
		return metaerr_set(err, 131009, "template['components'] must be an array");
	for (it = json_iter(components); json_next(&it, &v);) {
		if (!json_get_str(v, STR("type"), 64, &type))
			return metaerr_set(err, 131008, "a component needs a type");
		if (str_eq_nocase(type, STR("header"))) {
			g->header = json_member(v, STR("parameters"));
		} else if (str_eq_nocase(type, STR("body"))) {
			g->body = json_member(v, STR("parameters"));
		} else if (str_eq_nocase(type, STR("button"))) {
			if (!read_button(g, v, err))
				return false;
		} else if (str_eq_nocase(type, STR("carousel"))) {
			g->cards = json_count(json_member(v, STR("cards")));
		} else if (!str_eq_nocase(type, STR("limited_time_offer")) &&
			   !str_eq_nocase(type, STR("order_status")) &&
			   !str_eq_nocase(type, STR("tap_target_configuration"))) {
			return metaerr_set(err, 132012, "component type %.*s is not known",
					   STR_ARG(type));
		}
	}
	return true;
}

/* No newline, no tab, at most four blanks in a row (2.4). */
static bool is_plain(struct str text)
{
	size_t at;

	return !str_find_char(text, '\n', &at) && !str_find_char(text, '\t', &at) &&
	       !str_find(text, STR("     "), &at);
}

/* The words of one text parameter; date and currency show their fallback. */
static bool read_param(const char *where, struct json_val v, struct str *out, struct metaerr *err)
{
	struct json_val object;
	struct str type;

	if (!json_get_str(v, STR("type"), 32, &type))
		return metaerr_set(err, 131008, "%s: a parameter needs a type", where);
	if (str_eq_nocase(type, STR("text"))) {
		if (!json_get_str(v, STR("text"), PARAM_MAX, out) || out->len == 0)
			return metaerr_set(err, 131008, "%s: a text parameter needs text", where);
		if (!is_plain(*out))
			return metaerr_set(err, 132012,
					   "%s: Param text cannot have new-line/tab characters or "
					   "more than 4 consecutive spaces",
					   where);
		return true;
	}
	if (!str_eq_nocase(type, STR("currency")) && !str_eq_nocase(type, STR("date_time")))
		return metaerr_set(err, 132012, "%s: Format mismatch, expected TEXT, received %.*s",
				   where, STR_ARG(type));
	object = json_member(v, type);
	if (!json_get_str(object, STR("fallback_value"), PARAM_MAX, out))
		return metaerr_set(err, 131008, "%s: %.*s needs a fallback_value", where,
				   STR_ARG(type));
	return true;
}

static bool has_named(const struct template_vars *vars, struct json_val v)
{
	struct str name;

	if (!json_get_str(v, STR("parameter_name"), TEMPLATE_VAR_NAME_MAX, &name))
		return false;
	for (size_t i = 0; i < vars->count; i++) {
		if (str_eq(name, str_from(vars->names[i])))
			return true;
	}
	return false;
}

/* Text parameters against the variables of a text; *length grows by what they add. */
static bool check_text_params(const struct given *g, const char *where,
			      const struct template_vars *vars, struct json_val params,
			      size_t *length, struct metaerr *err)
{
	struct json_iter it;
	struct json_val v;
	struct str text;

	if (json_count(params) != vars->count)
		return metaerr_set(err, 132000,
				   "%s: number of localizable_params (%u) does not match the "
				   "expected number of params (%zu)",
				   where, json_count(params), vars->count);
	for (it = json_iter(params); json_next(&it, &v);) {
		if (!read_param(where, v, &text, err))
			return false;
		if (g->t->named && !has_named(vars, v))
			return metaerr_set(err, 132012,
					   "%s: Parameter name is missing or not in the template",
					   where);
		*length += utf8_count(text);
	}
	return true;
}

static bool check_header_media(const struct given *g, struct metaerr *err)
{
	const char *want = header_words[g->t->header];
	struct json_val v = json_at(g->header, 0), media;
	struct str type = STR("UNKNOWN");

	if (json_count(g->header) != 1)
		return metaerr_set(err, 132012,
				   "header: Format mismatch, expected %s, received UNKNOWN", want);
	(void)json_get_str(v, STR("type"), 32, &type);
	if (!str_eq_nocase(type, str_from(want)))
		return metaerr_set(err, 132012,
				   "header: Format mismatch, expected %s, received %.*s", want,
				   STR_ARG(type));
	media = json_member(v, type);
	if (json_type(media) != JSON_OBJECT)
		return metaerr_set(err, 131008, "header: %.*s needs its object", STR_ARG(type));
	if (g->t->header == HEADER_LOCATION || g->t->header == HEADER_PRODUCT)
		return true;
	if (json_exists(json_member(media, STR("id"))) ==
	    json_exists(json_member(media, STR("link"))))
		return metaerr_set(err, 131008, "header: %.*s needs exactly one of id and link",
				   STR_ARG(type));
	return true;
}

static bool check_header(const struct given *g, struct metaerr *err)
{
	size_t length = 0;

	if (g->t->header != HEADER_NONE && g->t->header != HEADER_TEXT)
		return check_header_media(g, err);
	if (!check_text_params(g, "header", &g->t->header_vars, g->header, &length, err))
		return false;
	if (length > HEADER_RENDERED_MAX)
		return metaerr_set(err, 132005, "header: more than %d characters once filled in",
				   HEADER_RENDERED_MAX);
	return true;
}

/* Characters of the template's body that are not placeholders. */
static size_t fixed_length(const struct template *t)
{
	struct str rest = str_from(t->body);
	size_t total = utf8_count(rest), at, end;

	while (str_find(rest, STR("{{"), &at)) {
		rest = str_slice(rest, at, rest.len);
		if (!str_find(rest, STR("}}"), &end))
			break;
		total -= utf8_count(str_slice(rest, 0, end + 2));
		rest = str_slice(rest, end + 2, rest.len);
	}
	return total;
}

static bool check_body(const struct given *g, struct metaerr *err)
{
	size_t length = fixed_length(g->t);

	if (!check_text_params(g, "body", &g->t->body_vars, g->body, &length, err))
		return false;
	if (length > BODY_RENDERED_MAX)
		return metaerr_set(err, 132005, "body: more than %d characters once filled in",
				   BODY_RENDERED_MAX);
	return true;
}

static bool check_buttons(const struct given *g, struct metaerr *err)
{
	for (size_t i = 0; i < g->t->button_count; i++) {
		const struct template_button *b = &g->t->buttons[i];
		struct json_val v = json_at(g->buttons[i], 0);
		struct str text;

		if (b->needs_text &&
		    (!json_get_str(v, STR("text"), URL_SUFFIX_MAX, &text) || text.len == 0))
			return metaerr_set(err, 131008,
					   "buttons: Button at index %zu of type Url requires a "
					   "parameter",
					   i);
		if (b->needs_coupon && (!json_get_str(v, STR("coupon_code"), 256, &text) ||
					text.len == 0 || text.len > COUPON_MAX))
			return metaerr_set(err, 131008,
					   "buttons: Button at index %zu requires a coupon_code of "
					   "1 to %d characters",
					   i, COUPON_MAX);
	}
	return true;
}

bool template_check_send(const struct templates *all, struct json_val sent,
			 const struct template **out, struct metaerr *err)
{
	struct given g;

	memset(&g, 0, sizeof(g));
	if (!find_template(all, sent, &g.t, err))
		return false;
	if (!read_given(&g, json_member(sent, STR("components")), err))
		return false;
	if (g.cards != g.t->card_count)
		return metaerr_set(err, 132000,
				   "carousel: number of cards (%zu) does not match the template's "
				   "(%zu)",
				   g.cards, g.t->card_count);
	if (!check_header(&g, err) || !check_body(&g, err) || !check_buttons(&g, err))
		return false;
	*out = g.t;
	return true;
}
