/* SPDX-License-Identifier: MIT */
/*
 * cmd_help.c - godwit help: what there is, and what a command takes
 *
 * The forms come from the same tables: text and JSON (help.c), manual pages
 * (manual.c).
 *
 * TESTS  tests/system/test_cli.py, tests/system/test_manual.py
 */
#include "base/panic.h"
#include "cli/help.h"
#include "cli/manual.h"

#define ANSWER_MAX (1U << 20)

extern const struct cmd cmd_help;

static bool word_matches(const char *name, char **argv, int argc)
{
	struct str n = str_from(name), word;

	for (int i = 0; i < argc; i++) {
		struct str typed = str_from(argv[i]);

		if (!str_split(&n, ' ', &word) ||
		    (!str_eq(word, typed) && (i > 0 || !str_eq(word, cli_noun(typed)))))
			return false;
	}
	return true;
}

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

static int print(struct cli *cli, bool man, int argc, char **argv)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	if (!man) {
		help_tree(cli, &b);
	} else if (!manual_put(cli, argc, argv, &b)) {
		buf_release(&b);
		return cli_failf(cli, EXIT_USAGE,
				 "there is one for each command, godwit.conf, and godwit itself",
				 "there is no manual page \"%s\"", argv[0]);
	}
	ASSERT(!buf_failed(&b));
	(void)fwrite(b.data, 1, b.len, stdout);
	buf_release(&b);
	return cli_done(cli, EXIT_OK);
}

static int run(struct cli *cli, int argc, char **argv)
{
	bool man = false;
	const char *man_dir = NULL;
	const struct opt opts[] = {
		{ OPT_FLAG, 0, "man", &man, NULL,
		  "as a manual page (roff): of the command, of godwit.conf, else of all" },
		{ OPT_TEXT, 0, "man-dir", &man_dir, "DIR",
		  "write every manual page below this folder, as man1/ and man5/" },
		OPT_END
	};

	if (!opt_parse(cli, &cmd_help, opts, &argc, &argv))
		return cli->code;
	if (man_dir != NULL)
		return manual_write(cli, man_dir);
	if (man || (argc == 0 && cli_is_json(cli)))
		return print(cli, man, argc, argv);
	if (argc > 0)
		return help_on(cli, argc, argv);
	help_overview(cli);
	return cli_done(cli, EXIT_OK);
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.args_max = 2,
	.help = "what there is, and what a command takes",
	.run = run,
};
