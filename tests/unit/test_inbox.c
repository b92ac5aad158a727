/* SPDX-License-Identifier: MIT */
/*
 * test_inbox.c - 200 follows the commit, and sinks see what is new, in order, once
 *
 * The store and the calls are the test's: it commits when it wants to, and it
 * notes what was answered.
 */
#include "unit.h"

#include "base/mem.h"
#include "gateway/destination.h"
#include "gateway/inbox.h"
#include "gateway/metrics.h"

#include <stdlib.h>

/* ---- a store that waits for the test */

struct store {
	struct store_req *req[64];
	size_t count;
	struct store_load load;
};

void store_submit(struct store *s, struct store_req *req)
{
	assert_true(s->count < ARRAY_LEN(s->req));
	s->req[s->count++] = req;
}

void store_load_now(const struct store *s, struct store_load *out)
{
	*out = s->load;
}

/* ---- calls that remember their answer */

struct http_call {
	int status;
	unsigned retry;
	size_t answers;
};

void http_reply_empty(struct http_call *c, int status)
{
	c->status = status;
	c->answers++;
}

void http_reply_retry(struct http_call *c, unsigned seconds)
{
	c->status = 503;
	c->retry = seconds;
	c->answers++;
}

/* ---- the bench */

struct bench {
	struct store store;
	struct clock clock;
	struct log log;
	struct destinations *destinations;
	struct metrics *metrics;
	struct inbox *inbox;
	char trace[512]; /* "relay 1;tap 1;" */
	size_t trace_len;
	struct event *kept;
	bool keep;
	int64_t row;
};

static void trace(struct bench *x, const char *sink, const struct event *e)
{
	x->trace_len += (size_t)snprintf(x->trace + x->trace_len, sizeof(x->trace) - x->trace_len,
					 "%s %.*s;", sink, STR_ARG(e->row.external_id));
}

static void on_evidence(void *cookie, struct event *e)
{
	trace(cookie, "evidence", e);
}

static void on_window(void *cookie, struct event *e)
{
	trace(cookie, "window", e);
}

static void on_relay(void *cookie, struct event *e)
{
	trace(cookie, "relay", e);
}

static void on_tap(void *cookie, struct event *e)
{
	struct bench *x = cookie;

	trace(x, "tap", e);
	if (!x->keep)
		return;
	event_ref(e);
	x->kept = e;
}

static int open_bench(void **state)
{
	struct bench *x = xcalloc(1, sizeof(*x));

	clock_init(&x->clock);
	clock_freeze(&x->clock);
	log_init(&x->log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG, "test", &x->clock);
	x->destinations = destinations_new();
	x->metrics = gateway_metrics_new();
	x->inbox = inbox_new(&(struct inbox_options){ .store = &x->store,
						      .destinations = x->destinations,
						      .clock = &x->clock,
						      .log = &x->log,
						      .metrics = x->metrics,
						      .sinks = { .cookie = x,
								 .evidence = on_evidence,
								 .window = on_window,
								 .relay = on_relay,
								 .tap = on_tap } });
	*state = x;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *x = *state;

	CHECK_INT("in the store", 0, x->store.count);
	CHECK_INT("pending", 0, inbox_pending(x->inbox));
	inbox_free(x->inbox);
	metrics_free(x->metrics);
	destinations_free(x->destinations);
	(void)close(x->log.fd);
	free(x);
	return 0;
}

static void add_destination(struct bench *x, const char *filter)
{
	struct destination *out = NULL;

	assert_int_equal(destinations_put(x->destinations,
					  &(struct store_destination){ .row = 1,
								       .url = STR("http://x"),
								       .format = STR("godwit"),
								       .filter = str_from(filter) },
					  &out, NULL),
			 GW_OK);
}

static void put(struct bench *x, const char *body, struct http_call *call)
{
	struct inbox_source source = { .signature = STR("sha256=00"),
				       .account = STR("main"),
				       .received_ms = 1795000000000,
				       .call = call };

	inbox_put(x->inbox, inbox_item_new(xstr(str_from(body)), &source));
}

static struct store_put_body *submitted(struct bench *x)
{
	assert_true(x->store.count > 0);
	CHECK_INT("op", STORE_PUT_BODY, x->store.req[0]->op);
	return CONTAINER_OF(x->store.req[0], struct store_put_body, req);
}

