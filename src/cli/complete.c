/* SPDX-License-Identifier: MIT */
/*
 * complete.c - what may stand where the cursor is
 *
 * ROLE     One answer for every shell, from the commands' own tables: names of
 *          commands, options, and values where the table lists them.  A value
 *          or word is listed when its name in help is lower-case words with |
 *          between them ("table|json"); FILE, PATH and DIR are names of files,
 *          KEY=VALUE a key of the configuration, COMMAND a command.
 * THREADS  Any one.
 * TESTS    tests/system/test_completion.py
 */
#include "cli/complete.h"
#include "base/panic.h"
#include "cli/help.h"
#include "server/config.h"

#include <ctype.h>

#define COMMAND_WORDS_MAX 2

struct complete {
	struct describe d;
	struct cli *cli;
	struct buf *out;
	int argc;
	char **argv;
	struct str last; /* what is being typed */
	struct str before; /* what stands before a value in the same word: "--output=" */
	const struct cmd *cmd; /* NULL: not known yet */
	int words; /* of the command before the last word, its name not counted */
	bool no_options; /* behind "--" */
};

/* ---- one candidate */

static void put(struct complete *c, struct str word, const char *end, const char *about)
{
	if (!str_starts(word, c->last))
		return;
	buf_put_fmt(c->out, "%.*s%.*s%s\t%s\n", STR_ARG(c->before), STR_ARG(word), end,
		    about != NULL ? about : "");
}

static bool is_lower(struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!islower((unsigned char)word.ptr[i]) && !isdigit((unsigned char)word.ptr[i]) &&
		    word.ptr[i] != '_')
			return false;
	return word.len > 0;
}

static void put_keys(struct complete *c)
{
	struct config_key_info k;

	for (size_t i = 0; config_key_at(i, &k); i++)
		put(c, str_from(k.key), "=", k.help);
}

/* First words of commands; behind a noun, its verbs. */
static void put_commands(struct complete *c, struct str noun)
{
	struct str seen = STR_EMPTY, rest, first;
	const struct cmd *cmd;

	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++) {
		rest = str_from(cmd->name);
		(void)str_split(&rest, ' ', &first);
		if (noun.len > 0) {
			if (str_eq(first, noun) && rest.len > 0)
				put(c, rest, "", cmd->help);
		} else if (!str_eq(first, seen)) { /* the table has them by noun */
			put(c, first, "", rest.len > 0 ? "" : cmd->help);
		}
		seen = first;
	}
}

/* "[send|any|list|clear [ID]]": each word that is not one for people. */
static void put_words(struct complete *c, const char *args)
{
	struct str rest = str_from(args), one, word;
	size_t at;

	while (str_split(&rest, '|', &one)) {
		while (one.len > 0 && (one.ptr[0] == '[' || one.ptr[0] == ' '))
			one = str_slice(one, 1, one.len);
		(void)str_split(&one, ' ', &word);
		if (str_find_char(word, ']', &at))
			word = str_slice(word, 0, at);
		if (is_lower(word))
			put(c, word, "", NULL);
		else if (str_eq(word, STR("FILE")) || str_eq(word, STR("PATH")))
			buf_put_text(c->out, ":files\n");
		else if (str_eq(word, STR("DIR")))
			buf_put_text(c->out, ":dirs\n");
		else if (str_eq(word, STR("KEY=VALUE")))
			put_keys(c);
		else if (str_eq(word, STR("COMMAND")))
			put_commands(c, STR_EMPTY);
	}
}

/* ---- options */

static const struct opt *find(const struct opt *const tables[2], struct str word)
{
	for (size_t t = 0; t < 2; t++) {
		for (const struct opt *o = tables[t]; o != NULL && o->type != OPT_NONE; o++) {
			if (word.len == 2 && word.ptr[1] == o->letter && o->letter != 0)
				return o;
			if (word.len > 2 && word.ptr[1] == '-' &&
			    str_eq(str_from(o->name), str_slice(word, 2, word.len)))
				return o;
		}
	}
	return NULL;
}

static bool is_option(struct str word)
{
	return word.len > 1 && word.ptr[0] == '-';
}

