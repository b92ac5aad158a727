/* SPDX-License-Identifier: MIT */
/*
 * sqlite_file.c - check a database that no gateway has, and put a backup in its place
 *
 * ROLE        `godwit db check` and `godwit db restore`.
 * INVARIANTS  1. The old database is untouched until a whole, checked copy lies beside it.
 *             2. From the moment the copy is called RESTORED_NAME it is what the folder holds:
 *                restore_finish() exchanges the files, here or at the next open.
 *             3. Nothing that may have been sent after the backup is sent by it: such messages are
 *                unknown, with the policy hold, unless the caller wants otherwise.
 * THREADS     any
 * TESTS       tests/system/test_db.py
 */
#include "store/sqlite_int.h"

#include "store/migrate.h"
#include "store/store_file.h"
#include "store/words.h"

#include "base/sys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESTORED_NAME "godwit.restored.db"
#define COPY_NAME "godwit.restoring.db"

static gw_status path_of(const char *dir, const char *name, char out[PATH_MAX],
			 struct gw_error *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", dir);
	return GW_OK;
}

static gw_status number_of(sqlite3 *db, const char *sql, int64_t *out, struct gw_error *err)
{
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	struct buf text;
	int rc;

	buf_init(&text, 1024);
	words_expand(str_from(sql), &text);
	rc = sqlite3_prepare_v2(db, text.data, -1, &st, NULL);
	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		status = gw_error_set(err, GW_EIO, "cannot read the database: %s",
				      sqlite3_errmsg(db));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	buf_release(&text);
	return status;
}

/* ---- check ---- */

static gw_status count_rows(sqlite3 *db, struct store_file *out, struct gw_error *err)
{
	gw_status status = number_of(db, "SELECT count(*) FROM event", &out->events, err);

	if (status == GW_OK)
		status = number_of(db, "SELECT count(*) FROM message", &out->messages, err);
	if (status == GW_OK)
		status = number_of(db, "SELECT count(*) FROM message WHERE @OUTQ_OPEN@", &out->open,
				   err);
	return status;
}

struct count_findings {
	store_finding_fn finding;
	void *cookie;
	int64_t count;
};

static void count_finding(void *cookie, const char *text)
{
	struct count_findings *c = cookie;

	c->count++;
	c->finding(c->cookie, text);
}

static gw_status check_open(sqlite3 *db, store_finding_fn finding, void *cookie,
			    struct store_file *out, struct gw_error *err)
{
	struct count_findings c = { finding, cookie, 0 };
	struct clock clock;
	struct log log;
	struct store s = { .o = { .clock = &clock, .log = &log } };
	struct store_reader r = { .store = &s, .sql = { .db = db, .log = &log } };
	bool newest;
	gw_status status;

	clock_init(&clock);
	log_init(&log, STDERR_FILENO, LOG_ERROR, "store", NULL);
	*out = (struct store_file){ .newest = (int64_t)migration_count };
	status = migrate_owner(db, migration_count, &out->schema, err);
	if (status != GW_OK)
		return status;
	newest = out->schema == out->newest;
	status = newest ? reader_check(&r, count_finding, &c)
			: reader_check_pages(&r, count_finding, &c);
	out->findings = c.count;
	/* Damage can make the questions themselves fail: that is a finding, not our trouble. */
	if (status != GW_OK && sqlite3_errcode(db) != SQLITE_OK) {
		count_finding(&c, sqlite3_errmsg(db));
		out->findings = c.count;
		return GW_OK;
	}
	return out->findings > 0 ? GW_OK : count_rows(db, out, err);
}

static gw_status open_to_read(const char *path, sqlite3 **out, struct gw_error *err)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return gw_error_sys(err, errno == ENOENT ? GW_ENOTFOUND : GW_EIO, "cannot open %s",
				    path);
	if (!S_ISREG(info.st_mode) || info.st_size == 0)
		return gw_error_set(err, GW_EPARSE, "%s is not a database", path);
	return connection_open(path, false, out, err);
}

gw_status store_file_check(const char *path, store_finding_fn finding, void *cookie,
			   struct store_file *out, struct gw_error *err)
{
	sqlite3 *db = NULL;
	gw_status status = open_to_read(path, &db, err);

