/* SPDX-License-Identifier: MIT */
/*
 * normalize.h - from a parsed event to what the store keeps (W3)
 *
 * Decides the dedupe key, the lane, whose conversation it is, and writes the
 * part of the normalized event that the body alone says (docs/events.md);
 * ids, seq, state_version and the restored opaque value are added when it is
 * rendered.
 *
 * THREADS  Any; touches nothing but its arguments.
 */
#ifndef GATEWAY_NORMALIZE_H
#define GATEWAY_NORMALIZE_H

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/token.h"
#include "store/store.h"
#include <godwit/webhook.h>

#define INBOX_KEY_MAX 4096 /* bytes of ids, words and recipients in a dedupe key */

/*
 * Fill *out (zeroed by the caller).  Strings are borrowed from the
 * notification and the body; json is appended to `text` and out->json.ptr holds its OFFSET there
 * as long as the buffer may move: call normalize_settle() once at the end.
 * token NULL: the body is our own.
 */
void normalize_event(const gw_event *e, struct str body, const struct token_reader *token,
		     struct arena *a, struct buf *text, struct store_event_in *out);
/* Turn the offsets of `count` events into pointers into `text`. */
void normalize_settle(struct store_event_in *events, size_t count, const struct buf *text);

#endif
