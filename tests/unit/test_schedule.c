/* SPDX-License-Identifier: MIT */
/* test_schedule.c - which lane is ready, which is timed, and who goes first */
#include "fake_store.h"

#include "base/rnd.h"
#include "gateway/metrics.h"
#include "gateway/schedule.h"

#define NUMBER "106"

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store store;
	struct metrics *metrics;
	struct log log;
	struct outq *q;
	struct pairs *pairs;
	struct schedule *s;
};

static int64_t now(const struct fixture *f)
{
	return clock_mono_ns(&f->clock);
}

static void moved(void *cookie, struct outq_entry *e, enum outq_state from,
		  const struct store_move *m)
{
	struct fixture *f = cookie;

	(void)from;
	(void)m;
	if (e->state == OUTQ_UNKNOWN)
		e->lost_ns = now(f);
	schedule_lane(f->s, e->lane, now(f));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct outq_options q = { .moved = moved, .cookie = f };
	struct pairs_options p = { .interval_ns = 6 * NS_PER_S, .burst = 1, .max = 1000 };
	struct schedule_options s = { .unknown_wait_ns = 30 * NS_PER_S };

	clock_init(&f->clock);
	clock_freeze(&f->clock);
	f->loop = loop_new(&f->clock);
	fake_init(&f->store);
	f->metrics = gateway_metrics_new();
	log_init(&f->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG, "test", &f->clock);
	q.loop = f->loop;
	q.store = &f->store;
	q.log = s.log = &f->log;
	q.metrics = f->metrics;
	f->q = outq_new(&q);
	s.pairs = f->pairs = pairs_new(&p);
	f->s = schedule_new(&s);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = NULL;

	while ((e = outq_next(f->q, e)) != NULL)
		schedule_drop(f->s, e->lane);
	outq_free(f->q);
	schedule_free(f->s);
	pairs_free(f->pairs);
	loop_free(f->loop);
	metrics_free(f->metrics);
	(void)close(f->log.fd);
	free(f);
	return 0;
}

static struct outq_entry *add(struct fixture *f, const char *lane, enum outq_class class_)
{
	struct outq_text text = { .to = str_from(lane), .kind = STR("text") };
	struct outq_entry *e;

	text.id.bytes[15] = (uint8_t)(f->store.rows + 1);
	e = outq_entry_new(&text);
	e->row = fake_row(&f->store, "queued");
	e->class_ = class_;
	e->expires_ns = now(f) + 3600 * NS_PER_S;
	outq_add(f->q, e, STR(NUMBER), str_from(lane), 0);
	schedule_lane(f->s, e->lane, now(f));
	return e;
}

static struct outq_entry *take(struct fixture *f)
{
	struct outq_lane *lane = schedule_take(f->s, outq_number(f->q, STR(NUMBER)),
					       OUTQ_MARKETING);

	return lane == NULL ? NULL : outq_head(lane);
}

static void move(struct fixture *f, struct outq_entry *e, enum outq_state to)
{
	struct outq_move m = { .to = to, .why = "test" };

	if (to == OUTQ_WAITING) {
		m.reason = "backoff";
		m.next_ns = now(f) + 5 * NS_PER_S;
	}
	outq_want(f->q, e, &m);
	(void)fake_commit(&f->store);
}

static void by_class_then_by_turn(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *marketing = add(f, "1", OUTQ_MARKETING);
	struct outq_entry *reply = add(f, "2", OUTQ_REPLY), *second = add(f, "3", OUTQ_REPLY);
	struct outq_entry *code = add(f, "4", OUTQ_AUTHENTICATION);

	assert_ptr_equal(take(f), code);
	assert_ptr_equal(take(f), reply);
	assert_ptr_equal(take(f), second);
	assert_ptr_equal(take(f), marketing);
	assert_null(take(f));
}

static void a_reply_pulls_its_lane_along(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *other = add(f, "1", OUTQ_UTILITY);
	struct outq_entry *first = add(f, "2", OUTQ_MARKETING);

	(void)add(f, "2", OUTQ_REPLY); /* behind the campaign's message to the same person */
	assert_ptr_equal(take(f), first);
	assert_ptr_equal(take(f), other);
}

