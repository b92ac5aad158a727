/* SPDX-License-Identifier: MIT */
/*
 * sqlite_commit.c - the store thread: gather, one transaction a group, hand back
 *
 * ROLE        One fdatasync for many requests.  A group is what arrived while the last one was
 *             being synced, plus, when that one held more than one request, what arrives within
 *             the commit window (measured at 5,000 events/s: 1 ms saves 30 to 45 % CPU, another
 *             half a further 6 % for half a millisecond).
 * INVARIANTS  1. Requests are given back in the order in which they came, after COMMIT returned.
 *             2. A request that does not fit the schema fails alone.  Groups run without
 *                savepoints; when one request fails, the group is rolled back, every cached row
 *                forgotten, and the group runs again with a savepoint around each request.  A
 *                request depends on the database and its inputs only, so the second run differs
 *                from the first in nothing but the failed request.
 *             3. The checkpoint runs after completions were posted: no acknowledgement waits for
 *                it but those of the next group.
 *             4. A body that fails is tried once more item by item, only to mark those that do
 *                not fit: the loop makes them `unknown` and submits the body again.
 * FAILURE     sqlite_sql.c: an I/O error ends the process.
 * LIMITS      STORE_GROUP_MAX requests and GROUP_BYTES a group (one request may be larger).
 * THREADS     store_submit(): the loop's.  The rest: the store thread.
 * TESTS       tests/unit/test_store_commit.c, test_store_fault.c
 */
#include "store/sqlite_int.h"

#include "base/fault.h"
#include "base/sys_file.h"

#include <time.h>

/* 8 MiB: pages written again and again are copied once.  A checkpoint of twice as many takes twice
 * as long, and 99 of 100 events at 5,000/s notice: 11 ms instead of 14. */
#define CHECKPOINT_PAGES 2000
#define CHECKPOINT_AGAIN_NS (50 * NS_PER_MS) /* while the WAL is over its limit */
#define LOOK_NS NS_PER_S /* at the disk */
#define ENOUGH 64 /* more in one commit saves little (31 against 35 k rows/s at 256) */

static gw_status nothing(struct writer *w, struct store_req *req)
{
	(void)w;
	(void)req;
	return GW_OK;
}

static const struct {
	const char *name;
	gw_status (*run)(struct writer *w, struct store_req *req);
	void (*forget)(struct store_req *req); /* heap outputs, after a rollback */
	void (*blame)(struct writer *w, struct store_req *req); /* which item it was */
} ops[STORE_NOPS] = {
	[STORE_ADD_MESSAGE] = { "add_message", outbox_add, NULL, NULL },
	[STORE_MOVE] = { "move", outbox_move, outbox_forget, NULL },
	[STORE_PUT_BODY] = { "put_body", inbox_add, inbox_forget, inbox_blame },
	[STORE_DELIVERY_MOVE] = { "delivery_move", delivery_move, NULL, NULL },
	[STORE_REPLAY] = { "replay", delivery_replay, NULL, NULL },
	[STORE_PUT_DESTINATION] = { "put_destination", tables_put_destination, NULL, NULL },
	[STORE_PUT_KEY] = { "put_key", tables_put_key, NULL, NULL },
	[STORE_PUT_ACCOUNT] = { "put_account", tables_put_account, NULL, NULL },
	[STORE_PUT_NUMBER] = { "put_number", tables_put_number, NULL, NULL },
	[STORE_PUT_NUMBER_FACT] = { "put_number_fact", tables_put_number_fact, NULL, NULL },
	[STORE_PUT_TEMPLATES] = { "put_templates", tables_put_templates, NULL, NULL },
	[STORE_PUT_BATCH] = { "put_batch", batch_put, NULL, NULL },
	[STORE_ADD_BATCH_ROWS] = { "add_batch_rows", batch_add_rows, NULL, NULL },
	[STORE_BATCH_MOVE] = { "batch_move", batch_move, NULL, NULL },
	[STORE_BACKUP] = { "backup", nothing, NULL,
			   NULL }, /* not in a transaction: sqlite_backup.c */
	[STORE_BARRIER] = { "barrier", nothing, NULL, NULL },
};

