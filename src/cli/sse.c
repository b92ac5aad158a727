/* SPDX-License-Identifier: MIT */
/*
 * sse.c - a reader of server-sent events
 *
 * FAILURE  An event over SSE_EVENT_MAX is dropped; the next one is read again.
 * TESTS    tests/unit/test_sse.c, fuzz/fuzz_sse.c
 */
#include "cli/sse.h"

void sse_init(struct sse *s, sse_fn fn, void *cookie)
{
	*s = (struct sse){ .fn = fn, .cookie = cookie };
	buf_init(&s->line, SSE_EVENT_MAX);
	buf_init(&s->data, SSE_EVENT_MAX);
}

void sse_release(struct sse *s)
{
	buf_release(&s->line);
	buf_release(&s->data);
}

static void dispatch(struct sse *s)
{
	struct sse_event e = { s->id, s->type[0] != '\0' ? s->type : "message", STR_EMPTY };

	if (s->has_data && !buf_failed(&s->data)) {
		e.data = buf_str(&s->data);
		s->fn(s->cookie, &e);
	}
	buf_reset(&s->data);
	s->has_data = false;
	s->type[0] = '\0';
}

static void take_line(struct sse *s, struct str line)
{
	struct str name = line, value = STR_EMPTY;
	size_t at;

	if (line.len == 0) {
		dispatch(s);
		return;
	}
	if (str_find_char(line, ':', &at)) {
		name = str_slice(line, 0, at);
		value = str_slice(line, at + 1, line.len);
		if (value.len > 0 && value.ptr[0] == ' ')
			value = str_slice(value, 1, value.len);
	}
	if (str_eq(name, STR("data"))) {
		if (s->has_data)
			buf_put_char(&s->data, '\n');
		buf_put_str(&s->data, value);
		s->has_data = true;
	} else if (str_eq(name, STR("event"))) {
		(void)str_copy(value, s->type, sizeof(s->type));
	} else if (str_eq(name, STR("id"))) {
		(void)str_copy(value, s->id, sizeof(s->id));
	}
}

static void end_line(struct sse *s)
{
	if (buf_failed(&s->line))
		buf_fail(&s->data); /* the event is not whole */
	else
		take_line(s, buf_str(&s->line));
	buf_reset(&s->line);
}

void sse_feed(struct sse *s, struct str bytes)
{
	size_t from = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.ptr[i];

		if (c == '\n' && s->was_cr) { /* the second half of CRLF */
			s->was_cr = false;
			from = i + 1;
			continue;
		}
		s->was_cr = c == '\r';
		if (c != '\n' && c != '\r')
			continue;
		buf_put(&s->line, bytes.ptr + from, i - from);
		from = i + 1;
		end_line(s);
	}
	buf_put(&s->line, bytes.ptr + from, bytes.len - from);
}
