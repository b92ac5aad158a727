/* SPDX-License-Identifier: MIT */
/* test_client.c - calls on a foreign loop and blocking, against a scripted peer */
#include "graph_peer.h"

#include <godwit/godwit.h>

#define NUMBER gw_str_from("106540352242922")
#define SENT                                                                                       \
	"{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+1\",\"wa_id\":\"16505\"," \
	"\"user_id\":\"US.1\"}],\"messages\":[{\"id\":\"wamid.S\",\"message_status\":\"accepted\"}]}"

struct got {
	int calls;
	gw_result result;
	char message_id[64], wa_id[64], user_id[64], message_status[64], body[256];
	gw_client *client; /* for callbacks that act */
	gw_call *other;
	struct got *next;
};

static void copy(gw_str s, char *out, size_t cap)
{
	(void)str_copy(str_of_gw(s), out, cap);
}

static void on_done(void *cookie, const gw_result *r)
{
	struct got *g = cookie;

	g->calls++;
	g->result = *r;
	copy(r->message_id, g->message_id, sizeof(g->message_id));
	copy(r->wa_id, g->wa_id, sizeof(g->wa_id));
	copy(r->user_id, g->user_id, sizeof(g->user_id));
	copy(r->message_status, g->message_status, sizeof(g->message_status));
	copy(r->body, g->body, sizeof(g->body));
}

static gw_client *new_client(uint16_t port, int64_t timeout_ms)
{
	gw_client_options o = GW_CLIENT_OPTIONS_INIT;
	struct gw_error err = GW_ERROR_INIT;
	gw_client *c = NULL;
	char base[64];

	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%u", port);
	o.base_url = base;
	o.token = "TOKEN-1";
	o.timeout_ms = timeout_ms;
	if (gw_client_new(&o, &c, &err) != GW_OK)
		fail_msg("client: %s", err.message);
	return c;
}

static gw_message *text(const char *body)
{
	gw_address to = { .to = { "+16505", 6 } };
	gw_message *m = NULL;

	assert_int_equal(gw_message_text(&to, gw_str_from(body), false, &m, NULL), GW_OK);
	return m;
}

/* What a user's loop does. */
static void drive_until_idle(gw_client *c)
{
	struct pollfd p = { .fd = gw_client_fd(c), .events = POLLIN };

	for (int turns = 0; gw_client_running(c) > 0; turns++) {
		assert_true(turns < 10000);
		(void)poll(&p, 1, gw_client_timeout_ms(c));
		gw_client_drive(c);
	}
}

static void drive_until_seen(gw_client *c, const struct graph_peer *peer, size_t seen)
{
	struct pollfd p = { .fd = gw_client_fd(c), .events = POLLIN };

	while (atomic_load(&peer->seen) < seen) {
		(void)poll(&p, 1, 5);
		gw_client_drive(c);
	}
}

static void send_text(gw_client *c, const char *body, struct got *g)
{
	gw_message *m = text(body);

	assert_int_equal(gw_client_send(c, NUMBER, m, on_done, g, NULL, NULL), GW_OK);
	gw_message_free(m); /* the client has its own copy */
}

static bool has(const struct buf *request, const char *needle)
{
	size_t at;

	return str_find(buf_str(request), str_from(needle), &at);
}

static void test_send(void **state)
{
	static const struct graph_script script[] = { { PEER_ANSWER, 200, NULL, SENT } };
	struct graph_peer p;
	struct got g = { 0 };
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, 1);
	c = new_client(p.port, 5000);
	send_text(c, "Hi", &g);
	assert_int_equal(g.calls, 0);
	assert_int_equal(gw_client_running(c), 1);
	drive_until_idle(c);
	gw_client_free(c);
	graph_peer_stop(&p);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.result.status, GW_OK);
	assert_int_equal(g.result.http_status, 200);
	assert_string_equal(g.message_id, "wamid.S");
	assert_string_equal(g.wa_id, "16505");
	assert_string_equal(g.user_id, "US.1");
	assert_string_equal(g.message_status, "accepted");
	assert_string_equal(g.body, SENT);
	assert_int_equal(p.seen, 1);
	assert_true(has(&p.requests[0], "POST /v26.0/106540352242922/messages HTTP/1.1\r\n"));
	assert_true(has(&p.requests[0], "Authorization: Bearer TOKEN-1\r\n"));
	assert_true(has(&p.requests[0], "Content-Type: application/json\r\n"));
	assert_true(has(&p.requests[0], "User-Agent: godwit/"));
	assert_true(str_ends(buf_str(&p.requests[0]),
			     STR("\r\n\r\n{\"messaging_product\":\"whatsapp\",\"recipient_type\":"
				 "\"individual\",\"to\":\"+16505\",\"type\":\"text\",\"text\":{"
				 "\"body\":\"Hi\"}}")));
	graph_peer_release(&p);
}

