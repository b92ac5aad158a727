/* SPDX-License-Identifier: MIT */
/* test_reconcile.c - statuses before, after, without and instead of an answer; proof of absence */
#include "fake_store.h"

#include "gateway/metrics.h"
#include "gateway/reconcile.h"

#define NUMBER "106"
#define MINUTE (60 * NS_PER_S)
#define DAY (24 * 60 * MINUTE)

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store store;
	struct metrics *metrics;
	struct wayback wayback;
	uint64_t key; /* with which Meta signs */
	struct log log;
	struct outbox_settings settings;
	struct outq *q;
	struct reconcile *r;
};

static void moved(void *cookie, struct outq_entry *e, enum outq_state from,
		  const struct store_move *m)
{
	struct fixture *f = cookie;

	(void)m;
	reconcile_moved(f->r, e, from);
}

static void abandon(void *cookie, struct outq_entry *e)
{
	(void)cookie;
	assert_null(e->exchange); /* nothing here is on a wire */
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct outq_options q = { .moved = moved, .cookie = f };
	struct reconcile_options r = { .abandon = abandon };

	clock_init(&f->clock);
	clock_freeze(&f->clock);
	clock_set_wall(&f->clock, INT64_C(1795000000000));
	clock_advance(&f->clock, DAY);
	f->loop = loop_new(&f->clock);
	fake_init(&f->store);
	f->metrics = gateway_metrics_new();
	log_init(&f->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG, "test", &f->clock);
	f->settings = (struct outbox_settings){ .attempts_max = 3,
						.unknown_wait_ms = 120000,
						.failed_echoes_token = true };
	q.loop = r.loop = f->loop;
	q.store = &f->store;
	q.log = r.log = &f->log;
	q.metrics = r.metrics = f->metrics;
	f->q = r.outq = outq_new(&q);
	r.settings = &f->settings;
	r.wayback = &f->wayback;
	f->key = 1;
	f->r = reconcile_new(&r);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	while (fake_commit(&f->store) > 0)
		;
	reconcile_free(f->r);
	outq_free(f->q);
	loop_free(f->loop);
	metrics_free(f->metrics);
	(void)close(f->log.fd);
	free(f);
	return 0;
}

static int64_t now(const struct fixture *f)
{
	return clock_mono_ns(&f->clock);
}

static struct outq_entry *add(struct fixture *f, enum outq_policy policy, enum outq_state state)
{
	static char lane[16];
	struct outq_text text = { .to = STR("49151"), .body = STR("{}"), .kind = STR("text") };
	struct outq_entry *e;

	text.id.bytes[15] = (uint8_t)(f->store.rows + 1);
	e = outq_entry_new(&text);
	e->row = fake_row(&f->store, outq_state_name(state));
	e->state = state;
	e->policy = policy;
	e->tries = state == OUTQ_QUEUED ? 0 : 1;
	e->expires_ns = now(f) + DAY;
	(void)snprintf(lane, sizeof(lane), "4915%lld", (long long)e->row);
	outq_add(f->q, e, STR(NUMBER), str_from(lane), 0);
	return e;
}

static void move(struct fixture *f, struct outq_entry *e, enum outq_state to)
{
	struct outq_move m = { .to = to, .why = "test", .burns = to == OUTQ_UNKNOWN };

	if (to == OUTQ_SENDING)
		e->sent_ns = now(f);
	if (to == OUTQ_UNKNOWN)
		e->lost_ns = now(f);
	if (to == OUTQ_WAITING) {
		m.reason = "backoff";
		m.next_ns = now(f) + NS_PER_S;
	}
	if (to == OUTQ_ACCEPTED)
		m.wamid = STR("wamid.answer");
	outq_want(f->q, e, &m);
	(void)fake_commit(&f->store);
}

static struct outq_entry *lost(struct fixture *f, enum outq_policy policy)
{
	struct outq_entry *e = add(f, policy, OUTQ_QUEUED);

	move(f, e, OUTQ_SENDING);
	move(f, e, OUTQ_UNKNOWN);
	return e;
}

static void evidence(struct fixture *f, int64_t row, uint32_t try_)
{
	struct evidence ev = {
		.row = row, .number_id = STR(NUMBER), .wamid = STR("wamid.status"), .try_ = try_
	};

	ev.mark.key = f->key;
	ev.mark.unverified = f->wayback.unverified;

	reconcile_evidence(f->r, &ev);
}

static void pass_time(struct fixture *f, int64_t ns)
{
	clock_advance(&f->clock, ns);
	loop_clock_moved(f->loop);
	loop_turn(f->loop, 0);
	(void)fake_commit(&f->store);
}

