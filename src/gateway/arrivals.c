/* SPDX-License-Identifier: MIT */
/*
 * arrivals.c - no second at Meta holds more than the limit, however the ways there differ
 *
 * ROLE        Owns the rule of the last second: of `limit` messages in a row the
 *             first must have been there a second and SPARE_NS before one more
 *             leaves.  The pacer spaces departures; what was spaced may still be
 *             bunched on its way (a stalled process or link), and the second that
 *             begins with the bunch is too full.
 *
 * THERE       When a message was there is not told, only when it was answered: late by
 *             what the answer took more than usual, at most.  The answer to one that
 *             left APART_NS later tells of it, too: what delays all is a stall, what
 *             delays one is Meta at work, which costs no rate.  Within APART_NS one
 *             may overtake another on its way.
 *
 * USUAL       Next door, where answers differ by little, the shortest round trip and half
 *             the spare: whatever is later than that is counted.  Far away the mean and
 *             three mean deviations: answers differ because Meta works on them, and to
 *             take work for a stall would cost rate all the time; a stall that is no
 *             longer than that is not seen.  What takes longer than usual moves the
 *             averages no more than that, or a stall would look usual before it is over.
 *
 * SILENCE     Where nothing that left since was answered, and an answer is overdue,
 *             the message may be on its way still: room comes with the first answer,
 *             or when it would come had the message been LATE_NS_MAX on its way.
 *
 * INVARIANTS  1. Next door, of what is answered within LATE_NS_MAX and overtakes by less
 *                than APART_NS, never more than `limit` are there in a second.
 *             2. of[place % ARRIVALS_MAX] is the place's, for the last ARRIVALS_MAX.
 *
 * LIMITS      Above ARRIVALS_MAX a second: as much in its part of one.  A message that
 *             is held up alone, with those behind it ahead, counts where they do.  What
 *             comes in after the last one left is not ours to prevent.
 * TESTS       tests/unit/test_arrivals.c
 */
#include "gateway/arrivals.h"

#include "base/panic.h"

#define SPARE_NS (2 * NS_PER_MS)
#define LATE_NS_MAX (250 * NS_PER_MS) /* nobody is believed to be longer on the way */
#define DEV_NS_MIN (NS_PER_MS / 4)
#define DEV_NS_NEAR (10 * NS_PER_MS) /* answers that differ by less come from next door */
#define APART_NS (5 * NS_PER_MS)
#define WEIGHT 64 /* a new round trip is a 64th of the averages */
#define SHORTEST_OF 1024 /* round trips; then a new shortest is sought, beside the last one */

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void arrivals_init(struct arrivals *a)
{
	a->next = ARRIVALS_MAX;
	a->seen = 0;
	a->shortest_ns = a->shortest_before_ns = a->mean_ns = a->dev_ns = 0;
	for (size_t i = 0; i < ARRIVALS_MAX; i++)
		a->of[i] = (struct arrival){ INT64_MIN / 2, ARRIVAL_CAME_IN };
}

static uint64_t add(struct arrivals *a, int64_t left_ns, int64_t there_ns)
{
	a->of[a->next % ARRIVALS_MAX] = (struct arrival){ left_ns, there_ns };
	return a->next++;
}

uint64_t arrivals_left(struct arrivals *a, int64_t now_ns)
{
	return add(a, now_ns, ARRIVAL_OPEN);
}

/* ---- round trips ---- */

static int64_t usual(const struct arrivals *a)
{
	if (a->dev_ns < DEV_NS_NEAR)
		return min64(a->shortest_ns, a->shortest_before_ns) + SPARE_NS / 2;
	return a->mean_ns + 3 * a->dev_ns;
}

static void learn(struct arrivals *a, int64_t took_ns)
{
	int64_t off;

	if (a->dev_ns == 0) {
		a->mean_ns = took_ns;
		a->dev_ns = took_ns / 2;
	}
	if (a->seen++ % SHORTEST_OF == 0) {
		a->shortest_before_ns = a->seen == 1 ? took_ns : a->shortest_ns;
		a->shortest_ns = took_ns;
	}
	a->shortest_ns = min64(a->shortest_ns, took_ns);
	took_ns = min64(took_ns, a->mean_ns + 2 * a->dev_ns);
	off = took_ns - a->mean_ns;
	a->mean_ns += off / WEIGHT;
	a->dev_ns += (max64(off, -off) - a->dev_ns) / WEIGHT;
	a->dev_ns = max64(a->dev_ns, DEV_NS_MIN);
}

void arrivals_answered(struct arrivals *a, uint64_t place, int64_t now_ns)
{
	struct arrival *it = &a->of[place % ARRIVALS_MAX];

	ASSERT(place < a->next);
	if (a->next - place > ARRIVALS_MAX)
		return; /* inv. 2 */
	ASSERT(it->there_ns == ARRIVAL_OPEN);
	it->there_ns = max64(now_ns - usual(a), it->left_ns);
	learn(a, now_ns - it->left_ns);
}

/* ---- the last second ---- */

void arrivals_came_in(struct arrivals *a, int64_t now_ns)
{
	(void)add(a, now_ns - SPARE_NS, ARRIVAL_CAME_IN); /* counted before we heard of it */
}

/* By when the one at this place was there, as its answer and those behind it tell. */
static int64_t told(const struct arrivals *a, uint64_t place)
{
	const struct arrival *it = &a->of[place % ARRIVALS_MAX], *other;
	int64_t there_ns = it->there_ns == ARRIVAL_OPEN ? INT64_MAX : it->there_ns;
	int64_t apart_ns = it->left_ns + APART_NS;

	while (++place < a->next) {
		other = &a->of[place % ARRIVALS_MAX];
		if (other->left_ns >= there_ns)
			break; /* nobody from here on can have been there before */
		if (other->left_ns >= apart_ns && other->there_ns > 0)
			there_ns = min64(there_ns, other->there_ns);
	}
	return there_ns;
}

static int64_t there(const struct arrivals *a, uint64_t place, int64_t now_ns)
{
	const struct arrival *it = &a->of[place % ARRIVALS_MAX];
	int64_t there_ns;

	if (it->there_ns == ARRIVAL_CAME_IN)
		return it->left_ns;
	there_ns = told(a, place);
	if (there_ns == INT64_MAX && now_ns - it->left_ns <= usual(a))
		return it->left_ns; /* no answer is due yet */
	return min64(there_ns, it->left_ns + LATE_NS_MAX);
}

int64_t arrivals_room(const struct arrivals *a, uint32_t limit, int64_t now_ns)
{
	int64_t most = max64(limit, 1), count = min64(most, ARRIVALS_MAX);

	return there(a, a->next - (uint64_t)count, now_ns) + (NS_PER_S + SPARE_NS) * count / most;
}
