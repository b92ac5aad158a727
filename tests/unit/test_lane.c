/* SPDX-License-Identifier: MIT */
/* test_lane.c - the states of a delivery, the order of a lane, and its account of memory */
#include "unit.h"

#include "base/mem.h"
#include "gateway/lane.h"

#include <stdlib.h>

/* ---- states */

/* The table as a picture. */
static const char want[DELIVERY_NSTATES][DELIVERY_NSTATES + 1] = {
	/*                        P D W V X      to (V: delivered) */
	[DELIVERY_PENDING] = ".x..x", [DELIVERY_DELIVERING] = "x.xxx",
	[DELIVERY_WAITING] = ".x..x", [DELIVERY_DELIVERED] = "x....",
	[DELIVERY_DEAD] = "x....",
};

static void all_moves(void **state)
{
	(void)state;
	for (size_t from = 0; from < DELIVERY_NSTATES; from++) {
		for (size_t to = 0; to < DELIVERY_NSTATES; to++) {
			bool may = delivery_may_follow((enum delivery_state)from,
						       (enum delivery_state)to);

			if (may != (want[from][to] == 'x'))
				fail_msg("%s to %s", delivery_state_name((enum delivery_state)from),
					 delivery_state_name((enum delivery_state)to));
		}
	}
}

static void words(void **state)
{
	enum delivery_state s = DELIVERY_DEAD;

	(void)state;
	for (size_t i = 0; i < DELIVERY_NSTATES; i++) {
		const char *name = delivery_state_name((enum delivery_state)i);

		assert_true(delivery_state_parse(str_from(name), &s));
		CHECK_INT(name, i, s);
		CHECK_INT(name, i == DELIVERY_DELIVERED || i == DELIVERY_DEAD,
			  delivery_state_is_terminal(s));
	}
	assert_false(delivery_state_parse(STR("queued"), &s));
	assert_false(delivery_state_parse(STR(""), &s));
}

/* ---- a store that keeps what it is given until the test commits */

struct store {
	struct store_req *first;
	struct store_req **last;
	size_t waiting;
	char trail[64][80]; /* "7 pending>delivered 1" */
	size_t trail_count;
};

void store_submit(struct store *s, struct store_req *req)
{
	req->next = NULL;
	*s->last = req;
	s->last = &req->next;
	s->waiting++;
}

struct bench {
	struct store store;
	struct clock clock;
	struct loop *loop;
	struct lanes lanes;
	struct lane *lane;
	size_t moved, lost, due;
	struct delivery *last_due;
};

static void commit(struct bench *x, gw_status status, bool lost)
{
	struct store *s = &x->store;

	while (s->first != NULL) {
		struct store_req *req = s->first;
		struct store_delivery_move *m = CONTAINER_OF(req, struct store_delivery_move, req);

		s->first = req->next;
		if (s->first == NULL)
			s->last = &s->first;
		s->waiting--;
		assert_true(req->lazy);
		CHECK_INT("op", STORE_DELIVERY_MOVE, req->op);
		CHECK_INT("destination", 3, m->destination_row);
		(void)snprintf(s->trail[s->trail_count++], sizeof(s->trail[0]), "%d %s>%s %u",
			       (int)m->event_row, m->from, m->to, m->attempts);
		req->status = status;
		m->lost = lost;
		req->done(req);
	}
}

static const char *last_move(const struct bench *x)
{
	return x->store.trail[x->store.trail_count - 1];
}

static void on_due(void *cookie, struct delivery *d)
{
	struct bench *x = cookie;

	x->due++;
	x->last_due = d;
}

static void on_moved(void *cookie, struct lane *l, bool lost)
{
	struct bench *x = cookie;

	assert_ptr_equal(l, x->lane);
	x->moved++;
	x->lost += lost;
}

static int open_bench(void **state)
{
	struct bench *x = xcalloc(1, sizeof(*x));

	x->store.last = &x->store.first;
	clock_init(&x->clock);
	clock_freeze(&x->clock);
	x->loop = loop_new(&x->clock);
	lanes_init(&x->lanes, x->loop, &x->store, 3);
	x->lanes.cookie = x;
	x->lanes.due = on_due;
	x->lanes.moved = on_moved;
	x->lane = lanes_add(&x->lanes, 77);
	*state = x;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *x = *state;

	if (x->lane != NULL)
		lane_check(x->lane);
	commit(x, GW_OK, false);
	lanes_release(&x->lanes);
	CHECK_INT("memory", 0, x->lanes.memory);
	CHECK_INT("count", 0, x->lanes.count);
	CHECK_INT("spilled", 0, x->lanes.spilled);
	loop_free(x->loop);
	free(x);
	return 0;
}

