/* SPDX-License-Identifier: MIT */
/* test_http_requests.c - the client: bytes both ways, ceilings, cancels, the guard on real URLs */
#include "client_fixture.h"

#include "net/http_server.h"

/* ---- answers ---- */

static const struct {
	const char *name, *header;
	int64_t want;
} retry_afters[] = {
	{ "seconds", "Retry-After: 120", 120 },
	{ "any case", "retry-after:7  ", 7 },
	{ "zero", "Retry-After: 0", 0 },
	{ "a date", "Retry-After: Fri, 20 Nov 2026 18:22:51 GMT", -1 },
	{ "negative", "Retry-After: -5", -1 },
	{ "empty", "Retry-After:", -1 },
	{ "huge", "Retry-After: 99999999999999999999", -1 },
	{ "another", "X-Retry-After: 5", -1 },
};

static void retry_after_cases(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_END };
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(retry_afters); i++) {
		char text[256];
		const char *const texts[] = { text };

		(void)snprintf(text, sizeof(text),
			       "HTTP/1.1 429 Slow\r\n%s\r\nContent-Length: 0\r\n\r\n",
			       retry_afters[i].header);
		peer_start(&p, script, texts);
		run(&f, request("POST", "b"), url_of(p.port), &r);
		CHECK_INT(retry_afters[i].name, retry_afters[i].want, r.outcome.retry_after_s);
		peer_stop(&p);
		buf_release(&r.answer);
	}
	fixture_stop(&f);
}

static void answers_have_a_ceiling(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_END };
	static const struct {
		const char *text;
		size_t max;
		enum http_end want;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour", 4, HTTP_END_ANSWERED },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfive!", 4, HTTP_END_LOST },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
		  4, HTTP_END_ANSWERED },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
		  4, HTTP_END_LOST },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, HTTP_END_ANSWERED },
	};
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_request req = request("POST", "b");

		req.answer_max = cases[i].max;
		peer_start(&p, script, &cases[i].text);
		run(&f, req, url_of(p.port), &r);
		CHECK_INT(cases[i].text, cases[i].want, r.outcome.end);
		CHECK_INT(cases[i].text, 200, r.outcome.status);
		if (cases[i].want == HTTP_END_LOST)
			CHECK_INT(cases[i].text, GW_ELIMIT, r.outcome.error.status);
		peer_stop(&p);
		buf_release(&r.answer);
	}
	fixture_stop(&f);
}

static void heads_have_a_ceiling(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_END };
	struct http_client_options o = { 0 };
	const char *texts[1];
	struct fixture f;
	struct result r;
	struct peer p;
	struct buf head;

	(void)state;
	fixture_start(&f, &o);
	for (int fields = 30; fields <= 40; fields += 10) { /* of 1000 bytes; 32 KiB is the limit */
		buf_init(&head, 1 << 17);
		buf_put_text(&head, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
		for (int i = 0; i < fields; i++)
			buf_put_fmt(&head, "X-%d: %0990d\r\n", i, 0);
		buf_put_text(&head, "\r\n");
		texts[0] = head.data;
		peer_start(&p, script, texts);
		run(&f, request("POST", "b"), url_of(p.port), &r);
		CHECK_INT("end", fields == 30 ? HTTP_END_ANSWERED : HTTP_END_LOST, r.outcome.end);
		if (fields == 40)
			CHECK_INT("status", GW_ELIMIT, r.outcome.error.status);
		peer_stop(&p);
		buf_release(&r.answer);
		buf_release(&head);
	}
	fixture_stop(&f);
}

static void what_goes_on_the_wire(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_READ, ACT_SAY, ACT_END };
	static const char *const texts[] = { OK_ANSWER, OK_ANSWER };
	static const char *const headers[] = { "Authorization: Bearer t",
					       "Content-Type: application/json", "X-One: 1" };
	struct http_request req = request("POST", "{\"a\":1}");
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;
	char want[512];

	(void)state;
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1); /* must mean nothing */
	fixture_start(&f, &o);
	peer_start(&p, script, texts);
	req.headers = headers;
	req.header_count = ARRAY_LEN(headers);
	run(&f, req, url_of(p.port), &r);
	(void)snprintf(want, sizeof(want),
		       "POST /path HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n"
		       "Authorization: Bearer t\r\nContent-Type: application/json\r\nX-One: 1\r\n"
		       "Content-Length: 7\r\n\r\n{\"a\":1}",
		       p.port);
	CHECK_STR("post", want, str_from(p.last));
	CHECK_STR("answer", "ok", buf_str(&r.answer));
	CHECK_STR("type", "text/x", str_from(r.type));
	buf_release(&r.answer);
	/* The same handle afterwards: nothing of the first is left. */
	run(&f, request("GET", "ignored"), url_of(p.port), &r);
	(void)snprintf(want, sizeof(want),
		       "GET /path HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n", p.port);
	CHECK_STR("get", want, str_from(p.last));
	buf_release(&r.answer);
	fixture_stop(&f);
	peer_stop(&p);
	(void)unsetenv("http_proxy");
}

