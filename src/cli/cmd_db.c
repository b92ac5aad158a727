/* SPDX-License-Identifier: MIT */
/*
 * cmd_db.c - godwit db backup|check|restore: copies of the database
 *
 * backup asks the gateway that runs, since only it writes to its database; the
 * copy is checked here.  check and restore work on files that no gateway has.
 *
 * TESTS  tests/system/test_db.py
 */
#include "cli/copy_progress.h"
#include "cli/opt.h"
#include "cli/out.h"
#include "store/store_file.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

extern const struct cmd cmd_db_backup, cmd_db_check, cmd_db_restore;

#define COPY_MS (INT64_C(3600) * 1000) /* a large database on a slow disk */
#define TICK_MS 250 /* between two looks at how far it is */
#define FINDINGS_BYTES (1U << 20)

/* What is wrong, as a JSON array and as lines. */
struct findings {
	const struct cli *cli;
	struct buf json;
	struct json_writer w;
};

static void findings_begin(struct findings *f, const struct cli *cli)
{
	f->cli = cli;
	buf_init(&f->json, FINDINGS_BYTES);
	json_w_init(&f->w, &f->json);
	json_w_array(&f->w);
}

static void on_finding(void *cookie, const char *text)
{
	struct findings *f = cookie;

	json_w_str(&f->w, str_from(text));
	if (!cli_is_json(f->cli))
		(void)fprintf(stderr, "%s %s\n", out_mark(f->cli, MARK_FAIL), text);
}

static int fail(const struct cli *cli, gw_status status, const struct gw_error *err)
{
	switch (status) {
	case GW_ENOTFOUND: return cli_failf(cli, EXIT_NOT_FOUND, NULL, "%s", err->message);
	case GW_EBUSY:
		return cli_failf(cli, EXIT_REFUSED,
				 "stop the gateway first; `godwit db backup` "
				 "copies what it has while it runs",
				 "%s", err->message);
	case GW_EPARSE: return cli_failf(cli, EXIT_CHECK, NULL, "%s", err->message);
	case GW_ESTATE: return cli_failf(cli, EXIT_REFUSED, NULL, "%s", err->message);
	default: return cli_failf(cli, EXIT_FAILED, NULL, "%s", err->message);
	}
}

static void put_file(struct json_writer *w, const struct store_file *file, struct findings *f)
{
	json_w_kv_bool(w, "ok", file->findings == 0);
	json_w_kv_i64(w, "schema", file->schema);
	json_w_kv_i64(w, "newest_schema", file->newest);
	json_w_kv_i64(w, "events", file->events);
	json_w_kv_i64(w, "messages", file->messages);
	json_w_kv_i64(w, "open", file->open);
	json_w_end(&f->w);
	json_w_kv_raw(w, "findings", buf_str(&f->json));
}

static void print_json(struct buf *b)
{
	printf("%.*s\n", STR_ARG(buf_str(b)));
	buf_release(b);
}

/* ---- backup ---- */

