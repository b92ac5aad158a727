/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the three clocks and their text form
 *
 * INVARIANTS  1. mono never goes back; clock_resume() runs on from the frozen
 *                value.  2. The movable clocks are at most AHEAD_MAX before
 *                the real one and the time of day counts up to DAY_TIME_MAX,
 *                so no sum of the parts of mono overflows 64 bits; the sum of
 *                wall is held between the epoch and WALL_MAX_MS.
 *             3. wall holds nothing of the time of day: a step of it is seen
 *                at the next reading.
 * THREADS     A reader repeats until the words it combined were all still
 *             there afterwards: one that sleeps through freeze and resume
 *             would otherwise see the frozen time pass at once.  What a state
 *             needs is written before the word that begins the state.
 * TESTS       tests/unit/test_clock.c
 */
#include "base/clock.h"

#include "base/panic.h"

#include <stdatomic.h>

#define RUNNING INT64_MIN
#define DAY_S INT64_C(86400)
#define AHEAD_MAX (INT64_C(36500) * DAY_S * NS_PER_S) /* a hundred years */
#define WALL_MAX_MS INT64_C(8000000000000) /* year 2223; 64 bits of ns end in 2262 */
#define DAY_TIME_MAX INT64_C(5000000000000000000) /* year 2128 */

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		PANIC("clock_gettime(%d) failed", (int)id);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_real_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_real_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}

static int64_t system_wall_ns(const struct clock_source *source)
{
	(void)source;
	return read_ns(CLOCK_REALTIME);
}

static const struct clock_source system_source = { system_wall_ns };

void clock_init_from(struct clock *c, const struct clock_source *source)
{
	c->source = source;
	atomic_init(&c->offset_ns, 0);
	atomic_init(&c->shift_ns, 0);
	atomic_init(&c->frozen_ns, RUNNING);
	atomic_init(&c->frozen_wall_ns, 0);
}

void clock_init(struct clock *c)
{
	clock_init_from(c, &system_source);
}

int64_t clock_mono_ns(const struct clock *c)
{
	int64_t frozen, offset, now;

	do {
		frozen = atomic_load(&c->frozen_ns);
		offset = atomic_load(&c->offset_ns);
		now = frozen == RUNNING ? clock_real_ns() + offset : frozen;
	} while (atomic_load(&c->frozen_ns) != frozen || atomic_load(&c->offset_ns) != offset);
	return now;
}

static int64_t clamp(int64_t v, int64_t max)
{
	if (v < 0)
		return 0;
	return v > max ? max : v;
}

static int64_t time_of_day(const struct clock *c) /* inv. 2 */
{
	return clamp(c->source->wall_ns(c->source), DAY_TIME_MAX);
}

static int64_t wall_ns(const struct clock *c)
{
	int64_t frozen, offset, shift, now;

	do {
		frozen = atomic_load(&c->frozen_ns);
		offset = atomic_load(&c->offset_ns);
		shift = atomic_load(&c->shift_ns);
		if (frozen != RUNNING)
			now = atomic_load(&c->frozen_wall_ns);
		else if (__builtin_add_overflow(time_of_day(c) + offset, shift, &now))
			now = INT64_MAX; /* below it cannot go: shift is the only negative part */
	} while (atomic_load(&c->frozen_ns) != frozen || atomic_load(&c->offset_ns) != offset ||
		 atomic_load(&c->shift_ns) != shift);
	return clamp(now, WALL_MAX_MS * NS_PER_MS);
}

int64_t clock_wall_ms(const struct clock *c)
{
	return wall_ns(c) / NS_PER_MS;
}

int64_t clock_wall_s(const struct clock *c)
{
	return wall_ns(c) / NS_PER_S;
}

void clock_advance(struct clock *c, int64_t ns)
{
	int64_t ahead = clock_mono_ns(c) - clock_real_ns();

	ASSERT(ns >= 0);
	if (ns > AHEAD_MAX - ahead) /* inv. 2 */
		ns = ahead < AHEAD_MAX ? AHEAD_MAX - ahead : 0;
	if (clock_is_frozen(c)) {
		atomic_fetch_add(&c->frozen_wall_ns, ns);
		atomic_fetch_add(&c->frozen_ns, ns);
	} else {
		atomic_fetch_add(&c->offset_ns, ns);
	}
}

