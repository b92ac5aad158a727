/* SPDX-License-Identifier: MIT */
/* test_json_read.c - typed reading: members, paths, items, strings, numbers, iteration, spans */
#include "json_unit.h"

static const char sample[] =
	"{\"null\":null,\"no\":false,\"yes\":true,\"int\":-42,\"real\":1.5,\"text\":\"plain\","
	"\"esc\":\"a\\/b\\n\",\"list\":[10,[20,21],{\"x\":30},\"40\"],"
	"\"deep\":{\"a\":{\"b\":{\"c\":7}}},\"\":\"empty\",\"k\\u0065y\":\"escaped key\","
	"\"twice\":1,\"twice\":2,\"a.b\":3}";

static struct json_val root_of(const struct scanned *s)
{
	return json_root(s->doc);
}

static void types_and_counts(void **state)
{
	static const struct {
		const char *key;
		enum json_type type;
		uint32_t count;
	} cases[] = {
		{ "null", JSON_NULL, 0 },   { "no", JSON_FALSE, 0 },    { "yes", JSON_TRUE, 0 },
		{ "int", JSON_NUMBER, 0 },  { "real", JSON_NUMBER, 0 }, { "text", JSON_STRING, 0 },
		{ "list", JSON_ARRAY, 4 },  { "deep", JSON_OBJECT, 1 }, { "", JSON_STRING, 0 },
		{ "absent", JSON_NONE, 0 }, { "tex", JSON_NONE, 0 },    { "textt", JSON_NONE, 0 },
		{ "Text", JSON_NONE, 0 },   { "x", JSON_NONE, 0 },      { "key", JSON_STRING, 0 },
	};
	struct scanned s = scan_good(str_from(sample));

	(void)state;
	CHECK_INT("root", JSON_OBJECT, json_type(root_of(&s)));
	CHECK_INT("root", 14, json_count(root_of(&s)));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_val v = json_member(root_of(&s), str_from(cases[i].key));

		CHECK_INT(cases[i].key, cases[i].type, json_type(v));
		CHECK_INT(cases[i].key, cases[i].count, json_count(v));
		CHECK_INT(cases[i].key, cases[i].type != JSON_NONE, json_exists(v));
	}
	scanned_release(&s);
}

static void missing_is_safe(void **state)
{
	struct json_val none = JSON_MISSING, out = { NULL, 7 };
	struct json_iter it = json_iter(none);
	struct str text = STR("before");
	int64_t number = 5;
	bool flag = true;

	(void)state;
	assert_false(json_exists(none));
	CHECK_INT("type", JSON_NONE, json_type(none));
	CHECK_INT("count", 0, json_count(none));
	CHECK_INT("span", 0, json_span(none).len);
	CHECK_STR("bytes", "", json_bytes(none));
	assert_false(json_exists(json_member(none, STR("a"))));
	assert_false(json_exists(json_path(none, "a.b")));
	assert_false(json_exists(json_at(none, 0)));
	assert_false(json_str(none, 100, &text));
	assert_false(json_i64(none, &number));
	assert_false(json_bool(none, &flag));
	assert_false(json_get_str(none, STR("a"), 100, &text));
	assert_false(json_get_i64(none, STR("a"), &number));
	assert_false(json_get_bool(none, STR("a"), &flag));
	assert_false(json_get_text(none, STR("a"), 100, &text));
	assert_false(json_next(&it, &out));
	CHECK_STR("text", "before", text);
	CHECK_INT("number", 5, number);
	assert_true(flag);
	CHECK_INT("out", 7, out.node);
}

static void first_of_a_name_wins(void **state)
{
	struct scanned s = scan_good(str_from(sample));
	int64_t n = 0;

	(void)state;
	assert_true(json_get_i64(root_of(&s), STR("twice"), &n));
	CHECK_INT("twice", 1, n);
	CHECK_INT("duplicates", 1, json_duplicates(s.doc));
	scanned_release(&s);
}

static void paths(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "int", "-42" },      { "deep", "{\"a\":{\"b\":{\"c\":7}}}" },
		{ "deep.a.b.c", "7" }, { "deep.a.b.c.d", "" },
		{ "deep..b", "" },     { "deep.a.x.c", "" },
		{ "list.x", "" },      { "", "\"empty\"" },
		{ "a.b", "" },         { "key", "\"escaped key\"" },
	};
	struct scanned s = scan_good(str_from(sample));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_STR(cases[i].path, cases[i].want,
			  json_bytes(json_path(root_of(&s), cases[i].path)));
	scanned_release(&s);
}

