/* SPDX-License-Identifier: MIT */
/*
 * sqlite_query_who.c - reader_*() over conversations, contacts and their consent
 *
 * Pages by row, newest first.  What was merged is not listed: it is part of what it became.
 * THREADS  the reader's
 * TESTS    tests/unit/test_store_query.c, tests/unit/test_store_consent.c,
 *          tests/system/test_conversation.py
 */
#include "store/sqlite_int.h"

#define LIST_MAX 1000 /* store.h */

static bool is_zero(const struct id *id)
{
	const struct id zero = { { 0 } };

	return id_eq(id, &zero);
}

/* What was last said in it.  The texts live in `last`, which the caller is done with first. */
static gw_status read_last(struct store_reader *r, int64_t row, struct store_conversation_row *v,
			   sqlite3_stmt *last)
{
	struct cols c = { last, 0 };
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ last, 0 }, row);
	status = sql_step(&r->sql, last, &found);
	if (status != GW_OK || !found)
		return status;
	v->last_seq = col_i64(&c);
	v->last_ms = col_i64(&c);
	v->last_type = col_str(&c);
	v->last_kind = col_str(&c);
	return GW_OK;
}

static void read_conversation(struct cols *c, int64_t *row, struct store_conversation_row *v)
{
	*v = (struct store_conversation_row){ .has_contact = false };
	*row = col_i64(c);
	(void)col_id(c, &v->id); /* NOT NULL */
	v->has_contact = col_id(c, &v->contact);
	v->account_id = col_str(c);
	v->group_id = col_str(c);
	v->channel = col_str(c);
	v->user_id = col_str(c);
	v->phone = col_str(c);
	v->username = col_str(c);
	v->name = col_str(c);
	v->created_ms = col_i64(c);
}

static gw_status each_conversation(struct store_reader *r, sqlite3_stmt *st,
				   store_conversation_fn fn, void *cookie, size_t *out_count)
{
	struct store_conversation_row v;
	gw_status status = GW_OK;
	bool found = true, more = true;
	int64_t row;

	*out_count = 0;
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };
		sqlite3_stmt *last;

		status = reader_is_over(r) ? GW_ETIMEOUT : sql_step(&r->sql, st, &found);
		if (status != GW_OK || !found)
			break;
		read_conversation(&c, &row, &v);
		status = conversation_window(&r->sql, row, &v.window_ms);
		last = sql_use(&r->sql, SQL_CONVERSATION_LAST);
		if (status == GW_OK)
			status = read_last(r, row, &v, last);
		if (status == GW_OK) {
			++*out_count;
			more = fn(cookie, &v);
		}
		sql_done(last);
	}
	sql_done(st);
	return status;
}

gw_status reader_conversations(struct store_reader *r, const struct store_conversation_filter *f,
			       store_conversation_fn fn, void *cookie)
{
	bool of_one = !is_zero(&f->contact);
	int64_t before = INT64_MAX;
	gw_status status = GW_OK;
	sqlite3_stmt *st;
	struct bind b;
	size_t count;
	bool found;

	if (!is_zero(&f->before)) {
		st = sql_use(&r->sql, SQL_CONVERSATION_BEFORE);
		bind_id(&(struct bind){ st, 0 }, &f->before);
		status = reader_ask(r, st, &before, &found);
	}
	if (status != GW_OK)
		return status;
	st = sql_use(&r->sql, of_one ? SQL_CONVERSATION_LIST_OF : SQL_CONVERSATION_LIST);
	b = (struct bind){ st, 0 };
	bind_i64(&b, before);
	bind_str(&b, f->account_id);
	bind_str(&b, f->numbers);
	bind_i64(&b, f->limit == 0 || f->limit > LIST_MAX ? LIST_MAX : f->limit);
	if (of_one)
		bind_id(&b, &f->contact);
	return each_conversation(r, st, fn, cookie, &count);
}

