/* SPDX-License-Identifier: MIT */
/* test_rnd.c - the reproducible sequence, the kernel's pool, and bounds */
#include "unit.h"

#include "base/rnd.h"

/* splitmix64 seeding and xoshiro256** from an independent implementation, seed 42. */
static void known_sequence(void **state)
{
	static const uint64_t want[] = {
		UINT64_C(0x15780b2e0c2ec716),
		UINT64_C(0x6104d9866d113a7e),
		UINT64_C(0xae17533239e499a1),
		UINT64_C(0xecb8ad4703b360a1),
	};
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 42);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		CHECK_INT("word", want[i], rnd_u64(&r));
}

static void bytes_are_words(void **state)
{
	struct rnd a, b;
	unsigned char bytes[12];
	uint64_t word;

	(void)state;
	rnd_init_seed(&a, 7);
	rnd_init_seed(&b, 7);
	rnd_bytes(&a, bytes, sizeof(bytes));
	word = rnd_u64(&b);
	for (size_t i = 0; i < 8; i++)
		CHECK_INT("low byte first", word >> (8 * i) & 255, bytes[i]);
	word = rnd_u64(&b);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT("second word", word >> (8 * i) & 255, bytes[8 + i]);
	CHECK_INT("in step", rnd_u64(&a), rnd_u64(&b));
	rnd_init_seed(&b, 8);
	assert_true(rnd_u64(&a) != rnd_u64(&b));
}

static void kernel_bytes_of_any_length(void **state)
{
	static const size_t sizes[] = { 0, 1, 8, 10, 255, 256, 257, 5000 };
	static unsigned char bytes[5001];
	struct rnd r;

	(void)state;
	rnd_init_system(&r);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t ones = 0;

		memset(bytes, 0xA5, sizeof(bytes));
		rnd_bytes(&r, bytes, sizes[i]);
		CHECK_INT("not further", 0xA5, bytes[sizes[i]]);
		for (size_t j = 0; j < sizes[i]; j++)
			ones += (size_t)__builtin_popcount(bytes[j]);
		if (sizes[i] >= 5000) /* 40,000 coins: 15 standard deviations */
			assert_true(ones > 18500 && ones < 21500);
	}
}

static void handed_out_bytes_leave_the_pool(void **state)
{
	unsigned char word[8];
	struct rnd r;

	(void)state;
	rnd_init_system(&r);
	for (int i = 0; i < 100; i++) {
		uint64_t first = rnd_u64(&r);

		memcpy(word, &first, sizeof(word));
		assert_null(memmem(r.pool, sizeof(r.pool), word, sizeof(word)));
		assert_true(rnd_u64(&r) != first);
	}
}

static void bounds(void **state)
{
	static const uint64_t limits[] = { 1, 2, 3, 10, 1000, (UINT64_C(1) << 63) + 1, UINT64_MAX };
	size_t hits[10] = { 0 };
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 3);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		for (int j = 0; j < 1000; j++)
			assert_true(rnd_below(&r, limits[i]) < limits[i]);
	}
	for (int j = 0; j < 100000; j++)
		hits[rnd_below(&r, 10)]++;
	for (size_t i = 0; i < 10; i++)
		assert_true(hits[i] > 9500 && hits[i] < 10500);
}

static void below_zero(void *arg)
{
	(void)rnd_below(arg, 0);
}

static void bound_zero_dies(void **state)
{
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 1);
	assert_true(dies(below_zero, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sequence),
		cmocka_unit_test(bytes_are_words),
		cmocka_unit_test(kernel_bytes_of_any_length),
		cmocka_unit_test(handed_out_bytes_leave_the_pool),
		cmocka_unit_test(bounds),
		cmocka_unit_test(bound_zero_dies),
	};

	return cmocka_run_group_tests_name("rnd", tests, NULL, NULL);
}
