/* SPDX-License-Identifier: MIT */
/* drain.h - SIGTERM: finish what was begun, lose nothing, leave */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H

#include "server/server.h"

#define DRAIN_LISTENERS_MS 4000 /* for calls that are still being answered */

/* Ends with loop_stop(), at most drain.grace + DRAIN_LISTENERS_MS later. */
void drain_begin(struct server *s);

#endif
