/* SPDX-License-Identifier: MIT */
/*
 * body_splice.h - our token into the caller's bytes, and nothing else touched
 *
 * design.md 5.1 and 5.5: the outbox keeps the caller's bytes and never
 * rebuilds them.  What goes on the wire is those bytes with at most two
 * strings exchanged: biz_opaque_callback_data (put in when there was none) and
 * context.message_id (when it held an id of ours).
 */
#ifndef GATEWAY_BODY_SPLICE_H
#define GATEWAY_BODY_SPLICE_H

#include "base/buf.h"
#include "json/json.h"

#define SPLICE_GROWTH_MAX 1024 /* bytes a body may grow by: key, token, message id */

/*
 * Append body to out with `token` as biz_opaque_callback_data and, unless it is
 * empty, `quoted` as context.message_id.  GW_EPARSE: the body is not a JSON
 * object (the door lets none in); out may then hold a part.
 */
GW_NODISCARD gw_status body_splice(struct str body, struct str token, struct str quoted,
				   struct arena *a, struct buf *out, struct gw_error *err);

#endif