	if (status == GW_OK)
		status = check_open(db, finding, cookie, out, err);
	(void)sqlite3_close(db); /* read-only */
	if (status != GW_OK)
		gw_error_context(err, "%s", path);
	return status;
}

/* The lock of a folder that is there: a mistyped --data must not make one. */
static gw_status lock_folder(const char *dir, int *out_fd, struct gw_error *err)
{
	char path[PATH_MAX];
	gw_status status = path_of(dir, "godwit.lock", path, err);

	if (status == GW_OK && access(dir, F_OK) < 0)
		return gw_error_sys(err, GW_ENOTFOUND, "cannot open %s", dir);
	return status == GW_OK ? sys_lock_file(path, out_fd, err) : status;
}

gw_status store_folder_check(const char *dir, store_finding_fn finding, void *cookie,
			     struct store_file *out, struct gw_error *err)
{
	char path[PATH_MAX];
	int fd = -1;
	gw_status status = path_of(dir, "godwit.db", path, err);

	if (status == GW_OK)
		status = lock_folder(dir, &fd, err);
	if (status == GW_OK)
		status = restore_finish(dir, err);
	if (status == GW_OK)
		status = store_file_check(path, finding, cookie, out, err);
	if (fd >= 0)
		(void)close(fd); /* a lock */
	return status;
}

/* ---- restore ---- */

/* Sent since the backup, or not: nobody here knows.  tries: the one that may have been is
 * counted, so that a resend has a token of its own. */
#define HOLD_WHERE " WHERE state='queued' OR state='waiting' OR state='sending'"
#define NOW_MS "CAST((julianday('now')-2440587.5)*86400000 AS INTEGER)"
static const char hold_sql[] =
	"BEGIN IMMEDIATE;"
	"INSERT INTO trail(message,at_ms,from_state,to_state,reason,why,tries,http_status,code,"
	"subcode,connect_ms,api_ms,paced_ms,waited_ms) SELECT row," NOW_MS ",state,'unknown',NULL,"
	"'restored from a backup; it may have been sent since',tries+(state!='sending'),0,0,0,"
	"-1,-1,-1,-1 "
	"FROM message" HOLD_WHERE ";"
	"UPDATE message SET tries=tries+(state!='sending'),state='unknown',reason=NULL,next_ms=0,"
	"moved_ms=" NOW_MS HOLD_WHERE ";"
	"UPDATE message SET policy='hold' WHERE state='unknown';"
	"COMMIT";

