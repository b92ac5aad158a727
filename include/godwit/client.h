/* SPDX-License-Identifier: MIT */
/*
 * client.h - the Cloud API over HTTP: on your own loop, or blocking
 *
 * The client never makes a thread and never blocks, except in the functions
 * that end in _wait. It runs on any event loop:
 *
 *     poll gw_client_fd() for reading, at most gw_client_timeout_ms() long,
 *     then call gw_client_drive(), which runs the callbacks of what ended.
 *
 * One call is one attempt: no retries, no redirects, and the body of a send is
 * given to the network once, never a second time behind your back. When no
 * answer came, the class of the error says what is known: GW_RETRY_NOW,
 * nothing was sent; GW_RETRY_UNKNOWN, Meta may have taken the message, and
 * since its API has no idempotency key a repetition may send it twice.
 *
 * A client and all its calls belong to one thread at a time.
 */
#ifndef GODWIT_CLIENT_H
#define GODWIT_CLIENT_H

#include <godwit/error.h>
#include <godwit/message.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_CLIENT_BASE_URL "https://graph.facebook.com"
#define GW_CLIENT_VERSION "v26.0" /* current since 2026-07-29 */
#define GW_CLIENT_TOKEN_MAX 512 /* bytes; Meta's tokens have about 250 */
#define GW_CLIENT_URL_MAX 4096 /* bytes of base, version and path together */
#define GW_CLIENT_BODY_MAX (8U * 1024 * 1024) /* bytes of a request body */

typedef struct gw_client gw_client;
typedef struct gw_call gw_call; /* one call under way */

/* Zero and NULL mean the default. Everything is copied. */
typedef struct gw_client_options {
	const char *base_url; /* GW_CLIENT_BASE_URL; no slash at the end */
	const char *version; /* GW_CLIENT_VERSION */
	const char *token; /* required: access token, kept in wiped memory */
	int64_t connect_timeout_ms; /* 10,000 */
	int64_t timeout_ms; /* of a whole call: 30,000 */
	size_t answer_max; /* bytes of an answer: 4 MiB; more is an error */
	const char *ca_file; /* certificates to trust; the system's */
} gw_client_options;

/* gw_client_options o = GW_CLIENT_OPTIONS_INIT; then set what differs from the default. */
#define GW_CLIENT_OPTIONS_INIT                   \
	{                                        \
		NULL, NULL, NULL, 0, 0, 0, NULL, \
	}

/*
 * GW_EARG: no token, or an address or version that cannot be one; GW_ENOMEM:
 * no memory or descriptors. Nothing is sent.
 */
GW_API GW_NODISCARD gw_status gw_client_new(const gw_client_options *o, gw_client **out,
					    struct gw_error *err);
/* Cancels what is under way. NULL allowed. Not inside a callback. */
GW_API void gw_client_free(gw_client *c);

/* Readable when gw_client_drive() has something to do; the same for the client's whole life. */
GW_API int gw_client_fd(const gw_client *c);
/* Milliseconds until gw_client_drive() must be called in any case; -1: no need to. */
GW_API int gw_client_timeout_ms(const gw_client *c);
/* Do what is due and return; callbacks run in here. Not inside a callback. */
GW_API void gw_client_drive(gw_client *c);
GW_API size_t gw_client_running(const gw_client *c); /* calls whose callback has not run */

/*
 * How a call ended. All strings are borrowed until the callback returns; in
 * the _wait functions until the next _wait on the client or its end.
 */
typedef struct gw_result {
	gw_status status; /* GW_OK: a 2xx answer that could be read; else as in error */
	int http_status; /* 0: no answer */
	gw_str body; /* of the answer, any status */
	int64_t retry_after_s; /* of the Retry-After header; -1: none */
	/* of a send that was accepted; empty otherwise: */
	gw_str message_id; /* wamid: statuses name it */
	gw_str wa_id; /* the recipient's number as WhatsApp knows it; may differ from `to` */
	gw_str user_id; /* when it was addressed by user id */
	gw_str message_status; /* of templates: "accepted", "held_for_quality_assessment", ... */
	struct gw_error error; /* with code, subcode, trace id and retry class */
} gw_result;

/* Runs once for each call, inside gw_client_drive() or a _wait; may start and cancel calls. */
typedef void (*gw_done_fn)(void *cookie, const gw_result *result);

/*
 * Send a message from a number. The message may be freed when this returns.
 * GW_OK: `done` will run once, whatever happens; otherwise it never will.
 * *out (may be NULL) is a handle for gw_client_cancel(), valid until `done` runs.
 */
GW_API GW_NODISCARD gw_status gw_client_send(gw_client *c, gw_str phone_number_id,
					     const gw_message *m, gw_done_fn done, void *cookie,
					     gw_call **out, struct gw_error *err);
/* The same with a whole body of your own; it must be a JSON object. */
GW_API GW_NODISCARD gw_status gw_client_send_json(gw_client *c, gw_str phone_number_id, gw_str json,
						  gw_done_fn done, void *cookie, gw_call **out,
						  struct gw_error *err);
/* Mark a received message (and those before it) read; also show "typing" for at most 25 s. */
GW_API GW_NODISCARD gw_status gw_client_mark_read(gw_client *c, gw_str phone_number_id,
						  gw_str message_id, bool show_typing,
						  gw_done_fn done, void *cookie, gw_call **out,
						  struct gw_error *err);
/*
 * Any other call. `method` is "GET", "POST" or "DELETE"; `path` follows the
 * version and begins with a slash, "/1063.../message_templates?limit=10",
 * already percent-encoded; `json` is the body or empty.
 */
GW_API GW_NODISCARD gw_status gw_client_call(gw_client *c, const char *method, gw_str path,
					     gw_str json, gw_done_fn done, void *cookie,
					     gw_call **out, struct gw_error *err);
/*
 * Give up waiting: `done` never runs and the handle is gone. What was sent
 * stays sent: Meta may accept the message all the same.
 */
GW_API void gw_client_cancel(gw_client *c, gw_call *call);

/*
 * The same, blocking until the call has ended. Other calls of the client run
 * on meanwhile. The return value is out->status; err is filled from out->error.
 * GW_ESTATE: called inside a callback. *out is written unless the call could
 * not be started.
 */
GW_API GW_NODISCARD gw_status gw_client_send_wait(gw_client *c, gw_str phone_number_id,
						  const gw_message *m, gw_result *out,
						  struct gw_error *err);
GW_API GW_NODISCARD gw_status gw_client_send_json_wait(gw_client *c, gw_str phone_number_id,
						       gw_str json, gw_result *out,
						       struct gw_error *err);
GW_API GW_NODISCARD gw_status gw_client_mark_read_wait(gw_client *c, gw_str phone_number_id,
						       gw_str message_id, bool show_typing,
						       gw_result *out, struct gw_error *err);
GW_API GW_NODISCARD gw_status gw_client_call_wait(gw_client *c, const char *method, gw_str path,
						  gw_str json, gw_result *out,
						  struct gw_error *err);

#ifdef __cplusplus
}
#endif
#endif
