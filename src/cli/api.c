/* SPDX-License-Identifier: MIT */
/*
 * api.c - a command's way to the gateway or the sandbox
 *
 * ROLE     Finds the server (--server, GODWIT_SERVER, the user's local socket, the service's),
 *          calls it with the same HTTP client the gateway uses, and turns what
 *          comes back into exit codes (reference: `godwit help`).
 * FAILURE  Nobody there: what to start, and EXIT_TEMPORARY.
 * TESTS    tests/system/test_cli.py
 */
#include "cli/api.h"
#include "base/mac.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include <ctype.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 3000
#define TIMEOUT_MS 40000 /* a send may wait for graph.wait_max, 25 s unless configured */
#define BASE_MAX 1024
#define SERVICE_SOCKET "/run/godwit/sock" /* of the packaged service */
#define TYPE_MAX 128
#define AUTH_MAX (SECRET_MAX + 32)

struct api {
	struct cli *cli;
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
	bool is_sandbox;
	bool is_lost, is_late; /* the last call left and no answer came; in its time */
	const char *if_lost; /* of the last call */
	int64_t timeout_ms; /* likewise */
	char base[BASE_MAX]; /* "http://127.0.0.1:8080", no slash at the end */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* empty: TCP */
	char where[BASE_MAX];
	char authorization[AUTH_MAX]; /* the whole header line; empty: none */
	struct arena *arena; /* of the last answer */
	struct buf body; /* likewise */
};

/* ---- where the server is ---- */

static bool set_unix(struct api *a, const char *path)
{
	(void)str_copy(STR("http://localhost"), a->base, sizeof(a->base));
	(void)snprintf(a->where, sizeof(a->where), "unix:%s", path);
	return str_copy(str_from(path), a->socket, sizeof(a->socket));
}

static bool set_url(struct api *a, const char *url)
{
	struct str s = str_from(url);
	int n;

	while (s.len > 0 && s.ptr[s.len - 1] == '/')
		s.len--;
	n = snprintf(a->base, sizeof(a->base), "%s%.*s",
		     str_find(s, STR("://"), &(size_t){ 0 }) ? "" : "http://", STR_ARG(s));
	(void)str_copy(str_from(a->base), a->where, sizeof(a->where));
	return n > 0 && (size_t)n < sizeof(a->base) && s.len > 0;
}

static int set_server(struct api *a)
{
	const char *where = a->cli->server != NULL ? a->cli->server : getenv("GODWIT_SERVER");
	struct gw_error err = GW_ERROR_INIT;
	char path[512];
	bool ok;

	if (where == NULL || where[0] == '\0') {
		if (sys_default_socket(path, sizeof(path), &err) != GW_OK)
			return cli_failf(a->cli, EXIT_FAILED,
					 "name the gateway: --server URL or unix:PATH", "%s",
					 err.message);
		if (access(path, F_OK) != 0 && access(SERVICE_SOCKET, W_OK) == 0)
			(void)str_copy(STR(SERVICE_SOCKET), path, sizeof(path));
		ok = set_unix(a, path);
	} else if (str_starts(str_from(where), STR("unix:"))) {
		ok = set_unix(a, where + 5);
	} else {
		ok = set_url(a, where);
	}
	if (!ok)
		return cli_failf(a->cli, EXIT_USAGE, "want a URL or unix:PATH",
				 "\"%s\" is no server", where != NULL ? where : path);
	return EXIT_OK;
}

