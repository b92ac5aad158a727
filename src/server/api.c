/* SPDX-License-Identifier: MIT */
/*
 * api.c - the keyed surface: who may call what
 *
 * ROLE        Between the listeners and the handlers.  Checks, in this order:
 *             Host and Origin (on the listener's thread, before the body),
 *             path and method, key, scope.  /livez and /readyz need no key.
 *             A key that is limited to numbers reaches what the table calls
 *             OWN: the handler asks api_numbers(), lists are filtered by the
 *             store, and what belongs to other numbers is answered like what
 *             does not exist.
 * INVARIANTS  1. Nothing behind a scope is reached without it, but over the
 *                local socket, which only its owner can open.
 *             2. Every call is answered exactly once.
 *             3. No answer to a key that is limited to numbers depends on what
 *                belongs to others.
 * THREADS     api_on_*(): a listener's.  The rest: the loop's.
 * TESTS       tests/system/test_access.py, test_api.py, test_key_limits.py
 */
#include "server/api.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "server/graph_front.h"
#include "server/probes.h"
#include "server/settings.h"
#include "server/spool.h"
#include <arpa/inet.h>
#include <stdarg.h>

/* As much of a value as an error quotes. */
#define SHOWN(s) STR_ARG(utf8_cut(s, 100))

struct api_mail {
	struct mail mail;
	struct server *server;
	struct http_call *call;
	bool has_key;
	unsigned char hash[SHA256_BYTES];
};

/* How far a key reaches that is limited to numbers. */
enum reach {
	WHOLE, /* not here: it concerns the whole gateway */
	OWN, /* the handler cuts it down to the key's numbers */
};

struct route {
	const char *method, *path; /* "*" stands for one segment */
	enum scope scope;
	enum reach reach;
	api_fn fn;
};

static const struct route routes[] = {
	{ "GET", "/api/v1/version", SCOPE_READ, OWN, api_version },
	{ "GET", "/api/v1/numbers", SCOPE_READ, OWN, api_number_list },
	{ "GET", "/api/v1/numbers/*", SCOPE_READ, OWN, api_number_get },
	{ "GET", "/api/v1/accounts", SCOPE_MANAGE, WHOLE, api_account_list },
	{ "GET", "/api/v1/accounts/*", SCOPE_MANAGE, WHOLE, api_account_get },
	{ "GET", "/api/v1/messages", SCOPE_READ, OWN, api_message_list },
	{ "GET", "/api/v1/messages/*", SCOPE_READ, OWN, api_message_get },
	{ "GET", "/api/v1/messages/*/trail", SCOPE_READ, OWN, api_message_trail },
	{ "POST", "/api/v1/messages/*/resolve", SCOPE_MANAGE, OWN, api_message_resolve },
	{ "GET", "/api/v1/conversations", SCOPE_READ, OWN, api_conversation_list },
	{ "GET", "/api/v1/conversations/*", SCOPE_READ, OWN, api_conversation_get },
	{ "GET", "/api/v1/contacts", SCOPE_READ, OWN, api_contact_list },
	{ "GET", "/api/v1/contacts/*", SCOPE_READ, OWN, api_contact_get },
	{ "POST", "/api/v1/contacts/*/optin", SCOPE_MANAGE, WHOLE, api_contact_optin },
	{ "POST", "/api/v1/contacts/*/optout", SCOPE_MANAGE, WHOLE, api_contact_optout },
	{ "GET", "/api/v1/batches", SCOPE_READ, OWN, api_batch_list },
	{ "POST", "/api/v1/batches", SCOPE_SEND, OWN, api_batch_add },
	{ "GET", "/api/v1/batches/*", SCOPE_READ, OWN, api_batch_get },
	{ "GET", "/api/v1/batches/*/results", SCOPE_READ, OWN, api_batch_results },
	{ "POST", "/api/v1/batches/*/start", SCOPE_SEND, OWN, api_batch_start },
	{ "POST", "/api/v1/batches/*/pause", SCOPE_SEND, OWN, api_batch_pause },
	{ "POST", "/api/v1/batches/*/resume", SCOPE_SEND, OWN, api_batch_resume },
	{ "POST", "/api/v1/batches/*/cancel", SCOPE_SEND, OWN, api_batch_cancel },
	{ "GET", "/api/v1/events", SCOPE_READ, OWN, api_event_list },
	{ "GET", "/api/v1/events/*", SCOPE_READ, OWN, api_event_get },
	{ "POST", "/api/v1/events/*/replay", SCOPE_MANAGE, OWN, api_event_replay },
	{ "GET", "/api/v1/stream", SCOPE_READ, OWN, api_stream },
	{ "GET", "/api/v1/destinations", SCOPE_READ, OWN, api_destination_list },
	{ "POST", "/api/v1/destinations", SCOPE_MANAGE, OWN, api_destination_add },
	{ "POST", "/api/v1/destinations/*/test", SCOPE_MANAGE, OWN, api_destination_test },
	{ "DELETE", "/api/v1/destinations/*", SCOPE_MANAGE, OWN, api_destination_remove },
	{ "GET", "/api/v1/keys", SCOPE_ADMIN, WHOLE, api_key_list },
	{ "POST", "/api/v1/keys", SCOPE_ADMIN, WHOLE, api_key_add },
	{ "DELETE", "/api/v1/keys/*", SCOPE_ADMIN, WHOLE, api_key_revoke },
	{ "GET", "/api/v1/config", SCOPE_ADMIN, WHOLE, api_config },
	{ "POST", "/api/v1/config/reload", SCOPE_ADMIN, WHOLE, api_config_reload },
	{ "POST", "/api/v1/doctor", SCOPE_MANAGE, WHOLE, api_doctor },
	{ "GET", "/api/v1/backup", SCOPE_ADMIN, WHOLE, api_backup_list },
	{ "POST", "/api/v1/backup", SCOPE_ADMIN, WHOLE, api_backup },
	{ "GET", "/metrics", SCOPE_READ, WHOLE, api_metrics },
	{ "GET", "/", SCOPE_READ, OWN, api_page },
};

