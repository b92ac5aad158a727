/* SPDX-License-Identifier: MIT */
/*
 * stream.h - the live event stream (server-sent events), a tap that never blocks
 *
 * THREADS  The loop's.
 */
#ifndef SERVER_STREAM_H
#define SERVER_STREAM_H

#include "gateway/event.h"
#include "server/server.h"

#define STREAMS_MAX 256
#define STREAM_QUEUE_MAX (4U * 1024 * 1024) /* bytes a slow reader may be behind */

struct streams *streams_new(struct server *s);
void streams_free(struct streams *st); /* after the listeners have stopped */
void streams_event(struct streams *st, struct event *e); /* inbox_sinks.tap */
void streams_close_all(struct streams *st); /* drain */
void streams_revoke(struct streams *st, const struct id *key); /* theirs end, unread or not */
size_t streams_count(const struct streams *st);

#endif