static int64_t now(const struct bench *x)
{
	return clock_mono_ns(&x->clock);
}

static struct delivery *make(int64_t row)
{
	struct id id = { { (uint8_t)row } };

	return delivery_new(row, &id, STR("{\"body\":1}"), STR("sha256=00"), STR("main"));
}

static void append(struct bench *x, int64_t from, int64_t to)
{
	for (int64_t row = from; row <= to; row++)
		lane_append(x->lane, make(row));
	lane_check(x->lane);
}

/* The rows of the line as text: "1 2 3". */
static const char *line(const struct bench *x)
{
	static char text[256];
	size_t n = 0;

	text[0] = '\0';
	for (const struct delivery *d = x->lane->line.first; d != NULL; d = d->next)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s", n > 0 ? " " : "",
				      (int)d->event_row, d->bytes == NULL ? "-" : "");
	return text;
}

static struct delivery *send_next(struct bench *x)
{
	struct delivery *d = lane_next(x->lane, now(x));

	assert_non_null(d);
	delivery_want(d, DELIVERY_DELIVERING, NULL);
	lane_check(x->lane);
	return d;
}

static void delivered(struct bench *x, struct delivery *d)
{
	delivery_want(d, DELIVERY_DELIVERED, &(struct delivery_note){ .attempts = 1 });
	lane_check(x->lane);
}

static void wait_for(struct bench *x, struct delivery *d, int64_t s, bool delayed)
{
	delivery_want(d, DELIVERY_WAITING,
		      &(struct delivery_note){ .attempts = d->attempts + 1,
					       .next_at_ns = now(x) + s * NS_PER_S,
					       .delayed = delayed,
					       .http_status = 500,
					       .why = "answered 500" });
	lane_check(x->lane);
}

/* ---- order and moves */

static void parts_of_a_delivery(void **state)
{
	struct bench *x = *state;
	struct delivery *d = make(1);

	CHECK_STR("body", "{\"body\":1}", delivery_body(d));
	CHECK_STR("signature", "sha256=00", delivery_signature(d));
	CHECK_STR("account", "main", delivery_account(d));
	delivery_free(d);
	delivery_free(NULL);
	d = delivery_new(1, &(struct id){ { 0 } }, STR(""), STR_EMPTY, STR_EMPTY);
	CHECK_STR("empty", "", delivery_body(d));
	assert_non_null(d->bytes);
	lane_append(x->lane, d);
}

static void one_after_the_other(void **state)
{
	struct bench *x = *state;

	append(x, 1, 3);
	for (int64_t row = 1; row <= 3; row++) {
		struct delivery *d = send_next(x);

		CHECK_INT("row", row, d->event_row);
		CHECK_INT("state", DELIVERY_DELIVERING, d->state);
		CHECK_INT("the disk does not know", DELIVERY_PENDING, d->stored);
		assert_null(lane_next(x->lane, now(x)));
		CHECK_INT("nor was it told", (size_t)row - 1, x->store.waiting);
		delivered(x, d);
	}
	CHECK_INT("count", 0, x->lanes.count);
	CHECK_INT("three marks at once", 3, x->store.waiting);
	CHECK_INT("moving", 3, x->lanes.moving);
	assert_false(lane_drop_idle(x->lane));
	commit(x, GW_OK, false);
	CHECK_STR("mark", "3 pending>delivered 1", str_from(last_move(x)));
	CHECK_INT("moved", 3, x->moved);
	assert_true(lane_drop_idle(x->lane));
	x->lane = NULL;
	assert_null(lanes_get(&x->lanes, 77));
}

