/* SPDX-License-Identifier: MIT */
/* test_outbox_limits.c - throttles, pauses, rates, classes and lifetimes */
#include "outbox_rig.h"

/* ---- throttles ---- */

static void a_throttle_keeps_the_order(void **state)
{
	struct rig *r = *state;
	struct call *first, *second;
	struct rig_row row;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 130429, NULL });
	first = rig_send(r, RIG_TEXT("491511", "first"));
	second = rig_send(r, RIG_TEXT("491511", "second"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1 && rig_gauge(r, OUTQ_WAITING) == 1);
	assert_false(first->done || second->done);
	rig_advance(r, 2000);
	RIG_UNTIL(r, first->done && second->done);
	assert_true(rig_has(graph_seen(&r->graph, 1).body, "first"));
	assert_true(rig_has(graph_seen(&r->graph, 2).body, "second"));
	row = rig_row(r, &first->message);
	CHECK_INT("tries", 2, row.tries);
	CHECK_INT("a throttle burns none", 0, row.attempts);
	/* the token tells the tries apart */
	char one[TOKEN_MAX], two[TOKEN_MAX];

	assert_true(rig_member(graph_seen(&r->graph, 0).body, "biz_opaque_callback_data", one,
			       sizeof(one)));
	assert_true(rig_member(graph_seen(&r->graph, 1).body, "biz_opaque_callback_data", two,
			       sizeof(two)));
	assert_string_not_equal(one, two);
}

static void a_blocked_pair_blocks_nobody_else(void **state)
{
	struct rig *r = *state;
	struct call *blocked, *other;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131056, NULL });
	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131056, NULL });
	blocked = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1 && rig_gauge(r, OUTQ_WAITING) == 1);
	rig_advance(r, 1000); /* 4^0 */
	RIG_UNTIL(r, graph_count(&r->graph) == 2 && rig_gauge(r, OUTQ_WAITING) == 1);
	other = rig_send(r, RIG_TEXT("491512", "x"));
	RIG_UNTIL(r, other->done);
	rig_quiet(r, 20);
	rig_advance(r, 3900); /* 4^1 s: not yet */
	assert_false(blocked->done);
	rig_advance(r, 200);
	RIG_UNTIL(r, blocked->done);
	CHECK_INT("status", 200, blocked->status);
}

static void a_number_in_maintenance_pauses(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491513", "x"));
	struct call *one, *two, *other;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 500, 131057, NULL });
	one = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1 && rig_gauge(r, OUTQ_WAITING) == 1);
	two = rig_send(r, RIG_TEXT("491512", "x"));
	s.number_id = STR(RIG_OTHER);
	other = rig_submit(r, s);
	RIG_UNTIL(r, other->done); /* another number goes on */
	rig_quiet(r, 30);
	assert_false(one->done || two->done);
	rig_advance(r, 59000);
	assert_false(two->done);
	rig_advance(r, 15000); /* a minute, and the message's own jitter */
	RIG_UNTIL(r, one->done && two->done);
}

static void attempts_are_capped(void **state)
{
	struct rig *r = *state;
	struct call *c;

	r->settings.server_errors_prove_nothing = false;
	r->settings.attempts_max = 3;
	rig_restart(r);
	for (int i = 0; i < 3; i++)
		graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 500, 131016, NULL });
	c = rig_send(r, RIG_TEXT("491511", "x"));
	for (size_t i = 1; i < 3; i++) {
		RIG_UNTIL(r, graph_count(&r->graph) == i && rig_gauge(r, OUTQ_WAITING) == 1);
		rig_advance(r, 10000);
	}
	RIG_UNTIL(r, c->done);
	CHECK_INT("Meta's last word", 500, c->status);
	assert_true(rig_has(c->body, "131016"));
	CHECK_INT("burned", 2, rig_row(r, &c->message).attempts - 1);
	assert_true(rig_is(r, c, "rejected"));
}

/* ---- the account ---- */

static void a_code_of_the_account(void **state)
{
	struct rig *r = *state;
	struct call *async, *first, *behind, *door, *probe;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send(r, RIG_TEXT("491519", "holds its lane"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	behind = rig_send(r, RIG_TEXT("491519", "waits in the lane"));
	rig_quiet(r, 30);
	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 401, 190, NULL });
	async = rig_send_async(r, RIG_TEXT("491511", "answered 202"));
	RIG_UNTIL(r, behind->done);
	CHECK_INT("Meta's words for who waits", 401, behind->status);
	assert_true(rig_has(behind->body, "\"(#190) scripted\""));
	assert_true(rig_is(r, behind, "rejected"));
	assert_false(first->done); /* on the wire: its answer decides */
	RIG_UNTIL(r, rig_is(r, async, "waiting"));
	assert_string_equal(rig_row(r, &async->message).reason, "paused");

	door = rig_send(r, RIG_TEXT("491512", "x"));
	assert_true(door->done);
	CHECK_INT("refused at the door", 401, door->status);
	assert_string_equal(door->refused, "account");
	async = rig_send_async(r, RIG_TEXT("491513", "202 all the same"));
	RIG_UNTIL(r, async->done);
	CHECK_INT("async", 202, async->status);
	rig_quiet(r, 30);
	CHECK_INT("nothing leaves", 2, graph_count(&r->graph));

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 401, 190, NULL });
	rig_advance(r, 61000); /* one tries */
	RIG_UNTIL(r, graph_count(&r->graph) == 3);
	rig_quiet(r, 50);
	CHECK_INT("one", 3, graph_count(&r->graph));
	rig_advance(r, 61000); /* and now it works: all go */
	RIG_UNTIL(r, rig_is(r, async, "accepted"));
	probe = rig_send(r, RIG_TEXT("491514", "x"));
	RIG_UNTIL(r, probe->done);
	CHECK_INT("open", 200, probe->status);
	graph_release(&r->graph);
	RIG_UNTIL(r, first->done);
}

