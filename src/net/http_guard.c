/* SPDX-License-Identifier: MIT */
/*
 * http_guard.c - deadlines of connections: whoever dawdles is cut
 *
 * libmicrohttpd 0.9.75 never cuts a trickled request (its only timeout starts
 * anew with every byte), so the server keeps its own deadline for each phase:
 *
 *   NEW    head_timeout_ms from the accept
 *   IDLE   idle_timeout_ms from the end of the last request.  The first bytes
 *          of the next head are not told to us, so the kernel is asked every
 *          head_timeout_ms how many bytes came; growth without a request line
 *          is a head that trickles, and becomes HEAD
 *   HEAD   head_timeout_ms from the request line (or from that discovery)
 *   BODY   every body_grace_ms at least HTTP_BODY_MIN_RATE must have come
 *   BUSY   none: the handler's business
 *   REPLY  idle_timeout_ms without a byte acknowledged by the peer, twice
 *
 * To cut is to shutdown(2) the socket: libmicrohttpd sees it closed and cleans
 * up by its own rules.
 *
 * INVARIANTS  1. A timer is armed at due_ns or earlier, unless due_ns is
 *                INT64_MAX.  Moving due_ns away (every request does) leaves the
 *                timer where it is: it looks again when it fires, so a busy
 *                connection costs no heap operations.
 * LIMITS      LINGER_MAX sockets, LINGER_BYTES each, LINGER_MS.
 * TESTS       tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MAX 64
#define LINGER_BYTES (16U << 20) /* four times the largest body we take */
#define LINGER_MS 2000

/* Bytes received and acknowledged so far, as the kernel counts them; false on a Unix socket. */
static bool tcp_counts(const struct http_conn *conn, uint64_t *received, uint64_t *acked)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (conn->server->unix_path != NULL ||
	    getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return false;
	*received = info.tcpi_bytes_received;
	*acked = info.tcpi_bytes_acked;
	return true;
}

static void look_at(struct http_conn *conn, int64_t due_ns)
{
	conn->due_ns = due_ns;
	if (due_ns != INT64_MAX &&
	    (!timer_is_armed(&conn->timer) || conn->timer.at_ns > due_ns)) /* inv. 1 */
		timer_at(&conn->timer, due_ns);
}

void guard_cut(struct http_conn *conn, const char *why)
{
	if (conn->phase == CONN_CUT)
		return;
	if (conn->server->options.log != NULL && why != NULL)
		log_debug(conn->server->options.log, "http: cut listener=%s peer=%s why=\"%s\"",
			  conn->server->name, conn->peer, why);
	conn->phase = CONN_CUT;
	conn->due_ns = INT64_MAX;
	(void)shutdown(conn->fd, SHUT_RDWR);
}

static void look_idle(struct http_conn *conn, int64_t now)
{
	const struct http_server_options *o = &conn->server->options;
	int64_t end = conn->since_ns + o->idle_timeout_ms * NS_PER_MS;
	int64_t next = now + o->head_timeout_ms * NS_PER_MS;
	uint64_t received = 0, acked;

	if (now >= end) {
		guard_cut(conn, "idle");
		return;
	}
	(void)tcp_counts(conn, &received, &acked);
	if (conn->looked && received != conn->progress) {
		guard_phase(conn, CONN_HEAD);
		return;
	}
	conn->progress = received;
	conn->looked = true;
	look_at(conn, next < end ? next : end);
}

static void look_body(struct http_conn *conn, int64_t now)
{
	const struct http_server_options *o = &conn->server->options;
	uint64_t here = conn->call == NULL ? 0 : conn->call->body_len;
	uint64_t want = (uint64_t)o->body_grace_ms * HTTP_BODY_MIN_RATE / 1000;

	if (here - conn->progress < want) {
		guard_cut(conn, "slow body");
		return;
	}
	conn->progress = here;
	look_at(conn, now + o->body_grace_ms * NS_PER_MS);
}

