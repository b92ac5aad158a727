/* SPDX-License-Identifier: MIT */
/*
 * help.c - help in four forms, all of them from the commands' own tables
 *
 * `godwit help`, `godwit COMMAND --help`, `godwit help --json` (the tree for
 * programs) and `godwit help --man` (godwit.1).
 *
 * TESTS  tests/unit/test_opt.c, tests/system/test_cli.py
 */
#include "cli/help.h"
#include "base/panic.h"

#define OPTION_COLUMN 26 /* where the explanations of options start */
#define ANSWER_MAX (1U << 20)

static const char *const exit_words[][2] = {
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
};

static void option_name(const struct opt *o, char *out, size_t cap)
{
	char letter[8] = "    ";

	if (o->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(out, cap, "%s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "",
		       o->arg != NULL ? o->arg : "");
}

static void print_options(const struct opt *opts)
{
	char name[96];

	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++) {
		if (o->help == NULL)
			continue;
		option_name(o, name, sizeof(name));
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
	for (size_t i = 0; i < ARRAY_LEN(exit_words); i++)
		printf("  %-8s  %s\n", exit_words[i][0], exit_words[i][1]);
	printf("\nThe first minute: godwit up\n");
}

/* ---- for programs and for man ---- */

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

/* Text in roff: a leading dot or quote is a request, a backslash an escape. */
static void put_roff(struct buf *b, const char *text)
{
	bool first = true;

	for (; *text != '\0'; text++) {
		if (first && (*text == '.' || *text == '\''))
			buf_put_text(b, "\\&");
		if (*text == '\\' || *text == '-')
			buf_put_char(b, '\\');
		buf_put_char(b, *text);
		first = *text == '\n';
	}
}

static void put_roff_options(struct buf *b, const struct opt *opts)
{
	char name[96];

	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++) {
		if (o->help == NULL)
			continue;
		option_name(o, name, sizeof(name));
		buf_put_text(b, ".TP\n.B ");
		put_roff(b, str_trim(str_from(name)).ptr);
		buf_put_char(b, '\n');
		put_roff(b, o->help);
		buf_put_char(b, '\n');
	}
}

void help_describe(struct describe *d, const struct cmd *cmd, const struct opt *opts)
{
	if (d->form == DESCRIBE_JSON) {
		json_w_object(d->w);
		json_w_kv_text(d->w, "name", cmd->name);
		json_w_kv_text(d->w, "args", cmd->args);
		json_w_kv_text(d->w, "help", cmd->help);
		json_w_kv_text(d->w, "more", cmd->more);
		write_options(d->w, opts);
		json_w_end(d->w);
		return;
	}
	buf_put_text(d->out, ".SS godwit ");
	put_roff(d->out, cmd->name);
	if (cmd->args != NULL) {
		buf_put_char(d->out, ' ');
		put_roff(d->out, cmd->args);
	}
	buf_put_char(d->out, '\n');
	put_roff(d->out, cmd->help);
	buf_put_text(d->out, ".\n");
	if (cmd->more != NULL) {
		buf_put_text(d->out, ".PP\n.nf\n");
		put_roff(d->out, cmd->more);
		buf_put_text(d->out, "\n.fi\n");
	}
	put_roff_options(d->out, opts);
}

static void describe_all(struct cli *cli, struct describe *d)
{
	const struct cmd *cmd;

	cli->describe = d;
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++)
		(void)cmd->run(cli, 0, NULL);
	cli->describe = NULL;
}

static void put_tree(struct cli *cli, struct buf *b)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct json_writer w;
	struct describe d = { DESCRIBE_JSON, b, &w };

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "name", "godwit");
	json_w_kv_text(&w, "version", GODWIT_VERSION);
	opt_globals(cli, globals);
	write_options(&w, globals);
	json_w_key(&w, STR("commands"));
	json_w_array(&w);
	describe_all(cli, &d);
	json_w_end(&w);
	json_w_key(&w, STR("exit_codes"));
	json_w_object(&w);
	for (size_t i = 0; i < ARRAY_LEN(exit_words); i++)
		json_w_kv_text(&w, exit_words[i][0], exit_words[i][1]);
	json_w_end(&w);
	json_w_end(&w);
	buf_put_char(b, '\n');
}

static void put_man(struct cli *cli, struct buf *b)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct describe d = { DESCRIBE_MAN, b, NULL };

	buf_put_fmt(b, ".TH GODWIT 1 \"\" \"godwit %s\" \"User Commands\"\n", GODWIT_VERSION);
	buf_put_text(b, ".SH NAME\ngodwit \\- send and receive WhatsApp messages, and know what "
			"became of them\n.SH SYNOPSIS\n.B godwit\n.I COMMAND\n[words] [options]\n"
			".SH COMMANDS\n");
	describe_all(cli, &d);
	buf_put_text(b, ".SH OPTIONS EVERYWHERE\n");
	opt_globals(cli, globals);
	put_roff_options(b, globals);
	buf_put_text(b, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < ARRAY_LEN(exit_words); i++)
		buf_put_fmt(b, ".TP\n.B %s\n%s\n", exit_words[i][0], exit_words[i][1]);
}

/* ---- the command ---- */

static bool word_matches(const char *name, char **argv, int argc)
{
	struct str n = str_from(name), word;

	for (int i = 0; i < argc; i++)
		if (!str_split(&n, ' ', &word) || !str_eq(word, str_from(argv[i])))
			return false;
	return true;
}

extern const struct cmd cmd_help;

/* One command's own help; several, when the words name a group. */
static int help_on(struct cli *cli, int argc, char **argv)
{
	const struct cmd *cmd, *only = NULL;
	size_t count = 0;

	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		if (!word_matches(cmd->name, argv, argc))
			continue;
		if (count++ > 0 && only != NULL) {
			printf("  godwit %-30s  %s\n", only->name, only->help);
			only = NULL;
		}
		if (count == 1)
			only = cmd;
		else
			printf("  godwit %-30s  %s\n", cmd->name, cmd->help);
	}
	if (count == 0)
		return cli_failf(cli, EXIT_USAGE, "godwit help lists the commands",
				 "there is no command \"%s\"", argv[0]);
	if (only == NULL)
		return cli_done(cli, EXIT_OK);
	cli->want_help = true;
	return only->run(cli, 0, NULL);
}

static int run(struct cli *cli, int argc, char **argv)
{
	bool man = false;
	const struct opt opts[] = {
		{ OPT_FLAG, 0, "man", &man, NULL, "everything as a manual page (roff)" }, OPT_END
	};
	struct buf b;

	if (!opt_parse(cli, &cmd_help, opts, &argc, &argv))
		return cli->code;
	if (argc > 0)
		return help_on(cli, argc, argv);
	if (!man && !cli_is_json(cli)) {
		help_overview(cli);
		return cli_done(cli, EXIT_OK);
	}
	buf_init(&b, ANSWER_MAX);
	if (man)
		put_man(cli, &b);
	else
		put_tree(cli, &b);
	ASSERT(!buf_failed(&b));
	(void)fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
	return cli_done(cli, EXIT_OK);
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.args_max = 2,
	.help = "what there is, and what a command takes",
	.run = run,
};
