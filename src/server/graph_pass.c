/* SPDX-License-Identifier: MIT */
/*
 * graph_pass.c - Graph calls that go on to Meta as they are
 *
 * ROLE        Everything of Graph but messages: media, templates, numbers, profile, and
 *             what Meta may add tomorrow.  Head and body go on, the key's place is
 *             taken by the account's token; the answer comes back with its links
 *             rewritten (graph_link.c).  One attempt, never repeated: what became
 *             of a call whose answer was lost, only Meta knows, and we say so.
 *
 *   body up to PASS_BODY_MAX    memory -> Meta        larger, or chunked   spool -> Meta
 *   answer                      memory -> rewritten   of a media link      spool -> caller
 *
 *   GET /media/ACCOUNT.MAC/URL  an address that Meta gave in an answer (graph_link.h)
 *   GET /media/NUMBER/ID        one in an event (gateway/media_link.h): its address is asked
 *                               for first, and then fetched
 *
 * QUOTA       Meta counts calls of management per app and business account in an
 *             hour.  graph.management_per_hour is a bucket per account; who finds
 *             it empty is told when to come again, and Meta is not asked.
 *
 * INVARIANTS  1. The caller's key never reaches Meta, in head or query; Meta's token
 *                never reaches the caller (graph_links_rewrite() refuses to).
 *             2. Every call is answered once, also when its client has gone.
 *             3. The token goes to the account's base URL and to links that Meta gave
 *                (graph_link_open() checks our MAC; or Meta gave it just now), nowhere else.
 *             4. A large body is read only for a caller who has a key (keys_may_have()).
 *
 * LIMITS      ANSWER_MAX bytes of a JSON answer; SPOOL_BYTES_MAX of media.  A key that a
 *             client puts into a JSON or multipart body besides the head goes on.
 * THREADS     See graph_pass.h.
 * TESTS       tests/system/test_graph_pass.py
 */
#include "server/graph_pass.h"

#include "base/mem.h"
#include "base/panic.h"
#include "gateway/link.h"
#include "gateway/media_link.h"
#include "server/graph_front.h"
#include "server/graph_link.h"
#include "server/number_read.h"
#include "server/spool.h"
#include "server/template_hear.h"

#include <inttypes.h>

#define PASS_BODY_MAX API_BODY_MAX /* kept in memory; beyond, a file */
#define ANSWER_MAX ((size_t)16 << 20) /* a page of 1,000 templates has 3 MB */
#define LINE_MAX_BYTES 1024 /* of a header that is passed on */
#define MEDIA_TIMEOUT_MS 300000 /* 100 MB at 3 Mbit/s */
#define FORM_TYPE "application/x-www-form-urlencoded"
#define HOUR_NS (3600 * NS_PER_S)

/* ---- what there is ---- */

struct quota {
	int64_t account; /* row */
	int64_t tat_ns; /* GCRA with a whole hour of burst */
};

struct graph_pass {
	struct server *server;
	struct http_client *client;
	struct mac *mac; /* of links */
	struct link running; /* struct pass */
	struct quota quotas[ACCOUNTS_MAX];
	size_t quota_count;
};

/* Headers of Meta's answer that are the caller's, too. */
static const char *const returned[] = {
	"Retry-After",
	"ETag",
	"Content-Disposition",
	"X-App-Usage",
	"X-Business-Use-Case-Usage",
	"facebook-api-version",
	"X-FB-Trace-ID",
};
/* And of the caller's that are Meta's; Content-Type is handled apart. */
static const char *const forwarded[] = { "Range", "file_offset", "If-None-Match" };

struct pass {
	struct link link;
	struct graph_pass *g;
	struct http_call *call;
	int64_t account;
	char *url, *authorization, *key; /* the last two are wiped */
	char *own_base;
	struct str body; /* ours until the outcome */
	struct spool *up, *down;
	bool too_large; /* the spool took no more */
	bool is_lookup; /* of a medium's address, which is fetched next */
	struct http_exchange *exchange;
	char method[16], path[128]; /* for the log: no query, which may hold what is secret */
	int64_t started_ns;
	char *headers[ARRAY_LEN(returned)]; /* values, heap */
};

