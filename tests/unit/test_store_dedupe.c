/* SPDX-License-Identifier: MIT */
/*
 * test_store_dedupe.c - no key is lost or claimed twice, wherever it is
 *
 * A model beside a real database: transactions that are committed, rolled back whole or in part, or
 * forgotten with the process; runs so short that keys pass through memory and table all the time.
 */
#include "store_kit.h"

#include "store/migrate.h"
#include "store/sqlite_int.h"

#define RUN 8
#define SECONDS 4 /* how late an event may come; a round is half a second */
#define MODEL_MAX 4096

struct model {
	struct known {
		int64_t second, event;
		unsigned char hash[KEY_BYTES];
	} known[MODEL_MAX];
	size_t count;
};

struct rig {
	struct kit k;
	struct writer w;
	struct model m;
	int64_t round;
};

static void open_writer(struct rig *r)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[KIT_PATH];
	sqlite3 *db = NULL;

	kit_path(&r->k, "godwit.db", path);
	memset(&r->w, 0, sizeof(r->w));
	assert_int_equal(connection_open(path, true, &db, &err), GW_OK);
	assert_int_equal(migrate_run(db, r->k.dir, migrations, migration_count, &r->k.clock,
				     &r->k.log, &err),
			 GW_OK);
	r->w.dedupe = dedupe_new(RUN);
	r->w.sql.db = db;
	assert_int_equal(sql_init(&r->w.sql, db, SQL_WRITES, &r->k.log, &err), GW_OK);
	assert_int_equal(dedupe_load(&r->w), GW_OK);
}

/* As a killed process does: what was in memory is gone. */
static void drop_writer(struct rig *r)
{
	dedupe_free(r->w.dedupe);
	sql_release(&r->w.sql);
}

static void exec(struct rig *r, const char *sql)
{
	if (sqlite3_exec(r->w.sql.db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(r->w.sql.db));
}

static int64_t ask(struct rig *r, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(r->w.sql.db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return value;
}

static bool knows(const struct model *m, int64_t second, const unsigned char *hash)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->known[i].second == second && memcmp(m->known[i].hash, hash, KEY_BYTES) == 0)
			return true;
	return false;
}

