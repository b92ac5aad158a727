/* SPDX-License-Identifier: MIT */
/*
 * wayback.h - calls of Meta that may have been there and were not taken; reconcile.c judges
 *
 * The front and the listener count, the reconciler compares: did anything happen between the
 * moment a message left and the moment its absence shall be proven?  Numbers only grow.
 *
 * THREADS  any
 */
#ifndef GATEWAY_WAYBACK_H
#define GATEWAY_WAYBACK_H

#include "base/panic.h"

#define WAYBACK_META_BODY_MAX (3U << 20) /* bytes; Meta sends up to 3 MB (cloud-api.md) */

struct wayback {
	/* our own fault: 503, no room for a connection, a limit below Meta's, a signed body that
	 * could not be read or stored */
	_Atomic int64_t refused;
	/* nobody's signature: Meta's calls with a secret we do not have, or anybody's */
	_Atomic int64_t unverified;
	/* ended before they were whole: slow, or left */
	_Atomic int64_t partial;
};

/* How a signed call was verified: what reconcile.c knows the sender by. */
struct wayback_mark {
	uint64_t key; /* names the secret; 0: not signed */
	int64_t unverified; /* as it was when the call was verified */
};

#endif