/* Another message of the number: sent now, accepted, and its status comes. */
static void alive(struct fixture *f)
{
	struct outq_entry *e = add(f, OUTQ_HOLD, OUTQ_QUEUED);
	int64_t row = e->row;

	pass_time(f, NS_PER_MS);
	move(f, e, OUTQ_SENDING);
	move(f, e, OUTQ_ACCEPTED);
	evidence(f, row, 1);
	(void)fake_commit(&f->store);
}

static const char *state_of(const struct fixture *f, int64_t row)
{
	return f->store.state[row];
}

/* ---- evidence ---- */

static void a_status_settles_it_wherever_it_stands(void **state)
{
	struct fixture *f = *state;

	for (unsigned s = 0; s < OUTQ_NSTATES; s++) {
		struct outq_entry *e;
		int64_t row;

		if (outq_is_terminal(s) || s == OUTQ_SENDING)
			continue;
		e = add(f, OUTQ_HOLD, OUTQ_QUEUED);
		row = e->row;
		if (s != OUTQ_QUEUED) {
			move(f, e, OUTQ_SENDING);
			move(f, e, s);
		}
		evidence(f, row, 1);
		(void)fake_commit(&f->store);
		assert_string_equal(state_of(f, row), "accepted");
		assert_string_equal(f->store.wamid[row], "wamid.status");
	}
}

static void a_status_while_the_answer_is_committed(void **state)
{
	static const enum outq_state ends[] = { OUTQ_UNKNOWN, OUTQ_WAITING };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct outq_entry *e = add(f, OUTQ_HOLD, OUTQ_QUEUED);
		struct outq_move m = { .to = ends[i], .why = "test" };
		int64_t row = e->row;

		move(f, e, OUTQ_SENDING);
		if (ends[i] == OUTQ_WAITING) {
			m.reason = "backoff";
			m.next_ns = now(f) + NS_PER_S;
		}
		outq_want(f->q, e, &m);
		evidence(f, row, 1); /* hands off: it is pending */
		(void)fake_commit(&f->store); /* the end ... */
		(void)fake_commit(&f->store); /* ... and what follows */
		assert_string_equal(state_of(f, row), "accepted");
	}
}

static void a_status_while_the_claim_is_committed(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);
	int64_t row = e->row;

	move(f, e, OUTQ_QUEUED); /* an operator sends it again */
	outq_want(f->q, e, &(struct outq_move){ .to = OUTQ_SENDING, .why = "claimed" });
	evidence(f, row, 1); /* of the first try */
	(void)fake_commit(&f->store);
	(void)fake_commit(&f->store);
	assert_string_equal(state_of(f, row), "accepted"); /* the second never left */
	CHECK_INT("no duplicate", 0, metrics_get(f->metrics, M_OUTBOX_DUPLICATES, 0, 0));
}

static void two_tries_are_one_duplicate(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);
	int64_t row = e->row;

	move(f, e, OUTQ_QUEUED);
	move(f, e, OUTQ_SENDING);
	move(f, e, OUTQ_ACCEPTED); /* the second try was answered */
	evidence(f, row, 2);
	CHECK_INT("one try", 0, metrics_get(f->metrics, M_OUTBOX_DUPLICATES, 0, 0));
	evidence(f, row, 2);
	evidence(f, row, 0);
	CHECK_INT("the same try", 0, metrics_get(f->metrics, M_OUTBOX_DUPLICATES, 0, 0));
	evidence(f, row, 1);
	CHECK_INT("both", 1, metrics_get(f->metrics, M_OUTBOX_DUPLICATES, 0, 0));
	evidence(f, row, 1);
	evidence(f, row, 2);
	CHECK_INT("once", 1, metrics_get(f->metrics, M_OUTBOX_DUPLICATES, 0, 0));
}

static void statuses_of_strangers_do_nothing(void **state)
{
	struct fixture *f = *state;
	struct evidence ev = { .row = 60, .number_id = STR("999"), .wamid = STR("w") };

	reconcile_evidence(f->r, &ev);
	evidence(f, 60, 1);
	CHECK_INT("nothing", 0, f->store.waiting);
}

/* ---- absence ---- */

static void resent_after_proof(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);

	alive(f);
	alive(f);
	pass_time(f, 3 * MINUTE);
	CHECK_INT("two are no proof", OUTQ_UNKNOWN, e->state);
	alive(f);
	CHECK_INT("three are", OUTQ_QUEUED, e->state);
}

static void not_before_the_wait(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);

	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 110 * NS_PER_S);
	CHECK_INT("too early", OUTQ_UNKNOWN, e->state);
	pass_time(f, 11 * NS_PER_S);
	CHECK_INT("the timer looks", OUTQ_QUEUED, e->state);
}

