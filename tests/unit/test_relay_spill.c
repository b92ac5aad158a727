/* SPDX-License-Identifier: MIT */
/* test_relay_spill.c - what does not fit into memory waits in the store and comes back in order */
#include "relay_rig.h"

#define BIG (60U * 1024) /* bytes of a text; 4 MiB hold about 68 of them */

static struct str big(struct rig *r)
{
	static char text[BIG];

	(void)r;
	memset(text, 'x', sizeof(text));
	return str_make(text, sizeof(text));
}

static void put_big(struct rig *r, const char *phone, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rig_text(r, phone, big(r));
}

static struct relay_numbers numbers(struct rig *r)
{
	struct relay_numbers n;

	relay_count(r->relay, &n);
	return n;
}

/* A new destination's outlet scans the store for what it may have missed, and lanes made meanwhile
 * come from there bit by bit: whoever judges memory waits for the end of that. */
static void settled_destination(struct rig *r, const char *format, const char *filter)
{
	(void)rig_destination(r, "/a", format, filter);
	RIG_UNTIL(r, rig_is_quiet(r));
}

static const char *phone(struct rig *r, size_t i)
{
	return kit_str(&r->kit, "49151123%05zu", i).ptr;
}

/* Every wamid of 1..last came exactly once. */
static void check_each_once(struct rig *r, size_t last)
{
	unsigned char *seen = xcalloc(last + 1, 1);

	for (size_t i = 0; i < end_count(&r->end); i++) {
		size_t n = wamid_of(&r->end.hits[i]);

		assert_in_range(n, 1, last);
		CHECK_INT("once", 0, seen[n]++);
	}
	CHECK_INT("all", last, end_count(&r->end));
	free(seen);
}

static void check_order(struct rig *r, size_t count)
{
	rig_await(r, count);
	for (size_t i = 0; i < count; i++)
		CHECK_INT("wamid", i + 1, wamid_of(&r->end.hits[i]));
}

static void a_lane_spills_and_comes_back(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	settled_destination(r, "meta", "");
	put_big(r, "1555", 120);
	RIG_UNTIL(r, r->committed == 120 && end_open(&r->end) == 1);
	CHECK_INT("spilled", 1, numbers(r).spilled_lanes);
	assert_in_range(numbers(r).memory_bytes, RELAY_MEMORY_MAX - 2 * BIG,
			RELAY_MEMORY_MAX + 2 * BIG);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	rig_await(r, 100);
	rig_texts(r, "1555", 10); /* behind what is still in the store */
	check_order(r, 130);
	RIG_UNTIL(r, rig_is_quiet(r));
	rig_texts(r, "1555", 1);
	check_order(r, 131);
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("nothing twice", 131, end_count(&r->end));
}

static void lanes_that_are_too_many_come_back(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	settled_destination(r, "meta", "");
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < 100; i++)
			put_big(r, phone(r, i), 1);
	}
	RIG_UNTIL(r, r->committed == 200 && end_open(&r->end) == 64);
	assert_in_range(numbers(r).memory_bytes, RELAY_MEMORY_MAX - 2 * BIG,
			RELAY_MEMORY_MAX + 2 * BIG);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	rig_await(r, 150);
	rig_texts(r, phone(r, 99), 1);
	rig_texts(r, phone(r, 200), 1); /* a lane that nobody has seen */
	rig_await(r, 202);
	RIG_UNTIL(r, rig_is_quiet(r));
	check_each_once(r, 202);
	for (size_t i = 0; i < 202; i++) { /* the second round behind the first, lane by lane */
		size_t n = wamid_of(&r->end.hits[i]), first = 0;

		if (n <= 100 || n > 200)
			continue;
		for (size_t k = 0; k < i; k++)
			first |= wamid_of(&r->end.hits[k]) == n - 100;
		CHECK_INT("in order", 1, first);
	}
	rig_texts(r, phone(r, 201), 1);
	rig_await(r, 203);
}

/* New lanes that come in while old ones are read back do not keep it up for ever. */
static void overflow_ends_under_load(void **state)
{
	struct rig *r = *state;
	size_t put = 100;

	end_decide(&r->end, hold, NULL);
	settled_destination(r, "meta", "");
	for (size_t i = 0; i < 100; i++)
		put_big(r, phone(r, i), 1);
	RIG_UNTIL(r, r->committed == 100 && end_open(&r->end) == 64);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	for (; put < 1000 && numbers(r).spilled_lanes > 0; put++) {
		rig_text(r, phone(r, put), STR("hi"));
		loop_turn(r->loop, 1);
	}
	assert_in_range(put, 101, 999);
	rig_await(r, put);
	RIG_UNTIL(r, rig_is_quiet(r));
	check_each_once(r, put);
}

