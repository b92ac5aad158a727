/* SPDX-License-Identifier: MIT */
/* test_store_vfs.c - what the file layer gathers is there whenever SQLite or anybody else looks */
#include "store_kit.h"

#include "store/sqlite_int.h"

#include <sys/stat.h>

#define ROWS 400

static sqlite3 *open_db(const char *path, const char *vfs)
{
	sqlite3 *db = NULL;

	assert_int_equal(
		sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
		SQLITE_OK);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	return value;
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/*
 * A cache of ten pages makes a transaction spill, read what it spilled, and write it again; every
 * other one is rolled back.  A stranger with SQLite's own layer sees each commit at once and whole.
 */
static void spilled_rolled_back_and_seen(void **state)
{
	char path[KIT_PATH], sql[128];
	struct kit k;
	sqlite3 *db, *other;
	int64_t want = 0;

	(void)state;
	kit_prepare(&k);
	kit_path(&k, "plain.db", path);
	db = open_db(path, store_vfs());
	run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
		"PRAGMA cache_size=10; CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)");
	other = open_db(path, NULL);
	for (int round = 0; round < 12; round++) {
		run(db, "BEGIN");
		(void)snprintf(sql, sizeof(sql),
			       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
			       "i<%d) INSERT INTO t(b) SELECT randomblob(900) FROM n",
			       ROWS);
		run(db, sql);
		run(db, "UPDATE t SET b=zeroblob(700) WHERE a%3=0");
		assert_int_equal(number(db, "SELECT count(*) FROM t"), want + ROWS);
		assert_int_equal(number(other, "SELECT count(*) FROM t"), want);
		run(db, round % 2 == 0 ? "COMMIT" : "ROLLBACK");
		want += round % 2 == 0 ? ROWS : 0;
		assert_int_equal(number(db, "SELECT count(*) FROM t"), want);
		assert_int_equal(number(other, "SELECT count(*) FROM t"), want);
		if (round % 4 == 3)
			run(db, "PRAGMA wal_checkpoint(PASSIVE)"); /* the WAL starts over */
	}
	assert_int_equal(number(other, "SELECT count(*) FROM pragma_integrity_check WHERE "
				       "integrity_check<>'ok'"),
			 0);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_reopen(&k);
	kit_close(&k);
}

/* One commit of many pages reaches the file when it is synced, not page by page before. */
static void a_commit_is_one_run(void **state)
{
	char path[KIT_PATH], wal[KIT_PATH];
	struct kit k;
	sqlite3 *db;
	int64_t before;

	(void)state;
	kit_prepare(&k);
	kit_path(&k, "plain.db", path);
	kit_path(&k, "plain.db-wal", wal);
	db = open_db(path, store_vfs());
	run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0;"
		"CREATE TABLE t (b BLOB)");
	before = size_of(wal);
	run(db, "INSERT INTO t VALUES (zeroblob(60000))"); /* never synced: still gathered */
	assert_int_equal(size_of(wal), before);
	run(db, "PRAGMA synchronous=FULL; INSERT INTO t VALUES (zeroblob(60000))");
	assert_true(size_of(wal) > before + 120000);
	run(db, "INSERT INTO t VALUES (zeroblob(3000000))"); /* more than is gathered */
	assert_true(size_of(wal) > 3000000);
	assert_int_equal(number(db, "SELECT sum(length(b)) FROM t"), 3120000);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_reopen(&k);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spilled_rolled_back_and_seen),
		cmocka_unit_test(a_commit_is_one_run),
	};

	return cmocka_run_group_tests_name("store_vfs", tests, NULL, NULL);
}