void clock_freeze(struct clock *c)
{
	if (clock_is_frozen(c))
		return;
	atomic_store(&c->frozen_wall_ns, wall_ns(c));
	atomic_store(&c->frozen_ns, clock_mono_ns(c));
}

void clock_resume(struct clock *c)
{
	int64_t frozen = atomic_load(&c->frozen_ns), offset;

	if (frozen == RUNNING)
		return;
	offset = frozen - clock_real_ns(); /* inv. 1 */
	atomic_store(&c->shift_ns, wall_ns(c) - (time_of_day(c) + offset));
	atomic_store(&c->offset_ns, offset);
	atomic_store(&c->frozen_ns, RUNNING);
}

bool clock_is_frozen(const struct clock *c)
{
	return atomic_load(&c->frozen_ns) != RUNNING;
}

void clock_set_wall(struct clock *c, int64_t wall_ms)
{
	int64_t move;

	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > WALL_MAX_MS)
		wall_ms = WALL_MAX_MS;
	move = wall_ms * NS_PER_MS - wall_ns(c);
	if (move >= 0) {
		clock_advance(c, move);
		move = wall_ms * NS_PER_MS - wall_ns(c); /* above 0: stopped by inv. 2 */
		if (move < 0)
			return; /* it runs */
	}
	atomic_fetch_add(clock_is_frozen(c) ? &c->frozen_wall_ns : &c->shift_ns, move);
}

/*
 * Days since 1970-01-01 to a date, after Howard Hinnant's civil_from_days
 * ("chrono-compatible low-level date algorithms"): years begin in March, so
 * the leap day is the last of a year; eras are the 400 years that repeat.
 */
static void date_of(int64_t days, int *out_year, int *out_month, int *out_day)
{
	int64_t z = days + 719468; /* from 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097; /* rounded down */
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era -
			      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */

	*out_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*out_month = (int)(month < 10 ? month + 3 : month - 9);
	*out_year = (int)(year_of_era + era * 400 + (month >= 10));
}

#define TEXT_MIN_S INT64_C(-62167219200) /* 0000-01-01 */
#define TEXT_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59 */

/* Decimal, with leading zeros; printf(3) takes ten times as long, and each event has two stamps. */
static char *put_digits(char *at, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + digits;
}

/* Times that RFC 3339 cannot write become the nearest that it can.  Returns the end. */
static char *put_seconds(int64_t s, char out[CLOCK_RFC3339_MAX])
{
	int year, month, day, rest;
	int64_t days;

	if (s < TEXT_MIN_S)
		s = TEXT_MIN_S;
	if (s > TEXT_MAX_S)
		s = TEXT_MAX_S;
	days = s >= 0 ? s / DAY_S : -((DAY_S - 1 - s) / DAY_S); /* rounded down */
	rest = (int)(s - days * DAY_S);
	date_of(days, &year, &month, &day);
	out = put_digits(out, year, 4);
	*out++ = '-';
	out = put_digits(out, month, 2);
	*out++ = '-';
	out = put_digits(out, day, 2);
	*out++ = 'T';
	out = put_digits(out, rest / 3600, 2);
	*out++ = ':';
	out = put_digits(out, rest / 60 % 60, 2);
	*out++ = ':';
	return put_digits(out, rest % 60, 2);
}

void clock_format_ms(int64_t wall_ms, char out[CLOCK_RFC3339_MAX])
{
	int64_t s = wall_ms / 1000;
	int ms = (int)(wall_ms % 1000);
	char *at;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	at = put_seconds(s, out);
	*at++ = '.';
	at = put_digits(at, ms, 3);
	*at++ = 'Z';
	*at = '\0';
}

void clock_format_s(int64_t wall_s, char out[CLOCK_RFC3339_MAX])
{
	char *at = put_seconds(wall_s, out);

	*at++ = 'Z';
	*at = '\0';
}
