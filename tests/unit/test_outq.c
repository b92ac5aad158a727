/* SPDX-License-Identifier: MIT */
/* test_outq.c - the machine as a picture, and disk before memory */
#include "fake_store.h"

#include "gateway/metrics.h"
#include "gateway/outq.h"

static const char allowed[OUTQ_NSTATES][OUTQ_NSTATES + 1] = {
	/*                  QSWUARE      to */
	[OUTQ_QUEUED] = { ".xx.xxx" },   [OUTQ_SENDING] = { "..xxxx." },
	[OUTQ_WAITING] = { ".xx.xxx" },  [OUTQ_UNKNOWN] = { "x...x.x" },
	[OUTQ_ACCEPTED] = { "......." }, [OUTQ_REJECTED] = { "......." },
	[OUTQ_EXPIRED] = { "......." },
};

static void every_pair_of_states(void **state)
{
	(void)state;
	for (unsigned from = 0; from < OUTQ_NSTATES; from++) {
		for (unsigned to = 0; to < OUTQ_NSTATES; to++) {
			if ((allowed[from][to] == 'x') != outq_may_follow(from, to))
				fail_msg("%s to %s: want %c", outq_state_name(from),
					 outq_state_name(to), allowed[from][to]);
		}
	}
}

static void terminal_is_what_nothing_follows(void **state)
{
	(void)state;
	for (unsigned s = 0; s < OUTQ_NSTATES; s++)
		CHECK_INT(outq_state_name(s), strchr(allowed[s], 'x') == NULL, outq_is_terminal(s));
}

static void words_there_and_back(void **state)
{
	enum outq_state s;
	enum outq_policy p;

	(void)state;
	for (unsigned i = 0; i < OUTQ_NSTATES; i++) {
		assert_true(outq_state_parse(str_from(outq_state_name(i)), &s));
		CHECK_INT("state", i, s);
	}
	assert_false(outq_state_parse(STR("sent"), &s));
	assert_false(outq_state_parse(STR(""), &s));
	for (unsigned i = 0; i <= OUTQ_EXPIRE; i++) {
		assert_true(outq_policy_parse(str_from(outq_policy_name(i)), &p));
		CHECK_INT("policy", i, p);
	}
	assert_false(outq_policy_parse(STR("Hold"), &p));
}

/* ---- moving ---- */

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store store;
	struct metrics *metrics;
	struct log log;
	struct outq *q;
	/* what options.moved saw last */
	unsigned moves, movings;
	int64_t row;
	enum outq_state from, to;
};

static void moved(void *cookie, struct outq_entry *e, enum outq_state from,
		  const struct store_move *m)
{
	struct fixture *f = cookie;

	f->moves++;
	f->row = e->row;
	f->from = from;
	f->to = e->state;
	assert_string_equal(m->to, outq_state_name(e->state));
	/* the disk has it already */
	assert_string_equal(f->store.state[e->row], outq_state_name(e->state));
	assert_true(outq_is_terminal(e->state) == (outq_by_row(f->q, e->row) == NULL));
}

static void moving(void *cookie, struct outq_entry *e, const struct outq_move *m)
{
	struct fixture *f = cookie;

	f->movings++;
	assert_true(outq_may_follow(e->state, m->to));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct outq_options o = { .moved = moved, .moving = moving, .cookie = f };

	clock_init(&f->clock);
	clock_freeze(&f->clock);
	f->loop = loop_new(&f->clock);
	fake_init(&f->store);
	f->metrics = gateway_metrics_new();
	log_init(&f->log, STDERR_FILENO, LOG_ERROR, "test", &f->clock);
	f->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	o.loop = f->loop;
	o.store = &f->store;
	o.log = &f->log;
	o.metrics = f->metrics;
	f->q = outq_new(&o);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	outq_free(f->q);
	loop_free(f->loop);
	metrics_free(f->metrics);
	(void)close(f->log.fd);
	free(f);
	return 0;
}

static struct outq_entry *add(struct fixture *f, const char *lane, enum outq_state state)
{
	struct outq_text text = { .to = str_from(lane),
				  .target = STR("/v25.0/1/messages"),
				  .body = STR("{}"),
				  .kind = STR("text") };
	struct outq_entry *e;

	text.id.bytes[15] = (uint8_t)(f->store.rows + 1);
	e = outq_entry_new(&text);
	e->row = fake_row(&f->store, outq_state_name(state));
	e->state = state;
	e->reason = state == OUTQ_WAITING ? "paused" : NULL;
	e->class_ = OUTQ_REPLY;
	outq_add(f->q, e, STR("106"), str_from(lane), 0);
	return e;
}

static void want(struct fixture *f, struct outq_entry *e, enum outq_state to)
{
	struct outq_move m = { .to = to, .why = "test" };

	if (to == OUTQ_WAITING) {
		m.reason = "backoff";
		m.next_ns = clock_mono_ns(&f->clock) + NS_PER_S;
	}
	outq_want(f->q, e, &m);
}