static void a_busy_lane_is_not_offered(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *first = add(f, "1", OUTQ_REPLY), *second = add(f, "1", OUTQ_REPLY);

	assert_ptr_equal(take(f), first);
	outq_want(f->q, first, &(struct outq_move){ .to = OUTQ_SENDING, .why = "test" });
	schedule_lane(f->s, second->lane, now(f));
	assert_null(take(f));
	(void)fake_commit(&f->store);
	assert_null(take(f));
	move(f, first, OUTQ_ACCEPTED);
	assert_ptr_equal(take(f), second);
}

static void waiting_is_timed(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "1", OUTQ_REPLY);

	assert_ptr_equal(take(f), e);
	move(f, e, OUTQ_SENDING);
	move(f, e, OUTQ_WAITING);
	assert_null(take(f));
	CHECK_INT("due", e->next_ns, schedule_due(f->s, now(f)));
	clock_advance(&f->clock, 5 * NS_PER_S);
	CHECK_INT("none left", INT64_MAX, schedule_due(f->s, now(f)));
	assert_ptr_equal(take(f), e);
}

static void the_lifetime_comes_first(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "1", OUTQ_REPLY);

	assert_ptr_equal(take(f), e);
	move(f, e, OUTQ_SENDING);
	e->expires_ns = now(f) + 2 * NS_PER_S;
	move(f, e, OUTQ_WAITING);
	CHECK_INT("to be ended", e->expires_ns, schedule_due(f->s, now(f)));
}

static void the_pair_is_kept(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e;

	pairs_take(f->pairs, STR(NUMBER), STR("1"), now(f));
	e = add(f, "1", OUTQ_REPLY);
	assert_null(take(f));
	CHECK_INT("due", now(f) + 6 * NS_PER_S, schedule_due(f->s, now(f)));
	clock_advance(&f->clock, 6 * NS_PER_S);
	(void)schedule_due(f->s, now(f));
	assert_ptr_equal(take(f), e);
}

static void an_unknown_head_is_passed_in_time(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *first = add(f, "1", OUTQ_REPLY), *second = add(f, "1", OUTQ_REPLY);

	assert_ptr_equal(take(f), first);
	move(f, first, OUTQ_SENDING);
	move(f, first, OUTQ_UNKNOWN);
	clock_advance(&f->clock, 30 * NS_PER_S - 1);
	CHECK_INT("due", now(f) + 1, schedule_due(f->s, now(f)));
	assert_null(take(f));
	clock_advance(&f->clock, 1);
	(void)schedule_due(f->s, now(f));
	assert_true(first->passed);
	assert_ptr_equal(take(f), second);
}

static void asking_is_idle(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, "1", OUTQ_REPLY);

	e->asking = true;
	schedule_lane(f->s, e->lane, now(f));
	assert_null(take(f));
	e->asking = false;
	schedule_lane(f->s, e->lane, now(f));
	assert_ptr_equal(take(f), e);
}

/* Many lanes at random times come out in order, whatever is dropped in between. */
static void the_heap_keeps_order(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *all[50];
	int64_t last = 0, due;
	struct rnd rnd;
	char lane[16];

	rnd_init_seed(&rnd, 7);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		(void)snprintf(lane, sizeof(lane), "%zu", i);
		pairs_take(f->pairs, STR(NUMBER), str_from(lane),
			   now(f) + (int64_t)rnd_below(&rnd, 1000) * NS_PER_MS);
		all[i] = add(f, lane, OUTQ_REPLY);
	}
	for (size_t i = 0; i < ARRAY_LEN(all); i += 3)
		schedule_drop(f->s, all[i]->lane);
	while ((due = schedule_due(f->s, now(f))) != INT64_MAX) {
		assert_true(due >= last);
		last = due;
		clock_advance(&f->clock, due - now(f));
	}
	CHECK_INT("all came", 33, outq_number(f->q, STR(NUMBER))->ready_count[OUTQ_REPLY]);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(by_class_then_by_turn),
		WITH(a_reply_pulls_its_lane_along),
		WITH(a_busy_lane_is_not_offered),
		WITH(waiting_is_timed),
		WITH(the_lifetime_comes_first),
		WITH(the_pair_is_kept),
		WITH(an_unknown_head_is_passed_in_time),
		WITH(asking_is_idle),
		WITH(the_heap_keeps_order),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
