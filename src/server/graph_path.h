/* SPDX-License-Identifier: MIT */
/*
 * graph_path.h - what method and target of a Graph call say: object, edge, and what it is for
 *
 * THREADS  any: pure questions
 */
#ifndef SERVER_GRAPH_PATH_H
#define SERVER_GRAPH_PATH_H

#include "base/buf.h"

#define GRAPH_TARGET_MAX 4096 /* bytes of a target that is passed on */

struct graph_path {
	struct str version; /* "v26.0"; empty: none */
	struct str object; /* what stands first behind it: an id, "debug_token", "upload:..." */
	struct str edge; /* the rest, without slashes around it: "messages", "message_qrdls/X" */
};

/* false: it names no object. */
bool graph_path_read(struct str path, struct graph_path *out);

/* What a call is for, which says what a key needs for it and what it counts as. */
enum graph_kind {
	GRAPH_SEND, /* POST .../messages: the outbox's */
	GRAPH_MEDIA_LINK, /* GET /media/...: a link of ours (graph_link.h) */
	GRAPH_UPLOAD, /* POST .../media */
	GRAPH_OBJECT, /* GET /{id}: a medium's address, or anything else that has an id */
	GRAPH_READ, /* any other GET */
	GRAPH_WRITE, /* the rest */
};
enum graph_kind graph_kind(struct str method, const struct graph_path *p);

/* Append the target without access_token, which is a key of ours; false: `out` is full. */
bool graph_strip_token(struct str target, struct buf *out);
/* Is this "name=value" of a query the token's, however its name is spelled? */
bool graph_is_token_pair(struct str pair);

#endif
