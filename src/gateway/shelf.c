/* SPDX-License-Identifier: MIT */
/*
 * shelf.c - unknown messages that only wait for a person or a status live in the store alone
 *
 * ROLE        Owns the rule: what memory can do nothing for does not take its room
 *             (queue.max).  A message that is UNKNOWN under hold is shelved SHELVE_NS
 *             after its lane may have gone on without it; a status of it or an
 *             operator's word fetches it back, and it goes on as any other.
 *
 * INVARIANTS  1. An unknown row is in memory or counted as shelved, never both, so the
 *                gauge of the states is that of the store.
 *             2. Of one message at most one fetch is under way; what is asked for
 *                meanwhile joins it.  A row that was read is therefore as it was read:
 *                only entries in memory move rows.
 *
 * FAILURE     The reader did not answer in time: asked again after RETRY_MS.  Crash: the
 *             row is where it was; a start shelves what is old enough again, and what
 *             has evidence is settled then (reconcile_start()).
 * THREADS     the loop's, but run(): a reader's
 * TESTS       tests/unit/test_outbox_shelf.c, tests/system/test_unknown.py
 */
#include "base/map.h"
#include "base/mem.h"
#include "gateway/outbox_int.h"

#define SHELVE_NS (600 * NS_PER_S) /* most statuses are here in seconds */
#define RETRY_MS 1000

/* Who waits for a message to be in memory. */
struct asker {
	struct link link;
	void (*done)(void *cookie);
	void *cookie;
};

struct fetch {
	struct store_job job; /* first: the store hands this back */
	struct outbox *ob; /* NULL: it was freed meanwhile */
	struct link link; /* of ob->fetches */
	struct id id;
	struct link askers; /* head */
	char *wamid; /* of a status; NULL: none came */
	uint32_t try_;
	struct timer retry;
	/* found by the reader */
	gw_status found;
	struct store_message_row row;
	char *text; /* what the strings of row point into */
	uint64_t consents; /* of the outbox when the reader was asked */
};

static struct str id_key(const struct id *id)
{
	return str_make((const char *)id->bytes, ID_BYTES);
}

static int64_t old_enough_ns(const struct outbox *ob)
{
	return ob->o.settings.lane_unknown_wait_ms * NS_PER_MS + SHELVE_NS;
}

/* ---- onto the shelf ---- */

static bool may_shelve(const struct outbox *ob, const struct outq_entry *e, int64_t now_ns)
{
	return e->state == OUTQ_UNKNOWN && e->policy == OUTQ_HOLD && e->moving == NULL &&
	       e->wamid == NULL && e->resolved == NULL && link_is_empty(&e->waiters) &&
	       now_ns - e->lost_ns >= old_enough_ns(ob);
}

static void shelve(struct outbox *ob, struct outq_entry *e)
{
	struct outq_lane *lane = e->lane;

	idempotency_drop(ob->idempotency, e);
	link_remove(&e->unsettled);
	outq_shelve(ob->outq, e);
	dispatch_lane(ob->dispatch, lane);
	outq_lane_drop_idle(lane);
}

void shelf_sweep(struct outbox *ob)
{
	int64_t now_ns = clock_mono_ns(loop_clock(ob->o.loop));
	struct outq_number *n;
	size_t at = 0;

	while ((n = outq_next_number(ob->outq, &at)) != NULL) {
		struct link *l = link_first(&n->unsettled), *next;

		for (; l != NULL; l = next) {
			struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, unsettled);

			next = link_next(&n->unsettled, l);
			if (may_shelve(ob, e, now_ns))
				shelve(ob, e);
		}
	}
}

bool shelf_takes(struct outbox *ob, const struct store_message_row *m)
{
	int64_t now_ms = clock_wall_ms(loop_clock(ob->o.loop));

	if (!str_eq(m->state, str_from(outq_state_name(OUTQ_UNKNOWN))) || m->has_evidence ||
	    !str_eq(m->policy, str_from(outq_policy_name(OUTQ_HOLD))) ||
	    (now_ms - m->moved_ms) * NS_PER_MS < old_enough_ns(ob))
		return false;
	outq_count_shelved(ob->outq, 1);
	return true;
}

/* ---- back ---- */

