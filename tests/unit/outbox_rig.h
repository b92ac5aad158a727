/* SPDX-License-Identifier: MIT */
/*
 * outbox_rig.h - the outbound half on a real store, with a scripted Graph on the other side
 *
 * The clock runs (pacing is real at 1000/s) and can be moved; waits and
 * time-outs of tests are bounded by PEER_LIMIT_S.
 */
#ifndef TESTS_OUTBOX_RIG_H
#define TESTS_OUTBOX_RIG_H

#include "meta_peer.h"
#include "store_kit.h"

#include "gateway/account.h"
#include "gateway/destination.h"
#include "gateway/inbox.h"
#include "gateway/metrics.h"
#include "gateway/outbox.h"

#define RIG_NUMBER "106540352242922"
#define RIG_OTHER "106540352242923"
#define RIG_CALLS 2048
#define RIG_EVENTS 256

struct call {
	bool done;
	int status;
	char body[1024], refused[32];
	bool preference, has_message;
	unsigned retry_after;
	struct id message;
};

struct rig {
	struct kit k;
	struct loop *loop;
	struct accounts *accounts;
	struct destinations *destinations;
	struct metrics *metrics;
	struct wayback wayback;
	struct mac *mac;
	struct token_maker token;
	struct token_reader reader;
	struct inbox *inbox;
	struct outbox *outbox;
	struct outbox_settings settings;
	struct graph_peer graph;
	struct call calls[RIG_CALLS];
	size_t call_count;
	struct {
		char type[32], text[1024], opaque[64]; /* text: its normalized JSON */
		bool composed;
	} events[RIG_EVENTS];
	size_t event_count;
	bool idle;
};

static inline void rig_tap(void *cookie, struct event *e)
{
	struct rig *r = cookie;

	assert_true(r->event_count < RIG_EVENTS);
	(void)str_copy(e->row.type, r->events[r->event_count].type, sizeof(r->events[0].type));
	(void)str_copy(e->row.json, r->events[r->event_count].text, sizeof(r->events[0].text));
	(void)str_copy(e->row.opaque, r->events[r->event_count].opaque,
		       sizeof(r->events[0].opaque));
	r->events[r->event_count++].composed = e->row.composed;
}

static inline void rig_evidence(void *cookie, struct event *e)
{
	struct rig *r = cookie;

	outbox_evidence(r->outbox, e);
}

static inline void rig_window(void *cookie, struct event *e)
{
	struct rig *r = cookie;

	outbox_window(r->outbox, e);
}

static inline void rig_message(void *cookie, const struct store_message_row *m)
{
	struct rig *r = cookie;

	outbox_load(r->outbox, m);
}

static inline void rig_recent(void *cookie, struct str number_id, struct str lane, int64_t at_ms)
{
	struct rig *r = cookie;

	outbox_load_recent(r->outbox, number_id, lane, at_ms);
}

static inline void rig_accounts_token(struct rig *r, struct str token)
{
	struct store_account a = { .row = 1,
				   .name = STR("main"),
				   .app_secret = STR("secret"),
				   .token = token,
				   .version = STR("v26.0"),
				   .base_url = kit_str(&r->k, "http://127.0.0.1:%u",
						       r->graph.port) };
	struct store_number n = { .row = 1,
				  .account_row = 1,
				  .number_id = STR(RIG_NUMBER),
				  .business_id = STR("102290129340398"),
				  .address = STR("+15550783881"),
				  .limit_mps = 1000 };

	(void)accounts_put(r->accounts, &a);
	(void)accounts_put_number(r->accounts, &n);
	n.row = 2;
	n.number_id = STR(RIG_OTHER);
	(void)accounts_put_number(r->accounts, &n);
}

static inline void rig_accounts(struct rig *r)
{
	rig_accounts_token(r, STR("EAAtoken"));
}

