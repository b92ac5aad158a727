/* SPDX-License-Identifier: MIT */
/*
 * cmd_event.c - godwit event list|get|replay: what came in, and where it went
 *
 * TESTS  tests/system/test_cli.py
 */
#include "base/clock.h"
#include "cli/api.h"
#include "cli/event_line.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_event_list, cmd_event_get, cmd_event_replay;

#define PATH_MAX_BYTES 8192

struct list_words {
	const char *type, *account, *conversation, *limit, *before;
	int64_t since_ms, until_ms; /* ago; 0: not given */
};

static void put_ago(struct buf *path, const char *name, int64_t ago_ms)
{
	char text[24];

	if (ago_ms <= 0)
		return;
	(void)snprintf(text, sizeof(text), "%lld", (long long)(clock_real_wall_ms() - ago_ms));
	api_put_query(path, name, text);
}

static void print_list(const struct cli *cli, struct json_val answer)
{
	struct json_iter it;
	struct json_val row;
	struct buf b;

	if (cli->format != OUT_TABLE) {
		out_list(cli, answer, NULL, 0, "id", "");
		return;
	}
	if (json_count(json_member(answer, STR("data"))) == 0)
		cli_note(cli, "no events");
	for (it = json_iter(json_member(answer, STR("data"))); json_next(&it, &row);) {
		buf_init(&b, 1U << 20);
		event_put_line(&b, cli, row);
		printf("%.*s\n", STR_ARG(buf_str(&b)));
		buf_release(&b);
	}
}

static int list(struct cli *cli, const struct list_words *w)
{
	struct api_answer answer;
	struct buf path;
	int code;
	struct api *a = api_open(cli, &code);

	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/events");
	api_put_query(&path, "type", w->type);
	api_put_query(&path, "account", w->account);
	api_put_query(&path, "conversation", w->conversation);
	api_put_query(&path, "limit", w->limit);
	api_put_query(&path, "before", w->before);
	put_ago(&path, "since", w->since_ms);
	put_ago(&path, "until", w->until_ms);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		print_list(cli, answer.json);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	struct list_words w = { 0 };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "type", &w.type, "TYPE", "such as message.received" },
		{ OPT_TEXT, 0, "account", &w.account, "ID", "of this number or page" },
		{ OPT_TEXT, 0, "conversation", &w.conversation, "ID", "cnv_..." },
		{ OPT_MS, 0, "since", &w.since_ms, "DURATION", "not older than this" },
		{ OPT_MS, 0, "until", &w.until_ms, "DURATION", "older than this" },
		{ OPT_TEXT, 0, "limit", &w.limit, "N", "at most so many, newest first (50)" },
		{ OPT_TEXT, 0, "before", &w.before, "ID", "the page before this event" },
		OPT_END
	};

	if (!opt_parse(cli, &cmd_event_list, opts, &argc, &argv))
		return cli->code;
	return list(cli, &w);
}

const struct cmd cmd_event_list = {
	.name = "event list",
	.help = "list events, newest first",
	.run = run_list,
};

static void print_deliveries(const struct cli *cli, struct json_val list)
{
	static const struct out_column columns[] = {
		{ "DESTINATION", "destination", OUT_TEXT },
		{ "STATE", "state", OUT_TEXT },
		{ "ATTEMPTS", "attempts", OUT_NUMBER },
		{ "HTTP", "http_status", OUT_NUMBER },
		{ "NEXT", "next_at", OUT_TEXT },
		{ "WHY", "why", OUT_TEXT },
		{ "URL", "url", OUT_TEXT },
	};

	if (json_count(list) == 0)
		return;
	printf("\n");
	out_rows(cli, list, columns, sizeof(columns) / sizeof(columns[0]));
}

static const struct out_column one_event[] = {
	{ "id", "id", OUT_TEXT },
	{ "type", "type", OUT_TEXT },
	{ "time", "time", OUT_TEXT },
	{ "received", "received_at", OUT_TIME },
	{ "channel", "channel", OUT_TEXT },
	{ "account", "account.id", OUT_TEXT },
	{ "conversation", "conversation.id", OUT_TEXT },
	{ "seq", "conversation.seq", OUT_TEXT },
	{ "from", "contact.name", OUT_TEXT },
	{ "phone", "contact.phone", OUT_PHONE },
	{ "message", "message.id", OUT_TEXT },
	{ "sent message", "sent_message", OUT_TEXT },
	{ "kind", "message.kind", OUT_TEXT },
	{ "text", "message.text", OUT_TEXT },
	{ "status", "status.state", OUT_TEXT },
	{ "error", "status.error.code", OUT_TEXT },
	{ "error title", "status.error.title", OUT_TEXT },
	{ "field", "change.field", OUT_TEXT },
	{ "opaque", "opaque", OUT_TEXT },
	{ "raw", "raw", OUT_TEXT },
	{ "body", "body", OUT_TEXT },
};

static int run_get(struct cli *cli, int argc, char **argv)
{
	bool raw = false, body = false;
	const struct opt opts[] = { { OPT_FLAG, 0, "raw", &raw, NULL, "with the item as it came" },
				    { OPT_FLAG, 0, "body", &body, NULL,
				      "with the whole body it came in" },
				    OPT_END };
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_event_get, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/events");
	api_put_segment(&path, argv[0]);
	api_put_query(&path, "raw", raw ? "1" : NULL);
	api_put_query(&path, "body", body ? "1" : NULL);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK) {
		out_object(cli, answer.json, one_event, sizeof(one_event) / sizeof(one_event[0]),
			   "id");
		if (cli->format == OUT_TABLE)
			print_deliveries(cli, json_member(answer.json, STR("deliveries")));
	}
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_event_get = {
	.name = "event get",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show one event and its deliveries",
	.run = run_get,
};

static int run_replay(struct cli *cli, int argc, char **argv)
{
	const char *to = NULL;
	const struct opt opts[] = { { OPT_TEXT, 0, "to", &to, "ID",
				      "to this destination only; else to all that want it" },
				    OPT_END };
	struct api_answer answer;
	struct buf path, body;
	int64_t count = 0;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_event_replay, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/events");
	api_put_segment(&path, argv[0]);
	buf_put_text(&path, "/replay");
	buf_init(&body, PATH_MAX_BYTES);
	buf_put_text(&body, "{");
	if (to != NULL) {
		buf_put_text(&body, "\"destination\":");
		json_quote(&body, str_from(to), false);
	}
	buf_put_text(&body, "}");
	code = api_expect(a,
			  &(struct api_request){
				  .method = "POST", .path = path.data, .body = buf_str(&body) },
			  &answer);
	if (code == EXIT_OK && cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(answer.body));
	} else if (code == EXIT_OK) {
		(void)json_get_i64(answer.json, STR("replayed"), &count);
		printf("%s %lld deliver%s queued again\n",
		       out_mark(cli, count > 0 ? MARK_OK : MARK_SKIP), (long long)count,
		       count == 1 ? "y" : "ies");
	}
	buf_release(&body);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_event_replay = {
	.name = "event replay",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "deliver an event to its destinations once more",
	.run = run_replay,
};
