/* SPDX-License-Identifier: MIT */
/*
 * render.h - an event as its receivers see it
 *
 * render_godwit: the normalized event of docs/events.md (design.md section 9).
 * render_meta:   Meta's own bytes.  The whole original body with its original
 *                signature when it holds this one event and no opaque value has
 *                to be restored, else a minimal body spliced from the original
 *                bytes, to be signed anew with the same app secret.
 */
#ifndef GATEWAY_RENDER_H
#define GATEWAY_RENDER_H

#include "base/buf.h"
#include "store/store.h"

/* One JSON object, no newline. */
void render_godwit(struct buf *out, const struct store_event_row *e, bool include_raw);
/* The same event in CloudEvents 1.0, structured mode. */
void render_cloudevents(struct buf *out, const struct store_event_row *e, bool include_raw);
/*
 * A body with this one event.  Returns false when the event has no form in
 * Meta's shape (our own transitions): nothing is sent then.  *original tells
 * that out holds the body as received, so that e->signature is valid for it.
 */
bool render_meta(struct buf *out, const struct store_event_row *e, bool *original);

#endif
