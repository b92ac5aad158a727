/* SPDX-License-Identifier: MIT */
/*
 * pacer.c - GCRA per number and per pair, and the order of the classes
 *
 * ROLE        Owns the promise "limits are kept, not hit" (design.md 3.6) as far
 *             as it is about rates.  The dispatcher asks it at the moment of
 *             release, after the intent is committed, so that a slow commit
 *             delays messages and never bunches them.
 *
 * NUMBER      T = 1 / (share x limit), share 0.995.  A message may leave from
 *             TAT - tau on, and moves TAT to max(TAT, now) + T.  tau lets a
 *             message that is late by a timer's grain keep its place in the
 *             schedule: four fifths of what the share leaves over in a second
 *             (4 ms at 0.995), the rest is for the way to the socket.
 *
 * LATE        Who is later than tau while messages stand here (we woke up late, a
 *             slot was held) makes up for it, CATCH_UP_NS at most; idleness saves
 *             nothing up.  What then leaves closer together is bounded by a second
 *             rule, of what Meta counted in the last second (arrivals.c).  What came
 *             in counts in both rules, since Meta counts it too.
 *
 * HOLD        A slot is kept free for a better message whose intent is being
 *             committed (dispatch.c).  What is made up for costs nothing; the rest
 *             is paid from a budget of HOLD_SHARE of the time, so that a disk that
 *             is slow for ever costs a campaign that much and not its rate.
 *
 * THROTTLED   130429 cuts the rate to 0.7 of what it was, and time gives 5 % of the
 *             full rate back a second: as a cubic curve that rises fast at first
 *             and is flat where the cut was, then straight on.  What Meta allows
 *             lies at or a little below that rate; a straight line to it would
 *             use 85 % of it where Meta's bucket is small, the curve uses 92 %.
 *
 * PAIR        GCRA with T = 6 s and tau = (burst - 1) T: a burst, then one
 *             every 6 s.  131056 blocks the pair for 4^X s (cloud-api.md 6.4).
 *
 * INVARIANTS  1. Between two takes at the same rate TAT moves by at least T.
 *             2. A pair that may matter is in the map unless the map is full;
 *                then the one that was not used for longest is forgotten (a
 *                pair forgotten early costs a 131056, never a message).
 *
 * LIMITS      pairs_options.max.  At 1000/s and 6 s a pair, 6,000 are live.
 * TESTS       tests/unit/test_pacer.c
 */
#include "gateway/pacer.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/link.h"

#define PPM 1000000
#define CUT_PPM 700000 /* 130429: x 0.7 (reliability.md 3.4) */
#define RECOVER_PPM_PER_MS 50 /* +5 % of the full rate a second, on average */
#define FACTOR_PPM_MIN 50000 /* never below 5 %: a number that stands still learns nothing */
#define INBOUND_DEBT_NS NS_PER_S /* more than this of inbound is not ours to make up for */
#define CATCH_UP_NS (50 * NS_PER_MS) /* four slots at 80/s; a busy machine wakes us so late */
#define HOLD_FREE_NS (CATCH_UP_NS / 2) /* of lateness by holds; the other half is for late timers */
#define HOLD_SHARE 250 /* 0.4 %: with the 0.995 it leaves 99 % of the rate */
#define HOLD_NS_MAX (2 * NS_PER_S) /* saved up for a time when the disk is slow */

/* ---- one number ---- */

