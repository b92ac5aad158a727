/* SPDX-License-Identifier: MIT */
/*
 * test_outbox_storm.c - random trouble from a seed: nothing twice, lost or out of order
 *
 * Messages to a few people, a Graph that accepts, throttles, fails, takes a
 * message and says nothing, and a process that ends in between.  Afterwards
 * the statuses of what was taken arrive, and the record must agree with what
 * Graph saw.  GODWIT_SEED runs one seed.
 */
#include "outbox_rig.h"

#define MESSAGES 60
#define PEOPLE 6

static struct graph_step any_trouble(struct rnd *rnd)
{
	static const struct graph_step steps[] = {
		{ GRAPH_ACCEPT, 0, 0, NULL },       { GRAPH_ACCEPT, 0, 0, NULL },
		{ GRAPH_ACCEPT, 0, 0, NULL },       { GRAPH_ERROR, 400, 130429, NULL },
		{ GRAPH_ERROR, 400, 131056, NULL }, { GRAPH_ERROR, 400, 131026, NULL },
		{ GRAPH_ERROR, 500, 131000, NULL }, { GRAPH_SAY, 502, 0, "<html>" },
		{ GRAPH_CLOSE, 0, 0, NULL },        { GRAPH_TAKE_CLOSE, 0, 0, NULL },
		{ GRAPH_TAKE_CLOSE, 0, 0, NULL },
	};

	return steps[rnd_below(rnd, ARRAY_LEN(steps))];
}

/* "no17" of a body: which message it is. */
static size_t message_of(const char *body)
{
	const char *at = strstr(body, "\"no");
	uint64_t index = MESSAGES;
	struct str digits;
	size_t end;

	assert_non_null(at);
	digits = str_from(at + 3);
	assert_true(str_find_char(digits, '"', &end));
	assert_true(str_to_u64(str_slice(digits, 0, end), &index));
	return (size_t)index;
}

/* No message accepted twice; to each person in the order of acceptance. */
static void check_graph(struct rig *r)
{
	size_t times[MESSAGES] = { 0 }, last[PEOPLE] = { 0 };

	for (size_t i = 0; i < graph_count(&r->graph); i++) {
		struct graph_seen seen = graph_seen(&r->graph, i);
		size_t m = message_of(seen.body);

		if (seen.wamid[0] == '\0')
			continue;
		if (++times[m] > 1)
			fail_msg("message %zu was accepted twice", m);
		if (last[m % PEOPLE] > m + 1)
			fail_msg("message %zu came after %zu", m, last[m % PEOPLE] - 1);
		last[m % PEOPLE] = m + 1;
	}
}

static bool is_settled(struct rig *r)
{
	struct outbox_numbers n;

	outbox_count(r->outbox, &n);
	return n.queued + n.sending + n.waiting == 0;
}

static void settle(struct rig *r)
{
	for (int i = 0; i < 200 && !is_settled(r); i++)
		rig_advance(r, 20000);
	assert_true(is_settled(r));
	for (size_t i = 0; i < graph_count(&r->graph); i++) {
		struct graph_seen seen = graph_seen(&r->graph, i);

		if (seen.wamid[0] != '\0')
			rig_status(r, i, seen.wamid, "sent");
	}
	rig_quiet(r, 50);
}

/* The store says accepted exactly of what Graph took. */
static void check_store(struct rig *r, struct call *const calls[MESSAGES])
{
	bool taken[MESSAGES] = { false };

	for (size_t i = 0; i < graph_count(&r->graph); i++) {
		struct graph_seen seen = graph_seen(&r->graph, i);

		if (seen.wamid[0] != '\0')
			taken[message_of(seen.body)] = true;
	}
	for (size_t m = 0; m < MESSAGES; m++) {
		struct rig_row row;

		assert_true(calls[m]->done);
		row = rig_row(r, &calls[m]->message);
		if (taken[m] != (strcmp(row.state, "accepted") == 0))
			fail_msg("message %zu is %s, Graph %s it", m, row.state,
				 taken[m] ? "took" : "never took");
		if (!taken[m] && strcmp(row.state, "rejected") != 0 &&
		    strcmp(row.state, "unknown") != 0)
			fail_msg("message %zu is %s", m, row.state);
	}
}

static void storm(struct rig *r, uint64_t seed)
{
	struct call *calls[MESSAGES];
	struct rnd rnd;

	rnd_init_seed(&rnd, seed);
	for (size_t m = 0; m < MESSAGES; m++) {
		calls[m] = rig_send_async(
			r, kit_str(&r->k, RIG_TEXT("4915%zu", "no%zu"), m % PEOPLE, m).ptr);
		if (m < GRAPH_STEPS - 1)
			graph_next(&r->graph, any_trouble(&rnd));
		if (rnd_below(&rnd, 4) == 0)
			rig_quiet(r, (int64_t)rnd_below(&rnd, 10));
		if (rnd_below(&rnd, 8) == 0)
			rig_advance(r, (int64_t)rnd_below(&rnd, 40000));
		if (rnd_below(&rnd, 15) == 0) {
			RIG_UNTIL(r, calls[m]->done);
			rig_cut(r);
			kit_reopen(&r->k);
			rig_up(r);
		}
	}
	settle(r);
	check_graph(r);
	check_store(r, calls);
}

static void storms(void **state)
{
	const char *one = getenv("GODWIT_SEED");
	uint64_t seed = 0, from = 1, to = 5;

	(void)state;
	if (one != NULL && str_to_u64(str_from(one), &seed))
		from = to = seed;
	for (seed = from; seed <= to; seed++) {
		void *rig;

		print_message("# GODWIT_SEED=%llu\n", (unsigned long long)seed);
		assert_int_equal(rig_set_up(&rig), 0);
		storm(rig, seed);
		assert_int_equal(rig_tear_down(&rig), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storms),
	};

	return cmocka_run_group_tests_name("outbox_storm", tests, NULL, NULL);
}
