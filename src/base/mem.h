/* SPDX-License-Identifier: MIT */
/*
 * mem.h - allocation for the daemon: it succeeds or does not return
 *
 * The library (src/cloudapi) may not use the x*() functions: it returns
 * GW_ENOMEM instead.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/str.h"

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed; overflow panics */
void *xrealloc(void *ptr, size_t size);
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(struct str text); /* NUL-terminated copy of a view */
struct str xstr(struct str text); /* a heap copy; free((void *)s.ptr) */

/* A large table of which little may ever be used: zeroed, and a page costs memory from its first
 * use on, whatever the allocator.  Freed with the same two sizes; NULL allowed. */
void *xtable(size_t count, size_t size);
void xtable_free(void *table, size_t count, size_t size);

/* Checked size arithmetic; false (and *out untouched) on overflow. */
bool size_add(size_t a, size_t b, size_t *out);
bool size_mul(size_t a, size_t b, size_t *out);

#endif
