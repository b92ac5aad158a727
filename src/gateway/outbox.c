/* SPDX-License-Identifier: MIT */
/*
 * outbox.c - the door for messages to Meta (O1), and who is told what
 *
 * ROLE        Between the Graph front and the queue.  Ties the parts together:
 *             outbox_accept.c commits, dispatch.c claims and posts, reconcile.c
 *             settles what was lost, waiter.c answers, notice.c tells of what
 *             happened after a 202.
 *
 * ORDER       of what follows a committed move (on_moved): the lane goes on, the
 *             evidence is looked at, the operator's call returns, waiters are
 *             answered, notices go out.
 *
 * INVARIANTS  1. outbox_submit() answers exactly once.
 *             2. What is refused at the door was never stored and binds no key.
 *             3. After outbox_drain() nothing is claimed, and every new message is
 *                committed and answered 202.
 *
 * FAILURE     The store is slow: callers wait.  It refuses: 503 and nothing was
 *             accepted.  A crash: outbox_load() finds every message where its last
 *             commit left it; sending becomes unknown, or waits if it never left.
 * LIMITS      settings.queue_max messages, OUTQ_BYTES_MAX bytes, OUTBOX_BODY_MAX a body
 * TESTS       tests/unit/test_outbox*.c, tests/system/test_graph_front.py
 */
#include "gateway/outbox_int.h"

#include "base/map.h"
#include "base/mask.h"
#include "base/mem.h"
#include "gateway/departures.h"
#include "gateway/inbox.h"
#include "gateway/template_fact.h"
#include <godwit/errors.h>

#define SWEEP_MS 10000 /* lifetimes are kept at release; this ends what never gets there */
#define DRAIN_LOOK_MS 5

/* ---- the door ---- */

static bool check_number(const struct outbox *ob, const struct outbox_submit *s,
			 const struct number **out, struct refusal *r)
{
	*out = accounts_number(ob->o.accounts, s->number_id);
	if (*out != NULL)
		return true;
	(void)refuse(r, REFUSAL_INVALID, 100,
		     "Unsupported post request. Object with ID '%.*s' does not exist here: no "
		     "account has a number with this id",
		     (int)(s->number_id.len < 64 ? s->number_id.len : 64), s->number_id.ptr);
	r->subcode = 33;
	return false;
}

static bool check_room(const struct outbox *ob, struct refusal *r)
{
	const char *full = NULL;

	if (outq_count(ob->outq) + ob->adding >= ob->o.settings.queue_max)
		full = "the queue is full (queue.max)";
	else if (outq_bytes(ob->outq) + ob->adding_bytes >= OUTQ_BYTES_MAX)
		full = "the queue's memory is full";
	else if (inbox_is_stuck(ob->o.store, ob->o.settings.disk_min))
		full = "the disk is full or does not keep up";
	if (full == NULL)
		return true;
	(void)refuse(r, REFUSAL_BUSY, 131016, "%s; nothing was accepted, try again", full);
	r->retry_after_s = 1;
	return false;
}

static bool check_call(const struct outbox *ob, const struct outbox_submit *s,
		       enum outq_policy *policy, struct refusal *r)
{
	*policy = ob->policy;
	if (s->body.len > OUTBOX_BODY_MAX)
		return refuse(r, REFUSAL_INVALID, 100, "the body has more than %u bytes",
			      OUTBOX_BODY_MAX);
	if (s->idempotency_key.len > OUTBOX_IDEMPOTENCY_MAX)
		return refuse(r, REFUSAL_INVALID, 100,
			      "the Idempotency-Key has more than %d characters",
			      OUTBOX_IDEMPOTENCY_MAX);
	if (s->policy.len > 0 && !outq_policy_parse(s->policy, policy))
		return refuse(r, REFUSAL_INVALID, 100,
			      "the header Godwit-Unknown-Policy must be hold, resend or expire");
	return true;
}

