/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the only source of time
 *
 * Three clocks (design.md section 11):
 *   real   CLOCK_MONOTONIC, never moved: sockets, I/O time-outs, durations
 *   mono   real plus an offset: pacing, retries, lifetimes
 *   wall   the time of day plus the same offset: stamps.  The system's time of
 *          day is read each time, so a step of it is followed, back as well
 * clock_advance() moves the last two together; the sandbox and tests use it.
 * A frozen clock stands still except for clock_advance() and clock_set_wall().
 *
 * THREADS  One struct clock per process, read by any thread, moved by one.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <godwit/types.h>

/* Where the time of day comes from; tests bring their own. */
struct clock_source {
	int64_t (*wall_ns)(const struct clock_source *source); /* since the epoch */
};

struct clock {
	const struct clock_source *source;
	_Atomic int64_t offset_ns; /* mono = real + offset */
	_Atomic int64_t shift_ns; /* wall = time of day + offset + shift */
	_Atomic int64_t frozen_ns; /* mono while frozen; INT64_MIN: running */
	_Atomic int64_t frozen_wall_ns; /* wall while frozen */
};

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

void clock_init(struct clock *c); /* running, wall = the system's */
void clock_init_from(struct clock *c, const struct clock_source *source); /* outlives it */
int64_t clock_real_ns(void);
int64_t clock_real_wall_ms(void); /* the system's time of day, never moved */
int64_t clock_mono_ns(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c); /* since the epoch */
int64_t clock_wall_s(const struct clock *c);
void clock_advance(struct clock *c, int64_t ns); /* ns >= 0 */
void clock_freeze(struct clock *c);
void clock_resume(struct clock *c); /* runs on from where it stood */
bool clock_is_frozen(const struct clock *c);
/* Move (mono and wall together) so that the wall clock shows wall_ms; forward only
 * for mono: an earlier wall_ms shifts the wall alone. */
void clock_set_wall(struct clock *c, int64_t wall_ms);

#define CLOCK_RFC3339_MAX 25 /* "2026-11-20T18:22:51.214Z" with the NUL */
/* RFC 3339 UTC; with milliseconds or to the second. */
void clock_format_ms(int64_t wall_ms, char out[CLOCK_RFC3339_MAX]);
void clock_format_s(int64_t wall_s, char out[CLOCK_RFC3339_MAX]);

#endif
