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
 * INVARIANTS  1. webhook-id is the event's id in every attempt; webhook-timestamp is the real
 *                time of this attempt, whatever the moved clock says, or receivers refuse it.
 *             2. The body is in memory until the answer: the delivery is on the wire and nobody
 *                else may touch it.
 * LIMITS      RELAY_ANSWER_MAX bytes of an answer are read.
 * THREADS     The loop's.
 * TESTS       tests/unit/test_relay.c
 */
#include "gateway/relay_int.h"

#include "base/mem.h"
#include "base/panic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define HEADERS_MAX 10
#define HEADER_MAX 320 /* the longest is webhook-signature with two of them */
#define RETRY_AFTER_MAX_S 86400
#define JITTER_PERCENT 20
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

/* +- 20 %, so that heads that failed together do not come back together. */
static int64_t jittered_ns(struct relay *r, int64_t ms)
{
	int64_t span = ms * 2 * JITTER_PERCENT / 100;

	return (ms - span / 2 + (int64_t)rnd_below(&r->rnd, (uint64_t)span + 1)) * NS_PER_MS;
}

/* ---- the request */

struct headers {
	char text[HEADERS_MAX][HEADER_MAX];
	const char *list[HEADERS_MAX];
	size_t count;
};

static void put_header(struct headers *h, const char *fmt, ...) GW_PRINTF(2, 3);

static void put_header(struct headers *h, const char *fmt, ...)
{
	va_list args;
	int n;

	ASSERT(h->count < HEADERS_MAX);
	va_start(args, fmt);
	n = vsnprintf(h->text[h->count], HEADER_MAX, fmt, args);
	va_end(args);
	ASSERT(n > 0 && n < HEADER_MAX);
	h->list[h->count] = h->text[h->count];
	h->count++;
}

static struct mac *mac_of(const struct secret *s)
{
	struct mac *m = mac_new(str_make((const char *)s->bytes, s->len));

	ASSERT(m != NULL);
	return m;
}

static void put_standard(struct headers *h, struct outlet *o, const struct destination *to,
			 struct str id, struct str body)
{
	int64_t now_s = clock_real_wall_ms() / 1000; /* inv. 1 */
	struct mac *previous = NULL;
	char value[SIGN_HEADER_MAX];

	put_header(h, "webhook-id: %.*s", STR_ARG(id));
	put_header(h, "webhook-timestamp: %" PRId64, now_s);
	if (to->secret.len == 0)
		return;
	if (o->mac == NULL)
		o->mac = mac_of(&to->secret);
	if (to->secret_previous.len > 0 &&
	    clock_wall_ms(relay_clock(o->relay)) < to->previous_until_ms) {
		if (o->mac_previous == NULL)
			o->mac_previous = mac_of(&to->secret_previous);
		previous = o->mac_previous;
	}
	sign_standard(o->mac, previous, id, now_s, body, value);
	put_header(h, "webhook-signature: %s", value);
}

void outlet_forget_macs(struct outlet *o)
{
	mac_free(o->mac);
	mac_free(o->mac_previous);
	o->mac = o->mac_previous = NULL;
}

/* The keyed context of an account's app secret; NULL: there is none. */
static struct mac *app_mac(struct relay *r, struct str account)
{
	const struct account *a = accounts_get(r->o.accounts, account);
	struct app_mac *m;

	if (a == NULL && accounts_count(r->o.accounts) == 1)
		a = accounts_at(r->o.accounts, 0); /* composed by us: whose else could it be */
	if (a == NULL || a->app_secret.len == 0)
		return NULL;
	m = map_get(r->app_macs, str_from(a->name));
	if (m == NULL) {
		m = xcalloc(1, sizeof(*m));
		(void)map_set(r->app_macs, str_from(a->name), m);
	}
	if (!secret_eq(&m->secret,
		       str_make((const char *)a->app_secret.bytes, a->app_secret.len))) {
		mac_free(m->mac);
		m->secret = a->app_secret;
		m->mac = mac_of(&a->app_secret);
	}
	return m->mac;
}

static void put_hub(struct headers *h, struct relay *r, const struct delivery *d)
{
	struct str signature = delivery_signature(d);
	char value[SIGN_HUB_MAX];
	struct mac *mac;

	if (signature.len > 0) {
		put_header(h, "X-Hub-Signature-256: %.*s", STR_ARG(signature));
		return;
	}
	mac = app_mac(r, delivery_account(d));
	if (mac == NULL)
		return;
	sign_hub(mac, delivery_body(d), value);
	put_header(h, "X-Hub-Signature-256: %s", value);
}

