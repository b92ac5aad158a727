/* SPDX-License-Identifier: MIT */
/*
 * arrivals.h - what Meta has counted of a number in the last second, as far as we can know
 *
 * Times are clock_mono_ns(); nothing here waits.  A place is the name of one
 * message for as long as it matters; any older one is ignored.
 *
 * LIMITS   the last ARRIVALS_MAX messages, both directions; 16 KiB a number
 * THREADS  the loop's
 */
#ifndef GATEWAY_ARRIVALS_H
#define GATEWAY_ARRIVALS_H

#include "base/clock.h"

#define ARRIVALS_MAX 1000 /* Meta's highest limit: messages/s (cloud-api.md 6.4) */

struct arrival {
	int64_t left_ns; /* or came in */
	int64_t there_ns; /* by then it was there, says its own answer; or one of these: */
};

#define ARRIVAL_OPEN INT64_C(0) /* not answered */
#define ARRIVAL_CAME_IN INT64_C(-1) /* not ours: counted at left_ns, proves nothing of others */

struct arrivals {
	uint64_t next; /* the place of the next one */
	uint64_t seen; /* round trips */
	int64_t shortest_ns, shortest_before_ns; /* of them, now and the time before */
	int64_t mean_ns, dev_ns; /* moving averages; 0: none was seen */
	struct arrival of[ARRIVALS_MAX];
};

void arrivals_init(struct arrivals *a);
/* One leaves now; returns its place. */
uint64_t arrivals_left(struct arrivals *a, int64_t now_ns);
/* Meta answered it, whatever it said.  Not for a connection that failed. */
void arrivals_answered(struct arrivals *a, uint64_t place, int64_t now_ns);
/* A message came in and counts for the same limit. */
void arrivals_came_in(struct arrivals *a, int64_t now_ns);
/* From when on one more fits into a second of `limit` messages, as it looks now; an answer can
 * make it earlier, the want of one later. */
int64_t arrivals_room(const struct arrivals *a, uint32_t limit, int64_t now_ns);

#endif
