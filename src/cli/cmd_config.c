/* SPDX-License-Identifier: MIT */
/*
 * cmd_config.c - godwit config check|show: the configuration as `godwit serve` would see it;
 *                config reload: the gateway that runs reads it again
 *
 * check and show start nothing and ask nobody: the same files, environment
 * and flags are read by the same code.  check also looks into the store, read
 * only: together with what it holds there may be too many accounts.
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/config_open.h"
#include "cli/out.h"
#include "server/serve.h"

extern const struct cmd cmd_config_check, cmd_config_show, cmd_config_reload;

static int run_check(struct cli *cli, int argc, char **argv)
{
	struct config_flags flags = { 0 };
	const struct opt opts[] = { CONFIG_FLAGS(flags), OPT_END };
	struct gw_error err = GW_ERROR_INIT;
	struct config *c = NULL;
	gw_status st = GW_OK;
	int code;

	if (!opt_parse(cli, &cmd_config_check, opts, &argc, &argv))
		return cli->code;
	code = config_open(cli, &flags, &c);
	if (code == EXIT_OK)
		st = serve_check(c, &err);
	if (code == EXIT_OK && config_problem_count(c) > 0)
		code = config_refuse(cli, c);
	else if (st != GW_OK)
		cli_note(cli, "%s: its accounts and numbers were not counted", err.message);
	if (code == EXIT_OK && cli_is_json(cli))
		printf("{\"ok\":true,\"problems\":[]}\n");
	else if (code == EXIT_OK)
		printf("%s %s, %zu account%s\n", out_mark(cli, MARK_OK),
		       config_path(c) != NULL ? config_path(c) : "no file, defaults only",
		       config_account_count(c), config_account_count(c) == 1 ? "" : "s");
	if (code == EXIT_OK && config_path(c) == NULL && config_account_count(c) == 0)
		cli_note(cli, "`godwit init` adds an account; `godwit up` needs none");
	config_free(c);
	return code == EXIT_OK ? cli_done(cli, code) : code;
}

const struct cmd cmd_config_check = {
	.name = "config check",
	.help = "read the configuration and list every problem",
	.run = run_check,
};

static void print_accounts(const struct config *c)
{
	for (size_t i = 0; i < config_account_count(c); i++) {
		const struct config_account *a = config_account_at(c, i);

		printf("\n[account %s]\nbase_url = %s\nversion = %s\n", a->name, a->base_url,
		       a->version);
		if (a->app_id[0] != '\0')
			printf("app_id = %s\n", a->app_id);
		if (a->business_id[0] != '\0')
			printf("business_id = %s\n", a->business_id);
		if (a->numbers[0] != '\0')
			printf("numbers = %s\n", a->numbers);
		printf("# app secret %s, verify token %s, token %s\n",
		       a->app_secret.len > 0 ? "set" : "missing",
		       a->verify_token.len > 0 ? "set" : "missing",
		       a->token.len > 0 ? "set" : "missing");
	}
}

static void write_accounts(struct json_writer *w, const struct config *c)
{
	json_w_array(w);
	for (size_t i = 0; i < config_account_count(c); i++) {
		const struct config_account *a = config_account_at(c, i);

		json_w_object(w);
		json_w_kv_text(w, "name", a->name);
		json_w_kv_text(w, "app_id", a->app_id);
		json_w_kv_text(w, "base_url", a->base_url);
		json_w_kv_text(w, "version", a->version);
		json_w_kv_text(w, "business_id", a->business_id);
		json_w_kv_text(w, "numbers", a->numbers);
		json_w_kv_bool(w, "has_app_secret", a->app_secret.len > 0);
		json_w_kv_bool(w, "has_verify_token", a->verify_token.len > 0);
		json_w_kv_bool(w, "has_token", a->token.len > 0);
		json_w_end(w);
	}
	json_w_end(w);
}

static void show_json(const struct config *c, struct str rows)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 1U << 20);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "file", config_path(c));
	json_w_kv_raw(&w, "data", rows);
	json_w_key(&w, STR("accounts"));
	write_accounts(&w, c);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static int show(struct cli *cli, const struct config *c, bool origin)
{
	static const struct out_column columns[] = { { "KEY", "key", OUT_TEXT },
						     { "VALUE", "value", OUT_TEXT },
						     { "ORIGIN", "origin", OUT_TEXT } };
	struct arena *a = arena_new(4U << 20);
	const struct json_doc *doc;
	struct buf rows;
	int code = EXIT_FAILED;

	buf_init(&rows, 1U << 20);
	config_describe(c, &rows);
	if (cli_is_json(cli)) {
		show_json(c, buf_str(&rows));
		code = EXIT_OK;
	} else if (a != NULL && json_scan(buf_str(&rows), a, &doc, NULL) == GW_OK) {
		out_rows(cli, json_root(doc), columns, origin ? 3 : 2);
		print_accounts(c);
		code = EXIT_OK;
	}
	buf_release(&rows);
	arena_free(a);
	return cli_done(cli, code);
}

static int run_show(struct cli *cli, int argc, char **argv)
{
	struct config_flags flags = { 0 };
	bool origin = false;
	const struct opt opts[] = { { OPT_FLAG, 0, "origin", &origin, NULL,
				      "where each value comes from" },
				    CONFIG_FLAGS(flags),
				    OPT_END };
	struct config *c = NULL;
	int code;

	if (!opt_parse(cli, &cmd_config_show, opts, &argc, &argv))
		return cli->code;
	code = config_open(cli, &flags, &c);
	if (code == EXIT_OK)
		code = show(cli, c, origin);
	config_free(c);
	return code;
}

const struct cmd cmd_config_show = {
	.name = "config show",
	.help = "print every setting; secrets are named, never shown",
	.run = run_show,
};

/* ---- reload ---- */

