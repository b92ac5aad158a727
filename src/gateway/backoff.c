/* SPDX-License-Identifier: MIT */
/* backoff.c - see backoff.h.  TESTS  tests/unit/test_backoff.c */
#include "gateway/backoff.h"

#include "base/panic.h"

int64_t backoff_around_ms(int64_t ms, struct rnd *rnd)
{
	int64_t span = ms * BACKOFF_PERCENT / 100;

	ASSERT(ms >= 0);
	return ms - span + (int64_t)rnd_below(rnd, (uint64_t)span * 2 + 1);
}

int64_t backoff_after_ms(int64_t ms, struct rnd *rnd)
{
	ASSERT(ms >= 0);
	return ms + (int64_t)rnd_below(rnd, (uint64_t)(ms * BACKOFF_LATE_PERCENT / 100) + 1);
}

int64_t backoff_ms(int64_t base_ms, int64_t max_ms, uint32_t tries, struct rnd *rnd)
{
	int64_t ms = base_ms;

	for (uint32_t i = 1; i < tries && ms < max_ms; i++)
		ms *= 2;
	return backoff_around_ms(ms < max_ms ? ms : max_ms, rnd);
}
