/* SPDX-License-Identifier: MIT */
/* test_relay.c - lanes, attempts and their answers, over a real store and a real endpoint */
#include "relay_rig.h"

#include "gateway/sign.h"

#define ANN "16505551234"
#define BOB "16505554321"

static void check_signed(const struct hit *h, const char *key)
{
	struct mac *mac = mac_new(str_from(key));
	char want[SIGN_HEADER_MAX];
	int64_t stamp = 0;

	assert_true(str_to_i64(str_from(h->stamp), &stamp));
	sign_standard(mac, NULL, str_from(h->id), stamp, str_make(h->body, h->body_len), want);
	CHECK_STR("signature", want, str_from(h->signature));
	mac_free(mac);
}

static void delivers_an_event(void **state)
{
	struct rig *r = *state;
	struct hit *h = &r->end.hits[0];
	struct rig_delivery d;
	int64_t stamp = 0;

	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_STR("path", "/a", str_from(h->path));
	CHECK_STR("type", "application/json", str_from(h->type));
	CHECK_STR("agent", "godwit/" GODWIT_VERSION, str_from(h->agent));
	CHECK_INT("attempt", 1, h->attempt);
	CHECK_INT("replay", false, h->replay);
	CHECK_STR("no signature of Meta", "", str_from(h->hub));
	assert_true(strstr(h->body, h->id) != NULL);
	assert_true(strstr(h->body, "\"type\":\"message.received\"") != NULL);
	assert_true(strstr(h->body, "\"seq\":1") != NULL);
	check_signed(h, RIG_KEY);
	/* Real time, although the gateway's clock says 2026: receivers compare it with theirs. */
	assert_true(str_to_i64(str_from(h->stamp), &stamp));
	assert_in_range(stamp, clock_real_wall_ms() / 1000 - 60, clock_real_wall_ms() / 1000);
	d = rig_delivery(r, h);
	CHECK_STR("state", "delivered", str_from(d.state));
	CHECK_INT("attempts", 1, d.attempts);
	CHECK_INT("status", 200, d.http_status);
}

static void cloudevents_has_its_type(void **state)
{
	struct rig *r = *state;

	(void)rig_destination(r, "/a", "cloudevents", "");
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	CHECK_STR("type", "application/cloudevents+json", str_from(r->end.hits[0].type));
	check_signed(&r->end.hits[0], RIG_KEY);
}

static void a_lane_keeps_its_order(void **state)
{
	struct rig *r = *state;

	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 50);
	rig_await(r, 50);
	for (size_t i = 0; i < 50; i++)
		CHECK_INT("wamid", i + 1, wamid_of(&r->end.hits[i]));
}

static void one_is_in_flight_in_a_lane(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	for (size_t i = 0; i < 5; i++) {
		rig_texts(r, ANN, 1);
		rig_texts(r, BOB, 1);
	}
	RIG_UNTIL(r, r->committed == 10 && end_open(&r->end) == 2);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("two lanes, one each", 2, end_open(&r->end));
	for (size_t n = 4; n <= 10; n += 2) {
		end_release(&r->end, 200);
		rig_await(r, n);
	}
	CHECK_INT("never more", 2, r->end.open_max);
}

static void a_status_does_not_hold_up_a_text(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_status(r, ANN, "wamid.900001", "sent");
	rig_status(r, ANN, "wamid.900001", "delivered");
	rig_status(r, ANN, "wamid.900002", "sent");
	rig_texts(r, ANN, 2);
	RIG_UNTIL(r, r->committed == 5 && end_open(&r->end) == 3);
	end_release(&r->end, 200);
	rig_await(r, 5);
	CHECK_INT("a lane for each message, one for the customer", 3, r->end.open_max);
}