/* The oldest request comes back. */
static void commit(struct bench *x, gw_status status)
{
	struct store_put_body *p = submitted(x);

	memmove(x->store.req, x->store.req + 1, --x->store.count * sizeof(x->store.req[0]));
	for (size_t i = 0; i < p->event_count; i++) {
		p->events[i].row = ++x->row;
		p->events[i].opaque = STR_EMPTY;
	}
	p->req.status = status;
	p->req.done(&p->req);
}

#define BODY(list)                                                            \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\"," \
	"\"changes\":[{\"value\":{\"messaging_product\":\"whatsapp\","        \
	"\"metadata\":{\"phone_number_id\":\"7\"}," list "},\"field\":\"messages\"}]}]}"
#define TEXT(id)                       \
	"{\"from\":\"1\",\"id\":\"" id \
	"\",\"timestamp\":\"1795000000\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}"
#define STAT(id) "{\"id\":\"" id "\",\"status\":\"read\",\"timestamp\":\"1795000000\"}"

static int64_t counted(const struct bench *x, enum metric_fate fate)
{
	return metrics_get(x->metrics, M_EVENTS, fate, 0);
}

/* ---- cases */

static void the_answer_follows_the_commit(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };

	add_destination(x, "");
	put(x, BODY("\"messages\":[" TEXT("w1") "]"), &call);
	CHECK_INT("submitted", 1, x->store.count);
	CHECK_INT("pending", 1, inbox_pending(x->inbox));
	CHECK_INT("no answer yet", 0, call.answers);
	CHECK_STR("nobody knows", "", str_from(x->trace));
	commit(x, GW_OK);
	CHECK_INT("once", 1, call.answers);
	CHECK_INT("200", 200, call.status);
	CHECK_STR("sinks", "window w1;relay w1;tap w1;", str_from(x->trace));
	CHECK_INT("counted", 1, metrics_get(x->metrics, M_WEBHOOKS, RESULT_OK, 0));
	CHECK_INT("counted", 1, counted(x, FATE_NEW));
}

static void a_refused_commit_is_503(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };

	add_destination(x, "");
	put(x, BODY("\"messages\":[" TEXT("w1") "]"), &call);
	commit(x, GW_EIO);
	CHECK_INT("once", 1, call.answers);
	CHECK_INT("503", 503, call.status);
	CHECK_INT("retry", 1, call.retry);
	CHECK_STR("nobody is told", "", str_from(x->trace));
	CHECK_INT("counted", 1, metrics_get(x->metrics, M_WEBHOOKS, RESULT_BUSY, 0));
}

/* What the store refuses as what it is comes again as `unknown`, once, with its siblings. */
static void a_refused_item_comes_again_as_unknown(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };
	struct store_put_body *p;
	unsigned char was[16];
	size_t at;

	add_destination(x, "{\"types\":[\"message.received\"]}");
	put(x, BODY("\"messages\":[" TEXT("w1") "," TEXT("w2") "]"), &call);
	p = submitted(x);
	p->events[1].refused = true;
	memcpy(was, p->events[1].hash, sizeof(was));
	commit(x, GW_EPARSE);
	CHECK_INT("not answered", 0, call.answers);
	CHECK_INT("pending", 1, inbox_pending(x->inbox));
	assert_ptr_equal(submitted(x), p);
	CHECK_STR("sibling", "message.received", str_from(p->events[0].type));
	CHECK_STR("type", "unknown", str_from(p->events[1].type));
	assert_false(p->events[1].has_contact || p->events[1].has_seq);
	assert_memory_not_equal(was, p->events[1].hash, sizeof(was));
	assert_true(str_find(p->events[1].json, STR("\"w2\""), &at));
	CHECK_INT("wanted", 1, p->events[0].destination_count);
	CHECK_INT("not wanted", 0, p->events[1].destination_count);
	commit(x, GW_OK);
	CHECK_INT("200", 200, call.status);
	CHECK_STR("sinks", "window w1;relay w1;tap w1;tap ;", str_from(x->trace));
	CHECK_INT("counted", 1, counted(x, FATE_REFUSED));
	CHECK_INT("counted", 1, counted(x, FATE_UNKNOWN));
}

