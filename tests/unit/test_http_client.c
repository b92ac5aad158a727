/* SPDX-License-Identifier: MIT */
/* test_http_client.c - every way a request can end, against a scripted peer */
#include "client_fixture.h"

struct outcome_case {
	const char *name, *method, *body;
	enum act script[8];
	const char *texts[4];
	int timeout_ms; /* 0: five seconds */
	enum http_end want;
	int status;
	bool timed_out;
	int requests; /* that the peer saw; -1: as may be */
	gw_retry retry;
};

static const struct outcome_case outcomes[] = {
	{ "post answered",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { OK_ANSWER },
	  0,
	  HTTP_END_ANSWERED,
	  200,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "get answered",
	  "GET",
	  "",
	  { ACT_READ, ACT_SAY },
	  { OK_ANSWER },
	  0,
	  HTTP_END_ANSWERED,
	  200,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "error status is an answer",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" },
	  0,
	  HTTP_END_ANSWERED,
	  500,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "a redirect is an answer",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" },
	  0,
	  HTTP_END_ANSWERED,
	  302,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "interim answers are passed over",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nRetry-After: 9\r\n\r\n" OK_ANSWER },
	  0,
	  HTTP_END_ANSWERED,
	  200,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "answer ended by the close",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 200 OK\r\n\r\nuntil the end" },
	  0,
	  HTTP_END_ANSWERED,
	  200,
	  false,
	  1,
	  GW_RETRY_NEVER },
	{ "closed after the body",
	  "POST",
	  "body",
	  { ACT_READ, ACT_MORE },
	  { NULL },
	  0,
	  HTTP_END_LOST,
	  0,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "reset after the body",
	  "POST",
	  "body",
	  { ACT_READ, ACT_RESET },
	  { NULL },
	  0,
	  HTTP_END_LOST,
	  0,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "get closed",
	  "GET",
	  "",
	  { ACT_READ, ACT_MORE },
	  { NULL },
	  0,
	  HTTP_END_LOST,
	  0,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "half a head",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 200 O" },
	  0,
	  HTTP_END_LOST,
	  0,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "half a body",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" },
	  0,
	  HTTP_END_LOST,
	  200,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "half a chunk",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf" },
	  0,
	  HTTP_END_LOST,
	  200,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "not HTTP",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY },
	  { "SSH-2.0-OpenSSH\r\n" },
	  0,
	  HTTP_END_LOST,
	  0,
	  false,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "silence",
	  "POST",
	  "body",
	  { ACT_READ, ACT_HANG },
	  { NULL },
	  60,
	  HTTP_END_LOST,
	  0,
	  true,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "silence for a get",
	  "GET",
	  "",
	  { ACT_READ, ACT_HANG },
	  { NULL },
	  60,
	  HTTP_END_LOST,
	  0,
	  true,
	  1,
	  GW_RETRY_UNKNOWN },
	{ "silence in the answer",
	  "POST",
	  "body",
	  { ACT_READ, ACT_SAY, ACT_HANG },
	  { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" },
	  60,
	  HTTP_END_LOST,
	  200,
	  true,
	  1,
	  GW_RETRY_UNKNOWN },
};

static void outcome_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		const struct outcome_case *c = &outcomes[i];
		struct http_request req = request(c->method, c->body);
		struct http_client_options o = { 0 };
		struct fixture f;
		struct result r;
		struct peer p;

		fixture_start(&f, &o);
		peer_start(&p, c->script, c->texts);
		if (c->timeout_ms > 0)
			req.timeout_ms = c->timeout_ms;
		run(&f, req, url_of(p.port), &r);
		CHECK_INT(c->name, c->want, r.outcome.end);
		CHECK_INT(c->name, c->status, r.outcome.status);
		CHECK_INT(c->name, c->timed_out, r.outcome.timed_out);
		CHECK_INT(c->name, c->retry, r.outcome.error.retry);
		CHECK_INT(c->name, c->want != HTTP_END_ANSWERED,
			  r.outcome.error.message[0] != '\0');
		CHECK_INT(c->name, c->timed_out, r.outcome.error.status == GW_ETIMEOUT);
		CHECK_INT(c->name, -1, r.outcome.retry_after_s);
		fixture_stop(&f);
		peer_stop(&p);
		CHECK_INT(c->name, c->requests, atomic_load(&p.requests));
		buf_release(&r.answer);
	}
}

