/* SPDX-License-Identifier: MIT */
/*
 * sqlite_delivery.c - moves of deliveries, and replays
 *
 * INVARIANTS  1. A move changes the row only where it finds the state it expects.
 *             2. A replay opens what is closed: deliveries that are pending, on the wire or waiting
 *                belong to a lane in memory and stay as they are.
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_delivery.c
 */
#include "store/sqlite_int.h"

gw_status delivery_move(struct writer *w, struct store_req *req)
{
	struct store_delivery_move *m = CONTAINER_OF(req, struct store_delivery_move, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DELIVERY_MOVE);
	struct bind b = { st, 0 };
	gw_status status;

	bind_i64(&b, m->event_row);
	bind_i64(&b, m->destination_row);
	bind_text(&b, m->from);
	bind_text(&b, m->to);
	bind_i64(&b, m->attempts);
	bind_i64(&b, m->next_ms);
	bind_i64(&b, m->at_ms);
	bind_i64(&b, m->http_status);
	bind_text(&b, m->why);
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		m->lost = sqlite3_changes(w->sql.db) == 0;
	return status;
}

struct found_event {
	int64_t row, lane;
	size_t size;
};

static gw_status find_event(struct writer *w, const struct id *id, struct found_event *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_EVENT_OF_ID);
	struct bind b = { st, 0 };
	struct cols c = { st, 0 };
	struct store_splice splice;
	gw_status status;
	bool found;

	bind_id(&b, id);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK)
		return status;
	if (!found)
		return GW_ENOTFOUND;
	out->row = col_i64(&c);
	out->lane = col_i64(&c);
	out->size = (size_t)col_i64(&c);
	if (splice_unpack(col_str(&c), &splice))
		out->size += splice.len[SPAN_ITEM];
	sql_done(st);
	return GW_OK;
}

/* A destination that did not get the event the first time. */
static gw_status add_missing(struct writer *w, const struct found_event *e, int64_t destination,
			     int64_t now_ms, uint32_t *made)
{
	sqlite3_stmt *live = sql_use(&w->sql, SQL_DESTINATION_LIVE);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DELIVERY_ADD);
	struct bind b = { live, 0 };
	gw_status status;
	bool found;

	bind_i64(&b, destination);
	status = sql_step(&w->sql, live, &found);
	if (status != GW_OK || !found)
		return status;
	sql_done(live);
	b = (struct bind){ st, 0 };
	bind_i64(&b, e->row);
	bind_i64(&b, destination);
	bind_i64(&b, e->lane);
	bind_i64(&b, now_ms);
	bind_i64(&b, (int64_t)e->size);
	bind_i64(&b, 1); /* a replay, although new to this destination */
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		*made += (uint32_t)sqlite3_changes(w->sql.db);
	return status;
}

gw_status delivery_replay(struct writer *w, struct store_req *req)
{
	struct store_replay *r = CONTAINER_OF(req, struct store_replay, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DELIVERY_REOPEN);
	struct bind b = { st, 0 };
	int64_t now_ms = clock_wall_ms(w->clock);
	struct found_event e;
	gw_status status;

	r->event_row = 0;
	r->made = 0;
	status = find_event(w, &r->event, &e);
	if (status != GW_OK)
		return status;
	bind_i64(&b, e.row);
	bind_i64(&b, r->destination_row);
	bind_i64(&b, now_ms);
	status = sql_run(&w->sql, st);
	if (status != GW_OK)
		return status;
	r->event_row = e.row;
	r->made = (uint32_t)sqlite3_changes(w->sql.db);
	if (r->made == 0 && r->destination_row != 0)
		status = add_missing(w, &e, r->destination_row, now_ms, &r->made);
	return status;
}
