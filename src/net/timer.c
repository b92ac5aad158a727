/* SPDX-License-Identifier: MIT */
/*
 * timer.c - timers of a loop: one binary heap for each clock
 *
 * INVARIANTS  1. heap.at[t->slot - 1] == t for every armed timer; slot == 0
 *                exactly for the others.
 *             2. No entry is earlier than its parent, by (at_ns, seq).
 *             3. timers_run() fires no timer that was armed after it began, so
 *                one that re-arms itself at once (a frozen clock makes that
 *                easy) cannot hold the loop: it has its turn in the next turn.
 * THREADS     The loop's.
 * TESTS       tests/unit/test_loop.c
 */
#include "loop_int.h"

#include "base/mem.h"

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

static void put(struct timer_heap *h, size_t i, struct timer *t)
{
	h->at[i] = t;
	t->slot = i + 1; /* inv. 1 */
}

static void sift_up(struct timer_heap *h, size_t i, struct timer *t)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!is_before(t, h->at[parent]))
			break;
		put(h, i, h->at[parent]);
		i = parent;
	}
	put(h, i, t);
}

static void sift_down(struct timer_heap *h, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len && is_before(h->at[child + 1], h->at[child]))
			child++;
		if (!is_before(h->at[child], t))
			break;
		put(h, i, h->at[child]);
		i = child;
	}
	put(h, i, t);
}

static void remove_at(struct timer_heap *h, size_t i)
{
	struct timer *last = h->at[--h->len];

	h->at[i]->slot = 0;
	if (i == h->len)
		return;
	sift_down(h, i, last);
	if (last->slot == i + 1)
		sift_up(h, i, last);
}

static struct timer_heap *heap_of(const struct timer *t)
{
	return &loop_timers(t->loop)->heaps[t->kind];
}

void timer_init(struct timer *t, struct loop *l, enum loop_clock_kind kind, loop_fn fn,
		void *cookie)
{
	*t = (struct timer){ .loop = l, .kind = kind, .fn = fn, .cookie = cookie };
}

void timer_at(struct timer *t, int64_t at_ns)
{
	struct timer_set *set = loop_timers(t->loop);
	struct timer_heap *h = heap_of(t);

	timer_cancel(t);
	t->at_ns = at_ns;
	t->seq = ++set->seq;
	if (h->len == h->cap) {
		h->cap = h->cap == 0 ? 64 : h->cap * 2;
		h->at = xreallocarray(h->at, h->cap, sizeof(struct timer *));
	}
	h->len++;
	sift_up(h, h->len - 1, t);
}

void timer_in_ms(struct timer *t, int64_t ms)
{
	int64_t now = t->kind == LOOP_REAL ? clock_real_ns() : clock_mono_ns(loop_clock(t->loop));

	ASSERT(ms >= 0);
	/* 290 years is for ever. */
	timer_at(t, ms > (INT64_MAX - now) / NS_PER_MS ? INT64_MAX : now + ms * NS_PER_MS);
}

void timer_cancel(struct timer *t)
{
	if (t->slot == 0)
		return;
	ASSERT(heap_of(t)->at[t->slot - 1] == t); /* inv. 1 */
	remove_at(heap_of(t), t->slot - 1);
}

bool timer_is_armed(const struct timer *t)
{
	return t->slot != 0;
}

/* The next timer of the heap that may fire; late_ns says how much it is overdue. */
static struct timer *first_due(const struct timer_heap *h, int64_t now, uint64_t newest,
			       int64_t *out_late_ns)
{
	if (h->len == 0 || h->at[0]->at_ns > now || h->at[0]->seq > newest)
		return NULL;
	*out_late_ns = now - h->at[0]->at_ns;
	return h->at[0];
}

void timers_run(struct timer_set *set, const struct clock *clock)
{
	const uint64_t newest = set->seq; /* inv. 3 */
	const int64_t real = clock_real_ns();
	const int64_t moved = set->heaps[LOOP_MOVED].len == 0 ? 0 : clock_mono_ns(clock);

	for (;;) {
		int64_t real_late = 0, moved_late = 0;
		struct timer *t = first_due(&set->heaps[LOOP_REAL], real, newest, &real_late);
		struct timer *m = first_due(&set->heaps[LOOP_MOVED], moved, newest, &moved_late);

		if (t == NULL || (m != NULL && moved_late > real_late))
			t = m;
		if (t == NULL)
			return;
		timer_cancel(t);
		t->fn(t->cookie); /* may free t */
	}
}

int64_t timers_wait_ns(const struct timer_set *set, const struct clock *clock)
{
	const struct timer_heap *real = &set->heaps[LOOP_REAL];
	const struct timer_heap *moved = &set->heaps[LOOP_MOVED];
	int64_t wait = INT64_MAX;

	if (real->len > 0)
		wait = real->at[0]->at_ns - clock_real_ns();
	if (moved->len > 0) {
		int64_t left = moved->at[0]->at_ns - clock_mono_ns(clock);

		/* A frozen clock comes nearer by moves only, and those wake the loop. */
		if (left <= 0 || (left < wait && !clock_is_frozen(clock)))
			wait = left;
	}
	return wait < 0 ? 0 : wait;
}

void timers_release(struct timer_set *set)
{
	for (size_t k = 0; k < ARRAY_LEN(set->heaps); k++) {
		struct timer_heap *h = &set->heaps[k];

		for (size_t i = 0; i < h->len; i++)
			h->at[i]->slot = 0;
		free(h->at);
		*h = (struct timer_heap){ 0 };
	}
}
