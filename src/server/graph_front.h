/* SPDX-License-Identifier: MIT */
/*
 * graph_front.h - the Graph paths as applications call them (design.md 5.1)
 *
 * THREADS  graph_is_path(), graph_on_*(), graph_error(), graph_refuse(): any.
 *          The rest: the loop's.
 */
#ifndef SERVER_GRAPH_FRONT_H
#define SERVER_GRAPH_FRONT_H

#include "server/api.h"
#include <godwit/errors.h>

GW_NODISCARD gw_status graph_front_new(struct server *s, struct graph_front **out,
				       struct gw_error *err);
void graph_front_free(struct graph_front *g);
bool graph_is_path(struct str path); /* not one of our own */
size_t graph_on_head(struct server *s, struct http_call *call); /* as http_server.h has it */
void graph_on_unheard(const struct http_call *call);
void graph_call(struct api_request *r);
/* Refuse in Meta's error envelope; details say that it was us, and why. */
void graph_error(struct http_call *call, int status, int code, int subcode, const char *message,
		 const char *details);

struct graph_refusal {
	int status, code, subcode; /* HTTP; Meta's; 0: none */
	const char *message, *details;
	const char *reason; /* header Godwit-Refused; NULL: none */
	unsigned retry_after_s; /* 0: none */
};
void graph_refuse(struct http_call *call, const struct graph_refusal *r);
/* What the catalogue says of Meta's error, for the header Godwit-Advice beside Meta's own words;
 * false: the answer is none, or its code is not listed. */
bool graph_advice(struct str answer, int status, char out[GW_ERROR_ADVICE_MAX]);

#endif
