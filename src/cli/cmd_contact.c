/* SPDX-License-Identifier: MIT */
/*
 * cmd_contact.c - godwit contact list|get|optin|optout: who is known, and who wants marketing
 *
 * TESTS  tests/system/test_consent.py
 */
#include "cli/api.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_contact_list, cmd_contact_get, cmd_contact_optin, cmd_contact_optout;

#define PATH_MAX_BYTES 8192
#define BODY_MAX (16U * 1024)

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct out_column columns[] = {
		{ "ID", "id", OUT_TEXT },
		{ "PHONE", "phone", OUT_PHONE },
		{ "NAME", "name", OUT_TEXT },
		{ "MARKETING", "marketing", OUT_TEXT },
		{ "SINCE", "marketing_since", OUT_TIME },
		{ "CREATED", "created_at", OUT_TIME },
	};
	const char *limit = NULL, *before = NULL;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "limit", &limit, "N", "at most so many, newest first (50)" },
		{ OPT_TEXT, 0, "before", &before, "ID", "the page before this contact" },
		OPT_END
	};
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_contact_list, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/contacts");
	api_put_query(&path, "limit", limit);
	api_put_query(&path, "before", before);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		out_list(cli, answer.json, columns, sizeof(columns) / sizeof(columns[0]), "id",
			 "no contacts");
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_contact_list = {
	.name = "contact list",
	.help = "list contacts and whether they want marketing, newest first",
	.run = run_list,
};

/* The contact, and under it the record of what she decided. */
static void print_contact(const struct cli *cli, struct json_val contact)
{
	static const struct out_column one[] = {
		{ "id", "id", OUT_TEXT },
		{ "phone", "phone", OUT_PHONE },
		{ "user id", "user_id", OUT_TEXT },
		{ "name", "name", OUT_TEXT },
		{ "marketing", "marketing", OUT_TEXT },
		{ "since", "marketing_since", OUT_TIME },
		{ "created", "created_at", OUT_TIME },
	};
	static const struct out_column record[] = {
		{ "AT", "at", OUT_TIME },     { "WHAT", "what", OUT_TEXT },
		{ "BY", "source", OUT_TEXT }, { "KEY", "key", OUT_TEXT },
		{ "NOTE", "note", OUT_TEXT },
	};

	out_object(cli, contact, one, sizeof(one) / sizeof(one[0]), "id");
	if (cli->format == OUT_TABLE)
		out_rows(cli, json_member(contact, STR("record")), record,
			 sizeof(record) / sizeof(record[0]));
}

static int run_get(struct cli *cli, int argc, char **argv)
{
	struct api_answer answer;
	struct buf path;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_contact_get, NULL, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/contacts");
	api_put_segment(&path, argv[0]);
	code = api_get(a, path.data, &answer);
	if (code == EXIT_OK)
		print_contact(cli, answer.json);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_contact_get = {
	.name = "contact get",
	.args = "ID|PHONE",
	.args_min = 1,
	.args_max = 1,
	.help = "show one contact and the record of what was decided about marketing",
	.run = run_get,
};

static void put_body(struct buf *b, const char *source, const char *note)
{
	struct json_writer w;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "source", source != NULL ? source : "cli");
	if (note != NULL)
		json_w_kv_text(&w, "note", note);
	json_w_end(&w);
}

static int opt_in_or_out(struct cli *cli, const struct cmd *cmd, const char *tail, int argc,
			 char **argv)
{
	const char *source = NULL, *note = NULL;
	const struct opt opts[] = { { OPT_TEXT, 0, "note", &note, "TEXT",
				      "kept in the record: who asked, and how" },
				    { OPT_TEXT, 0, "source", &source, "cli|import",
				      "who says so (cli); import undoes no optout" },
				    OPT_END };
	struct api_answer answer;
	struct buf path, body;
	struct api *a;
	int code;

	if (!opt_parse(cli, cmd, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/contacts");
	api_put_segment(&path, argv[0]);
	buf_put_text(&path, tail);
	buf_init(&body, BODY_MAX);
	put_body(&body, source, note);
	code = api_expect(a,
			  &(struct api_request){
				  .method = "POST", .path = path.data, .body = buf_str(&body) },
			  &answer);
	if (code == EXIT_OK)
		print_contact(cli, answer.json);
	buf_release(&body);
	buf_release(&path);
	api_close(a);
	return cli_done(cli, code);
}

static int run_optin(struct cli *cli, int argc, char **argv)
{
	return opt_in_or_out(cli, &cmd_contact_optin, "/optin", argc, argv);
}

const struct cmd cmd_contact_optin = {
	.name = "contact optin",
	.args = "ID|PHONE",
	.args_min = 1,
	.args_max = 1,
	.help = "record that a contact wants marketing messages",
	.more = "With --source import it counts only where nothing else is recorded.",
	.run = run_optin,
};

static int run_optout(struct cli *cli, int argc, char **argv)
{
	return opt_in_or_out(cli, &cmd_contact_optout, "/optout", argc, argv);
}

const struct cmd cmd_contact_optout = {
	.name = "contact optout",
	.args = "ID|PHONE",
	.args_min = 1,
	.args_max = 1,
	.help = "record that a contact wants no marketing messages; they are refused from then on",
	.run = run_optout,
};
