/* SPDX-License-Identifier: MIT */
/*
 * opt.c - declarative options
 *
 * ROLE     Turns words into the variables that a command names in its table.
 *          What is wrong is said with the nearest name that exists.
 * THREADS  Any one.
 * TESTS    tests/unit/test_opt.c
 */
#include "cli/opt.h"
#include "base/panic.h"
#include "cli/help.h"

#define NEAREST_MAX 32 /* longer words are not compared */

void opt_globals(struct cli *cli, struct opt out[OPT_GLOBALS_MAX])
{
	const struct opt all[] = {
		{ OPT_TEXT, 'o', "output", &cli->output, "table|json|jsonl|id",
		  "the form of the answer (also GODWIT_OUTPUT)" },
		{ OPT_FLAG, 0, "json", &cli->json, NULL, "the same as --output json" },
		{ OPT_FLAG, 'q', "quiet", &cli->quiet, NULL, "no hints and no progress" },
		{ OPT_TEXT, 'c', "config", &cli->config, "FILE",
		  "the configuration file (also GODWIT_CONFIG)" },
		{ OPT_TEXT, 0, "server", &cli->server, "URL|unix:PATH",
		  "the gateway to talk to (also GODWIT_SERVER)" },
		{ OPT_TEXT, 0, "key-file", &cli->key_file, "FILE",
		  "the key for a gateway reached over TCP (also GODWIT_KEY)" },
		{ OPT_FLAG, 0, "no-color", &cli->no_color, NULL, "no colours (also NO_COLOR)" },
		{ OPT_FLAG, 0, "no-input", &cli->no_input, NULL, "never ask" },
		{ OPT_FLAG, 0, "show-pii", &cli->show_pii, NULL,
		  "telephone numbers whole in tables" },
		{ OPT_MS, 0, "timeout", &cli->timeout_ms, "DURATION",
		  "give up after this long, such as 30s" },
		{ OPT_FLAG, 'h', "help", &cli->want_help, NULL, "what a command takes" },
		{ OPT_FLAG, 0, "version", &cli->want_version, NULL, "print the version" },
		OPT_END
	};

	_Static_assert(ARRAY_LEN(all) <= OPT_GLOBALS_MAX, "room for every global option");
	memcpy(out, all, sizeof(all));
}

/* ---- the nearest word ---- */