/* Only for TCP: the local socket asks for none. */
static int set_key(struct api *a)
{
	const char *key = getenv("GODWIT_KEY"), *file = a->cli->key_file;
	struct gw_error err = GW_ERROR_INIT;
	struct secret secret = { .len = 0 };

	if (a->socket[0] != '\0')
		return EXIT_OK;
	if (file == NULL && key == NULL)
		file = getenv("GODWIT_KEY_FILE");
	if (file != NULL) {
		if (secret_load(file, &secret, &err) != GW_OK)
			return cli_failf(a->cli, EXIT_USAGE, NULL, "%s", err.message);
	} else if (key != NULL && key[0] != '\0') {
		if (strlen(key) > SECRET_MAX)
			return cli_failf(a->cli, EXIT_USAGE, NULL, "GODWIT_KEY is too long");
		secret_set(&secret, str_from(key));
	}
	if (secret.len > 0)
		(void)snprintf(a->authorization, sizeof(a->authorization),
			       "Authorization: Bearer %.*s", (int)secret.len,
			       (const char *)secret.bytes);
	secret_release(&secret);
	return EXIT_OK;
}

static struct api *api_new(struct cli *cli)
{
	struct gw_error err = GW_ERROR_INIT;
	struct api *a = xcalloc(1, sizeof(*a));

	a->cli = cli;
	clock_init(&a->clock);
	a->loop = loop_new(&a->clock);
	buf_init(&a->body, API_ANSWER_MAX);
	if (http_client_new(&(struct http_client_options){ .loop = a->loop }, &a->client, &err) !=
	    GW_OK)
		PANIC("%s", err.message);
	return a;
}

struct api *api_open(struct cli *cli, int *code)
{
	struct api *a = api_new(cli);

	*code = set_server(a);
	if (*code == EXIT_OK)
		*code = set_key(a);
	if (*code == EXIT_OK)
		return a;
	api_close(a);
	return NULL;
}

struct api *api_open_sandbox(struct cli *cli, const char *url, int *code)
{
	struct api *a = api_new(cli);

	if (url == NULL)
		url = getenv("GODWIT_SANDBOX");
	if (url == NULL || url[0] == '\0')
		url = "http://127.0.0.1:8081";
	a->is_sandbox = true;
	*code = EXIT_OK;
	if (set_url(a, url))
		return a;
	*code = cli_failf(cli, EXIT_USAGE, NULL, "\"%s\" is no URL", url);
	api_close(a);
	return NULL;
}

void api_close(struct api *a)
{
	if (a == NULL)
		return;
	http_client_free(a->client);
	loop_free(a->loop);
	arena_free(a->arena);
	buf_release(&a->body);
	explicit_bzero(a->authorization, sizeof(a->authorization));
	free(a);
}

struct loop *api_loop(struct api *a)
{
	return a->loop;
}

struct http_client *api_client(struct api *a)
{
	return a->client;
}

const char *api_where(const struct api *a)
{
	return a->where;
}

/* ---- paths ---- */

static void put_encoded(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c) != NULL)
			buf_put_char(b, (char)c);
		else
			buf_put_fmt(b, "%%%02X", c);
	}
}

void api_put_query(struct buf *path, const char *name, const char *value)
{
	size_t at;

	if (value == NULL)
		return;
	buf_put_char(path, str_find_char(buf_str(path), '?', &at) ? '&' : '?');
	put_encoded(path, name);
	buf_put_char(path, '=');
	put_encoded(path, value);
}

void api_put_segment(struct buf *path, const char *segment)
{
	buf_put_char(path, '/');
	put_encoded(path, segment);
}

/* ---- calls ---- */

struct waiting {
	struct api *api;
	struct api_answer *answer;
	struct gw_error error;
	bool done, answered;
};

static int64_t timeout_of(const struct api *a)
{
	return a->cli->timeout_ms > 0 ? a->cli->timeout_ms : a->timeout_ms;
}

static bool header_value(struct str line, struct str name, char *out, size_t cap)
{
	if (line.len <= name.len || line.ptr[name.len] != ':' ||
	    !str_eq_nocase(str_slice(line, 0, name.len), name))
		return false;
	return str_copy(str_trim(str_slice(line, name.len + 1, line.len)), out, cap);
}

