/* SPDX-License-Identifier: MIT */
/*
 * graph_front.c - the Graph paths as applications call them (O1)
 *
 * ROLE        POST /{vNN.N/}{number}/messages goes to the outbox; read receipts
 *             and typing go straight on to Meta with the account's token.
 *             Other Graph calls are refused with a sentence that says so.
 * INVARIANTS  1. The caller's key never reaches Meta and Meta's token never
 *                reaches the caller: the target is stripped of access_token and
 *                the answer is Meta's JSON only.
 *             2. Every call is answered once, also when its client has gone.
 * THREADS     The loop's, but for the pure questions.
 * TESTS       tests/system/test_graph_front.py, tests/system/test_clients.py
 */
#include "server/graph_front.h"
#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include <ctype.h>

#define ANSWER_MAX (1U << 20)
#define TARGET_MAX 4096

struct graph_front {
	struct server *server;
	struct http_client *client;
};

struct pass {
	struct graph_front *front;
	struct http_call *call;
	char *url, *authorization;
	struct str body; /* ours until the outcome */
};

gw_status graph_front_new(struct server *s, struct graph_front **out, struct gw_error *err)
{
	struct graph_front *g = xcalloc(1, sizeof(*g));
	struct http_client_options o = { .loop = s->loop, .http2 = true };
	gw_status st;

	g->server = s;
	if (s->cfg->graph_ca_file[0] != '\0')
		o.ca_file = s->cfg->graph_ca_file;
	st = http_client_new(&o, &g->client, err);
	if (st != GW_OK) {
		free(g);
		return st;
	}
	*out = g;
	return GW_OK;
}

void graph_front_free(struct graph_front *g)
{
	if (g == NULL)
		return;
	http_client_free(g->client);
	free(g);
}

bool graph_is_path(struct str path)
{
	return !str_starts(path, STR("/api/")) && !str_eq(path, STR("/metrics")) &&
	       !str_eq(path, STR("/")) && !str_eq(path, STR("/livez")) &&
	       !str_eq(path, STR("/readyz"));
}

/* "v26.0" */
static bool is_version(struct str s)
{
	size_t i = 1, digits = 0;

	if (s.len < 4 || s.ptr[0] != 'v')
		return false;
	for (; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
		digits++;
	if (digits == 0 || i == s.len || s.ptr[i++] != '.')
		return false;
	for (digits = 0; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
		digits++;
	return digits > 0 && i == s.len;
}

/* The path behind the version: "ID" and what follows it ("messages", or empty). */
static bool split_path(struct str path, struct str *id, struct str *edge)
{
	struct str first;

	if (path.len == 0 || path.ptr[0] != '/')
		return false;
	path = str_slice(path, 1, path.len);
	if (!str_split(&path, '/', &first))
		return false;
	if (is_version(first) && !str_split(&path, '/', &first))
		return false;
	*id = first;
	*edge = str_trim(path);
	if (edge->len > 0 && edge->ptr[edge->len - 1] == '/')
		edge->len--;
	return id->len > 0;
}

bool graph_is_send(const struct http_call *call)
{
	struct str id, edge;

	/* marketing_messages: Meta's other door for the same bodies (cloud-api.md 2.4) */
	return str_eq(http_method(call), STR("POST")) && split_path(http_path(call), &id, &edge) &&
	       (str_eq(edge, STR("messages")) || str_eq(edge, STR("marketing_messages")));
}

bool graph_number(const struct http_call *call, struct str *out)
{
	struct str edge;

	return split_path(http_path(call), out, &edge);
}

/* "access_token=..." however its name is spelled: a name may be percent-encoded. */
static bool is_token_pair(struct str pair)
{
	char name[sizeof("access_token")];
	size_t n = 0;

	for (size_t i = 0; i < pair.len && pair.ptr[i] != '=' && n < sizeof(name); n++) {
		unsigned char byte;

		if (pair.ptr[i] == '%' && hex_decode(str_slice(pair, i + 1, i + 3), &byte, 1)) {
			name[n] = (char)byte;
			i += 3;
		} else {
			name[n] = pair.ptr[i++];
		}
	}
	return str_eq(str_make(name, n), STR("access_token"));
}

/* The target without access_token: what stands there is our key (inv. 1). */
static bool strip_token(struct str target, char *out, size_t cap)
{
	struct str query, one;
	struct buf b;
	size_t at;
	char sep = '?';
	bool ok;

	buf_init(&b, cap);
	if (!str_find_char(target, '?', &at)) {
		buf_put_str(&b, target);
	} else {
		buf_put_str(&b, str_slice(target, 0, at));
		query = str_slice(target, at + 1, target.len);
		while (str_split(&query, '&', &one)) {
			if (one.len == 0 || is_token_pair(one))
				continue;
			buf_put_char(&b, sep);
			buf_put_str(&b, one);
			sep = '&';
		}
	}
	ok = !buf_failed(&b) && str_copy(buf_str(&b), out, cap);
	buf_release(&b);
	return ok;
}

void graph_error(struct http_call *call, int status, int code, int subcode, const char *message,
		 const char *details)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 8192);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "message", message);
	json_w_kv_text(&w, "type", "OAuthException");
	json_w_kv_i64(&w, "code", code);
	if (subcode != 0)
		json_w_kv_i64(&w, "error_subcode", subcode);
	json_w_key(&w, STR("error_data"));
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_text(&w, "details", details);
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	api_reply(call, status, &b);
}

