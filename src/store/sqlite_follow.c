/* SPDX-License-Identifier: MIT */
/*
 * sqlite_follow.c - messages that are made because another could not be delivered
 *
 *   origin, its window shut at release      -> `template`, in the transaction of its move
 *   origin, which Meta took and failed      -> `again`, parked, and then its `template`, or
 *     with 131047 by a status                  `template` alone, in that of the status
 *
 * INVARIANTS  1. Each role of an origin is taken once (index follow_origin), whatever is repeated.
 *             2. A customer is invited once: while a message of hers is parked that has been
 *                followed by a template, no other parked one is followed by another.
 *             3. What is over its lifetime is followed by nothing.
 * THREADS     the store thread
 * TESTS       tests/system/test_plans.py
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

#define CODE_SHUT 131047 /* "Re-engagement message", cloud-api.md 6.2 */

gw_status fallback_add(struct writer *w, const struct store_add_message *a)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_FALLBACK_ADD);
	struct bind b = { st, 0 };

	bind_i64(&b, a->row);
	bind_i64(&b, a->fallback_class);
	bind_str(&b, a->fallback_name);
	bind_str(&b, a->fallback_language);
	bind_blob(&b, a->fallback_body.ptr, a->fallback_body.len);
	return sql_run(&w->sql, st);
}

void store_followed_free(struct store_followed *list)
{
	while (list != NULL) {
		struct store_followed *next = list->next;

		free(list);
		list = next;
	}
}

/* ---- rows that outlive the statement */

static struct store_followed *keep(const struct store_message_row *m)
{
	const struct str in[] = { m->number_id, m->to,     m->lane,          m->target,
				  m->body,      m->opaque, m->kind,          m->state,
				  m->reason,    m->policy, m->template_name, m->template_language };
	struct store_followed *f;
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		size += in[i].len;
	f = xcalloc(1, sizeof(*f) + size + 1);
	f->row = *m;
	f->row.wamid = f->row.answer = f->row.evidence_wamid = STR_EMPTY;
	at = f->text;
	{
		struct str *const out[] = { &f->row.number_id,     &f->row.to,
					    &f->row.lane,          &f->row.target,
					    &f->row.body,          &f->row.opaque,
					    &f->row.kind,          &f->row.state,
					    &f->row.reason,        &f->row.policy,
					    &f->row.template_name, &f->row.template_language };

		for (size_t i = 0; i < ARRAY_LEN(out); i++) {
			if (in[i].len > 0)
				memcpy(at, in[i].ptr, in[i].len);
			*out[i] = str_make(at, in[i].len);
			at += in[i].len;
		}
	}
	return f;
}

/* As a start would load it. */
static gw_status read_back(struct writer *w, int64_t row, struct store_followed **out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_MESSAGE_ROW);
	struct cols c = { st, 0 };
	struct store_message_row m;
	struct store_followed *f;
	struct str keys[2];
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ st, 0 }, row);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK)
		return status;
	ASSERT(found); /* it was added in this transaction */
	message_read(&c, &m);
	f = keep(&m);
	sql_done(st);
	keys[0] = f->row.lane;
	keys[1] = f->row.to;
	status = contact_window(&w->sql, f->row.number_id, keys, ARRAY_LEN(keys), &f->row.window_ms,
				&f->row.opted_out);
	if (status == GW_OK)
		*out = f;
	else
		free(f);
	return status;
}

/* ---- making them */

static gw_status add_follow(struct writer *w, int64_t row, int64_t origin, const char *role)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_FOLLOW_ADD);
	struct bind b = { st, 0 };

	bind_i64(&b, row);
	bind_i64(&b, origin);
	bind_text(&b, role);
	return sql_run(&w->sql, st);
}

