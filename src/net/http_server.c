/* SPDX-License-Identifier: MIT */
/*
 * http_server.c - a listener's thread: accepting, and libmicrohttpd inside our loop
 *
 * ROLE        Owns the daemon, the connections and the end of both.  The
 *             daemon's epoll descriptor is watched by the thread's own loop,
 *             beside the mailbox that brings answers of other threads.  One
 *             turn: io marks the daemon dirty, mail resumes connections, and
 *             before the loop sleeps the daemon runs once for both.
 *
 *             libmicrohttpd 0.9.75 stalls with its internal epoll thread and
 *             when a connection is resumed from another thread, and aborts
 *             when it is stopped with a suspended connection; hence this shape
 *             (measured, November 2026).  Sockets are accepted here and handed
 *             over with MHD_add_connection(), so that the maximum is answered
 *             with 503 instead of silence.
 *
 * INVARIANTS  1. Only this thread calls into the daemon after the start.
 *             2. MHD_stop_daemon() is called with no connection left.
 *             3. Calls and streams that outlive the server hold a reference
 *                each; the last one frees what they point to.
 * FAILURE     Out of descriptors: accepting pauses ACCEPT_PAUSE_MS, one log line.
 * THREADS     start, stop, port: the owner's.  quiesce, open_calls: any.
 * TESTS       tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS 100
#define LOG_EVERY_NS (60 * NS_PER_S)
/*
 * Head and its parsed form, and the answer's head, share this.  The daemon clears it after every
 * request, which is a microsecond at 32 KiB.
 */
#define CONNECTION_MEMORY ((size_t)24 * 1024)

static const char FULL_ANSWER[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
				  "Content-Length: 0\r\nConnection: close\r\n\r\n";

bool server_is_here(const struct http_server *s)
{
	return pthread_equal(pthread_self(), s->thread) != 0;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = cls;
	struct http_conn *conn = what == MHD_CONNECTION_NOTIFY_STARTED ? s->accepting
								       : *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		s->accepting = NULL;
		conn->mhd = mhd;
		conn->next = s->conns;
		conn->link = &s->conns;
		if (conn->next != NULL)
			conn->next->link = &conn->next;
		s->conns = conn;
		s->conn_count++;
		guard_init(conn);
		*socket_context = conn;
		return;
	}
	call_over(conn);
	guard_release(conn);
	*conn->link = conn->next;
	if (conn->next != NULL)
		conn->next->link = conn->link;
	s->conn_count--;
	free(conn->target);
	free(conn);
}

static void log_seldom(struct http_server *s, const char *what, int error)
{
	int64_t now = clock_real_ns();

	if (s->options.log == NULL ||
	    (s->flood_logged_ns != 0 && now - s->flood_logged_ns < LOG_EVERY_NS))
		return;
	s->flood_logged_ns = now;
	log_warn(s->options.log, "http: %s listener=%s connections=%zu max=%u errno=%d", what,
		 s->name, s->conn_count, s->options.connections_max, error);
}

void server_unheard(const struct http_server *s, const struct http_call *c, enum http_unheard why)
{
	const struct http_server_handlers *h = s->options.handlers;

	if (h->on_unheard != NULL)
		h->on_unheard(s->options.cookie, c, why);
}