static void disk_before_memory(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);

	want(f, e, OUTQ_SENDING);
	CHECK_INT("memory waits", OUTQ_QUEUED, e->state);
	assert_non_null(e->moving);
	CHECK_INT("told before", 1, f->movings);
	CHECK_INT("not told after", 0, f->moves);
	CHECK_INT("committed", 1, fake_commit(&f->store));
	CHECK_INT("memory follows", OUTQ_SENDING, e->state);
	assert_null(e->moving);
	CHECK_INT("told", 1, f->moves);
	CHECK_INT("from", OUTQ_QUEUED, f->from);
	CHECK_INT("tries", 1, e->tries);
	assert_string_equal(fake_last(&f->store), "queued>sending 1/0 test");
	CHECK_INT("metric", 1, metrics_get(f->metrics, M_OUTBOX_MOVES, OUTQ_QUEUED, OUTQ_SENDING));
	CHECK_INT("gauge", 1, metrics_get(f->metrics, M_OUTBOX_STATE, OUTQ_SENDING, 0));
	CHECK_INT("gauge", 0, metrics_get(f->metrics, M_OUTBOX_STATE, OUTQ_QUEUED, 0));
}

static void tries_and_attempts(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);
	struct outq_move burnt = { .to = OUTQ_UNKNOWN, .why = "lost", .burns = true };

	want(f, e, OUTQ_SENDING);
	(void)fake_commit(&f->store);
	want(f, e, OUTQ_WAITING); /* a throttle burns nothing */
	(void)fake_commit(&f->store);
	CHECK_INT("tries", 1, e->tries);
	CHECK_INT("attempts", 0, e->attempts);
	assert_true(e->next_ns > 0);
	assert_string_equal(e->reason, "backoff");
	want(f, e, OUTQ_SENDING);
	(void)fake_commit(&f->store);
	CHECK_INT("next", 0, e->next_ns);
	assert_null(e->reason);
	outq_want(f->q, e, &burnt);
	(void)fake_commit(&f->store);
	CHECK_INT("tries", 2, e->tries);
	CHECK_INT("attempts", 1, e->attempts);
}

static void terminal_leaves(void **state)
{
	static const enum outq_state ends[] = { OUTQ_ACCEPTED, OUTQ_REJECTED };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);
		int64_t row = e->row;
		struct id id = e->id;
		struct outq_move m = { .to = ends[i],
				       .why = "test",
				       .wamid = STR("wamid.X"),
				       .answer = STR("{\"a\":1}") };

		want(f, e, OUTQ_SENDING);
		(void)fake_commit(&f->store);
		outq_want(f->q, e, &m);
		assert_ptr_equal(outq_by_row(f->q, row), e);
		(void)fake_commit(&f->store);
		CHECK_INT("told", row, f->row);
		assert_null(outq_by_row(f->q, row));
		assert_null(outq_by_id(f->q, &id));
		assert_string_equal(f->store.answer[row], "{\"a\":1}");
		assert_string_equal(f->store.wamid[row], "wamid.X");
	}
	CHECK_INT("count", 0, outq_count(f->q));
	CHECK_INT("bytes", 0, outq_bytes(f->q));
	assert_null(outq_lane(outq_number(f->q, STR("106")), STR("49151")));
}

static void a_refused_move_is_handed_in_again(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);

	want(f, e, OUTQ_SENDING);
	f->store.refuse = 1;
	(void)fake_commit(&f->store);
	CHECK_INT("still", OUTQ_QUEUED, e->state);
	assert_non_null(e->moving); /* hands off */
	CHECK_INT("untold", 0, f->moves);
	while (f->store.waiting == 0)
		loop_turn(f->loop, 2000); /* until the timer of a second fires */
	(void)fake_commit(&f->store);
	CHECK_INT("moved", OUTQ_SENDING, e->state);
}

struct lethal {
	struct fixture *f;
	struct outq_entry *e;
	enum outq_state to;
};

static void want_it(void *cookie)
{
	struct lethal *l = cookie;

	want(l->f, l->e, l->to);
}

static void wrong_moves_end_the_process(void **state)
{
	struct fixture *f = *state;
	struct lethal l = { f, add(f, "49151", OUTQ_QUEUED), OUTQ_UNKNOWN };

	assert_true(dies(want_it, &l)); /* not in the table */
	l.to = OUTQ_SENDING;
	want_it(&l);
	assert_true(dies(want_it, &l)); /* inv. 2: pending */
	(void)fake_commit(&f->store);
	l.e = add(f, "49151", OUTQ_QUEUED);
	assert_true(dies(want_it, &l)); /* inv. 5: the lane is busy */
}

