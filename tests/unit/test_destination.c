/* SPDX-License-Identifier: MIT */
/* test_destination.c - filters: what passes and what is refused; the list of destinations */
#include "unit.h"

#include "gateway/destination.h"

#include <stdlib.h>

/* ---- filters */

static const struct {
	const char *filter, *type, *kind, *number;
	bool passes;
} filters[] = {
	{ "", "message.received", "text", "1", true },
	{ "{}", "unknown", "", "", true },
	{ "{\"types\":[],\"kinds\":[],\"numbers\":[]}", "message.received", "text", "1", true },
	{ "{\"types\":[\"message.received\"]}", "message.received", "text", "1", true },
	{ "{\"types\":[\"message.received\"]}", "message.receive", "text", "1", false },
	{ "{\"types\":[\"message.received\"]}", "message.received2", "text", "1", false },
	{ "{\"types\":[\"message.*\"]}", "message.status", "read", "1", true },
	{ "{\"types\":[\"message.*\"]}", "message", "", "1", false },
	{ "{\"types\":[\"message.*\"]}", "messages.x", "", "1", false },
	{ "{\"types\":[\"call.changed\",\"message.*\"]}", "call.changed", "", "1", true },
	{ "{\"kinds\":[\"text\",\"failed\"]}", "message.received", "text", "1", true },
	{ "{\"kinds\":[\"text\",\"failed\"]}", "message.status", "failed", "1", true },
	{ "{\"kinds\":[\"text\",\"failed\"]}", "message.status", "sent", "1", false },
	{ "{\"kinds\":[\"text\"]}", "template.changed", "", "1", false },
	{ "{\"numbers\":[\"1\",\"2\"]}", "message.received", "text", "2", true },
	{ "{\"numbers\":[\"1\",\"2\"]}", "message.received", "text", "12", false },
	{ "{\"numbers\":[\"1\"]}", "account.changed", "", "", false }, /* nobody's leaks to none */
	{ "{\"types\":[\"message.*\"],\"kinds\":[\"text\"],\"numbers\":[\"1\"]}",
	  "message.received", "text", "1", true },
	{ "{\"types\":[\"message.*\"],\"kinds\":[\"text\"],\"numbers\":[\"1\"]}",
	  "message.received", "text", "2", false },
	{ "{\"types\":[\"message.*\"],\"kinds\":[\"text\"],\"numbers\":[\"1\"]}",
	  "message.received", "image", "1", false },
	{ "{\"types\":[\"message.*\"],\"kinds\":[\"text\"],\"numbers\":[\"1\"]}", "call.changed",
	  "text", "1", false },
	{ " { \"types\" : [ \"m\\u0065ssage.received\" ] } ", "message.received", "text", "1",
	  true },
};

static void what_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct filter *f = NULL;

		if (filter_parse(str_from(filters[i].filter), &f, &err) != GW_OK)
			fail_msg("%s: %s", filters[i].filter, err.message);
		CHECK_INT(filters[i].filter, filters[i].passes,
			  filter_passes(f, filters[i].type, filters[i].kind,
					str_from(filters[i].number)));
		filter_free(f);
	}
}

static const struct {
	const char *filter;
	gw_status want;
	const char *says;
} refused[] = {
	{ "{", GW_EPARSE, "" },
	{ "[]", GW_EPARSE, "object" },
	{ "null", GW_EPARSE, "object" },
	{ "\"\"", GW_EPARSE, "object" },
	{ "{\"type\":[\"x\"]}", GW_EPARSE, "\"type\"" },
	{ "{\"types\":\"x\"}", GW_EPARSE, "types" },
	{ "{\"types\":{}}", GW_EPARSE, "types" },
	{ "{\"types\":null}", GW_EPARSE, "types" },
	{ "{\"kinds\":[1]}", GW_EPARSE, "kinds" },
	{ "{\"kinds\":[\"\"]}", GW_EPARSE, "kinds" },
	{ "{\"kinds\":[\"a\",[\"b\"]]}", GW_EPARSE, "kinds" },
	{ "{\"types\":[\"*\"]}", GW_EPARSE, "\"*\"" },
	{ "{\"types\":[\".*\"]}", GW_EPARSE, ".*" },
	{ "{\"types\":[\"message*\"]}", GW_EPARSE, "message*" },
	{ "{\"types\":[\"message.*.x\"]}", GW_EPARSE, "message.*.x" },
	{ "{\"kinds\":[\"text.*\"]}", GW_EPARSE, "text.*" },
	{ "{\"numbers\":[\"1*\"]}", GW_EPARSE, "1*" },
	{ "{\"types\":[\"a\"],\"types\":[\"b\"]}", GW_EPARSE, "twice" },
	{ "{\"types\":[\"a\"]} x", GW_EPARSE, "" },
};

