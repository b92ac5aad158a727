/* SPDX-License-Identifier: MIT */
/* test_store_reader.c - jobs: many, snapshots, the 200 ms, and a WAL that is too long */
#include "store_kit.h"

#include "store/sqlite_int.h"

#include <semaphore.h>

#define ANN "16505551234"

static bool count_event(void *cookie, const struct store_event_row *e)
{
	(void)e;
	++*(size_t *)cookie;
	return true;
}

static void count_events(struct store_reader *r, void *cookie)
{
	const struct store_event_filter all = { .limit = 0 };

	*(size_t *)cookie = 0;
	assert_int_equal(reader_events(r, &all, count_event, cookie), GW_OK);
}

static void put_one(struct kit *k)
{
	struct store_event_in ev = kit_text(k, ANN, kit_str(k, "%zu", k->strings.count).ptr);

	kit_put(k, &ev, 1);
}

static void start(struct kit *k, struct kit_job *j)
{
	j->job.run = kit_job_run;
	j->job.done = kit_job_done;
	store_read(k->store, &j->job);
}

/* What was acknowledged is there, every time. */
static void reads_its_writes(void **state)
{
	struct kit k;
	size_t seen;

	(void)state;
	kit_open(&k);
	for (size_t i = 1; i <= 50; i++) {
		put_one(&k);
		kit_read(&k, count_events, &seen);
		CHECK_INT("seen", i, seen);
	}
	kit_close(&k);
}

static void many_jobs(void **state)
{
	enum { JOBS = 200 };
	struct kit_job jobs[JOBS];
	size_t seen[JOBS];
	struct kit k;

	(void)state;
	kit_open(&k);
	put_one(&k);
	for (size_t i = 0; i < JOBS; i++) {
		jobs[i] = (struct kit_job){ .fn = count_events, .cookie = &seen[i] };
		start(&k, &jobs[i]);
	}
	for (size_t i = 0; i < JOBS; i++) {
		kit_wait(&k, &jobs[i].done, 1);
		CHECK_INT("seen", 1, seen[i]);
	}
	kit_close(&k);
}

/* ---- a snapshot */

struct pause {
	sem_t entered, go;
	size_t before, after;
};

static void look_twice(struct store_reader *r, void *cookie)
{
	struct pause *p = cookie;

	count_events(r, &p->before);
	(void)sem_post(&p->entered);
	while (sem_wait(&p->go) != 0)
		;
	r->deadline_ns = INT64_MAX; /* the test may have taken its time */
	count_events(r, &p->after);
}

static void one_snapshot_a_job(void **state)
{
	struct pause p = { .before = 0 };
	struct kit_job j = { .fn = look_twice, .cookie = &p };
	struct kit k;

	(void)state;
	(void)sem_init(&p.entered, 0, 0);
	(void)sem_init(&p.go, 0, 0);
	kit_open(&k);
	put_one(&k);
	start(&k, &j);
	while (sem_wait(&p.entered) != 0)
		;
	put_one(&k); /* while the job runs */
	(void)sem_post(&p.go);
	kit_wait(&k, &j.done, 1);
	CHECK_INT("before", 1, p.before);
	CHECK_INT("after", 1, p.after);
	kit_close(&k);
	(void)sem_destroy(&p.entered);
	(void)sem_destroy(&p.go);
}

/* ---- time */

struct late {
	gw_status events, event, messages, trail, lane, window, deliveries;
};

static bool nobody(void *cookie, const struct store_message_row *m)
{
	(void)cookie;
	(void)m;
	return true;
}

static bool no_trail(void *cookie, const struct store_trail_row *t)
{
	(void)cookie;
	(void)t;
	return true;
}

static bool no_item(void *cookie, const struct store_lane_item *i)
{
	(void)cookie;
	(void)i;
	return true;
}

static bool no_delivery(void *cookie, const struct store_delivery_info *d)
{
	(void)cookie;
	(void)d;
	return true;
}

static void too_late(struct store_reader *r, void *cookie)
{
	const struct store_event_filter events = { .limit = 0 };
	const struct store_message_filter messages = { .limit = 0 };
	const struct id id = { { 1 } };
	struct str key = STR("1");
	struct late *l = cookie;
	int64_t ms;
	bool out;

	r->deadline_ns = 1; /* long ago */
	l->events = reader_events(r, &events, count_event, &(size_t){ 0 });
	l->event = reader_event(r, &id, count_event, &(size_t){ 0 });
	l->messages = reader_messages(r, &messages, nobody, NULL);
	l->trail = reader_trail(r, 1, no_trail, NULL);
	l->lane = reader_lane(r, 1, 1, 0, 1, no_item, NULL);
	l->window = reader_window(r, STR("1"), &key, 1, &ms, &out);
	l->deliveries = reader_deliveries(r, &id, no_delivery, NULL);
}

