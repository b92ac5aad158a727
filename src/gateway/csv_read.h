/* SPDX-License-Identifier: MIT */
/*
 * csv_read.h - a CSV file in pieces, as people's spreadsheets write it (libcsv behind it)
 *
 * Quoting after RFC 4180; comma, semicolon or tab, whichever the first line has most of; a byte
 * order mark is passed over, LF, CRLF and CR end a line, blank lines are none.  Cells are trimmed
 * of blanks unless they are quoted.
 *
 * THREADS  One at a time.
 */
#ifndef GATEWAY_CSV_READ_H
#define GATEWAY_CSV_READ_H

#include "base/str.h"
#include <godwit/error.h>

#define CSV_CELL_MAX (64U * 1024) /* bytes */
#define CSV_CELLS_MAX 256 /* in a row */

struct csv_reader;

/* A whole row; cells are borrowed until it returns. */
typedef void (*csv_row_fn)(void *cookie, const struct str *cells, size_t count);

struct csv_reader *csv_reader_new(csv_row_fn fn, void *cookie);
void csv_reader_free(struct csv_reader *c);
/* The next piece.  GW_EPARSE, GW_ELIMIT: err says in which line and what is wrong; it is over. */
GW_NODISCARD gw_status csv_read(struct csv_reader *c, struct str bytes, struct gw_error *err);
/* The end of the file. */
GW_NODISCARD gw_status csv_read_end(struct csv_reader *c, struct gw_error *err);

#endif
