/* SPDX-License-Identifier: MIT */
/*
 * sse.h - a reader of server-sent events: bytes in as they come, events out
 *
 * As the HTML standard has them: lines end with LF, CRLF or CR, "data" lines
 * are joined, comments and unknown fields are skipped, an event without data is none.
 */
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include "base/buf.h"

#define SSE_EVENT_MAX (32U << 20) /* bytes of one event's data, and of one line */
#define SSE_NAME_MAX 128

struct sse_event {
	const char *id; /* the last one seen, also when this event had none */
	const char *type; /* "message" when it had none */
	struct str data;
};

typedef void (*sse_fn)(void *cookie, const struct sse_event *e);

struct sse {
	sse_fn fn;
	void *cookie;
	struct buf line, data;
	bool has_data, was_cr;
	char id[SSE_NAME_MAX], type[SSE_NAME_MAX];
};

void sse_init(struct sse *s, sse_fn fn, void *cookie);
void sse_release(struct sse *s);
void sse_feed(struct sse *s, struct str bytes);

#endif
