/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - one attempt at Meta: the request, its outcome, what follows (O5, O6)
 *
 * ROLE        Owns one rule: what an attempt proves is committed before anybody
 *             is told, and nothing is repeated that may have been accepted.
 *
 * INVARIANTS  1. An attempt belongs to an entry that is SENDING, and ends in
 *                exactly one outq_want().
 *             2. The token on the wire carries the try that is on disk.
 *             3. Evidence that came while we waited outweighs every answer but
 *                an acceptance: the message exists.
 *
 * FAILURE     Crash between POST and the commit of its outcome: sending on disk,
 *             noted in departures.h, unknown at the next start.  A code of the
 *             account pauses it; callers who still wait get Meta's words at once
 *             (design.md 5.7).
 * TESTS       tests/unit/test_outbox.c, tests/unit/test_classify.c
 */
#include "base/fault.h"
#include "base/mask.h"
#include "base/mem.h"
#include "gateway/backoff.h"
#include "gateway/body_splice.h"
#include "gateway/departures.h"
#include "gateway/dispatch_int.h"
#include "gateway/plan.h"
#include <godwit/errors.h>

#include <inttypes.h>

#define ANSWER_MAX (64U * 1024) /* bytes of Meta's answer that are kept */
#define URL_MAX 2048
#define HEADER_MAX (SECRET_MAX + 64)
#define UNREACHABLE_NS_MAX (30 * NS_PER_S)

/* ---- the request ---- */

static bool has_version(struct str target)
{
	return target.len > 2 && target.ptr[0] == '/' && target.ptr[1] == 'v' &&
	       target.ptr[2] >= '0' && target.ptr[2] <= '9';
}

/* base, the caller's version or the account's, the caller's path and query. */
static bool make_url(const struct account *a, struct str target, char out[URL_MAX])
{
	bool versioned = has_version(target);
	int n = snprintf(out, URL_MAX, "%s%s%s%.*s", a->base_url, versioned ? "" : "/",
			 versioned ? "" : a->version, STR_ARG(target));

	return n > 0 && n < URL_MAX;
}

static bool make_wire(struct dispatch *d, struct outq_entry *e)
{
	char token[TOKEN_MAX];
	struct buf out;
	bool ok;

	token_make(d->o.token, &e->id, e->tries, token); /* inv. 2 */
	buf_init(&out, e->body.len + SPLICE_GROWTH_MAX);
	arena_reset(d->scratch);
	ok = body_splice(e->body, str_from(token), str_from(e->context_wamid), d->scratch, &out,
			 NULL) == GW_OK;
	if (ok)
		e->wire = buf_take(&out);
	buf_release(&out);
	return ok;
}

static void drop_wire(struct outq_entry *e)
{
	free((void *)(uintptr_t)e->wire.ptr);
	e->wire = STR_EMPTY;
	e->wire.ptr = NULL;
}

static void on_outcome(void *cookie, const struct http_outcome *o);

/* on_outcome() finds its way back by the entry alone. */
struct attempt {
	struct dispatch *d;
	struct outq_entry *e;
};

static void start_exchange(struct dispatch *d, struct outq_entry *e, const struct account *a,
			   const char *url)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	char authorization[HEADER_MAX];
	const char *const headers[] = { "Content-Type: application/json", authorization };
	struct http_request r = { .method = "POST",
				  .url = url,
				  .headers = headers,
				  .header_count = ARRAY_LEN(headers),
				  .body = e->wire,
				  .connect_timeout_ms = d->o.settings->graph_connect_ms,
				  .timeout_ms = d->o.settings->graph_timeout_ms,
				  .answer_max = ANSWER_MAX };

	*attempt = (struct attempt){ d, e };
	(void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %.*s",
		       (int)a->token.len, (const char *)a->token.bytes);
	e->attempt = attempt;
	e->exchange = http_client_start(d->client, &r, on_outcome, attempt);
	explicit_bzero(authorization, sizeof(authorization));
}