static void put_error(struct buf *b, const char *class_, const char *code, const char *message)
{
	struct json_writer w;

	buf_init(b, 8192);
	json_w_init(&w, b);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "class", class_);
	json_w_kv_text(&w, "code", code);
	json_w_kv_text(&w, "message", message);
	json_w_end(&w);
	json_w_end(&w);
}

void api_error(struct http_call *call, int status, const char *class_, const char *code,
	       const char *fmt, ...)
{
	char message[1024];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	put_error(&b, class_, code, message);
	api_reply(call, status, &b);
}

void api_reply(struct http_call *call, int status, struct buf *json)
{
	if (buf_failed(json)) {
		http_reply_json(
			call, 500,
			STR("{\"error\":{\"class\":\"internal\",\"code\":\"too_large\","
			    "\"message\":\"the answer grew over its limit; ask for less\"}}"));
		buf_release(json);
		return;
	}
	http_reply_take(call, status, "application/json", buf_take(json), NULL, 0);
}

static const struct api_member *member_find(const struct api_member *known, size_t count,
					    struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(str_from(known[i].name), name))
			return &known[i];
	return NULL;
}

static void unknown_member(struct api_request *r, struct str name, const struct api_member *known,
			   size_t count)
{
	struct buf names;

	buf_init(&names, 512);
	for (size_t i = 0; i < count; i++)
		buf_put_fmt(&names, "%s%s", i > 0 ? ", " : "", known[i].name);
	api_error(r->call, 400, "usage", "unknown_member",
		  "the body has a member \"%.*s\"; known: %.*s", SHOWN(name),
		  STR_ARG(buf_str(&names)));
	buf_release(&names);
}

/* An odd value that is passed over would be taken for one that was heeded. */
static bool check_member(struct api_request *r, const struct api_member *m, struct json_val v)
{
	enum json_type type = json_type(v);
	struct str text, value = json_bytes(v);

	if (m->kind == API_TEXT && !json_str(v, m->max, &text)) {
		api_error(r->call, 400, "usage", "bad_member",
			  "%s: want a string of at most %zu bytes, got %.*s", m->name, m->max,
			  SHOWN(value));
		return false;
	}
	if (m->kind == API_FLAG && type != JSON_TRUE && type != JSON_FALSE) {
		api_error(r->call, 400, "usage", "bad_member", "%s: want true or false, got %.*s",
			  m->name, SHOWN(value));
		return false;
	}
	return true;
}

static bool check_members(struct api_request *r, struct json_val body,
			  const struct api_member *known, size_t count)
{
	struct json_iter it;
	struct json_val v;

	for (it = json_iter(body); json_next(&it, &v);) {
		const struct api_member *m = member_find(known, count, it.key);

		if (m == NULL) {
			unknown_member(r, it.key, known, count);
			return false;
		}
		if (!check_member(r, m, v))
			return false;
	}
	return true;
}

bool api_body(struct api_request *r, struct arena *a, const struct api_member *known, size_t count,
	      struct json_val *out)
{
	struct gw_error err = GW_ERROR_INIT;
	const struct json_doc *doc;

	if (json_scan(http_body(r->call), a, &doc, &err) != GW_OK) {
		api_error(r->call, 400, "usage", "bad_json", "the body is not JSON: %s",
			  err.message);
		return false;
	}
	*out = json_root(doc);
	if (json_type(*out) == JSON_OBJECT)
		return check_members(r, *out, known, count);
	api_error(r->call, 400, "usage", "bad_json", "the body must be a JSON object");
	return false;
}