static void refuse_connection(struct http_server *s, int fd)
{
	log_seldom(s, "too many connections, refusing", 0);
	server_unheard(s, NULL, HTTP_UNHEARD_FULL);
	(void)send(fd, FULL_ANSWER, sizeof(FULL_ANSWER) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	guard_linger(s, fd);
}

static void add_connection(struct http_server *s, int fd, const struct sockaddr_storage *from,
			   socklen_t len)
{
	struct http_conn *conn = xcalloc(1, sizeof(*conn));
	const void *address = NULL;

	if (from->ss_family == AF_INET)
		address = &((const struct sockaddr_in *)(const void *)from)->sin_addr;
	else if (from->ss_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	if (address == NULL ||
	    inet_ntop(from->ss_family, address, conn->peer, sizeof(conn->peer)) == NULL)
		(void)str_copy(STR("local"), conn->peer, sizeof(conn->peer));
	conn->server = s;
	conn->fd = fd;
	s->accepting = conn;
	/* It takes the socket in any case; on_connection() takes conn. */
	(void)MHD_add_connection(s->daemon, fd, (const struct sockaddr *)(const void *)from, len);
	if (s->accepting != NULL) {
		s->accepting = NULL;
		free(conn);
	}
	s->is_dirty = true;
}

static void on_listener(void *cookie, uint32_t events)
{
	struct http_server *s = cookie;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(from);
		int fd = accept4(s->listen_fd, (struct sockaddr *)(void *)&from, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			if (errno != EAGAIN) { /* EMFILE and the like would spin */
				log_seldom(s, "cannot accept, pausing", errno);
				server_unheard(s, NULL, HTTP_UNHEARD_FULL);
				loop_watch_change(s->listen_watch, 0);
				timer_in_ms(&s->accept_timer, ACCEPT_PAUSE_MS);
			}
			return;
		}
		if (s->conn_count >= s->options.connections_max)
			refuse_connection(s, fd);
		else
			add_connection(s, fd, &from, len);
	}
}

static void accept_again(void *cookie)
{
	struct http_server *s = cookie;

	if (s->listen_watch != NULL)
		loop_watch_change(s->listen_watch, EPOLLIN);
}

static void on_daemon_ready(void *cookie, uint32_t events)
{
	struct http_server *s = cookie;

	(void)events;
	s->is_dirty = true;
}

static void on_again(void *cookie)
{
	on_daemon_ready(cookie, 0);
}

/* Before the loop sleeps: one run for all that arrived and all that was answered. */
static void run_daemon(void *cookie)
{
	struct http_server *s = cookie;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	if (s->is_dirty) {
		s->is_dirty = false;
		(void)MHD_run(s->daemon);
		/* The only timeout it can have is "at once": its own are off. */
		if (s->is_dirty ||
		    (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES && wait_ms == 0))
			timer_at(&s->again_timer, clock_real_ns());
	}
	if (s->is_draining && s->conn_count == 0)
		loop_stop(s->loop);
}

static void stop_listening(struct http_server *s)
{
	if (s->listen_fd < 0)
		return;
	loop_unwatch(s->listen_watch);
	s->listen_watch = NULL;
	timer_cancel(&s->accept_timer);
	if (s->unix_path != NULL)
		listen_unlink(s->unix_path, s->unix_inode);
	(void)close(s->listen_fd);
	s->listen_fd = -1;
}

static void on_quiesce(struct mail *mail)
{
	stop_listening(CONTAINER_OF(mail, struct http_server, quiesce_mail));
}

/* Cut every connection; calls that are not answered are orphaned. */
static void cut_all(struct http_server *s)
{
	struct http_conn *next;
	size_t orphans = 0;

	for (struct http_conn *conn = s->conns; conn != NULL; conn = next) {
		struct http_call *c = conn->call;

		next = conn->next;
		if (c != NULL && c->is_ready && c->stream != NULL)
			stream_cut(c->stream);
		else if (c != NULL && c->handed_over && !c->is_ready && call_orphan(c))
			orphans++;
		guard_cut(conn, NULL);
	}
	s->is_dirty = true;
	if (orphans > 0 && s->options.log != NULL)
		log_warn(s->options.log,
			 "http: stopped with unanswered calls listener=%s calls=%zu", s->name,
			 orphans);
}

static void on_grace_over(void *cookie)
{
	struct http_server *s = cookie;

	cut_all(s); /* run_daemon() ends the loop when the last connection is gone */
}

static void on_stop(struct mail *mail)
{
	struct http_server *s = CONTAINER_OF(mail, struct http_server, stop_mail);

	stop_listening(s);
	s->is_draining = true;
	for (struct http_conn *conn = s->conns; conn != NULL; conn = conn->next) {
		if (conn->call == NULL)
			guard_cut(conn, NULL);
		else if (conn->call->is_ready && conn->call->stream != NULL)
			stream_cut(conn->call->stream);
	}
	timer_in_ms(&s->stop_timer, s->grace_ms);
	s->is_dirty = true;
}

/* Streams still in their owners' hands, after all connections are gone. */
static void orphan_streams(struct http_server *s)
{
	bool waiting = true;

	while (waiting) {
		waiting = false;
		for (struct http_stream *st = s->streams; st != NULL; st = st->next)
			waiting |= !stream_orphan(st);
		/* Closed this moment: the mail is on its way, and frees the stream. */
		if (waiting && mailbox_wait(s->box, INT64_MAX))
			(void)mailbox_drain(s->box);
	}
}

static void *server_main(void *arg)
{
	struct http_server *s = arg;

	loop_run(s->loop);
	orphan_streams(s);
	MHD_stop_daemon(s->daemon); /* inv. 2 */
	guard_end_lingers(s);
	loop_detach(s->loop, s->box);
	loop_free(s->loop);
	return NULL;
}

static void server_free(struct http_server *s)
{
	struct http_call *c;
	struct http_stream *st;

	(void)mailbox_drain(s->box); /* what was sent to streams that had ended */
	mailbox_free(s->box);
	while ((c = s->orphans) != NULL) {
		s->orphans = c->next_orphan;
		call_free(c);
	}
	while ((st = s->streams) != NULL)
		stream_free(st);
	free(s->unix_path);
	free(s);
}

void server_unref(struct http_server *s)
{
	if (atomic_fetch_sub(&s->refs, 1) == 1) /* inv. 3 */
		server_free(s);
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;

	/* Closed connections count until they are cleaned up, so its own limit lies higher. */
	return MHD_start_daemon(flags, 0, NULL, NULL, call_on_access, s,
				MHD_OPTION_CONNECTION_LIMIT, s->options.connections_max + 64,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_URI_LOG_CALLBACK, call_on_target, s,
				MHD_OPTION_NOTIFY_COMPLETED, call_on_completed, s,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

static gw_status start_listening(struct http_server *s, struct gw_error *err)
{
	const struct http_server_options *o = &s->options;
	gw_status st;

	if (o->unix_path == NULL)
		return listen_tcp(o->address == NULL ? "127.0.0.1" : o->address, o->port,
				  &s->listen_fd, &s->port, err);
	st = listen_unix(o->unix_path, &s->listen_fd, &s->unix_inode, err);
	if (st == GW_OK)
		s->unix_path = xstrdup(o->unix_path);
	return st;
}

/* The daemon and the listener in the loop of the thread to come. */
static void set_up_loop(struct http_server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	s->loop = loop_new(NULL); /* sockets live on the real clock only */
	timer_init(&s->accept_timer, s->loop, LOOP_REAL, accept_again, s);
	timer_init(&s->again_timer, s->loop, LOOP_REAL, on_again, s);
	timer_init(&s->stop_timer, s->loop, LOOP_REAL, on_grace_over, s);
	loop_attach(s->loop, s->box);
	loop_before_sleep(s->loop, run_daemon, s);
	s->daemon_watch = loop_watch(s->loop, info->epoll_fd, EPOLLIN, on_daemon_ready, s);
	s->listen_watch = loop_watch(s->loop, s->listen_fd, EPOLLIN, on_listener, s);
}

static void start_thread(struct http_server *s)
{
	sigset_t all, old;

	/* Signals are the main thread's; SIGPIPE among them, so writes report EPIPE. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&s->thread, NULL, server_main, s) != 0)
		PANIC("no thread for the %s listener", s->name);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_setname_np(s->thread, s->name);
}

gw_status http_server_start(const struct http_server_options *o, struct http_server **out,
			    struct gw_error *err)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	gw_status st;

	ASSERT(o->handlers != NULL && o->handlers->on_request != NULL);
	ASSERT(o->connections_max > 0);
	s->options = *o;
	s->listen_fd = -1;
	(void)str_copy(str_from(o->name), s->name, 16); /* the most a thread's name may have */
	atomic_init(&s->refs, 1);
	st = start_listening(s, err);
	if (st != GW_OK)
		goto out;
	s->daemon = start_daemon(s);
	if (s->daemon == NULL) {
		st = gw_error_set(err, GW_EIO, "libmicrohttpd did not start for %s", s->name);
		goto out;
	}
	s->box = mailbox_new();
	s->quiesce_mail.deliver = on_quiesce;
	s->stop_mail.deliver = on_stop;
	set_up_loop(s);
	start_thread(s);
	*out = s;
	s = NULL;
out:
	if (s != NULL && s->listen_fd >= 0)
		(void)close(s->listen_fd);
	if (s != NULL && s->unix_path != NULL)
		listen_unlink(s->unix_path, s->unix_inode);
	if (s != NULL)
		free(s->unix_path);
	free(s);
	return st;
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

size_t http_server_open_calls(const struct http_server *s)
{
	return atomic_load(&s->open_calls);
}

void http_server_quiesce(struct http_server *s)
{
	if (!atomic_exchange(&s->quiesced, true))
		mailbox_post(s->box, &s->quiesce_mail);
}

void http_server_stop(struct http_server *s, int64_t grace_ms)
{
	if (s == NULL)
		return;
	ASSERT(!server_is_here(s));
	s->grace_ms = grace_ms;
	mailbox_post(s->box, &s->stop_mail);
	if (pthread_join(s->thread, NULL) != 0)
		PANIC("cannot join the %s listener", s->name);
	server_unref(s);
}