#define GRAPH(code) "{\"error\":{\"message\":\"M\",\"code\":" code ",\"fbtrace_id\":\"T\"}}"

static const struct {
	const char *name;
	struct graph_script script;
	gw_status status;
	gw_retry retry;
	int code;
} answers[] = {
	{ "not accepted",
	  { PEER_ANSWER, 400, NULL, GRAPH("131056") },
	  GW_EAPI,
	  GW_RETRY_LATER,
	  131056 },
	{ "final", { PEER_ANSWER, 400, NULL, GRAPH("131009") }, GW_EAPI, GW_RETRY_NEVER, 131009 },
	{ "account", { PEER_ANSWER, 401, NULL, GRAPH("190") }, GW_EAPI, GW_RETRY_ACCOUNT, 190 },
	{ "says nothing",
	  { PEER_ANSWER, 500, NULL, GRAPH("131000") },
	  GW_EAPI,
	  GW_RETRY_UNKNOWN,
	  131000 },
	{ "error with 200",
	  { PEER_ANSWER, 200, NULL, GRAPH("100") },
	  GW_EAPI,
	  GW_RETRY_NEVER,
	  100 },
	{ "unlisted code",
	  { PEER_ANSWER, 418, NULL, GRAPH("424242") },
	  GW_EAPI,
	  GW_RETRY_NEVER,
	  424242 },
	{ "bare 503", { PEER_ANSWER, 503, NULL, "<html>" }, GW_EAPI, GW_RETRY_UNKNOWN, 0 },
	{ "bare 404", { PEER_ANSWER, 404, NULL, "" }, GW_EAPI, GW_RETRY_NEVER, 0 },
	{ "bare 429", { PEER_ANSWER, 429, NULL, "slow down" }, GW_EAPI, GW_RETRY_LATER, 0 },
	{ "redirect",
	  { PEER_ANSWER, 302, "Location: http://127.0.0.1:1/\r\n", "" },
	  GW_EAPI,
	  GW_RETRY_NEVER,
	  0 },
	{ "no JSON", { PEER_ANSWER, 200, NULL, "ok" }, GW_EPARSE, GW_RETRY_UNKNOWN, 0 },
	{ "no id",
	  { PEER_ANSWER, 200, NULL, "{\"messages\":[{}]}" },
	  GW_EPARSE,
	  GW_RETRY_UNKNOWN,
	  0 },
	{ "no messages",
	  { PEER_ANSWER, 200, NULL, "{\"messages\":{}}" },
	  GW_EPARSE,
	  GW_RETRY_UNKNOWN,
	  0 },
	{ "empty", { PEER_ANSWER, 200, NULL, "" }, GW_EPARSE, GW_RETRY_UNKNOWN, 0 },
	{ "no answer", { PEER_CLOSE, 0, NULL, NULL }, GW_ENET, GW_RETRY_UNKNOWN, 0 },
	{ "cut", { PEER_CUT, 200, NULL, SENT }, GW_ENET, GW_RETRY_UNKNOWN, 0 },
	{ "too late", { PEER_HANG, 0, NULL, NULL }, GW_ETIMEOUT, GW_RETRY_UNKNOWN, 0 },
};

static void test_answers_to_a_send(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct graph_peer p;
		struct got g = { 0 };
		gw_client *c;

		graph_peer_start(&p, &answers[i].script, 1);
		c = new_client(p.port, answers[i].script.step == PEER_HANG ? 200 : 5000);
		send_text(c, "x", &g);
		drive_until_idle(c);
		gw_client_free(c);
		graph_peer_stop(&p);
		CHECK_INT(answers[i].name, 1, p.seen);
		CHECK_INT(answers[i].name, 1, g.calls);
		CHECK_STR(answers[i].name, gw_status_name(answers[i].status),
			  str_from(gw_status_name(g.result.status)));
		CHECK_INT(answers[i].name, answers[i].status, g.result.error.status);
		CHECK_STR(answers[i].name, gw_retry_name(answers[i].retry),
			  str_from(gw_retry_name(g.result.error.retry)));
		CHECK_INT(answers[i].name, answers[i].code, g.result.error.code);
		CHECK_INT(answers[i].name, 1, g.result.error.message[0] != '\0');
		CHECK_STR(answers[i].name, "", str_from(g.message_id));
		graph_peer_release(&p);
	}
}

