/* SPDX-License-Identifier: MIT */
/*
 * sqlite_query_batch.c - reader_*() over batches and the rows of their lists
 *
 * Rows come by their number; a page is one range of keys, however long the list.
 * THREADS  the reader's
 * TESTS    tests/system/test_batch.py
 */
#include "store/sqlite_int.h"

#define LIST_MAX 1000 /* store.h */

static gw_status each_batch(struct store_reader *r, sqlite3_stmt *st, store_batch_fn fn,
			    void *cookie, size_t *out_count)
{
	struct store_batch v;
	gw_status status = GW_OK;
	bool found = true, more = true;

	*out_count = 0;
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = reader_is_over(r) ? GW_ETIMEOUT : sql_step(&r->sql, st, &found);
		if (status != GW_OK || !found)
			break;
		batch_row_read(&c, &v);
		++*out_count;
		more = fn(cookie, &v);
	}
	sql_done(st);
	return status;
}

gw_status reader_batches(struct store_reader *r, const struct store_batch_filter *f,
			 store_batch_fn fn, void *cookie)
{
	const struct id zero = { { 0 } };
	int64_t before = INT64_MAX;
	gw_status status = GW_OK;
	sqlite3_stmt *st;
	struct bind b;
	size_t count;
	bool found;

	if (!id_eq(&f->before, &zero)) {
		st = sql_use(&r->sql, SQL_BATCH_BEFORE);
		bind_id(&(struct bind){ st, 0 }, &f->before);
		status = reader_ask(r, st, &before, &found);
	}
	if (status != GW_OK)
		return status;
	st = sql_use(&r->sql, SQL_BATCH_LIST);
	b = (struct bind){ st, 0 };
	bind_i64(&b, before);
	bind_str(&b, f->state);
	bind_str(&b, f->numbers);
	bind_i64(&b, f->limit == 0 || f->limit > LIST_MAX ? LIST_MAX : f->limit);
	return each_batch(r, st, fn, cookie, &count);
}

gw_status reader_batch(struct store_reader *r, const struct id *id, store_batch_fn fn, void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_BATCH_BY_ID);
	gw_status status;
	size_t count;

	bind_id(&(struct bind){ st, 0 }, id);
	status = each_batch(r, st, fn, cookie, &count);
	return status == GW_OK && count == 0 ? GW_ENOTFOUND : status;
}

static void read_line(struct cols *c, bool with_message, struct store_batch_line *l)
{
	*l = (struct store_batch_line){ .n = (uint32_t)STORE_LINE_N(col_i64(c)) };
	l->finding = col_str(c);
	l->detail = col_str(c);
	l->phone = col_str(c);
	l->values = col_str(c);
	if (!with_message)
		return;
	l->handed = col_i64(c) != 0;
	l->has_message = col_id(c, &l->message);
	l->state = col_str(c);
	l->wamid = col_str(c);
	l->http_status = col_int(c);
	l->code = col_int(c);
	l->subcode = col_int(c);
	l->statuses = col_str(c);
	l->failed_code = col_int(c);
}

gw_status reader_batch_lines(struct store_reader *r, int64_t batch_row, enum store_lines which,
			     int64_t after, int64_t until, unsigned limit, store_batch_line_fn fn,
			     void *cookie)
{
	static const enum sql_id queries[] = { [STORE_LINES_ALL] = SQL_BATCH_LINES,
					       [STORE_LINES_TO_SEND] = SQL_BATCH_TO_SEND,
					       [STORE_LINES_FOUND] = SQL_BATCH_FOUND };
	sqlite3_stmt *st = sql_use(&r->sql, queries[which]);
	struct bind b = { st, 0 };
	struct store_batch_line l;
	gw_status status = GW_OK;
	bool found = true, more = true;

	bind_i64(&b, STORE_LINE(batch_row, after > STORE_LINES_MAX ? STORE_LINES_MAX : after));
	bind_i64(&b, STORE_LINE(batch_row, until > STORE_LINES_MAX ? STORE_LINES_MAX : until) + 1);
	bind_i64(&b, limit);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = reader_is_over(r) ? GW_ETIMEOUT : sql_step(&r->sql, st, &found);
		if (status != GW_OK || !found)
			break;
		read_line(&c, which == STORE_LINES_ALL, &l);
		more = fn(cookie, &l);
	}
	sql_done(st);
	return status;
}