static void on_header(void *cookie, struct str line)
{
	struct api_answer *a = ((struct waiting *)cookie)->answer;
	char word[8];

	if (header_value(line, STR("Godwit-Message"), a->message_id, sizeof(a->message_id)) ||
	    header_value(line, STR("Godwit-Fallback-For"), a->fallback_for,
			 sizeof(a->fallback_for)) ||
	    header_value(line, STR("Godwit-Refused"), a->refused, sizeof(a->refused)))
		return;
	if (header_value(line, STR("Godwit-Parked"), word, sizeof(word)))
		a->parked = strcmp(word, "yes") == 0;
}

static void on_done(void *cookie, const struct http_outcome *o)
{
	struct waiting *w = cookie;

	w->done = true;
	w->answered = o->end == HTTP_END_ANSWERED;
	w->error = o->error;
	w->api->is_lost = o->end == HTTP_END_LOST;
	w->api->is_late = o->timed_out;
	w->answer->status = o->status;
	w->answer->retry_after_s = o->retry_after_s;
	w->answer->ms = o->total_ms;
	if (w->answered)
		buf_put_str(&w->api->body, o->answer);
}

/* The lines of a request; returns how many. */
static size_t put_headers(const struct api *a, const struct api_request *r,
			  const char *lines[API_HEADERS_MAX + 2], char type[TYPE_MAX])
{
	size_t n = 0;

	if (a->authorization[0] != '\0')
		lines[n++] = a->authorization;
	if (r->body.len > 0 || r->body_file_len > 0) {
		(void)snprintf(type, TYPE_MAX, "Content-Type: %s",
			       r->content_type != NULL ? r->content_type : "application/json");
		lines[n++] = type;
	}
	for (size_t i = 0; i < API_HEADERS_MAX && r->headers[i] != NULL; i++)
		lines[n++] = r->headers[i];
	return n;
}

static void scan_body(struct api *a, struct api_answer *out)
{
	const struct json_doc *doc;

	out->body = buf_str(&a->body);
	out->json = JSON_MISSING;
	arena_free(a->arena);
	a->arena = arena_new(out->body.len * 10 + (1U << 20));
	if (a->arena == NULL)
		PANIC("no memory for an answer of %zu bytes", out->body.len);
	if (json_scan(out->body, a->arena, &doc, NULL) == GW_OK)
		out->json = json_root(doc);
}

static void on_tick(void *cookie)
{
	*(bool *)cookie = true;
}

static void wait_for(struct api *a, const struct api_request *r, const struct waiting *w)
{
	bool is_time = false;
	struct timer t;

	timer_init(&t, a->loop, LOOP_REAL, on_tick, &is_time);
	if (r->tick != NULL)
		timer_in_ms(&t, r->tick_ms);
	while (!w->done && !(r->stop != NULL && *r->stop)) {
		loop_turn(a->loop, -1);
		if (!is_time || w->done)
			continue;
		is_time = false;
		r->tick(r->tick_cookie);
		timer_in_ms(&t, r->tick_ms);
	}
	timer_cancel(&t);
}

bool api_try(struct api *a, const struct api_request *r, struct api_answer *out,
	     struct gw_error *err)
{
	struct waiting w = { .api = a, .answer = out };
	const char *lines[API_HEADERS_MAX + 2];
	char type[TYPE_MAX];
	size_t count = put_headers(a, r, lines, type);
	struct http_exchange *exchange;
	struct buf url;

	*out = (struct api_answer){ .retry_after_s = -1 };
	a->if_lost = r->if_lost;
	a->timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : TIMEOUT_MS;
	buf_reset(&a->body);
	buf_init(&url, 65536);
	buf_put_text(&url, a->base);
	buf_put_text(&url, r->path);
	if (buf_failed(&url)) {
		(void)gw_error_set(err, GW_ELIMIT, "the path is too long");
		return false;
	}
	exchange = http_client_start(
		a->client,
		&(struct http_request){ .method = r->method,
					.url = url.data,
					.unix_path = a->socket[0] != '\0' ? a->socket : NULL,
					.headers = lines,
					.header_count = count,
					.body = r->body,
					.body_fd = r->body_fd,
					.body_file_len = r->body_file_len,
					.connect_timeout_ms = CONNECT_MS,
					.timeout_ms = timeout_of(a),
					.answer_max = API_ANSWER_MAX,
					.on_header = on_header },
		on_done, &w);
	wait_for(a, r, &w);
	buf_release(&url);
	if (!w.done) {
		http_exchange_cancel(exchange);
		(void)gw_error_set(err, GW_ECANCELLED, "given up");
		return false;
	}
	if (!w.answered) {
		*err = w.error;
		return false;
	}
	scan_body(a, out);
	return true;
}