static void put_headers(struct headers *h, struct outlet *o, const struct destination *to,
			const struct delivery *d)
{
	char id[ID_TEXT_MAX];

	id_text(ID_EVENT, &d->event, id);
	put_header(h, "content-type: %s",
		   to->format == DESTINATION_CLOUDEVENTS ? "application/cloudevents+json"
							 : "application/json");
	put_header(h, "user-agent: godwit/" GODWIT_VERSION);
	put_header(h, "godwit-attempt: %" PRIu32, d->attempts + 1);
	put_standard(h, o, to, str_from(id), delivery_body(d));
	if (to->format == DESTINATION_META)
		put_hub(h, o->relay, d);
	if (d->replay)
		put_header(h, "webhook-replay: 1");
}

static struct http_request request_to(const struct relay *r, const struct destination *to,
				      const struct headers *h, struct str body)
{
	return (struct http_request){ .method = "POST",
				      .url = to->url,
				      .headers = h->list,
				      .header_count = h->count,
				      .body = body,
				      .connect_timeout_ms = r->o.settings.connect_ms,
				      .timeout_ms = r->o.settings.timeout_ms,
				      .answer_max = RELAY_ANSWER_MAX };
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

static enum breaker_result breaker_word(enum verdict v)
{
	switch (v) {
	case VERDICT_OK: return BREAKER_OK;
	case VERDICT_GONE:
	case VERDICT_PATIENCE: return BREAKER_NEUTRAL;
	case VERDICT_UNREACHED: return BREAKER_UNREACHED;
	case VERDICT_FAILED: break;
	}
	return BREAKER_FAILED;
}

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

		s = s < 1 ? 1 : s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : s;
		/* Never earlier than asked: the jitter is on top. */
		put_off(o, d, &note, s * NS_PER_S + jittered_ns(o->relay, s * 100));
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

	metrics_add(r->o.metrics, M_RELAY_ATTEMPTS,
		    v == VERDICT_OK     ? OUTCOME_OK
		    : v == VERDICT_GONE ? OUTCOME_PERMFAIL
					: OUTCOME_TEMPFAIL,
		    0, 1);
	metrics_observe(r->o.metrics, M_RELAY_SECONDS, (double)out->total_ms / 1000);
	if (v == VERDICT_OK)
		return;
	id_text(ID_EVENT, &d->event, id);
	log_info(r->o.log,
		 "relay: attempt id=%s destination=%" PRId64
		 " try=%u result=%s http=%d connect=%" PRId64 "ms total=%" PRId64 "ms why=\"%s\"",
		 id, o->row, d->attempts + 1, v == VERDICT_GONE ? "permfail" : "tempfail",
		 out->status, out->connect_ms, out->total_ms, out->error.message);
}

