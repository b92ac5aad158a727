/* SPDX-License-Identifier: MIT */
/*
 * sqlite_dedupe.h - dedupe keys: has this event been here before?
 *
 * THREADS  the store thread; dedupe_load() before it runs
 */
#ifndef STORE_SQLITE_DEDUPE_H
#define STORE_SQLITE_DEDUPE_H

#include <godwit/error.h>

struct dedupe;
struct writer;

#define KEY_BYTES 16

/* Keys are gathered in memory until there are `run` of them. */
struct dedupe *dedupe_new(size_t run);
void dedupe_free(struct dedupe *d); /* NULL allowed */

/* After the migrations: take up the keys that are in the rows of their events only. */
GW_NODISCARD gw_status dedupe_load(struct writer *w);

/* Claim a key for an event whose row, with the key in it, follows in the same transaction.
 * *out_new false: another event has it.  Rows grow from call to call. */
GW_NODISCARD gw_status dedupe_add(struct writer *w, int64_t second,
				  const unsigned char hash[KEY_BYTES], int64_t event,
				  bool *out_new);

/* The transaction, or its part since the event `from`, was rolled back. */
void dedupe_forget(struct dedupe *d, int64_t from);

/* In a transaction that only COMMIT follows: bring some keys to the table.  _all: at most that many
 * of whatever there is.  Else: twice as many as were added since the last call. */
GW_NODISCARD gw_status dedupe_settle(struct writer *w);
GW_NODISCARD gw_status dedupe_settle_all(struct writer *w, size_t at_most);

/* The keys of all events up to this row are in the table. */
int64_t dedupe_settled(const struct dedupe *d);

#endif