/* Run a statement that makes a message of another; *out_row 0: there was nothing to make. */
static gw_status make(struct writer *w, enum sql_id what, int64_t origin, int64_t now_ms,
		      int64_t *out_row)
{
	sqlite3_stmt *st = sql_use(&w->sql, what);
	struct bind b = { st, 0 };
	struct id id;
	gw_status status;

	id_make(&w->ids, w->clock, &w->rnd, &id);
	bind_i64(&b, origin);
	bind_id(&b, &id);
	bind_i64(&b, now_ms);
	status = sql_run(&w->sql, st);
	*out_row = 0;
	if (status == GW_OK && sqlite3_changes(w->sql.db) > 0)
		*out_row = sqlite3_last_insert_rowid(w->sql.db);
	return status;
}

gw_status follow_template(struct writer *w, int64_t origin, int64_t now_ms,
			  struct store_followed **out)
{
	gw_status status;
	int64_t row;

	status = make(w, SQL_FOLLOW_TEMPLATE, origin, now_ms, &row); /* inv. 1 and 2 */
	if (status != GW_OK || row == 0)
		return status;
	status = add_follow(w, row, origin, "template");
	return status == GW_OK ? read_back(w, row, out) : status;
}

/* at_ms: when Meta failed it; who wrote after that has opened the window. */
static gw_status follow_again(struct writer *w, int64_t origin, int64_t now_ms, int64_t at_ms,
			      struct store_followed **out)
{
	struct store_move m = { .from = "queued",
				.to = "waiting",
				.reason = "parked",
				.why = "Meta failed the message before it: the window is shut",
				.at_ms = at_ms,
				.code = CODE_SHUT,
				.connect_ms = -1,
				.api_ms = -1,
				.paced_ms = -1,
				.waited_ms = -1 };
	sqlite3_stmt *st;
	struct bind b;
	gw_status status;

	status = make(w, SQL_FOLLOW_AGAIN, origin, now_ms, &m.row);
	if (status != GW_OK || m.row == 0)
		return status;
	st = sql_use(&w->sql, SQL_FALLBACK_COPY);
	b = (struct bind){ st, 0 };
	bind_i64(&b, m.row);
	bind_i64(&b, origin);
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		status = add_follow(w, m.row, origin, "again");
	if (status == GW_OK) /* the template of the copy is the one to come, if any */
		status = outbox_move(w, &m.req);
	return status == GW_OK ? read_back(w, m.row, out) : status;
}

static gw_status plan_of(struct writer *w, int64_t row, int64_t now_ms, unsigned *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_PLAN_OF);
	struct cols c = { st, 0 };
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ st, 0 }, row);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK || !found)
		return status;
	*out = (unsigned)col_int(&c);
	if (col_i64(&c) <= now_ms)
		*out = 0; /* inv. 3 */
	sql_done(st);
	return GW_OK;
}

static bool is_shut(const struct store_put_body *p, const struct store_event_in *ev)
{
	return !p->composed && !ev->stale && ev->message_row != 0 && ev->error_code == CODE_SHUT &&
	       str_eq(ev->status, STR("failed"));
}

gw_status follow_status(struct writer *w, const struct store_put_body *p, struct store_event_in *ev)
{
	int64_t now_ms = p->received_ms, at_ms = now_ms;
	struct store_followed **next = &ev->followed;
	gw_status status;
	unsigned plan = 0;

	if (!is_shut(p, ev))
		return GW_OK;
	if (ev->at_s > 0 && ev->at_s * 1000 < now_ms)
		at_ms = ev->at_s * 1000;
	status = plan_of(w, ev->message_row, now_ms, &plan);
	if (status == GW_OK && (plan & STORE_PLAN_PARK) != 0) {
		status = follow_again(w, ev->message_row, now_ms, at_ms, next);
		if (status != GW_OK || ev->followed == NULL)
			return status;
		if (ev->followed->row.window_ms + 1000 > at_ms)
			return GW_OK; /* she wrote meanwhile: nobody needs to be invited */
		next = &ev->followed->next;
		return follow_template(w, ev->followed->row.row, now_ms, next);
	}
	if (status == GW_OK && (plan & STORE_PLAN_TEMPLATE) != 0)
		status = follow_template(w, ev->message_row, now_ms, next);
	return status;
}