static void earlier_messages_prove_nothing(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *before[5], *e;
	int64_t rows[5];

	for (int i = 0; i < 5; i++) {
		before[i] = add(f, OUTQ_HOLD, OUTQ_QUEUED);
		rows[i] = before[i]->row;
		move(f, before[i], OUTQ_SENDING);
	}
	pass_time(f, NS_PER_S);
	e = lost(f, OUTQ_RESEND);
	for (int i = 0; i < 5; i++) {
		move(f, before[i], OUTQ_ACCEPTED); /* left before e was lost */
		evidence(f, rows[i], 1);
	}
	pass_time(f, 3 * MINUTE);
	CHECK_INT("unknown", OUTQ_UNKNOWN, e->state);
}

static void one_message_counts_once(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND), *other = add(f, OUTQ_HOLD, OUTQ_QUEUED);
	int64_t row = other->row;

	pass_time(f, NS_PER_S);
	move(f, other, OUTQ_SENDING);
	move(f, other, OUTQ_ACCEPTED);
	for (int i = 0; i < 5; i++)
		evidence(f, row, 1); /* sent, delivered, read: one message */
	pass_time(f, 3 * MINUTE);
	CHECK_INT("unknown", OUTQ_UNKNOWN, e->state);
}

static void a_refused_webhook_takes_seven_days(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);

	e->expires_ns = now(f) + 30 * DAY;
	f->wayback.refused++;
	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 6 * DAY);
	CHECK_INT("Meta may still repeat it", OUTQ_UNKNOWN, e->state);
	pass_time(f, DAY);
	pass_time(f, MINUTE);
	CHECK_INT("not any more", OUTQ_QUEUED, e->state);
}

/* Whatever a stranger posts between two calls of Meta's is no gap and holds up no proof. */
static void strangers_cannot_prevent_a_proof(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e;

	alive(f);
	e = lost(f, OUTQ_RESEND);
	for (int i = 0; i < 5; i++) {
		f->wayback.unverified += 7;
		alive(f);
	}
	f->wayback.unverified++;
	pass_time(f, 3 * MINUTE);
	CHECK_INT("nothing is known since", OUTQ_UNKNOWN, e->state);
	f->wayback.unverified++;
	alive(f);
	CHECK_INT("Meta has the same secret", OUTQ_QUEUED, e->state);
}

static void the_last_word_must_come_after_the_wait(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e;

	alive(f);
	e = lost(f, OUTQ_RESEND);
	for (int i = 0; i < 4; i++)
		alive(f);
	f->wayback.unverified++;
	pass_time(f, MINUTE);
	alive(f);
	f->wayback.unverified++;
	pass_time(f, 10 * MINUTE);
	CHECK_INT("heard too early", OUTQ_UNKNOWN, e->state);
	alive(f);
	CHECK_INT("heard", OUTQ_QUEUED, e->state);
}

/* All of Meta's calls were refused with 401 until the secret was mended. */
static void a_wrong_secret_proves_nothing(void **state)
{
	static const bool known_before[] = { false, true };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(known_before); i++) {
		struct outq_entry *e;

		if (known_before[i])
			alive(f);
		f->key++;
		e = lost(f, OUTQ_RESEND);
		f->wayback.unverified += 3;
		for (int k = 0; k < 5; k++)
			alive(f);
		pass_time(f, 10 * MINUTE);
		alive(f);
		CHECK_INT("its status was among them", OUTQ_UNKNOWN, e->state);
		CHECK_INT("later ones", 0, (e = lost(f, OUTQ_RESEND))->alive);
		for (int k = 0; k < 3; k++)
			alive(f);
		pass_time(f, 3 * MINUTE);
		CHECK_INT("are not concerned", OUTQ_QUEUED, e->state);
		(void)tear_down(state); /* the rows of the fake are few */
		(void)set_up(state);
		f = *state;
	}
}

/* A call that was cut comes again soon: a longer wait, and no longer for many of them. */
static void a_cut_call_takes_an_hour(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);

	f->wayback.partial++;
	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 50 * MINUTE);
	CHECK_INT("too early", OUTQ_UNKNOWN, e->state);
	f->wayback.partial += 100;
	pass_time(f, 11 * MINUTE);
	CHECK_INT("an hour after it was lost", OUTQ_QUEUED, e->state);
}