static void refuse_at_door(const struct outbox *ob, const struct outbox_submit *s,
			   const struct refusal *r)
{
	metrics_add(ob->o.metrics, M_OUTBOX_REFUSED, r->metric, 0, 1);
	refusal_log(ob->o.log, NULL, r);
	answer_refusal(s, r);
}

/* A call with a key that is in flight: attach to the first, or 422.  False: not so. */
static bool attach(struct outbox *ob, const struct outbox_submit *s)
{
	unsigned char hash[32], fingerprint[32];
	struct outq_entry *e;
	struct refusal r;

	if (s->idempotency_key.len == 0)
		return false;
	idempotency_hash(&s->key_id, s->target, s->idempotency_key, hash);
	e = idempotency_find(ob->idempotency, hash);
	if (e == NULL)
		return false;
	sha256(s->body, fingerprint);
	if (memcmp(fingerprint, e->fingerprint, sizeof(fingerprint)) != 0) {
		if (e->row == 0)
			return false; /* whose the key is, the store is about to say */
		idempotency_differs(&r);
		refuse_at_door(ob, s, &r);
		return true;
	}
	waiter_add(ob, e, s);
	waiters_joined(ob, e);
	return true;
}

/* What Meta says of the template outweighs a guess, and marketing the caller's word as well. */
static void know_class(const struct outbox *ob, const struct number *number, struct str said,
		       struct send *read)
{
	const struct template_fact *t;

	if (!str_eq(read->kind, STR("template")))
		return;
	t = template_facts_find(ob->o.templates, str_from(number->business_id), read->template_name,
				read->template_language);
	if (t == NULL)
		return;
	if (t->category == TEMPLATE_MARKETING)
		read->class_ = OUTQ_MARKETING;
	else if (t->category == TEMPLATE_AUTHENTICATION && said.len == 0 &&
		 read->class_ != OUTQ_MARKETING)
		read->class_ = OUTQ_AUTHENTICATION;
}

void outbox_submit(struct outbox *ob, const struct outbox_submit *s)
{
	const struct number *number;
	enum outq_policy policy;
	struct refusal r;
	struct plan plan;
	struct send read;

	r.code = 0;
	if (check_call(ob, s, &policy, &r) && attach(ob, s))
		return;
	arena_reset(ob->scratch);
	buf_reset(&ob->fallback);
	if (r.code != 0 || !check_number(ob, s, &number, &r) ||
	    !send_read(s->body, s->target, ob->scratch, &read, &r) ||
	    !send_read_category(s->category, &read, &r) ||
	    !plan_read(s, &read, &ob->fallback, &plan, &r) || !check_room(ob, &r) ||
	    (!s->respond_async && !dispatch_lets_in(ob->dispatch, number->account, &r))) {
		refuse_at_door(ob, s, &r); /* inv. 2 */
		return;
	}
	if (s->batch_line != 0)
		read.class_ = s->batch_class;
	know_class(ob, number, s->category, &read);
	outbox_accept(ob, s, &read, &plan, policy);
}

bool outbox_bypasses(struct str body)
{
	struct arena *a = arena_new((size_t)32 * OUTBOX_BODY_MAX);
	const struct json_doc *doc;
	struct str status;
	bool yes = false;

	if (a != NULL && body.len <= OUTBOX_BODY_MAX && json_scan(body, a, &doc, NULL) == GW_OK)
		yes = (json_get_str(json_root(doc), STR("status"), 16, &status) &&
		       str_eq(status, STR("read"))) ||
		      json_exists(json_member(json_root(doc), STR("typing_indicator")));
	arena_free(a);
	return yes;
}

/* ---- what happened ---- */

void outbox_tell_batches(struct outbox *ob, outbox_batch_fn fn, void *cookie)
{
	ob->tell_batches = fn;
	ob->batches = cookie;
}

void outbox_tell(struct outbox *ob, const struct outq_entry *e, enum outq_state from)
{
	if (e->batch_line != 0 && ob->tell_batches != NULL)
		ob->tell_batches(ob->batches, e->batch_line, from, e->state);
}

