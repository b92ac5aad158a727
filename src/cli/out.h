/* SPDX-License-Identifier: MIT */
/*
 * out.h - data on standard output: tables, records, marks
 *
 * Tables are for people (cut to the terminal, numbers of customers masked);
 * JSON is the answer of the API word for word.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "cli/cli.h"
#include "json/json.h"

enum out_kind {
	OUT_TEXT, /* a string, number or boolean as it is; lists joined by blanks */
	OUT_NUMBER, /* right-aligned */
	OUT_PHONE, /* masked unless --show-pii */
	OUT_TIME /* RFC 3339 as it is; on a terminal how long ago */
};

struct out_column {
	const char *title;
	const char *path; /* dotted, as json_path() takes it */
	enum out_kind kind;
};

/* An array of objects as a table; prints nothing when it is empty. */
void out_rows(const struct cli *cli, struct json_val rows, const struct out_column *columns,
	      size_t count);
/* {"data":[...],"page":...} in the chosen format; `id_path` names what `-o id` prints. */
void out_list(const struct cli *cli, struct json_val answer, const struct out_column *columns,
	      size_t count, const char *id_path, const char *none);
/* One object in the chosen format; as a table one line a column, empty ones left out. */
void out_object(const struct cli *cli, struct json_val object, const struct out_column *columns,
		size_t count, const char *id_path);

enum out_mark_kind { MARK_OK, MARK_WARN, MARK_FAIL, MARK_SKIP };
/* A sign that needs no colour to be understood; plain words where the locale has no UTF-8. */
const char *out_mark(const struct cli *cli, enum out_mark_kind kind);

#define OUT_PHONE_MAX 64
/* "+55 71 ••••• 001" (or with stars), whole with --show-pii; what is no number as it is. */
void out_phone(const struct cli *cli, struct str phone, char out[OUT_PHONE_MAX]);
/* Printable text on one line: control characters become blanks, at most max code points. */
void out_line(struct buf *b, struct str text, size_t max);
/* JSON over several lines, the first of them where the output stands, the others after `margin`
 * blanks.  Short objects stay on their line. */
void out_pretty(struct buf *b, struct str json, unsigned margin);

#endif
