/* SPDX-License-Identifier: MIT */
/*
 * schedule.c - lanes in ready lists by class, and in a heap by time
 *
 * ROLE        Owns the rules of a lane (design.md 5.8): the next message leaves
 *             after a definite answer to the one before, or after unknown_wait,
 *             flagged; a waiting head keeps its lane; its lifetime frees it.
 *
 * INVARIANTS  1. A READY lane is in exactly one ready list, that of its best
 *                class, and is counted there; a TIMED one is in the heap.
 *             2. The head of a READY lane is free to be claimed (outq_is_free).
 *             3. heap[i]->slot == i + 1, and no parent is due after its child.
 *
 * A lane goes by the best class of all its messages: a reply behind a campaign's
 * message to the same person pulls that one along, since their order holds.
 * TESTS       tests/unit/test_schedule.c
 */
#include "gateway/schedule.h"

#include "base/mask.h"
#include "base/mem.h"

struct schedule {
	struct schedule_options o;
	struct outq_lane **heap;
	size_t count, cap;
};

struct schedule *schedule_new(const struct schedule_options *o)
{
	struct schedule *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	return s;
}

void schedule_set_unknown_wait(struct schedule *s, int64_t wait_ns)
{
	s->o.unknown_wait_ns = wait_ns;
}

void schedule_free(struct schedule *s)
{
	if (s == NULL)
		return;
	free(s->heap);
	free(s);
}

/* ---- the heap ---- */

static void place(struct schedule *s, size_t i, struct outq_lane *lane)
{
	s->heap[i] = lane;
	lane->slot = i + 1; /* inv. 3 */
}

static void sift_up(struct schedule *s, size_t i)
{
	struct outq_lane *lane = s->heap[i];

	while (i > 0 && s->heap[(i - 1) / 2]->due_ns > lane->due_ns) {
		place(s, i, s->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(s, i, lane);
}

static void sift_down(struct schedule *s, size_t i)
{
	struct outq_lane *lane = s->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->count)
			break;
		if (child + 1 < s->count && s->heap[child + 1]->due_ns < s->heap[child]->due_ns)
			child++;
		if (s->heap[child]->due_ns >= lane->due_ns)
			break;
		place(s, i, s->heap[child]);
		i = child;
	}
	place(s, i, lane);
}

static void heap_add(struct schedule *s, struct outq_lane *lane)
{
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->heap = xreallocarray(s->heap, s->cap, sizeof(struct outq_lane *));
	}
	s->heap[s->count++] = lane;
	sift_up(s, s->count - 1);
}

static void heap_remove(struct schedule *s, struct outq_lane *lane)
{
	size_t i = lane->slot - 1;
	struct outq_lane *last = s->heap[--s->count];

	lane->slot = 0;
	if (last == lane)
		return;
	place(s, i, last);
	sift_up(s, i);
	sift_down(s, last->slot - 1);
}

/* ---- places ---- */

void schedule_drop(struct schedule *s, struct outq_lane *lane)
{
	if (lane->place == LANE_READY) {
		link_remove(&lane->ready);
		lane->number->ready_count[lane->ready_class]--;
	} else if (lane->place == LANE_TIMED) {
		heap_remove(s, lane);
	}
	lane->place = LANE_IDLE;
}

enum outq_class schedule_class(const struct outq_lane *lane)
{
	unsigned c = 0;

	while (c < OUTQ_NCLASSES - 1 && lane->by_class[c] == 0)
		c++;
	return (enum outq_class)c;
}

static void make_ready(struct schedule *s, struct outq_lane *lane)
{
	enum outq_class c = schedule_class(lane);

	if (lane->place == LANE_READY && lane->ready_class == c)
		return; /* keeps its turn */
	schedule_drop(s, lane);
	lane->place = LANE_READY; /* inv. 1 */
	lane->ready_class = c;
	link_push(&lane->number->ready[c], &lane->ready);
	lane->number->ready_count[c]++;
}

static void make_timed(struct schedule *s, struct outq_lane *lane, int64_t due_ns)
{
	schedule_drop(s, lane);
	lane->place = LANE_TIMED;
	lane->due_ns = due_ns;
	heap_add(s, lane);
}

/* ---- the rules of a lane ---- */

#define NEVER INT64_MAX

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When this head may go; an expired one goes at once, to be ended. */
static int64_t due_of(const struct schedule *s, const struct outq_entry *e, int64_t now_ns)
{
	int64_t due = max64(now_ns, e->next_ns);

	due = max64(due, pairs_next(s->o.pairs, e->lane->number->id, e->lane->key));
	return due < e->expires_ns ? due : max64(now_ns, e->expires_ns);
}

static void pass(const struct schedule *s, struct outq_entry *e)
{
	char text[ID_TEXT_MAX], to[MASK_MAX];

	outq_pass(e);
	id_text(ID_MESSAGE, &e->id, text);
	mask_number(e->lane->key, to);
	log_warn(s->o.log, "message id=%s is unknown for too long: to=%s goes on without it", text,
		 to);
}

void schedule_lane(struct schedule *s, struct outq_lane *lane, int64_t now_ns)
{
	struct outq_entry *e;
	int64_t due = NEVER;

	while ((e = outq_head(lane)) != NULL && e->moving == NULL && e->state == OUTQ_UNKNOWN) {
		due = e->lost_ns + s->o.unknown_wait_ns;
		if (due > now_ns)
			break;
		pass(s, e);
		due = NEVER;
	}
	if (e != NULL && !e->asking && outq_is_free(e))
		due = due_of(s, e, now_ns);
	if (due == NEVER)
		schedule_drop(s, lane);
	else if (due <= now_ns)
		make_ready(s, lane); /* inv. 2: UNKNOWN heads are never due here */
	else
		make_timed(s, lane, due);
}

int64_t schedule_due(struct schedule *s, int64_t now_ns)
{
	while (s->count > 0 && s->heap[0]->due_ns <= now_ns) {
		struct outq_lane *lane = s->heap[0];

		schedule_drop(s, lane);
		schedule_lane(s, lane, now_ns);
	}
	return s->count == 0 ? NEVER : s->heap[0]->due_ns;
}

struct outq_lane *schedule_take(struct schedule *s, struct outq_number *n, enum outq_class last)
{
	struct outq_lane *lane;
	unsigned c;

	for (c = 0; c <= last && n->ready_count[c] == 0; c++)
		;
	if (c > last)
		return NULL;
	c = chooser_choose(&n->claim_chooser, n->ready_count, last);
	lane = CONTAINER_OF(link_first(&n->ready[c]), struct outq_lane, ready);
	schedule_drop(s, lane);
	return lane;
}
