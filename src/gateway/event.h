/* SPDX-License-Identifier: MIT */
/*
 * event.h - one event on its way: from a verified body to lanes and taps
 *
 * An inbox item holds a body and its events; after the commit each new event
 * is visible as a struct event, counted references of which lanes and taps
 * hold.  The item and its bytes live as long as any of its events.
 *
 * The same struct store_event_row describes an event whether it comes from
 * memory or from a reader, so that there is one renderer.
 *
 * THREADS  inbox_item_new(): any one thread.  After inbox_put(): the loop's.
 */
#ifndef GATEWAY_EVENT_H
#define GATEWAY_EVENT_H

#include "gateway/wayback.h"
#include "net/http_server.h"
#include "store/store.h"

struct inbox_item;

struct event {
	struct inbox_item *item; /* owner; kept alive by refs */
	const struct store_event_in *in; /* with what the store filled in */
	struct store_event_row row; /* borrowed strings, valid while referenced */
	size_t size; /* bytes to account for in a lane */
	struct wayback_mark mark; /* of the call that brought it */
};

void event_ref(struct event *e);
void event_unref(struct event *e);

#endif
