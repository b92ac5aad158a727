/* SPDX-License-Identifier: MIT */
/*
 * sqlite_open.c - a data folder becomes a store, and is left in order
 *
 * ROLE        Takes the lock, opens the one writing connection, checks the settings that
 *             durability rests on, migrates, starts the threads.
 * INVARIANTS  1. godwit.lock is held while any connection is open.
 *             2. One connection writes and checkpoints; readers are SQLITE_OPEN_READONLY and never
 *                checkpoint, not even at close (before 3.51.3 two connections that do so at once
 *                can corrupt the WAL).
 *             3. The writer's and the readers' page caches are 16 MiB together.
 * FAILURE     store_open() undoes what it began.  An error of the last checkpoint is logged: the
 *             WAL has everything.
 * TESTS       tests/unit/test_store_open.c
 */
#include "store/sqlite_int.h"

#include "store/migrate.h"

#include "base/mem.h"
#include "base/sys_file.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#define WRITER_CACHE_KIB 12288
#define READER_CACHE_KIB 2048 /* with two readers: inv. 3 */
#define BUSY_MS 10000 /* a stranger with the sqlite3 shell; then we give up */
#define READERS_MAX 8
#define ALIAS_CACHE 65536 /* entries; 96 bytes each when used, two spellings a contact */
#define CONTACT_CACHE 32768
#define CONVERSATION_CACHE 32768
#define DEDUPE_RUN 32768 /* sqlite_dedupe.c, RUN: two seconds and more up to 16,000 events/s */

static gw_status check_setting(sqlite3 *db, const char *pragma, const char *want,
			       struct gw_error *err)
{
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "PRAGMA %s", pragma);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		status = gw_error_set(err, GW_EIO, "cannot read the database: %s",
				      sqlite3_errmsg(db));
	else if (strcmp((const char *)sqlite3_column_text(st, 0), want) != 0)
		status = gw_error_set(err, GW_EIO,
				      "the database refuses PRAGMA %s: want %s, got %s", pragma,
				      want, (const char *)sqlite3_column_text(st, 0));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return status;
}

static gw_status set_up(sqlite3 *db, bool writes, struct gw_error *err)
{
	char sql[256];
	gw_status status = GW_OK;

	/* journal_size_limit: the WAL is reused, not truncated (overwrites sync 2 to 10 times
	 * faster than appends), but a burst's file does not stay. */
	if (writes)
		(void)snprintf(sql, sizeof(sql),
			       "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
			       "PRAGMA wal_autocheckpoint=0;PRAGMA journal_size_limit=%lld;"
			       "PRAGMA cache_size=-%d;PRAGMA temp_store=MEMORY;",
			       (long long)WAL_LIMIT_BYTES, WRITER_CACHE_KIB);
	else
		(void)snprintf(sql, sizeof(sql), "PRAGMA query_only=1;PRAGMA cache_size=-%d",
			       READER_CACHE_KIB);
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1, NULL) !=
	    SQLITE_OK)
		return gw_error_set(err, GW_EIO, "SQLite is too old: no NO_CKPT_ON_CLOSE");
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		if (sqlite3_errcode(db) == SQLITE_NOTADB)
			return gw_error_set(err, GW_EPARSE, "godwit.db is not a database");
		return gw_error_set(err, GW_EIO, "cannot set up the database: %s",
				    sqlite3_errmsg(db));
	}
	if (writes) {
		status = check_setting(db, "journal_mode", "wal", err);
		if (status == GW_OK)
			status = check_setting(db, "synchronous", "2", err);
	}
	return status;
}

/* Messages and secrets are nobody else's: SQLite alone would leave 0644 under the usual umask, and
 * gives the WAL the mode of the database. */
gw_status private_file(const char *path, struct gw_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot open %s", path);
	(void)close(fd); /* nothing was written */
	return GW_OK;
}

gw_status connection_open(const char *path, bool writes, sqlite3 **out, struct gw_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
	sqlite3 *db = NULL;
	gw_status status;

	/* SQLite counts every allocation under one lock unless told not to; after its first use, as
	 * in a test, it refuses, and counts. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	status = writes ? private_file(path, err) : GW_OK;
	if (status != GW_OK)
		return status;
	if (sqlite3_open_v2(path, &db, flags, store_vfs()) != SQLITE_OK)
		status = gw_error_set(err, GW_EIO, "cannot open %s: %s", path, sqlite3_errmsg(db));
	else
		status = set_up(db, writes, err);
	if (status != GW_OK) {
		(void)sqlite3_close(db); /* nothing was begun */
		return status;
	}
	*out = db;
	return GW_OK;
}

