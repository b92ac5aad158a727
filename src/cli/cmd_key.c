/* SPDX-License-Identifier: MIT */
/*
 * cmd_key.c - godwit key create|list|revoke: who may call the gateway over TCP
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/input.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_key_create, cmd_key_list, cmd_key_revoke;

#define PATH_MAX_BYTES 8192
#define BODY_MAX (64U * 1024)

static int create(struct cli *cli, const char *name, const struct opt_list *scopes,
		  const struct opt_list *numbers)
{
	static const struct out_column columns[] = { { "id", "id", OUT_TEXT },
						     { "scopes", "scopes", OUT_TEXT },
						     { "numbers", "numbers", OUT_TEXT },
						     { "key", "key", OUT_TEXT } };
	static const struct opt_list only_send = { { "send" }, 1 };
	struct api_answer answer;
	struct json_writer w;
	struct buf body;
	int code;
	struct api *a = api_open(cli, &code);

	if (a == NULL)
		return code;
	buf_init(&body, BODY_MAX);
	json_w_init(&w, &body);
	json_w_object(&w);
	json_w_kv_text(&w, "name", name != NULL ? name : "");
	json_w_key(&w, STR("scopes"));
	input_write_words(&w, scopes->count > 0 ? scopes : &only_send);
	json_w_key(&w, STR("numbers"));
	input_write_words(&w, numbers);
	json_w_end(&w);
	code = api_expect(a,
			  &(struct api_request){ .method = "POST",
						 .path = "/api/v1/keys",
						 .body = buf_str(&body) },
			  &answer);
	if (code == EXIT_OK) {
		out_object(cli, answer.json, columns, 4, "key");
		cli_note(cli, "The key is shown only now; the gateway keeps its hash.");
	}
	buf_release(&body);
	api_close(a);
	return cli_done(cli, code);
}

static int run_create(struct cli *cli, int argc, char **argv)
{
	struct opt_list scopes = { .count = 0 }, numbers = { .count = 0 };
	const char *name = NULL;
	const struct opt opts[] = { { OPT_LIST, 0, "scope", &scopes, "send|read|manage|admin",
				      "what it may do (send); several with commas" },
				    { OPT_LIST, 0, "number", &numbers, "IDS",
				      "only for what is of these numbers" },
				    { OPT_TEXT, 0, "name", &name, "NAME", "for people" },
				    OPT_END };

	if (!opt_parse(cli, &cmd_key_create, opts, &argc, &argv))
		return cli->code;
	if (numbers.count > 0 && !input_has_words(&numbers)) /* an unset variable of a script */
		return cli_failf(cli, EXIT_USAGE, "leave --number out for a key of all numbers",
				 "--number is empty: it wants the ids of the key's numbers");
	return create(cli, name, &scopes, &numbers);
}

const struct cmd cmd_key_create = {
	.name = "key create",
	.help = "make a key for an application",
	.more = "The application uses it as its bearer token, in place of Meta's.\n"
		"send: pass messages on; read: lists, stream, metrics; manage: destinations,\n"
		"resolve, replay; admin: keys and everything. With --number a key sends from\n"
		"these numbers, sees their messages and events alone, and manages destinations\n"
		"whose filter names them alone; metrics, keys and configuration are not for it.\n"
		"`-o id` prints the key alone: godwit key create --scope send -o id",
	.run = run_create,
};

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },
		{ "NAME", "name", OUT_TEXT },
		{ "SCOPES", "scopes", OUT_TEXT },
		{ "NUMBERS", "numbers", OUT_TEXT },
		{ "CREATED", "created_at", OUT_TIME },
		{ "REVOKED", "revoked_at", OUT_TIME },
	};
	struct api_answer answer;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_key_list, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = api_get(a, "/api/v1/keys", &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no keys; `godwit key create` makes one");
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_key_list = {
	.name = "key list",
	.help = "list keys, without the keys themselves",
	.run = run_list,
};

static int run_revoke(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_key_revoke, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/keys");
	api_put_segment(&path, argv[0]);
	code = api_expect(a, &(struct api_request){ .method = "DELETE", .path = path.data },
			  &answer);
	if (code == EXIT_OK && cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else if (code == EXIT_OK)
		printf("%s %s revoked\n", out_mark(cli, MARK_OK), argv[0]);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_key_revoke = {
	.name = "key revoke",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "refuse a key from now on",
	.run = run_revoke,
};
