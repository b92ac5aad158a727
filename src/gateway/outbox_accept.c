/* SPDX-License-Identifier: MIT */
/*
 * outbox_accept.c - a message is committed and queued, or turns out to be an earlier one (O2)
 *
 * ROLE        Owns the rule: a caller is told of success after the commit, and of
 *             failure only when nothing was accepted.
 *
 *   door -> store_add_message -> NEW      queued, from here on it will be sent
 *                             -> SAME     the earlier message's answer, now or when it comes
 *                             -> DIFFERS  422
 *                             -> error    503, nothing was accepted
 *
 * INVARIANTS  1. Between door and commit the message is in no list; its waiters
 *                hang on the entry, and wait_max does not answer them: whether it
 *                was accepted is not known yet.
 *             2. A key in flight is bound from the door on, so that of many
 *                concurrent calls with one body one goes to the store.  With
 *                another body one goes there too while the first is on its way:
 *                the key may be an earlier message's, and that one's body right.
 *
 * FAILURE     Crash before the commit: nothing was accepted, the connection breaks,
 *             the caller tries again.  After it: the row is queued and is sent; the
 *             caller's key finds it.
 * TESTS       tests/unit/test_outbox.c
 */
#include "base/fault.h"
#include "base/mem.h"
#include "gateway/outbox_int.h"

struct adding {
	struct store_add_message add; /* first: the store hands this back */
	struct outbox *ob; /* NULL: it was freed meanwhile */
	struct link link; /* of ob->addings */
	struct outq_entry *e;
	char lane[RECIPIENT_MAX];
	char text[]; /* number id, template names and languages, fallback */
};

/* ---- replay ---- */

struct replay {
	struct store_job job; /* first: the store hands this back */
	struct outbox *ob; /* NULL: it was freed meanwhile */
	struct link link; /* of ob->replays */
	struct link waiters; /* head */
	struct id earlier;
	bool has_origin; /* it went in place of the one that was handed in */
	struct id origin;
	gw_status found;
	int64_t row;
	unsigned plan;
	enum outq_state state;
	int http_status;
	char *to, *wamid, *answer;
};

static bool take_row(void *cookie, const struct store_message_row *m)
{
	struct replay *r = cookie;

	if (!outq_state_parse(m->state, &r->state))
		r->state = OUTQ_QUEUED;
	r->row = m->row;
	r->plan = m->plan;
	r->http_status = m->http_status;
	r->to = xstrndup(m->to);
	r->wamid = xstrndup(m->wamid);
	r->answer = xstrndup(m->answer);
	return false;
}

static bool take_origin(void *cookie, const struct store_follow_row *f)
{
	struct replay *r = cookie;

	r->has_origin = f->is_origin;
	r->origin = f->id;
	return false;
}

static void run_replay(struct store_job *job, struct store_reader *reader)
{
	struct replay *r = CONTAINER_OF(job, struct replay, job);

	r->found = reader_message(reader, &r->earlier, STR_EMPTY, take_row, r);
	if (r->found == GW_OK && r->plan == STORE_PLAN_FOLLOWS)
		r->found = reader_follows(reader, r->row, take_origin, r);
}

/* The earlier message as its caller saw it, or would have. */
static void replay_answer(struct replay *r, struct buf *body, struct outbox_answer *a)
{
	char id[ID_TEXT_MAX];
	struct refusal refusal;

	id_text(ID_MESSAGE, &r->earlier, id);
	*a = (struct outbox_answer){ .has_message = true,
				     .message = r->earlier,
				     .has_origin = r->has_origin,
				     .origin = r->origin };
	if (r->found != GW_OK || r->to == NULL) {
		(void)refuse(&refusal, REFUSAL_BUSY, 131016,
			     "the answer to this Idempotency-Key could not be read; try again");
		refusal_put(body, &refusal);
		a->status = refusal.status;
		a->retry_after_s = 1;
	} else if (outq_is_terminal(r->state) && r->answer[0] != '\0') {
		a->status = r->state == OUTQ_ACCEPTED ? 200 : r->http_status;
		buf_put_text(body, r->answer);
		a->refused_here = refusal_is_ours(str_from(r->answer));
		a->refused_reason = a->refused_here ? "replayed" : NULL;
	} else if (r->state == OUTQ_EXPIRED) {
		(void)refuse(&refusal, REFUSAL_EXPIRED, 131043, "it has expired");
		refusal_put(body, &refusal);
		a->status = refusal.status;
		a->refused_here = true;
		a->refused_reason = refusal.reason;
	} else {
		bool queued = r->state != OUTQ_ACCEPTED;

		a->status = queued ? 202 : 200;
		answer_success(body, str_from(r->to),
			       r->wamid[0] != '\0' ? str_from(r->wamid) : str_from(id), queued);
	}
	a->body = buf_str(body);
}

