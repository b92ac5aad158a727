/* SPDX-License-Identifier: MIT */
/* test_json_write.c - the writer, its misuse, quoting, and the ASCII form */
#include "json_unit.h"

static void writes_everything(void **state)
{
	struct json_writer w;
	struct scanned s;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_str(&w, "str", STR("a\"b"));
	json_w_kv_text(&w, "text", "t");
	json_w_kv_text(&w, "none", NULL);
	json_w_kv_i64(&w, "min", INT64_MIN);
	json_w_kv_bool(&w, "yes", true);
	json_w_kv_null(&w, "null");
	json_w_kv_raw(&w, "raw", STR("[1, 2]"));
	json_w_key(&w, STR("list"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_end(&w);
	json_w_array(&w);
	json_w_end(&w);
	json_w_str(&w, STR("x"));
	json_w_i64(&w, 0);
	json_w_bool(&w, false);
	json_w_null(&w);
	json_w_raw(&w, STR("{}"));
	json_w_end(&w);
	json_w_key(&w, STR("k\n\xc3\xa9/"));
	json_w_object(&w);
	json_w_kv_i64(&w, "", 1);
	json_w_end(&w);
	json_w_end(&w);
	CHECK_STR(
		"all",
		"{\"str\":\"a\\\"b\",\"text\":\"t\",\"none\":null,\"min\":-9223372036854775808,"
		"\"yes\":true,\"null\":null,\"raw\":[1, 2],\"list\":[{},[],\"x\",0,false,null,{}],"
		"\"k\\n\xc3\xa9/\":{\"\":1}}",
		buf_str(&b));
	s = scan_good(buf_str(&b));
	scanned_release(&s);
	buf_release(&b);
}

static void writes_one_scalar(void **state)
{
	struct json_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_text(&b, "data: "); /* what is there already is not the writer's */
	json_w_init(&w, &b);
	json_w_i64(&w, -7);
	CHECK_STR("appended", "data: -7", buf_str(&b));
	json_w_init(&w, &b);
	json_w_str(&w, str_make(NULL, 0));
	CHECK_STR("empty view", "data: -7\"\"", buf_str(&b));
	buf_release(&b);
}

static void depth_of_the_writer(void **state)
{
	struct json_writer w;
	struct scanned s;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_w_init(&w, &b);
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		if (i % 2 == 0) {
			json_w_array(&w);
			json_w_null(&w);
		} else {
			json_w_object(&w);
			json_w_kv_bool(&w, "x", true);
			json_w_key(&w, STR("a"));
		}
	}
	json_w_i64(&w, 1);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_w_end(&w);
	s = scan_good(buf_str(&b));
	scanned_release(&s);
	buf_release(&b);
}

/* Every step of a misuse but the last is fine. */
static void run_steps(void *arg)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 4096);
	json_w_init(&w, &b);
	for (const char *step = arg; *step != '\0'; step++) {
		switch (*step) {
		case '{': json_w_object(&w); break;
		case '[': json_w_array(&w); break;
		case '.': json_w_end(&w); break;
		case 'k': json_w_key(&w, STR("k")); break;
		case 's': json_w_str(&w, STR("s")); break;
		case '1': json_w_i64(&w, 1); break;
		case 't': json_w_bool(&w, true); break;
		case 'n': json_w_null(&w); break;
		case 'r': json_w_raw(&w, STR("{}")); break;
		case 'e': json_w_raw(&w, STR_EMPTY); break;
		case 'm': json_w_kv_null(&w, "m"); break;
		default: _exit(1);
		}
	}
	buf_release(&b);
}

