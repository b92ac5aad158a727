/* SPDX-License-Identifier: MIT */
/* complete.h - what may stand where the cursor is, for the shells' completions */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/buf.h"
#include "cli/cli.h"

/*
 * Put what the last of the words may become, one a line: the whole word, a tab, what it means.
 * ":files" and ":dirs" ask the shell for names of its own.  The words are those behind "godwit".
 */
void complete_put(struct cli *cli, int argc, char **argv, struct buf *out);

#endif
