/* SPDX-License-Identifier: MIT */
/* input.h - files that a command reads; "-" is standard input */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/buf.h"
#include "cli/cli.h"

/* Append the file to b; EXIT_OK, or printed. */
int input_read(const struct cli *cli, const char *path, struct buf *b);
/* A list "a,b,c" (or several of them) as a JSON array of strings. */
struct opt_list;
struct json_writer;
/* Is there a word in them?  A list that was given and has none is a mistake of its writer. */
bool input_has_words(const struct opt_list *lists);
void input_write_words(struct json_writer *w, const struct opt_list *lists);

#endif
