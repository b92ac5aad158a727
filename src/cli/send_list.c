/* SPDX-License-Identifier: MIT */
/*
 * send_list.c - godwit send --csv: from the file to the start
 *
 * LIFE     file -> uploaded -> checked by the gateway -> preview -> confirmed
 *          (live) -> started -> send_watch.c.
 * INVARIANT Nothing is sent before the start: whoever leaves earlier, by Ctrl-C,
 *          a wrong count or --dry-run, has the batch cancelled.
 * TESTS    tests/system/test_send_list.py
 */
#include "cli/send_list.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/send_csv.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define PATH_MAX_BYTES 65536
#define UPLOAD_MS (INT64_C(15) * 60 * 1000)
#define POLL_MS 100
#define ANSWER_BYTES 64

/* ---- the upload ---- */

static void put_options(struct buf *path, const struct send_wish *w, const char *number,
			const char *label)
{
	char name[256];
	size_t at;

	buf_put_text(path, "/api/v1/batches");
	api_put_query(path, "number", number);
	api_put_query(path, "template", w->template);
	if (w->template != NULL)
		api_put_query(path, "language", w->lang != NULL ? w->lang : "en_US");
	api_put_query(path, "text", w->text);
	for (size_t i = 0; i < w->vars.count; i++) {
		struct str pair = str_from(w->vars.items[i]);

		(void)str_find_char(pair, '=', &at); /* send_vars_check() */
		(void)snprintf(name, sizeof(name), "var.%.*s", (int)at, pair.ptr);
		api_put_query(path, name, w->vars.items[i] + at + 1);
	}
	api_put_query(path, "category", w->category);
	api_put_query(path, "phone", w->phone);
	api_put_query(path, "name", w->name != NULL ? w->name : label);
}

static int upload(struct send_list *l, const struct send_csv *csv, const char *number)
{
	struct api_request r = { .method = "POST",
				 .body_fd = csv->fd,
				 .body_file_len = csv->bytes,
				 .content_type = "text/csv",
				 .timeout_ms = UPLOAD_MS,
				 .stop = &l->stopped,
				 .if_lost = "nothing was sent: a batch waits for its start. "
					    "`godwit batch list` shows whether it is there" };
	struct gw_error err = GW_ERROR_INIT;
	struct api_answer answer;
	struct buf path;
	int code = EXIT_OK;

	buf_init(&path, PATH_MAX_BYTES);
	put_options(&path, l->wish, number, csv->label);
	if (buf_failed(&path)) {
		buf_release(&path);
		return cli_failf(l->cli, EXIT_USAGE, NULL, "the options are too long");
	}
	r.path = path.data;
	if (!api_try(l->api, &r, &answer, &err))
		code = l->stopped ? EXIT_SIGINT : api_unreachable(l->api, &err);
	else if (answer.status < 200 || answer.status > 299)
		code = api_fail(l->api, &answer);
	else if (!batch_read(answer.json, &l->batch))
		code = cli_failf(l->cli, EXIT_FAILED, NULL, "the gateway's answer is no batch");
	buf_release(&path);
	return code;
}

/* ---- before the start ---- */

/* Nothing was sent and nothing will be. */
static int leave(struct send_list *l, int code)
{
	l->stopped = false;
	send_list_uncatch(l);
	progress_clear(&l->progress);
	if (!batch_is_over(&l->batch))
		(void)send_list_order(l, "cancel", STR_EMPTY);
	return code;
}

static int interrupted(struct send_list *l)
{
	progress_clear(&l->progress);
	return leave(l, cli_failf(l->cli, EXIT_SIGINT, NULL, "nothing was sent"));
}

static int wait_checked(struct send_list *l, struct api_answer *answer)
{
	int code;

	while ((code = send_list_get(l, answer)) == EXIT_OK && batch_is(&l->batch, "checking")) {
		progress_show(&l->progress, &l->batch, clock_real_ns());
		send_list_nap(l, POLL_MS);
	}
	progress_clear(&l->progress);
	return code;
}

