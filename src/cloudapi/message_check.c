/* SPDX-License-Identifier: MIT */
/*
 * message_check.c - Meta's rules for the content of each kind, as a table
 *
 * A row names a kind (and for interactive its inner type), the path of a
 * member, and what must hold there. "[]" in a path stands for every element.
 * Source: Meta's message reference, read in November 2026. What Meta does not
 * document is not checked: then Meta decides.
 */
#include "cloudapi/message_int.h"
#include "base/panic.h"
#include "base/utf8.h"

enum rule {
	NEED, /* present and not an empty string */
	NONE, /* absent */
	CHARS, /* a string of at most max characters, if present */
	ITEMS, /* an array of 1 to max elements */
	TOTAL, /* all arrays at this path together have at most max elements */
	MEDIA, /* the object has exactly one of id and link, and the link is http(s) */
};

struct check {
	const char *type;
	const char *inner; /* interactive.type; NULL: any */
	const char *path; /* below the kind's object; "": itself */
	enum rule rule;
	unsigned max;
};

static const struct check checks[] = {
	{ "text", NULL, "body", NEED, 0 },
	{ "text", NULL, "body", CHARS, GW_TEXT_MAX },
	{ "image", NULL, "", MEDIA, 0 },
	{ "image", NULL, "caption", CHARS, GW_CAPTION_MAX },
	{ "video", NULL, "", MEDIA, 0 },
	{ "video", NULL, "caption", CHARS, GW_CAPTION_MAX },
	{ "document", NULL, "", MEDIA, 0 },
	{ "document", NULL, "caption", CHARS, GW_CAPTION_MAX },
	{ "audio", NULL, "", MEDIA, 0 },
	{ "audio", NULL, "caption", NONE, 0 },
	{ "sticker", NULL, "", MEDIA, 0 },
	{ "sticker", NULL, "caption", NONE, 0 },
	{ "location", NULL, "latitude", NEED, 0 },
	{ "location", NULL, "longitude", NEED, 0 },
	{ "contacts", NULL, "", ITEMS, 257 },
	{ "contacts", NULL, "[].name.formatted_name", NEED, 0 },
	{ "reaction", NULL, "message_id", NEED, 0 },
	{ "pin", NULL, "type", NEED, 0 },
	{ "pin", NULL, "message_id", NEED, 0 },
	{ "template", NULL, "name", NEED, 0 },
	{ "template", NULL, "name", CHARS, GW_TEMPLATE_NAME_MAX },
	{ "template", NULL, "language.code", NEED, 0 },
	{ "interactive", NULL, "type", NEED, 0 },
	{ "interactive", NULL, "header.text", CHARS, 60 },
	{ "interactive", NULL, "footer.text", CHARS, 60 },
	{ "interactive", NULL, "body.text", CHARS, 4096 },
	{ "interactive", "button", "body.text", NEED, 0 },
	{ "interactive", "button", "body.text", CHARS, 1024 },
	{ "interactive", "button", "action.buttons", ITEMS, 3 },
	{ "interactive", "button", "action.buttons[].reply.title", NEED, 0 },
	{ "interactive", "button", "action.buttons[].reply.title", CHARS, 20 },
	{ "interactive", "button", "action.buttons[].reply.id", NEED, 0 },
	{ "interactive", "button", "action.buttons[].reply.id", CHARS, 256 },
	{ "interactive", "list", "body.text", NEED, 0 },
	{ "interactive", "list", "action.button", NEED, 0 },
	{ "interactive", "list", "action.button", CHARS, 20 },
	{ "interactive", "list", "action.sections", ITEMS, 10 },
	{ "interactive", "list", "action.sections[].title", CHARS, 24 },
	{ "interactive", "list", "action.sections[].rows", TOTAL, 10 },
	{ "interactive", "list", "action.sections[].rows[].id", NEED, 0 },
	{ "interactive", "list", "action.sections[].rows[].id", CHARS, 200 },
	{ "interactive", "list", "action.sections[].rows[].title", NEED, 0 },
	{ "interactive", "list", "action.sections[].rows[].title", CHARS, 24 },
	{ "interactive", "list", "action.sections[].rows[].description", CHARS, 72 },
	{ "interactive", "cta_url", "body.text", CHARS, 1024 },
	{ "interactive", "cta_url", "action.parameters.url", NEED, 0 },
	{ "interactive", "cta_url", "action.parameters.display_text", NEED, 0 },
	{ "interactive", "cta_url", "action.parameters.display_text", CHARS, 20 },
	{ "interactive", "location_request_message", "body.text", NEED, 0 },
	{ "interactive", "location_request_message", "body.text", CHARS, 1024 },
	{ "interactive", "flow", "body.text", CHARS, 1024 },
	{ "interactive", "flow", "action.parameters.flow_cta", NEED, 0 },
	{ "interactive", "product", "header", NONE, 0 },
	{ "interactive", "product_list", "header.text", NEED, 0 },
	{ "interactive", "product_list", "body.text", NEED, 0 },
	{ "interactive", "product_list", "action.sections", ITEMS, 10 },
	{ "interactive", "product_list", "action.sections[].product_items", TOTAL, 30 },
	{ "interactive", "carousel", "body.text", NEED, 0 },
	{ "interactive", "carousel", "action.cards", ITEMS, 10 },
	{ "interactive", "voice_call", "action.parameters.display_text", CHARS, 20 },
};

