/* SPDX-License-Identifier: MIT */
/* seed.h - the [account NAME] sections become rows and are in force */
#ifndef SERVER_SEED_H
#define SERVER_SEED_H

#include "server/server.h"

/* All accounts and numbers of c, which stays until done(); `what` says which was refused. */
void seed_begin(struct server *s, const struct config *c,
		void (*done)(void *cookie, gw_status st, const char *what), void *cookie);
/* The same before the loop runs: turns it until all are there. */
GW_NODISCARD gw_status seed_accounts(struct server *s, struct gw_error *err);

#endif