static void concurrency_has_a_ceiling(void **state)
{
	struct rig *r = *state;

	r->settings.concurrency_max = 3;
	rig_restart(r);
	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	for (size_t i = 0; i < 12; i++)
		rig_text(r, kit_str(&r->kit, "4915112345%02zu", i).ptr, STR("hi"));
	RIG_UNTIL(r, r->committed == 12);
	for (size_t n = 3; n <= 12; n += 3) {
		rig_await(r, n);
		end_release(&r->end, 200);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("in flight", 3, r->end.open_max);
}

/* ---- retries */

static struct answer fail_first(void *cookie, const struct hit *h, size_t nth)
{
	(void)h;
	return (struct answer){ nth < *(size_t *)cookie ? 500 : 200, NULL };
}

static void a_failure_is_tried_again(void **state)
{
	struct rig *r = *state;
	size_t bad = 2;
	struct rig_delivery d;

	end_decide(&r->end, fail_first, &bad);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 2);
	rig_await(r, 1);
	d = rig_delivery(r, &r->end.hits[0]);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), strcmp(d.state, "waiting") == 0));
	CHECK_INT("burned", 1, d.attempts);
	CHECK_INT("status", 500, d.http_status);
	rig_advance(r, 799);
	CHECK_INT("1 s - 20 %: not yet", 1, end_count(&r->end));
	rig_advance(r, 402);
	rig_await(r, 2);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == 2));
	rig_advance(r, 6001);
	rig_await(r, 4);
	CHECK_INT("attempt", 3, r->end.hits[2].attempt);
	CHECK_STR("the same id", r->end.hits[0].id, str_from(r->end.hits[2].id));
	CHECK_INT("then the next", 2, wamid_of(&r->end.hits[3]));
	CHECK_INT("which is its first", 1, r->end.hits[3].attempt);
}

static struct answer patience(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)h;
	return nth == 0   ? (struct answer){ 429, "30" }
	       : nth == 1 ? (struct answer){ 503, "7" }
			  : (struct answer){ 200, NULL };
}

static void retry_after_is_honoured_and_not_counted(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;

	end_decide(&r->end, patience, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), strcmp(d.state, "waiting") == 0));
	CHECK_INT("not burned", 0, d.attempts);
	rig_advance(r, 29999);
	CHECK_INT("never earlier", 1, end_count(&r->end));
	rig_advance(r, 3700);
	rig_await(r, 2);
	CHECK_INT("still the first", 1, r->end.hits[1].attempt);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.http_status == 503));
	rig_advance(r, 9000);
	rig_await(r, 3);
	RIG_UNTIL(r, rig_is_quiet(r));
}

static struct answer redirect(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)h;
	return (struct answer){ nth == 0 ? 302 : nth == 1 ? -1 : 200, NULL };
}

static void redirects_and_resets_are_failures(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;

	end_decide(&r->end, redirect, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == 1));
	CHECK_INT("status", 302, d.http_status);
	rig_advance(r, 1201);
	rig_await(r, 2);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == 2));
	rig_advance(r, 6001);
	rig_await(r, 3);
	CHECK_STR("the same id", r->end.hits[0].id, str_from(r->end.hits[2].id));
}

/* ---- poison */

static struct answer refuse_first_wamid(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)nth;
	return (struct answer){ wamid_of(h) == 1 ? 500 : 200, NULL };
}

/* Every wait of the schedule is over within 25 hours. */
static struct rig_delivery dead_after_advancing(struct rig *r, const struct hit *h)
{
	struct rig_delivery d = rig_delivery(r, h);

	for (size_t i = 0; i < 16 && strcmp(d.state, "dead") != 0; i++) {
		size_t before = d.attempts;

		rig_advance(r, INT64_C(25) * 3600 * 1000);
		RIG_UNTIL(r, (d = rig_delivery(r, h), d.attempts > before));
	}
	return d;
}