static void a_restart_keeps_the_order(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "meta", "");
	put_big(r, "1555", 90);
	RIG_UNTIL(r, r->committed == 90 && end_open(&r->end) == 1);
	end_decide(&r->end, NULL, NULL);
	r->idle = false;
	relay_drain(r->relay, rig_on_idle, r);
	end_release(&r->end, 200);
	RIG_UNTIL(r, r->idle);
	CHECK_INT("drained", 1, end_count(&r->end));
	rig_restart(r);
	rig_texts(r, "1555", 5);
	check_order(r, 95);
	RIG_UNTIL(r, rig_is_quiet(r));
	check_each_once(r, 95);
}

static void a_restart_with_many_lanes(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	for (size_t i = 0; i < 1500; i++)
		rig_text(r, phone(r, i), STR("hi"));
	RIG_UNTIL(r, r->committed == 1500 && end_open(&r->end) == 64);
	end_decide(&r->end, NULL, NULL);
	r->idle = false;
	relay_drain(r->relay, rig_on_idle, r);
	end_release(&r->end, 200);
	RIG_UNTIL(r, r->idle);
	rig_restart(r);
	rig_await(r, 1500);
	RIG_UNTIL(r, rig_is_quiet(r));
	check_each_once(r, 1500);
}

static struct answer fail_all(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)h;
	(void)nth;
	return (struct answer){ 500, NULL };
}

static void a_restart_keeps_a_wait(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;

	end_decide(&r->end, fail_all, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, "1555", 2);
	rig_await(r, 1);
	for (size_t n = 2; n <= 4; n++) { /* after the fourth: 2 minutes */
		RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == n - 1));
		rig_advance(r, 37000);
		rig_await(r, n);
	}
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == 4));
	end_decide(&r->end, NULL, NULL);
	rig_restart(r);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	rig_advance(r, 95000);
	for (size_t i = 0; i < 10; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("its wait goes on", 4, end_count(&r->end));
	rig_advance(r, 50000);
	rig_await(r, 6);
	CHECK_INT("attempts are kept", 5, r->end.hits[4].attempt);
	CHECK_INT("in order", 1, wamid_of(&r->end.hits[4]));
	CHECK_INT("in order", 2, wamid_of(&r->end.hits[5]));
}

static struct answer refuse_1555(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)nth;
	return (struct answer){ strstr(h->body, "\"from\":\"1555\"") != NULL ? 500 : 200, NULL };
}

static void a_stuck_lane_does_not_crowd_out_others(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	settled_destination(r, "meta", "");
	put_big(r, "1555", 90); /* fills the memory */
	RIG_UNTIL(r, r->committed == 90 && end_open(&r->end) == 1);
	end_decide(&r->end, refuse_1555, NULL);
	end_release(&r->end, 500);
	RIG_UNTIL(r,
		  numbers(r).waiting_lanes == 1 && numbers(r).memory_bytes < RELAY_MEMORY_MAX / 4);
	for (size_t i = 0; i < 80; i++)
		put_big(r, phone(r, i), 1);
	rig_await(r, 81);
	end_decide(&r->end, NULL, NULL);
	kit_barrier(&r->kit);
	loop_turn(r->loop, 0);
	rig_advance(r, 7000);
	rig_await(r, 171);
	RIG_UNTIL(r, rig_is_quiet(r));
	for (size_t i = 81; i < 171; i++)
		CHECK_INT("wamid", i - 80, wamid_of(&r->end.hits[i]));
}

