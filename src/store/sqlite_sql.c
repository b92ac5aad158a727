/* SPDX-License-Identifier: MIT */
/*
 * sqlite_sql.c - statements, and what their errors mean
 *
 * FAILURE  On the writing connection nothing but a row that does not fit may fail and go on: after
 *          an I/O error, a full disk or a corrupt page nobody knows what is on disk, so the
 *          process ends (exit 74, EX_IOERR) and recovery decides.  A second sync after a failed
 *          one can falsely succeed (PostgreSQL learned it in 2018).
 * THREADS  the connection's
 */
#include "store/sqlite_sql.h"

#include "store/sqlite_int.h"
#include "store/words.h"

#include "base/buf.h"

#include <unistd.h>

#define SQL_TEXT_MAX 8192
#define EXIT_IO 74 /* EX_IOERR; the table in reference/ux.md 3.5 */

static const struct {
	const char *text;
	unsigned use;
} statements[SQL_N] = {
#define WRITER(name, text) [SQL_##name] = { text, SQL_WRITES },
#define READER(name, text) [SQL_##name] = { text, SQL_READS },
#define BOTH(name, text) [SQL_##name] = { text, SQL_WRITES | SQL_READS | SQL_LOADS },
#define LOADER(name, text) [SQL_##name] = { text, SQL_LOADS },
#include "store/sql.def"
#undef WRITER
#undef READER
#undef BOTH
#undef LOADER
};

gw_status sql_init(struct sql *q, sqlite3 *db, unsigned use, const struct log *log,
		   struct gw_error *err)
{
	gw_status status = GW_OK;
	struct buf text;

	*q = (struct sql){ .db = db, .log = log, .use = use };
	buf_init(&text, SQL_TEXT_MAX);
	for (int i = 0; i < SQL_N && status == GW_OK; i++) {
		if ((statements[i].use & use) == 0)
			continue;
		buf_reset(&text);
		words_expand(str_from(statements[i].text), &text);
		ASSERT(!buf_failed(&text));
		if (sqlite3_prepare_v3(db, text.data, (int)text.len + 1, SQLITE_PREPARE_PERSISTENT,
				       &q->stmt[i], NULL) != SQLITE_OK)
			status = gw_error_set(err, GW_EIO, "cannot prepare a statement: %s",
					      sqlite3_errmsg(db));
	}
	buf_release(&text);
	return status;
}

void sql_release(struct sql *q)
{
	for (int i = 0; i < SQL_N; i++) {
		(void)sqlite3_finalize(q->stmt[i]); /* repeats an error already seen */
		q->stmt[i] = NULL;
	}
	if (q->db != NULL && sqlite3_close(q->db) != SQLITE_OK)
		log_error(q->log, "store: closing the database: %s", sqlite3_errmsg(q->db));
	q->db = NULL;
}

sqlite3_stmt *sql_use(struct sql *q, enum sql_id id)
{
	sqlite3_stmt *st = q->stmt[id];

	ASSERT(st != NULL);
	return st;
}

_Noreturn void store_die(const struct log *log, const char *what, const char *why)
{
	log_error(log, "store: %s: %s; ending now, nothing unsynced was acknowledged", what, why);
	_exit(EXIT_IO);
}

gw_status sql_failed(struct sql *q)
{
	int code = sqlite3_extended_errcode(q->db);

	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG: return GW_EPARSE;
	case SQLITE_INTERRUPT: return GW_ETIMEOUT;
	case SQLITE_NOMEM: PANIC("out of memory in SQLite");
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_ERROR:
		if ((q->use & SQL_WRITES) != 0)
			PANIC("SQLite: %s (%d)", sqlite3_errmsg(q->db), code);
		break;
	default: break;
	}
	if ((q->use & SQL_WRITES) != 0)
		store_die(q->log, "the database cannot be written", sqlite3_errmsg(q->db));
	log_error(q->log, "store: a read failed: %s (%d)", sqlite3_errmsg(q->db), code);
	return GW_EIO;
}

