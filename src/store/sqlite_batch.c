/* SPDX-License-Identifier: MIT */
/*
 * sqlite_batch.c - lists and their rows, and what became of them as counts
 *
 * INVARIANTS  1. A row becomes one message: the mark and the message are in one transaction, and
 *                the mark's key is the row's.
 *             2. The counts of a batch are those of its messages: each move of one of them counts
 *                in the transaction that makes it.
 * THREADS     the store thread
 * TESTS       tests/system/test_batch.py
 */
#include "store/sqlite_int.h"

gw_status batch_put(struct writer *w, struct store_req *req)
{
	struct store_put_batch *p = CONTAINER_OF(req, struct store_put_batch, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BATCH_PUT);
	struct bind b = { st, 0 };
	gw_status status;

	bind_id(&b, &p->id);
	bind_id(&b, &p->key_id);
	bind_i64(&b, p->created_ms);
	bind_str(&b, p->number_id);
	bind_str(&b, p->name);
	bind_str(&b, p->spec);
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		p->row = sqlite3_last_insert_rowid(w->sql.db);
	return status;
}

static gw_status add_line(struct writer *w, int64_t batch_row, const struct store_batch_item *i)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BATCH_LINE_ADD);
	struct bind b = { st, 0 };

	ASSERT(i->n > 0 && i->n <= STORE_LINES_MAX);
	bind_i64(&b, STORE_LINE(batch_row, i->n));
	bind_text(&b, i->finding);
	bind_str_or_null(&b, i->detail);
	bind_str(&b, i->phone);
	bind_blob(&b, i->values.ptr, i->values.len);
	return sql_run(&w->sql, st);
}

gw_status batch_add_rows(struct writer *w, struct store_req *req)
{
	struct store_add_batch_rows *a = CONTAINER_OF(req, struct store_add_batch_rows, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BATCH_GROWS);
	struct bind b = { st, 0 };
	gw_status status = GW_OK;

	for (size_t i = 0; i < a->count && status == GW_OK; i++)
		status = add_line(w, a->batch_row, &a->items[i]);
	if (status != GW_OK)
		return status;
	bind_i64(&b, a->batch_row);
	bind_i64(&b, (int64_t)a->count);
	bind_i64(&b, a->ready);
	bind_i64(&b, a->refused);
	bind_i64(&b, a->duplicates);
	return sql_run(&w->sql, st);
}

gw_status batch_move(struct writer *w, struct store_req *req)
{
	struct store_batch_move *m = CONTAINER_OF(req, struct store_batch_move, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BATCH_MOVE);
	struct bind b = { st, 0 };
	gw_status status;

	bind_i64(&b, m->row);
	bind_text(&b, m->from);
	bind_text(&b, m->to);
	bind_str_or_null(&b, m->why);
	bind_i64(&b, m->at_ms);
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		m->lost = sqlite3_changes(w->sql.db) == 0;
	return status;
}

gw_status batch_is_taken(struct writer *w, int64_t line, bool *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BATCH_TAKEN);
	gw_status status;

	bind_i64(&(struct bind){ st, 0 }, line);
	status = sql_step(&w->sql, st, out);
	sql_done(st);
	return status;
}

gw_status batch_mark(struct writer *w, int64_t line, int64_t message)
{
	struct bind mark = { sql_use(&w->sql, SQL_BATCH_MARK), 0 };
	struct bind fed = { sql_use(&w->sql, SQL_BATCH_FED), 0 };
	gw_status status;

	bind_i64(&mark, line);
	bind_i64(&mark, message);
	status = sql_run(&w->sql, mark.st);
	if (status != GW_OK)
		return status;
	bind_i64(&fed, STORE_LINE_BATCH(line));
	bind_i64(&fed, STORE_LINE_N(line));
	return sql_run(&w->sql, fed.st);
}

gw_status batch_count_move(struct writer *w, const struct store_move *m)
{
	struct bind b = { sql_use(&w->sql, SQL_BATCH_COUNT_MOVE), 0 };

	bind_i64(&b, STORE_LINE_BATCH(m->batch_line));
	bind_text(&b, m->from);
	bind_text(&b, m->to);
	return sql_run(&w->sql, b.st);
}

gw_status batch_count_status(struct writer *w, int64_t line, struct str status)
{
	struct bind b = { sql_use(&w->sql, SQL_BATCH_COUNT_STATUS), 0 };

	bind_i64(&b, STORE_LINE_BATCH(line));
	bind_str(&b, status);
	return sql_run(&w->sql, b.st);
}

void batch_row_read(struct cols *c, struct store_batch *b)
{
	int64_t *const counts[] = { &b->created_ms, &b->moved_ms,   &b->total,   &b->ready,
				    &b->refused,    &b->duplicates, &b->fed,     &b->last,
				    &b->queued,     &b->sending,    &b->waiting, &b->unknown,
				    &b->accepted,   &b->rejected,   &b->expired, &b->sent,
				    &b->delivered,  &b->read,       &b->failed };

	*b = (struct store_batch){ .row = col_i64(c) };
	(void)col_id(c, &b->id); /* NOT NULL */
	(void)col_id(c, &b->key_id);
	b->state = col_str(c);
	b->why = col_str(c);
	b->number_id = col_str(c);
	b->name = col_str(c);
	b->spec = col_str(c);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		*counts[i] = col_i64(c);
}