static void replay_done(struct store_job *job)
{
	struct replay *r = CONTAINER_OF(job, struct replay, job);
	struct outbox_answer a;
	struct buf body;

	if (r->ob != NULL) {
		r->ob->replaying--;
		link_remove(&r->link);
		buf_init(&body, 64U * 1024 + ANSWER_COMPOSED_MAX);
		replay_answer(r, &body, &a);
		waiters_answer(&r->waiters, &a);
		buf_release(&body);
	}
	free(r->to);
	free(r->wamid);
	free(r->answer);
	free(r);
}

static void replay_start(struct outbox *ob, struct link *waiters, const struct id *earlier)
{
	struct replay *r = xcalloc(1, sizeof(*r));

	r->ob = ob;
	r->earlier = *earlier;
	link_init(&r->waiters);
	waiters_hand_over(waiters, &r->waiters, NULL);
	r->job.run = run_replay;
	r->job.done = replay_done;
	ob->replaying++;
	link_push(&ob->replays, &r->link);
	store_read(ob->o.store, &r->job);
}

/* ---- the commit ---- */

static void forget(struct outbox *ob, struct outq_entry *e)
{
	idempotency_drop(ob->idempotency, e);
	outq_entry_free(e);
}

static void log_queued(const struct outbox *ob, const struct outq_entry *e)
{
	char id[ID_TEXT_MAX];

	id_text(ID_MESSAGE, &e->id, id);
	log_debug(ob->o.log, "message id=%s queued class=%d", id, (int)e->class_);
}

static void queued(struct adding *a)
{
	struct outbox *ob = a->ob;
	struct outq_entry *e = a->e;

	e->row = a->add.row;
	metric_count(ob->o.metrics, M_OUTBOX_ACCEPTED);
	log_queued(ob, e);
	outq_add(ob->outq, e, a->add.number_id, a->add.lane, a->add.window_ms);
	e->lane->opted_out = a->add.opted_out; /* the store has told all that came before */
	outbox_tell(ob, e, OUTQ_NSTATES);
	(void)FAULT("outbox.accepted"); /* O2: on disk, the caller does not know yet */
	waiters_queued(ob, e, ob->draining);
	dispatch_lane(ob->dispatch, e->lane);
}

static void same_as_earlier(struct adding *a)
{
	struct outbox *ob = a->ob;
	struct outq_entry *e = a->e, *live = outq_by_row(ob->outq, a->add.row);

	if (live == NULL) {
		replay_start(ob, &e->waiters, &a->add.earlier);
	} else {
		waiters_hand_over(&e->waiters, &live->waiters, live);
		waiters_joined(ob, live);
	}
	forget(ob, e);
}

static void refused(struct adding *a, const struct refusal *r)
{
	metrics_add(a->ob->o.metrics, M_OUTBOX_REFUSED, r->metric, 0, 1);
	refusal_log(a->ob->o.log, NULL, r);
	waiters_refuse(&a->e->waiters, r);
	forget(a->ob, a->e);
}

static void on_added(struct store_req *req)
{
	struct adding *a = CONTAINER_OF(req, struct adding, add.req);
	struct outbox *ob = a->ob;
	struct refusal r;

	if (ob == NULL) {
		outq_entry_free(a->e);
		free(a);
		return;
	}
	ob->adding--;
	link_remove(&a->link);
	ob->adding_bytes -= req->weight;
	if (req->status != GW_OK) {
		(void)refuse(&r, REFUSAL_BUSY, 131016,
			     "it could not be stored, so nothing was accepted; try again");
		r.retry_after_s = 1;
		refused(a, &r);
	} else if (a->add.taken) {
		waiters_answer(&a->e->waiters, &(struct outbox_answer){ .status = 202 });
		forget(ob, a->e);
	} else if (a->add.idem == STORE_IDEM_DIFFERS) {
		idempotency_differs(&r);
		refused(a, &r);
	} else if (a->add.idem == STORE_IDEM_SAME) {
		same_as_earlier(a);
	} else {
		queued(a);
	}
	free(a);
}

/* ---- from the door ---- */

