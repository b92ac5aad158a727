/* SPDX-License-Identifier: MIT */
/* test_outbox_lost.c - lost answers, restarts, operators: nothing is sent twice */
#include "outbox_rig.h"

static const struct {
	const char *name;
	struct graph_step step;
} losses[] = {
	{ "closed without a word", { .act = GRAPH_CLOSE } },
	{ "bare 500", { GRAPH_SAY, 500, 0, "oops" } },
	{ "131000", { GRAPH_ERROR, 500, 131000, NULL } },
	{ "2 with 503", { GRAPH_ERROR, 503, 2, NULL } },
	{ "garbage in a 200", { GRAPH_SAY, 200, 0, "<html>" } },
	{ "a success without id", { GRAPH_SAY, 200, 0, "{\"messages\":[]}" } },
};

static void lost_is_unknown_and_never_resent(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		struct outbox_submit s = rig_call(
			kit_str(&r->k, RIG_TEXT("49151%zu", "hi"), i).ptr);
		struct call *c;

		graph_next(&r->graph, losses[i].step);
		s.received_ns -= 24800 * NS_PER_MS;
		c = rig_submit(r, s);
		RIG_UNTIL(r, c->done);
		CHECK_INT(losses[i].name, 202, c->status); /* never 5xx: SDKs resend on it */
		if (!rig_is(r, c, "unknown"))
			fail_msg("%s: %s", losses[i].name, rig_row(r, &c->message).state);
		CHECK_INT(losses[i].name, i + 1, graph_count(&r->graph));
		CHECK_INT(losses[i].name, i + 1, rig_notices(r, "unknown"));
	}
	rig_advance(r, 3600 * 1000);
	CHECK_INT("not resent", ARRAY_LEN(losses), graph_count(&r->graph));
	rig_restart(r);
	rig_quiet(r, 50);
	rig_advance(r, 3600 * 1000);
	CHECK_INT("nor by a restart", ARRAY_LEN(losses), graph_count(&r->graph));
}

static void a_status_answers_who_waits(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_CLOSE });
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, c->done || graph_count(&r->graph) == 1);
	rig_quiet(r, 50);
	assert_false(c->done);
	rig_status(r, 0, "wamid.late", "sent");
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 200, c->status);
	assert_string_equal(c->body, "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":"
				     "\"491511\",\"wa_id\":\"491511\"}],\"messages\":[{\"id\":"
				     "\"wamid.late\"}]}");
	assert_true(rig_is(r, c, "accepted"));
	assert_string_equal(rig_row(r, &c->message).wamid, "wamid.late");
	CHECK_INT("answered, so no event", 0, rig_notices(r, "unknown"));
}

/* The status overtakes the answer: the answer is given a second, and is what the caller gets. */
static void a_status_before_the_answer(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	rig_status(r, 0, "wamid.1", "sent");
	rig_quiet(r, 20);
	assert_false(c->done);
	graph_release(&r->graph);
	RIG_UNTIL(r, c->done);
	assert_string_equal(c->body, "{\"messaging_product\":\"whatsapp\",\"messages\":[{\"id\":"
				     "\"wamid.1\"}]}");
}

static void a_status_instead_of_the_answer(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	rig_status(r, 0, "wamid.7", "sent");
	rig_advance(r, 1000);
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 200, c->status);
	assert_true(rig_has(c->body, "\"wamid.7\""));
	assert_true(rig_is(r, c, "accepted"));
}

static void nothing_sent_is_tried_again(void **state)
{
	struct rig *r = *state;
	struct store_account a = { .row = 1,
				   .name = STR("main"),
				   .token = STR("EAAtoken"),
				   .version = STR("v26.0"),
				   .base_url = STR("http://127.0.0.1:1") };
	struct call *c;

	(void)accounts_put(r->accounts, &a); /* nobody listens there */
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, rig_gauge(r, OUTQ_WAITING) == 1);
	assert_false(c->done);
	rig_accounts(r); /* Meta is back */
	rig_advance(r, 2000);
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 200, c->status);
	CHECK_INT("none burned", 0, rig_row(r, &c->message).attempts);
	assert_true(rig_row(r, &c->message).tries >= 2);
}

/* ---- lanes ---- */

static void a_lane_waits_for_the_unknown(void **state)
{
	struct rig *r = *state;
	struct call *first, *second, *other;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_CLOSE });
	first = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, rig_notices(r, "unknown") == 1);
	second = rig_send(r, RIG_TEXT("+491511", "two"));
	other = rig_send(r, RIG_TEXT("491512", "other"));
	RIG_UNTIL(r, other->done);
	rig_quiet(r, 30);
	assert_false(second->done);
	rig_advance(r, 29000);
	assert_false(second->done);
	rig_advance(r, 1500);
	RIG_UNTIL(r, second->done);
	CHECK_INT("status", 200, second->status);
	assert_true(rig_is(r, first, "unknown"));
}

