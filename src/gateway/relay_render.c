/* SPDX-License-Identifier: MIT */
/*
 * relay_render.c - an event becomes a delivery: the bytes that its destination will get
 *
 * Rendered once, when it enters a lane, from memory or on a reader's thread:
 * the item that it came in (up to 4 MiB with its siblings) is free at once,
 * and what a lane holds is exactly what it is charged for.
 *
 * THREADS  Any.
 * TESTS    tests/unit/test_relay.c
 */
#include "gateway/relay_int.h"

#include "base/panic.h"

struct delivery *relay_render(struct buf *out, const struct store_event_row *e,
			      enum destination_format format, const struct render_how *how)
{
	struct str signature = STR_EMPTY, account = STR_EMPTY;
	bool original = false, formless = false;
	struct delivery *d;

	buf_reset(out);
	switch (format) {
	case DESTINATION_GODWIT: render_godwit(out, e, how); break;
	case DESTINATION_CLOUDEVENTS: render_cloudevents(out, e, how); break;
	case DESTINATION_META:
		formless = !render_meta(out, e, how, &original);
		account = e->account;
		if (original)
			signature = e->signature;
		break;
	}
	ASSERT(!buf_failed(out));
	d = delivery_new(e->row, &e->id, buf_str(out), signature, account);
	d->formless = formless;
	d->received_ms = e->received_ms;
	return d;
}