/* An end that nobody waits for, or an answer lost: told before the store has it (notice.c). */
static void on_moving(void *cookie, struct outq_entry *e, const struct outq_move *m)
{
	struct outbox *ob = cookie;

	if (!link_is_empty(&e->waiters))
		return;
	if (m->to == OUTQ_UNKNOWN || m->to == OUTQ_REJECTED || m->to == OUTQ_EXPIRED)
		notice_put(ob, e,
			   &(struct notice){ .state = m->to, .code = m->code, .why = m->why });
}

static void on_moved(void *cookie, struct outq_entry *e, enum outq_state from,
		     const struct store_move *m)
{
	struct outbox *ob = cookie;
	void (*resolved)(void *) = e->resolved;

	dispatch_moved(ob->dispatch, e, from);
	reconcile_moved(ob->reconcile, e, from);
	outbox_tell(ob, e, from);
	e->resolved = NULL;
	if (resolved != NULL)
		resolved(e->resolved_cookie);
	followed_by_move(ob, e, m->followed);
	if (!outq_is_terminal(e->state)) {
		waiters_queued(ob, e, e->parked || (ob->draining && e->state != OUTQ_SENDING));
		return;
	}
	idempotency_drop(ob->idempotency, e);
	if (e->state == OUTQ_ACCEPTED && link_is_empty(&e->waiters))
		notice_put(ob, e, &(struct notice){ .state = OUTQ_ACCEPTED, .wamid = m->wamid });
	waiters_final(ob, e, m);
}

/* What Meta says by a status after it took the message. */
static void log_failed(const struct outbox *ob, const struct store_event_in *in)
{
	char id[ID_TEXT_MAX] = "-", to[MASK_MAX], advice[GW_ERROR_ADVICE_MAX];

	if (in->message_row != 0)
		id_text(ID_MESSAGE, &in->message, id);
	mask_number(in->recipient, to);
	(void)gw_error_advice(in->error_code, 0, advice);
	log_info(ob->o.log, "status id=%s to=%s %.*s graph=%d: %s", id, to, STR_ARG(in->status),
		 in->error_code, advice);
}

void outbox_evidence(struct outbox *ob, struct event *ev)
{
	const struct store_event_in *in = ev->in;
	struct evidence evidence = { .row = in->message_row,
				     .number_id = in->account_id,
				     .wamid = in->external_id,
				     .try_ = in->has_token ? in->token_try : 0,
				     .mark = ev->mark };

	if (in->error_code != 0 && !ev->row.composed)
		log_failed(ob, in);
	if (ev->row.composed || in->message_row == 0)
		return; /* what we said ourselves proves nothing */
	reconcile_evidence(ob->reconcile, &evidence);
	followed_by_status(ob, in->followed);
	if (outq_by_row(ob->outq, in->message_row) == NULL &&
	    str_eq(str_from(in->message_state), str_from(outq_state_name(OUTQ_UNKNOWN))))
		shelf_evidence(ob, &in->message, &evidence);
}

static void open_window(struct outbox *ob, const struct outq_number *n, struct str who,
			int64_t at_ms)
{
	char key[RECIPIENT_MAX];
	size_t len = recipient_canonical(who, key);
	struct outq_lane *lane = len == 0 ? NULL : outq_lane(n, str_make(key, len));

	if (lane == NULL || at_ms <= lane->window_ms)
		return;
	lane->window_ms = at_ms;
	followed_unpark(ob, lane);
	dispatch_lane(ob->dispatch, lane);
}

void outbox_window(struct outbox *ob, struct event *ev)
{
	const struct store_event_in *in = ev->in;
	struct outq_number *n = outq_find_number(ob->outq, in->account_id);
	int64_t at_ms = in->at_s > 0 ? in->at_s * 1000 : ev->row.received_ms;

	if (n == NULL)
		return;
	open_window(ob, n, in->phone, at_ms);
	open_window(ob, n, in->user_id, at_ms);
}