static void interrupted(void **state)
{
	struct late l = { .events = GW_OK };
	struct kit k;

	(void)state;
	kit_open(&k);
	put_one(&k);
	kit_read(&k, too_late, &l);
	CHECK_INT("events", GW_ETIMEOUT, l.events);
	CHECK_INT("event", GW_ETIMEOUT, l.event);
	CHECK_INT("messages", GW_ETIMEOUT, l.messages);
	CHECK_INT("trail", GW_ETIMEOUT, l.trail);
	CHECK_INT("lane", GW_ETIMEOUT, l.lane);
	CHECK_INT("window", GW_ETIMEOUT, l.window);
	CHECK_INT("deliveries", GW_ETIMEOUT, l.deliveries);
	kit_close(&k); /* and the reader goes on */
}

/* In the middle of one statement. */
static void run_long(struct store_reader *r, void *cookie)
{
	sqlite3_stmt *st = NULL;
	gw_status *status = cookie;
	bool row = true;

	assert_int_equal(sqlite3_prepare_v2(r->sql.db,
					    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
					    "FROM n) SELECT count(*) FROM n",
					    -1, &st, NULL),
			 SQLITE_OK);
	*status = sql_step(&r->sql, st, &row);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
}

static void interrupted_inside(void **state)
{
	gw_status status = GW_OK;
	int64_t began;
	struct kit k;
	size_t seen;

	(void)state;
	kit_open(&k);
	began = clock_real_ns();
	kit_read(&k, run_long, &status);
	CHECK_INT("status", GW_ETIMEOUT, status);
	assert_true(clock_real_ns() - began >= READ_NS);
	kit_read(&k, count_events, &seen);
	CHECK_INT("the next one", 0, seen);
	kit_close(&k);
}

/* ---- the WAL */

static void a_long_wal_holds_jobs_back(void **state)
{
	struct pause p = { .before = 0 };
	struct kit_job blocker = { .fn = look_twice, .cookie = &p }, held = { .done = 0 };
	struct store_load load;
	size_t seen = 0;
	struct kit k;

	(void)state;
	(void)sem_init(&p.entered, 0, 0);
	(void)sem_init(&p.go, 0, 0);
	kit_open(&k);
	put_one(&k);
	start(&k, &blocker); /* its snapshot keeps the WAL from being emptied */
	while (sem_wait(&p.entered) != 0)
		;
	k.store->wal_limit = 1;
	put_one(&k);
	store_load_now(k.store, &load);
	assert_true(load.wal_bytes > 1);
	held = (struct kit_job){ .fn = count_events, .cookie = &seen };
	start(&k, &held);
	for (int i = 0; i < 20; i++)
		kit_barrier(&k);
	CHECK_INT("held back", 0, held.done);
	(void)sem_post(&p.go);
	kit_wait(&k, &held.done, 1); /* the checkpoint came through and sent mail */
	CHECK_INT("saw", 2, seen);
	kit_wait(&k, &blocker.done, 1);
	k.store->wal_limit = WAL_LIMIT_BYTES;
	kit_close(&k);
	(void)sem_destroy(&p.entered);
	(void)sem_destroy(&p.go);
}

/* Jobs that wait for a checkpoint run at the end too. */
static void close_with_jobs_held(void **state)
{
	struct kit_job jobs[5];
	size_t seen[5];
	struct kit k;

	(void)state;
	kit_open(&k);
	put_one(&k);
	k.store->wal_limit = -1; /* never short enough */
	for (size_t i = 0; i < 5; i++) {
		jobs[i] = (struct kit_job){ .fn = count_events, .cookie = &seen[i] };
		start(&k, &jobs[i]);
	}
	kit_shut(&k);
	for (size_t i = 0; i < 5; i++) {
		CHECK_INT("done", 1, jobs[i].done);
		CHECK_INT("seen", 1, seen[i]);
	}
	kit_remove(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_its_writes),
		cmocka_unit_test(many_jobs),
		cmocka_unit_test(one_snapshot_a_job),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(interrupted_inside),
		cmocka_unit_test(a_long_wal_holds_jobs_back),
		cmocka_unit_test(close_with_jobs_held),
	};

	return cmocka_run_group_tests_name("store_reader", tests, NULL, NULL);
}