static inline void rig_inbox(struct rig *r)
{
	struct inbox_options o = { .store = r->k.store,
				   .destinations = r->destinations,
				   .clock = &r->k.clock,
				   .log = &r->k.log,
				   .metrics = r->metrics,
				   .wayback = &r->wayback,
				   .sinks = { .cookie = r,
					      .evidence = rig_evidence,
					      .window = rig_window,
					      .tap = rig_tap } };

	r->inbox = inbox_new(&o);
}

/* Open the store and start the outbound half on what is in it. */
static inline void rig_up(struct rig *r)
{
	struct outbox_options o = { .metrics = r->metrics,
				    .wayback = &r->wayback,
				    .log = &r->k.log };
	struct store_loader l = { .cookie = r, .message = rig_message, .recent_send = rig_recent };
	struct gw_error err = GW_ERROR_INIT;

	r->loop = loop_new(&r->k.clock);
	loop_attach(r->loop, r->k.home);
	r->accounts = accounts_new();
	rig_accounts(r);
	rig_inbox(r);
	r->mac = mac_new(str_make((const char *)store_token_key(r->k.store), 32));
	r->token.mac = r->reader.mac = r->mac;
	o.loop = r->loop;
	o.store = r->k.store;
	o.accounts = r->accounts;
	o.inbox = r->inbox;
	o.token = &r->token;
	o.dir = r->k.dir;
	o.settings = r->settings;
	if (outbox_new(&o, &r->outbox, &err) != GW_OK)
		fail_msg("outbox_new: %s", err.message);
	if (store_load_all(r->k.store, &l, &err) != GW_OK)
		fail_msg("store_load_all: %s", err.message);
	outbox_start(r->outbox);
}

/* The process ends in the middle: what is on the wire is cut, what is in the store is
 * committed and told to nobody. */
static inline void rig_cut(struct rig *r)
{
	while (inbox_pending(r->inbox) > 0)
		kit_barrier(&r->k);
	outbox_free(r->outbox);
	inbox_free(r->inbox);
	mac_free(r->mac);
	accounts_free(r->accounts);
	loop_detach(r->loop, r->k.home);
	loop_free(r->loop);
	store_close(r->k.store);
	(void)mailbox_drain(r->k.home);
}

/* The same with nothing on its way to the store: what is on the wire is cut. */
static inline void rig_down(struct rig *r)
{
	for (int i = 0; i < 4; i++)
		kit_barrier(&r->k);
	rig_cut(r);
}

static inline void rig_restart(struct rig *r)
{
	rig_down(r);
	kit_reopen(&r->k);
	rig_up(r);
}

static inline int rig_set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	kit_open(&r->k);
	clock_resume(&r->k.clock);
	graph_start(&r->graph);
	r->metrics = gateway_metrics_new();
	r->destinations = destinations_new();
	r->settings = (struct outbox_settings){ .wait_max_ms = 25000,
						.lifetime_ms = 24 * 3600 * 1000,
						.retry_max_ms = 3600 * 1000,
						.attempts_max = 12,
						.lane_unknown_wait_ms = 30000,
						.unknown_wait_ms = 120000,
						.unknown_policy = "hold",
						.server_errors_prove_nothing = true,
						.failed_echoes_token = true,
						.graph_connect_ms = 5000,
						.graph_timeout_ms = 8000,
						.in_flight_max = 100,
						.parked_max = 3,
						.queue_max = 10000,
						.number_rate_share = 0.995,
						.pair_burst = 10,
						.pair_interval_ms = 6000 };
	rig_up(r);
	*state = r;
	return 0;
}

static inline int rig_tear_down(void **state)
{
	struct rig *r = *state;

	rig_down(r);
	kit_reopen(&r->k); /* kit_close() checks the invariants of what is left */
	graph_stop(&r->graph);
	metrics_free(r->metrics);
	destinations_free(r->destinations);
	kit_close(&r->k);
	free(r);
	return 0;
}

/* ---- driving ---- */