static void opt(const struct outbox *ob, struct str who, bool out)
{
	char key[RECIPIENT_MAX];
	size_t len = recipient_canonical(who, key), at = 0;
	struct outq_number *n;

	while (len > 0 && (n = outq_next_number(ob->outq, &at)) != NULL) {
		struct outq_lane *lane = outq_lane(n, str_make(key, len));

		if (lane != NULL)
			lane->opted_out = out;
	}
}

void outbox_consent(struct outbox *ob, struct event *ev)
{
	struct str names = ev->in->consent_keys, name;

	ob->consents++;
	while (str_split(&names, '\n', &name))
		opt(ob, name, ev->in->consent_now == STORE_CONSENT_OUT);
}

void outbox_count_inbound(struct outbox *ob, struct str number_id)
{
	dispatch_inbound(ob->dispatch, number_id);
}

void outbox_clock_moved(struct outbox *ob)
{
	dispatch_kick(ob->dispatch);
}

/* ---- an operator decides ---- */

struct str outbox_number_of(const struct outbox *ob, const struct id *id)
{
	const struct outq_entry *e = outq_by_id(ob->outq, id);

	return e == NULL ? STR_EMPTY : e->lane->number->id;
}

gw_status outbox_resolve(struct outbox *ob, const struct id *id, enum outbox_resolve how,
			 void (*done)(void *cookie), void *cookie, struct gw_error *err)
{
	static const struct {
		enum outq_state to;
		const char *why;
	} moves[] = {
		[OUTBOX_AS_SENT] = { OUTQ_ACCEPTED, "resolved by hand: it was sent" },
		[OUTBOX_RESEND] = { OUTQ_QUEUED, "resolved by hand: send it again" },
		[OUTBOX_EXPIRE] = { OUTQ_EXPIRED, "resolved by hand: give it up" },
	};
	struct outq_entry *e = outq_by_id(ob->outq, id);

	if (e == NULL)
		return gw_error_set(err, GW_ENOTFOUND, "no unfinished message has this id");
	if (e->state != OUTQ_UNKNOWN)
		return gw_error_set(err, GW_ESTATE, "the message is %s, not unknown",
				    outq_state_name(e->state));
	if (e->moving != NULL)
		return gw_error_set(err, GW_ESTATE, "the message is about to change; look again");
	if (how == OUTBOX_RESEND && e->expires_ns <= clock_mono_ns(loop_clock(ob->o.loop)))
		return gw_error_set(err, GW_ESTATE,
				    "its lifetime is over, so it would expire at once; send it as "
				    "a new message");
	e->resolved = done;
	e->resolved_cookie = cookie;
	outq_want(ob->outq, e, &(struct outq_move){ .to = moves[how].to, .why = moves[how].why });
	return GW_OK;
}

/* ---- a start ---- */

/*
 * From wall time in the store to the clock of lifetimes and retries.  The time of day may have been
 * set back meanwhile: what happened is at most now, what is to come at most as far as it was.
 */
static int64_t mono_of(const struct outbox *ob, int64_t wall_ms, int64_t ahead_max_ms)
{
	const struct clock *c = loop_clock(ob->o.loop);
	int64_t ahead_ms = wall_ms - clock_wall_ms(c);

	if (ahead_ms > ahead_max_ms)
		ahead_ms = ahead_max_ms;
	return clock_mono_ns(c) + ahead_ms * NS_PER_MS;
}

static int64_t at_least_1(int64_t ns)
{
	return ns > 0 ? ns : 1;
}

