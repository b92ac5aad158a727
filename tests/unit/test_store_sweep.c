/* SPDX-License-Identifier: MIT */
/* test_store_sweep.c - what has served its time goes, and nothing else */
#include "store_kit.h"

#include "store/sqlite_int.h"

#define ANN "16505551234"
#define DAY_NS (86400 * NS_PER_S)

/* All phases of the sweep, now.  The store thread must not run meanwhile, so this is the closed
 * store's database on a writer of the test's own. */
static int64_t count(struct kit *k, const char *sql)
{
	char path[KIT_PATH];
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t got;

	kit_path(k, "godwit.db", path);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	got = sqlite3_column_int64(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return got;
}

/* A start sweeps at once, in steps: wait until the sum is what it should be. */
static void wait_for(struct kit *k, const char *sql, int64_t want)
{
	int64_t until = clock_real_ns() + 30 * NS_PER_S;

	while (count(k, sql) != want) {
		struct store_req lazy = { .lazy = true, .weight = 1 };

		if (clock_real_ns() > until)
			fail_msg("%s: want %lld, have %lld", sql, (long long)want,
				 (long long)count(k, sql));
		assert_int_equal(kit_run(k, &lazy, STORE_BARRIER), GW_OK);
	}
}

static void put(struct kit *k, const char *wamid, int64_t older_s)
{
	struct store_event_in ev = kit_text(k, ANN, wamid);

	ev.never_stale = true;
	if (older_s < 0)
		ev.dedupe_s = 0; /* undated */
	else
		ev.dedupe_s -= older_s;
	kit_put(k, &ev, 1);
	assert_false(ev.duplicate);
}

static void dedupe_keys(void **state)
{
	static const char keys[] = "SELECT count(*) FROM dedupe";
	struct store_add_message m;
	struct kit k;

	(void)state;
	kit_open(&k);
	m = kit_message(&k, ANN);
	m.has_idempotency = true;
	assert_int_equal(kit_run(&k, &m.req, STORE_ADD_MESSAGE), GW_OK);
	for (int i = 0; i < 700; i++) /* more than a step */
		put(&k, kit_str(&k, "first %d", i).ptr, i % 7 * 86400);
	put(&k, "undated", -1);
	clock_advance(&k.clock, 5 * DAY_NS);
	put(&k, "in between", 0);
	put(&k, "history", 400 * 86400);
	put(&k, "undated too", -1);
	clock_advance(&k.clock, 4 * DAY_NS - NS_PER_S);
	kit_restart(&k);
	wait_for(&k, "SELECT count(*) FROM idempotency", 0); /* the phase after the keys' */
	CHECK_INT("nine days are not over", 704, count(&k, keys));
	clock_advance(&k.clock, 2 * NS_PER_S);
	kit_restart(&k);
	wait_for(&k, keys, 3); /* what came five days later, however old it says it is */
	clock_advance(&k.clock, 5 * DAY_NS);
	kit_restart(&k);
	wait_for(&k, keys, 0);
	kit_close(&k);
}

static void idempotency_keys(void **state)
{
	static const char keys[] = "SELECT count(*) FROM idempotency";
	struct kit k;

	(void)state;
	kit_open(&k);
	for (unsigned char i = 0; i < 10; i++) {
		struct store_add_message m = kit_message(&k, ANN);

		m.has_idempotency = true;
		m.idempotency[0] = i;
		assert_int_equal(kit_run(&k, &m.req, STORE_ADD_MESSAGE), GW_OK);
		clock_advance(&k.clock, NS_PER_S);
	}
	clock_advance(&k.clock, 7 * DAY_NS - 6 * NS_PER_S); /* the first five are over it */
	kit_restart(&k);
	wait_for(&k, keys, 5);
	kit_close(&k);
}

static void removed_destinations(void **state)
{
	struct store_put_destination p;
	int64_t stays, goes;
	struct kit k;

	(void)state;
	kit_open(&k);
	stays = kit_destination(&k, "http://a", true);
	goes = kit_destination(&k, "http://b", true);
	for (int i = 0; i < 20; i++) {
		struct store_event_in ev = kit_text(&k, ANN, kit_str(&k, "%d", i).ptr);

		ev.destinations[0] = stays;
		ev.destinations[1] = goes;
		ev.destination_count = 2;
		kit_put(&k, &ev, 1);
	}
	p = (struct store_put_destination){
		.d = { .row = goes, .id = kit_id(&k), .removed = true, .state = "active" }
	};
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_DESTINATION), GW_OK);
	kit_restart(&k);
	wait_for(&k, "SELECT count(*) FROM delivery WHERE state='dead'", 20);
	CHECK_INT("the others", 20,
		  count(&k, "SELECT count(*) FROM delivery WHERE state='pending'"));
	kit_close(&k);
}

