/* SPDX-License-Identifier: MIT */
/*
 * dispatch.c - when a message is claimed and when it is released (O3, O4)
 *
 * ROLE        Between the schedule (who may go) and attempt.c (the wire).  Owns
 *             one rule: a byte leaves only after the intent is committed, and only
 *             when the pacer has a slot at that very moment.
 *
 *   READY lane --claim--> SENDING in the store --commit--> armed --slot--> POST
 *
 * Commits take time, slots do not wait, so messages are claimed ahead: as many
 * as the pacer will release within CLAIM_AHEAD_NS and twice a commit's
 * duration.  Claims of one turn of the loop share a commit.
 *
 * A better message overtakes what was claimed ahead of it: it is claimed at once
 * (only claims of its class and better count against what is claimed ahead),
 * leaves first when it is armed, and until then, for as long as its commit
 * takes, the slots that come due are kept free (pacer_hold has a budget for
 * that).  So a campaign costs it the slot that was being given away when it came.
 *
 * INVARIANTS  1. Nothing is posted that is not SENDING on disk with this try.
 *             2. in_flight <= settings.in_flight_max, and nothing is claimed that
 *                with the better claims of its number would be more.
 *             3. Every slot is taken from the pacer at release, so however the
 *                commits bunch, what leaves does not.
 *             4. Lifetime, guards and quoted messages are looked at at the claim,
 *                which is at most a few slots before the release.
 *             5. A claimed message is counted in claiming[] or armed_count[] of
 *                claimed_as, the class of its lane, which can only become better.
 *
 * FAILURE     Crash after the claim's commit: the row is sending, the next start
 *             makes it unknown, or lets it wait again if by departures.h it
 *             never left.  A paused number or account gives its armed messages
 *             back (waiting, no attempt burned).
 * LIMITS      settings.in_flight_max
 * TESTS       tests/unit/test_outbox.c, tests/system/test_priority.py
 */
#include "gateway/dispatch_int.h"

#include "base/fault.h"
#include "base/mem.h"
#include "gateway/guard.h"
#include "gateway/plan.h"

#define CLAIM_AHEAD_NS (20 * NS_PER_MS) /* reliability.md 3.4 item 1 */
#define COMMIT_NS_MAX (250 * NS_PER_MS) /* a disk slower than this costs rate, not order */
#define GIVE_BACK_NS NS_PER_S /* a pause longer than this gives armed messages back */
#define PROBE_NS (60 * NS_PER_S) /* a paused account is tried this often */
#define PAIRS_MAX 262144 /* recipients in the pair map; 30,000 are live at 5,000 messages/s */
#define NEVER INT64_MAX

int64_t dispatch_now(const struct dispatch *d)
{
	return clock_mono_ns(loop_clock(d->o.loop));
}

struct pacer_rate dispatch_rate(const struct dispatch *d, const struct number *number)
{
	return (struct pacer_rate){
		.limit = number->limit_mps,
		.share_ppm = (uint32_t)(d->o.settings->number_rate_share * 1000000 + 0.5),
	};
}

struct number *dispatch_number(const struct dispatch *d, const struct outq_entry *e)
{
	return accounts_number(d->o.accounts, e->lane->number->id);
}

/* ---- ending a message here ---- */

/* `shut`: it may have a plan for that; then it is parked, or a template goes in its place. */
static void end(struct dispatch *d, struct outq_entry *e, enum outq_state to, struct refusal r,
		bool shut)
{
	struct outq_move m = { .to = to, .unbinds = true };
	struct buf body;

	if (shut && plan_turn(e, d->o.settings->parked_max, &m, &r) && m.to == OUTQ_WAITING) {
		outq_want(d->o.outq, e, &m);
		return;
	}
	buf_init(&body, REFUSAL_BODY_MAX);
	refusal_put(&body, &r);
	if (m.why == NULL)
		m.why = r.details;
	m.http_status = r.status;
	m.code = r.code;
	m.subcode = r.subcode;
	m.answer = buf_str(&body);
	e->refused = r.reason;
	metrics_add(d->o.metrics, M_OUTBOX_REFUSED, r.metric, 0, 1);
	refusal_log(d->o.log, &e->id, &r);
	outq_want(d->o.outq, e, &m);
	buf_release(&body);
}

void dispatch_end(struct dispatch *d, struct outq_entry *e, enum outq_state to,
		  const struct refusal *r)
{
	end(d, e, to, *r, false);
}

