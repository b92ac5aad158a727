/* SPDX-License-Identifier: MIT */
/*
 * lane.h - deliveries to one destination, in memory: lanes, their order, their states
 *
 * A struct lanes holds what one destination has in memory: lanes by key, each
 * with its deliveries in the order of their events.  relay*.c decide what is
 * tried and when; here lies the state machine of a delivery
 * (store/delivery_state.def), the order, and the account of memory.
 *
 *   line      not yet delivered, oldest first; the head is tried next
 *   flying    the one on the wire (out of the line)
 *   delayed   failed for longer than a lane may be held up; out of the line
 *             until its time has come, then in front of it again
 *   closing   delivered or dead, until the store has committed that
 *
 * THREADS  The loop's, but delivery_new() and delivery_free(): any.
 */
#ifndef GATEWAY_LANE_H
#define GATEWAY_LANE_H

#include "base/map.h"
#include "net/loop.h"
#include "store/store.h"

enum delivery_state {
#define DELIVERY_STATE(name, text, terminal) DELIVERY_##name,
#include "store/delivery_state.def"
#undef DELIVERY_STATE
	DELIVERY_NSTATES
};
const char *delivery_state_name(enum delivery_state s);
bool delivery_state_is_terminal(enum delivery_state s);
bool delivery_state_parse(struct str word, enum delivery_state *out);
bool delivery_may_follow(enum delivery_state from, enum delivery_state to);

struct lane;
struct http_exchange;

/* One event on its way to one destination. */
struct delivery {
	struct store_delivery_move move; /* the queued compare-and-set */
	struct delivery *next, *prev; /* in one list of its lane */
	struct lane *lane;
	struct timer timer; /* WAITING: armed for the delayed; the head's is the relay's business */
	struct http_exchange *exchange; /* DELIVERING */
	int64_t event_row, received_ms;
	struct id event;
	enum delivery_state state;
	enum delivery_state stored; /* what the disk says: never DELIVERING (lane.c inv. 2) */
	enum delivery_state to; /* pending: where it will be */
	bool pending; /* a move is in the store: nobody else moves it */
	bool delayed; /* has held up its lane for long enough, and does not any more */
	bool parked; /* ... and is in the list of that name */
	bool replay, probe;
	bool formless; /* has no form in the destination's format: to be closed, not sent */
	bool outdated; /* on the wire in a form that the destination wants no more */
	uint32_t attempts; /* burned */
	int64_t next_at_ns; /* WAITING: when to try again, on the moved clock */
	int64_t failed_ns; /* when it first failed, as far as memory knows; 0: never */
	char *why; /* of the last failure */
	char *bytes; /* body, signature, account in a row; NULL: in the store only */
	size_t body_len, signature_len, account_len;
};

struct delivery_list {
	struct delivery *first, *last;
	size_t count;
};

struct lane {
	struct lanes *lanes;
	int64_t key;
	struct delivery_list line, delayed, closing;
	struct delivery *flying;
	int64_t last_row; /* the newest that the lane ever had */
	int64_t read_row; /* every open delivery up to this row is in memory */
	int64_t again_row; /* reading: the lowest row that the read may have missed; else 0 */
	bool spilled; /* some behind read_row may be in the store only */
	bool dirty; /* ... and one came since the last read was asked for */
	bool reading; /* closed deliveries stay until the read is back */
	struct lane *next, *prev; /* in the queue it is in */
	struct lane_queue *queue; /* NULL: in none */
	int64_t queued_ns;
};

struct lane_queue {
	struct lane *first, *last;
	size_t count;
};

struct lanes {
	struct loop *loop;
	struct store *store;
	int64_t destination_row;
	void *cookie;
	void (*due)(void *cookie, struct delivery *d); /* the timer of d fired */
	/* A move came back; lost: the lane has to be read again. */
	void (*moved)(void *cookie, struct lane *lane, bool lost);
	struct map *by_key;
	size_t memory; /* bytes of lanes and deliveries */
	size_t count; /* deliveries not closed */
	size_t spilled; /* lanes with events in the store only */
	size_t moving; /* moves in the store */
};

void lanes_init(struct lanes *ls, struct loop *loop, struct store *store, int64_t destination_row);
void lanes_release(struct lanes *ls); /* no move may be in the store */
struct lane *lanes_get(const struct lanes *ls, int64_t key); /* NULL: none */
struct lane *lanes_add(struct lanes *ls, int64_t key);
/* Free the lane if nothing is left in it; true when it is gone. */
bool lane_drop_idle(struct lane *l);
/* Events behind all that the lane has had are in the store only. */
void lane_spill(struct lane *l);
/* Deliveries from `row` on are, or may be, in the store only: replayed, let go, or lost. */
void lane_rewind(struct lane *l, int64_t row);
/* A new lane of which memory knows nothing: what the store has of it comes first. */
void lane_distrust(struct lane *l);
/* The events behind the head are in the store only from now on; with `all`, everything that is
 * not on the wire or being moved. */
void lane_shed(struct lane *l, bool all);

struct delivery *delivery_new(int64_t event_row, const struct id *event, struct str body,
			      struct str signature, struct str account);
void delivery_free(struct delivery *d); /* in no list */
struct str delivery_body(const struct delivery *d);
struct str delivery_signature(const struct delivery *d); /* Meta's own; empty: sign anew */
struct str delivery_account(const struct delivery *d);

/* Whether it has to be read before anything else of it may be tried. */
bool lane_wants_read(const struct lane *l);
/* A read of this lane is asked for: the row behind which it begins. */
int64_t lane_read_begin(struct lane *l);
/*
 * It is back and was merged: all that was open behind `after` up to `upto`, or
 * to the end of the lane; nothing at all when they are equal and it did not
 * end.  What was closed meanwhile is freed.
 */
void lane_read_done(struct lane *l, int64_t after, int64_t upto, bool ended);

/* Take a delivery that is newer than all the lane has. */
void lane_append(struct lane *l, struct delivery *d);
/*
 * Take one that was read from the store: appended, put in its place by row,
 * or, when the lane has it already, freed after its bytes went to a delivery
 * that lacked them.
 */
void lane_merge(struct lane *l, struct delivery *d);
/* What may be tried now; NULL: nothing.  A head without bytes has to be read first. */
struct delivery *lane_next(const struct lane *l, int64_t now_ns);
bool lane_is_waiting(const struct lane *l); /* its head waits for its time */

/* What a move says besides the state. */
struct delivery_note {
	uint32_t attempts;
	int64_t next_at_ns; /* WAITING: moved clock */
	bool delayed; /* WAITING: does not hold up the lane */
	int http_status;
	const char *why; /* copied; NULL: none */
};

/*
 * Ask for a move.  DELIVERING, and back from it to what the disk says, happen
 * at once, since the disk does not know DELIVERING; all others are queued as
 * compare-and-set and applied by delivery_moved() after the commit.  The lane
 * goes on meanwhile: a closed delivery has left the line.
 */
void delivery_want(struct delivery *d, enum delivery_state to, const struct delivery_note *note);
/* A head that waits holds up its lane no longer. */
void delivery_delay(struct delivery *d);
/* Invariants of lane.c; for tests and debugging. */
void lane_check(const struct lane *l);

void lane_queue_put(struct lane_queue *q, struct lane *l, int64_t now_ns); /* if in none */
void lane_queue_remove(struct lane *l); /* from whichever it is in */

#endif
