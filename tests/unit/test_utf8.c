/* SPDX-License-Identifier: MIT */
/* test_utf8.c - what is UTF-8 and what is not, counting, writing, folding, cutting */
#include "unit.h"

#include "base/utf8.h"

static const struct {
	const char *name;
	struct str in;
	bool valid;
	size_t count; /* when valid */
} cases[] = {
	{ "empty", STR_INIT(""), true, 0 },
	{ "no pointer", { NULL, 0 }, true, 0 },
	{ "ASCII", STR_INIT("abc"), true, 3 },
	{ "NUL", { "a\0b", 3 }, true, 3 },
	{ "DEL", STR_INIT("\x7f"), true, 1 },
	{ "eight ASCII", STR_INIT("abcdefgh"), true, 8 },
	{ "first of two bytes", STR_INIT("\xC2\x80"), true, 1 },
	{ "last of two bytes", STR_INIT("\xDF\xBF"), true, 1 },
	{ "first of three", STR_INIT("\xE0\xA0\x80"), true, 1 },
	{ "before the surrogates", STR_INIT("\xED\x9F\xBF"), true, 1 },
	{ "behind the surrogates", STR_INIT("\xEE\x80\x80"), true, 1 },
	{ "last of three", STR_INIT("\xEF\xBF\xBF"), true, 1 },
	{ "first of four", STR_INIT("\xF0\x90\x80\x80"), true, 1 },
	{ "last of all", STR_INIT("\xF4\x8F\xBF\xBF"), true, 1 },
	{ "mixed", STR_INIT("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"), true, 5 },
	{ "lone continuation", STR_INIT("\x80"), false, 0 },
	{ "last continuation", STR_INIT("\xBF"), false, 0 },
	{ "overlong C0", STR_INIT("\xC0\x80"), false, 0 },
	{ "overlong C1", STR_INIT("\xC1\xBF"), false, 0 },
	{ "overlong E0", STR_INIT("\xE0\x9F\xBF"), false, 0 },
	{ "overlong F0", STR_INIT("\xF0\x8F\xBF\xBF"), false, 0 },
	{ "first surrogate", STR_INIT("\xED\xA0\x80"), false, 0 },
	{ "last surrogate", STR_INIT("\xED\xBF\xBF"), false, 0 },
	{ "over U+10FFFF", STR_INIT("\xF4\x90\x80\x80"), false, 0 },
	{ "F5", STR_INIT("\xF5\x80\x80\x80"), false, 0 },
	{ "FF", STR_INIT("\xFF"), false, 0 },
	{ "cut of two", STR_INIT("\xC3"), false, 0 },
	{ "cut of three", STR_INIT("\xE2\x82"), false, 0 },
	{ "cut of four", STR_INIT("\xF0\x9F\x98"), false, 0 },
	{ "second is ASCII", STR_INIT("\xC3z"), false, 0 },
	{ "third is ASCII", STR_INIT("\xE2\x82z"), false, 0 },
	{ "fourth is ASCII", STR_INIT("\xF0\x9F\x98z"), false, 0 },
	{ "fourth is a lead", STR_INIT("\xF0\x9F\x98\xC3"), false, 0 },
};

/* At every offset from the step of eight bytes, in memory of just the right size. */
static void validity(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t lead = 0; lead < 20; lead++) {
			size_t len = lead + cases[i].in.len;
			char *text = malloc(len == 0 ? 1 : len);

			memset(text, 'x', lead);
			if (cases[i].in.len > 0)
				memcpy(text + lead, cases[i].in.ptr, cases[i].in.len);
			CHECK_INT(cases[i].name, cases[i].valid, utf8_valid(str_make(text, len)));
			if (cases[i].valid)
				CHECK_INT(cases[i].name, lead + cases[i].count,
					  utf8_count(str_make(text, len)));
			free(text);
		}
	}
}