static void add_event(struct rig *r, int64_t row, int64_t second, const unsigned char *hash)
{
	sqlite3_stmt *st = NULL;

	assert_int_equal(
		sqlite3_prepare_v2(r->w.sql.db,
				   "INSERT INTO event(row,id,body,at_s,received_ms,lane,stale,"
				   "opens_window,type,kind,channel,account_id,address,business_id,"
				   "external_id,splice,json,dedupe_s,dedupe_hash) VALUES(?1,"
				   "randomblob(16),0,0,0,0,0,0,'','','','','','','',x'','',?2,?3)",
				   -1, &st, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_bind_int64(st, 1, row), SQLITE_OK);
	assert_int_equal(sqlite3_bind_int64(st, 2, second), SQLITE_OK);
	assert_int_equal(sqlite3_bind_blob(st, 3, hash, KEY_BYTES, SQLITE_STATIC), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	(void)sqlite3_finalize(st);
}

/* One key, new or of old: what is claimed must be what the model does not know. */
static void claim(struct rig *r)
{
	struct known key = { .second = r->round / 2 + (int64_t)rnd_below(&r->k.rnd, SECONDS) };
	bool is_new = false, want;

	rnd_bytes(&r->k.rnd, key.hash, sizeof(key.hash));
	if (rnd_below(&r->k.rnd, 8) == 0) /* every slot of the hash the same: chains */
		memset(key.hash, 0, 8);
	if (r->m.count > 0 && rnd_below(&r->k.rnd, 3) == 0)
		key = r->m.known[rnd_below(&r->k.rnd, r->m.count)];
	want = !knows(&r->m, key.second, key.hash);
	assert_int_equal(dedupe_add(&r->w, key.second, key.hash, r->w.next_event, &is_new), GW_OK);
	if (is_new != want)
		fail_msg("event %lld: a key is %s", (long long)r->w.next_event,
			 is_new ? "claimed twice" : "lost");
	if (!is_new)
		return;
	key.event = r->w.next_event++;
	add_event(r, key.event, key.second, key.hash);
	assert_true(r->m.count < MODEL_MAX);
	r->m.known[r->m.count++] = key;
}

static void roll_back(struct rig *r, const char *sql, int64_t event, size_t known)
{
	exec(r, sql);
	r->w.next_event = event;
	r->m.count = known;
	dedupe_forget(r->w.dedupe, event);
}

static void transaction(struct rig *r)
{
	size_t known = r->m.count, count = rnd_below(&r->k.rnd, 12);
	int64_t event = r->w.next_event;

	if (rnd_below(&r->k.rnd, 20) == 0)
		count = 6 * RUN; /* more than fits */
	exec(r, "BEGIN");
	for (size_t i = 0; i < count; i++) {
		size_t known_here = r->m.count;
		int64_t event_here = r->w.next_event;

		exec(r, "SAVEPOINT item");
		claim(r);
		if (rnd_below(&r->k.rnd, 6) == 0)
			roll_back(r, "ROLLBACK TO item", event_here, known_here);
		exec(r, "RELEASE item");
	}
	if (rnd_below(&r->k.rnd, 4) == 0) {
		roll_back(r, "ROLLBACK", event, known);
		return;
	}
	assert_int_equal(rnd_below(&r->k.rnd, 10) == 0 ? dedupe_settle_all(&r->w, 5)
						       : dedupe_settle(&r->w),
			 GW_OK);
	exec(r, "COMMIT");
}

static void settle_whole(struct rig *r)
{
	exec(r, "BEGIN");
	for (int i = 0; dedupe_settled(r->w.dedupe) < r->w.next_event - 1; i++) {
		assert_true(i < MODEL_MAX);
		assert_int_equal(dedupe_settle_all(&r->w, 3), GW_OK);
	}
	exec(r, "COMMIT");
}

static void check_table(struct rig *r)
{
	sqlite3_stmt *st = NULL;

	CHECK_INT("keys in the table", (int64_t)r->m.count, ask(r, "SELECT count(*) FROM dedupe"));
	assert_int_equal(sqlite3_prepare_v2(r->w.sql.db,
					    "SELECT event FROM dedupe WHERE second=?1 AND hash=?2",
					    -1, &st, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < r->m.count; i++) {
		const struct known *key = &r->m.known[i];

		assert_int_equal(sqlite3_bind_int64(st, 1, key->second), SQLITE_OK);
		assert_int_equal(sqlite3_bind_blob(st, 2, key->hash, KEY_BYTES, SQLITE_STATIC),
				 SQLITE_OK);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		CHECK_INT("whose", key->event, sqlite3_column_int64(st, 0));
		(void)sqlite3_reset(st);
	}
	(void)sqlite3_finalize(st);
}

static void against_a_model(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	(void)state;
	kit_prepare(&r->k);
	open_writer(r);
	r->w.next_event = 1;
	for (int round = 0; round < 600 && r->m.count < MODEL_MAX - 100; round++) {
		int64_t next;

		r->round = round;
		transaction(r);
		if (round % 20 == 19) {
			next = r->w.next_event;
			drop_writer(r);
			open_writer(r);
			r->w.next_event = next;
		}
		if (round % 150 == 149) {
			settle_whole(r);
			check_table(r);
		}
	}
	assert_true(r->m.count > 1000);
	settle_whole(r);
	check_table(r);
	drop_writer(r);
	kit_remove(&r->k);
	free(r);
}

/* More than memory holds, and then silence: the mark is behind the last of them all the same. */
static void more_than_fits(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	(void)state;
	kit_prepare(&r->k);
	open_writer(r);
	r->w.next_event = 1;
	exec(r, "BEGIN");
	while (r->w.next_event <= 6 * RUN)
		claim(r);
	assert_int_equal(dedupe_settle(&r->w), GW_OK);
	exec(r, "COMMIT");
	settle_whole(r);
	check_table(r);
	CHECK_INT("the mark", 6 * RUN, ask(r, "SELECT event FROM dedupe_mark"));
	drop_writer(r);
	kit_remove(&r->k);
	free(r);
}

/* A database of schema 1 has its keys in the table, and none in its events. */
static void schema_1(void **state)
{
	struct store_event_in ev[20];
	char path[KIT_PATH];
	sqlite3 *db = NULL;
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int i = 0; i < 20; i++) {
		ev[i] = kit_text(&k, "4915112345678", kit_str(&k, "wamid.%d", i).ptr);
		kit_put(&k, &ev[i], 1);
		assert_false(ev[i].duplicate);
	}
	kit_shut(&k);
	kit_path(&k, "godwit.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db,
			 "ALTER TABLE event DROP COLUMN dedupe_s; ALTER TABLE event DROP COLUMN "
			 "dedupe_hash; DROP TABLE dedupe_mark; DROP TABLE consent; DROP TABLE "
			 "fallback; DROP TABLE follow; DROP TABLE template; "
			 "ALTER TABLE message DROP COLUMN plan; DROP TABLE batch; "
			 "DROP TABLE batch_row; DROP TABLE batch_sent; DROP TABLE number_fact; "
			 "DELETE FROM setting WHERE name='secrets'; "
			 "PRAGMA user_version=1",
			 NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_reopen(&k);
	for (int i = 0; i < 20; i++) {
		kit_put(&k, &ev[i], 1);
		assert_true(ev[i].duplicate);
	}
	ev[0] = kit_text(&k, "4915112345678", "wamid.new");
	kit_put(&k, &ev[0], 1);
	assert_false(ev[0].duplicate);
	kit_close(&k);
}

/* What it is for: commits do not touch the table, and a full run goes there in few steps. */
static void runs_reach_the_table(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	unsigned char hash[KEY_BYTES] = { 0 };
	bool is_new;

	(void)state;
	kit_prepare(&r->k);
	open_writer(r);
	for (int64_t event = 1; event <= 3 * RUN; event++) {
		exec(r, "BEGIN");
		hash[0] = (unsigned char)(251 * event);
		assert_int_equal(dedupe_add(&r->w, 100, hash, event, &is_new), GW_OK);
		assert_true(is_new);
		add_event(r, event, 100, hash);
		assert_int_equal(dedupe_settle(&r->w), GW_OK);
		exec(r, "COMMIT");
		if (event == RUN - 1)
			CHECK_INT("all in memory", 0, ask(r, "SELECT count(*) FROM dedupe"));
		if (event == RUN + RUN / 2)
			CHECK_INT("a run", RUN, dedupe_settled(r->w.dedupe));
	}
	CHECK_INT("the mark", 2 * RUN, ask(r, "SELECT event FROM dedupe_mark"));
	CHECK_INT("and two keys with each commit", 2 * RUN + 2,
		  ask(r, "SELECT count(*) FROM dedupe"));
	drop_writer(r);
	kit_remove(&r->k);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(runs_reach_the_table),
		cmocka_unit_test(more_than_fits),
		cmocka_unit_test(schema_1),
	};

	return cmocka_run_group_tests_name("store_dedupe", tests, NULL, NULL);
}
