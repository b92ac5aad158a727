/* SPDX-License-Identifier: MIT */
/*
 * send_read.h - what a send's body says, read once at the door (O1)
 *
 * Reads what Godwit needs to know (who, what kind, the opaque value, a quoted
 * message of ours) and refuses what could not be queued; everything else in
 * the body is the caller's and Meta's business and stays as it is.
 */
#ifndef GATEWAY_SEND_READ_H
#define GATEWAY_SEND_READ_H

#include "base/id.h"
#include "gateway/conversation.h"
#include "gateway/outq.h"
#include "gateway/refusal.h"
#include "json/json.h"

#define SEND_OPAQUE_MAX 512 /* characters; Meta's limit, which is the caller's too */
#define SEND_TO_MAX 512 /* bytes of to or recipient that are looked at */
#define SEND_KIND_MAX 64 /* bytes of the type word */
#define SEND_NAME_MAX 512 /* bytes; a template's name has at most 512 characters */

/* Borrowed from the body or the arena. */
struct send {
	struct str to; /* as it stands in the body */
	struct str lane; /* canonical; in lane_text */
	char lane_text[RECIPIENT_MAX];
	bool is_user_id; /* `recipient`, not `to` */
	struct str kind; /* "text" when the body has none */
	struct str template_name, template_language;
	struct str opaque;
	enum outq_class class_;
	bool has_context; /* context.message_id is an id of ours */
	struct id context;
};

/* False: refused, r is filled.  target tells the marketing path from the plain one. */
bool send_read(struct str body, struct str target, struct arena *a, struct send *out,
	       struct refusal *r);
/* What the caller says it is: "marketing", "utility" or "authentication".  On the marketing path it
 * stays marketing.  False: no such word. */
bool send_read_category(struct str category, struct send *s, struct refusal *r);
/* The id of ours in context.message_id, if any; for messages loaded at a start. */
bool send_read_context(struct str body, struct arena *a, struct id *out);

#endif
