/* SPDX-License-Identifier: MIT */
/*
 * http_client.h - requests on a loop, over libcurl's multi_socket interface
 *
 * One request, one attempt, one outcome.  The body is pulled at most once
 * (body_once.c): a rewind is refused, so libcurl cannot repeat a POST on a
 * reused connection behind our back; the outcome says whether any byte of the
 * body had been pulled, which is what "nothing was sent" rests on
 * (design.md section 5 rule 6).  A request that may arrive twice says so
 * (may_repeat): head and body then leave in one write, and libcurl may repeat
 * it on a reused connection that closed before an answer.
 *
 * Requests without a body: GET and HEAD may be repeated by libcurl when a
 * reused connection closes before the answer, which is harmless; other methods
 * take a fresh connection, on which nothing is repeated.
 *
 * No redirects, no environment proxies, https or http only.  The process has
 * to ignore SIGPIPE (TLS writes with write(2)).
 * THREADS  The loop's.  The callback runs on the loop, never inside
 *          http_client_start(); after http_exchange_cancel() it never runs.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "net/egress.h"
#include "net/loop.h"
#include <godwit/error.h>

struct http_client;
struct http_exchange;

struct http_client_options {
	struct loop *loop;
	const struct egress *egress; /* checks every address before connect; NULL: none */
	long host_connections_max; /* per host; 0: 256 for http, in flight/100+1 is the caller's */
	long connections_cached; /* 0: 256 */
	bool http2; /* offer HTTP/2 over TLS */
	const char *ca_file; /* NULL: the system's */
};

GW_NODISCARD gw_status http_client_new(const struct http_client_options *o,
				       struct http_client **out, struct gw_error *err);
void http_client_free(struct http_client *c); /* cancels what runs */
size_t http_client_running(const struct http_client *c);

struct http_request {
	const char *method; /* "POST" */
	const char *url;
	const char *unix_path; /* not NULL: connect to this socket instead of the URL's host */
	const char *const *headers; /* "Name: value" lines, copied */
	size_t header_count;
	struct str body; /* borrowed until the outcome; ignored for GET */
	int body_fd; /* with body_file_len > 0: the body is this file's, from its start; borrowed */
	uint64_t body_file_len;
	bool may_repeat; /* a POST whose receiver takes it more than once, as relays are */
	int64_t connect_timeout_ms, timeout_ms; /* real time */
	size_t answer_max; /* bytes of answer body kept, at most 1 GiB; more is an error */
	/* Not NULL: answer bytes go here as they come (streams); answer stays empty. */
	void (*on_chunk)(void *cookie, struct str bytes);
	/* Not NULL: gets every line of the answer's head, with its line end. */
	void (*on_header)(void *cookie, struct str line);
};

/* What is known about where an attempt ended. */
enum http_end {
	HTTP_END_ANSWERED, /* a complete answer: status and body are valid */
	HTTP_END_NOT_SENT, /* failed, no byte of the body (or, without one, of the head) left */
	HTTP_END_LOST, /* failed after such a byte: it may have been received */
	HTTP_END_REFUSED, /* the egress guard forbade the address */
};

struct http_outcome {
	enum http_end end;
	int status; /* 0 unless an answer began */
	struct str answer; /* borrowed until the callback returns */
	struct str content_type; /* likewise */
	int64_t retry_after_s; /* of the Retry-After header; -1: none or odd */
	bool timed_out;
	int64_t connect_ms, total_ms; /* connect_ms is 0 on a reused connection */
	struct gw_error error; /* set unless ANSWERED */
};

typedef void (*http_done_fn)(void *cookie, const struct http_outcome *outcome);

/* Start; panics only on a contract error.  Never fails: trouble is an outcome. */
struct http_exchange *http_client_start(struct http_client *c, const struct http_request *r,
					http_done_fn done, void *cookie);
/* Before the callback has run; inside it (or inside on_chunk) it is allowed, too. */
void http_exchange_cancel(struct http_exchange *x);

#endif