static bool is_in_list(const void *cookie, struct str number)
{
	const char *const *one = cookie;

	while (*one != NULL && !str_eq(str_from(*one), number))
		one++;
	return *one != NULL;
}

static void whose_a_filter_is(void **state)
{
	static const char *const mine[] = { "1", "2", NULL };
	static const struct {
		const char *filter;
		bool want;
	} cases[] = {
		{ "", false }, /* all numbers */
		{ "{}", false },
		{ "{\"numbers\":[]}", false },
		{ "{\"types\":[\"message.*\"]}", false },
		{ "{\"numbers\":[\"1\"]}", true },
		{ "{\"numbers\":[\"2\",\"1\"],\"kinds\":[\"text\"]}", true },
		{ "{\"numbers\":[\"1\",\"3\"]}", false },
		{ "{\"numbers\":[\"12\"]}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct filter *f = NULL;

		assert_int_equal(filter_parse(str_from(cases[i].filter), &f, NULL), GW_OK);
		CHECK_INT(cases[i].filter, cases[i].want, filter_stays_within(f, is_in_list, mine));
		filter_free(f);
	}
}

static void what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct filter *f = (struct filter *)0x1;

		CHECK_INT(refused[i].filter, refused[i].want,
			  filter_parse(str_from(refused[i].filter), &f, &err));
		assert_ptr_equal(f, (struct filter *)0x1); /* untouched */
		if (strstr(err.message, refused[i].says) == NULL)
			fail_msg("%s: \"%s\" does not name %s", refused[i].filter, err.message,
				 refused[i].says);
	}
}

static gw_status parse_list(size_t words, size_t word_len)
{
	static char text[64 * 1024];
	struct filter *f = NULL;
	gw_status st;
	size_t n = (size_t)snprintf(text, sizeof(text), "{\"kinds\":[");

	for (size_t i = 0; i < words; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%0*zu\"", i > 0 ? "," : "",
				      (int)word_len, i);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
	st = filter_parse(str_make(text, n), &f, NULL);
	filter_free(f);
	return st;
}

static void ceilings(void **state)
{
	(void)state;
	CHECK_INT("64 words", GW_OK, parse_list(64, 2));
	CHECK_INT("65 words", GW_ELIMIT, parse_list(65, 2));
	CHECK_INT("128 bytes", GW_OK, parse_list(1, 128));
	CHECK_INT("129 bytes", GW_EPARSE, parse_list(1, 129));
	CHECK_INT("over 32 KiB", GW_ELIMIT, parse_list(64, 600));
}

/* ---- the list */

static struct store_destination row(int64_t n, const char *filter)
{
	return (struct store_destination){ .row = n,
					   .id = { { (uint8_t)n } },
					   .name = STR("name"),
					   .url = STR("https://example.org/hook"),
					   .format = STR("godwit"),
					   .filter = str_from(filter),
					   .secret = STR("0123456789abcdef01234567"),
					   .state = "active" };
}

static struct destination *put(struct destinations *ds, struct store_destination d)
{
	struct gw_error err = GW_ERROR_INIT;
	struct destination *out = NULL;

	if (destinations_put(ds, &d, &out, &err) != GW_OK)
		fail_msg("%s", err.message);
	return out;
}

static void put_find_remove(void **state)
{
	struct destinations *ds = destinations_new();
	struct destination *a = put(ds, row(1, "")), *b = put(ds, row(2, "")), *again;
	struct store_destination changed = row(1, "{\"kinds\":[\"text\"]}");

	(void)state;
	CHECK_INT("count", 2, destinations_count(ds));
	assert_ptr_equal(destinations_by_row(ds, 2), b);
	assert_ptr_equal(destinations_by_id(ds, &a->id), a);
	assert_null(destinations_by_row(ds, 3));
	assert_null(destinations_by_id(ds, &(struct id){ { 9 } }));
	changed.format = STR("meta");
	changed.state = "disabled";
	changed.include_raw = changed.relay_stale = true;
	again = put(ds, changed);
	assert_ptr_equal(again, a); /* it keeps its address */
	CHECK_INT("format", DESTINATION_META, a->format);
	CHECK_INT("disabled", true, a->disabled && a->include_raw && a->relay_stale);
	CHECK_STR("filter", "{\"kinds\":[\"text\"]}", str_from(a->filter_json));
	CHECK_INT("count", 2, destinations_count(ds));
	destinations_remove(ds, 7);
	destinations_remove(ds, 1);
	CHECK_INT("count", 1, destinations_count(ds));
	assert_ptr_equal(destinations_at(ds, 0), b);
	destinations_free(ds);
	destinations_free(NULL);
}

