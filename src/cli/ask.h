/* SPDX-License-Identifier: MIT */
/* ask.h - questions to the person at the terminal; prompts go to standard error */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "base/mac.h"
#include "cli/cli.h"

/* Is there somebody to ask: a terminal as standard input, and no --no-input. */
bool ask_may(const struct cli *cli);
/* A word that is not shown while it is typed.  EXIT_OK with *out (1 to SECRET_MAX bytes, trimmed);
 * EXIT_SIGINT: Ctrl-C or the end of the input; EXIT_USAGE: printed. */
int ask_secret(const struct cli *cli, const char *prompt, struct secret *out);
/* A line, trimmed, at most cap - 1 bytes.  As above. */
int ask_line(const struct cli *cli, const char *prompt, char *out, size_t cap);

#endif
