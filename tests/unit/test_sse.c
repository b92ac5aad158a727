/* SPDX-License-Identifier: MIT */
/* test_sse.c - server-sent events, in one piece and byte by byte */
#include "unit.h"

#include "cli/sse.h"

static void note(void *cookie, const struct sse_event *e)
{
	buf_put_fmt(cookie, "[%s|%s|%.*s]", e->id, e->type, STR_ARG(e->data));
}

static void cases(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} table[] = {
		{ "nothing", "", "" },
		{ "plain", "id: 1\nevent: a\ndata: x\n\n", "[1|a|x]" },
		{ "not ended", "id: 1\ndata: x\n", "" },
		{ "no data is no event", "id: 1\nevent: a\n\n", "" },
		{ "empty data is one", "data:\n\n", "[|message|]" },
		{ "one blank goes, not two", "data:  x\n\ndata:x\n\n",
		  "[|message| x][|message|x]" },
		{ "lines are joined", "data: a\ndata: b\n\n", "[|message|a\nb]" },
		{ "the id stays, the type does not", "id: 1\nevent: a\ndata: x\n\ndata: y\n\n",
		  "[1|a|x][1|message|y]" },
		{ "comments and unknown fields", ": hi\nretry: 5\nfoo: bar\nbaz\ndata: x\n\n",
		  "[|message|x]" },
		{ "colon in the data", "data: {\"a\":1}\n\n", "[|message|{\"a\":1}]" },
		{ "CRLF", "id: 1\r\ndata: x\r\n\r\ndata: y\r\n\r\n", "[1|message|x][1|message|y]" },
		{ "CR", "data: x\r\rdata: y\r\r", "[|message|x][|message|y]" },
		{ "field without a colon", "data\n\n", "[|message|]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (size_t step = 1; step < 60; step = step == 1 ? 3 : step * 20) {
			struct str in = str_from(table[i].in);
			struct buf out;
			struct sse s;

			buf_init(&out, 4096);
			sse_init(&s, note, &out);
			for (size_t at = 0; at < in.len; at += step)
				sse_feed(&s, str_slice(in, at, at + step));
			CHECK_STR(table[i].name, table[i].want, buf_str(&out));
			sse_release(&s);
			buf_release(&out);
		}
	}
}

static void too_large(void **state)
{
	static char block[1U << 20];
	struct buf out;
	struct sse s;

	(void)state;
	memset(block, 'x', sizeof(block));
	buf_init(&out, 4096);
	sse_init(&s, note, &out);
	sse_feed(&s, STR("data: "));
	for (size_t i = 0; i <= SSE_EVENT_MAX / sizeof(block); i++)
		sse_feed(&s, str_make(block, sizeof(block)));
	sse_feed(&s, STR("\n\ndata: next\n\n"));
	CHECK_STR("dropped, and on it goes", "[|message|next]", buf_str(&out));
	sse_release(&s);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
