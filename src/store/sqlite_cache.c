/* SPDX-License-Identifier: MIT */
/*
 * sqlite_cache.c - four-way sets, the least recently used entry of a set gives way
 *
 * An entry counts only if its generation is the cache's, so clearing is one increment.  Keys are
 * compared whole: a hash that collides costs a look-up, never a wrong row.
 * LIMITS   fixed at cache_new(); pages that no key hits are never touched
 * TESTS    tests/unit/test_store_cache.c
 */
#include "store/sqlite_cache.h"

#include "base/mem.h"
#include "base/panic.h"

#define WAYS 4

struct entry {
	uint32_t generation; /* 0: never used */
	uint32_t used; /* the cache's tick at the last use */
	uint8_t len;
	char key[CACHE_KEY_MAX];
	struct cache_value value;
};

struct cache {
	struct entry *entries;
	size_t sets;
	uint32_t generation, tick;
};

struct cache *cache_new(size_t entries)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	ASSERT(entries >= WAYS && (entries & (entries - 1)) == 0);
	c->entries = xtable(entries, sizeof(*c->entries));
	c->sets = entries / WAYS;
	c->generation = 1;
	return c;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	xtable_free(c->entries, c->sets * WAYS, sizeof(*c->entries));
	free(c);
}

void cache_clear(struct cache *c)
{
	c->generation++;
	if (c->generation == 0) { /* wrapped: old marks would count again */
		memset(c->entries, 0, c->sets * WAYS * sizeof(*c->entries));
		c->generation = 1;
	}
}

static struct entry *set_of(const struct cache *c, struct str key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, then mixed downwards */

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	return &c->entries[(size_t)(hash & (c->sets - 1)) * WAYS];
}

static bool holds(const struct cache *c, const struct entry *e, struct str key)
{
	return e->generation == c->generation && e->len == key.len &&
	       memcmp(e->key, key.ptr, key.len) == 0;
}

struct cache_value *cache_get(struct cache *c, struct str key)
{
	struct entry *set;

	if (key.len == 0 || key.len > CACHE_KEY_MAX)
		return NULL;
	set = set_of(c, key);
	for (size_t i = 0; i < WAYS; i++) {
		if (holds(c, &set[i], key)) {
			set[i].used = ++c->tick;
			return &set[i].value;
		}
	}
	return NULL;
}

void cache_put(struct cache *c, struct str key, const struct cache_value *value)
{
	struct entry *set, *victim;

	if (key.len == 0 || key.len > CACHE_KEY_MAX)
		return;
	set = set_of(c, key);
	victim = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (holds(c, &set[i], key)) {
			victim = &set[i];
			break;
		}
		if (set[i].generation != c->generation)
			victim = &set[i];
		else if (victim->generation == c->generation &&
			 c->tick - set[i].used > c->tick - victim->used)
			victim = &set[i];
	}
	victim->generation = c->generation;
	victim->used = ++c->tick;
	victim->len = (uint8_t)key.len;
	memcpy(victim->key, key.ptr, key.len);
	victim->value = *value;
}
