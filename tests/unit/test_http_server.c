/* SPDX-License-Identifier: MIT */
/*
 * test_http_server.c - requests, limits and deadlines of the listener
 *
 * Over real sockets of the loopback; the peer is a plain one (net_peer.h), so
 * that every byte is as written here.
 */
#include "http_fixture.h"

/* ---- requests and answers ---- */

static const struct {
	const char *name, *request, *want;
} echoes[] = {
	{ "get", "GET /a/b HTTP/1.1\r\nHost: h\r\n\r\n",
	  "GET /a/b /a/b q=- host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "post", "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
	  "POST /p /p q=- host=h peer=127.0.0.1 local=0 n=0 body=abc" },
	{ "decoded path", "GET /a%20b/%C3%A4?q=x+y%26&r HTTP/1.1\r\nHost: h\r\n\r\n",
	  "GET /a b/\xc3\xa4 /a%20b/%C3%A4?q=x+y%26&r q=x y& host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "absolute form", "GET http://other/a?q=1 HTTP/1.1\r\nHost: h\r\n\r\n",
	  "GET /a http://other/a?q=1 q=1 host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "absolute, no path", "GET http://other HTTP/1.1\r\nHost: h\r\n\r\n",
	  "GET / http://other q=- host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "query only counts once", "GET /?a=1&q=first&q=second&%zz=1 HTTP/1.1\r\nHost: h\r\n\r\n",
	  "GET / /?a=1&q=first&q=second&%zz=1 q=first host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "trimmed, many", "GET / HTTP/1.1\r\nHost:  h  \r\nX-Many: 1\r\nx-many: 2\r\n\r\n",
	  "GET / / q=- host=h peer=127.0.0.1 local=0 n=2 body=" },
	{ "chunked",
	  "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
	  "POST /c /c q=- host=h peer=127.0.0.1 local=0 n=0 body=abcde" },
	{ "delete", "DELETE /d HTTP/1.1\r\nHost: h\r\n\r\n",
	  "DELETE /d /d q=- host=h peer=127.0.0.1 local=0 n=0 body=" },
	{ "get with a body", "GET /g HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
	  "GET /g /g q=- host=h peer=127.0.0.1 local=0 n=0 body=x" },
	{ "empty body", "POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
	  "POST /e /e q=- host=h peer=127.0.0.1 local=0 n=0 body=" },
};

/* All on one connection: keep-alive holds throughout. */
static void echo_cases(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	size_t at;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	for (size_t i = 0; i < ARRAY_LEN(echoes); i++) {
		peer_send(fd, str_from(echoes[i].request));
		CHECK_INT(echoes[i].name, 200, peer_read_answer(fd, &f.answer));
		CHECK_STR(echoes[i].name, echoes[i].want, peer_body(&f.answer));
		assert_true(str_find(buf_str(&f.answer), STR("X-Seen: yes"), &at));
		assert_false(str_find(buf_str(&f.answer), STR("Injected"), &at));
	}
	(void)close(fd);
	stop(&f);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /held HTTP/1.1\r\nHost: h\r\n\r\n"
			  "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n"));
	await_held(&f, 1);
	http_reply(take_held(&f), 204, NULL, STR_EMPTY, NULL, 0);
	CHECK_INT("first", 200, peer_read_answer(fd, &f.answer));
	CHECK_INT("second", 204, peer_read_answer(fd, &f.answer));
	CHECK_INT("third", 200, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
}

static void body_may_be_taken(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd"
			  "GET /length HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("status", 200, peer_read_answer(fd, &f.answer));
	CHECK_STR("length", "4", peer_body(&f.answer));
	CHECK_INT("status", 200, peer_read_answer(fd, &f.answer));
	CHECK_STR("no body", "0", peer_body(&f.answer));
	(void)close(fd);
	stop(&f);
}

static void expect_continue_is_obeyed(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 5\r\n\r\n"));
	buf_reset(&f.answer);
	peer_read_until(fd, &f.answer, "\r\n\r\n");
	assert_true(str_starts(buf_str(&f.answer), STR("HTTP/1.1 100 ")));
	peer_send(fd, STR("hello"));
	CHECK_INT("final", 200, peer_read_answer(fd, &f.answer));
	CHECK_STR("length", "5", peer_body(&f.answer));
	/* Over the limit: no invitation, the refusal at once. */
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 50000\r\n\r\n"));
	CHECK_INT("refused", 413, peer_read_answer(fd, &f.answer));
	assert_true(peer_is_closed(fd));
	(void)close(fd);
	stop(&f);
}

