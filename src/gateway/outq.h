/* SPDX-License-Identifier: MIT */
/*
 * outq.h - messages on their way to Meta: states, lanes, numbers, in memory
 *
 *   number 106540352242922        what limits and pauses belong to
 *     lane 4915112345678          one recipient: messages in the order of acceptance
 *       entry -> entry -> entry   one message each
 *
 * A message is added when its commit is through (outq_add) and leaves when a
 * terminal state is, or when only a person or a status can move it
 * (outq_shelve).  A state changes by outq_want() and nothing else; the
 * change is visible in memory when the store has committed it (outq_moved),
 * and options.moved is told.  In between entry->moving is set and nobody else
 * may move the entry.
 *
 * The structs are open to the modules of the outbound half; each field says
 * who writes it.  Times are clock_mono_ns() unless they end in _ms (wall).
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_OUTQ_H
#define GATEWAY_OUTQ_H

#include "base/log.h"
#include "gateway/link.h"
#include "gateway/pacer.h"
#include "gateway/wayback.h"
#include "net/loop.h"
#include "store/store.h"

enum outq_state {
#define OUTQ_STATE(symbol, word, terminal) OUTQ_##symbol,
#include "store/outq_state.def"
#undef OUTQ_STATE
	OUTQ_NSTATES
};

const char *outq_state_name(enum outq_state state);
bool outq_state_parse(struct str word, enum outq_state *out);
bool outq_is_terminal(enum outq_state state);
bool outq_may_follow(enum outq_state from, enum outq_state to);

/* Who goes first (design.md 5.9); stored as a number, so the order here is for ever. */
enum outq_class {
	OUTQ_AUTHENTICATION,
	OUTQ_REPLY, /* free-form: an answer to a customer */
	OUTQ_UTILITY, /* templates of which we know no better */
	OUTQ_MARKETING,
	OUTQ_NCLASSES
};

/* What to do with a message that stays unknown (reliability.md 3.4). */
enum outq_policy { OUTQ_HOLD, OUTQ_RESEND, OUTQ_EXPIRE };

const char *outq_policy_name(enum outq_policy policy);
bool outq_policy_parse(struct str word, enum outq_policy *out);

#define OUTQ_BYTES_MAX (UINT64_C(1) << 30) /* of all messages in memory together */

struct outq;
struct outq_lane;
struct outq_number;
struct outq_move;
struct http_exchange;

struct outq_entry {
	/* the row; outq_moved() alone writes these after outq_add() */
	struct id id;
	int64_t row;
	enum outq_state state;
	const char *reason; /* WAITING: "backoff", "paused", "parked"; else NULL */
	int64_t next_ns; /* > 0 exactly in WAITING with reason backoff: when to try again */
	uint32_t tries, attempts;
	struct outq_moving *moving; /* a move is in the store: hands off */

	/* fixed at acceptance; the strings live in the entry's own memory */
	enum outq_class class_;
	enum outq_policy policy;
	int64_t accepted_ns, expires_ns;
	int64_t batch_line; /* the row of a batch that it is (store.h); 0: none */
	struct str to, target, body, opaque, kind, template_name, template_language;
	unsigned plan; /* enum store_plan */
	int64_t again_of; /* row of the message that it says again; 0: none */
	bool has_origin; /* it goes in place of this one, whose callers it answers */
	struct id origin;

	/* where it is; outq.c */
	struct outq_lane *lane;
	struct link in_lane; /* of the lane, in the order of acceptance */
	struct link in_order; /* of all, in the order of acceptance */
	bool parked; /* WAITING parked, and the customer has not written: its lane goes on */
	int64_t since_ms; /* parked: Meta said at that time (wall) that it is shut; 0: we did */
	struct link in_parked; /* of all that are */