int api_call(struct api *a, const struct api_request *r, struct api_answer *out)
{
	struct gw_error err = GW_ERROR_INIT;

	return api_try(a, r, out, &err) ? EXIT_OK : api_unreachable(a, &err);
}

int api_expect(struct api *a, const struct api_request *r, struct api_answer *out)
{
	int code = api_call(a, r, out);

	if (code == EXIT_OK && (out->status < 200 || out->status > 299))
		code = api_fail(a, out);
	return code;
}

int api_get(struct api *a, const char *path, struct api_answer *out)
{
	return api_expect(a, &(struct api_request){ .method = "GET", .path = path }, out);
}

/* ---- failures ---- */

/* Somebody is there: the call left, and it is not known what came of it. */
static int lost(const struct api *a, const struct gw_error *err)
{
	struct cli_error e = { .exit = EXIT_TEMPORARY, .class_ = "net", .word = "no_answer" };
	int64_t ms = timeout_of(a);
	char message[GW_ERROR_MESSAGE_MAX + BASE_MAX + 128];
	const char *who = a->is_sandbox ? "sandbox" : "gateway";

	if (a->is_late)
		(void)snprintf(message, sizeof(message),
			       "no answer of the %s at %s came within %.1f s", who, a->where,
			       (double)ms / 1000.0);
	else
		(void)snprintf(message, sizeof(message),
			       "the %s at %s was called, no answer came (%s)", who, a->where,
			       err->message);
	e.message = message;
	e.fix = a->if_lost;
	return cli_fail(a->cli, &e);
}

const char *api_why_not(const struct api *a, const struct gw_error *err)
{
	return a->socket[0] != '\0' ? "nobody listens there" : err->message;
}

int api_unreachable(const struct api *a, const struct gw_error *err)
{
	struct cli_error e = { .exit = EXIT_TEMPORARY, .class_ = "net", .word = "unreachable" };
	char message[GW_ERROR_MESSAGE_MAX + BASE_MAX + 64];

	if (a->is_lost)
		return lost(a, err);
	(void)snprintf(message, sizeof(message), "no %s answers at %s (%s)",
		       a->is_sandbox ? "sandbox" : "gateway", a->where, api_why_not(a, err));
	e.message = message;
	e.fix = a->is_sandbox
			? "start one with `godwit up` or `godwit sandbox`, or name it: "
			  "--sandbox-url, GODWIT_SANDBOX"
			: "start one with `godwit up` (sandbox, no account) or `godwit serve`, or "
			  "name it: --server, GODWIT_SERVER";
	return cli_fail(a->cli, &e);
}

static int exit_of_status(int status)
{
	switch (status) {
	case 401:
	case 403: return EXIT_AUTH;
	case 404: return EXIT_NOT_FOUND;
	case 409: return EXIT_REFUSED;
	case 408:
	case 429:
	case 502:
	case 503:
	case 504: return EXIT_TEMPORARY;
	default: return status >= 400 && status < 500 ? EXIT_USAGE : EXIT_FAILED;
	}
}

