/* SPDX-License-Identifier: MIT */
/*
 * http_server_call.c - one request: its body, its handler, its answer
 *
 * LIFE        target  the request line is complete (call_on_target)
 *             head    checked, the struct is made; on_head()
 *             body    collected up to the limit
 *             handed  on_request(); suspended unless it answered at once
 *             ready   the answer may be queued in the daemon
 *             over    written, or the connection is gone: the struct is freed
 *
 * INVARIANTS  1. The struct owns copies of all it shows, so a handler on
 *                another thread never reads the daemon's memory.
 *             2. While a call is with its handler the connection is suspended,
 *                so the daemon cannot end it.  The answer to a client that went
 *                away is written to a dead socket and dropped there.
 *             3. owner goes HAS -> DONE by the answer or HAS -> ORPHANED by the
 *                server's end, in one exchange: who comes second, knows.
 *             4. A response queued before the body was read makes the daemon
 *                close the connection; so that is done only for requests that
 *                have a body, and the socket lingers (http_guard.c).
 * THREADS     call_deliver() and the http_reply family: any, for a call that
 *             is with its handler.  The rest: the server's.
 * TESTS       tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#include <errno.h>
#include <unistd.h>

#define BODY_FIRST ((size_t)64 * 1024) /* a larger claim is believed as it comes true */

void *call_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_conn *conn =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	size_t len = target == NULL ? 0 : strlen(target);

	(void)cls;
	if (len + 1 > conn->target_cap) {
		conn->target_cap = len + 256;
		conn->target = xrealloc(conn->target, conn->target_cap);
	}
	if (len > 0)
		memcpy(conn->target, target, len);
	conn->target[len] = '\0';
	conn->target_len = len;
	if (conn->phase == CONN_IDLE) /* a new connection's head is timed already */
		guard_phase(conn, CONN_HEAD);
	return conn;
}

/* ---- refusing, queueing ---- */

/* libmicrohttpd's buffers are not const, though only MUST_FREE touches them. */
static void *unconst(const char *bytes)
{
	return (void *)(uintptr_t)bytes;
}

static struct MHD_Response *text_response(int status)
{
	const char *text = "bad request\n";

	if (status == 413)
		text = "the body is larger than this server accepts\n";
	else if (status == 431)
		text = "the head of the request is larger than 16 KiB or 100 fields\n";
	else
		ASSERT(status == 400);
	return MHD_create_response_from_buffer(strlen(text), unconst(text), MHD_RESPMEM_PERSISTENT);
}

/* Answer before the call exists. */
static enum MHD_Result refuse(struct http_conn *conn, int status)
{
	struct MHD_Response *r = text_response(status);
	enum MHD_Result queued;

	(void)MHD_add_response_header(r, "Connection", "close");
	(void)MHD_add_response_header(r, "Content-Type", "text/plain");
	guard_phase(conn, CONN_REPLY);
	conn->linger = true;
	queued = MHD_queue_response(conn->mhd, (unsigned)status, r);
	MHD_destroy_response(r);
	return queued;
}

/* End the connection where the answer would have gone. */
static enum MHD_Result drop(struct http_call *c)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct http_conn *conn = c->conn;

	conn->linger = false;
	/* Dissolving the association sends the reset at once; SO_LINGER would leave the order to
	 * the daemon, which shuts the socket down first and so ends it in order. */
	if (c->by_reset && !c->is_local)
		(void)connect(conn->fd, &none, sizeof(none));
	guard_cut(conn, NULL);
	return MHD_NO;
}

static enum MHD_Result queue(struct http_call *c)
{
	struct http_conn *conn = c->conn;
	enum MHD_Result queued;

	if (c->is_aborted)
		return drop(c);
	if (c->server->is_draining)
		(void)MHD_add_response_header(c->response, "Connection", "close");
	guard_phase(conn, c->stream != NULL ? CONN_BUSY : CONN_REPLY);
	queued = MHD_queue_response(conn->mhd, (unsigned)c->status, c->response);
	MHD_destroy_response(c->response);
	c->response = NULL;
	if (c->stream != NULL && queued == MHD_YES)
		stream_begin(c->stream, conn);
	return queued;
}

/* ---- the daemon's callbacks ---- */

static enum MHD_Result begin(struct http_conn *conn, const char *method, const char *version)
{
	const struct http_server_handlers *h = conn->server->options.handlers;
	struct http_call *c = NULL;
	int refusal = call_new(conn, method, version, &c);

	if (refusal != 0)
		return refuse(conn, refusal);
	conn->call = c;
	atomic_fetch_add(&conn->server->open_calls, 1);
	c->body_max = conn->server->options.body_max;
	c->in_handler = true;
	if (h->on_head != NULL)
		c->body_max = h->on_head(conn->server->options.cookie, c);
	if (!c->is_ready && c->content_length > c->body_max) {
		c->is_told = true;
		server_unheard(c->server, c, HTTP_UNHEARD_LARGE);
		(void)call_deliver(c, 413, text_response(413)); /* we are in the handler */
	}
	c->in_handler = false;
	if (c->is_ready && c->has_body) { /* inv. 4 */
		conn->linger = true;
		return queue(c);
	}
	guard_phase(conn, c->has_body ? CONN_BODY : CONN_BUSY);
	return MHD_YES;
}

