/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a batch, or something else, is, on standard error
 *
 * A bar that is painted over on a terminal, a line every ten seconds elsewhere,
 * or an object a second for programs.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/buf.h"
#include "cli/batch.h"
#include "cli/cli.h"

enum progress_kind { PROGRESS_NONE, PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON };

struct progress {
	const struct cli *cli;
	enum progress_kind kind;
	unsigned columns; /* of the terminal; 0: not known */
	int64_t next_ns; /* nothing is shown before; real time */
	bool is_painted; /* a line of the terminal is ours */
};

/* By --progress WORD (NULL: auto); false: printed, cli->code is set. */
bool progress_init(struct progress *p, struct cli *cli, const char *word);
/* What is being done while there are no counts yet, at once; not for programs. */
void progress_say(struct progress *p, const char *fmt, ...) GW_PRINTF(2, 3);
/* The batch as it stands, if it is time; `now_ns` of the real clock. */
void progress_show(struct progress *p, const struct batch *b, int64_t now_ns);
/* The batch as it stands, at once: its state changed, or this was the last time. */
void progress_last(struct progress *p, const struct batch *b, int64_t now_ns);
/* Others may write to the terminal again: where the bar was, or below it. */
void progress_clear(struct progress *p);
void progress_leave(struct progress *p);

/* Of something that is no batch: a text of the caller's, in the form that p->kind names. */
bool progress_is_due(const struct progress *p, int64_t now_ns);
void progress_put(struct progress *p, const struct buf *text, int64_t now_ns);
void progress_put_cells(struct buf *out, int64_t done, int64_t of, bool utf8);

/* One bar of at most `columns` columns, without line end. */
void progress_put_bar(struct buf *out, const struct batch *b, unsigned columns, bool utf8);
/* batch=bat_... sent=4120/10000 failed=3 rate=74.8/s eta=00:01:19 */
void progress_put_line(struct buf *out, const struct batch *b);
void progress_put_json(struct buf *out, const struct batch *b);

#endif