static void items(void **state)
{
	static const char *const want[] = { "10", "[20,21]", "{\"x\":30}", "\"40\"", "" };
	struct scanned s = scan_good(str_from(sample));
	struct json_val list = json_member(root_of(&s), STR("list"));

	(void)state;
	for (uint32_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_STR("item", want[i], json_bytes(json_at(list, i)));
	assert_false(json_exists(json_at(list, UINT32_MAX)));
	assert_false(json_exists(json_at(root_of(&s), 0)));
	assert_false(json_exists(json_at(json_at(list, 0), 0)));
	scanned_release(&s);
}

static const struct {
	const char *name;
	struct str text, want;
	bool borrowed;
} strings[] = {
	{ "empty", STR_INIT("\"\""), STR_INIT(""), true },
	{ "plain", STR_INIT("\"abc\""), STR_INIT("abc"), true },
	{ "utf-8", STR_INIT("\"\xc3\xa9\xf0\x9f\x98\x80\""), STR_INIT("\xc3\xa9\xf0\x9f\x98\x80"),
	  true },
	{ "short escapes", STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t"),
	  false },
	{ "in the last bytes", STR_INIT("\"l\\none\""), STR_INIT("l\none"), false },
	{ "after UTF-8", STR_INIT("\"\xc3\xa9\\n\""), STR_INIT("\xc3\xa9\n"), false },
	{ "between text", STR_INIT("\"ab\\ncd\\nef\""), STR_INIT("ab\ncd\nef"), false },
	{ "1 byte", STR_INIT("\"\\u0041\\u007f\\u0001\""), STR_INIT("A\x7f\x01"), false },
	{ "2 bytes", STR_INIT("\"\\u0080\\u00e9\\u07ff\""), STR_INIT("\xc2\x80\xc3\xa9\xdf\xbf"),
	  false },
	{ "3 bytes", STR_INIT("\"\\u0800\\u20AC\\uffff\""),
	  STR_INIT("\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf"), false },
	{ "pair", STR_INIT("\"\\ud83d\\ude00\""), STR_INIT("\xf0\x9f\x98\x80"), false },
	{ "first pair", STR_INIT("\"\\uD800\\uDC00\""), STR_INIT("\xf0\x90\x80\x80"), false },
	{ "last pair", STR_INIT("\"\\udbff\\udfff\""), STR_INIT("\xf4\x8f\xbf\xbf"), false },
	{ "high alone", STR_INIT("\"\\ud800\""), STR_INIT("\xef\xbf\xbd"), false },
	{ "low alone", STR_INIT("\"\\udfff\""), STR_INIT("\xef\xbf\xbd"), false },
	{ "high before text", STR_INIT("\"\\ud83dx\""), STR_INIT("\xef\xbf\xbdx"), false },
	{ "high before an escape", STR_INIT("\"\\ud83d\\n\""), STR_INIT("\xef\xbf\xbd\n"), false },
	{ "high before a unit", STR_INIT("\"\\ud83d\\u0041\""),
	  STR_INIT("\xef\xbf\xbd"
		   "A"),
	  false },
	{ "high before a pair", STR_INIT("\"\\ud83d\\ud83d\\ude00\""),
	  STR_INIT("\xef\xbf\xbd\xf0\x9f\x98\x80"), false },
	{ "low before high", STR_INIT("\"\\ude00\\ud83d\""), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd"),
	  false },
	{ "just outside the surrogates", STR_INIT("\"\\ud7ff\\ue000\""),
	  STR_INIT("\xed\x9f\xbf\xee\x80\x80"), false },
	{ "NUL", STR_INIT("\"a\\u0000b\""),
	  STR_INIT("a\xef\xbf\xbd"
		   "b"),
	  false },
	{ "escaped backslash before u", STR_INIT("\"\\\\u0041\""), STR_INIT("\\u0041"), false },
};

static void strings_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct scanned s = scan_good(strings[i].text);
		struct str got = STR("before");
		bool inside;

		assert_true(json_str(root_of(&s), 1000, &got));
		CHECK_BYTES(strings[i].name, strings[i].want, got);
		inside = got.ptr >= s.copy && got.ptr <= s.copy + strings[i].text.len;
		CHECK_INT(strings[i].name, strings[i].borrowed, inside);
		/* the ceiling, both sides */
		got = STR("before");
		assert_true(json_str(root_of(&s), strings[i].want.len, &got));
		CHECK_BYTES(strings[i].name, strings[i].want, got);
		if (strings[i].want.len > 0) {
			size_t used = arena_used(s.arena);

			got = STR("before");
			assert_false(json_str(root_of(&s), strings[i].want.len - 1, &got));
			CHECK_STR(strings[i].name, "before", got);
			CHECK_INT(strings[i].name, used, arena_used(s.arena));
		}
		scanned_release(&s);
	}
}

