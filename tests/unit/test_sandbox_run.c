/* SPDX-License-Identifier: MIT */
/* test_sandbox_run.c - the whole sandbox over real sockets, with a callback that listens */
#include "net_peer.h"

#include "base/hexb64.h"
#include "base/mac.h"
#include "base/mem.h"
#include "json/json.h"
#include "net/http_server.h"
#include "sandbox/sandbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define ANA "5571990000001"
#define SEND "/v26.0/" SANDBOX_NUMBER_ID "/messages"
#define HOOKS_MAX 4096

/* ---- the callback ---- */

struct receiver {
	struct http_server *server;
	atomic_int refuse_handshakes, refuse_hooks; /* the next so many */
	atomic_int handshakes, hooks;
	/* Written by the server's thread, read after hooks grew. */
	char *bodies[HOOKS_MAX], *signatures[HOOKS_MAX], *old_signature;
};

static void take_handshake(struct receiver *r, struct http_call *c)
{
	struct str challenge, token, mode;

	atomic_fetch_add(&r->handshakes, 1);
	if (atomic_fetch_sub(&r->refuse_handshakes, 1) > 0 || !http_query(c, "hub.mode", &mode) ||
	    !str_eq(mode, STR("subscribe")) || !http_query(c, "hub.verify_token", &token) ||
	    !str_eq(token, STR("top secret&token")) || !http_query(c, "hub.challenge", &challenge))
		http_reply_empty(c, 403);
	else
		http_reply(c, 200, "text/plain", challenge, NULL, 0);
}

static void on_callback(void *cookie, struct http_call *c)
{
	struct receiver *r = cookie;
	struct str signature = STR("-"), old;
	int n;

	if (str_eq(http_method(c), STR("GET"))) {
		take_handshake(r, c);
		return;
	}
	if (atomic_fetch_sub(&r->refuse_hooks, 1) > 0) {
		http_reply_empty(c, 503);
		return;
	}
	(void)http_header(c, "X-Hub-Signature-256", &signature);
	n = atomic_load(&r->hooks);
	if (n < HOOKS_MAX) {
		r->bodies[n] = xstrndup(http_body(c));
		r->signatures[n] = xstrndup(signature);
		if (http_header(c, "X-Hub-Signature", &old) && r->old_signature == NULL)
			r->old_signature = xstrndup(old);
		atomic_store(&r->hooks, n + 1);
	}
	http_reply_empty(c, 200);
}

static void receiver_start(struct receiver *r)
{
	static const struct http_server_handlers handlers = { .on_request = on_callback };
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;

	memset(r, 0, sizeof(*r));
	o.address = "127.0.0.1";
	o.handlers = &handlers;
	o.cookie = r;
	assert_int_equal(http_server_start(&o, &r->server, NULL), GW_OK);
}

static void receiver_stop(struct receiver *r)
{
	http_server_stop(r->server, 1000);
	for (int i = 0; i < atomic_load(&r->hooks); i++) {
		free(r->bodies[i]);
		free(r->signatures[i]);
	}
	free(r->old_signature);
}

/* ---- the sandbox ---- */

struct run {
	struct sandbox_options o;
	pthread_t thread;
	struct gw_error err;
	int code, fd;
	int ready[2];
	uint16_t port;
	struct secret token;
	char callback[64];
	struct buf answer;
	struct arena *arena;
};

static void *run_sandbox(void *arg)
{
	struct run *r = arg;

	r->code = sandbox_run(&r->o, &r->err);
	return NULL;
}

static void run_init(struct run *r)
{
	const struct sandbox_options plain = SANDBOX_OPTIONS_INIT;

	memset(r, 0, sizeof(*r));
	r->o = plain;
	r->o.port = 0;
	r->o.seed = 7;
	r->o.handle_signals = false;
	secret_set(&r->token, STR("top secret&token"));
	r->o.verify_token = &r->token;
}

