/* SPDX-License-Identifier: MIT */
/*
 * graph_front.h - the Graph paths as applications call them (design.md 5.1)
 *
 * THREADS  graph_is_send(), graph_is_path(): any.  The rest: the loop's.
 */
#ifndef SERVER_GRAPH_FRONT_H
#define SERVER_GRAPH_FRONT_H

#include "server/api.h"

GW_NODISCARD gw_status graph_front_new(struct server *s, struct graph_front **out,
				       struct gw_error *err);
void graph_front_free(struct graph_front *g);
bool graph_is_path(struct str path); /* not one of our own */
bool graph_is_send(const struct http_call *call); /* POST .../messages */
/* The object id the path names first: a number's, for sends. */
bool graph_number(const struct http_call *call, struct str *out);
void graph_call(struct api_request *r);
/* Refuse in Meta's error envelope; details say that it was us, and why. */
void graph_error(struct http_call *call, int status, int code, int subcode, const char *message,
		 const char *details);

#endif
