/* SPDX-License-Identifier: MIT */
/* batch_people.c - open addressing over numbers.  TESTS  tests/unit/test_batch_check.c */
#include "gateway/batch_people.h"

#include "base/mem.h"
#include "base/panic.h"

#define FIRST 1024 /* places, 2^n */

struct place {
	uint64_t number; /* 0: free */
	uint32_t row;
};

struct people {
	struct place *places;
	size_t cap, count, max;
};

struct people *people_new(size_t max)
{
	struct people *p = xcalloc(1, sizeof(*p));

	p->max = max;
	p->cap = FIRST;
	p->places = xcalloc(p->cap, sizeof(*p->places));
	return p;
}

void people_free(struct people *p)
{
	if (p == NULL)
		return;
	free(p->places);
	free(p);
}

static struct place *find(const struct people *p, uint64_t number)
{
	size_t i = (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (p->cap - 1);

	while (p->places[i].number != 0 && p->places[i].number != number)
		i = (i + 1) & (p->cap - 1);
	return &p->places[i];
}

static void grow(struct people *p)
{
	struct people old = *p;

	p->cap = 2 * old.cap;
	p->places = xcalloc(p->cap, sizeof(*p->places));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.places[i].number != 0)
			*find(p, old.places[i].number) = old.places[i];
	}
	free(old.places);
}

uint32_t people_add(struct people *p, struct str digits, uint32_t row)
{
	uint64_t number = 1; /* in front, so that zeros there count */
	struct place *at;

	ASSERT(digits.len <= 18 && p->count < p->max);
	for (size_t i = 0; i < digits.len; i++)
		number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
	at = find(p, number);
	if (at->number != 0)
		return at->row;
	*at = (struct place){ number, row };
	if (++p->count > p->cap / 4 * 3)
		grow(p);
	return 0;
}
