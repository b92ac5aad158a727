/* SPDX-License-Identifier: MIT */
/* dispatch_int.h - shared by dispatch.c (when), attempt.c (the wire) and context.c (look-ups) */
#ifndef GATEWAY_DISPATCH_INT_H
#define GATEWAY_DISPATCH_INT_H

#include "gateway/classify.h"
#include "gateway/dispatch.h"
#include "gateway/schedule.h"
#include "net/http_client.h"

struct dispatch {
	struct dispatch_options o;
	struct http_client *client;
	struct pairs *pairs;
	struct schedule *schedule;
	struct arena *scratch; /* reset by whoever uses it */
	struct rnd rnd; /* jitter */
	struct timer timer;
	bool started, draining, kicked;
	size_t claiming, armed, in_flight, asking;
	struct link contexts; /* head; look-ups at the readers */
	int64_t commit_ns; /* how long a claim's commit takes, smoothed; real time */
};

int64_t dispatch_now(const struct dispatch *d);
struct pacer_rate dispatch_rate(const struct dispatch *d, const struct number *number);
/* The number's account and limits; NULL: not configured any more. */
struct number *dispatch_number(const struct dispatch *d, const struct outq_entry *e);

/* attempt.c: O5, for an entry whose intent is committed and whose slot is taken. */
void attempt_start(struct dispatch *d, struct outq_entry *e);
void attempt_cancel(struct dispatch *d, struct outq_entry *e);
/* Claimed, not sent, and it cannot go now: back to waiting. */
void attempt_back(struct dispatch *d, struct outq_entry *e, const char *reason, int64_t next_ns,
		  const char *why);

/* context.c: ask the store for the wamid of the message that e quotes. */
void context_ask(struct dispatch *d, struct outq_entry *e);
/* Look-ups that are under way come back to nobody. */
void context_orphan(struct dispatch *d);

#endif