static void misuse_panics(void **state)
{
	static const char *const cases[] = {
		/* nothing is open; a key outside an object */
		".",
		"k",
		"m",
		"[k",
		"[m",
		/* a value without its key, a key after a key, a key without its value */
		"{1",
		"{s",
		"{t",
		"{n",
		"{r",
		"{{",
		"{[",
		"{m1",
		"{k1s",
		"{k{1",
		"{kk",
		"{km",
		"{k.",
		/* ended twice, a second value, nothing as a raw value */
		"{..",
		"[..",
		"[[..k",
		"11",
		"[.1",
		"{.[",
		"{.{",
		"nr",
		"e",
		"[e",
		"{ke",
	};
	char deep[JSON_DEPTH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char steps[16];

		(void)snprintf(steps, sizeof(steps), "%s", cases[i]);
		if (!dies(run_steps, steps))
			fail_msg("\"%s\" passed", cases[i]);
		steps[strlen(steps) - 1] = '\0';
		if (dies(run_steps, steps))
			fail_msg("\"%s\" died", steps);
	}
	memset(deep, '[', sizeof(deep));
	deep[JSON_DEPTH_MAX + 1] = '\0';
	assert_true(dies(run_steps, deep));
	deep[JSON_DEPTH_MAX] = '\0';
	assert_false(dies(run_steps, deep));
}

static void a_failed_buffer_is_swallowed(void **state)
{
	(void)state;
	for (size_t max = 1; max < 60; max++) {
		struct json_writer w;
		struct buf b;

		buf_init(&b, max);
		json_w_init(&w, &b);
		json_w_object(&w);
		json_w_kv_str(&w, "key", STR("\xf0\x9f\x98\x80\n"));
		json_w_key(&w, STR("list"));
		json_w_array(&w);
		json_w_i64(&w, 12345);
		json_w_null(&w);
		json_w_end(&w);
		json_w_end(&w);
		CHECK_INT("failed", max < 36, buf_failed(&b));
		buf_check(&b);
		buf_release(&b);
	}
}