static void run_start(struct run *r, const struct receiver *callback)
{
	char line[16] = "";

	r->o.stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(pipe(r->ready), 0);
	r->o.ready_fd = r->ready[1];
	if (callback != NULL) {
		(void)snprintf(r->callback, sizeof(r->callback), "http://127.0.0.1:%u/hook?a=b",
			       http_server_port(callback->server));
		r->o.callback_url = r->callback;
	}
	buf_init(&r->answer, 64U << 20);
	r->arena = arena_new(64U << 20);
	assert_int_equal(pthread_create(&r->thread, NULL, run_sandbox, r), 0);
	assert_true(read(r->ready[0], line, sizeof(line) - 1) > 1);
	for (const char *p = line; *p >= '0' && *p <= '9'; p++)
		r->port = (uint16_t)(r->port * 10 + (*p - '0'));
	r->fd = peer_connect(r->port);
}

static void run_stop(struct run *r)
{
	uint64_t one = 1;

	(void)close(r->fd);
	assert_int_equal(write(r->o.stop_fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(pthread_join(r->thread, NULL), 0);
	assert_int_equal(r->code, 0);
	(void)close(r->o.stop_fd);
	(void)close(r->ready[0]);
	(void)close(r->ready[1]);
	buf_release(&r->answer);
	arena_free(r->arena);
	secret_release(&r->token);
}

static void ask(int fd, const char *method, const char *path, const char *body)
{
	struct buf b;

	buf_init(&b, 8U << 20);
	buf_put_fmt(&b,
		    "%s %s HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer t\r\n"
		    "Content-Length: %zu\r\n\r\n%s",
		    method, path, strlen(body), body);
	peer_send(fd, buf_str(&b));
	buf_release(&b);
}

static int call(struct run *r, const char *method, const char *path, const char *body)
{
	ask(r->fd, method, path, body);
	return peer_read_answer(r->fd, &r->answer);
}

static struct json_val answer(struct run *r)
{
	const struct json_doc *doc;
	struct str kept = arena_str(r->arena, peer_body(&r->answer));

	if (json_scan(kept, r->arena, &doc, NULL) != GW_OK)
		fail_msg("no JSON: %.*s", STR_ARG(buf_str(&r->answer)));
	return json_root(doc);
}

static void control(struct run *r, const char *method, const char *name, const char *body)
{
	char path[128];
	int status;

	(void)snprintf(path, sizeof(path), "/sandbox/v1/%s", name);
	status = call(r, method, path, body);
	if (status != 200)
		fail_msg("%s %s: %d %s", method, path, status, r->answer.data);
}

static int64_t number_of(struct json_val v, const char *path)
{
	int64_t n = -1;

	(void)json_i64(json_path(v, path), &n);
	return n;
}

static struct str text_of(struct json_val v, const char *path)
{
	struct str s = STR("-");

	(void)json_str(json_path(v, path), 1U << 20, &s);
	return s;
}

static void send_text(struct run *r, const char *text)
{
	char body[512];

	(void)snprintf(body, sizeof(body),
		       "{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA
		       "\",\"text\":{\"body\":\"%s\"}}",
		       text);
	CHECK_INT(text, 200, call(r, "POST", SEND, body));
}

static bool is_signed(const struct receiver *x, int i)
{
	struct mac *mac = mac_new(STR(SANDBOX_APP_SECRET));
	unsigned char want[SHA256_BYTES];
	char hex[80] = "sha256=";

	mac_sign(mac, str_from(x->bodies[i]), want);
	hex_encode(want, sizeof(want), hex + 7);
	mac_free(mac);
	return strcmp(hex, x->signatures[i]) == 0;
}

/* ---- the tests ---- */

static void alone(void **state)
{
	struct json_val v;
	struct run r;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	control(&r, "GET", "state", "");
	v = answer(&r);
	CHECK_STR("waba", SANDBOX_WABA_ID, text_of(v, "waba_id"));
	CHECK_INT("seed", 7, number_of(v, "seed"));
	CHECK_INT("templates", 4, json_count(json_path(v, "templates")));
	control(&r, "GET", "webhooks", "");
	v = json_at(json_path(answer(&r), "webhooks"), 0);
	CHECK_STR("hello has nowhere to go", "unsent", text_of(v, "state"));
	send_text(&r, "Yes"); /* but it opened the window */
	control(&r, "GET", "webhooks?wait=4&state=unsent", "");
	v = json_at(json_path(answer(&r), "webhooks"), 3);
	assert_true(str_find(text_of(v, "body"), STR("\"status\":\"read\""), &(size_t){ 0 }));
	CHECK_INT("page", 200, call(&r, "GET", "/", ""));
	assert_true(str_find(buf_str(&r.answer), STR("Ana"), &(size_t){ 0 }));
	run_stop(&r);
}

static void hello_comes_after_the_handshake(void **state)
{
	struct receiver x;
	struct json_val v;
	struct run r;

	(void)state;
	receiver_start(&x);
	atomic_store(&x.refuse_handshakes, 2);
	run_init(&r);
	run_start(&r, &x);
	control(&r, "GET", "webhooks?wait=1", "");
	v = answer(&r);
	CHECK_INT("three handshakes", 3, atomic_load(&x.handshakes));
	CHECK_INT("one webhook", 1, atomic_load(&x.hooks));
	assert_true(is_signed(&x, 0));
	assert_non_null(strstr(x.bodies[0], "Hi! Is this the sandbox?"));
	v = json_at(json_path(v, "webhooks"), 0);
	CHECK_STR("in the log", "handshake", text_of(v, "kind"));
	CHECK_STR("in the log", "delivered", text_of(v, "state"));
	CHECK_INT("in the log", 3, json_count(json_path(v, "attempts")));
	assert_false(str_find(text_of(v, "body"), STR("secret"), &(size_t){ 0 }));
	run_stop(&r);
	receiver_stop(&x);
}

static void escaped_and_then_signed(void **state)
{
	struct receiver x;
	struct run r;

	(void)state;
	receiver_start(&x);
	run_init(&r);
	r.o.no_seed_message = true;
	run_start(&r, &x);
	control(&r, "POST", "settings", "{\"sha1_signature\":true}");
	control(&r, "POST", "say",
		"{\"from\":\"+14155550100\",\"text\":\"ol\xc3\xa1 a/b \xf0\x9f\x98\x80\"}");
	control(&r, "GET", "webhooks?wait=1", "");
	assert_non_null(strstr(x.bodies[0], "ol\\u00e1 a\\/b \\ud83d\\ude00"));
	assert_true(is_signed(&x, 0));
	assert_non_null(x.old_signature);
	CHECK_INT("sha1", 45, strlen(x.old_signature));
	run_stop(&r);
	receiver_stop(&x);
}

static void refused_webhooks_come_again(void **state)
{
	struct receiver x;
	struct json_val v;
	struct run r;

	(void)state;
	receiver_start(&x);
	run_init(&r);
	r.o.no_seed_message = true;
	r.o.freeze = true;
	run_start(&r, &x);
	atomic_store(&x.refuse_hooks, 2);
	control(&r, "POST", "say", "{\"from\":\"+" ANA "\",\"text\":\"x\"}");
	control(&r, "GET", "webhooks?wait=1&state=waiting", "");
	control(&r, "POST", "clock", "{\"advance_ms\":999}");
	control(&r, "GET", "webhooks?state=waiting", "");
	CHECK_INT("not yet", 1, json_count(json_path(answer(&r), "webhooks")));
	control(&r, "POST", "clock", "{\"advance_ms\":1}");
	control(&r, "GET", "webhooks?wait=1&state=waiting", "");
	control(&r, "POST", "clock", "{\"advance\":\"2s\"}");
	control(&r, "GET", "webhooks?wait=1", "");
	v = json_at(json_path(answer(&r), "webhooks"), 1);
	CHECK_INT("tries", 3, number_of(v, "tries"));
	CHECK_INT("first", 503, number_of(json_at(json_path(v, "attempts"), 0), "status"));
	CHECK_INT("last", 200, number_of(json_at(json_path(v, "attempts"), 2), "status"));
	run_stop(&r);
	receiver_stop(&x);
}

static void after_seven_days_it_is_dead(void **state)
{
	struct receiver x;
	struct run r;

	(void)state;
	receiver_start(&x);
	run_init(&r);
	r.o.no_seed_message = true;
	r.o.freeze = true;
	run_start(&r, &x);
	atomic_store(&x.refuse_hooks, 2);
	control(&r, "POST", "say", "{\"from\":\"+" ANA "\",\"text\":\"x\"}");
	control(&r, "GET", "webhooks?wait=1&state=waiting", "");
	control(&r, "POST", "clock", "{\"advance\":\"7d\"}");
	control(&r, "GET", "webhooks?wait=1&state=dead", "");
	CHECK_INT("dead", 1, json_count(json_path(answer(&r), "webhooks")));
	control(&r, "POST", "webhooks/2/redeliver", "");
	control(&r, "GET", "webhooks?wait=1", "");
	CHECK_INT("by hand", 1, atomic_load(&x.hooks));
	run_stop(&r);
	receiver_stop(&x);
}

static void batches_and_duplicates(void **state)
{
	struct receiver x;
	struct run r;
	size_t commas = 0;

	(void)state;
	receiver_start(&x);
	run_init(&r);
	r.o.no_seed_message = true;
	r.o.freeze = true;
	run_start(&r, &x);
	control(&r, "POST", "settings",
		"{\"batch\":1000,\"duplicate_percent\":100,\"enforce_window\":false,\"shuffle\":8}");
	for (int i = 0; i < 5; i++)
		send_text(&r, "x");
	control(&r, "POST", "clock", "{\"advance\":\"1s\"}");
	control(&r, "GET", "webhooks?wait=1", "");
	for (const char *p = x.bodies[0]; (p = strstr(p, "\"changes\"")) != NULL; p++)
		commas++;
	CHECK_INT("one entry", 1, commas);
	commas = 0;
	for (const char *p = x.bodies[0]; (p = strstr(p, "\"statuses\"")) != NULL; p++)
		commas++;
	CHECK_INT("all statuses in one", 15, commas);
	control(&r, "POST", "clock", "{\"advance\":\"2s\"}");
	control(&r, "GET", "webhooks?wait=2", "");
	assert_string_equal(x.bodies[0], x.bodies[1]);
	control(&r, "POST", "webhooks", "{\"body\":\"not json\"}");
	control(&r, "GET", "webhooks?wait=3", "");
	assert_string_equal(x.bodies[2], "not json");
	assert_true(is_signed(&x, 2));
	run_stop(&r);
	receiver_stop(&x);
}

static void messages_can_be_awaited(void **state)
{
	struct json_val v;
	struct run r;
	int fd;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	fd = peer_connect(r.port);
	ask(fd, "GET", "/sandbox/v1/messages?wait=2&contains=two", "");
	send_text(&r, "one");
	send_text(&r, "two");
	CHECK_INT("again", 200,
		  call(&r, "POST", SEND,
		       "{\"messaging_product\":\"whatsapp\",\"to\":\"" ANA
		       "\",\"text\":{\"body\":\"two\"},\"biz_opaque_callback_data\":\"o\"}"));
	CHECK_INT("both are here", 200, peer_read_answer(fd, &r.answer));
	v = answer(&r);
	CHECK_INT("total", 3, number_of(v, "total"));
	CHECK_INT("shown", 2, json_count(json_path(v, "messages")));
	v = json_at(json_path(v, "messages"), 1);
	CHECK_STR("to", ANA, text_of(v, "to"));
	CHECK_STR("opaque", "o", text_of(v, "opaque"));
	CHECK_INT("once", 1, number_of(v, "accepted_count"));
	control(&r, "GET", "messages?brief=1&after=1&limit=1", "");
	v = answer(&r);
	CHECK_INT("brief", 1, json_count(json_path(v, "messages")));
	CHECK_INT("seq", 2, number_of(json_at(json_path(v, "messages"), 0), "seq"));
	control(&r, "GET", "messages?wait=99&timeout_s=0", "");
	CHECK_INT("no patience", 3, number_of(answer(&r), "total"));
	(void)close(fd);
	run_stop(&r);
}

static const struct {
	const char *name, *rule;
	bool reset;
	int accepted;
} ends[] = {
	{ "close", "{\"fault\":\"close\"}", false, 0 },
	{ "reset", "{\"fault\":\"reset\"}", true, 0 },
	{ "accept_close", "{\"fault\":\"accept_close\"}", false, 1 },
	{ "accept_reset", "{\"fault\":\"accept_reset\"}", true, 1 },
	{ "reset_head", "{\"fault\":\"reset_head\"}", true, 0 },
	{ "hang", "{\"fault\":\"hang\"}", true, 0 },
	{ "accept_hang", "{\"fault\":\"accept_hang\"}", true, 1 },
};

static void connections_end_without_an_answer(void **state)
{
	struct run r;
	int64_t total = 0;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	control(&r, "POST", "settings", "{\"pair_refill_ms\":0}");
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		int fd = peer_connect(r.port);
		ssize_t n;
		char c;

		ask(fd, "GET", "/" SANDBOX_NUMBER_ID, ""); /* so that it is a reused one */
		CHECK_INT(ends[i].name, 200, peer_read_answer(fd, &r.answer));
		control(&r, "POST", "inject", ends[i].rule);
		ask(fd, "POST", SEND,
		    "{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA
		    "\",\"text\":{\"body\":\"x\"}}");
		if (strstr(ends[i].name, "hang") != NULL) {
			do
				control(&r, "GET", "state", "");
			while (number_of(answer(&r), "held_answers") == 0);
			control(&r, "DELETE", "inject", "");
		}
		n = recv(fd, &c, 1, 0);
		CHECK_INT(ends[i].name, ends[i].reset ? -1 : 0, n);
		(void)close(fd);
		total += ends[i].accepted;
		control(&r, "GET", "messages", "");
		CHECK_INT(ends[i].name, total, number_of(answer(&r), "total"));
	}
	run_stop(&r);
}

#define AT_ONCE 1000

static void latency_needs_no_threads(void **state)
{
	static int fds[AT_ONCE];
	char body[256];
	struct run r;
	int64_t began;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	control(&r, "POST", "settings",
		"{\"answer_delay_ms\":300,\"enforce_window\":false,\"limit_mps\":5000}");
	for (int i = 0; i < AT_ONCE; i++)
		fds[i] = peer_connect(r.port);
	began = clock_real_ns();
	for (int i = 0; i < AT_ONCE; i++) {
		(void)snprintf(
			body, sizeof(body),
			"{\"messaging_product\":\"whatsapp\",\"to\":\"+1415555%04d\",\"text\":"
			"{\"body\":\"x\"}}",
			i);
		ask(fds[i], "POST", SEND, body);
	}
	control(&r, "GET", "messages?wait=1000&brief=1&limit=0", "");
	CHECK_INT("all were accepted", AT_ONCE, number_of(answer(&r), "total"));
	for (int i = 0; i < AT_ONCE; i++) {
		CHECK_INT("answered", 200, peer_read_answer(fds[i], &r.answer));
		(void)close(fds[i]);
	}
	assert_true(clock_real_ns() - began >= 300 * NS_PER_MS);
	assert_true(clock_real_ns() - began < 30 * NS_PER_S); /* one by one: 300 s */
	run_stop(&r);
}

static void followers_are_in_step(void **state)
{
	struct run r;
	int64_t began;
	int fd;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	fd = peer_connect(r.port);
	for (int i = 0; i < 3; i++) { /* nothing known yet, or another sandbox's version */
		static const char *const paths[] = { "/sandbox/v1/clock?after=0",
						     "/sandbox/v1/clock?after=-1",
						     "/sandbox/v1/clock?after=77" };

		ask(fd, "GET", paths[i], "");
		CHECK_INT("at once", 200, peer_read_answer(fd, &r.answer));
		CHECK_INT("version", 1, number_of(answer(&r), "version"));
	}
	ask(fd, "GET", "/sandbox/v1/clock?after=1", "");
	began = clock_real_ns();
	ask(r.fd, "POST", "/sandbox/v1/clock", "{\"advance\":\"24h\"}");
	CHECK_INT("woken", 200, peer_read_answer(fd, &r.answer));
	CHECK_INT("version", 2, number_of(answer(&r), "version"));
	assert_true(number_of(answer(&r), "offset_ms") >= 86400000 - 1000);
	ask(fd, "GET", "/sandbox/v1/clock?after=2", "");
	CHECK_INT("the move is over", 200, peer_read_answer(r.fd, &r.answer));
	assert_true(clock_real_ns() - began < 2 * NS_PER_S);
	control(&r, "POST", "clock", "{\"freeze\":true}"); /* not waiting for 2 s would be flaky */
	(void)close(fd);
	run_stop(&r);
}

static const struct {
	const char *method, *name, *body;
	int status;
} refusals[] = {
	{ "GET", "nothing", "", 404 },
	{ "PUT", "say", "{}", 404 },
	{ "POST", "say", "{", 400 },
	{ "POST", "say", "[]", 400 },
	{ "POST", "say", "", 400 },
	{ "POST", "say", "{\"from\":\"+" ANA "\"}", 400 },
	{ "POST", "say", "{\"from\":\"ana\",\"text\":\"x\"}", 400 },
	{ "POST", "say", "{\"from\":\"+" ANA "\",\"text\":\"x\",\"to\":\"1\"}", 404 },
	{ "POST", "say", "{\"from\":\"+" ANA "\",\"txt\":\"x\"}", 400 },
	{ "POST", "clock", "{}", 400 },
	{ "POST", "inject", "{\"fault\":\"error\",\"codes\":1}", 400 },
	{ "DELETE", "inject/99", "", 404 },
	{ "POST", "settings", "{\"sent\":1}", 404 },
	{ "POST", "settings", "{\"batch\":0}", 400 },
	{ "POST", "settings", "{\"batch\":1001}", 400 },
	{ "POST", "settings", "{\"enforce_window\":1}", 400 },
	{ "POST", "callback", "{\"url\":\"ftp://a\"}", 400 },
	{ "POST", "webhooks/9/redeliver", "", 404 },
	{ "POST", "status", "{\"message\":\"wamid.x\",\"status\":\"read\"}", 404 },
	{ "POST", "customers", "{\"phone\":\"+" ANA "\",\"mode\":\"ghost\"}", 400 },
	{ "POST", "customers", "{\"phone\":\"+" ANA "\",\"sent_ms\":2592000001}", 400 },
	{ "POST", "customers", "{\"phone\":\"+" ANA "\",\"read_ms\":\"5\"}", 400 },
	{ "POST", "numbers", "{\"id\":\"x\"}", 400 },
	{ "POST", "numbers", "{\"phone\":\"+4930123456\",\"limit_mps\":100001}", 400 },
	{ "POST", "templates", "{\"name\":\"t\"}", 400 },
	{ "GET", "webhooks?state=odd", "", 400 },
	{ "GET", "messages?limit=20001", "", 400 },
};

static void orders_that_are_refused(void **state)
{
	char path[128];
	struct run r;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		(void)snprintf(path, sizeof(path), "/sandbox/v1/%s", refusals[i].name);
		CHECK_INT(path, refusals[i].status,
			  call(&r, refusals[i].method, path, refusals[i].body));
		assert_true(json_exists(json_path(answer(&r), "error")));
	}
	peer_send(r.fd, STR("GET /sandbox/v1/state HTTP/1.1\r\nHost: sandbox\r\n"
			    "Origin: http://evil.example\r\n\r\n"));
	CHECK_INT("another origin", 403, peer_read_answer(r.fd, &r.answer));
	peer_send(r.fd, STR("GET /sandbox/v1/state HTTP/1.1\r\nHost: sandbox\r\n"
			    "Origin: http://sandbox\r\n\r\n"));
	CHECK_INT("our own", 200, peer_read_answer(r.fd, &r.answer));
	run_stop(&r);
}

