/* SPDX-License-Identifier: MIT */
/*
 * context.c - a quoted message of ours: msg_... becomes the wamid (design.md 5.2)
 *
 * The order of a lane sees to it that the quoted message has its answer when
 * the quoting one is released, if both go to the same recipient; so the store
 * is asked at that moment and not before.  What has no wamid by then (refused,
 * unknown, expired) or went to somebody else cannot be quoted, and the message
 * is refused: sent without the quote it would say something else.
 * TESTS  tests/unit/test_outbox.c
 */
#include "base/mem.h"
#include "gateway/dispatch_int.h"

struct context_job {
	struct store_job job; /* first: the store hands this back */
	struct dispatch *d; /* NULL: it was freed meanwhile */
	struct link link; /* of d->contexts */
	int64_t row; /* of the message that quotes: an id, it may be gone by then */
	struct id quoted;
	/* found by the reader */
	gw_status found;
	char wamid[WAMID_MAX + 1], state[16];
	char *number_id, *lane;
};

static bool take_row(void *cookie, const struct store_message_row *m)
{
	struct context_job *j = cookie;

	(void)str_copy(m->wamid, j->wamid, sizeof(j->wamid));
	(void)str_copy(m->state, j->state, sizeof(j->state));
	j->number_id = xstrndup(m->number_id);
	j->lane = xstrndup(m->lane);
	return false;
}

static void run(struct store_job *job, struct store_reader *r)
{
	struct context_job *j = CONTAINER_OF(job, struct context_job, job);

	j->found = reader_message(r, &j->quoted, STR_EMPTY, take_row, j);
}

static void refuse_quote(const struct context_job *j, struct outq_entry *e)
{
	char text[ID_TEXT_MAX];
	struct refusal r;

	id_text(ID_MESSAGE, &j->quoted, text);
	if (j->found == GW_ENOTFOUND || j->lane == NULL ||
	    !str_eq(str_from(j->number_id), e->lane->number->id)) /* another's: none */
		(void)refuse(&r, REFUSAL_OTHER, 131009,
			     "context.message_id: there is no message %s", text);
	else if (j->wamid[0] == '\0')
		(void)refuse(&r, REFUSAL_OTHER, 131009,
			     "context.message_id: %s is %s, so Meta has no id for it yet", text,
			     j->state);
	else
		(void)refuse(&r, REFUSAL_OTHER, 131009,
			     "context.message_id: %s went to another recipient", text);
	dispatch_end(j->d, e, OUTQ_REJECTED, &r);
}

static void found(struct context_job *j)
{
	struct dispatch *d = j->d;
	struct outq_entry *e = outq_by_row(d->o.outq, j->row);

	d->asking--;
	link_remove(&j->link);
	if (e == NULL || !e->asking)
		return;
	e->asking = false;
	if (j->found == GW_ETIMEOUT || j->found == GW_EBUSY) {
		/* the schedule offers it again, and it is asked for again */
	} else if (!outq_is_free(e)) {
		/* it was ended or proven meanwhile */
	} else if (j->wamid[0] != '\0' && j->lane != NULL &&
		   str_eq(str_from(j->lane), e->lane->key) &&
		   str_eq(str_from(j->number_id), e->lane->number->id)) {
		e->context_wamid = xstrndup(str_from(j->wamid));
	} else {
		refuse_quote(j, e);
	}
	dispatch_lane(d, e->lane);
}

static void done(struct store_job *job)
{
	struct context_job *j = CONTAINER_OF(job, struct context_job, job);

	if (j->d != NULL)
		found(j);
	free(j->number_id);
	free(j->lane);
	free(j);
}

void context_orphan(struct dispatch *d)
{
	struct link *l;

	while ((l = link_first(&d->contexts)) != NULL) {
		CONTAINER_OF(l, struct context_job, link)->d = NULL;
		link_remove(l);
	}
}

void context_ask(struct dispatch *d, struct outq_entry *e)
{
	struct context_job *j = xcalloc(1, sizeof(*j));

	ASSERT(!e->asking);
	e->asking = true;
	d->asking++;
	link_push(&d->contexts, &j->link);
	j->d = d;
	j->row = e->row;
	j->quoted = e->context;
	j->job.run = run;
	j->job.done = done;
	store_read(d->o.store, &j->job);
}