static void log_leaves(const struct dispatch *d, const struct outq_entry *e)
{
	char id[ID_TEXT_MAX];

	id_text(ID_MESSAGE, &e->id, id);
	log_debug(d->o.log, "message id=%s leaves class=%d try=%u", id, (int)e->claimed_as,
		  e->tries);
}

void attempt_start(struct dispatch *d, struct outq_entry *e)
{
	struct number *number = dispatch_number(d, e);
	char url[URL_MAX];
	struct refusal r;

	ASSERT(e->state == OUTQ_SENDING && e->moving == NULL && e->exchange == NULL); /* inv. 1 */
	if (!make_url(number->account, e->target, url) || !make_wire(d, e)) {
		(void)refuse(&r, REFUSAL_INVALID, 100,
			     "with our token its body or address is too long");
		dispatch_end(d, e, OUTQ_REJECTED, &r);
		return;
	}
	e->sent_ns = dispatch_now(d);
	log_leaves(d, e);
	(void)FAULT("outbox.leaves"); /* a kill here leaves it waiting */
	departures_note(d->o.departures, e->row, e->tries);
	(void)FAULT("outbox.noted"); /* here unknown, though it has not left */
	d->in_flight++;
	start_exchange(d, e, number->account, url);
	(void)FAULT("outbox.posted"); /* O5 */
}

static void attempt_over(struct dispatch *d, struct outq_entry *e)
{
	ASSERT(d->in_flight > 0);
	d->in_flight--;
	e->exchange = NULL;
	free(e->attempt);
	e->attempt = NULL;
	drop_wire(e);
	d->kicked = true;
}

void attempt_cancel(struct dispatch *d, struct outq_entry *e)
{
	http_exchange_cancel(e->exchange);
	attempt_over(d, e);
}

void attempt_back(struct dispatch *d, struct outq_entry *e, const char *reason, int64_t next_ns,
		  const char *why)
{
	outq_want(d->o.outq, e,
		  &(struct outq_move){
			  .to = OUTQ_WAITING, .reason = reason, .next_ns = next_ns, .why = why });
}

/* ---- what follows ---- */

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* As its class says, at most retry_max; never before Retry-After. */
static int64_t backoff_ns(struct dispatch *d, const struct outq_entry *e, const struct verdict *v,
			  const struct http_outcome *o)
{
	int64_t retry_max = d->o.settings->retry_max_ms, ms;

	ms = backoff_ms(v->base_ms, v->max_ms > 0 ? min64(v->max_ms, retry_max) : retry_max,
			e->tries, &d->rnd);
	if (o->retry_after_s > 0)
		ms = max64(ms,
			   backoff_after_ms(min64(o->retry_after_s * 1000, retry_max), &d->rnd));
	return ms * NS_PER_MS;
}

/* Those who wait are told now; the rest waits with the account. */
static void reject_who_waits(struct dispatch *d, const struct account *a,
			     const struct outq_move *rejected)
{
	struct outq_entry *e, *next = outq_next(d->o.outq, NULL);

	while ((e = next) != NULL) {
		struct number *number = dispatch_number(d, e);

		next = outq_next(d->o.outq, e);
		if (number == NULL || number->account != a || link_is_empty(&e->waiters) ||
		    e->moving != NULL || e->state == OUTQ_UNKNOWN ||
		    (e->state == OUTQ_SENDING && !link_is_in(&e->armed)))
			continue;
		dispatch_abandon(d, e); /* armed: not a byte was sent */
		outq_want(d->o.outq, e, rejected);
	}
}

static void pause_account(struct dispatch *d, struct account *a, const struct verdict *v,
			  struct str answer, int64_t now_ns)
{
	char advice[GW_ERROR_ADVICE_MAX];

