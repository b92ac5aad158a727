/* SPDX-License-Identifier: MIT */
/* test_breaker.c - when it opens, how it is probed, and how it starts again */
#include "unit.h"

#include "base/clock.h"
#include "gateway/breaker.h"

#define S NS_PER_S

struct bench {
	struct breaker b;
	struct rnd rnd;
	int64_t now;
};

static void start(struct bench *x, unsigned max)
{
	rnd_init_seed(&x->rnd, 1);
	breaker_init(&x->b, max, &x->rnd);
	x->now = 1000 * S;
}

static void call(struct bench *x, enum breaker_result result)
{
	bool probe = breaker_sent(&x->b);

	breaker_answered(&x->b, x->now, result, probe);
}

static void calls(struct bench *x, size_t count, enum breaker_result result)
{
	for (size_t i = 0; i < count; i++)
		call(x, result);
}

static const struct {
	const char *name;
	size_t ok, failed;
	bool opens;
} shares[] = {
	{ "nine failures", 0, 9, false },
	{ "ten failures", 0, 10, true },
	{ "seven of ten", 3, 7, true },
	{ "six of ten", 4, 6, false },
	{ "69 of 99: less than 70 %", 30, 69, false },
	{ "70 of 100", 30, 70, true },
	{ "none", 100, 0, false },
};

static void opens_at_seventy_percent_of_ten(void **state)
{
	struct bench x;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		start(&x, 64);
		calls(&x, shares[i].ok, BREAKER_OK);
		calls(&x, shares[i].failed, BREAKER_FAILED);
		CHECK_INT(shares[i].name, shares[i].opens, breaker_is_open(&x.b));
	}
}

static void forgets_after_a_minute(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 9, BREAKER_FAILED);
	x.now += 61 * S;
	call(&x, BREAKER_FAILED);
	CHECK_INT("nine are too old", false, breaker_is_open(&x.b));
	start(&x, 64);
	calls(&x, 9, BREAKER_FAILED);
	x.now += 50 * S;
	call(&x, BREAKER_FAILED);
	CHECK_INT("nine still count", true, breaker_is_open(&x.b));
	start(&x, 64);
	for (size_t i = 0; i < 1000; i++, x.now += 7 * S)
		call(&x, BREAKER_FAILED); /* never ten in a minute */
	CHECK_INT("a trickle", false, breaker_is_open(&x.b));
}

static void opens_after_five_connections(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 4, BREAKER_UNREACHED);
	CHECK_INT("four", false, breaker_is_open(&x.b));
	call(&x, BREAKER_UNREACHED);
	CHECK_INT("five", true, breaker_is_open(&x.b));
	start(&x, 64);
	calls(&x, 20, BREAKER_OK);
	calls(&x, 4, BREAKER_UNREACHED);
	call(&x, BREAKER_FAILED); /* it answered */
	calls(&x, 4, BREAKER_UNREACHED);
	CHECK_INT("in a row", false, breaker_is_open(&x.b));
	start(&x, 64);
	calls(&x, 4, BREAKER_UNREACHED);
	call(&x, BREAKER_NEUTRAL);
	call(&x, BREAKER_UNREACHED);
	CHECK_INT("patience is an answer", false, breaker_is_open(&x.b));
}

static void patience_does_not_count(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 1000, BREAKER_NEUTRAL);
	CHECK_INT("closed", false, breaker_is_open(&x.b));
	calls(&x, 9, BREAKER_FAILED);
	CHECK_INT("not among the ten", false, breaker_is_open(&x.b));
}

static void is_probed_every_thirty_seconds(void **state)
{
	struct bench x;
	int64_t from, first = 0;
	bool differ = false;

	(void)state;
	start(&x, 64);
	calls(&x, 10, BREAKER_FAILED);
	for (size_t i = 0; i < 50; i++) {
		from = x.now;
		CHECK_INT("parked", 0, breaker_window(&x.b, x.now));
		CHECK_INT("parked", 0, breaker_window(&x.b, from + 27 * S - 1));
		x.now = breaker_probe_ns(&x.b);
		assert_in_range(x.now - from, 27 * S, 33 * S);
		differ |= i > 0 && x.now - from != first;
		first = x.now - from;
		CHECK_INT("one", 1, breaker_window(&x.b, x.now));
		assert_true(breaker_sent(&x.b));
		CHECK_INT("and no other", 0, breaker_window(&x.b, x.now + 1000 * S));
		CHECK_INT("none planned", true, breaker_probe_ns(&x.b) == INT64_MAX);
		breaker_answered(&x.b, x.now, BREAKER_FAILED, true);
	}
	assert_true(differ); /* jitter */
}

