/* SPDX-License-Identifier: MIT */
/*
 * breaker.c - does a destination answer at all, and how many calls it may have at once
 *
 * INVARIANTS  1. OPEN: at most one probe is on the wire.
 *             2. SLOW: 1 <= window < max; it is CLOSED at max.
 *             3. Leaving OPEN or entering it forgets what was counted: old
 *                failures must not open it again, old successes not excuse it.
 * TESTS       tests/unit/test_breaker.c
 */
#include "gateway/breaker.h"

#include "base/clock.h"
#include "base/panic.h"

#include <string.h>

#define SLOT_NS (BREAKER_WINDOW_S * NS_PER_S / BREAKER_BUCKETS)

void breaker_init(struct breaker *b, unsigned max, struct rnd *rnd)
{
	ASSERT(max > 0);
	*b = (struct breaker){ .state = BREAKER_CLOSED, .max = max, .rnd = rnd };
}

unsigned breaker_window(const struct breaker *b, int64_t now_ns)
{
	switch (b->state) {
	case BREAKER_CLOSED: return b->max;
	case BREAKER_SLOW: return b->window;
	case BREAKER_OPEN: break;
	}
	return !b->probing && now_ns >= b->probe_ns ? 1 : 0; /* inv. 1 */
}

int64_t breaker_probe_ns(const struct breaker *b)
{
	return b->state == BREAKER_OPEN && !b->probing ? b->probe_ns : INT64_MAX;
}

bool breaker_sent(struct breaker *b)
{
	if (b->state != BREAKER_OPEN)
		return false;
	ASSERT(!b->probing); /* inv. 1 */
	b->probing = true;
	return true;
}

static void count(struct breaker *b, int64_t now_ns, bool failed)
{
	int64_t slot = now_ns / SLOT_NS;
	size_t at = (size_t)(slot % BREAKER_BUCKETS);

	if (b->bucket[at].slot != slot) {
		b->bucket[at].slot = slot;
		b->bucket[at].calls = b->bucket[at].failed = 0;
	}
	b->bucket[at].calls++;
	b->bucket[at].failed += failed;
}

static bool most_failed(const struct breaker *b, int64_t now_ns)
{
	int64_t oldest = now_ns / SLOT_NS - BREAKER_BUCKETS;
	unsigned calls = 0, failed = 0;

	for (size_t i = 0; i < BREAKER_BUCKETS; i++) {
		if (b->bucket[i].slot <= oldest)
			continue;
		calls += b->bucket[i].calls;
		failed += b->bucket[i].failed;
	}
	return calls >= BREAKER_CALLS && failed * 100 >= calls * BREAKER_PERCENT;
}

static void forget(struct breaker *b)
{
	memset(b->bucket, 0, sizeof(b->bucket)); /* inv. 3 */
	b->unreached = 0;
}

static void plan_probe(struct breaker *b, int64_t now_ns)
{
	/* Parked destinations of one outage must not be probed in step. */
	uint64_t jitter = rnd_below(b->rnd, BREAKER_PROBE_MS / 5 + 1);

	b->probing = false;
	b->probe_ns = now_ns + (BREAKER_PROBE_MS * 9 / 10 + (int64_t)jitter) * NS_PER_MS;
}

static void open_now(struct breaker *b, int64_t now_ns)
{
	b->state = BREAKER_OPEN;
	b->opened_ns = now_ns;
	forget(b);
	plan_probe(b, now_ns);
}

static void start_slowly(struct breaker *b)
{
	forget(b);
	b->probing = false;
	b->cohort = 0;
	b->window = BREAKER_SLOW_START;
	b->state = b->window < b->max ? BREAKER_SLOW : BREAKER_CLOSED;
}

static void succeed(struct breaker *b)
{
	b->unreached = 0;
	if (b->state != BREAKER_SLOW || ++b->cohort < b->window)
		return;
	b->cohort = 0;
	if (++b->window == b->max)
		b->state = BREAKER_CLOSED; /* inv. 2 */
}

static void fail(struct breaker *b, int64_t now_ns, bool unreached)
{
	b->unreached = unreached ? b->unreached + 1 : 0;
	if (b->state == BREAKER_SLOW) {
		b->cohort = 0;
		if (b->window > 1)
			b->window--;
	}
	if (b->unreached >= BREAKER_CONNECTS || most_failed(b, now_ns))
		open_now(b, now_ns);
}

/* While it is open: what the probe said, or a call that was under way when it opened. */
static void answered_open(struct breaker *b, int64_t now_ns, enum breaker_result result, bool probe)
{
	if (result == BREAKER_OK)
		start_slowly(b);
	else if (probe)
		plan_probe(b, now_ns);
}

void breaker_answered(struct breaker *b, int64_t now_ns, enum breaker_result result, bool probe)
{
	if (b->state == BREAKER_OPEN) {
		answered_open(b, now_ns, result, probe);
		return;
	}
	if (result == BREAKER_NEUTRAL) {
		b->unreached = 0;
		return;
	}
	count(b, now_ns, result != BREAKER_OK);
	if (result == BREAKER_OK)
		succeed(b);
	else
		fail(b, now_ns, result == BREAKER_UNREACHED);
}