static void orders_that_are_taken(void **state)
{
	struct json_val v;
	struct run r;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	control(&r, "POST", "customers",
		"{\"phone\":\"+491700000001\",\"name\":\"Bo\",\"user_id\":\"DE.77\",\"username\":\"bo\","
		"\"mode\":\"hidden\",\"reads\":false,\"read_ms\":5}");
	control(&r, "POST", "say", "{\"from\":\"DE.77\",\"text\":\"hi\"}");
	CHECK_STR("user id", "DE.77", text_of(answer(&r), "user_id"));
	control(&r, "GET", "customers", "");
	v = json_at(json_path(answer(&r), "customers"), 1);
	CHECK_STR("name", "Bo", text_of(v, "name"));
	CHECK_STR("mode", "hidden", text_of(v, "mode"));
	control(&r, "POST", "numbers", "{\"phone\":\"+4930123456\",\"limit_mps\":5}");
	CHECK_STR("display", "+4930123456", text_of(answer(&r), "display_phone_number"));
	control(&r, "POST", "templates",
		"{\"name\":\"t\",\"language\":\"de\",\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]}");
	control(&r, "POST", "templates", "{\"name\":\"t\",\"status\":\"PAUSED\"}");
	send_text(&r, "x");
	control(&r, "GET", "messages", "");
	{
		char body[512];

		(void)snprintf(
			body, sizeof(body),
			"{\"message\":\"%.*s\",\"status\":\"failed\",\"code\":131049}",
			STR_ARG(text_of(json_at(json_path(answer(&r), "messages"), 0), "id")));
		control(&r, "POST", "status", body);
	}
	control(&r, "GET", "webhooks?contains=131049", "");
	CHECK_INT("told", 1, json_count(json_path(answer(&r), "webhooks")));
	control(&r, "POST", "inject", "{\"fault\":\"error\",\"code\":4}");
	control(&r, "GET", "inject", "");
	CHECK_INT("rule", 1, json_count(answer(&r)));
	control(&r, "DELETE", "inject/1", "");
	control(&r, "GET", "settings", "");
	CHECK_INT("default", 45, number_of(answer(&r), "pair_burst"));
	control(&r, "POST", "reset", "");
	control(&r, "GET", "state", "");
	v = answer(&r);
	CHECK_INT("customers", 1, number_of(v, "customers"));
	CHECK_INT("numbers", 1, json_count(json_path(v, "numbers")));
	CHECK_INT("templates", 4, json_count(json_path(v, "templates")));
	CHECK_INT("hello again", 1, number_of(v, "inbound"));
	run_stop(&r);
}

