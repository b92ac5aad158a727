/* SPDX-License-Identifier: MIT */
/*
 * http_fixture.h - a listener for tests, and the handlers behind it
 *
 * /held hands the call to the test's thread through a mailbox, /stream opens
 * a stream, /early is answered before its body, /length and /big tell the
 * length of their body, all else is echoed.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "net_peer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define BODY_MAX 1000

struct held {
	struct mail mail;
	struct http_call *call;
	struct held *next;
};

struct fixture {
	struct http_server *server;
	struct mailbox *box; /* of the test's thread */
	struct held *held; /* calls that arrived, newest first */
	size_t held_count;
	struct buf answer;
	struct http_stream *stream;
	atomic_int closed; /* times on_close ran */
	atomic_int requests;
	atomic_int unheard[HTTP_UNHEARD_PARTIAL + 1]; /* by enum http_unheard */
};

/* Delivered on the test's thread. */
static struct fixture *fixture_of_test;

static inline void on_held(struct mail *mail)
{
	struct held *h = CONTAINER_OF(mail, struct held, mail);

	h->next = fixture_of_test->held;
	fixture_of_test->held = h;
	fixture_of_test->held_count++;
}

static inline void on_stream_closed(void *cookie)
{
	struct fixture *f = cookie;

	atomic_fetch_add(&f->closed, 1);
}

static inline size_t on_head(void *cookie, struct http_call *c)
{
	(void)cookie;
	if (str_eq(http_path(c), STR("/early"))) {
		http_reply_empty(c, 401);
		return 0;
	}
	return str_eq(http_path(c), STR("/big")) ? (size_t)8 << 20 : BODY_MAX;
}

static inline void echo(struct http_call *c)
{
	struct http_header_out h[] = { { "X-Seen", "yes" }, { "X-Broken", "a\r\nInjected: 1" } };
	struct buf b;
	struct str q = STR("-"), host = STR("-"), whole;

	buf_init(&b, 1 << 16);
	(void)http_query(c, "q", &q);
	(void)http_header(c, "host", &host);
	buf_put_fmt(&b, "%.*s %.*s %.*s q=%.*s host=%.*s peer=%.*s local=%d n=%zu body=",
		    STR_ARG(http_method(c)), STR_ARG(http_path(c)), STR_ARG(http_target(c)),
		    STR_ARG(q), STR_ARG(host), STR_ARG(http_peer(c)), http_is_local(c),
		    http_header_count(c, "x-many"));
	buf_put_str(&b, http_body(c));
	whole = buf_str(&b);
	http_reply(c, 200, "text/plain", whole, h, ARRAY_LEN(h));
	buf_release(&b);
}

static inline void on_request(void *cookie, struct http_call *c)
{
	struct fixture *f = cookie;
	struct held *h;

	atomic_fetch_add(&f->requests, 1);
	if (str_eq(http_path(c), STR("/length")) || str_eq(http_path(c), STR("/big"))) {
		struct str body = http_take_body(c);
		char text[32];

		(void)snprintf(text, sizeof(text), "%zu", body.len);
		free((void *)(uintptr_t)body.ptr);
		assert_int_equal(http_body(c).len, 0);
		http_reply(c, 200, NULL, str_from(text), NULL, 0);
	} else if (str_eq(http_path(c), STR("/held"))) {
		h = xcalloc(1, sizeof(*h));
		h->mail.deliver = on_held;
		h->call = c;
		http_set_user(c, h);
		mailbox_post(f->box, &h->mail);
	} else if (str_eq(http_path(c), STR("/stream"))) {
		f->stream = http_reply_stream(c, "text/event-stream", 1 << 16, on_stream_closed, f);
		http_stream_send(f->stream, STR("data: hello\n\n"));
	} else {
		echo(c);
	}
}

static inline void on_unheard(void *cookie, const struct http_call *call, enum http_unheard why)
{
	struct fixture *f = cookie;

	assert_true(call == NULL || http_path(call).len > 0);
	atomic_fetch_add(&f->unheard[why], 1);
}

static const struct http_server_handlers HANDLERS = { on_head, on_request, on_unheard };

static inline void start(struct fixture *f, struct http_server_options *o)
{
	struct gw_error err = GW_ERROR_INIT;

	memset(f, 0, sizeof(*f));
	f->box = mailbox_new();
	fixture_of_test = f;
	buf_init(&f->answer, 16 << 20);
	o->handlers = &HANDLERS;
	o->cookie = f;
	if (o->address == NULL && o->unix_path == NULL)
		o->address = "127.0.0.1";
	if (http_server_start(o, &f->server, &err) != GW_OK)
		fail_msg("start: %s", err.message);
}

static inline void stop(struct fixture *f)
{
	http_server_stop(f->server, 5000);
	mailbox_free(f->box);
	buf_release(&f->answer);
}

static inline struct http_server_options plain(void)
{
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;

	o.body_max = BODY_MAX;
	return o;
}

/* Wait until n calls are held. */
static inline void await_held(struct fixture *f, size_t n)
{
	while (f->held_count < n) {
		assert_true(mailbox_wait(f->box, clock_real_ns() + PEER_LIMIT_S * NS_PER_S));
		(void)mailbox_drain(f->box);
	}
}

static inline struct http_call *take_held(struct fixture *f)
{
	struct held *h = f->held;
	struct http_call *c = h->call;

	assert_ptr_equal(http_user(c), h);
	f->held = h->next;
	f->held_count--;
	free(h);
	return c;
}

static inline void await_count(atomic_int *value, int want)
{
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;

	while (atomic_load(value) < want) {
		assert_true(clock_real_ns() < limit);
		(void)poll(NULL, 0, 1);
	}
}

#endif