gw_status graph_pass_new(struct server *s, struct graph_pass **out, struct gw_error *err)
{
	struct graph_pass *g = xcalloc(1, sizeof(*g));
	struct http_client_options o = { .loop = s->loop, .http2 = true };
	gw_status st;

	g->server = s;
	if (s->cfg->graph_ca_file[0] != '\0')
		o.ca_file = s->cfg->graph_ca_file;
	link_init(&g->running);
	st = http_client_new(&o, &g->client, err);
	if (st != GW_OK) {
		free(g);
		return st;
	}
	g->mac = mac_new(str_make((const char *)store_token_key(s->store), SHA256_BYTES));
	ASSERT(g->mac != NULL);
	*out = g;
	return GW_OK;
}

static void wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void pass_free(struct pass *p)
{
	link_remove(&p->link);
	wipe(p->authorization);
	wipe(p->key);
	free(p->url);
	free(p->own_base);
	free((void *)(uintptr_t)p->body.ptr);
	spool_free(p->up);
	spool_free(p->down);
	for (size_t i = 0; i < ARRAY_LEN(returned); i++)
		free(p->headers[i]);
	free(p);
}

static void unavailable(struct http_call *call, const char *details)
{
	graph_refuse(call, &(struct graph_refusal){ .status = 503,
						    .code = 2,
						    .message = "Service temporarily unavailable",
						    .details = details,
						    .reason = "busy",
						    .retry_after_s = 5 });
}

void graph_pass_free(struct graph_pass *g)
{
	struct link *l;

	if (g == NULL)
		return;
	while ((l = link_first(&g->running)) != NULL) {
		struct pass *p = CONTAINER_OF(l, struct pass, link);

		http_exchange_cancel(p->exchange);
		unavailable(p->call, "the gateway stopped before Meta answered; whether Meta did "
				     "what was asked is not known");
		pass_free(p);
	}
	http_client_free(g->client);
	mac_free(g->mac);
	free(g);
}

/* ---- the body, on a listener's thread ---- */

size_t graph_pass_on_head(struct server *s, struct http_call *call)
{
	uint64_t length = http_content_length(call);
	struct spool *spool;

	if (!http_has_body(call) || (length > 0 && length <= PASS_BODY_MAX))
		return PASS_BODY_MAX;
	if (length > SPOOL_BYTES_MAX)
		return SPOOL_BYTES_MAX; /* 413 */
	if (!http_is_local(call) && !api_may_have_key(s, call)) { /* inv. 4 */
		api_no_key(s, call, true);
		return 0;
	}
	spool = spool_open(s, SPOOL_BYTES_MAX);
	if (spool == NULL) {
		unavailable(call, "there is no room for another large body just now");
		return 0;
	}
	http_set_user(call, spool);
	http_body_to(call, spool->fd);
	return SPOOL_BYTES_MAX;
}

void graph_pass_unheard(const struct http_call *call)
{
	if (call != NULL)
		spool_free(http_user(call));
}

/* ---- whose account ---- */

static struct account *by_object(const struct accounts *all, struct str object)
{
	struct number *n = accounts_number(all, object);

	if (n != NULL)
		return n->account;
	for (size_t i = 0; i < accounts_number_count(all); i++) {
		n = accounts_number_at(all, i);
		if (object.len > 0 && str_eq(str_from(n->business_id), object))
			return n->account;
	}
	for (size_t i = 0; i < accounts_count(all); i++) {
		struct account *a = accounts_at(all, i);

		if (object.len > 0 && str_eq(str_from(a->app_id), object))
			return a;
	}
	return NULL;
}

static struct account *choose(const struct api_request *r, const struct graph_path *path)
{
	const struct accounts *all = r->server->accounts;
	struct account *a = by_object(all, path->object);
	struct str text, numbers = api_numbers(r);

