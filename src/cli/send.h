/* SPDX-License-Identifier: MIT */
/*
 * send.h - what the files of `godwit send` share
 *
 *   cmd_send.c     the options, and which of the following has them
 *   send_from.c    the number it goes out from
 *   send_body.c    the message that was described
 *   send_one.c     one message: the call, its answer
 *   send_follow.c  what becomes of that one
 *   send_csv.c, send_list.c and those named in send_list.h: many
 */
#ifndef CLI_SEND_H
#define CLI_SEND_H

#include "cli/api.h"
#include "cli/opt.h"

/* The words of the command; borrowed from argv. */
struct send_wish {
	const char *from, *template, *lang, *category;
	struct opt_list vars;
	/* of one message */
	const char *json_body, *wait, *key, *fallback;
	struct opt_list fallback_vars;
	bool async, park;
	/* of many */
	const char *csv, *text, *phone, *name, *resume, *results, *confirm, *progress;
	bool dry_run;
};

struct send_sender {
	char number[64];
	bool is_sandbox; /* nobody real gets it */
};

/* The only number there is, or the one that was asked for; EXIT_OK, or printed. */
int send_from(struct api *a, const struct cli *cli, const char *from, struct send_sender *out);

/* Each is NAME=..., all by number or all by name; sorts them.  False: printed, cli->code is set;
 * `option` is the one they were given with, `want` says how. */
bool send_vars_check(struct cli *cli, struct opt_list *vars, const char *option, const char *want);
/* The message as the Graph API takes it; EXIT_OK, or printed. */
int send_body_make(const struct cli *cli, const struct send_wish *w, char **words, int count,
		   struct buf *b);

int send_one(struct cli *cli, const struct send_wish *w, char **words, int count);
int send_list(struct cli *cli, const struct send_wish *w, int words);

#endif
