/* SPDX-License-Identifier: MIT */
/*
 * client_int.h - shared by the files of the client
 *
 *   client.c         life cycle and calls    client_wait.c  the blocking form
 *   client_result.c  outcomes into results
 */
#ifndef CLOUDAPI_CLIENT_INT_H
#define CLOUDAPI_CLIENT_INT_H

#include "base/arena.h"
#include "net/http_client.h"
#include <godwit/godwit.h>

#define AUTHORIZATION "Authorization: Bearer "

struct gw_client {
	struct clock clock;
	struct loop *loop;
	struct http_client *http;
	struct gw_call *calls;
	size_t running;
	unsigned depth; /* > 0: callbacks may be running */
	int64_t connect_timeout_ms, timeout_ms;
	size_t answer_max;
	char base[GW_CLIENT_URL_MAX]; /* "https://graph.facebook.com/v26.0" */
	char authorization[sizeof(AUTHORIZATION) + GW_CLIENT_TOKEN_MAX];
	struct arena *kept; /* what the last _wait handed out */
};

/* One turn of the client's loop, callbacks included. */
void client_turn(gw_client *c, int64_t max_wait_ms);

/* What was asked, as far as the reading of the answer depends on it. */
enum client_kind {
	CLIENT_SEND, /* a message: success means an id */
	CLIENT_OTHER, /* anything else that may change something */
	CLIENT_READ, /* GET: may be repeated whatever happened */
};

/*
 * Read an outcome.  Strings of *out are borrowed from the outcome and from
 * the arena, which may be NULL: then the answer cannot be read.
 */
void client_read_outcome(enum client_kind kind, bool has_body, const struct http_outcome *o,
			 struct arena *a, gw_result *out);

#endif
