/* SPDX-License-Identifier: MIT */
/*
 * departures.h - which attempts have begun to leave, as far as a killed process can still tell
 *
 * A message that is `sending` in the store was claimed; whether a byte of it left, the store does
 * not know.  This file beside the store does: each attempt is noted in it before its request
 * begins.  The kernel keeps it when the process is killed, so the next start can prove of a claim
 * that it never left.  Nothing is proven after the machine itself went down, of a copied folder,
 * or when the file is missing.
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_DEPARTURES_H
#define GATEWAY_DEPARTURES_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct departures;

struct departures_options {
	const char *dir; /* of the store; locked by us */
	size_t max; /* attempts that are under way at once, at most */
	const struct log *log; /* may be silent, not NULL */
	/* Is this try still sending in the store?  Then its note stays. */
	bool (*is_sending)(void *cookie, int64_t row, uint32_t try_);
	/* Is anything sending that an earlier process left behind? */
	bool (*is_anything_left)(void *cookie);
	void *cookie;
};

/* Never fails: what cannot be read proves nothing. */
struct departures *departures_open(const struct departures_options *o);
void departures_close(struct departures *d); /* NULL is fine */

/* True: this try, which the store calls sending, has never left. */
bool departures_prove_absent(const struct departures *d, int64_t row, uint32_t try_);
/* Right before the first byte. */
void departures_note(struct departures *d, int64_t row, uint32_t try_);

#endif
