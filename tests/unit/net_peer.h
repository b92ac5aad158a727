/* SPDX-License-Identifier: MIT */
/* net_peer.h - a plain socket for tests of the network code: exact bytes, and a time limit */
#ifndef TESTS_NET_PEER_H
#define TESTS_NET_PEER_H

#include "unit.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define PEER_LIMIT_S 10 /* a test that waits longer has failed */

static inline void peer_limit(int fd)
{
	struct timeval limit = { .tv_sec = PEER_LIMIT_S };
	int one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static inline int peer_connect(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer_limit(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	return fd;
}

static inline int peer_connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(str_copy(str_from(path), a.sun_path, sizeof(a.sun_path)));
	peer_limit(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	return fd;
}

static inline void peer_send(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		assert_true(n > 0);
		bytes.ptr += n;
		bytes.len -= (size_t)n;
	}
}

/* Read until `end` shows up or the other side closes; everything read is appended to b. */
static inline void peer_read_until(int fd, struct buf *b, const char *end)
{
	char piece[4096];
	size_t at;
	ssize_t n;

	while (end == NULL || !str_find(buf_str(b), str_from(end), &at)) {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && errno != ECONNRESET)
			fail_msg("recv: %s, after %zu bytes", strerror(errno), b->len);
		if (n <= 0)
			return;
		buf_put(b, piece, (size_t)n);
	}
}

static inline void peer_read_all(int fd, struct buf *b)
{
	peer_read_until(fd, b, NULL);
}

/* One answer with Content-Length: head and body into b (which is reset); its status. */
static inline int peer_read_answer(int fd, struct buf *b)
{
	size_t head, at;
	uint64_t length = 0;
	uint32_t status = 0;

	buf_reset(b);
	do { /* byte by byte: what follows may be the next answer */
		char c;
		ssize_t n = recv(fd, &c, 1, 0);

		if (n < 0 && errno != ECONNRESET)
			fail_msg("recv: %s, after %zu bytes", strerror(errno), b->len);
		if (n <= 0)
			return 0;
		buf_put_char(b, c);
	} while (!str_ends(buf_str(b), STR("\r\n\r\n")));
	head = b->len - 4;
	if (str_find(buf_str(b), STR("Content-Length: "), &at)) {
		struct str rest = str_slice(buf_str(b), at + 16, head + 2);

		assert_true(str_find(rest, STR("\r\n"), &at));
		assert_true(str_to_u64(str_slice(rest, 0, at), &length));
	}
	while (b->len < head + 4 + length) {
		char piece[4096];
		size_t want = head + 4 + (size_t)length - b->len;
		ssize_t n = recv(fd, piece, want < sizeof(piece) ? want : sizeof(piece), 0);

		if (n <= 0)
			fail_msg("the body ended after %zu of %zu bytes", b->len,
				 head + 4 + (size_t)length);
		buf_put(b, piece, (size_t)n);
	}
	assert_true(str_to_u32(str_slice(buf_str(b), 9, 12), &status));
	return (int)status;
}

static inline struct str peer_body(const struct buf *b)
{
	size_t at;

	assert_true(str_find(buf_str(b), STR("\r\n\r\n"), &at));
	return str_slice(buf_str(b), at + 4, b->len);
}

static inline bool peer_is_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* A listening socket on a free port of 127.0.0.1. */
static inline int peer_listen(uint16_t *out_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&a, &len), 0);
	*out_port = ntohs(a.sin_port);
	return fd;
}

#endif