static void poison_holds_up_its_lane_and_no_other(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;

	end_decide(&r->end, refuse_first_wamid, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 3); /* 1, 2, 3 */
	rig_texts(r, BOB, 3); /* 4, 5, 6 */
	rig_await(r, 4);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]), d.attempts == 1));
	for (size_t i = 0; i < 4; i++)
		assert_true(wamid_of(&r->end.hits[i]) == 1 || wamid_of(&r->end.hits[i]) > 3);
	/* 1 s, 5 s, 30 s, 2 min, 5 min later ... */
	for (int64_t ms = 0, step = 5000; ms < 590000; ms += step) {
		size_t before = end_count(&r->end);

		rig_advance(r, step);
		for (size_t k = 0; k < 3; k++)
			loop_turn(r->loop, 1);
		if (end_count(&r->end) > before)
			RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[0]),
				      strcmp(d.state, "waiting") == 0));
	}
	CHECK_INT("its lane waits for ten minutes", 4 + (size_t)d.attempts - 1, end_count(&r->end));
	assert_in_range(d.attempts, 5, 7);
	rig_advance(r, 11000);
	RIG_UNTIL(r, wamid_of(&r->end.hits[end_count(&r->end) - 1]) == 3);
	CHECK_INT("then the lane goes on, in order", 2,
		  wamid_of(&r->end.hits[end_count(&r->end) - 2]));
	d = dead_after_advancing(r, &r->end.hits[0]);
	CHECK_STR("given up at last", "dead", str_from(d.state));
	CHECK_INT("after the whole schedule", 16, d.attempts);
	CHECK_INT("counted", 1, metrics_get(r->metrics, M_RELAY_DEAD, 0, 0));
}

static void without_order_nothing_waits(void **state)
{
	struct rig *r = *state;

	r->settings.lane_block_max_ms = 0;
	rig_restart(r);
	end_decide(&r->end, refuse_first_wamid, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 3);
	rig_await(r, 3);
	end_decide(&r->end, NULL, NULL);
	for (size_t i = 0; i < 5; i++)
		loop_turn(r->loop, 2);
	kit_barrier(&r->kit);
	rig_advance(r, 1201);
	rig_await(r, 4);
	CHECK_INT("delayed, not lost", 1, wamid_of(&r->end.hits[3]));
	RIG_UNTIL(r, rig_is_quiet(r));
}

/* ---- breaker */

static size_t open_breakers(struct rig *r)
{
	struct relay_numbers n;

	relay_count(r->relay, &n);
	return n.open_breakers;
}