static void an_outage_fills_the_store_not_the_memory(void **state)
{
	struct rig *r = *state;
	int status = 503;

	end_decide(&r->end, always, &status);
	(void)rig_destination(r, "/a", "meta", "");
	for (size_t i = 0; i < 150; i++)
		put_big(r, phone(r, i % 30), 1);
	RIG_UNTIL(r, r->committed == 150 && numbers(r).open_breakers == 1);
	assert_in_range(numbers(r).memory_bytes, 0, RELAY_MEMORY_MAX + 2 * BIG);
	RIG_UNTIL(r, numbers(r).in_flight == 0);
	status = 200;
	for (size_t i = 0; i < 300 && !rig_is_quiet(r); i++) {
		rig_advance(r, 1000);
		for (size_t k = 0; k < 5; k++)
			loop_turn(r->loop, 2);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
}

static void a_large_body_is_let_go_at_once(void **state)
{
	struct rig *r = *state;
	struct buf b;

	end_decide(&r->end, hold, NULL);
	settled_destination(r, "godwit", "{\"kinds\":[\"failed\"]}");
	buf_init(&b, 8U << 20);
	buf_put_text(&b, WRAP_HEAD "\"statuses\":[");
	for (size_t i = 0; i < 1000; i++)
		buf_put_fmt(&b,
			    "%s{\"id\":\"wamid.%06zu\",\"status\":\"%s\",\"timestamp\":"
			    "\"1795000000\",\"recipient_id\":\"49151%06zu\",\"x\":\"%02000d\"}",
			    i == 0 ? "" : ",", i + 1, i % 100 == 0 ? "failed" : "sent", i, 0);
	buf_put_text(&b, "]" WRAP_TAIL);
	rig_body(r, buf_str(&b));
	buf_release(&b);
	RIG_UNTIL(r, end_open(&r->end) == 10);
	CHECK_INT("an event for each", 10, r->committed);
	assert_in_range(numbers(r).memory_bytes, 1000, 20000);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	RIG_UNTIL(r, rig_is_quiet(r));
}

/* ---- anything at any time */

#define LANES 9

struct chaos {
	struct rnd rnd;
	struct rnd theirs; /* the endpoint's thread */
	size_t done[LANES]; /* the last wamid that was taken, lane by lane */
	size_t taken, wrong;
	size_t spilled; /* at most, at once */
};

static size_t lane_of(const struct hit *h)
{
	uint64_t n = LANES;
	const char *at = strstr(h->body, "\"from\":\"49151123");

	assert_non_null(at);
	assert_true(str_to_u64(str_make(at + 16, 5), &n));
	return (size_t)n;
}

static struct answer chaotic(void *cookie, const struct hit *h, size_t nth)
{
	struct chaos *c = cookie;
	size_t lane = lane_of(h), wamid = wamid_of(h);

	(void)nth;
	if (rnd_below(&c->theirs, 12) == 0)
		return (struct answer){ 500, NULL };
	if (wamid < c->done[lane])
		c->wrong++; /* an older one after a newer one was taken */
	if (wamid > c->done[lane])
		c->taken++;
	c->done[lane] = wamid;
	return (struct answer){ 200, NULL };
}

static void a_while(struct rig *r, struct chaos *c)
{
	for (uint64_t i = rnd_below(&c->rnd, 20); i > 0; i--)
		loop_turn(r->loop, 1);
	if (numbers(r).spilled_lanes > c->spilled)
		c->spilled = numbers(r).spilled_lanes;
	if (rnd_below(&c->rnd, 3) == 0)
		rig_advance(r, 1200);
}

static void anything_at_any_time_keeps_every_lane_in_order(void **state)
{
	struct rig *r = *state;
	struct chaos c = { .taken = 0 };
	size_t put = 0;

	rnd_init_seed(&c.rnd, 7);
	rnd_init_seed(&c.theirs, 8);
	r->settings.lane_block_max_ms = INT64_C(1) << 40; /* strict */
	r->settings.concurrency_max = 5;
	rig_restart(r);
	end_decide(&r->end, chaotic, &c);
	(void)rig_destination(r, "/a", "meta", "");
	for (size_t step = 0; step < 60; step++) {
		for (uint64_t n = rnd_below(&c.rnd, 30); n > 0; n--, put++)
			rig_text(r, phone(r, (size_t)rnd_below(&c.rnd, LANES)),
				 rnd_below(&c.rnd, 2) == 0 ? big(r) : STR("small"));
		a_while(r, &c);
		if (rnd_below(&c.rnd, 15) == 0)
			rig_restart(r);
	}
	for (size_t i = 0; i < 5000 && !rig_is_quiet(r); i++) {
		rig_advance(r, 5000);
		loop_turn(r->loop, 2);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("out of order", 0, c.wrong);
	CHECK_INT("every event", put, c.taken);
	assert_in_range(c.spilled, 1, LANES);
}

/* ---- the same with replays, several destinations, and changes of these */

#define ENDS 3
#define ROUNDS 4
#define WAMIDS 4000 /* more than a run makes */

struct model {
	struct rnd rnd;
	struct rnd theirs; /* the endpoint's thread */
	struct destination *to[ENDS];
	size_t last[ENDS][LANES]; /* the newest first delivery, lane by lane */
	unsigned char had[ENDS][WAMIDS], due[ENDS][WAMIDS]; /* deliveries taken, and wanted */
	char id[WAMIDS][40]; /* webhook-id; empty: never seen */
	size_t wrong, slow;
};

static struct answer model_answer(void *cookie, const struct hit *h, size_t nth)
{
	struct model *m = cookie;
	size_t end = (size_t)(h->path[1] - 'a'), wamid = wamid_of(h), lane = lane_of(h);

	(void)nth;
	memcpy(m->id[wamid], h->id, sizeof(m->id[wamid]));
	if (end == 0 && m->slow > 0 && rnd_below(&m->theirs, 3) == 0) {
		m->slow--;
		return (struct answer){ 503, "1" };
	}
	if (rnd_below(&m->theirs, 14) == 0)
		return (struct answer){ 500, NULL };
	m->had[end][wamid]++;
	if (h->replay)
		return (struct answer){ 200, NULL };
	m->wrong += wamid <= m->last[end][lane];
	m->last[end][lane] = wamid;
	return (struct answer){ 200, NULL };
}

struct again {
	struct store_replay req;
	int64_t lane;
};

static bool again_lane(void *cookie, const struct store_event_row *e)
{
	((struct again *)cookie)->lane = e->lane;
	return true;
}

static void again_look(struct store_reader *reader, void *cookie)
{
	struct again *a = cookie;

	assert_int_equal(reader_event(reader, &a->req.event, again_lane, a), GW_OK);
}

/* As server code does it; what is open is not opened again. */
static void model_replay(struct rig *r, struct model *m, size_t end, size_t wamid)
{
	struct again a = { .lane = 0 };
	char id[sizeof(m->id[0])];

	pthread_mutex_lock(&r->end.lock);
	memcpy(id, m->id[wamid], sizeof(id));
	pthread_mutex_unlock(&r->end.lock);
	if (id[0] == '\0')
		return;
	assert_true(id_parse(ID_EVENT, str_from(id), &a.req.event));
	a.req.destination_row = m->to[end]->row;
	kit_read(&r->kit, again_look, &a);
	assert_int_equal(kit_run(&r->kit, &a.req.req, STORE_REPLAY), GW_OK);
	m->due[end][wamid] += (unsigned char)a.req.made;
	relay_replayed(r->relay, m->to[end]->row, a.lane, a.req.event_row);
}

/* One by its id, or all of a range. */
static void model_replays(struct rig *r, struct model *m)
{
	size_t end = (size_t)rnd_below(&m->rnd, ENDS), count = 1;
	size_t first = 1 + (size_t)rnd_below(&m->rnd, r->wamid);

	if (rnd_below(&m->rnd, 3) == 0)
		count = (size_t)rnd_below(&m->rnd, 60);
	for (size_t n = first; n < first + count && n <= r->wamid; n++) {
		model_replay(r, m, end, n);
		if (rnd_below(&m->rnd, 8) == 0)
			loop_turn(r->loop, 0);
	}
}

/* One that is off gets no new events; what it has, and replays, wait until it is on again. */
static void model_off_and_on(struct rig *r, struct model *m, size_t end)
{
	struct store_destination d = rig_row_of(r, m->to[end]);

	RIG_UNTIL(r, r->committed == r->wamid);
	d.state = "disabled";
	m->to[end] = rig_put(r, d);
	model_replays(r, m);
	for (uint64_t n = rnd_below(&m->rnd, 12); n > 0; n--)
		loop_turn(r->loop, 1);
	d.state = "active";
	m->to[end] = rig_put(r, d);
}

/* Rendered anew, or switched off and on again. */
static void model_edit(struct rig *r, struct model *m)
{
	size_t end = (size_t)rnd_below(&m->rnd, ENDS);
	struct store_destination d = rig_row_of(r, m->to[end]);

	if (rnd_below(&m->rnd, 2) == 0) {
		model_off_and_on(r, m, end);
		return;
	}
	d.include_raw = !d.include_raw;
	m->to[end] = rig_put(r, d);
}

static void model_step(struct rig *r, struct model *m)
{
	for (uint64_t n = rnd_below(&m->rnd, 20); n > 0; n--) {
		rig_text(r, phone(r, (size_t)rnd_below(&m->rnd, LANES)),
			 rnd_below(&m->rnd, 2) == 0 ? big(r) : STR("small"));
		for (size_t end = 0; end < ENDS; end++)
			m->due[end][r->wamid]++;
	}
	for (uint64_t n = rnd_below(&m->rnd, 12); n > 0; n--)
		loop_turn(r->loop, 1);
	if (r->wamid > 0 && rnd_below(&m->rnd, 3) == 0)
		model_replays(r, m);
	if (r->wamid > 0 && rnd_below(&m->rnd, 9) == 0)
		model_edit(r, m);
	if (rnd_below(&m->rnd, 3) == 0)
		rig_advance(r, 1200);
}

static void model_restart(struct rig *r, struct model *m)
{
	struct id id[ENDS];

	for (size_t end = 0; end < ENDS; end++)
		id[end] = m->to[end]->id;
	rig_restart(r);
	for (size_t end = 0; end < ENDS; end++)
		m->to[end] = destinations_by_id(r->destinations, &id[end]);
}

static void model_check(struct rig *r, const struct model *m, size_t seed)
{
	if (m->wrong > 0)
		fail_msg("seed %zu: %zu out of order", seed, m->wrong);
	for (size_t end = 0; end < ENDS; end++)
		for (size_t n = 1; n <= r->wamid; n++)
			if (m->had[end][n] != m->due[end][n])
				fail_msg("seed %zu: /%c wamid %zu came %u times, not %u", seed,
					 (char)('a' + end), n, m->had[end][n], m->due[end][n]);
}

static void model_round(struct rig *r, struct model *m, size_t seed)
{
	rnd_init_seed(&m->rnd, seed);
	rnd_init_seed(&m->theirs, seed + 1000);
	m->slow = 30;
	for (size_t step = 0; step < 50; step++) {
		model_step(r, m);
		if (step == 25 && rnd_below(&m->rnd, 2) == 0)
			model_restart(r, m);
	}
	for (size_t i = 0; i < 4000 && !rig_is_quiet(r); i++) {
		rig_advance(r, 5000);
		loop_turn(r->loop, 2);
	}
	if (!rig_is_quiet(r))
		fail_msg("seed %zu: it does not come to rest", seed);
	model_check(r, m, seed);
}

static void replays_at_any_time_reach_every_destination(void **state)
{
	static const char *const paths[ENDS] = { "/a", "/b", "/c" };
	struct rig *r = *state;
	struct model *m = xcalloc(1, sizeof(*m));

	r->settings.lane_block_max_ms = INT64_C(1) << 40; /* strict */
	r->settings.concurrency_max = 4;
	rig_restart(r);
	end_decide(&r->end, model_answer, m);
	for (size_t end = 0; end < ENDS; end++)
		m->to[end] = rig_destination(r, paths[end], "meta", "");
	for (size_t seed = 1; seed <= ROUNDS; seed++)
		model_round(r, m, seed);
	end_decide(&r->end, NULL, NULL);
	free(m);
}

/* More than one read brings, of a lane whose newest is on the wire; nobody restarts it. */
static void a_large_replay_is_read_to_its_end(void **state)
{
	struct rig *r = *state;
	struct model *m = xcalloc(1, sizeof(*m));

	m->to[0] = rig_destination(r, "/a", "meta", "");
	put_big(r, "1555", 40);
	rig_await(r, 40);
	RIG_UNTIL(r, rig_is_quiet(r));
	kit_barrier(&r->kit);
	for (size_t i = 0; i < 40; i++)
		memcpy(m->id[i + 1], r->end.hits[i].id, sizeof(m->id[0]));
	end_decide(&r->end, hold, NULL);
	rig_texts(r, "1555", 3);
	RIG_UNTIL(r, end_open(&r->end) == 1 && r->committed == 43);
	for (size_t n = 1; n <= 40; n++)
		model_replay(r, m, 0, n);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	rig_await(r, 83);
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("each once", 83, end_count(&r->end));
	for (size_t i = 41; i < 81; i++)
		CHECK_INT("in order", i - 40, wamid_of(&r->end.hits[i]));
	CHECK_INT("and then what is new", 42, wamid_of(&r->end.hits[81]));
	free(m);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, rig_open, rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_lane_spills_and_comes_back),
		CASE(lanes_that_are_too_many_come_back),
		CASE(overflow_ends_under_load),
		CASE(a_restart_keeps_the_order),
		CASE(a_restart_with_many_lanes),
		CASE(a_restart_keeps_a_wait),
		CASE(a_stuck_lane_does_not_crowd_out_others),
		CASE(an_outage_fills_the_store_not_the_memory),
		CASE(a_large_body_is_let_go_at_once),
		CASE(anything_at_any_time_keeps_every_lane_in_order),
		CASE(a_large_replay_is_read_to_its_end),
		CASE(replays_at_any_time_reach_every_destination),
	};

	return cmocka_run_group_tests_name("relay_spill", tests, NULL, NULL);
}