void pacer_init(struct pacer *p)
{
	*p = (struct pacer){ .tat_ns = INT64_MIN / 2,
			     .factor_ppm = PPM,
			     .hold_left_ns = HOLD_NS_MAX };
	arrivals_init(&p->arrivals);
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The factor now: what the last cut left, and what time has given back. */
static uint32_t factor_now(const struct pacer *p, int64_t now_ns)
{
	int64_t gap = p->cut_from_ppm - (int64_t)p->factor_ppm, ms, gap_ms, left;

	if (p->factor_ppm == PPM || now_ns <= p->cut_ns)
		return p->factor_ppm;
	ms = (now_ns - p->cut_ns) / NS_PER_MS;
	gap_ms = gap / RECOVER_PPM_PER_MS;
	if (ms >= gap_ms)
		return (uint32_t)min64(p->factor_ppm + ms * RECOVER_PPM_PER_MS, PPM);
	left = (gap_ms - ms) * PPM / gap_ms; /* of the way back, in time; its cube of the gap */
	return (uint32_t)(p->cut_from_ppm - left * left / PPM * left / PPM * gap / PPM);
}

int64_t pacer_interval(const struct pacer *p, const struct pacer_rate *r, int64_t now_ns)
{
	/* limit x share in millionths of a message a second, rounded so that T is never short */
	int64_t per_s = (int64_t)r->limit * r->share_ppm / PPM * factor_now(p, now_ns);
	int64_t rest = (int64_t)r->limit * r->share_ppm % PPM * factor_now(p, now_ns) / PPM;

	per_s = max64(per_s + rest, 1);
	return (NS_PER_S * PPM + per_s - 1) / per_s;
}

/* tau: four fifths of what the share leaves over in a second. */
static int64_t tolerance(const struct pacer_rate *r)
{
	ASSERT(r->share_ppm > 0 && r->share_ppm <= PPM);
	return (NS_PER_S * PPM / r->share_ppm - NS_PER_S) / 5 * 4;
}

int64_t pacer_next(const struct pacer *p, const struct pacer_rate *r, int64_t now_ns)
{
	int64_t room_ns = arrivals_room(&p->arrivals, r->limit, now_ns);

	return max64(max64(p->tat_ns - tolerance(r), room_ns), p->paused_ns);
}

static void advance(struct pacer *p, const struct pacer_rate *r, int64_t now_ns, int64_t since_ns)
{
	p->tat_ns = max64(p->tat_ns, since_ns) + pacer_interval(p, r, now_ns); /* inv. 1 */
}

uint64_t pacer_take(struct pacer *p, const struct pacer_rate *r, int64_t now_ns, int64_t waits_ns)
{
	ASSERT(pacer_next(p, r, now_ns) <= now_ns);
	pacer_unhold(p, now_ns);
	advance(p, r, now_ns, min64(now_ns, max64(waits_ns, now_ns - CATCH_UP_NS)));
	return arrivals_left(&p->arrivals, now_ns);
}

void pacer_inbound(struct pacer *p, const struct pacer_rate *r, int64_t now_ns)
{
	advance(p, r, now_ns, now_ns);
	p->tat_ns = min64(p->tat_ns, now_ns + INBOUND_DEBT_NS);
	arrivals_came_in(&p->arrivals, now_ns);
}

void pacer_answered(struct pacer *p, uint64_t place, int64_t now_ns)
{
	arrivals_answered(&p->arrivals, place, now_ns);
}

/* From when on the hold costs a slot that nothing makes up for. */
static int64_t hold_costs_from(const struct pacer *p)
{
	return max64(p->held_ns, p->tat_ns + HOLD_FREE_NS);
}

int64_t pacer_hold(struct pacer *p, int64_t now_ns)
{
	if (p->held_ns == 0) {
		p->hold_left_ns += (now_ns - p->hold_at_ns) / HOLD_SHARE;
		p->hold_left_ns = min64(p->hold_left_ns, HOLD_NS_MAX);
		p->hold_at_ns = p->held_ns = now_ns;
	}
	return hold_costs_from(p) + p->hold_left_ns;
}

void pacer_unhold(struct pacer *p, int64_t now_ns)
{
	if (p->held_ns == 0)
		return;
	p->hold_left_ns -= max64(now_ns - hold_costs_from(p), 0);
	p->hold_left_ns = max64(p->hold_left_ns, 0);
	p->held_ns = 0;
}

void pacer_throttled(struct pacer *p, int64_t sent_ns, int64_t now_ns)
{
	uint32_t factor = factor_now(p, now_ns);

	/* Everything in flight comes back throttled at once: that is one verdict. */
	if (p->factor_ppm < PPM && sent_ns <= p->cut_ns)
		return;
	p->cut_from_ppm = factor;
	factor = (uint32_t)((uint64_t)factor * CUT_PPM / PPM);
	p->factor_ppm = factor < FACTOR_PPM_MIN ? FACTOR_PPM_MIN : factor;
	p->cut_ns = now_ns;
}

void pacer_pause(struct pacer *p, int64_t until_ns)
{
	p->paused_ns = max64(p->paused_ns, until_ns);
}

/* ---- pairs ---- */

#define PAIR_STRIKES_MAX 15 /* 4^15 s is 34 years: the caller's max_ns cuts long before */
#define PAIR_SWEEP 8 /* looked at for each one added: the map shrinks faster than it grows */

struct pair {
	struct link link; /* by last use, oldest first */
	int64_t tat_ns;
	int64_t blocked_ns; /* nothing leaves before */
	uint32_t strikes; /* X */
	size_t key_len;
	char key[];
};

struct pairs {
	struct pairs_options o;
	struct map *map;
	struct link used; /* head */
};

struct pairs *pairs_new(const struct pairs_options *o)
{
	struct pairs *p = xcalloc(1, sizeof(*p));

	ASSERT(o->burst >= 1 && o->interval_ns > 0 && o->max > 0);
	p->o = *o;
	p->map = map_new();
	link_init(&p->used);
	return p;
}

static struct str key_of(const struct pair *pair)
{
	return str_make(pair->key, pair->key_len);
}

static void forget(struct pairs *p, struct pair *pair)
{
	(void)map_remove(p->map, key_of(pair));
	link_remove(&pair->link);
	free(pair);
}

void pairs_free(struct pairs *p)
{
	struct link *l;

	if (p == NULL)
		return;
	while ((l = link_first(&p->used)) != NULL)
		forget(p, CONTAINER_OF(l, struct pair, link));
	map_free(p->map);
	free(p);
}

size_t pairs_count(const struct pairs *p)
{
	return map_count(p->map);
}

#define PAIR_KEY_MAX 512 /* a number id, a NUL, a recipient (160) */

static struct str make_key(struct str number_id, struct str lane, char out[PAIR_KEY_MAX])
{
	ASSERT(number_id.len + 1 + lane.len <= PAIR_KEY_MAX);
	if (number_id.len > 0)
		memcpy(out, number_id.ptr, number_id.len);
	out[number_id.len] = '\0';
	if (lane.len > 0)
		memcpy(out + number_id.len + 1, lane.ptr, lane.len);
	return str_make(out, number_id.len + 1 + lane.len);
}

static struct pair *find(const struct pairs *p, struct str number_id, struct str lane)
{
	char key[PAIR_KEY_MAX];

	return map_get(p->map, make_key(number_id, lane, key));
}

/* Nothing that it remembers matters any more. */
static bool is_spent(const struct pairs *p, const struct pair *pair, int64_t now_ns)
{
	int64_t until = max64(pair->tat_ns, pair->blocked_ns);

	if (pair->strikes > 0)
		until += p->o.interval_ns * p->o.burst; /* keep X for the next try */
	return until <= now_ns;
}

static void sweep(struct pairs *p, int64_t now_ns)
{
	for (int i = 0; i < PAIR_SWEEP; i++) {
		struct link *l = link_first(&p->used);
		struct pair *pair;

		if (l == NULL)
			return;
		pair = CONTAINER_OF(l, struct pair, link);
		if (is_spent(p, pair, now_ns) || map_count(p->map) >= p->o.max) { /* inv. 2 */
			forget(p, pair);
		} else {
			link_remove(l); /* long blocked: do not look at it again and again */
			link_push(&p->used, l);
		}
	}
}

static struct pair *find_or_add(struct pairs *p, struct str number_id, struct str lane,
				int64_t now_ns)
{
	char bytes[PAIR_KEY_MAX];
	struct str key = make_key(number_id, lane, bytes);
	struct pair *pair = map_get(p->map, key);

	if (pair == NULL) {
		sweep(p, now_ns);
		pair = xcalloc(1, sizeof(*pair) + key.len);
		pair->tat_ns = INT64_MIN / 2;
		pair->key_len = key.len;
		memcpy(pair->key, key.ptr, key.len);
		(void)map_set(p->map, key, pair);
	}
	link_remove(&pair->link);
	link_push(&p->used, &pair->link);
	return pair;
}

int64_t pairs_next(const struct pairs *p, struct str number_id, struct str lane)
{
	const struct pair *pair = find(p, number_id, lane);

	if (pair == NULL)
		return 0;
	return max64(pair->tat_ns - p->o.interval_ns * (p->o.burst - 1), pair->blocked_ns);
}

void pairs_take(struct pairs *p, struct str number_id, struct str lane, int64_t now_ns)
{
	struct pair *pair = find_or_add(p, number_id, lane, now_ns);

	pair->tat_ns = max64(pair->tat_ns, now_ns) + p->o.interval_ns;
}

int64_t pairs_throttled(struct pairs *p, struct str number_id, struct str lane, int64_t now_ns,
			int64_t max_ns)
{
	struct pair *pair = find_or_add(p, number_id, lane, now_ns);
	int64_t wait = NS_PER_S;

	for (uint32_t i = 0; i < pair->strikes && wait < max_ns; i++)
		wait *= 4;
	if (pair->strikes < PAIR_STRIKES_MAX)
		pair->strikes++;
	pair->blocked_ns = now_ns + min64(wait, max_ns);
	return pair->blocked_ns;
}

void pairs_accepted(struct pairs *p, struct str number_id, struct str lane)
{
	struct pair *pair = find(p, number_id, lane);

	if (pair != NULL)
		pair->strikes = 0;
}

/* ---- classes ---- */

unsigned chooser_choose(struct chooser *c, const size_t have[CHOOSER_CLASSES], unsigned last)
{
	unsigned best = 0, chosen;

	ASSERT(last < CHOOSER_CLASSES);
	while (best <= last && have[best] == 0)
		best++;
	ASSERT(best <= last);
	chosen = best;
	for (unsigned i = best + 1; i <= last && !c->favoured; i++) {
		if (have[i] > 0 && c->passed[i] >= CHOOSER_FAVOUR_AFTER) {
			chosen = i;
			break;
		}
	}
	for (unsigned i = 0; i <= last; i++) {
		if (i == chosen || have[i] == 0)
			c->passed[i] = 0;
		else if (i > best)
			c->passed[i]++;
	}
	c->favoured = chosen != best;
	return chosen;
}