static gw_status hold_queue(const char *path, int64_t *out_held, struct gw_error *err)
{
	sqlite3 *db = NULL;
	gw_status status = connection_open(path, true, &db, err);

	if (status != GW_OK)
		return status;
	status = number_of(db, "SELECT count(*) FROM message" HOLD_WHERE, out_held, err);
	if (status == GW_OK && sqlite3_exec(db, hold_sql, NULL, NULL, NULL) != SQLITE_OK)
		status = gw_error_set(err, GW_EIO, "cannot hold the queue: %s", sqlite3_errmsg(db));
	/* One file: it is renamed without its -wal. */
	if (status == GW_OK &&
	    sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
		status = gw_error_set(err, GW_EIO, "cannot finish the copy: %s",
				      sqlite3_errmsg(db));
	if (sqlite3_close(db) != SQLITE_OK && status == GW_OK)
		status = gw_error_set(err, GW_EIO, "cannot close %s", path);
	return status;
}

static gw_status copy_backup(const char *from, const char *to, struct gw_error *err)
{
	sqlite3 *db = NULL;
	gw_status status = open_to_read(from, &db, err);

	if (status == GW_OK)
		status = backup_whole(db, to, err);
	(void)sqlite3_close(db); /* read-only */
	return status;
}

/* "godwit.before-20261126T013000Z.db": from the finished copy, so that a second try finds it. */
static gw_status aside_name(const char *dir, const struct stat *restored, char out[PATH_MAX],
			    struct gw_error *err)
{
	char stamp[32], name[96];
	struct tm tm;

	(void)gmtime_r(&restored->st_mtime, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(name, sizeof(name), "godwit.before-%s-%llu.db", stamp,
		       (unsigned long long)restored->st_ino);
	return path_of(dir, name, out, err);
}

static gw_status move_aside(const char *from, const char *to, struct gw_error *err)
{
	if (rename(from, to) < 0 && errno != ENOENT)
		return gw_error_sys(err, GW_EIO, "cannot rename %s", from);
	return GW_OK;
}

/* The database, then its -wal, so that the two stay together; -shm is made anew. */
static gw_status exchange(const char *dir, const char *restored, const char *aside,
			  struct gw_error *err)
{
	char db[PATH_MAX], wal[PATH_MAX + 8], aside_wal[PATH_MAX + 8];
	gw_status status = path_of(dir, "godwit.db", db, err);

	if (status != GW_OK)
		return status;
	(void)snprintf(wal, sizeof(wal), "%s-shm", db);
	(void)unlink(wal); /* or not there */
	(void)snprintf(wal, sizeof(wal), "%s-wal", db);
	(void)snprintf(aside_wal, sizeof(aside_wal), "%s-wal", aside);
	status = move_aside(db, aside, err);
	if (status == GW_OK)
		status = move_aside(wal, aside_wal, err);
	if (status == GW_OK && rename(restored, db) < 0)
		status = gw_error_sys(err, GW_EIO, "cannot rename %s", restored);
	return status == GW_OK ? backup_sync_folder(db, err) : status;
}

/* What gateway/departures.c noted is of the database that goes: of this one it proves nothing. */
static gw_status forget_departures(const char *dir, struct gw_error *err)
{
	char path[PATH_MAX];
	gw_status status = path_of(dir, "departures", path, err);

	if (status == GW_OK && unlink(path) != 0 && errno != ENOENT)
		status = gw_error_sys(err, GW_EIO, "cannot remove %s", path);
	return status;
}

gw_status restore_finish(const char *dir, struct gw_error *err)
{
	char restored[PATH_MAX], aside[PATH_MAX];
	struct stat info;
	gw_status status = path_of(dir, RESTORED_NAME, restored, err);

	if (status != GW_OK)
		return status;
	if (stat(restored, &info) < 0)
		return errno == ENOENT ? GW_OK
				       : gw_error_sys(err, GW_EIO, "cannot look at %s", restored);
	status = forget_departures(dir, err);
	if (status == GW_OK)
		status = aside_name(dir, &info, aside, err);
	return status == GW_OK ? exchange(dir, restored, aside, err) : status;
}

/* Under the lock: make the copy, then decide. */
static gw_status restore_locked(struct store_restore *r, struct gw_error *err)
{
	char copy[PATH_MAX], restored[PATH_MAX], aside[PATH_MAX], db[PATH_MAX];
	struct stat info;
	bool had;
	gw_status status = restore_finish(r->dir, err);

	if (status == GW_OK)
		status = path_of(r->dir, COPY_NAME, copy, err);
	if (status == GW_OK)
		status = path_of(r->dir, RESTORED_NAME, restored, err);
	if (status == GW_OK)
		status = path_of(r->dir, "godwit.db", db, err);
	if (status == GW_OK)
		status = copy_backup(r->path, copy, err);
	if (status == GW_OK && !r->resume_queue)
		status = hold_queue(copy, &r->held, err);
	if (status != GW_OK)
		return status;
	had = access(db, F_OK) == 0;
	if (rename(copy, restored) < 0 || stat(restored, &info) < 0) /* inv. 2 */
		return gw_error_sys(err, GW_EIO, "cannot rename %s", copy);
	status = backup_sync_folder(restored, err);
	if (status == GW_OK)
		status = aside_name(r->dir, &info, aside, err);
	if (status == GW_OK && had)
		(void)str_copy(str_from(aside), r->aside, sizeof(r->aside)); /* for people */
	return status == GW_OK ? restore_finish(r->dir, err) : status;
}

gw_status store_restore(struct store_restore *r, struct gw_error *err)
{
	int fd = -1;
	gw_status status = store_file_check(r->path, r->finding, r->cookie, &r->file, err);

	if (status != GW_OK || r->file.findings > 0)
		return status;
	status = sys_make_dir(r->dir, err);
	if (status == GW_OK)
		status = lock_folder(r->dir, &fd, err);
	if (status == GW_OK)
		status = restore_locked(r, err);
	if (fd >= 0)
		(void)close(fd); /* a lock */
	return status;
}
