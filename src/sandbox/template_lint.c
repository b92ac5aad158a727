/* SPDX-License-Identifier: MIT */
/*
 * template_lint.c - would Meta take this definition of a template?
 *
 * ROLE        The rules of cloud-api.md 4.5, read 2026-11: 2388040 too long,
 *             2388047, 2388072 and 2388073 form of header, body and footer,
 *             2388293 too many variables, 2388299 one at an end; other faults
 *             are code 100 without a subcode.  Not judged: what the text says,
 *             cards of a carousel, the samples' content, likeness to others.
 * THREADS     Any: no state.
 * TESTS       tests/unit/test_sandbox_manage.c
 */
#include "sandbox/template.h"

#include "base/panic.h"
#include "base/utf8.h"

#define READ_MAX 65536
#define LONG 2388040
#define BAD_HEADER 2388047
#define BAD_BODY 2388072
#define BAD_FOOTER 2388073
#define TOO_MANY 2388293
#define AT_AN_END 2388299

/* A text and where it stands. */
struct text {
	const char *where; /* "header" */
	int subcode; /* of a bad form */
	size_t max; /* characters */
	bool named;
	size_t variables; /* out */
};

static bool is_variable(struct str name, const struct text *rule)
{
	if (name.len == 0 || name.len >= TEMPLATE_VAR_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool digit = c >= '0' && c <= '9';

		if (!digit && (!rule->named || ((c < 'a' || c > 'z') && c != '_')))
			return false;
	}
	return true;
}

/* Positional variables count up from 1; one may come again. */
static bool take_variable(struct str name, struct text *rule, struct metaerr *err)
{
	uint32_t n;

	if (!is_variable(name, rule))
		return metaerr_template(err, rule->subcode, "Variables are not well formed",
					"{{%.*s}} in the %s is no %s variable",
					STR_ARG(str_slice(name, 0, 64)), rule->where,
					rule->named ? "named" : "positional");
	if (!rule->named && (!str_to_u32(name, &n) || n == 0 || n > rule->variables + 1))
		return metaerr_template(err, rule->subcode, "Variables are not well formed",
					"the variables of the %s must count up from {{1}}",
					rule->where);
	if (rule->named || n == rule->variables + 1)
		rule->variables++;
	return true;
}

static bool check_variables(struct str s, struct text *rule, struct metaerr *err)
{
	struct str rest = s, name;
	size_t at, end;

	rule->variables = 0;
	for (bool first = true; str_find(rest, STR("{{"), &at); first = false) {
		if (!first && at == 0)
			return metaerr_template(err, rule->subcode, "Variables are not well formed",
						"two variables of the %s stand side by side",
						rule->where);
		rest = str_slice(rest, at + 2, rest.len);
		if (!str_find(rest, STR("}}"), &end))
			return metaerr_template(err, rule->subcode, "Variables are not well formed",
						"a {{ of the %s is not closed", rule->where);
		name = str_trim(str_slice(rest, 0, end));
		if (!take_variable(name, rule, err))
			return false;
		rest = str_slice(rest, end + 2, rest.len);
	}
	return true;
}

static bool check_text_of(struct json_val component, struct text *rule, struct str *out,
			  struct metaerr *err)
{
	if (!json_get_str(component, STR("text"), READ_MAX, out) || out->len == 0)
		return metaerr_template(err, rule->subcode, "The text is missing",
					"the %s needs a text of 1 to %zu characters", rule->where,
					rule->max);
	if (utf8_count(*out) > rule->max)
		return metaerr_template(err, LONG, "The text is too long",
					"the %s has %zu characters, at most %zu are taken",
					rule->where, utf8_count(*out), rule->max);
	return check_variables(*out, rule, err);
}

static bool fail_example(const struct text *rule, struct metaerr *err)
{
	return metaerr_template(err, rule->subcode, "Samples are missing",
				"the %s has %zu variables and needs a sample of each in `example`",
				rule->where, rule->variables);
}

