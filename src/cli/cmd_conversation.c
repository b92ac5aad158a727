/* SPDX-License-Identifier: MIT */
/*
 * cmd_conversation.c - godwit conversation list|get: who writes with whom, and is the window open
 *
 * TESTS  tests/system/test_conversation.py
 */
#include "cli/api.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_conversation_list, cmd_conversation_get;

#define PATH_MAX_BYTES 8192

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },
		{ "NUMBER", "number_id", OUT_TEXT },
		{ "CONTACT", "contact.phone", OUT_PHONE },
		{ "NAME", "contact.name", OUT_TEXT },
		{ "WINDOW", "window.state", OUT_TEXT },
		{ "UNTIL", "window.until", OUT_TEXT },
		{ "SEQ", "last.seq", OUT_NUMBER },
		{ "LAST", "last.received_at", OUT_TIME },
	};
	const char *number = NULL, *contact = NULL, *limit = NULL, *before = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "number", &number, "ID", "of this number of ours" },
		{ OPT_TEXT, 0, "contact", &contact, "ID", "with this contact (ctc_...)" },
		{ OPT_TEXT, 0, "limit", &limit, "N", "at most so many, newest first (50)" },
		{ OPT_TEXT, 0, "before", &before, "ID", "the page before this conversation" },
		OPT_END
	};
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_conversation_list, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/conversations");
	api_put_query(&path, "number", number);
	api_put_query(&path, "contact", contact);
	api_put_query(&path, "limit", limit);
	api_put_query(&path, "before", before);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no conversations");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_conversation_list = {
	.name = "conversation list",
	.help = "list conversations with the state of their windows, newest first",
	.run = run_list,
	.more = "WINDOW is open, shut, or never when the customer has not written yet.\n"
		"In a shut window only templates are let out (docs/api.md).",
};

static const struct out_column one_conversation[] = {
	{ "id", "id", OUT_TEXT },
	{ "number", "number_id", OUT_TEXT },
	{ "channel", "channel", OUT_TEXT },
	{ "group", "group_id", OUT_TEXT },
	{ "contact", "contact.id", OUT_TEXT },
	{ "phone", "contact.phone", OUT_PHONE },
	{ "user id", "contact.user_id", OUT_TEXT },
	{ "name", "contact.name", OUT_TEXT },
	{ "window", "window.state", OUT_TEXT },
	{ "opened", "window.opened_at", OUT_TIME },
	{ "until", "window.until", OUT_TEXT },
	{ "last seq", "last.seq", OUT_TEXT },
	{ "last", "last.received_at", OUT_TIME },
	{ "last kind", "last.kind", OUT_TEXT },
	{ "created", "created_at", OUT_TIME },
};

static int run_get(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_conversation_get, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/conversations");
	api_put_segment(&path, argv[0]);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_object(cli, answer.json, one_conversation,
			   sizeof(one_conversation) / sizeof(one_conversation[0]), "id");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_conversation_get = {
	.name = "conversation get",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show one conversation and its window",
	.run = run_get,
};