	if (a == NULL && http_query(r->call, "phone_number_id", &text))
		a = by_object(all, text);
	if (a == NULL && http_header(r->call, "Godwit-Account", &text))
		a = accounts_get(all, text);
	if (a == NULL && numbers.len > 0 && str_split(&numbers, ',', &text))
		a = by_object(all, str_trim(text));
	if (a == NULL && accounts_count(all) == 1)
		a = accounts_at(all, 0);
	return a;
}

/* ---- what a key may ---- */

static bool scope_allows(const struct key *k, enum graph_kind kind)
{
	switch (kind) {
	case GRAPH_SEND:
	case GRAPH_UPLOAD: return key_may(k, SCOPE_SEND);
	case GRAPH_MEDIA_LINK:
	case GRAPH_OBJECT: return key_may(k, SCOPE_SEND) || key_may(k, SCOPE_READ);
	case GRAPH_READ: return key_may(k, SCOPE_READ);
	case GRAPH_WRITE: return key_may(k, SCOPE_MANAGE);
	}
	return false;
}

/* A key that is limited to numbers reaches these, and media that Meta finds to be theirs. */
static bool number_allows(const struct api_request *r, const struct graph_path *path,
			  enum graph_kind kind)
{
	struct str number, rest = path->edge;
	size_t at;

	if (api_numbers(r).len == 0)
		return true;
	if (kind == GRAPH_MEDIA_LINK) /* ACCOUNT.MAC/URL was given to who might ask for it */
		return str_find_char(rest, '.', &at) ||
		       (str_split(&rest, '/', &number) && key_may_number(r->key, number));
	if (by_object(r->server->accounts, path->object) != NULL || path->edge.len > 0)
		return key_may_number(r->key, path->object);
	return http_query(r->call, "phone_number_id", &number) && key_may_number(r->key, number);
}

static bool key_allows(const struct api_request *r, const struct graph_path *path,
		       enum graph_kind kind)
{
	if (r->key == NULL)
		return true;
	if (!scope_allows(r->key, kind)) {
		api_no_scope(r->server, r->call,
			     "Godwit refused this: the key lacks the scope; messages and media "
			     "need send, other reading needs read, all else manage");
		return false;
	}
	if (!number_allows(r, path, kind)) {
		api_no_scope(
			r->server, r->call,
			"Godwit refused this: the key is limited to numbers; call paths of "
			"these, and name one as ?phone_number_id= where the path has a medium");
		return false;
	}
	return true;
}

/* ---- quota ---- */

static struct quota *quota_of(struct graph_pass *g, int64_t account)
{
	for (size_t i = 0; i < g->quota_count; i++)
		if (g->quotas[i].account == account)
			return &g->quotas[i];
	ASSERT(g->quota_count < ACCOUNTS_MAX);
	g->quotas[g->quota_count] = (struct quota){ .account = account, .tat_ns = INT64_MIN / 2 };
	return &g->quotas[g->quota_count++];
}

/* Take one of this hour's; returns 0, or the seconds until there is one. */
static unsigned take_quota(struct graph_pass *g, int64_t account)
{
	int64_t limit = g->server->cfg->management_per_hour, now, interval;
	struct quota *q = quota_of(g, account);

	if (limit == 0)
		return 0;
	interval = HOUR_NS / limit;
	now = clock_mono_ns(&g->server->clock);
	if (q->tat_ns < now)
		q->tat_ns = now;
	if (q->tat_ns + interval - now > HOUR_NS)
		return (unsigned)((q->tat_ns + interval - now - HOUR_NS) / NS_PER_S) + 1;
	q->tat_ns += interval;
	return 0;
}

static bool quota_allows(struct graph_pass *g, struct http_call *call, const struct account *a,
			 enum graph_kind kind)
{
	unsigned wait_s;
	char details[256];

	if (kind != GRAPH_READ && kind != GRAPH_WRITE)
		return true;
	wait_s = take_quota(g, a->row);
	if (wait_s == 0)
		return true;
	(void)snprintf(details, sizeof(details),
		       "Godwit refused this: this account has used its %" PRId64
		       " calls of management in an hour (graph.management_per_hour), so that Meta "
		       "does not refuse; there is room again in %u s",
		       g->server->cfg->management_per_hour, wait_s);
	graph_refuse(call, &(struct graph_refusal){ .status = 429,
						    .code = 80007,
						    .message = "(#80007) Rate limit issues",
						    .details = details,
						    .reason = "quota",
						    .retry_after_s = wait_s });
	return false;
}