static bool write_body(struct http_call *c, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(c->body_fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false; /* the client sees its connection closed and tries again */
		bytes += n;
		len -= (size_t)n;
		c->body_len += (size_t)n;
	}
	return true;
}

static enum MHD_Result take_body(struct http_call *c, const char *bytes, size_t len)
{
	size_t need = c->body_len + len + 1;

	if (len > c->body_max - c->body_len) {
		/* Chunked, for a known length was compared before.  The daemon cannot queue an
		 * answer in mid-body: the connection is closed. */
		c->is_told = true;
		server_unheard(c->server, c, HTTP_UNHEARD_LARGE);
		return MHD_NO;
	}
	if (c->body_fd >= 0)
		return write_body(c, bytes, len) ? MHD_YES : MHD_NO;
	if (need > c->body_cap) {
		size_t cap = c->body_cap * 2;

		if (cap == 0)
			cap = c->content_length < BODY_FIRST ? (size_t)c->content_length + 1
							     : BODY_FIRST;
		if (c->content_length > 0 && cap > c->content_length + 1)
			cap = (size_t)c->content_length + 1;
		c->body_cap = cap < need ? need : cap;
		c->body = xrealloc(c->body, c->body_cap);
	}
	memcpy(c->body + c->body_len, bytes, len);
	c->body_len += len;
	c->body[c->body_len] = '\0';
	return MHD_YES;
}

/* The request is complete, or its connection was resumed with the answer. */
static enum MHD_Result finish(struct http_call *c)
{
	const struct http_server_options *o = &c->server->options;

	if (!c->is_ready && !c->handed_over) {
		c->handed_over = true;
		guard_phase(c->conn, CONN_BUSY);
		c->in_handler = true;
		o->handlers->on_request(o->cookie, c);
		c->in_handler = false;
	}
	if (c->is_ready)
		return queue(c);
	c->is_suspended = true; /* inv. 2 */
	MHD_suspend_connection(c->conn->mhd);
	return MHD_YES;
}

enum MHD_Result call_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **request)
{
	struct http_conn *conn = *request;
	enum MHD_Result result;

	(void)cls;
	(void)mhd;
	(void)url; /* decoded, but cut at a NUL: the target is decoded here instead */
	if (conn->phase == CONN_CUT)
		return MHD_NO;
	if (conn->call == NULL)
		return begin(conn, method, version);
	if (*upload_size == 0)
		return finish(conn->call);
	result = take_body(conn->call, upload, *upload_size);
	*upload_size = 0;
	return result;
}

void call_on_completed(void *cls, struct MHD_Connection *mhd, void **request,
		       enum MHD_RequestTerminationCode why)
{
	struct http_conn *conn = *request;

	(void)cls;
	(void)mhd;
	(void)why;
	if (conn == NULL)
		return;
	call_over(conn);
	if (conn->linger) {
		/* The daemon closes its descriptor in a moment; ours keeps the socket. */
		int fd = dup(conn->fd);

		conn->linger = false;
		if (fd >= 0)
			guard_linger(conn->server, fd);
	} else if (conn->server->is_draining) {
		guard_cut(conn, NULL);
	} else {
		guard_phase(conn, CONN_IDLE);
	}
}

/* ---- the end ---- */

void call_free(struct http_call *c)
{
	if (c->response != NULL)
		MHD_destroy_response(c->response);
	free(c->body);
	free(c->query);
	free(c);
}

void call_over(struct http_conn *conn)
{
	struct http_call *c = conn->call;

	if (c == NULL)
		return;
	conn->call = NULL;
	if (!c->handed_over && !c->is_ready && !c->is_told)
		server_unheard(c->server, c, HTTP_UNHEARD_PARTIAL);
	if (c->stream != NULL)
		stream_end(c->stream);
	/* Not answered: the client left before its request was complete. */
	if (atomic_exchange(&c->owner, OWNER_DONE) == OWNER_HAS)
		atomic_fetch_sub(&c->server->open_calls, 1);
	call_free(c);
}

static void resume(struct http_call *c)
{
	if (!c->is_suspended)
		return;
	c->is_suspended = false;
	c->server->is_dirty = true;
	MHD_resume_connection(c->conn->mhd);
}

bool call_orphan(struct http_call *c)
{
	/* First: an answer that comes this moment gives back the orphan's reference. */
	atomic_fetch_add(&c->server->refs, 1);
	if (atomic_exchange(&c->owner, OWNER_ORPHANED) == OWNER_DONE) { /* inv. 3 */
		atomic_store(&c->owner, OWNER_DONE);
		server_unref(c->server);
		return false;
	}
	atomic_fetch_sub(&c->server->open_calls, 1);
	c->next_orphan = c->server->orphans;
	c->server->orphans = c;
	resume(c);
	c->conn->call = NULL;
	c->conn = NULL;
	return true;
}