static const struct {
	const char *name;
	struct str text, plain, ascii; /* without the quotes */
} quoted[] = {
	{ "empty", STR_INIT(""), STR_INIT(""), STR_INIT("") },
	{ "plain", STR_INIT("abc"), STR_INIT("abc"), STR_INIT("abc") },
	{ "quote and backslash", STR_INIT("a\"b\\c"), STR_INIT("a\\\"b\\\\c"),
	  STR_INIT("a\\\"b\\\\c") },
	{ "slash", STR_INIT("a/b"), STR_INIT("a/b"), STR_INIT("a\\/b") },
	{ "short escapes", STR_INIT("\b\f\n\r\t"), STR_INIT("\\b\\f\\n\\r\\t"),
	  STR_INIT("\\b\\f\\n\\r\\t") },
	{ "controls", STR_INIT("\0\x01\x1f"), STR_INIT("\\u0000\\u0001\\u001f"),
	  STR_INIT("\\u0000\\u0001\\u001f") },
	{ "delete", STR_INIT("\x7f"), STR_INIT("\x7f"), STR_INIT("\x7f") },
	{ "html", STR_INIT("<&>'"), STR_INIT("<&>'"), STR_INIT("<&>'") },
	{ "2 bytes", STR_INIT("\xc2\x80\xdf\xbf"), STR_INIT("\xc2\x80\xdf\xbf"),
	  STR_INIT("\\u0080\\u07ff") },
	{ "3 bytes", STR_INIT("\xe2\x82\xac\xef\xbf\xbf"), STR_INIT("\xe2\x82\xac\xef\xbf\xbf"),
	  STR_INIT("\\u20ac\\uffff") },
	{ "4 bytes", STR_INIT("\xf0\x9f\x98\x80"), STR_INIT("\xf0\x9f\x98\x80"),
	  STR_INIT("\\ud83d\\ude00") },
	{ "first of 4", STR_INIT("\xf0\x90\x80\x80"), STR_INIT("\xf0\x90\x80\x80"),
	  STR_INIT("\\ud800\\udc00") },
	{ "last of 4", STR_INIT("\xf4\x8f\xbf\xbf"), STR_INIT("\xf4\x8f\xbf\xbf"),
	  STR_INIT("\\udbff\\udfff") },
	{ "replacement character", STR_INIT("\xef\xbf\xbd"), STR_INIT("\xef\xbf\xbd"),
	  STR_INIT("\\ufffd") },
	{ "between text", STR_INIT("a\xc3\xa9z/\n."), STR_INIT("a\xc3\xa9z/\\n."),
	  STR_INIT("a\\u00e9z\\/\\n.") },
	{ "stray continuation", STR_INIT("a\x80z"), STR_INIT("a\xef\xbf\xbdz"),
	  STR_INIT("a\\ufffdz") },
	{ "cut short", STR_INIT("\xc3"), STR_INIT("\xef\xbf\xbd"), STR_INIT("\\ufffd") },
	{ "cut by text", STR_INIT("\xe2\x82z"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbdz"),
	  STR_INIT("\\ufffd\\ufffdz") },
	{ "overlong", STR_INIT("\xc0\xaf"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd"),
	  STR_INIT("\\ufffd\\ufffd") },
	{ "surrogate", STR_INIT("\xed\xa0\x80"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
	  STR_INIT("\\ufffd\\ufffd\\ufffd") },
	{ "ff", STR_INIT("\xff"), STR_INIT("\xef\xbf\xbd"), STR_INIT("\\ufffd") },
};

static void quotes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(quoted); i++) {
		for (int ascii = 0; ascii < 2; ascii++) {
			struct str got, want = ascii ? quoted[i].ascii : quoted[i].plain;

			buf_reset(&b);
			json_quote(&b, quoted[i].text, ascii);
			got = buf_str(&b);
			CHECK_INT(quoted[i].name, '"', got.ptr[0]);
			CHECK_INT(quoted[i].name, '"', got.ptr[got.len - 1]);
			CHECK_BYTES(quoted[i].name, want, str_slice(got, 1, got.len - 1));
		}
	}
	buf_release(&b);
}

/* Every code point, quoted both ways, scanned and decoded, is itself (NUL alone is U+FFFD). */
static void every_code_point_survives(void **state)
{
	struct arena *a = arena_new(ARENA_PLENTY);
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (uint32_t code = 1; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 37) {
		unsigned char text[4];
		size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		text[0] = (unsigned char)(len == 1 ? code
						   : (0xF00U >> len) | code >> 6 * (len - 1));
		for (size_t i = 1; i < len; i++)
			text[i] = (unsigned char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3F));
		for (int ascii = 0; ascii < 2; ascii++) {
			const struct json_doc *doc = NULL;
			struct str got = STR_EMPTY;

			buf_reset(&b);
			json_quote(&b, str_make((char *)text, len), ascii);
			CHECK_INT("scan", GW_OK, json_scan(buf_str(&b), a, &doc, NULL));
			assert_true(json_str(json_root(doc), 4, &got));
			CHECK_BYTES("code", str_make((char *)text, len), got);
			arena_reset(a);
		}
	}
	buf_release(&b);
	arena_free(a);
}

static const struct {
	const char *name, *text, *want;
} ascii_forms[] = {
	{ "compact", " { \"a\" : [ 1 , 2 ] , \"b\" : { } , \"c\" : [ ] } ",
	  "{\"a\":[1,2],\"b\":{},\"c\":[]}" },
	{ "words", "[true,false,null]", "[true,false,null]" },
	{ "numbers word for word",
	  "[1.0,1.50e+07,-0,0.10,1E5,123456789012345678901234567890,1e999]",
	  "[1.0,1.50e+07,-0,0.10,1E5,123456789012345678901234567890,1e999]" },
	{ "order and repeated keys", "{\"z\":1,\"a\":2,\"z\":3}", "{\"z\":1,\"a\":2,\"z\":3}" },
	{ "slashes", "[\"a/b\\/c\"]", "[\"a\\/b\\/c\"]" },
	{ "utf-8", "[\"\xc3\xa9\xf0\x9f\x98\x80\"]", "[\"\\u00e9\\ud83d\\ude00\"]" },
	{ "escapes in lower case", "[\"\\u00E9\\uD83D\\uDE00\"]", "[\"\\u00e9\\ud83d\\ude00\"]" },
	{ "needless escapes", "[\"\\u0041\\u0022\\u002f\\u000a\\u007F\"]",
	  "[\"A\\\"\\/\\n\x7f\"]" },
	{ "short escapes", "[\"\\\"\\\\\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\\\b\\f\\n\\r\\t\"]" },
	{ "lone surrogates", "[\"\\uD800\",\"\\udfffx\",\"\\ude00\\ud83d\",\"\\ud83d\\u0041\"]",
	  "[\"\\ud800\",\"\\udfffx\",\"\\ude00\\ud83d\",\"\\ud83dA\"]" },
	{ "NUL", "[\"a\\u0000b\"]", "[\"a\\u0000b\"]" },
	{ "keys", "{\"\xc3\xa9/\\u0041\":{\"\\ud800\":\"\"}}",
	  "{\"\\u00e9\\/A\":{\"\\ud800\":\"\"}}" },
	{ "empty key", "{\"\":{\"\":[]}}", "{\"\":{\"\":[]}}" },
	{ "nested ends", "[[[]],[[{}],{\"a\":[[]]}],1]", "[[[]],[[{}],{\"a\":[[]]}],1]" },
	{ "scalar", " 7 ", "7" },
	{ "string", "\"\xe2\x82\xac\"", "\"\\u20ac\"" },
};