/* ---- streams and cancels ---- */

struct stream {
	struct result result;
	struct http_exchange *x;
	struct buf seen;
	bool cancel_at_once;
};

static void on_piece(void *cookie, struct str bytes)
{
	struct stream *s = cookie;

	buf_put_str(&s->seen, bytes);
	if (s->cancel_at_once)
		http_exchange_cancel(s->x);
}

static void on_stream_done(void *cookie, const struct http_outcome *o)
{
	struct stream *s = cookie;

	on_done(&s->result, o);
}

static void pieces_as_they_come(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_SAY, ACT_END };
	static const char *const texts[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
		"3\r\ntwo\r\n0\r\n\r\n"
	};

	(void)state;
	for (int cancel = 0; cancel < 2; cancel++) {
		struct http_request req = request("GET", "");
		struct stream s = { .cancel_at_once = cancel == 1 };
		struct http_client_options o = { 0 };
		struct fixture f;
		struct peer p;

		fixture_start(&f, &o);
		peer_start(&p, script, texts);
		buf_init(&s.seen, 1000);
		req.on_chunk = on_piece;
		req.url = url_of(p.port);
		req.answer_max = 0; /* says nothing about a stream */
		s.x = http_client_start(f.client, &req, on_stream_done, &s);
		if (cancel == 0) {
			wait_for(&f, &s.result);
			CHECK_INT("end", HTTP_END_ANSWERED, s.result.outcome.end);
			CHECK_STR("pieces", "onetwo", buf_str(&s.seen));
			CHECK_INT("none kept", 0, s.result.outcome.answer.len);
		} else {
			while (http_client_running(f.client) > 0)
				loop_turn(f.loop, 100);
			idle(&f, 20);
			CHECK_INT("no callback", 0, s.result.calls);
			assert_true(str_starts(buf_str(&s.seen), STR("one")));
		}
		fixture_stop(&f);
		peer_stop(&p);
		buf_release(&s.seen);
		buf_release(&s.result.answer);
	}
}

static void cancelled_requests_say_nothing(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_HANG, ACT_END };
	struct http_request req = request("POST", "body");
	struct http_client_options o = { 0 };
	struct result never = { 0 }, first = { 0 };
	struct http_exchange *x;
	struct fixture f;
	struct peer p;
	uint16_t port;

	(void)state;
	fixture_start(&f, &o);
	peer_start(&p, script, NULL);
	req.url = url_of(p.port);
	x = http_client_start(f.client, &req, on_done, &never); /* before the loop saw it */
	CHECK_INT("running", 1, http_client_running(f.client));
	http_exchange_cancel(x);
	CHECK_INT("running", 0, http_client_running(f.client));
	x = http_client_start(f.client, &req, on_done, &never); /* on the wire */
	while (atomic_load(&p.requests) == 0)
		loop_turn(f.loop, 5);
	http_exchange_cancel(x);
	peer_stop(&p); /* it saw the close */
	/* By the callback of another one, and when the client goes. */
	(void)close(peer_listen(&port));
	peer_start(&p, script, NULL);
	req.url = url_of(p.port);
	first.cancel = http_client_start(f.client, &req, on_done, &never);
	(void)http_client_start(f.client, &req, on_done, &never);
	req.url = url_of(port); /* refused at once */
	(void)http_client_start(f.client, &req, on_done, &first);
	wait_for(&f, &first);
	CHECK_INT("one is left", 1, http_client_running(f.client));
	fixture_stop(&f);
	CHECK_INT("no callback", 0, never.calls);
	peer_stop(&p);
	buf_release(&first.answer);
	http_client_free(NULL);
}

/* ---- against the real listener ---- */

static void echo(void *cookie, struct http_call *c)
{
	(void)cookie;
	http_reply(c, 200, "application/octet-stream", http_body(c), NULL, 0);
}

static const struct http_server_handlers ECHO = { .on_request = echo };

static struct http_server *server_start(unsigned connections_max)
{
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	struct http_server *s = NULL;