/* The gateway has its own working folder. */
static int absolute(struct cli *cli, const char *file, char path[PATH_MAX])
{
	char folder[PATH_MAX];

	if (file[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
		return cli_failf(cli, EXIT_FAILED, NULL, "the working folder is gone");
	if (snprintf(path, PATH_MAX, "%s%s%s", file[0] == '/' ? "" : folder,
		     file[0] == '/' ? "" : "/", file) >= PATH_MAX)
		return cli_failf(cli, EXIT_USAGE, NULL, "%s is too long a path", file);
	return EXIT_OK;
}

/* A copy that nobody can read back is none. */
static int verify(struct cli *cli, const struct api_answer *answer)
{
	struct gw_error err = GW_ERROR_INIT;
	struct store_file file = { 0 };
	struct findings f;
	char path[PATH_MAX];
	struct str name;
	struct json_writer w;
	struct buf b;
	int64_t bytes = 0;
	gw_status status;
	int code = EXIT_OK;

	if (!json_get_str(answer->json, STR("file"), PATH_MAX, &name) ||
	    !str_copy(name, path, sizeof(path)))
		return cli_failf(cli, EXIT_FAILED, NULL, "the answer names no file");
	(void)json_get_i64(answer->json, STR("bytes"), &bytes);
	findings_begin(&f, cli);
	status = store_file_check(path, on_finding, &f, &file, &err);
	if (status != GW_OK) {
		code = cli_failf(cli, status == GW_EPARSE ? EXIT_CHECK : EXIT_FAILED,
				 "run `godwit db check FILE` where the file is, as its owner",
				 "the copy was written but not checked: %s", err.message);
	} else if (cli_is_json(cli)) {
		buf_init(&b, 2 * FINDINGS_BYTES);
		json_w_init(&w, &b);
		json_w_object(&w);
		json_w_kv_text(&w, "file", path);
		json_w_kv_i64(&w, "bytes", bytes);
		put_file(&w, &file, &f);
		json_w_end(&w);
		print_json(&b);
	} else if (file.findings == 0) {
		printf("%s %s  %lld bytes, checked\n", out_mark(cli, MARK_OK), path,
		       (long long)bytes);
	}
	buf_release(&f.json);
	return code != EXIT_OK ? code : file.findings > 0 ? EXIT_CHECK : EXIT_OK;
}

/* file NULL: where the gateway likes. */
static int copy(struct cli *cli, struct copy_progress *progress, const char *file)
{
	struct api_request r = { .method = "POST",
				 .path = "/api/v1/backup",
				 .timeout_ms = COPY_MS };
	struct api_answer answer;
	struct json_writer w;
	struct buf body;
	struct api *a;
	int code;

	buf_init(&body, (size_t)PATH_MAX * 8);
	json_w_init(&w, &body);
	json_w_object(&w);
	if (file != NULL)
		json_w_kv_text(&w, "file", file);
	json_w_end(&w);
	r.body = buf_str(&body);
	progress->file = file;
	a = api_open(cli, &code);
	progress->api = a != NULL ? api_open(cli, &code) : NULL;
	if (progress->api != NULL) {
		cli_note(cli, "copying; the gateway goes on meanwhile");
		r.tick = copy_progress_tick;
		r.tick_cookie = progress;
		r.tick_ms = TICK_MS;
		code = api_expect(a, &r, &answer);
		progress_clear(&progress->shown);
		if (code == EXIT_OK)
			code = verify(cli, &answer);
	}
	api_close(progress->api);
	api_close(a);
	buf_release(&body);
	return code;
}

static int run_backup(struct cli *cli, int argc, char **argv)
{
	const char *word = NULL;
	const struct opt opts[] = { { OPT_TEXT, 0, "progress", &word, "auto|bar|plain|json|none",
				      "how far it is, on standard error" },
				    OPT_END };
	struct copy_progress progress = { .file = NULL };
	char path[PATH_MAX];
	int code = EXIT_OK;

	if (!opt_parse(cli, &cmd_db_backup, opts, &argc, &argv) ||
	    !progress_init(&progress.shown, cli, word))
		return cli->code;
	if (argc > 0)
		code = absolute(cli, argv[0], path);
	if (code == EXIT_OK)
		code = copy(cli, &progress, argc > 0 ? path : NULL);
	return cli_done(cli, code);
}

const struct cmd cmd_db_backup = {
	.name = "db backup",
	.args = "[FILE]",
	.args_max = 1,
	.help = "copy the database of the gateway that runs, and check the copy",
	.more = "The gateway writes the copy, with mode 0600, between its commits; nothing waits\n"
		"for it, and a file that is there is never replaced. Without FILE it goes to\n"
		"backup/ in the data folder, with the time in its name. Secrets are in it.\n"
		"How far it is stands on standard error: a bar on a terminal, a line every ten\n"
		"seconds elsewhere (--progress).",
	.run = run_backup,
};

/* ---- check ---- */

static int report_check(struct cli *cli, const char *what, const struct store_file *file,
			struct findings *f)
{
	struct json_writer w;
	struct buf b;

	if (cli_is_json(cli)) {
		buf_init(&b, 2 * FINDINGS_BYTES);
		json_w_init(&w, &b);
		json_w_object(&w);
		json_w_kv_text(&w, "file", what);
		put_file(&w, file, f);
		json_w_end(&w);
		print_json(&b);
	} else if (file->findings > 0) {
		printf("%s %s: %lld findings\n", out_mark(cli, MARK_FAIL), what,
		       (long long)file->findings);
	} else {
		printf("%s %s  schema %lld%s, %lld events, %lld messages (%lld open)\n",
		       out_mark(cli, MARK_OK), what, (long long)file->schema,
		       file->schema < file->newest ? " (older than this program: only its pages "
						     "were checked)"
						   : "",
		       (long long)file->events, (long long)file->messages, (long long)file->open);
	}
	return file->findings > 0 ? EXIT_CHECK : EXIT_OK;
}

static int run_check(struct cli *cli, int argc, char **argv)
{
	const char *dir = NULL;
	const struct opt opts[] = { { OPT_TEXT, 0, "data", &dir, "DIR",
				      "the data folder of a gateway that does not run" },
				    OPT_END };
	struct gw_error err = GW_ERROR_INIT;
	struct store_file file = { 0 };
	struct findings f;
	gw_status status;
	int code;

	if (!opt_parse(cli, &cmd_db_check, opts, &argc, &argv))
		return cli->code;
	if ((argc > 0) == (dir != NULL))
		return cli_failf(cli, EXIT_USAGE, "godwit db check FILE, or --data DIR",
				 "want a file or a data folder, one of them");
	findings_begin(&f, cli);
	status = dir != NULL ? store_folder_check(dir, on_finding, &f, &file, &err)
			     : store_file_check(argv[0], on_finding, &f, &file, &err);
	code = status == GW_OK ? report_check(cli, dir != NULL ? dir : argv[0], &file, &f)
			       : fail(cli, status, &err);
	buf_release(&f.json);
	return cli_done(cli, code);
}

const struct cmd cmd_db_check = {
	.name = "db check",
	.args = "[FILE]",
	.args_max = 1,
	.help = "is a backup, or a data folder that nobody uses, whole?",
	.more = "Every page and index is read, and what the store promises is asked of its\n"
		"tables. Exit code 9 when something is wrong.",
	.run = run_check,
};

/* ---- restore ---- */

/* Its secrets open only with the key that sealed them, which no backup holds. */
static void tell_key(const struct cli *cli, const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/secrets.key", dir) < (int)sizeof(path) &&
	    access(path, F_OK) != 0)
		cli_note(cli,
			 "There is no %s: before the start put the key there that the backup's "
			 "gateway had, unless secrets.key_file names it.",
			 path);
}

static int report_restore(struct cli *cli, const struct store_restore *r, struct findings *f)
{
	struct json_writer w;
	struct buf b;

	if (cli_is_json(cli)) {
		buf_init(&b, 2 * FINDINGS_BYTES);
		json_w_init(&w, &b);
		json_w_object(&w);
		json_w_kv_text(&w, "data", r->dir);
		put_file(&w, &r->file, f);
		json_w_kv_i64(&w, "held", r->held);
		json_w_kv_text(&w, "aside", r->aside[0] != '\0' ? r->aside : NULL);
		json_w_end(&w);
		print_json(&b);
		return r->file.findings > 0 ? EXIT_CHECK : EXIT_OK;
	}
	if (r->file.findings > 0)
		return cli_failf(cli, EXIT_CHECK, "use another backup",
				 "%s is damaged; nothing was changed", r->path);
	printf("%s %s holds %s: %lld events, %lld messages\n", out_mark(cli, MARK_OK), r->dir,
	       r->path, (long long)r->file.events, (long long)r->file.messages);
	tell_key(cli, r->dir);
	if (r->aside[0] != '\0')
		cli_note(cli, "What was there before: %s", r->aside);
	if (r->held > 0)
		cli_note(cli,
			 "%lld messages may have been sent since the backup and are held as "
			 "unknown: `godwit message list --state unknown`, then `godwit message "
			 "resolve ID`.",
			 (long long)r->held);
	return EXIT_OK;
}

static int run_restore(struct cli *cli, int argc, char **argv)
{
	struct findings f;
	struct store_restore r = { .finding = on_finding, .cookie = &f };
	const struct opt opts[] = { { OPT_TEXT, 0, "data", &r.dir, "DIR",
				      "the data folder; made when it is missing" },
				    { OPT_FLAG, 0, "resume-queue", &r.resume_queue, NULL,
				      "send what was unsent then, even if it was sent since" },
				    OPT_END };
	struct gw_error err = GW_ERROR_INIT;
	gw_status status;
	int code;

	if (!opt_parse(cli, &cmd_db_restore, opts, &argc, &argv))
		return cli->code;
	if (r.dir == NULL)
		return cli_failf(cli, EXIT_USAGE, "godwit db restore FILE --data DIR",
				 "restore where to?");
	r.path = argv[0];
	findings_begin(&f, cli);
	status = store_restore(&r, &err);
	code = status == GW_OK ? report_restore(cli, &r, &f) : fail(cli, status, &err);
	buf_release(&f.json);
	return cli_done(cli, code);
}

const struct cmd cmd_db_restore = {
	.name = "db restore",
	.args = "FILE",
	.args_min = 1,
	.args_max = 1,
	.help = "put a backup in the place of a data folder's database",
	.more = "The gateway of the folder must not run. The backup is checked first, and the\n"
		"database that was there stays beside it. Messages that were not settled in the\n"
		"backup may have been sent since: they become unknown and wait for a status or\n"
		"`godwit message resolve`, unless --resume-queue says that nothing was sent\n"
		"after the backup.",
	.run = run_restore,
};
