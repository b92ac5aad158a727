/* SPDX-License-Identifier: MIT */
/* test_buf.c - appending, ceilings, the sticky failure, and handing over */
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
	buf_put_i64(&b, -1);
	buf_put_hex(&b, "\x00\xff", 2);
	buf_put_str(&b, str_make(NULL, 0));
	buf_check(&b);
	CHECK_STR("all", "abcdefg-7-x18446744073709551615 -92233720368547758080-100ff",
		  buf_str(&b));
	buf_release(&b);
	buf_check(&b);
	buf_release(&b);
}

static void ceiling_by_characters(void **state)
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
		buf_put_u64(&b, 1);
		assert_true(buf_failed(&b));
		CHECK_STR("failed", "", buf_str(&b));
		buf_reset(&b);
		buf_put_char(&b, 'y');
		CHECK_STR("again", "y", buf_str(&b));
		buf_release(&b);
	}
}

enum how { BY_PUT, BY_FMT, BY_HEX, BY_ROOM };

/* Append `len` bytes (even) one way. */
static void append(struct buf *b, enum how how, size_t len)
{
	static char text[1001];
	char *place;

	memset(text, 'x', sizeof(text) - 1);
	switch (how) {
	case BY_PUT: buf_put(b, text, len); break;
	case BY_FMT: buf_put_fmt(b, "%.*s", (int)len, text); break;
	case BY_HEX: buf_put_hex(b, text, len / 2); break;
	case BY_ROOM:
		place = buf_room(b, len);
		if (place != NULL) {
			memset(place, 'x', len);
			buf_grew(b, len);
		}
		break;
	}
}

static void ceiling_every_way(void **state)
{
	static const size_t sizes[] = { 2, 62, 64, 66, 126, 128, 130, 256, 1000 };
	struct buf b;

	(void)state;
	for (enum how how = BY_PUT; how <= BY_ROOM; how++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			buf_init(&b, sizes[i]);
			append(&b, how, sizes[i]);
			buf_check(&b);
			CHECK_INT("at the ceiling", sizes[i], b.len);
			buf_release(&b);
			buf_init(&b, sizes[i] - 1);
			append(&b, how, sizes[i]);
			buf_check(&b);
			assert_true(buf_failed(&b));
			buf_release(&b);
			buf_init(&b, sizes[i] + 1);
			buf_put_char(&b, 'a');
			append(&b, how, sizes[i]);
			CHECK_INT("behind something", sizes[i] + 1, b.len);
			append(&b, how, 2);
			assert_true(buf_failed(&b));
			buf_release(&b);
		}
	}
}

static void huge_lengths_fail(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put_text(&b, "abc");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(buf_failed(&b));
	buf_reset(&b);
	buf_put_hex(&b, "x", SIZE_MAX / 2 + 1);
	assert_true(buf_failed(&b));
	buf_release(&b);
	assert_false(buf_failed(&b));
}

static void cut_and_reset(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_cut(&b, 0);
	buf_put_text(&b, "abcdef");
	buf_cut(&b, 3);
	buf_check(&b);
	CHECK_STR("cut", "abc", buf_str(&b));
	buf_put_char(&b, 'x');
	CHECK_STR("on", "abcx", buf_str(&b));
	buf_reset(&b);
	buf_check(&b);
	CHECK_STR("reset", "", buf_str(&b));
	assert_true(b.cap > 0);
	buf_put_text(&b, "secret");
	buf_wipe(&b);
	buf_check(&b);
	CHECK_INT("wiped", 0, b.cap);
	buf_wipe(&b);
	buf_put_text(&b, "x");
	buf_fail(&b);
	buf_check(&b);
	assert_true(buf_failed(&b));
}

static void take(void **state)
{
	struct buf b;
	struct str s;

	(void)state;
	buf_init(&b, 100);
	s = buf_take(&b); /* of nothing: still a pointer */
	assert_non_null(s.ptr);
	CHECK_STR("empty", "", s);
	free((void *)(uintptr_t)s.ptr);
	buf_put_text(&b, "abc");
	s = buf_take(&b);
	CHECK_STR("taken", "abc", s);
	CHECK_INT("NUL", 0, s.ptr[3]);
	CHECK_STR("left", "", buf_str(&b));
	buf_check(&b);
	free((void *)(uintptr_t)s.ptr);
	buf_fail(&b);
	s = buf_take(&b);
	assert_null(s.ptr);
	CHECK_INT("failed", 0, s.len);
	assert_true(buf_failed(&b));
}

static void init_with_zero(void *arg)
{
	buf_init(arg, 0);
}

static void cut_longer(void *arg)
{
	buf_cut(arg, 4);
}

static void grew_too_far(void *arg)
{
	struct buf *b = arg;

	buf_grew(b, b->cap);
}

static void misuse_dies(void **state)
{
	struct buf b;

	(void)state;
	assert_true(dies(init_with_zero, &b));
	buf_init(&b, 100);
	assert_true(dies(grew_too_far, &b));
	buf_put_text(&b, "abc");
	assert_true(dies(cut_longer, &b));
	assert_true(dies(grew_too_far, &b));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_appends),       cmocka_unit_test(ceiling_by_characters),
		cmocka_unit_test(ceiling_every_way), cmocka_unit_test(huge_lengths_fail),
		cmocka_unit_test(cut_and_reset),     cmocka_unit_test(take),
		cmocka_unit_test(misuse_dies),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