/* A decoded string is as long as json.h says even where the raw one is far longer. */
static void long_escaped_string(void **state)
{
	struct str got = STR_EMPTY;
	struct scanned s;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_put_char(&b, '"');
	for (int i = 0; i < 10000; i++)
		buf_put_text(&b, "\\u0041");
	buf_put_char(&b, '"');
	s = scan_good(buf_str(&b));
	assert_false(json_str(root_of(&s), 9999, &got));
	assert_true(json_str(root_of(&s), 10000, &got));
	CHECK_INT("length", 10000, got.len);
	CHECK_INT("last", 'A', got.ptr[9999]);
	scanned_release(&s);
	buf_release(&b);
}

static void full_arena(void **state)
{
	struct str text = STR("{\"a\\nb\":\"c\\nd\",\"plain\":\"p\"}"), got = STR("before");
	struct scanned s = scan_good(text);
	struct json_val v;
	struct json_iter it;
	size_t need = arena_used(s.arena);

	(void)state;
	scanned_release(&s);
	s = scan_within(text, need + 320); /* what the scan reserves for a moment */
	while (arena_alloc(s.arena, 1) != NULL)
		;
	assert_false(json_get_str(root_of(&s), STR("a\nb"), 100, &got));
	CHECK_STR("untouched", "before", got);
	assert_true(json_get_str(root_of(&s), STR("plain"), 100, &got));
	CHECK_STR("plain", "p", got);
	it = json_iter(root_of(&s));
	assert_true(json_next(&it, &v));
	assert_null(it.key.ptr); /* no room to decode it; the value is there */
	CHECK_STR("value", "\"c\\nd\"", json_bytes(v));
	assert_true(json_next(&it, &v));
	CHECK_STR("next key", "plain", it.key);
	assert_false(json_next(&it, &v));
	scanned_release(&s);
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t want;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "1", true, 1 },
		{ "-1", true, -1 },
		{ "1763662971", true, 1763662971 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "100000000000000000000000000000", false, 0 },
		{ "1.0", false, 0 },
		{ "1e2", false, 0 },
		{ "1E2", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
		{ "null", false, 0 },
		{ "[1]", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scanned s = scan_good(str_from(cases[i].text));
		int64_t got = 77;

		CHECK_INT(cases[i].text, cases[i].fits, json_i64(root_of(&s), &got));
		CHECK_INT(cases[i].text, cases[i].fits ? cases[i].want : 77, got);
		scanned_release(&s);
	}
}

static void shorthands(void **state)
{
	struct scanned s = scan_good(str_from(sample));
	struct json_val root = root_of(&s);
	struct str text = STR("before");
	int64_t number = 5;
	bool flag = false;

	(void)state;
	assert_true(json_get_bool(root, STR("yes"), &flag) && flag);
	assert_true(json_get_bool(root, STR("no"), &flag) && !flag);
	assert_false(json_get_bool(root, STR("null"), &flag));
	assert_false(json_get_bool(root, STR("int"), &flag));
	assert_true(json_get_i64(root, STR("int"), &number));
	CHECK_INT("int", -42, number);
	assert_false(json_get_i64(root, STR("real"), &number));
	assert_false(json_get_i64(root, STR("text"), &number));
	CHECK_INT("int", -42, number);
	CHECK_INT("absent", GW_OK, json_read_i64(root, "absent", 1, 2, &number, NULL));
	CHECK_INT("below", GW_EARG, json_read_i64(root, "int", -41, 0, &number, NULL));
	CHECK_INT("above", GW_EARG, json_read_i64(root, "int", -50, -43, &number, NULL));
	CHECK_INT("text", GW_EARG, json_read_i64(root, "text", -50, 50, &number, NULL));
	CHECK_INT("as it was", -42, number);
	CHECK_INT("within", GW_OK, json_read_i64(root, "int", -42, -42, &number, NULL));
	assert_false(json_get_str(root, STR("int"), 100, &text));
	assert_false(json_get_str(root, STR("null"), 100, &text));
	assert_false(json_get_str(root, STR("text"), 4, &text));
	CHECK_STR("untouched", "before", text);
	assert_true(json_get_str(root, STR("text"), 5, &text));
	CHECK_STR("text", "plain", text);
	assert_true(json_get_str(root, STR("key"), 100, &text));
	CHECK_STR("key", "escaped key", text);
	scanned_release(&s);
}

