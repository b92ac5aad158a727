/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - what becomes of a message whose answer was lost (O7, reliability.md 3.4)
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_RECONCILE_H
#define GATEWAY_RECONCILE_H

#include "gateway/outbox.h"
#include "gateway/outq.h"

struct departures;
struct reconcile;

struct reconcile_options {
	struct loop *loop;
	struct outq *outq;
	/* It exists at Meta: stop the attempt that is under way (dispatch_abandon()). */
	void (*abandon)(void *cookie, struct outq_entry *e);
	void *cookie;
	const struct log *log;
	struct metrics *metrics;
	const struct wayback *wayback; /* outlives it */
	const struct outbox_settings *settings; /* outlives it */
	const struct departures *departures; /* outlives it; NULL: they prove nothing */
};

struct reconcile *reconcile_new(const struct reconcile_options *o);
void reconcile_free(struct reconcile *r); /* before outq_free() */

/* At a start: a row that was found in SENDING or UNKNOWN; lost_ns is when. */
void reconcile_load(struct reconcile *r, struct outq_entry *e, int64_t lost_ns, struct str wamid,
		    bool has_evidence);
/* After everything was loaded: sending becomes accepted with evidence, waiting when it is proven
 * that it never left, else unknown. */
void reconcile_start(struct reconcile *r);

/* A status of our message `row` was stored; try_ is 0 when it carried no token. */
struct evidence {
	int64_t row;
	struct str number_id;
	struct str wamid;
	uint32_t try_;
	struct wayback_mark mark;
};
void reconcile_evidence(struct reconcile *r, const struct evidence *ev);

/* outq_options.moved */
void reconcile_moved(struct reconcile *r, struct outq_entry *e, enum outq_state from);

#endif
