/* SPDX-License-Identifier: MIT */
/*
 * fuzz_csv.c - any bytes as a CSV file
 *
 * INVARIANTS  1. In whatever pieces a file comes, the rows, the verdict and its words are the same.
 *             2. Cells are UTF-8 without zero bytes, as many and as long as the limits say.
 *             3. Rows written out again, every cell quoted, are read as the same rows.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "gateway/csv_read.h"

#include <string.h>

#define OUT_MAX ((size_t)16 << 20)

struct seen {
	struct buf rows; /* as a file of CSV */
	gw_status status;
	struct gw_error err;
};

static void put_quoted(struct buf *b, struct str cell)
{
	buf_put_char(b, '"');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] == '"')
			buf_put_char(b, '"');
		buf_put_char(b, cell.ptr[i]);
	}
	buf_put_char(b, '"');
}

static void on_row(void *cookie, const struct str *cells, size_t count)
{
	struct seen *s = cookie;

	ASSERT(count > 0 && count <= CSV_CELLS_MAX); /* inv. 2 */
	for (size_t i = 0; i < count; i++) {
		ASSERT(cells[i].len <= CSV_CELL_MAX && utf8_valid(cells[i]));
		ASSERT(cells[i].len == 0 || memchr(cells[i].ptr, '\0', cells[i].len) == NULL);
		if (i > 0)
			buf_put_char(&s->rows, ',');
		put_quoted(&s->rows, cells[i]);
	}
	buf_put_char(&s->rows, '\n');
}

static void read_in(struct str text, size_t piece, struct seen *s)
{
	struct csv_reader *c;

	*s = (struct seen){ .err = GW_ERROR_INIT };
	buf_init(&s->rows, OUT_MAX);
	c = csv_reader_new(on_row, s);
	for (size_t at = 0; at < text.len && s->status == GW_OK; at += piece)
		s->status = csv_read(c, str_slice(text, at, at + piece), &s->err);
	if (s->status == GW_OK)
		s->status = csv_read_end(c, &s->err);
	csv_reader_free(c);
	ASSERT(!buf_failed(&s->rows));
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str text = str_make((const char *)data, size);
	struct seen whole, parts, again;
	size_t piece = size > 0 && data[size - 1] % 64 > 0 ? data[size - 1] % 64 : 1;

	read_in(text, size + 1, &whole);
	read_in(text, piece, &parts);
	ASSERT(whole.status == parts.status); /* inv. 1 */
	ASSERT(str_eq(buf_str(&whole.rows), buf_str(&parts.rows)));
	ASSERT(strcmp(whole.err.message, parts.err.message) == 0);
	if (whole.status == GW_OK) {
		read_in(buf_str(&whole.rows), size + 1, &again);
		ASSERT(again.status == GW_OK); /* inv. 3 */
		ASSERT(str_eq(buf_str(&whole.rows), buf_str(&again.rows)));
		buf_release(&again.rows);
	}
	buf_release(&whole.rows);
	buf_release(&parts.rows);
}
