/* SPDX-License-Identifier: MIT */
/*
 * relay_errand.c - what the relay does beside its deliveries: disabling a destination, testing one
 *
 * An errand that is out keeps the relay from being idle: what it refers to must outlive it.
 *
 * THREADS  The loop's.
 * TESTS    tests/unit/test_relay.c
 */
#include "gateway/relay_int.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdlib.h>

/* ---- disabling */

struct disable {
	struct store_put_destination put;
	struct relay *relay;
	char id[ID_TEXT_MAX];
	char *name, *url, *filter;
	struct secret secret, previous;
};

static void on_disabled(struct store_req *req)
{
	struct disable *x = CONTAINER_OF(req, struct disable, put.req);

	if (req->status != GW_OK)
		log_error(x->relay->o.log,
			  "relay: destination=%s is disabled until the next start "
			  "only: the store refused it",
			  x->id);
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
	log_warn(o->relay->o.log, "relay: destination=%s disabled: %s", o->name, why);
	x = xcalloc(1, sizeof(*x));
	x->relay = o->relay;
	memcpy(x->id, o->name, sizeof(x->id));
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
	struct relay_headers h = { .count = 0 };
	struct store_event_row row;
	struct http_request q;
	struct relay_errand *t = errand_new(r);

	t->done = done;
	t->cookie = cookie;
	test_row(r, &row);
	row.composed = to->format != DESTINATION_META; /* Meta has no word for our own events */
	t->delivery = relay_render(&r->scratch, &row, to->format,
				   &(struct render_how){ .raw = to->include_raw });
	ASSERT(t->delivery != NULL);
	relay_put_headers(&h, &passing, to, t->delivery);
	relay_put_header(&h, "godwit-test: 1");
	outlet_forget_macs(&passing);
	q = relay_request(r, to, &h, delivery_body(t->delivery));
	(void)http_client_start(r->client, &q, on_tested, t); /* ends by itself */
}
