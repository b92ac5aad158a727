/* SPDX-License-Identifier: MIT */
/*
 * fuzz_sse.c - any bytes as a stream of events, in any pieces
 *
 * The first byte says how long the pieces are.
 *
 * INVARIANTS  1. The same bytes are the same events, however they are cut.
 *             2. No event is without data; none has a line end in its name.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "cli/sse.h"

#include <string.h>

#define OUT_MAX ((size_t)64 << 20)

static void on_event(void *cookie, const struct sse_event *e)
{
	struct buf *out = cookie;

	ASSERT(e->type[0] != '\0' && strpbrk(e->type, "\r\n") == NULL);
	ASSERT(strpbrk(e->id, "\r\n") == NULL); /* inv. 2 */
	buf_put_fmt(out, "%s|%s|%zu|", e->id, e->type, e->data.len);
	buf_put_str(out, e->data);
	buf_put_char(out, '\n');
}

static void feed(struct buf *out, struct str bytes, size_t piece)
{
	struct sse s;

	sse_init(&s, on_event, out);
	for (size_t at = 0; at < bytes.len; at += piece)
		sse_feed(&s, str_slice(bytes, at, at + piece));
	sse_release(&s);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str bytes;
	struct buf whole, cut;

	if (size == 0)
		return;
	bytes = str_make((const char *)data + 1, size - 1);
	buf_init(&whole, OUT_MAX);
	buf_init(&cut, OUT_MAX);
	feed(&whole, bytes, size);
	feed(&cut, bytes, (size_t)data[0] % 17 + 1);
	ASSERT(!buf_failed(&whole) && str_eq(buf_str(&whole), buf_str(&cut))); /* inv. 1 */
	buf_release(&whole);
	buf_release(&cut);
}