static void expire(struct dispatch *d, struct outq_entry *e)
{
	struct refusal r;

	(void)refuse(&r, REFUSAL_EXPIRED, 131043,
		     "its lifetime ended before it could be sent; see queue.lifetime");
	dispatch_end(d, e, OUTQ_EXPIRED, &r);
}

/* ---- claiming ---- */

/* What is known of the template that e sends; NULL: nothing, or it sends none. */
static const struct template_fact *template_of(const struct dispatch *d, const struct outq_entry *e)
{
	struct number *number = dispatch_number(d, e);
	const struct template_fact *t;

	if (number == NULL || e->template_name.len == 0)
		return NULL;
	t = template_facts_find(d->o.templates, str_from(number->business_id), e->template_name,
				e->template_language);
	if ((t == NULL || t->state != TEMPLATE_SENDABLE) && d->o.curious != NULL)
		d->o.curious(d->o.curious_cookie, e->lane->number->id);
	return t;
}

/* Who waits is told at once; what was answered 202 stays, as it does when Meta says so
 * (attempt.c), and is looked at again in a minute: a number may come back. */
static void number_stops(struct dispatch *d, struct outq_entry *e, const struct refusal *r,
			 int64_t now_ns)
{
	if (d->o.doubt != NULL)
		d->o.doubt(d->o.doubt_cookie, e->lane->number->id);
	if (!link_is_empty(&e->waiters)) {
		dispatch_end(d, e, OUTQ_REJECTED, r);
		return;
	}
	metrics_add(d->o.metrics, M_OUTBOX_REFUSED, r->metric, 0, 1);
	attempt_back(d, e, "backoff", now_ns + PROBE_NS, r->details);
}

/* Everything that must hold at release; false: the message goes elsewhere or waits. */
static bool may_claim(struct dispatch *d, struct outq_entry *e, int64_t now_ns)
{
	const struct number *number = dispatch_number(d, e);
	struct guard_facts facts = { .entry = e,
				     .number = number == NULL ? NULL : &number->fact,
				     .window_ms = e->lane->window_ms,
				     .now_ms = clock_wall_ms(loop_clock(d->o.loop)),
				     .opted_out = e->lane->opted_out,
				     .template_ = template_of(d, e) };
	struct refusal r;

	if (e->expires_ns <= now_ns) {
		expire(d, e);
		return false;
	}
	if (!guards_pass(&facts, &r)) {
		if (r.metric == REFUSAL_NUMBER)
			number_stops(d, e, &r, now_ns);
		else
			end(d, e, OUTQ_REJECTED, r, r.metric == REFUSAL_WINDOW);
		return false;
	}
	if (e->has_context && e->context_wamid == NULL) {
		context_ask(d, e);
		return false;
	}
	return true;
}

static void claim(struct dispatch *d, struct outq_entry *e, int64_t now_ns, bool probe)
{
	struct outq_number *n = e->lane->number;

	pairs_take(d->pairs, n->id, e->lane->key, now_ns);
	e->claimed_ns = now_ns;
	e->claimed_as = schedule_class(e->lane);
	e->probe = probe;
	n->claiming[e->claimed_as]++;
	d->claiming++;
	outq_want(d->o.outq, e, &(struct outq_move){ .to = OUTQ_SENDING, .why = "claimed" });
}

static size_t armed_of(const struct outq_number *n)
{
	size_t armed = 0;

	for (size_t c = 0; c < OUTQ_NCLASSES; c++)
		armed += n->armed_count[c];
	return armed;
}

/* How many of this number should be claimed and not released yet. */
static size_t claims_wanted(const struct dispatch *d, const struct outq_number *n,
			    const struct pacer_rate *rate, int64_t now_ns, int64_t *wake)
{
	int64_t next = pacer_next(&n->pacer, rate, now_ns);
	int64_t ahead = CLAIM_AHEAD_NS + 2 * d->commit_ns;

	if (next < now_ns)
		next = now_ns;
	if (next > now_ns + ahead) {
		*wake = next - ahead;
		return 0;
	}
	return (size_t)((now_ns + ahead - next) / pacer_interval(&n->pacer, rate, now_ns)) + 1;
}

/* May this account send; a paused one may try once a minute. */
static bool account_lets(struct account *a, int64_t now_ns, bool *probe, int64_t *wake)
{
	*probe = a->paused;
	if (!a->paused)
		return true;
	if (now_ns < a->probe_ns) {
		*wake = a->probe_ns;
		return false;
	}
	return true;
}

