/* SPDX-License-Identifier: MIT */
/*
 * arena.h - request-sized allocation: many small pieces, freed at once
 *
 * An arena has a ceiling; an allocation that would cross it, or that the
 * system refuses, returns NULL and the arena stays usable.  Memory is aligned
 * for any type.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(size_t max); /* NULL: no memory */
void arena_free(struct arena *a); /* NULL allowed */
void arena_reset(struct arena *a); /* keeps the first chunk */
void *arena_alloc(struct arena *a, size_t size); /* not zeroed */
void *arena_zalloc(struct arena *a, size_t size); /* zeroed */
/* A NUL-terminated copy; ptr is NULL (and len 0) when the arena is full. */
struct str arena_str(struct arena *a, struct str s);
/* Give back the tail of the newest allocation, which started at ptr. */
void arena_shrink(struct arena *a, void *ptr, size_t old_size, size_t new_size);
size_t arena_used(const struct arena *a);

#endif
