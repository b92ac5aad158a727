/* SPDX-License-Identifier: MIT */
/*
 * spool.h - a file without a name, for a body that is too large for memory
 *
 * Media pass through the gateway whole: from the client into a spool and from there to Meta, or the
 * other way (docs/decisions/016-media-pass-through-a-file.md).  The file is gone with its
 * descriptor, whatever becomes of the process.
 *
 * LIMITS   SPOOLS_MAX at once for all listeners; SPOOL_BYTES_MAX each
 * THREADS  any; one spool belongs to one thread at a time
 */
#ifndef SERVER_SPOOL_H
#define SERVER_SPOOL_H

#include "server/server.h"

#define SPOOLS_MAX 32
#define SPOOL_BYTES_MAX (104U * 1024 * 1024) /* a document has 100 MB (cloud-api.md 2.2) */

struct spool {
	struct server *server;
	int fd;
	uint64_t len; /* bytes written by spool_write() */
};

/* For at most `max` bytes.  NULL: too many at once, or the disk is at store.disk_min. */
struct spool *spool_open(struct server *s, uint64_t max);
void spool_free(struct spool *sp); /* closes what was not taken */
bool spool_write(struct spool *sp, struct str bytes); /* false: over the limit, or the disk fails */
int spool_take(struct spool *sp); /* the descriptor, which is the caller's now */

#endif
