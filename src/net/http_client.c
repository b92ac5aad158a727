/* SPDX-License-Identifier: MIT */
/*
 * http_client.c - libcurl's multi handle on a loop
 *
 * LIFE        start -> on the list `starting`; a timer due at once hands the
 *             list to libcurl in the loop, so a callback never runs inside
 *             start and requests started in one turn leave together; done ->
 *             outcome, callback, pool.
 *
 * SOCKETS     libcurl asks to watch and unwatch a descriptor for every request
 *             on it; on kept-alive connections that is two epoll_ctl(2) calls
 *             for nothing.  So a watch stays in the loop, unwanted, until the
 *             descriptor is closed or reports something nobody asked for.
 *             Only where libcurl tells of the close, though: it closes a socket
 *             that never got connected (a time-out, a cancel) and a resolver's
 *             without a word (7.88, cf_socket_close), and the number may be
 *             anybody's a moment later.  So a socket is kept once it has
 *             carried a request to its end; until then it goes when libcurl
 *             lets go of it.
 *
 * INVARIANTS  1. `running` holds exactly the exchanges that are in the multi
 *                handle.
 *             2. libcurl is not entered while it is calling us back: a cancel
 *                from inside on_chunk() marks, and the removal follows.
 *             3. A settled descriptor is unwatched before it is closed, any other
 *                when libcurl lets go of it; none is in sockets[] afterwards.
 * FAILURE     Only out of memory ends the process; all else is an outcome.
 * THREADS     The loop's.  libcurl looks names up in threads of its own.
 * TESTS       tests/unit/test_http_client.c
 */
#include "http_client_int.h"

#include "base/mem.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define POOL_MAX 256 /* exchanges kept for the next requests */
#define HOST_CONNECTIONS 256L
#define CACHED_CONNECTIONS 256L
#define KICKS_MAX 16 /* times in a row that libcurl may ask for "at once" */

/* ---- lists ---- */

static void list_put(struct http_exchange **head, struct http_exchange *x)
{
	x->next = *head;
	x->link = head;
	if (x->next != NULL)
		x->next->link = &x->next;
	*head = x;
}

static void list_take(struct http_client *c, struct http_exchange *x)
{
	*x->link = x->next;
	if (x->next != NULL)
		x->next->link = x->link;
	else if (c->starting_end == &x->next)
		c->starting_end = x->link;
}

/* ---- sockets ---- */

static void drop_socket(struct client_socket *s)
{
	loop_unwatch_closed(s->watch);
	s->client->sockets[s->fd] = NULL;
	free(s);
}

static void run_curl(struct http_client *c, curl_socket_t fd, int mask);

static void on_ready(void *cookie, uint32_t events)
{
	struct client_socket *s = cookie;
	int mask = 0;

	if (!s->is_wanted) {
		/* A pooled connection ended; libcurl looks before it uses one again. */
		loop_unwatch(s->watch);
		s->watch = NULL;
		return;
	}
	if ((events & (EPOLLIN | EPOLLHUP)) != 0)
		mask |= CURL_CSELECT_IN;
	if ((events & EPOLLOUT) != 0)
		mask |= CURL_CSELECT_OUT;
	if ((events & EPOLLERR) != 0)
		mask |= CURL_CSELECT_ERR;
	run_curl(s->client, s->fd, mask);
}

static struct client_socket *socket_of(struct http_client *c, int fd)
{
	return (size_t)fd < c->socket_cap ? c->sockets[fd] : NULL;
}

static struct client_socket *socket_new(struct http_client *c, int fd)
{
	struct client_socket *s = xcalloc(1, sizeof(*s));

	if ((size_t)fd >= c->socket_cap) {
		size_t cap = (size_t)fd + 64;

		c->sockets = xreallocarray(c->sockets, cap, sizeof(struct client_socket *));
		memset(c->sockets + c->socket_cap, 0,
		       (cap - c->socket_cap) * sizeof(struct client_socket *));
		c->socket_cap = cap;
	}
	ASSERT(c->sockets[fd] == NULL); /* inv. 3 */
	s->client = c;
	s->fd = fd;
	c->sockets[fd] = s;
	return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *cookie, void *of_socket)
{
	struct http_client *c = cookie;
	struct client_socket *s = socket_of(c, fd);
	uint32_t events = 0;

	(void)easy;
	(void)of_socket;
	if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
		if (s != NULL)
			s->is_wanted = false;
		if (s != NULL && !s->is_settled)
			drop_socket(s); /* inv. 3 */
		return 0;
	}
	if ((what & CURL_POLL_IN) != 0)
		events |= EPOLLIN;
	if ((what & CURL_POLL_OUT) != 0)
		events |= EPOLLOUT;
	if (s == NULL)
		s = socket_new(c, fd);
	if (s->watch == NULL)
		s->watch = loop_watch(c->loop, fd, events, on_ready, s);
	else
		loop_watch_change(s->watch, events);
	s->is_wanted = true;
	return 0;
}

