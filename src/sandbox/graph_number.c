/* SPDX-License-Identifier: MIT */
/*
 * graph_number.c - a number: registration, PIN, codes, and what is only kept and read back
 *
 * ROLE        cloud-api.md 4.2, 4.4, 4.8 and 4.9, read 2026-11.  Profile,
 *             settings and conversational components are kept as the JSON that
 *             was written, one slot of the number a member.
 * LIMITS      Ten registrations and ten deregistrations in 72 hours (133016).
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_number.c
 */
#include "sandbox/graph.h"

#include "base/mem.h"
#include "base/panic.h"
#include "base/utf8.h"

#define PIN_LEN 6
#define SPAN_NS (INT64_C(72) * 3600 * NS_PER_S)

bool graph_check_product(struct graph_call *c)
{
	struct str product;

	if (!json_get_str(c->body, STR("messaging_product"), 64, &product))
		return metaerr_param(&c->err, "The parameter messaging_product is required.");
	if (!str_eq(product, STR("whatsapp")))
		return metaerr_param(&c->err,
				     "Param messaging_product must be one of {WHATSAPP} - got "
				     "\"%.*s\".",
				     STR_ARG(product));
	return true;
}

static bool read_digits(struct graph_call *c, const char *key, struct str *out)
{
	uint32_t value;

	if (!json_get_text(c->body, str_from(key), 64, out) || out->len == 0)
		return metaerr_param(&c->err, "The parameter %s is required.", key);
	if (out->len != PIN_LEN || !str_to_u32(*out, &value))
		return metaerr_param(&c->err, "Param %s must have six digits.", key);
	return true;
}

static bool take_turn(struct graph_call *c, int64_t turns[NUMBER_TURNS_MAX], size_t *at)
{
	int64_t now = world_now_ns(c->world);

	if (turns[*at] != 0 && now - turns[*at] < SPAN_NS)
		return metaerr_set(&c->err, 133016,
				   "this number was registered or deregistered %d times in 72 "
				   "hours",
				   NUMBER_TURNS_MAX);
	turns[*at] = now;
	*at = (*at + 1) % NUMBER_TURNS_MAX;
	return true;
}

static bool do_register(struct graph_call *c, struct number *n)
{
	struct str pin;

	if (!graph_check_product(c) || !read_digits(c, "pin", &pin))
		return false;
	if (n->unverified)
		return metaerr_set(&c->err, 133006, "request and verify a code first");
	if (n->pin[0] != '\0' && !str_eq(pin, str_from(n->pin)))
		return metaerr_set(&c->err, 133005, "the PIN is not this number's");
	if (!take_turn(c, n->registrations_ns, &n->registration_at))
		return false;
	(void)str_copy(pin, n->pin, sizeof(n->pin));
	n->registered = true;
	n->status[0] = '\0';
	graph_write_success(c);
	return true;
}

static bool do_deregister(struct graph_call *c, struct number *n)
{
	if (!take_turn(c, n->deregistrations_ns, &n->deregistration_at))
		return false;
	n->registered = false;
	n->status[0] = '\0';
	graph_write_success(c);
	return true;
}

static bool do_request_code(struct graph_call *c, struct number *n)
{
	struct str method, language;

	if (!json_get_str(c->body, STR("code_method"), 16, &method) ||
	    (!str_eq(method, STR("SMS")) && !str_eq(method, STR("VOICE"))))
		return metaerr_param(&c->err, "Param code_method must be one of {SMS, VOICE}.");
	if (!json_get_str(c->body, STR("language"), 16, &language) || language.len == 0)
		return metaerr_param(&c->err, "The parameter language is required.");
	(void)snprintf(n->code, sizeof(n->code), "%06u",
		       (unsigned)rnd_below(&c->world->codes, 1000000));
	log_info(c->world->log, "sandbox: the code of number %s is %s", n->id, n->code);
	graph_write_success(c);
	return true;
}

static bool do_verify_code(struct graph_call *c, struct number *n)
{
	struct str code;

	if (!read_digits(c, "code", &code))
		return false;
	if (n->code[0] == '\0' || !str_eq(code, str_from(n->code)))
		return metaerr_param(&c->err, "Param code is not the code that was sent.");
	n->code[0] = '\0';
	n->unverified = false;
	graph_write_success(c);
	return true;
}

