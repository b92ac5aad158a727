/* SPDX-License-Identifier: MIT */
/*
 * graph_check_interactive.c - the interactive kinds and their limits
 *
 * ROLE        cloud-api.md 2.3, read 2026-11: one row per kind, then what is
 *             particular to its action.  Missing members 131008, wrong ones
 *             131009.
 * TESTS       tests/unit/test_sandbox_graph.c
 */
#include "sandbox/graph_check.h"

#include "base/panic.h"
#include "base/utf8.h"

#define BUTTONS_MAX 3
#define SECTIONS_MAX 10
#define ROWS_MAX 10
#define PRODUCTS_MAX 30
#define CARDS_MIN 2
#define CARDS_MAX 10
#define ID_READ_MAX 2048 /* bytes looked at of an id */

enum header_rule { HEADER_NO, HEADER_TEXT_ONLY, HEADER_ANY, HEADER_TEXT_REQUIRED };

/* A member that must be there, of 1 to max characters. */
static bool want(struct json_val object, const char *key, const char *path, size_t max,
		 struct metaerr *err)
{
	const struct text_rule rule = { key, path, 1, max, true, 131008, 131009 };

	return check_text(object, &rule, err);
}

static bool may(struct json_val object, const char *key, const char *path, size_t max,
		struct metaerr *err)
{
	const struct text_rule rule = { key, path, 0, max, false, 131008, 131009 };

	return check_text(object, &rule, err);
}

/* Is the text of items[index].key (in `inner`, if given) used by an earlier item? */
static bool is_repeated(struct json_val items, uint32_t index, const char *inner, const char *key)
{
	struct str mine, other;

	for (uint32_t i = 0; i <= index; i++) {
		struct json_val v = json_at(items, index - i);

		if (inner != NULL)
			v = json_member(v, str_from(inner));
		if (!json_get_str(v, str_from(key), ID_READ_MAX, i == 0 ? &mine : &other))
			return false;
		if (i > 0 && str_eq(mine, other))
			return true;
	}
	return false;
}

static bool check_buttons(struct json_val action, struct metaerr *err)
{
	struct json_val buttons = json_member(action, STR("buttons"));
	uint32_t count = json_count(buttons);

	if (json_type(buttons) != JSON_ARRAY)
		return check_missing(err, 131008, "action['buttons']");
	if (count < 1 || count > BUTTONS_MAX)
		return metaerr_set(err, 131009,
				   "Invalid buttons count. Min allowed buttons: 1, Max allowed "
				   "buttons: %d",
				   BUTTONS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		struct json_val b = json_at(buttons, i), reply = json_member(b, STR("reply"));
		struct str type;

		if (!json_get_str(b, STR("type"), 32, &type) || !str_eq(type, STR("reply")))
			return metaerr_set(err, 131009, "Button type must be reply");
		if (!want(reply, "title", "Button title", 20, err) ||
		    !want(reply, "id", "Button id", 256, err))
			return false;
		if (is_repeated(buttons, i, "reply", "title"))
			return metaerr_set(err, 131009, "Button titles must be unique");
		if (is_repeated(buttons, i, "reply", "id"))
			return metaerr_set(err, 131009, "Button ids must be unique");
	}
	return true;
}

static bool check_rows(struct json_val rows, uint32_t *total, struct metaerr *err)
{
	struct json_iter it;
	struct json_val row;

	if (json_count(rows) == 0)
		return check_missing(err, 131008, "action['sections']['rows']");
	for (it = json_iter(rows); json_next(&it, &row);) {
		if (!want(row, "id", "Row id", 200, err) ||
		    !want(row, "title", "Row title", 24, err) ||
		    !may(row, "description", "Row description", 72, err))
			return false;
		(*total)++;
	}
	return true;
}

static bool check_sections(struct json_val sections, const char *items, uint32_t max,
			   bool (*check)(struct json_val, uint32_t *, struct metaerr *),
			   struct metaerr *err)
{
	uint32_t count = json_count(sections), total = 0;
	struct json_iter it;
	struct json_val section;

	if (json_type(sections) != JSON_ARRAY || count == 0)
		return check_missing(err, 131008, "action['sections']");
	if (count > SECTIONS_MAX)
		return metaerr_set(err, 131009, "Total section count exceed max allowed count: %d",
				   SECTIONS_MAX);
	for (it = json_iter(sections); json_next(&it, &section);) {
		if (count > 1 ? !want(section, "title", "Section title", 24, err)
			      : !may(section, "title", "Section title", 24, err))
			return false;
		if (!check(json_member(section, str_from(items)), &total, err))
			return false;
	}
	if (total > max)
		return metaerr_set(err, 131009, "Total row count exceed max allowed count: %u",
				   max);
	return true;
}

