/* SPDX-License-Identifier: MIT */
/*
 * arena.c - many small pieces, freed at once
 *
 *   struct arena | first chunk ............ |        one malloc
 *   struct chunk | bytes .................. |        more of them, newest first
 *
 * LIFE        Pieces are cut off the newest chunk.  What does not fit opens a
 *             chunk of twice the size of the last one (at most CHUNK_MAX) or
 *             of just the piece; the tail of the older chunk is given up.
 * INVARIANTS  1. used <= max; used counts pieces rounded up to ALIGN.
 *             2. at <= end, both inside the newest chunk, at aligned.
 * FAILURE     NULL; nothing has changed.
 * LIMITS      the ceiling of each arena, counted over pieces
 * TESTS       tests/unit/test_arena.c; with AddressSanitizer whatever was not
 *             handed out is poisoned, so overruns inside a chunk are found.
 */
#include "base/arena.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdalign.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
/* <sanitizer/asan_interface.h> says const, which gcc takes for a read of uninitialised memory. */
void __asan_poison_memory_region(void volatile *ptr, size_t len);
void __asan_unpoison_memory_region(void volatile *ptr, size_t len);
#define POISON(ptr, len) __asan_poison_memory_region((ptr), (len))
#define UNPOISON(ptr, len) __asan_unpoison_memory_region((ptr), (len))
#else
#define POISON(ptr, len) ((void)0)
#define UNPOISON(ptr, len) ((void)0)
#endif

#define ALIGN alignof(max_align_t)
#define FIRST_SIZE 4096 /* with the header: most requests never need more */
#define CHUNK_MAX (256 * 1024)

struct chunk {
	struct chunk *older;
	size_t size; /* of bytes */
	alignas(max_align_t) char bytes[];
};

struct arena {
	size_t max;
	size_t used;
	struct chunk *newest; /* NULL: still in first */
	char *at;
	char *end;
	size_t next_size; /* of the next ordinary chunk */
	alignas(max_align_t) char first[];
};

/* The place that `size` takes; false when that is no number. */
static inline bool round_up(size_t size, size_t *out)
{
	if (size > SIZE_MAX - (ALIGN - 1))
		return false;
	*out = (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
	return true;
}

static void use_first(struct arena *a)
{
	a->used = 0;
	a->newest = NULL;
	a->at = a->first;
	a->end = (char *)a + FIRST_SIZE;
	a->next_size = 2 * FIRST_SIZE;
	POISON(a->at, (size_t)(a->end - a->at));
}

struct arena *arena_new(size_t max)
{
	struct arena *a = malloc(FIRST_SIZE);

	if (a == NULL)
		return NULL;
	a->max = max;
	use_first(a);
	return a;
}

static void free_chunks(struct chunk *c)
{
	while (c != NULL) {
		struct chunk *older = c->older;

		free(c);
		c = older;
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	free_chunks(a->newest);
	free(a);
}

void arena_reset(struct arena *a)
{
	free_chunks(a->newest);
	use_first(a);
}

static bool add_chunk(struct arena *a, size_t room)
{
	size_t size = room > a->next_size ? room : a->next_size;
	struct chunk *c;
	size_t total;

	if (!size_add(sizeof(*c), size, &total))
		return false;
	c = malloc(total);
	if (c == NULL)
		return false;
	c->older = a->newest;
	c->size = size;
	a->newest = c;
	a->at = c->bytes;
	a->end = c->bytes + size;
	if (a->next_size < CHUNK_MAX)
		a->next_size *= 2;
	POISON(a->at, size);
	return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t room;
	char *ptr;

	if (!round_up(size, &room) || room > a->max - a->used)
		return NULL;
	if (room > (size_t)(a->end - a->at) && !add_chunk(a, room))
		return NULL;
	ptr = a->at;
	a->at += room;
	a->used += room;
	UNPOISON(ptr, size);
	return ptr;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *ptr = arena_alloc(a, size);

	if (ptr != NULL)
		memset(ptr, 0, size);
	return ptr;
}

struct str arena_str(struct arena *a, struct str s)
{
	size_t size;
	char *copy;

	if (!size_add(s.len, 1, &size))
		return str_make(NULL, 0);
	copy = arena_alloc(a, size);
	if (copy == NULL)
		return str_make(NULL, 0);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return str_make(copy, s.len);
}

void arena_shrink(struct arena *a, void *ptr, size_t old_size, size_t new_size)
{
	size_t old_room, new_room;

	ASSERT(new_size <= old_size && round_up(old_size, &old_room));
	ASSERT(round_up(new_size, &new_room));
	ASSERT((char *)ptr + old_room == a->at); /* the newest piece, and no other */
	a->at -= old_room - new_room;
	a->used -= old_room - new_room;
	POISON((char *)ptr + new_size, old_room - new_size);
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