/* ---- the answer ---- */

static void on_header(void *cookie, struct str line)
{
	struct pass *p = cookie;
	struct str name, value = line;

	if (!str_split(&value, ':', &name) || value.ptr == NULL)
		return;
	value = str_trim(value);
	if (value.len > LINE_MAX_BYTES)
		return;
	for (size_t i = 0; i < ARRAY_LEN(returned); i++) {
		if (!str_eq_nocase(name, str_from(returned[i])))
			continue;
		free(p->headers[i]);
		p->headers[i] = xstrndup(value);
	}
}

static void on_chunk(void *cookie, struct str bytes)
{
	struct pass *p = cookie;

	if (!p->too_large)
		p->too_large = !spool_write(p->down, bytes);
}

static void log_pass(const struct pass *p, const struct http_outcome *o)
{
	char advice[GW_ERROR_ADVICE_MAX] = "";
	bool known = o->end == HTTP_END_ANSWERED && graph_advice(o->answer, o->status, advice);

	log_info(&p->g->server->log, "graph method=%s path=%s http=%d ms=%" PRId64 "%s%s",
		 p->method, p->path, o->status, o->total_ms,
		 known                         ? ": "
		 : o->end == HTTP_END_ANSWERED ? ""
					       : " ",
		 o->end == HTTP_END_ANSWERED ? advice : o->error.message);
}

static size_t headers_of(const struct pass *p, struct http_header_out out[ARRAY_LEN(returned)])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(returned); i++)
		if (p->headers[i] != NULL)
			out[n++] = (struct http_header_out){ returned[i], p->headers[i] };
	return n;
}

static void not_answered(struct pass *p, const struct http_outcome *o)
{
	char details[512];

	if (o->end == HTTP_END_NOT_SENT || o->end == HTTP_END_REFUSED) {
		(void)snprintf(
			details, sizeof(details),
			"Godwit could not reach Meta's API (%s); nothing was sent, try again",
			o->error.message);
		unavailable(p->call, details);
		return;
	}
	(void)snprintf(details, sizeof(details),
		       "Godwit lost Meta's answer (%s); whether Meta did what was asked is not "
		       "known: look before you repeat a call that changes something",
		       o->error.message);
	graph_refuse(p->call, &(struct graph_refusal){ .status = 504,
						       .code = 2,
						       .message = "Service temporarily unavailable",
						       .details = details,
						       .reason = "lost" });
}

static void answer_json(struct pass *p, const struct account *a, const struct http_outcome *o,
			const char *type)
{
	struct http_header_out headers[ARRAY_LEN(returned) + 1];
	char advice[GW_ERROR_ADVICE_MAX];
	size_t n = headers_of(p, headers);
	struct graph_links links = { .mac = p->g->mac,
				     .account = p->account,
				     .graph_base = str_from(a->base_url),
				     .own_base = str_from(p->own_base),
				     .key = str_from(p->key),
				     .token = str_make((const char *)a->token.bytes,
						       a->token.len) };
	struct arena *arena = arena_new(o->answer.len * 8 + 65536);
	struct buf out;

	if (o->status == 200) {
		template_hear(p->g->server, str_from(p->method), str_from(p->path), p->body,
			      o->answer);
		number_read_heard(p->g->server->number_read, str_from(p->method),
				  str_from(p->path));
	}

	buf_init(&out, 2 * ANSWER_MAX);
	if (graph_advice(o->answer, o->status, advice))
		headers[n++] = (struct http_header_out){ "Godwit-Advice", advice };
	if (arena != NULL && graph_links_rewrite(&links, o->answer, arena, &out))
		http_reply_take(p->call, o->status, type, buf_take(&out), headers, n);
	else
		graph_refuse(p->call,
			     &(struct graph_refusal){
				     .status = 502,
				     .code = 2,
				     .message = "Service temporarily unavailable",
				     .details = "Godwit does not pass Meta's answer on: it holds "
						"the account's token in a place that is not known",
				     .reason = "other" });
	buf_wipe(&out);
	arena_free(arena);
}

