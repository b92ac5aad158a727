/* SPDX-License-Identifier: MIT */
/*
 * sqlite_query.c - reader_*() over events, lanes and deliveries
 *
 * Everything pages by row: rows grow with arrival, and ids with time, so a time or an id is first
 * turned into a row.  The bytes of a body are read once for the siblings that follow each other.
 * THREADS  the reader's
 * TESTS    tests/unit/test_store_query.c
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

#define LIST_MAX 1000 /* store.h: store_event_filter */
#define SLACK_MS 60000 /* an id is made within this time of its body's arrival */

gw_status reader_ask(struct store_reader *r, sqlite3_stmt *st, int64_t *out, bool *out_found)
{
	return reader_is_over(r) ? GW_ETIMEOUT : sql_ask(&r->sql, st, out, out_found);
}

static void read_event(struct cols *c, struct store_event_row *e)
{
	struct id zero = { { 0 } };

	*e = (struct store_event_row){ .row = col_i64(c) };
	e->body_row = col_i64(c);
	(void)col_id(c, &e->id); /* NOT NULL */
	e->has_conversation = col_id(c, &e->conversation);
	e->has_contact = col_id(c, &e->contact);
	e->has_message = col_id(c, &e->message) && !id_eq(&e->message, &zero);
	e->stale = col_bool(c);
	e->composed = col_bool(c);
	e->type = col_str(c);
	e->kind = col_str(c);
	e->channel = col_str(c);
	e->account_id = col_str(c);
	e->address = col_str(c);
	e->business_id = col_str(c);
	e->external_id = col_str(c);
	e->user_id = col_str(c);
	e->phone = col_str(c);
	e->username = col_str(c);
	e->name = col_str(c);
	e->seq = col_i64(c);
	e->state_version = col_i64(c);
	e->at_s = col_i64(c);
	e->received_ms = col_i64(c);
	e->lane = col_i64(c);
	e->json = col_str(c);
	e->opaque = col_str(c);
	if (!splice_unpack(col_str(c), &e->splice))
		e->splice = (struct store_splice){ .list = "" }; /* reader_check() tells */
	e->account = col_str(c);
	e->siblings = col_u32(c);
}

/* The body of the event into r->body, unless it is there. */
static gw_status load_body(struct store_reader *r, const struct store_event_row *e)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_BODY_OF);
	struct cols c = { st, 0 };
	gw_status status;
	bool found;

	if (r->body_row == e->body_row)
		return GW_OK;
	reader_forget_body(r);
	bind_i64(&(struct bind){ st, 0 }, e->body_row);
	status = sql_step(&r->sql, st, &found);
	if (status == GW_OK && found) {
		r->signature = xstr(col_str(&c));
		r->body = xstr(col_str(&c));
		r->body_row = e->body_row;
		sql_done(st);
	}
	return status;
}

static gw_status fill_body(struct store_reader *r, struct store_event_row *e)
{
	gw_status status = load_body(r, e);

	if (status == GW_OK) {
		e->body = r->body;
		e->signature = r->signature;
	}
	return status;
}

/* Step through a statement whose rows are events, until fn has enough. */
static gw_status each_event(struct store_reader *r, sqlite3_stmt *st, bool with_body,
			    store_event_fn fn, void *cookie, size_t *out_count)
{
	struct store_event_row e;
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	bool row = true, more = true;

	*out_count = 0;
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		read_event(&c, &e);
		if (with_body)
			status = fill_body(r, &e);
		if (status == GW_OK) {
			++*out_count;
			more = fn(cookie, &e);
		}
	}
	sql_done(st);
	return status;
}

gw_status reader_event(struct store_reader *r, const struct id *id, store_event_fn fn, void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_EVENT_BY_ID);
	gw_status status;
	size_t count;

	bind_id(&(struct bind){ st, 0 }, id);
	status = each_event(r, st, true, fn, cookie, &count);
	return status == GW_OK && count == 0 ? GW_ENOTFOUND : status;
}

/* The smallest id of a millisecond. */
static struct id id_at(int64_t ms)
{
	struct id id = { { 0 } };

	for (int i = 5; i >= 0; i--) { /* big-endian, 48 bits */
		id.bytes[i] = (uint8_t)ms;
		ms >>= 8;
	}
	return id;
}

static bool is_zero(const struct id *id)
{
	const struct id zero = { { 0 } };

	return id_eq(id, &zero);
}

