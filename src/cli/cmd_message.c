/* SPDX-License-Identifier: MIT */
/*
 * cmd_message.c - godwit message list|get|resolve: what was handed over, and what became of it
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_message_list, cmd_message_get, cmd_message_resolve;

#define PATH_MAX_BYTES 8192

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },         { "STATE", "state", OUT_TEXT },
		{ "STATUS", "status", OUT_TEXT }, { "TO", "to", OUT_PHONE },
		{ "KIND", "kind", OUT_TEXT },     { "CREATED", "created_at", OUT_TIME },
		{ "TRIES", "tries", OUT_NUMBER }, { "ERROR", "error.code", OUT_NUMBER },
	};
	const char *state = NULL, *number = NULL, *to = NULL, *limit = NULL, *before = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "state", &state,
		  "queued|sending|waiting|accepted|rejected|unknown|expired", "in this state" },
		{ OPT_TEXT, 0, "number", &number, "ID", "of this sending number" },
		{ OPT_TEXT, 0, "to", &to, "PHONE", "to this recipient" },
		{ OPT_TEXT, 0, "limit", &limit, "N", "at most so many, newest first (50)" },
		{ OPT_TEXT, 0, "before", &before, "ID", "the page before this message" },
		OPT_END
	};
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_message_list, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/messages");
	api_put_query(&path, "state", state);
	api_put_query(&path, "number", number);
	api_put_query(&path, "to", to != NULL && to[0] == '+' ? to + 1 : to);
	api_put_query(&path, "limit", limit);
	api_put_query(&path, "before", before);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no messages");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_message_list = {
	.name = "message list",
	.help = "list messages, newest first",
	.run = run_list,
};

static const struct out_column one_message[] = {
	{ "id", "id", OUT_TEXT },
	{ "state", "state", OUT_TEXT },
	{ "status", "status", OUT_TEXT },
	{ "number", "number_id", OUT_TEXT },
	{ "to", "to", OUT_PHONE },
	{ "kind", "kind", OUT_TEXT },
	{ "wamid", "wamid", OUT_TEXT },
	{ "opaque", "opaque", OUT_TEXT },
	{ "tries", "tries", OUT_TEXT },
	{ "attempts", "attempts", OUT_TEXT },
	{ "reason", "reason", OUT_TEXT },
	{ "created", "created_at", OUT_TIME },
	{ "next try", "next_at", OUT_TEXT },
	{ "expires", "expires_at", OUT_TEXT },
	{ "error", "error.code", OUT_TEXT },
	{ "title", "error.title", OUT_TEXT },
	{ "meaning", "error.meaning", OUT_TEXT },
	{ "fix", "error.fix", OUT_TEXT },
	{ "more", "error.explain", OUT_TEXT },
};

static int run_get(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_message_get, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/messages");
	api_put_segment(&path, argv[0]);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_object(cli, answer.json, one_message,
			   sizeof(one_message) / sizeof(one_message[0]), "id");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_message_get = {
	.name = "message get",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show one message, by msg_... or wamid",
	.run = run_get,
};

static int run_resolve(struct cli *cli, int argc, char **argv)
{
	const char *as = NULL;
	const struct opt opts[] = { { OPT_TEXT, 0, "as", &as, "sent|resend|expire",
				      "sent: Meta has it; resend: it does not; expire: give up" },
				    OPT_END };
	struct api_answer answer;
	struct buf path, body;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_message_resolve, opts, &argc, &argv))
		return cli->code;
	if (as == NULL)
		return cli_failf(cli, EXIT_USAGE, "say --as sent, --as resend or --as expire",
				 "message resolve: how?");
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/messages");
	api_put_segment(&path, argv[0]);
	buf_put_text(&path, "/resolve");
	buf_init(&body, PATH_MAX_BYTES);
	buf_put_text(&body, "{\"as\":");
	json_quote(&body, str_from(as), false);
	buf_put_char(&body, '}');
	code = api_expect(a,
			  &(struct api_request){
				  .method = "POST", .path = path.data, .body = buf_str(&body) },
			  &answer);
	if (code == EXIT_OK && cli->format == OUT_ID)
		printf("%s\n", argv[0]);
	else if (code == EXIT_OK && cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else if (code == EXIT_OK)
		printf("%s %s resolved as %s\n", out_mark(cli, MARK_OK), argv[0], as);
	buf_release(&body);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_message_resolve = {
	.name = "message resolve",
	.args = "ID --as sent|resend|expire",
	.args_min = 1,
	.args_max = 1,
	.help = "decide what became of a message whose answer was lost",
	.more = "Only for messages in state unknown. `resend` sends it again: if Meta had it\n"
		"after all, the recipient gets it twice.",
	.run = run_resolve,
};
