/* SPDX-License-Identifier: MIT */
/*
 * sqlite_tables.c - the small tables: accounts, numbers, keys, destinations
 *
 * Whole rows are written; who wants to change a part reads it first (the loop holds them all).
 * Secrets are sealed: sqlite_secret.h.
 * THREADS  the store thread
 * TESTS    tests/unit/test_store_tables.c
 */
#include "store/sqlite_int.h"

static void bind_sealed(struct bind *b, const struct sealed *s)
{
	bind_blob_or_null(b, str_make((const char *)s->bytes, s->len));
}

/* Run one of the ..._PUT statements; its one column is the row. */
static gw_status put_row(struct writer *w, sqlite3_stmt *st, int64_t *out_row)
{
	gw_status status;
	int64_t row = 0;
	bool found;

	status = sql_step(&w->sql, st, &found);
	if (status == GW_OK && found) {
		row = sqlite3_column_int64(st, 0);
		status = sql_run(&w->sql, st); /* to its end: only then is it counted as run */
	}
	if (status == GW_OK)
		*out_row = row;
	return status;
}

gw_status tables_put_destination(struct writer *w, struct store_req *req)
{
	struct store_destination *d = &CONTAINER_OF(req, struct store_put_destination, req)->d;
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DESTINATION_PUT);
	struct bind b = { st, 0 };
	struct str id = str_make((const char *)d->id.bytes, ID_BYTES);
	struct sealed secret, previous;
	gw_status status = GW_ELIMIT;

	if (secret_seal(&w->keys, &w->rnd, "destination.secret", id, d->secret, &secret) &&
	    secret_seal(&w->keys, &w->rnd, "destination.secret_previous", id, d->secret_previous,
			&previous)) {
		bind_row(&b, d->row);
		bind_id(&b, &d->id);
		bind_str(&b, d->name);
		bind_str(&b, d->url);
		bind_str(&b, d->format);
		bind_str(&b, d->filter);
		bind_sealed(&b, &secret);
		bind_sealed(&b, &previous);
		bind_i64(&b, d->previous_until_ms);
		bind_i64(&b, d->include_raw);
		bind_i64(&b, d->relay_stale);
		bind_i64(&b, d->removed);
		bind_text(&b, d->state);
		bind_i64(&b, d->created_ms);
		status = put_row(w, st, &d->row);
		if (status == GW_OK && d->row > DESTINATION_ROW_MAX)
			status = GW_ELIMIT; /* rolled back */
	}
	return status;
}

gw_status tables_put_key(struct writer *w, struct store_req *req)
{
	struct store_key *k = &CONTAINER_OF(req, struct store_put_key, req)->k;
	sqlite3_stmt *st = sql_use(&w->sql, SQL_KEY_PUT);
	struct bind b = { st, 0 };

	bind_row(&b, k->row);
	bind_id(&b, &k->id);
	bind_blob(&b, k->hash, sizeof(k->hash));
	bind_str(&b, k->name);
	bind_str(&b, k->scopes);
	bind_str(&b, k->numbers);
	bind_i64(&b, k->created_ms);
	bind_i64(&b, k->revoked_ms);
	return put_row(w, st, &k->row);
}

gw_status tables_put_account(struct writer *w, struct store_req *req)
{
	struct store_account *a = &CONTAINER_OF(req, struct store_put_account, req)->a;
	const struct {
		const char *column;
		struct str secret;
	} secrets[] = { { "account.app_secret", a->app_secret },
			{ "account.app_secret_previous", a->app_secret_previous },
			{ "account.verify_token", a->verify_token },
			{ "account.token", a->token } };
	struct sealed sealed[ARRAY_LEN(secrets)];
	sqlite3_stmt *st = sql_use(&w->sql, SQL_ACCOUNT_PUT);
	struct bind b = { st, 0 };
	gw_status status = GW_OK;

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		if (!secret_seal(&w->keys, &w->rnd, secrets[i].column, a->name, secrets[i].secret,
				 &sealed[i]))
			status = GW_ELIMIT;
	}
	if (status == GW_OK) {
		bind_str(&b, a->name);
		bind_str(&b, a->app_id);
		bind_str(&b, a->base_url);
		bind_str(&b, a->version);
		for (size_t i = 0; i < ARRAY_LEN(sealed); i++)
			bind_sealed(&b, &sealed[i]);
		status = put_row(w, st, &a->row);
	}
	return status;
}

gw_status tables_put_number(struct writer *w, struct store_req *req)
{
	struct store_number *n = &CONTAINER_OF(req, struct store_put_number, req)->n;
	sqlite3_stmt *st = sql_use(&w->sql, SQL_NUMBER_PUT);
	struct bind b = { st, 0 };

	bind_i64(&b, n->account_row);
	bind_str(&b, n->number_id);
	bind_str(&b, n->business_id);
	bind_str(&b, n->address);
	bind_i64(&b, n->limit_mps);
	return put_row(w, st, &n->row);
}

gw_status tables_put_number_fact(struct writer *w, struct store_req *req)
{
	struct store_number_fact *f = &CONTAINER_OF(req, struct store_put_number_fact, req)->f;
	sqlite3_stmt *st = sql_use(&w->sql, SQL_NUMBER_FACT_PUT);
	struct bind b = { st, 0 };

	bind_str(&b, f->number_id);
	bind_str(&b, f->status);
	bind_str(&b, f->quality);
	bind_str(&b, f->throughput);
	bind_str(&b, f->messaging_limit);
	bind_str(&b, f->name);
	bind_str(&b, f->address);
	bind_i64(&b, f->on_app);
	bind_i64(&b, f->read_ms);
	return sql_run(&w->sql, st);
}
