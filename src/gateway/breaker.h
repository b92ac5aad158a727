/* SPDX-License-Identifier: MIT */
/*
 * breaker.h - does a destination answer at all, and how many calls it may have at once
 *
 *   CLOSED  up to max calls in flight
 *   OPEN    parked: one probe every 30 s, no attempt is burned
 *   SLOW    after a good probe: 5 calls in flight, one more for every cohort
 *           of successes, one less for a failure; CLOSED when max is reached
 *
 * Opens after BREAKER_CALLS calls in 60 s of which 70 % failed, or after five
 * connections in a row that did not come about (reliability.md 3.5).
 *
 * Times are of the moved monotonic clock.  THREADS  The loop's.
 */
#ifndef GATEWAY_BREAKER_H
#define GATEWAY_BREAKER_H

#include "base/rnd.h"

#define BREAKER_CALLS 10 /* fewer say nothing */
#define BREAKER_PERCENT 70
#define BREAKER_CONNECTS 5
#define BREAKER_WINDOW_S 60
#define BREAKER_BUCKETS 12
#define BREAKER_PROBE_MS 30000 /* +- 10 % */
#define BREAKER_SLOW_START 5

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_SLOW };
enum breaker_result {
	BREAKER_OK,
	BREAKER_FAILED, /* an answer other than 2xx, or none in time */
	BREAKER_UNREACHED, /* no connection */
	BREAKER_NEUTRAL, /* it answered and asks for patience (Retry-After) */
};

struct breaker {
	enum breaker_state state;
	struct rnd *rnd;
	unsigned max; /* calls in flight when CLOSED */
	unsigned window; /* SLOW: calls in flight */
	unsigned cohort; /* SLOW: successes since the window last grew */
	unsigned unreached; /* in a row */
	bool probing; /* OPEN: a probe is on the wire */
	int64_t opened_ns, probe_ns; /* OPEN: since when; next probe */
	struct {
		int64_t slot; /* which stretch of time it counts */
		unsigned calls, failed;
	} bucket[BREAKER_BUCKETS];
};

void breaker_init(struct breaker *b, unsigned max, struct rnd *rnd);
/* How many calls may be in flight now; OPEN: 1 when a probe is due, else 0. */
unsigned breaker_window(const struct breaker *b, int64_t now_ns);
/* A call goes out; true: it is the probe of an open breaker. */
bool breaker_sent(struct breaker *b);
void breaker_answered(struct breaker *b, int64_t now_ns, enum breaker_result result, bool probe);
static inline bool breaker_is_open(const struct breaker *b)
{
	return b->state == BREAKER_OPEN;
}
/* When a parked destination may be probed again; INT64_MAX: not parked, or a probe is out. */
int64_t breaker_probe_ns(const struct breaker *b);

#endif
