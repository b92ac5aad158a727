/* SPDX-License-Identifier: MIT */
/* test_store_delivery.c - deliveries: made with the event, moved, read by lane, replayed */
#include "store_kit.h"

#define ANN "16505551234"
#define BOB "16505550000"

static struct store_event_in put_for(struct kit *k, const char *phone, const char *wamid, int64_t a,
				     int64_t b)
{
	struct store_event_in ev = kit_text(k, phone, wamid);

	ev.destinations[0] = a;
	ev.destinations[1] = b;
	ev.destination_count = (uint8_t)((a != 0) + (b != 0));
	kit_put(k, &ev, 1);
	return ev;
}

static gw_status move(struct kit *k, int64_t event, int64_t destination, const char *from,
		      const char *to, bool *out_lost)
{
	struct store_delivery_move m = { .event_row = event,
					 .destination_row = destination,
					 .from = from,
					 .to = to,
					 .attempts = 1,
					 .at_ms = kit_now(k) };
	gw_status status = kit_run(k, &m.req, STORE_DELIVERY_MOVE);

	*out_lost = m.lost;
	return status;
}

static void moves(void **state)
{
	static const struct {
		const char *from, *to;
		gw_status want;
		bool lost;
	} cases[] = {
		{ "waiting", "delivering", GW_OK, true },
		{ "pending", "delivering", GW_OK, false },
		{ "pending", "delivering", GW_OK, true },
		{ "delivering", "waiting", GW_OK, false },
		{ "waiting", "eaten", GW_EPARSE, false },
		{ "waiting", "delivering", GW_OK, false },
		{ "delivering", "delivered", GW_OK, false },
		{ "delivering", "dead", GW_OK, true },
	};
	struct kit k;
	struct store_event_in ev;
	int64_t d, other;

	(void)state;
	kit_open(&k);
	d = kit_destination(&k, "http://a", true);
	other = kit_destination(&k, "http://b", true);
	ev = put_for(&k, ANN, "a", d, other);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool lost;

		CHECK_INT(cases[i].to, cases[i].want,
			  move(&k, ev.row, d, cases[i].from, cases[i].to, &lost));
		if (cases[i].want == GW_OK)
			CHECK_INT(cases[i].to, cases[i].lost, lost);
	}
	kit_close(&k);
}

/* ---- lanes */

struct lane_job {
	int64_t destination, lane, after;
	size_t max_bytes, stop_after;
	gw_status status;
	size_t count;
	int64_t rows[16];
	size_t body_len;
	char state[16];
};

static bool on_item(void *cookie, const struct store_lane_item *item)
{
	struct lane_job *j = cookie;

	CHECK_INT("one event", item->delivery.event_row, item->event.row);
	j->body_len = item->event.body.len;
	(void)str_copy(item->delivery.state, j->state, sizeof(j->state));
	j->rows[j->count++] = item->event.row;
	return j->count != j->stop_after;
}

static void read_lane(struct store_reader *r, void *cookie)
{
	struct lane_job *j = cookie;

	j->status = reader_lane(r, j->destination, j->lane, j->after, j->max_bytes, on_item, j);
}

static void lanes_in_order(void **state)
{
	struct kit k;
	struct store_event_in ev[5], other;
	struct lane_job j = { .max_bytes = 1 << 20 };
	bool lost;

	(void)state;
	kit_open(&k);
	j.destination = kit_destination(&k, "http://a", true);
	for (size_t i = 0; i < 5; i++)
		ev[i] = put_for(&k, ANN, kit_str(&k, "%zu", i).ptr, j.destination, 0);
	other = put_for(&k, BOB, "other", j.destination, 0);
	j.lane = ev[0].lane;
	kit_read(&k, read_lane, &j);
	CHECK_INT("all of one", 5, j.count);
	for (size_t i = 0; i < 5; i++)
		CHECK_INT("order", ev[i].row, j.rows[i]);
	assert_true(j.body_len > 0);

	j.count = 0;
	j.after = ev[1].row;
	kit_read(&k, read_lane, &j);
	CHECK_INT("after the second", 3, j.count);
	CHECK_INT("the third", ev[2].row, j.rows[0]);

	j.count = 0;
	j.after = 0;
	j.stop_after = 2;
	kit_read(&k, read_lane, &j);
	CHECK_INT("stopped", 2, j.count);

	j.count = j.stop_after = 0;
	j.max_bytes = 1;
	kit_read(&k, read_lane, &j);
	CHECK_INT("at least one", 1, j.count);

	j.count = 0;
	j.max_bytes = 1 << 20;
	CHECK_INT("done", GW_OK, move(&k, ev[0].row, j.destination, "pending", "delivered", &lost));
	CHECK_INT("given up", GW_OK, move(&k, ev[2].row, j.destination, "pending", "dead", &lost));
	CHECK_INT("again", GW_OK, move(&k, ev[1].row, j.destination, "pending", "waiting", &lost));
	kit_read(&k, read_lane, &j);
	CHECK_INT("the open ones", 3, j.count);
	CHECK_INT("first", ev[1].row, j.rows[0]);

	j.count = 0;
	j.lane = other.lane;
	kit_read(&k, read_lane, &j);
	CHECK_INT("the other lane", 1, j.count);
	CHECK_STR("state", "pending", str_from(j.state));
	j.destination = 77;
	j.count = 0;
	kit_read(&k, read_lane, &j);
	CHECK_INT("no such destination", 0, j.count);
	kit_close(&k);
}