static void start(struct pass *p, const struct account *a, char *url, bool oauth, bool spooled);

static void no_medium(struct http_call *call)
{
	graph_error(call, 404, 100, 33, "(#100) Unsupported get request",
		    "Godwit refused this: it is no medium of that number, or no longer there");
}

/* Meta's answer to "where is this medium?"; NULL: it is none. */
static char *address_in(const struct http_outcome *o)
{
	struct arena *arena = arena_new(o->answer.len * 8 + 65536);
	const struct json_doc *doc;
	struct str url = STR_EMPTY;
	char *copy = NULL;

	if (arena != NULL && o->status == 200 && json_scan(o->answer, arena, &doc, NULL) == GW_OK &&
	    (json_exists(json_member(json_root(doc), STR("mime_type"))) ||
	     json_exists(json_member(json_root(doc), STR("sha256")))) &&
	    json_get_str(json_root(doc), STR("url"), GRAPH_TARGET_MAX, &url) &&
	    (str_starts(url, STR("https://")) || str_starts(url, STR("http://"))))
		copy = xstrndup(url);
	arena_free(arena);
	return copy;
}

/* True: it is on its way now, or the caller has an answer. */
static bool follow_address(struct pass *p, const struct account *a, const struct http_outcome *o)
{
	char *url = o->end == HTTP_END_ANSWERED ? address_in(o) : NULL;

	p->is_lookup = false;
	if (url == NULL && o->end == HTTP_END_ANSWERED && o->status == 200) {
		no_medium(p->call); /* another object, which is not for who may have its media */
		pass_free(p);
		return true;
	}
	if (url == NULL)
		return false;
	p->down = spool_open(p->g->server, SPOOL_BYTES_MAX);
	if (p->down == NULL) {
		free(url);
		unavailable(p->call, "there is no room for another large body just now");
		pass_free(p);
		return true;
	}
	free(p->url);
	wipe(p->authorization);
	for (size_t i = 0; i < ARRAY_LEN(returned); i++) {
		free(p->headers[i]);
		p->headers[i] = NULL;
	}
	start(p, a, url, false, true);
	return true;
}

static void on_outcome(void *cookie, const struct http_outcome *o)
{
	struct pass *p = cookie;
	const struct account *a = accounts_by_row(p->g->server->accounts, p->account);
	struct http_header_out headers[ARRAY_LEN(returned)];
	char type[128];

	log_pass(p, o);
	metrics_observe(p->g->server->metrics, M_GRAPH_SECONDS, (double)o->total_ms / 1000);
	if (p->is_lookup && follow_address(p, a, o))
		return;
	if (!str_copy(o->content_type, type, sizeof(type)) || type[0] == '\0')
		(void)str_copy(STR("application/json"), type, sizeof(type));
	if (o->end != HTTP_END_ANSWERED)
		not_answered(p, o);
	else if (p->too_large)
		unavailable(p->call, "the medium is larger than 104 MiB, or the disk is full");
	else if (p->down == NULL)
		answer_json(p, a, o, type);
	else
		http_reply_file(p->call, o->status, type, spool_take(p->down), p->down->len,
				headers, headers_of(p, headers));
	pass_free(p);
}

/* ---- the request ---- */

/* How the caller reached us, for links that lead back. */
static char *own_base(const struct http_call *call)
{
	struct str host = STR("localhost"), proto = STR("http");
	char text[512];

	(void)http_header(call, "Host", &host);
	if (http_header(call, "X-Forwarded-Proto", &proto) && !str_eq_nocase(proto, STR("https")))
		proto = STR("http");
	(void)snprintf(text, sizeof(text), "%.*s://%.*s", STR_ARG(proto),
		       STR_ARG(str_slice(host, 0, 255)));
	return xstrdup(text);
}

