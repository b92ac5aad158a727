/* SPDX-License-Identifier: MIT */
/*
 * render.h - an event as its receivers see it
 *
 * render_godwit: the normalized event of docs/events.md (design.md section 9).
 * render_meta:   Meta's own bytes.  The whole original body with its original
 *                signature when it holds this one event and neither an opaque value
 *                has to be restored nor a link to a medium exchanged; else a minimal
 *                body spliced from the original bytes (or all of it with its link
 *                exchanged), to be signed anew with the same app secret.
 */
#ifndef GATEWAY_RENDER_H
#define GATEWAY_RENDER_H

#include "base/buf.h"
#include "store/store.h"

struct render_how {
	bool raw; /* with the bytes of the item, as they came */
	struct str media_base; /* of links to media (media_link.h); empty: Meta's own stay */
};

/* One JSON object, no newline. */
void render_godwit(struct buf *out, const struct store_event_row *e, const struct render_how *how);
/* The same event in CloudEvents 1.0, structured mode. */
void render_cloudevents(struct buf *out, const struct store_event_row *e,
			const struct render_how *how);
/*
 * A body with this one event.  Returns false when the event has no form in
 * Meta's shape (our own transitions): nothing is sent then.  *original tells
 * that out holds the body as received, so that e->signature is valid for it.
 */
bool render_meta(struct buf *out, const struct store_event_row *e, const struct render_how *how,
		 bool *original);

#endif