static void a_failed_head_stays_in_front(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 1, 2);
	d = send_next(x);
	wait_for(x, d, 5, false);
	assert_null(lane_next(x->lane, now(x) + 100 * NS_PER_S)); /* the move is not on disk */
	assert_true(lane_is_waiting(x->lane));
	commit(x, GW_OK, false);
	CHECK_STR("move", "1 pending>waiting 1", str_from(last_move(x)));
	CHECK_INT("state", DELIVERY_WAITING, d->state);
	CHECK_INT("stored", DELIVERY_WAITING, d->stored);
	assert_null(lane_next(x->lane, now(x) + 5 * NS_PER_S - 1));
	assert_ptr_equal(lane_next(x->lane, now(x) + 5 * NS_PER_S), d);
	CHECK_STR("line", "1 2", str_from(line(x)));
	clock_advance(&x->clock, 5 * NS_PER_S);
	assert_ptr_equal(send_next(x), d);
	wait_for(x, d, 5, false);
	commit(x, GW_OK, false);
	CHECK_STR("from what the disk said", "1 waiting>waiting 2", str_from(last_move(x)));
}

static void a_parked_probe_changes_nothing(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 1, 2);
	d = send_next(x);
	delivery_want(d, d->stored, NULL);
	lane_check(x->lane);
	CHECK_INT("nothing for the store", 0, x->store.waiting);
	CHECK_INT("pending", DELIVERY_PENDING, d->state);
	CHECK_STR("line", "1 2", str_from(line(x)));
	d = send_next(x);
	wait_for(x, d, 1, false);
	commit(x, GW_OK, false);
	clock_advance(&x->clock, NS_PER_S);
	d = send_next(x);
	delivery_want(d, d->stored, NULL);
	CHECK_INT("waiting", DELIVERY_WAITING, d->state);
	assert_ptr_equal(lane_next(x->lane, now(x)), d);
}

static void a_delayed_one_lets_the_others_pass(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 1, 3);
	d = send_next(x);
	wait_for(x, d, 20, true);
	commit(x, GW_OK, false);
	CHECK_STR("line", "2 3", str_from(line(x)));
	CHECK_INT("counted", 3, x->lanes.count);
	assert_non_null(d->bytes);
	delivered(x, send_next(x));
	clock_advance(&x->clock, 20 * NS_PER_S);
	loop_clock_moved(x->loop);
	loop_turn(x->loop, 0);
	CHECK_INT("due", 1, x->due);
	CHECK_STR("in front again", "1 3", str_from(line(x)));
	assert_ptr_equal(send_next(x), d);
	wait_for(x, d, 3600, true);
	commit(x, GW_OK, false);
	CHECK_STR("line", "3", str_from(line(x)));
	assert_null(d->bytes); /* an hour is too long to keep them */
}

static void a_head_can_be_delayed_later(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 1, 2);
	d = send_next(x);
	wait_for(x, d, 900, false);
	commit(x, GW_OK, false);
	assert_null(lane_next(x->lane, now(x)));
	delivery_delay(d);
	lane_check(x->lane);
	CHECK_INT("the next", 2, lane_next(x->lane, now(x))->event_row);
	clock_advance(&x->clock, 900 * NS_PER_S);
	loop_clock_moved(x->loop);
	loop_turn(x->loop, 0);
	CHECK_STR("without its bytes", "1- 2", str_from(line(x)));
}

static void dead_from_anywhere(void **state)
{
	struct bench *x = *state;
	struct delivery_note note = { .attempts = 16, .why = "answered 500" };

	append(x, 1, 2);
	delivery_want(x->lane->line.first, DELIVERY_DEAD, &note);
	CHECK_STR("line", "2", str_from(line(x)));
	delivery_want(send_next(x), DELIVERY_DEAD, &note);
	commit(x, GW_OK, false);
	CHECK_STR("move", "2 pending>dead 16", str_from(last_move(x)));
	CHECK_INT("count", 0, x->lanes.count);
}

static void a_lost_wait_leaves_memory(void **state)
{
	struct bench *x = *state;

	append(x, 1, 2);
	wait_for(x, send_next(x), 1, false);
	commit(x, GW_OK, true);
	CHECK_INT("told", 1, x->lost);
	CHECK_STR("the disk's word stands", "2", str_from(line(x)));
	delivered(x, send_next(x));
	commit(x, GW_OK, true);
	CHECK_INT("closed is closed", 1, x->lost);
	assert_true(lane_drop_idle(x->lane));
	x->lane = NULL;
}