/* A call that was under way when it opened says nothing about the probe. */
static void stragglers(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 10, BREAKER_FAILED);
	x.now = breaker_probe_ns(&x.b);
	assert_true(breaker_sent(&x.b));
	breaker_answered(&x.b, x.now, BREAKER_FAILED, false);
	CHECK_INT("the probe is still out", 0, breaker_window(&x.b, x.now + 1000 * S));
	breaker_answered(&x.b, x.now, BREAKER_OK, false);
	CHECK_INT("good news are welcome", false, breaker_is_open(&x.b));
	breaker_answered(&x.b, x.now, BREAKER_FAILED, true);
	CHECK_INT("one failure alone does not open it", false, breaker_is_open(&x.b));
}

static void starts_slowly(void **state)
{
	struct bench x;
	size_t successes = 0;

	(void)state;
	start(&x, 8);
	CHECK_INT("closed", 8, breaker_window(&x.b, x.now));
	calls(&x, 10, BREAKER_FAILED);
	x.now = breaker_probe_ns(&x.b);
	call(&x, BREAKER_OK);
	for (unsigned window = 5; window < 8; window++) {
		CHECK_INT("window", window, breaker_window(&x.b, x.now));
		calls(&x, window - 1, BREAKER_OK);
		CHECK_INT("not before a whole cohort", window, breaker_window(&x.b, x.now));
		call(&x, BREAKER_OK);
		successes += window;
	}
	CHECK_INT("all", 8, breaker_window(&x.b, x.now));
	CHECK_INT("closed", BREAKER_CLOSED, x.b.state);
	CHECK_INT("5 + 6 + 7", 18, successes);
}

static void slow_start_shrinks_and_opens_again(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 10, BREAKER_FAILED);
	x.now = breaker_probe_ns(&x.b);
	call(&x, BREAKER_OK);
	for (unsigned window = 4; window >= 1; window--) {
		call(&x, BREAKER_FAILED);
		CHECK_INT("one less", window, breaker_window(&x.b, x.now));
	}
	call(&x, BREAKER_FAILED);
	CHECK_INT("never none", 1, breaker_window(&x.b, x.now));
	calls(&x, 5, BREAKER_FAILED);
	CHECK_INT("open again", true, breaker_is_open(&x.b));
}

static void old_failures_are_forgotten_by_a_good_probe(void **state)
{
	struct bench x;

	(void)state;
	start(&x, 64);
	calls(&x, 10, BREAKER_FAILED);
	x.now = breaker_probe_ns(&x.b);
	call(&x, BREAKER_OK);
	calls(&x, 9, BREAKER_FAILED);
	CHECK_INT("nine new ones", false, breaker_is_open(&x.b));
	call(&x, BREAKER_FAILED);
	CHECK_INT("ten", true, breaker_is_open(&x.b));
}

static void a_small_ceiling_needs_no_slow_start(void **state)
{
	struct bench x;

	(void)state;
	for (unsigned max = 1; max <= 5; max++) {
		start(&x, max);
		calls(&x, 10, BREAKER_FAILED);
		x.now = breaker_probe_ns(&x.b);
		call(&x, BREAKER_OK);
		CHECK_INT("closed", BREAKER_CLOSED, x.b.state);
		CHECK_INT("never over the ceiling", max, breaker_window(&x.b, x.now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_at_seventy_percent_of_ten),
		cmocka_unit_test(forgets_after_a_minute),
		cmocka_unit_test(opens_after_five_connections),
		cmocka_unit_test(patience_does_not_count),
		cmocka_unit_test(is_probed_every_thirty_seconds),
		cmocka_unit_test(stragglers),
		cmocka_unit_test(starts_slowly),
		cmocka_unit_test(slow_start_shrinks_and_opens_again),
		cmocka_unit_test(old_failures_are_forgotten_by_a_good_probe),
		cmocka_unit_test(a_small_ceiling_needs_no_slow_start),
	};

	return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
