/* SPDX-License-Identifier: MIT */
/* test_buf.c - appending, ceilings, and the sticky failure */
#include "unit.h"

#include "base/buf.h"

static void put_appends(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	CHECK_STR("fresh", "", buf_str(&b));
	buf_put(&b, "ab", 2);
	buf_put_str(&b, STR("cd"));
	buf_put_text(&b, "ef");
	buf_put_char(&b, 'g');
	buf_put_fmt(&b, "-%d-%s", 7, "x");
	buf_put_u64(&b, UINT64_MAX);
	buf_put_char(&b, ' ');
	buf_put_i64(&b, INT64_MIN);
	buf_put_i64(&b, 0);
	buf_put_hex(&b, "\x00\xff", 2);
	buf_check(&b);
	CHECK_STR("all", "abcdefg-7-x18446744073709551615 -9223372036854775808000ff", buf_str(&b));
	buf_release(&b);
	buf_check(&b);
}

static void ceiling_both_sides(void **state)
{
	struct buf b;

	(void)state;
	for (size_t max = 1; max < 300; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_put_char(&b, 'x');
		buf_check(&b);
		assert_false(buf_failed(&b));
		CHECK_INT("len", max, b.len);
		buf_put(&b, "", 0);
		assert_false(buf_failed(&b));
		buf_put_char(&b, 'x');
		assert_true(buf_failed(&b));
		buf_check(&b);
		buf_put_text(&b, "later");
		assert_true(buf_failed(&b));
		CHECK_STR("failed", "", buf_str(&b));
		buf_reset(&b);
		buf_put_char(&b, 'y');
		CHECK_STR("again", "y", buf_str(&b));
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_appends),
		cmocka_unit_test(ceiling_both_sides),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
