/* SPDX-License-Identifier: MIT */
/*
 * graph_pass.h - Graph calls that go on to Meta as they are, with Meta's token in the key's place
 *
 * Whose token: the account of the number, business account or app that the path names, else of
 * ?phone_number_id=, of the header Godwit-Account, of the key's numbers, else the only account.
 *
 * THREADS  The loop's, but for graph_pass_on_head() and graph_pass_unheard(): a listener's.
 */
#ifndef SERVER_GRAPH_PASS_H
#define SERVER_GRAPH_PASS_H

#include "server/api.h"
#include "server/graph_path.h"

struct graph_pass;

GW_NODISCARD gw_status graph_pass_new(struct server *s, struct graph_pass **out,
				      struct gw_error *err);
void graph_pass_free(struct graph_pass *g); /* what runs is answered 503 */

/* The most bytes of a body that this call may have; it may be answered here, then 0. */
size_t graph_pass_on_head(struct server *s, struct http_call *call);
void graph_pass_unheard(const struct http_call *call);
/* Answers: Meta's, or a refusal in Meta's envelope. */
void graph_pass_call(struct graph_pass *g, struct api_request *r, const struct graph_path *path,
		     enum graph_kind kind);
/* The same for an account that is known; receipts and typing. */
void graph_pass_to(struct graph_pass *g, struct api_request *r, const struct account *a);

#endif
