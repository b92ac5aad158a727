/* SPDX-License-Identifier: MIT */
/* loop_int.h - what loop.c and timer.c share: the heaps of armed timers */
#ifndef NET_LOOP_INT_H
#define NET_LOOP_INT_H

#include "net/loop.h"

/* A binary heap by (at_ns, seq); timer->slot is the index + 1. */
struct timer_heap {
	struct timer **at;
	size_t len, cap;
};

struct timer_set {
	struct timer_heap heaps[2]; /* by enum loop_clock_kind */
	uint64_t seq; /* of the last arming: equal times fire in the order they were armed */
};

struct timer_set *loop_timers(struct loop *l);
/* How long until the nearest timer, in ns of real time; 0: due; INT64_MAX: none. */
int64_t timers_wait_ns(const struct timer_set *set, const struct clock *clock);
/* Fire what is due and was armed before this call. */
void timers_run(struct timer_set *set, const struct clock *clock);
void timers_release(struct timer_set *set); /* armed timers become unarmed */

#endif
