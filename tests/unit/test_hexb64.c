/* SPDX-License-Identifier: MIT */
/* test_hexb64.c - RFC 4648's vectors, and what strict reading refuses */
#include "unit.h"

#include "base/hexb64.h"
#include "base/rnd.h"

static void hex_writes(void **state)
{
	char out[16];

	(void)state;
	hex_encode("\x00\x7f\x80\xff", 4, out);
	assert_string_equal(out, "007f80ff");
	hex_encode(NULL, 0, out);
	assert_string_equal(out, "");
}

static void hex_reads(void **state)
{
	const struct {
		const char *in;
		size_t len;
		bool ok;
		const char *bytes;
	} cases[] = {
		{ "", 0, true, "" },
		{ "00ff", 2, true, "\x00\xff" },
		{ "aBcDeF09", 4, true, "\xab\xcd\xef\x09" },
		{ "00f", 1, false, NULL },
		{ "00f", 2, false, NULL },
		{ "00ff", 1, false, NULL },
		{ "00ff", 3, false, NULL },
		{ "", 1, false, NULL },
		{ "0g", 1, false, NULL },
		{ "g0", 1, false, NULL },
		{ "0/", 1, false, NULL },
		{ "0:", 1, false, NULL },
		{ "0@", 1, false, NULL },
		{ "0`", 1, false, NULL },
		{ "0x", 1, false, NULL },
		{ " 0", 1, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[8] = { 0 };

		CHECK_INT(cases[i].in, cases[i].ok,
			  hex_decode(str_from(cases[i].in), out, cases[i].len));
		if (cases[i].ok)
			assert_memory_equal(out, cases[i].bytes, cases[i].len);
	}
}

static void b64_vectors(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].bytes);
		char text[16], bytes[8];
		size_t got = 99;

		CHECK_INT("len", strlen(cases[i].text), b64_encode(cases[i].bytes, len, text));
		CHECK_INT("macro", strlen(cases[i].text), B64_LEN(len));
		assert_string_equal(text, cases[i].text);
		assert_true(b64_decode(str_from(text), bytes, len, &got));
		CHECK_STR(cases[i].text, cases[i].bytes, str_make(bytes, got));
		if (len == 0)
			continue;
		got = 99;
		assert_false(b64_decode(str_from(text), bytes, len - 1, &got));
		CHECK_INT("untouched", 99, got);
	}
}

static void b64_refuses(void **state)
{
	static const char *const cases[] = {
		"Z",       "Zg",       "Zg=",    "Zm8",    "=",     "==",   "====",
		"Z===",    "Zg==Zg==", "Zg==\n", "Zm9v\n", " Zm9v", "Zm 9", "Zm9-",
		"Zm9_",    "Zh==",     "Zo==",   "Zm9=",   "Zm=v",  "=m9v", "Zm9vZ===",
		"Zm9\xc3", "Zm9@",     "Zm9[",   "Zm9`",   "Zm9{",  "Zm9:", "Zm9.",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char bytes[16];
		size_t got = 99;

		CHECK_INT(cases[i], false,
			  b64_decode(str_from(cases[i]), bytes, sizeof(bytes), &got));
		CHECK_INT(cases[i], 99, got);
	}
}

static void there_and_back(void **state)
{
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 5);
	for (size_t len = 0; len < 200; len++) {
		unsigned char bytes[200], back[200];
		char text[B64_LEN(200) + 201];
		size_t got;

		rnd_bytes(&r, bytes, len);
		CHECK_INT("len", B64_LEN(len), b64_encode(bytes, len, text));
		assert_true(b64_decode(str_from(text), back, sizeof(back), &got));
		CHECK_INT("got", len, got);
		assert_memory_equal(bytes, back, len);
		hex_encode(bytes, len, text);
		assert_true(hex_decode(str_from(text), back, len));
		assert_memory_equal(bytes, back, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_writes),     cmocka_unit_test(hex_reads),
		cmocka_unit_test(b64_vectors),    cmocka_unit_test(b64_refuses),
		cmocka_unit_test(there_and_back),
	};

	return cmocka_run_group_tests_name("hexb64", tests, NULL, NULL);
}
