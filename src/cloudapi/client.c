/* SPDX-License-Identifier: MIT */
/*
 * client.c - calls of the Cloud API on a loop inside the caller's loop
 *
 * ROLE        Between a user's program and net/http_client. Owns a private
 *             loop whose epoll descriptor the user polls; curl's sockets and
 *             time-outs live in it.
 * LIFE        call: started -> its callback runs once -> freed, or cancelled.
 * INVARIANTS  1. Every call is in c->calls from its start until just before
 *                its callback; gw_client_free() cancels what is there.
 *             2. c->depth > 0 exactly while callbacks may run; then nobody
 *                may drive, wait or free.
 *             3. The token stands in `authorization` and nowhere else, and is
 *                wiped with the client.
 * FAILURE     A call that was started ends in its callback, whatever happens.
 * LIMITS      client.h; one answer is answer_max bytes.
 * TESTS       tests/unit/test_client.c against a scripted peer
 */
#include "cloudapi/client_int.h"
#include "base/mac.h"
#include "cloudapi/fill.h"

#include <limits.h>

#define CONNECT_TIMEOUT_MS 10000
#define TIMEOUT_MS 30000
#define ANSWER_MAX (4U * 1024 * 1024)

struct gw_call {
	gw_client *client;
	struct http_exchange *exchange;
	enum client_kind kind;
	bool has_body;
	gw_done_fn done;
	void *cookie;
	char *body; /* our copy: http_client borrows it */
	struct gw_call *next, **link; /* in client->calls */
};

/* Visible ASCII: neither a header line nor a URL can be split by it. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
			return false;
	}
	return true;
}

static bool is_version(const char *v)
{
	struct str s = str_from(v), major, minor;

	if (s.len < 4 || s.len > 12 || s.ptr[0] != 'v')
		return false;
	s = str_slice(s, 1, s.len);
	return str_split(&s, '.', &major) && str_split(&s, '.', &minor) && s.len == 0 &&
	       str_to_u32(major, &(uint32_t){ 0 }) && str_to_u32(minor, &(uint32_t){ 0 });
}

static gw_status set_options(gw_client *c, const gw_client_options *o, struct gw_error *err)
{
	const char *base = o->base_url == NULL ? GW_CLIENT_BASE_URL : o->base_url;
	const char *version = o->version == NULL ? GW_CLIENT_VERSION : o->version;
	struct str token = str_from(o->token);

	if (token.len == 0 || token.len > GW_CLIENT_TOKEN_MAX || !is_plain(token))
		return gw_error_set(err, GW_EARG,
				    "the access token must be 1 to %d visible characters",
				    GW_CLIENT_TOKEN_MAX);
	if (!is_version(version))
		return gw_error_set(err, GW_EARG, "version: want the form \"v26.0\"");
	if (strlen(base) > GW_CLIENT_URL_MAX / 2 || !is_plain(str_from(base)) ||
	    str_ends(str_from(base), STR("/")) ||
	    (!str_starts(str_from(base), STR("https://")) &&
	     !str_starts(str_from(base), STR("http://"))))
		return gw_error_set(err, GW_EARG,
				    "base_url: want http(s)://host[:port] without a slash at "
				    "the end");
	if (o->connect_timeout_ms < 0 || o->timeout_ms < 0)
		return gw_error_set(err, GW_EARG, "a time-out below zero");
	(void)snprintf(c->base, sizeof(c->base), "%s/%s", base, version); /* fits: checked */
	(void)snprintf(c->authorization, sizeof(c->authorization), AUTHORIZATION "%.*s",
		       STR_ARG(token));
	c->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms
							  : CONNECT_TIMEOUT_MS;
	c->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
	c->answer_max = o->answer_max > 0 ? o->answer_max : ANSWER_MAX;
	return GW_OK;
}

gw_status gw_client_new(const gw_client_options *o, gw_client **out, struct gw_error *err)
{
	struct http_client_options http = { .http2 = true };
	gw_client *c = calloc(1, sizeof(*c));
	gw_status st;

	if (c == NULL)
		return gw_error_set(err, GW_ENOMEM, "no memory for a client");
	st = o == NULL ? gw_error_set(err, GW_EARG, "no options") : set_options(c, o, err);
	if (st != GW_OK)
		goto out;
	clock_init(&c->clock);
	c->loop = loop_try_new(&c->clock);
	if (c->loop == NULL) {
		st = gw_error_set(err, GW_ENOMEM, "no memory or descriptors for a client");
		goto out;
	}
	http.loop = c->loop;
	http.ca_file = o->ca_file;
	st = http_client_new(&http, &c->http, err);
	if (st != GW_OK)
		goto out;
	*out = c;
	c = NULL;
out:
	gw_client_free(c);
	return st;
}

