/* SPDX-License-Identifier: MIT */
/*
 * csv_read.c - see csv_read.h; the adapter of libcsv
 *
 * The first line is held back until it is whole, so that the separator can be told from it and the
 * encoding from its first bytes.
 *
 * FAILURE  A quote in the wrong place, a cell or a row over its limit, bytes that are no UTF-8: the
 *          line is named and nothing more is read.
 * TESTS    tests/unit/test_csv_read.c
 */
#include "gateway/csv_read.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/utf8.h"

#include <csv.h>

#define FIRST_LINE_MAX (256U * 1024)

struct csv_reader {
	struct csv_parser parser;
	csv_row_fn fn;
	void *cookie;
	struct buf first; /* what came of the first line */
	bool begun; /* the separator is known */
	uint64_t line; /* of the byte that is read next, from 1 */
	char last; /* byte before it */
	struct buf text; /* of the cells of this row */
	size_t ends[CSV_CELLS_MAX];
	size_t count;
	gw_status status; /* sticky */
	struct gw_error error;
};

static void *bounded_realloc(void *old, size_t size)
{
	return size > CSV_CELL_MAX ? NULL : xrealloc(old, size);
}

struct csv_reader *csv_reader_new(csv_row_fn fn, void *cookie)
{
	struct csv_reader *c = xcalloc(1, sizeof(*c));
	int rc = csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI);

	ASSERT(rc == 0); /* fails for no parser alone */
	csv_set_realloc_func(&c->parser, bounded_realloc);
	csv_set_blk_size(&c->parser, 1024);
	c->fn = fn;
	c->cookie = cookie;
	c->line = 1;
	buf_init(&c->first, FIRST_LINE_MAX);
	buf_init(&c->text, (size_t)CSV_CELL_MAX * 4);
	return c;
}

void csv_reader_free(struct csv_reader *c)
{
	if (c == NULL)
		return;
	csv_free(&c->parser);
	buf_release(&c->first);
	buf_release(&c->text);
	free(c);
}

static gw_status fail(struct csv_reader *c, gw_status status, const char *what)
{
	if (c->status == GW_OK)
		c->status = gw_error_set(&c->error, status, "line %llu: %s",
					 (unsigned long long)c->line, what);
	return c->status;
}

static void on_cell(void *cell, size_t len, void *cookie)
{
	struct csv_reader *c = cookie;

	if (c->status != GW_OK)
		return;
	if (c->count == CSV_CELLS_MAX) {
		(void)fail(c, GW_ELIMIT, "more than 256 columns");
		return;
	}
	buf_put(&c->text, cell, len);
	if (buf_failed(&c->text)) {
		(void)fail(c, GW_ELIMIT, "a row of more than 256 KiB");
		return;
	}
	c->ends[c->count++] = c->text.len;
}

/* All cells together, and none begins within a character. */
static bool are_utf8(const struct csv_reader *c, struct str all)
{
	if (!utf8_valid(all))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		if (c->ends[i] < all.len && ((unsigned char)all.ptr[c->ends[i]] & 0xc0) == 0x80)
			return false;
	}
	return true;
}

static void on_row(int end, void *cookie)
{
	struct csv_reader *c = cookie;
	struct str cells[CSV_CELLS_MAX], all = buf_str(&c->text);
	size_t from = 0;

	(void)end;
	if (c->status != GW_OK)
		return;
	if (!are_utf8(c, all)) {
		(void)fail(c, GW_EPARSE,
			   "bytes that are not UTF-8; save the list as \"CSV UTF-8\"");
		return;
	}
	for (size_t i = 0; i < c->count; i++) {
		cells[i] = str_slice(all, from, c->ends[i]);
		from = c->ends[i];
	}
	c->fn(c->cookie, cells, c->count);
	buf_reset(&c->text);
	c->count = 0;
}

/* CR, LF and CRLF end a line. */
static void count_lines(struct csv_reader *c, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char b = bytes.ptr[i];

		if (b == '\r' || (b == '\n' && c->last != '\r'))
			c->line++;
		c->last = b;
	}
}

