/* SPDX-License-Identifier: MIT */
/*
 * sqlite_load.c - what a start needs, on a connection of its own, before the loop runs
 *
 * THREADS  the loop's, once; store_peek(): any
 * TESTS    tests/unit/test_store_tables.c, tests/unit/test_room.c
 */
#include "store/sqlite_int.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define RECENT_MS (INT64_C(10) * 60 * 1000) /* store.h: recent_send */

struct loading {
	struct sql sql;
	const struct store_loader *l;
	const struct keyring *keys;
	int64_t now_ms;
};

typedef gw_status (*row_fn)(struct loading *g, struct cols *c);

static gw_status each(struct loading *g, sqlite3_stmt *st, row_fn fn)
{
	gw_status status;
	bool row;

	while ((status = sql_step(&g->sql, st, &row)) == GW_OK && row) {
		struct cols c = { st, 0 };

		status = fn(g, &c);
		if (status != GW_OK) {
			sql_done(st);
			break;
		}
	}
	return status;
}

/* The next column; what it holds lives as long as *open does. */
static bool unseal(const struct loading *g, const char *column, struct str owner, struct cols *c,
		   struct secret *open, struct str *out)
{
	bool ok = secret_unseal(g->keys, column, owner, col_str(c), open);

	*out = str_make((const char *)open->bytes, open->len);
	return ok;
}

static gw_status on_account(struct loading *g, struct cols *c)
{
	static const char *const columns[] = { "account.app_secret", "account.app_secret_previous",
					       "account.verify_token", "account.token" };
	struct store_account a = { .row = col_i64(c) };
	struct str *const to[] = { &a.app_secret, &a.app_secret_previous, &a.verify_token,
				   &a.token };
	struct secret open[ARRAY_LEN(columns)] = { { .len = 0 } };
	bool ok = true;

	a.name = col_str(c);
	a.app_id = col_str(c);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		ok = unseal(g, columns[i], a.name, c, &open[i], to[i]) && ok;
	a.base_url = col_str(c);
	a.version = col_str(c);
	if (ok)
		g->l->account(g->l->cookie, &a);
	explicit_bzero(open, sizeof(open));
	return ok ? GW_OK : GW_EAUTH;
}

static gw_status on_number(struct loading *g, struct cols *c)
{
	struct store_number n = { .row = col_i64(c) };

	n.account_row = col_i64(c);
	n.number_id = col_str(c);
	n.business_id = col_str(c);
	n.address = col_str(c);
	n.limit_mps = col_u32(c);
	g->l->number(g->l->cookie, &n);
	return GW_OK;
}

static gw_status on_number_fact(struct loading *g, struct cols *c)
{
	struct store_number_fact f;

	f.number_id = col_str(c);
	f.status = col_str(c);
	f.quality = col_str(c);
	f.throughput = col_str(c);
	f.messaging_limit = col_str(c);
	f.name = col_str(c);
	f.address = col_str(c);
	f.on_app = col_bool(c);
	f.read_ms = col_i64(c);
	g->l->number_fact(g->l->cookie, &f);
	return GW_OK;
}

static gw_status on_key(struct loading *g, struct cols *c)
{
	struct store_key k = { .row = col_i64(c) };

	(void)col_id(c, &k.id); /* NOT NULL */
	k.name = col_str(c);
	k.scopes = col_str(c);
	k.numbers = col_str(c);
	memcpy(k.hash, col_str(c).ptr, sizeof(k.hash)); /* 32: CHECK */
	k.created_ms = col_i64(c);
	k.revoked_ms = col_i64(c);
	g->l->key(g->l->cookie, &k);
	return GW_OK;
}

static gw_status on_destination(struct loading *g, struct cols *c)
{
	struct store_destination d = { .row = col_i64(c) };
	struct secret now = { .len = 0 }, before = { .len = 0 };
	struct str state, id;
	bool ok;

	(void)col_id(c, &d.id); /* NOT NULL */
	d.name = col_str(c);
	d.url = col_str(c);
	d.format = col_str(c);
	d.filter = col_str(c);
	id = str_make((const char *)d.id.bytes, ID_BYTES);
	ok = unseal(g, "destination.secret", id, c, &now, &d.secret);
	ok = unseal(g, "destination.secret_previous", id, c, &before, &d.secret_previous) && ok;
	d.previous_until_ms = col_i64(c);
	d.include_raw = col_bool(c);
	d.relay_stale = col_bool(c);
	d.removed = col_bool(c);
	state = col_str(c);
	d.state = str_eq(state, STR("active")) ? "active" : "disabled"; /* CHECK: one of these */
	d.created_ms = col_i64(c);
	if (ok)
		g->l->destination(g->l->cookie, &d);
	secret_release(&now);
	secret_release(&before);
	return ok ? GW_OK : GW_EAUTH;
}

static gw_status on_template(struct loading *g, struct cols *c)
{
	struct store_template t;

	t.business_id = col_str(c);
	t.name = col_str(c);
	t.language = col_str(c);
	t.category = col_str(c);
	t.state = col_str(c);
	t.updated_ms = col_i64(c);
	g->l->template_(g->l->cookie, &t);
	return GW_OK;
}

static gw_status on_batch(struct loading *g, struct cols *c)
{
	struct store_batch b;

	batch_row_read(c, &b);
	g->l->batch(g->l->cookie, &b);
	return GW_OK;
}