static void a_new_token_ends_the_pause(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 401, 190, NULL });
	c = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 401, c->status);
	rig_accounts(r); /* as after a reload of something else */
	c = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("the same token", 401, c->status);
	rig_accounts_token(r, STR("another token")); /* as after a reload */
	c = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("another", 200, c->status);
}

/* ---- rates and classes ---- */

static void slow_down(struct rig *r, uint32_t limit)
{
	struct number *n = accounts_number(r->accounts, STR(RIG_NUMBER));

	n->limit_mps = limit;
}

static void the_rate_is_kept(void **state)
{
	struct rig *r = *state;
	int64_t worst = INT64_MAX, first, last;

	slow_down(r, 100);
	for (size_t i = 0; i < 60; i++)
		(void)rig_send_async(r, kit_str(&r->k, RIG_TEXT("49160%zu", "x"), i).ptr);
	RIG_UNTIL(r, graph_count(&r->graph) == 60);
	first = graph_seen(&r->graph, 0).at_ns;
	last = graph_seen(&r->graph, 59).at_ns;
	for (size_t i = 10; i < 60; i++) {
		int64_t ten = graph_seen(&r->graph, i).at_ns - graph_seen(&r->graph, i - 10).at_ns;

		worst = ten < worst ? ten : worst;
	}
	/* 59 intervals of 10.05 ms; who woke up late makes up for 25 ms at most, and how late the
	 * other side looks is not ours */
	assert_true(last - first > 545 * NS_PER_MS);
	assert_true(worst > 35 * NS_PER_MS);
}

static void a_reply_overtakes_a_campaign(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s;
	size_t before, at = 0;

	slow_down(r, 50);
	for (size_t i = 0; i < 100; i++) {
		s = rig_call(kit_str(&r->k, RIG_TEMPLATE("49170%zu"), i).ptr);
		s.target = STR("/v25.0/" RIG_NUMBER "/marketing_messages");
		s.respond_async = true;
		(void)rig_submit(r, s);
	}
	RIG_UNTIL(r, graph_count(&r->graph) == 5);
	before = graph_count(&r->graph);
	(void)rig_send_async(r, RIG_TEXT("491511", "the reply"));
	RIG_UNTIL(r, graph_count(&r->graph) >= before + 6);
	while (!rig_has(graph_seen(&r->graph, at).body, "the reply"))
		at++;
	assert_in_range(at, before, before + 2); /* two slots at most */
}

static void the_burst_to_one_person(void **state)
{
	struct rig *r = *state;
	struct call *calls[12];

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, calls[9]->done);
	rig_quiet(r, 50);
	assert_false(calls[10]->done);
	rig_advance(r, 6000);
	RIG_UNTIL(r, calls[10]->done);
	rig_quiet(r, 50);
	assert_false(calls[11]->done);
}

static void inbound_takes_slots(void **state)
{
	struct rig *r = *state;
	struct call *c;

	slow_down(r, 10);
	for (int i = 0; i < 100; i++)
		outbox_count_inbound(r->outbox, STR(RIG_NUMBER));
	outbox_count_inbound(r->outbox, STR("not ours"));
	c = rig_send(r, RIG_TEXT("491511", "x"));
	rig_quiet(r, 100);
	assert_false(c->done);
	rig_advance(r, 1000);
	RIG_UNTIL(r, c->done);
}

/* ---- lifetimes ---- */

static void too_old_is_never_sent(void **state)
{
	struct rig *r = *state;
	struct call *waits, *async;
	struct outbox_numbers numbers;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 500, 131057, NULL });
	waits = rig_send(r, RIG_TEXT("491511", "x"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	async = rig_send_async(r, RIG_TEXT("491512", "x"));
	do {
		loop_turn(r->loop, 10);
		outbox_count(r->outbox, &numbers);
	} while (!async->done || numbers.waiting != 1 || numbers.queued != 1);
	rig_advance(r, r->settings.lifetime_ms + 1000);
	RIG_UNTIL(r, waits->done && rig_is(r, async, "expired"));
	CHECK_INT("told", 400, waits->status);
	assert_string_equal(waits->refused, "expired");
	CHECK_INT("told by an event", 1, rig_notices(r, "expired"));
	CHECK_INT("and in Meta's words", 1, rig_notices(r, "failed"));
	CHECK_INT("not sent", 1, graph_count(&r->graph));
	outbox_count(r->outbox, &numbers);
	CHECK_INT("none left", 0, numbers.queued + numbers.waiting + numbers.sending);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(a_throttle_keeps_the_order),
		WITH(a_blocked_pair_blocks_nobody_else),
		WITH(a_number_in_maintenance_pauses),
		WITH(attempts_are_capped),
		WITH(a_code_of_the_account),
		WITH(a_new_token_ends_the_pause),
		WITH(the_rate_is_kept),
		WITH(a_reply_overtakes_a_campaign),
		WITH(the_burst_to_one_person),
		WITH(inbound_takes_slots),
		WITH(too_old_is_never_sent),
	};

	return cmocka_run_group_tests_name("outbox_limits", tests, NULL, NULL);
}
