/* SPDX-License-Identifier: MIT */
/*
 * room.h - is there room for the accounts and numbers of a configuration beside those stored?
 *
 * The same rule for a start, a reload and `godwit config check`; they differ in
 * where they learn what is stored.  Nothing is changed but the list of problems.
 */
#ifndef SERVER_ROOM_H
#define SERVER_ROOM_H

#include "gateway/account.h"
#include "server/config.h"

/*
 * GW_ELIMIT: what is stored is over the limit by itself; err says which and what to do.
 * GW_EPARSE: with this configuration it would be; each account that is over is a problem of c.
 */
GW_NODISCARD gw_status room_of_store(struct store *s, struct config *c, struct gw_error *err);
GW_NODISCARD gw_status room_of_memory(const struct accounts *a, struct config *c,
				      struct gw_error *err);
/* The store in the folder that c names, which a gateway may have.  Every finding is a problem of
 * c and GW_EPARSE; no store: none is counted; another status: it could not be read. */
GW_NODISCARD gw_status room_of_folder(struct config *c, struct gw_error *err);

#endif
