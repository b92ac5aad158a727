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
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COMMAND_WORDS_MAX 2

#define COMMANDS(X)         \
	X(cmd_sandbox)      \
	X(cmd_config_check) \
	X(cmd_config_show)  \
	X(cmd_version)      \
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

/* ---- the terminal ---- */

static bool read_format(struct cli *cli)
{
	static const char *const words[] = { "table", "json", "jsonl", "id" };
	const char *word = cli->output != NULL ? cli->output : getenv("GODWIT_OUTPUT");

	if (cli->json)
		word = "json";
	cli->format = OUT_TABLE;
	if (word == NULL || word[0] == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			cli->format = (enum out_format)i;
			return true;
		}
	}
	cli->code = cli_failf(cli, EXIT_USAGE, "there are table, json, jsonl and id",
			      "there is no output format \"%s\"", word);
	return false;
}

static bool may_color(const struct cli *cli, int fd)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR");
	const char *term = getenv("TERM");

	if (cli->no_color || (no != NULL && no[0] != '\0'))
		return false;
	if (force != NULL && force[0] != '\0')
		return true;
	return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

bool cli_settle(struct cli *cli)
{
	struct winsize size;

	if (!read_format(cli))
		return false;
	cli->is_tty = isatty(STDOUT_FILENO);
	cli->color_out = may_color(cli, STDOUT_FILENO);
	cli->color_err = may_color(cli, STDERR_FILENO);
	cli->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	cli->columns = 0;
	if (cli->is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		cli->columns = size.ws_col;
	return true;
}

bool cli_is_json(const struct cli *cli)
{
	return cli->format == OUT_JSON || cli->format == OUT_JSONL;
}

/* ---- failures ---- */

static const char *class_of(int exit)
{
	static const char *const words[] = {
		[EXIT_USAGE] = "usage",     [EXIT_NOT_FOUND] = "not_found",
		[EXIT_AUTH] = "auth",       [EXIT_REFUSED] = "refused",
		[EXIT_REJECTED] = "meta",   [EXIT_TEMPORARY] = "busy",
		[EXIT_PARTIAL] = "partial", [EXIT_CHECK] = "check"
	};

	if (exit < 0 || (size_t)exit >= ARRAY_LEN(words) || words[exit] == NULL)
		return "internal";
	return words[exit];
}

static void put_error(struct json_writer *w, const struct cli_error *e)
{
	json_w_object(w);
	json_w_key(w, STR("error"));
	json_w_object(w);
	json_w_kv_text(w, "class", e->class_ != NULL ? e->class_ : class_of(e->exit));
	json_w_kv_i64(w, "exit", e->exit);
	if (e->code != 0)
		json_w_kv_i64(w, "code", e->code);
	else
		json_w_kv_text(w, "code", e->word);
	if (e->subcode != 0)
		json_w_kv_i64(w, "subcode", e->subcode);
	json_w_kv_text(w, "message", e->message);
	json_w_kv_text(w, "fix", e->fix);
	if (e->retry_after_s > 0)
		json_w_kv_i64(w, "retry_after_s", e->retry_after_s);
	json_w_end(w);
	json_w_end(w);
}

int cli_fail(const struct cli *cli, const struct cli_error *e)
{
	struct json_writer w;
	struct buf b;

	(void)fflush(stdout); /* what was said before stands before */
	if (!cli_is_json(cli) && !cli->json) {
		(void)fprintf(stderr, "%sgodwit:%s %s\n", cli->color_err ? "\033[31m" : "",
			      cli->color_err ? "\033[0m" : "", e->message);
		if (e->fix != NULL && e->fix[0] != '\0')
			(void)fprintf(stderr, "  %s\n", e->fix);
		return e->exit;
	}
	buf_init(&b, 65536);
	json_w_init(&w, &b);
	put_error(&w, e);
	buf_put_char(&b, '\n');
	ASSERT(!buf_failed(&b));
	(void)fwrite(b.data, 1, b.len, stderr);
	buf_release(&b);
	return e->exit;
}

int cli_failf(const struct cli *cli, int exit_code, const char *fix, const char *fmt, ...)
{
	struct cli_error e = { .exit = exit_code, .fix = fix };
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	e.message = message;
	return cli_fail(cli, &e);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	(void)fflush(stdout);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

int cli_done(const struct cli *cli, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (errno == EPIPE) /* `godwit ... | head` is no failure of ours to report */
		return code;
	return cli_failf(cli, EXIT_FAILED, NULL, "cannot write the output: %s", strerror(errno));
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

/* "messages list" is "message list"; nothing else is abbreviated or guessed. */
static struct str singular(struct str word)
{
	if (word.len > 1 && word.ptr[word.len - 1] == 's' &&
	    is_group(str_slice(word, 0, word.len - 1)))
		return str_slice(word, 0, word.len - 1);
	return word;
}

/* The command that the first words name; *used is how many they are. */
static const struct cmd *find(int argc, char **argv, int *used)
{
	struct str first = singular(str_from(argv[0])), verb;

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
	struct str noun = singular(str_from(argv[0]));
	bool group = is_group(noun), has_verb = argc > 1 && argv[1][0] != '-';
	char typed[128], fix[512];
	size_t n = 0, at;

	(void)snprintf(typed, sizeof(typed), "%.*s%s%s", STR_ARG(noun), has_verb ? " " : "",
		       has_verb ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		names[n++] = commands[i]->name;
	nearest = opt_nearest(typed, names, n);
	if (nearest == NULL && !group)
		nearest = opt_nearest(argv[0], names, n);
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
	struct cli cli = { 0 };
	const struct cmd *cmd;
	int taken, used;

	(void)setlocale(LC_CTYPE, "");
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
	cmd = find(argc, argv, &used);
	if (cmd == NULL)
		return no_such_command(&cli, argc, argv);
	return cmd->run(&cli, argc - used, argv + used);
}