static void spellings_share_a_lane(void **state)
{
	struct rig *r = *state;
	struct call *first, *second;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send(r, RIG_TEXT("5511987654321", "one"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	second = rig_send(r, RIG_TEXT("551187654321", "two"));
	rig_quiet(r, 50);
	CHECK_INT("one at a time", 1, graph_count(&r->graph));
	graph_release(&r->graph);
	RIG_UNTIL(r, first->done && second->done);
	/* what is sent is never rewritten */
	assert_true(rig_has(graph_seen(&r->graph, 1).body, "\"551187654321\""));
}

static void order_of_acceptance(void **state)
{
	struct rig *r = *state;
	struct call *calls[9];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = rig_send(r, kit_str(&r->k, RIG_TEXT("491511", "n%zu"), i).ptr);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		RIG_UNTIL(r, calls[i]->done);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		assert_true(
			rig_has(graph_seen(&r->graph, i).body, kit_str(&r->k, "\"n%zu\"", i).ptr));
}

/* ---- restarts ---- */

static void killed_while_sending(void **state)
{
	struct rig *r = *state;
	struct call *sending, *behind, *queued;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	sending = rig_send_async(r, RIG_TEXT("491511", "one"));
	behind = rig_send_async(r, RIG_TEXT("491511", "two"));
	RIG_UNTIL(r, sending->done && behind->done && graph_count(&r->graph) == 1);
	assert_true(rig_is(r, sending, "sending"));
	rig_restart(r);
	RIG_UNTIL(r, rig_notices(r, "unknown") == 1);
	assert_true(rig_is(r, sending, "unknown"));
	queued = rig_send(r, RIG_TEXT("491512", "other"));
	RIG_UNTIL(r, queued->done);
	CHECK_INT("the lane waits", 2, graph_count(&r->graph));
	rig_advance(r, 31000);
	RIG_UNTIL(r, rig_is(r, behind, "accepted"));
	CHECK_INT("one was not sent again", 3, graph_count(&r->graph));
	assert_true(rig_has(graph_seen(&r->graph, 2).body, "two"));
	rig_status(r, 0, "wamid.one", "sent");
	RIG_UNTIL(r, rig_is(r, sending, "accepted"));
}

/* Claimed ahead of their slots, which do not come since the clock stands still. */
static void claimed_and_killed_before_they_left(void **state)
{
	struct call *c[12];
	struct rig *r = *state;
	size_t left;

	clock_freeze(&r->k.clock);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = rig_send_async(r, kit_str(&r->k, RIG_TEXT("49151%zu", "hi"), i).ptr);
	RIG_UNTIL(r, c[11]->done && rig_is(r, c[11], "sending"));
	rig_quiet(r, 50);
	left = graph_count(&r->graph);
	assert_in_range(left, 1, 11);
	rig_restart(r);
	clock_resume(&r->k.clock);
	rig_advance(r, 1000);
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		RIG_UNTIL(r, rig_is(r, c[i], "accepted"));
	CHECK_INT("each once", ARRAY_LEN(c), graph_count(&r->graph));
	CHECK_INT("tries of who left", 1, rig_row(r, &c[0]->message).tries);
	CHECK_INT("tries of who did not", 2, rig_row(r, &c[11]->message).tries);
	CHECK_INT("no attempt is burned", 0, rig_row(r, &c[11]->message).attempts);
}

/* Killed twice: what left before the first kill and was not settled has its note still. */
static void killed_while_sending_and_again(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	c = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, c->done && graph_count(&r->graph) == 1);
	rig_restart(r);
	rig_restart(r);
	RIG_UNTIL(r, rig_is(r, c, "unknown"));
	rig_advance(r, 3600 * 1000);
	CHECK_INT("once", 1, graph_count(&r->graph));
}

static void the_status_came_before_the_kill(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	c = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, c->done && graph_count(&r->graph) == 1);
	rig_status(r, 0, "wamid.one", "sent"); /* on disk; the answer never comes */
	assert_true(rig_is(r, c, "sending"));
	rig_restart(r);
	RIG_UNTIL(r, rig_is(r, c, "accepted"));
	assert_string_equal(rig_row(r, &c->message).wamid, "wamid.one");
	rig_quiet(r, 50);
	CHECK_INT("once", 1, graph_count(&r->graph));
}