/* Up to and with the first of them; all, if there is none. */
static size_t len_to(struct str bytes, char mark)
{
	const char *end = memchr(bytes.ptr, mark, bytes.len);

	return end == NULL ? bytes.len : (size_t)(end - bytes.ptr) + 1;
}

/*
 * A line at a time, so that whatever fails knows its line; and of a line what
 * stands before a zero byte first, so that the pieces it comes in do not matter.
 */
static gw_status feed(struct csv_reader *c, struct str bytes)
{
	while (bytes.len > 0 && c->status == GW_OK) {
		struct str line = str_slice(bytes, 0, len_to(bytes, '\n'));
		size_t len, taken;

		line.len = len_to(line, '\r');
		len = len_to(line, '\0');
		if (bytes.ptr[0] == '\0')
			return fail(c, GW_EPARSE, "a zero byte: this is no CSV text");
		if (bytes.ptr[len - 1] == '\0')
			len--;
		taken = csv_parse(&c->parser, bytes.ptr, len, on_cell, on_row, c);
		count_lines(c, str_slice(bytes, 0, taken));
		if (c->status == GW_OK && taken != len)
			return csv_error(&c->parser) == CSV_EPARSE
				       ? fail(c, GW_EPARSE,
					      "a quote in the middle of a cell; quote the whole "
					      "cell and double the quotes in it")
				       : fail(c, GW_ELIMIT, "a cell of more than 64 KiB");
		bytes = str_slice(bytes, len, bytes.len);
	}
	return c->status;
}

/* The separator that the first line has most of, outside quotes. */
static char separator_of(struct str line)
{
	static const char marks[] = { ',', ';', '\t' };
	size_t counts[sizeof(marks)] = { 0 }, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < line.len && line.ptr[i] != '\n' && line.ptr[i] != '\r'; i++) {
		if (line.ptr[i] == '"')
			quoted = !quoted;
		for (size_t k = 0; k < sizeof(marks) && !quoted; k++)
			counts[k] += line.ptr[i] == marks[k];
	}
	for (size_t k = 1; k < sizeof(marks); k++)
		best = counts[k] > counts[best] ? k : best;
	return marks[best];
}

static gw_status begin(struct csv_reader *c)
{
	struct str text = buf_str(&c->first);

	c->begun = true;
	if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff")))
		return fail(c, GW_EPARSE, "the file is UTF-16; save the list as \"CSV UTF-8\"");
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.len);
	csv_set_delim(&c->parser, (unsigned char)separator_of(text));
	return feed(c, text);
}

static gw_status tell(const struct csv_reader *c, struct gw_error *err)
{
	if (c->status != GW_OK && err != NULL)
		*err = c->error;
	return c->status;
}

gw_status csv_read(struct csv_reader *c, struct str bytes, struct gw_error *err)
{
	size_t at;

	if (c->status != GW_OK)
		return tell(c, err);
	if (!c->begun) {
		at = str_find_char(bytes, '\n', &at) ? at + 1 : bytes.len;
		buf_put_str(&c->first, str_slice(bytes, 0, at));
		if (buf_failed(&c->first))
			(void)fail(c, GW_ELIMIT, "a first line of more than 256 KiB");
		else if (str_ends(buf_str(&c->first), STR("\n")))
			(void)begin(c);
		bytes = str_slice(bytes, at, bytes.len);
	}
	if (c->begun)
		(void)feed(c, bytes); /* sticky */
	return tell(c, err);
}

gw_status csv_read_end(struct csv_reader *c, struct gw_error *err)
{
	if (c->status == GW_OK && !c->begun)
		(void)begin(c);
	if (c->status == GW_OK && csv_fini(&c->parser, on_cell, on_row, c) != 0)
		(void)fail(c, GW_EPARSE, "the file ends inside a quoted cell");
	return tell(c, err);
}
