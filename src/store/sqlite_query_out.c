/* SPDX-License-Identifier: MIT */
/*
 * sqlite_query_out.c - reader_*() over messages, their trail, and the window
 *
 * THREADS  the reader's
 * TESTS    tests/unit/test_store_query.c
 */
#include "store/sqlite_int.h"

#define LIST_MAX 1000

static gw_status each_message(struct store_reader *r, sqlite3_stmt *st, store_message_fn fn,
			      void *cookie, size_t *out_count)
{
	struct store_message_row m;
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	bool row = true, more = true;

	*out_count = 0;
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		message_read(&c, &m);
		++*out_count;
		more = fn(cookie, &m);
	}
	sql_done(st);
	return status;
}

gw_status reader_message(struct store_reader *r, const struct id *id, struct str wamid,
			 store_message_fn fn, void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, id != NULL ? SQL_MESSAGE_BY_ID : SQL_MESSAGE_BY_WAMID);
	struct bind b = { st, 0 };
	gw_status status;
	size_t count;

	if (id != NULL)
		bind_id(&b, id);
	else
		bind_str(&b, wamid);
	status = each_message(r, st, fn, cookie, &count);
	return status == GW_OK && count == 0 ? GW_ENOTFOUND : status;
}

gw_status reader_messages(struct store_reader *r, const struct store_message_filter *f,
			  store_message_fn fn, void *cookie)
{
	const struct id none = { { 0 } };
	sqlite3_stmt *st = sql_use(&r->sql, SQL_MESSAGE_BEFORE);
	struct bind b = { st, 0 };
	int64_t before = INT64_MAX;
	gw_status status = GW_OK;
	size_t count;
	bool found;

	if (!id_eq(&f->before, &none)) {
		bind_id(&b, &f->before);
		status = reader_ask(r, st, &before, &found);
	}
	if (status != GW_OK)
		return status;
	st = sql_use(&r->sql, SQL_MESSAGE_LIST);
	b = (struct bind){ st, 0 };
	bind_i64(&b, before);
	bind_str(&b, f->state);
	bind_str(&b, f->number_id);
	bind_str(&b, f->to);
	bind_str(&b, f->numbers);
	bind_i64(&b, f->limit == 0 || f->limit > LIST_MAX ? LIST_MAX : f->limit);
	return each_message(r, st, fn, cookie, &count);
}

static void read_trail(struct cols *c, struct store_trail_row *t)
{
	t->is_evidence = col_bool(c);
	t->at_ms = col_i64(c);
	t->meta_s = col_i64(c);
	t->from = col_str(c);
	t->to = col_str(c);
	t->reason = col_str(c);
	t->why = col_str(c);
	t->http_status = col_int(c);
	t->code = col_int(c);
	t->subcode = col_int(c);
	t->tries = col_u32(c);
	t->connect_ms = col_i64(c);
	t->api_ms = col_i64(c);
	t->paced_ms = col_i64(c);
	t->waited_ms = col_i64(c);
	t->status = col_str(c);
	t->recipient = col_str(c);
	t->errors = col_str(c);
	(void)col_id(c, &t->event); /* zeros in a move */
}

gw_status reader_trail(struct store_reader *r, int64_t message_row, store_trail_fn fn, void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_TRAIL_OF);
	struct store_trail_row t;
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	bool row = true, more = true;

	bind_i64(&(struct bind){ st, 0 }, message_row);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		read_trail(&c, &t);
		more = fn(cookie, &t);
	}
	sql_done(st);
	return status;
}

gw_status reader_follows(struct store_reader *r, int64_t message_row, store_follow_fn fn,
			 void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_FOLLOWS_OF);
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	bool row = true, more = true;

	bind_i64(&(struct bind){ st, 0 }, message_row);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };
		struct store_follow_row f;

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		f.is_origin = col_bool(&c);
		(void)col_id(&c, &f.id); /* NOT NULL */
		f.role = col_str(&c);
		more = fn(cookie, &f);
	}
	sql_done(st);
	return status;
}

gw_status reader_fallback(struct store_reader *r, int64_t message_row, store_fallback_fn fn,
			  void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_FALLBACK_OF);
	struct cols c = { st, 0 };
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	struct str name, language;
	bool found = false;

	bind_i64(&(struct bind){ st, 0 }, message_row);
	if (status == GW_OK)
		status = sql_step(&r->sql, st, &found);
	if (status == GW_OK && !found)
		status = GW_ENOTFOUND;
	if (status == GW_OK) {
		name = col_str(&c);
		language = col_str(&c);
		fn(cookie, name, language);
	}
	sql_done(st);
	return status;
}

gw_status reader_window(struct store_reader *r, struct str number_id, const struct str *keys,
			size_t key_count, int64_t *out_ms, bool *out_opted_out)
{
	if (reader_is_over(r))
		return GW_ETIMEOUT;
	return contact_window(&r->sql, number_id, keys, key_count, out_ms, out_opted_out);
}
