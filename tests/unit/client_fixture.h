/* SPDX-License-Identifier: MIT */
/* client_fixture.h - an HTTP client on a loop of the test's, and what became of its requests */
#ifndef TESTS_CLIENT_FIXTURE_H
#define TESTS_CLIENT_FIXTURE_H

#include "script_peer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_client.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nok"

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
};

struct result {
	bool is_done;
	int calls;
	struct http_outcome outcome; /* its strings are copied here: */
	struct buf answer;
	char type[64];
	struct http_exchange *cancel; /* another one to cancel in the callback */
};

static inline void fixture_start(struct fixture *f, struct http_client_options *o)
{
	clock_init(&f->clock);
	f->loop = loop_new(&f->clock);
	o->loop = f->loop;
	assert_int_equal(http_client_new(o, &f->client, NULL), GW_OK);
}

static inline void fixture_stop(struct fixture *f)
{
	http_client_free(f->client);
	loop_free(f->loop);
}

static inline void on_done(void *cookie, const struct http_outcome *o)
{
	struct result *r = cookie;

	r->calls++;
	r->is_done = true;
	r->outcome = *o;
	buf_init(&r->answer, 64 << 20);
	buf_put_str(&r->answer, o->answer);
	(void)str_copy(o->content_type, r->type, sizeof(r->type));
	if (r->cancel != NULL)
		http_exchange_cancel(r->cancel);
}

static inline void wait_for(struct fixture *f, const struct result *r)
{
	int64_t limit = clock_real_ns() + PEER_LIMIT_S * NS_PER_S;

	while (!r->is_done) {
		assert_true(clock_real_ns() < limit);
		loop_turn(f->loop, 100);
	}
}

/* ms of turns, to see that nothing more happens. */
static inline void idle(struct fixture *f, int64_t ms)
{
	int64_t end = clock_real_ns() + ms * NS_PER_MS;

	while (clock_real_ns() < end)
		loop_turn(f->loop, 5);
}

static inline struct http_request request(const char *method, const char *body)
{
	return (struct http_request){ .method = method,
				      .body = str_from(body),
				      .connect_timeout_ms = 5000,
				      .timeout_ms = 5000,
				      .answer_max = 1 << 20 };
}

/* Send one and wait for its outcome. */
static inline void run(struct fixture *f, struct http_request req, const char *url,
		       struct result *r)
{
	memset(r, 0, sizeof(*r));
	req.url = url;
	(void)http_client_start(f->client, &req, on_done, r);
	assert_false(r->is_done); /* never inside start */
	wait_for(f, r);
	CHECK_INT("calls", 1, r->calls);
}

static inline const char *url_of(uint16_t port)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/path", port);
	return url;
}

#endif
