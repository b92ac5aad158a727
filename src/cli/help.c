/* SPDX-License-Identifier: MIT */
/*
 * help.c - help for people and for programs, from the commands' own tables
 *
 * `godwit help`, `godwit COMMAND --help` and `godwit help --json`.
 *
 * TESTS  tests/unit/test_opt.c, tests/system/test_cli.py
 */
#include "cli/help.h"
#include "base/panic.h"

#define OPTION_COLUMN 26 /* where the explanations of options start */

const char *const help_exit_codes[][2] = {
	{ "0", "success" },
	{ "1", "unexpected failure" },
	{ "2", "wrong usage or configuration; every problem is listed" },
	{ "3", "not found" },
	{ "4", "authentication or permission" },
	{ "5", "refused here: policy, window, state" },
	{ "6", "Meta rejected it for good" },
	{ "7", "temporary: limits, time-outs, nobody answers; try again later" },
	{ "8", "finished with failures" },
	{ "9", "a check or an expectation failed" },
	{ "130, 143", "interrupted" },
	{ NULL, NULL },
};

void help_option_name(const struct opt *o, char out[HELP_NAME_MAX])
{
	char letter[8] = "    ";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(out, HELP_NAME_MAX, "%s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
		       o->arg != NULL ? o->arg : "");
}

static void print_options(const struct opt *opts)
{
	char name[HELP_NAME_MAX];

	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++) {
		if (o->help == NULL)
			continue;
		help_option_name(o, name);
		if (strlen(name) < OPTION_COLUMN)
			printf("  %-*s  %s\n", OPTION_COLUMN - 2, name, o->help);
		else
			printf("  %s\n  %*s%s\n", name, OPTION_COLUMN, "", o->help);
	}
}

static bool has_options(const struct opt *opts)
{
	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++)
		if (o->help != NULL)
			return true;
	return false;
}

void help_command(const struct cli *cli, const struct cmd *cmd, const struct opt *opts)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct cli scratch = *cli;

	printf("godwit %s%s%s%s\n\n  %s\n", cmd->name, cmd->args != NULL ? " " : "",
	       cmd->args != NULL ? cmd->args : "", has_options(opts) ? " [options]" : "",
	       cmd->help);
	if (cmd->more != NULL)
		printf("\n%s\n", cmd->more);
	if (has_options(opts)) {
		printf("\nOptions\n");
		print_options(opts);
	}
	opt_globals(&scratch, globals);
	printf("\nEverywhere\n");
	print_options(globals);
}

void help_overview(const struct cli *cli)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct cli scratch = *cli;
	const struct cmd *cmd;
	char left[96];

	printf("godwit %s - send and receive WhatsApp messages, and know what became of them\n\n"
	       "  godwit COMMAND [words] [options]      godwit COMMAND --help tells more\n\n",
	       GODWIT_VERSION);
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		(void)snprintf(left, sizeof(left), "%s%s%s", cmd->name,
			       cmd->args != NULL ? " " : "", cmd->args != NULL ? cmd->args : "");
		if (strlen(left) < 32)
			printf("  %-32s  %s\n", left, cmd->help);
		else
			printf("  %s\n  %-32s  %s\n", left, "", cmd->help);
	}
	opt_globals(&scratch, globals);
	printf("\nEverywhere\n");
	print_options(globals);
	printf("\nExit codes\n");
	for (size_t i = 0; help_exit_codes[i][0] != NULL; i++)
		printf("  %-8s  %s\n", help_exit_codes[i][0], help_exit_codes[i][1]);
	printf("\nThe first minute: godwit up\n");
}

/* ---- for programs ---- */

static const char *const type_words[] = { [OPT_FLAG] = "flag",
					  [OPT_TEXT] = "text",
					  [OPT_LIST] = "list",
					  [OPT_MS] = "duration",
					  [OPT_I64] = "integer" };

static void write_options(struct json_writer *w, const struct opt *opts)
{
	char letter[2] = "";

	json_w_key(w, STR("options"));
	json_w_array(w);
	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++) {
		if (o->help == NULL)
			continue;
		letter[0] = o->letter;
		json_w_object(w);
		json_w_kv_text(w, "name", o->name);
		json_w_kv_text(w, "letter", o->letter != 0 ? letter : NULL);
		json_w_kv_text(w, "type", type_words[o->type]);
		json_w_kv_text(w, "arg", o->arg);
		json_w_kv_text(w, "help", o->help);
		json_w_end(w);
	}
	json_w_end(w);
}

struct tree {
	struct describe d;
	struct json_writer w;
};

static void put_command(struct describe *d, const struct cmd *cmd, const struct opt *opts)
{
	struct json_writer *w = &CONTAINER_OF(d, struct tree, d)->w;

	json_w_object(w);
	json_w_kv_text(w, "name", cmd->name);
	json_w_kv_text(w, "args", cmd->args);
	json_w_kv_text(w, "help", cmd->help);
	json_w_kv_text(w, "more", cmd->more);
	write_options(w, opts);
	json_w_end(w);
}

void help_describe(struct cli *cli, struct describe *d, const struct cmd *cmd)
{
	cli->describe = d;
	(void)cmd->run(cli, 0, NULL); /* which is over in opt_parse() */
	cli->describe = NULL;
}

void help_describe_all(struct cli *cli, struct describe *d)
{
	const struct cmd *cmd;

	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++)
		help_describe(cli, d, cmd);
}

void help_tree(struct cli *cli, struct buf *out)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct tree t = { .d = { put_command } };
	struct json_writer *w = &t.w;

	json_w_init(w, out);
	json_w_object(w);
	json_w_kv_text(w, "name", "godwit");
	json_w_kv_text(w, "version", GODWIT_VERSION);
	opt_globals(cli, globals);
	write_options(w, globals);
	json_w_key(w, STR("commands"));
	json_w_array(w);
	help_describe_all(cli, &t.d);
	json_w_end(w);
	json_w_key(w, STR("exit_codes"));
	json_w_object(w);
	for (size_t i = 0; help_exit_codes[i][0] != NULL; i++)
		json_w_kv_text(w, help_exit_codes[i][0], help_exit_codes[i][1]);
	json_w_end(w);
	json_w_end(w);
	buf_put_char(out, '\n');
}