/* A form may hold the key as a field, as a query may. */
static struct str take_body(struct http_call *call)
{
	struct str body = http_take_body(call), type = STR_EMPTY;
	struct buf form, stripped;

	(void)http_header(call, "Content-Type", &type);
	if (!str_eq_nocase(str_slice(type, 0, sizeof(FORM_TYPE) - 1), STR(FORM_TYPE)))
		return body;
	buf_init(&form, body.len + 2);
	buf_init(&stripped, body.len + 2);
	buf_put_char(&form, '?');
	buf_put_str(&form, body);
	(void)graph_strip_token(buf_str(&form), &stripped);
	memcpy((void *)(uintptr_t)body.ptr, stripped.data + 1,
	       stripped.len == 0 ? 0 : stripped.len - 1);
	body.len = stripped.len == 0 ? 0 : stripped.len - 1;
	buf_wipe(&form);
	buf_wipe(&stripped);
	return body;
}

static struct pass *pass_new(struct graph_pass *g, struct api_request *r, const struct account *a)
{
	struct pass *p = xcalloc(1, sizeof(*p));
	struct str key = STR_EMPTY;

	p->g = g;
	p->call = r->call;
	p->account = a->row;
	p->own_base = own_base(r->call);
	(void)api_key_text(r->call, &key);
	p->key = xstrndup(key);
	(void)str_copy(http_method(r->call), p->method, sizeof(p->method));
	(void)str_copy(str_slice(http_path(r->call), 0, sizeof(p->path) - 1), p->path,
		       sizeof(p->path));
	p->up = r->up;
	r->up = NULL;
	if (p->up != NULL)
		p->up->len = http_body_written(r->call);
	p->body = take_body(r->call);
	link_push(&g->running, &p->link);
	return p;
}

static char *authorization(const struct account *a, bool oauth)
{
	char text[SECRET_MAX + 32], *copy;

	(void)snprintf(text, sizeof(text), "Authorization: %s %.*s", oauth ? "OAuth" : "Bearer",
		       (int)a->token.len, (const char *)a->token.bytes);
	copy = xstrdup(text);
	explicit_bzero(text, sizeof(text));
	return copy;
}

/* Takes url. */
static void start(struct pass *p, const struct account *a, char *url, bool oauth, bool spooled)
{
	const struct config_values *cfg = p->g->server->cfg;
	char lines[1 + ARRAY_LEN(forwarded)][LINE_MAX_BYTES];
	const char *headers[2 + ARRAY_LEN(lines)];
	struct str value;
	size_t n = 0, at = 0;

	p->url = url;
	p->authorization = authorization(a, oauth);
	headers[n++] = p->authorization;
	headers[n++] = "User-Agent: godwit/" GODWIT_VERSION; /* lookaside refuses calls without */
	value = STR("application/json");
	if (http_header(p->call, "Content-Type", &value) || p->body.len > 0) {
		(void)snprintf(lines[at], sizeof(lines[at]), "Content-Type: %.*s", STR_ARG(value));
		headers[n++] = lines[at++];
	}
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++) {
		if (p->is_lookup || !http_header(p->call, forwarded[i], &value))
			continue;
		(void)snprintf(lines[at], sizeof(lines[at]), "%s: %.*s", forwarded[i],
			       STR_ARG(value));
		headers[n++] = lines[at++];
	}
	p->exchange = http_client_start(
		p->g->client,
		&(struct http_request){ .method = p->method,
					.url = p->url,
					.headers = headers,
					.header_count = n,
					.body = p->body,
					.body_fd = p->up == NULL ? -1 : p->up->fd,
					.body_file_len = p->up == NULL ? 0 : p->up->len,
					.connect_timeout_ms = cfg->graph_connect_ms,
					.timeout_ms = p->up != NULL || spooled
							      ? MEDIA_TIMEOUT_MS
							      : cfg->graph_timeout_ms,
					.answer_max = ANSWER_MAX,
					.on_chunk = spooled ? on_chunk : NULL,
					.on_header = on_header },
		on_outcome, p);
}