/* One serial conversation on a frozen clock: everything that came back, in order. */
static char *transcript(void)
{
	struct receiver x;
	struct run r;
	struct buf all;
	char *out;

	receiver_start(&x);
	run_init(&r);
	r.o.freeze = true;
	r.o.start_wall_ms = INT64_C(1795000000000);
	run_start(&r, &x);
	buf_init(&all, 1U << 20);
	control(&r, "GET", "webhooks?wait=1", "");
	for (int i = 0; i < 5; i++) {
		send_text(&r, "hello");
		buf_put_str(&all, peer_body(&r.answer));
		control(&r, "POST", "say", "{\"from\":\"+14155550100\",\"text\":\"x\"}");
		buf_put_str(&all, peer_body(&r.answer));
		(void)call(&r, "POST", SEND, "{}");
		buf_put_str(&all, peer_body(&r.answer));
		control(&r, "POST", "clock", "{\"advance_ms\":130}");
	}
	control(&r, "POST", "clock", "{\"advance\":\"1m\"}");
	control(&r, "GET", "webhooks?wait=21", "");
	CHECK_INT("webhooks", 21, number_of(answer(&r), "counters.delivered") - 1);
	for (uint32_t i = 1; i < json_count(json_path(answer(&r), "webhooks")); i++) {
		struct json_val v = json_at(json_path(answer(&r), "webhooks"), i);

		buf_put_str(&all, text_of(v, "body"));
		buf_put_str(&all, text_of(v, "signature"));
	}
	out = xstrndup(buf_str(&all));
	buf_release(&all);
	run_stop(&r);
	receiver_stop(&x);
	return out;
}

