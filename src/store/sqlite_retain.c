/* SPDX-License-Identifier: MIT */
/*
 * sqlite_retain.c - events and messages that are old and settled go
 *
 * ROLE        Steps of the hourly sweep (sqlite_sweep.c): two walks by row, from where the last one
 *             stopped; once a day from the beginning, for what was held up then.
 * INVARIANTS  1. Nothing goes that is still to be delivered or decided: an open delivery keeps its
 *                event, a message that is not at its end stays.
 *             2. seq stays dense: of a conversation only the oldest goes, and never the last, from
 *                which the next seq follows.
 *             3. What last opened a conversation's window stays: without a record of it a customer
 *                may be written to at any time (sqlite_contact.c).
 *             4. A status stays as long as the message that it is evidence of.
 *             5. The newest row of event and message stays: rows are never given twice.
 *             6. A body goes with the last of its events; their rows are side by side.
 * LIMITS      RETAIN_ROWS rows a step
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_sweep.c
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

#define RETAIN_ROWS 100 /* as in sql.def */

/* The next rows of a walk, of what was made before a time: ids begin with milliseconds. */
static gw_status next_rows(struct store *s, enum sql_id what, int64_t at, int64_t before_ms,
			   int64_t rows[RETAIN_ROWS], size_t *out_count)
{
	sqlite3_stmt *st = sql_use(&s->w.sql, what);
	struct bind b = { st, 0 };
	gw_status status;
	struct id before;
	size_t count = 0;
	bool found;

	sweep_id(before_ms, &before);
	bind_i64(&b, at);
	bind_id(&b, &before);
	bind_i64(&b, before_ms);
	while ((status = sql_step(&s->w.sql, st, &found)) == GW_OK && found) {
		ASSERT(count < RETAIN_ROWS);
		rows[count++] = sqlite3_column_int64(st, 0);
	}
	*out_count = count;
	return status;
}

static gw_status run_two(struct store *s, enum sql_id what, int64_t one, int64_t two)
{
	sqlite3_stmt *st = sql_use(&s->w.sql, what);
	struct bind b = { st, 0 };
	gw_status status;

	bind_i64(&b, one);
	if (sqlite3_bind_parameter_count(st) > 1)
		bind_i64(&b, two);
	status = sql_run(&s->w.sql, st);
	if (status == GW_OK)
		(void)atomic_fetch_add(&s->swept, sqlite3_changes(s->w.sql.db));
	return status;
}

static gw_status drop_event(struct store *s, int64_t row, int64_t before_ms)
{
	struct sql *q = &s->w.sql;
	gw_status status = run_two(s, SQL_RETAIN_DELIVERIES, row, before_ms);
	sqlite3_stmt *st = sql_use(q, SQL_RETAIN_EVENT);
	struct cols c = { st, 0 };
	char *wamid;
	int64_t body;
	bool found = false;

	bind_i64(&(struct bind){ st, 0 }, row);
	if (status == GW_OK)
		status = sql_step(q, st, &found);
	if (status != GW_OK || !found)
		return status;
	body = col_i64(&c);
	wamid = xstrndup(col_str(&c));
	status = sql_run(q, st); /* to its end */
	(void)atomic_fetch_add(&s->swept, 1);
	if (status == GW_OK)
		status = run_two(s, SQL_RETAIN_BODY, body, row);
	if (status == GW_OK) {
		struct bind b = { sql_use(q, SQL_RETAIN_ORPHAN), 0 };

		bind_str(&b, str_from(wamid));
		bind_i64(&b, row);
		status = sql_run(q, b.st);
	}
	free(wamid);
	return status;
}

gw_status retain_events(struct store *s, int64_t now_ms, bool *out_more)
{
	int64_t rows[RETAIN_ROWS], before_ms = now_ms - s->o.retain_events_ms;
	size_t count = 0;
	gw_status status = GW_OK;

	if (s->o.retain_events_ms == 0)
		return GW_OK;
	status = next_rows(s, SQL_RETAIN_EVENTS, s->sweep.event, before_ms, rows, &count);
	for (size_t i = 0; i < count && status == GW_OK; i++)
		status = drop_event(s, rows[i], before_ms);
	if (count > 0)
		s->sweep.event = rows[count - 1];
	*out_more = count == RETAIN_ROWS;
	return status;
}

static gw_status drop_message(struct store *s, int64_t row)
{
	static const enum sql_id parts[] = { SQL_RETAIN_EVIDENCE, SQL_RETAIN_WITNESS,
					     SQL_RETAIN_TRAIL,    SQL_RETAIN_FALLBACK,
					     SQL_RETAIN_FOLLOW,   SQL_RETAIN_MESSAGE };
	gw_status status = GW_OK;

	for (size_t i = 0; i < ARRAY_LEN(parts) && status == GW_OK; i++)
		status = run_two(s, parts[i], row, 0);
	return status;
}

gw_status retain_messages(struct store *s, int64_t now_ms, bool *out_more)
{
	int64_t rows[RETAIN_ROWS], before_ms = now_ms - s->o.retain_messages_ms;
	size_t count = 0;
	gw_status status = GW_OK;

	if (s->o.retain_messages_ms == 0)
		return GW_OK;
	status = next_rows(s, SQL_RETAIN_MESSAGES, s->sweep.message, before_ms, rows, &count);
	for (size_t i = 0; i < count && status == GW_OK; i++)
		status = drop_message(s, rows[i]);
	if (count > 0)
		s->sweep.message = rows[count - 1];
	*out_more = count == RETAIN_ROWS;
	return status;
}
