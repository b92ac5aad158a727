/* SPDX-License-Identifier: MIT */
/*
 * migrate.c - numbered, expanding changes of the schema
 *
 * INVARIANTS  1. All missing migrations are one transaction: a crash in the middle leaves the old
 *                schema.
 *             2. Data that exists is copied to backup/ before the first change, and the copy is
 *                complete and synced before the transaction begins.
 *             3. application_id tells our files from others, so that a wrong --data never
 *                changes a stranger's database.
 * THREADS     the opener's, before any other has the database
 * TESTS       tests/unit/test_store_migrate.c
 */
#include "store/migrate.h"

#include "store/sqlite_int.h"
#include "store/words.h"

#include "base/sys_file.h"

#include <limits.h>

#define APPLICATION_ID 0x47647774 /* "Gdwt" */
#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define SQL_MAX (256U * 1024) /* one migration, expanded */

static gw_status run_sql(sqlite3 *db, const char *text, struct gw_error *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		return gw_error_set(err, GW_EIO, "cannot change the schema: %s",
				    sqlite3_errmsg(db));
	return GW_OK;
}

static gw_status read_number(sqlite3 *db, const char *sql, int64_t *out, struct gw_error *err)
{
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (sqlite3_errcode(db) == SQLITE_NOTADB)
		status = gw_error_set(err, GW_EPARSE, "godwit.db is not a database");
	else
		status = gw_error_set(err, GW_EIO, "cannot read godwit.db: %s", sqlite3_errmsg(db));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return status;
}

static gw_status copy_first(sqlite3 *db, const char *dir, int64_t version,
			    const struct clock *clock, const struct log *log, struct gw_error *err)
{
	char folder[PATH_MAX], path[PATH_MAX];
	gw_status status;

	if (snprintf(folder, sizeof(folder), "%s/backup", dir) >= (int)sizeof(folder) ||
	    snprintf(path, sizeof(path), "%s/schema-%lld-%lld.db", folder, (long long)version,
		     (long long)clock_wall_s(clock)) >= (int)sizeof(path))
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", dir);
	status = sys_make_dir(folder, err);
	if (status == GW_OK)
		status = backup_whole(db, path, err);
	if (status == GW_OK)
		log_info(log, "store: copied to %s before the schema changes", path);
	return status;
}

static gw_status apply(sqlite3 *db, const struct migration *m, struct gw_error *err)
{
	char version[64];
	struct buf sql;
	gw_status status;

	buf_init(&sql, SQL_MAX);
	words_expand(str_from(m->sql), &sql);
	if (buf_failed(&sql)) {
		status = gw_error_set(err, GW_ELIMIT, "migration %d is over %u bytes", m->version,
				      SQL_MAX);
		goto out;
	}
	(void)snprintf(version, sizeof(version), "PRAGMA user_version=%d", m->version);
	status = run_sql(db, buf_str(&sql).ptr, err);
	if (status == GW_OK)
		status = run_sql(db, version, err);
out:
	buf_release(&sql);
	if (status != GW_OK)
		gw_error_context(err, "migration %d (%s)", m->version, m->name);
	return status;
}

/* Is the file ours, or empty? */
static gw_status check_owner(sqlite3 *db, int64_t version, struct gw_error *err)
{
	int64_t application = 0, tables = 0;
	gw_status status;

	status = read_number(db, "PRAGMA application_id", &application, err);
	if (status == GW_OK)
		status = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (status != GW_OK)
		return status;
	if (application == APPLICATION_ID || (application == 0 && tables == 0 && version == 0))
		return GW_OK;
	return gw_error_set(err, GW_EPARSE,
			    "godwit.db belongs to another program (application id %lld)",
			    (long long)application);
}

gw_status migrate_owner(sqlite3 *db, size_t newest, int64_t *out_version, struct gw_error *err)
{
	int64_t version = 0;
	gw_status status = read_number(db, "PRAGMA user_version", &version, err);

	if (status == GW_OK)
		status = check_owner(db, version, err);
	if (status == GW_OK && version > (int64_t)newest)
		status = gw_error_set(err, GW_ESTATE,
				      "the data was written by a newer Godwit (schema %lld, this "
				      "one knows %zu): use the newer program",
				      (long long)version, newest);
	*out_version = version;
	return status;
}

gw_status migrate_run(sqlite3 *db, const char *dir, const struct migration *list, size_t count,
		      const struct clock *clock, const struct log *log, struct gw_error *err)
{
	int64_t version = 0;
	gw_status status;

	status = migrate_owner(db, count, &version, err);
	if (status != GW_OK)
		return status;
	if (version == (int64_t)count)
		return GW_OK;
	if (version > 0)
		status = copy_first(db, dir, version, clock, log, err);
	if (status == GW_OK)
		status = run_sql(db, "BEGIN IMMEDIATE", err);
	if (status != GW_OK)
		return status;
	for (size_t i = (size_t)version; i < count && status == GW_OK; i++) {
		ASSERT(list[i].version == (int)i + 1);
		status = apply(db, &list[i], err);
	}
	if (status == GW_OK)
		status = run_sql(db, "PRAGMA application_id=" TEXT_OF(APPLICATION_ID), err);
	if (status == GW_OK)
		status = run_sql(db, "COMMIT", err);
	if (status != GW_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the error above counts */
	else
		log_info(log, "store: schema %lld brought to %zu", (long long)version, count);
	return status;
}