/* Else a store that refuses would make us try again at once, for ever. */
static void a_refused_move_holds_in_memory(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 1, 2);
	d = send_next(x);
	wait_for(x, d, 5, false);
	commit(x, GW_EIO, false);
	CHECK_INT("not lost", 0, x->lost);
	CHECK_INT("it waits", DELIVERY_WAITING, d->state);
	CHECK_INT("the disk does not know", DELIVERY_PENDING, d->stored);
	assert_null(lane_next(x->lane, now(x)));
	clock_advance(&x->clock, 5 * NS_PER_S);
	delivered(x, send_next(x));
	commit(x, GW_EIO, false);
	CHECK_STR("from what the disk says", "1 pending>delivered 1", str_from(last_move(x)));
	CHECK_STR("and it is gone", "2", str_from(line(x)));
}

/* ---- memory, shedding, merging */

static void memory_is_what_is_held(void **state)
{
	struct bench *x = *state;
	size_t empty = x->lanes.memory;
	struct delivery *d;

	append(x, 1, 2);
	CHECK_INT("two", empty + 2 * (sizeof(struct delivery) + 23), x->lanes.memory);
	d = send_next(x);
	delivered(x, d);
	CHECK_INT("the bytes go at once", empty + 2 * sizeof(struct delivery) + 23,
		  x->lanes.memory);
	commit(x, GW_OK, false);
	CHECK_INT("then the rest", empty + sizeof(struct delivery) + 23, x->lanes.memory);
}

static void shedding_keeps_the_head(void **state)
{
	struct bench *x = *state;

	append(x, 1, 4);
	wait_for(x, send_next(x), 5, false);
	commit(x, GW_OK, false);
	lane_shed(x->lane, false);
	lane_check(x->lane);
	CHECK_STR("line", "1-", str_from(line(x)));
	CHECK_INT("spilled", 1, x->lanes.spilled);
	CHECK_INT("read on from here", 1, x->lane->read_row);
	assert_true(x->lane->dirty);
	for (int64_t row = 1; row <= 4; row++)
		lane_merge(x->lane, make(row));
	CHECK_STR("and back", "1 2 3 4", str_from(line(x)));
	CHECK_INT("count", 4, x->lanes.count);
}

static void shedding_all_keeps_what_moves(void **state)
{
	struct bench *x = *state;
	struct delivery *flying;

	append(x, 1, 5);
	delivered(x, send_next(x));
	wait_for(x, send_next(x), 5, true);
	commit(x, GW_OK, false); /* 2 is delayed */
	wait_for(x, send_next(x), 5, false); /* 3: its move is in the store */
	lane_shed(x->lane, true);
	CHECK_STR("line", "3-", str_from(line(x)));
	commit(x, GW_OK, false);
	clock_advance(&x->clock, 5 * NS_PER_S);
	for (int64_t row = 2; row <= 5; row++)
		lane_merge(x->lane, make(row));
	lane_check(x->lane);
	CHECK_STR("line", "2 3 4 5", str_from(line(x)));
	flying = send_next(x);
	lane_shed(x->lane, true);
	assert_non_null(flying->bytes); /* somebody reads them */
	lane_merge(x->lane, make(2));
	CHECK_STR("the one on the wire is known", "", str_from(line(x)));
}

static void merging_puts_rows_in_order(void **state)
{
	struct bench *x = *state;

	append(x, 5, 6);
	lane_merge(x->lane, make(2)); /* a replay */
	lane_merge(x->lane, make(6));
	lane_merge(x->lane, make(9));
	lane_merge(x->lane, make(1));
	lane_check(x->lane);
	CHECK_STR("line", "1 2 5 6 9", str_from(line(x)));
	CHECK_INT("last", 9, x->lane->last_row);
}

static struct delivery *waiting(const struct bench *x, int64_t row, int64_t s, bool delayed)
{
	struct delivery *d = make(row);

	d->state = d->stored = DELIVERY_WAITING;
	d->attempts = 3;
	d->next_at_ns = now(x) + s * NS_PER_S;
	d->delayed = delayed;
	return d;
}

static void waits_of_the_disk_go_on(void **state)
{
	struct bench *x = *state;

	lane_merge(x->lane, waiting(x, 1, 600, true));
	lane_merge(x->lane, waiting(x, 2, 10, false));
	lane_merge(x->lane, make(3));
	lane_check(x->lane);
	CHECK_STR("line", "2 3", str_from(line(x)));
	assert_null(lane_next(x->lane, now(x) + 10 * NS_PER_S - 1));
	CHECK_INT("its time", 2, lane_next(x->lane, now(x) + 10 * NS_PER_S)->event_row);
	lane_merge(x->lane, make(1));
	CHECK_STR("known", "2 3", str_from(line(x)));
}

