/* SPDX-License-Identifier: MIT */
/* send_csv.h - the list of `godwit send --csv`, as a file that can be read from its start */
#ifndef CLI_SEND_CSV_H
#define CLI_SEND_CSV_H

#include "cli/cli.h"

#define SEND_CSV_MAX (UINT64_C(256) << 20) /* what the gateway takes (docs/api.md) */

struct send_csv {
	int fd; /* -1: none */
	uint64_t bytes;
	const char *label; /* for people: the file's own name, borrowed from its path */
};

/*
 * A plain file is used as it is; a pipe and "-" are kept in a file without a
 * name first, since an upload says how long it is.  EXIT_OK, or printed.
 */
int send_csv_open(const struct cli *cli, const char *path, struct send_csv *out);
void send_csv_close(struct send_csv *c);

#endif
