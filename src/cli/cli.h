/* SPDX-License-Identifier: MIT */
/*
 * cli.h - one run of the program, and what a command is
 *
 * A command is one file with one const struct cmd; main.c lists them.  run()
 * gets the words behind the command's name and calls opt_parse() before it
 * does anything else: help, the command tree and the manual page are made by
 * that call.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/str.h"
#include <godwit/error.h>

/* reference: `godwit help exit-codes` */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* unexpected */
	EXIT_USAGE = 2, /* wrong call or configuration, all problems listed */
	EXIT_NOT_FOUND = 3,
	EXIT_AUTH = 4, /* no key, or one that may not */
	EXIT_REFUSED = 5, /* refused here: policy, window, state */
	EXIT_REJECTED = 6, /* Meta rejected it for good */
	EXIT_TEMPORARY = 7, /* try later: limits, time-outs, nobody there */
	EXIT_PARTIAL = 8, /* finished with failures */
	EXIT_CHECK = 9, /* a check or expectation failed */
	EXIT_SIGINT = 130,
	EXIT_SIGTERM = 143
};

enum out_format { OUT_TABLE, OUT_JSON, OUT_JSONL, OUT_ID };

struct cmd;
struct describe;

struct cli {
	const char *program; /* as it was called: what hints tell people to type */
	/* global options */
	const char *output, *config, *server, *key_file;
	bool json, quiet, no_color, no_input, show_pii, want_help, want_version;
	int64_t timeout_ms; /* 0: the command's own default */
	/* made of them by cli_settle() */
	enum out_format format;
	bool color_out, color_err, utf8, is_tty;
	unsigned columns; /* of the terminal; 0: not one */
	/* set when opt_parse() says stop */
	int code;
	struct describe *describe; /* not NULL: write options there instead of running */
};

struct cmd {
	const char *name; /* "message list" */
	const char *args; /* "ID", "TO [TEXT]"; NULL: none */
	int args_min, args_max; /* args_max -1: any number */
	const char *help; /* one line, lower case, no period */
	const char *more; /* what --help adds: paragraphs, examples; NULL: nothing */
	int (*run)(struct cli *cli, int argc, char **argv);
};

/* Everything main.c knows; NULL at the end. */
const struct cmd *cli_command_at(size_t index);
/* The command that the first words name, NULL: none; *used is how many they are. */
const struct cmd *cli_command_find(int argc, char **argv, int *used);
struct str cli_noun(struct str word); /* "messages" is "message", where that is a noun */

/* Check the global options and look at the terminal; false: printed, cli->code is set. */
bool cli_settle(struct cli *cli);
bool cli_is_json(const struct cli *cli); /* json or jsonl: errors are objects too */

/* A failure as the user sees it: on standard error, one object in JSON mode. */
struct cli_error {
	int exit; /* enum exit_code */
	const char *class_; /* usage, auth, refused, meta, busy, net...; NULL: by exit */
	const char *word; /* a code of ours ("no_such_message"); NULL: none */
	int code, subcode; /* Meta's; 0: none */
	const char *message;
	const char *fix; /* what to do; NULL: nothing to say */
	int64_t retry_after_s; /* 0: unknown */
};

int cli_fail(const struct cli *cli, const struct cli_error *e); /* returns e->exit */
/*
 * How the user calls this program: "./godwit" in a checkout, where no godwit is in
 * the PATH; "godwit" also for a whole path, which is what scripts write.
 */
const char *cli_called(const struct cli *cli);
/* The short form: "godwit: message" and on the next line the fix. */
int cli_failf(const struct cli *cli, int exit_code, const char *fix, const char *fmt, ...)
	GW_PRINTF(4, 5);
/* Hints and progress: standard error, not with --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) GW_PRINTF(2, 3);
/* Flush standard output; a full disk or a closed pipe is a failure. */
int cli_done(const struct cli *cli, int code);

#endif