void reqs_init(struct reqs *q)
{
	*q = (struct reqs){ .last = &q->first };
}

void reqs_add(struct reqs *q, struct store_req *req)
{
	req->next = NULL;
	*q->last = req;
	q->last = &req->next;
	q->count++;
}

struct store_req *reqs_take(struct reqs *q)
{
	struct store_req *req = q->first;

	if (req == NULL)
		return NULL;
	q->first = req->next;
	if (q->first == NULL)
		q->last = &q->first;
	q->count--;
	req->next = NULL;
	return req;
}

/* On the store thread: a request has arrived. */
static void on_request(struct mail *mail)
{
	struct store_req *req = CONTAINER_OF(mail, struct store_req, mail);
	struct store *s = req->store;

	reqs_add(&s->pending, req);
	if (req->lazy)
		s->lazy++;
}

void store_submit(struct store *s, struct store_req *req)
{
	int64_t none = 0;

	ASSERT(req->op < STORE_NOPS && req->done != NULL && !s->is_closed);
	req->mail.deliver = on_request;
	req->store = s;
	req->status = GW_OK;
	req->submitted_ns = clock_real_ns();
	/* Both before the post: once it is posted it may be done and freed.  The store thread sets
	 * oldest_ns right at its next look at the queue, should it clear it just now. */
	(void)atomic_fetch_add(&s->uncommitted_bytes, (int64_t)req->weight);
	(void)atomic_compare_exchange_strong(&s->oldest_ns, &none, req->submitted_ns);
	mailbox_post(s->box, &req->mail);
}

/* On the loop: a chain of finished requests, this the first. */
static void on_finished(struct mail *mail)
{
	struct store_req *req = CONTAINER_OF(mail, struct store_req, mail);

	while (req != NULL) {
		struct store_req *next = req->next;

		req->next = NULL;
		req->done(req); /* may free it */
		req = next;
	}
}

void commit_give_back(struct store *s, struct store_req *chain)
{
	int64_t bytes = 0;

	for (struct store_req *req = chain; req != NULL; req = req->next)
		bytes += (int64_t)req->weight;
	(void)atomic_fetch_sub(&s->uncommitted_bytes, bytes);
	chain->mail.deliver = on_finished;
	mailbox_post(s->o.home, &chain->mail);
}

/* ---- one group */

static void transaction(struct writer *w, enum sql_id what)
{
	gw_status status = sql_run(&w->sql, sql_use(&w->sql, what));

	ASSERT(status == GW_OK); /* whatever else could happen has ended the process */
}

void commit_forget(struct writer *w)
{
	cache_clear(w->aliases);
	cache_clear(w->contacts);
	cache_clear(w->conversations);
	dedupe_forget(w->dedupe, w->next_event);
}

static void forget_outputs(struct store_req *req)
{
	if (ops[req->op].forget != NULL)
		ops[req->op].forget(req);
}

/* Run all in the open transaction, until one fails: false, and *out_ran is how many ran. */
static bool run_plain(struct writer *w, struct store_req *chain, size_t *out_ran)
{
	size_t ran = 0;
	bool fine = true;

	for (struct store_req *req = chain; req != NULL && fine; req = req->next) {
		req->status = ops[req->op].run(w, req);
		fine = req->status == GW_OK || req->status == GW_ENOTFOUND;
		ran++;
	}
	*out_ran = ran;
	return fine;
}

static void roll_back_one(struct writer *w, struct store_req *req, int64_t event, int64_t body)
{
	transaction(w, SQL_SAVE_BACK);
	w->next_event = event;
	w->next_body = body;
	commit_forget(w);
	forget_outputs(req);
}

/* The same with a savepoint around each; who fails is alone, and of its items those that fit are
 * told from those that do not (inv. 4). */
static void run_guarded(struct store *s, struct store_req *chain)
{
	struct writer *w = &s->w;

	for (struct store_req *req = chain; req != NULL; req = req->next) {
		int64_t event = w->next_event, body = w->next_body;

		transaction(w, SQL_SAVE);
		req->status = ops[req->op].run(w, req);
		if (req->status != GW_OK && req->status != GW_ENOTFOUND) {
			log_error(s->o.log, "store: refused op=%s why=\"%s\"", ops[req->op].name,
				  sqlite3_errmsg(w->sql.db));
			roll_back_one(w, req, event, body);
			if (ops[req->op].blame != NULL && req->status == GW_EPARSE) {
				ops[req->op].blame(w, req);
				roll_back_one(w, req, event, body);
			}
		}
		transaction(w, SQL_SAVE_END);
	}
}