static void odd_rows_are_refused_whole(void **state)
{
	static char url[DESTINATION_URL_MAX + 2];
	struct destinations *ds = destinations_new();
	struct destination *out = NULL;
	struct store_destination d = row(1, "");
	struct destination *a = put(ds, d);

	(void)state;
	d.filter = STR("{\"typos\":[]}");
	CHECK_INT("filter", GW_EPARSE, destinations_put(ds, &d, &out, NULL));
	CHECK_STR("what was there stays", "", str_from(a->filter_json));
	d = row(2, "");
	d.format = STR("xml");
	CHECK_INT("format", GW_EPARSE, destinations_put(ds, &d, &out, NULL));
	d = row(2, "");
	d.url = STR("");
	CHECK_INT("no url", GW_ELIMIT, destinations_put(ds, &d, &out, NULL));
	memset(url, 'x', sizeof(url) - 1);
	d.url = str_make(url, DESTINATION_URL_MAX + 1);
	CHECK_INT("long url", GW_ELIMIT, destinations_put(ds, &d, &out, NULL));
	d.url = str_make(url, DESTINATION_URL_MAX);
	CHECK_INT("longest url", GW_OK, destinations_put(ds, &d, &out, NULL));
	CHECK_INT("count", 2, destinations_count(ds));
	destinations_free(ds);
}

static void there_is_a_most(void **state)
{
	struct destinations *ds = destinations_new();
	struct destination *out = NULL;
	struct store_event_in e = { .type = "message.received", .kind = "text" };
	struct store_destination more = row(STORE_DESTINATIONS_MAX + 1, "");

	(void)state;
	for (int64_t i = 1; i <= STORE_DESTINATIONS_MAX; i++)
		(void)put(ds, row(i, ""));
	CHECK_INT("one more", GW_ELIMIT, destinations_put(ds, &more, &out, NULL));
	(void)put(ds, row(5, "")); /* a change is not one more */
	destinations_match(ds, &e);
	CHECK_INT("all want it", STORE_DESTINATIONS_MAX, e.destination_count);
	destinations_free(ds);
}

static void matching(void **state)
{
	struct destinations *ds = destinations_new();
	struct store_event_in e = { .type = "message.received",
				    .kind = "text",
				    .account_id = STR("1"),
				    .destination_count = 9 };
	struct store_destination off = row(3, "");

	(void)state;
	off.state = "disabled";
	(void)put(ds, row(1, "{\"numbers\":[\"2\"]}"));
	(void)put(ds, row(2, "{\"numbers\":[\"1\"]}"));
	(void)put(ds, off);
	(void)put(ds, row(4, "{\"types\":[\"message.*\"]}"));
	destinations_match(ds, &e);
	CHECK_INT("two", 2, e.destination_count);
	CHECK_INT("first", 2, e.destinations[0]);
	CHECK_INT("second", 4, e.destinations[1]);
	e.account_id = STR("3");
	e.type = "call.changed";
	destinations_match(ds, &e);
	CHECK_INT("none", 0, e.destination_count);
	destinations_free(ds);
}

static void formats(void **state)
{
	static const char *const words[] = { "godwit", "meta", "cloudevents" };
	bool ok = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		enum destination_format f = destination_format_parse(str_from(words[i]), &ok);

		CHECK_INT(words[i], true, ok);
		CHECK_STR(words[i], words[i], str_from(destination_format_name(f)));
	}
	(void)destination_format_parse(STR("Godwit"), &ok);
	CHECK_INT("upper case", false, ok);
	(void)destination_format_parse(STR(""), &ok);
	CHECK_INT("empty", false, ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes),     cmocka_unit_test(whose_a_filter_is),
		cmocka_unit_test(what_is_refused), cmocka_unit_test(ceilings),
		cmocka_unit_test(put_find_remove), cmocka_unit_test(odd_rows_are_refused_whole),
		cmocka_unit_test(there_is_a_most), cmocka_unit_test(matching),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests_name("destination", tests, NULL, NULL);
}
