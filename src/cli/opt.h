/* SPDX-License-Identifier: MIT */
/*
 * opt.h - declarative options: "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE"
 *
 * Options and words may be mixed; "--" ends the options; "-" alone is a word.
 * The global options (opt_globals) are understood everywhere.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include "cli/cli.h"

enum opt_type {
	OPT_NONE, /* the end of a list */
	OPT_FLAG, /* bool */
	OPT_TEXT, /* const char * */
	OPT_LIST, /* struct opt_list: may be given several times */
	OPT_MS, /* int64_t: a duration, "30s" */
	OPT_I64 /* int64_t: a whole number from 0 */
};

#define OPT_LIST_MAX 64
struct opt_list {
	const char *items[OPT_LIST_MAX];
	size_t count;
};

struct opt {
	enum opt_type type;
	char letter; /* 0: none */
	const char *name;
	void *to;
	/* What the value is called in help; NULL for flags.  "one|two": these and no others,
	 * which the shells complete (complete.c); FILE, PATH, DIR, KEY=VALUE likewise. */
	const char *arg;
	const char *help; /* NULL: hidden, for other programs */
};

#define OPT_END                                     \
	{                                           \
		OPT_NONE, 0, NULL, NULL, NULL, NULL \
	}

/*
 * Parse the words behind a command.  True: *argc and *argv are what is left,
 * their number checked.  False: there is nothing to run, cli->code is the exit
 * code (help was printed, or what is wrong).  opts may be NULL.
 */
bool opt_parse(struct cli *cli, const struct cmd *cmd, const struct opt *opts, int *argc,
	       char ***argv);
/* The global options at the front of argv; returns how many words they took, -1: printed. */
int opt_leading(struct cli *cli, int argc, char **argv);

#define OPT_GLOBALS_MAX 16
/* The global options of this run, OPT_END behind the last. */
void opt_globals(struct cli *cli, struct opt out[OPT_GLOBALS_MAX]);

/* The nearest of the candidates to a misspelt word; NULL: none is near. */
const char *opt_nearest(const char *word, const char *const *candidates, size_t count);

#endif