static void settle_keys(struct writer *w)
{
	gw_status status = dedupe_settle(w);

	ASSERT(status == GW_OK); /* as in transaction() */
}

static void run_group(struct store *s, struct store_req *chain)
{
	struct writer *w = &s->w;
	int64_t event = w->next_event, body = w->next_body;
	size_t ran;

	if (FAULT("store.before_begin"))
		store_die(s->o.log, "BEGIN", "fault injected");
	transaction(w, SQL_BEGIN);
	if (!run_plain(w, chain, &ran)) { /* inv. 2 */
		transaction(w, SQL_ROLLBACK);
		w->next_event = event;
		w->next_body = body;
		commit_forget(w);
		for (struct store_req *req = chain; ran > 0; req = req->next, ran--)
			forget_outputs(req);
		transaction(w, SQL_BEGIN);
		run_guarded(s, chain);
	}
	settle_keys(w);
	if (FAULT("store.before_commit"))
		store_die(s->o.log, "before COMMIT", "fault injected");
	if (FAULT("store.commit_fails"))
		store_die(s->o.log, "COMMIT", "fault injected");
	transaction(w, SQL_COMMIT);
	if (FAULT("store.after_commit"))
		store_die(s->o.log, "after COMMIT", "fault injected");
}

/* Cut a group off the queue; backups go to their own. */
static struct store_req *cut_group(struct store *s, size_t *out_count)
{
	struct store_req *req;
	struct reqs group;
	size_t bytes = 0;

	reqs_init(&group);
	while (group.count < STORE_GROUP_MAX && (req = s->pending.first) != NULL &&
	       (group.count == 0 || bytes + req->weight <= GROUP_BYTES)) {
		(void)reqs_take(&s->pending); /* it is req */
		if (req->lazy)
			s->lazy--;
		if (req->op == STORE_BACKUP) {
			reqs_add(&s->backups, req);
			continue;
		}
		bytes += req->weight;
		reqs_add(&group, req);
	}
	*out_count = group.count;
	return group.first;
}

static void commit_group(struct store *s)
{
	size_t count;
	struct store_req *chain = cut_group(s, &count);
	int64_t before, us, mean;

	if (chain == NULL)
		return;
	before = clock_real_ns();
	run_group(s, chain);
	us = (clock_real_ns() - before) / 1000;
	mean = atomic_load(&s->commit_us_mean);
	atomic_store(&s->commit_us_mean, mean == 0 ? us : mean + (us - mean) / 8);
	s->last_group = count;
	atomic_store(&s->commit_us_last, us);
	if (us > atomic_load(&s->commit_us_max))
		atomic_store(&s->commit_us_max, us);
	(void)atomic_fetch_add(&s->commits, 1);
	(void)atomic_fetch_add(&s->requests, (int64_t)count);
	commit_give_back(s, chain);
}

/* ---- the WAL */

static int on_wal(void *cookie, sqlite3 *db, const char *name, int pages)
{
	struct store *s = cookie;

	(void)db;
	(void)name;
	atomic_store(&s->wal_bytes, (int64_t)pages * 4096); /* SQLite's page size, never changed */
	return SQLITE_OK;
}

static void on_wal_short(struct mail *mail);

static void checkpoint(struct store *s)
{
	int64_t bytes = atomic_load(&s->wal_bytes), now = clock_real_ns();
	int in_log = 0, done = 0, rc;

	if ((bytes < CHECKPOINT_PAGES * 4096 && bytes <= s->wal_limit) ||
	    now < s->next_checkpoint_ns)
		return;
	rc = sqlite3_wal_checkpoint_v2(s->w.sql.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
				       &done);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
		store_die(s->o.log, "checkpoint", sqlite3_errmsg(s->w.sql.db));
	if (rc != SQLITE_OK || done < in_log) {
		/* A reader holds an older snapshot: every commit would try again in vain. */
		s->next_checkpoint_ns = now + CHECKPOINT_AGAIN_NS;
		return;
	}
	s->next_checkpoint_ns = 0;
	atomic_store(&s->wal_bytes, 0); /* the next commit starts the file over */
	if (atomic_exchange(&s->readers_wait, false) && !atomic_exchange(&s->wal_mail_out, true)) {
		s->wal_mail.deliver = on_wal_short;
		mailbox_post(s->o.home, &s->wal_mail);
	}
}