/* Walk the words before the last; the option that the last one is the value of, or NULL. */
static const struct opt *walk(struct complete *c, const struct opt *const tables[2])
{
	const struct opt *o = NULL;

	c->words = 0;
	for (int i = 0; i + 1 < c->argc; i++) {
		struct str word = str_from(c->argv[i]);

		if (o != NULL) { /* bash cuts "--output=json" at the sign */
			if (!str_eq(word, STR("=")))
				o = NULL;
		} else if (!c->no_options && is_option(word)) {
			c->no_options = str_eq(word, STR("--"));
			o = find(tables, word);
			if (o != NULL && o->type == OPT_FLAG)
				o = NULL;
		} else {
			c->words++;
		}
	}
	return o;
}

static void put_option_names(struct complete *c, const struct opt *const tables[2])
{
	char name[HELP_NAME_MAX];

	for (size_t t = 0; t < 2; t++) {
		for (const struct opt *o = tables[t]; o != NULL && o->type != OPT_NONE; o++) {
			if (o->help == NULL)
				continue;
			(void)snprintf(name, sizeof(name), "--%s", o->name);
			put(c, str_from(name), "", o->help);
		}
	}
}

/* "--output=js": the value is behind the sign, the word is all of it. */
static const struct opt *own_value(struct complete *c, const struct opt *const tables[2])
{
	const struct opt *o;
	size_t at;

	if (!is_option(c->last) || !str_find_char(c->last, '=', &at))
		return NULL;
	o = find(tables, str_slice(c->last, 0, at));
	if (o == NULL || o->arg == NULL)
		return NULL;
	c->before = str_slice(c->last, 0, at + 1);
	c->last = str_slice(c->last, at + 1, c->last.len);
	return o;
}

/* With the options of the command there, or with the global ones alone. */
static void put_candidates(struct complete *c, const struct opt *opts)
{
	struct opt globals[OPT_GLOBALS_MAX];
	const struct opt *const tables[2] = { opts, globals };
	const struct opt *o;
	int words = c->words;

	opt_globals(c->cli, globals);
	o = walk(c, tables);
	words = c->words - words;
	if (o == NULL && !c->no_options)
		o = own_value(c, tables);
	if (o != NULL) {
		if (str_eq(c->last, STR("=")))
			c->last = STR_EMPTY;
		put_words(c, o->arg);
	} else if (!c->no_options && c->last.len > 0 && c->last.ptr[0] == '-') {
		put_option_names(c, tables);
	} else if (c->cmd == NULL) {
		put_commands(c, STR_EMPTY);
	} else if (words == 0 && c->cmd->args != NULL) {
		put_words(c, c->cmd->args);
	}
}

static void put_of_command(struct describe *d, const struct cmd *cmd, const struct opt *opts)
{
	struct complete *c = CONTAINER_OF(d, struct complete, d);

	c->cmd = cmd;
	put_candidates(c, opts);
}

/* ---- which command */

/* The words before the last that are no options and no options' values; how many. */
static int name_words(struct complete *c, char *out[COMMAND_WORDS_MAX])
{
	struct opt globals[OPT_GLOBALS_MAX];
	const struct opt *const tables[2] = { NULL, globals }, *o;
	int n = 0;

	opt_globals(c->cli, globals);
	for (int i = 0; i + 1 < c->argc && n < COMMAND_WORDS_MAX; i++) {
		struct str word = str_from(c->argv[i]);

		if (!is_option(word)) {
			out[n++] = c->argv[i];
			continue;
		}
		if (n > 0)
			break; /* the name is over */
		o = find(tables, word);
		if (o != NULL && o->type != OPT_FLAG)
			i++;
	}
	return n;
}

void complete_put(struct cli *cli, int argc, char **argv, struct buf *out)
{
	struct complete c = { .d = { put_of_command }, .cli = cli, .out = out };
	char *name[COMMAND_WORDS_MAX + 1] = { NULL };
	const struct cmd *cmd = NULL;
	int n, used = 0;

	c.argc = argc;
	c.argv = argv;
	c.last = argc > 0 ? str_from(argv[argc - 1]) : STR_EMPTY;
	n = name_words(&c, name);
	if (n == 1 && !is_option(c.last)) /* "sandbox" is a command and the noun of others */
		put_commands(&c, cli_noun(str_from(name[0])));
	if (n > 0)
		cmd = cli_command_find(n, name, &used);
	c.words = used;
	if (cmd != NULL)
		help_describe(cli, &c.d, cmd);
	else if (n == 0)
		put_candidates(&c, NULL);
}