static void waiting_goes_on_after_a_restart(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 130429, NULL });
	c = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, c->done && rig_is(r, c, "waiting"));
	rig_restart(r);
	rig_advance(r, 2000);
	RIG_UNTIL(r, rig_is(r, c, "accepted"));
	CHECK_INT("tries", 2, rig_row(r, &c->message).tries);
}

/* Nothing waits, lives or blocks the longer by as much as the time of day was set back. */
static void the_time_of_day_goes_back(void **state)
{
	const int64_t back_ms = INT64_C(30) * 24 * 3600 * 1000;
	struct rig *r = *state;
	struct call *waiting, *unknown, *c = NULL;

	for (int i = 0; i < 10; i++) { /* the burst to one person */
		c = rig_send(r, RIG_TEXT("491513", "burst"));
		RIG_UNTIL(r, c->done);
	}
	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 130429, NULL });
	waiting = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, waiting->done && rig_is(r, waiting, "waiting"));
	graph_next(&r->graph, losses[0].step);
	unknown = rig_send_async(r, RIG_TEXT("491512", "lost"));
	RIG_UNTIL(r, unknown->done && rig_is(r, unknown, "unknown"));
	clock_set_wall(&r->k.clock, clock_wall_ms(&r->k.clock) - back_ms);
	rig_restart(r);
	rig_advance(r, 6000);
	c = rig_send(r, RIG_TEXT("491513", "the pair rate is not a month behind"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("answer", 200, c->status);
	rig_advance(r, 30000);
	c = rig_send(r, RIG_TEXT("491512", "behind the lost one"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("answer", 200, c->status);
	rig_advance(r, r->settings.retry_max_ms);
	RIG_UNTIL(r, rig_is(r, waiting, "accepted"));
}

/* Calls whose commit was under way when the process ended are neither answered nor lost. */
static void ended_in_the_middle(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491511", "keyed"));
	struct call *calls[20];

	s.idempotency_key = STR("k");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = rig_send(r, kit_str(&r->k, RIG_TEXT("49160%zu", "x"), i).ptr);
		if (i == 9)
			loop_turn(r->loop, 10); /* some are committed, some claimed */
	}
	calls[0] = rig_submit(r, s);
	rig_cut(r);
	kit_reopen(&r->k);
	rig_up(r);
	for (size_t i = 1; i < ARRAY_LEN(calls); i++)
		assert_false(calls[i]->done);
	rig_quiet(r, 50);
	rig_advance(r, 120000);
	RIG_UNTIL(r, rig_gauge(r, OUTQ_QUEUED) + rig_gauge(r, OUTQ_WAITING) +
				     rig_gauge(r, OUTQ_SENDING) ==
			     0);
	rig_quiet(r, 50);
	/* what was claimed and not on the wire yet is unknown, and is not sent again */
	assert_true((int64_t)graph_count(&r->graph) + rig_gauge(r, OUTQ_UNKNOWN) >= 20);
	for (size_t i = 0; i < graph_count(&r->graph); i++) { /* each at most once */
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(strstr(graph_seen(&r->graph, i).body, "\"to\""),
						strstr(graph_seen(&r->graph, k).body, "\"to\""));
	}
}

static void pairs_are_remembered(void **state)
{
	struct rig *r = *state;
	struct call *c = NULL;

	for (int i = 0; i < 10; i++) {
		c = rig_send(r, RIG_TEXT("491511", "burst"));
		RIG_UNTIL(r, c->done);
	}
	rig_restart(r);
	c = rig_send(r, RIG_TEXT("491511", "eleventh"));
	rig_quiet(r, 50);
	assert_false(c->done);
	rig_advance(r, 6000);
	RIG_UNTIL(r, c->done);
}

/* ---- an operator ---- */

static void told(void *cookie)
{
	*(bool *)cookie = true;
}

static struct call *an_unknown(struct rig *r)
{
	size_t before = rig_notices(r, "unknown");
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_CLOSE });
	c = rig_send_async(r, kit_str(&r->k, RIG_TEXT("49159%zu", "x"), before).ptr);
	RIG_UNTIL(r, rig_notices(r, "unknown") == before + 1 && rig_is(r, c, "unknown"));
	return c;
}

