/* SPDX-License-Identifier: MIT */
/*
 * script_peer.h - a server that misbehaves as it is told: a thread playing a script
 *
 * Resets, half answers and silences come exactly where a test wants them.
 */
#ifndef TESTS_SCRIPT_PEER_H
#define TESTS_SCRIPT_PEER_H

#include "net_peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

enum act {
	ACT_END, /* close the connection and the listener */
	ACT_NEXT, /* close the connection, accept another */
	ACT_RESET, /* the same by a reset */
	ACT_READ, /* one request, head and body */
	ACT_SAY, /* the next text */
	ACT_HANG, /* nothing, until the client closes */
	ACT_MORE, /* close; count connections that still come in 100 ms */
};

struct peer {
	int listen_fd;
	uint16_t port;
	pthread_t thread;
	const enum act *script;
	const char *const *texts;
	atomic_int requests, connections;
	char last[8192]; /* the last request */
};

/* One request; false when the client closed. */
static inline bool read_request(struct peer *p, int fd)
{
	char text[sizeof(p->last)];
	size_t n = 0, head = 0, at;
	uint64_t length = 0;
	ssize_t got;

	for (;;) {
		struct str all = { text, n }, rest;

		if (head == 0 && str_find(all, STR("\r\n\r\n"), &at)) {
			head = at + 4;
			if (str_find(all, STR("Content-Length: "), &at)) {
				rest = str_slice(all, at + 16, n);
				if (str_find(rest, STR("\r\n"), &at))
					(void)str_to_u64(str_slice(rest, 0, at), &length);
			}
		}
		if (head > 0 && n >= head + length)
			break;
		got = recv(fd, text + n, sizeof(text) - n - 1, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	(void)str_copy(str_make(text, n), p->last, sizeof(p->last));
	atomic_fetch_add(&p->requests, 1);
	return true;
}

static inline int accept_one(struct peer *p)
{
	struct pollfd w = { .fd = p->listen_fd, .events = POLLIN };
	int fd = poll(&w, 1, PEER_LIMIT_S * 1000) == 1 ? accept(p->listen_fd, NULL, NULL) : -1;

	if (fd >= 0) {
		atomic_fetch_add(&p->connections, 1);
		peer_limit(fd);
	}
	return fd;
}

static inline void *peer_main(void *arg)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct peer *p = arg;
	const char *const *text = p->texts;
	int fd = accept_one(p);
	char c;

	for (const enum act *a = p->script; fd >= 0 && *a != ACT_END; a++) {
		switch (*a) {
		case ACT_END: break;
		case ACT_READ: (void)read_request(p, fd); break;
		case ACT_SAY:
			(void)send(fd, *text, strlen(*text), MSG_NOSIGNAL);
			text++;
			break;
		case ACT_HANG:
			while (recv(fd, &c, 1, 0) > 0)
				;
			break;
		case ACT_RESET:
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			(void)close(fd);
			fd = a[1] == ACT_END ? -1 : accept_one(p);
			break;
		case ACT_NEXT:
			(void)close(fd);
			fd = accept_one(p);
			break;
		case ACT_MORE: {
			struct pollfd w = { .fd = p->listen_fd, .events = POLLIN };

			(void)close(fd);
			fd = -1;
			if (poll(&w, 1, 100) == 1 && (fd = accept_one(p)) >= 0)
				(void)read_request(p, fd);
			break;
		}
		}
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

static inline void peer_start(struct peer *p, const enum act *script, const char *const *texts)
{
	memset(p, 0, sizeof(*p));
	p->listen_fd = peer_listen(&p->port);
	p->script = script;
	p->texts = texts;
	assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static inline void peer_stop(struct peer *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	(void)close(p->listen_fd);
}

#endif