curl_socket_t client_open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_exchange *x = cookie;
	const struct egress *guard = x->client->egress;

	(void)purpose;
	x->addresses_tried++;
	if (guard != NULL &&
	    !egress_allows(guard, &address->addr, x->refusal, sizeof(x->refusal))) {
		x->addresses_refused++;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      address->protocol);
}

/* A request went through on a new connection: from now on its watch may stay. */
static void settle_socket(struct http_client *c, CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct client_socket *s;
	long connects = 0;

	if (curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK ||
	    connects == 0 || curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return; /* a used one, or it was not kept alive */
	s = socket_of(c, fd);
	if (s == NULL)
		s = socket_new(c, fd);
	s->is_settled = true;
}

int client_close_socket(void *cookie, curl_socket_t fd)
{
	struct client_socket *s = socket_of(cookie, fd);

	if (s != NULL)
		drop_socket(s); /* inv. 3 */
	return close(fd);
}

/* ---- time ---- */

/* Enter libcurl at due_ns or earlier: too early costs a look, moving the timer a heap operation. */
static void enter_by(struct http_client *c, int64_t due_ns)
{
	if (!timer_is_armed(&c->timer) || c->timer.at_ns > due_ns)
		timer_at(&c->timer, due_ns);
}

/* ---- exchanges ---- */

static void retire(struct http_exchange *x)
{
	struct http_client *c = x->client;

	if (c->idle_count >= POOL_MAX) {
		exchange_free(x);
		return;
	}
	exchange_clean(x);
	list_put(&c->idle, x);
	c->idle_count++;
}

/* Out of libcurl and of the lists; the exchange is the caller's to retire. */
static void withdraw(struct http_exchange *x)
{
	struct http_client *c = x->client;

	if (x->state == EXCHANGE_RUNNING) {
		c->in_curl++;
		(void)curl_multi_remove_handle(c->multi, x->easy);
		c->in_curl--;
	}
	list_take(c, x);
	c->count--;
	x->state = EXCHANGE_OVER;
}

static void deliver(struct http_exchange *x, CURLcode code)
{
	struct http_outcome outcome;

	exchange_outcome(x, code, &outcome);
	withdraw(x);
	x->done(x->cookie, &outcome);
	retire(x);
}

static void hand_over_started(struct http_client *c)
{
	struct http_exchange *x;

	while ((x = c->starting) != NULL) {
		CURLMcode added = CURLM_OK;

		if (x->broken == CURLE_OK) {
			c->in_curl++;
			added = curl_multi_add_handle(c->multi, x->easy);
			c->in_curl--;
		}
		if (x->broken == CURLE_OK && added == CURLM_OK) {
			list_take(c, x);
			list_put(&c->running, x); /* inv. 1 */
			x->state = EXCHANGE_RUNNING;
		} else {
			deliver(x, x->broken != CURLE_OK ? x->broken : CURLE_OUT_OF_MEMORY);
		}
	}
}

static void remove_cancelled(struct http_client *c)
{
	struct http_exchange *next;

	for (struct http_exchange *x = c->running; x != NULL && c->cancelled_count > 0; x = next) {
		next = x->next;
		if (!x->is_cancelled)
			continue;
		c->cancelled_count--;
		withdraw(x);
		retire(x);
	}
}

static void collect(struct http_client *c)
{
	struct http_exchange *x;
	CURLMsg *msg;
	int left;

	if (c->cancelled_count > 0) /* first: their messages go with them */
		remove_cancelled(c);
	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &x);
		if (code == CURLE_OK)
			settle_socket(c, msg->easy_handle);
		deliver(x, code); /* msg is gone; the callback may start and cancel */
	}
}

/*
 * Something happened on fd, or time passed (CURL_SOCKET_TIMEOUT).  libcurl's
 * next deadline is asked for, not told by a callback: what it calls "at once"
 * is done here without a turn of the loop.
 */
