/* SPDX-License-Identifier: MIT */
/*
 * cmd_batch.c - godwit batch list|get|results|pause|resume|cancel: lists that are sent to
 *
 * TESTS  tests/system/test_send_list.py
 */
#include "cli/batch_rows.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_batch_list, cmd_batch_get, cmd_batch_results, cmd_batch_pause,
	cmd_batch_resume, cmd_batch_cancel;

#define PATH_MAX_BYTES 8192

static void put_batch(struct buf *path, const char *id)
{
	buf_put_text(path, "/api/v1/batches");
	api_put_segment(path, id);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },
		{ "STATE", "state", OUT_TEXT },
		{ "READY", "rows.ready", OUT_NUMBER },
		{ "SENT", "progress.accepted", OUT_NUMBER },
		{ "FAILED", "progress.failed", OUT_NUMBER },
		{ "CREATED", "created_at", OUT_TIME },
		{ "NAME", "name", OUT_TEXT },
	};
	const char *limit = NULL, *before = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "limit", &limit, "N", "at most so many, newest first (50)" },
		{ OPT_TEXT, 0, "before", &before, "ID", "the page before this list" },
		OPT_END
	};
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_batch_list, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/batches");
	api_put_query(&path, "limit", limit);
	api_put_query(&path, "before", before);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no lists");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_batch_list = {
	.name = "batch list",
	.help = "list what was sent to lists, newest first",
	.run = run_list,
};

static void print_batch(const struct cli *cli, struct json_val batch)
{
	static const struct out_column columns[] = {
		{ "id", "id", OUT_TEXT },
		{ "name", "name", OUT_TEXT },
		{ "state", "state", OUT_TEXT },
		{ "why", "why", OUT_TEXT },
		{ "number", "number", OUT_TEXT },
		{ "template", "template", OUT_TEXT },
		{ "text", "text", OUT_TEXT },
		{ "created", "created_at", OUT_TIME },
		{ "rows", "rows.total", OUT_TEXT },
		{ "ready", "rows.ready", OUT_TEXT },
		{ "refused", "rows.refused", OUT_TEXT },
		{ "duplicates", "rows.duplicates", OUT_TEXT },
		{ "sent", "progress.accepted", OUT_TEXT },
		{ "failed", "progress.failed", OUT_TEXT },
		{ "unknown", "progress.unknown", OUT_TEXT },
		{ "expired", "progress.expired", OUT_TEXT },
		{ "rate", "rate", OUT_TEXT },
	};

	out_object(cli, batch, columns, sizeof(columns) / sizeof(columns[0]), "id");
}

static int run_get(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_batch_get, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	put_batch(&path, argv[0]);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		print_batch(cli, answer.json);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_batch_get = {
	.name = "batch get",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show one list and how far it is",
	.run = run_get,
};

static int print_page(struct cli *cli, struct api *a, const char *id, const char *state,
		      const char *after, const char *limit)
{
	static const struct out_column columns[] = {
		{ "ROW", "row", OUT_NUMBER },   { "PHONE", "phone", OUT_PHONE },
		{ "STATE", "state", OUT_TEXT }, { "ID", "id", OUT_TEXT },
		{ "CODE", "code", OUT_TEXT },   { "REASON", "reason", OUT_TEXT },
	};
	struct api_answer answer;
	struct buf path;
	int code;

	buf_init(&path, PATH_MAX_BYTES);
	put_batch(&path, id);
	buf_put_text(&path, "/results");
	api_put_query(&path, "format", "json");
	api_put_query(&path, "state", state);
	api_put_query(&path, "after", after);
	api_put_query(&path, "limit", limit);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no rows");
	buf_release(&path);
	return code;
}

static int write_all(struct cli *cli, struct api *a, const char *id, const char *path)
{
	struct api_answer answer;
	struct batch batch;
	struct buf where;
	int code;

	buf_init(&where, PATH_MAX_BYTES);
	put_batch(&where, id);
	code = api_get(a, where.data, &answer);
	if (code == EXIT_OK && !batch_read(answer.json, &batch))
		code = cli_failf(cli, EXIT_FAILED, NULL, "the gateway's answer is no batch");
	if (code == EXIT_OK)
		code = batch_results_write(cli, a, &batch, path);
	buf_release(&where);
	return code;
}

static int run_results(struct cli *cli, int argc, char **argv)
{
	const char *out = NULL, *state = NULL, *after = NULL, *limit = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "out", &out, "FILE",
		  "every row into a file, .csv or .json; - is standard output" },
		{ OPT_TEXT, 0, "state", &state, "STATE",
		  "only rows in this state, such as failed or refused" },
		{ OPT_TEXT, 0, "after", &after, "ROW", "the page behind this row" },
		{ OPT_TEXT, 0, "limit", &limit, "N", "at most so many" },
		OPT_END
	};
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_batch_results, opts, &argc, &argv))
		return cli->code;
	if (out != NULL && (state != NULL || after != NULL || limit != NULL))
		return cli_failf(cli, EXIT_USAGE, NULL,
				 "--out has every row: no --state, --after and --limit beside it");
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	if (out != NULL)
		code = write_all(cli, a, argv[0], out);
	else
		code = print_page(cli, a, argv[0], state, after, limit);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_batch_results = {
	.name = "batch results",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show what became of each row of a list, or write it into a file",
	.more = "godwit batch results bat_... --state failed\n"
		"godwit batch results bat_... --out results.json",
	.run = run_results,
};

static int order(struct cli *cli, const struct cmd *cmd, const char *what, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, cmd, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	put_batch(&path, argv[0]);
	buf_put_text(&path, what);
	code = api_expect(a, &(struct api_request){ .method = "POST", .path = path.data }, &answer);
	if (code == EXIT_OK)
		print_batch(cli, answer.json);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

static int run_pause(struct cli *cli, int argc, char **argv)
{
	return order(cli, &cmd_batch_pause, "/pause", argc, argv);
}

const struct cmd cmd_batch_pause = {
	.name = "batch pause",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "stop sending to a list; what is on its way still arrives",
	.run = run_pause,
};

static int run_resume(struct cli *cli, int argc, char **argv)
{
	return order(cli, &cmd_batch_resume, "/resume", argc, argv);
}

const struct cmd cmd_batch_resume = {
	.name = "batch resume",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "go on with a list that was paused",
	.more = "`godwit send --resume ID` does the same and follows it.",
	.run = run_resume,
};

static int run_cancel(struct cli *cli, int argc, char **argv)
{
	return order(cli, &cmd_batch_cancel, "/cancel", argc, argv);
}

const struct cmd cmd_batch_cancel = {
	.name = "batch cancel",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "give a list up for good: rows that were not sent never will be",
	.run = run_cancel,
};