/* ---- answers ---- */

static void set_ready(struct http_call *c)
{
	c->is_ready = true;
	if (c->stream != NULL)
		stream_link(c->stream);
}

static void on_answer(struct mail *mail)
{
	struct http_call *c = CONTAINER_OF(mail, struct http_call, mail);

	set_ready(c);
	resume(c);
}

bool call_deliver(struct http_call *c, int status, struct MHD_Response *response)
{
	struct http_server *s = c->server;
	bool here;
	int owner;

	if (response == NULL)
		PANIC("no memory for an answer");
	c->status = status;
	c->response = response;
	free(c->body); /* nobody reads it any more */
	c->body = NULL;
	here = server_is_here(s) && c->in_handler;
	if (!here)
		atomic_fetch_add(&s->refs, 1); /* so that its mailbox outlives our posting */
	owner = atomic_exchange(&c->owner, OWNER_DONE);
	ASSERT(owner != OWNER_DONE); /* answered twice */
	if (owner == OWNER_HAS)
		atomic_fetch_sub(&s->open_calls, 1);
	if (here) {
		set_ready(c);
		return true;
	}
	if (owner == OWNER_HAS) {
		c->mail.deliver = on_answer;
		mailbox_post(s->box, &c->mail);
	} else {
		server_unref(s); /* the call's own, of call_orphan() */
	}
	server_unref(s);
	return owner == OWNER_HAS;
}

static void answer(struct http_call *c, int status, const char *type, struct MHD_Response *r,
		   const struct http_header_out *headers, size_t count)
{
	ASSERT(count <= HTTP_REPLY_HEADERS_MAX);
	if (r == NULL)
		PANIC("no memory for an answer");
	if (type != NULL)
		(void)MHD_add_response_header(r, "Content-Type", type);
	/* A value that is no header's (a line break in it) is refused, and left out. */
	for (size_t i = 0; i < count; i++)
		(void)MHD_add_response_header(r, headers[i].name, headers[i].value);
	(void)call_deliver(c, status, r); /* an orphan's answer has nowhere to go */
}

void http_reply(struct http_call *c, int status, const char *type, struct str body,
		const struct http_header_out *headers, size_t header_count)
{
	answer(c, status, type,
	       MHD_create_response_from_buffer(body.len, unconst(body.ptr), MHD_RESPMEM_MUST_COPY),
	       headers, header_count);
}

void http_reply_take(struct http_call *c, int status, const char *type, struct str body,
		     const struct http_header_out *headers, size_t header_count)
{
	answer(c, status, type,
	       MHD_create_response_from_buffer(body.len, unconst(body.ptr), MHD_RESPMEM_MUST_FREE),
	       headers, header_count);
}

void http_reply_file(struct http_call *c, int status, const char *type, int fd, uint64_t len,
		     const struct http_header_out *headers, size_t header_count)
{
	answer(c, status, type, MHD_create_response_from_fd64(len, fd), headers, header_count);
}

void http_reply_empty(struct http_call *c, int status)
{
	http_reply(c, status, NULL, STR_EMPTY, NULL, 0);
}

void http_reply_json(struct http_call *c, int status, struct str json)
{
	http_reply(c, status, "application/json", json, NULL, 0);
}

void http_reply_retry(struct http_call *c, unsigned seconds)
{
	char text[16];
	struct http_header_out after = { "Retry-After", text };

	(void)snprintf(text, sizeof(text), "%u", seconds);
	http_reply(c, 503, NULL, STR_EMPTY, &after, 1);
}

void http_abort(struct http_call *c, bool reset)
{
	c->is_aborted = true;
	c->by_reset = reset;
	http_reply(c, 500, NULL, STR_EMPTY, NULL, 0); /* never written */
}

/* ---- small questions ---- */

struct str http_body(const struct http_call *c)
{
	return (struct str){ c->body == NULL ? "" : c->body, c->body == NULL ? 0 : c->body_len };
}

bool http_has_body(const struct http_call *c)
{
	return c->has_body;
}

uint64_t http_content_length(const struct http_call *c)
{
	return c->content_length;
}

void http_body_to(struct http_call *c, int fd)
{
	ASSERT(c->in_handler && !c->handed_over);
	c->body_fd = fd;
}

uint64_t http_body_written(const struct http_call *c)
{
	return c->body_fd >= 0 ? c->body_len : 0;
}

struct str http_take_body(struct http_call *c)
{
	struct str body = http_body(c);

	if (c->body == NULL)
		body.ptr = xcalloc(1, 1); /* the caller frees it, whatever its length */
	c->body = NULL;
	return body;
}

bool http_is_local(const struct http_call *c)
{
	return c->is_local;
}

struct str http_peer(const struct http_call *c)
{
	return str_from(c->peer);
}

int64_t http_received_ns(const struct http_call *c)
{
	return c->received_ns;
}

void http_set_user(struct http_call *c, void *user)
{
	c->user = user;
}

void *http_user(const struct http_call *c)
{
	return c->user;
}