gw_status reader_conversation(struct store_reader *r, const struct id *id, store_conversation_fn fn,
			      void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_CONVERSATION_BY_ID);
	gw_status status;
	size_t count;

	bind_id(&(struct bind){ st, 0 }, id);
	status = each_conversation(r, st, fn, cookie, &count);
	return status == GW_OK && count == 0 ? GW_ENOTFOUND : status;
}

/* ---- contacts */

static gw_status each_contact(struct store_reader *r, sqlite3_stmt *st, store_contact_fn fn,
			      void *cookie, size_t *out_count)
{
	struct store_contact_row v;
	gw_status status = GW_OK;
	bool found = true, more = true;

	*out_count = 0;
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = reader_is_over(r) ? GW_ETIMEOUT : sql_step(&r->sql, st, &found);
		if (status != GW_OK || !found)
			break;
		v = (struct store_contact_row){ .row = col_i64(&c) };
		(void)col_id(&c, &v.id); /* NOT NULL */
		v.user_id = col_str(&c);
		v.phone = col_str(&c);
		v.username = col_str(&c);
		v.name = col_str(&c);
		v.created_ms = col_i64(&c);
		status = consent_of(&r->sql, v.row, &v.consent, &v.consent_ms);
		if (status == GW_OK) {
			++*out_count;
			more = fn(cookie, &v);
		}
	}
	sql_done(st);
	return status;
}

gw_status reader_contacts(struct store_reader *r, const struct store_contact_filter *f,
			  store_contact_fn fn, void *cookie)
{
	int64_t before = INT64_MAX;
	gw_status status = GW_OK;
	sqlite3_stmt *st;
	struct bind b;
	size_t count;
	bool found;

	if (!is_zero(&f->before)) {
		st = sql_use(&r->sql, SQL_CONTACT_BEFORE);
		bind_id(&(struct bind){ st, 0 }, &f->before);
		status = reader_ask(r, st, &before, &found);
	}
	if (status != GW_OK)
		return status;
	st = sql_use(&r->sql, SQL_CONTACT_LIST);
	b = (struct bind){ st, 0 };
	bind_i64(&b, before);
	bind_str(&b, f->numbers);
	bind_i64(&b, f->limit == 0 || f->limit > LIST_MAX ? LIST_MAX : f->limit);
	return each_contact(r, st, fn, cookie, &count);
}

gw_status reader_contact(struct store_reader *r, const struct id *id, struct str key,
			 struct str numbers, store_contact_fn fn, void *cookie)
{
	sqlite3_stmt *st;
	gw_status status = GW_OK;
	int64_t row = 0;
	struct bind b;
	size_t count;

	if (id == NULL)
		status = contact_find(&r->sql, &key, 1, &row);
	if (status != GW_OK)
		return status;
	st = sql_use(&r->sql, id != NULL ? SQL_CONTACT_BY_ID : SQL_CONTACT_BY_ROW);
	b = (struct bind){ st, 0 };
	if (id != NULL)
		bind_id(&b, id);
	else
		bind_i64(&b, row);
	bind_str(&b, numbers);
	status = each_contact(r, st, fn, cookie, &count);
	return status == GW_OK && count == 0 ? GW_ENOTFOUND : status;
}

gw_status reader_consents(struct store_reader *r, int64_t contact_row, store_consent_fn fn,
			  void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_CONSENTS_OF);
	struct store_consent_row v;
	gw_status status = GW_OK;
	bool found = true, more = true;

	bind_i64(&(struct bind){ st, 0 }, contact_row);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = reader_is_over(r) ? GW_ETIMEOUT : sql_step(&r->sql, st, &found);
		if (status != GW_OK || !found)
			break;
		v = (struct store_consent_row){ .at_ms = col_i64(&c) };
		v.recorded_ms = col_i64(&c);
		v.what = col_str(&c);
		v.scope = col_str(&c);
		v.source = col_str(&c);
		v.note = col_str(&c);
		v.has_key = col_id(&c, &v.key);
		(void)col_id(&c, &v.event);
		more = fn(cookie, &v);
	}
	sql_done(st);
	return status;
}