struct checking {
	const struct check *check;
	size_t total;
	gw_status status;
	struct gw_error *err;
};

/* Where it is, for a person: "interactive.action.buttons[].reply.title". */
#define WHERE_FMT "%s%s%s"
#define WHERE(c) (c)->type, (c)->path[0] == '\0' || (c)->path[0] == '[' ? "" : ".", (c)->path

static void check_media(struct checking *s, struct json_val v)
{
	struct json_val link = json_member(v, STR("link"));
	struct str url = STR_EMPTY;

	if (json_exists(json_member(v, STR("id"))) == json_exists(link)) {
		s->status = gw_error_set(s->err, GW_EARG, "%s: want exactly one of id and link",
					 s->check->type);
		return;
	}
	if (!json_exists(link))
		return;
	if (!json_str(link, 2048, &url) ||
	    (!str_starts(url, STR("https://")) && !str_starts(url, STR("http://"))))
		s->status = gw_error_set(s->err, GW_EARG,
					 "%s.link is not an http or https address of at most "
					 "2048 bytes",
					 s->check->type);
}

static void check_chars(struct checking *s, struct json_val v)
{
	const struct check *c = s->check;
	struct str text;
	size_t count;

	if (!json_exists(v))
		return;
	if (!json_str(v, GW_MESSAGE_MAX, &text)) {
		s->status = gw_error_set(s->err, GW_EARG, WHERE_FMT " is not a string", WHERE(c));
		return;
	}
	count = utf8_count(text);
	if (count > c->max)
		s->status = gw_error_set(s->err, GW_ELIMIT,
					 WHERE_FMT " has %zu characters; at most %u", WHERE(c),
					 count, c->max);
}

static void check_items(struct checking *s, struct json_val v)
{
	const struct check *c = s->check;

	if (json_type(v) != JSON_ARRAY || json_count(v) == 0)
		s->status = gw_error_set(s->err, GW_EARG,
					 WHERE_FMT " is not an array with 1 to %u elements",
					 WHERE(c), c->max);
	else if (json_count(v) > c->max)
		s->status = gw_error_set(s->err, GW_ELIMIT,
					 WHERE_FMT " has %u elements; at most %u", WHERE(c),
					 json_count(v), c->max);
}

static void check_value(struct checking *s, struct json_val v)
{
	const struct check *c = s->check;
	struct str text = STR("-");

	switch (c->rule) {
	case NEED:
		if (json_type(v) == JSON_STRING)
			(void)json_str(v, GW_MESSAGE_MAX, &text); /* longer than that: not empty */
		if (!json_exists(v) || json_type(v) == JSON_NULL || text.len == 0)
			s->status = gw_error_set(s->err, GW_EARG,
						 WHERE_FMT " is required and missing or empty",
						 WHERE(c));
		return;
	case NONE:
		if (json_exists(v))
			s->status = gw_error_set(s->err, GW_EARG, WHERE_FMT " is not allowed",
						 WHERE(c));
		return;
	case CHARS: check_chars(s, v); return;
	case ITEMS: check_items(s, v); return;
	case TOTAL:
		s->total += json_count(v);
		if (s->total > c->max)
			s->status = gw_error_set(s->err, GW_ELIMIT,
						 WHERE_FMT " has more than %u elements", WHERE(c),
						 c->max);
		return;
	case MEDIA: check_media(s, v); return;
	}
}

/* Follow the rest of the path; it recurses over "[]" of our own table, at most twice. */
static void walk(struct checking *s, struct json_val v, struct str path)
{
	while (path.len > 0 && s->status == GW_OK) {
		struct str name = path;
		struct json_iter it;
		size_t dot, list = 0;
		bool each;

		if (str_find_char(path, '.', &dot)) {
			name = str_slice(path, 0, dot);
			path = str_slice(path, dot + 1, path.len);
		} else {
			path = STR_EMPTY;
		}
		each = str_find(name, STR("[]"), &list);
		if (each)
			name = str_slice(name, 0, list);
		if (name.len > 0)
			v = json_member(v, name);
		if (!each)
			continue;
		if (json_type(v) != JSON_ARRAY)
			return; /* ITEMS or NEED of the list says so */
		it = json_iter(v);
		while (s->status == GW_OK && json_next(&it, &v))
			walk(s, v, path);
		return;
	}
	if (s->status == GW_OK)
		check_value(s, v);
}

gw_status message_check_kind(const char *type, struct json_val content, struct gw_error *err)
{
	struct str inner = STR_EMPTY;
	bool is_contacts = strcmp(type, "contacts") == 0;

	if (json_type(content) != (is_contacts ? JSON_ARRAY : JSON_OBJECT))
		return gw_error_set(err, GW_EARG, "%s must be a JSON %s", type,
				    is_contacts ? "array" : "object");
	(void)json_get_str(content, STR("type"), 64, &inner); /* absent: the table says so */
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct checking s = { &checks[i], 0, GW_OK, err };

		if (strcmp(checks[i].type, type) != 0)
			continue;
		if (checks[i].inner != NULL && !str_eq(inner, str_from(checks[i].inner)))
			continue;
		walk(&s, content, str_from(checks[i].path));
		if (s.status != GW_OK)
			return s.status;
	}
	return GW_OK;
}
