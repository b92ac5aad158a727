/* SPDX-License-Identifier: MIT */
/*
 * followed.c - messages that the store made of others, and parked ones that go on
 *
 * ROLE        Behind a commit that made a message (store/sqlite_follow.c): it is
 *             queued as any other.  A template that goes in place of a message
 *             takes over the callers and the Idempotency-Key of that one.
 *
 * INVARIANTS  1. What is parked leaves its place in the lane to nobody: when its
 *                customer writes it goes before what came after it.
 *
 * FAILURE     Crash behind the commit: the next start loads the message as any other.
 * THREADS     the loop's
 * TESTS       tests/system/test_plans.py, tests/unit/test_plan.c
 */
#include "gateway/outbox_int.h"

static void log_made(const struct outbox *ob, const struct outq_entry *e)
{
	char id[ID_TEXT_MAX];

	id_text(ID_MESSAGE, &e->id, id);
	log_debug(ob->o.log, "message id=%s follows another one kind=%.*s state=%s", id,
		  STR_ARG(e->kind), outq_state_name(e->state));
}

static struct outq_entry *take(struct outbox *ob, const struct store_followed *f)
{
	struct outq_entry *e = outbox_take(ob, &f->row);

	metric_count(ob->o.metrics, M_OUTBOX_FOLLOWED);
	log_made(ob, e);
	return e;
}

/* Who waits for the one waits for the other. */
static void inherit(struct outbox *ob, struct outq_entry *from, struct outq_entry *to)
{
	to->has_origin = true;
	to->origin = from->id;
	if (from->has_idempotency) {
		idempotency_drop(ob->idempotency, from);
		memcpy(to->idempotency, from->idempotency, sizeof(to->idempotency));
		memcpy(to->fingerprint, from->fingerprint, sizeof(to->fingerprint));
		to->has_idempotency = true;
		idempotency_bind(ob->idempotency, to);
	}
	waiters_hand_over(&from->waiters, &to->waiters, to);
	waiters_joined(ob, to);
}

void followed_by_move(struct outbox *ob, struct outq_entry *e, const struct store_followed *f)
{
	struct outq_entry *made;

	if (e->parked)
		followed_unpark(ob, e->lane); /* she wrote while the move was in the store */
	if (f == NULL)
		return;
	made = take(ob, f);
	if (outq_is_terminal(e->state))
		inherit(ob, e, made);
	dispatch_lane(ob->dispatch, made->lane);
}

static void refuse_full(struct outbox *ob, struct outq_entry *e)
{
	struct refusal r;

	(void)refuse(
		&r, REFUSAL_WINDOW, PLAN_CODE_SHUT,
		"the customer's window is shut, and %u messages wait for her to write already, "
		"which is as many as may (queue.parked_max)",
		ob->o.settings.parked_max);
	dispatch_end(ob->dispatch, e, OUTQ_REJECTED, &r);
}

void followed_by_status(struct outbox *ob, const struct store_followed *list)
{
	for (; list != NULL; list = list->next) {
		struct outq_entry *e = take(ob, list);

		if (e->parked && e->lane->parked > ob->o.settings.parked_max)
			refuse_full(ob, e);
		dispatch_lane(ob->dispatch, e->lane);
	}
}

void followed_unpark(struct outbox *ob, struct outq_lane *lane)
{
	const struct clock *c = loop_clock(ob->o.loop);

	for (struct link *l = link_first(&lane->entries); l != NULL && lane->parked > 0;
	     l = link_next(&lane->entries, l)) {
		struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, in_lane);

		if (!e->parked || !plan_may_go_on(e, clock_wall_ms(c)))
			continue;
		e->due_ns = clock_mono_ns(c);
		outq_unpark(ob->outq, e); /* inv. 1 */
	}
}
