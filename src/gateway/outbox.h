/* SPDX-License-Identifier: MIT */
/*
 * outbox.h - the door for messages to Meta (O1): accept, answer, resolve
 *
 * ROLE  Between the Graph front and the queue (outq.c), the dispatcher and the
 *       reconciler.  Owns the answers of design.md section 5 rules 2 to 5.
 *
 * outbox_submit() reads the body once (kind, recipient, opaque value,
 * template), refuses what Meta would refuse in Meta's shape, commits, and
 * answers exactly once: Meta's own answer, a refusal, 202 after graph.wait_max
 * or at once when asked, 503 when nothing was accepted.
 *
 * THREADS  The loop's.
 */
#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include "gateway/event.h"
#include "gateway/outq.h"
#include "gateway/token.h"
#include "net/loop.h"

#define OUTBOX_BODY_MAX \
	(256U * 1024) /* bytes of one send; Meta's largest contacts message is below */
#define OUTBOX_IDEMPOTENCY_MAX 255 /* bytes of the Idempotency-Key header */

struct outbox;
struct accounts;
struct template_facts;
struct inbox;
struct metrics;

struct outbox_settings { /* configuration keys in brackets */
	int64_t wait_max_ms; /* graph.wait_max, 25 s */
	int64_t lifetime_ms; /* queue.lifetime, 24 h */
	int64_t retry_max_ms; /* queue.retry_max, 1 h */
	uint32_t attempts_max; /* queue.attempts_max, 12 burned attempts */
	int64_t lane_unknown_wait_ms; /* lane.unknown_wait, 30 s */
	int64_t unknown_wait_ms; /* unknown.wait, 2 min: W of reliability.md 3.4 */
	const char *unknown_policy; /* unknown.policy: hold */
	bool server_errors_prove_nothing; /* assumption switch for 1, 2, 131016, 133004 (true) */
	bool failed_echoes_token; /* assumption: the token is echoed on failed statuses */
	int64_t graph_connect_ms, graph_timeout_ms; /* 10 s, 30 s */
	const char *graph_ca_file; /* graph.ca_file; NULL or empty: the system's */
	unsigned in_flight_max; /* graph.in_flight, 1000 */
	int64_t disk_min; /* store.disk_min, bytes; 503 below */
	uint32_t parked_max; /* queue.parked_max, messages parked for one customer, 20 */
	uint32_t queue_max; /* queue.max, messages not finished and in memory, 1,000,000 */
	double number_rate_share; /* 0.995 of the number's limit */
	uint32_t pair_burst; /* pacing.pair_burst, 10 (at most 45) */
	int64_t pair_interval_ms; /* 6 s */
};

struct outbox_options {
	struct loop *loop;
	struct store *store;
	struct accounts *accounts;
	const struct template_facts *templates; /* what is known of them; NULL: nothing */
	struct inbox *inbox; /* for our own message.status events */
	const struct token_maker *token;
	const struct log *log;
	struct metrics *metrics;
	/* A template of which nothing is known is about to be sent, or one was refused; NULL:
	 * nobody asks */
	void (*curious)(void *cookie, struct str number_id);
	/* A message was refused for the status of its number; NULL: nobody asks */
	void (*doubt)(void *cookie, struct str number_id);
	void *curious_cookie, *doubt_cookie;
	const struct wayback *wayback; /* what Meta may have called in vain; outlives it */
	const char *dir; /* of the store: what leaves is noted there; NULL: nowhere */
	struct outbox_settings settings;
};
GW_NODISCARD gw_status outbox_new(const struct outbox_options *o, struct outbox **out,
				  struct gw_error *err);
/* What is on the wire is cut; what is in the store is committed; who still waits is told nothing:
 * outbox_drain() or outbox_let_go() come first. */
void outbox_free(struct outbox *ob);

/* After a reload, of settings or accounts: in_flight_max, queue_max, pacing and the connection to
 * Meta stay as they were.  unknown_policy holds for messages accepted from now on. */
void outbox_set(struct outbox *ob, const struct outbox_settings *to);
/* What a number may send has changed. */
void outbox_number_changed(struct outbox *ob);

/* At start: rows of store_load_all(); then outbox_start().  `sending` rows become
 * `unknown`, or `waiting` when it is proven that they never left. */
void outbox_load(struct outbox *ob, const struct store_message_row *m);
void outbox_load_recent(struct outbox *ob, struct str number_id, struct str lane, int64_t at_ms);
void outbox_start(struct outbox *ob);

