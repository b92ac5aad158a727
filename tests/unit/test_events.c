/* SPDX-License-Identifier: MIT */
/*
 * test_events.c - docs/events.md and docs/events.schema.json say what is rendered
 *
 * A small validator of the part of JSON Schema that the document uses.  It is
 * stricter than the schema in one thing: a member that is rendered and not
 * described fails.
 */
#include "events_unit.h"

struct schema {
	struct scanned scanned;
	struct str text, page;
};

static const struct schema *the_schema(void)
{
	static struct schema s; /* read once; the loop over fixtures has no cookie */
	char path[4096];
	DIR *dir;

	if (s.text.ptr != NULL)
		return &s;
	dir = open_source_dir("docs", path);
	assert_non_null(dir);
	(void)closedir(dir);
	s.text = read_file(path, "events.schema.json");
	s.page = read_file(path, "events.md");
	assert_true(s.text.len > 0 && s.page.len > 0);
	s.scanned = scan_good(s.text);
	return &s;
}

/* ---- the validator */

struct check {
	char why[512];
	unsigned depth; /* of schemas within schemas */
};

static bool refuse(struct check *c, const char *what, struct json_val v)
{
	struct str bytes = json_bytes(v);

	if (c->why[0] == '\0')
		(void)snprintf(c->why, sizeof(c->why), "%s: %.*s", what,
			       (int)(bytes.len < 120 ? bytes.len : 120), bytes.ptr);
	return false;
}

static bool is_named_type(struct json_val v, struct str name)
{
	int64_t n;

	switch (json_type(v)) {
	case JSON_NULL: return str_eq(name, STR("null"));
	case JSON_TRUE:
	case JSON_FALSE: return str_eq(name, STR("boolean"));
	case JSON_NUMBER:
		return str_eq(name, STR("number")) ||
		       (str_eq(name, STR("integer")) && json_i64(v, &n));
	case JSON_STRING: return str_eq(name, STR("string"));
	case JSON_ARRAY: return str_eq(name, STR("array"));
	case JSON_OBJECT: return str_eq(name, STR("object"));
	case JSON_NONE: break;
	}
	return false;
}

static bool type_fits(struct json_val schema, struct json_val v)
{
	struct json_val type = json_member(schema, STR("type")), one;
	struct json_iter it;
	struct str name;

	if (!json_exists(type))
		return true;
	if (json_str(type, 32, &name))
		return is_named_type(v, name);
	for (it = json_iter(type); json_next(&it, &one);)
		if (json_str(one, 32, &name) && is_named_type(v, name))
			return true;
	return false;
}

static bool words_fit(struct json_val schema, struct json_val v)
{
	struct json_val fixed = json_member(schema, STR("const")), one;
	struct json_iter it = json_iter(json_member(schema, STR("enum")));
	bool any = false;

	if (json_exists(fixed) && !str_eq(json_bytes(fixed), json_bytes(v)))
		return false;
	while (json_next(&it, &one)) {
		any = true;
		if (str_eq(json_bytes(one), json_bytes(v)))
			return true;
	}
	return !any;
}

static bool fits(struct json_val schema, struct json_val v, struct check *c);

static bool required_are_there(struct json_val schema, struct json_val v, struct check *c)
{
	struct json_iter it = json_iter(json_member(schema, STR("required")));
	struct json_val one;
	char missing[80];
	struct str name;

	if (json_type(v) != JSON_OBJECT)
		return true;
	while (json_next(&it, &one)) {
		assert_true(json_str(one, 64, &name));
		if (json_exists(json_member(v, name)))
			continue;
		(void)snprintf(missing, sizeof(missing), "no \"%.*s\"", STR_ARG(name));
		return refuse(c, missing, v);
	}
	return true;
}

static bool members_fit(struct json_val schema, struct json_val v, bool strict, struct check *c)
{
	struct json_val known = json_member(schema, STR("properties")), value, its;
	struct json_iter it = json_iter(v);

	if (json_type(v) != JSON_OBJECT || !json_exists(known))
		return true;
	while (json_next(&it, &value)) {
		its = json_member(known, it.key);
		if (!json_exists(its) && strict)
			return refuse(c, "a member that is not described", v);
		if (json_exists(its) && !fits(its, value, c))
			return false;
	}
	return true;
}

/* A condition is tried in silence, and its members need not be all. */
static bool condition_holds(struct json_val schema, struct json_val v)
{
	struct json_val known = json_member(schema, STR("properties")), its;
	struct json_iter it = json_iter(known);

	while (json_next(&it, &its))
		if (!words_fit(its, json_member(v, it.key)))
			return false;
	return true;
}