static void an_outage_parks_and_burns_nothing(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;
	int bad = 503;

	r->settings.concurrency_max = 8;
	rig_restart(r);
	end_decide(&r->end, always, &bad);
	(void)rig_destination(r, "/a", "godwit", "");
	for (size_t i = 0; i < 30; i++)
		rig_text(r, kit_str(&r->kit, "4915112345%02zu", i).ptr, STR("hi"));
	RIG_UNTIL(r, open_breakers(r) == 1);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	assert_in_range(end_count(&r->end), 10, 18);
	for (size_t n = end_count(&r->end), i = 0; i < 10; i++) {
		rig_advance(r, 26900);
		CHECK_INT("too early for a probe", n, end_count(&r->end));
		rig_advance(r, 6200);
		rig_await(r, ++n);
		kit_barrier(&r->kit);
		for (size_t k = 0; k < 5; k++)
			loop_turn(r->loop, 2);
	}
	for (size_t i = 0; i < end_count(&r->end); i++) {
		d = rig_delivery(r, &r->end.hits[i]);
		assert_in_range(d.attempts, 0, 1);
	}
	bad = 200;
	rig_advance(r, 33100);
	RIG_UNTIL(r, open_breakers(r) == 0);
	for (size_t i = 0; i < 10; i++) {
		rig_advance(r, 1000);
		loop_turn(r->loop, 5);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
}

static size_t in_flight(struct rig *r)
{
	struct relay_numbers n;

	relay_count(r->relay, &n);
	return n.in_flight;
}

static void recovery_starts_slowly(void **state)
{
	struct rig *r = *state;
	int status = 500;

	end_decide(&r->end, always, &status);
	(void)rig_destination(r, "/a", "godwit", "");
	for (size_t i = 0; i < 99; i++)
		rig_text(r, kit_str(&r->kit, "49151123450%02zu", i).ptr, STR("hi"));
	RIG_UNTIL(r, r->committed == 99 && open_breakers(r) == 1 && in_flight(r) == 0);
	status = 200;
	end_decide(&r->end, hold, NULL);
	rig_advance(r, 33100);
	RIG_UNTIL(r, end_open(&r->end) == 1);
	for (size_t i = 0; i < 10; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("one probe", 1, end_open(&r->end));
	end_release(&r->end, 200);
	RIG_UNTIL(r, end_open(&r->end) == 5);
	for (size_t i = 0; i < 10; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("five then", 5, end_open(&r->end));
	end_release(&r->end, 200);
	RIG_UNTIL(r, end_open(&r->end) == 6);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	for (size_t i = 0; i < 200 && !rig_is_quiet(r); i++) {
		rig_advance(r, 1000);
		loop_turn(r->loop, 5);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
}

static void a_closed_port_opens_after_five(void **state)
{
	struct rig *r = *state;
	struct rig_delivery d;

	r->settings.concurrency_max = 1;
	rig_restart(r);
	(void)rig_destination(r, "/a", "godwit", "");
	http_server_stop(r->end.server, 1000);
	r->end.server = NULL;
	rig_texts(r, ANN, 3);
	for (size_t i = 0; i < 60 && open_breakers(r) == 0; i++) {
		rig_advance(r, 10000);
		for (size_t k = 0; k < 5; k++)
			loop_turn(r->loop, 2);
		kit_barrier(&r->kit);
	}
	CHECK_INT("open", 1, open_breakers(r));
	end_start(&r->end);
	rig_advance(r, 361000); /* the wait after the fifth, and the probe's */
	rig_await(r, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT("in order", i + 1, wamid_of(&r->end.hits[i]));
	CHECK_INT("the five burned ones", 6, r->end.hits[0].attempt);
	RIG_UNTIL(r, (d = rig_delivery(r, &r->end.hits[2]), strcmp(d.state, "delivered") == 0));
}

/* ---- 410, removal, change */

static void gone_disables_the_destination(void **state)
{
	struct rig *r = *state;
	struct destination *d;
	struct store_destination again;
	int status = 410;

	end_decide(&r->end, always, &status);
	d = rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 3);
	rig_await(r, 1);
	RIG_UNTIL(r, d->disabled);
	rig_texts(r, BOB, 1);
	rig_advance(r, 3600000);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("nothing more", 1, end_count(&r->end));
	rig_restart(r);
	d = destinations_at(r->destinations, 0);
	CHECK_INT("the store knows it", true, d->disabled);
	CHECK_INT("nothing more after a restart", 1, end_count(&r->end));
	status = 200;
	again = rig_row_of(r, d);
	again.state = "active";
	(void)rig_put(r, again);
	rig_await(r, 4);
	for (size_t i = 0; i < 3; i++)
		CHECK_INT("kept, in order", i + 1, wamid_of(&r->end.hits[i + 1]));
	CHECK_INT("the same event", true, strcmp(r->end.hits[0].id, r->end.hits[1].id) == 0);
	RIG_UNTIL(r, rig_is_quiet(r));
}

static void a_removed_destination_is_left_alone(void **state)
{
	struct rig *r = *state;
	struct store_destination gone;
	struct store_put_destination p;
	struct destination *d;

	end_decide(&r->end, hold, NULL);
	d = rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 3);
	rig_texts(r, BOB, 3);
	RIG_UNTIL(r, end_open(&r->end) == 2);
	gone = rig_row_of(r, d);
	gone.removed = true;
	p = (struct store_put_destination){ .d = gone };
	assert_int_equal(kit_run(&r->kit, &p.req, STORE_PUT_DESTINATION), GW_OK);
	destinations_remove(r->destinations, p.d.row);
	relay_destination_changed(r->relay, p.d.row);
	end_release(&r->end, 200);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("nothing more", 2, end_count(&r->end));
	assert_true(rig_is_quiet(r));
}

static void a_new_format_is_rendered_anew(void **state)
{
	struct rig *r = *state;
	struct store_destination other;
	struct destination *d;

	end_decide(&r->end, hold, NULL);
	d = rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 4);
	RIG_UNTIL(r, end_open(&r->end) == 1 && r->committed == 4);
	other = rig_row_of(r, d);
	other.format = STR("meta");
	(void)rig_put(r, other);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	rig_await(r, 4);
	for (size_t i = 1; i < 4; i++) {
		CHECK_INT("in order", i + 1, wamid_of(&r->end.hits[i]));
		assert_true(strstr(r->end.hits[i].body, "\"entry\"") != NULL);
	}
	RIG_UNTIL(r, rig_is_quiet(r));
}

static void a_secret_rotates(void **state)
{
	struct rig *r = *state;
	struct destination *d = rig_destination(r, "/a", "godwit", "");
	struct store_destination rotated = rig_row_of(r, d);
	struct mac *old = mac_new(STR(RIG_KEY)), *fresh = mac_new(STR("the next one, long enough"));
	char want[SIGN_HEADER_MAX];
	const struct hit *h = r->end.hits;
	int64_t stamp = 0;

	rotated.secret_previous = STR(RIG_KEY);
	rotated.secret = STR("the next one, long enough");
	rotated.previous_until_ms = kit_now(&r->kit) + 1000;
	(void)rig_put(r, rotated);
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	assert_true(str_to_i64(str_from(h[0].stamp), &stamp));
	sign_standard(fresh, old, str_from(h[0].id), stamp, str_make(h[0].body, h[0].body_len),
		      want);
	CHECK_STR("both", want, str_from(h[0].signature));
	rig_advance(r, 1000);
	rig_texts(r, ANN, 1);
	rig_await(r, 2);
	check_signed(&h[1], "the next one, long enough");
	mac_free(old);
	mac_free(fresh);
}

/* ---- replay */

struct replay {
	struct store_replay req;
	struct rig *rig;
	int64_t lane;
	bool done;
};

static bool note_lane(void *cookie, const struct store_event_row *e)
{
	((struct replay *)cookie)->lane = e->lane;
	return true;
}

static void find_lane(struct store_reader *reader, void *cookie)
{
	struct replay *p = cookie;

	assert_int_equal(reader_event(reader, &p->req.event, note_lane, p), GW_OK);
}

static void replay(struct rig *r, const struct hit *h, int64_t destination)
{
	struct replay p = { .rig = r };

	assert_true(id_parse(ID_EVENT, str_from(h->id), &p.req.event));
	p.req.destination_row = destination;
	kit_read(&r->kit, find_lane, &p);
	assert_int_equal(kit_run(&r->kit, &p.req.req, STORE_REPLAY), GW_OK);
	CHECK_INT("made pending", 1, p.req.made);
	relay_replayed(r->relay, destination, p.lane, p.req.event_row);
}

static void a_replay_is_marked_and_keeps_its_id(void **state)
{
	struct rig *r = *state;
	struct destination *d = rig_destination(r, "/a", "godwit", "");

	rig_texts(r, ANN, 3);
	rig_await(r, 3);
	RIG_UNTIL(r, rig_is_quiet(r));
	kit_barrier(&r->kit);
	replay(r, &r->end.hits[1], d->row);
	rig_await(r, 4);
	CHECK_STR("id", r->end.hits[1].id, str_from(r->end.hits[3].id));
	CHECK_INT("marked", true, r->end.hits[3].replay);
	CHECK_INT("attempt", 1, r->end.hits[3].attempt);
	CHECK_STR("the same bytes", r->end.hits[1].body, str_from(r->end.hits[3].body));
	RIG_UNTIL(r, rig_is_quiet(r));
	rig_texts(r, ANN, 1);
	rig_await(r, 5);
	CHECK_INT("what comes next is not one", false, r->end.hits[4].replay);
}

static void replays_go_in_order_beside_new_events(void **state)
{
	struct rig *r = *state;
	struct destination *d = rig_destination(r, "/a", "godwit", "");

	rig_texts(r, ANN, 3);
	rig_await(r, 3);
	RIG_UNTIL(r, rig_is_quiet(r));
	kit_barrier(&r->kit);
	end_decide(&r->end, hold, NULL);
	rig_texts(r, ANN, 2);
	RIG_UNTIL(r, end_open(&r->end) == 1 && r->committed == 5);
	replay(r, &r->end.hits[2], d->row);
	replay(r, &r->end.hits[0], d->row);
	for (size_t i = 0; i < 20; i++)
		loop_turn(r->loop, 2);
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	rig_await(r, 7);
	CHECK_INT("the one under way", 4, wamid_of(&r->end.hits[3]));
	CHECK_INT("the oldest", 1, wamid_of(&r->end.hits[4]));
	CHECK_INT("the next", 3, wamid_of(&r->end.hits[5]));
	CHECK_INT("the newest last", 5, wamid_of(&r->end.hits[6]));
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("each once", 7, end_count(&r->end));
}

/* ---- who gets what */

static void filters_and_numbers_are_kept_apart(void **state)
{
	struct rig *r = *state;

	(void)rig_destination(r, "/texts", "godwit", "{\"kinds\":[\"text\"]}");
	(void)rig_destination(r, "/read", "godwit",
			      "{\"types\":[\"message.*\"],\"kinds\":[\"read\"]}");
	(void)rig_destination(r, "/other", "godwit", "{\"numbers\":[\"1\"]}");
	rig_texts(r, ANN, 2);
	rig_status(r, ANN, "wamid.900001", "read");
	rig_status(r, ANN, "wamid.900001", "sent");
	rig_await(r, 3);
	RIG_UNTIL(r, rig_is_quiet(r));
	CHECK_INT("three in all", 3, end_count(&r->end));
	for (size_t i = 0; i < 3; i++)
		CHECK_STR("path", wamid_of(&r->end.hits[i]) > 900000 ? "/read" : "/texts",
			  str_from(r->end.hits[i].path));
}

static void a_dead_destination_harms_no_other(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, NULL, NULL);
	(void)rig_destination(r, "/good", "godwit", "");
	(void)rig_put(r, (struct store_destination){ .id = kit_id(&r->kit),
						     .name = STR("metadata"),
						     .url = STR("http://169.254.169.254/x"),
						     .format = STR("godwit"),
						     .state = "active" });
	rig_texts(r, ANN, 20);
	rig_await(r, 20);
	for (size_t i = 0; i < 20; i++)
		CHECK_STR("path", "/good", str_from(r->end.hits[i].path));
}

static void old_events_stay_behind(void **state)
{
	struct rig *r = *state;
	struct destination *d = rig_destination(r, "/a", "godwit", "");
	struct store_destination wants = rig_row_of(r, d);

	rig_body(r, kit_str(&r->kit, WRAP_HEAD "\"messages\":[{\"from\":\"" ANN
					       "\",\"id\":\"wamid.000091\",\"timestamp\":"
					       "\"1500000000\",\"type\":\"text\",\"text\":"
					       "{\"body\":\"old\"}}]" WRAP_TAIL));
	RIG_UNTIL(r, r->committed == 1);
	for (size_t i = 0; i < 10; i++)
		loop_turn(r->loop, 2);
	CHECK_INT("not relayed", 0, end_count(&r->end));
	wants.relay_stale = true;
	(void)rig_put(r, wants);
	rig_body(r, kit_str(&r->kit, WRAP_HEAD "\"messages\":[{\"from\":\"" ANN
					       "\",\"id\":\"wamid.000092\",\"timestamp\":"
					       "\"1500000000\",\"type\":\"text\",\"text\":"
					       "{\"body\":\"old\"}}]" WRAP_TAIL));
	rig_await(r, 1);
	CHECK_INT("wanted", 92, wamid_of(&r->end.hits[0]));
	assert_true(strstr(r->end.hits[0].body, "\"stale\":true") != NULL);
}

static void check_hub(const struct hit *h)
{
	gw_str body = { h->body, h->body_len }, header = { h->hub, strlen(h->hub) };

	assert_int_equal(gw_webhook_verify(body, header,
					   (gw_str){ RIG_SECRET, sizeof(RIG_SECRET) - 1 }, NULL),
			 GW_OK);
}

static void meta_is_signed_by_meta_or_anew(void **state)
{
	struct rig *r = *state;
	const char *two = WRAP_HEAD
		"\"messages\":[{\"from\":\"" ANN "\",\"id\":\"wamid.000071\",\"timestamp\":"
		"\"1795000000\",\"type\":\"text\",\"text\":{\"body\":\"a\"}},{\"from\":\"" BOB
		"\",\"id\":\"wamid.000072\",\"timestamp\":\"1795000000\",\"type\":\"text\","
		"\"text\":{\"body\":\"b\"}}]" WRAP_TAIL;

	(void)rig_destination(r, "/a", "meta", "");
	rig_texts(r, ANN, 1);
	rig_await(r, 1);
	check_hub(&r->end.hits[0]);
	check_signed(&r->end.hits[0], RIG_KEY);
	rig_body(r, str_from(two));
	rig_await(r, 3);
	for (size_t i = 1; i < 3; i++) {
		check_hub(&r->end.hits[i]);
		assert_true((strstr(r->end.hits[i].body, "wamid.000071") != NULL) !=
			    (strstr(r->end.hits[i].body, "wamid.000072") != NULL));
	}
	RIG_UNTIL(r, rig_is_quiet(r));
}

/* ---- the test event, drain, numbers */

struct tested {
	bool done;
	int status;
	char answer[32];
	char message[GW_ERROR_MESSAGE_MAX];
};

static void on_tested(void *cookie, const struct relay_test_result *res)
{
	struct tested *t = cookie;

	t->done = true;
	t->status = res->status;
	(void)str_copy(res->answer, t->answer, sizeof(t->answer));
	(void)str_copy(str_from(res->error.message), t->message, sizeof(t->message));
}

static void a_test_event_is_no_event(void **state)
{
	static const char *const formats[] = { "godwit", "meta", "cloudevents" };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct destination *d = rig_destination(r, "/a", formats[i], "");
		struct tested t = { false };

		relay_test(r->relay, d, on_tested, &t);
		RIG_UNTIL(r, t.done);
		CHECK_INT(formats[i], 200, t.status);
		CHECK_STR(formats[i], "ok", str_from(t.answer));
		CHECK_INT(formats[i], true, r->end.hits[i].test);
		check_signed(&r->end.hits[i], RIG_KEY);
	}
	check_hub(&r->end.hits[1]);
	assert_true(strstr(r->end.hits[0].body, "\"type\":\"unknown\"") != NULL);
}