#define RIG_UNTIL(r, condition)                                             \
	do {                                                                \
		int64_t limit_ = clock_real_ns() + PEER_LIMIT_S * NS_PER_S; \
		while (!(condition)) {                                      \
			if (clock_real_ns() > limit_)                       \
				fail_msg("waited in vain: %s", #condition); \
			loop_turn((r)->loop, 10);                           \
		}                                                           \
	} while (0)

/* Messages in that state. */
static inline int64_t rig_gauge(const struct rig *r, enum outq_state state)
{
	return metrics_get(r->metrics, M_OUTBOX_STATE, state, 0);
}

static inline bool rig_store_idles(const struct rig *r)
{
	struct store_load load;

	store_load_now(r->k.store, &load);
	return load.uncommitted_bytes == 0;
}

/* Turns of the loop for so long, to see that nothing happens; what was begun is committed. */
static inline void rig_quiet(struct rig *r, int64_t ms)
{
	int64_t end = clock_real_ns() + ms * NS_PER_MS;

	while (clock_real_ns() < end || !rig_store_idles(r))
		loop_turn(r->loop, 5);
}

static inline void rig_advance(struct rig *r, int64_t ms)
{
	clock_advance(&r->k.clock, ms * NS_PER_MS);
	loop_clock_moved(r->loop);
	outbox_clock_moved(r->outbox);
	rig_quiet(r, 30);
}

static inline void rig_answer(void *cookie, const struct outbox_answer *a)
{
	struct call *c = cookie;

	assert_false(c->done); /* exactly once */
	c->done = true;
	c->status = a->status;
	(void)str_copy(a->body, c->body, sizeof(c->body));
	(void)str_copy(str_from(a->refused_reason), c->refused, sizeof(c->refused));
	assert_true(a->refused_here || a->refused_reason == NULL);
	c->preference = a->preference_applied;
	c->retry_after = a->retry_after_s;
	c->has_message = a->has_message;
	c->message = a->message;
}

static inline struct outbox_submit rig_call(const char *body)
{
	return (struct outbox_submit){ .number_id = STR(RIG_NUMBER),
				       .target = STR("/v25.0/" RIG_NUMBER "/messages"),
				       .body = str_from(body),
				       .received_ns = clock_real_ns() };
}

static inline struct call *rig_submit(struct rig *r, struct outbox_submit s)
{
	struct call *c = &r->calls[r->call_count++];

	assert_true(r->call_count < RIG_CALLS);
	s.answer = rig_answer;
	s.cookie = c;
	outbox_submit(r->outbox, &s);
	return c;
}

#define RIG_TEXT(to, text)                                 \
	"{\"messaging_product\":\"whatsapp\",\"to\":\"" to \
	"\",\"type\":\"text\",\"text\":{\"body\":\"" text "\"}}"
#define RIG_TEMPLATE(to)                                   \
	"{\"messaging_product\":\"whatsapp\",\"to\":\"" to \
	"\",\"type\":\"template\",\"template\":{\"name\":\"t\",\"language\":{\"code\":\"en\"}}}"

static inline struct call *rig_send(struct rig *r, const char *body)
{
	return rig_submit(r, rig_call(body));
}

static inline struct call *rig_send_async(struct rig *r, const char *body)
{
	struct outbox_submit s = rig_call(body);

	s.respond_async = true;
	return rig_submit(r, s);
}

/* ---- what is in the store ---- */

struct rig_row {
	const struct id *id;
	bool found;
	char state[16], reason[16], wamid[64], answer[1024];
	uint32_t tries, attempts;
	int code, http_status;
};

static inline bool rig_row_cb(void *cookie, const struct store_message_row *m)
{
	struct rig_row *row = cookie;

	(void)str_copy(m->state, row->state, sizeof(row->state));
	(void)str_copy(m->reason, row->reason, sizeof(row->reason));
	(void)str_copy(m->wamid, row->wamid, sizeof(row->wamid));
	(void)str_copy(m->answer, row->answer, sizeof(row->answer));
	row->tries = m->tries;
	row->attempts = m->attempts;
	row->code = m->code;
	row->http_status = m->http_status;
	return false;
}

static inline void rig_row_read(struct store_reader *reader, void *cookie)
{
	struct rig_row *row = cookie;

	/* another thread: the test looks at `found` */
	row->found = reader_message(reader, row->id, STR_EMPTY, rig_row_cb, row) == GW_OK;
}

static inline struct rig_row rig_row(struct rig *r, const struct id *id)
{
	struct rig_row row = { .id = id };

	kit_barrier(&r->k);
	kit_read(&r->k, rig_row_read, &row);
	assert_true(row.found);
	return row;
}

static inline bool rig_is(struct rig *r, const struct call *c, const char *state)
{
	return strcmp(rig_row(r, &c->message).state, state) == 0;
}

/* The value of a string member, found by text: enough for bodies of tests. */
static inline bool rig_member(const char *json, const char *name, char *out, size_t cap)
{
	char key[64];
	size_t at, end;
	struct str all = str_from(json);

	(void)snprintf(key, sizeof(key), "\"%s\":\"", name);
	if (!str_find(all, str_from(key), &at))
		return false;
	all = str_slice(all, at + strlen(key), all.len);
	return str_find_char(all, '"', &end) && str_copy(str_slice(all, 0, end), out, cap);
}

static inline bool rig_has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* ---- what Meta posts ---- */

static inline void rig_webhook(struct rig *r, const char *value)
{
	struct inbox_source source = { .signature = STR("sha256=00"),
				       .account = STR("main"),
				       .received_ms = kit_now(&r->k),
				       .token = &r->reader };
	struct str body = kit_str(
		&r->k,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
		"\"changes\":[{\"field\":\"messages\",\"value\":{"
		"\"messaging_product\":\"whatsapp\",\"metadata\":{"
		"\"phone_number_id\":\"" RIG_NUMBER "\"},%s}}]}]}",
		value);

	inbox_put(r->inbox, inbox_item_new(xstr(body), &source));
	while (inbox_pending(r->inbox) > 0)
		loop_turn(r->loop, 10);
}

/* A status of what came to Graph as number `index`, with the token it carried. */
static inline void rig_status(struct rig *r, size_t index, const char *wamid, const char *status)
{
	struct graph_seen seen = graph_seen(&r->graph, index);
	char token[TOKEN_MAX];
	struct str value;

	assert_true(rig_member(seen.body, "biz_opaque_callback_data", token, sizeof(token)));
	value = kit_str(&r->k,
			"\"statuses\":[{\"id\":\"%s\",\"status\":\"%s\",\"timestamp\":\"%lld\","
			"\"recipient_id\":\"491511\",\"biz_opaque_callback_data\":\"%s\"}]",
			wamid, status, (long long)(kit_now(&r->k) / 1000), token);
	rig_webhook(r, value.ptr);
}

/* The customer writes, `ago_ms` before now by Meta's stamp. */
static inline void rig_customer(struct rig *r, const char *phone, int64_t ago_ms)
{
	struct str value = kit_str(
		&r->k,
		"\"contacts\":[{\"wa_id\":\"%s\"}],\"messages\":[{\"from\":\"%s\","
		"\"id\":\"wamid.in%zu\",\"timestamp\":\"%lld\",\"type\":\"text\","
		"\"text\":{\"body\":\"hi\"}}]",
		phone, phone, r->k.strings.count, (long long)((kit_now(&r->k) - ago_ms) / 1000));

	rig_webhook(r, value.ptr);
}

/* Events of ours with this word as status. */
static inline size_t rig_notices(const struct rig *r, const char *word)
{
	char part[64];
	size_t count = 0;

	(void)snprintf(part, sizeof(part), "\"state\":\"%s\"", word);
	for (size_t i = 0; i < r->event_count; i++) {
		if (r->events[i].composed && rig_has(r->events[i].text, part))
			count++;
	}
	return count;
}

#endif