static void refused_twice_is_503(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };

	for (int muted = 0; muted < 2; muted++) {
		put(x, BODY("\"messages\":[" TEXT("w1") "]"), &call);
		if (muted == 0) {
			submitted(x)->events[0].refused = true;
			commit(x, GW_EPARSE);
		} else {
			inbox_mute(x->inbox); /* the store is closing */
		}
		submitted(x)->events[0].refused = true;
		commit(x, GW_EPARSE);
		CHECK_INT("answers", muted + 1, call.answers);
		CHECK_INT("503", 503, call.status);
	}
}

static void nonsense_is_quarantined_and_answered(void **state)
{
	static const char *const bodies[] = { "", "{", "not json", "{\"a\":1}x", "\xff\xfe" };
	struct bench *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct http_call call = { 0 };

		put(x, bodies[i], &call);
		CHECK_INT(bodies[i], true, submitted(x)->quarantined);
		CHECK_INT(bodies[i], 0, submitted(x)->event_count);
		CHECK_STR("the bytes are kept", bodies[i], submitted(x)->bytes);
		commit(x, GW_OK);
		CHECK_INT("a retry cannot mend it", 200, call.status);
	}
	CHECK_INT("counted", 5, counted(x, FATE_QUARANTINED));
	CHECK_INT("counted", 5, metrics_get(x->metrics, M_WEBHOOKS, RESULT_QUARANTINED, 0));
	CHECK_STR("no events", "", str_from(x->trace));
}

static void json_of_another_shape_is_one_unknown_event(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };

	put(x, "[1,2]", &call);
	CHECK_INT("not quarantined", false, submitted(x)->quarantined);
	CHECK_INT("one", 1, submitted(x)->event_count);
	CHECK_STR("unknown", "unknown", str_from(submitted(x)->events[0].type));
	commit(x, GW_OK);
	CHECK_INT("counted", 1, counted(x, FATE_UNKNOWN));
}

static void sinks_in_the_order_of_the_body(void **state)
{
	struct bench *x = *state;

	add_destination(x, "{\"kinds\":[\"text\"]}");
	put(x, BODY("\"messages\":[" TEXT("w1") "," TEXT("w2") "],\"statuses\":[" STAT("w3") "]"),
	    NULL);
	commit(x, GW_OK);
	CHECK_STR("order",
		  "window w1;relay w1;tap w1;window w2;relay w2;tap w2;evidence w3;tap w3;",
		  str_from(x->trace));
}

static void duplicates_go_nowhere(void **state)
{
	struct bench *x = *state;
	struct http_call call = { 0 };

	add_destination(x, "");
	put(x, BODY("\"messages\":[" TEXT("w1") "," TEXT("w2") "]"), &call);
	submitted(x)->events[0].duplicate = true;
	commit(x, GW_OK);
	CHECK_STR("only the new one", "window w2;relay w2;tap w2;", str_from(x->trace));
	CHECK_INT("200 all the same", 200, call.status);
	CHECK_INT("counted", 1, counted(x, FATE_DUPLICATE));
	CHECK_INT("counted", 1, counted(x, FATE_NEW));
}

static void stale_ones_are_counted(void **state)
{
	struct bench *x = *state;

	put(x, BODY("\"messages\":[" TEXT("w1") "]"), NULL);
	submitted(x)->events[0].stale = true;
	commit(x, GW_OK);
	CHECK_INT("counted", 1, counted(x, FATE_STALE));
	CHECK_STR("taps see it", "window w1;tap w1;", str_from(x->trace));
}

static void ids_and_destinations_are_given_before_the_commit(void **state)
{
	struct bench *x = *state;
	struct store_put_body *p;

	add_destination(x, "{\"kinds\":[\"text\"]}");
	put(x, BODY("\"messages\":[" TEXT("w1") "],\"statuses\":[" STAT("w3") "]"), NULL);
	p = submitted(x);
	CHECK_INT("text", 1, p->events[0].destination_count);
	CHECK_INT("row", 1, p->events[0].destinations[0]);
	CHECK_INT("status", 0, p->events[1].destination_count);
	assert_true(memcmp(p->events[0].id.bytes, p->events[1].id.bytes, ID_BYTES) < 0);
	CHECK_STR("signature", "sha256=00", p->signature);
	CHECK_STR("account", "main", p->account);
	assert_true(p->req.weight > p->bytes.len);
	assert_false(p->req.lazy);
	commit(x, GW_OK);
}