static bool take_row(void *cookie, const struct store_message_row *m)
{
	struct fetch *f = cookie;
	struct str *const out[] = {
		&f->row.number_id, &f->row.to,     &f->row.lane,          &f->row.target,
		&f->row.body,      &f->row.opaque, &f->row.kind,          &f->row.state,
		&f->row.reason,    &f->row.policy, &f->row.template_name, &f->row.template_language
	};
	size_t size = 1;
	char *at;

	f->row = *m;
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		size += out[i]->len;
	at = f->text = xmalloc(size);
	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		if (out[i]->len > 0)
			memcpy(at, out[i]->ptr, out[i]->len);
		*out[i] = str_make(at, out[i]->len);
		at += out[i]->len;
	}
	f->row.wamid = f->row.answer = f->row.evidence_wamid = STR_EMPTY;
	f->row.has_evidence = false; /* it joins the fetch, and is taken as any */
	return false;
}

static void run(struct store_job *job, struct store_reader *reader)
{
	struct fetch *f = CONTAINER_OF(job, struct fetch, job);
	struct str keys[2];

	f->found = reader_message(reader, &f->id, STR_EMPTY, take_row, f);
	if (f->found != GW_OK)
		return;
	keys[0] = f->row.lane;
	keys[1] = f->row.to;
	f->found = reader_window(reader, f->row.number_id, keys, ARRAY_LEN(keys), &f->row.window_ms,
				 &f->row.opted_out);
}

static void tell(struct fetch *f)
{
	struct link *l;

	while ((l = link_first(&f->askers)) != NULL) {
		struct asker *a = CONTAINER_OF(l, struct asker, link);

		link_remove(l);
		if (f->ob != NULL)
			a->done(a->cookie);
		free(a);
	}
}

static void fetch_free(struct fetch *f)
{
	tell(f);
	free(f->wamid);
	free(f->text);
	free(f);
}

static void put_back(struct fetch *f)
{
	struct outbox *ob = f->ob;
	struct outq_entry *e;

	if (f->found == GW_OK && str_eq(f->row.state, str_from(outq_state_name(OUTQ_UNKNOWN)))) {
		outq_count_shelved(ob->outq, -1); /* inv. 1 */
		e = outbox_take(ob, &f->row);
		outq_pass(e); /* its lane went on without it long ago */
		if (f->wamid != NULL)
			reconcile_evidence(ob->reconcile,
					   &(struct evidence){ .row = e->row,
							       .number_id = e->lane->number->id,
							       .wamid = str_from(f->wamid),
							       .try_ = f->try_ });
	}
}

static void done(struct store_job *job)
{
	struct fetch *f = CONTAINER_OF(job, struct fetch, job);
	struct outbox *ob = f->ob;

	if (ob == NULL) {
		fetch_free(f);
		return;
	}
	if ((f->found != GW_OK && f->found != GW_ENOTFOUND) || f->consents != ob->consents) {
		/* not read, or somebody opted out meanwhile: perhaps this one */
		free(f->text);
		f->text = NULL;
		timer_in_ms(&f->retry, RETRY_MS);
		return;
	}
	link_remove(&f->link);
	(void)map_remove(ob->fetching, id_key(&f->id));
	put_back(f);
	fetch_free(f);
}

static void on_retry(void *cookie)
{
	struct fetch *f = cookie;

	f->consents = f->ob->consents;
	store_read(f->ob->o.store, &f->job);
}

static struct fetch *fetch(struct outbox *ob, const struct id *id)
{
	struct fetch *f = map_get(ob->fetching, id_key(id));

	if (f != NULL)
		return f; /* inv. 2 */
	f = xcalloc(1, sizeof(*f));
	f->ob = ob;
	f->id = *id;
	f->job.run = run;
	f->job.done = done;
	link_init(&f->askers);
	timer_init(&f->retry, ob->o.loop, LOOP_REAL, on_retry, f);
	link_push(&ob->fetches, &f->link);
	(void)map_set(ob->fetching, id_key(&f->id), f);
	f->consents = ob->consents;
	store_read(ob->o.store, &f->job);
	return f;
}

void shelf_evidence(struct outbox *ob, const struct id *id, const struct evidence *ev)
{
	struct fetch *f = fetch(ob, id);

	if (f->wamid != NULL)
		return;
	f->wamid = xstrndup(ev->wamid);
	f->try_ = ev->try_;
}

void outbox_fetch(struct outbox *ob, const struct id *id, void (*then)(void *cookie), void *cookie)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->done = then;
	a->cookie = cookie;
	link_push(&fetch(ob, id)->askers, &a->link);
}

void shelf_orphan(struct outbox *ob)
{
	struct link *l;

	while ((l = link_first(&ob->fetches)) != NULL) {
		struct fetch *f = CONTAINER_OF(l, struct fetch, link);
		bool resting = timer_is_armed(&f->retry);

		timer_cancel(&f->retry);
		link_remove(l);
		(void)map_remove(ob->fetching, id_key(&f->id));
		f->ob = NULL;
		if (resting)
			fetch_free(f); /* no reader has it */
	}
}