	/* the attempt; dispatch.c */
	struct link armed; /* claimed, committed, waits for its slot */
	struct http_exchange *exchange; /* on the wire */
	struct attempt *attempt; /* its cookie */
	struct str wire; /* bytes of this attempt, heap */
	int64_t due_ns; /* since when it could have been claimed */
	int64_t claimed_ns, sent_ns;
	uint64_t place; /* the pacer's */
	enum outq_class claimed_as; /* the best of its lane: how it is claimed and leaves */
	bool probe; /* tries whether a paused account works again */
	bool has_context; /* context.message_id is an id of ours; set at acceptance */
	struct id context;
	bool asking; /* the store is asked for its wamid */
	char *context_wamid; /* what context.message_id becomes; heap */
	const char *refused; /* "window", ...: Godwit refused it; static */

	/* unknown; reconcile.c */
	struct link unsettled; /* UNKNOWN, or SENDING with evidence */
	int64_t lost_ns; /* when the answer was lost */
	bool after_restart, passed; /* passed: its lane went on without it */
	uint32_t alive; /* statuses of later messages seen since */
	int64_t gaps, partial; /* what was not taken until it left */
	uint64_t echoed; /* bit per try (of the first 64) whose token came back */
	char *wamid; /* of the evidence; heap, NULL: none yet */
	int64_t evident_ns; /* when the evidence came */

	/* who waits; waiter.c, idempotency.c */
	struct link waiters; /* head */
	bool has_idempotency; /* it is the one that idempotency.c knows by its key */
	unsigned char idempotency[32], fingerprint[32];
	void (*resolved)(void *cookie); /* outbox_resolve(): told at the next move */
	void *resolved_cookie;
};

enum outq_place { LANE_IDLE, LANE_READY, LANE_TIMED };

struct outq_lane {
	struct outq_number *number;
	struct str key; /* canonical recipient; heap */
	struct link entries; /* head */
	size_t by_class[OUTQ_NCLASSES]; /* of the entries that are not parked */
	size_t parked;
	int64_t window_ms; /* when the customer last opened the window; 0: no record */
	bool opted_out; /* the customer wants no marketing */
	struct outq_entry *busy; /* SENDING, or its claim is in the store; NULL: none */
	/* schedule.c */
	enum outq_place place;
	enum outq_class ready_class; /* READY: in whose list */
	struct link ready;
	int64_t due_ns; /* TIMED: looked at again then */
	size_t slot; /* TIMED: place in the heap */
};

struct outq_number {
	struct str id; /* phone_number_id; heap */
	struct map *lanes;
	/* schedule.c, dispatch.c */
	struct link ready[OUTQ_NCLASSES], armed[OUTQ_NCLASSES]; /* heads */
	size_t ready_count[OUTQ_NCLASSES], armed_count[OUTQ_NCLASSES];
	size_t claiming[OUTQ_NCLASSES]; /* claims in the store */
	int64_t armed_ns; /* since when armed messages are here without a break */
	struct chooser claim_chooser, release_chooser;
	struct pacer pacer;
	uint32_t unreachable; /* failures to connect in a row */
	/* reconcile.c */
	struct link unsettled; /* head */
	struct watermark *watermark; /* NULL: nothing unknown here lately */
	struct wayback_mark heard; /* of the latest signed status of this number */
	int64_t heard_ns; /* when that was */
	int64_t breaks; /* calls nobody signed, with different secrets before and after */
};

struct outq_options {
	struct loop *loop;
	struct store *store;
	const struct log *log;
	struct metrics *metrics;
	/*
	 * An entry was moved: the commit is through, e->state is new, m holds what
	 * was learned.  After it returns a terminal entry is freed.
	 */
	void (*moved)(void *cookie, struct outq_entry *e, enum outq_state from,
		      const struct store_move *m);
	/* Right before a move is handed to the store; e is as it was. */
	void (*moving)(void *cookie, struct outq_entry *e, const struct outq_move *m);
	void *cookie;
};

