/* SPDX-License-Identifier: MIT */
/* batch_int.h - shared by batch.c (states), batch_list.c (the check), batch_feed.c (the outbox) */
#ifndef GATEWAY_BATCH_INT_H
#define GATEWAY_BATCH_INT_H

#include "gateway/batch.h"
#include "gateway/batch_check.h"
#include "gateway/link.h"

struct batches {
	struct batches_options o;
	struct link all; /* head; those that are not at their end */
	struct map *by_row, *by_id; /* the same */
	size_t count, checking;
	struct id_maker ids;
	struct rnd rnd;
	struct timer feed, tick;
	bool started, draining, closed;
};

struct batch {
	struct link link;
	struct batches *b;
	struct id id, key_id;
	int64_t row; /* 0: its commit is on the way */
	char *number_id;
	enum batch_state state;
	struct batch_spec *spec;
	int64_t total, ready; /* rows */
	struct batch_moving *moving; /* a move is in the store */
	batch_done_fn told; /* who ordered it; or waits for its row */
	void *told_cookie;
	/* batch_list.c */
	bool start, has_confirm;
	int64_t confirm;
	struct batch_source source;
	struct batch_check *check; /* NULL: not looked at */
	struct timer slice;
	uint64_t at; /* bytes of the source that were read */
	struct json_iter iter;
	size_t groups; /* in the store */
	bool read_all;
	gw_status verdict;
	struct gw_error why;
	/* batch_feed.c */
	int64_t after; /* rows up to this one were read */
	size_t adding, queued,
		open; /* submitted; of its messages those queued, those not at an end */
	bool reading;
	int64_t rest_ns; /* clock_real_ns() before which nothing is handed over */
	uint32_t ended; /* messages since the last tick */
	double rate;
};

/* ---- batch.c */
/* Queue the move; its completion looks at the batch again. */
void batch_want(struct batch *t, enum batch_state to, const char *why);
/* Free it, if it is at its end and nothing of it is under way. */
void batch_settle(struct batch *t);
/* Tell who waits. */
void batch_tell(struct batch *t, gw_status status);
bool batch_may_start(const struct batch *t, const int64_t *confirm, struct gw_error *err);

/* ---- batch_list.c */
void batch_list_begin(struct batch *t, const struct batch_wish *wish);
void batch_list_run(struct batch *t); /* its row is in the store */
void batch_list_drop(struct batch *t);

/* ---- batch_feed.c */
void batch_feed_init(struct batches *b);
void batch_feed_soon(struct batches *b);
void batch_feed_told(void *cookie, int64_t line, enum outq_state from, enum outq_state to);

#endif