/* What is only read may be repeated, whatever happened. */
static void test_answers_to_a_read(void **state)
{
	static const struct {
		const char *name;
		struct graph_script script;
		gw_status status;
		gw_retry retry;
	} rows[] = {
		{ "fine", { PEER_ANSWER, 200, NULL, "{\"id\":\"1\"}" }, GW_OK, 0 },
		{ "no JSON is the caller's business", { PEER_ANSWER, 200, NULL, "x" }, GW_OK, 0 },
		{ "down", { PEER_ANSWER, 503, NULL, "" }, GW_EAPI, GW_RETRY_LATER },
		{ "Meta is down", { PEER_ANSWER, 503, NULL, GRAPH("2") }, GW_EAPI, GW_RETRY_LATER },
		{ "refused", { PEER_ANSWER, 400, NULL, GRAPH("100") }, GW_EAPI, GW_RETRY_NEVER },
		{ "no answer", { PEER_CLOSE, 0, NULL, NULL }, GW_ENET, GW_RETRY_NOW },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct graph_peer p;
		struct got g = { 0 };
		gw_client *c;

		graph_peer_start(&p, &rows[i].script, 1);
		c = new_client(p.port, 5000);
		assert_int_equal(gw_client_call(c, "GET", gw_str_from("/1/x?limit=10"),
						(gw_str){ NULL, 0 }, on_done, &g, NULL, NULL),
				 GW_OK);
		drive_until_idle(c);
		gw_client_free(c);
		graph_peer_stop(&p);
		CHECK_INT(rows[i].name, rows[i].status, g.result.status);
		CHECK_INT(rows[i].name, rows[i].retry, g.result.error.retry);
		CHECK_INT(rows[i].name, 1,
			  has(&p.requests[0], "GET /v26.0/1/x?limit=10 HTTP/1.1\r\n"));
		CHECK_INT(rows[i].name, 0, has(&p.requests[0], "Content-Type"));
		graph_peer_release(&p);
	}
}

/* A body that was sent on a kept connection which then closed is not sent a second time. */
static void test_nothing_is_sent_twice(void **state)
{
	static const struct graph_script script[] = {
		{ PEER_KEEP, 200, NULL, SENT },
		{ PEER_CLOSE, 0, NULL, NULL },
		{ PEER_ANSWER, 200, NULL, SENT },
	};
	struct graph_peer p;
	struct got first = { 0 }, second = { 0 };
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, ARRAY_LEN(script));
	c = new_client(p.port, 5000);
	send_text(c, "one", &first);
	drive_until_idle(c);
	send_text(c, "two", &second);
	drive_until_idle(c);
	gw_client_free(c);
	graph_peer_stop(&p);
	assert_int_equal(first.result.status, GW_OK);
	assert_int_equal(second.result.status, GW_ENET);
	assert_int_equal(second.result.error.retry, GW_RETRY_UNKNOWN);
	assert_int_equal(p.seen, 2);
	graph_peer_release(&p);
}

static void test_nobody_listens(void **state)
{
	struct got g = { 0 };
	uint16_t port;
	int fd = peer_listen(&port);
	gw_client *c;

	(void)state;
	(void)close(fd);
	c = new_client(port, 5000);
	send_text(c, "x", &g);
	drive_until_idle(c);
	gw_client_free(c);
	assert_int_equal(g.result.status, GW_ENET);
	assert_int_equal(g.result.error.retry, GW_RETRY_NOW);
	assert_int_equal(g.result.http_status, 0);
}

static void test_retry_after(void **state)
{
	static const struct graph_script script[] = {
		{ PEER_ANSWER, 400, "Retry-After: 17\r\n", GRAPH("130429") },
		{ PEER_ANSWER, 400, NULL, GRAPH("130429") },
	};
	struct graph_peer p;
	gw_result r;
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, ARRAY_LEN(script));
	c = new_client(p.port, 5000);
	assert_int_equal(gw_client_send_json_wait(c, NUMBER, gw_str_from("{}"), &r, NULL), GW_EAPI);
	assert_int_equal(r.retry_after_s, 17);
	assert_int_equal(gw_client_send_json_wait(c, NUMBER, gw_str_from("{}"), &r, NULL), GW_EAPI);
	assert_int_equal(r.retry_after_s, -1);
	gw_client_free(c);
	graph_peer_stop(&p);
	graph_peer_release(&p);
}

