/* SPDX-License-Identifier: MIT */
/*
 * batch.h - sending to a list: batches that live in the gateway
 *
 *   list -> check (slices of the loop) -> rows in the store -> outbox, a window at a time
 *
 * A batch's messages are messages as any other: the same outbox, pacing,
 * guards and caps.  Of a running batch memory holds a second or so of its
 * messages, of all others a few bytes.
 *
 * THREADS  The loop's.
 */
#ifndef GATEWAY_BATCH_H
#define GATEWAY_BATCH_H

#include "gateway/account.h"
#include "gateway/batch_spec.h"
#include "gateway/metrics.h"
#include "gateway/outbox.h"

#define BATCHES_OPEN_MAX 1000 /* not at their end */
#define BATCHES_CHECKING_MAX 4 /* lists that are looked at, at once */

enum batch_state {
#define BATCH_STATE(symbol, word, terminal) BATCH_##symbol,
#include "store/batch_state.def"
#undef BATCH_STATE
	BATCH_NSTATES
};
const char *batch_state_name(enum batch_state state);
bool batch_state_parse(struct str word, enum batch_state *out);
bool batch_state_is_terminal(enum batch_state state);
bool batch_state_may_follow(enum batch_state from, enum batch_state to);

struct batches;

struct batches_options {
	struct loop *loop;
	struct store *store;
	struct outbox *outbox;
	const struct accounts *accounts;
	const struct log *log;
	struct metrics *metrics;
	bool confirms; /* a start needs the number of rows that would be sent */
};
struct batches *batches_new(const struct batches_options *o);
/* At start: open batches, before the messages; then batches_start(). */
void batches_load(struct batches *b, const struct store_batch *row);
void batches_start(struct batches *b);
/* Hand nothing more over. */
void batches_drain(struct batches *b);
/* Before outbox_free(): what comes back from the store changes nothing any more. */
void batches_close(struct batches *b);
void batches_free(struct batches *b); /* when the store has handed all back; NULL allowed */

/* Where a list comes from: a file or bytes of CSV, or rows of JSON. */
struct batch_source {
	int fd; /* -1: text */
	struct str text; /* heap */
	struct arena *arena; /* of rows; NULL: CSV */
	struct json_val rows; /* an array */
};
void batch_source_release(struct batch_source *s);

struct batch_wish {
	struct str number_id, name, phone_column; /* name, phone_column: empty: none */
	struct id key_id; /* zeros: local */
	struct batch_spec *spec; /* taken, whatever comes of it */
	struct batch_source source; /* likewise */
	bool allow_duplicates, start, has_confirm;
	int64_t confirm;
};
typedef void (*batch_done_fn)(void *cookie, gw_status status, const struct id *id);
/* GW_OK: done() runs after the commit, and the check goes on then.  GW_EBUSY: too many. */
GW_NODISCARD gw_status batches_add(struct batches *b, const struct batch_wish *wish,
				   batch_done_fn done, void *cookie, struct gw_error *err);

enum batch_order { BATCH_START, BATCH_PAUSE, BATCH_RESUME, BATCH_CANCEL };
/* GW_OK: done() runs after the commit, or at once where nothing is to be done.
 * GW_ENOTFOUND: none that is open.  GW_ESTATE: not from its state.  GW_EARG: the count is not
 * confirmed. */
GW_NODISCARD gw_status batches_order(struct batches *b, const struct id *id, enum batch_order order,
				     const int64_t *confirm, batch_done_fn done, void *cookie,
				     struct gw_error *err);

/* The number of an open batch; empty: there is none. */
struct str batches_number_of(const struct batches *b, const struct id *id);
/* Messages a second that came to an end, lately; 0: none, or not open. */
double batches_rate(const struct batches *b, const struct id *id);
size_t batches_open(const struct batches *b);

#endif
