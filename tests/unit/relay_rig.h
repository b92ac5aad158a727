/* SPDX-License-Identifier: MIT */
/*
 * relay_rig.h - inbox, store and relay as in the daemon, with an endpoint that obeys the test
 *
 * Bodies go in as Meta would send them; the endpoint is a real listener that
 * notes every request and answers as `decide` says, or holds the call until
 * it is released.  The clock is frozen: schedules run by rig_advance().
 */
#ifndef TESTS_RELAY_RIG_H
#define TESTS_RELAY_RIG_H

#include "store_kit.h"

#include "gateway/account.h"
#include "gateway/inbox.h"
#include "gateway/metrics.h"
#include "gateway/relay.h"
#include "net/http_server.h"
#include <godwit/webhook.h>

#include <inttypes.h>
#include <pthread.h>

#define RIG_SECRET "0123456789abcdef0123456789abcdef"
#define RIG_KEY "a secret of twenty-four+ bytes"
#define RIG_NUMBER "106540352242922"
#define RIG_LIMIT_NS (30 * NS_PER_S)
#define HITS_MAX 20000

/* A request that came in. */
struct hit {
	char path[32];
	char id[40]; /* webhook-id */
	char signature[200], hub[100], stamp[24], type[64], agent[64];
	int attempt;
	bool replay, test;
	char *body;
	size_t body_len;
	struct http_call *held; /* not answered yet */
};

struct answer {
	int status; /* 0: hold; -1: reset */
	const char *retry_after;
};

struct endpoint {
	struct http_server *server;
	uint16_t port;
	pthread_mutex_t lock;
	struct hit hits[HITS_MAX];
	size_t count;
	size_t open, open_max; /* not answered yet, now and at most */
	struct answer (*decide)(void *cookie, const struct hit *h, size_t nth);
	void *cookie;
};

struct rig {
	struct kit kit;
	struct loop *loop;
	struct accounts *accounts;
	struct destinations *destinations;
	struct egress *egress;
	struct metrics *metrics;
	struct inbox *inbox;
	struct relay *relay;
	struct relay_settings settings;
	struct endpoint end;
	size_t wamid; /* the last one made */
	size_t committed; /* events that went to the relay's sink */
	bool idle;
};

/* ---- the endpoint */

static inline void copy_header(struct http_call *c, const char *name, char *out, size_t cap)
{
	struct str v = STR_EMPTY;

	(void)http_header(c, name, &v);
	assert_true(str_copy(v, out, cap));
}

static inline void note_hit(struct hit *h, struct http_call *c)
{
	struct str body = http_body(c), v;

	memset(h, 0, sizeof(*h));
	(void)str_copy(http_path(c), h->path, sizeof(h->path));
	copy_header(c, "webhook-id", h->id, sizeof(h->id));
	copy_header(c, "webhook-signature", h->signature, sizeof(h->signature));
	copy_header(c, "webhook-timestamp", h->stamp, sizeof(h->stamp));
	copy_header(c, "x-hub-signature-256", h->hub, sizeof(h->hub));
	copy_header(c, "content-type", h->type, sizeof(h->type));
	copy_header(c, "user-agent", h->agent, sizeof(h->agent));
	if (http_header(c, "godwit-attempt", &v)) {
		uint32_t n = 0;

		(void)str_to_u32(v, &n);
		h->attempt = (int)n;
	}
	h->replay = http_header(c, "webhook-replay", &v) && str_eq(v, STR("1"));
	h->test = http_header(c, "godwit-test", &v);
	h->body = xstrndup(body);
	h->body_len = body.len;
}

static inline void answer_call(struct http_call *c, struct answer a)
{
	struct http_header_out retry = { "Retry-After", a.retry_after };

	if (a.status < 0)
		http_abort(c, true);
	else
		http_reply(c, a.status, "text/plain", STR("ok"), &retry, a.retry_after != NULL);
}

static inline void on_endpoint(void *cookie, struct http_call *c)
{
	struct endpoint *e = cookie;
	struct answer a = { 200, NULL };
	struct hit *h;

	pthread_mutex_lock(&e->lock);
	assert_true(e->count < HITS_MAX);
	h = &e->hits[e->count];
	note_hit(h, c);
	if (e->decide != NULL)
		a = e->decide(e->cookie, h, e->count);
	e->count++;
	if (a.status == 0) {
		h->held = c;
		if (++e->open > e->open_max)
			e->open_max = e->open;
	}
	pthread_mutex_unlock(&e->lock);
	if (a.status != 0)
		answer_call(c, a);
}

