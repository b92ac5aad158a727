/* SPDX-License-Identifier: MIT */
/* test_store_open.c - a folder becomes a store: lock, strangers, settings, what lasts */
#include "store_kit.h"

#include "store/migrate.h"
#include "store/sqlite_int.h"

#include <sys/stat.h>

/* Run SQL on the closed database. */
static void alter(struct kit *k, const char *sql)
{
	char path[KIT_PATH];
	sqlite3 *db = NULL;

	kit_path(k, "godwit.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t ask(struct kit *k, const char *sql)
{
	char path[KIT_PATH];
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t got;

	kit_path(k, "godwit.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	got = sqlite3_column_int64(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return got;
}

static void fresh_and_again(void **state)
{
	unsigned char key[32], other[32];
	struct kit k;

	(void)state;
	kit_open(&k);
	memcpy(key, store_token_key(k.store), sizeof(key));
	kit_restart(&k);
	assert_memory_equal(key, store_token_key(k.store), sizeof(key));
	kit_close(&k);
	kit_open(&k);
	memcpy(other, store_token_key(k.store), sizeof(other));
	assert_memory_not_equal(key, other, sizeof(key));
	kit_close(&k);
}

static void makes_its_folder(void **state)
{
	struct kit k;
	char top[KIT_PATH];

	(void)state;
	kit_prepare(&k);
	memcpy(top, k.dir, sizeof(top));
	(void)snprintf(k.dir, sizeof(k.dir), "%.200s/a/b", top);
	kit_reopen(&k);
	kit_shut(&k);
	memcpy(k.dir, top, sizeof(top));
	kit_remove(&k);
}

static void second_one_is_refused(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct kit k, second;

	(void)state;
	kit_open(&k);
	second = k;
	CHECK_INT("busy", GW_EBUSY, kit_try_open(&second, &err));
	assert_true(strlen(err.message) > 0);
	kit_close(&k);
}

static void a_newer_schema_is_refused(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct kit k;
	char sql[64];

	(void)state;
	kit_open(&k);
	kit_shut(&k);
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%zu", migration_count + 1);
	alter(&k, sql);
	CHECK_INT("newer", GW_ESTATE, kit_try_open(&k, &err));
	assert_non_null(strstr(err.message, "newer"));
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%zu", migration_count);
	alter(&k, sql);
	kit_reopen(&k); /* nothing was touched, and the lock was let go */
	kit_close(&k);
}

static void a_strangers_database_is_refused(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct kit k;

	(void)state;
	kit_prepare(&k);
	alter(&k, "CREATE TABLE theirs(x)");
	CHECK_INT("tables", GW_EPARSE, kit_try_open(&k, &err));
	assert_non_null(strstr(err.message, "another program"));
	alter(&k, "PRAGMA application_id=7");
	gw_error_clear(&err);
	CHECK_INT("application", GW_EPARSE, kit_try_open(&k, &err));
	CHECK_INT("untouched", 1, ask(&k, "SELECT count(*) FROM sqlite_schema"));
	kit_remove(&k);
}

static void no_database_at_all(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[KIT_PATH];
	struct kit k;

	(void)state;
	kit_prepare(&k);
	kit_path(&k, "godwit.db", path);
	assert_int_equal(sys_write_file(path,
					STR("This is a letter to my aunt, and it is long enough "
					    "to be looked at."),
					0600, NULL),
			 GW_OK);
	CHECK_INT("refused", GW_EPARSE, kit_try_open(&k, &err));
	kit_remove(&k);
}

static void settings_hold(void **state)
{
	struct kit k;
	char path[KIT_PATH];
	sqlite3 *db = NULL;
	struct gw_error err = GW_ERROR_INIT;
	sqlite3_stmt *st = NULL;

	(void)state;
	kit_open(&k);
	kit_path(&k, "godwit.db", path);
	/* A reader can do nothing but read. */
	assert_int_equal(connection_open(path, false, &db, &err), GW_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM setting", NULL, NULL, NULL),
			 SQLITE_READONLY);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "wal");
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_shut(&k);
	/* The end leaves one file. */
	kit_path(&k, "godwit.db-wal", path);
	assert_int_not_equal(access(path, F_OK), 0);
	kit_reopen(&k);
	kit_close(&k);
}

/* Nobody else reads messages and secrets, whatever the umask. */
static void files_are_private(void **state)
{
	static const char *const names[] = { "godwit.db", "godwit.db-wal", "copy.db" };
	struct store_backup b = { .path = NULL };
	mode_t before = umask(0);
	char path[KIT_PATH];
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_path(&k, "copy.db", path);
	b.path = path;
	assert_int_equal(kit_run(&k, &b.req, STORE_BACKUP), GW_OK);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st;

		kit_path(&k, names[i], path);
		assert_int_equal(stat(path, &st), 0);
		CHECK_INT(names[i], 0600, st.st_mode & 0777);
	}
	kit_close(&k);
	(void)umask(before);
}

/* Every secret is a versioned blob: 0x01, then nonce, as many bytes as it has, and tag. */
static void secrets_are_versioned(void **state)
{
	struct kit k;
	struct store_put_account a = {
		.a = { .name = STR("main"), .app_secret = STR("s3cret"), .token = STR("t0ken") }
	};

	(void)state;
	kit_open(&k);
	assert_int_equal(kit_run(&k, &a.req, STORE_PUT_ACCOUNT), GW_OK);
	kit_shut(&k);
	CHECK_INT("form", 1,
		  ask(&k, "SELECT count(*) FROM account WHERE length(app_secret)=1+28+6 AND "
			  "substr(app_secret,1,1)=x'01' AND instr(app_secret,'s3cret')=0 AND "
			  "verify_token IS NULL"));
	kit_reopen(&k);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_and_again),
		cmocka_unit_test(makes_its_folder),
		cmocka_unit_test(second_one_is_refused),
		cmocka_unit_test(a_newer_schema_is_refused),
		cmocka_unit_test(a_strangers_database_is_refused),
		cmocka_unit_test(no_database_at_all),
		cmocka_unit_test(settings_hold),
		cmocka_unit_test(files_are_private),
		cmocka_unit_test(secrets_are_versioned),
	};

	return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