struct keys {
	int64_t destination, after;
	unsigned limit;
	size_t count;
	int64_t lanes[8];
};

static bool on_key(void *cookie, int64_t lane)
{
	struct keys *j = cookie;

	j->lanes[j->count++] = lane;
	return true;
}

static void read_keys(struct store_reader *r, void *cookie)
{
	struct keys *j = cookie;

	assert_int_equal(reader_lanes(r, j->destination, j->after, j->limit, on_key, j), GW_OK);
}

static void lane_keys(void **state)
{
	struct kit k;
	struct keys j = { .after = INT64_MIN, .limit = 2 };

	(void)state;
	kit_open(&k);
	j.destination = kit_destination(&k, "http://a", true);
	for (int i = 0; i < 9; i++)
		put_for(&k, kit_str(&k, "49%d", i % 3).ptr, kit_str(&k, "%d", i).ptr, j.destination,
			0);
	kit_read(&k, read_keys, &j);
	CHECK_INT("two", 2, j.count);
	j.after = j.lanes[1];
	kit_read(&k, read_keys, &j);
	CHECK_INT("the third", 3, j.count);
	assert_true(j.lanes[0] < j.lanes[1] && j.lanes[1] < j.lanes[2]);
	kit_close(&k);
}

/* A body of many events is read once, and its bytes count once. */
static void siblings_share_a_body(void **state)
{
	enum { COUNT = 10, BODY = 100000 };
	struct kit k;
	struct store_event_in ev[COUNT];
	struct store_put_body p;
	struct lane_job j = { .max_bytes = BODY + 10000 };
	char *bytes = xcalloc(1, BODY);

	(void)state;
	kit_open(&k);
	j.destination = kit_destination(&k, "http://a", true);
	for (size_t i = 0; i < COUNT; i++) {
		ev[i] = kit_text(&k, ANN, kit_str(&k, "%zu", i).ptr);
		ev[i].destinations[0] = j.destination;
		ev[i].destination_count = 1;
	}
	p = kit_body(&k, ev, COUNT);
	p.bytes = str_make(bytes, BODY);
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_BODY), GW_OK);
	j.lane = ev[0].lane;
	kit_read(&k, read_lane, &j);
	CHECK_INT("all", COUNT, j.count);
	CHECK_INT("whole", BODY, j.body_len);
	kit_close(&k);
	free(bytes);
}

/* ---- who gets what */

static void stale_goes_where_it_is_wanted(void **state)
{
	struct kit k;
	struct store_event_in ev;
	struct lane_job j = { .max_bytes = 1 << 20 };
	int64_t wants, refuses;

	(void)state;
	kit_open(&k);
	wants = kit_destination(&k, "http://a", true);
	refuses = kit_destination(&k, "http://b", false);
	ev = kit_text(&k, ANN, "old");
	ev.dedupe_s -= 10 * 86400;
	ev.destinations[0] = wants;
	ev.destinations[1] = refuses;
	ev.destination_count = 2;
	kit_put(&k, &ev, 1);
	assert_true(ev.stale);
	j.lane = ev.lane;
	j.destination = wants;
	kit_read(&k, read_lane, &j);
	CHECK_INT("wanted", 1, j.count);
	j.count = 0;
	j.destination = refuses;
	kit_read(&k, read_lane, &j);
	CHECK_INT("not wanted", 0, j.count);
	kit_close(&k);
}

