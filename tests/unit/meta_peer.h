/* SPDX-License-Identifier: MIT */
/*
 * meta_peer.h - Meta's side, scripted: a thread that answers sends as the test says
 *
 * Many connections, kept alive.  Each complete request takes the next step of
 * the script, or is accepted when the script is empty.  What came is kept in
 * the order of arrival.  A held request is answered by graph_release().
 */
#ifndef TESTS_META_PEER_H
#define TESTS_META_PEER_H

#include "net_peer.h"

#include "base/clock.h"

#include <poll.h>
#include <pthread.h>

#define GRAPH_CONNECTIONS 128
#define GRAPH_SEEN 4096
#define GRAPH_STEPS 64

enum graph_do {
	GRAPH_ACCEPT,
	GRAPH_ERROR, /* status, code */
	GRAPH_SAY, /* status, text: any body */
	GRAPH_CLOSE, /* read it, close without a word */
	GRAPH_TAKE_CLOSE, /* the same, but the message was accepted */
	GRAPH_HOLD, /* say nothing until released: then accept */
};

struct graph_step {
	enum graph_do act;
	int status, code;
	const char *text;
};

struct graph_seen {
	char head[512]; /* request line and headers */
	char body[1024];
	char wamid[32]; /* given; "" when it was not accepted */
	int64_t at_ns; /* clock_real_ns() */
};

struct graph_connection {
	int fd; /* -1: free */
	size_t len, held; /* held: index of the request that waits, + 1 */
	char in[8192];
};

struct graph_peer {
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	int listen_fd, wake[2];
	uint16_t port;
	bool stop, release;
	struct graph_step steps[GRAPH_STEPS];
	size_t step, step_count, seen_count;
	struct graph_seen *seen;
	struct graph_connection connections[GRAPH_CONNECTIONS];
};

static inline void graph_write(int fd, int status, const char *body)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 status, strlen(body));

	(void)send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE);
	(void)send(fd, body, strlen(body), MSG_NOSIGNAL);
}

static inline void graph_accept(struct graph_peer *g, struct graph_connection *c, size_t index)
{
	char body[256];

	(void)snprintf(g->seen[index].wamid, sizeof(g->seen[index].wamid), "wamid.%zu", index + 1);
	(void)snprintf(body, sizeof(body),
		       "{\"messaging_product\":\"whatsapp\",\"messages\":[{\"id\":\"%s\"}]}",
		       g->seen[index].wamid);
	graph_write(c->fd, 200, body);
}

static inline void graph_close(struct graph_connection *c)
{
	(void)close(c->fd);
	c->fd = -1;
	c->len = c->held = 0;
}

static inline void graph_act(struct graph_peer *g, struct graph_connection *c, size_t index)
{
	struct graph_step s = { .act = GRAPH_ACCEPT };
	char body[256];

	if (g->step < g->step_count)
		s = g->steps[g->step++];
	switch (s.act) {
	case GRAPH_ACCEPT: graph_accept(g, c, index); break;
	case GRAPH_ERROR:
		(void)snprintf(body, sizeof(body),
			       "{\"error\":{\"message\":\"(#%d) scripted\",\"type\":"
			       "\"OAuthException\",\"code\":%d,\"fbtrace_id\":\"A1\"}}",
			       s.code, s.code);
		graph_write(c->fd, s.status, body);
		break;
	case GRAPH_SAY: graph_write(c->fd, s.status, s.text); break;
	case GRAPH_CLOSE: graph_close(c); break;
	case GRAPH_TAKE_CLOSE:
		(void)snprintf(g->seen[index].wamid, sizeof(g->seen[0].wamid), "wamid.%zu",
			       index + 1);
		graph_close(c);
		break;
	case GRAPH_HOLD: c->held = index + 1; break;
	}
}

/* Take one whole request off the front of c->in; false: there is none yet. */
static inline bool graph_request(struct graph_peer *g, struct graph_connection *c)
{
	struct str all = { c->in, c->len }, rest;
	uint64_t length = 0;
	size_t head, at;

	if (c->held > 0 || !str_find(all, STR("\r\n\r\n"), &head))
		return false;
	head += 4;
	if (str_find(str_slice(all, 0, head), STR("Content-Length: "), &at)) {
		rest = str_slice(all, at + 16, head);
		if (str_find(rest, STR("\r\n"), &at))
			(void)str_to_u64(str_slice(rest, 0, at), &length);
	}
	if (c->len < head + length)
		return false;
	if (g->seen_count >= GRAPH_SEEN)
		abort();
	at = g->seen_count++;
	g->seen[at].at_ns = clock_real_ns();
	(void)str_copy(str_slice(all, 0, head), g->seen[at].head, sizeof(g->seen[at].head));
	(void)str_copy(str_slice(all, head, head + length), g->seen[at].body,
		       sizeof(g->seen[at].body));
	memmove(c->in, c->in + head + length, c->len - head - length);
	c->len -= head + length;
	graph_act(g, c, at);
	return c->fd >= 0;
}