bool api_limit(struct api_request *r, unsigned *out)
{
	struct str text;
	uint32_t n = API_LIST_DEFAULT;

	if (http_query(r->call, "limit", &text) &&
	    (!str_to_u32(text, &n) || n == 0 || n > API_LIST_MAX)) {
		api_error(r->call, 400, "usage", "bad_limit", "limit: want 1 to %d, got \"%.*s\"",
			  API_LIST_MAX, STR_ARG(text));
		return false;
	}
	*out = n;
	return true;
}

bool api_id(struct api_request *r, enum id_kind kind, struct str text, struct id *out)
{
	if (id_parse(kind, text, out))
		return true;
	api_error(r->call, 404, "not_found", "no_such_id", "\"%.*s\" is not an id of that kind",
		  STR_ARG(text));
	return false;
}

bool api_query_id(struct api_request *r, const char *name, enum id_kind kind, struct id *out)
{
	static const struct id none;
	struct str text;
	struct id id;

	if (!http_query(r->call, name, &text))
		return true;
	if (!api_id(r, kind, text, &id))
		return false;
	if (id_eq(&id, &none)) { /* the store takes zeros for "all" */
		api_error(r->call, 404, "not_found", "no_such_id", "\"%.*s\" is nobody's id",
			  STR_ARG(text));
		return false;
	}
	*out = id;
	return true;
}

/* ---- keys that are limited to numbers ---- */

struct str api_numbers(const struct api_request *r)
{
	return r->key == NULL ? STR_EMPTY : str_from(r->key->numbers);
}

static bool is_of_key(const void *key, struct str number)
{
	return key_may_number(key, number);
}

bool api_owns_filter(const struct api_request *r, const struct filter *f)
{
	return api_numbers(r).len == 0 || filter_stays_within(f, is_of_key, r->key);
}

void api_number_key(struct api_request *r, const char *why)
{
	metrics_add(r->server->metrics, M_API_REFUSED, 0, 0, 1);
	api_error(r->call, 403, "auth", "number_key",
		  "not with a key that is limited to numbers: %s; its numbers: %s", why,
		  r->key->numbers);
}

/* ---- Host and Origin ---- */

static struct str host_of(struct str text)
{
	size_t at;

	if (text.len > 0 && text.ptr[0] == '[') {
		if (str_find_char(text, ']', &at))
			return str_slice(text, 1, at);
		return STR_EMPTY;
	}
	return str_find_char(text, ':', &at) ? str_slice(text, 0, at) : text;
}

static bool is_address(struct str host)
{
	unsigned char raw[16];
	char text[64];

	return str_copy(host, text, sizeof(text)) &&
	       (inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1);
}

static bool host_is_known(const struct server *s, struct str host)
{
	struct str rest = settings_hosts(s), one;

	if (is_address(host) || str_eq_nocase(host, STR("localhost")))
		return true;
	while (str_split(&rest, ' ', &one))
		if (one.len > 0 && str_eq_nocase(one, host))
			return true;
	return false;
}

static size_t body_max(struct server *s, struct http_call *call)
{
	if (api_batch_is_add(call))
		return api_batch_on_head(s, call);
	return graph_is_path(http_path(call)) ? graph_on_head(s, call) : API_BODY_MAX;
}

size_t api_on_head(struct server *s, struct http_call *call)
{
	struct str host, origin;
	size_t at;

	if (http_is_local(call))
		return body_max(s, call);
	/* A page of another site must not reach us through the reader's browser. */
	if (!http_header(call, "Host", &host) || !host_is_known(s, host_of(host))) {
		api_error(call, 421, "usage", "unknown_host",
			  "this host name is not ours: list it in api.hosts");
		return 0;
	}
	if (http_header(call, "Origin", &origin)) {
		struct str from = str_find(origin, STR("://"), &at)
					  ? str_slice(origin, at + 3, origin.len)
					  : origin;

		if (!str_eq_nocase(from, host)) {
			api_error(call, 403, "auth", "foreign_origin",
				  "calls from pages of other sites are refused");
			return 0;
		}
	}
	return body_max(s, call);
}

void api_on_unheard(const struct http_call *call)
{
	graph_on_unheard(call);
}

/* ---- keys ---- */

bool api_key_text(const struct http_call *call, struct str *out)
{
	struct str header;

	if (http_header(call, "Authorization", &header)) {
		if (header.len > 7 && str_eq_nocase(str_slice(header, 0, 7), STR("Bearer "))) {
			*out = str_trim(str_slice(header, 7, header.len));
			return out->len > 0;
		}
		return false;
	}
	return http_query(call, "access_token", out) && out->len > 0;
}