static void resolved_by_hand(void **state)
{
	static const struct {
		enum outbox_resolve how;
		const char *state;
		size_t sent;
	} ways[] = {
		{ OUTBOX_AS_SENT, "accepted", 1 },
		{ OUTBOX_EXPIRE, "expired", 2 },
		{ OUTBOX_RESEND, "accepted", 4 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct call *c = an_unknown(r);
		bool done = false;

		assert_int_equal(
			outbox_resolve(r->outbox, &c->message, ways[i].how, told, &done, NULL),
			GW_OK);
		assert_false(done); /* not before the commit */
		RIG_UNTIL(r, done && rig_is(r, c, ways[i].state));
		CHECK_INT("sent", ways[i].sent, graph_count(&r->graph));
	}
	CHECK_INT("an end is told", 1, rig_notices(r, "expired"));
}

static void what_cannot_be_resolved(void **state)
{
	struct rig *r = *state;
	struct id nobody = { { 1 } };
	struct gw_error err = GW_ERROR_INIT;
	struct call *c;
	bool done = false;

	CHECK_INT("no such", GW_ENOTFOUND,
		  outbox_resolve(r->outbox, &nobody, OUTBOX_RESEND, told, &done, &err));
	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	c = rig_send_async(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	CHECK_INT("sending", GW_ESTATE,
		  outbox_resolve(r->outbox, &c->message, OUTBOX_RESEND, told, &done, NULL));
	graph_release(&r->graph);
	RIG_UNTIL(r, rig_is(r, c, "accepted"));
	rig_quiet(r, 20);
	CHECK_INT("finished", GW_ENOTFOUND,
		  outbox_resolve(r->outbox, &c->message, OUTBOX_RESEND, told, &done, NULL));
	c = an_unknown(r);
	CHECK_INT("first", GW_OK,
		  outbox_resolve(r->outbox, &c->message, OUTBOX_AS_SENT, told, &done, NULL));
	CHECK_INT("second", GW_ESTATE,
		  outbox_resolve(r->outbox, &c->message, OUTBOX_AS_SENT, told, &done, NULL));
	RIG_UNTIL(r, done);
	c = an_unknown(r);
	rig_advance(r, INT64_C(25) * 3600 * 1000);
	outbox_fetch(r->outbox, &c->message, told, &done); /* it lives in the store alone by now */
	done = false;
	RIG_UNTIL(r, done);
	CHECK_INT("too old to resend", GW_ESTATE,
		  outbox_resolve(r->outbox, &c->message, OUTBOX_RESEND, told, &done, NULL));
}

/* ---- the end ---- */

static void idle(void *cookie)
{
	((struct rig *)cookie)->idle = true;
}

static void drained(void **state)
{
	struct rig *r = *state;
	struct call *wire, *behind, *late;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	wire = rig_send(r, RIG_TEXT("491511", "one"));
	behind = rig_send(r, RIG_TEXT("491511", "two"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	rig_quiet(r, 20);
	outbox_drain(r->outbox, idle, r);
	CHECK_INT("the next start sends it", 202, behind->status);
	late = rig_send(r, RIG_TEXT("491512", "late"));
	RIG_UNTIL(r, late->done);
	CHECK_INT("committed, not claimed", 202, late->status);
	rig_quiet(r, 30);
	assert_false(r->idle);
	assert_false(wire->done);
	graph_release(&r->graph);
	RIG_UNTIL(r, r->idle);
	CHECK_INT("what was in flight is answered", 200, wire->status);
	CHECK_INT("nothing else was sent", 1, graph_count(&r->graph));
	assert_true(rig_is(r, behind, "queued"));
	rig_restart(r);
	RIG_UNTIL(r, rig_is(r, behind, "accepted") && rig_is(r, late, "accepted"));
	CHECK_INT("no unknown", 0, rig_notices(r, "unknown"));
}

static void an_idle_outbox_drains_at_once(void **state)
{
	struct rig *r = *state;

	outbox_drain(r->outbox, idle, r);
	RIG_UNTIL(r, r->idle);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(lost_is_unknown_and_never_resent),
		WITH(a_status_answers_who_waits),
		WITH(a_status_before_the_answer),
		WITH(a_status_instead_of_the_answer),
		WITH(nothing_sent_is_tried_again),
		WITH(a_lane_waits_for_the_unknown),
		WITH(spellings_share_a_lane),
		WITH(order_of_acceptance),
		WITH(killed_while_sending),
		WITH(claimed_and_killed_before_they_left),
		WITH(killed_while_sending_and_again),
		WITH(the_status_came_before_the_kill),
		WITH(waiting_goes_on_after_a_restart),
		WITH(the_time_of_day_goes_back),
		WITH(ended_in_the_middle),
		WITH(pairs_are_remembered),
		WITH(resolved_by_hand),
		WITH(what_cannot_be_resolved),
		WITH(drained),
		WITH(an_idle_outbox_drains_at_once),
	};

	return cmocka_run_group_tests_name("outbox_lost", tests, NULL, NULL);
}