/* base, the caller's version or the account's, the caller's path and query without a key */
static char *make_url(const struct account *a, const struct http_call *call)
{
	struct graph_path path;
	struct buf url;

	buf_init(&url, (size_t)2 * GRAPH_TARGET_MAX);
	buf_put_text(&url, a->base_url);
	if (graph_path_read(http_path(call), &path) && path.version.len == 0)
		buf_put_fmt(&url, "/%s", a->version);
	if (!graph_strip_token(http_target(call), &url)) {
		buf_release(&url);
		return NULL;
	}
	return (char *)(uintptr_t)buf_take(&url).ptr;
}

void graph_pass_to(struct graph_pass *g, struct api_request *r, const struct account *a)
{
	char *url = make_url(a, r->call);
	struct graph_path path;

	if (url == NULL) {
		graph_error(r->call, 400, 2500, 0, "(#2500) Unknown path components",
			    "Godwit refused this: the path and query have more than 8 KiB");
		return;
	}
	(void)graph_path_read(http_path(r->call), &path);
	start(pass_new(g, r, a), a, url, str_starts(path.object, STR("upload:")), false);
}

/* ---- media links ---- */

/* NUMBER/ID */
static void medium(struct graph_pass *g, struct api_request *r, const struct graph_path *path)
{
	struct str id = path->edge, number;
	const struct number *n = NULL;
	struct pass *p;
	char url[512];

	if (str_split(&id, '/', &number))
		n = accounts_number(r->server->accounts, number);
	if (n != NULL && by_object(r->server->accounts, id) != NULL) {
		no_medium(r->call);
		return;
	}
	if (n == NULL || !media_is_segment(id) || id.len > 256) {
		graph_error(r->call, 404, 100, 33, "(#100) Unsupported get request",
			    "Godwit refused this: want /media/NUMBER/ID with a number that it has");
		return;
	}
	(void)snprintf(url, sizeof(url), "%s/%s/%.*s?phone_number_id=%.*s", n->account->base_url,
		       n->account->version, STR_ARG(id), STR_ARG(number));
	p = pass_new(g, r, n->account);
	p->is_lookup = true;
	start(p, n->account, xstrdup(url), false, false);
}

static void media_link(struct graph_pass *g, struct api_request *r, const struct graph_path *path)
{
	const struct account *a = NULL;
	struct spool *spool;
	int64_t row = 0;
	struct pass *p;
	struct buf url;
	size_t at;

	if (!str_find_char(path->edge, '.', &at)) {
		medium(g, r, path);
		return;
	}
	buf_init(&url, (size_t)2 * GRAPH_TARGET_MAX);
	if (graph_link_open(g->mac, path->edge, &url, &row)) /* inv. 3 */
		a = accounts_by_row(r->server->accounts, row);
	if (a == NULL) {
		buf_release(&url);
		graph_error(r->call, 404, 100, 33, "(#100) Unsupported get request",
			    "Godwit refused this: it made no such link; ask for the medium's id "
			    "again");
		return;
	}
	spool = spool_open(r->server, SPOOL_BYTES_MAX);
	if (spool == NULL) {
		buf_release(&url);
		unavailable(r->call, "there is no room for another large body just now");
		return;
	}
	p = pass_new(g, r, a);
	p->down = spool;
	start(p, a, (char *)(uintptr_t)buf_take(&url).ptr, false, true);
}

void graph_pass_call(struct graph_pass *g, struct api_request *r, const struct graph_path *path,
		     enum graph_kind kind)
{
	const struct account *a;

	if (!key_allows(r, path, kind))
		return;
	if (kind == GRAPH_MEDIA_LINK) {
		media_link(g, r, path);
		return;
	}
	a = choose(r, path);
	if (a == NULL)
		graph_error(r->call, 400, 100, 33, "(#100) Unsupported request",
			    "Godwit refused this: it has several accounts, and the path does not "
			    "tell whose this is; add ?phone_number_id= or the header "
			    "Godwit-Account: NAME");
	else if (quota_allows(g, r->call, a, kind))
		graph_pass_to(g, r, a);
}