static void nothing_was_sent(void **state)
{
	struct http_client_options o = { 0 };
	char url[256], label[80];
	struct fixture f;
	struct result r;
	uint16_t port;

	(void)state;
	fixture_start(&f, &o);
	(void)close(peer_listen(&port));
	for (int i = 0; i < 5; i++) {
		static const char *const names[] = { "refused", "refused get", "a label too long",
						     "no such scheme", "no URL" };

		memset(label, 'x', sizeof(label));
		label[sizeof(label) - 1] = '\0';
		(void)str_copy(str_from(url_of(port)), url, sizeof(url));
		if (i == 2)
			(void)snprintf(url, sizeof(url), "http://%s.test/", label);
		if (i == 3)
			(void)str_copy(STR("ftp://127.0.0.1/"), url, sizeof(url));
		if (i == 4)
			(void)str_copy(STR("http://[/"), url, sizeof(url));
		run(&f, request(i == 1 ? "GET" : "POST", "body"), url, &r);
		CHECK_INT(names[i], HTTP_END_NOT_SENT, r.outcome.end);
		CHECK_INT(names[i], 0, r.outcome.status);
		CHECK_INT(names[i], false, r.outcome.timed_out);
		CHECK_INT(names[i], GW_RETRY_NOW, r.outcome.error.retry);
		CHECK_INT(names[i], GW_ENET, r.outcome.error.status);
		buf_release(&r.answer);
	}
	fixture_stop(&f);
}

/* Time runs out in the handshake: the body was never touched. */
static void handshake_times_out(void **state)
{
	static const enum act hang[] = { ACT_HANG, ACT_END };
	struct http_request req = request("POST", "body");
	struct http_client_options o = { 0 };
	char url[64];
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	peer_start(&p, hang, NULL);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", p.port);
	req.connect_timeout_ms = 60;
	run(&f, req, url, &r);
	CHECK_INT("end", HTTP_END_NOT_SENT, r.outcome.end);
	CHECK_INT("timed out", true, r.outcome.timed_out);
	CHECK_INT("status", GW_ETIMEOUT, r.outcome.error.status);
	buf_release(&r.answer);
	fixture_stop(&f);
	peer_stop(&p);
}

/*
 * What libcurl would repeat: a reused connection takes the request and closes.
 * The peer sees the second POST once, and the outcome admits the doubt.
 */
static void reused_connection_closes(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_READ, ACT_MORE, ACT_END };
	static const char *const texts[] = { OK_ANSWER };
	static const char *const methods[] = { "POST", "PUT" };
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		fixture_start(&f, &o);
		peer_start(&p, script, texts);
		run(&f, request(methods[i], "first"), url_of(p.port), &r);
		CHECK_INT("first", HTTP_END_ANSWERED, r.outcome.end);
		buf_release(&r.answer);
		run(&f, request(methods[i], "second"), url_of(p.port), &r);
		CHECK_INT("second", HTTP_END_LOST, r.outcome.end);
		CHECK_INT("second", GW_RETRY_UNKNOWN, r.outcome.error.retry);
		CHECK_INT("reused", 0, r.outcome.connect_ms);
		buf_release(&r.answer);
		idle(&f, 120); /* as long as the peer looks for a repetition */
		fixture_stop(&f);
		peer_stop(&p);
		/* libcurl may connect anew before it asks for the rewind; nothing is sent there. */
		CHECK_INT("requests", 2, atomic_load(&p.requests));
	}
}

/*
 * The same where the request may be repeated: libcurl does so on a new
 * connection and nobody is told.  What comes next on the same exchange is what
 * it says: a GET is a GET, and a body that may not be repeated is not.
 */
static void repeated_where_it_may_be(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_READ, ACT_NEXT, ACT_READ, ACT_SAY,
					   ACT_READ, ACT_SAY, ACT_READ, ACT_MORE, ACT_END };
	static const char *const texts[] = { OK_ANSWER, OK_ANSWER, OK_ANSWER };
	static const char *const methods[] = { "POST", "POST", "GET", "POST" };
	static const enum http_end want[] = { HTTP_END_ANSWERED, HTTP_END_ANSWERED,
					      HTTP_END_ANSWERED, HTTP_END_LOST };
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	peer_start(&p, script, texts);
	for (int i = 0; i < 4; i++) {
		struct http_request req = request(methods[i], "body");

		req.may_repeat = i < 2;
		run(&f, req, url_of(p.port), &r);
		CHECK_INT("end", want[i], r.outcome.end);
		buf_release(&r.answer);
	}
	idle(&f, 120); /* as long as the peer looks for a repetition */
	fixture_stop(&f);
	peer_stop(&p);
	/* one, its repetition's first try, the repetition, the GET, and the one that got lost */
	CHECK_INT("requests", 5, atomic_load(&p.requests));
}

