/* SPDX-License-Identifier: MIT */
/* seed.h - the [account NAME] sections become rows, before anything runs */
#ifndef SERVER_SEED_H
#define SERVER_SEED_H

#include "server/server.h"

/* Commits each account and number of the configuration, turning the loop until it is done. */
GW_NODISCARD gw_status seed_accounts(struct server *s, struct gw_error *err);

#endif
