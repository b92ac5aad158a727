/* SPDX-License-Identifier: MIT */
/* test_backoff.c - of each class of answers: its delays, their jitter, the tries of a lifetime */
#include "unit.h"

#include "gateway/backoff.h"
#include "gateway/classify.h"

#define RETRY_MAX (INT64_C(3600) * 1000)
#define DAY (INT64_C(86400) * 1000)
#define SAMPLES 300

/* s; tries: the most that a day has room for when chance makes every delay as short as it may be */
static const struct {
	const char *name;
	enum http_end end;
	int code;
	int64_t first_s, longest_s;
	uint32_t tries;
} classes[] = {
	{ "calls of the app", HTTP_END_ANSWERED, 4, 30, 3600, 36 },
	{ "calls of the account", HTTP_END_ANSWERED, 80007, 30, 3600, 36 },
	{ "the number's rate", HTTP_END_ANSWERED, 130429, 1, 60, 1805 },
	{ "the pair", HTTP_END_ANSWERED, 131056, 1, 3600, 41 },
	{ "an upgrade", HTTP_END_ANSWERED, 131057, 60, 3600, 35 },
	{ "registering", HTTP_END_ANSWERED, 133016, 60, 3600, 35 },
	{ "a server error, 1", HTTP_END_ANSWERED, 1, 2, 3600, 40 },
	{ "a server error, 2", HTTP_END_ANSWERED, 2, 2, 3600, 40 },
	{ "a server error, 131016", HTTP_END_ANSWERED, 131016, 2, 3600, 40 },
	{ "a server error, 133004", HTTP_END_ANSWERED, 133004, 2, 3600, 40 },
	{ "nothing was sent", HTTP_END_NOT_SENT, 0, 1, 60, 1805 },
	{ "the connection was refused", HTTP_END_REFUSED, 0, 1, 60, 1805 },
};

static struct verdict verdict_of(size_t i)
{
	struct arena *a = arena_new(1U << 16);
	struct http_outcome o = { .end = classes[i].end, .status = 400, .error = GW_ERROR_INIT };
	char answer[128];
	struct verdict v;

	(void)snprintf(answer, sizeof(answer), "{\"error\":{\"message\":\"no\",\"code\":%d}}",
		       classes[i].code);
	o.answer = str_from(answer);
	classify(&o, false, a, &v); /* the switch: server errors prove that nothing was taken */
	arena_free(a);
	CHECK_INT(classes[i].name, OUTQ_WAITING, v.to);
	return v;
}

static int64_t most_of(const struct verdict *v)
{
	return v->max_ms > 0 && v->max_ms < RETRY_MAX ? v->max_ms : RETRY_MAX;
}

static int64_t nominal_ms(size_t i, uint32_t tries)
{
	int64_t ms = classes[i].first_s * 1000;

	for (uint32_t k = 1; k < tries && ms < classes[i].longest_s * 1000; k++)
		ms *= 2;
	return ms < classes[i].longest_s * 1000 ? ms : classes[i].longest_s * 1000;
}

/* Within 20 % of base x 2^(n-1) up to the longest, on both sides, and never all the same. */
static void each_class_in_its_bounds(void **state)
{
	static const uint32_t tries[] = { 1, 2, 3, 6, 7, 12, 13, 40, 100000, UINT32_MAX };
	struct rnd rnd;

	(void)state;
	rnd_init_seed(&rnd, 11);
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		struct verdict v = verdict_of(i);

		for (size_t k = 0; k < ARRAY_LEN(tries); k++) {
			int64_t mid = nominal_ms(i, tries[k]), low = INT64_MAX, high = 0;

			for (int s = 0; s < SAMPLES; s++) {
				int64_t ms = backoff_ms(v.base_ms, most_of(&v), tries[k], &rnd);

				low = ms < low ? ms : low;
				high = ms > high ? ms : high;
			}
			assert_in_range(low, mid * 80 / 100, mid * 85 / 100);
			assert_in_range(high, mid * 115 / 100, mid * 120 / 100);
		}
	}
}

/* What burns no attempt is capped by the lifetime: so many tries fit into it, and no more. */
static void tries_of_a_lifetime(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		uint32_t tries = 1;
		int64_t at;

		for (at = 0; at < DAY; tries++)
			at += nominal_ms(i, tries) * 80 / 100;
		CHECK_INT(classes[i].name, classes[i].tries, tries - 1);
		CHECK_INT(classes[i].name,
			  classes[i].code == 1 || classes[i].code == 2 ||
				  classes[i].code == 131016 || classes[i].code == 133004,
			  verdict_of(i).burns);
	}
}

static void a_time_that_was_named_is_kept(void **state)
{
	struct rnd rnd;
	int64_t low = INT64_MAX, high = 0;

	(void)state;
	rnd_init_seed(&rnd, 12);
	for (int s = 0; s < SAMPLES; s++) {
		int64_t ms = backoff_after_ms(30000, &rnd);

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	assert_in_range(low, 30000, 30100);
	assert_in_range(high, 32900, 33000);
	CHECK_INT("nothing", 0, backoff_after_ms(0, &rnd));
	CHECK_INT("too short for a part", 4, backoff_around_ms(4, &rnd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_in_its_bounds),
		cmocka_unit_test(tries_of_a_lifetime),
		cmocka_unit_test(a_time_that_was_named_is_kept),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
