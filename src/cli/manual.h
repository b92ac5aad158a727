/* SPDX-License-Identifier: MIT */
/* manual.h - manual pages (roff), made of the tables that --help and the configuration come from */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/buf.h"
#include "cli/cli.h"

/* The page that the words name: none is godwit(1), a command its own, "godwit.conf" that of the
 * file.  False: there is none, and nothing was put. */
bool manual_put(struct cli *cli, int argc, char **argv, struct buf *out);
/* All of them below dir: man1/godwit.1, man1/godwit-send.1, man5/godwit.conf.5; an exit code. */
int manual_write(struct cli *cli, const char *dir);

/* Of roff.c: one piece of text, escaped; a page's head. */
void roff_put(struct buf *out, const char *text);
void roff_head(struct buf *out, const char *title, int section, const char *name,
	       const char *about);
/* manual_config.c */
void manual_put_config(struct buf *out);

#endif
