/* SPDX-License-Identifier: MIT */
/*
 * graph_check.h - is the body of POST /{phone}/messages what Meta would take?
 *
 * Everything that can be said without the world: required members, kinds,
 * lengths, counts (cloud-api.md 2.1 to 2.3 and 2.5, read 2026-11).  Lengths
 * are in characters (code points).
 */
#ifndef SANDBOX_GRAPH_CHECK_H
#define SANDBOX_GRAPH_CHECK_H

#include "sandbox/metaerr.h"

/* A checked body; strings borrow from the document. */
struct send {
	bool is_read; /* a read receipt: message_id and typing count, nothing else */
	bool typing;
	struct str message_id;

	const char *type; /* static word, "text" */
	struct json_val content; /* the member named like the type */
	bool is_group;
	bool by_user_id; /* `recipient`, and no `to` */
	struct str to; /* as given: phone, group id or BSUID */
	struct str opaque; /* ptr NULL: none given */
	struct str reply_to; /* context.message_id; empty: none */
	struct str identity_hash; /* recipient_identity_key_hash; empty: none */
	bool is_reaction, is_voice;
};

/* False: err is the answer. */
bool graph_check_send(struct json_val root, struct send *out, struct metaerr *err);

/* How a text member is checked; codes 100 answer in Graph's own words, others in error_data. */
struct text_rule {
	const char *key;
	const char *path; /* as messages name it: "text['body']" */
	size_t min, max; /* characters */
	bool required;
	int missing_code, wrong_code;
};
bool check_text(struct json_val object, const struct text_rule *rule, struct metaerr *err);
bool check_missing(struct metaerr *err, int code, const char *path);
/* {"id":…} or {"link":…}, exactly one. */
bool check_media(struct json_val media, const char *path, struct metaerr *err);

/* The "interactive" member (graph_check_interactive.c). */
bool graph_check_interactive(struct json_val v, struct metaerr *err);

#endif
