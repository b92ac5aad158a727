/* SPDX-License-Identifier: MIT */
/* test_clock.c - advance, freeze, resume and set_wall, and how times are written */
#include "unit.h"

#include "base/clock.h"

/* More than any test takes, less than any step it makes. */
#define SLACK_NS (60 * NS_PER_S)
#define HOUR_NS (3600 * NS_PER_S)

static void check_near(const char *name, int64_t want, int64_t got, int64_t slack)
{
	if (got < want || got - want > slack)
		CHECK_INT(name, want, got);
}

static void starts_with_the_system(void **state)
{
	int64_t real = clock_real_ns();
	int64_t wall = clock_real_wall_ms();
	struct clock c;

	(void)state;
	clock_init(&c);
	check_near("mono", real, clock_mono_ns(&c), SLACK_NS);
	check_near("wall", wall - 1, clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
	check_near("seconds", wall / 1000 - 1, clock_wall_s(&c), SLACK_NS / NS_PER_S);
	assert_false(clock_is_frozen(&c));
	assert_true(wall > INT64_C(1600000000000));
}

static void advance_moves_both(void **state)
{
	struct clock c;
	int64_t mono, wall;

	(void)state;
	clock_init(&c);
	mono = clock_mono_ns(&c);
	wall = clock_wall_ms(&c);
	clock_advance(&c, 0);
	clock_advance(&c, HOUR_NS);
	check_near("mono", mono + HOUR_NS, clock_mono_ns(&c), SLACK_NS);
	check_near("wall", wall + 3600000, clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
	mono = clock_mono_ns(&c);
	check_near("real stays", mono - HOUR_NS, clock_real_ns(), SLACK_NS);
}

static void frozen_stands_still(void **state)
{
	struct clock c;
	int64_t mono, wall;

	(void)state;
	clock_init(&c);
	clock_freeze(&c);
	assert_true(clock_is_frozen(&c));
	mono = clock_mono_ns(&c);
	wall = clock_wall_ms(&c);
	while (clock_real_ns() < mono + 2 * NS_PER_MS)
		continue;
	clock_freeze(&c); /* again: nothing changes */
	CHECK_INT("mono", mono, clock_mono_ns(&c));
	CHECK_INT("wall", wall, clock_wall_ms(&c));
	clock_advance(&c, 5 * NS_PER_MS);
	CHECK_INT("advanced", mono + 5 * NS_PER_MS, clock_mono_ns(&c));
	CHECK_INT("wall advanced", wall + 5, clock_wall_ms(&c));
}

static void resume_runs_on(void **state)
{
	struct clock c;
	int64_t mono, wall;

	(void)state;
	clock_init(&c);
	clock_resume(&c); /* running: nothing changes */
	clock_freeze(&c);
	clock_advance(&c, HOUR_NS);
	mono = clock_mono_ns(&c);
	wall = clock_wall_ms(&c);
	clock_resume(&c);
	assert_false(clock_is_frozen(&c));
	check_near("mono", mono, clock_mono_ns(&c), SLACK_NS);
	check_near("wall", wall, clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
	mono = clock_mono_ns(&c);
	while (clock_mono_ns(&c) == mono)
		continue; /* it runs */
}

static void set_wall_frozen(void **state)
{
	const struct {
		const char *name;
		int64_t by_ms;
		int64_t mono_by_ms;
	} cases[] = {
		{ "same", 0, 0 },
		{ "a millisecond on", 1, 1 },
		{ "a day on", 86400000, 86400000 },
		{ "a millisecond back", -1, 0 },
		{ "a day back", -86400000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct clock c;
		int64_t mono, wall;

		clock_init(&c);
		clock_freeze(&c);
		clock_set_wall(&c, clock_wall_ms(&c) + 1); /* to a whole millisecond */
		mono = clock_mono_ns(&c);
		wall = clock_wall_ms(&c);
		clock_set_wall(&c, wall + cases[i].by_ms);
		CHECK_INT(cases[i].name, wall + cases[i].by_ms, clock_wall_ms(&c));
		CHECK_INT(cases[i].name, mono + cases[i].mono_by_ms * NS_PER_MS, clock_mono_ns(&c));
	}
}

static void set_wall_running(void **state)
{
	struct clock c;
	int64_t mono;

	(void)state;
	clock_init(&c);
	mono = clock_mono_ns(&c);
	clock_set_wall(&c, INT64_C(4102444800000)); /* 2100 */
	check_near("forward", INT64_C(4102444800000), clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
	assert_true(clock_mono_ns(&c) > mono + 24 * HOUR_NS);
	mono = clock_mono_ns(&c);
	clock_set_wall(&c, INT64_C(1000000000000)); /* 2001 */
	check_near("back", INT64_C(1000000000000), clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
	check_near("mono not back", mono, clock_mono_ns(&c), SLACK_NS);
}

static void extremes_do_not_overflow(void **state)
{
	struct clock c;
	int64_t mono;

	(void)state;
	for (int frozen = 0; frozen < 2; frozen++) {
		clock_init(&c);
		if (frozen)
			clock_freeze(&c);
		clock_set_wall(&c, INT64_MIN);
		check_near("epoch", 0, clock_wall_ms(&c), SLACK_NS / NS_PER_MS);
		clock_set_wall(&c, INT64_MAX);
		clock_advance(&c, INT64_MAX);
		mono = clock_mono_ns(&c);
		clock_advance(&c, INT64_MAX);
		assert_true(clock_mono_ns(&c) >= mono && clock_wall_ms(&c) > 0);
		clock_set_wall(&c, INT64_MIN);
		assert_true(clock_mono_ns(&c) >= mono && clock_wall_ms(&c) >= 0);
	}
}

/* However often it has gone forward, and with nothing left before the ceiling of mono. */
static void set_wall_shows_it_always(void **state)
{
	const int64_t early = INT64_C(1000000000000), late = INT64_C(7000000000000);
	struct clock c;
	int64_t mono = 0;

	(void)state;
	clock_init(&c);
	clock_freeze(&c);
	for (int i = 0; i < 10; i++) {
		clock_set_wall(&c, late + i);
		CHECK_INT("late", late + i, clock_wall_ms(&c));
		clock_set_wall(&c, early);
		CHECK_INT("early", early, clock_wall_ms(&c));
		CHECK_INT("mono", true, clock_mono_ns(&c) >= mono);
		mono = clock_mono_ns(&c);
	}
}

/* ---- a time of day that is stepped */

struct stepped {
	struct clock_source source;
	int64_t ns;
};

static int64_t stepped_ns(const struct clock_source *source)
{
	return ((const struct stepped *)(const void *)source)->ns;
}

#define NOON_MS INT64_C(1795000000000)

static void steps_are_followed(void **state)
{
	const int64_t steps_ms[] = { 1, 3600000, -3600000, -86400000, 30 * INT64_C(86400000), -1 };
	struct stepped day = { { stepped_ns }, NOON_MS * NS_PER_MS };
	int64_t want = NOON_MS;
	struct clock c;

	(void)state;
	clock_init_from(&c, &day.source);
	CHECK_INT("start", want, clock_wall_ms(&c));
	for (size_t i = 0; i < ARRAY_LEN(steps_ms); i++) {
		int64_t mono = clock_mono_ns(&c);

		day.ns += steps_ms[i] * NS_PER_MS;
		want += steps_ms[i];
		CHECK_INT("wall", want, clock_wall_ms(&c));
		CHECK_INT("seconds", want / 1000, clock_wall_s(&c));
		check_near("mono", mono, clock_mono_ns(&c), SLACK_NS);
	}
}

/* A clock that was moved keeps its distance from the time of day. */
static void steps_under_a_moved_clock(void **state)
{
	struct stepped day = { { stepped_ns }, NOON_MS * NS_PER_MS };
	struct clock c;

	(void)state;
	clock_init_from(&c, &day.source);
	clock_advance(&c, HOUR_NS);
	CHECK_INT("an hour on", NOON_MS + 3600000, clock_wall_ms(&c));
	day.ns -= 2 * HOUR_NS;
	CHECK_INT("back", NOON_MS - 3600000, clock_wall_ms(&c));
	clock_set_wall(&c, NOON_MS - 7200000); /* shifted by an hour */
	day.ns += HOUR_NS;
	CHECK_INT("on", NOON_MS - 3600000, clock_wall_ms(&c));
	clock_set_wall(&c, NOON_MS);
	CHECK_INT("set", NOON_MS, clock_wall_ms(&c));
}

static void steps_pass_a_frozen_clock_by(void **state)
{
	struct stepped day = { { stepped_ns }, NOON_MS * NS_PER_MS };
	struct clock c;

	(void)state;
	clock_init_from(&c, &day.source);
	clock_freeze(&c);
	day.ns += HOUR_NS;
	CHECK_INT("frozen", NOON_MS, clock_wall_ms(&c));
	clock_advance(&c, NS_PER_S);
	CHECK_INT("advanced", NOON_MS + 1000, clock_wall_ms(&c));
	clock_resume(&c);
	CHECK_INT("runs on from where it stood", NOON_MS + 1000, clock_wall_ms(&c));
	day.ns -= 2 * HOUR_NS;
	CHECK_INT("and follows", NOON_MS + 1000 - 7200000, clock_wall_ms(&c));
}

static void steps_out_of_the_world(void **state)
{
	const int64_t days[] = { INT64_MIN, -1, 0, INT64_MAX };
	struct stepped day = { { stepped_ns }, NOON_MS * NS_PER_MS };
	struct clock c;

	(void)state;
	clock_init_from(&c, &day.source);
	for (int moved = 0; moved < 4; moved++) {
		for (size_t i = 0; i < ARRAY_LEN(days); i++) {
			day.ns = days[i];
			assert_in_range(clock_wall_ms(&c), 0, INT64_C(8000000000000));
		}
		if (moved == 0)
			clock_advance(&c, INT64_MAX);
		else
			clock_set_wall(&c, moved == 1 ? INT64_MAX : NOON_MS);
	}
}

static void advance_back(void *arg)
{
	clock_advance(arg, -1);
}

static void never_back(void **state)
{
	struct clock c;

	(void)state;
	clock_init(&c);
	assert_true(dies(advance_back, &c));
}

static void texts(void **state)
{
	const struct {
		int64_t ms;
		const char *with_ms, *to_the_second;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z" },
		{ 999, "1970-01-01T00:00:00.999Z", "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z" },
		{ -86400000, "1969-12-31T00:00:00.000Z", "1969-12-31T00:00:00Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00Z" },
		{ INT64_C(951868799999), "2000-02-29T23:59:59.999Z", "2000-02-29T23:59:59Z" },
		{ INT64_C(951868800000), "2000-03-01T00:00:00.000Z", "2000-03-01T00:00:00Z" },
		{ INT64_C(1795198971214), "2026-11-20T18:22:51.214Z", "2026-11-20T18:22:51Z" },
		{ INT64_C(4107542400000), "2100-03-01T00:00:00.000Z", "2100-03-01T00:00:00Z" },
		{ INT64_C(4107542399000), "2100-02-28T23:59:59.000Z", "2100-02-28T23:59:59Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z" },
		{ INT64_C(253402300800000), "9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.807Z", "9999-12-31T23:59:59Z" },
		{ INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.192Z", "0000-01-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[CLOCK_RFC3339_MAX];
		int64_t ms = cases[i].ms;

		clock_format_ms(ms, text);
		CHECK_STR("ms", cases[i].with_ms, str_from(text));
		clock_format_s(ms / 1000 - (ms % 1000 < 0), text);
		CHECK_STR("s", cases[i].to_the_second, str_from(text));
	}
}

/* Every day of a few centuries against the C library. */
static void days_against_the_library(void **state)
{
	(void)state;
	for (int64_t day = -200000; day < 200000; day += 1) {
		char text[CLOCK_RFC3339_MAX], want[64];
		time_t t = (time_t)(day * 86400 + 43200);
		struct tm tm;

		if (day % 7 != 0 && day % 365 > 70)
			continue;
		assert_non_null(gmtime_r(&t, &tm));
		(void)strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		clock_format_s(t, text);
		CHECK_STR("day", want, str_from(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_the_system),
		cmocka_unit_test(advance_moves_both),
		cmocka_unit_test(frozen_stands_still),
		cmocka_unit_test(resume_runs_on),
		cmocka_unit_test(set_wall_frozen),
		cmocka_unit_test(set_wall_running),
		cmocka_unit_test(extremes_do_not_overflow),
		cmocka_unit_test(set_wall_shows_it_always),
		cmocka_unit_test(steps_are_followed),
		cmocka_unit_test(steps_under_a_moved_clock),
		cmocka_unit_test(steps_pass_a_frozen_clock_by),
		cmocka_unit_test(steps_out_of_the_world),
		cmocka_unit_test(never_back),
		cmocka_unit_test(texts),
		cmocka_unit_test(days_against_the_library),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