static void same_seed_same_bytes(void **state)
{
	char *one = transcript(), *two = transcript();

	(void)state;
	assert_string_equal(one, two);
	free(one);
	free(two);
}

static void an_address_in_use(void **state)
{
	struct run r, again;

	(void)state;
	run_init(&r);
	run_start(&r, NULL);
	run_init(&again);
	again.o.port = r.port;
	CHECK_INT("code", 1, sandbox_run(&again.o, &again.err));
	assert_true(again.err.message[0] != '\0');
	secret_release(&again.token);
	run_init(&again);
	again.o.callback_url = "gopher://a";
	CHECK_INT("callback", 1, sandbox_run(&again.o, &again.err));
	secret_release(&again.token);
	run_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(hello_comes_after_the_handshake),
		cmocka_unit_test(escaped_and_then_signed),
		cmocka_unit_test(refused_webhooks_come_again),
		cmocka_unit_test(after_seven_days_it_is_dead),
		cmocka_unit_test(batches_and_duplicates),
		cmocka_unit_test(messages_can_be_awaited),
		cmocka_unit_test(connections_end_without_an_answer),
		cmocka_unit_test(latency_needs_no_threads),
		cmocka_unit_test(followers_are_in_step),
		cmocka_unit_test(orders_that_are_refused),
		cmocka_unit_test(orders_that_are_taken),
		cmocka_unit_test(same_seed_same_bytes),
		cmocka_unit_test(an_address_in_use),
	};

	return cmocka_run_group_tests_name("sandbox_run", tests, NULL, NULL);
}