int api_fail(const struct api *a, const struct api_answer *answer)
{
	struct json_val error = json_member(answer->json, STR("error"));
	struct cli_error e = { .exit = exit_of_status(answer->status),
			       .retry_after_s = answer->retry_after_s };
	char message[2048], fix[1024], word[64], class_[32];
	struct str text;

	if (json_str(error, sizeof(message) - 1, &text) || /* the sandbox's shape */
	    json_get_str(error, STR("message"), sizeof(message) - 1, &text))
		(void)str_copy(text, message, sizeof(message));
	else
		(void)snprintf(message, sizeof(message), "%s answered HTTP %d", a->where,
			       answer->status);
	e.message = message;
	if (json_get_str(error, STR("fix"), sizeof(fix) - 1, &text) &&
	    str_copy(text, fix, sizeof(fix)))
		e.fix = fix;
	if (json_get_str(error, STR("code"), sizeof(word) - 1, &text) &&
	    str_copy(text, word, sizeof(word)))
		e.word = word;
	if (json_get_str(error, STR("class"), sizeof(class_) - 1, &text) &&
	    str_copy(text, class_, sizeof(class_)))
		e.class_ = class_;
	if (e.exit == EXIT_AUTH && e.fix == NULL)
		e.fix = "give a key with GODWIT_KEY or --key-file; `godwit key create` on the "
			"gateway's machine makes one";
	return cli_fail(a->cli, &e);
}

/* ---- streams ---- */

struct api_stream {
	struct api_stream_handlers handlers;
	struct http_exchange *exchange; /* NULL: it has ended */
	struct sse sse;
	bool is_open;
	int status; /* of the answer's first line */
};

static void on_stream_header(void *cookie, struct str line)
{
	struct api_stream *s = cookie;
	struct str word;
	int64_t n;

	if (!str_starts(line, STR("HTTP/")) || !str_split(&line, ' ', &word) ||
	    !str_split(&line, ' ', &word) || !str_to_i64(str_trim(word), &n))
		return;
	s->status = (int)n;
}

static void on_stream_bytes(void *cookie, struct str bytes)
{
	struct api_stream *s = cookie;

	if (s->status != 200)
		return;
	if (!s->is_open) {
		s->is_open = true;
		if (s->handlers.on_open != NULL)
			s->handlers.on_open(s->handlers.cookie);
	}
	sse_feed(&s->sse, bytes);
}

static void on_stream_end(void *cookie, const struct http_outcome *o)
{
	struct api_stream *s = cookie;

	s->exchange = NULL;
	if (s->handlers.on_end != NULL)
		s->handlers.on_end(s->handlers.cookie, o->status, &o->error);
}

struct api_stream *api_stream_open(struct api *a, const char *path, const char *last_event_id,
				   const struct api_stream_handlers *h)
{
	struct api_stream *s = xcalloc(1, sizeof(*s));
	const char *lines[3];
	char last[SSE_NAME_MAX + 32];
	struct buf url;
	size_t n = 0;

	s->handlers = *h;
	sse_init(&s->sse, h->on_event, h->cookie);
	if (a->authorization[0] != '\0')
		lines[n++] = a->authorization;
	lines[n++] = "Accept: text/event-stream";
	if (last_event_id != NULL) {
		(void)snprintf(last, sizeof(last), "Last-Event-ID: %s", last_event_id);
		lines[n++] = last;
	}
	buf_init(&url, 65536);
	buf_put_text(&url, a->base);
	buf_put_text(&url, path);
	ASSERT(!buf_failed(&url));
	s->exchange = http_client_start(
		a->client,
		&(struct http_request){ .method = "GET",
					.url = url.data,
					.unix_path = a->socket[0] != '\0' ? a->socket : NULL,
					.headers = lines,
					.header_count = n,
					.connect_timeout_ms = CONNECT_MS,
					.on_chunk = on_stream_bytes,
					.on_header = on_stream_header },
		on_stream_end, s);
	buf_release(&url);
	return s;
}

void api_stream_close(struct api_stream *s)
{
	if (s == NULL)
		return;
	if (s->exchange != NULL)
		http_exchange_cancel(s->exchange);
	sse_release(&s->sse);
	free(s);
}