static inline size_t end_count(struct endpoint *e)
{
	size_t n;

	pthread_mutex_lock(&e->lock);
	n = e->count;
	pthread_mutex_unlock(&e->lock);
	return n;
}

/* How many calls are held now. */
static inline size_t end_open(struct endpoint *e)
{
	size_t n;

	pthread_mutex_lock(&e->lock);
	n = e->open;
	pthread_mutex_unlock(&e->lock);
	return n;
}

static inline void
end_decide(struct endpoint *e,
	   struct answer (*decide)(void *cookie, const struct hit *h, size_t nth), void *cookie)
{
	pthread_mutex_lock(&e->lock);
	e->decide = decide;
	e->cookie = cookie;
	pthread_mutex_unlock(&e->lock);
}

/* Answer everything that is held. */
static inline void end_release(struct endpoint *e, int status)
{
	for (size_t i = 0; i < end_count(e); i++) {
		struct http_call *c;

		pthread_mutex_lock(&e->lock);
		c = e->hits[i].held;
		e->hits[i].held = NULL;
		e->open -= c != NULL;
		pthread_mutex_unlock(&e->lock);
		if (c != NULL)
			answer_call(c, (struct answer){ status, NULL });
	}
}

static inline void end_start(struct endpoint *e)
{
	static const struct http_server_handlers handlers = { .on_request = on_endpoint };
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	struct gw_error err = GW_ERROR_INIT;

	o.address = "127.0.0.1";
	o.port = e->port;
	o.body_max = 16U << 20;
	o.handlers = &handlers;
	o.cookie = e;
	if (http_server_start(&o, &e->server, &err) != GW_OK)
		fail_msg("endpoint: %s", err.message);
	e->port = http_server_port(e->server);
}

static inline void end_stop(struct endpoint *e)
{
	if (e->server == NULL)
		return;
	end_release(e, 200);
	http_server_stop(e->server, 5000);
	e->server = NULL;
}

/* Held for ever, or until end_release(). */
static inline struct answer hold(void *cookie, const struct hit *h, size_t nth)
{
	(void)cookie;
	(void)h;
	(void)nth;
	return (struct answer){ 0, NULL };
}

static inline struct answer always(void *cookie, const struct hit *h, size_t nth)
{
	(void)h;
	(void)nth;
	return (struct answer){ *(int *)cookie, NULL };
}

/* ---- the gateway's half */

static inline void to_relay(void *cookie, struct event *e)
{
	struct rig *r = cookie;

	r->committed++;
	relay_event(r->relay, e);
}

static inline struct store_destination rig_row_of(struct rig *r, const struct destination *d)
{
	struct kit *k = &r->kit;

	return (struct store_destination){ .row = d->row,
					   .id = d->id,
					   .name = kit_str(k, "%s", d->name),
					   .url = kit_str(k, "%s", d->url),
					   .format = str_from(destination_format_name(d->format)),
					   .filter = kit_str(k, "%s", d->filter_json),
					   .secret = kit_str(k, "%.*s", (int)d->secret.len,
							     (const char *)d->secret.bytes),
					   .previous_until_ms = d->previous_until_ms,
					   .include_raw = d->include_raw,
					   .relay_stale = d->relay_stale,
					   .state = d->disabled ? "disabled" : "active",
					   .created_ms = d->created_ms };
}

/* As server code does it: the store, the list, the relay. */
static inline struct destination *rig_put(struct rig *r, struct store_destination d)
{
	struct store_put_destination p = { .d = d };
	struct gw_error err = GW_ERROR_INIT;
	struct destination *out = NULL;

	assert_int_equal(kit_run(&r->kit, &p.req, STORE_PUT_DESTINATION), GW_OK);
	if (destinations_put(r->destinations, &p.d, &out, &err) != GW_OK)
		fail_msg("destination: %s", err.message);
	relay_destination_changed(r->relay, p.d.row);
	return out;
}

static inline struct destination *rig_destination(struct rig *r, const char *path,
						  const char *format, const char *filter)
{
	struct str url = kit_str(&r->kit, "http://127.0.0.1:%u%s", r->end.port, path);

	return rig_put(r, (struct store_destination){ .id = kit_id(&r->kit),
						      .name = str_from(path),
						      .url = url,
						      .format = str_from(format),
						      .filter = str_from(filter),
						      .secret = STR(RIG_KEY),
						      .state = "active",
						      .created_ms = kit_now(&r->kit) });
}

static inline void load_account(void *cookie, const struct store_account *a)
{
	(void)accounts_put(((struct rig *)cookie)->accounts, a);
}

static inline void load_number(void *cookie, const struct store_number *n)
{
	(void)accounts_put_number(((struct rig *)cookie)->accounts, n);
}

