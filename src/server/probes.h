/* SPDX-License-Identifier: MIT */
/* probes.h - /livez and /readyz, answered on the listener's own thread */
#ifndef SERVER_PROBES_H
#define SERVER_PROBES_H

#include "server/server.h"

/* True when the call was a probe and has been answered. */
bool probe_answer(struct server *s, struct http_call *call);

#endif