static void show(const struct send_list *l, const struct api_answer *answer)
{
	if (l->cli->format == OUT_TABLE && !l->cli->quiet)
		send_preview_print(l->cli, &l->batch, answer->json);
	else if (cli_is_json(l->cli) && l->wish->dry_run)
		printf("%.*s\n", STR_ARG(json_bytes(answer->json)));
}

static int wrong_count(struct send_list *l, const char *typed)
{
	char of[BATCH_COUNT_MAX];

	return leave(l, cli_failf(l->cli, EXIT_REFUSED,
				  "nothing was sent; --dry-run shows the list without sending it",
				  "%s messages would be sent, not \"%s\"",
				  batch_count(l->batch.ready, of), typed));
}

/* A line from the terminal; false: Ctrl-C, or the end of the input. */
static bool read_line(struct send_list *l, char *out, size_t cap)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = l->signal_fd, .events = POLLIN } };
	ssize_t n;

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	if (fds[1].revents != 0) {
		l->stopped = true;
		return false;
	}
	n = read(STDIN_FILENO, out, cap - 1);
	if (n <= 0)
		return false;
	(void)str_copy(str_trim(str_make(out, (size_t)n)), out, cap);
	return true;
}

static int confirm(struct send_list *l)
{
	char want[32], typed[ANSWER_BYTES], of[BATCH_COUNT_MAX];

	(void)snprintf(want, sizeof(want), "%lld", (long long)l->batch.ready);
	if (l->wish->confirm != NULL)
		return strcmp(l->wish->confirm, want) == 0 ? EXIT_OK
							   : wrong_count(l, l->wish->confirm);
	if (l->is_sandbox)
		return EXIT_OK;
	(void)fflush(stdout);
	(void)fprintf(stderr, "LIVE: this goes to %s people. Type %s to send it: ",
		      batch_count(l->batch.ready, of), want);
	(void)fflush(stderr);
	if (!read_line(l, typed, sizeof(typed))) {
		(void)fputc('\n', stderr);
		return interrupted(l);
	}
	if (strcmp(typed, want) != 0 && strcmp(typed, of) != 0)
		return wrong_count(l, typed);
	return EXIT_OK;
}

static int start(struct send_list *l)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"confirm\":%lld}", (long long)l->batch.ready);
	return send_list_order(l, "start", str_from(body));
}

/* From a batch that is being checked, or was. */
static int check_and_start(struct send_list *l)
{
	struct api_answer answer;
	int code = wait_checked(l, &answer);

	if (code == EXIT_SIGINT)
		return interrupted(l);
	if (code != EXIT_OK)
		return code;
	show(l, &answer);
	if (batch_is(&l->batch, "refused"))
		return cli_failf(l->cli, EXIT_REFUSED, NULL, "the list was refused: %s",
				 l->batch.why[0] != '\0' ? l->batch.why : "see above");
	if (l->wish->dry_run)
		return leave(l, l->batch.refused > 0 ? EXIT_PARTIAL : EXIT_OK);
	if (!batch_is(&l->batch, "ready"))
		return EXIT_OK; /* somebody else started it, or gave it up */
	if (l->batch.ready == 0)
		return leave(
			l, cli_failf(l->cli, EXIT_REFUSED, NULL, "no row of the list can be sent"));
	code = confirm(l);
	return code == EXIT_OK ? start(l) : code;
}

/* ---- the command ---- */