bool graph_change_number(struct graph_call *c, struct number *n)
{
	struct json_val name = json_member(c->body, STR("new_display_name"));
	bool has_pin = json_exists(json_member(c->body, STR("pin")));
	struct str text = STR_EMPTY;

	if (json_exists(json_member(c->body, STR("webhook_configuration"))))
		return metaerr_param(&c->err, "the sandbox has one callback and no overrides: "
					      "POST /sandbox/v1/callback");
	if (!has_pin && !json_exists(name))
		return metaerr_param(&c->err, "The parameter pin or new_display_name is required.");
	if (json_exists(name) && (!json_str(name, sizeof(n->name) - 1, &text) ||
				  utf8_count(text) < 2 || utf8_count(text) > 75))
		return metaerr_param(&c->err, "Param new_display_name must have 2 to 75 "
					      "characters.");
	if (has_pin) {
		struct str pin;

		if (!read_digits(c, "pin", &pin))
			return false;
		(void)str_copy(pin, n->pin, sizeof(n->pin));
	}
	if (json_exists(name))
		(void)str_copy(text, n->name, sizeof(n->name));
	graph_write_success(c);
	return true;
}

/* ---- members that are kept and read back ---- */

enum kept_kind {
	KEPT_TEXT,
	KEPT_URLS,
	KEPT_VERTICAL,
	KEPT_OBJECT,
	KEPT_BOOL,
	KEPT_PROMPTS,
	KEPT_COMMANDS
};

static const struct kept_row {
	const char *edge, *name;
	enum kept_kind kind;
	size_t min, max; /* characters, or items */
} kept[] = {
	{ "whatsapp_business_profile", "about", KEPT_TEXT, 1, 139 },
	{ "whatsapp_business_profile", "address", KEPT_TEXT, 0, 256 },
	{ "whatsapp_business_profile", "description", KEPT_TEXT, 0, 512 },
	{ "whatsapp_business_profile", "email", KEPT_TEXT, 0, 128 },
	{ "whatsapp_business_profile", "websites", KEPT_URLS, 0, 2 },
	{ "whatsapp_business_profile", "vertical", KEPT_VERTICAL, 0, 0 },
	{ "settings", "user_identity_change", KEPT_OBJECT, 0, 0 },
	{ "settings", "storage_configuration", KEPT_OBJECT, 0, 0 },
	{ "settings", "calling", KEPT_OBJECT, 0, 0 },
	{ "settings", "payload_encryption", KEPT_OBJECT, 0, 0 },
	{ "conversational_automation", "enable_welcome_message", KEPT_BOOL, 0, 0 },
	{ "conversational_automation", "prompts", KEPT_PROMPTS, 0, 4 },
	{ "conversational_automation", "commands", KEPT_COMMANDS, 0, 30 },
};
_Static_assert(ARRAY_LEN(kept) == NUMBER_KEPT_MAX, "one slot of a number a row");

static const char verticals[] =
	"OTHER AUTO BEAUTY APPAREL EDU ENTERTAIN EVENT_PLAN FINANCE GROCERY GOVT HOTEL HEALTH "
	"NONPROFIT PROF_SERVICES RETAIL TRAVEL RESTAURANT ALCOHOL ONLINE_GAMBLING "
	"PHYSICAL_GAMBLING OTC_DRUGS UNDEFINED";

static bool is_vertical(struct str word)
{
	struct str rest = STR_EMPTY, one;

	rest = str_from(verticals);
	while (str_split(&rest, ' ', &one)) {
		if (str_eq(one, word))
			return true;
	}
	return false;
}

static bool is_text(struct json_val v, size_t min, size_t max)
{
	struct str s;

	return json_str(v, 65536, &s) && utf8_count(s) >= min && utf8_count(s) <= max;
}

static bool are_items(const struct kept_row *row, struct json_val list)
{
	struct json_iter it;
	struct json_val v;

	if (json_type(list) != JSON_ARRAY || json_count(list) > row->max)
		return false;
	for (it = json_iter(list); json_next(&it, &v);) {
		if (row->kind == KEPT_URLS && !is_text(v, 1, 256))
			return false;
		if (row->kind == KEPT_PROMPTS && !is_text(v, 1, 80))
			return false;
		if (row->kind == KEPT_COMMANDS &&
		    (!is_text(json_member(v, STR("command_name")), 1, 32) ||
		     !is_text(json_member(v, STR("command_description")), 1, 256)))
			return false;
	}
	return true;
}

static bool check_kept(struct graph_call *c, const struct kept_row *row, struct json_val v)
{
	struct str word = STR_EMPTY;
	bool b, ok = false;

	switch (row->kind) {
	case KEPT_TEXT:
		if (is_text(v, row->min, row->max))
			return true;
		return metaerr_param(&c->err, "Param %s must have %zu to %zu characters.",
				     row->name, row->min, row->max);
	case KEPT_VERTICAL: ok = json_str(v, 64, &word) && is_vertical(word); break;
	case KEPT_OBJECT: ok = json_type(v) == JSON_OBJECT; break;
	case KEPT_BOOL: ok = json_bool(v, &b); break;
	case KEPT_URLS:
	case KEPT_PROMPTS:
	case KEPT_COMMANDS:
		if (are_items(row, v))
			return true;
		return metaerr_param(
			&c->err, "Param %s must have at most %zu items, each within its length.",
			row->name, row->max);
	}
	return ok || metaerr_param(&c->err, "Param %s has no value that is taken.", row->name);
}