static void test_waiting(void **state)
{
	static const struct graph_script script[] = {
		{ PEER_ANSWER, 200, NULL, SENT },
		{ PEER_ANSWER, 200, NULL, "{\"success\":true}" },
		{ PEER_ANSWER, 200, NULL, "{\"data\":[]}" },
		{ PEER_ANSWER, 400, NULL, GRAPH("100") },
	};
	struct gw_error err = GW_ERROR_INIT;
	gw_message *m = text("Hi");
	struct graph_peer p;
	gw_result r;
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, ARRAY_LEN(script));
	c = new_client(p.port, 5000);
	assert_int_equal(gw_client_send_wait(c, NUMBER, m, &r, &err), GW_OK);
	gw_message_free(m);
	CHECK_STR("id", "wamid.S", str_of_gw(r.message_id));
	CHECK_STR("wa_id", "16505", str_of_gw(r.wa_id));
	CHECK_STR("body", SENT, str_of_gw(r.body));
	assert_int_equal(
		gw_client_mark_read_wait(c, NUMBER, gw_str_from("wamid.I"), true, &r, &err), GW_OK);
	CHECK_STR("body", "{\"success\":true}", str_of_gw(r.body));
	assert_int_equal(
		gw_client_call_wait(c, "DELETE", gw_str_from("/9"), gw_str_from(""), &r, &err),
		GW_OK);
	assert_int_equal(gw_client_call_wait(c, "POST", gw_str_from("/9"), gw_str_from("{\"a\":1}"),
					     &r, &err),
			 GW_EAPI);
	assert_int_equal(err.code, 100);
	assert_string_equal(err.trace_id, "T");
	gw_client_free(c);
	graph_peer_stop(&p);
	assert_true(str_ends(buf_str(&p.requests[1]),
			     STR("{\"messaging_product\":\"whatsapp\",\"status\":\"read\","
				 "\"message_id\":\"wamid.I\",\"typing_indicator\":{\"type\":"
				 "\"text\"}}")));
	assert_true(has(&p.requests[2], "DELETE /v26.0/9 HTTP/1.1\r\n"));
	assert_true(str_ends(buf_str(&p.requests[3]), STR("\r\n\r\n{\"a\":1}")));
	graph_peer_release(&p);
}

static void test_cancel(void **state)
{
	static const struct graph_script script[] = {
		{ PEER_HANG, 0, NULL, NULL },
		{ PEER_ANSWER, 200, NULL, SENT },
	};
	struct got cancelled = { 0 }, other = { 0 };
	gw_message *m = text("x");
	gw_call *call = NULL;
	struct graph_peer p;
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, ARRAY_LEN(script));
	c = new_client(p.port, 5000);
	assert_int_equal(gw_client_send(c, NUMBER, m, on_done, &cancelled, &call, NULL), GW_OK);
	drive_until_seen(c, &p, 1);
	gw_client_cancel(c, call);
	assert_int_equal(gw_client_running(c), 0);
	assert_int_equal(gw_client_send(c, NUMBER, m, on_done, &other, NULL, NULL), GW_OK);
	drive_until_idle(c);
	assert_int_equal(gw_client_send(c, NUMBER, m, on_done, &cancelled, &call, NULL), GW_OK);
	gw_client_free(c); /* with a call that has not begun */
	gw_message_free(m);
	graph_peer_stop(&p);
	assert_int_equal(cancelled.calls, 0);
	assert_int_equal(other.calls, 1);
	assert_int_equal(other.result.status, GW_OK);
	graph_peer_release(&p);
}

/* In a callback: start a call, cancel one, and be refused to wait. */
static void act(void *cookie, const gw_result *r)
{
	struct got *g = cookie;
	gw_result unused;

	on_done(cookie, r);
	gw_client_cancel(g->client, g->other);
	assert_int_equal(
		gw_client_send_json_wait(g->client, NUMBER, gw_str_from("{}"), &unused, NULL),
		GW_ESTATE);
	send_text(g->client, "from the callback", g->next);
}