struct deliveries_job {
	struct id event;
	gw_status status;
	size_t count;
	char states[4][16];
};

static bool on_info(void *cookie, const struct store_delivery_info *d)
{
	struct deliveries_job *j = cookie;

	(void)str_copy(d->state, j->states[j->count++], sizeof(j->states[0]));
	return true;
}

static void read_deliveries(struct store_reader *r, void *cookie)
{
	struct deliveries_job *j = cookie;

	j->status = reader_deliveries(r, &j->event, on_info, j);
}

static void deliveries_of_an_event(void **state)
{
	struct kit k;
	struct deliveries_job j = { .count = 0 };
	int64_t a, b;
	struct store_event_in ev, next;
	bool lost;

	(void)state;
	kit_open(&k);
	a = kit_destination(&k, "http://a", true);
	b = kit_destination(&k, "http://b", true);
	ev = put_for(&k, ANN, "1", a, b);
	next = put_for(&k, ANN, "2", a, 0);
	CHECK_INT("dead", GW_OK, move(&k, ev.row, b, "pending", "dead", &lost));
	j.event = ev.id;
	kit_read(&k, read_deliveries, &j);
	CHECK_INT("two", 2, j.count);
	CHECK_STR("first", "pending", str_from(j.states[0]));
	CHECK_STR("second", "dead", str_from(j.states[1]));
	j.count = 0;
	j.event = next.id;
	kit_read(&k, read_deliveries, &j);
	CHECK_INT("one", 1, j.count);
	j.event = kit_id(&k);
	kit_read(&k, read_deliveries, &j);
	CHECK_INT("no such event", GW_ENOTFOUND, j.status);
	kit_close(&k);
}

/* ---- replays */

static void replays(void **state)
{
	static const char *const ends[] = { "delivered", "dead", "pending", "delivering",
					    "waiting" };
	struct kit k;
	int64_t d, other, gone;
	struct store_put_destination removed;

	(void)state;
	kit_open(&k);
	d = kit_destination(&k, "http://a", true);
	other = kit_destination(&k, "http://b", true);
	gone = kit_destination(&k, "http://c", true);
	removed = (struct store_put_destination){
		.d = { .row = gone, .id = kit_id(&k), .state = "disabled", .removed = true }
	};
	CHECK_INT("removed", GW_OK, kit_run(&k, &removed.req, STORE_PUT_DESTINATION));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct store_event_in ev = put_for(&k, ANN, ends[i], d, 0);
		struct store_replay r = { .event = ev.id };
		bool lost;

		if (strcmp(ends[i], "pending") != 0)
			CHECK_INT(ends[i], GW_OK, move(&k, ev.row, d, "pending", ends[i], &lost));
		CHECK_INT(ends[i], GW_OK, kit_run(&k, &r.req, STORE_REPLAY));
		CHECK_INT(ends[i], ev.row, r.event_row);
		CHECK_INT(ends[i], i < 2, r.made); /* the closed ones */
		r = (struct store_replay){ .event = ev.id, .destination_row = other };
		CHECK_INT("another", GW_OK, kit_run(&k, &r.req, STORE_REPLAY));
		CHECK_INT("another", 1, r.made);
		CHECK_INT("again", GW_OK, kit_run(&k, &r.req, STORE_REPLAY));
		CHECK_INT("is open", 0, r.made);
		r = (struct store_replay){ .event = ev.id, .destination_row = gone };
		CHECK_INT("gone", GW_OK, kit_run(&k, &r.req, STORE_REPLAY));
		CHECK_INT("gone", 0, r.made);
	}
	{
		struct store_replay r = { .event = kit_id(&k) };

		CHECK_INT("no such event", GW_ENOTFOUND, kit_run(&k, &r.req, STORE_REPLAY));
		CHECK_INT("none", 0, r.made);
	}
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(lanes_in_order),
		cmocka_unit_test(lane_keys),
		cmocka_unit_test(siblings_share_a_body),
		cmocka_unit_test(stale_goes_where_it_is_wanted),
		cmocka_unit_test(deliveries_of_an_event),
		cmocka_unit_test(replays),
	};

	return cmocka_run_group_tests_name("store_delivery", tests, NULL, NULL);
}