static void put_ascii_forms(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(ascii_forms); i++) {
		struct scanned s = scan_good(str_from(ascii_forms[i].text));

		buf_reset(&b);
		json_put_ascii(&b, json_root(s.doc));
		CHECK_STR(ascii_forms[i].name, ascii_forms[i].want, buf_str(&b));
		scanned_release(&s);
		/* what came out comes out again */
		s = scan_good(str_from(ascii_forms[i].want));
		buf_reset(&b);
		json_put_ascii(&b, json_root(s.doc));
		CHECK_STR(ascii_forms[i].name, ascii_forms[i].want, buf_str(&b));
		scanned_release(&s);
	}
	buf_release(&b);
}

static void put_ascii_of_a_part(void **state)
{
	struct scanned s = scan_good(STR("{\"a\":[1, {\"b\": \"\xc3\xa9\"} ,\"/\"],\"z\":0}"));
	struct json_val root = json_root(s.doc), list = json_member(root, STR("a"));
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_put_ascii(&b, list);
	buf_put_char(&b, ' ');
	json_put_ascii(&b, json_at(list, 0));
	buf_put_char(&b, ' ');
	json_put_ascii(&b, json_at(list, 1));
	buf_put_char(&b, ' ');
	json_put_ascii(&b, json_at(list, 2));
	buf_put_char(&b, ' ');
	json_put_ascii(&b, json_member(root, STR("none")));
	CHECK_STR("parts", "[1,{\"b\":\"\\u00e9\"},\"\\/\"] 1 {\"b\":\"\\u00e9\"} \"\\/\" null",
		  buf_str(&b));
	buf_release(&b);
	scanned_release(&s);
}

static void put_ascii_at_full_depth(void **state)
{
	struct scanned s;
	struct buf text, b;

	(void)state;
	buf_init(&text, 4096);
	buf_init(&b, 4096);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_put_text(&text, i % 2 == 0 ? "{\"a\":" : "[0,");
	buf_put_text(&text, "\"x\"");
	for (int i = JSON_DEPTH_MAX; i-- > 0;)
		buf_put_char(&text, i % 2 == 0 ? '}' : ']');
	s = scan_good(buf_str(&text));
	json_put_ascii(&b, json_root(s.doc));
	CHECK_BYTES("same", buf_str(&text), buf_str(&b));
	scanned_release(&s);
	buf_release(&text);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_everything),
		cmocka_unit_test(writes_one_scalar),
		cmocka_unit_test(depth_of_the_writer),
		cmocka_unit_test(misuse_panics),
		cmocka_unit_test(a_failed_buffer_is_swallowed),
		cmocka_unit_test(quotes),
		cmocka_unit_test(every_code_point_survives),
		cmocka_unit_test(put_ascii_forms),
		cmocka_unit_test(put_ascii_of_a_part),
		cmocka_unit_test(put_ascii_at_full_depth),
	};

	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