static void run_curl(struct http_client *c, curl_socket_t fd, int mask)
{
	long wait_ms = 0;
	int running;

	for (int i = 0; i < KICKS_MAX && wait_ms == 0; i++) {
		c->in_curl++;
		(void)curl_multi_socket_action(c->multi, i == 0 ? fd : CURL_SOCKET_TIMEOUT,
					       i == 0 ? mask : 0, &running);
		c->in_curl--;
		collect(c); /* may free a place for a request that waits for one */
		(void)curl_multi_timeout(c->multi, &wait_ms);
	}
	if (wait_ms >= 0)
		enter_by(c, clock_real_ns() + wait_ms * NS_PER_MS);
}

static void on_timer(void *cookie)
{
	struct http_client *c = cookie;

	hand_over_started(c);
	run_curl(c, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- for users ---- */

gw_status http_client_new(const struct http_client_options *o, struct http_client **out,
			  struct gw_error *err)
{
	long host = o->host_connections_max > 0 ? o->host_connections_max : HOST_CONNECTIONS;
	long cached = o->connections_cached > 0 ? o->connections_cached : CACHED_CONNECTIONS;
	struct http_client *c;

	/* Counted and thread-safe since libcurl 7.84. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return gw_error_set(err, GW_ENOMEM, "libcurl did not start");
	c = xcalloc(1, sizeof(*c));
	c->multi = curl_multi_init();
	if (c->multi == NULL) {
		free(c);
		curl_global_cleanup();
		return gw_error_set(err, GW_ENOMEM, "no memory for libcurl");
	}
	c->loop = o->loop;
	c->egress = o->egress;
	c->http2 = o->http2;
	c->ca_file = o->ca_file == NULL ? NULL : xstrdup(o->ca_file);
	c->starting_end = &c->starting;
	timer_init(&c->timer, c->loop, LOOP_REAL, on_timer, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, host);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, cached);
	(void)curl_multi_setopt(c->multi, CURLMOPT_PIPELINING,
				c->http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
	*out = c;
	return GW_OK;
}

void http_client_free(struct http_client *c)
{
	struct http_exchange *x;

	if (c == NULL)
		return;
	ASSERT(c->in_curl == 0);
	while ((x = c->starting != NULL ? c->starting : c->running) != NULL) {
		withdraw(x);
		exchange_free(x);
	}
	while ((x = c->idle) != NULL) {
		list_take(c, x);
		exchange_free(x);
	}
	timer_cancel(&c->timer);
	(void)curl_multi_cleanup(c->multi); /* closes the pooled connections */
	for (size_t fd = 0; fd < c->socket_cap; fd++)
		if (c->sockets[fd] != NULL)
			drop_socket(c->sockets[fd]);
	free(c->sockets);
	free(c->ca_file);
	free(c);
	curl_global_cleanup();
}

size_t http_client_running(const struct http_client *c)
{
	return c->count;
}

struct http_exchange *http_client_start(struct http_client *c, const struct http_request *r,
					http_done_fn done, void *cookie)
{
	struct http_exchange *x = c->idle;

	ASSERT(r->method != NULL && r->url != NULL && done != NULL);
	if (x != NULL) {
		list_take(c, x);
		c->idle_count--;
	} else {
		x = exchange_new(c);
	}
	x->done = done;
	x->cookie = cookie;
	x->started_ns = clock_real_ns();
	exchange_set_up(x, r);
	x->state = EXCHANGE_STARTING;
	x->next = NULL;
	x->link = c->starting_end;
	*c->starting_end = x;
	c->starting_end = &x->next;
	c->count++;
	if (c->starting == x)
		enter_by(c, x->started_ns);
	return x;
}

void http_exchange_cancel(struct http_exchange *x)
{
	struct http_client *c = x->client;

	switch (x->state) {
	case EXCHANGE_OVER: return; /* inside its own callback */
	case EXCHANGE_IDLE: PANIC("a request was cancelled after its outcome");
	case EXCHANGE_STARTING:
		withdraw(x);
		retire(x);
		return;
	case EXCHANGE_RUNNING:
		if (c->in_curl > 0) { /* inv. 2 */
			c->cancelled_count += !x->is_cancelled;
			x->is_cancelled = true;
			return;
		}
		withdraw(x);
		retire(x);
		enter_by(c, clock_real_ns()); /* its place may be another's now */
		return;
	}
}