/* All members are looked at before the first is kept. */
static bool write_kept(struct graph_call *c, struct number *n)
{
	struct json_val v;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		v = json_member(c->body, str_from(kept[i].name));
		if (!str_eq(c->edge, str_from(kept[i].edge)) || !json_exists(v))
			continue;
		if (!check_kept(c, &kept[i], v))
			return false;
		count++;
	}
	if (count == 0 && !json_exists(json_member(c->body, STR("profile_picture_handle"))))
		return metaerr_param(&c->err, "The body names nothing that can be set here.");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		v = json_member(c->body, str_from(kept[i].name));
		if (!str_eq(c->edge, str_from(kept[i].edge)) || !json_exists(v))
			continue;
		free(n->kept[i]);
		n->kept[i] = xstrndup(json_bytes(v));
	}
	graph_write_success(c);
	return true;
}

void graph_write_kept(const struct number *n, const char *edge, struct str fields,
		      struct json_writer *w)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (strcmp(edge, kept[i].edge) == 0 && n->kept[i] != NULL &&
		    (fields.len == 0 || graph_is_asked(fields, kept[i].name)))
			json_w_kv_raw(w, kept[i].name, str_from(n->kept[i]));
	}
}

static bool do_profile(struct graph_call *c, struct number *n, bool is_get)
{
	struct str fields = STR_EMPTY;
	struct json_writer w;

	if (!is_get)
		return graph_check_product(c) && write_kept(c, n);
	(void)graph_query(c, "fields", &fields);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	json_w_object(&w);
	graph_write_kept(n, "whatsapp_business_profile", fields, &w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	return true;
}

static bool do_settings(struct graph_call *c, struct number *n, bool is_get)
{
	struct json_writer w;

	if (!is_get)
		return write_kept(c, n);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	graph_write_kept(n, "settings", STR_EMPTY, &w);
	json_w_kv_text(&w, "id", n->id);
	json_w_end(&w);
	return true;
}

/* A boolean of the query or the body. */
static bool read_flag(struct graph_call *c, const char *name, bool *out)
{
	struct str text;

	if (json_get_bool(c->body, str_from(name), out))
		return true;
	if (!graph_query(c, name, &text))
		return true;
	*out = str_eq(text, STR("true"));
	return *out || str_eq(text, STR("false")) ||
	       metaerr_param(&c->err, "Param %s must be true or false.", name);
}

static bool do_commerce(struct graph_call *c, struct number *n, bool is_get)
{
	bool cart = n->is_cart_enabled, catalog = n->is_catalog_visible;
	struct json_writer w;

	if (!is_get) {
		if (!read_flag(c, "is_cart_enabled", &cart) ||
		    !read_flag(c, "is_catalog_visible", &catalog))
			return false;
		n->is_cart_enabled = cart;
		n->is_catalog_visible = catalog;
		graph_write_success(c);
		return true;
	}
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_bool(&w, "is_cart_enabled", cart);
	json_w_kv_bool(&w, "is_catalog_visible", catalog);
	json_w_kv_text(&w, "id", n->id);
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	return true;
}

bool graph_number_edge(struct graph_call *c, struct number *n, bool *found)
{
	bool is_get = str_eq(c->ask->method, STR("GET"));
	bool is_post = str_eq(c->ask->method, STR("POST"));

	*found = true;
	if ((is_get || is_post) && str_eq(c->edge, STR("whatsapp_business_profile")))
		return do_profile(c, n, is_get);
	if ((is_get || is_post) && str_eq(c->edge, STR("settings")))
		return do_settings(c, n, is_get);
	if ((is_get || is_post) && str_eq(c->edge, STR("whatsapp_commerce_settings")))
		return do_commerce(c, n, is_get);
	if (is_post && str_eq(c->edge, STR("conversational_automation")))
		return write_kept(c, n);
	if (is_post && str_eq(c->edge, STR("register")))
		return do_register(c, n);
	if (is_post && str_eq(c->edge, STR("deregister")))
		return do_deregister(c, n);
	if (is_post && str_eq(c->edge, STR("request_code")))
		return do_request_code(c, n);
	if (is_post && str_eq(c->edge, STR("verify_code")))
		return do_verify_code(c, n);
	*found = false;
	return false;
}
