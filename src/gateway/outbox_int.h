/* SPDX-License-Identifier: MIT */
/* outbox_int.h - shared by outbox.c (the door), outbox_accept.c, waiter.c, notice.c, shelf.c */
#ifndef GATEWAY_OUTBOX_INT_H
#define GATEWAY_OUTBOX_INT_H

#include "gateway/dispatch.h"
#include "gateway/idempotency.h"
#include "gateway/plan.h"
#include "gateway/reconcile.h"
#include "gateway/send_read.h"

#define ANSWER_COMPOSED_MAX 8192 /* bytes of an answer that we write */

struct outbox {
	struct outbox_options o;
	enum outq_policy policy; /* of settings.unknown_policy */
	struct outq *outq;
	struct dispatch *dispatch;
	struct departures *departures; /* NULL: nobody notes what leaves */
	struct reconcile *reconcile;
	struct idempotency *idempotency;
	struct id_maker ids;
	struct rnd rnd;
	struct arena *scratch; /* reset by whoever uses it */
	struct buf fallback; /* the body of a template; reset by whoever uses it */
	struct timer sweep; /* LOOP_MOVED: lifetimes, gauges */
	size_t adding, replaying; /* in the store, at a reader */
	struct link addings, replays; /* heads */
	struct link fetches; /* head; shelf.c */
	struct map *fetching; /* the same by id */
	uint64_t consents; /* changes of anybody's consent seen */
	uint64_t adding_bytes;
	bool draining;
	outbox_batch_fn tell_batches; /* NULL: nobody */
	void *batches;
	struct timer drained; /* LOOP_REAL: is it idle yet */
	void (*idle)(void *cookie);
	void *idle_cookie;
};

/* ---- waiter.c: who waits for an answer ---- */

struct waiter {
	struct link link; /* of the entry, or of a replay */
	struct outbox *ob;
	struct outq_entry *e; /* NULL: a replay's */
	struct timer timer;
	bool async; /* wants 202 as soon as the commit is done */
	bool late; /* wait_max has passed; nothing could be said yet */
	void (*answer)(void *cookie, const struct outbox_answer *a);
	void *cookie;
};

void waiter_add(struct outbox *ob, struct outq_entry *e, const struct outbox_submit *s);
/* outbox.c: the message is of a batch: whoever feeds it is told. */
void outbox_tell(struct outbox *ob, const struct outq_entry *e, enum outq_state from);

/* Forget them without a word: their calls are gone. */
void waiters_drop(struct link *head);
/* Answer all and forget them. */
void waiters_answer(struct link *head, const struct outbox_answer *a);
void waiters_refuse(struct link *head, const struct refusal *r);
/* 202 to those that want it now: async, late, or all. */
void waiters_queued(struct outbox *ob, struct outq_entry *e, bool all);
/* New ones hang on a message that may be anywhere: 202 to those that want it at once. */
void waiters_joined(struct outbox *ob, struct outq_entry *e);
/* The final answer of a message, from the move that ended it. */
void waiters_final(struct outbox *ob, struct outq_entry *e, const struct store_move *m);
/* All of `from` go to `to`, which belongs to e (or to nobody). */
void waiters_hand_over(struct link *from, struct link *to, struct outq_entry *e);

/* Meta's success shape: wamid, or our id with message_status "queued". */
void answer_success(struct buf *out, struct str to, struct str id, bool queued);
/* How Meta would name the recipient: digits of a telephone number, else as it is. */
struct str answer_wa_id(struct str to, char digits[RECIPIENT_MAX]);
/* Answer one call at the door. */
void answer_refusal(const struct outbox_submit *s, const struct refusal *r);

/* ---- outbox_accept.c: from the door to the queue ---- */

void outbox_accept(struct outbox *ob, const struct outbox_submit *s, const struct send *read,
		   const struct plan *plan, enum outq_policy policy);
/* What is in the store or at a reader comes back to nobody. */
void outbox_orphan(struct outbox *ob);

/* ---- shelf.c: unknown messages that live in the store alone ---- */

/* outbox.c: a row becomes an entry; last of its lane. */
struct outq_entry *outbox_take(struct outbox *ob, const struct store_message_row *m);
void shelf_sweep(struct outbox *ob);
/* At a start: this row stays there. */
bool shelf_takes(struct outbox *ob, const struct store_message_row *m);
/* A status of a message that is unknown and not in memory. */
void shelf_evidence(struct outbox *ob, const struct id *id, const struct evidence *ev);
/* Fetches that are under way come back to nobody. */
void shelf_orphan(struct outbox *ob);

/* ---- followed.c: messages that the store made of others */

/* A move made `followed`, or NULL: parked ones and those who wait for them are told. */
void followed_by_move(struct outbox *ob, struct outq_entry *e, const struct store_followed *f);
void followed_by_status(struct outbox *ob, const struct store_followed *list);
/* What is parked in this lane goes on if its customer has written. */
void followed_unpark(struct outbox *ob, struct outq_lane *lane);

/* ---- notice.c: our own transitions as events ---- */

struct notice {
	enum outq_state state; /* UNKNOWN, ACCEPTED, REJECTED, EXPIRED */
	struct str wamid; /* ACCEPTED */
	int code; /* REJECTED, EXPIRED */
	const char *why;
};
void notice_put(struct outbox *ob, const struct outq_entry *e, const struct notice *n);

#endif
