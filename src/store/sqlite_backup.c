/* SPDX-License-Identifier: MIT */
/*
 * sqlite_backup.c - copies of the database, made by the connection that writes it
 *
 * ROLE        A backup runs in steps between commits, on the writing connection: pages that change
 *             while it runs are written to the copy too, so it never starts over.
 * INVARIANTS  1. The copy appears under its name only when it is complete and synced (rename).
 *             2. A copy that was asked for never takes the place of a file.
 * FAILURE     The copy is removed and the request fails; the store goes on.
 * LIMITS      STEP_PAGES a step; one backup at a time, others wait.
 * THREADS     the store thread; backup_whole(): the opener's
 * TESTS       tests/unit/test_store_backup.c
 */
#include "store/sqlite_int.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define STEP_PAGES 256 /* 1 MiB: about a millisecond */

struct backup {
	struct store_req *req; /* NULL: backup_whole() */
	const char *path;
	char part[PATH_MAX]; /* written here first */
	sqlite3 *to;
	sqlite3_backup *copy;
};

static gw_status begin(sqlite3 *from, const char *path, struct backup *b, struct gw_error *err)
{
	b->path = path;
	if (snprintf(b->part, sizeof(b->part), "%s.part", path) >= (int)sizeof(b->part))
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", path);
	if (b->req != NULL && access(path, F_OK) == 0) /* inv. 2; again at the end */
		return gw_error_set(err, GW_ESTATE, "%s is there already", path);
	(void)unlink(b->part); /* left by a crash, or not there */
	if (private_file(b->part, err) != GW_OK)
		return GW_EIO;
	if (sqlite3_open_v2(b->part, &b->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    store_vfs()) != SQLITE_OK)
		return gw_error_set(err, GW_EIO, "cannot make %s: %s", b->part,
				    sqlite3_errmsg(b->to));
	b->copy = sqlite3_backup_init(b->to, "main", from, "main");
	if (b->copy == NULL)
		return gw_error_set(err, GW_EIO, "cannot copy to %s: %s", b->part,
				    sqlite3_errmsg(b->to));
	return GW_OK;
}

/* How far it is, for who asked for it. */
static void tell(const struct backup *b)
{
	struct store_backup *r = CONTAINER_OF(b->req, struct store_backup, req);
	int64_t total = sqlite3_backup_pagecount(b->copy);

	atomic_store(&r->pages_done, total - sqlite3_backup_remaining(b->copy));
	atomic_store(&r->pages_total, total);
}

/* One step.  *out_done: all pages are there. */
static gw_status step(struct backup *b, bool *out_done, struct gw_error *err)
{
	int rc;

	(void)FAULT("backup.step"); /* some pages are there, some are not */
	rc = sqlite3_backup_step(b->copy, STEP_PAGES);
	*out_done = rc == SQLITE_DONE;
	if (b->req != NULL)
		tell(b);
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return GW_OK;
	return gw_error_set(err, GW_EIO, "cannot write %s: %s", b->part, sqlite3_errstr(rc));
}

/* The name must last as the bytes do. */
gw_status backup_sync_folder(const char *path, struct gw_error *err)
{
	char folder[PATH_MAX];
	char *slash;
	gw_status status = GW_OK;
	int fd;

	(void)str_copy(str_from(path), folder, sizeof(folder)); /* shorter than its .part */
	slash = strrchr(folder, '/');
	if (slash == NULL)
		(void)str_copy(STR("."), folder, sizeof(folder)); /* fits */
	else
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		status = gw_error_sys(err, GW_EIO, "cannot sync %s", folder);
	if (fd >= 0)
		(void)close(fd); /* read-only */
	return status;
}

/* Finish well or badly; status is how it went so far. */
static gw_status end(struct backup *b, gw_status status, struct gw_error *err)
{
	int rc = sqlite3_backup_finish(b->copy); /* commits and syncs the copy */

	if (rc != SQLITE_OK && status == GW_OK)
		status = gw_error_set(err, GW_EIO, "cannot write %s: %s", b->part,
				      sqlite3_errstr(rc));
	/* One file that any tool opens, not one that wants a -wal beside it. */
	if (status == GW_OK &&
	    sqlite3_exec(b->to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
		status = gw_error_set(err, GW_EIO, "cannot finish %s: %s", b->part,
				      sqlite3_errmsg(b->to));
	if (sqlite3_close(b->to) != SQLITE_OK && status == GW_OK)
		status = gw_error_set(err, GW_EIO, "cannot close %s", b->part);
	if (status == GW_OK && renameat2(AT_FDCWD, b->part, AT_FDCWD, b->path,
					 b->req != NULL ? RENAME_NOREPLACE : 0) < 0)
		status = gw_error_sys(err, errno == EEXIST ? GW_ESTATE : GW_EIO,
				      "cannot rename %s to %s", b->part, b->path);
	if (status == GW_OK)
		status = backup_sync_folder(b->path, err);
	if (status != GW_OK)
		(void)unlink(b->part); /* the error above counts */
	return status;
}

gw_status backup_whole(sqlite3 *db, const char *path, struct gw_error *err)
{
	struct backup b = { .req = NULL };
	gw_status status;
	bool done = false;

	status = begin(db, path, &b, err);
	while (status == GW_OK && !done)
		status = step(&b, &done, err);
	return end(&b, status, err);
}

bool backup_step(struct store *s)
{
	struct store_backup *r;
	gw_status status = GW_OK;
	bool done = false;

	if (s->backup == NULL) {
		struct store_req *req = reqs_take(&s->backups);

		if (req == NULL)
			return false;
		r = CONTAINER_OF(req, struct store_backup, req);
		gw_error_clear(&r->error);
		s->backup = xcalloc(1, sizeof(*s->backup));
		s->backup->req = req;
		status = begin(s->w.sql.db, r->path, s->backup, &r->error);
	}
	r = CONTAINER_OF(s->backup->req, struct store_backup, req);
	if (status == GW_OK)
		status = step(s->backup, &done, &r->error);
	if (status == GW_OK && !done)
		return true;
	r->req.status = end(s->backup, status, &r->error);
	free(s->backup);
	s->backup = NULL;
	commit_give_back(s, &r->req);
	return s->backups.count > 0;
}
