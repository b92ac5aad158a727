/* SPDX-License-Identifier: MIT */
/*
 * cmd_sandbox_control.c - godwit sandbox say|clock|inject: steer a running sandbox
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/input.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_sandbox_say, cmd_sandbox_clock, cmd_sandbox_inject;

#define BODY_MAX (4U << 20)
#define SANDBOX_URL(to)                                                                 \
	{                                                                               \
		OPT_TEXT, 0, "sandbox-url", (to), "URL", "the sandbox (GODWIT_SANDBOX)" \
	}

static int call(struct api *a, const char *method, const char *path, const struct buf *body,
		struct api_answer *answer)
{
	if (body != NULL && buf_failed(body))
		return EXIT_USAGE;
	return api_expect(a,
			  &(struct api_request){ .method = method,
						 .path = path,
						 .body = body == NULL ? STR_EMPTY : buf_str(body) },
			  answer);
}

/* ---- say ---- */

/* The message of --message as raw JSON, checked. */
static int put_message(const struct cli *cli, struct json_writer *w, const char *file)
{
	struct arena *arena = arena_new(BODY_MAX * 10);
	struct gw_error err = GW_ERROR_INIT;
	const struct json_doc *doc;
	struct buf b;
	int code;

	buf_init(&b, BODY_MAX);
	code = input_read(cli, file, &b);
	if (code == EXIT_OK &&
	    (arena == NULL || json_scan(buf_str(&b), arena, &doc, &err) != GW_OK))
		code = cli_failf(cli, EXIT_USAGE, NULL, "%s: %s", file, err.message);
	if (code == EXIT_OK)
		json_w_kv_raw(w, "message", json_bytes(json_root(doc)));
	buf_release(&b);
	arena_free(arena);
	return code;
}

static int put_say(const struct cli *cli, struct buf *b, char **words, int count, const char *to,
		   const char *message)
{
	struct json_writer w;
	int code = EXIT_OK;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "from", words[0]);
	if (to != NULL)
		json_w_kv_text(&w, "to", to);
	if (message != NULL)
		code = put_message(cli, &w, message);
	else if (count > 1)
		json_w_kv_text(&w, "text", words[1]);
	else
		code = cli_failf(cli, EXIT_USAGE, "give TEXT, or --message FILE",
				 "sandbox say: nothing to say");
	json_w_end(&w);
	return code;
}

static int run_say(struct cli *cli, int argc, char **argv)
{
	const char *url = NULL, *to = NULL, *message = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "to", &to, "ID", "to this number of the business; else the first" },
		{ OPT_TEXT, 0, "message", &message, "FILE",
		  "any message as JSON, such as {\"type\":\"image\",...}; - is standard input" },
		SANDBOX_URL(&url),
		OPT_END
	};
	struct api_answer answer;
	struct str id = STR_EMPTY;
	struct api *a;
	struct buf b;
	int code;

	if (!opt_parse(cli, &cmd_sandbox_say, opts, &argc, &argv))
		return cli->code;
	a = api_open_sandbox(cli, url, &code);
	if (a == NULL)
		return code;
	buf_init(&b, BODY_MAX);
	code = put_say(cli, &b, argv, argc, to, message);
	if (code == EXIT_OK)
		code = call(a, "POST", "/sandbox/v1/say", &b, &answer);
	if (code == EXIT_OK && cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else if (code == EXIT_OK && json_get_str(answer.json, STR("id"), 512, &id))
		printf("%s%.*s\n", cli->format == OUT_ID ? "" : "said  ", STR_ARG(id));
	buf_release(&b);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_sandbox_say = {
	.name = "sandbox say",
	.args = "FROM [TEXT]",
	.args_min = 1,
	.args_max = 2,
	.help = "a customer writes to the business",
	.more = "godwit sandbox say +5571990000001 \"Is it open today?\"",
	.run = run_say,
};

/* ---- clock ---- */

static int put_move(const struct cli *cli, struct buf *b, char **words, int count)
{
	static const char *const verbs[] = { "advance", "set", "freeze", "resume" };
	int64_t ms;
	size_t i = 0;

	while (i < sizeof(verbs) / sizeof(verbs[0]) && strcmp(words[0], verbs[i]) != 0)
		i++;
	if (i == sizeof(verbs) / sizeof(verbs[0]) || (count == 2) != (i < 2))
		return cli_failf(cli, EXIT_USAGE,
				 "want advance DURATION, set TIME, freeze, resume, or nothing",
				 "sandbox clock: \"%s%s%s\" is no order", words[0],
				 count > 1 ? " " : "", count > 1 ? words[1] : "");
	if (i == 0 && !str_to_duration_ms(str_from(words[1]), &ms))
		return cli_failf(cli, EXIT_USAGE, "want a duration such as 90s, 24h or 23h59m",
				 "sandbox clock advance: \"%s\" is none", words[1]);
	if (i == 0) {
		buf_put_fmt(b, "{\"advance_ms\":%lld}", (long long)ms);
	} else if (i == 1) {
		buf_put_text(b, "{\"set\":");
		json_quote(b, str_from(words[1]), false);
		buf_put_char(b, '}');
	} else {
		buf_put_fmt(b, "{\"%s\":true}", verbs[i]);
	}
	return EXIT_OK;
}

static void print_clock(const struct cli *cli, const struct api_answer *answer)
{
	int64_t wall_ms = 0, offset_ms = 0;
	char text[CLOCK_RFC3339_MAX];
	bool frozen = false;

	if (cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(answer->body));
		return;
	}
	(void)json_get_i64(answer->json, STR("wall_ms"), &wall_ms);
	(void)json_get_i64(answer->json, STR("offset_ms"), &offset_ms);
	(void)json_get_bool(answer->json, STR("frozen"), &frozen);
	clock_format_ms(wall_ms, text);
	printf("%s  %s, %+.3f s\n", text, frozen ? "frozen" : "running",
	       (double)offset_ms / 1000.0);
}

