/* SPDX-License-Identifier: MIT */
/*
 * relay_attempt.c - one attempt at one delivery (W6), and what its answer means (W7)
 *
 *   2xx                           delivered
 *   410                           the destination is disabled; the delivery stays as it was
 *   429, 503 with Retry-After     waits as long as asked (at most 24 h); not burned
 *   anything else, or nothing     burned: waits by the schedule, dead after its end
 *   the same while it is parked   not burned (breaker.h)
 *
 * INVARIANTS  1. The body is in memory until the answer: the delivery is on the wire and nobody
 *                else may touch it.
 * LIMITS      RELAY_ANSWER_MAX bytes of an answer are read.
 * THREADS     The loop's.
 * TESTS       tests/unit/test_relay.c
 */
#include "gateway/relay_int.h"

#include "base/panic.h"
#include "gateway/backoff.h"

#include <inttypes.h>

#define LOST_NS (120 * 3600 * NS_PER_S) /* parked for so long: reliability.md 1.1 */

/* reliability.md 3.5: what passes before each attempt; 72 h in all. */
static const int32_t schedule_s[] = { 0,    1,    5,     30,    120,   300,   900,   1800,
				      3600, 7200, 14400, 28800, 43200, 43200, 43200, 72000 };

int64_t relay_delay_ms(uint32_t burned, int64_t lifetime_ms)
{
	int64_t sum = 0;

	if (burned >= ARRAY_LEN(schedule_s))
		return -1;
	for (size_t i = 0; i <= burned; i++)
		sum += (int64_t)schedule_s[i] * 1000;
	return sum > lifetime_ms ? -1 : (int64_t)schedule_s[burned] * 1000;
}

static int64_t jittered_ns(struct relay *r, int64_t ms)
{
	return backoff_around_ms(ms, &r->rnd) * NS_PER_MS;
}

/* ---- the answer */

enum verdict { VERDICT_OK, VERDICT_GONE, VERDICT_PATIENCE, VERDICT_FAILED, VERDICT_UNREACHED };

static enum verdict judge(const struct http_outcome *out)
{
	bool whole = out->end == HTTP_END_ANSWERED ||
		     out->error.status == GW_ELIMIT; /* a long answer is an answer */

	if (out->end == HTTP_END_NOT_SENT || out->end == HTTP_END_REFUSED)
		return VERDICT_UNREACHED;
	if (!whole)
		return VERDICT_FAILED;
	if (out->status >= 200 && out->status < 300)
		return VERDICT_OK;
	if (out->status == 410)
		return VERDICT_GONE;
	if ((out->status == 429 || out->status == 503) && out->retry_after_s >= 0)
		return VERDICT_PATIENCE;
	return VERDICT_FAILED;
}

static const struct {
	enum metric_outcome outcome;
	const char *word;
	enum breaker_result breaker;
} outcomes[] = {
	[VERDICT_OK] = { OUTCOME_OK, "ok", BREAKER_OK },
	[VERDICT_GONE] = { OUTCOME_PERMFAIL, "permfail", BREAKER_NEUTRAL },
	[VERDICT_PATIENCE] = { OUTCOME_TEMPFAIL, "tempfail", BREAKER_NEUTRAL },
	[VERDICT_FAILED] = { OUTCOME_TEMPFAIL, "tempfail", BREAKER_FAILED },
	[VERDICT_UNREACHED] = { OUTCOME_TEMPFAIL, "tempfail", BREAKER_UNREACHED },
};

static void explain(const struct http_outcome *out, char why[160])
{
	if (out->end == HTTP_END_ANSWERED)
		(void)snprintf(why, 160, "answered %d", out->status);
	else
		(void)snprintf(why, 160, "%s", out->error.message);
}

static void put_off(struct outlet *o, struct delivery *d, struct delivery_note *note, int64_t in_ns)
{
	struct relay *r = o->relay;
	int64_t now = clock_mono_ns(relay_clock(r));

	if (d->failed_ns == 0)
		d->failed_ns = now;
	note->next_at_ns = now + in_ns;
	/* What held up its lane once and was let go does not do so again. */
	note->delayed = d->delayed || r->o.settings.lane_block_max_ms == 0;
	delivery_want(d, DELIVERY_WAITING, note);
}

static void burn(struct outlet *o, struct delivery *d, struct delivery_note *note)
{
	struct relay *r = o->relay;
	int64_t ms;

	note->attempts = d->attempts + 1;
	ms = relay_delay_ms(note->attempts, r->o.settings.lifetime_ms);
	if (ms >= 0) {
		put_off(o, d, note, jittered_ns(r, ms));
		return;
	}
	metric_count(r->o.metrics, M_RELAY_DEAD);
	delivery_want(d, DELIVERY_DEAD, note);
}