static unsigned distance(struct str a, struct str b)
{
	unsigned row[NEAREST_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			unsigned above = row[j];
			unsigned best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[b.len];
}

const char *opt_nearest(const char *word, const char *const *candidates, size_t count)
{
	struct str w = str_from(word);
	const char *nearest = NULL;
	unsigned best = w.len < 4 ? 2 : 3; /* beyond: another word, not a misspelt one */

	if (w.len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct str c = str_from(candidates[i]);
		unsigned d = c.len > NEAREST_MAX ? best : distance(w, c);

		if (d < best) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

/* ---- one option ---- */

struct parse {
	struct cli *cli;
	const char *where; /* "godwit send" without the program: the command's name or "" */
	const struct opt *tables[2];
	int argc;
	char **argv;
	int at; /* the word being read */
};

static bool refuse(struct parse *p, const char *fix, const char *what, const char *word)
{
	p->cli->code = cli_failf(p->cli, EXIT_USAGE, fix, "%s%s%s \"%s\"", p->where,
				 p->where[0] != '\0' ? ": " : "", what, word);
	return false;
}

static const struct opt *find_name(const struct parse *p, struct str name)
{
	for (size_t t = 0; t < ARRAY_LEN(p->tables); t++)
		for (const struct opt *o = p->tables[t]; o != NULL && o->type != OPT_NONE; o++)
			if (str_eq(str_from(o->name), name))
				return o;
	return NULL;
}

static const struct opt *find_letter(const struct parse *p, char letter)
{
	for (size_t t = 0; t < ARRAY_LEN(p->tables); t++)
		for (const struct opt *o = p->tables[t]; o != NULL && o->type != OPT_NONE; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static bool unknown_name(struct parse *p, const char *word, struct str name)
{
	const char *names[2 * OPT_LIST_MAX], *nearest;
	char typed[NEAREST_MAX + 2], fix[128];
	size_t n = 0;

	for (size_t t = 0; t < ARRAY_LEN(p->tables); t++)
		for (const struct opt *o = p->tables[t]; o != NULL && o->type != OPT_NONE; o++)
			if (n < ARRAY_LEN(names) && o->help != NULL)
				names[n++] = o->name;
	(void)str_copy(name, typed, sizeof(typed));
	nearest = opt_nearest(typed, names, n);
	if (nearest != NULL)
		(void)snprintf(fix, sizeof(fix), "did you mean --%s?", nearest);
	else
		(void)snprintf(fix, sizeof(fix), "godwit %s%s--help lists the options", p->where,
			       p->where[0] != '\0' ? " " : "");
	return refuse(p, fix, "unknown option", word);
}

static bool store(struct parse *p, const struct opt *o, const char *value)
{
	struct opt_list *list = o->to;
	int64_t n;

	switch (o->type) {
	case OPT_FLAG: *(bool *)o->to = true; return true;
	case OPT_TEXT: *(const char **)o->to = value; return true;
	case OPT_LIST:
		if (list->count == OPT_LIST_MAX)
			return refuse(p, NULL, "given too often:", o->name);
		list->items[list->count++] = value;
		return true;
	case OPT_MS:
		if (!str_to_duration_ms(str_from(value), &n))
			return refuse(p, "want a duration such as 250ms, 30s, 10m or 24h", o->name,
				      value);
		*(int64_t *)o->to = n;
		return true;
	case OPT_I64:
		if (!str_to_i64(str_from(value), &n) || n < 0)
			return refuse(p, "want a whole number from 0", o->name, value);
		*(int64_t *)o->to = n;
		return true;
	case OPT_NONE: break;
	}
	PANIC("an option of no type");
}

/* The value behind an option that has none in its own word. */
static bool next_word(struct parse *p, const char *option, const char **out)
{
	if (p->at + 1 >= p->argc)
		return refuse(p, NULL, "a value must follow", option);
	*out = p->argv[++p->at];
	return true;
}

static bool take_long(struct parse *p, const char *word)
{
	struct str name = str_from(word + 2);
	const char *value = NULL;
	const struct opt *o;
	size_t at;

	if (str_find_char(name, '=', &at)) {
		value = word + 2 + at + 1;
		name = str_slice(name, 0, at);
	}
	o = find_name(p, name);
	if (o == NULL)
		return unknown_name(p, word, name);
	if (o->type == OPT_FLAG && value != NULL)
		return refuse(p, NULL, "takes no value:", word);
	if (o->type != OPT_FLAG && value == NULL && !next_word(p, word, &value))
		return false;
	return store(p, o, value);
}

/* "-q", "-ojson", "-o json"; several flags in one word, "-qh". */
static bool take_letters(struct parse *p, const char *word)
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		const struct opt *o = find_letter(p, *c);
		const char *value = c + 1;

		if (o == NULL)
			return unknown_name(p, word, str_from(word + 1));
		if (o->type == OPT_FLAG) {
			if (!store(p, o, NULL))
				return false;
			continue;
		}
		if (*value == '\0' && !next_word(p, word, &value))
			return false;
		return store(p, o, value);
	}
	return true;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static bool take_option(struct parse *p)
{
	const char *word = p->argv[p->at];

	return word[1] == '-' ? take_long(p, word) : take_letters(p, word);
}

int opt_leading(struct cli *cli, int argc, char **argv)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct parse p = { cli, "", { NULL, globals }, argc, argv, 0 };

	opt_globals(cli, globals);
	for (; p.at < argc && is_option(argv[p.at]); p.at++) {
		if (strcmp(argv[p.at], "--") == 0)
			return p.at + 1;
		if (!take_option(&p))
			return -1;
	}
	return p.at;
}

static bool check_count(struct parse *p, const struct cmd *cmd, int count)
{
	char fix[256];

	if (count >= cmd->args_min && (cmd->args_max < 0 || count <= cmd->args_max))
		return true;
	(void)snprintf(fix, sizeof(fix), "usage: godwit %s%s%s", cmd->name,
		       cmd->args != NULL ? " " : "", cmd->args != NULL ? cmd->args : "");
	if (count < cmd->args_min)
		p->cli->code = cli_failf(p->cli, EXIT_USAGE, fix, "%s: something is missing",
					 cmd->name);
	else
		(void)refuse(p, fix, "too many words, from", p->argv[cmd->args_max]);
	return false;
}

bool opt_parse(struct cli *cli, const struct cmd *cmd, const struct opt *opts, int *argc,
	       char ***argv)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct parse p = { cli, cmd->name, { opts, globals }, *argc, *argv, 0 };
	int words = 0;

	if (cli->describe != NULL) {
		cli->describe->put(cli->describe, cmd, opts);
		return false;
	}
	opt_globals(cli, globals);
	for (; p.at < p.argc; p.at++) {
		if (strcmp(p.argv[p.at], "--") == 0) {
			for (p.at++; p.at < p.argc; p.at++)
				p.argv[words++] = p.argv[p.at];
			break;
		}
		if (!is_option(p.argv[p.at]))
			p.argv[words++] = p.argv[p.at]; /* never ahead of what is read */
		else if (!take_option(&p))
			return false;
	}
	if (!cli_settle(cli))
		return false;
	if (cli->want_help) {
		help_command(cli, cmd, opts);
		cli->code = cli_done(cli, EXIT_OK);
		return false;
	}
	if (!check_count(&p, cmd, words))
		return false;
	*argc = words;
	return true;
}
