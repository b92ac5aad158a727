/* SPDX-License-Identifier: MIT */
/* reload.h - SIGHUP, or POST /api/v1/config/reload: read the configuration again */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "server/server.h"

/* Says in the log what came of it, and in an answer to `call` when there is one. */
void reload_begin(struct server *s, struct http_call *call);

#endif
