/* SPDX-License-Identifier: MIT */
/*
 * cli.c - one run of the program: its terminal, its failures, its end
 *
 * Data goes to standard output alone; everything else, failures first, to
 * standard error, as one object when the data is JSON.
 *
 * TESTS  tests/unit/test_opt.c, tests/system/test_cli.py
 */
#include "cli/cli.h"
#include "base/panic.h"
#include "json/json.h"
#include <godwit/errors.h>
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- the terminal ---- */

static bool read_format(struct cli *cli)
{
	static const char *const words[] = { "table", "json", "jsonl", "id" };
	const char *word = cli->output != NULL ? cli->output : getenv("GODWIT_OUTPUT");

	if (cli->json)
		word = "json";
	cli->format = OUT_TABLE;
	if (word == NULL || word[0] == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			cli->format = (enum out_format)i;
			return true;
		}
	}
	cli->code = cli_failf(cli, EXIT_USAGE, "there are table, json, jsonl and id",
			      "there is no output format \"%s\"", word);
	return false;
}

static bool may_color(const struct cli *cli, int fd)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR");
	const char *term = getenv("TERM");

	if (cli->no_color || (no != NULL && no[0] != '\0'))
		return false;
	if (force != NULL && force[0] != '\0')
		return true;
	return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

bool cli_settle(struct cli *cli)
{
	struct winsize size;

	if (!read_format(cli))
		return false;
	cli->is_tty = isatty(STDOUT_FILENO);
	cli->color_out = may_color(cli, STDOUT_FILENO);
	cli->color_err = may_color(cli, STDERR_FILENO);
	cli->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	cli->columns = 0;
	if (cli->is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		cli->columns = size.ws_col;
	return true;
}

bool cli_is_json(const struct cli *cli)
{
	return cli->format == OUT_JSON || cli->format == OUT_JSONL;
}

/* ---- failures ---- */

static const char *class_of(int exit)
{
	static const char *const words[] = {
		[EXIT_USAGE] = "usage",     [EXIT_NOT_FOUND] = "not_found",
		[EXIT_AUTH] = "auth",       [EXIT_REFUSED] = "refused",
		[EXIT_REJECTED] = "meta",   [EXIT_TEMPORARY] = "busy",
		[EXIT_PARTIAL] = "partial", [EXIT_CHECK] = "check"
	};

	if (exit < 0 || (size_t)exit >= ARRAY_LEN(words) || words[exit] == NULL)
		return "internal";
	return words[exit];
}

static void put_error(struct json_writer *w, const struct cli_error *e)
{
	char docs[32];

	json_w_object(w);
	json_w_key(w, STR("error"));
	json_w_object(w);
	json_w_kv_text(w, "class", e->class_ != NULL ? e->class_ : class_of(e->exit));
	json_w_kv_i64(w, "exit", e->exit);
	if (e->code != 0)
		json_w_kv_i64(w, "code", e->code);
	else
		json_w_kv_text(w, "code", e->word);
	if (e->subcode != 0)
		json_w_kv_i64(w, "subcode", e->subcode);
	json_w_kv_text(w, "message", e->message);
	json_w_kv_text(w, "fix", e->fix);
	if (e->code != 0 && gw_error_info_find(e->code, e->subcode) != NULL) {
		(void)snprintf(docs, sizeof(docs),
			       e->subcode != 0 ? "godwit explain %d/%d" : "godwit explain %d",
			       e->code, e->subcode);
		json_w_kv_text(w, "docs", docs);
	}
	if (e->retry_after_s > 0)
		json_w_kv_i64(w, "retry_after_s", e->retry_after_s);
	json_w_end(w);
	json_w_end(w);
}

const char *cli_called(const struct cli *cli)
{
	return cli->program != NULL && cli->program[0] == '.' ? cli->program : "godwit";
}

/* The commands in it as they can be copied: behind a backtick, or on a line of their own. */
static void print_fix(const struct cli *cli, struct str fix)
{
	const struct str name = STR("godwit ");
	bool starts = true;
	size_t from = 0;

	for (size_t i = 0; i < fix.len; i++) {
		if (starts && str_starts(str_slice(fix, i, fix.len), name)) {
			(void)fprintf(stderr, "%.*s%s ", STR_ARG(str_slice(fix, from, i)),
				      cli_called(cli));
			from = i + name.len;
		}
		starts = fix.ptr[i] == '`' || fix.ptr[i] == '\n' || (starts && fix.ptr[i] == ' ');
	}
	(void)fprintf(stderr, "%.*s\n", STR_ARG(str_slice(fix, from, fix.len)));
}

int cli_fail(const struct cli *cli, const struct cli_error *e)
{
	struct json_writer w;
	struct buf b;

	(void)fflush(stdout); /* what was said before stands before */
	if (!cli_is_json(cli) && !cli->json) {
		(void)fprintf(stderr, "%sgodwit:%s %s\n", cli->color_err ? "\033[31m" : "",
			      cli->color_err ? "\033[0m" : "", e->message);
		if (e->fix != NULL && e->fix[0] != '\0') {
			(void)fputs("  ", stderr);
			print_fix(cli, str_from(e->fix));
		}
		return e->exit;
	}
	buf_init(&b, 65536);
	json_w_init(&w, &b);
	put_error(&w, e);
	buf_put_char(&b, '\n');
	ASSERT(!buf_failed(&b));
	(void)fwrite(b.data, 1, b.len, stderr);
	buf_release(&b);
	return e->exit;
}

int cli_failf(const struct cli *cli, int exit_code, const char *fix, const char *fmt, ...)
{
	struct cli_error e = { .exit = exit_code, .fix = fix };
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	e.message = message;
	return cli_fail(cli, &e);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	(void)fflush(stdout);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

int cli_done(const struct cli *cli, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE) /* `godwit ... | head` is no failure of ours to report */
		return code;
	return cli_failf(cli, EXIT_FAILED, NULL, "cannot write the output: %s", strerror(errno));
}
