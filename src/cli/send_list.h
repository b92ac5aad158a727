/* SPDX-License-Identifier: MIT */
/*
 * send_list.h - what the files of sending to a list share
 *
 *   send_list.c     from the file to the preview, the confirmation and the start
 *   send_watch.c    the batch while it is under way: progress, Ctrl-C, its end
 *   send_preview.c  what the gateway would send
 */
#ifndef CLI_SEND_LIST_H
#define CLI_SEND_LIST_H

#include "cli/batch_rows.h"
#include "cli/progress.h"
#include "cli/send.h"

struct send_list {
	struct cli *cli;
	struct api *api;
	const struct send_wish *wish;
	bool is_sandbox;
	struct batch batch; /* as it was last told */
	struct progress progress;
	int signal_fd; /* -1: Ctrl-C ends the process */
	struct loop_watch *watch;
	bool stopped; /* Ctrl-C */
	int64_t gone_ns; /* since when nobody answers; 0: somebody does */
	int64_t began_ns;
};

/* ---- send_watch.c ---- */

int send_list_catch(struct send_list *l); /* Ctrl-C sets `stopped` from now on */
void send_list_uncatch(struct send_list *l); /* it ends the process again */
/* GET the batch; *answer (NULL allowed) has the whole of it.  A gateway that does not answer is
 * waited for.  EXIT_OK, or printed; EXIT_SIGINT: stopped. */
int send_list_get(struct send_list *l, struct api_answer *answer);
/* POST .../WHAT; the batch that comes back is kept. */
int send_list_order(struct send_list *l, const char *what, struct str body);
void send_list_nap(struct send_list *l, int64_t ms); /* or until Ctrl-C */
/* Until nothing changes any more, and what came of it. */
int send_list_watch(struct send_list *l);

/* ---- send_preview.c ---- */

void send_preview_print(const struct cli *cli, const struct batch *b, struct json_val batch);

#endif