static void test_callbacks_may_act(void **state)
{
	static const struct graph_script script[] = {
		{ PEER_HANG, 0, NULL, NULL },
		{ PEER_ANSWER, 200, NULL, SENT },
		{ PEER_ANSWER, 200, NULL, SENT },
	};
	struct got hanging = { 0 }, next = { 0 }, first = { .next = &next };
	gw_message *m = text("x");
	struct graph_peer p;
	gw_client *c;

	(void)state;
	graph_peer_start(&p, script, ARRAY_LEN(script));
	c = new_client(p.port, 5000);
	first.client = c;
	assert_int_equal(gw_client_send(c, NUMBER, m, on_done, &hanging, &first.other, NULL),
			 GW_OK);
	drive_until_seen(c, &p, 1);
	assert_int_equal(gw_client_send(c, NUMBER, m, act, &first, NULL, NULL), GW_OK);
	gw_message_free(m);
	drive_until_idle(c);
	gw_client_free(c);
	graph_peer_stop(&p);
	assert_int_equal(hanging.calls, 0);
	assert_int_equal(first.calls, 1);
	assert_int_equal(next.calls, 1);
	assert_int_equal(next.result.status, GW_OK);
	graph_peer_release(&p);
}

static void test_many_at_once(void **state)
{
	enum { COUNT = 20 };
	struct graph_script script[COUNT];
	struct got got[COUNT] = { 0 };
	struct graph_peer p;
	gw_client *c;

	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		script[i] = (struct graph_script){ PEER_ANSWER, 200, NULL, SENT };
	graph_peer_start(&p, script, COUNT);
	c = new_client(p.port, 10000);
	for (size_t i = 0; i < COUNT; i++)
		send_text(c, "x", &got[i]);
	assert_int_equal(gw_client_running(c), COUNT);
	drive_until_idle(c);
	gw_client_free(c);
	graph_peer_stop(&p);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(got[i].calls, 1);
		assert_int_equal(got[i].result.status, GW_OK);
	}
	assert_int_equal(p.seen, COUNT);
	graph_peer_release(&p);
}

static void test_large_answer(void **state)
{
	char body[2048];
	struct graph_script script = { PEER_ANSWER, 200, NULL, body };
	gw_client_options o = GW_CLIENT_OPTIONS_INIT;
	struct graph_peer p;
	gw_client *c = NULL;
	gw_result r;
	char base[64];

	(void)state;
	memset(body, ' ', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	graph_peer_start(&p, &script, 1);
	(void)snprintf(base, sizeof(base), "http://127.0.0.1:%u", p.port);
	o.base_url = base;
	o.token = "T";
	o.answer_max = 1024;
	assert_int_equal(gw_client_new(&o, &c, NULL), GW_OK);
	assert_int_not_equal(gw_client_send_json_wait(c, NUMBER, gw_str_from("{}"), &r, NULL),
			     GW_OK);
	assert_int_equal(r.error.retry, GW_RETRY_UNKNOWN);
	gw_client_free(c);
	graph_peer_stop(&p);
	graph_peer_release(&p);
}

static const struct {
	const char *name, *base, *version, *token;
	gw_status want;
} options[] = {
	{ "defaults", NULL, NULL, "T", GW_OK },
	{ "no token", NULL, NULL, NULL, GW_EARG },
	{ "empty token", NULL, NULL, "", GW_EARG },
	{ "token of two lines", NULL, NULL, "a\r\nX: y", GW_EARG },
	{ "token with a blank", NULL, NULL, "a b", GW_EARG },
	{ "token not ASCII", NULL, NULL, "\xc3\xa4", GW_EARG },
	{ "other version", NULL, "v9.0", "T", GW_OK },
	{ "long version", NULL, "v123.45", "T", GW_OK },
	{ "no v", NULL, "26.0", "T", GW_EARG },
	{ "no minor", NULL, "v26", "T", GW_EARG },
	{ "empty minor", NULL, "v26.", "T", GW_EARG },
	{ "path in it", NULL, "v26.0/x", "T", GW_EARG },
	{ "three parts", NULL, "v26.0.1", "T", GW_EARG },
	{ "loopback", "http://127.0.0.1:8081", NULL, "T", GW_OK },
	{ "slash at the end", "https://x/", NULL, "T", GW_EARG },
	{ "no scheme", "graph.facebook.com", NULL, "T", GW_EARG },
	{ "file", "file:///etc", NULL, "T", GW_EARG },
	{ "blank in the base", "https://a b", NULL, "T", GW_EARG },
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		gw_client_options o = GW_CLIENT_OPTIONS_INIT;
		struct gw_error err = GW_ERROR_INIT;
		gw_client *c = NULL;

		o.base_url = options[i].base;
		o.version = options[i].version;
		o.token = options[i].token;
		CHECK_INT(options[i].name, options[i].want, gw_client_new(&o, &c, &err));
		CHECK_INT(options[i].name, options[i].want == GW_OK, c != NULL);
		CHECK_INT(options[i].name, options[i].want == GW_OK, err.message[0] == '\0');
		gw_client_free(c);
	}
	assert_int_equal(gw_client_new(NULL, &(gw_client *){ NULL }, NULL), GW_EARG);
	gw_client_free(NULL);
}