static inline void load_key(void *cookie, const struct store_key *k)
{
	(void)cookie;
	(void)k;
}

static inline void load_destination(void *cookie, const struct store_destination *d)
{
	struct destination *out = NULL;

	if (!d->removed)
		assert_int_equal(
			destinations_put(((struct rig *)cookie)->destinations, d, &out, NULL),
			GW_OK);
}

static inline void load_delivery(void *cookie, const struct store_delivery_row *d)
{
	relay_load(((struct rig *)cookie)->relay, d);
}

/* Everything above the store, from what the store has. */
static inline void rig_up(struct rig *r)
{
	struct gw_error err = GW_ERROR_INIT;
	struct store_loader load = { .cookie = r,
				     .account = load_account,
				     .number = load_number,
				     .key = load_key,
				     .destination = load_destination,
				     .delivery = load_delivery };

	r->accounts = accounts_new();
	r->destinations = destinations_new();
	r->metrics = gateway_metrics_new();
	if (egress_new(STR("127.0.0.1/32"), &r->egress, &err) != GW_OK ||
	    relay_new(&(struct relay_options){ .loop = r->loop,
					       .store = r->kit.store,
					       .destinations = r->destinations,
					       .accounts = r->accounts,
					       .egress = r->egress,
					       .log = &r->kit.log,
					       .metrics = r->metrics,
					       .settings = r->settings },
		      &r->relay, &err) != GW_OK)
		fail_msg("relay: %s", err.message);
	r->inbox = inbox_new(
		&(struct inbox_options){ .store = r->kit.store,
					 .destinations = r->destinations,
					 .clock = &r->kit.clock,
					 .log = &r->kit.log,
					 .metrics = r->metrics,
					 .sinks = { .cookie = r, .relay = to_relay } });
	if (store_load_all(r->kit.store, &load, &err) != GW_OK)
		fail_msg("load: %s", err.message);
	relay_start(r->relay);
}

static inline bool on_time(int64_t until)
{
	return clock_real_ns() < until;
}