static void print_names(FILE *out, struct json_val list, const char *words, const char *between)
{
	struct json_iter it = json_iter(list);
	struct json_val one;
	struct str name;

	while (json_next(&it, &one)) {
		if (!json_str(one, 4096, &name))
			continue;
		(void)fprintf(out, "%s%.*s", words, STR_ARG(name));
		words = between;
	}
	if (json_count(list) > 0)
		(void)fprintf(out, "\n");
}

static int told(struct cli *cli, const struct api *a, const struct api_answer *answer)
{
	struct json_val error = json_member(answer->json, STR("error"));
	struct str file = STR("no file, defaults only");

	if (answer->status != 200) {
		if (!cli_is_json(cli))
			print_names(stderr, json_member(error, STR("problems")), "", "\n");
		return api_fail(a, answer);
	}
	if (cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(answer->body));
		return EXIT_OK;
	}
	(void)json_str(json_member(answer->json, STR("file")), 4096, &file);
	printf("%s %.*s is in force\n", out_mark(cli, MARK_OK), STR_ARG(file));
	print_names(stdout, json_member(answer->json, STR("changed")), "changed: ", " ");
	print_names(stdout, json_member(answer->json, STR("restart")),
		    "changed, but only a restart takes them: ", " ");
	return EXIT_OK;
}

static int run_reload(struct cli *cli, int argc, char **argv)
{
	const struct opt opts[] = { OPT_END };
	struct api_answer answer;
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_config_reload, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = api_call(a,
			&(struct api_request){ .method = "POST", .path = "/api/v1/config/reload" },
			&answer);
	if (code == EXIT_OK)
		code = told(cli, a, &answer);
	api_close(a);
	return code == EXIT_OK ? cli_done(cli, code) : code;
}

const struct cmd cmd_config_reload = {
	.name = "config reload",
	.help = "have the gateway read its configuration again, as SIGHUP does",
	.more = "It reads the sources of its start: its file, environment and flags. With a\n"
		"problem nothing changes and all of them are listed. Secrets, tokens and numbers\n"
		"follow at once, and so do the keys that `godwit config show --json` calls live.",
	.run = run_reload,
};