	(void)gw_error_advice(v->code, v->subcode, advice);
	if (!a->paused)
		log_error(d->o.log, "account name=%s paused: graph=%d/%d (%s): %s", a->name,
			  v->code, v->subcode, v->why, advice);
	a->paused = true;
	a->paused_code = v->code;
	a->probe_ns = max64(a->probe_ns, now_ns + 60 * NS_PER_S);
	reject_who_waits(d, a,
			 &(struct outq_move){ .to = OUTQ_REJECTED,
					      .why = v->why,
					      .unbinds = true, /* Meta spoke of another message */
					      .http_status = v->http_status,
					      .code = v->code,
					      .subcode = v->subcode,
					      .answer = answer });
}

/* Not all at the moment at which a block or a pause ends. */
static int64_t late_ns(struct dispatch *d, int64_t now_ns, int64_t until_ns)
{
	int64_t ms = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;

	return now_ns + backoff_after_ms(ms, &d->rnd) * NS_PER_MS;
}

/* The side effects; returns when this message may be tried again. */
static int64_t take_effect(struct dispatch *d, struct outq_entry *e, const struct verdict *v,
			   const struct http_outcome *o)
{
	struct outq_number *n = e->lane->number;
	struct number *number = dispatch_number(d, e);
	int64_t now_ns = dispatch_now(d), next_ns = now_ns + backoff_ns(d, e, v, o);

	if (v->effect != EFFECT_UNREACHABLE)
		n->unreachable = 0;
	switch (v->effect) {
	case EFFECT_NONE: break;
	case EFFECT_RATE: pacer_throttled(&n->pacer, e->sent_ns, now_ns); break;
	case EFFECT_PAIR:
		next_ns = pairs_throttled(d->pairs, n->id, e->lane->key, now_ns,
					  d->o.settings->retry_max_ms * NS_PER_MS);
		next_ns = late_ns(d, now_ns, next_ns);
		break;
	case EFFECT_PAUSE:
		pacer_pause(&n->pacer, now_ns + v->pause_ms * NS_PER_MS);
		next_ns = max64(next_ns, late_ns(d, now_ns, n->pacer.paused_ns));
		break;
	case EFFECT_ACCOUNT:
		if (number != NULL)
			pause_account(d, number->account, v, o->answer, now_ns);
		break;
	case EFFECT_UNREACHABLE:
		if (n->pacer.paused_ns <= now_ns) { /* once for all that were in flight */
			int64_t pause = NS_PER_S << (n->unreachable < 5 ? n->unreachable : 5);

			n->unreachable++;
			pacer_pause(&n->pacer, now_ns + min64(pause, UNREACHABLE_NS_MAX));
		}
		next_ns = max64(next_ns, late_ns(d, now_ns, n->pacer.paused_ns));
		break;
	}
	return next_ns;
}

static void accepted(struct dispatch *d, struct outq_entry *e)
{
	struct number *number = dispatch_number(d, e);

	pairs_accepted(d->pairs, e->lane->number->id, e->lane->key);
	if (number != NULL && number->account->paused) {
		number->account->paused = false;
		log_info(d->o.log, "account name=%s works again", number->account->name);
		dispatch_kick(d);
	}
}

/* WAITING or, where somebody waits for a blocked account or all attempts are used up, REJECTED. */
static void choose_waiting(const struct dispatch *d, const struct outq_entry *e,
			   const struct verdict *v, int64_t next_ns, struct outq_move *m)
{
	bool last = v->burns && e->attempts + 1 >= d->o.settings->attempts_max;

	if (last || (v->effect == EFFECT_ACCOUNT && !link_is_empty(&e->waiters))) {
		m->to = OUTQ_REJECTED;
	} else if (v->effect == EFFECT_ACCOUNT) {
		m->reason = "paused";
	} else {
		m->reason = "backoff";
		m->next_ns = next_ns;
	}
}

/* ---- the outcome ---- */