/* Turn the loop until the condition holds. */
#define RIG_UNTIL(r, condition)                                                      \
	do {                                                                         \
		int64_t until_ = clock_real_ns() + RIG_LIMIT_NS;                     \
		while (!(condition)) {                                               \
			if (!on_time(until_))                                        \
				fail_msg("it did not come to pass: %s", #condition); \
			loop_turn((r)->loop, 5);                                     \
		}                                                                    \
	} while (0)

static inline void rig_on_idle(void *cookie)
{
	((struct rig *)cookie)->idle = true;
}

static inline void rig_down(struct rig *r)
{
	r->idle = false;
	relay_drain(r->relay, rig_on_idle, r);
	RIG_UNTIL(r, r->idle && inbox_pending(r->inbox) == 0);
	store_close(r->kit.store);
	r->kit.store = NULL;
	(void)mailbox_drain(r->kit.home);
	inbox_free(r->inbox);
	relay_free(r->relay);
	egress_free(r->egress);
	metrics_free(r->metrics);
	destinations_free(r->destinations);
	accounts_free(r->accounts);
}

static inline void rig_restart(struct rig *r)
{
	rig_down(r);
	kit_reopen(&r->kit);
	rig_up(r);
}

static inline int rig_open(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	struct store_put_account a = { .a = { .name = STR("main"),
					      .app_id = STR("1"),
					      .app_secret = STR(RIG_SECRET),
					      .base_url = STR("http://127.0.0.1"),
					      .version = STR("v25.0") } };

	kit_open(&r->kit);
	pthread_mutex_init(&r->end.lock, NULL);
	end_start(&r->end);
	r->loop = loop_new(&r->kit.clock);
	loop_attach(r->loop, r->kit.home);
	r->settings = (struct relay_settings){ .timeout_ms = 60000, /* nothing here waits for it */
					       .connect_ms = 2000,
					       .lane_block_max_ms = 600000,
					       .lifetime_ms = INT64_C(72) * 3600 * 1000,
					       .concurrency_max = 64 };
	assert_int_equal(kit_run(&r->kit, &a.req, STORE_PUT_ACCOUNT), GW_OK);
	rig_up(r);
	*state = r;
	return 0;
}

static inline int rig_close(void **state)
{
	struct rig *r = *state;
	struct kit_findings f;

	end_decide(&r->end, NULL, NULL);
	end_release(&r->end, 200);
	f = kit_check(&r->kit);
	if (f.count > 0)
		fail_msg("%zu findings, the first: %s", f.count, f.first);
	rig_down(r);
	end_stop(&r->end);
	loop_detach(r->loop, r->kit.home);
	loop_free(r->loop);
	kit_remove(&r->kit);
	for (size_t i = 0; i < r->end.count; i++)
		free(r->end.hits[i].body);
	pthread_mutex_destroy(&r->end.lock);
	free(r);
	return 0;
}

static inline void rig_advance(struct rig *r, int64_t ms)
{
	clock_advance(&r->kit.clock, ms * NS_PER_MS);
	loop_clock_moved(r->loop);
	relay_clock_moved(r->relay);
	loop_turn(r->loop, 0);
}

/* ---- bodies */

static inline void rig_body(struct rig *r, struct str body)
{
	char signature[72];

	gw_webhook_sign(str_to_gw(body), (gw_str){ RIG_SECRET, sizeof(RIG_SECRET) - 1 }, signature);
	inbox_put(r->inbox, inbox_item_new(xstr(body), &(struct inbox_source){
							       .signature = str_from(signature),
							       .account = STR("main"),
							       .received_ms = kit_now(&r->kit) }));
}

#define WRAP_HEAD                                                                             \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1022\",\"changes\":[" \
	"{\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":"                        \
	"{\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"" RIG_NUMBER "\"},"
#define WRAP_TAIL "},\"field\":\"messages\"}]}]}"

/* A customer's text in a body of its own; text NULL: its number. */
static inline void rig_text(struct rig *r, const char *phone, struct str text)
{
	struct buf b;

	buf_init(&b, 8U << 20);
	buf_put_fmt(&b,
		    WRAP_HEAD "\"contacts\":[{\"profile\":{\"name\":\"Ann\"},\"wa_id\":\"%s\"}],"
			      "\"messages\":[{\"from\":\"%s\",\"id\":\"wamid.%06zu\","
			      "\"timestamp\":\"%" PRId64
			      "\",\"type\":\"text\",\"text\":{\"body\":\"",
		    phone, phone, ++r->wamid, kit_now(&r->kit) / 1000);
	buf_put_str(&b, text);
	buf_put_text(&b, "\"}}]" WRAP_TAIL);
	rig_body(r, buf_str(&b));
	buf_release(&b);
}

static inline void rig_texts(struct rig *r, const char *phone, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rig_text(r, phone, STR("hello"));
}

static inline void rig_status(struct rig *r, const char *phone, const char *wamid, const char *word)
{
	struct str body = kit_str(
		&r->kit,
		WRAP_HEAD "\"statuses\":[{\"id\":\"%s\",\"status\":\"%s\",\"timestamp\":\"%" PRId64
			  "\",\"recipient_id\":\"%s\"}]" WRAP_TAIL,
		wamid, word, kit_now(&r->kit) / 1000, phone);

	rig_body(r, body);
}

/* The number of the wamid in a body, 0: none. */
static inline size_t wamid_of(const struct hit *h)
{
	struct str body = str_make(h->body, h->body_len);
	uint64_t n = 0;
	size_t at;

	if (str_find(body, STR("wamid."), &at))
		(void)str_to_u64(str_slice(body, at + 6, at + 12), &n);
	return (size_t)n;
}

/* Wait until the endpoint has had n requests, and everything is marked. */
static inline void rig_await(struct rig *r, size_t n)
{
	RIG_UNTIL(r, end_count(&r->end) >= n);
}

static inline bool rig_is_quiet(struct rig *r)
{
	struct relay_numbers n;

	relay_count(r->relay, &n);
	return n.pending == 0 && n.in_flight == 0 && n.spilled_lanes == 0;
}

/* How the store sees the delivery of an event. */
struct rig_delivery {
	struct id event;
	char state[16];
	uint32_t attempts, count;
	int http_status;
};

static inline bool see_delivery(void *cookie, const struct store_delivery_info *d)
{
	struct rig_delivery *out = cookie;

	(void)str_copy(d->state, out->state, sizeof(out->state));
	out->attempts = d->attempts;
	out->http_status = d->http_status;
	out->count++;
	return true;
}

static inline void read_delivery(struct store_reader *r, void *cookie)
{
	struct rig_delivery *out = cookie;

	assert_int_equal(reader_deliveries(r, &out->event, see_delivery, out), GW_OK);
}

static inline struct rig_delivery rig_delivery(struct rig *r, const struct hit *h)
{
	struct rig_delivery d = { .count = 0 };

	assert_true(id_parse(ID_EVENT, str_from(h->id), &d.event));
	kit_barrier(&r->kit);
	kit_read(&r->kit, read_delivery, &d);
	return d;
}

#endif