static void look_reply(struct http_conn *conn, int64_t now)
{
	uint64_t received, acked = 0;

	if (!tcp_counts(conn, &received, &acked))
		return; /* a Unix peer is our own user */
	if (conn->looked && acked == conn->progress) {
		guard_cut(conn, "does not read its answer");
		return;
	}
	conn->progress = acked;
	conn->looked = true;
	look_at(conn, now + conn->server->options.idle_timeout_ms * NS_PER_MS);
}

static void on_due(void *cookie)
{
	struct http_conn *conn = cookie;
	int64_t now = clock_real_ns();

	if (now < conn->due_ns) { /* it was moved away, or there is none now */
		look_at(conn, conn->due_ns);
		return;
	}
	switch (conn->phase) {
	case CONN_NEW:
	case CONN_HEAD:
		server_unheard(conn->server, NULL, HTTP_UNHEARD_PARTIAL);
		guard_cut(conn, "head too slow");
		return;
	case CONN_IDLE: look_idle(conn, now); return;
	case CONN_BODY: look_body(conn, now); return;
	case CONN_REPLY: look_reply(conn, now); return;
	case CONN_BUSY:
	case CONN_CUT: return;
	}
}

void guard_init(struct http_conn *conn)
{
	timer_init(&conn->timer, conn->server->loop, LOOP_REAL, on_due, conn);
	guard_phase(conn, CONN_NEW);
}

void guard_phase(struct http_conn *conn, enum conn_phase phase)
{
	const struct http_server_options *o = &conn->server->options;
	int64_t first = o->head_timeout_ms;

	if (conn->phase == CONN_CUT)
		return;
	conn->phase = phase;
	conn->looked = false;
	conn->progress = 0;
	if (phase == CONN_BUSY) {
		conn->due_ns = INT64_MAX;
		return;
	}
	if (phase == CONN_BODY)
		first = o->body_grace_ms;
	else if (phase == CONN_REPLY || (phase == CONN_IDLE && o->idle_timeout_ms < first))
		first = o->idle_timeout_ms;
	conn->since_ns = clock_real_ns();
	look_at(conn, conn->since_ns + first * NS_PER_MS);
}

void guard_release(struct http_conn *conn)
{
	timer_cancel(&conn->timer);
}

/* A socket whose answer is out, read until its peer closes too. */
struct lingering {
	struct http_server *server;
	struct lingering *next, **link;
	struct loop_watch *watch;
	struct timer timer;
	int fd;
	size_t left;
};

static void end_linger(void *cookie)
{
	struct lingering *l = cookie;

	*l->link = l->next;
	if (l->next != NULL)
		l->next->link = l->link;
	timer_cancel(&l->timer);
	loop_unwatch(l->watch);
	(void)close(l->fd);
	l->server->linger_count--;
	free(l);
}

static void on_linger(void *cookie, uint32_t events)
{
	char scratch[16384];
	struct lingering *l = cookie;
	ssize_t n;

	(void)events;
	n = recv(l->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n >= l->left)
		end_linger(l);
	else
		l->left -= (size_t)n;
}

void guard_linger(struct http_server *s, int fd)
{
	struct lingering *l;

	if (s->linger_count >= LINGER_MAX || s->is_draining) {
		(void)close(fd);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->server = s;
	l->fd = fd;
	l->left = LINGER_BYTES;
	l->next = s->lingers;
	l->link = &s->lingers;
	if (l->next != NULL)
		l->next->link = &l->next;
	s->lingers = l;
	s->linger_count++;
	timer_init(&l->timer, s->loop, LOOP_REAL, end_linger, l);
	timer_in_ms(&l->timer, LINGER_MS);
	l->watch = loop_watch(s->loop, fd, EPOLLIN, on_linger, l);
}

void guard_end_lingers(struct http_server *s)
{
	while (s->lingers != NULL)
		end_linger(s->lingers);
}