static void load_state(struct outbox *ob, struct outq_entry *e, const struct store_message_row *m)
{
	if (!outq_state_parse(m->state, &e->state) || outq_is_terminal(e->state))
		PANIC("message row %lld has the state %.*s", (long long)m->row, STR_ARG(m->state));
	if (e->state == OUTQ_WAITING) {
		e->reason = str_eq(m->reason, STR("paused"))   ? "paused"
			    : str_eq(m->reason, STR("parked")) ? "parked"
							       : "backoff";
		if (e->reason[0] == 'b') /* a monotonic clock may be younger than the row */
			e->next_ns = at_least_1(
				mono_of(ob, m->next_ms, ob->o.settings.retry_max_ms));
	}
	e->plan = m->plan;
	e->again_of = m->again_of;
	e->since_ms = m->code == PLAN_CODE_SHUT ? m->moved_ms : 0;
	e->tries = m->tries;
	e->attempts = m->attempts;
	e->class_ = m->class_ < OUTQ_NCLASSES ? m->class_ : OUTQ_MARKETING;
	e->policy = ob->policy;
	(void)outq_policy_parse(m->policy, &e->policy);
	e->accepted_ns = mono_of(ob, m->created_ms, 0);
	e->expires_ns = mono_of(ob, m->expires_ms, m->expires_ms - m->created_ms);
	e->due_ns = clock_mono_ns(loop_clock(ob->o.loop));
}

struct outq_entry *outbox_take(struct outbox *ob, const struct store_message_row *m)
{
	struct outq_text text = { .id = m->id,
				  .to = m->to,
				  .target = m->target,
				  .body = m->body,
				  .opaque = m->opaque,
				  .kind = m->kind,
				  .template_name = m->template_name,
				  .template_language = m->template_language };
	struct outq_entry *e = outq_entry_new(&text);
	int64_t lost_ns;
	size_t at;

	e->row = m->row;
	e->batch_line = m->batch_line;
	load_state(ob, e, m);
	if (str_find(e->body, STR("\"msg_"), &at)) { /* else it quotes nothing of ours */
		arena_reset(ob->scratch);
		e->has_context = send_read_context(e->body, ob->scratch, &e->context);
	}
	outq_add(ob->outq, e, m->number_id, m->lane, m->window_ms);
	e->lane->opted_out = m->opted_out;
	followed_unpark(ob, e->lane);
	outbox_tell(ob, e, OUTQ_NSTATES);
	lost_ns = e->state == OUTQ_UNKNOWN ? mono_of(ob, m->moved_ms, 0) : e->due_ns;
	if (e->state == OUTQ_SENDING || e->state == OUTQ_UNKNOWN || m->has_evidence)
		reconcile_load(ob->reconcile, e, lost_ns, m->evidence_wamid, m->has_evidence);
	return e;
}

void outbox_load(struct outbox *ob, const struct store_message_row *m)
{
	if (!shelf_takes(ob, m))
		(void)outbox_take(ob, m);
}

void outbox_load_recent(struct outbox *ob, struct str number_id, struct str lane, int64_t at_ms)
{
	dispatch_recent(ob->dispatch, number_id, lane, mono_of(ob, at_ms, 0));
}

static void on_sweep(void *cookie)
{
	struct outbox *ob = cookie;
	struct outbox_numbers numbers;

	dispatch_sweep(ob->dispatch);
	shelf_sweep(ob);
	outbox_count(ob, &numbers);
	metrics_set(ob->o.metrics, M_OUTBOX_OLDEST, 0, 0, numbers.oldest_ms / 1000);
	timer_in_ms(&ob->sweep, SWEEP_MS);
}

void outbox_start(struct outbox *ob)
{
	struct outq_entry *e = NULL;

	reconcile_start(ob->reconcile);
	while ((e = outq_next(ob->outq, e)) != NULL)
		dispatch_lane(ob->dispatch, e->lane);
	dispatch_start(ob->dispatch);
	timer_in_ms(&ob->sweep, SWEEP_MS);
}

/* ---- the end ---- */

static void on_drained(void *cookie)
{
	struct outbox *ob = cookie;

	if (dispatch_busy(ob->dispatch) > 0 || outq_moving_count(ob->outq) > 0 || ob->adding > 0 ||
	    ob->replaying > 0 || map_count(ob->fetching) > 0)
		timer_in_ms(&ob->drained, DRAIN_LOOK_MS);
	else
		ob->idle(ob->idle_cookie);
}