static void strings_or_numbers(void **state)
{
	struct scanned s = scan_good(str_from(sample));
	struct json_val root = root_of(&s);
	struct str text = STR("before");

	(void)state;
	assert_true(json_get_text(root, STR("int"), 3, &text));
	CHECK_STR("int", "-42", text);
	assert_true(json_get_text(root, STR("real"), 100, &text));
	CHECK_STR("real", "1.5", text);
	assert_true(json_get_text(root, STR("esc"), 100, &text));
	CHECK_STR("esc", "a/b\n", text);
	assert_false(json_get_text(root, STR("int"), 2, &text));
	assert_false(json_get_text(root, STR("yes"), 100, &text));
	assert_false(json_get_text(root, STR("null"), 100, &text));
	assert_false(json_get_text(root, STR("list"), 100, &text));
	assert_false(json_get_text(root, STR("text"), 4, &text));
	CHECK_STR("untouched", "a/b\n", text);
	scanned_release(&s);
}

static void iterates(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "[]", "" },
		{ "{}", "" },
		{ "[1]", "=1;" },
		{ "[1,[2,3],{\"a\":4},\"x\"]", "=1;=[2,3];={\"a\":4};=\"x\";" },
		{ "{\"a\":1}", "a=1;" },
		{ "{\"a\":{\"b\":[1,2]},\"c\":[],\"a\":3}", "a={\"b\":[1,2]};c=[];a=3;" },
		{ "{\"\\u0061\\/\":{}, \"\" : null}", "a/={};=null;" },
		{ "[ [ ] , { } ]", "=[ ];={ };" },
		{ "7", "" },
		{ "\"abc\"", "" },
		{ "null", "" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scanned s = scan_good(str_from(cases[i].text));
		struct json_iter it;
		struct json_val v = JSON_MISSING;

		buf_reset(&b);
		for (it = json_iter(root_of(&s)); json_next(&it, &v);) {
			buf_put_str(&b, it.key);
			buf_put_char(&b, '=');
			buf_put_str(&b, json_bytes(v));
			buf_put_char(&b, ';');
		}
		CHECK_STR(cases[i].text, cases[i].want, buf_str(&b));
		assert_false(json_next(&it, &v)); /* stays at the end */
		scanned_release(&s);
	}
	buf_release(&b);
}

static void spans(void **state)
{
	struct scanned s = scan_good(STR(" { \"a\" : [ 1 , \"b\\n\" ] , \"c\" : -2e1 } "));
	struct json_val root = root_of(&s), v = JSON_MISSING;
	struct json_iter it = json_iter(root);

	(void)state;
	CHECK_INT("root at", 1, json_span(root).at);
	CHECK_INT("root len", 36, json_span(root).len);
	assert_true(json_next(&it, &v));
	CHECK_INT("key at", 3, it.key_span.at);
	CHECK_INT("key len", 3, it.key_span.len);
	CHECK_INT("list at", 9, json_span(v).at);
	CHECK_STR("list", "[ 1 , \"b\\n\" ]", json_bytes(v));
	CHECK_INT("string at", 15, json_span(json_at(v, 1)).at);
	CHECK_STR("string", "\"b\\n\"", json_bytes(json_at(v, 1)));
	assert_true(json_next(&it, &v));
	CHECK_STR("number", "-2e1", json_bytes(v));
	assert_false(json_next(&it, &v));
	scanned_release(&s);
}

/* A hundred thousand items are walked in one pass, and members found behind large siblings. */
static void walks_large_arrays(void **state)
{
	struct json_iter it;
	struct json_val v = JSON_MISSING;
	struct scanned s;
	struct buf b;
	int64_t sum = 0, n = 0;

	(void)state;
	buf_init(&b, 4 << 20);
	buf_put_text(&b, "{\"list\":[");
	for (int i = 0; i < 100000; i++)
		buf_put_fmt(&b, "%s[%d]", i == 0 ? "" : ",", i);
	buf_put_text(&b, "],\"after\":1}");
	s = scan_good(buf_str(&b));
	for (it = json_iter(json_member(root_of(&s), STR("list"))); json_next(&it, &v);)
		if (json_i64(json_at(v, 0), &n))
			sum += n;
	CHECK_INT("sum", INT64_C(4999950000), sum);
	assert_true(json_get_i64(root_of(&s), STR("after"), &n));
	scanned_release(&s);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_counts),
		cmocka_unit_test(missing_is_safe),
		cmocka_unit_test(first_of_a_name_wins),
		cmocka_unit_test(paths),
		cmocka_unit_test(items),
		cmocka_unit_test(strings_decoded),
		cmocka_unit_test(long_escaped_string),
		cmocka_unit_test(full_arena),
		cmocka_unit_test(integers),
		cmocka_unit_test(shorthands),
		cmocka_unit_test(strings_or_numbers),
		cmocka_unit_test(iterates),
		cmocka_unit_test(spans),
		cmocka_unit_test(walks_large_arrays),
	};

	return cmocka_run_group_tests_name("json_read", tests, NULL, NULL);
}
