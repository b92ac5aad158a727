/* SPDX-License-Identifier: MIT */
/*
 * map.h - hash maps from bytes or integers to pointers
 *
 * Keyed hashing (a random seed per map), open addressing, grows by doubling
 * and shrinks never.  Keys of a str map are copied; values are the caller's.
 * Allocation failure panics (daemon code only).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map;

struct map *map_new(void);
void map_free(struct map *m); /* NULL allowed; values untouched */
size_t map_count(const struct map *m);

void *map_get(const struct map *m, struct str key); /* NULL: absent */
/* Set; returns the value that was there before, or NULL.  value may not be NULL. */
void *map_set(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* the value, or NULL */

void *map_get_u64(const struct map *m, uint64_t key);
void *map_set_u64(struct map *m, uint64_t key, void *value);
void *map_remove_u64(struct map *m, uint64_t key);

/*
 * Walk in no order: `size_t at = 0; while (map_next(m, &at, &key, &value))`.
 * The entry just returned may be removed during the walk, nothing added.
 * For integer maps key holds the 8 bytes of the integer.  key is borrowed
 * until the next change of the map.
 */
bool map_next(const struct map *m, size_t *at, struct str *out_key, void **out_value);

#endif
