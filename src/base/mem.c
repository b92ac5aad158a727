/* SPDX-License-Identifier: MIT */
/*
 * mem.c - allocation that succeeds or panics, and checked size arithmetic
 *
 * A size of 0 gives one byte, so that NULL never means "nothing wanted".
 * TESTS  tests/unit/test_mem.c
 */
#include "base/mem.h"

#include "base/panic.h"

#include <errno.h>
#include <sys/mman.h>

void *xmalloc(size_t size)
{
	void *ptr = malloc(size == 0 ? 1 : size);

	if (ptr == NULL)
		PANIC("out of memory (%zu bytes)", size);
	return ptr;
}

void *xcalloc(size_t count, size_t size)
{
	size_t total;
	void *ptr;

	if (!size_mul(count, size, &total))
		PANIC("allocation of %zu times %zu bytes overflows", count, size);
	ptr = calloc(1, total == 0 ? 1 : total);
	if (ptr == NULL)
		PANIC("out of memory (%zu bytes)", total);
	return ptr;
}

void *xrealloc(void *ptr, size_t size)
{
	void *moved = realloc(ptr, size == 0 ? 1 : size);

	if (moved == NULL)
		PANIC("out of memory (%zu bytes)", size);
	return moved;
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
	size_t total;

	if (!size_mul(count, size, &total))
		PANIC("allocation of %zu times %zu bytes overflows", count, size);
	return xrealloc(ptr, total);
}

void *xtable(size_t count, size_t size)
{
	size_t total;
	void *ptr;

	if (!size_mul(count, size, &total) || total == 0)
		PANIC("a table of %zu times %zu bytes", count, size);
	ptr = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ptr == MAP_FAILED)
		PANIC("out of memory (%zu bytes)", total);
	(void)madvise(ptr, total, MADV_NOHUGEPAGE); /* else 2 MiB are touched at once */
	return ptr;
}

void xtable_free(void *table, size_t count, size_t size)
{
	if (table != NULL && munmap(table, count * size) != 0)
		PANIC("munmap of %zu times %zu bytes: errno %d", count, size, errno);
}

char *xstrdup(const char *text)
{
	return xstrndup(str_from(text));
}

char *xstrndup(struct str text)
{
	char *copy;
	size_t size;

	if (!size_add(text.len, 1, &size))
		PANIC("allocation of %zu bytes overflows", text.len);
	copy = xmalloc(size);
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

struct str xstr(struct str text)
{
	return str_make(xstrndup(text), text.len);
}

bool size_add(size_t a, size_t b, size_t *out)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

bool size_mul(size_t a, size_t b, size_t *out)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}
