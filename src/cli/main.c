/* SPDX-License-Identifier: MIT */
/*
 * main.c - the program `godwit`: the table of commands and who gets the words
 *
 * ROLE     Reads leading global options, finds the longest command name, hands
 *          the rest to it.  A misspelt command is answered with the nearest
 *          one, never with its execution.
 * TESTS    tests/system/test_cli.py
 */
#include "cli/help.h"
#include "base/panic.h"
#include <locale.h>
#include <sys/prctl.h>

#define COMMAND_WORDS_MAX 2

#define COMMANDS(X)               \
	X(cmd_up)                 \
	X(cmd_serve)              \
	X(cmd_sandbox)            \
	X(cmd_sandbox_say)        \
	X(cmd_sandbox_clock)      \
	X(cmd_sandbox_inject)     \
	X(cmd_send)               \
	X(cmd_batch_list)         \
	X(cmd_batch_get)          \
	X(cmd_batch_results)      \
	X(cmd_batch_pause)        \
	X(cmd_batch_resume)       \
	X(cmd_batch_cancel)       \
	X(cmd_listen)             \
	X(cmd_why)                \
	X(cmd_explain)            \
	X(cmd_init)               \
	X(cmd_doctor)             \
	X(cmd_message_list)       \
	X(cmd_message_get)        \
	X(cmd_message_resolve)    \
	X(cmd_conversation_list)  \
	X(cmd_conversation_get)   \
	X(cmd_contact_list)       \
	X(cmd_contact_get)        \
	X(cmd_contact_optin)      \
	X(cmd_contact_optout)     \
	X(cmd_account_list)       \
	X(cmd_account_get)        \
	X(cmd_number_list)        \
	X(cmd_number_get)         \
	X(cmd_event_list)         \
	X(cmd_event_get)          \
	X(cmd_event_replay)       \
	X(cmd_destination_add)    \
	X(cmd_destination_list)   \
	X(cmd_destination_test)   \
	X(cmd_destination_remove) \
	X(cmd_key_create)         \
	X(cmd_key_list)           \
	X(cmd_key_revoke)         \
	X(cmd_readyz)             \
	X(cmd_config_check)       \
	X(cmd_config_show)        \
	X(cmd_config_reload)      \
	X(cmd_db_backup)          \
	X(cmd_db_check)           \
	X(cmd_db_restore)         \
	X(cmd_completion)         \
	X(cmd_version)            \
	X(cmd_help)

#define DECLARE(name) extern const struct cmd name;
COMMANDS(DECLARE)
#undef DECLARE

#define ADDRESS(name) &name,
static const struct cmd *const commands[] = { COMMANDS(ADDRESS) };
#undef ADDRESS

const struct cmd *cli_command_at(size_t index)
{
	return index < ARRAY_LEN(commands) ? commands[index] : NULL;
}

/* ---- finding the command ---- */

static bool is_noun_of(struct str name, struct str word)
{
	size_t at;

	return str_find_char(name, ' ', &at) && str_eq(str_slice(name, 0, at), word);
}

static bool is_group(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (is_noun_of(str_from(commands[i]->name), word))
			return true;
	return false;
}

/* "messages list" is "message list", "batches list" "batch list"; nothing else is abbreviated or
 * guessed. */
struct str cli_noun(struct str word)
{
	for (size_t end = 1; end <= 2; end++) {
		struct str noun = str_slice(word, 0, word.len > end ? word.len - end : 0);

		if (str_ends(word, end == 1 ? STR("s") : STR("es")) && is_group(noun))
			return noun;
	}
	return word;
}

const struct cmd *cli_command_find(int argc, char **argv, int *used)
{
	struct str first = cli_noun(str_from(argv[0])), verb;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct str rest = str_from(commands[i]->name);

		if (argc < COMMAND_WORDS_MAX || !is_noun_of(rest, first))
			continue;
		(void)str_split(&rest, ' ', &verb);
		if (str_eq(rest, str_from(argv[1]))) {
			*used = COMMAND_WORDS_MAX;
			return commands[i];
		}
	}
	*used = 1;
	if (argc > 1 && argv[1][0] != '-' && is_group(first))
		return NULL; /* "sandbox sya" is no order to start one */
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(str_from(commands[i]->name), first))
			return commands[i];
	return NULL;
}

static int no_such_command(struct cli *cli, int argc, char **argv)
{
	const char *names[ARRAY_LEN(commands) + 1], *nearest;
	struct str noun = cli_noun(str_from(argv[0]));
	bool group = is_group(noun), has_verb = argc > 1 && argv[1][0] != '-';
	char typed[128], fix[512];
	size_t n = 0, at;

	(void)snprintf(typed, sizeof(typed), "%.*s%s%s", STR_ARG(noun), has_verb ? " " : "",
		       has_verb ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		names[n++] = commands[i]->name;
	nearest = opt_nearest(typed, names, n);
	if (nearest == NULL && !group) { /* what follows may be a number or a text */
		nearest = opt_nearest(argv[0], names, n);
		(void)str_copy(str_slice(noun, 0, sizeof(typed) - 1), typed, sizeof(typed));
	}
	if (nearest != NULL) {
		(void)snprintf(fix, sizeof(fix), "did you mean `godwit %s`?", nearest);
	} else if (group) {
		at = (size_t)snprintf(fix, sizeof(fix), "there are:");
		for (size_t i = 0; i < n && at < sizeof(fix); i++)
			if (is_noun_of(str_from(names[i]), noun))
				at += (size_t)snprintf(fix + at, sizeof(fix) - at, " `%s`",
						       names[i]);
	} else {
		(void)snprintf(fix, sizeof(fix), "`godwit help` lists the commands");
	}
	if (group && !has_verb)
		return cli_failf(cli, EXIT_USAGE, fix, "%s what?", typed);
	return cli_failf(cli, EXIT_USAGE, fix, "unknown command \"%s\"", typed);
}

int main(int argc, char **argv)
{
	struct cli cli = { .program = argc > 0 ? argv[0] : "godwit" };
	const struct cmd *cmd;
	int taken, used;

	(void)setlocale(LC_CTYPE, "");
	(void)prctl(PR_SET_NAME, "godwit"); /* a child of `up` is started as /proc/self/exe */
	taken = opt_leading(&cli, argc - 1, argv + 1);
	if (taken < 0 || !cli_settle(&cli))
		return cli.code;
	argc -= 1 + taken;
	argv += 1 + taken;
	if (cli.want_version)
		return cmd_version.run(&cli, 0, argv);
	if (argc == 0) {
		help_overview(&cli);
		return cli_done(&cli, EXIT_OK);
	}
	cmd = cli_command_find(argc, argv, &used);
	if (cmd == NULL)
		return no_such_command(&cli, argc, argv);
	return cmd->run(&cli, argc - used, argv + used);
}
