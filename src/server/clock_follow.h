/* SPDX-License-Identifier: MIT */
/* clock_follow.h - in the sandbox profile the gateway's clock is the sandbox's */
#ifndef SERVER_CLOCK_FOLLOW_H
#define SERVER_CLOCK_FOLLOW_H

#include "server/server.h"

/* Starts at once; cfg->clock_follow is the sandbox's base URL. */
GW_NODISCARD gw_status clock_follow_new(struct server *s, struct clock_follow **out,
					struct gw_error *err);
void clock_follow_free(struct clock_follow *f);

#endif