static bool check_header(struct json_val v, bool named, struct metaerr *err)
{
	struct text rule = { "header", BAD_HEADER, 60, named, 0 };
	struct json_val example = json_member(v, STR("example"));
	struct str format = STR("TEXT"), text;
	size_t at;

	(void)json_get_str(v, STR("format"), 24, &format);
	if (str_eq_nocase(format, STR("LOCATION")) || str_eq_nocase(format, STR("PRODUCT")))
		return true;
	if (str_eq_nocase(format, STR("IMAGE")) || str_eq_nocase(format, STR("VIDEO")) ||
	    str_eq_nocase(format, STR("DOCUMENT")) || str_eq_nocase(format, STR("GIF")))
		return json_count(json_member(example, STR("header_handle"))) > 0 ||
		       metaerr_template(err, BAD_HEADER, "Samples are missing",
					"a header of media needs example.header_handle");
	if (!str_eq_nocase(format, STR("TEXT")))
		return metaerr_template(err, BAD_HEADER, "The format is unknown",
					"%.*s is no format of a header", STR_ARG(format));
	if (!check_text_of(v, &rule, &text, err))
		return false;
	if (str_find_char(text, '\n', &at) || str_find_char(text, '*', &at))
		return metaerr_template(err, BAD_HEADER, "The header is not plain",
					"a header has no line breaks and no formatting");
	if (rule.variables > 1)
		return metaerr_template(err, BAD_HEADER, "Too many variables",
					"a header has at most one variable");
	if (rule.variables > 0 &&
	    json_count(json_member(example, named ? STR("header_text_named_params")
						  : STR("header_text"))) < rule.variables)
		return fail_example(&rule, err);
	return true;
}

static size_t count_words(struct str s)
{
	size_t words = 0;
	bool inside = false;

	for (size_t i = 0; i < s.len; i++) {
		bool blank = s.ptr[i] == ' ' || s.ptr[i] == '\n' || s.ptr[i] == '\t';

		if (!blank && !inside)
			words++;
		inside = !blank;
	}
	return words;
}

static bool check_body(struct json_val v, bool named, struct metaerr *err)
{
	struct text rule = { "body", BAD_BODY, 1024, named, 0 };
	struct json_val example = json_member(v, STR("example"));
	struct str text;
	size_t given;

	if (!check_text_of(v, &rule, &text, err))
		return false;
	if (rule.variables == 0)
		return true;
	text = str_trim(text);
	if (str_starts(text, STR("{{")) || str_ends(text, STR("}}")))
		return metaerr_template(err, AT_AN_END, "A variable stands at an end",
					"the body may not begin or end with a variable");
	/* Meta states no number; this one is known from practice. */
	if (count_words(text) < 2 * rule.variables + 1)
		return metaerr_template(err, TOO_MANY, "Too many variables for this length",
					"the body has %zu variables and only %zu words",
					rule.variables, count_words(text));
	given = named ? json_count(json_member(example, STR("body_text_named_params")))
		      : json_count(json_at(json_member(example, STR("body_text")), 0));
	return given >= rule.variables || fail_example(&rule, err);
}

static bool check_footer(struct json_val v, struct metaerr *err)
{
	struct text rule = { "footer", BAD_FOOTER, 60, true, 0 };
	struct str text;
	size_t at;

	if (!check_text_of(v, &rule, &text, err))
		return false;
	if (str_find(text, STR("{{"), &at))
		return metaerr_template(err, BAD_FOOTER, "Variables are not taken here",
					"a footer has no variables");
	return true;
}

static bool check_url(struct json_val button, struct metaerr *err)
{
	struct str url;
	size_t at;

	if (!json_get_str(button, STR("url"), 2000, &url) || url.len == 0)
		return metaerr_template(err, 0, "A button is not well formed",
					"a URL button needs a url of at most 2000 characters");
	if (!str_find(url, STR("{{"), &at))
		return true;
	if (at + 5 != url.len || !str_ends(url, STR("{{1}}")))
		return metaerr_template(err, 0, "A button is not well formed",
					"the variable of a url is {{1}}, once and at its end");
	return json_exists(json_member(button, STR("example"))) ||
	       metaerr_template(err, 0, "Samples are missing", "a url with {{1}} needs `example`");
}