/* Rows that the filter's times and `before` leave: from <= row < to. */
static gw_status row_range(struct store_reader *r, const struct store_event_filter *f,
			   int64_t *out_from, int64_t *out_to)
{
	sqlite3_stmt *st;
	gw_status status = GW_OK;
	struct id since = id_at(f->since_ms), until = id_at(f->until_ms + SLACK_MS);
	int64_t row = 0;
	bool found;

	*out_from = 0;
	*out_to = INT64_MAX;
	if (!is_zero(&f->before)) {
		st = sql_use(&r->sql, SQL_EVENT_BEFORE);
		bind_id(&(struct bind){ st, 0 }, &f->before);
		status = reader_ask(r, st, out_to, &found);
	}
	if (status == GW_OK && f->since_ms > 0) {
		st = sql_use(&r->sql, SQL_EVENT_SINCE);
		bind_id(&(struct bind){ st, 0 }, &since);
		status = reader_ask(r, st, out_from, &found);
		if (status == GW_OK && !found)
			*out_to = 0;
	}
	if (status == GW_OK && f->until_ms > 0) {
		st = sql_use(&r->sql, SQL_EVENT_SINCE);
		bind_id(&(struct bind){ st, 0 }, &until);
		status = reader_ask(r, st, &row, &found);
		if (status == GW_OK && found && row < *out_to)
			*out_to = row;
	}
	return status;
}

gw_status reader_events(struct store_reader *r, const struct store_event_filter *f,
			store_event_fn fn, void *cookie)
{
	bool one = !is_zero(&f->conversation);
	bool prefix = str_ends(f->type, STR(".*"));
	sqlite3_stmt *st = sql_use(&r->sql, one ? SQL_EVENT_LIST_OF : SQL_EVENT_LIST);
	struct bind b = { st, 0 };
	int64_t from, to;
	gw_status status;
	size_t count;

	status = row_range(r, f, &from, &to);
	if (status != GW_OK)
		return status;
	bind_i64(&b, to);
	bind_i64(&b, from);
	bind_i64(&b, f->since_ms);
	bind_i64(&b, f->until_ms == 0 ? INT64_MAX : f->until_ms);
	bind_str(&b, prefix ? STR_EMPTY : f->type);
	bind_str(&b, prefix ? str_slice(f->type, 0, f->type.len - 2) : STR_EMPTY);
	bind_str(&b, f->account_id);
	bind_str(&b, f->numbers);
	bind_i64(&b, f->limit == 0 || f->limit > LIST_MAX ? LIST_MAX : f->limit);
	if (one)
		bind_id(&b, &f->conversation);
	return each_event(r, st, f->with_body, fn, cookie, &count);
}

gw_status reader_lane(struct store_reader *r, int64_t destination_row, int64_t lane, int64_t after,
		      size_t max_bytes, store_lane_fn fn, void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_LANE);
	struct bind b = { st, 0 };
	struct store_lane_item item;
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	size_t bytes = 0;
	bool row = true, more = true;

	bind_i64(&b, destination_row);
	bind_i64(&b, lane);
	bind_i64(&b, after);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };
		int64_t held = r->body_row;

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		delivery_read(&c, &item.delivery);
		read_event(&c, &item.event);
		status = fill_body(r, &item.event);
		bytes += item.delivery.size + (held == r->body_row ? 0 : r->body.len);
		if (bytes > max_bytes && bytes > item.delivery.size + r->body.len)
			break; /* not the first */
		if (status == GW_OK)
			more = fn(cookie, &item);
	}
	sql_done(st);
	return status;
}

/* One seek for each lane, however many deliveries lie in it. */
gw_status reader_lanes(struct store_reader *r, int64_t destination_row, int64_t after,
		       unsigned limit, store_lane_key_fn fn, void *cookie)
{
	gw_status status = reader_is_over(r) ? GW_ETIMEOUT : GW_OK;
	bool row = true, more = true;

	while (status == GW_OK && more && limit-- > 0) {
		sqlite3_stmt *st = sql_use(&r->sql, SQL_NEXT_LANE);
		struct bind b = { st, 0 };

		bind_i64(&b, destination_row);
		bind_i64(&b, after);
		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row || sqlite3_column_type(st, 0) == SQLITE_NULL) {
			sql_done(st);
			break;
		}
		after = sqlite3_column_int64(st, 0);
		sql_done(st);
		more = fn(cookie, after);
	}
	return status;
}

gw_status reader_deliveries(struct store_reader *r, const struct id *event, store_delivery_fn fn,
			    void *cookie)
{
	sqlite3_stmt *st = sql_use(&r->sql, SQL_EVENT_ROW);
	struct store_delivery_info d;
	int64_t event_row = 0;
	bool found = false, row = true, more = true;
	gw_status status;

	bind_id(&(struct bind){ st, 0 }, event);
	status = reader_ask(r, st, &event_row, &found);
	if (status != GW_OK || !found)
		return status != GW_OK ? status : GW_ENOTFOUND;
	st = sql_use(&r->sql, SQL_DELIVERIES_OF);
	bind_i64(&(struct bind){ st, 0 }, event_row);
	while (status == GW_OK && more) {
		struct cols c = { st, 0 };

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		(void)col_id(&c, &d.destination); /* NOT NULL */
		d.url = col_str(&c);
		d.state = col_str(&c);
		d.why = col_str(&c);
		d.attempts = col_u32(&c);
		d.http_status = col_int(&c);
		d.next_ms = col_i64(&c);
		d.moved_ms = col_i64(&c);
		more = fn(cookie, &d);
	}
	sql_done(st);
	return status;
}