/* The worst class of which one more may be claimed; false: none.  Claims of a worse class hold up
 * nobody: they are overtaken. */
static bool may_claim_as(const struct dispatch *d, const struct outq_number *n, size_t wanted,
			 enum outq_class *last)
{
	size_t claims = 0;
	unsigned c;

	for (c = 0; c < OUTQ_NCLASSES; c++) {
		claims += n->claiming[c] + n->armed_count[c];
		if (claims >= wanted || claims + d->in_flight >= d->o.settings->in_flight_max)
			break; /* inv. 2 */
		*last = (enum outq_class)c;
	}
	return c > 0;
}

static void claim_some(struct dispatch *d, struct outq_number *n, struct number *number,
		       int64_t now_ns, int64_t *wake)
{
	struct pacer_rate rate = dispatch_rate(d, number);
	size_t wanted = claims_wanted(d, n, &rate, now_ns, wake);
	enum outq_class last = OUTQ_AUTHENTICATION;
	struct outq_lane *lane;
	struct outq_entry *e;
	bool probe;

	while (may_claim_as(d, n, wanted, &last)) {
		if (!account_lets(number->account, now_ns, &probe, wake))
			return;
		lane = schedule_take(d->schedule, n, last);
		if (lane == NULL)
			return;
		e = outq_head(lane);
		if (!outq_is_free(e) || !may_claim(d, e, now_ns))
			continue; /* its move brings the lane back */
		claim(d, e, now_ns, probe);
		if (probe)
			number->account->probe_ns = now_ns + PROBE_NS;
	}
}

/* ---- releasing ---- */

static void arm(struct dispatch *d, struct outq_entry *e)
{
	struct outq_number *n = e->lane->number;

	if (armed_of(n) == 0)
		n->armed_ns = dispatch_now(d);
	link_push(&n->armed[e->claimed_as], &e->armed);
	n->armed_count[e->claimed_as]++;
	d->armed++;
}

static void disarm(struct dispatch *d, struct outq_entry *e)
{
	ASSERT(link_is_in(&e->armed));
	link_remove(&e->armed);
	e->lane->number->armed_count[e->claimed_as]--;
	d->armed--;
}

/* A better message joined the lane: what is in front of it goes by its class (inv. 5). */
static void promote(struct dispatch *d, struct outq_lane *lane)
{
	enum outq_class c = schedule_class(lane);
	struct outq_entry *e = lane->busy;

	if (e == NULL || c >= e->claimed_as)
		return;
	if (link_is_in(&e->armed)) {
		disarm(d, e);
		e->claimed_as = c;
		arm(d, e);
	} else if (e->state != OUTQ_SENDING) {
		lane->number->claiming[e->claimed_as]--;
		e->claimed_as = c;
		lane->number->claiming[c]++;
	}
}

static struct outq_entry *next_armed(struct outq_number *n)
{
	unsigned c = chooser_choose(&n->release_chooser, n->armed_count, OUTQ_NCLASSES - 1);

	return CONTAINER_OF(link_first(&n->armed[c]), struct outq_entry, armed);
}

/* Those that may not go now for long: the store shall not say sending. */
static bool gives_back(struct dispatch *d, struct outq_number *n, const struct number *number,
		       int64_t now_ns)
{
	bool paused = number == NULL || number->account->paused;
	bool pauses = n->pacer.paused_ns > now_ns + GIVE_BACK_NS;
	struct outq_entry *e;

	if (!paused && !pauses)
		return false;
	for (unsigned c = 0; c < OUTQ_NCLASSES; c++) {
		struct link *l = link_first(&n->armed[c]), *next;

		for (; l != NULL; l = next) {
			e = CONTAINER_OF(l, struct outq_entry, armed);
			next = link_next(&n->armed[c], l);
			if (paused && number != NULL && e->probe)
				continue;
			disarm(d, e);
			if (paused)
				attempt_back(d, e, "paused", 0, "the account is paused");
			else
				attempt_back(d, e, "backoff", n->pacer.paused_ns,
					     "the number pauses");
		}
	}
	return armed_of(n) == 0;
}

/* A message better than all that are armed is one commit away from its slot. */
static bool better_comes(const struct outq_number *n)
{
	for (size_t c = 0; c < OUTQ_NCLASSES && n->armed_count[c] == 0; c++) {
		if (n->claiming[c] > 0)
			return true;
	}
	return false;
}