void outbox_drain(struct outbox *ob, void (*idle)(void *cookie), void *cookie)
{
	struct outq_entry *e = NULL;

	ob->draining = true; /* inv. 3 */
	ob->idle = idle;
	ob->idle_cookie = cookie;
	dispatch_drain(ob->dispatch);
	while ((e = outq_next(ob->outq, e)) != NULL) {
		if (e->state != OUTQ_SENDING && e->moving == NULL)
			waiters_queued(ob, e, true);
	}
	timer_in_ms(&ob->drained, 0);
}

void outbox_let_go(struct outbox *ob)
{
	struct outq_entry *e = NULL;

	while ((e = outq_next(ob->outq, e)) != NULL)
		waiters_queued(ob, e, true);
}

void outbox_count(const struct outbox *ob, struct outbox_numbers *out)
{
	const struct outq_entry *oldest = outq_next(ob->outq, NULL);

	*out = (struct outbox_numbers){ .queued = outq_count_in(ob->outq, OUTQ_QUEUED),
					.sending = outq_count_in(ob->outq, OUTQ_SENDING),
					.waiting = outq_count_in(ob->outq, OUTQ_WAITING),
					.unknown = outq_count_in(ob->outq, OUTQ_UNKNOWN) };
	if (oldest != NULL)
		out->oldest_ms = (clock_mono_ns(loop_clock(ob->o.loop)) - oldest->accepted_ns) /
				 NS_PER_MS;
}

int64_t outbox_late_ms(const struct outbox *ob)
{
	const struct outq_entry *e = outq_next(ob->outq, NULL);

	for (size_t i = 0; e != NULL && i < OUTBOX_LOOKED_AT; i++, e = outq_next(ob->outq, e))
		if (e->state == OUTQ_QUEUED)
			return (clock_mono_ns(loop_clock(ob->o.loop)) - e->accepted_ns) / NS_PER_MS;
	return 0;
}

void outbox_pauses(const struct outbox *ob,
		   void (*fn)(void *cookie, struct str number_id, int64_t for_ms), void *cookie)
{
	int64_t now_ns = clock_mono_ns(loop_clock(ob->o.loop));
	const struct outq_number *n;
	size_t at = 0;

	while ((n = outq_next_number(ob->outq, &at)) != NULL)
		if (n->pacer.paused_ns > now_ns)
			fn(cookie, n->id, (n->pacer.paused_ns - now_ns) / NS_PER_MS + 1);
}

/* ---- life ---- */

static void abandon(void *cookie, struct outq_entry *e)
{
	dispatch_abandon(((struct outbox *)cookie)->dispatch, e);
}

static bool is_sending(void *cookie, int64_t row, uint32_t try_)
{
	const struct outq_entry *e = outq_by_row(((struct outbox *)cookie)->outq, row);

	return e != NULL && e->state == OUTQ_SENDING && e->tries == try_;
}

static bool is_anything_left(void *cookie)
{
	const struct outq *q = ((struct outbox *)cookie)->outq;
	const struct outq_entry *e = NULL;

	while ((e = outq_next(q, e)) != NULL) {
		if (e->after_restart && e->state == OUTQ_SENDING)
			return true;
	}
	return false;
}

static struct departures *open_departures(struct outbox *ob)
{
	if (ob->o.dir == NULL)
		return NULL;
	return departures_open(&(struct departures_options){ .dir = ob->o.dir,
							     .max = ob->o.settings.in_flight_max,
							     .log = ob->o.log,
							     .is_sending = is_sending,
							     .is_anything_left = is_anything_left,
							     .cookie = ob });
}

