/* SPDX-License-Identifier: MIT */
/*
 * sqlite_cache.h - a bounded cache of row look-ups, for the store thread
 *
 * Forgets when it is full, never lies: what it returns was put since the last cache_clear(), and
 * whoever rolls a transaction back or merges rows clears it.
 */
#ifndef STORE_SQLITE_CACHE_H
#define STORE_SQLITE_CACHE_H

#include "base/id.h"
#include "base/str.h"

#define CACHE_KEY_MAX 47 /* bytes; longer keys are never kept ("uw:" + an id of Meta's has 30) */

struct cache_value {
	int64_t row;
	struct id id;
	int64_t number; /* a conversation's last seq (-1: not looked up); a contact's names */
};

struct cache;

struct cache *cache_new(size_t entries); /* a power of two, at least 4 */
void cache_free(struct cache *c); /* NULL allowed */
void cache_clear(struct cache *c);
/* Borrowed until the next call; may be changed in place.  NULL: not here. */
struct cache_value *cache_get(struct cache *c, struct str key);
void cache_put(struct cache *c, struct str key, const struct cache_value *value);

#endif