/* What was delivered while a reader looked at an older snapshot does not come back. */
static void a_read_brings_nothing_twice(void **state)
{
	struct bench *x = *state;

	append(x, 1, 3);
	x->lane->reading = true;
	delivered(x, send_next(x));
	commit(x, GW_OK, false);
	delivered(x, send_next(x));
	for (int64_t row = 1; row <= 3; row++)
		lane_merge(x->lane, make(row));
	CHECK_STR("line", "3", str_from(line(x)));
	lane_read_done(x->lane, 0, 3, true);
	CHECK_INT("the one that is on disk is gone", 1, x->lane->closing.count);
	commit(x, GW_OK, false);
	CHECK_INT("and the other", 0, x->lane->closing.count);
	lane_merge(x->lane, make(2)); /* a replay, read later */
	CHECK_STR("line", "2 3", str_from(line(x)));
}

/* ---- where a lane is to be read from */

static void read_back(struct bench *x, int64_t first, int64_t last, bool ended)
{
	int64_t after = lane_read_begin(x->lane);

	for (int64_t row = first; row <= last; row++)
		lane_merge(x->lane, make(row));
	lane_read_done(x->lane, after, last >= first ? last : after, ended);
	lane_check(x->lane);
}

static void a_rewind_outlives_reads_that_do_not_reach(void **state)
{
	struct bench *x = *state;

	append(x, 9, 9);
	lane_rewind(x->lane, 2);
	read_back(x, 1, 0, false); /* interrupted before it brought anything */
	assert_true(lane_wants_read(x->lane));
	read_back(x, 2, 4, false);
	CHECK_STR("as far as it came", "2 3 4 9", str_from(line(x)));
	assert_false(lane_wants_read(x->lane));
	for (size_t i = 0; i < 3; i++)
		delivered(x, send_next(x));
	commit(x, GW_OK, false);
	assert_true(lane_wants_read(x->lane)); /* 9 is not next: 5 may be there */
	CHECK_INT("read on", 4, lane_read_begin(x->lane));
	lane_rewind(x->lane, 3); /* a replay that this read does not see */
	lane_merge(x->lane, make(5));
	lane_merge(x->lane, make(9));
	lane_read_done(x->lane, 4, 9, true);
	assert_true(x->lane->spilled);
	CHECK_INT("and from there", 2, x->lane->read_row);
	read_back(x, 3, 3, true);
	assert_false(x->lane->spilled);
	CHECK_STR("all", "3 5 9", str_from(line(x)));
	CHECK_INT("all was read", 9, x->lane->read_row);
}

static void a_replay_in_front_of_the_read_comes_again(void **state)
{
	struct bench *x = *state;
	int64_t after;

	lane_rewind(x->lane, 1);
	after = lane_read_begin(x->lane);
	lane_rewind(x->lane, 6);
	lane_merge(x->lane, make(2));
	lane_merge(x->lane, make(8));
	lane_read_done(x->lane, after, 8, true);
	CHECK_INT("6 was not seen", 5, x->lane->read_row);
	assert_true(x->lane->spilled);
	assert_false(lane_wants_read(x->lane)); /* 2 may go meanwhile */
}

/* A delayed one in front, and what was let go behind it is older. */
static void shedding_hides_no_older_row(void **state)
{
	struct bench *x = *state;

	append(x, 7, 7);
	wait_for(x, send_next(x), 5, true);
	commit(x, GW_OK, false);
	lane_rewind(x->lane, 2);
	read_back(x, 2, 3, true);
	clock_advance(&x->clock, 5 * NS_PER_S);
	loop_clock_moved(x->loop);
	loop_turn(x->loop, 0);
	CHECK_STR("line", "7 2 3", str_from(line(x)));
	lane_shed(x->lane, false);
	CHECK_STR("line", "7-", str_from(line(x)));
	CHECK_INT("from the lowest", 1, x->lane->read_row);
	CHECK_INT("the head is read for itself", 6, lane_read_begin(x->lane));
	lane_merge(x->lane, make(7));
	lane_read_done(x->lane, 6, 7, true);
	assert_true(x->lane->spilled);
	CHECK_INT("which reads nothing before it", 1, x->lane->read_row);
	lane_check(x->lane);
}