static struct outq_entry *make_entry(struct outbox *ob, const struct outbox_submit *s,
				     const struct send *read, const struct plan *plan,
				     enum outq_policy policy)
{
	struct outq_text text = { .to = read->to,
				  .target = s->target,
				  .body = s->body,
				  .opaque = read->opaque,
				  .kind = read->kind,
				  .template_name = read->template_name,
				  .template_language = read->template_language };
	int64_t now_ns = clock_mono_ns(loop_clock(ob->o.loop));
	struct outq_entry *e;

	id_make(&ob->ids, loop_clock(ob->o.loop), &ob->rnd, &text.id);
	e = outq_entry_new(&text);
	e->class_ = read->class_;
	e->batch_line = s->batch_line;
	e->policy = policy;
	e->accepted_ns = e->due_ns = now_ns;
	e->expires_ns = now_ns + ob->o.settings.lifetime_ms * NS_PER_MS;
	e->plan = plan->bits;
	e->has_context = read->has_context;
	e->context = read->context;
	return e;
}

static struct str keep(char **at, struct str s)
{
	struct str kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static struct adding *make_adding(struct outbox *ob, struct outq_entry *e,
				  const struct outbox_submit *s, const struct send *read,
				  const struct plan *plan)
{
	size_t text = s->number_id.len + read->template_name.len + read->template_language.len +
		      plan->name.len + plan->language.len + plan->body.len;
	struct adding *a = xcalloc(1, sizeof(*a) + text + 1);
	struct store_add_message *add = &a->add;
	char *at = a->text;

	a->ob = ob;
	a->e = e;
	memcpy(a->lane, read->lane.ptr, read->lane.len);
	add->req.op = STORE_ADD_MESSAGE;
	add->req.done = on_added;
	add->req.weight = sizeof(*a) + text + sizeof(*e) + e->body.len + e->target.len;
	add->id = e->id;
	add->number_id = keep(&at, s->number_id);
	add->template_name = keep(&at, read->template_name);
	add->template_language = keep(&at, read->template_language);
	add->plan = plan->bits;
	add->fallback_name = keep(&at, plan->name);
	add->fallback_language = keep(&at, plan->language);
	add->fallback_body = keep(&at, plan->body);
	add->fallback_class = (uint8_t)plan->class_;
	add->lane = str_make(a->lane, read->lane.len);
	add->to = e->to;
	add->target = e->target;
	add->body = e->body;
	add->opaque = e->opaque;
	add->kind = e->kind;
	add->class_ = (uint8_t)e->class_;
	add->policy = outq_policy_name(e->policy);
	add->key_id = s->key_id;
	add->batch_line = s->batch_line;
	add->created_ms = clock_wall_ms(loop_clock(ob->o.loop));
	add->expires_ms = add->created_ms + ob->o.settings.lifetime_ms;
	return a;
}

void outbox_accept(struct outbox *ob, const struct outbox_submit *s, const struct send *read,
		   const struct plan *plan, enum outq_policy policy)
{
	struct outq_entry *e = make_entry(ob, s, read, plan, policy);
	struct adding *a = make_adding(ob, e, s, read, plan);

	if (s->idempotency_key.len > 0) {
		a->add.has_idempotency = true;
		idempotency_hash(&s->key_id, s->target, s->idempotency_key, e->idempotency);
		sha256(s->body, e->fingerprint);
		memcpy(a->add.idempotency, e->idempotency, sizeof(e->idempotency));
		memcpy(a->add.fingerprint, e->fingerprint, sizeof(e->fingerprint));
		e->has_idempotency = idempotency_find(ob->idempotency, e->idempotency) == NULL;
		if (e->has_idempotency)
			idempotency_bind(ob->idempotency, e); /* inv. 2 */
	}
	waiter_add(ob, e, s);
	ob->adding++;
	link_push(&ob->addings, &a->link);
	ob->adding_bytes += a->add.req.weight;
	store_submit(ob->o.store, &a->add.req);
}

void outbox_orphan(struct outbox *ob)
{
	struct link *l;

	while ((l = link_first(&ob->addings)) != NULL) {
		struct adding *a = CONTAINER_OF(l, struct adding, link);

		link_remove(l);
		waiters_drop(&a->e->waiters);
		a->ob = NULL;
	}
	while ((l = link_first(&ob->replays)) != NULL) {
		struct replay *r = CONTAINER_OF(l, struct replay, link);

		link_remove(l);
		waiters_drop(&r->waiters);
		r->ob = NULL;
	}
}