static gw_status make_parts(struct outbox *ob, struct gw_error *err)
{
	struct outq_options q = { .loop = ob->o.loop,
				  .store = ob->o.store,
				  .log = ob->o.log,
				  .metrics = ob->o.metrics,
				  .moved = on_moved,
				  .moving = on_moving,
				  .cookie = ob };
	struct dispatch_options d = { .loop = ob->o.loop,
				      .store = ob->o.store,
				      .accounts = ob->o.accounts,
				      .templates = ob->o.templates,
				      .curious = ob->o.curious,
				      .curious_cookie = ob->o.curious_cookie,
				      .doubt = ob->o.doubt,
				      .doubt_cookie = ob->o.doubt_cookie,
				      .token = ob->o.token,
				      .log = ob->o.log,
				      .metrics = ob->o.metrics,
				      .settings = &ob->o.settings };
	struct reconcile_options r = { .loop = ob->o.loop,
				       .log = ob->o.log,
				       .metrics = ob->o.metrics,
				       .wayback = ob->o.wayback,
				       .settings = &ob->o.settings,
				       .abandon = abandon,
				       .cookie = ob };
	gw_status st;

	ob->outq = d.outq = r.outq = outq_new(&q);
	ob->departures = d.departures = open_departures(ob);
	r.departures = ob->departures;
	st = dispatch_new(&d, &ob->dispatch, err);
	if (st != GW_OK)
		return st;
	ob->reconcile = reconcile_new(&r);
	return GW_OK;
}

void outbox_set(struct outbox *ob, const struct outbox_settings *to)
{
	struct outbox_settings *now = &ob->o.settings;

	now->wait_max_ms = to->wait_max_ms;
	now->lifetime_ms = to->lifetime_ms;
	now->retry_max_ms = to->retry_max_ms;
	now->attempts_max = to->attempts_max;
	now->lane_unknown_wait_ms = to->lane_unknown_wait_ms;
	now->unknown_wait_ms = to->unknown_wait_ms;
	now->server_errors_prove_nothing = to->server_errors_prove_nothing;
	now->failed_echoes_token = to->failed_echoes_token;
	now->disk_min = to->disk_min;
	now->parked_max = to->parked_max;
	if (!outq_policy_parse(str_from(to->unknown_policy), &ob->policy))
		PANIC("unknown.policy %s was let pass", to->unknown_policy);
	dispatch_settings_changed(ob->dispatch);
}

void outbox_number_changed(struct outbox *ob)
{
	dispatch_kick(ob->dispatch);
}

gw_status outbox_new(const struct outbox_options *o, struct outbox **out, struct gw_error *err)
{
	struct outbox *ob;
	enum outq_policy policy;
	gw_status st;

	if (!outq_policy_parse(str_from(o->settings.unknown_policy), &policy))
		return gw_error_set(err, GW_EARG,
				    "unknown.policy: %s is not hold, resend or expire",
				    o->settings.unknown_policy);
	ob = xcalloc(1, sizeof(*ob));
	ob->o = *o;
	ob->policy = policy;
	link_init(&ob->addings);
	link_init(&ob->replays);
	link_init(&ob->fetches);
	ob->fetching = map_new();
	timer_init(&ob->sweep, o->loop, LOOP_MOVED, on_sweep, ob);
	timer_init(&ob->drained, o->loop, LOOP_REAL, on_drained, ob);
	st = make_parts(ob, err);
	if (st != GW_OK) {
		outbox_free(ob);
		return st;
	}
	ob->idempotency = idempotency_new();
	ob->scratch = arena_new((size_t)32 * OUTBOX_BODY_MAX);
	ASSERT(ob->scratch != NULL);
	buf_init(&ob->fallback, PLAN_BODY_MAX);
	rnd_init_system(&ob->rnd);
	*out = ob;
	return GW_OK;
}

void outbox_free(struct outbox *ob)
{
	struct outq_entry *e = NULL;

	if (ob == NULL)
		return;
	outbox_orphan(ob);
	shelf_orphan(ob);
	map_free(ob->fetching);
	while (ob->outq != NULL && (e = outq_next(ob->outq, e)) != NULL)
		waiters_drop(&e->waiters);
	timer_cancel(&ob->sweep);
	timer_cancel(&ob->drained);
	reconcile_free(ob->reconcile);
	dispatch_free(ob->dispatch);
	departures_close(ob->departures);
	outq_free(ob->outq);
	idempotency_free(ob->idempotency);
	arena_free(ob->scratch);
	buf_release(&ob->fallback);
	free(ob);
}