/* ---- a time of day that cannot be true */

struct false_day {
	struct clock_source source;
	_Atomic int64_t ns;
};

static int64_t false_day_ns(const struct clock_source *source)
{
	return ((const struct false_day *)(const void *)source)->ns;
}

/* An idempotency key under a clock whose time of day is `day`. */
static void keep_one(struct kit *k, struct false_day *day)
{
	struct store_add_message m;

	*day = (struct false_day){ { false_day_ns }, KIT_WALL_MS * NS_PER_MS };
	kit_open(k);
	kit_shut(k);
	clock_init_from(&k->clock, &day->source);
	kit_reopen(k);
	m = kit_message(k, ANN);
	m.has_idempotency = true;
	assert_int_equal(kit_run(k, &m.req, STORE_ADD_MESSAGE), GW_OK);
}

/* A whole sweep as if its hour had come, and after each step as if the next were due; how many keys
 * it leaves.  The hour after it (or after it was put off) tells that it is over. */
static int64_t sweep_now(struct kit *k)
{
	k->store->sweep.next_ns = 0; /* nothing runs: the last one is over */
	do {
		if (k->store->sweep.next_ns < clock_real_ns() + 60 * NS_PER_S)
			k->store->sweep.next_ns = 0;
		kit_barrier(k);
	} while (k->store->sweep.next_ns < clock_real_ns() + 60 * NS_PER_S);
	return count(k, "SELECT count(*) FROM idempotency");
}

/* Ten days pass for the wall clock, and no time at all. */
static void ten_days_in_no_time(struct kit *k, struct false_day *day)
{
	keep_one(k, day);
	CHECK_INT("at first", 1, sweep_now(k));
	day->ns += 10 * DAY_NS;
	CHECK_INT("it is not believed", 1, sweep_now(k));
}

static void a_false_day(void **state)
{
	struct false_day day;
	struct kit k;

	(void)state;
	ten_days_in_no_time(&k, &day);
	clock_advance(&k.clock, 11 * 3600 * NS_PER_S);
	CHECK_INT("eleven hours later", 1, sweep_now(&k));
	day.ns -= 10 * DAY_NS;
	clock_advance(&k.clock, 2 * 3600 * NS_PER_S);
	CHECK_INT("it was put right", 1, sweep_now(&k));
	clock_advance(&k.clock, 7 * DAY_NS);
	CHECK_INT("seven days, moved on purpose", 0, sweep_now(&k));
	kit_close(&k);
}

/* A step that stays is the truth after half a day. */
static void a_new_day(void **state)
{
	struct false_day day;
	struct kit k;

	(void)state;
	ten_days_in_no_time(&k, &day);
	clock_advance(&k.clock, 12 * 3600 * NS_PER_S);
	CHECK_INT("now", 0, sweep_now(&k));
	kit_close(&k);
}

/* ---- retention */

#define RETAIN_DAYS 30
#define EVENTS "SELECT count(*) FROM event"
#define BODIES "SELECT count(*) FROM body"

static void retain(struct kit *k)
{
	kit_open(k);
	kit_shut(k);
	k->retain_ms = RETAIN_DAYS * INT64_C(86400000);
	kit_reopen(k);
}

/* Of two people, more than a step: each keeps the last, and the next seq follows it. */
static void old_events(void **state)
{
	struct store_event_in next;
	struct kit k;

	(void)state;
	retain(&k);
	for (int i = 0; i < 400; i++) {
		struct store_event_in ev[2] = { kit_text(&k, ANN, kit_str(&k, "a%d", i).ptr),
						kit_text(&k, "2", kit_str(&k, "b%d", i).ptr) };

		kit_put(&k, ev, 2);
	}
	clock_advance(&k.clock, RETAIN_DAYS * DAY_NS - NS_PER_S);
	kit_restart(&k);
	wait_for(&k, "SELECT count(*) FROM dedupe", 0); /* the sweep runs, and leaves these */
	CHECK_INT("not yet", 800, count(&k, EVENTS));
	clock_advance(&k.clock, 2 * NS_PER_S);
	kit_restart(&k);
	wait_for(&k, EVENTS, 2);
	CHECK_INT("bodies", 1, count(&k, BODIES));
	kit_restart(&k); /* nothing in memory: seq and rows come from what is left */
	next = kit_text(&k, ANN, "next");
	kit_put(&k, &next, 1);
	CHECK_INT("seq", 401, next.seq);
	CHECK_INT("row", 801, next.row);
	kit_close(&k);
}