static bool all_of_fit(struct json_val schema, struct json_val v, struct check *c)
{
	struct json_iter it = json_iter(json_member(schema, STR("allOf")));
	struct json_val one, then;

	while (json_next(&it, &one)) {
		if (!condition_holds(json_member(one, STR("if")), v))
			continue;
		then = json_member(one, STR("then"));
		if (!required_are_there(then, v, c) || !members_fit(then, v, false, c))
			return false;
	}
	return true;
}

static bool fits(struct json_val schema, struct json_val v, struct check *c)
{
	struct str ref;
	bool ok;

	assert_true(++c->depth < 32);
	if (json_get_str(schema, STR("$ref"), 64, &ref)) {
		assert_true(str_starts(ref, STR("#/$defs/")));
		schema = json_member(
			json_member(json_root(the_schema()->scanned.doc), STR("$defs")),
			str_slice(ref, 8, ref.len));
		assert_true(json_exists(schema));
	}
	if (!type_fits(schema, v))
		ok = refuse(c, "type", v);
	else if (!words_fit(schema, v))
		ok = refuse(c, "const or enum", v);
	else
		ok = required_are_there(schema, v, c) && members_fit(schema, v, true, c) &&
		     all_of_fit(schema, v, c);
	c->depth--;
	return ok;
}

static bool is_event(struct str text, struct check *c)
{
	struct scanned s = scan(text);
	bool ok;

	memset(c, 0, sizeof(*c));
	if (s.status != GW_OK)
		(void)snprintf(c->why, sizeof(c->why), "%s", s.err.message);
	ok = s.status == GW_OK && fits(json_root(the_schema()->scanned.doc), json_root(s.doc), c);
	scanned_release(&s);
	return ok;
}

/* ---- the validator can say no */

#define REST                                                                               \
	"\"schema\":1,\"time\":null,\"received_at\":\"x\",\"channel\":\"c\",\"account\":{" \
	"\"id\":null,\"address\":null,\"business_id\":null},\"conversation\":null,"        \
	"\"contact\":null"

static const struct {
	const char *name, *event;
	bool ok;
} validations[] = {
	{ "good",
	  "{\"id\":\"e\",\"type\":\"unknown\"," REST ",\"change\":{\"field\":\"\",\"value\":1}}",
	  true },
	{ "a type of tomorrow", "{\"id\":\"e\",\"type\":\"new.thing\"," REST "}", true },
	{ "no object", "[]", false },
	{ "no id", "{\"type\":\"unknown\"," REST ",\"change\":{\"field\":\"\",\"value\":1}}",
	  false },
	{ "another schema",
	  "{\"schema\":2,\"id\":\"e\",\"type\":\"unknown\"," REST
	  ",\"change\":{\"field\":\"\",\"value\":1}}",
	  false },
	{ "no change", "{\"id\":\"e\",\"type\":\"unknown\"," REST "}", false },
	{ "no value", "{\"id\":\"e\",\"type\":\"unknown\"," REST ",\"change\":{\"field\":\"\"}}",
	  false },
	{ "no message", "{\"id\":\"e\",\"type\":\"message.received\"," REST "}", false },
	{ "no kind",
	  "{\"id\":\"e\",\"type\":\"message.received\"," REST ",\"message\":{\"id\":\"w\"}}",
	  false },
	{ "a reaction without emoji",
	  "{\"id\":\"e\",\"type\":\"message.reaction\"," REST
	  ",\"message\":{\"id\":\"w\",\"kind\":\"reaction\",\"text\":null,\"reply_to\":null}}",
	  false },
	{ "no state",
	  "{\"id\":\"e\",\"type\":\"message.status\"," REST
	  ",\"message\":{\"id\":\"w\"},\"status\":{}}",
	  false },
	{ "seq as text",
	  "{\"conversation\":{\"id\":\"c\",\"seq\":\"1\"},\"id\":\"e\",\"type\":\"x\"," REST "}",
	  false },
	{ "stale false", "{\"id\":\"e\",\"type\":\"x\",\"stale\":false," REST "}", false },
	{ "not described", "{\"id\":\"e\",\"type\":\"x\",\"surprise\":1," REST "}", false },
};

static void the_validator(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(validations); i++) {
		struct check c;

		if (is_event(str_from(validations[i].event), &c) != validations[i].ok)
			fail_msg("%s: %s", validations[i].name, c.why);
	}
}

/* ---- what is rendered */

