/* SPDX-License-Identifier: MIT */
/*
 * sqlite_outbox.c - messages that leave: accepted, moved
 *
 * INVARIANTS  1. An idempotency key and its message are in one transaction, and the key is freed
 *                in that of the move which refuses the message here.
 *             2. A move changes the row only where it finds the state it expects, and leaves one
 *                row of trail exactly then.
 *             3. A move adds what was learned and takes nothing away: no wamid, no answer and no
 *                code means "as before".
 *             4. A row of a batch and its message are in one transaction: it becomes one message.
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_outbox.c
 */
#include "store/sqlite_int.h"

static gw_status find_idempotent(struct writer *w, struct store_add_message *a)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_IDEM_FIND);
	struct bind b = { st, 0 };
	struct cols c = { st, 0 };
	struct str print;
	gw_status status;
	bool found;

	bind_blob(&b, a->idempotency, sizeof(a->idempotency));
	bind_i64(&b, a->created_ms - IDEMPOTENCY_MS);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK || !found)
		return status;
	print = col_str(&c);
	if (print.len == sizeof(a->fingerprint) &&
	    memcmp(print.ptr, a->fingerprint, print.len) == 0) {
		a->idem = STORE_IDEM_SAME;
		a->row = col_i64(&c);
		(void)col_id(&c, &a->earlier); /* NOT NULL */
	} else {
		a->idem = STORE_IDEM_DIFFERS;
	}
	sql_done(st);
	return GW_OK;
}

static gw_status keep_idempotent(struct writer *w, struct store_add_message *a)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_IDEM_ADD);
	struct bind b = { st, 0 };

	bind_blob(&b, a->idempotency, sizeof(a->idempotency));
	bind_blob(&b, a->fingerprint, sizeof(a->fingerprint));
	bind_i64(&b, a->row);
	bind_i64(&b, a->created_ms);
	a->idem = STORE_IDEM_NEW;
	return sql_run(&w->sql, st);
}

static gw_status add_row(struct writer *w, struct store_add_message *a)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_MESSAGE_ADD);
	struct bind b = { st, 0 };
	gw_status status;

	bind_id(&b, &a->id);
	bind_i64(&b, a->class_);
	bind_text(&b, a->policy);
	bind_i64(&b, a->created_ms);
	bind_i64(&b, a->expires_ms);
	bind_id(&b, &a->key_id);
	bind_str(&b, a->number_id);
	bind_str(&b, a->to);
	bind_str(&b, a->lane);
	bind_str(&b, a->target);
	bind_str(&b, a->kind);
	bind_str(&b, a->template_name);
	bind_str(&b, a->template_language);
	bind_str(&b, a->opaque);
	bind_blob(&b, a->body.ptr, a->body.len);
	bind_i64(&b, (int64_t)a->plan);
	bind_row(&b, a->batch_line);
	status = sql_run(&w->sql, st);
	if (status == GW_OK)
		a->row = sqlite3_last_insert_rowid(w->sql.db);
	return status;
}

gw_status outbox_add(struct writer *w, struct store_req *req)
{
	struct store_add_message *a = CONTAINER_OF(req, struct store_add_message, req);
	const struct str keys[] = { a->lane, a->to };
	gw_status status = GW_OK;

	a->idem = STORE_IDEM_NONE;
	a->row = 0;
	a->earlier = (struct id){ { 0 } };
	a->window_ms = 0;
	a->opted_out = a->taken = false;
	if (a->batch_line != 0)
		status = batch_is_taken(w, a->batch_line, &a->taken);
	if (status == GW_OK && a->has_idempotency)
		status = find_idempotent(w, a);
	if (status != GW_OK || a->taken || a->idem != STORE_IDEM_NONE)
		return status;
	status = add_row(w, a);
	if (status == GW_OK && (a->plan & STORE_PLAN_TEMPLATE) != 0)
		status = fallback_add(w, a);
	if (status == GW_OK && a->batch_line != 0)
		status = batch_mark(w, a->batch_line, a->row); /* inv. 4 */
	if (status == GW_OK && a->has_idempotency)
		status = keep_idempotent(w, a);
	if (status == GW_OK)
		status = contact_window(&w->sql, a->number_id, keys, ARRAY_LEN(keys), &a->window_ms,
					&a->opted_out);
	return status;
}