static void release_some(struct dispatch *d, struct outq_number *n, struct number *number,
			 int64_t now_ns, int64_t *wake)
{
	struct pacer_rate rate;

	if (armed_of(n) == 0 || gives_back(d, n, number, now_ns)) {
		pacer_unhold(&n->pacer, now_ns);
		return;
	}
	rate = dispatch_rate(d, number);
	while (armed_of(n) > 0 && d->in_flight < d->o.settings->in_flight_max) { /* inv. 2 */
		struct outq_entry *e;
		int64_t next = pacer_next(&n->pacer, &rate, now_ns);

		if (next <= now_ns && better_comes(n))
			next = pacer_hold(&n->pacer, now_ns);
		if (next > now_ns) {
			*wake = next;
			return;
		}
		e = next_armed(n);
		disarm(d, e);
		if (e->expires_ns <= now_ns) {
			attempt_back(d, e, "backoff", now_ns, "its lifetime ended");
			continue;
		}
		e->place = pacer_take(&n->pacer, &rate, now_ns, n->armed_ns); /* inv. 3 */
		attempt_start(d, e);
	}
}

/* ---- the pump ---- */

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t pump_number(struct dispatch *d, struct outq_number *n, int64_t now_ns)
{
	struct number *number = accounts_number(d->o.accounts, n->id);
	bool claims = number != NULL && d->started && !d->draining;
	int64_t wake = NEVER, claim_wake = NEVER;

	if (claims) /* before a slot is given away: somebody better may have come */
		claim_some(d, n, number, now_ns, &claim_wake);
	release_some(d, n, number, now_ns, &wake);
	claim_wake = NEVER;
	if (claims)
		claim_some(d, n, number, now_ns, &claim_wake);
	return min64(wake, claim_wake);
}

static bool has_work(const struct outq_number *n)
{
	for (size_t c = 0; c < OUTQ_NCLASSES; c++) {
		if (n->ready_count[c] > 0 || n->armed_count[c] > 0)
			return true;
	}
	return false;
}

static void pump(struct dispatch *d)
{
	int64_t now_ns = dispatch_now(d), wake;
	struct outq_number *n;
	size_t at = 0;

	d->kicked = false;
	wake = schedule_due(d->schedule, now_ns);
	while ((n = outq_next_number(d->o.outq, &at)) != NULL) {
		if (has_work(n))
			wake = min64(wake, pump_number(d, n, now_ns));
	}
	if (wake == NEVER)
		timer_cancel(&d->timer);
	else
		timer_at(&d->timer, wake);
}

static void on_timer(void *cookie)
{
	struct dispatch *d = cookie;

	d->kicked = true; /* the pump runs before the loop sleeps: one commit for all */
}

static void before_sleep(void *cookie)
{
	struct dispatch *d = cookie;

	if (d->kicked)
		pump(d);
}

void dispatch_kick(struct dispatch *d)
{
	d->kicked = true;
	loop_wake(d->o.loop); /* it may be past before_sleep already */
}

/* ---- what happened ---- */

void dispatch_lane(struct dispatch *d, struct outq_lane *lane)
{
	promote(d, lane);
	schedule_lane(d->schedule, lane, dispatch_now(d));
	d->kicked = true;
}

void dispatch_moved(struct dispatch *d, struct outq_entry *e, enum outq_state from)
{
	struct outq_number *n = e->lane->number;
	int64_t took;

	if (e->state == OUTQ_SENDING) {
		n->claiming[e->claimed_as]--;
		d->claiming--;
		took = min64(dispatch_now(d) - e->claimed_ns, COMMIT_NS_MAX);
		d->commit_ns += (took - d->commit_ns) / 8;
		(void)FAULT("outbox.claimed"); /* O4: on disk, not a byte sent */
		arm(d, e);
	} else if (from == OUTQ_SENDING || e->state == OUTQ_QUEUED) {
		e->due_ns = e->next_ns > 0 ? e->next_ns : dispatch_now(d);
	}
	schedule_lane(d->schedule, e->lane, dispatch_now(d));
	d->kicked = true;
}

void dispatch_abandon(struct dispatch *d, struct outq_entry *e)
{
	if (link_is_in(&e->armed))
		disarm(d, e);
	else if (e->exchange != NULL)
		attempt_cancel(d, e);
}