static void what_we_compose_has_no_signature(void **state)
{
	struct bench *x = *state;
	struct inbox_source source = { .received_ms = 1 };

	inbox_put(x->inbox,
		  inbox_item_new(xstr(STR(BODY("\"statuses\":[" STAT("w3") "]"))), &source));
	CHECK_INT("composed", true, submitted(x)->composed);
	commit(x, GW_OK);
}

/* The item and its bytes live as long as any of its events. */
static void references_keep_the_item(void **state)
{
	struct bench *x = *state;

	x->keep = true;
	put(x, BODY("\"messages\":[" TEXT("w1") "]"), NULL);
	submitted(x)->events[0].seq = 4;
	submitted(x)->events[0].has_conversation = true;
	commit(x, GW_OK);
	assert_non_null(x->kept);
	CHECK_STR("id", "w1", x->kept->row.external_id);
	CHECK_STR("type", "message.received", x->kept->row.type);
	CHECK_STR("body", BODY("\"messages\":[" TEXT("w1") "]"), x->kept->row.body);
	CHECK_INT("seq", 4, x->kept->row.seq);
	CHECK_INT("siblings", 1, x->kept->row.siblings);
	assert_true(x->kept->size > x->kept->row.body.len);
	event_unref(x->kept);
}

static void many_items_in_one_body(void **state)
{
	struct bench *x = *state;
	struct inbox_source source = { .received_ms = 1 };
	struct buf b;

	buf_init(&b, 4U << 20);
	buf_put_text(&b, "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
			 "\"changes\":[{\"value\":{\"statuses\":[");
	for (size_t i = 0; i < 1000; i++)
		buf_put_fmt(&b, "%s{\"id\":\"w%zu\",\"status\":\"read\"}", i > 0 ? "," : "", i);
	buf_put_text(&b, "]},\"field\":\"messages\"}]}]}");
	inbox_put(x->inbox, inbox_item_new(buf_take(&b), &source));
	CHECK_INT("all", 1000, submitted(x)->event_count);
	CHECK_STR("the last", "{\"message\":{\"id\":\"w999\"},\"status\":{\"state\":\"read\"}}",
		  submitted(x)->events[999].json);
	CHECK_STR("the first", "{\"message\":{\"id\":\"w0\"},\"status\":{\"state\":\"read\"}}",
		  submitted(x)->events[0].json);
	commit(x, GW_EIO);
}

static void odd_keys_are_counted(void **state)
{
	struct bench *x = *state;

	put(x, "{\"object\":\"a\",\"object\":\"b\",\"object\":\"c\"}", NULL);
	commit(x, GW_OK);
	CHECK_INT("twice too many", 2, metrics_get(x->metrics, M_DUPLICATE_KEYS, 0, 0));
}

static void stuck(void **state)
{
	struct bench *x = *state;
	struct store_load *l = &x->store.load;

	l->disk_free_bytes = 1000;
	assert_false(inbox_is_stuck(&x->store, 1000));
	assert_true(inbox_is_stuck(&x->store, 1001));
	l->disk_free_bytes = -1; /* not known yet */
	assert_false(inbox_is_stuck(&x->store, 1001));
	l->uncommitted_bytes = INBOX_UNCOMMITTED_MAX;
	assert_false(inbox_is_stuck(&x->store, 0));
	l->uncommitted_bytes++;
	assert_true(inbox_is_stuck(&x->store, 0));
	l->uncommitted_bytes = 1;
	l->oldest_ns = clock_real_ns();
	assert_false(inbox_is_stuck(&x->store, 0));
	l->oldest_ns = clock_real_ns() - INBOX_UNCOMMITTED_NS - 1;
	assert_true(inbox_is_stuck(&x->store, 0));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_answer_follows_the_commit),
		CASE(a_refused_commit_is_503),
		CASE(a_refused_item_comes_again_as_unknown),
		CASE(refused_twice_is_503),
		CASE(nonsense_is_quarantined_and_answered),
		CASE(json_of_another_shape_is_one_unknown_event),
		CASE(sinks_in_the_order_of_the_body),
		CASE(duplicates_go_nowhere),
		CASE(stale_ones_are_counted),
		CASE(ids_and_destinations_are_given_before_the_commit),
		CASE(what_we_compose_has_no_signature),
		CASE(references_keep_the_item),
		CASE(many_items_in_one_body),
		CASE(odd_keys_are_counted),
		CASE(stuck),
	};

	return cmocka_run_group_tests_name("inbox", tests, NULL, NULL);
}