static const struct button_rule {
	const char *type;
	uint32_t max; /* of one template */
	bool labelled;
} button_rules[] = {
	{ "QUICK_REPLY", 10, true },   { "URL", 2, true },  { "PHONE_NUMBER", 1, true },
	{ "COPY_CODE", 1, false },     { "OTP", 1, false }, { "FLOW", 1, true },
	{ "CATALOG", 1, false },       { "MPM", 1, false }, { "SPM", 1, false },
	{ "VOICE_CALL", 1, false },    { "APP", 1, false }, { "REQUEST_CONTACT_INFO", 1, false },
	{ "ORDER_DETAILS", 1, false },
};

static bool check_button(struct json_val v, uint32_t counts[], size_t *out_row, struct metaerr *err)
{
	const struct button_rule *rule = NULL;
	struct str type = STR("?"), text;

	(void)json_get_str(v, STR("type"), 23, &type);
	for (size_t i = 0; i < ARRAY_LEN(button_rules); i++) {
		if (str_eq_nocase(type, str_from(button_rules[i].type))) {
			rule = &button_rules[i];
			*out_row = i;
		}
	}
	if (rule == NULL)
		return metaerr_template(err, 0, "A button is not well formed",
					"%.*s is no type of button", STR_ARG(type));
	if (++counts[*out_row] > rule->max)
		return metaerr_template(err, 0, "Too many buttons",
					"at most %u buttons of type %s are taken", rule->max,
					rule->type);
	if (rule->labelled && (!json_get_str(v, STR("text"), READ_MAX, &text) || text.len == 0))
		return metaerr_template(err, 0, "A button is not well formed",
					"a button of type %s needs a text", rule->type);
	if (json_get_str(v, STR("text"), READ_MAX, &text) && utf8_count(text) > 25)
		return metaerr_template(err, LONG, "The text is too long",
					"the text of a button has at most 25 characters");
	if (str_eq_nocase(type, STR("URL")))
		return check_url(v, err);
	if (str_eq_nocase(type, STR("PHONE_NUMBER")) &&
	    (!json_get_str(v, STR("phone_number"), 20, &text) || text.len == 0))
		return metaerr_template(err, 0, "A button is not well formed",
					"phone_number: want at most 20 characters");
	return true;
}

/* Quick replies stand together: all before the others or all behind them. */
static bool check_buttons(struct json_val component, struct metaerr *err)
{
	struct json_val buttons = json_member(component, STR("buttons")), v;
	uint32_t counts[ARRAY_LEN(button_rules)] = { 0 };
	size_t row = 0, before = SIZE_MAX, turns = 0;
	struct json_iter it;

	if (json_count(buttons) == 0 || json_count(buttons) > TEMPLATE_BUTTONS_MAX)
		return metaerr_template(err, 0, "Buttons are not well formed",
					"want 1 to %d buttons", TEMPLATE_BUTTONS_MAX);
	for (it = json_iter(buttons); json_next(&it, &v);) {
		if (!check_button(v, counts, &row, err))
			return false;
		if (before != SIZE_MAX && (before == 0) != (row == 0))
			turns++;
		before = row;
	}
	return turns <= 1 || metaerr_template(err, 0, "Buttons are not in order",
					      "quick replies must stand together");
}

/* {"add_security_recommendation":…}: Meta writes the text of these itself. */
static bool check_component(struct json_val v, bool is_auth, bool named, bool *has_body,
			    struct metaerr *err)
{
	struct str type = STR("?");

	(void)json_get_str(v, STR("type"), 32, &type);
	if (str_eq_nocase(type, STR("HEADER")))
		return check_header(v, named, err);
	if (str_eq_nocase(type, STR("BODY"))) {
		*has_body = true;
		return is_auth || check_body(v, named, err);
	}
	if (str_eq_nocase(type, STR("FOOTER")))
		return is_auth || check_footer(v, err);
	if (str_eq_nocase(type, STR("BUTTONS")))
		return check_buttons(v, err);
	if (str_eq_nocase(type, STR("CAROUSEL")))
		return (json_count(json_member(v, STR("cards"))) >= 2 &&
			json_count(json_member(v, STR("cards"))) <= 10) ||
		       metaerr_template(err, 0, "The carousel is not well formed",
					"want 2 to 10 cards");
	if (str_eq_nocase(type, STR("LIMITED_TIME_OFFER")) ||
	    str_eq_nocase(type, STR("CALL_PERMISSION_REQUEST")))
		return true;
	return metaerr_param(err, "components: %.*s is no type of component", STR_ARG(type));
}