/* Closed while idle, which libcurl sees before it sends: a new connection, no doubt. */
static void idle_connection_closed(void **state)
{
	static const enum act script[] = {
		ACT_READ, ACT_SAY, ACT_NEXT, ACT_READ, ACT_SAY, ACT_END
	};
	static const char *const texts[] = { OK_ANSWER, OK_ANSWER };
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	peer_start(&p, script, texts);
	for (int i = 0; i < 2; i++) {
		run(&f, request("POST", "body"), url_of(p.port), &r);
		CHECK_INT("answered", HTTP_END_ANSWERED, r.outcome.end);
		buf_release(&r.answer);
		idle(&f, 30);
	}
	fixture_stop(&f);
	peer_stop(&p);
	CHECK_INT("requests", 2, atomic_load(&p.requests));
}

/* Methods without a body have nothing that could refuse a rewind: never on a used connection. */
static void bodyless_methods_take_a_fresh_connection(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY,  ACT_NEXT, ACT_READ, ACT_SAY,
					   ACT_NEXT, ACT_READ, ACT_SAY,  ACT_END };
	static const char *const texts[] = { OK_ANSWER, OK_ANSWER, OK_ANSWER };
	static const char *const methods[] = { "GET", "DELETE", "POST" };
	struct http_client_options o = { 0 };
	struct fixture f;
	struct result r;
	struct peer p;

	(void)state;
	fixture_start(&f, &o);
	peer_start(&p, script, texts);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		run(&f, request(methods[i], ""), url_of(p.port), &r);
		CHECK_INT(methods[i], HTTP_END_ANSWERED, r.outcome.end);
		assert_true(str_starts(str_from(p.last), str_from(methods[i])));
		buf_release(&r.answer);
	}
	fixture_stop(&f);
	peer_stop(&p);
	CHECK_INT("connections", 3, atomic_load(&p.connections));
}

/* ---- connections that never come about ---- */

#define FULL 4 /* connections that fill a backlog of 0, and some */

/* A listener whose backlog is full: the next connect gets no answer at all. */
static int silent_listener(uint16_t *port, int filling[FULL])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = peer_listen(port);

	assert_int_equal(listen(fd, 0), 0);
	a.sin_port = htons(*port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < FULL; i++) {
		filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(filling[i], (struct sockaddr *)(void *)&a, sizeof(a));
	}
	return fd;
}

/*
 * libcurl closes a socket that never got connected without telling (7.88,
 * cf_socket_close): the number comes back as somebody else's descriptor, whose
 * watch must not be touched, and as the next connection's.
 */
static void a_connect_without_an_answer(void **state)
{
	static const enum act script[] = { ACT_READ, ACT_SAY, ACT_END };
	static const char *const texts[] = { OK_ANSWER };
	struct http_client_options o = { 0 };
	struct http_request req = request("POST", "body");
	struct http_exchange *cancelled[3];
	int filling[FULL], silent;
	char nowhere[64];
	struct fixture f;
	struct result r, none = { 0 };
	uint16_t port;
	struct peer p;

	(void)state;
	silent = silent_listener(&port, filling);
	(void)str_copy(str_from(url_of(port)), nowhere, sizeof(nowhere));
	fixture_start(&f, &o);
	req.connect_timeout_ms = 50;
	for (int i = 0; i < 3; i++) {
		run(&f, req, nowhere, &r);
		CHECK_INT("end", HTTP_END_NOT_SENT, r.outcome.end);
		assert_true(r.outcome.timed_out);
		buf_release(&r.answer);
	}
	req.connect_timeout_ms = 5000;
	req.url = nowhere;
	for (size_t i = 0; i < ARRAY_LEN(cancelled); i++)
		cancelled[i] = http_client_start(f.client, &req, on_done, &none);
	idle(&f, 20);
	for (size_t i = 0; i < ARRAY_LEN(cancelled); i++)
		http_exchange_cancel(cancelled[i]);
	idle(&f, 20);
	peer_start(&p, script, texts); /* its listener may take one of the numbers */
	run(&f, request("POST", "body"), url_of(p.port), &r);
	CHECK_INT("answered", HTTP_END_ANSWERED, r.outcome.end);
	buf_release(&r.answer);
	(void)http_client_start(f.client, &req, on_done, &none); /* cut by the end */
	idle(&f, 20);
	fixture_stop(&f);
	peer_stop(&p);
	CHECK_INT("cancelled calls back", 0, none.calls);
	for (int i = 0; i < FULL; i++)
		(void)close(filling[i]);
	(void)close(silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcome_cases),
		cmocka_unit_test(nothing_was_sent),
		cmocka_unit_test(handshake_times_out),
		cmocka_unit_test(reused_connection_closes),
		cmocka_unit_test(repeated_where_it_may_be),
		cmocka_unit_test(idle_connection_closed),
		cmocka_unit_test(bodyless_methods_take_a_fresh_connection),
		cmocka_unit_test(a_connect_without_an_answer),
	};

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
