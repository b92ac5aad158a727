/* SPDX-License-Identifier: MIT */
/*
 * sqlite_sql.h - prepared statements, bound and read in order
 *
 *     sqlite3_stmt *st = sql_use(q, SQL_DEDUPE_ADD);
 *     struct bind b = { st, 0 };
 *     bind_i64(&b, second); bind_blob(&b, hash, 16); bind_i64(&b, row);
 *     status = sql_run(q, st);
 *
 * What is bound stays untouched until the statement has run.  Texts that are read are borrowed
 * until the next step or reset.
 */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#include "base/id.h"
#include "base/log.h"
#include "base/str.h"
#include <godwit/error.h>

#include <sqlite3.h>

enum sql_id {
#define WRITER(name, text) SQL_##name,
#define READER(name, text) SQL_##name,
#define BOTH(name, text) SQL_##name,
#define LOADER(name, text) SQL_##name,
#include "store/sql.def"
#undef WRITER
#undef READER
#undef BOTH
#undef LOADER
	SQL_N
};

/* What a connection is for, bits. */
#define SQL_WRITES 1U /* the store thread: an I/O error ends the process */
#define SQL_READS 2U
#define SQL_LOADS 4U

struct sql {
	sqlite3 *db;
	const struct log *log;
	unsigned use;
	sqlite3_stmt *stmt[SQL_N];
};

/* Prepare all statements of its use; sql_release() also closes db. */
GW_NODISCARD gw_status sql_init(struct sql *q, sqlite3 *db, unsigned use, const struct log *log,
				struct gw_error *err);
void sql_release(struct sql *q);

sqlite3_stmt *sql_use(struct sql *q, enum sql_id id); /* reset, ready to bind */
/* Run to the end.  Errors as in sql_failed(). */
GW_NODISCARD gw_status sql_run(struct sql *q, sqlite3_stmt *st);
/* One step; with *out_row the columns can be read until sql_done() or the next step. */
GW_NODISCARD gw_status sql_step(struct sql *q, sqlite3_stmt *st, bool *out_row);
void sql_done(sqlite3_stmt *st);
/* The first column of the first row; NULL: 0; no row: *out stays and *out_found (may be NULL) is
 * false. */
GW_NODISCARD gw_status sql_ask(struct sql *q, sqlite3_stmt *st, int64_t *out, bool *out_found);
/* Turn SQLite's last error into a status: GW_EPARSE for a row that does not fit the schema,
 * GW_ETIMEOUT for an interrupt, else GW_EIO, at which a writer ends the process instead. */
gw_status sql_failed(struct sql *q);

struct bind {
	sqlite3_stmt *st;
	int at;
};
void bind_i64(struct bind *b, int64_t value);
void bind_row(struct bind *b, int64_t row); /* 0: NULL */
void bind_str(struct bind *b, struct str text);
void bind_str_or_null(struct bind *b, struct str text); /* empty: NULL */
void bind_text(struct bind *b, const char *text); /* NULL: NULL */
void bind_blob(struct bind *b, const void *bytes, size_t len);
void bind_blob_or_null(struct bind *b, struct str bytes); /* empty: NULL */
void bind_id(struct bind *b, const struct id *id);

struct cols {
	sqlite3_stmt *st;
	int at;
};
int64_t col_i64(struct cols *c); /* NULL: 0 */
int col_int(struct cols *c);
uint32_t col_u32(struct cols *c);
bool col_bool(struct cols *c);
struct str col_str(struct cols *c); /* text or blob; NULL: empty */
bool col_id(struct cols *c, struct id *out); /* false and zeros: NULL */

#endif
