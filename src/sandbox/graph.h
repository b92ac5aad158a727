/* SPDX-License-Identifier: MIT */
/*
 * graph.h - the emulated Graph API: from a request to an answer
 *
 * graph_handle() knows no sockets: a struct ask in, a struct answer out.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_GRAPH_H
#define SANDBOX_GRAPH_H

#include "sandbox/answer.h"
#include "sandbox/faults.h"
#include "sandbox/metaerr.h"
#include "sandbox/world.h"

struct ask {
	struct str method, path, body;
	struct str authorization; /* header; empty: none */
	struct str host; /* header; for absolute links */
	struct str content_type; /* header; empty: none */
	struct str file_offset; /* header; empty: none */
	bool (*query)(const void *cookie, const char *name, struct str *out);
	const void *cookie;
};

struct graph {
	struct world *world;
	struct faults *faults;
	struct arena *arena; /* of the call being handled */
	uint64_t calls;
	/* Take a new callback; NULL: cannot. */
	gw_status (*subscribe)(void *cookie, struct str url, struct str token,
			       struct gw_error *err);
	const char *(*callback)(void *cookie); /* where webhooks go; NULL: nobody knows */
	void *cookie;
	const struct secret *app_secret; /* NULL: SANDBOX_APP_SECRET */
};

void graph_init(struct graph *g, struct world *w, struct faults *f);
void graph_release(struct graph *g);
/* `out` must be answer_init()ed. */
void graph_handle(struct graph *g, const struct ask *ask, struct answer *out);

/* For graph_*.c: one call on its way. */
struct graph_call {
	struct graph *graph;
	struct world *world;
	const struct ask *ask;
	struct json_val body; /* missing when the body is no JSON */
	struct str token; /* the bearer */
	bool is_app; /* it is the app's own: APPID|SECRET */
	struct str object, edge; /* "573…", "messages"; empty when absent */
	struct answer *out;
	struct metaerr err;
};

bool graph_query(const struct graph_call *c, const char *name, struct str *out);
/* Of the body, else of the query: Graph takes either. */
bool graph_parameter(const struct graph_call *c, const char *name, struct str *out);
/* POST /{phone}/messages; false: c->err is the answer. */
bool graph_send(struct graph_call *c, struct number *n);
/* POST /{phone}/media */
bool graph_upload_media(struct graph_call *c, const struct number *n);
/* GET and DELETE /{media-id}; *found: it is one, and has that method. */
bool graph_media(struct graph_call *c, bool *found);
/* The bytes behind a link. */
bool graph_fetch_media(struct graph_call *c);
/* POST and DELETE /{waba}/message_templates, POST /{template-id} */
bool graph_create_template(struct graph_call *c);
bool graph_edit_template(struct graph_call *c);
bool graph_delete_templates(struct graph_call *c);
/* Edges of a number (graph_number.c); *found: it is one of them. */
bool graph_number_edge(struct graph_call *c, struct number *n, bool *found);
bool graph_change_number(struct graph_call *c, struct number *n); /* POST /{phone} */
bool graph_block_users(struct graph_call *c, struct number *n);
bool graph_qr_codes(struct graph_call *c, struct number *n, struct str code); /* empty: all */
void graph_write_kept(const struct number *n, const char *edge, struct str fields,
		      struct json_writer *w);
bool graph_check_product(struct graph_call *c); /* messaging_product */
/* Of the account (graph_account.c). */
bool graph_subscribed_apps(struct graph_call *c);
bool graph_add_number(struct graph_call *c);
bool graph_read_owned(struct graph_call *c);
bool graph_is_asked(struct str fields, const char *name); /* is it in fields=a,b{c,d}? */
/* Of the app (graph_upload.c). */
bool graph_app_edge(struct graph_call *c, bool *found);
bool graph_is_upload(const struct graph_call *c); /* /upload:SESSION */
bool graph_upload(struct graph_call *c);
/* Are the media ids in a message's content known? */
bool graph_check_media_ids(struct graph_call *c, const char *type, struct json_val content);
/* Everything that only reads. */
bool graph_read_number(struct graph_call *c, const struct number *n);
bool graph_read_waba(struct graph_call *c);
bool graph_read_phone_numbers(struct graph_call *c);
bool graph_read_templates(struct graph_call *c);
bool graph_read_template(struct graph_call *c);
bool graph_read_subscribed_apps(struct graph_call *c);
/* Tokens (graph_token.c). */
bool graph_check_token(struct graph_call *c);
bool graph_check_scope(struct graph_call *c, const struct number *n);
bool graph_debug_token(struct graph_call *c);
bool graph_me(struct graph_call *c);
bool graph_read_app(struct graph_call *c);
void graph_write_success(struct graph_call *c);

#endif
