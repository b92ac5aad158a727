/* SPDX-License-Identifier: MIT */
/*
 * sqlite_reader.c - reader threads: jobs, snapshots, the time they may take
 *
 * ROLE        A job runs in one read transaction on a connection that can do nothing else.  The
 *             loop hands jobs to idle readers and keeps the rest in a queue, so a slow job holds up
 *             only its own reader.
 * INVARIANTS  1. A reader has at most one job that is not finished (but at the end, when it gets
 *                what is left and then leaves).
 *             2. A job's statements are interrupted READ_NS after it began, so that no snapshot
 *                keeps the WAL from being used again.
 *             3. While the WAL is over its limit no job begins; the checkpoint that empties it
 *                sends mail (sqlite_commit.c), and the store thread tries one every 50 ms.
 * THREADS     store_read(), reader_dispatch(): the loop's.  The reader's own: as marked.
 * TESTS       tests/unit/test_store_reader.c
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

#define OPS_PER_LOOK 2000 /* of SQLite's machine between looks at the clock: about 50 us */

/* ---- the reader's thread */

bool reader_is_over(const struct store_reader *r)
{
	return clock_real_ns() > r->deadline_ns;
}

static int on_progress(void *cookie)
{
	return reader_is_over(cookie);
}

void reader_forget_body(struct store_reader *r)
{
	free((void *)(uintptr_t)r->body.ptr);
	free((void *)(uintptr_t)r->signature.ptr);
	r->body = r->signature = (struct str){ NULL, 0 };
	r->body_row = 0;
}

/* On the loop. */
static void on_job_done(struct mail *mail)
{
	struct store_job *job = CONTAINER_OF(mail, struct store_job, mail);

	job->done(job); /* may free it */
}

/* On the loop: what has not begun can begin. */
static void on_idle(struct mail *mail)
{
	struct store_reader *r = CONTAINER_OF(mail, struct store_reader, idle_mail);

	r->idle = true;
	reader_dispatch(r->store);
}

static void on_job(struct mail *mail)
{
	struct store_job *job = CONTAINER_OF(mail, struct store_job, mail);
	struct store_reader *r = job->reader;
	struct mailbox *home = r->store->o.home;
	gw_status status;

	r->deadline_ns = clock_real_ns() + READ_NS;
	status = sql_run(&r->sql, sql_use(&r->sql, SQL_READ_BEGIN));
	ASSERT(status == GW_OK); /* it touches no file */
	job->run(job, r);
	r->deadline_ns = INT64_MAX;
	if (!sqlite3_get_autocommit(r->sql.db)) { /* SQLite ends it itself after some errors */
		status = sql_run(&r->sql, sql_use(&r->sql, SQL_READ_END));
		ASSERT(status == GW_OK); /* nothing was written, no statement runs */
	}
	reader_forget_body(r);
	job->mail.deliver = on_job_done;
	mailbox_post(home, &job->mail);
	if (!r->closing) {
		r->idle_mail.deliver = on_idle;
		mailbox_post(home, &r->idle_mail);
	}
}

/* What comes from here on are the last jobs: nobody waits for this reader to be idle. */
static void on_closing(struct mail *mail)
{
	CONTAINER_OF(mail, struct store_reader, closing_mail)->closing = true;
}

static void on_leave(struct mail *mail)
{
	CONTAINER_OF(mail, struct store_reader, leave_mail)->leave = true;
}

static void *reader_thread(void *cookie)
{
	struct store_reader *r = cookie;

	while (!r->leave) {
		(void)mailbox_wait(r->box, INT64_MAX);
		(void)mailbox_drain(r->box);
	}
	return NULL;
}

/* ---- the loop's thread */

static void give(struct store_reader *r, struct store_job *job)
{
	job->reader = r;
	job->mail.deliver = on_job;
	r->idle = false;
	mailbox_post(r->box, &job->mail);
}

static struct store_job *take_job(struct store *s)
{
	struct store_job *job = s->jobs.first;

	if (job == NULL)
		return NULL;
	s->jobs.first = job->next;
	if (s->jobs.first == NULL)
		s->jobs.last = &s->jobs.first;
	return job;
}

/* inv. 3 */
static bool must_wait(struct store *s)
{
	if (atomic_load(&s->wal_bytes) <= s->wal_limit)
		return false;
	/* Ask for mail first, look again then: the checkpoint may have come in between. */
	atomic_store(&s->readers_wait, true);
	return atomic_load(&s->wal_bytes) > s->wal_limit;
}

void reader_dispatch(struct store *s)
{
	for (unsigned i = 0; i < s->o.readers; i++) {
		struct store_job *job = s->jobs.first;

		if (!s->readers[i].idle)
			continue;
		if (job == NULL || must_wait(s))
			return;
		(void)take_job(s); /* it is job */
		give(&s->readers[i], job);
	}
}

void store_read(struct store *s, struct store_job *job)
{
	ASSERT(job->run != NULL && job->done != NULL && !s->is_closed);
	job->next = NULL;
	*s->jobs.last = job;
	s->jobs.last = &job->next;
	reader_dispatch(s);
}

static gw_status start_one(struct store *s, struct store_reader *r, struct gw_error *err)
{
	sigset_t all, before;
	sqlite3 *db = NULL;
	gw_status status;
	int rc;

	r->store = s;
	r->box = mailbox_new();
	r->deadline_ns = INT64_MAX;
	status = connection_open(s->path, false, &db, err);
	if (status == GW_OK)
		status = sql_init(&r->sql, db, SQL_READS, s->o.log, err);
	if (status != GW_OK)
		return status;
	sqlite3_progress_handler(db, OPS_PER_LOOK, on_progress, r);
	(void)sigfillset(&all); /* signals are the main thread's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&r->thread, NULL, reader_thread, r);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return gw_error_set(err, GW_EIO, "cannot start a reader thread");
	(void)pthread_setname_np(r->thread, "gw-reader"); /* for people who look */
	r->started = r->idle = true;
	return GW_OK;
}

gw_status reader_start(struct store *s, struct gw_error *err)
{
	gw_status status = GW_OK;

	s->readers = xcalloc(s->o.readers, sizeof(*s->readers));
	for (unsigned i = 0; i < s->o.readers && status == GW_OK; i++)
		status = start_one(s, &s->readers[i], err);
	return status;
}

void reader_stop(struct store *s)
{
	unsigned count = s->readers == NULL ? 0 : s->o.readers;
	struct store_job *job;

	for (unsigned i = 0; i < count; i++) {
		if (!s->readers[i].started)
			continue;
		s->readers[i].closing_mail.deliver = on_closing;
		mailbox_post(s->readers[i].box, &s->readers[i].closing_mail);
	}
	while ((job = take_job(s)) != NULL)
		give(&s->readers[0], job);
	for (unsigned i = 0; i < count; i++) {
		struct store_reader *r = &s->readers[i];

		if (r->started) {
			r->leave_mail.deliver = on_leave;
			mailbox_post(r->box, &r->leave_mail);
			(void)pthread_join(r->thread, NULL); /* fails for a bad id alone */
		}
		sql_release(&r->sql);
	}
}

void reader_release(struct store *s)
{
	for (unsigned i = 0; s->readers != NULL && i < s->o.readers; i++)
		mailbox_free(s->readers[i].box); /* NULL where the start did not come that far */
	free(s->readers);
}