static int run_clock(struct cli *cli, int argc, char **argv)
{
	const char *url = NULL;
	const struct opt opts[] = { SANDBOX_URL(&url), OPT_END };
	struct api_answer answer;
	struct api *a;
	struct buf b;
	int code;

	if (!opt_parse(cli, &cmd_sandbox_clock, opts, &argc, &argv))
		return cli->code;
	a = api_open_sandbox(cli, url, &code);
	if (a == NULL)
		return code;
	buf_init(&b, BODY_MAX);
	code = argc > 0 ? put_move(cli, &b, argv, argc) : EXIT_OK;
	if (code == EXIT_OK)
		code = argc > 0 ? call(a, "POST", "/sandbox/v1/clock", &b, &answer)
				: call(a, "GET", "/sandbox/v1/clock", NULL, &answer);
	if (code == EXIT_OK)
		print_clock(cli, &answer);
	buf_release(&b);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_sandbox_clock = {
	.name = "sandbox clock",
	.args = "[advance DURATION | set TIME | freeze | resume]",
	.args_max = 2,
	.help = "show or move the time of the sandbox and of the gateway that follows it",
	.more = "godwit sandbox clock advance 24h     the customer service window closes\n"
		"It answers when everything that was due has happened.",
	.run = run_clock,
};

/* ---- inject ---- */

struct inject_words {
	const char *url, *fault, *number, *to, *details;
	int64_t next, every, error, http, retry_after_s, delay_ms;
	bool always;
};

static void kv_if(struct json_writer *w, const char *key, int64_t value)
{
	if (value > 0)
		json_w_kv_i64(w, key, value);
}

static void put_rule(struct buf *b, const char *target, const struct inject_words *i)
{
	const char *fault = i->fault != NULL ? i->fault : i->error > 0 ? "error" : "slow";
	struct json_writer w;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "target", target);
	json_w_kv_text(&w, "fault", fault);
	if (i->always)
		json_w_kv_bool(&w, "always", true);
	kv_if(&w, "next", i->next);
	kv_if(&w, "every", i->every);
	kv_if(&w, "code", i->error);
	kv_if(&w, "http", i->http);
	kv_if(&w, "retry_after", i->retry_after_s);
	kv_if(&w, "delay_ms", i->delay_ms);
	if (i->number != NULL)
		json_w_kv_text(&w, "number", i->number);
	if (i->to != NULL)
		json_w_kv_text(&w, "to", i->to);
	if (i->details != NULL)
		json_w_kv_text(&w, "details", i->details);
	json_w_end(&w);
}

