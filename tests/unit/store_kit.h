/* SPDX-License-Identifier: MIT */
/*
 * store_kit.h - a real store in a folder of its own, driven step by step
 *
 * kit_open() .. kit_close(): every test ends with the store's own check, so whatever a test does,
 * the invariants hold behind it.  kit_wait() drains the home mailbox until a count is reached.
 */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include "unit.h"

#include "base/buf.h"
#include "base/mac.h"
#include "base/mem.h"
#include "base/sys_file.h"
#include "store/store.h"

#define KIT_WALL_MS INT64_C(1795000000000) /* November 2026 */
#define KIT_PATH 256

struct kit {
	char dir[KIT_PATH];
	struct clock clock;
	struct log log;
	int log_fd;
	struct mailbox *home;
	struct store *store;
	struct id_maker ids;
	struct rnd rnd;
	int64_t retain_ms; /* of events and messages; 0: for ever */
	struct arena_of_strings {
		char *text[4096];
		size_t count;
	} strings;
};

/* A printf that lives as long as the kit. */
static inline struct str kit_str(struct kit *k, const char *fmt, ...) GW_PRINTF(2, 3);
static inline struct str kit_str(struct kit *k, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(k->strings.count < ARRAY_LEN(k->strings.text));
	k->strings.text[k->strings.count] = xstrdup(text);
	return str_from(k->strings.text[k->strings.count++]);
}

static inline struct id kit_id(struct kit *k)
{
	struct id id;

	id_make(&k->ids, &k->clock, &k->rnd, &id);
	return id;
}

static inline void kit_path(const struct kit *k, const char *name, char out[KIT_PATH])
{
	int n = snprintf(out, KIT_PATH, "%s/%s", k->dir, name);

	assert_true(n > 0 && n < KIT_PATH);
}

static inline gw_status kit_try_open(struct kit *k, struct gw_error *err)
{
	struct store_options o = { .dir = k->dir,
				   .home = k->home,
				   .clock = &k->clock,
				   .log = &k->log,
				   .readers = 2,
				   .retain_events_ms = k->retain_ms,
				   .retain_messages_ms = k->retain_ms,
				   .dedupe_run = 8, /* so that every test has keys in all places */
				   .window_max_us = 1000 };

	return store_open(&o, &k->store, err);
}

static inline void kit_reopen(struct kit *k)
{
	struct gw_error err = GW_ERROR_INIT;

	if (kit_try_open(k, &err) != GW_OK)
		fail_msg("store_open: %s", err.message);
}

