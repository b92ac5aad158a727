/* SPDX-License-Identifier: MIT */
/*
 * graph_peer.h - a scripted other side of HTTP for tests of the client
 *
 * A thread answers the requests one after the other by a script: one step for
 * each request. It keeps what it read, so that a test can look at the bytes.
 */
#ifndef TESTS_GRAPH_PEER_H
#define TESTS_GRAPH_PEER_H

#include "net_peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum peer_step {
	PEER_ANSWER, /* and close */
	PEER_KEEP, /* answer and keep the connection for the next step */
	PEER_CLOSE, /* read the request, close without an answer */
	PEER_HANG, /* read the request, never answer */
	PEER_CUT, /* promise more bytes than come */
};

struct graph_script {
	enum peer_step step;
	int status;
	const char *headers; /* extra lines, each with its CRLF; NULL: none */
	const char *body;
};

#define PEER_REQUESTS_MAX 32

struct graph_peer {
	int listen_fd;
	uint16_t port;
	pthread_t thread;
	const struct graph_script *script;
	size_t steps;
	atomic_size_t seen; /* requests */
	/* written by the thread, read after graph_peer_stop() */
	struct buf requests[PEER_REQUESTS_MAX];
	int hanging[PEER_REQUESTS_MAX];
	size_t hanging_count;
};

/* A request with its body into b; false when the client closed instead. */
static inline bool peer_read_request(int fd, struct buf *b)
{
	uint64_t length = 0;
	size_t at, head;
	char c;

	do {
		if (recv(fd, &c, 1, 0) <= 0)
			return false;
		buf_put_char(b, c);
	} while (!str_ends(buf_str(b), STR("\r\n\r\n")));
	head = b->len;
	if (str_find(buf_str(b), STR("Content-Length: "), &at)) {
		struct str rest = str_slice(buf_str(b), at + 16, head);

		assert_true(str_find(rest, STR("\r\n"), &at));
		assert_true(str_to_u64(str_slice(rest, 0, at), &length));
	}
	while (b->len < head + length) {
		if (recv(fd, &c, 1, 0) <= 0)
			return false;
		buf_put_char(b, c);
	}
	return true;
}

static inline void peer_answer(int fd, const struct graph_script *s)
{
	size_t len = s->body == NULL ? 0 : strlen(s->body);
	struct buf b;

	buf_init(&b, 1 << 24);
	buf_put_fmt(&b, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n", s->status);
	buf_put_fmt(&b, "Content-Length: %zu\r\n%s", len + (s->step == PEER_CUT ? 10 : 0),
		    s->headers == NULL ? "" : s->headers);
	buf_put_text(&b, s->step == PEER_KEEP ? "\r\n" : "Connection: close\r\n\r\n");
	buf_put(&b, s->body, len);
	(void)send(fd, b.data, b.len, MSG_NOSIGNAL); /* a client that went is a case of the test */
	buf_release(&b);
}

static inline void *peer_run(void *cookie)
{
	struct graph_peer *p = cookie;
	int fd = -1;

	while (p->seen < p->steps) {
		const struct graph_script *s = &p->script[p->seen];
		struct buf *b = &p->requests[p->seen];

		if (fd < 0)
			fd = accept(p->listen_fd, NULL, NULL);
		if (fd < 0)
			return NULL; /* stopped */
		peer_limit(fd);
		if (!peer_read_request(fd, b)) {
			(void)close(fd);
			fd = -1;
			buf_reset(b);
			continue;
		}
		p->seen++;
		if (s->step == PEER_HANG) {
			p->hanging[p->hanging_count++] = fd;
			fd = -1;
			continue;
		}
		if (s->step != PEER_CLOSE)
			peer_answer(fd, s);
		if (s->step == PEER_KEEP)
			continue;
		(void)close(fd);
		fd = -1;
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static inline void graph_peer_start(struct graph_peer *p, const struct graph_script *script,
				    size_t steps)
{
	memset(p, 0, sizeof(*p));
	assert_true(steps <= PEER_REQUESTS_MAX);
	for (size_t i = 0; i < steps; i++)
		buf_init(&p->requests[i], 1 << 20);
	p->script = script;
	p->steps = steps;
	p->listen_fd = peer_listen(&p->port);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

/* The thread ends; what it saw can be looked at until graph_peer_release(). */
static inline void graph_peer_stop(struct graph_peer *p)
{
	(void)shutdown(p->listen_fd, SHUT_RDWR);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	(void)close(p->listen_fd);
	for (size_t i = 0; i < p->hanging_count; i++)
		(void)close(p->hanging[i]);
}

static inline void graph_peer_release(struct graph_peer *p)
{
	for (size_t i = 0; i < p->steps; i++)
		buf_release(&p->requests[i]);
}

#endif