static void a_test_of_nowhere_says_why(void **state)
{
	struct rig *r = *state;
	struct tested t = { false };
	struct destination *d = rig_put(r,
					(struct store_destination){ .id = kit_id(&r->kit),
								    .name = STR("private"),
								    .url = STR("http://10.0.0.1/x"),
								    .format = STR("godwit"),
								    .state = "active" });

	relay_test(r->relay, d, on_tested, &t);
	RIG_UNTIL(r, t.done);
	CHECK_INT("status", 0, t.status);
	assert_true(strstr(t.message, "10.0.0.") != NULL);
}

static void a_test_may_be_under_way_at_the_end(void **state)
{
	struct rig *r = *state;
	static struct tested t;

	end_decide(&r->end, hold, NULL);
	relay_test(r->relay, rig_destination(r, "/a", "godwit", ""), on_tested, &t);
	RIG_UNTIL(r, end_open(&r->end) == 1);
}

static void drain_finishes_what_is_in_flight(void **state)
{
	struct rig *r = *state;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	rig_texts(r, ANN, 3);
	RIG_UNTIL(r, end_open(&r->end) == 1 && r->committed == 3);
	relay_drain(r->relay, rig_on_idle, r);
	CHECK_INT("not idle", false, r->idle);
	end_release(&r->end, 200);
	RIG_UNTIL(r, r->idle);
	CHECK_INT("started nothing more", 1, end_count(&r->end));
	rig_restart(r);
	RIG_UNTIL(r, end_open(&r->end) == 1);
	CHECK_INT("the second", 2, wamid_of(&r->end.hits[1]));
}