/* One value of a query; NULL and no row: 0. */
static gw_status ask(sqlite3 *db, const char *sql, int64_t *out, struct gw_error *err)
{
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (rc == SQLITE_DONE)
		*out = 0;
	else
		status = gw_error_set(err, GW_EIO, "cannot read the database: %s",
				      sqlite3_errmsg(db));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return status;
}

/* The first key of the tokens, where there is none; sealed. */
static gw_status make_token_key(struct store *s, sqlite3 *db, struct gw_error *err)
{
	sqlite3_stmt *st = NULL;
	struct sealed sealed;
	gw_status status = GW_OK;

	rnd_bytes(&s->w.rnd, s->token_key, sizeof(s->token_key));
	ASSERT(secret_seal(&s->w.keys, &s->w.rnd, "setting.value", STR("token_key"),
			   str_make((const char *)s->token_key, sizeof(s->token_key)), &sealed));
	if (sqlite3_prepare_v2(db, "INSERT INTO setting VALUES('token_key',?1)", -1, &st, NULL) !=
		    SQLITE_OK ||
	    sqlite3_bind_blob(st, 1, sealed.bytes, (int)sealed.len, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_DONE)
		status = gw_error_set(err, GW_EIO, "cannot keep the token key: %s",
				      sqlite3_errmsg(db));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return status;
}

/* Read the MAC key of the tokens, or make it. */
static gw_status token_key(struct store *s, sqlite3 *db, struct gw_error *err)
{
	struct secret key = { .len = 0 };
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	bool found = false;
	int rc;

	rc = sqlite3_prepare_v2(db, "SELECT value FROM setting WHERE name='token_key'", -1, &st,
				NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		found = secret_unseal(&s->w.keys, "setting.value", STR("token_key"),
				      col_str(&(struct cols){ st, 0 }), &key) &&
			key.len == sizeof(s->token_key);
		if (found)
			memcpy(s->token_key, key.bytes, sizeof(s->token_key));
	}
	if (!found && rc != SQLITE_DONE)
		status = gw_error_set(err, GW_EIO, "cannot read the token key: %s",
				      sqlite3_errmsg(db));
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	secret_release(&key);
	return status == GW_OK && !found ? make_token_key(s, db, err) : status;
}

static gw_status open_secrets(struct store *s, sqlite3 *db, struct gw_error *err)
{
	char path[PATH_MAX];
	const char *key_file = s->o.key_file;

	if (key_file == NULL || key_file[0] == '\0') {
		if (snprintf(path, sizeof(path), "%s/secrets.key", s->dir) >= (int)sizeof(path))
			return gw_error_set(err, GW_ELIMIT, "%s is too long a path", s->dir);
		key_file = path;
	}
	return secrets_open(&s->w.keys, db, key_file, s->o.previous_key_file, &s->w.rnd, s->o.log,
			    err);
}

static gw_status writer_open(struct store *s, struct gw_error *err)
{
	struct writer *w = &s->w;
	sqlite3 *db = NULL;
	gw_status status;

	w->clock = s->o.clock;
	rnd_init_system(&w->rnd);
	w->aliases = cache_new(ALIAS_CACHE);
	w->contacts = cache_new(CONTACT_CACHE);
	w->conversations = cache_new(CONVERSATION_CACHE);
	w->dedupe = dedupe_new(s->o.dedupe_run == 0 ? DEDUPE_RUN : s->o.dedupe_run);
	status = connection_open(s->path, true, &db, err);
	if (status != GW_OK)
		return status;
	w->sql.db = db; /* from here on closed by writer_close() */
	w->sql.log = s->o.log;
	status = migrate_run(db, s->dir, migrations, migration_count, s->o.clock, s->o.log, err);
	if (status == GW_OK)
		status = open_secrets(s, db, err);
	if (status == GW_OK)
		status = token_key(s, db, err);
	if (status == GW_OK)
		status = ask(db, "SELECT max(row)+1 FROM event", &w->next_event, err);
	if (status == GW_OK)
		status = ask(db, "SELECT max(row)+1 FROM body", &w->next_body, err);
	if (w->next_event == 0)
		w->next_event = 1;
	if (w->next_body == 0)
		w->next_body = 1;
	if (status == GW_OK)
		status = sql_init(&w->sql, db, SQL_WRITES, s->o.log, err);
	if (status == GW_OK && dedupe_load(w) != GW_OK)
		status = gw_error_set(err, GW_EIO, "cannot read the database: %s",
				      sqlite3_errmsg(db));
	return status;
}

static void writer_close(struct store *s)
{
	sql_release(&s->w.sql);
	cache_free(s->w.aliases);
	cache_free(s->w.contacts);
	cache_free(s->w.conversations);
	dedupe_free(s->w.dedupe);
}

/* On the loop, after every completion of this store: nothing refers to it any more. */
static void free_store(struct mail *mail)
{
	struct store *s = CONTAINER_OF(mail, struct store, free_mail);

	if (s->lock_fd >= 0)
		(void)close(s->lock_fd); /* ours alone: nothing to lose */
	mailbox_free(s->box);
	reader_release(s);
	explicit_bzero(s->token_key, sizeof(s->token_key));
	explicit_bzero(&s->w.keys, sizeof(s->w.keys));
	free(s->dir);
	free(s->path);
	free(s);
}

static gw_status start_thread(struct store *s, struct gw_error *err)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all); /* signals are the main thread's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, commit_thread, s);
	if (rc == 0) {
		s->started = true;
		(void)pthread_setname_np(s->thread, "gw-store"); /* for people who look */
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? GW_OK : gw_error_set(err, GW_EIO, "cannot start the store's thread");
}