gw_status sql_step(struct sql *q, sqlite3_stmt *st, bool *out_row)
{
	gw_status status;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		*out_row = rc == SQLITE_ROW;
		if (rc == SQLITE_DONE)
			(void)sqlite3_reset(st); /* cannot fail after DONE */
		return GW_OK;
	}
	status = sql_failed(q);
	(void)sqlite3_reset(st); /* repeats the error of the step */
	return status;
}

gw_status sql_run(struct sql *q, sqlite3_stmt *st)
{
	gw_status status;
	bool row;

	do
		status = sql_step(q, st, &row);
	while (status == GW_OK && row);
	return status;
}

void sql_done(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st); /* repeats an error already seen */
}

gw_status sql_ask(struct sql *q, sqlite3_stmt *st, int64_t *out, bool *out_found)
{
	bool row = false;
	gw_status status = sql_step(q, st, &row);

	if (row) {
		*out = sqlite3_column_int64(st, 0);
		sql_done(st);
	}
	if (out_found != NULL)
		*out_found = row;
	return status;
}

/* Binding fails for an index or a size out of range alone: both are bugs. */
static void bound(int rc)
{
	if (rc != SQLITE_OK)
		PANIC("bind: %s", sqlite3_errstr(rc));
}

void bind_i64(struct bind *b, int64_t value)
{
	bound(sqlite3_bind_int64(b->st, ++b->at, value));
}

void bind_row(struct bind *b, int64_t row)
{
	b->at++;
	bound(row == 0 ? sqlite3_bind_null(b->st, b->at) : sqlite3_bind_int64(b->st, b->at, row));
}

void bind_str(struct bind *b, struct str text)
{
	bound(sqlite3_bind_text64(b->st, ++b->at, text.len == 0 ? "" : text.ptr, text.len,
				  SQLITE_STATIC, SQLITE_UTF8));
}

void bind_str_or_null(struct bind *b, struct str text)
{
	if (text.len > 0)
		bind_str(b, text);
	else
		bound(sqlite3_bind_null(b->st, ++b->at));
}

void bind_text(struct bind *b, const char *text)
{
	if (text != NULL)
		bind_str(b, str_from(text));
	else
		bound(sqlite3_bind_null(b->st, ++b->at));
}

void bind_blob(struct bind *b, const void *bytes, size_t len)
{
	bound(sqlite3_bind_blob64(b->st, ++b->at, len == 0 ? "" : bytes, len, SQLITE_STATIC));
}

void bind_blob_or_null(struct bind *b, struct str bytes)
{
	if (bytes.len > 0)
		bind_blob(b, bytes.ptr, bytes.len);
	else
		bound(sqlite3_bind_null(b->st, ++b->at));
}

void bind_id(struct bind *b, const struct id *id)
{
	bind_blob(b, id->bytes, ID_BYTES);
}

int64_t col_i64(struct cols *c)
{
	return sqlite3_column_int64(c->st, c->at++);
}

int col_int(struct cols *c)
{
	return sqlite3_column_int(c->st, c->at++);
}

uint32_t col_u32(struct cols *c)
{
	return (uint32_t)sqlite3_column_int64(c->st, c->at++);
}

bool col_bool(struct cols *c)
{
	return sqlite3_column_int(c->st, c->at++) != 0;
}

struct str col_str(struct cols *c)
{
	const char *bytes = sqlite3_column_blob(c->st, c->at);
	size_t len = (size_t)sqlite3_column_bytes(c->st, c->at++);

	return bytes == NULL ? STR_EMPTY : str_make(bytes, len);
}

bool col_id(struct cols *c, struct id *out)
{
	struct str bytes = col_str(c);

	*out = (struct id){ { 0 } };
	if (bytes.len != ID_BYTES)
		return false;
	memcpy(out->bytes, bytes.ptr, ID_BYTES);
	return true;
}