/* An open delivery keeps its event and what came later in the conversation; what last opened the
 * window stays, with all that follows it. */
static void what_stays(void **state)
{
	struct store_event_in ev[4], other[3], end;
	struct store_delivery_move m;
	struct store_put_body nonsense = { 0 };
	struct kit k;
	int64_t to;

	(void)state;
	retain(&k);
	to = kit_destination(&k, "http://a", true);
	nonsense = kit_body(&k, NULL, 0);
	nonsense.quarantined = true;
	assert_int_equal(kit_run(&k, &nonsense.req, STORE_PUT_BODY), GW_OK);
	for (int i = 0; i < 4; i++) {
		ev[i] = kit_text(&k, ANN, kit_str(&k, "a%d", i).ptr);
		ev[i].destinations[0] = to;
		ev[i].destination_count = i == 1 ? 1 : 0;
		kit_put(&k, &ev[i], 1);
	}
	for (int i = 0; i < 3; i++) {
		other[i] = kit_text(&k, "2", kit_str(&k, "b%d", i).ptr);
		other[i].opens_window = i == 1;
		kit_put(&k, &other[i], 1);
	}
	end = kit_text(&k, "3", "end");
	kit_put(&k, &end, 1);
	clock_advance(&k.clock, 2 * RETAIN_DAYS * DAY_NS);
	kit_restart(&k);
	wait_for(&k, EVENTS, 6); /* a1 to a3, b1 and b2, end */
	CHECK_INT("bodies, and no nonsense", 6, count(&k, BODIES));
	CHECK_INT("open", 1, count(&k, "SELECT count(*) FROM delivery WHERE state='pending'"));
	m = (struct store_delivery_move){ .event_row = ev[1].row,
					  .destination_row = to,
					  .from = "pending",
					  .to = "delivered",
					  .at_ms = kit_now(&k) };
	assert_int_equal(kit_run(&k, &m.req, STORE_DELIVERY_MOVE), GW_OK);
	assert_false(m.lost);
	clock_advance(&k.clock, (RETAIN_DAYS + 1) * DAY_NS);
	kit_restart(&k);
	wait_for(&k, EVENTS, 4);
	CHECK_INT("deliveries", 0, count(&k, "SELECT count(*) FROM delivery"));
	kit_close(&k);
}

/* A finished message goes with its trail and its statuses; one that is open or undecided stays. */
static void old_messages(void **state)
{
	struct store_add_message done, undecided, open, last;
	struct store_event_in status, stranger, end;
	struct kit k;

	(void)state;
	retain(&k);
	done = kit_accept(&k, ANN);
	kit_move(&k, done.row, "queued", "sending", "");
	undecided = kit_accept(&k, ANN);
	kit_move(&k, undecided.row, "queued", "sending", "");
	kit_move(&k, undecided.row, "sending", "unknown", "");
	open = kit_accept(&k, ANN);
	last = kit_accept(&k, ANN);
	status = kit_status(&k, ANN, "wamid.done", "read");
	kit_put(&k, &status, 1);
	stranger = kit_status(&k, ANN, "wamid.stranger", "read");
	kit_put(&k, &stranger, 1);
	end = kit_text(&k, "3", "end");
	kit_put(&k, &end, 1);
	clock_advance(&k.clock, 15 * DAY_NS);
	kit_move(&k, done.row, "sending", "accepted", "wamid.done");
	clock_advance(&k.clock, 16 * DAY_NS);
	kit_restart(&k);
	wait_for(&k, EVENTS, 2); /* the stranger's status is nobody's */
	CHECK_INT("evidence", 1, count(&k, "SELECT count(*) FROM evidence"));
	CHECK_INT("messages", 4, count(&k, "SELECT count(*) FROM message"));
	clock_advance(&k.clock, 15 * DAY_NS);
	kit_restart(&k);
	wait_for(&k, EVENTS, 1);
	CHECK_INT("evidence", 0, count(&k, "SELECT count(*) FROM evidence"));
	CHECK_INT("messages", 3, count(&k, "SELECT count(*) FROM message"));
	CHECK_INT("trail", 2, count(&k, "SELECT count(*) FROM trail"));
	assert_true(open.row < last.row);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dedupe_keys),          cmocka_unit_test(idempotency_keys),
		cmocka_unit_test(a_false_day),          cmocka_unit_test(a_new_day),
		cmocka_unit_test(removed_destinations), cmocka_unit_test(old_events),
		cmocka_unit_test(what_stays),           cmocka_unit_test(old_messages),
	};

	return cmocka_run_group_tests_name("store_sweep", tests, NULL, NULL);
}