static inline void kit_prepare(struct kit *k)
{
	const char *tmp = getenv("TMPDIR");

	memset(k, 0, sizeof(*k));
	(void)snprintf(k->dir, sizeof(k->dir), "%s/gw-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(k->dir));
	clock_init(&k->clock);
	clock_freeze(&k->clock);
	clock_set_wall(&k->clock, KIT_WALL_MS);
	k->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(k->log_fd >= 0);
	log_init(&k->log, k->log_fd, LOG_DEBUG, "test", &k->clock);
	rnd_init_seed(&k->rnd, 1);
	k->home = mailbox_new();
}

static inline void kit_open(struct kit *k)
{
	kit_prepare(k);
	kit_reopen(k);
}

static inline int64_t kit_now(const struct kit *k)
{
	return clock_wall_ms(&k->clock);
}

/* Drain the home mailbox until *count has reached want. */
static inline void kit_wait(struct kit *k, const size_t *count, size_t want)
{
	int64_t until = clock_real_ns() + 60 * NS_PER_S;

	while (*count < want) {
		if (!mailbox_wait(k->home, until))
			fail_msg("the store did not answer within a minute");
		(void)mailbox_drain(k->home);
	}
}

/* ---- requests, one after the other or many at once */

/* How many requests have come back. */
static inline size_t *kit_done_count(void)
{
	static size_t count; /* the test is one thread: all done() run on it */

	return &count;
}

static inline void kit_on_done(struct store_req *req)
{
	req->store = NULL; /* how kit_run() knows that it is this one */
	++*kit_done_count();
}

static inline void kit_submit(struct kit *k, struct store_req *req, enum store_op op)
{
	req->op = op;
	req->done = kit_on_done;
	if (req->weight == 0)
		req->weight = 100;
	store_submit(k->store, req);
}

static inline gw_status kit_run(struct kit *k, struct store_req *req, enum store_op op)
{
	kit_submit(k, req, op);
	while (req->store != NULL)
		kit_wait(k, kit_done_count(), *kit_done_count() + 1);
	return req->status;
}

/* All that was submitted has come back. */
static inline void kit_barrier(struct kit *k)
{
	struct store_req req = { .weight = 1 };

	assert_int_equal(kit_run(k, &req, STORE_BARRIER), GW_OK);
}

/* ---- jobs */

struct kit_job {
	struct store_job job;
	void (*fn)(struct store_reader *r, void *cookie);
	void *cookie;
	size_t done;
};

static inline void kit_job_run(struct store_job *job, struct store_reader *r)
{
	struct kit_job *j = CONTAINER_OF(job, struct kit_job, job);

	j->fn(r, j->cookie);
}

static inline void kit_job_done(struct store_job *job)
{
	CONTAINER_OF(job, struct kit_job, job)->done++;
}

static inline void kit_read(struct kit *k, void (*fn)(struct store_reader *r, void *cookie),
			    void *cookie)
{
	struct kit_job j = { .fn = fn, .cookie = cookie };

	j.job.run = kit_job_run;
	j.job.done = kit_job_done;
	store_read(k->store, &j.job);
	kit_wait(k, &j.done, 1);
}

/* ---- the check, and the end */

struct kit_findings {
	size_t count;
	char first[512];
};

static inline void kit_on_finding(void *cookie, const char *text)
{
	struct kit_findings *f = cookie;

	if (f->count++ == 0)
		(void)str_copy(str_from(text), f->first, sizeof(f->first));
}

static inline void kit_check_job(struct store_reader *r, void *cookie)
{
	if (reader_check(r, kit_on_finding, cookie) != GW_OK)
		kit_on_finding(cookie, "the check itself failed");
}

static inline struct kit_findings kit_check(struct kit *k)
{
	struct kit_findings f = { 0 };

	kit_read(k, kit_check_job, &f);
	return f;
}

static inline void kit_shut(struct kit *k)
{
	store_close(k->store);
	k->store = NULL;
	(void)mailbox_drain(k->home);
}

static inline void kit_restart(struct kit *k)
{
	kit_shut(k);
	kit_reopen(k);
}

static inline void kit_release(struct kit *k)
{
	mailbox_free(k->home);
	(void)close(k->log_fd);
	for (size_t i = 0; i < k->strings.count; i++)
		free(k->strings.text[i]);
}

static inline void kit_remove(struct kit *k)
{
	kit_release(k);
	assert_int_equal(sys_remove_dir(k->dir, NULL), GW_OK);
}

static inline void kit_close(struct kit *k)
{
	struct kit_findings f = kit_check(k);

	if (f.count > 0)
		fail_msg("%zu findings, the first: %s", f.count, f.first);
	kit_shut(k);
	kit_remove(k);
}

/* ---- messages */

static inline struct store_add_message kit_message(struct kit *k, const char *to)
{
	return (struct store_add_message){ .id = kit_id(k),
					   .number_id = STR("106540352242922"),
					   .to = str_from(to),
					   .lane = str_from(to),
					   .target = STR("/v25.0/106540352242922/messages"),
					   .body = STR("{\"type\":\"text\"}"),
					   .kind = STR("text"),
					   .policy = "hold",
					   .created_ms = kit_now(k),
					   .expires_ms = kit_now(k) + 86400000 };
}

static inline struct store_add_message kit_accept(struct kit *k, const char *to)
{
	struct store_add_message a = kit_message(k, to);

	assert_int_equal(kit_run(k, &a.req, STORE_ADD_MESSAGE), GW_OK);
	assert_true(a.row > 0);
	return a;
}

static inline struct store_move kit_move_of(struct kit *k, int64_t row, const char *from,
					    const char *to)
{
	return (struct store_move){ .row = row,
				    .from = from,
				    .to = to,
				    .at_ms = kit_now(k),
				    .connect_ms = -1,
				    .api_ms = -1,
				    .paced_ms = -1,
				    .waited_ms = -1 };
}

static inline void kit_move(struct kit *k, int64_t row, const char *from, const char *to,
			    const char *wamid)
{
	struct store_move m = kit_move_of(k, row, from, to);

	m.wamid = str_from(wamid);
	assert_int_equal(kit_run(k, &m.req, STORE_MOVE), GW_OK);
	assert_false(m.lost);
}

/* ---- events */

static inline void kit_hash(struct store_event_in *ev, struct str of)
{
	unsigned char full[SHA256_BYTES];

	sha256(of, full);
	memcpy(ev->hash, full, sizeof(ev->hash));
}

/* A customer's text. */
static inline struct store_event_in kit_text(struct kit *k, const char *phone, const char *wamid)
{
	struct store_event_in ev = { .id = kit_id(k),
				     .type = "message.received",
				     .kind = "text",
				     .channel = "whatsapp",
				     .account_id = STR("106540352242922"),
				     .address = STR("+15550783881"),
				     .business_id = STR("102290129340398"),
				     .phone = str_from(phone),
				     .external_id = str_from(wamid),
				     .at_s = kit_now(k) / 1000,
				     .has_contact = true,
				     .has_seq = true,
				     .opens_window = true,
				     .lane_by = STORE_LANE_CONVERSATION,
				     .dedupe_s = kit_now(k) / 1000,
				     .json = STR("{\"message\":{\"text\":\"hi\"}}") };

	kit_hash(&ev, ev.external_id);
	return ev;
}

/* Meta's word about a message of ours. */
static inline struct store_event_in kit_status(struct kit *k, const char *phone, const char *wamid,
					       const char *status)
{
	struct store_event_in ev = kit_text(k, phone, wamid);

	ev.type = "message.status";
	ev.kind = status;
	ev.status = str_from(status);
	ev.recipient = str_from(phone);
	ev.has_seq = ev.opens_window = false;
	ev.lane_by = STORE_LANE_MESSAGE;
	kit_hash(&ev, kit_str(k, "%s/%s/%s", wamid, status, phone));
	return ev;
}

static inline struct store_put_body kit_body(struct kit *k, struct store_event_in *events,
					     size_t count)
{
	return (struct store_put_body){ .bytes = STR("{\"object\":\"whatsapp_business_account\"}"),
					.signature = STR("sha256=00"),
					.account = STR("main"),
					.received_ms = kit_now(k),
					.events = events,
					.event_count = count };
}

static inline struct store_put_body kit_put(struct kit *k, struct store_event_in *events,
					    size_t count)
{
	struct store_put_body p = kit_body(k, events, count);

	assert_int_equal(kit_run(k, &p.req, STORE_PUT_BODY), GW_OK);
	return p;
}

static inline void kit_free_opaque(struct store_event_in *ev)
{
	if (ev->opaque.len > 0)
		free((void *)(uintptr_t)ev->opaque.ptr);
	ev->opaque = STR_EMPTY;
}

static inline int64_t kit_destination(struct kit *k, const char *url, bool relay_stale)
{
	struct store_put_destination p = { .d = { .id = kit_id(k),
						  .name = str_from(url),
						  .url = str_from(url),
						  .format = STR("godwit"),
						  .filter = STR("{}"),
						  .secret = STR("secret"),
						  .relay_stale = relay_stale,
						  .state = "active",
						  .created_ms = kit_now(k) } };

	assert_int_equal(kit_run(k, &p.req, STORE_PUT_DESTINATION), GW_OK);
	assert_true(p.d.row > 0);
	return p.d.row;
}

#endif
