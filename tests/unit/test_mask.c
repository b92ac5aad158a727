/* SPDX-License-Identifier: MIT */
/* test_mask.c - what is shown of a number, around the lengths that matter */
#include "unit.h"

#include "base/mask.h"

static void cases(void **state)
{
	static const struct {
		const char *in, *want;
	} table[] = {
		{ "", "" },
		{ "1", "*" },
		{ "1234567", "*******" },
		{ "12345678", "12345*78" },
		{ "491510000001", "49151*****01" },
		{ "+491510000001", "+4915******01" },
		{ "US.1349012345", "US.13******45" },
		{ "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "********" },
		{ "a\nb\x7f"
		  "c defgh",
		  "a*b*c****gh" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char out[MASK_MAX];

		mask_number(str_from(table[i].in), out);
		CHECK_STR(table[i].in, table[i].want, str_from(out));
	}
}

static void long_ones(void **state)
{
	char in[200], out[MASK_MAX];

	(void)state;
	memset(in, '7', sizeof(in));
	for (size_t len = MASK_MAX - 2; len <= sizeof(in); len++) {
		size_t want = len < MASK_MAX ? len : MASK_MAX - 1;

		mask_number(str_make(in, len), out);
		CHECK_INT("len", want, strlen(out));
		CHECK_INT("front", '7', out[4]);
		CHECK_INT("hidden", '*', out[5]);
		CHECK_INT("hidden", '*', out[want - 3]);
		CHECK_INT("back", '7', out[want - 1]);
	}
	mask_number(str_make(NULL, 0), out);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(long_ones),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
