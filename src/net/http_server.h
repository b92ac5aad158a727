/* SPDX-License-Identifier: MIT */
/*
 * http_server.h - an HTTP/1.1 listener in its own thread, over libmicrohttpd
 *
 * A request is handed over whole: on_head() sees method, path and headers and
 * sets the limit of the body (or answers at once, before a byte of the body is
 * read); on_request() gets the body.  Both run on the server's thread.  The
 * handler answers with http_reply(), at once or later and from any thread: a
 * call that is not answered when on_request() returns is suspended, and the
 * answer is queued through the server's mailbox (libmicrohttpd is only ever
 * touched by its own thread).  Every call must be answered exactly once, also
 * when its client has gone; after http_reply() the call may not be used.
 *
 * HARDENING  Refused with 400: Content-Length with Transfer-Encoding, either of
 *            them twice, folded lines, names that are no tokens, a target that
 *            does not decode, what MHD_OPTION_STRICT_FOR_CLIENT refuses.  431:
 *            a head over HTTP_HEAD_MAX or 100 fields.  413: a Content-Length
 *            over the limit, before the body is read; a chunked body is cut at
 *            the crossing (connection closed).
 *            Cut: a head not complete after head_timeout_ms, a body slower
 *            than HTTP_BODY_MIN_RATE in any body_grace_ms, idle keep-alive
 *            connections after idle_timeout_ms, answers that are not read for
 *            that long.  503: connections over the maximum.
 * THREADS    http_reply() and http_stream_*(): any.  Others as noted.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/buf.h"
#include "base/log.h"
#include "net/mailbox.h"
#include <godwit/error.h>

#define HTTP_HEAD_MAX (16U * 1024)
#define HTTP_BODY_MIN_RATE 1024 /* bytes/s */
#define HTTP_REPLY_HEADERS_MAX 8

struct http_server;
struct http_call;
struct http_stream;

enum http_unheard {
	HTTP_UNHEARD_FULL, /* no room for its connection */
	HTTP_UNHEARD_LARGE, /* its body is over the limit */
	HTTP_UNHEARD_PARTIAL /* it was too slow, or the client left in the middle */
};

struct http_server_handlers {
	/*
	 * The head is here.  Return the most body bytes this call may have, or
	 * call http_reply() and return 0 (the rest of the request is not read).
	 * NULL: body_max of the options for all.  The call may not be kept or
	 * handed on here: if the client leaves in its body, it ends without a word.
	 */
	size_t (*on_head)(void *cookie, struct http_call *call);
	/* The request is complete.  Required. */
	void (*on_request)(void *cookie, struct http_call *call);
	/*
	 * A request that on_request() will not see.  call is borrowed, and NULL where its head was
	 * not read.  May be NULL.
	 */
	void (*on_unheard)(void *cookie, const struct http_call *call, enum http_unheard why);
};

struct http_server_options {
	const char *name; /* for logs: "public", "api", "local" */
	const char *address; /* "127.0.0.1"; NULL with unix_path */
	uint16_t port; /* 0: any free one, see http_server_port() */
	const char *unix_path; /* a Unix socket instead, mode 0600; a stale file is replaced */
	size_t body_max; /* bytes */
	unsigned connections_max; /* at once */
	int64_t head_timeout_ms, body_grace_ms, idle_timeout_ms;
	const struct http_server_handlers *handlers;
	void *cookie;
	const struct log *log;
};

#define HTTP_SERVER_OPTIONS_INIT                                                          \
	{                                                                                 \
		.name = "http", .body_max = 4U << 20, .connections_max = 2048,            \
		.head_timeout_ms = 10000, .body_grace_ms = 5000, .idle_timeout_ms = 75000 \
	}

/* Bind, start the thread.  GW_EBUSY: the address is in use (err says by whom, if it can). */
GW_NODISCARD gw_status http_server_start(const struct http_server_options *o,
					 struct http_server **out, struct gw_error *err);
uint16_t http_server_port(const struct http_server *s);
/*
 * Stop listening, wait until every call has been answered (the caller must see
 * to that) or `grace_ms` passed, cut the rest, join the thread, free.  A call
 * that is still with its handler stays readable and must still be answered (to
 * nobody); a stream must still be closed.
 */
