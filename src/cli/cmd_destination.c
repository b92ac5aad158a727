/* SPDX-License-Identifier: MIT */
/*
 * cmd_destination.c - godwit destination add|list|test|remove: where events are sent
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/input.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_destination_add, cmd_destination_list, cmd_destination_test,
	cmd_destination_remove;

#define PATH_MAX_BYTES 8192
#define BODY_MAX (64U * 1024)

struct add_words {
	const char *name, *format;
	struct opt_list types, kinds, numbers;
	bool raw, no_stale;
};

static void put_filter(struct json_writer *w, const struct add_words *words)
{
	const struct {
		const char *key;
		const struct opt_list *list;
	} parts[] = { { "types", &words->types },
		      { "kinds", &words->kinds },
		      { "numbers", &words->numbers } };

	json_w_key(w, STR("filter"));
	json_w_object(w);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].list->count == 0)
			continue;
		json_w_key(w, str_from(parts[i].key));
		input_write_words(w, parts[i].list);
	}
	json_w_end(w);
}

static void put_body(struct buf *b, const char *url, const struct add_words *words)
{
	struct json_writer w;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "url", url);
	if (words->format != NULL)
		json_w_kv_text(&w, "format", words->format);
	if (words->name != NULL)
		json_w_kv_text(&w, "name", words->name);
	json_w_kv_bool(&w, "include_raw", words->raw);
	json_w_kv_bool(&w, "relay_stale", !words->no_stale);
	put_filter(&w, words);
	json_w_end(&w);
}

static int add(struct cli *cli, const char *url, const struct add_words *words)
{
	static const struct out_column columns[] = { { "id", "id", OUT_TEXT },
						     { "url", "url", OUT_TEXT },
						     { "format", "format", OUT_TEXT },
						     { "secret", "secret", OUT_TEXT } };
	struct api_answer answer;
	struct buf body;
	int code;
	struct api *a = api_open(cli, &code);

	if (a == NULL)
		return code;
	buf_init(&body, BODY_MAX);
	put_body(&body, url, words);
	code = api_expect(a,
			  &(struct api_request){ .method = "POST",
						 .path = "/api/v1/destinations",
						 .body = buf_str(&body) },
			  &answer);
	if (code == EXIT_OK) {
		out_object(cli, answer.json, columns, 4, "id");
		cli_note(cli, "The secret signs what is delivered and is shown only now.");
	}
	buf_release(&body);
	api_close(a);
	return cli_done(cli, code);
}

static int run_add(struct cli *cli, int argc, char **argv)
{
	struct add_words w = { 0 };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "name", &w.name, "NAME", "for people" },
		{ OPT_TEXT, 0, "format", &w.format, "godwit|meta|cloudevents",
		  "of what is posted (godwit)" },
		{ OPT_LIST, 0, "on", &w.types, "TYPES",
		  "only these types, such as message.received" },
		{ OPT_LIST, 0, "kinds", &w.kinds, "KINDS", "only these kinds, such as text,image" },
		{ OPT_LIST, 0, "numbers", &w.numbers, "IDS", "only of these numbers" },
		{ OPT_FLAG, 0, "raw", &w.raw, NULL, "include each item as it came" },
		{ OPT_FLAG, 0, "no-stale", &w.no_stale, NULL, "leave out what came very late" },
		OPT_END
	};

	if (!opt_parse(cli, &cmd_destination_add, opts, &argc, &argv))
		return cli->code;
	return add(cli, argv[0], &w);
}

const struct cmd cmd_destination_add = {
	.name = "destination add",
	.args = "URL",
	.args_min = 1,
	.args_max = 1,
	.help = "send events to an endpoint, signed, in order, until it takes them",
	.run = run_add,
};

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },         { "NAME", "name", OUT_TEXT },
		{ "FORMAT", "format", OUT_TEXT }, { "STATE", "state", OUT_TEXT },
		{ "FILTER", "filter", OUT_TEXT }, { "URL", "url", OUT_TEXT },
	};
	struct api_answer answer;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_destination_list, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = api_get(a, "/api/v1/destinations", &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no destinations; `godwit destination add URL` makes one");
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_destination_list = {
	.name = "destination list",
	.help = "list where events are sent",
	.run = run_list,
};

/* POST .../test or DELETE; EXIT_OK with the answer. */
static int act(struct api *a, const char *method, const char *id, const char *tail,
	       struct api_answer *answer)
{
	struct buf path;
	int code;

	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/destinations");
	api_put_segment(&path, id);
	buf_put_text(&path, tail);
	code = api_expect(a, &(struct api_request){ .method = method, .path = path.data }, answer);
	buf_release(&path);
	return code;
}

static int report_test(struct cli *cli, const struct api_answer *answer)
{
	int64_t status = 0, ms = 0;
	struct str text = STR_EMPTY;
	bool ok = false;
	struct buf b;

	(void)json_get_bool(answer->json, STR("ok"), &ok);
	(void)json_get_i64(answer->json, STR("status"), &status);
	(void)json_get_i64(answer->json, STR("ms"), &ms);
	if (!json_get_str(answer->json, STR("error"), 4096, &text))
		(void)json_get_str(answer->json, STR("answer"), 65536, &text);
	if (cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(answer->body));
		return ok ? EXIT_OK : EXIT_CHECK;
	}
	buf_init(&b, 65536 * 2);
	out_line(&b, text, 200);
	if (status != 0)
		printf("%s %lld  %lld ms  %.*s\n", out_mark(cli, ok ? MARK_OK : MARK_FAIL),
		       (long long)status, (long long)ms, STR_ARG(buf_str(&b)));
	else
		printf("%s no answer: %.*s\n", out_mark(cli, MARK_FAIL), STR_ARG(buf_str(&b)));
	buf_release(&b);
	return ok ? EXIT_OK : EXIT_CHECK;
}

static int run_test(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_destination_test, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = act(a, "POST", argv[0], "/test", &answer);
	if (code == EXIT_OK)
		code = report_test(cli, &answer);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_destination_test = {
	.name = "destination test",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "send one test event now and show the answer",
	.run = run_test,
};

static int run_remove(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_destination_remove, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = act(a, "DELETE", argv[0], "", &answer);
	if (code == EXIT_OK && cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else if (code == EXIT_OK)
		printf("%s %s removed\n", out_mark(cli, MARK_OK), argv[0]);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_destination_remove = {
	.name = "destination remove",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "send no more events there",
	.run = run_remove,
};
