/* SPDX-License-Identifier: MIT */
/*
 * graph_front.c - the Graph paths as applications call them (O1)
 *
 * ROLE        POST /{vNN.N/}{number}/messages goes to the outbox; all else, read
 *             receipts and typing among it, goes on to Meta (graph_pass.c).
 * INVARIANTS  1. The caller's key never reaches Meta: targets are stripped of it.
 *             2. Every call is answered once, also when its client has gone.
 * THREADS     The loop's, but for the pure questions.
 * TESTS       tests/system/test_graph_front.py, tests/system/test_clients.py
 */
#include "server/graph_front.h"
#include "base/mem.h"
#include "server/graph_pass.h"

struct graph_front {
	struct graph_pass *pass;
};

gw_status graph_front_new(struct server *s, struct graph_front **out, struct gw_error *err)
{
	struct graph_front *g = xcalloc(1, sizeof(*g));
	gw_status st = graph_pass_new(s, &g->pass, err);

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
	graph_pass_free(g->pass);
	free(g);
}

bool graph_is_path(struct str path)
{
	return !str_starts(path, STR("/api/")) && !str_eq(path, STR("/metrics")) &&
	       !str_eq(path, STR("/")) && !str_eq(path, STR("/livez")) &&
	       !str_eq(path, STR("/readyz"));
}

void graph_refuse(struct http_call *call, const struct graph_refusal *r)
{
	struct http_header_out headers[2];
	struct json_writer w;
	char after[16], advice[GW_ERROR_ADVICE_MAX];
	bool known = gw_error_advice(r->code, r->subcode, advice);
	struct buf b, details;
	size_t n = 0;

	buf_init(&details, 4096);
	buf_put_fmt(&details, "%s%s%s", r->details, known ? ". " : "", known ? advice : "");
	buf_init(&b, 8192);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "message", r->message);
	json_w_kv_text(&w, "type", "OAuthException");
	json_w_kv_i64(&w, "code", r->code);
	if (r->subcode != 0)
		json_w_kv_i64(&w, "error_subcode", r->subcode);
	json_w_key(&w, STR("error_data"));
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_str(&w, "details", buf_str(&details));
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	if (r->reason != NULL)
		headers[n++] = (struct http_header_out){ "Godwit-Refused", r->reason };
	(void)snprintf(after, sizeof(after), "%u", r->retry_after_s);
	if (r->retry_after_s > 0)
		headers[n++] = (struct http_header_out){ "Retry-After", after };
	http_reply_take(call, r->status, "application/json", buf_take(&b), headers, n);
	buf_release(&details);
}

bool graph_advice(struct str answer, int status, char out[GW_ERROR_ADVICE_MAX])
{
	struct gw_error err = GW_ERROR_INIT;

	return status >= 400 && gw_graph_error_parse(str_to_gw(answer), status, &err) &&
	       gw_error_advice(err.code, err.subcode, out);
}

void graph_error(struct http_call *call, int status, int code, int subcode, const char *message,
		 const char *details)
{
	graph_refuse(call, &(struct graph_refusal){ .status = status,
						    .code = code,
						    .subcode = subcode,
						    .message = message,
						    .details = details });
}

/* ---- sends ---- */

static void on_answer(void *cookie, const struct outbox_answer *a)
{
	struct http_call *call = cookie;
	struct http_header_out headers[HTTP_REPLY_HEADERS_MAX];
	char id[ID_TEXT_MAX], origin[ID_TEXT_MAX], retry[16], advice[GW_ERROR_ADVICE_MAX];
	size_t n = 0;

	if (a->has_message) {
		id_text(ID_MESSAGE, &a->message, id);
		headers[n++] = (struct http_header_out){ "Godwit-Message", id };
	}
	if (a->has_origin) {
		id_text(ID_MESSAGE, &a->origin, origin);
		headers[n++] = (struct http_header_out){ "Godwit-Fallback-For", origin };
	}
	if (a->parked)
		headers[n++] = (struct http_header_out){ "Godwit-Parked", "yes" };
	if (a->preference_applied)
		headers[n++] = (struct http_header_out){ "Preference-Applied", "respond-async" };
	if (a->refused_here)
		headers[n++] = (struct http_header_out){ "Godwit-Refused", a->refused_reason };
	if (a->retry_after_s > 0) {
		(void)snprintf(retry, sizeof(retry), "%u", a->retry_after_s);
		headers[n++] = (struct http_header_out){ "Retry-After", retry };
	}
	if (!a->refused_here && graph_advice(a->body, a->status, advice))
		headers[n++] = (struct http_header_out){ "Godwit-Advice", advice };
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

static void send_message(struct api_request *r, struct str number, struct str target)
{
	struct outbox_submit s = { .number_id = number,
				   .target = target,
				   .body = http_body(r->call),
				   .respond_async = wants_async(r->call),
				   .received_ns = http_received_ns(r->call),
				   .answer = on_answer,
				   .cookie = r->call };

	(void)http_header(r->call, "Idempotency-Key", &s.idempotency_key);
	(void)http_header(r->call, "Godwit-Unknown-Policy", &s.policy);
	(void)http_header(r->call, "Godwit-Category", &s.category);
	(void)http_header(r->call, "Godwit-Park", &s.park);
	(void)http_header(r->call, "Godwit-Fallback-Template", &s.fallback_template);
	(void)http_header(r->call, "Godwit-Fallback-Vars", &s.fallback_vars);
	if (r->key != NULL)
		s.key_id = r->key->id;
	outbox_submit(r->server->outbox, &s);
}

/* ---- the way in ---- */

size_t graph_on_head(struct server *s, struct http_call *call)
{
	struct graph_path path;

	if (graph_path_read(http_path(call), &path) &&
	    graph_kind(http_method(call), &path) == GRAPH_SEND)
		return OUTBOX_BODY_MAX;
	return graph_pass_on_head(s, call);
}

void graph_on_unheard(const struct http_call *call)
{
	graph_pass_unheard(call);
}

static void not_a_path(struct http_call *call)
{
	graph_error(call, 400, 2500, 0, "(#2500) Unknown path components",
		    "Godwit refused this: the path names no object, or is too long");
}

/* A message, or a receipt, which goes straight on. */
static void call_messages(struct api_request *r, const struct graph_path *path)
{
	struct number *number = accounts_number(r->server->accounts, path->object);
	struct buf target;

	if (r->key != NULL &&
	    (!key_may(r->key, SCOPE_SEND) || !key_may_number(r->key, path->object))) {
		api_no_scope(r->server, r->call,
			     "Godwit refused this: the key lacks the scope or the number");
		return;
	}
	if (number != NULL && outbox_bypasses(http_body(r->call))) {
		graph_pass_to(r->server->graph->pass, r, number->account);
		return;
	}
	buf_init(&target, GRAPH_TARGET_MAX);
	if (!graph_strip_token(http_target(r->call), &target))
		not_a_path(r->call);
	else /* an unknown number is refused there, in Meta's shape */
		send_message(r, path->object, buf_str(&target));
	buf_wipe(&target);
}

void graph_call(struct api_request *r)
{
	struct graph_path path;
	enum graph_kind kind;

	if (!graph_path_read(http_path(r->call), &path)) {
		not_a_path(r->call);
		return;
	}
	kind = graph_kind(http_method(r->call), &path);
	if (kind == GRAPH_SEND)
		call_messages(r, &path);
	else
		graph_pass_call(r->server->graph->pass, r, &path, kind);
}