/* Row ids are unique in the whole list: every pair of rows, at most ten of them. */
static bool row_ids_differ(struct json_val sections, struct metaerr *err)
{
	struct str ids[ROWS_MAX];
	struct json_iter si, ri;
	struct json_val section, row;
	size_t count = 0;

	for (si = json_iter(sections); json_next(&si, &section);) {
		for (ri = json_iter(json_member(section, STR("rows"))); json_next(&ri, &row);) {
			if (!json_get_str(row, STR("id"), ID_READ_MAX, &ids[count]))
				continue;
			for (size_t i = 0; i < count; i++) {
				if (str_eq(ids[i], ids[count]))
					return metaerr_set(err, 131009, "Row ids must be unique");
			}
			count++;
		}
	}
	return true;
}

static bool check_list(struct json_val action, struct metaerr *err)
{
	struct json_val sections = json_member(action, STR("sections"));

	return want(action, "button", "action['button']", 20, err) &&
	       check_sections(sections, "rows", ROWS_MAX, check_rows, err) &&
	       row_ids_differ(sections, err);
}

static bool check_name(struct json_val action, const char *name, struct metaerr *err)
{
	struct str given;

	if (!json_get_str(action, STR("name"), 64, &given))
		return check_missing(err, 131008, "action['name']");
	if (!str_eq(given, str_from(name)))
		return metaerr_set(err, 131009, "action['name'] must be %s", name);
	return true;
}

static bool check_cta_url(struct json_val action, struct metaerr *err)
{
	struct json_val p = json_member(action, STR("parameters"));
	struct str url;

	if (!check_name(action, "cta_url", err) ||
	    !want(p, "display_text", "parameters['display_text']", 20, err) ||
	    !want(p, "url", "parameters['url']", 2000, err))
		return false;
	(void)json_get_str(p, STR("url"), 8192, &url);
	if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
		return metaerr_set(err, 131009, "parameters['url'] is not a valid URL");
	return true;
}

static bool check_location_request(struct json_val action, struct metaerr *err)
{
	return check_name(action, "send_location", err);
}

static bool check_address(struct json_val action, struct metaerr *err)
{
	return check_name(action, "address_message", err) &&
	       want(json_member(action, STR("parameters")), "country", "parameters['country']", 2,
		    err);
}

static bool check_flow(struct json_val action, struct metaerr *err)
{
	struct json_val p = json_member(action, STR("parameters"));
	struct json_val id = json_member(p, STR("flow_id")),
			name = json_member(p, STR("flow_name"));

	if (!check_name(action, "flow", err))
		return false;
	if (json_exists(id) == json_exists(name))
		return metaerr_set(err, 131009, "exactly one of flow_id and flow_name is required");
	if (!json_exists(json_member(p, STR("flow_message_version"))))
		return check_missing(err, 131008, "parameters['flow_message_version']");
	return want(p, "flow_cta", "parameters['flow_cta']", 30, err);
}

static bool check_product(struct json_val action, struct metaerr *err)
{
	return want(action, "catalog_id", "action['catalog_id']", 256, err) &&
	       want(action, "product_retailer_id", "action['product_retailer_id']", 256, err);
}

static bool check_items(struct json_val items, uint32_t *total, struct metaerr *err)
{
	struct json_iter it;
	struct json_val item;

	if (json_count(items) == 0)
		return check_missing(err, 131008, "action['sections']['product_items']");
	for (it = json_iter(items); json_next(&it, &item);) {
		if (!want(item, "product_retailer_id", "product_retailer_id", 256, err))
			return false;
		(*total)++;
	}
	return true;
}

static bool check_product_list(struct json_val action, struct metaerr *err)
{
	return want(action, "catalog_id", "action['catalog_id']", 256, err) &&
	       check_sections(json_member(action, STR("sections")), "product_items", PRODUCTS_MAX,
			      check_items, err);
}

static bool check_catalog(struct json_val action, struct metaerr *err)
{
	return check_name(action, "catalog_message", err);
}

static bool check_carousel(struct json_val action, struct metaerr *err)
{
	struct json_val cards = json_member(action, STR("cards")), card;
	uint32_t count = json_count(cards);
	struct json_iter it;
	int64_t index, seen = 0;

	if (json_type(cards) != JSON_ARRAY)
		return check_missing(err, 131008, "action['cards']");
	if (count < CARDS_MIN || count > CARDS_MAX)
		return metaerr_set(err, 131009, "a carousel has %d to %d cards", CARDS_MIN,
				   CARDS_MAX);
	for (it = json_iter(cards); json_next(&it, &card);) {
		if (!json_get_i64(card, STR("card_index"), &index) || index < 0 ||
		    index >= CARDS_MAX || (seen & (INT64_C(1) << index)) != 0)
			return metaerr_set(err, 131009, "card_index must be unique, from 0 to %d",
					   CARDS_MAX - 1);
		seen |= INT64_C(1) << index;
		if (!may(json_member(card, STR("body")), "text", "Card body", 160, err))
			return false;
		if (json_type(json_member(card, STR("action"))) != JSON_OBJECT)
			return check_missing(err, 131008, "card['action']");
	}
	return true;
}