static gw_status drop_idempotent(struct writer *w, const struct store_move *m)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_IDEM_DROP);

	bind_i64(&(struct bind){ st, 0 }, m->row);
	return sql_run(&w->sql, st);
}

static gw_status add_trail(struct writer *w, const struct store_move *m)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_TRAIL_ADD);
	struct bind b = { st, 0 };

	bind_i64(&b, m->row);
	bind_i64(&b, m->at_ms);
	bind_text(&b, m->from);
	bind_text(&b, m->to);
	bind_text(&b, m->reason);
	bind_text(&b, m->why);
	bind_i64(&b, m->tries);
	bind_i64(&b, m->http_status);
	bind_i64(&b, m->code);
	bind_i64(&b, m->subcode);
	bind_i64(&b, m->connect_ms);
	bind_i64(&b, m->api_ms);
	bind_i64(&b, m->paced_ms);
	bind_i64(&b, m->waited_ms);
	return sql_run(&w->sql, st);
}

gw_status outbox_move(struct writer *w, struct store_req *req)
{
	struct store_move *m = CONTAINER_OF(req, struct store_move, req);
	sqlite3_stmt *st = sql_use(&w->sql, SQL_MESSAGE_MOVE);
	struct bind b = { st, 0 };
	gw_status status;

	m->followed = NULL;
	bind_i64(&b, m->row);
	bind_text(&b, m->from);
	bind_text(&b, m->to);
	bind_text(&b, m->reason);
	bind_i64(&b, m->next_ms);
	bind_i64(&b, m->at_ms);
	bind_i64(&b, m->tries);
	bind_i64(&b, m->attempts);
	bind_i64(&b, m->http_status);
	bind_i64(&b, m->code);
	bind_i64(&b, m->subcode);
	bind_str_or_null(&b, m->wamid);
	bind_blob_or_null(&b, m->answer);
	status = sql_run(&w->sql, st);
	if (status != GW_OK)
		return status;
	m->lost = sqlite3_changes(w->sql.db) == 0;
	if (m->lost)
		return GW_OK;
	if (m->unbind)
		status = drop_idempotent(w, m);
	if (status == GW_OK && m->batch_line != 0)
		status = batch_count_move(w, m);
	if (status == GW_OK)
		status = add_trail(w, m);
	if (status == GW_OK && m->follow)
		status = follow_template(w, m->row, m->at_ms, &m->followed);
	return status;
}

void outbox_forget(struct store_req *req)
{
	struct store_move *m = CONTAINER_OF(req, struct store_move, req);

	store_followed_free(m->followed);
	m->followed = NULL;
}

void message_read(struct cols *c, struct store_message_row *m)
{
	*m = (struct store_message_row){ .row = col_i64(c) };
	(void)col_id(c, &m->id); /* NOT NULL */
	(void)col_id(c, &m->key_id);
	m->number_id = col_str(c);
	m->to = col_str(c);
	m->lane = col_str(c);
	m->target = col_str(c);
	m->body = col_str(c);
	m->opaque = col_str(c);
	m->kind = col_str(c);
	m->state = col_str(c);
	m->reason = col_str(c);
	m->policy = col_str(c);
	m->wamid = col_str(c);
	m->answer = col_str(c);
	m->class_ = (uint8_t)col_int(c);
	m->tries = col_u32(c);
	m->attempts = col_u32(c);
	m->created_ms = col_i64(c);
	m->expires_ms = col_i64(c);
	m->next_ms = col_i64(c);
	m->moved_ms = col_i64(c);
	m->http_status = col_int(c);
	m->code = col_int(c);
	m->subcode = col_int(c);
	m->evidence_wamid = col_str(c);
	m->has_evidence = m->evidence_wamid.len > 0;
	m->template_name = col_str(c);
	m->template_language = col_str(c);
	m->plan = (unsigned)col_int(c);
	m->again_of = col_i64(c);
	m->batch_line = col_i64(c);
	(void)col_id(c, &m->batch); /* zeros: none */
}