static bool check_name(struct json_val object, struct metaerr *err)
{
	struct str name;

	if (!json_exists(json_member(object, STR("name"))))
		return metaerr_param(err, "The parameter name is required.");
	if (!json_get_str(object, STR("name"), TEMPLATE_NAME_MAX, &name) || name.len == 0)
		return metaerr_param(err, "Param name must have 1 to %d characters.",
				     TEMPLATE_NAME_MAX);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_')
			return metaerr_param(err, "Param name may only have lower case letters, "
						  "digits and underscores.");
	}
	return true;
}

/* "en", "en_US", "fil", "zh_Hans_CN" never: two or three letters, then perhaps a country. */
static bool check_language(struct json_val object, struct metaerr *err)
{
	struct str s, front;

	if (!json_exists(json_member(object, STR("language"))))
		return metaerr_param(err, "The parameter language is required.");
	if (json_get_str(object, STR("language"), 15, &s)) {
		struct str rest = s;
		bool ok = str_split(&rest, '_', &front) && front.len >= 2 && front.len <= 3;

		for (size_t i = 0; ok && i < front.len; i++)
			ok = front.ptr[i] >= 'a' && front.ptr[i] <= 'z';
		if (ok && rest.ptr != NULL)
			ok = rest.len == 2 && rest.ptr[0] >= 'A' && rest.ptr[0] <= 'Z' &&
			     rest.ptr[1] >= 'A' && rest.ptr[1] <= 'Z';
		if (ok)
			return true;
	}
	return metaerr_param(err, "Param language must be a code such as en or en_US.");
}

static bool check_ttl(struct json_val object, struct str category, struct metaerr *err)
{
	struct json_val v = json_member(object, STR("message_send_ttl_seconds"));
	bool is_auth = str_eq(category, STR("AUTHENTICATION"));
	bool is_marketing = str_eq(category, STR("MARKETING"));
	int64_t min = is_marketing ? 43200 : 30;
	int64_t max = is_auth ? 900 : is_marketing ? 2592000 : 43200, ttl;

	if (!json_exists(v))
		return true;
	if (json_i64(v, &ttl) && ((ttl >= min && ttl <= max) || (ttl == -1 && !is_marketing)))
		return true;
	return metaerr_param(err,
			     "Param message_send_ttl_seconds must be from %lld to %lld for %.*s.",
			     (long long)min, (long long)max, STR_ARG(category));
}

bool template_lint(struct json_val object, struct metaerr *err)
{
	struct json_val components = json_member(object, STR("components")), v;
	struct str category = STR_EMPTY, format = STR("POSITIONAL");
	bool named, has_body = false, is_auth;
	struct json_iter it;

	if (!check_name(object, err) || !check_language(object, err))
		return false;
	(void)json_get_str(object, STR("category"), 15, &category);
	is_auth = str_eq(category, STR("AUTHENTICATION"));
	if (!is_auth && !str_eq(category, STR("MARKETING")) && !str_eq(category, STR("UTILITY")))
		return metaerr_param(err, "Param category must be one of {UTILITY, MARKETING, "
					  "AUTHENTICATION}.");
	(void)json_get_str(object, STR("parameter_format"), 16, &format);
	named = str_eq_nocase(format, STR("NAMED"));
	if (!named && !str_eq_nocase(format, STR("POSITIONAL")))
		return metaerr_param(err, "Param parameter_format must be one of {NAMED, "
					  "POSITIONAL}.");
	if (!check_ttl(object, category, err))
		return false;
	if (json_type(components) != JSON_ARRAY)
		return metaerr_param(err, "The parameter components is required.");
	for (it = json_iter(components); json_next(&it, &v);) {
		if (!check_component(v, is_auth, named, &has_body, err))
			return false;
	}
	return has_body || metaerr_template(err, BAD_BODY, "The body is missing",
					    "a template needs a component of type BODY");
}
