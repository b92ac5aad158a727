/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what becomes of a free-form message that finds the customer's window shut
 *
 *   Godwit-Fallback-Template: NAME[:LANG]   this template goes in its place
 *   Godwit-Fallback-Vars: 1=Ann&2=A%2D1     the variables of the template's body, form-encoded
 *   Godwit-Park: yes                        it waits until the customer writes
 *
 * With both the template invites the customer, once, and the message waits for
 * the answer.  The same holds when Meta refuses it with 131047, or takes it and
 * fails it so later (store/sqlite_follow.c).
 *
 * THREADS  plan_read(): any; plan_turn(): the loop's
 */
#ifndef GATEWAY_PLAN_H
#define GATEWAY_PLAN_H

#include "gateway/outbox.h"
#include "gateway/outq.h"
#include "gateway/refusal.h"
#include "gateway/send_read.h"

#define PLAN_BODY_MAX (64U * 1024) /* bytes of the template message that is composed */
#define PLAN_VARS_MAX 64
#define PLAN_CODE_SHUT 131047 /* Meta's code for a window that is shut */

struct plan {
	unsigned bits; /* enum store_plan */
	struct str name, language; /* of the template; borrowed from the call */
	struct str body; /* the whole message; in the buffer */
	enum outq_class class_;
};

/* What the call's headers ask for; false: refused, r says why.  body is for plan->body. */
bool plan_read(const struct outbox_submit *s, const struct send *read, struct buf *body,
	       struct plan *out, struct refusal *r);

/*
 * m rejects e because its window is shut (131047).  True: it has a plan, and m
 * was changed into what follows from that: it is parked, or its template goes
 * in its place.  False: it has none, or as many are parked for this customer as
 * may be, then r says so instead of what m says.
 */
bool plan_turn(const struct outq_entry *e, uint32_t parked_max, struct outq_move *m,
	       struct refusal *r);
/* Of a message that is parked: has its customer written since? */
bool plan_may_go_on(const struct outq_entry *e, int64_t now_ms);

#endif
