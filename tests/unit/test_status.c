/* SPDX-License-Identifier: MIT */
/* test_status.c - evidence in every order gives the same status, and never a lower one */
#include "unit.h"

#include "gateway/status.h"

static const char *const words[] = { "sent", "delivered", "read", "played", "failed", "deleted" };
#define N ARRAY_LEN(words)

static const char *merge(const size_t *order, size_t count, bool *failed)
{
	struct status_merged m = { 0 };

	for (size_t i = 0; i < count; i++)
		status_merge(&m, str_from(words[order[i]]));
	*failed = m.failed;
	return status_word(&m);
}

/* All orders of the first `count` of `order`, by Heap's algorithm without recursion. */
static void every_order_agrees(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 1U << N; set++) {
		size_t order[N], turn[N] = { 0 }, count = 0, i = 1;
		bool failed, want_failed;
		const char *want;

		for (size_t k = 0; k < N; k++)
			if ((set & BIT(k)) != 0)
				order[count++] = k;
		want = merge(order, count, &want_failed);
		while (i < count) {
			size_t swap, with;

			if (turn[i] >= i) {
				turn[i++] = 0;
				continue;
			}
			with = i % 2 == 0 ? 0 : turn[i];
			swap = order[with];
			order[with] = order[i];
			order[i] = swap;
			turn[i]++;
			i = 1;
			assert_ptr_equal(merge(order, count, &failed), want);
			assert_int_equal(failed, want_failed);
		}
	}
}

static void the_ladder(void **state)
{
	static const struct {
		const char *name;
		size_t order[3], count;
		const char *want;
	} cases[] = {
		{ "nothing", { 0 }, 0, NULL },
		{ "sent", { 0 }, 1, "sent" },
		{ "read implies delivered", { 2 }, 1, "read" },
		{ "delivered after read", { 2, 1 }, 2, "read" },
		{ "sent after delivered", { 1, 0 }, 2, "delivered" },
		{ "failed", { 4 }, 1, "failed" },
		{ "sent and failed", { 0, 4 }, 2, "failed" },
		{ "failed, then delivered all the same", { 4, 1 }, 2, "delivered" },
		{ "a word outside the ladder", { 5 }, 1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool failed;
		const char *got = merge(cases[i].order, cases[i].count, &failed);

		CHECK_STR(cases[i].name, cases[i].want, str_from(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_agrees),
		cmocka_unit_test(the_ladder),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