static void early_answers(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET /early HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("without a body the connection lives on", 401, peer_read_answer(fd, &f.answer));
	peer_send(fd, STR("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"));
	CHECK_INT("before the body", 401, peer_read_answer(fd, &f.answer));
	assert_true(peer_is_closed(fd));
	CHECK_INT("never handed over", 0, atomic_load(&f.requests));
	CHECK_INT("none open", 0, http_server_open_calls(f.server));
	(void)close(fd);
	stop(&f);
}

/* ---- limits ---- */

static void send_chunked(int fd, size_t total)
{
	char chunk[64];
	size_t left = total;

	peer_send(fd,
		  STR("POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
	while (left > 0) {
		size_t n = left < 10 ? left : 10;
		int len = snprintf(chunk, sizeof(chunk), "%zx\r\n%.*s\r\n", n, (int)n,
				   "0123456789");

		peer_send(fd, (struct str){ chunk, (size_t)len });
		left -= n;
	}
	peer_send(fd, STR("0\r\n\r\n"));
}

static void chunked_is_cut_at_the_crossing(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	send_chunked(fd, BODY_MAX);
	CHECK_INT("at the limit", 200, peer_read_answer(fd, &f.answer));
	CHECK_STR("length", "1000", peer_body(&f.answer));
	send_chunked(fd, BODY_MAX + 1);
	assert_true(peer_is_closed(fd));
	(void)close(fd);
	CHECK_INT("one was handed over", 1, atomic_load(&f.requests));
	stop(&f);
	CHECK_INT("one was not heard", 1, atomic_load(&f.unheard[HTTP_UNHEARD_LARGE]));
}

static void known_lengths_both_sides(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	char body[BODY_MAX];
	int fd;

	(void)state;
	start(&f, &o);
	memset(body, 'x', sizeof(body));
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"));
	peer_send(fd, (struct str){ body, sizeof(body) });
	CHECK_INT("at the limit", 200, peer_read_answer(fd, &f.answer));
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n"));
	CHECK_INT("over it, unread", 413, peer_read_answer(fd, &f.answer));
	assert_true(peer_is_closed(fd));
	(void)close(fd);
	stop(&f);
	CHECK_INT("not heard", 1, atomic_load(&f.unheard[HTTP_UNHEARD_LARGE]));
	CHECK_INT("told once", 0, atomic_load(&f.unheard[HTTP_UNHEARD_PARTIAL]));
}

/* The refusal reaches a client that sends its whole body first, as many libraries do. */
static void refusal_is_not_overtaken_by_a_reset(void **state)
{
	static char body[4 << 20];
	struct http_server_options o = plain();
	struct fixture f;
	char head[128];
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	(void)snprintf(head, sizeof(head),
		       "POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		       sizeof(body));
	peer_send(fd, str_from(head));
	peer_send(fd, (struct str){ body, sizeof(body) });
	CHECK_INT("refused", 413, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
}

static void a_large_body_arrives_whole(void **state)
{
	static char body[5 << 20];
	struct http_server_options o = plain();
	struct fixture f;
	char head[128];
	int fd;

	(void)state;
	start(&f, &o);
	memset(body, 'z', sizeof(body));
	fd = peer_connect(http_server_port(f.server));
	(void)snprintf(head, sizeof(head),
		       "POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		       sizeof(body));
	peer_send(fd, str_from(head));
	peer_send(fd, (struct str){ body, sizeof(body) });
	CHECK_INT("status", 200, peer_read_answer(fd, &f.answer));
	CHECK_STR("length", "5242880", peer_body(&f.answer));
	(void)close(fd);
	stop(&f);
}

static const struct {
	const char *name, *request;
	int want; /* 0: closed without an answer */
} refused[] = {
	{ "both lengths",
	  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "both, other order",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
	  400 },
	{ "two lengths",
	  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400 },
	{ "one length twice",
	  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", 400 },
	{ "length list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4, 4\r\n\r\n", 400 },
	{ "signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\n", 400 },
	{ "negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -4\r\n\r\n", 400 },
	{ "hex length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n\r\n", 400 },
	{ "huge length",
	  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 413 },
	{ "two encodings",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "encoding list", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	  400 },
	{ "unknown encoding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
	  400 },
	{ "encoding in 1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "folded, hiding the encoding",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n x\r\n\r\n", 400 },
	{ "folded, one blank for another",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:    chunked\r\n\tx\r\nA: b\r\n\r\n",
	  400 },
	{ "folded length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n 0\r\n\r\n", 400 },
	{ "blank before the colon", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 4\r\n\r\nabcd",
	  400 },
	{ "odd name", "GET / HTTP/1.1\r\nHost: h\r\nX(y): 4\r\n\r\n", 400 },
	{ "control character", "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01z\r\n\r\n", 400 },
	{ "lone CR", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: z\r\n\r\n", 400 },
	{ "no colon", "GET / HTTP/1.1\r\nHost: h\r\nNothing\r\n\r\n", 400 },
	{ "folded encoding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n gzip\r\n\r\n",
	  400 },
	{ "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400 },
	{ "NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
	{ "broken escape", "GET /a%2 HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
	{ "broken escape at the end", "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400 },
	{ "no chunk size",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400 },
	{ "huge chunk",
	  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
	  413 },
};

static void smuggling_forms_are_refused(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;

	(void)state;
	start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int fd = peer_connect(http_server_port(f.server));

		peer_send(fd, str_from(refused[i].request));
		CHECK_INT(refused[i].name, refused[i].want, peer_read_answer(fd, &f.answer));
		peer_read_all(fd, &f.answer); /* fails when the connection lives on */
		(void)close(fd);
	}
	CHECK_INT("none was handed over", 0, atomic_load(&f.requests));
	stop(&f);
}

static void heads_have_a_ceiling(void **state)
{
	static char filler[40000];
	struct http_server_options o = plain();
	struct fixture f;
	struct buf b;
	int fd;

	(void)state;
	start(&f, &o);
	memset(filler, 'x', sizeof(filler));
	buf_init(&b, 1 << 17);
	for (int i = 0; i < 4; i++) {
		/* Just fits; too long for us; too long for the daemon; too many fields. */
		static const int lengths[] = { 16000, 16500, 39000, 0 };
		static const int wants[] = { 200, 431, 431, 431 };

		buf_reset(&b);
		buf_put_text(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
		if (lengths[i] > 0)
			buf_put_fmt(&b, "X-Long: %.*s\r\n", lengths[i], filler);
		for (int k = 0; k < 100 && lengths[i] == 0; k++)
			buf_put_text(&b, "X-Many: 1\r\n");
		buf_put_text(&b, "\r\n");
		fd = peer_connect(http_server_port(f.server));
		peer_send(fd, buf_str(&b));
		CHECK_INT("head", wants[i], peer_read_answer(fd, &f.answer));
		(void)close(fd);
	}
	buf_release(&b);
	stop(&f);
}

/* ---- deadlines ---- */

#define SHORT_MS 60

static void trickled_requests_are_cut(void **state)
{
	static const struct {
		const char *name, *before, *drip;
	} cases[] = {
		{ "nothing at all", "", "" },
		{ "request line", "GET / HT", "T" },
		{ "fields", "GET / HTTP/1.1\r\nHost: h\r\n", "X" },
		{ "later head", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "G" },
		{ "body", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n", "b" },
	};
	struct http_server_options o = plain();
	struct fixture f;

	(void)state;
	o.head_timeout_ms = o.body_grace_ms = SHORT_MS;
	start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = peer_connect(http_server_port(f.server));
		int64_t began = clock_real_ns(), took;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char c;

		peer_send(fd, str_from(cases[i].before));
		for (;;) {
			if (poll(&p, 1, 5) == 1) {
				ssize_t n = recv(fd, &c, 1, 0);

				if (n <= 0)
					break; /* cut */
				continue; /* the answer to the first request */
			}
			(void)send(fd, cases[i].drip, strlen(cases[i].drip), MSG_NOSIGNAL);
			assert_true(clock_real_ns() - began < PEER_LIMIT_S * NS_PER_S);
		}
		took = (clock_real_ns() - began) / NS_PER_MS;
		/* Not early; and by this deadline, for the idle one is minutes away. */
		if (took < SHORT_MS - 5)
			fail_msg("%s: cut after %lld ms", cases[i].name, (long long)took);
		(void)close(fd);
	}
	stop(&f);
	CHECK_INT("not heard", ARRAY_LEN(cases), atomic_load(&f.unheard[HTTP_UNHEARD_PARTIAL]));
}

static void idle_connections_are_cut(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int64_t began;
	int fd;

	(void)state;
	o.idle_timeout_ms = SHORT_MS;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("served", 200, peer_read_answer(fd, &f.answer));
	began = clock_real_ns();
	assert_true(peer_is_closed(fd));
	assert_true(clock_real_ns() - began < PEER_LIMIT_S * NS_PER_S / 2);
	(void)close(fd);
	stop(&f);
}

static void who_leaves_in_the_middle_is_told_of(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{"));
	(void)close(fd);
	while (atomic_load(&f.unheard[HTTP_UNHEARD_PARTIAL]) == 0)
		assert_false(mailbox_wait(f.box, clock_real_ns() + NS_PER_MS));
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("whole", 200, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
	CHECK_INT("once", 1, atomic_load(&f.unheard[HTTP_UNHEARD_PARTIAL]));
}

/* A slow handler is not an idle connection. */
static void held_calls_have_no_deadline(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	o.head_timeout_ms = o.body_grace_ms = o.idle_timeout_ms = 10;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"));
	await_held(&f, 1);
	assert_false(mailbox_wait(f.box, clock_real_ns() + 40 * NS_PER_MS));
	http_reply_empty(take_held(&f), 200);
	CHECK_INT("late", 200, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
}

static void unread_answers_are_cut(void **state)
{
	static char large[16 << 20];
	struct http_server_options o = plain();
	struct fixture f;
	int64_t began;
	int fd;

	(void)state;
	o.idle_timeout_ms = SHORT_MS;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
	await_held(&f, 1);
	http_reply(take_held(&f), 200, NULL, str_make(large, sizeof(large)), NULL, 0);
	began = clock_real_ns();
	http_server_stop(f.server, 5000); /* would need its whole grace otherwise */
	assert_true(clock_real_ns() - began < 4 * NS_PER_S);
	(void)close(fd);
	mailbox_free(f.box);
	buf_release(&f.answer);
}

static void connections_over_the_maximum_are_refused(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fds[4], extra;

	(void)state;
	o.connections_max = ARRAY_LEN(fds);
	start(&f, &o);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = peer_connect(http_server_port(f.server));
		peer_send(fds[i], STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		CHECK_INT("within", 200, peer_read_answer(fds[i], &f.answer));
	}
	for (int i = 0; i < 100; i++) {
		extra = peer_connect(http_server_port(f.server));
		CHECK_INT("over", 503, peer_read_answer(extra, &f.answer));
		assert_true(peer_is_closed(extra));
		(void)close(extra);
	}
	(void)close(fds[0]);
	do { /* until the server has seen the close */
		extra = peer_connect(http_server_port(f.server));
		peer_send(extra, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
		(void)peer_read_answer(extra, &f.answer);
		(void)close(extra);
	} while (!str_starts(buf_str(&f.answer), STR("HTTP/1.1 200")));
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	stop(&f);
	assert_true(atomic_load(&f.unheard[HTTP_UNHEARD_FULL]) >= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_cases),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(body_may_be_taken),
		cmocka_unit_test(expect_continue_is_obeyed),
		cmocka_unit_test(early_answers),
		cmocka_unit_test(chunked_is_cut_at_the_crossing),
		cmocka_unit_test(known_lengths_both_sides),
		cmocka_unit_test(refusal_is_not_overtaken_by_a_reset),
		cmocka_unit_test(a_large_body_arrives_whole),
		cmocka_unit_test(smuggling_forms_are_refused),
		cmocka_unit_test(heads_have_a_ceiling),
		cmocka_unit_test(trickled_requests_are_cut),
		cmocka_unit_test(who_leaves_in_the_middle_is_told_of),
		cmocka_unit_test(idle_connections_are_cut),
		cmocka_unit_test(held_calls_have_no_deadline),
		cmocka_unit_test(unread_answers_are_cut),
		cmocka_unit_test(connections_over_the_maximum_are_refused),
	};

	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
