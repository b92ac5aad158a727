/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - which lane may send next, and when to look again
 *
 * A lane is READY (its head may be claimed now), TIMED (at a known time) or
 * IDLE (something must happen first: a commit, an answer, a look-up).
 * schedule_lane() finds out which, and is called whenever one of the reasons
 * may have changed.
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_SCHEDULE_H
#define GATEWAY_SCHEDULE_H

#include "gateway/outq.h"

struct schedule;

struct schedule_options {
	const struct pairs *pairs;
	const struct log *log;
	int64_t unknown_wait_ns; /* a lane waits this long for an unknown message */
};

struct schedule *schedule_new(const struct schedule_options *o);
void schedule_free(struct schedule *s);
void schedule_set_unknown_wait(struct schedule *s,
			       int64_t wait_ns); /* of lanes looked at from now on */
void schedule_lane(struct schedule *s, struct outq_lane *lane, int64_t now_ns);
/* Look again at the lanes whose time has come; returns when the next one's comes (INT64_MAX:
 * none). */
int64_t schedule_due(struct schedule *s, int64_t now_ns);
/* The class that a lane goes by. */
enum outq_class schedule_class(const struct outq_lane *lane);
/* The lane of this number that goes next, by class (`last` at most) and then by readiness; it is
 * IDLE afterwards.  NULL: none is ready. */
struct outq_lane *schedule_take(struct schedule *s, struct outq_number *n, enum outq_class last);
/* Take a lane out of everything (its number leaves, or the process ends). */
void schedule_drop(struct schedule *s, struct outq_lane *lane);

#endif