static void a_restart_takes_seven_days(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = add(f, OUTQ_RESEND, OUTQ_UNKNOWN);

	e->expires_ns = now(f) + 30 * DAY;
	reconcile_load(f->r, e, now(f) - MINUTE, STR_EMPTY, false);
	reconcile_start(f->r);
	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 6 * DAY);
	CHECK_INT("we were down", OUTQ_UNKNOWN, e->state);
	pass_time(f, DAY);
	CHECK_INT("long ago", OUTQ_QUEUED, e->state);
}

static void without_the_assumption_it_takes_seven_days(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND);

	f->settings.failed_echoes_token = false;
	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 10 * MINUTE);
	CHECK_INT("a failed status may be without token", OUTQ_UNKNOWN, e->state);
}

/* ---- policies ---- */

static void hold_holds(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_HOLD);

	for (int i = 0; i < 5; i++)
		alive(f);
	pass_time(f, 30 * DAY);
	CHECK_INT("unknown", OUTQ_UNKNOWN, e->state);
}

static void resend_keeps_attempts_and_lifetime(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *e = lost(f, OUTQ_RESEND), *old;
	int64_t row;

	for (int i = 0; i < 2; i++) { /* attempts_max is 3 */
		for (int k = 0; k < 3; k++)
			alive(f);
		pass_time(f, 3 * MINUTE);
		CHECK_INT("resent", OUTQ_QUEUED, e->state);
		move(f, e, OUTQ_SENDING);
		move(f, e, OUTQ_UNKNOWN);
	}
	for (int k = 0; k < 3; k++)
		alive(f);
	pass_time(f, 3 * MINUTE);
	CHECK_INT("all used up", OUTQ_UNKNOWN, e->state);

	old = lost(f, OUTQ_RESEND);
	old->expires_ns = now(f) + MINUTE;
	row = old->row;
	for (int k = 0; k < 3; k++)
		alive(f);
	pass_time(f, 3 * MINUTE);
	assert_string_equal(state_of(f, row), "expired"); /* too old */
}

static void expire_by_proof_or_lifetime(void **state)
{
	struct fixture *f = *state;
	int64_t proven = lost(f, OUTQ_EXPIRE)->row, old;

	for (int k = 0; k < 3; k++)
		alive(f);
	pass_time(f, 3 * MINUTE);
	assert_string_equal(state_of(f, proven), "expired");
	old = lost(f, OUTQ_EXPIRE)->row;
	pass_time(f, DAY - MINUTE);
	assert_string_equal(state_of(f, old), "unknown");
	pass_time(f, 2 * MINUTE);
	assert_string_equal(state_of(f, old), "expired");
}

/* ---- a start ---- */

static void sending_at_a_start(void **state)
{
	struct fixture *f = *state;
	struct outq_entry *plain = add(f, OUTQ_HOLD, OUTQ_SENDING);
	struct outq_entry *proven = add(f, OUTQ_HOLD, OUTQ_SENDING);
	struct outq_entry *queued = add(f, OUTQ_HOLD, OUTQ_QUEUED);
	int64_t row = proven->row;

	reconcile_load(f->r, plain, now(f), STR_EMPTY, false);
	reconcile_load(f->r, proven, now(f), STR("wamid.stored"), true);
	reconcile_start(f->r);
	(void)fake_commit(&f->store);
	CHECK_INT("unknown", OUTQ_UNKNOWN, plain->state);
	CHECK_INT("burned", 1, plain->attempts);
	assert_string_equal(state_of(f, row), "accepted");
	assert_string_equal(f->store.wamid[row], "wamid.stored");
	CHECK_INT("queued", OUTQ_QUEUED, queued->state);
	row = plain->row;
	evidence(f, row, 1);
	(void)fake_commit(&f->store);
	assert_string_equal(state_of(f, row), "accepted");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(a_status_settles_it_wherever_it_stands),
		WITH(a_status_while_the_answer_is_committed),
		WITH(a_status_while_the_claim_is_committed),
		WITH(two_tries_are_one_duplicate),
		WITH(statuses_of_strangers_do_nothing),
		WITH(resent_after_proof),
		WITH(not_before_the_wait),
		WITH(earlier_messages_prove_nothing),
		WITH(one_message_counts_once),
		WITH(a_refused_webhook_takes_seven_days),
		WITH(strangers_cannot_prevent_a_proof),
		WITH(the_last_word_must_come_after_the_wait),
		WITH(a_wrong_secret_proves_nothing),
		WITH(a_cut_call_takes_an_hour),
		WITH(a_restart_takes_seven_days),
		WITH(without_the_assumption_it_takes_seven_days),
		WITH(hold_holds),
		WITH(resend_keeps_attempts_and_lifetime),
		WITH(expire_by_proof_or_lifetime),
		WITH(sending_at_a_start),
	};

	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