	o.address = "127.0.0.1";
	o.handlers = &ECHO;
	o.connections_max = connections_max;
	assert_int_equal(http_server_start(&o, &s, NULL), GW_OK);
	return s;
}

static void bodies_of_all_sizes(void **state)
{
	static const size_t sizes[] = {
		1, 100, 16384, 65535, 65536, 65537, 1 << 20, (3 << 20) + 7
	};
	struct http_server *s = server_start(10);
	struct http_client_options o = { 0 };
	struct fixture f;
	char *body = xmalloc(4 << 20);

	(void)state;
	fixture_start(&f, &o);
	for (size_t i = 0; i < 4 << 20; i++)
		body[i] = (char)(i * 31 + (i >> 9));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct http_request req = request(i % 2 == 0 ? "POST" : "PUT", "");
		struct result r;

		req.body = str_make(body, sizes[i]);
		req.answer_max = sizes[i];
		run(&f, req, url_of(http_server_port(s)), &r);
		CHECK_INT("end", HTTP_END_ANSWERED, r.outcome.end);
		assert_true(str_eq(req.body, buf_str(&r.answer)));
		buf_release(&r.answer);
	}
	fixture_stop(&f);
	http_server_stop(s, 1000);
	free(body);
}

#define MANY 400

static void on_counted(void *cookie, const struct http_outcome *o)
{
	int *ok = cookie;

	*ok += o->end == HTTP_END_ANSWERED && o->status == 200;
}

/* All at once, through no more connections than allowed (one more would be told 503). */
static void many_at_once_within_the_cap(void **state)
{
	struct http_server *s = server_start(8);
	struct http_client_options o = { .host_connections_max = 8 };
	struct http_request req = request("POST", "hello");
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;
	struct fixture f;
	int ok = 0;

	(void)state;
	fixture_start(&f, &o);
	req.url = url_of(http_server_port(s));
	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < MANY; i++)
			(void)http_client_start(f.client, &req, on_counted, &ok);
		while (http_client_running(f.client) > 0) {
			assert_true(clock_real_ns() < limit);
			loop_turn(f.loop, 100);
		}
		CHECK_INT("answered", round * MANY, ok);
	}
	fixture_stop(&f);
	http_server_stop(s, 1000);
}

/* ---- the egress guard, through real URLs ---- */

static void guarded_addresses(void **state)
{
	static const char *const spellings[] = {
		"127.0.0.1", "localhost",  "2130706433", "0x7f000001",
		"0x7f.1",    "0177.0.0.1", "127.1",      "[::ffff:127.0.0.1]",
		"[::1]",     "0.0.0.0",    "0",          "[::]",
	};
	struct http_server *s = server_start(10);
	struct http_client_options o = { 0 };
	struct egress *guard = NULL;
	struct fixture f;
	struct result r;
	char url[128];

	(void)state;
	assert_int_equal(egress_new(STR_EMPTY, &guard, NULL), GW_OK);
	o.egress = guard;
	fixture_start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		(void)snprintf(url, sizeof(url), "http://%s:%u/", spellings[i],
			       http_server_port(s));
		run(&f, request("POST", "secret"), url, &r);
		CHECK_INT(spellings[i], HTTP_END_REFUSED, r.outcome.end);
		CHECK_INT(spellings[i], GW_RETRY_NEVER, r.outcome.error.retry);
		buf_release(&r.answer);
	}
	fixture_stop(&f);
	egress_free(guard);
	assert_int_equal(egress_new(STR("127.0.0.0/8"), &guard, NULL), GW_OK);
	o.egress = guard;
	fixture_start(&f, &o);
	for (size_t i = 0; i < 7; i++) { /* "localhost" by its IPv4 address */
		(void)snprintf(url, sizeof(url), "http://%s:%u/", spellings[i],
			       http_server_port(s));
		run(&f, request("POST", "x"), url, &r);
		CHECK_INT(spellings[i], HTTP_END_ANSWERED, r.outcome.end);
		buf_release(&r.answer);
	}
	fixture_stop(&f);
	egress_free(guard);
	http_server_stop(s, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after_cases),
		cmocka_unit_test(answers_have_a_ceiling),
		cmocka_unit_test(heads_have_a_ceiling),
		cmocka_unit_test(what_goes_on_the_wire),
		cmocka_unit_test(pieces_as_they_come),
		cmocka_unit_test(cancelled_requests_say_nothing),
		cmocka_unit_test(bodies_of_all_sizes),
		cmocka_unit_test(many_at_once_within_the_cap),
		cmocka_unit_test(guarded_addresses),
	};

	return cmocka_run_group_tests_name("http_requests", tests, NULL, NULL);
}