static inline void graph_readable(struct graph_peer *g, struct graph_connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		graph_close(c);
		return;
	}
	if (n > 0)
		c->len += (size_t)n;
	while (c->fd >= 0 && graph_request(g, c))
		;
}

static inline void graph_new_connection(struct graph_peer *g)
{
	int fd = accept4(g->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; i < GRAPH_CONNECTIONS && fd >= 0; i++) {
		if (g->connections[i].fd < 0) {
			g->connections[i] = (struct graph_connection){ .fd = fd };
			peer_limit(fd);
			return;
		}
	}
	if (fd >= 0)
		(void)close(fd);
}

static inline void graph_release_held(struct graph_peer *g)
{
	for (size_t i = 0; i < GRAPH_CONNECTIONS; i++) {
		struct graph_connection *c = &g->connections[i];

		if (c->fd >= 0 && c->held > 0) {
			graph_accept(g, c, c->held - 1);
			c->held = 0;
		}
	}
	g->release = false;
}

static inline void *graph_main(void *arg)
{
	struct pollfd w[GRAPH_CONNECTIONS + 2];
	struct graph_peer *g = arg;
	char c;

	for (;;) {
		w[0] = (struct pollfd){ .fd = g->listen_fd, .events = POLLIN };
		w[1] = (struct pollfd){ .fd = g->wake[0], .events = POLLIN };
		for (size_t i = 0; i < GRAPH_CONNECTIONS; i++)
			w[i + 2] = (struct pollfd){ .fd = g->connections[i].fd, .events = POLLIN };
		(void)poll(w, GRAPH_CONNECTIONS + 2, 1000);
		(void)pthread_mutex_lock(&g->lock);
		if (w[1].revents != 0)
			(void)!read(g->wake[0], &c, 1);
		if (g->release)
			graph_release_held(g);
		for (size_t i = 0; i < GRAPH_CONNECTIONS; i++) {
			if (g->connections[i].fd >= 0 && w[i + 2].revents != 0)
				graph_readable(g, &g->connections[i]);
		}
		if (w[0].revents != 0)
			graph_new_connection(g);
		if (g->stop)
			break;
		(void)pthread_mutex_unlock(&g->lock);
	}
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

static inline void graph_start(struct graph_peer *g)
{
	memset(g, 0, sizeof(*g));
	g->seen = calloc(GRAPH_SEEN, sizeof(*g->seen));
	for (size_t i = 0; i < GRAPH_CONNECTIONS; i++)
		g->connections[i].fd = -1;
	g->listen_fd = peer_listen(&g->port);
	assert_int_equal(listen(g->listen_fd, GRAPH_CONNECTIONS), 0);
	assert_int_equal(pipe(g->wake), 0);
	assert_int_equal(pthread_mutex_init(&g->lock, NULL), 0);
	assert_int_equal(pthread_create(&g->thread, NULL, graph_main, g), 0);
}

static inline void graph_poke(struct graph_peer *g)
{
	assert_int_equal(write(g->wake[1], "x", 1), 1);
}

static inline void graph_stop(struct graph_peer *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->stop = true;
	(void)pthread_mutex_unlock(&g->lock);
	graph_poke(g);
	assert_int_equal(pthread_join(g->thread, NULL), 0);
	for (size_t i = 0; i < GRAPH_CONNECTIONS; i++) {
		if (g->connections[i].fd >= 0)
			(void)close(g->connections[i].fd);
	}
	(void)close(g->listen_fd);
	(void)close(g->wake[0]);
	(void)close(g->wake[1]);
	(void)pthread_mutex_destroy(&g->lock);
	free(g->seen);
}

static inline void graph_next(struct graph_peer *g, struct graph_step step)
{
	(void)pthread_mutex_lock(&g->lock);
	assert_true(g->step_count < GRAPH_STEPS);
	g->steps[g->step_count++] = step;
	(void)pthread_mutex_unlock(&g->lock);
}

static inline void graph_release(struct graph_peer *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->release = true;
	(void)pthread_mutex_unlock(&g->lock);
	graph_poke(g);
}

static inline size_t graph_count(struct graph_peer *g)
{
	size_t count;

	(void)pthread_mutex_lock(&g->lock);
	count = g->seen_count;
	(void)pthread_mutex_unlock(&g->lock);
	return count;
}

/* A copy of what came as number `index`. */
static inline struct graph_seen graph_seen(struct graph_peer *g, size_t index)
{
	struct graph_seen seen;

	(void)pthread_mutex_lock(&g->lock);
	assert_true(index < g->seen_count);
	seen = g->seen[index];
	(void)pthread_mutex_unlock(&g->lock);
	return seen;
}

#endif
