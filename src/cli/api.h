/* SPDX-License-Identifier: MIT */
/*
 * api.h - a command's way to the gateway (docs/api.md) or the sandbox's control API
 *
 * One connection's worth of state: where the server is, the key, a loop and a
 * client.  Calls block; a stream may run beside them on the same loop.
 */
#ifndef CLI_API_H
#define CLI_API_H

#include "cli/cli.h"
#include "cli/sse.h"
#include "json/json.h"
#include "net/http_client.h"

#define API_HEADERS_MAX 8
#define API_ANSWER_MAX (64U << 20)

struct api;

/* NULL: the problem was printed and *code is the exit code. */
struct api *api_open(struct cli *cli, int *code);
/* The sandbox: url, else GODWIT_SANDBOX, else http://127.0.0.1:8081. */
struct api *api_open_sandbox(struct cli *cli, const char *url, int *code);
void api_close(struct api *a); /* NULL allowed */
struct loop *api_loop(struct api *a);
struct http_client *api_client(struct api *a);
const char *api_where(const struct api *a); /* for people: "unix:/run/..." */
const char *api_why_not(const struct api *a, const struct gw_error *err); /* nobody answers */

struct api_answer {
	int status;
	struct json_val json; /* JSON_MISSING when the body is none */
	struct str body;
	char message_id[64]; /* Godwit-Message */
	char fallback_for[64]; /* Godwit-Fallback-For: a template went in place of this message */
	bool parked; /* Godwit-Parked: it waits until the customer writes */
	char refused[128]; /* Godwit-Refused: the reason; empty: Godwit did not refuse */
	int64_t retry_after_s; /* -1: none */
	int64_t ms; /* from the call to the answer */
};

struct api_request {
	const char *method, *path; /* the path with its query */
	struct str body; /* JSON; empty: none */
	int body_fd; /* with body_file_len > 0: the body is this file's, from its start; borrowed */
	uint64_t body_file_len;
	const char *content_type; /* of the body; NULL: JSON */
	int64_t timeout_ms; /* without --timeout; 0: as usual */
	/* not NULL: called every tick_ms while the answer is waited for; not with this api */
	void (*tick)(void *cookie);
	void *tick_cookie;
	int64_t tick_ms;
	const bool *stop; /* not NULL: the call is given up when it becomes true */
	const char *headers[API_HEADERS_MAX]; /* extra, NULL-terminated when fewer */
	const char *if_lost; /* what to do when it left and no answer came; NULL allowed */
};

/* Call and wait, printing nothing; false: nobody answered, err says why. */
bool api_try(struct api *a, const struct api_request *r, struct api_answer *out,
	     struct gw_error *err);
/*
 * Call and wait.  EXIT_OK: there was an answer, whatever its status, valid
 * until the next call.  Else the trouble was printed and its code is returned.
 */
int api_call(struct api *a, const struct api_request *r, struct api_answer *out);
/* The same, and an answer that is no 2xx is printed as docs/api.md says and returned as a code. */
int api_expect(struct api *a, const struct api_request *r, struct api_answer *out);
int api_get(struct api *a, const char *path, struct api_answer *out);
/* Print an answer that is an error and return its exit code. */
int api_fail(const struct api *a, const struct api_answer *answer);
/*
 * Nobody answered: printed with what to start, or, when the call had left,
 * with its if_lost; EXIT_TEMPORARY.
 */
int api_unreachable(const struct api *a, const struct gw_error *err);

/* Append "name=value" to a path under construction, percent-encoded, with '?' or '&'. */
void api_put_query(struct buf *path, const char *name, const char *value); /* NULL: nothing */
/* One segment of a path, percent-encoded. */
void api_put_segment(struct buf *path, const char *segment);

struct api_stream_handlers {
	sse_fn on_event;
	void (*on_open)(void *cookie); /* the server listens: nothing that happens now is missed */
	void (*on_end)(void *cookie, int status, const struct gw_error *err);
	void *cookie;
};

struct api_stream;
struct api_stream *api_stream_open(struct api *a, const char *path, const char *last_event_id,
				   const struct api_stream_handlers *h);
void api_stream_close(struct api_stream *s); /* NULL allowed */

#endif