struct types {
	bool seen[GW_EVENT_NTYPES];
};

static struct types *types_seen(void)
{
	static struct types t;

	return &t;
}

static void check_rendered(const char *name, struct str body)
{
	struct seen s = seen_new(body);
	struct check c;
	struct buf b;

	buf_init(&b, 32U << 20);
	for (size_t i = 0; i < s.count; i++) {
		struct store_event_row row = seen_row(&s, i);

		row.has_message = i % 2 == 1;
		row.opaque = i % 2 == 1 ? STR("order-7") : STR_EMPTY;
		row.stale = i % 3 == 1;
		buf_reset(&b);
		render_godwit(&b, &row, &(struct render_how){ .raw = i % 2 == 0 });
		if (!is_event(buf_str(&b), &c))
			fail_msg("%s[%zu]: %s", name, i, c.why);
		types_seen()->seen[gw_notification_event(s.note, i)->type] = true;
	}
	buf_release(&b);
	seen_release(&s);
}

static void every_fixture_is_described(void **state)
{
	(void)state;
	each_fixture(check_rendered);
	for (size_t i = 0; i < GW_EVENT_NTYPES; i++)
		if (!types_seen()->seen[i])
			fail_msg("no fixture has %s", gw_event_type_name((gw_event_type)i));
}

/* ---- the page */

static bool next_example(struct str *rest, struct str *out)
{
	size_t from, to;

	if (!str_find(*rest, STR("```json\n"), &from))
		return false;
	*rest = str_slice(*rest, from + 8, rest->len);
	assert_true(str_find(*rest, STR("```"), &to));
	*out = str_slice(*rest, 0, to);
	*rest = str_slice(*rest, to + 3, rest->len);
	return true;
}

static void examples_are_events(void **state)
{
	struct str rest = the_schema()->page, example;
	bool seen[GW_EVENT_NTYPES] = { false };
	size_t at;

	(void)state;
	while (next_example(&rest, &example)) {
		struct check c;

		if (!is_event(str_trim(example), &c))
			fail_msg("%s in %.*s", c.why, STR_ARG(example));
		for (size_t i = 0; i < GW_EVENT_NTYPES; i++) {
			char type[64];

			(void)snprintf(type, sizeof(type), "\"type\":\"%s\"",
				       gw_event_type_name((gw_event_type)i));
			seen[i] |= str_find(example, str_from(type), &at);
		}
	}
	for (size_t i = 0; i < GW_EVENT_NTYPES; i++)
		if (!seen[i])
			fail_msg("no example of %s", gw_event_type_name((gw_event_type)i));
}

static void check_word(const char *word)
{
	char quoted[128];
	size_t at;

	(void)snprintf(quoted, sizeof(quoted), "`%s`", word);
	if (!str_find(the_schema()->page, str_from(quoted), &at))
		fail_msg("docs/events.md does not explain %s", quoted);
}

static void check_members(struct json_val schema)
{
	struct json_iter it = json_iter(json_member(schema, STR("properties")));
	struct json_val v;

	while (json_next(&it, &v)) {
		char name[64];

		assert_true(str_copy(it.key, name, sizeof(name)));
		check_word(name);
	}
}

static void everything_is_explained(void **state)
{
	struct json_val root = json_root(the_schema()->scanned.doc), def;
	struct json_iter it = json_iter(json_member(root, STR("$defs")));

	(void)state;
	check_members(root);
	while (json_next(&it, &def))
		check_members(def);
	for (size_t i = 0; i < GW_EVENT_NTYPES; i++)
		check_word(gw_event_type_name((gw_event_type)i));
	for (size_t i = 0; i < GW_NKINDS; i++)
		if (i != GW_KIND_NONE)
			check_word(gw_message_kind_name((gw_message_kind)i));
	for (size_t i = 0; i < GW_NSTATUSES; i++)
		if (i != GW_STATUS_NONE)
			check_word(gw_status_kind_name((gw_status_kind)i));
	for (int i = GW_CHANNEL_WHATSAPP; i <= GW_CHANNEL_OTHER; i++)
		check_word(gw_channel_name((gw_channel)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_validator),
		cmocka_unit_test(every_fixture_is_described),
		cmocka_unit_test(examples_are_events),
		cmocka_unit_test(everything_is_explained),
	};
	int failed = cmocka_run_group_tests_name("events", tests, NULL, NULL);
	struct schema s = *the_schema();

	scanned_release(&s.scanned);
	free((void *)(uintptr_t)s.text.ptr);
	free((void *)(uintptr_t)s.page.ptr);
	return failed;
}