static void commit_all(void *cookie)
{
	struct fixture *f = cookie;

	(void)fake_commit(&f->store);
}

static void another_state_in_the_store_ends_the_process(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);

	want(f, e, OUTQ_SENDING);
	(void)str_copy(STR("expired"), f->store.state[e->row], sizeof(f->store.state[0]));
	assert_true(dies(commit_all, f));
	(void)str_copy(STR("queued"), f->store.state[e->row], sizeof(f->store.state[0]));
	(void)fake_commit(&f->store);
}

/* ---- lanes ---- */

static void one_lane_one_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *a = add(f, "49151", OUTQ_QUEUED), *b = add(f, "49151", OUTQ_QUEUED);
	struct outq_entry *other = add(f, "49152", OUTQ_QUEUED);

	assert_true(outq_is_free(a));
	assert_false(outq_is_free(b));
	assert_true(outq_is_free(other));
	want(f, a, OUTQ_SENDING);
	assert_false(outq_is_free(a));
	assert_false(outq_is_free(b));
	(void)fake_commit(&f->store);
	assert_false(outq_is_free(b));
	want(f, a, OUTQ_ACCEPTED);
	assert_false(outq_is_free(b)); /* not before the disk says so */
	(void)fake_commit(&f->store);
	assert_true(outq_is_free(b));
}

static void a_waiting_head_keeps_its_lane(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *a = add(f, "49151", OUTQ_QUEUED), *b = add(f, "49151", OUTQ_QUEUED);

	want(f, a, OUTQ_SENDING);
	(void)fake_commit(&f->store);
	want(f, a, OUTQ_WAITING);
	(void)fake_commit(&f->store);
	assert_ptr_equal(outq_head(a->lane), a);
	assert_false(outq_is_free(b));
	assert_true(outq_is_free(a));
}

static void a_passed_unknown_frees_its_lane(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *a = add(f, "49151", OUTQ_QUEUED), *b = add(f, "49151", OUTQ_QUEUED);

	want(f, a, OUTQ_SENDING);
	(void)fake_commit(&f->store);
	want(f, a, OUTQ_UNKNOWN);
	(void)fake_commit(&f->store);
	assert_ptr_equal(outq_head(a->lane), a);
	assert_false(outq_is_free(b));
	outq_pass(a);
	assert_ptr_equal(outq_head(a->lane), b);
	assert_true(outq_is_free(b));
	/* resent while the next one is on the wire: it is first again, but has to wait */
	want(f, b, OUTQ_SENDING);
	want(f, a, OUTQ_QUEUED);
	(void)fake_commit(&f->store);
	assert_ptr_equal(outq_head(a->lane), a);
	assert_false(outq_is_free(a));
	want(f, b, OUTQ_ACCEPTED);
	(void)fake_commit(&f->store);
	assert_true(outq_is_free(a));
}

static void walks_in_order(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *all[5], *e = NULL;
	size_t at = 0, numbers = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i] = add(f, i % 2 == 0 ? "49151" : "49152", OUTQ_QUEUED);
	want(f, all[1], OUTQ_EXPIRED);
	(void)fake_commit(&f->store);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (i == 1)
			continue;
		e = outq_next(f->q, e);
		assert_ptr_equal(e, all[i]);
	}
	assert_null(outq_next(f->q, e));
	while (outq_next_number(f->q, &at) != NULL)
		numbers++;
	CHECK_INT("numbers", 1, numbers);
	CHECK_INT("count", 4, outq_count(f->q));
	CHECK_INT("queued", 4, outq_count_in(f->q, OUTQ_QUEUED));
}

static void the_latest_window_counts(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "49151", OUTQ_QUEUED);
	struct outq_text text = { .to = STR("49151"), .id = { { 99 } } };
	static const int64_t windows[] = { 50, 70, 60 };

	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct outq_entry *more = outq_entry_new(&text);

		text.id.bytes[0]++;
		more->row = fake_row(&f->store, "queued");
		outq_add(f->q, more, STR("106"), STR("49151"), windows[i]);
	}
	CHECK_INT("window", 70, e->lane->window_ms);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_states),
		cmocka_unit_test(terminal_is_what_nothing_follows),
		cmocka_unit_test(words_there_and_back),
		WITH(disk_before_memory),
		WITH(tries_and_attempts),
		WITH(terminal_leaves),
		WITH(a_refused_move_is_handed_in_again),
		WITH(wrong_moves_end_the_process),
		WITH(another_state_in_the_store_ends_the_process),
		WITH(one_lane_one_at_a_time),
		WITH(a_waiting_head_keeps_its_lane),
		WITH(a_passed_unknown_frees_its_lane),
		WITH(walks_in_order),
		WITH(the_latest_window_counts),
	};

	return cmocka_run_group_tests_name("outq", tests, NULL, NULL);
}