void dispatch_inbound(struct dispatch *d, struct str number_id)
{
	struct number *number = accounts_number(d->o.accounts, number_id);
	struct pacer_rate rate;

	if (number == NULL)
		return;
	rate = dispatch_rate(d, number);
	pacer_inbound(&outq_number(d->o.outq, number_id)->pacer, &rate, dispatch_now(d));
}

void dispatch_recent(struct dispatch *d, struct str number_id, struct str lane, int64_t at_ns)
{
	pairs_take(d->pairs, number_id, lane, at_ns);
}

bool dispatch_lets_in(const struct dispatch *d, const struct account *account, struct refusal *r)
{
	if (!account->paused || dispatch_now(d) >= account->probe_ns)
		return true;
	return refuse(r, REFUSAL_ACCOUNT, account->paused_code,
		      "Meta answered the last message of this account with code %d, which a person "
		      "must mend (token, payment or a lock); one message a minute tries whether it "
		      "works again",
		      account->paused_code);
}

void dispatch_settings_changed(struct dispatch *d)
{
	schedule_set_unknown_wait(d->schedule, d->o.settings->lane_unknown_wait_ms * NS_PER_MS);
	dispatch_kick(d);
}

/* ---- life ---- */

gw_status dispatch_new(const struct dispatch_options *o, struct dispatch **out,
		       struct gw_error *err)
{
	struct dispatch *d = xcalloc(1, sizeof(*d));
	struct http_client_options client = { .loop = o->loop, .http2 = true };
	struct pairs_options pairs = { .interval_ns = o->settings->pair_interval_ms * NS_PER_MS,
				       .burst = o->settings->pair_burst,
				       .max = PAIRS_MAX };
	struct schedule_options schedule = {
		.log = o->log, .unknown_wait_ns = o->settings->lane_unknown_wait_ms * NS_PER_MS
	};
	gw_status st;

	d->o = *o;
	if (o->settings->graph_ca_file != NULL && o->settings->graph_ca_file[0] != '\0')
		client.ca_file = o->settings->graph_ca_file;
	link_init(&d->contexts);
	st = http_client_new(&client, &d->client, err);
	if (st != GW_OK) {
		free(d);
		return st;
	}
	d->pairs = pairs_new(&pairs);
	schedule.pairs = d->pairs;
	d->schedule = schedule_new(&schedule);
	d->scratch = arena_new((size_t)32 * OUTBOX_BODY_MAX);
	ASSERT(d->scratch != NULL);
	rnd_init_system(&d->rnd);
	timer_init(&d->timer, o->loop, LOOP_MOVED, on_timer, d);
	loop_before_sleep(o->loop, before_sleep, d);
	*out = d;
	return GW_OK;
}

void dispatch_start(struct dispatch *d)
{
	d->started = true;
	dispatch_kick(d);
}

void dispatch_free(struct dispatch *d)
{
	struct outq_entry *e = NULL;

	if (d == NULL)
		return;
	while ((e = outq_next(d->o.outq, e)) != NULL) {
		dispatch_abandon(d, e);
		schedule_drop(d->schedule, e->lane);
	}
	context_orphan(d);
	timer_cancel(&d->timer);
	http_client_free(d->client);
	schedule_free(d->schedule);
	pairs_free(d->pairs);
	arena_free(d->scratch);
	free(d);
}

void dispatch_drain(struct dispatch *d)
{
	d->draining = true;
	dispatch_kick(d);
}

void dispatch_sweep(struct dispatch *d)
{
	struct outq_entry *e, *next = outq_next(d->o.outq, NULL);
	int64_t now_ns = dispatch_now(d);

	while ((e = next) != NULL) {
		next = outq_next(d->o.outq, e);
		if (e->state == OUTQ_UNKNOWN)
			continue; /* reconcile.c's */
		if (e->expires_ns > now_ns)
			break; /* one lifetime for all: the rest is younger */
		if (e->moving == NULL && e->state != OUTQ_SENDING)
			expire(d, e);
	}
	next = outq_next_parked(d->o.outq, NULL); /* a copy is as old as what it says again */
	while ((e = next) != NULL) {
		next = outq_next_parked(d->o.outq, e);
		if (e->expires_ns <= now_ns && e->moving == NULL)
			expire(d, e);
	}
	d->kicked = true;
}

size_t dispatch_busy(const struct dispatch *d)
{
	return d->claiming + d->armed + d->in_flight + d->asking;
}
