/* SPDX-License-Identifier: MIT */
/* test_http_answers.c - the listener: late answers, streams, its end, its addresses */
#include "http_fixture.h"

#include "net/http_server_int.h"
#include <sys/stat.h>

/* ---- answers from another thread ---- */

#define MANY 512

static void many_suspended_calls(void **state)
{
	static int fds[MANY];
	struct http_server_options o = plain();
	struct fixture f;

	(void)state;
	start(&f, &o);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			if (round == 0)
				fds[i] = peer_connect(http_server_port(f.server));
			peer_send(fds[i], STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
		}
		await_held(&f, MANY);
		CHECK_INT("open", MANY, http_server_open_calls(f.server));
		while (f.held != NULL)
			http_reply_json(take_held(&f), 200, STR("{}"));
		CHECK_INT("answered", 0, http_server_open_calls(f.server));
		for (int i = 0; i < MANY; i++)
			CHECK_INT("each", 200, peer_read_answer(fds[i], &f.answer));
	}
	for (int i = 0; i < MANY; i++)
		(void)close(fds[i]);
	stop(&f);
}

/* The answer to a client that has gone is dropped, and the server goes on. */
static void client_leaves_while_suspended(void **state)
{
	struct http_server_options o = plain();
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	for (int i = 0; i < 20; i++) {
		fd = peer_connect(http_server_port(f.server));
		peer_send(fd, STR("POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
		await_held(&f, 1);
		if (i % 2 == 0) /* close by reset, and by FIN */
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		(void)close(fd);
		CHECK_STR("body outlives the client", "hi", http_body(f.held->call));
		http_reply_json(take_held(&f), 200, STR("{\"a\":1}"));
	}
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("still serving", 200, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
}

static void client_leaves_in_its_body(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
			  "Content-Length: 10\r\n\r\n"));
	buf_reset(&f.answer);
	peer_read_until(fd, &f.answer, "\r\n\r\n");
	CHECK_INT("open", 1, http_server_open_calls(f.server));
	peer_send(fd, STR("half"));
	(void)close(fd);
	while (http_server_open_calls(f.server) != 0)
		assert_true(clock_real_ns() < limit);
	CHECK_INT("not handed over", 0, atomic_load(&f.requests));
	stop(&f);
}

/* No answer: an orderly end, or a reset; the server goes on. */
static void aborted_calls(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;

	(void)state;
	start(&f, &o);
	for (int i = 0; i < 4; i++) {
		bool reset = i % 2 == 1;
		int fd = peer_connect(http_server_port(f.server));
		ssize_t n;
		char c;

		if (i >= 2) { /* on a connection that has been used */
			peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
			CHECK_INT("before", 200, peer_read_answer(fd, &f.answer));
		}
		peer_send(fd, STR("POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
		await_held(&f, 1);
		http_abort(take_held(&f), reset);
		n = recv(fd, &c, 1, 0);
		CHECK_INT("no byte", reset ? -1 : 0, n);
		if (reset)
			CHECK_INT("reset", ECONNRESET, errno);
		(void)close(fd);
	}
	CHECK_INT("all counted as answered", 0, http_server_open_calls(f.server));
	stop(&f);
}

static void all_forms_of_answers(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	char *bytes = xstrdup("given away");
	size_t at;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	for (int i = 0; i < 4; i++) {
		static const int want[] = { 503, 200, 404, 422 };
		struct http_call *c;

		peer_send(fd, STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
		await_held(&f, 1);
		c = take_held(&f);
		if (i == 0)
			http_reply_retry(c, 17);
		else if (i == 1)
			http_reply_take(c, 200, "text/x", str_from(bytes), NULL, 0);
		else if (i == 2)
			http_reply_empty(c, 404);
		else
			http_reply_json(c, 422, STR("{\"e\":2}"));
		CHECK_INT("status", want[i], peer_read_answer(fd, &f.answer));
		if (i == 0)
			assert_true(str_find(buf_str(&f.answer), STR("Retry-After: 17\r\n"), &at));
		if (i == 1)
			CHECK_STR("taken", "given away", peer_body(&f.answer));
		if (i == 3)
			assert_true(str_find(buf_str(&f.answer),
					     STR("Content-Type: application/json\r\n"), &at));
	}
	(void)close(fd);
	stop(&f);
}

/* ---- streams ---- */

static int open_stream(struct fixture *f)
{
	int fd = peer_connect(http_server_port(f->server));

	peer_send(fd, STR("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"));
	buf_reset(&f->answer);
	peer_read_until(fd, &f->answer, "data: hello\n\n");
	return fd;
}

static void stream_flows_and_ends(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	size_t at;
	int fd;

	(void)state;
	start(&f, &o);
	fd = open_stream(&f);
	assert_true(str_find(buf_str(&f.answer), STR("text/event-stream"), &at));
	assert_true(str_find(buf_str(&f.answer), STR("Transfer-Encoding: chunked"), &at));
	http_stream_send(f.stream, STR("data: one\n\n"));
	peer_read_until(fd, &f.answer, "data: one\n\n");
	for (int i = 0; i < 100; i++)
		http_stream_send(f.stream, STR("data: many\n\n"));
	http_stream_send(f.stream, STR("data: last\n\n"));
	http_stream_close(f.stream); /* what is queued goes out first */
	peer_read_until(fd, &f.answer, "0\r\n\r\n");
	assert_true(str_find(buf_str(&f.answer), STR("data: last\n\n"), &at));
	await_count(&f.closed, 1);
	(void)close(fd);
	stop(&f);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
}

static void stream_notices_its_client_leave(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = open_stream(&f);
	(void)close(fd);
	await_count(&f.closed, 1); /* without anything being sent */
	http_stream_send(f.stream, STR("to nobody"));
	http_stream_close(f.stream);
	stop(&f);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
}

static void slow_reader_is_cut(void **state)
{
	static char piece[16000];
	struct http_server_options o = plain();
	struct fixture f;
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;
	int fd;

	(void)state;
	start(&f, &o);
	memset(piece, 's', sizeof(piece));
	fd = open_stream(&f);
	while (atomic_load(&f.closed) == 0) { /* the socket's buffers first, then the queue */
		http_stream_send(f.stream, str_make(piece, sizeof(piece)));
		assert_true(clock_real_ns() < limit);
	}
	http_stream_close(f.stream);
	peer_read_all(fd, &f.answer);
	assert_false(str_ends(buf_str(&f.answer), STR("0\r\n\r\n"))); /* cut, not ended */
	(void)close(fd);
	stop(&f);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
}

static void more_than_the_queue_at_once_is_cut(void **state)
{
	static char piece[(1 << 16) + 1];
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	fd = open_stream(&f);
	http_stream_send(f.stream, str_make(piece, sizeof(piece)));
	await_count(&f.closed, 1);
	http_stream_close(f.stream);
	(void)close(fd);
	stop(&f);
}

/* What is queued behind a client that does not read goes with it. */
static void cut_by_its_owner(void **state)
{
	static char piece[1 << 15];
	struct http_server_options o = plain();
	struct fixture f;
	int fd;

	(void)state;
	start(&f, &o);
	memset(piece, 's', sizeof(piece));
	fd = open_stream(&f);
	http_stream_send(f.stream, str_make(piece, sizeof(piece)));
	http_stream_cut(f.stream);
	http_stream_cut(f.stream); /* once is enough */
	http_stream_close(f.stream);
	await_count(&f.closed, 1);
	peer_read_all(fd, &f.answer);
	assert_false(str_ends(buf_str(&f.answer), STR("0\r\n\r\n")));
	(void)close(fd);
	stop(&f);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
}

/* ---- the end ---- */

static void stop_waits_for_answers(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	size_t at;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
	await_held(&f, 1);
	http_server_quiesce(f.server);
	http_server_quiesce(f.server);
	http_reply_json(take_held(&f), 200, STR("{}"));
	http_server_stop(f.server, 60000);
	CHECK_INT("answered", 200, peer_read_answer(fd, &f.answer));
	assert_true(str_find(buf_str(&f.answer), STR("{}"), &at));
	assert_true(peer_is_closed(fd));
	(void)close(fd);
	mailbox_free(f.box);
	buf_release(&f.answer);
}

/* Calls and streams that nobody has finished survive the server as memory only. */
static void stop_cuts_what_is_unanswered(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	int fds[20], stream_fd;

	(void)state;
	start(&f, &o);
	stream_fd = open_stream(&f);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = peer_connect(http_server_port(f.server));
		peer_send(fds[i],
			  STR("POST /held?q=v HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
	}
	await_held(&f, ARRAY_LEN(fds));
	http_server_stop(f.server, 10);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
	http_stream_send(f.stream, STR("ignored"));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct http_call *c = take_held(&f);
		struct str q;

		assert_true(peer_is_closed(fds[i]));
		(void)close(fds[i]);
		CHECK_STR("still readable", "hi", http_body(c));
		assert_true(http_query(c, "q", &q));
		if (i == 3) /* an answer that would have been a stream */
			http_stream_close(http_reply_stream(c, "x/y", 10, on_stream_closed, &f));
		else
			http_reply_json(c, 200, STR("{}"));
		if (i == 10)
			http_stream_close(f.stream);
	}
	CHECK_INT("the second stream closed, too", 2, atomic_load(&f.closed));
	(void)close(stream_fd);
	mailbox_free(f.box);
	buf_release(&f.answer);
}

#define PATIENCE_MS 60000

static void *stop_patiently(void *server)
{
	http_server_stop(server, PATIENCE_MS);
	return NULL;
}

static void await_refused(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;

	for (int rc = 0; rc == 0;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_true(clock_real_ns() < limit);
		rc = connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to));
		(void)close(fd);
	}
}

/* Two streams whose owners hear of their end when the listener is about to leave. */
struct pair {
	struct mail later;
	struct fixture *f;
	struct http_stream *of[2];
	int ended; /* the listener's thread */
};

struct half {
	struct pair *pair;
	size_t which;
};

static struct http_stream *take_half(struct pair *p, size_t which)
{
	struct http_stream *st = p->of[which];

	p->of[which] = NULL;
	return st;
}

static void close_the_other(struct mail *mail)
{
	struct pair *p = CONTAINER_OF(mail, struct pair, later);

	http_stream_close(take_half(p, p->of[0] == NULL ? 1 : 0));
}

static void on_half_closed(void *cookie)
{
	const struct half *h = cookie;

	if (++h->pair->ended < 2)
		return;
	http_stream_close(take_half(h->pair, h->which)); /* its mail is on the way */
	mailbox_post(h->pair->f->server->box,
		     &h->pair->later); /* and behind it the other's owner */
}

/* One is closed as the listener counts what is still out, the other while it waits for that one. */
static void stop_with_two_streams_given_back_meanwhile(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	struct pair p = { .f = &f, .later = { .deliver = close_the_other } };
	struct half halves[2] = { { &p, 0 }, { &p, 1 } };
	int fds[2];

	(void)state;
	start(&f, &o);
	for (size_t i = 0; i < 2; i++) {
		fds[i] = peer_connect(http_server_port(f.server));
		peer_send(fds[i], STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
		await_held(&f, 1);
		p.of[i] = http_reply_stream(take_held(&f), "text/event-stream", 1000,
					    on_half_closed, &halves[i]);
		http_stream_send(p.of[i], STR("data: hello\n\n"));
		peer_read_until(fds[i], &f.answer, "data: hello\n\n");
		buf_reset(&f.answer);
	}
	http_server_stop(f.server, 5000);
	CHECK_INT("both ended", 2, p.ended);
	for (size_t i = 0; i < 2; i++) {
		assert_null(p.of[i]);
		assert_true(peer_is_closed(fds[i]));
		(void)close(fds[i]);
	}
	mailbox_free(f.box);
	buf_release(&f.answer);
}

/* A stream that begins when the listener is leaving already is cut, not waited for. */
static void stop_cuts_a_stream_that_comes_late(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	pthread_t thread;
	int64_t begin;
	int fd;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
	await_held(&f, 1);
	assert_int_equal(pthread_create(&thread, NULL, stop_patiently, f.server), 0);
	await_refused(http_server_port(f.server)); /* is_draining was set in that mail */
	begin = clock_real_ns();
	f.stream = http_reply_stream(take_held(&f), "x/y", 1000, on_stream_closed, &f);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(clock_real_ns() - begin < PATIENCE_MS / 2 * NS_PER_MS);
	CHECK_INT("closed once", 1, atomic_load(&f.closed));
	http_stream_close(f.stream);
	(void)close(fd);
	mailbox_free(f.box);
	buf_release(&f.answer);
}

struct replier {
	struct fixture *f;
	struct http_call *calls[64];
};

static void *reply_all(void *arg)
{
	struct replier *r = arg;

	for (size_t i = 0; i < ARRAY_LEN(r->calls); i++)
		http_reply_json(r->calls[i], 200, STR("{}"));
	return NULL;
}

/* Answers race with the end: each is delivered or dropped, none is lost or used twice. */
static void stop_races_with_answers(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;

	(void)state;
	for (int round = 0; round < 10; round++) {
		struct replier r = { .f = &f };
		int fds[ARRAY_LEN(r.calls)];
		pthread_t thread;

		start(&f, &o);
		for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
			fds[i] = peer_connect(http_server_port(f.server));
			peer_send(fds[i], STR("GET /held HTTP/1.1\r\nHost: h\r\n\r\n"));
		}
		await_held(&f, ARRAY_LEN(fds));
		for (size_t i = 0; i < ARRAY_LEN(fds); i++)
			r.calls[i] = take_held(&f);
		assert_int_equal(pthread_create(&thread, NULL, reply_all, &r), 0);
		http_server_stop(f.server, 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		for (size_t i = 0; i < ARRAY_LEN(fds); i++)
			(void)close(fds[i]);
		mailbox_free(f.box);
		buf_release(&f.answer);
	}
}

static void quiesce_closes_the_listener(void **state)
{
	struct http_server_options o = plain();
	struct fixture f;
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd, probe, failed;

	(void)state;
	start(&f, &o);
	fd = peer_connect(http_server_port(f.server));
	peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("before", 200, peer_read_answer(fd, &f.answer));
	http_server_quiesce(f.server);
	a.sin_port = htons(http_server_port(f.server));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		failed = connect(probe, (struct sockaddr *)(void *)&a, sizeof(a));
		(void)close(probe);
	} while (failed == 0);
	peer_send(fd, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	CHECK_INT("the connected are served", 200, peer_read_answer(fd, &f.answer));
	(void)close(fd);
	stop(&f);
}

/* ---- addresses ---- */

static void unix_socket(void **state)
{
	char dir[] = "/tmp/godwit-test-XXXXXX", path[64];
	struct http_server_options o = plain();
	struct gw_error err = GW_ERROR_INIT;
	struct http_server *second = NULL;
	struct fixture f;
	struct stat sb;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	for (int round = 0; round < 2; round++) {
		o.unix_path = path;
		start(&f, &o);
		assert_int_equal(lstat(path, &sb), 0);
		CHECK_INT("mode", 0600, sb.st_mode & 07777);
		fd = peer_connect_unix(path);
		peer_send(fd, STR("GET /u HTTP/1.1\r\nHost: h\r\n\r\n"));
		CHECK_INT("served", 200, peer_read_answer(fd, &f.answer));
		CHECK_STR("local", "GET /u /u q=- host=h peer=local local=1 n=0 body=",
			  peer_body(&f.answer));
		(void)close(fd);
		o.handlers = &HANDLERS;
		CHECK_INT("in use", GW_EBUSY, http_server_start(&o, &second, &err));
		assert_null(second);
		gw_error_clear(&err);
		stop(&f);
		assert_int_equal(lstat(path, &sb), -1); /* taken away with the server */
		if (round == 0) { /* leave a stale one for the second round */
			struct sockaddr_un a = { .sun_family = AF_UNIX };

			(void)str_copy(str_from(path), a.sun_path, sizeof(a.sun_path));
			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
			(void)close(fd);
		}
	}
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	(void)close(fd);
	CHECK_INT("a file of somebody's", GW_EBUSY, http_server_start(&o, &second, &err));
	(void)unlink(path);
	(void)rmdir(dir);
}

static void addresses_in_trouble(void **state)
{
	struct http_server_options o = plain();
	struct gw_error err = GW_ERROR_INIT;
	struct http_server *second = NULL;
	struct fixture f;
	char self[64];
	size_t at;

	(void)state;
	start(&f, &o);
	o.port = http_server_port(f.server);
	CHECK_INT("in use", GW_EBUSY, http_server_start(&o, &second, &err));
	(void)snprintf(self, sizeof(self), "(process %d)", (int)getpid());
	if (!str_find(str_from(err.message), str_from(self), &at))
		fail_msg("the owner is not named: %s", err.message);
	gw_error_clear(&err);
	o.address = "localhost";
	CHECK_INT("not an address", GW_EARG, http_server_start(&o, &second, &err));
	gw_error_clear(&err);
	o.address = "192.0.2.1";
	CHECK_INT("not ours", GW_EIO, http_server_start(&o, &second, &err));
	gw_error_clear(&err);
	o.address = NULL;
	o.unix_path = "/tmp/"
		      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	CHECK_INT("path too long", GW_ELIMIT, http_server_start(&o, &second, &err));
	assert_null(second);
	stop(&f);
	o.unix_path = NULL;
	o.address = "::1";
	o.port = 0;
	if (http_server_start(&o, &second, NULL) == GW_OK) { /* where IPv6 is configured */
		assert_int_not_equal(http_server_port(second), 0);
		http_server_stop(second, 0);
	}
	http_server_stop(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_suspended_calls),
		cmocka_unit_test(client_leaves_while_suspended),
		cmocka_unit_test(client_leaves_in_its_body),
		cmocka_unit_test(aborted_calls),
		cmocka_unit_test(all_forms_of_answers),
		cmocka_unit_test(stream_flows_and_ends),
		cmocka_unit_test(stream_notices_its_client_leave),
		cmocka_unit_test(slow_reader_is_cut),
		cmocka_unit_test(more_than_the_queue_at_once_is_cut),
		cmocka_unit_test(cut_by_its_owner),
		cmocka_unit_test(stop_waits_for_answers),
		cmocka_unit_test(stop_cuts_what_is_unanswered),
		cmocka_unit_test(stop_with_two_streams_given_back_meanwhile),
		cmocka_unit_test(stop_cuts_a_stream_that_comes_late),
		cmocka_unit_test(stop_races_with_answers),
		cmocka_unit_test(quiesce_closes_the_listener),
		cmocka_unit_test(unix_socket),
		cmocka_unit_test(addresses_in_trouble),
	};

	return cmocka_run_group_tests_name("http_answers", tests, NULL, NULL);
}