static void numbers_tell_what_is_held(void **state)
{
	struct rig *r = *state;
	struct relay_numbers n;

	end_decide(&r->end, hold, NULL);
	(void)rig_destination(r, "/a", "godwit", "");
	relay_count(r->relay, &n);
	CHECK_INT("nothing", 0, n.pending + n.in_flight + n.memory_bytes);
	rig_texts(r, ANN, 3);
	RIG_UNTIL(r, end_open(&r->end) == 1 && r->committed == 3);
	RIG_UNTIL(r, (relay_count(r->relay, &n), n.spilled_lanes == 0));
	rig_advance(r, 2500);
	relay_count(r->relay, &n);
	CHECK_INT("pending", 3, n.pending);
	CHECK_INT("in flight", 1, n.in_flight);
	CHECK_INT("oldest", 2500, n.oldest_ms);
	assert_in_range(n.memory_bytes, 1000, 10000);
	assert_false(relay_is_lagging(r->relay));
	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	RIG_UNTIL(r, rig_is_quiet(r));
	kit_barrier(&r->kit);
	loop_turn(r->loop, 0);
	relay_count(r->relay, &n);
	CHECK_INT("nothing left", 0, n.pending + n.in_flight + n.memory_bytes);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, rig_open, rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(delivers_an_event),
		CASE(cloudevents_has_its_type),
		CASE(a_lane_keeps_its_order),
		CASE(one_is_in_flight_in_a_lane),
		CASE(a_status_does_not_hold_up_a_text),
		CASE(concurrency_has_a_ceiling),
		CASE(a_failure_is_tried_again),
		CASE(retry_after_is_honoured_and_not_counted),
		CASE(redirects_and_resets_are_failures),
		CASE(poison_holds_up_its_lane_and_no_other),
		CASE(without_order_nothing_waits),
		CASE(an_outage_parks_and_burns_nothing),
		CASE(recovery_starts_slowly),
		CASE(a_closed_port_opens_after_five),
		CASE(gone_disables_the_destination),
		CASE(a_removed_destination_is_left_alone),
		CASE(a_new_format_is_rendered_anew),
		CASE(a_secret_rotates),
		CASE(a_replay_is_marked_and_keeps_its_id),
		CASE(replays_go_in_order_beside_new_events),
		CASE(filters_and_numbers_are_kept_apart),
		CASE(a_dead_destination_harms_no_other),
		CASE(old_events_stay_behind),
		CASE(meta_is_signed_by_meta_or_anew),
		CASE(a_test_event_is_no_event),
		CASE(a_test_of_nowhere_says_why),
		CASE(a_test_may_be_under_way_at_the_end),
		CASE(drain_finishes_what_is_in_flight),
		CASE(numbers_tell_what_is_held),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
