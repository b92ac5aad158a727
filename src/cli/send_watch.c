/* SPDX-License-Identifier: MIT */
/*
 * send_watch.c - a batch while it is under way
 *
 * ROLE     Looks at the batch, shows how far it is, and tells what came of it.
 *          The batch is the gateway's: whether anybody looks changes nothing.
 * LIFE     running -> done: the summary.  Ctrl-C: paused, and how to go on.
 *          The terminal was closed, or a kill: it runs on.
 * FAILURE  The gateway does not answer: asked again for GONE_MS, since one that
 *          was restarted goes on by itself.
 * TESTS    tests/system/test_send_list.py
 */
#include "cli/out.h"
#include "cli/send_list.h"
#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define POLL_MS 250
#define GONE_MS 60000
#define JSON_MAX (8U << 20)

/* ---- Ctrl-C ---- */

static void on_signal(void *cookie, uint32_t events)
{
	struct send_list *l = cookie;
	struct signalfd_siginfo info;

	(void)events;
	if (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		l->stopped = true;
}

int send_list_catch(struct send_list *l)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0)
		return cli_failf(l->cli, EXIT_FAILED, NULL, "cannot wait for signals: %s",
				 strerror(errno));
	l->watch = loop_watch(api_loop(l->api), l->signal_fd, EPOLLIN, on_signal, l);
	return EXIT_OK;
}

void send_list_uncatch(struct send_list *l)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (l->signal_fd < 0)
		return;
	while (read(l->signal_fd, &info, sizeof(info)) > 0)
		; /* those of before are taken care of */
	loop_unwatch(l->watch);
	(void)close(l->signal_fd);
	l->watch = NULL;
	l->signal_fd = -1;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void on_time(void *cookie)
{
	*(bool *)cookie = true;
}

void send_list_nap(struct send_list *l, int64_t ms)
{
	bool is_over = false;
	struct timer t;

	timer_init(&t, api_loop(l->api), LOOP_REAL, on_time, &is_over);
	timer_in_ms(&t, ms);
	while (!is_over && !l->stopped)
		loop_turn(api_loop(l->api), -1);
	timer_cancel(&t);
}

/* ---- the batch ---- */

/* Nobody answers, or not yet: true while it is worth asking again. */
static bool may_wait(struct send_list *l)
{
	int64_t now = clock_real_ns();

	if (l->gone_ns == 0) {
		l->gone_ns = now;
		progress_say(&l->progress, "the gateway does not answer; waiting for it");
	}
	if (now - l->gone_ns > GONE_MS * NS_PER_MS)
		return false;
	send_list_nap(l, POLL_MS);
	return !l->stopped;
}

int send_list_get(struct send_list *l, struct api_answer *answer)
{
	struct api_request r = { .method = "GET", .stop = &l->stopped };
	struct gw_error err = GW_ERROR_INIT;
	struct api_answer own;
	struct buf path;
	bool answered;
	int code = EXIT_OK;

	if (answer == NULL)
		answer = &own;
	buf_init(&path, 1024);
	buf_put_text(&path, "/api/v1/batches");
	api_put_segment(&path, l->batch.id);
	r.path = path.data;
	do {
		gw_error_clear(&err);
		answered = api_try(l->api, &r, answer, &err);
	} while ((!answered || answer->status >= 500) && !l->stopped && may_wait(l));
	if (l->stopped)
		code = EXIT_SIGINT;
	else if (!answered)
		code = api_unreachable(l->api, &err);
	else if (answer->status != 200)
		code = api_fail(l->api, answer);
	else if (!batch_read(answer->json, &l->batch))
		code = cli_failf(l->cli, EXIT_FAILED, NULL, "the gateway's answer is no batch");
	else
		l->gone_ns = 0;
	buf_release(&path);
	return code;
}

int send_list_order(struct send_list *l, const char *what, struct str body)
{
	struct api_request r = { .method = "POST", .body = body };
	struct api_answer answer;
	struct buf path;
	int code;

	buf_init(&path, 1024);
	buf_put_text(&path, "/api/v1/batches");
	api_put_segment(&path, l->batch.id);
	buf_put_char(&path, '/');
	buf_put_text(&path, what);
	r.path = path.data;
	code = api_expect(l->api, &r, &answer);
	if (code == EXIT_OK)
		(void)batch_read(answer.json, &l->batch);
	buf_release(&path);
	return code;
}

/* ---- its end ---- */

static int exit_of(const struct batch *b)
{
	if (!batch_is(b, "done"))
		return b->accepted > 0 ? EXIT_PARTIAL : EXIT_REFUSED;
	if (batch_not_sent(b) == 0 && b->refused == 0)
		return EXIT_OK;
	return b->accepted > 0 ? EXIT_PARTIAL : EXIT_REJECTED;
}