static bool check_voice_call(struct json_val action, struct metaerr *err)
{
	return check_name(action, "voice_call", err) &&
	       may(json_member(action, STR("parameters")), "display_text",
		   "parameters['display_text']", 20, err);
}

static bool check_call_permission(struct json_val action, struct metaerr *err)
{
	return check_name(action, "call_permission_request", err);
}

static bool check_contact_info(struct json_val action, struct metaerr *err)
{
	return check_name(action, "request_contact_info", err);
}

/* Payments are out of the documentation's scope (2.3): only that there is an action. */
static bool check_nothing(struct json_val action, struct metaerr *err)
{
	(void)action;
	(void)err;
	return true;
}

static const struct interactive_kind {
	const char *type;
	enum header_rule header;
	bool body_required;
	size_t body_max;
	bool (*check)(struct json_val action, struct metaerr *err);
} kinds[] = {
	{ "button", HEADER_ANY, true, 1024, check_buttons },
	{ "list", HEADER_TEXT_ONLY, true, 4096, check_list },
	{ "cta_url", HEADER_ANY, true, 1024, check_cta_url },
	{ "location_request_message", HEADER_NO, true, 1024, check_location_request },
	{ "address_message", HEADER_ANY, true, 1024, check_address },
	{ "flow", HEADER_ANY, true, 1024, check_flow },
	{ "product", HEADER_NO, false, 1024, check_product },
	{ "product_list", HEADER_TEXT_REQUIRED, true, 1024, check_product_list },
	{ "catalog_message", HEADER_NO, true, 1024, check_catalog },
	{ "carousel", HEADER_NO, true, 1024, check_carousel },
	{ "voice_call", HEADER_TEXT_ONLY, true, 1024, check_voice_call },
	{ "call_permission_request", HEADER_NO, false, 1024, check_call_permission },
	{ "request_contact_info", HEADER_NO, true, 1024, check_contact_info },
	{ "order_details", HEADER_ANY, true, 1024, check_nothing },
	{ "order_status", HEADER_ANY, true, 1024, check_nothing },
};

static bool check_header(struct json_val header, const struct interactive_kind *kind,
			 struct metaerr *err)
{
	struct str type;

	if (!json_exists(header)) {
		if (kind->header == HEADER_TEXT_REQUIRED)
			return check_missing(err, 131008, "interactive['header']");
		return true;
	}
	if (kind->header == HEADER_NO)
		return metaerr_set(err, 131009, "interactive type %s takes no header", kind->type);
	if (!json_get_str(header, STR("type"), 32, &type))
		return check_missing(err, 131008, "interactive['header']['type']");
	if (str_eq(type, STR("text")))
		return want(header, "text", "Header text", 60, err);
	if (kind->header != HEADER_ANY)
		return metaerr_set(err, 131009, "interactive type %s takes a text header only",
				   kind->type);
	if (!str_eq(type, STR("image")) && !str_eq(type, STR("video")) &&
	    !str_eq(type, STR("document")))
		return metaerr_set(err, 131009,
				   "header type must be one of text, image, video, document");
	return check_media(json_member(header, type), "interactive['header']", err);
}

bool graph_check_interactive(struct json_val v, struct metaerr *err)
{
	struct json_val action = json_member(v, STR("action"));
	struct json_val body = json_member(v, STR("body"));
	struct str type;

	if (!json_get_str(v, STR("type"), 64, &type))
		return check_missing(err, 131008, "interactive['type']");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct interactive_kind *kind = &kinds[i];

		if (!str_eq(type, str_from(kind->type)))
			continue;
		if (!check_header(json_member(v, STR("header")), kind, err))
			return false;
		if (kind->body_required ? !want(body, "text", "Body text", kind->body_max, err)
					: !may(body, "text", "Body text", kind->body_max, err))
			return false;
		if (!may(json_member(v, STR("footer")), "text", "Footer text", 60, err))
			return false;
		if (json_type(action) != JSON_OBJECT)
			return check_missing(err, 131008, "interactive['action']");
		return kind->check(action, err);
	}
	return metaerr_set(err, 131009, "interactive type \"%.*s\" is not supported",
			   STR_ARG(utf8_cut(type, 64)));
}