static void tell_breaker(struct outlet *o, enum breaker_state before)
{
	if (before == o->breaker.state)
		return;
	if (o->breaker.state == BREAKER_OPEN)
		log_warn(o->relay->o.log,
			 "relay: destination=%" PRId64
			 " does not answer; its events are kept and it is probed every 30 s",
			 o->row);
	else if (before == BREAKER_OPEN)
		log_info(o->relay->o.log, "relay: destination=%" PRId64 " answers again", o->row);
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
	breaker_answered(&o->breaker, clock_mono_ns(relay_clock(o->relay)), breaker_word(v),
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
	struct headers h = { .count = 0 };
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
	put_headers(&h, o, to, d);
	q = request_to(o->relay, to, &h, delivery_body(d)); /* inv. 2 */
	d->exchange = http_client_start(o->relay->client, &q, on_answer, d);
}

/* ---- disabling */

struct disable {
	struct store_put_destination put;
	struct relay *relay;
	char *name, *url, *filter;
	struct secret secret, previous;
};

static void on_disabled(struct store_req *req)
{
	struct disable *x = CONTAINER_OF(req, struct disable, put.req);

	if (req->status != GW_OK)
		log_error(x->relay->o.log,
			  "relay: destination=%" PRId64 " is disabled until the "
			  "next start only: the store refused it",
			  x->put.d.row);
	secret_release(&x->secret);
	secret_release(&x->previous);
	free(x->name);
	free(x->url);
	free(x->filter);
	x->relay->errands--;
	relay_look_idle(x->relay);
	free(x);
}

static struct str bytes_of(const struct secret *s)
{
	return str_make((const char *)s->bytes, s->len);
}

void outlet_disable(struct outlet *o, const char *why)
{
	struct destination *to = outlet_destination(o);
	struct disable *x;

	if (to == NULL || to->disabled)
		return;
	to->disabled = o->disabled = true;
	log_warn(o->relay->o.log, "relay: destination=%" PRId64 " disabled: %s", o->row, why);
	x = xcalloc(1, sizeof(*x));
	x->relay = o->relay;
	x->relay->errands++; /* the relay must outlive it */
	x->name = xstrdup(to->name);
	x->url = xstrdup(to->url);
	x->filter = xstrdup(to->filter_json);
	x->secret = to->secret;
	x->previous = to->secret_previous;
	x->put.d =
		(struct store_destination){ .row = to->row,
					    .id = to->id,
					    .name = str_from(x->name),
					    .url = str_from(x->url),
					    .format = str_from(destination_format_name(to->format)),
					    .filter = str_from(x->filter),
					    .secret = bytes_of(&x->secret),
					    .secret_previous = bytes_of(&x->previous),
					    .previous_until_ms = to->previous_until_ms,
					    .include_raw = to->include_raw,
					    .relay_stale = to->relay_stale,
					    .state = "disabled",
					    .created_ms = to->created_ms };
	x->put.req.op = STORE_PUT_DESTINATION;
	x->put.req.done = on_disabled;
	x->put.req.weight = sizeof(*x);
	store_submit(o->relay->o.store, &x->put.req);
}

/* ---- a test event */

struct relay_errand {
	struct relay *relay;
	struct delivery *delivery;
	void (*done)(void *cookie, const struct relay_test_result *res);
	void *cookie;
	struct relay_errand *next, **self;
};

static void errand_free(struct relay_errand *t)
{
	*t->self = t->next;
	if (t->next != NULL)
		t->next->self = t->self;
	t->relay->errands--;
	delivery_free(t->delivery);
	free(t);
}

void relay_forget_tests(struct relay *r)
{
	while (r->tests != NULL)
		errand_free(r->tests);
}

static void on_tested(void *cookie, const struct http_outcome *out)
{
	struct relay_errand *t = cookie;
	struct relay *r = t->relay;
	struct relay_test_result res = { .status = out->status,
					 .total_ms = out->total_ms,
					 .answer = out->answer,
					 .error = out->error };

	t->done(t->cookie, &res);
	errand_free(t);
	relay_look_idle(r);
}

static struct relay_errand *errand_new(struct relay *r)
{
	struct relay_errand *t = xcalloc(1, sizeof(*t));

	t->relay = r;
	t->next = r->tests;
	t->self = &r->tests;
	if (t->next != NULL)
		t->next->self = &t->next;
	r->tests = t;
	r->errands++;
	return t;
}

#define TEST_ITEM "{\"text\":\"A test of this destination.\"}"
#define TEST_HEAD                                                                          \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"0\",\"changes\":[" \
	"{\"field\":\"godwit_test\",\"value\":"
#define TEST_TAIL "}]}]}"
#define TEST_BODY TEST_HEAD TEST_ITEM TEST_TAIL

/* A change of a field that no receiver knows: it is shown or ignored, never acted upon. */
static void test_row(struct relay *r, struct store_event_row *row)
{
	struct id_maker ids = { { { 0 } } };

	*row = (struct store_event_row){
		.composed = true,
		.type = STR("unknown"),
		.kind = STR(""),
		.channel = STR("whatsapp"),
		.json = STR("{\"change\":{\"field\":\"godwit_test\",\"value\":" TEST_ITEM "}}"),
		.received_ms = clock_wall_ms(relay_clock(r)),
		.body = STR(TEST_BODY),
		.siblings = 1
	};
	row->splice.at[SPAN_ITEM] = sizeof(TEST_HEAD) - 1;
	row->splice.len[SPAN_ITEM] = sizeof(TEST_ITEM) - 1;
	id_make(&ids, relay_clock(r), &r->rnd, &row->id);
}

void relay_test(struct relay *r, struct destination *to,
		void (*done)(void *cookie, const struct relay_test_result *res), void *cookie)
{
	struct outlet passing = { .relay = r, .row = to->row }; /* for its keyed contexts */
	struct headers h = { .count = 0 };
	struct store_event_row row;
	struct http_request q;
	struct relay_errand *t = errand_new(r);

	t->done = done;
	t->cookie = cookie;
	test_row(r, &row);
	row.composed = to->format != DESTINATION_META; /* Meta has no word for our own events */
	t->delivery = relay_render(&r->scratch, &row, to->format, to->include_raw);
	ASSERT(t->delivery != NULL);
	put_headers(&h, &passing, to, t->delivery);
	put_header(&h, "godwit-test: 1");
	outlet_forget_macs(&passing);
	q = request_to(r, to, &h, delivery_body(t->delivery));
	(void)http_client_start(r->client, &q, on_tested, t); /* ends by itself */
}