static void print_json(const struct send_list *l, struct json_val batch,
		       const struct batch_reasons *reasons)
{
	struct json_writer w;
	struct json_iter it;
	struct json_val v;
	struct buf b;

	buf_init(&b, JSON_MAX);
	json_w_init(&w, &b);
	json_w_object(&w);
	for (it = json_iter(batch); json_next(&it, &v);) {
		json_w_key(&w, it.key);
		json_w_raw(&w, json_bytes(v));
	}
	json_w_kv_i64(&w, "followed_ms", (clock_real_ns() - l->began_ns) / NS_PER_MS);
	json_w_key(&w, STR("reasons"));
	batch_reasons_put(reasons, &w);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static void print_summary(const struct send_list *l, const struct batch_reasons *reasons)
{
	const struct batch *b = &l->batch;
	char n[BATCH_COUNT_MAX], of[BATCH_COUNT_MAX], took[BATCH_TIME_MAX];

	printf("%s %s of %s sent%s%s in %s\n",
	       out_mark(l->cli, b->accepted == b->ready ? MARK_OK : MARK_WARN),
	       batch_count(b->accepted, n), batch_count(b->ready, of),
	       batch_is(b, "done") ? "" : ", then ", batch_is(b, "done") ? "" : b->state,
	       batch_time((clock_real_ns() - l->began_ns) / NS_PER_S, took));
	batch_reasons_print(l->cli, reasons);
}

static int fail_partial(const struct send_list *l, int code)
{
	const struct batch *b = &l->batch;
	char fix[256], not_sent[BATCH_COUNT_MAX], of[BATCH_COUNT_MAX];

	(void)snprintf(fix, sizeof(fix), "godwit batch results %s --out FILE.csv", b->id);
	return cli_failf(l->cli, code, fix, "%s of %s rows were not sent",
			 batch_count(b->total - b->duplicates - b->accepted, not_sent),
			 batch_count(b->total, of));
}

/* `batch` is l->batch as JSON, valid until the next call. */
static int conclude(struct send_list *l, struct json_val batch)
{
	static const struct batch_reasons none;
	struct batch_reasons *reasons = calloc(1, sizeof(*reasons));
	struct buf kept;
	struct arena *arena;
	const struct json_doc *doc;
	int code;

	if (reasons == NULL)
		return EXIT_FAILED;
	buf_init(&kept, JSON_MAX);
	buf_put_str(&kept, json_bytes(batch)); /* the next call takes it away */
	code = batch_reasons(l->api, &l->batch, reasons);
	if (code == EXIT_OK && l->cli->format == OUT_TABLE && !l->cli->quiet) {
		print_summary(l, reasons);
	} else if (cli_is_json(l->cli)) {
		arena = arena_new(kept.len * 10 + 65536);
		if (arena != NULL && json_scan(buf_str(&kept), arena, &doc, NULL) == GW_OK)
			print_json(l, json_root(doc), code == EXIT_OK ? reasons : &none);
		arena_free(arena);
	} else if (l->cli->format == OUT_ID) {
		printf("%s\n", l->batch.id);
	}
	if (code == EXIT_OK && l->wish->results != NULL)
		code = batch_results_write(l->cli, l->api, &l->batch, l->wish->results);
	if (code == EXIT_OK) {
		code = exit_of(&l->batch);
		if (code != EXIT_OK)
			code = fail_partial(l, code);
	}
	buf_release(&kept);
	free(reasons);
	return code;
}

/* ---- under way ---- */

static int pause_it(struct send_list *l)
{
	char fix[256], n[BATCH_COUNT_MAX], of[BATCH_COUNT_MAX];
	const struct batch *b = &l->batch;

	l->stopped = false;
	send_list_uncatch(l); /* the next Ctrl-C ends the process */
	progress_clear(&l->progress);
	(void)snprintf(fix, sizeof(fix),
		       "godwit send --resume %s goes on, godwit batch cancel %s gives it up", b->id,
		       b->id);
	if (send_list_order(l, "pause", STR_EMPTY) != EXIT_OK)
		return cli_failf(l->cli, EXIT_SIGINT, fix, "the batch goes on in the gateway");
	return cli_failf(l->cli, EXIT_SIGINT, fix, "paused after %s of %s messages",
			 batch_count(b->accepted, n), batch_count(b->ready, of));
}

static int found_paused(const struct send_list *l)
{
	char fix[256];

	(void)snprintf(fix, sizeof(fix), "godwit send --resume %s goes on", l->batch.id);
	return cli_failf(l->cli, EXIT_TEMPORARY, fix, "the batch was paused%s%s",
			 l->batch.why[0] != '\0' ? ": " : " by somebody else", l->batch.why);
}

int send_list_watch(struct send_list *l)
{
	struct api_answer answer;
	int code;

	while ((code = send_list_get(l, &answer)) == EXIT_OK && !batch_is_over(&l->batch) &&
	       !batch_is(&l->batch, "paused")) {
		progress_show(&l->progress, &l->batch, clock_real_ns());
		send_list_nap(l, POLL_MS);
	}
	if (code == EXIT_SIGINT || l->stopped)
		return pause_it(l);
	if (code != EXIT_OK) {
		progress_leave(&l->progress);
		cli_note(l->cli, "the batch is the gateway's: godwit send --resume %s follows it",
			 l->batch.id);
		return code;
	}
	progress_last(&l->progress, &l->batch, clock_real_ns());
	progress_leave(&l->progress);
	return batch_is(&l->batch, "paused") ? found_paused(l) : conclude(l, answer.json);
}
