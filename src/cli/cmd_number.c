/* SPDX-License-Identifier: MIT */
/*
 * cmd_number.c - godwit number list|get, godwit account list|get: what we send by, and as whom
 *
 * TESTS  tests/system/test_numbers.py, tests/system/test_accounts.py
 */
#include "cli/api.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_number_list, cmd_number_get, cmd_account_list, cmd_account_get;

#define PATH_MAX_BYTES 8192

/* Ask for `base`, or for base/name, and print it. */
static int show(struct cli *cli, const char *base, const char *name,
		const struct out_column *columns, size_t count, const char *id, const char *none)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, base);
	if (name != NULL)
		api_put_segment(&path, name);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK && name != NULL)
		out_object(cli, answer.json, columns, count, id);
	else if (code == EXIT_OK)
		out_list(cli, answer.json, columns, count, id, none);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

/* ---- numbers ---- */

static int run_number_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },
		{ "ADDRESS", "address", OUT_TEXT },
		{ "ACCOUNT", "account", OUT_TEXT },
		{ "STATUS", "status", OUT_TEXT },
		{ "QUALITY", "quality", OUT_TEXT },
		{ "LIMIT", "messaging_limit", OUT_TEXT },
		{ "MSG/S", "limit_mps", OUT_NUMBER },
		{ "FROM", "limit_from", OUT_TEXT },
		{ "READ", "read_at", OUT_TIME },
	};

	if (!opt_parse(cli, &cmd_number_list, NULL, &argc, &argv))
		return cli->code;
	return show(cli, "/api/v1/numbers", NULL, columns, sizeof(columns) / sizeof(columns[0]),
		    "id", "no numbers; the configuration names them");
}

const struct cmd cmd_number_list = {
	.name = "number list",
	.help = "list our numbers with what Meta says of each",
	.more = "Asked at a start and every hour (numbers.read). MSG/S is how fast the number\n"
		"sends; FROM says whose word that is: configuration, meta, or the default.\n"
		"What a status or a quality means: godwit explain FLAGGED",
	.run = run_number_list,
};

static int run_number_get(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "id", "id", OUT_TEXT },
		{ "address", "address", OUT_TEXT },
		{ "name", "name", OUT_TEXT },
		{ "account", "account", OUT_TEXT },
		{ "business account", "business_id", OUT_TEXT },
		{ "status", "status", OUT_TEXT },
		{ "quality", "quality", OUT_TEXT },
		{ "throughput", "throughput", OUT_TEXT },
		{ "messages/s", "limit_mps", OUT_TEXT },
		{ "which says", "limit_from", OUT_TEXT },
		{ "customers a day", "messaging_limit", OUT_TEXT },
		{ "read", "read_at", OUT_TIME },
		{ "not read", "read_error.at", OUT_TIME },
		{ "because", "read_error.advice", OUT_TEXT },
		{ "paused", "paused", OUT_TEXT },
		{ "paused by code", "paused_code", OUT_TEXT },
	};

	if (!opt_parse(cli, &cmd_number_get, NULL, &argc, &argv))
		return cli->code;
	return show(cli, "/api/v1/numbers", argv[0], columns, sizeof(columns) / sizeof(columns[0]),
		    "id", NULL);
}

const struct cmd cmd_number_get = {
	.name = "number get",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "show one of our numbers",
	.run = run_number_get,
};

/* ---- accounts ---- */

static int run_account_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "NAME", "name", OUT_TEXT },
		{ "APP", "app_id", OUT_TEXT },
		{ "NUMBERS", "numbers", OUT_TEXT },
		{ "TOKEN", "has_token", OUT_TEXT },
		{ "SECRET", "has_app_secret", OUT_TEXT },
		{ "PAUSED", "paused", OUT_TEXT },
		{ "CODE", "paused_code", OUT_TEXT },
	};

	if (!opt_parse(cli, &cmd_account_list, NULL, &argc, &argv))
		return cli->code;
	return show(cli, "/api/v1/accounts", NULL, columns, sizeof(columns) / sizeof(columns[0]),
		    "name", "no accounts; `godwit init` makes one");
}

const struct cmd cmd_account_list = {
	.name = "account list",
	.help = "list the accounts, each with its app and numbers",
	.more = "Accounts are sections of the configuration, [account NAME]: to add one, or to\n"
		"change its secrets or numbers, write it there and call `godwit config reload`;\n"
		"nothing is interrupted. One that is taken out of the file stays, since\n"
		"messages and webhooks of it are still known. A paused one sends nothing but one\n"
		"message a minute until Meta takes it: godwit explain CODE",
	.run = run_account_list,
};

static int run_account_get(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "name", "name", OUT_TEXT },
		{ "app", "app_id", OUT_TEXT },
		{ "Graph API", "base_url", OUT_TEXT },
		{ "version", "version", OUT_TEXT },
		{ "numbers", "numbers", OUT_TEXT },
		{ "token", "has_token", OUT_TEXT },
		{ "app secret", "has_app_secret", OUT_TEXT },
		{ "previous secret", "has_app_secret_previous", OUT_TEXT },
		{ "verify token", "has_verify_token", OUT_TEXT },
		{ "paused", "paused", OUT_TEXT },
		{ "paused by code", "paused_code", OUT_TEXT },
	};

	if (!opt_parse(cli, &cmd_account_get, NULL, &argc, &argv))
		return cli->code;
	return show(cli, "/api/v1/accounts", argv[0], columns, sizeof(columns) / sizeof(columns[0]),
		    "name", NULL);
}

const struct cmd cmd_account_get = {
	.name = "account get",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = "show one account, without its secrets",
	.run = run_account_get,
};
