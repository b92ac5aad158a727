/* SPDX-License-Identifier: MIT */
/* test_arena.c - alignment, ceilings, chunks, and giving back */
#include "unit.h"

#include "base/arena.h"

#include <stdalign.h>

#define ALIGN alignof(max_align_t)

static void pieces_are_apart_and_aligned(void **state)
{
	enum { PIECES = 3000 };
	static unsigned char *pieces[PIECES];
	struct arena *a = arena_new(SIZE_MAX);

	(void)state;
	for (size_t i = 0; i < PIECES; i++) {
		size_t size = i % 700;

		pieces[i] = arena_alloc(a, size);
		assert_non_null(pieces[i]);
		CHECK_INT("aligned", 0, (uintptr_t)pieces[i] % ALIGN);
		memset(pieces[i], (int)(i % 251), size);
	}
	for (size_t i = 0; i < PIECES; i++) {
		for (size_t j = 0; j < i % 700; j++)
			assert_int_equal(pieces[i][j], i % 251);
	}
	arena_free(a);
	arena_free(NULL);
}

static void ceiling_both_sides(void **state)
{
	static const size_t sizes[] = { 16, 4096, 100000, 1048576 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct arena *a = arena_new(sizes[i]);

		assert_null(arena_alloc(a, sizes[i] + 1));
		CHECK_INT("untouched", 0, arena_used(a));
		assert_non_null(arena_alloc(a, sizes[i]));
		CHECK_INT("full", sizes[i], arena_used(a));
		assert_null(arena_alloc(a, 1));
		assert_non_null(arena_alloc(a, 0));
		assert_null(arena_str(a, STR("")).ptr);
		arena_reset(a);
		CHECK_INT("reset", 0, arena_used(a));
		assert_non_null(arena_alloc(a, 1));
		CHECK_INT("rounded up", ALIGN, arena_used(a));
		arena_free(a);
	}
}

static void refusal_leaves_it_usable(void **state)
{
	struct arena *a = arena_new(64);
	struct str s;

	(void)state;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - ALIGN));
	assert_null(arena_zalloc(a, 65));
	s = arena_str(a, str_make("", SIZE_MAX));
	assert_null(s.ptr);
	CHECK_INT("len", 0, s.len);
	assert_non_null(arena_alloc(a, 64));
	arena_free(a);
	a = arena_new(SIZE_MAX);
	assert_null(arena_alloc(a, SIZE_MAX - ALIGN)); /* the header does not fit any more */
	assert_non_null(arena_alloc(a, 64));
	arena_free(a);
}

static void zeroed_after_use(void **state)
{
	struct arena *a = arena_new(100000);

	(void)state;
	memset(arena_alloc(a, 3000), 0xAA, 3000);
	arena_reset(a);
	for (int round = 0; round < 5; round++) {
		const unsigned char *ptr = arena_zalloc(a, 3000);

		for (size_t i = 0; i < 3000; i++)
			assert_int_equal(ptr[i], 0);
	}
	arena_free(a);
}

static void strings(void **state)
{
	struct arena *a = arena_new(1000);
	struct str s = arena_str(a, str_make("abc", 2));

	(void)state;
	CHECK_STR("copy", "ab", s);
	CHECK_INT("NUL", 0, s.ptr[2]);
	s = arena_str(a, str_make(NULL, 0));
	assert_non_null(s.ptr);
	CHECK_STR("empty", "", s);
	arena_free(a);
}

static void shrink_gives_back(void **state)
{
	static const size_t sizes[] = { 100, 50000, 3000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct arena *a = arena_new(sizes[i] + 100);
		char *ptr = arena_alloc(a, sizes[i]);
		char *next;

		memset(ptr, 'x', sizes[i]);
		arena_shrink(a, ptr, sizes[i], 50);
		CHECK_INT("used", 64, arena_used(a));
		next = arena_alloc(a, 16);
		assert_ptr_equal(next, ptr + 64);
		CHECK_INT("kept", 'x', ptr[49]);
		arena_shrink(a, next, 16, 0);
		assert_ptr_equal(arena_alloc(a, sizes[i] - 64), next);
		arena_free(a);
	}
}

struct two {
	struct arena *a;
	void *older;
};

static void shrink_older(void *arg)
{
	const struct two *two = arg;

	arena_shrink(two->a, two->older, 32, 16);
}

static void shrink_of_an_older_piece_dies(void **state)
{
	struct two two = { arena_new(1000), NULL };

	(void)state;
	two.older = arena_alloc(two.a, 32);
	assert_non_null(arena_alloc(two.a, 32));
	assert_true(dies(shrink_older, &two));
	arena_free(two.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_apart_and_aligned),
		cmocka_unit_test(ceiling_both_sides),
		cmocka_unit_test(refusal_leaves_it_usable),
		cmocka_unit_test(zeroed_after_use),
		cmocka_unit_test(strings),
		cmocka_unit_test(shrink_gives_back),
		cmocka_unit_test(shrink_of_an_older_piece_dies),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
