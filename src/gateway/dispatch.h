/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - from the queue to Meta: claim, pace, post, classify (O3 to O6)
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_DISPATCH_H
#define GATEWAY_DISPATCH_H

#include "gateway/account.h"
#include "gateway/outbox.h"
#include "gateway/outq.h"
#include "gateway/refusal.h"

struct departures;
struct dispatch;

struct dispatch_options {
	struct loop *loop;
	struct store *store;
	struct outq *outq;
	struct accounts *accounts;
	const struct template_facts *templates; /* NULL: nothing is known */
	void (*curious)(void *cookie, struct str number_id); /* outbox_options.curious */
	void (*doubt)(void *cookie, struct str number_id); /* outbox_options.doubt */
	void *curious_cookie, *doubt_cookie;
	const struct token_maker *token;
	const struct log *log;
	struct metrics *metrics;
	const struct outbox_settings *settings; /* outlives it */
	struct departures *departures; /* outlives it; NULL: nobody notes what leaves */
};
GW_NODISCARD gw_status dispatch_new(const struct dispatch_options *o, struct dispatch **out,
				    struct gw_error *err);
void dispatch_free(struct dispatch *d); /* before outq_free() */

/* From now on messages are claimed (outbox_start). */
void dispatch_start(struct dispatch *d);
/* Something about this lane may have changed: a message came, a window opened. */
void dispatch_lane(struct dispatch *d, struct outq_lane *lane);
/* outq_options.moved: the claim is committed, or the attempt's result is. */
void dispatch_moved(struct dispatch *d, struct outq_entry *e, enum outq_state from);
/* A status says that it exists: stop the attempt that is under way; the caller moves it. */
void dispatch_abandon(struct dispatch *d, struct outq_entry *e);
/* Look at everything again (a clock was moved, an account was mended). */
void dispatch_kick(struct dispatch *d);
/* *settings or the accounts changed. */
void dispatch_settings_changed(struct dispatch *d);

void dispatch_inbound(struct dispatch *d, struct str number_id);
void dispatch_recent(struct dispatch *d, struct str number_id, struct str lane, int64_t at_ns);

/* May a caller who waits hand in a message for this account?  False: it is paused, r says so. */
bool dispatch_lets_in(const struct dispatch *d, const struct account *account, struct refusal *r);

/* End a message here (refused or expired); the answer is composed from r. */
void dispatch_end(struct dispatch *d, struct outq_entry *e, enum outq_state to,
		  const struct refusal *r);

/* End what is too old, wherever it stands in its lane. */
void dispatch_sweep(struct dispatch *d);

/* Claim nothing more. */
void dispatch_drain(struct dispatch *d);
/* Claims, armed messages, attempts and look-ups that are under way. */
size_t dispatch_busy(const struct dispatch *d);

#endif
