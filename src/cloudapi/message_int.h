/* SPDX-License-Identifier: MIT */
/*
 * message_int.h - shared by the builders of messages
 *
 *   message.c        address, text, finishing    message_check.c  kinds given as JSON
 *   message_template.c  template messages
 */
#ifndef CLOUDAPI_MESSAGE_INT_H
#define CLOUDAPI_MESSAGE_INT_H

#include "base/buf.h"
#include "json/json.h"
#include <godwit/message.h>

struct message_draft {
	struct buf buf;
	struct json_writer w;
};

/* The envelope up to and including "type"; the caller writes the member of that name next. */
gw_status message_begin(struct message_draft *d, const gw_address *to, const char *type,
			struct gw_error *err);
/* Close the envelope and hand the bytes over; releases the draft either way. */
gw_status message_finish(struct message_draft *d, gw_message **out, struct gw_error *err);
void message_drop(struct message_draft *d);

/* Valid UTF-8 of min to max characters; `what` names the member in the message. */
gw_status message_check_text(gw_str text, const char *what, size_t min, size_t max,
			     struct gw_error *err);
/* What Meta documents of this kind's content. */
gw_status message_check_kind(const char *type, struct json_val content, struct gw_error *err);

#endif