/* ---- sends ---- */

static void on_answer(void *cookie, const struct outbox_answer *a)
{
	struct http_call *call = cookie;
	struct http_header_out headers[HTTP_REPLY_HEADERS_MAX];
	char id[ID_TEXT_MAX], retry[16];
	size_t n = 0;

	if (a->has_message) {
		id_text(ID_MESSAGE, &a->message, id);
		headers[n++] = (struct http_header_out){ "Godwit-Message", id };
	}
	if (a->preference_applied)
		headers[n++] = (struct http_header_out){ "Preference-Applied", "respond-async" };
	if (a->refused_here)
		headers[n++] = (struct http_header_out){ "Godwit-Refused", a->refused_reason };
	if (a->retry_after_s > 0) {
		(void)snprintf(retry, sizeof(retry), "%u", a->retry_after_s);
		headers[n++] = (struct http_header_out){ "Retry-After", retry };
	}
	http_reply(call, a->status, "application/json", a->body, headers, n);
}

/* "respond-async" among the tokens of Prefer. */
static bool wants_async(const struct http_call *call)
{
	struct str header, one;

	if (!http_header(call, "Prefer", &header))
		return false;
	while (str_split(&header, ',', &one))
		if (str_eq_nocase(str_trim(one), STR("respond-async")))
			return true;
	return false;
}

static void send_message(struct api_request *r, struct str number, const char *target)
{
	struct outbox_submit s = { .number_id = number,
				   .target = str_from(target),
				   .body = http_body(r->call),
				   .respond_async = wants_async(r->call),
				   .received_ns = http_received_ns(r->call),
				   .answer = on_answer,
				   .cookie = r->call };

	(void)http_header(r->call, "Idempotency-Key", &s.idempotency_key);
	(void)http_header(r->call, "Godwit-Unknown-Policy", &s.policy);
	if (r->key != NULL)
		s.key_id = r->key->id;
	outbox_submit(r->server->outbox, &s);
}

/* ---- what goes straight on ---- */

static void on_passed(void *cookie, const struct http_outcome *o)
{
	struct pass *p = cookie;
	char type[128];

	if (o->end == HTTP_END_ANSWERED) {
		(void)str_copy(o->content_type, type, sizeof(type));
		http_reply(p->call, o->status, type[0] != '\0' ? type : "application/json",
			   o->answer, NULL, 0);
	} else {
		graph_error(p->call, 503, 2, 0, "Service temporarily unavailable",
			    "Godwit could not reach Meta's API; nothing was queued, try again");
	}
	explicit_bzero(p->authorization, strlen(p->authorization));
	free(p->authorization);
	free(p->url);
	free((void *)(uintptr_t)p->body.ptr);
	free(p);
}

static void pass_on(struct api_request *r, const struct account *a, const char *target)
{
	struct graph_front *g = r->server->graph;
	struct pass *p = xcalloc(1, sizeof(*p));
	const char *headers[2] = { NULL, "Content-Type: application/json" };
	char method[16], auth[SECRET_MAX + 32];
	struct buf url;
	struct str id, edge;

	(void)split_path(http_path(r->call), &id, &edge);
	buf_init(&url, TARGET_MAX * 2);
	buf_put_text(&url, a->base_url);
	if (!str_starts(str_from(target), STR("/v")))
		buf_put_fmt(&url, "/%s", a->version);
	buf_put_text(&url, target);
	ASSERT(!buf_failed(&url));
	(void)snprintf(auth, sizeof(auth), "Authorization: Bearer %.*s", (int)a->token.len,
		       (const char *)a->token.bytes);
	p->front = g;
	p->call = r->call;
	p->url = (char *)(uintptr_t)buf_take(&url).ptr;
	p->authorization = xstrdup(auth);
	explicit_bzero(auth, sizeof(auth));
	headers[0] = p->authorization;
	(void)str_copy(http_method(r->call), method, sizeof(method));
	p->body = http_take_body(r->call);
	(void)http_client_start(
		g->client,
		&(struct http_request){ .method = method,
					.url = p->url,
					.headers = headers,
					.header_count = 2,
					.body = p->body,
					.connect_timeout_ms = r->server->cfg->graph_connect_ms,
					.timeout_ms = r->server->cfg->graph_timeout_ms,
					.answer_max = ANSWER_MAX },
		on_passed, p);
}

void graph_call(struct api_request *r)
{
	char target[TARGET_MAX];
	struct number *number;
	struct str id;

	if (!graph_number(r->call, &id) ||
	    !strip_token(http_target(r->call), target, sizeof(target))) {
		graph_error(r->call, 400, 2500, 0, "(#2500) Unknown path components",
			    "Godwit refused this: the path names no object, or is too long");
		return;
	}
	if (!graph_is_send(r->call)) {
		graph_error(r->call, 501, 100, 33, "(#100) Unsupported request",
			    "Godwit refused this: only POST /{phone-number-id}/messages is passed "
			    "on so far");
		return;
	}
	number = accounts_number(r->server->accounts, id);
	if (number != NULL && outbox_bypasses(http_body(r->call)))
		pass_on(r, number->account, target);
	else
		send_message(r, id,
			     target); /* an unknown number is refused there, in Meta's shape */
}