static void back_from_the_wire_to_its_place(void **state)
{
	struct bench *x = *state;
	struct delivery *d;

	append(x, 7, 8);
	d = send_next(x);
	lane_rewind(x->lane, 2);
	read_back(x, 2, 2, true);
	wait_for(x, d, 5, false);
	CHECK_STR("behind an older one", "2 7 8", str_from(line(x)));
	lane_check(x->lane);
	commit(x, GW_OK, false);
	d = send_next(x);
	lane_shed(x->lane, true); /* the destination wants another format */
	wait_for(x, d, 5, false);
	CHECK_STR("its old form is gone", "2-", str_from(line(x)));
	commit(x, GW_OK, false);
}

static void idle_lanes_go(void **state)
{
	struct bench *x = *state;
	struct lane *other = lanes_add(&x->lanes, 78);

	lane_spill(other);
	assert_false(lane_drop_idle(other));
	CHECK_INT("from the first row", 0, lane_read_begin(other));
	assert_false(lane_drop_idle(other));
	lane_read_done(other, 0, 0, true);
	assert_true(lane_drop_idle(other));
	assert_null(lanes_get(&x->lanes, 78));
	assert_ptr_equal(lanes_get(&x->lanes, 77), x->lane);
}

static void queues(void **state)
{
	struct bench *x = *state;
	struct lane *b = lanes_add(&x->lanes, 1), *c = lanes_add(&x->lanes, 2);
	struct lane_queue q = { NULL, NULL, 0 }, other = { NULL, NULL, 0 };

	lane_queue_put(&q, x->lane, 10);
	lane_queue_put(&q, b, 11);
	lane_queue_put(&q, c, 12);
	lane_queue_put(&other, b, 13); /* it is in one */
	CHECK_INT("count", 3, q.count);
	CHECK_INT("none", 0, other.count);
	lane_queue_remove(b);
	lane_queue_remove(b);
	assert_ptr_equal(q.first->next, c);
	assert_ptr_equal(c->prev, x->lane);
	lane_queue_remove(x->lane);
	assert_ptr_equal(q.first, c);
	lane_queue_remove(c);
	assert_null(q.first);
	assert_null(q.last);
	CHECK_INT("empty", 0, q.count);
}

/* ---- contracts */

static void want_pending_twice(void *arg)
{
	struct bench *x = arg;
	struct delivery *d = send_next(x);

	delivered(x, d);
	delivered(x, d);
}

static void want_two_in_flight(void *arg)
{
	struct bench *x = arg;
	struct delivery *second = x->lane->line.first->next;

	(void)send_next(x);
	delivery_want(second, DELIVERY_DELIVERING, NULL);
}

static void want_not_allowed(void *arg)
{
	struct bench *x = arg;

	delivery_want(x->lane->line.first, DELIVERY_DELIVERED, &(struct delivery_note){ 0 });
}

static void append_older(void *arg)
{
	lane_append(((struct bench *)arg)->lane, make(1));
}

static void broken_contracts_end_the_process(void **state)
{
	struct bench *x = *state;

	append(x, 1, 3);
	assert_true(dies(want_pending_twice, x));
	assert_true(dies(want_two_in_flight, x));
	assert_true(dies(want_not_allowed, x));
	assert_true(dies(append_older, x));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_moves),
		cmocka_unit_test(words),
		CASE(parts_of_a_delivery),
		CASE(one_after_the_other),
		CASE(a_failed_head_stays_in_front),
		CASE(a_parked_probe_changes_nothing),
		CASE(a_delayed_one_lets_the_others_pass),
		CASE(a_head_can_be_delayed_later),
		CASE(dead_from_anywhere),
		CASE(a_lost_wait_leaves_memory),
		CASE(a_refused_move_holds_in_memory),
		CASE(memory_is_what_is_held),
		CASE(shedding_keeps_the_head),
		CASE(shedding_all_keeps_what_moves),
		CASE(merging_puts_rows_in_order),
		CASE(waits_of_the_disk_go_on),
		CASE(a_read_brings_nothing_twice),
		CASE(a_rewind_outlives_reads_that_do_not_reach),
		CASE(a_replay_in_front_of_the_read_comes_again),
		CASE(shedding_hides_no_older_row),
		CASE(back_from_the_wire_to_its_place),
		CASE(idle_lanes_go),
		CASE(queues),
		CASE(broken_contracts_end_the_process),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