static void log_attempt(const struct dispatch *d, const struct outq_entry *e,
			const struct verdict *v, const struct outq_move *m)
{
	static const char *const results[OUTCOME_NOUTCOMES] = { [OUTCOME_OK] = "ok",
								[OUTCOME_TEMPFAIL] = "tempfail",
								[OUTCOME_PERMFAIL] = "permfail",
								[OUTCOME_UNSURE] = "unsure" };
	char id[ID_TEXT_MAX], to[MASK_MAX], next[32] = "-", advice[GW_ERROR_ADVICE_MAX] = "";

	if (v->code != 0)
		(void)gw_error_advice(v->code, v->subcode, advice);
	id_text(ID_MESSAGE, &e->id, id);
	mask_number(e->lane->key, to);
	if (m->next_ns > 0)
		(void)snprintf(next, sizeof(next), "+%" PRId64 "s",
			       (m->next_ns - dispatch_now(d) + NS_PER_S / 2) / NS_PER_S);
	log_info(d->o.log,
		 "attempt id=%s to=%s try=%u result=%s http=%d graph=%d/%d "
		 "delays=%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64 "ms next=%s wamid=%.*s%s%s",
		 id, to, e->tries, results[v->outcome], v->http_status, v->code, v->subcode,
		 m->waited_ms, m->paced_ms, m->connect_ms, m->api_ms, next,
		 m->wamid.len > 0 ? (int)m->wamid.len : 1, m->wamid.len > 0 ? m->wamid.ptr : "-",
		 v->code != 0 ? ": " : "", advice);
}

static void finish(struct dispatch *d, struct outq_entry *e, const struct verdict *v,
		   const struct http_outcome *o)
{
	int64_t next_ns = take_effect(d, e, v, o);
	struct refusal full;
	struct outq_move m = { .to = v->to,
			       .why = v->why,
			       .burns = v->burns,
			       .http_status = v->http_status,
			       .code = v->code,
			       .subcode = v->subcode,
			       .wamid = str_from(v->wamid),
			       .has_delays = true,
			       .waited_ms = max64(e->claimed_ns - e->due_ns, 0) / NS_PER_MS,
			       .paced_ms = (e->sent_ns - e->claimed_ns) / NS_PER_MS,
			       .connect_ms = o->connect_ms,
			       .api_ms = max64(o->total_ms - o->connect_ms, 0) };

	if (v->to == OUTQ_ACCEPTED) {
		accepted(d, e);
	} else if (e->wamid != NULL) { /* inv. 3 */
		m.to = OUTQ_ACCEPTED;
		m.why = "a status says that it was accepted";
		m.wamid = str_from(e->wamid);
		m.burns = false;
	} else if (v->to == OUTQ_WAITING) {
		choose_waiting(d, e, v, next_ns, &m);
	} else if (v->to == OUTQ_UNKNOWN) {
		e->lost_ns = dispatch_now(d);
	}
	if (v->to == OUTQ_ACCEPTED || m.to == OUTQ_REJECTED)
		m.answer = o->answer;
	if (m.to == OUTQ_REJECTED && v->code == PLAN_CODE_SHUT)
		(void)plan_turn(e, d->o.settings->parked_max, &m, &full); /* else Meta's words */
	log_attempt(d, e, v, &m);
	(void)FAULT("outbox.answered"); /* O6: known here, not on disk yet */
	outq_want(d->o.outq, e, &m);
}

static void on_outcome(void *cookie, const struct http_outcome *o)
{
	struct attempt *attempt = cookie;
	struct dispatch *d = attempt->d;
	struct outq_entry *e = attempt->e;
	struct verdict v;

	attempt_over(d, e);
	if (o->status > 0)
		pacer_answered(&e->lane->number->pacer, e->place, dispatch_now(d));
	arena_reset(d->scratch);
	classify(o, d->o.settings->server_errors_prove_nothing, d->scratch, &v);
	metrics_add(d->o.metrics, M_OUTBOX_ATTEMPTS, v.outcome, 0, 1);
	metrics_observe(d->o.metrics, M_GRAPH_SECONDS, (double)o->total_ms / 1000);
	if (v.unlisted) {
		metric_count(d->o.metrics, M_OUTBOX_UNLISTED);
		log_warn(d->o.log, "graph code=%d/%d is in no table: taken for final", v.code,
			 v.subcode);
	}
	finish(d, e, &v, o);
}