/* All code points: written, they are valid, one character, and in order. */
static void every_code_point(void **state)
{
	char last[4] = { 0 };
	size_t last_len = 1;

	(void)state;
	for (uint32_t code = 1; code <= 0x10FFFF; code++) {
		char out[4];
		size_t len;

		if (code == 0xD800)
			code = 0xE000;
		len = utf8_put(code, out);
		if (!utf8_valid(str_make(out, len)) || utf8_count(str_make(out, len)) != 1 ||
		    str_cmp(str_make(out, len), str_make(last, last_len)) <= 0)
			CHECK_INT("code point", -1, code);
		memcpy(last, out, len);
		last_len = len;
	}
	CHECK_INT("NUL", 1, utf8_put(0, last));
	CHECK_INT("lengths", 1234,
		  1000 * utf8_put(0x7F, last) + 100 * utf8_put(0x7FF, last) +
			  10 * utf8_put(0xFFFF, last) + utf8_put(0x10FFFF, last));
}

static void put_code(void *arg)
{
	char out[4];

	(void)utf8_put(*(const uint32_t *)arg, out);
}

static void no_code_point_dies(void **state)
{
	static uint32_t codes[] = { 0xD800, 0xDFFF, 0x110000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		assert_true(dies(put_code, &codes[i]));
}

static void same_word(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} words[] = {
		{ "STOP", "stop", true },
		{ " Stop\n", "sTOP", true },
		{ "stop", "stopp", false },
		{ "stopp", "stop", false },
		{ "stop", "start", false },
		{ "", "", true },
		{ "", "  ", true },
		{ "", "x", false },
		{ "s top", "stop", false },
		{ "\xC3\x84RGER", "\xC3\xA4rger", true },
		{ "\xC3\xA9", "e\xCC\x81", true }, /* composed and not */
		{ "e", "\xC3\xA9", false },
		{ "STRASSE",
		  "stra\xC3\x9F"
		  "e",
		  true },
		{ "\xD0\xA1\xD0\xA2\xD0\x9E\xD0\x9F", "\xD1\x81\xD1\x82\xD0\xBE\xD0\xBF", true },
		{ "\xCE\xA3", "\xCF\x82", true }, /* final sigma */
		{ "stop\xE2\x80\x8E", "stop", true }, /* left-to-right mark */
		{ "stop\xE2\x80\x8E", "stopx", false },
		{ "\xD8\xA5\xD9\x8A\xD9\x82\xD8\xA7\xD9\x81",
		  "\xD8\xA5\xD9\x8A\xD9\x82\xD8\xA7\xD9\x81", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CHECK_INT(words[i].a, words[i].same,
			  utf8_same_word(str_from(words[i].a), str_from(words[i].b)));
		CHECK_INT(words[i].b, words[i].same,
			  utf8_same_word(str_from(words[i].b), str_from(words[i].a)));
	}
	assert_false(utf8_same_word(STR("\xC3"), STR("\xC3"))); /* not valid: never the same */
}

static void cutting(void **state)
{
	static const struct {
		const char *in;
		size_t max;
		const char *want;
	} cuts[] = {
		{ "abc", 3, "abc" },
		{ "abc", 9, "abc" },
		{ "abc", 2, "ab" },
		{ "abc", 0, "" },
		{ "\xC3\xA9\xC3\xA9", 4, "\xC3\xA9\xC3\xA9" },
		{ "\xC3\xA9\xC3\xA9", 3, "\xC3\xA9" },
		{ "\xC3\xA9\xC3\xA9", 2, "\xC3\xA9" },
		{ "\xC3\xA9\xC3\xA9", 1, "" },
		{ "a\xF0\x9F\x98\x80", 5, "a\xF0\x9F\x98\x80" },
		{ "a\xF0\x9F\x98\x80", 4, "a" },
		{ "a\xF0\x9F\x98\x80", 3, "a" },
		{ "a\xF0\x9F\x98\x80", 2, "a" },
		{ "a\xF0\x9F\x98\x80", 1, "a" },
		{ "\xE2\x82\xAC\xE2\x82\xAC", 5, "\xE2\x82\xAC" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
		CHECK_STR(cuts[i].in, cuts[i].want, utf8_cut(str_from(cuts[i].in), cuts[i].max));
	CHECK_STR("nothing", "", utf8_cut(str_make(NULL, 0), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validity),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(no_code_point_dies),
		cmocka_unit_test(same_word),
		cmocka_unit_test(cutting),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