static void test_token_length(void **state)
{
	char token[GW_CLIENT_TOKEN_MAX + 2];

	(void)state;
	memset(token, 't', sizeof(token));
	for (size_t extra = 0; extra <= 1; extra++) {
		gw_client_options o = GW_CLIENT_OPTIONS_INIT;
		gw_client *c = NULL;

		token[GW_CLIENT_TOKEN_MAX + extra] = '\0';
		o.token = token;
		CHECK_INT("length", extra == 0 ? GW_OK : GW_EARG, gw_client_new(&o, &c, NULL));
		gw_client_free(c);
		token[GW_CLIENT_TOKEN_MAX + extra] = 't';
	}
}

static const struct {
	const char *name, *method, *path, *json;
} bad_calls[] = {
	{ "method", "PUT", "/1", "" },
	{ "no method", NULL, "/1", "" },
	{ "no path", "GET", "", "" },
	{ "path without slash", "GET", "1", "" },
	{ "blank in the path", "GET", "/1 2", "" },
	{ "line break in the path", "GET", "/1\r\nX: y", "" },
	{ "GET with a body", "GET", "/1", "{}" },
};

static void test_what_is_not_started(void **state)
{
	gw_client *c = new_client(1, 1000);
	struct got g = { 0 };
	struct gw_error err = GW_ERROR_INIT;
	char *path = malloc(GW_CLIENT_URL_MAX);

	(void)state;
	assert_non_null(path);
	for (size_t i = 0; i < ARRAY_LEN(bad_calls); i++)
		CHECK_INT(bad_calls[i].name, GW_EARG,
			  gw_client_call(c, bad_calls[i].method, gw_str_from(bad_calls[i].path),
					 gw_str_from(bad_calls[i].json), on_done, &g, NULL, NULL));
	memset(path, '/', GW_CLIENT_URL_MAX);
	assert_int_equal(gw_client_call(c, "GET", (gw_str){ path, GW_CLIENT_URL_MAX / 2 + 1 },
					gw_str_from(""), on_done, &g, NULL, NULL),
			 GW_ELIMIT);
	free(path);
	assert_int_equal(
		gw_client_call(c, "GET", gw_str_from("/1"), gw_str_from(""), NULL, &g, NULL, NULL),
		GW_EARG);
	assert_int_equal(gw_client_send_json(c, NUMBER, gw_str_from("[]"), on_done, &g, NULL, &err),
			 GW_EARG);
	assert_int_equal(gw_client_send_json(c, NUMBER, gw_str_from("{"), on_done, &g, NULL, NULL),
			 GW_EPARSE);
	assert_int_equal(gw_client_send_json(c, gw_str_from("../1"), gw_str_from("{}"), on_done, &g,
					     NULL, NULL),
			 GW_EARG);
	assert_int_equal(
		gw_client_send_json(c, gw_str_from(""), gw_str_from("{}"), on_done, &g, NULL, NULL),
		GW_EARG);
	assert_int_equal(
		gw_client_mark_read(c, NUMBER, gw_str_from(""), false, on_done, &g, NULL, NULL),
		GW_EARG);
	assert_int_equal(gw_client_running(c), 0);
	assert_int_equal(gw_client_timeout_ms(c), -1);
	gw_client_free(c);
	assert_int_equal(g.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_answers_to_a_send),
		cmocka_unit_test(test_answers_to_a_read),
		cmocka_unit_test(test_nothing_is_sent_twice),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_callbacks_may_act),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_large_answer),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_token_length),
		cmocka_unit_test(test_what_is_not_started),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
