/* SPDX-License-Identifier: MIT */
/* meta.h - Meta's errors as a user of the command line meets them */
#ifndef CLI_META_H
#define CLI_META_H

#include "cli/cli.h"
#include "json/json.h"

/* The exit code that a Graph error stands for. */
int meta_exit(int code, int subcode);
/*
 * Print "WHAT: 131047 title: details", the meaning, the way out and, unless
 * `id` is empty, what tells more of that message; returns `exit`.
 */
int meta_fail(const struct cli *cli, int exit, const char *what, int code, int subcode,
	      struct str details, const char *id);

#endif