static int inject(struct cli *cli, struct api *a, const char *target, const struct inject_words *i)
{
	struct api_answer answer;
	int64_t id = 0;
	struct buf b;
	int code;

	buf_init(&b, BODY_MAX);
	put_rule(&b, target, i);
	code = call(a, "POST", "/sandbox/v1/inject", &b, &answer);
	if (code == EXIT_OK && cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(answer.body));
	} else if (code == EXIT_OK) {
		(void)json_get_i64(answer.json, STR("id"), &id);
		printf(cli->format == OUT_ID ? "%lld\n" : "rule %lld is armed\n", (long long)id);
	}
	buf_release(&b);
	return code;
}

static int list_rules(struct cli *cli, struct api *a)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_NUMBER },       { "FAULT", "fault", OUT_TEXT },
		{ "TARGET", "target", OUT_TEXT }, { "WHEN", "when", OUT_TEXT },
		{ "N", "n", OUT_NUMBER },         { "CODE", "code", OUT_NUMBER },
		{ "FIRED", "fired", OUT_NUMBER },
	};
	struct api_answer answer;
	int code = call(a, "GET", "/sandbox/v1/inject", NULL, &answer);

	if (code != EXIT_OK)
		return code;
	if (cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else
		out_rows(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]));
	return EXIT_OK;
}

static int clear_rules(struct cli *cli, struct api *a, const char *id)
{
	struct api_answer answer;
	struct buf path;
	int code;

	buf_init(&path, 4096);
	buf_put_text(&path, "/sandbox/v1/inject");
	if (id != NULL)
		api_put_segment(&path, id);
	code = call(a, "DELETE", path.data, NULL, &answer);
	if (code == EXIT_OK && cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	buf_release(&path);
	return code;
}

static int run_inject(struct cli *cli, int argc, char **argv)
{
	struct inject_words i = { 0 };
	const struct opt opts[] = {
		{ OPT_I64, 0, "error", &i.error, "CODE", "a Graph error, such as 130429" },
		{ OPT_TEXT, 0, "fault", &i.fault, "FAULT",
		  "slow, hang, reset, close, 5xx, accept_close and others (docs/sandbox.md)" },
		{ OPT_I64, 0, "next", &i.next, "N", "the next N calls (1)" },
		{ OPT_I64, 0, "every", &i.every, "N", "every Nth call" },
		{ OPT_FLAG, 0, "always", &i.always, NULL, "all calls" },
		{ OPT_TEXT, 0, "number", &i.number, "ID", "only of this sending number" },
		{ OPT_TEXT, 0, "to", &i.to, "PHONE", "only to this customer" },
		{ OPT_I64, 0, "http", &i.http, "STATUS", "the HTTP status of the error" },
		{ OPT_I64, 0, "retry-after", &i.retry_after_s, "SECONDS", "a Retry-After header" },
		{ OPT_MS, 0, "delay", &i.delay_ms, "DURATION", "of slow" },
		{ OPT_TEXT, 0, "details", &i.details, "TEXT", "of the error" },
		SANDBOX_URL(&i.url),
		OPT_END
	};
	const char *word;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_sandbox_inject, opts, &argc, &argv))
		return cli->code;
	a = api_open_sandbox(cli, i.url, &code);
	if (a == NULL)
		return code;
	word = argc > 0 ? argv[0] : "send";
	if (strcmp(word, "list") == 0 && argc == 1)
		code = list_rules(cli, a);
	else if (strcmp(word, "clear") == 0)
		code = clear_rules(cli, a, argc > 1 ? argv[1] : NULL);
	else if ((strcmp(word, "send") == 0 || strcmp(word, "any") == 0) && argc <= 1 &&
		 (i.error > 0 || i.fault != NULL || i.delay_ms > 0))
		code = inject(cli, a, word, &i);
	else
		code = cli_failf(cli, EXIT_USAGE,
				 "want send or any with --error CODE or --fault FAULT, list, "
				 "or clear [ID]",
				 "sandbox inject: nothing to do");
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_sandbox_inject = {
	.name = "sandbox inject",
	.args = "[send|any|list|clear [ID]]",
	.args_max = 2,
	.help = "make calls to the sandbox go wrong",
	.more = "godwit sandbox inject send --next 3 --error 130429 --retry-after 42\n"
		"godwit sandbox inject send --fault accept_close    accepted, no answer comes",
	.run = run_inject,
};
