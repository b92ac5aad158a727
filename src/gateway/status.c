/* SPDX-License-Identifier: MIT */
/*
 * status.c - what became of a message, from its evidence, in any order
 *
 * TESTS  tests/unit/test_status.c (every permutation)
 */
#include "gateway/status.h"
#include "base/panic.h"

static const char *const ladder[] = { NULL, "sent", "delivered", "read", "played" };

#define RANK_DELIVERED 2

void status_merge(struct status_merged *m, struct str word)
{
	if (str_eq(word, STR("failed")))
		m->failed = true;
	for (int rank = 1; rank < (int)ARRAY_LEN(ladder); rank++)
		if (str_eq(word, str_from(ladder[rank])) && rank > m->rank)
			m->rank = rank; /* never lowered */
}

const char *status_word(const struct status_merged *m)
{
	if (m->failed && m->rank < RANK_DELIVERED)
		return "failed";
	return ladder[m->rank];
}