static int check_wish(const struct cli *cli, const struct send_wish *w, int words)
{
	static const char how[] = "godwit send --csv FILE --template NAME --var 1=COLUMN, or "
				  "--text \"Hi {{column}}\"";

	if (w->csv != NULL && w->resume != NULL)
		return cli_failf(cli, EXIT_USAGE, how, "either --csv or --resume");
	if (words > 0)
		return cli_failf(cli, EXIT_USAGE, how, "who gets it stands in the list");
	if (w->json_body != NULL || w->wait != NULL || w->key != NULL || w->async || w->park ||
	    w->fallback != NULL || w->fallback_vars.count > 0)
		return cli_failf(cli, EXIT_USAGE, how,
				 "--json-body, --wait, --idempotency-key, --async, --park and "
				 "--fallback-template are for one message");
	if (w->csv != NULL && (w->template == NULL) == (w->text == NULL))
		return cli_failf(cli, EXIT_USAGE, how, "want either --template or --text");
	if (w->text != NULL && w->vars.count > 0)
		return cli_failf(cli, EXIT_USAGE,
				 "write the columns into it: --text \"Hi {{name}}\"",
				 "--var is for templates");
	return EXIT_OK;
}

/* Nobody would be there to type the count: said before anything is uploaded. */
static int check_confirm(const struct send_list *l)
{
	if (l->is_sandbox || l->wish->confirm != NULL || l->wish->dry_run ||
	    (isatty(STDIN_FILENO) && !l->cli->no_input))
		return EXIT_OK;
	return cli_failf(l->cli, EXIT_USAGE,
			 "--confirm=COUNT says how many messages you expect; --dry-run counts them",
			 "the gateway is live, and nobody is there to confirm the count");
}

static int send_csv(struct send_list *l)
{
	struct send_csv csv = { .fd = -1 };
	struct send_sender from = { .is_sandbox = false };
	int code;

	progress_say(&l->progress, "reading %s",
		     strcmp(l->wish->csv, "-") == 0 ? "standard input" : l->wish->csv);
	code = send_csv_open(l->cli, l->wish->csv, &csv);
	if (code == EXIT_OK)
		code = send_list_catch(l);
	if (code == EXIT_OK)
		code = send_from(l->api, l->cli, l->wish->from, &from);
	l->is_sandbox = from.is_sandbox;
	if (code == EXIT_OK)
		code = check_confirm(l);
	if (code == EXIT_OK) {
		progress_say(&l->progress, "checking %s, %.1f MB", csv.label,
			     (double)csv.bytes / 1e6);
		code = upload(l, &csv, from.number);
		if (code == EXIT_SIGINT)
			code = cli_failf(l->cli, code, NULL, "nothing was sent");
		else if (code == EXIT_OK)
			code = check_and_start(l);
	}
	send_csv_close(&csv);
	return code;
}

static int resume(struct send_list *l)
{
	struct send_sender from = { .is_sandbox = false };
	int code = send_list_catch(l);

	(void)str_copy(str_from(l->wish->resume), l->batch.id, sizeof(l->batch.id));
	if (code == EXIT_OK)
		code = send_list_get(l, NULL);
	if (code == EXIT_OK && batch_is(&l->batch, "paused"))
		return send_list_order(l, "resume", STR_EMPTY);
	if (code != EXIT_OK || (!batch_is(&l->batch, "checking") && !batch_is(&l->batch, "ready")))
		return code;
	code = send_from(l->api, l->cli, l->batch.number, &from);
	l->is_sandbox = from.is_sandbox;
	if (code == EXIT_OK)
		code = check_confirm(l);
	return code == EXIT_OK ? check_and_start(l) : code;
}

int send_list(struct cli *cli, const struct send_wish *wish, int words)
{
	struct send_list l = {
		.cli = cli, .wish = wish, .signal_fd = -1, .began_ns = clock_real_ns()
	};
	int code = check_wish(cli, wish, words);

	if (code != EXIT_OK)
		return code;
	if (!progress_init(&l.progress, cli, wish->progress))
		return cli->code;
	l.api = api_open(cli, &code);
	if (l.api == NULL)
		return code;
	code = wish->csv != NULL ? send_csv(&l) : resume(&l);
	if (code == EXIT_OK && !(wish->dry_run && wish->csv != NULL))
		code = send_list_watch(&l);
	progress_clear(&l.progress);
	send_list_uncatch(&l);
	api_close(l.api);
	return cli_done(cli, code);
}
