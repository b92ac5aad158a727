/* SPDX-License-Identifier: MIT */
/* test_store_migrate.c - schemas grow: all or nothing, after a copy; and the words in them */
#include "store_kit.h"

#include "store/migrate.h"
#include "store/sqlite_int.h"
#include "store/words.h"

#include <dirent.h>

static const struct migration steps[] = {
	{ 1, "one",
	  "CREATE TABLE a(state TEXT CHECK (@OUTQ_KNOWN@)); INSERT INTO a VALUES('queued');" },
	{ 2, "two", "ALTER TABLE a ADD COLUMN more INTEGER;" },
	{ 3, "three", "CREATE TABLE c(x); INSERT INTO c VALUES(3);" },
};
static const struct migration broken[] = {
	{ 1, "one", "CREATE TABLE a(state TEXT);" },
	{ 2, "two", "ALTER TABLE a ADD COLUMN more INTEGER;" },
	{ 3, "three", "CREATE TABLE a(state TEXT);" },
};

static sqlite3 *open_db(struct kit *k)
{
	char path[KIT_PATH];
	sqlite3 *db = NULL;

	kit_path(k, "godwit.db", path);
	assert_int_equal(connection_open(path, true, &db, NULL), GW_OK);
	return db;
}

static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t got;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	got = sqlite3_column_int64(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	return got;
}

/* How many copies there are; the last one's path. */
static size_t copies(struct kit *k, char out[KIT_PATH])
{
	char folder[KIT_PATH];
	struct dirent *e;
	size_t count = 0;
	DIR *d;

	kit_path(k, "backup", folder);
	d = opendir(folder);
	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		count++;
		(void)snprintf(out, KIT_PATH, "%.180s/%.60s", folder, e->d_name);
	}
	(void)closedir(d);
	return count;
}

static gw_status run(struct kit *k, sqlite3 *db, const struct migration *list, size_t count,
		     struct gw_error *err)
{
	return migrate_run(db, k->dir, list, count, &k->clock, &k->log, err);
}

static void grows_step_by_step(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char copy[KIT_PATH] = "";
	struct kit k;
	sqlite3 *db, *old = NULL;

	(void)state;
	kit_prepare(&k);
	db = open_db(&k);
	CHECK_INT("fresh", GW_OK, run(&k, db, steps, 1, &err));
	CHECK_INT("version", 1, ask(db, "PRAGMA user_version"));
	CHECK_INT("nothing to copy", 0, copies(&k, copy));
	CHECK_INT("again", GW_OK, run(&k, db, steps, 1, &err));
	CHECK_INT("still nothing", 0, copies(&k, copy));
	CHECK_INT("two more", GW_OK, run(&k, db, steps, 3, &err));
	CHECK_INT("version", 3, ask(db, "PRAGMA user_version"));
	CHECK_INT("data", 3, ask(db, "SELECT x FROM c"));
	CHECK_INT("copied first", 1, copies(&k, copy));
	assert_int_equal(sqlite3_open(copy, &old), SQLITE_OK);
	CHECK_INT("the old schema", 1, ask(old, "PRAGMA user_version"));
	CHECK_INT("the old data", 1, ask(old, "SELECT count(*) FROM a"));
	assert_int_equal(sqlite3_close(old), SQLITE_OK);
	CHECK_INT("newer", GW_ESTATE, run(&k, db, steps, 2, &err));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_remove(&k);
}

static void all_or_nothing(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char copy[KIT_PATH];
	struct kit k;
	sqlite3 *db;

	(void)state;
	kit_prepare(&k);
	db = open_db(&k);
	CHECK_INT("one", GW_OK, run(&k, db, broken, 1, &err));
	CHECK_INT("the third fails", GW_EIO, run(&k, db, broken, 3, &err));
	assert_non_null(strstr(err.message, "migration 3 (three)"));
	CHECK_INT("version", 1, ask(db, "PRAGMA user_version"));
	CHECK_INT("columns", 1, ask(db, "SELECT count(*) FROM pragma_table_info('a')"));
	CHECK_INT("copied", 1, copies(&k, copy));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_remove(&k);
}

/* Without the copy nothing is changed. */
static void no_copy_no_change(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[KIT_PATH];
	struct kit k;
	sqlite3 *db;

	(void)state;
	kit_prepare(&k);
	db = open_db(&k);
	CHECK_INT("one", GW_OK, run(&k, db, steps, 1, &err));
	kit_path(&k, "backup", path);
	assert_int_equal(sys_write_file(path, STR("a file"), 0600, NULL), GW_OK);
	assert_int_not_equal(run(&k, db, steps, 2, &err), GW_OK);
	CHECK_INT("version", 1, ask(db, "PRAGMA user_version"));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_remove(&k);
}

static void numbers_have_no_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < migration_count; i++)
		CHECK_INT(migrations[i].name, i + 1, migrations[i].version);
}

static void words(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "nothing", "nothing" },
		{ "@OUTQ_OPEN@", "state!='accepted' AND state!='rejected' AND state!='expired'" },
		{ "x @DELIVERY_OPEN:d.state@ y", "x d.state!='delivered' AND d.state!='dead' y" },
		{ "@DELIVERY_KNOWN@",
		  "(state='pending' OR state='delivering' OR state='waiting' OR "
		  "state='delivered' OR state='dead')" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&b);
		words_expand(str_from(cases[i].in), &b);
		CHECK_STR(cases[i].in, cases[i].want, buf_str(&b));
	}
	buf_release(&b);
}

static void unknown_name(void *arg)
{
	struct buf b;

	(void)arg;
	buf_init(&b, 1000);
	words_expand(STR("@NOBODY@"), &b);
}

static void words_known(void **state)
{
	bool terminal = false;

	(void)state;
	assert_true(dies(unknown_name, NULL));
	assert_true(words_outq_known(STR("queued"), &terminal));
	assert_false(terminal);
	assert_true(words_outq_known(STR("expired"), &terminal));
	assert_true(terminal);
	assert_false(words_outq_known(STR("delivered"), &terminal));
	assert_true(words_delivery_known(STR("delivered"), &terminal));
	assert_true(terminal);
	assert_true(words_delivery_known(STR("waiting"), &terminal));
	assert_false(terminal);
	assert_false(words_delivery_known(STR(""), &terminal));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_step_by_step),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(no_copy_no_change),
		cmocka_unit_test(numbers_have_no_gaps),
		cmocka_unit_test(words),
		cmocka_unit_test(words_known),
	};

	return cmocka_run_group_tests_name("store_migrate", tests, NULL, NULL);
}
