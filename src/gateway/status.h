/* SPDX-License-Identifier: MIT */
/*
 * status.h - what became of a message, from its evidence, in any order
 *
 *   sent < delivered < read < played
 *
 * A status is never lowered; read implies delivered; failed stands beside the
 * ladder, because Meta has been seen to report both.
 *
 * THREADS  Any; a struct status_merged belongs to its caller.
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H

#include "base/str.h"

struct status_merged {
	int rank; /* 0: no evidence of the ladder yet */
	bool failed;
};

/* Take one piece of evidence; words outside the ladder change nothing. */
void status_merge(struct status_merged *m, struct str word);
/* "sent", "delivered", "read", "played", "failed", or NULL without evidence.  failed is the
 * word only when nothing shows that the message arrived. */
const char *status_word(const struct status_merged *m);

#endif