static gw_status take_folder(struct store *s, struct gw_error *err)
{
	char lock[PATH_MAX];
	gw_status status;

	if (snprintf(lock, sizeof(lock), "%s/godwit.lock", s->dir) >= (int)sizeof(lock))
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", s->dir);
	status = sys_make_dir(s->dir, err);
	if (status == GW_OK)
		status = sys_lock_file(lock, &s->lock_fd, err);
	if (status == GW_OK)
		status = restore_finish(s->dir, err);
	if (status == GW_OK)
		atomic_store(&s->disk_free, sys_disk_free(s->dir));
	return status;
}

gw_status store_open(const struct store_options *o, struct store **out, struct gw_error *err)
{
	struct store *s = xcalloc(1, sizeof(*s));
	struct buf path;
	gw_status status;

	ASSERT(o->readers >= 1 && o->readers <= READERS_MAX);
	ASSERT(o->retain_events_ms == 0 || o->retain_events_ms > DEDUPE_S * 1000);
	ASSERT(o->retain_messages_ms == 0 || o->retain_messages_ms > DEDUPE_S * 1000);
	s->o = *o;
	s->lock_fd = -1;
	s->dir = xstrdup(o->dir);
	buf_init(&path, PATH_MAX);
	buf_put_fmt(&path, "%s/godwit.db", o->dir);
	s->path = xstrndup(buf_str(&path));
	buf_release(&path);
	s->wal_limit = WAL_LIMIT_BYTES;
	s->box = mailbox_new();
	reqs_init(&s->pending);
	reqs_init(&s->backups);
	s->jobs.last = &s->jobs.first;
	status = take_folder(s, err);
	if (status == GW_OK)
		status = writer_open(s, err);
	if (status == GW_OK)
		status = reader_start(s, err);
	if (status == GW_OK)
		status = start_thread(s, err);
	if (status != GW_OK) {
		reader_stop(s);
		writer_close(s);
		free_store(&s->free_mail);
		return status;
	}
	*out = s;
	return GW_OK;
}

static void on_close(struct mail *mail)
{
	struct store *s = CONTAINER_OF(mail, struct store, close_mail);

	s->closing = true;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	s->is_closed = true;
	s->close_mail.deliver = on_close;
	mailbox_post(s->box, &s->close_mail);
	(void)pthread_join(s->thread, NULL); /* fails for a bad id alone */
	reader_stop(s);
	if (sqlite3_wal_checkpoint_v2(s->w.sql.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
	    SQLITE_OK)
		log_warn(s->o.log, "store: the last checkpoint: %s", sqlite3_errmsg(s->w.sql.db));
	writer_close(s);
	s->free_mail.deliver = free_store;
	mailbox_post(s->o.home, &s->free_mail);
}

const unsigned char *store_token_key(const struct store *s)
{
	return s->token_key;
}

void store_load_now(const struct store *s, struct store_load *out)
{
	*out = (struct store_load){
		.uncommitted_bytes = atomic_load(&s->uncommitted_bytes),
		.oldest_ns = atomic_load(&s->oldest_ns),
		.commits = atomic_load(&s->commits),
		.requests = atomic_load(&s->requests),
		.commit_us_last = atomic_load(&s->commit_us_last),
		.commit_us_max = atomic_load(&s->commit_us_max),
		.commit_us_mean = atomic_load(&s->commit_us_mean),
		.wal_bytes = atomic_load(&s->wal_bytes),
		.swept = atomic_load(&s->swept),
		.disk_free_bytes = atomic_load(&s->disk_free),
	};
}

void store_set_lagging(struct store *s, bool lagging)
{
	atomic_store(&s->lagging, lagging);
}
