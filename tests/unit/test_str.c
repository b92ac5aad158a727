/* SPDX-License-Identifier: MIT */
/* test_str.c - comparing and cutting views, and reading numbers, durations and sizes */
#include "unit.h"

#define NONE str_make(NULL, 0)

static void construction(void **state)
{
	(void)state;
	CHECK_STR("literal", "abc", STR("abc"));
	CHECK_STR("NULL", "", str_from(NULL));
	assert_non_null(str_from(NULL).ptr);
	CHECK_STR("text", "abc", str_from("abc"));
	CHECK_STR("there and back", "abc", str_of_gw(str_to_gw(STR("abc"))));
}

static void equality(void **state)
{
	const struct {
		struct str a, b;
		bool eq, nocase;
		int order;
	} cases[] = {
		{ STR("a"), STR("a"), true, true, 0 },
		{ STR("a"), STR("A"), false, true, 1 },
		{ STR("Zz"), STR("zZ"), false, true, -1 },
		{ STR("a"), STR("ab"), false, false, -1 },
		{ STR("ab"), STR("a"), false, false, 1 },
		{ STR("b"), STR("ab"), false, false, 1 },
		{ STR("\xff"), STR("a"), false, false, 1 },
		{ STR("["), STR("{"), false, false, -1 },
		{ STR("@"), STR("`"), false, false, -1 },
		{ STR("\xC3\x84"), STR("\xC3\xA4"), false, false, -1 },
		{ { "a\0b", 3 }, { "a\0c", 3 }, false, false, -1 },
		{ STR(""), { NULL, 0 }, true, true, 0 },
		{ { NULL, 0 }, { NULL, 0 }, true, true, 0 },
		{ { NULL, 0 }, STR("a"), false, false, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int order = str_cmp(cases[i].a, cases[i].b);

		CHECK_INT(cases[i].a.ptr, cases[i].eq, str_eq(cases[i].a, cases[i].b));
		CHECK_INT(cases[i].a.ptr, cases[i].nocase, str_eq_nocase(cases[i].a, cases[i].b));
		CHECK_INT(cases[i].a.ptr, cases[i].order, (order > 0) - (order < 0));
	}
}

static void starts_and_ends(void **state)
{
	const struct {
		struct str s, part;
		bool starts, ends;
	} cases[] = {
		{ STR("abc"), STR("ab"), true, false }, { STR("abc"), STR("bc"), false, true },
		{ STR("abc"), STR("abc"), true, true }, { STR("abc"), STR("abcd"), false, false },
		{ STR("abc"), STR(""), true, true },    { STR("abc"), { NULL, 0 }, true, true },
		{ { NULL, 0 }, STR(""), true, true },   { { NULL, 0 }, STR("a"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK_INT("starts", cases[i].starts, str_starts(cases[i].s, cases[i].part));
		CHECK_INT("ends", cases[i].ends, str_ends(cases[i].s, cases[i].part));
	}
}

static void finding(void **state)
{
	const struct {
		struct str s, needle;
		int at; /* -1: not there */
	} cases[] = {
		{ STR("abcabc"), STR("bc"), 1 }, { STR("abcabc"), STR("abc"), 0 },
		{ STR("abc"), STR("c"), 2 },     { STR("abc"), STR("d"), -1 },
		{ STR("abc"), STR("abcd"), -1 }, { STR("abc"), STR(""), 0 },
		{ { NULL, 0 }, STR("a"), -1 },   { { NULL, 0 }, { NULL, 0 }, 0 },
		{ { "a\0b", 3 }, STR("b"), 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t at = 99;

		CHECK_INT("found", cases[i].at >= 0, str_find(cases[i].s, cases[i].needle, &at));
		CHECK_INT("at", cases[i].at >= 0 ? cases[i].at : 99, at);
		if (cases[i].needle.len != 1)
			continue;
		at = 99;
		CHECK_INT("char found", cases[i].at >= 0,
			  str_find_char(cases[i].s, cases[i].needle.ptr[0], &at));
		CHECK_INT("char at", cases[i].at >= 0 ? cases[i].at : 99, at);
	}
}

static void slicing(void **state)
{
	(void)state;
	CHECK_STR("middle", "bc", str_slice(STR("abcd"), 1, 3));
	CHECK_STR("all", "abcd", str_slice(STR("abcd"), 0, SIZE_MAX));
	CHECK_STR("behind", "", str_slice(STR("abcd"), 9, 12));
	CHECK_STR("backwards", "", str_slice(STR("abcd"), 3, 1));
	CHECK_STR("of nothing", "", str_slice(NONE, 1, 2));
	CHECK_STR("trim", "a b", str_trim(STR(" \t\n\v\f\ra b \r\n")));
	CHECK_STR("trim blanks", "", str_trim(STR("   ")));
	CHECK_STR("trim nothing", "", str_trim(NONE));
	CHECK_STR("NBSP stays", "\xC2\xA0", str_trim(STR("\xC2\xA0 ")));
}

static void splitting(void **state)
{
	const struct {
		struct str in;
		const char *fields[5];
	} cases[] = {
		{ STR("a,b"), { "a", "b" } },  { STR("a"), { "a" } },
		{ STR(""), { "" } },           { { NULL, 0 }, { NULL } },
		{ STR("a,"), { "a", "" } },    { STR(",a"), { "", "a" } },
		{ STR(",,"), { "", "", "" } }, { STR("a,b,c,d"), { "a", "b", "c", "d" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest = cases[i].in;
		struct str field;
		size_t n = 0;

		for (; str_split(&rest, ',', &field); n++) {
			assert_non_null(cases[i].fields[n]);
			CHECK_STR(cases[i].in.ptr, cases[i].fields[n], field);
		}
		assert_null(cases[i].fields[n]);
	}
}

static void copying(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_false(str_copy(STR("a"), out, 0));
	assert_string_equal(out, "zzz");
	assert_true(str_copy(STR("abc"), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(str_copy(STR("abcd"), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(str_copy(NONE, out, 1));
	assert_string_equal(out, "");
	assert_false(str_copy(STR("a"), out, 1));
	assert_string_equal(out, "");
}

static void integers(void **state)
{
	const struct {
		const char *in;
		bool i64, u64, u32;
		int64_t value;
	} cases[] = {
		{ "0", true, true, true, 0 },
		{ "-0", true, false, false, 0 },
		{ "007", true, true, true, 7 },
		{ "-1", true, false, false, -1 },
		{ "4294967295", true, true, true, 4294967295 },
		{ "4294967296", true, true, false, 4294967296 },
		{ "9223372036854775807", true, true, false, INT64_MAX },
		{ "9223372036854775808", false, true, false, INT64_MIN },
		{ "-9223372036854775808", true, false, false, INT64_MIN },
		{ "-9223372036854775809", false, false, false, 0 },
		{ "18446744073709551615", false, true, false, -1 },
		{ "18446744073709551616", false, false, false, 0 },
		{ "99999999999999999999999", false, false, false, 0 },
		{ "", false, false, false, 0 },
		{ "-", false, false, false, 0 },
		{ "--1", false, false, false, 0 },
		{ "+1", false, false, false, 0 },
		{ " 1", false, false, false, 0 },
		{ "1 ", false, false, false, 0 },
		{ "1.0", false, false, false, 0 },
		{ "0x1", false, false, false, 0 },
		{ "1e3", false, false, false, 0 },
		{ "/", false, false, false, 0 },
		{ ":", false, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str in = str_from(cases[i].in);
		int64_t i64 = 77;
		uint64_t u64 = 77;
		uint32_t u32 = 77;

		CHECK_INT(cases[i].in, cases[i].i64, str_to_i64(in, &i64));
		CHECK_INT(cases[i].in, cases[i].u64, str_to_u64(in, &u64));
		CHECK_INT(cases[i].in, cases[i].u32, str_to_u32(in, &u32));
		CHECK_INT(cases[i].in, cases[i].i64 ? cases[i].value : 77, i64);
		CHECK_INT(cases[i].in, cases[i].u64 ? cases[i].value : 77, (int64_t)u64);
		CHECK_INT(cases[i].in, cases[i].u32 ? cases[i].value : 77, u32);
	}
	assert_false(str_to_i64(NONE, &(int64_t){ 0 }));
	assert_false(str_to_u64(NONE, &(uint64_t){ 0 }));
}

static void durations(void **state)
{
	const struct {
		const char *in;
		int64_t ms; /* -1: refused */
	} cases[] = {
		{ "250ms", 250 },
		{ "0", 0 },
		{ "90", 90000 },
		{ "90s", 90000 },
		{ "15m", 900000 },
		{ "36h", 129600000 },
		{ "7d", 604800000 },
		{ "1h30m", 5400000 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "1m5ms", 60005 },
		{ "0s", 0 },
		{ "", -1 },
		{ "s", -1 },
		{ "1h30", -1 }, /* 30 of what? */
		{ "30m1h", -1 },
		{ "1h1h", -1 },
		{ "1ms1s", -1 },
		{ "1.5h", -1 },
		{ "1 h", -1 },
		{ "-1s", -1 },
		{ "1H", -1 },
		{ "1w", -1 },
		{ "1sec", -1 },
		{ "9223372036854775", INT64_C(9223372036854775000) },
		{ "9223372036854776", -1 },
		{ "9223372036854775807ms", INT64_MAX },
		{ "9223372036854775808ms", -1 },
		{ "9223372036854775s807ms", INT64_MAX },
		{ "9223372036854775s808ms", -1 },
		{ "106751991167d", INT64_C(9223372036828800000) },
		{ "106751991168d", -1 },
		{ "213503982335d", -1 },
		{ "99999999999999999999d", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = -77;

		CHECK_INT(cases[i].in, cases[i].ms >= 0,
			  str_to_duration_ms(str_from(cases[i].in), &ms));
		CHECK_INT(cases[i].in, cases[i].ms >= 0 ? cases[i].ms : -77, ms);
	}
	assert_false(str_to_duration_ms(NONE, &(int64_t){ 0 }));
}

static void sizes(void **state)
{
	const struct {
		const char *in;
		bool ok;
		uint64_t bytes;
	} cases[] = {
		{ "0", true, 0 },
		{ "4096", true, 4096 },
		{ "64K", true, 65536 },
		{ "64k", true, 65536 },
		{ "4M", true, 4194304 },
		{ "1G", true, 1073741824 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "17179869183G", true, UINT64_C(17179869183) << 30 },
		{ "17179869184G", false, 0 },
		{ "18014398509481983K", true, UINT64_C(18014398509481983) << 10 },
		{ "18014398509481984K", false, 0 },
		{ "", false, 0 },
		{ "K", false, 0 },
		{ "1KB", false, 0 },
		{ "1T", false, 0 },
		{ "1 K", false, 0 },
		{ "-1", false, 0 },
		{ "1.5M", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t bytes = 77;

		CHECK_INT(cases[i].in, cases[i].ok, str_to_size(str_from(cases[i].in), &bytes));
		CHECK_INT(cases[i].in, cases[i].ok ? cases[i].bytes : 77, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(construction),    cmocka_unit_test(equality),
		cmocka_unit_test(starts_and_ends), cmocka_unit_test(finding),
		cmocka_unit_test(slicing),         cmocka_unit_test(splitting),
		cmocka_unit_test(copying),         cmocka_unit_test(integers),
		cmocka_unit_test(durations),       cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