struct outbox_answer {
	int status; /* 200, 202, 4xx, 503 */
	struct str body; /* JSON; borrowed */
	bool preference_applied; /* Preference-Applied: respond-async */
	bool refused_here; /* Godwit-Refused: <reason> */
	const char *refused_reason; /* "window", "opaque", ...; NULL */
	unsigned retry_after_s; /* 0: none */
	bool has_message;
	struct id message; /* Godwit-Message header */
	bool parked; /* Godwit-Parked: yes */
	bool has_origin;
	struct id origin; /* Godwit-Fallback-For: the message that was handed in */
};

struct outbox_submit {
	struct str number_id; /* of the path */
	struct str target; /* as sent: "/v25.0/123/messages?..." without access_token */
	struct str body;
	struct str idempotency_key; /* empty: none */
	struct str policy; /* header Godwit-Unknown-Policy; empty: the default */
	struct str category; /* header Godwit-Category; empty: what the body and path say */
	/* what becomes of it when the window is shut (plan.h); empty: nothing */
	struct str park, fallback_template, fallback_vars;
	struct id key_id; /* zeros: local */
	bool respond_async;
	/* A row of a batch: its class is known.  202 without a message: it is one already. */
	int64_t batch_line; /* 0: none */
	enum outq_class batch_class;
	int64_t received_ns; /* clock_real_ns */
	/* exactly once, on the loop, possibly before outbox_submit() returns */
	void (*answer)(void *cookie, const struct outbox_answer *a);
	void *cookie;
};
/* Borrowed strings are needed only during the call. */
void outbox_submit(struct outbox *ob, const struct outbox_submit *s);

/* Whoever feeds batches is told of each of their messages: added or loaded (from OUTQ_NSTATES), and
 * each move. */
typedef void (*outbox_batch_fn)(void *cookie, int64_t line, enum outq_state from,
				enum outq_state to);
void outbox_tell_batches(struct outbox *ob, outbox_batch_fn fn, void *cookie);

/* Does the body bypass the outbox (status:"read", typing)?  Pure. */
bool outbox_bypasses(struct str body);

/* inbox_sinks.evidence, .window and .consent */
void outbox_evidence(struct outbox *ob, struct event *e);
void outbox_window(struct outbox *ob, struct event *e);
void outbox_consent(struct outbox *ob, struct event *e);

enum outbox_resolve { OUTBOX_AS_SENT, OUTBOX_RESEND, OUTBOX_EXPIRE };
/* An operator decides about an unknown message.  GW_ENOTFOUND, GW_ESTATE, or GW_OK: submitted;
 * done() runs after the commit. */
GW_NODISCARD gw_status outbox_resolve(struct outbox *ob, const struct id *id,
				      enum outbox_resolve how, void (*done)(void *cookie),
				      void *cookie, struct gw_error *err);

/* The number that an unfinished message leaves from; empty: there is no such message. */
struct str outbox_number_of(const struct outbox *ob, const struct id *id);

/*
 * outbox_resolve() said GW_ENOTFOUND: if the message is unknown and was put out of memory, it is
 * brought back.  then() runs when that is done: GW_ENOTFOUND means then that it
 * is no unknown message.
 */
void outbox_fetch(struct outbox *ob, const struct id *id, void (*then)(void *cookie), void *cookie);

/* The inbound rate counts against the number's limit (design.md 5.9): one message came in. */
void outbox_count_inbound(struct outbox *ob, struct str number_id);
/* The clock was moved: wake what waits. */
void outbox_clock_moved(struct outbox *ob);

/* Drain: claim nothing more; idle() when no attempt is in flight.  Waiters that are still
 * there get their 202. */
void outbox_drain(struct outbox *ob, void (*idle)(void *cookie), void *cookie);

/* The drain's time is over: 202 to all whose message is committed, wherever it stands. */
void outbox_let_go(struct outbox *ob);

struct outbox_numbers { /* for /metrics and /readyz */
	size_t queued, sending, waiting, unknown;
	int64_t oldest_ms; /* age of the oldest unfinished message */
};
void outbox_count(const struct outbox *ob, struct outbox_numbers *out);
/* How long the oldest message that nothing but its turn keeps back has waited; of the
 * OUTBOX_LOOKED_AT oldest.  0: there is none. */
#define OUTBOX_LOOKED_AT 10000
int64_t outbox_late_ms(const struct outbox *ob);
/* Numbers that pause because Meta asked for it or cannot be reached, and for how long yet. */
void outbox_pauses(const struct outbox *ob,
		   void (*fn)(void *cookie, struct str number_id, int64_t for_ms), void *cookie);

#endif