static gw_status on_message(struct loading *g, struct cols *c)
{
	struct store_message_row m;
	struct str keys[2];
	gw_status status;

	message_read(c, &m);
	keys[0] = m.lane;
	keys[1] = m.to;
	status = contact_window(&g->sql, m.number_id, keys, ARRAY_LEN(keys), &m.window_ms,
				&m.opted_out);
	if (status == GW_OK)
		g->l->message(g->l->cookie, &m);
	return status;
}

void delivery_read(struct cols *c, struct store_delivery_row *d)
{
	d->event_row = col_i64(c);
	d->destination_row = col_i64(c);
	d->lane = col_i64(c);
	d->state = col_str(c);
	d->attempts = col_u32(c);
	d->next_ms = col_i64(c);
	d->size = (size_t)col_i64(c);
	d->replays = col_u32(c);
}

static gw_status on_delivery(struct loading *g, struct cols *c)
{
	struct store_delivery_row d;

	delivery_read(c, &d);
	g->l->delivery(g->l->cookie, &d);
	return GW_OK;
}

static gw_status on_send(struct loading *g, struct cols *c)
{
	struct str number = col_str(c), lane = col_str(c);

	g->l->recent_send(g->l->cookie, number, lane, col_i64(c));
	return GW_OK;
}

/* The trail grows with time, so its last ten minutes are found by halving. */
static gw_status first_recent(struct loading *g, int64_t since_ms, int64_t *out_row)
{
	sqlite3_stmt *st = sql_use(&g->sql, SQL_LOAD_TRAIL_AT);
	int64_t low = 1, high = 0, at_ms = 0;
	gw_status status;

	status = sql_ask(&g->sql, sql_use(&g->sql, SQL_LOAD_TRAIL_LAST), &high, NULL);
	while (status == GW_OK && low < high) {
		int64_t middle = low + (high - low) / 2;

		bind_i64(&(struct bind){ st, 0 }, middle);
		status = sql_ask(&g->sql, st, &at_ms, NULL);
		if (at_ms < since_ms)
			low = middle + 1;
		else
			high = middle;
	}
	*out_row = low;
	return status;
}

static gw_status load_sends(struct loading *g)
{
	sqlite3_stmt *st = sql_use(&g->sql, SQL_LOAD_SENDS);
	int64_t since_ms = g->now_ms - RECENT_MS, row;
	struct bind b = { st, 0 };
	gw_status status = first_recent(g, since_ms, &row);

	if (status != GW_OK)
		return status;
	bind_i64(&b, row);
	bind_i64(&b, since_ms);
	return each(g, st, on_send);
}

gw_status store_load_all(struct store *s, const struct store_loader *l, struct gw_error *err)
{
	struct loading g = { .l = l, .keys = &s->w.keys, .now_ms = clock_wall_ms(s->o.clock) };
	const struct {
		bool wanted;
		enum sql_id sql;
		row_fn fn;
	} tables[] = {
		{ l->account != NULL, SQL_LOAD_ACCOUNTS, on_account },
		{ l->number != NULL, SQL_LOAD_NUMBERS, on_number },
		{ l->number_fact != NULL, SQL_LOAD_NUMBER_FACTS, on_number_fact },
		{ l->key != NULL, SQL_LOAD_KEYS, on_key },
		{ l->destination != NULL, SQL_LOAD_DESTINATIONS, on_destination },
		{ l->template_ != NULL, SQL_LOAD_TEMPLATES, on_template },
		{ l->batch != NULL, SQL_LOAD_BATCHES, on_batch },
		{ l->message != NULL, SQL_LOAD_MESSAGES, on_message },
		{ l->delivery != NULL, SQL_LOAD_DELIVERIES, on_delivery },
	};
	sqlite3 *db = NULL;
	gw_status status;

	status = connection_open(s->path, false, &db, err);
	if (status == GW_OK)
		status = sql_init(&g.sql, db, SQL_LOADS, s->o.log, err);
	for (size_t i = 0; i < ARRAY_LEN(tables) && status == GW_OK; i++) {
		if (tables[i].wanted)
			status = each(&g, sql_use(&g.sql, tables[i].sql), tables[i].fn);
	}
	if (status == GW_OK && l->recent_send != NULL)
		status = load_sends(&g);
	if (status != GW_OK) /* nobody overwrites what was filled first */
		(void)gw_error_set(err, status, "cannot read the store: %s", sqlite3_errmsg(db));
	sql_release(&g.sql);
	return status;
}

/* One column of every row.  The statements are here alone: those of sql.def are prepared all at
 * once, and a store that was not migrated may refuse some. */
static gw_status each_name(sqlite3 *db, const char *sql, void (*fn)(void *, struct str),
			   void *cookie)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW)
			fn(cookie, col_str(&(struct cols){ st, 0 }));
	}
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	return rc == SQLITE_DONE ? GW_OK : GW_EIO;
}

gw_status store_peek(const char *dir, const struct store_names *to, void *cookie,
		     struct gw_error *err)
{
	char path[PATH_MAX];
	sqlite3 *db = NULL;
	gw_status status;

	if (snprintf(path, sizeof(path), "%s/godwit.db", dir) >= (int)sizeof(path))
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", dir);
	if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return GW_ENOTFOUND;
	status = connection_open(path, false, &db, err);
	if (status != GW_OK)
		return status;
	if (each_name(db, "SELECT name FROM account ORDER BY row", to->account, cookie) != GW_OK ||
	    each_name(db, "SELECT number_id FROM number ORDER BY row", to->number, cookie) != GW_OK)
		status = gw_error_set(err, GW_EIO, "cannot read %s: %s", path, sqlite3_errmsg(db));
	(void)sqlite3_close(db); /* it only read */
	return status;
}