struct outq *outq_new(const struct outq_options *o);
/* Moves that are still in the store are committed and told to nobody. */
void outq_free(struct outq *q);

/* A message before its commit: texts are copied, row is 0, it is nowhere yet. */
struct outq_text {
	struct id id;
	struct str to, target, body, opaque, kind, template_name, template_language;
};
struct outq_entry *outq_entry_new(const struct outq_text *t);
void outq_entry_free(struct outq_entry *e); /* in no list */

/* The commit is through (or it was loaded): e->row and the state are set; last of its lane. */
void outq_add(struct outq *q, struct outq_entry *e, struct str number_id, struct str lane,
	      int64_t window_ms);

/*
 * An UNKNOWN entry that nobody waits for leaves memory and is freed: its row lives in the store
 * alone, counted as before.  Whoever calls tells the dispatcher and drops its lane if it is idle.
 */
void outq_shelve(struct outq *q, struct outq_entry *e);
void outq_lane_drop_idle(struct outq_lane *lane);
/* Rows that are UNKNOWN and not here: found at a start (1), about to be added (-1). */
void outq_count_shelved(struct outq *q, int by);

struct outq_entry *outq_by_row(const struct outq *q, int64_t row);
struct outq_entry *outq_by_id(const struct outq *q, const struct id *id);
/* The number, made when it is new. */
struct outq_number *outq_number(struct outq *q, struct str id);
struct outq_number *outq_find_number(const struct outq *q, struct str id); /* NULL: none */
struct outq_lane *outq_lane(const struct outq_number *n, struct str key); /* NULL: none */

/* What a move says beside the state; zero or empty: nothing learned. */
struct outq_move {
	enum outq_state to;
	const char *reason; /* WAITING: "backoff" (with next_ns), "paused" or "parked" */
	int64_t next_ns;
	const char *why; /* for the trail; static, or copied */
	bool burns; /* an attempt counts as used up */
	/* Godwit refused it, not Meta: its Idempotency-Key may be used again, unless an earlier
	 * try was burned. */
	bool unbinds;
	bool follow; /* its fallback template goes, made with this move */
	int http_status, code, subcode;
	struct str wamid, answer; /* copied */
	int64_t connect_ms, api_ms, paced_ms, waited_ms; /* used with has_delays */
	bool has_delays;
};
void outq_want(struct outq *q, struct outq_entry *e, const struct outq_move *m);
/* The store's answer to outq_want(). */
void outq_moved(struct outq *q, struct store_move *m);

/* A move to a terminal state is in the store. */
bool outq_is_ending(const struct outq_entry *e);

/* Its lane goes on without it (UNKNOWN for too long) ... */
void outq_pass(struct outq_entry *e);
/* The customer of a parked one has written: it is one of its lane again, in its place. */
void outq_unpark(struct outq *q, struct outq_entry *e);
/* Those that are parked, in the order of parking; e NULL: the first.  NULL at the end. */
struct outq_entry *outq_next_parked(const struct outq *q, const struct outq_entry *e);
/* The message its lane waits for; NULL: none. */
struct outq_entry *outq_head(const struct outq_lane *lane);
/* May this one be claimed: head of its lane, nobody else of the lane on the wire. */
bool outq_is_free(const struct outq_entry *e);

void outq_check(const struct outq *q, const struct outq_entry *e);
size_t outq_count(const struct outq *q); /* messages that are not finished and in memory */
size_t outq_count_in(const struct outq *q, enum outq_state state); /* shelved ones included */
uint64_t outq_bytes(const struct outq *q);
size_t outq_moving_count(const struct outq *q); /* moves in the store */
/* In the order of acceptance; e NULL: the first.  NULL at the end. */
struct outq_entry *outq_next(const struct outq *q, const struct outq_entry *e);
/* Every number: `size_t at = 0; while ((n = outq_next_number(q, &at)) != NULL)`. */
struct outq_number *outq_next_number(const struct outq *q, size_t *at);

#endif