bool api_may_have_key(const struct server *s, const struct http_call *call)
{
	unsigned char hash[SHA256_BYTES];
	struct str text;

	if (!api_key_text(call, &text))
		return false;
	key_hash(text, hash);
	return keys_may_have(s->keys, hash);
}

void api_no_key(struct server *s, struct http_call *call, bool graph)
{
	metrics_add(s->metrics, M_API_REFUSED, 0, 0, 1);
	if (graph) {
		graph_error(call, 401, 190, 0,
			    "Invalid OAuth access token - Cannot parse access token",
			    "Godwit refused this: use a Godwit key (gwk_...) as the bearer token; "
			    "godwit key create makes one");
		return;
	}
	api_error(call, 401, "auth", "no_key",
		  "no valid key: send Authorization: Bearer gwk_..., made by `godwit key create`");
}

void api_no_scope(struct server *s, struct http_call *call, const char *details)
{
	metrics_add(s->metrics, M_API_REFUSED, 0, 0, 1);
	graph_error(call, 403, 10, 0, "(#10) Application does not have permission for this action",
		    details);
}

/* ---- routing ---- */

/* Does path fit pattern?  "*" takes one non-empty segment into args. */
static bool path_fits(struct str path, const char *pattern, struct str args[API_ARGS_MAX])
{
	struct str p = str_from(pattern), a, b;
	size_t n = 0;
	bool more_a, more_b;

	for (;;) {
		more_a = str_split(&path, '/', &a);
		more_b = str_split(&p, '/', &b);
		if (more_a != more_b)
			return false;
		if (!more_a)
			return true;
		if (str_eq(b, STR("*"))) {
			if (a.len == 0 || n == API_ARGS_MAX)
				return false;
			args[n++] = a;
		} else if (!str_eq(a, b)) {
			return false;
		}
	}
}

/* allowed: the methods that the path takes, with ", " between them; empty: no such path. */
static const struct route *route_find(const struct http_call *call, struct str args[API_ARGS_MAX],
				      struct buf *allowed)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (!path_fits(http_path(call), routes[i].path, args))
			continue;
		if (str_eq(http_method(call), str_from(routes[i].method)))
			return &routes[i];
		buf_put_fmt(allowed, "%s%s", allowed->len > 0 ? ", " : "", routes[i].method);
	}
	return NULL;
}

static void wrong_method(struct api_request *r, const char *allowed)
{
	const struct http_header_out allow = { "Allow", allowed };
	char message[128];
	struct buf b;

	(void)snprintf(message, sizeof(message), "this path takes %s, not %.*s", allowed,
		       SHOWN(http_method(r->call)));
	put_error(&b, "usage", "method", message);
	http_reply_take(r->call, 405, "application/json", buf_take(&b), &allow, 1);
}

static void lacks_scope(struct api_request *r, const struct route *route)
{
	metrics_add(r->server->metrics, M_API_REFUSED, 0, 0, 1);
	api_error(r->call, 403, "auth", "no_scope", "the key lacks what %s needs", route->path);
}

static void dispatch_api(struct api_request *r)
{
	struct buf allowed;
	const struct route *route;

	buf_init(&allowed, 64);
	route = route_find(r->call, r->arg, &allowed);
	if (route == NULL && allowed.len > 0)
		wrong_method(r, allowed.data);
	else if (route == NULL)
		api_error(r->call, 404, "not_found", "no_such_path",
			  "no such path: see docs/api.md");
	else if (r->key != NULL && !key_may(r->key, route->scope))
		lacks_scope(r, route);
	else if (api_numbers(r).len > 0 && route->reach == WHOLE)
		api_number_key(r, "it concerns the whole gateway; use a key without --number");
	else
		route->fn(r);
	buf_release(&allowed);
}

static void on_call(struct mail *mail)
{
	struct api_mail *m = CONTAINER_OF(mail, struct api_mail, mail);
	struct api_request r = { .server = m->server, .call = m->call, .up = http_user(m->call) };
	bool graph = graph_is_path(http_path(m->call));
	bool local = http_is_local(m->call);

	if (!local && m->has_key)
		r.key = keys_find(m->server->keys, m->hash);
	if (!local && r.key == NULL) /* inv. 1 */
		api_no_key(m->server, m->call, graph);
	else if (graph)
		graph_call(&r);
	else
		dispatch_api(&r);
	spool_free(r.up);
	free(m);
}

void api_on_request(struct server *s, struct http_call *call)
{
	struct api_mail *m;
	struct str text;

	if (probe_answer(s, call))
		return;
	m = xcalloc(1, sizeof(*m));
	m->mail.deliver = on_call;
	m->server = s;
	m->call = call;
	m->has_key = api_key_text(call, &text);
	if (m->has_key)
		key_hash(text, m->hash);
	mailbox_post(s->mail, &m->mail);
}