static void unlink_call(gw_call *call)
{
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	call->client->running--;
}

static void free_call(gw_call *call)
{
	free(call->body);
	free(call);
}

void gw_client_cancel(gw_client *c, gw_call *call)
{
	(void)c; /* the call knows its client; the argument shows whose it is */
	unlink_call(call);
	http_exchange_cancel(call->exchange);
	free_call(call);
}

void gw_client_free(gw_client *c)
{
	if (c == NULL)
		return;
	ASSERT(c->depth == 0); /* inv. 2 */
	while (c->calls != NULL)
		gw_client_cancel(c, c->calls);
	http_client_free(c->http);
	loop_free(c->loop);
	arena_free(c->kept);
	explicit_bzero(c->authorization, sizeof(c->authorization));
	free(c);
}

int gw_client_fd(const gw_client *c)
{
	return loop_fd(c->loop);
}

int gw_client_timeout_ms(const gw_client *c)
{
	int64_t ms = loop_wait_ms(c->loop);

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

size_t gw_client_running(const gw_client *c)
{
	return c->running;
}

void client_turn(gw_client *c, int64_t max_wait_ms)
{
	c->depth++;
	loop_turn(c->loop, max_wait_ms);
	c->depth--;
}

void gw_client_drive(gw_client *c)
{
	ASSERT(c->depth == 0); /* inv. 2 */
	client_turn(c, 0);
}

static void on_outcome(void *cookie, const struct http_outcome *outcome)
{
	gw_call *call = cookie;
	/* A scan takes at most 8 times the text; decoded strings are no longer than it. */
	struct arena *a = arena_new((size_t)64 * 1024 + 16 * outcome->answer.len);
	gw_result result;

	unlink_call(call); /* inv. 1 */
	client_read_outcome(call->kind, call->has_body, outcome, a, &result);
	call->done(call->cookie, &result);
	arena_free(a);
	free_call(call);
}

static gw_status check_call(const char *method, gw_str path, gw_str json, gw_done_fn done,
			    struct gw_error *err)
{
	if (done == NULL)
		return gw_error_set(err, GW_EARG, "no callback");
	if (method == NULL || (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0 &&
			       strcmp(method, "DELETE") != 0))
		return gw_error_set(err, GW_EARG, "method: want GET, POST or DELETE");
	if (path.len == 0 || path.ptr[0] != '/' || !is_plain(str_of_gw(path)))
		return gw_error_set(err, GW_EARG,
				    "path: want a slash and percent-encoded visible characters");
	if (path.len > GW_CLIENT_URL_MAX / 2)
		return gw_error_set(err, GW_ELIMIT, "path of %zu bytes; at most %d", path.len,
				    GW_CLIENT_URL_MAX / 2);
	if (json.len > GW_CLIENT_BODY_MAX)
		return gw_error_set(err, GW_ELIMIT, "body of %zu bytes; at most %u", json.len,
				    GW_CLIENT_BODY_MAX);
	if (json.len > 0 && strcmp(method, "GET") == 0)
		return gw_error_set(err, GW_EARG, "a GET has no body");
	return GW_OK;
}

static void start(gw_client *c, gw_call *call, const char *method, const char *url, size_t body_len)
{
	const char *const headers[] = { c->authorization, "User-Agent: godwit/" GW_VERSION,
					"Accept: application/json",
					"Content-Type: application/json" };
	struct http_request r = {
		.method = method,
		.url = url,
		.headers = headers,
		.header_count = ARRAY_LEN(headers) - (call->has_body ? 0 : 1),
		.body = { call->body, body_len },
		.connect_timeout_ms = c->connect_timeout_ms,
		.timeout_ms = c->timeout_ms,
		.answer_max = c->answer_max,
	};

	call->next = c->calls;
	call->link = &c->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	c->calls = call;
	c->running++;
	call->exchange = http_client_start(c->http, &r, on_outcome, call);
}

static gw_status begin(gw_client *c, enum client_kind kind, const char *method, gw_str path,
		       gw_str json, gw_done_fn done, void *cookie, gw_call **out,
		       struct gw_error *err)
{
	gw_status st = check_call(method, path, json, done, err);
	char url[2 * GW_CLIENT_URL_MAX];
	gw_call *call;

	if (st != GW_OK)
		return st;
	call = calloc(1, sizeof(*call));
	if (call == NULL || (call->body = malloc(json.len + 1)) == NULL) {
		free(call);
		return gw_error_set(err, GW_ENOMEM, "no memory for a call");
	}
	if (json.len > 0)
		memcpy(call->body, json.ptr, json.len);
	call->body[json.len] = '\0';
	call->client = c;
	call->kind = kind;
	call->has_body = json.len > 0;
	call->done = done;
	call->cookie = cookie;
	(void)snprintf(url, sizeof(url), "%s%.*s", c->base, (int)path.len, path.ptr); /* checked */
	start(c, call, method, url, json.len);
	if (out != NULL)
		*out = call;
	return GW_OK;
}

gw_status gw_client_call(gw_client *c, const char *method, gw_str path, gw_str json,
			 gw_done_fn done, void *cookie, gw_call **out, struct gw_error *err)
{
	bool reads = method != NULL && strcmp(method, "GET") == 0;

	return begin(c, reads ? CLIENT_READ : CLIENT_OTHER, method, path, json, done, cookie, out,
		     err);
}

/* "/{phone_number_id}/messages" */
static gw_status messages_path(gw_str phone_number_id, char path[96], struct gw_error *err)
{
	if (phone_number_id.len == 0 || phone_number_id.len > 64)
		return gw_error_set(err, GW_EARG, "phone number id: want 1 to 64 digits");
	for (size_t i = 0; i < phone_number_id.len; i++) {
		if (phone_number_id.ptr[i] < '0' || phone_number_id.ptr[i] > '9')
			return gw_error_set(err, GW_EARG,
					    "phone number id: want digits (the id of the number in "
					    "the App Dashboard, not the number)");
	}
	(void)snprintf(path, 96, "/%.*s/messages", (int)phone_number_id.len, phone_number_id.ptr);
	return GW_OK;
}

static gw_status send_bytes(gw_client *c, enum client_kind kind, gw_str phone_number_id,
			    gw_str json, gw_done_fn done, void *cookie, gw_call **out,
			    struct gw_error *err)
{
	char path[96];
	gw_status st = messages_path(phone_number_id, path, err);

	if (st != GW_OK)
		return st;
	return begin(c, kind, "POST", gw_str_from(path), json, done, cookie, out, err);
}

gw_status gw_client_send(gw_client *c, gw_str phone_number_id, const gw_message *m, gw_done_fn done,
			 void *cookie, gw_call **out, struct gw_error *err)
{
	return send_bytes(c, CLIENT_SEND, phone_number_id, gw_message_json(m), done, cookie, out,
			  err);
}

gw_status gw_client_send_json(gw_client *c, gw_str phone_number_id, gw_str json, gw_done_fn done,
			      void *cookie, gw_call **out, struct gw_error *err)
{
	const struct json_doc *doc = NULL;
	struct arena *a;
	gw_status st;

	if (json.len > GW_CLIENT_BODY_MAX)
		return gw_error_set(err, GW_ELIMIT, "body of %zu bytes; at most %u", json.len,
				    GW_CLIENT_BODY_MAX);
	a = arena_new((size_t)16 * 1024 + 16 * json.len);
	if (a == NULL)
		return gw_error_set(err, GW_ENOMEM, "no memory for a call");
	st = json_scan(str_of_gw(json), a, &doc, err);
	if (st == GW_OK && json_type(json_root(doc)) != JSON_OBJECT)
		st = gw_error_set(err, GW_EARG, "the body is not a JSON object");
	arena_free(a);
	if (st != GW_OK)
		return st;
	return send_bytes(c, CLIENT_SEND, phone_number_id, json, done, cookie, out, err);
}

gw_status gw_client_mark_read(gw_client *c, gw_str phone_number_id, gw_str message_id,
			      bool show_typing, gw_done_fn done, void *cookie, gw_call **out,
			      struct gw_error *err)
{
	struct json_writer w;
	struct buf body;
	gw_status st;

	if (message_id.len == 0 || message_id.len > GW_MESSAGE_ID_MAX)
		return gw_error_set(err, GW_EARG, "message id: want 1 to %d bytes",
				    GW_MESSAGE_ID_MAX);
	buf_init(&body, 4096);
	json_w_init(&w, &body);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_text(&w, "status", "read");
	json_w_kv_str(&w, "message_id", str_of_gw(message_id));
	if (show_typing)
		json_w_kv_raw(&w, "typing_indicator", STR("{\"type\":\"text\"}"));
	json_w_end(&w);
	if (buf_failed(&body))
		st = gw_error_set(err, GW_ENOMEM, "no memory for a call");
	else
		st = send_bytes(c, CLIENT_OTHER, phone_number_id, str_to_gw(buf_str(&body)), done,
				cookie, out, err);
	buf_release(&body);
	return st;
}