void http_server_stop(struct http_server *s, int64_t grace_ms);
/* Close the listening socket in a moment, keep serving what is connected (drain). */
void http_server_quiesce(struct http_server *s);
/* Whole calls whose head was read and that are not answered yet (any thread). */
size_t http_server_open_calls(const struct http_server *s);

/* About a call; borrowed until it is answered. */
struct str http_method(const struct http_call *c); /* "GET" */
struct str http_path(const struct http_call *c); /* decoded, without the query */
struct str http_target(const struct http_call *c); /* as sent, with the query */
bool http_query(const struct http_call *c, const char *name, struct str *out); /* decoded */
bool http_header(const struct http_call *c, const char *name, struct str *out); /* first, trimmed */
size_t http_header_count(const struct http_call *c, const char *name);
struct str http_body(const struct http_call *c);
bool http_has_body(const struct http_call *c); /* one is announced */
uint64_t http_content_length(const struct http_call *c); /* announced; 0: none, or chunked */
/*
 * In on_head(): the body is written to this file from its start, and http_body() stays empty.
 * The file stays the caller's, who closes it after on_request() or on_unheard().  Where it cannot
 * be written the connection is closed.
 */
void http_body_to(struct http_call *c, int fd);
uint64_t http_body_written(const struct http_call *c); /* bytes in that file */
/* Take the body's memory: the caller free()s ptr; http_body() is empty afterwards. */
struct str http_take_body(struct http_call *c);
bool http_is_local(const struct http_call *c); /* came over the Unix socket */
struct str http_peer(const struct http_call *c); /* "127.0.0.1" or "local" */
int64_t http_received_ns(const struct http_call *c); /* clock_real_ns() when the head was read */
void http_set_user(struct http_call *c, void *user); /* one pointer for the handler */
void *http_user(const struct http_call *c);

struct http_header_out {
	const char *name;
	const char *value; /* copied; left out when it holds a line break */
};

/* Answer.  body is copied; type may be NULL for none.  Any thread, once. */
void http_reply(struct http_call *c, int status, const char *type, struct str body,
		const struct http_header_out *headers, size_t header_count);
/* The same, giving malloc()ed bytes away instead of copying them. */
void http_reply_take(struct http_call *c, int status, const char *type, struct str body,
		     const struct http_header_out *headers, size_t header_count);
/* The same from a file, from its start; fd is given away. */
void http_reply_file(struct http_call *c, int status, const char *type, int fd, uint64_t len,
		     const struct http_header_out *headers, size_t header_count);
void http_reply_empty(struct http_call *c, int status);
void http_reply_json(struct http_call *c, int status, struct str json);
/* 503 with Retry-After: seconds. */
void http_reply_retry(struct http_call *c, unsigned seconds);
/*
 * Answer nothing: close the connection instead, with a TCP reset or an orderly end.  For
 * emulations of a failing peer; counts as the answer of the call.  Any thread, once.
 */
void http_abort(struct http_call *c, bool reset);

/*
 * Answer 200 with an endless body (server-sent events).  Bytes sent while the
 * client is slow are queued up to queue_max; beyond that the stream is cut.
 * on_close runs exactly once, on the server's thread, when the stream has
 * ended: the client went away, was too slow, or the stream was closed.
 *
 * The struct belongs to whoever opened the stream and is given back with
 * exactly one http_stream_close(), before or after on_close (inside it, too):
 * until then http_stream_send() is allowed and, once the stream has ended,
 * ignored.  Closing before the end sends what is queued first.
 */
struct http_stream *http_reply_stream(struct http_call *c, const char *type, size_t queue_max,
				      void (*on_close)(void *cookie), void *cookie);
void http_stream_send(struct http_stream *st, struct str bytes); /* copied; any thread */
size_t http_stream_queued(const struct http_stream *st); /* bytes not yet written; any thread */
/* End it now, without what is queued; any thread.  http_stream_close() is still to come. */
void http_stream_cut(struct http_stream *st);
void http_stream_close(struct http_stream *st); /* any thread; gives st back */

#endif
