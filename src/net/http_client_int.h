/* SPDX-License-Identifier: MIT */
/*
 * http_client_int.h - what the files of the HTTP client share
 *
 *   http_client.c           the client: libcurl's multi handle on a loop
 *   http_client_exchange.c  one request: its options, callbacks and outcome
 */
#ifndef NET_HTTP_CLIENT_INT_H
#define NET_HTTP_CLIENT_INT_H

#include "net/body_once.h"
#include "net/http_client.h"

#include <curl/curl.h>

enum exchange_state {
	EXCHANGE_STARTING, /* waits for the loop to hand it to libcurl */
	EXCHANGE_RUNNING, /* libcurl has it */
	EXCHANGE_OVER, /* its callback runs */
	EXCHANGE_IDLE, /* pooled */
};

/* How libcurl is told the method; switching costs several options, so it is remembered. */
enum exchange_form { FORM_NONE, FORM_GET, FORM_HEAD, FORM_POST, FORM_OTHER };

struct http_exchange {
	struct http_client *client;
	struct http_exchange *next, **link; /* in one of the client's lists */
	enum exchange_state state;
	CURL *easy; /* kept between requests with all that does not change */
	CURLcode broken; /* an option was refused: the outcome, without a try */
	http_done_fn done;
	void *cookie;
	void (*on_chunk)(void *cookie, struct str bytes);
	void (*on_header)(void *cookie, struct str line);
	struct body_once body;
	uint64_t body_len;
	bool is_pulled; /* through body; else libcurl has the bytes and may repeat them */
	struct curl_slist *headers; /* one block: nodes and behind them the strings */
	struct buf answer;
	size_t answer_max, head_bytes;
	bool answer_too_large, head_too_large;
	bool is_cancelled; /* from inside a libcurl callback: removed right after it */
	unsigned addresses_tried, addresses_refused;
	char refusal[96]; /* of the last address refused */
	int64_t started_ns, retry_after_s;
	/* Options as last set. */
	enum exchange_form form;
	long timeout_ms, connect_timeout_ms, is_fresh;
	CURLU *url; /* parsed; libcurl reads it */
	char *url_text; /* what it was parsed from */
	bool has_unix_path, has_fields;
	char error_text[CURL_ERROR_SIZE];
};

/* A descriptor that libcurl polls. */
struct client_socket {
	struct http_client *client;
	struct loop_watch *watch; /* NULL: not asked for so far */
	int fd;
	bool is_settled; /* carried a request: its close is told, so the watch may stay */
	bool is_wanted; /* libcurl waits for it now */
};

struct http_client {
	struct loop *loop;
	const struct egress *egress;
	CURLM *multi;
	bool http2;
	char *ca_file;
	struct timer timer;
	int in_curl; /* depth of calls into libcurl that may call us back */
	struct http_exchange *starting, **starting_end; /* in order */
	struct http_exchange *running, *idle;
	size_t count, idle_count; /* starting and running; pooled */
	size_t cancelled_count;
	struct client_socket **sockets; /* by descriptor */
	size_t socket_cap;
};

/* http_client_exchange.c */
struct http_exchange *exchange_new(struct http_client *c);
void exchange_free(struct http_exchange *x);
void exchange_set_up(struct http_exchange *x, const struct http_request *r);
void exchange_outcome(const struct http_exchange *x, CURLcode code, struct http_outcome *out);
void exchange_clean(struct http_exchange *x); /* for the pool */

/* http_client.c: libcurl's callbacks about sockets */
curl_socket_t client_open_socket(void *cookie, curlsocktype purpose, struct curl_sockaddr *address);
int client_close_socket(void *cookie, curl_socket_t fd);

#endif
