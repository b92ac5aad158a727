/* SPDX-License-Identifier: MIT */
/*
 * migrate.h - bring a database to the schema that this program knows
 *
 * Migrations only expand, so that the previous release can still read what it knows; each is one
 * SQL text, numbered from 1 without gaps, and PRAGMA user_version holds the last one applied.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/clock.h"
#include "base/log.h"
#include <godwit/error.h>

#include <sqlite3.h>

struct migration {
	int version;
	const char *name;
	const char *sql; /* words_expand() before use */
};

/* Made of schema/NNN_*.sql by the build. */
extern const struct migration migrations[];
extern const size_t migration_count;

/*
 * Apply what is missing, in one transaction.  A database that holds something is copied to
 * dir/backup/ first.  GW_ESTATE: the schema is newer than list; GW_EPARSE: not ours.
 */
GW_NODISCARD gw_status migrate_run(sqlite3 *db, const char *dir, const struct migration *list,
				   size_t count, const struct clock *clock, const struct log *log,
				   struct gw_error *err);

/* Whose it is, and its version.  GW_ESTATE: newer than `newest`; GW_EPARSE: not ours. */
GW_NODISCARD gw_status migrate_owner(sqlite3 *db, size_t newest, int64_t *out_version,
				     struct gw_error *err);

#endif