/* On the loop: readers that waited for a checkpoint may go. */
static void on_wal_short(struct mail *mail)
{
	struct store *s = CONTAINER_OF(mail, struct store, wal_mail);

	atomic_store(&s->wal_mail_out, false);
	reader_dispatch(s);
}

/* ---- the thread */

/* Until when the requests that wait may gather more; 0: commit now. */
static int64_t gather_until(const struct store *s)
{
	const struct store_req *first = s->pending.first;

	if (s->closing || s->pending.count >= STORE_GROUP_MAX)
		return 0;
	if (s->lazy == s->pending.count)
		return first->submitted_ns + LAZY_NS;
	if (atomic_load(&s->lagging))
		return first->submitted_ns + LAG_WINDOW_NS;
	if (s->last_group <= 1 || s->pending.count >= ENOUGH)
		return 0;
	return first->submitted_ns + s->o.window_max_us * 1000;
}

/* Sleep through the commit window without looking at what arrives: waking for each request is what
 * the window is there to save. */
static void sleep_until(int64_t until_ns)
{
	struct timespec at = { .tv_sec = (time_t)(until_ns / NS_PER_S),
			       .tv_nsec = (long)(until_ns % NS_PER_S) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL); /* early is fine */
}

static void drain(struct store *s)
{
	(void)mailbox_drain(s->box);
	atomic_store(&s->oldest_ns, s->pending.first == NULL ? 0 : s->pending.first->submitted_ns);
}

static void gather_and_commit(struct store *s)
{
	while (s->pending.count > 0) {
		int64_t until = gather_until(s);

		if (until > clock_real_ns()) {
			if (s->lazy == s->pending.count)
				return; /* the thread sleeps, but wakes for others */
			sleep_until(until);
			drain(s);
		}
		commit_group(s);
		checkpoint(s);
		drain(s);
		(void)backup_step(s);
	}
}

/* Whatever is due besides requests; when to look again. */
static int64_t housekeeping(struct store *s)
{
	int64_t now = clock_real_ns(), next;
	bool busy = backup_step(s);

	if (now >= s->next_look_ns) {
		atomic_store(&s->disk_free, sys_disk_free(s->dir));
		s->next_look_ns = now + LOOK_NS;
	}
	checkpoint(s);
	next = sweep_step(s, now);
	if (next > s->next_look_ns)
		next = s->next_look_ns;
	if (s->pending.first != NULL && next > s->pending.first->submitted_ns + LAZY_NS)
		next = s->pending.first->submitted_ns + LAZY_NS;
	if (s->next_checkpoint_ns != 0 && atomic_load(&s->wal_bytes) > s->wal_limit &&
	    next > s->next_checkpoint_ns)
		next = s->next_checkpoint_ns;
	return busy ? now : next;
}

/* The next start reads no event for its key. */
static void leave_in_order(struct writer *w)
{
	gw_status status = GW_OK;

	transaction(w, SQL_BEGIN);
	while (status == GW_OK && dedupe_settled(w->dedupe) < w->next_event - 1)
		status = dedupe_settle_all(w, STORE_GROUP_MAX);
	ASSERT(status == GW_OK); /* as in transaction() */
	transaction(w, SQL_COMMIT);
}

void *commit_thread(void *store)
{
	struct store *s = store;
	int64_t next = 0;

	(void)sqlite3_wal_hook(s->w.sql.db, on_wal, s);
	while (!s->closing || s->pending.count > 0 || s->backups.count > 0 || s->backup != NULL) {
		(void)mailbox_wait(s->box, next);
		drain(s);
		gather_and_commit(s);
		next = housekeeping(s);
	}
	leave_in_order(&s->w);
	return NULL;
}