static void apply(struct outlet *o, struct delivery *d, enum verdict v, bool parked,
		  const struct http_outcome *out)
{
	char why[160];
	struct delivery_note note = { .attempts = d->attempts, .http_status = out->status };

	if (v == VERDICT_OK) {
		note.attempts++;
		delivery_want(d, DELIVERY_DELIVERED, &note);
		return;
	}
	explain(out, why);
	note.why = why;
	if (v == VERDICT_PATIENCE) {
		int64_t s = out->retry_after_s;

		s = s < 1 ? 1 : s > RELAY_WAIT_MAX_S ? RELAY_WAIT_MAX_S : s;
		put_off(o, d, &note, backoff_after_ms(s * 1000, &o->relay->rnd) * NS_PER_MS);
	} else if (parked || v == VERDICT_GONE) {
		delivery_want(d, d->stored, NULL);
	} else {
		burn(o, d, &note);
	}
}

static void tell(struct outlet *o, const struct delivery *d, enum verdict v,
		 const struct http_outcome *out)
{
	struct relay *r = o->relay;
	char id[ID_TEXT_MAX];

	metrics_add(r->o.metrics, M_RELAY_ATTEMPTS, outcomes[v].outcome, 0, 1);
	metrics_observe(r->o.metrics, M_RELAY_SECONDS, (double)out->total_ms / 1000);
	id_text(ID_EVENT, &d->event, id);
	log_put(r->o.log, v == VERDICT_OK ? LOG_DEBUG : LOG_INFO,
		"relay: attempt id=%s destination=%s try=%u result=%s http=%d connect=%" PRId64
		"ms total=%" PRId64 "ms why=\"%s\"",
		id, o->name, d->attempts + 1, outcomes[v].word, out->status, out->connect_ms,
		out->total_ms, out->error.message);
}

static void tell_breaker(struct outlet *o, enum breaker_state before)
{
	if (before == o->breaker.state)
		return;
	if (o->breaker.state == BREAKER_OPEN)
		log_warn(o->relay->o.log,
			 "relay: destination=%s does not answer; its events are kept and it is "
			 "probed every 30 s",
			 o->name);
	else if (before == BREAKER_OPEN)
		log_info(o->relay->o.log, "relay: destination=%s answers again", o->name);
}

static bool is_lost(const struct outlet *o)
{
	return breaker_is_open(&o->breaker) &&
	       clock_mono_ns(relay_clock(o->relay)) - o->breaker.opened_ns > LOST_NS;
}

static void on_answer(void *cookie, const struct http_outcome *out)
{
	struct delivery *d = cookie;
	struct lane *l = d->lane;
	struct outlet *o = CONTAINER_OF(l->lanes, struct outlet, lanes);
	enum breaker_state before = o->breaker.state;
	enum verdict v = judge(out);

	d->exchange = NULL;
	o->in_flight--;
	o->relay->in_flight--;
	tell(o, d, v, out);
	breaker_answered(&o->breaker, clock_mono_ns(relay_clock(o->relay)), outcomes[v].breaker,
			 d->probe);
	tell_breaker(o, before);
	apply(o, d, v, before == BREAKER_OPEN, out);
	if (v == VERDICT_GONE)
		outlet_disable(o, "it answered 410");
	else if (is_lost(o))
		outlet_disable(o, "it did not answer for five days");
	outlet_place(o, l);
	outlet_pump(o);
	relay_look_idle(o->relay);
}

/* What egress_check_url() says is an outcome like any other. */
static void refuse(struct outlet *o, struct delivery *d)
{
	struct http_outcome out = { .end = HTTP_END_REFUSED,
				    .retry_after_s = -1,
				    .error = o->url_error };

	on_answer(d, &out);
}

void relay_attempt(struct outlet *o, struct lane *l, struct delivery *d)
{
	const struct destination *to = outlet_destination(o);
	struct relay_headers h = { .count = 0 };
	struct http_request q;

	if (to == NULL)
		return; /* removed, and we are told in a moment */
	ASSERT(d->bytes != NULL && l->queue == NULL);
	delivery_want(d, DELIVERY_DELIVERING, NULL);
	d->probe = breaker_sent(&o->breaker);
	o->in_flight++;
	o->relay->in_flight++;
	if (o->url_bad) {
		refuse(o, d);
		return;
	}
	relay_put_headers(&h, o, to, d);
	q = relay_request(o->relay, to, &h, delivery_body(d)); /* inv. 1 */
	d->exchange = http_client_start(o->relay->client, &q, on_answer, d);
}
