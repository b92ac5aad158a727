/* SPDX-License-Identifier: MIT */
/*
 * sqlite_consent.c - who wants marketing messages: the record, and what holds
 *
 * INVARIANTS  1. A decision and the event that tells of it are in one transaction.
 *             2. The record is only added to; the schema refuses everything else.
 *             3. The latest decision holds, by the time at which it was made: a STOP that Meta
 *                delivers late does not undo the START that came after it.
 *             4. An optin that was imported holds only where nothing else is recorded.
 * THREADS     the store thread; consent_of(): any, on its own connection
 * TESTS       tests/unit/test_store_consent.c
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

#define KEYS_MAX (64U * 1024) /* bytes of all names of one contact */

gw_status consent_of(struct sql *q, int64_t contact, enum store_consent *out, int64_t *out_ms)
{
	sqlite3_stmt *st = sql_use(q, SQL_CONSENT_OF);
	struct cols c = { st, 0 };
	gw_status status;
	bool found;

	*out = STORE_CONSENT_NONE;
	*out_ms = 0;
	bind_i64(&(struct bind){ st, 0 }, contact);
	status = sql_step(q, st, &found);
	if (status != GW_OK || !found)
		return status;
	*out = col_bool(&c) ? STORE_CONSENT_OUT : STORE_CONSENT_IN;
	*out_ms = col_i64(&c);
	sql_done(st);
	return GW_OK;
}

/* Meta's stamp has seconds: as late in its second as it can have been, so that what a person
 * decided through the API a moment before does not win. */
static int64_t decided_ms(const struct store_put_body *p, const struct store_event_in *ev)
{
	int64_t latest = ev->at_s * 1000 + 999;

	return ev->at_s > 0 && latest < p->received_ms ? latest : p->received_ms;
}

static gw_status add(struct writer *w, const struct store_put_body *p,
		     const struct store_event_in *ev, int64_t contact)
{
	const struct id none = { { 0 } };
	sqlite3_stmt *st = sql_use(&w->sql, SQL_CONSENT_ADD);
	struct bind b = { st, 0 };

	bind_i64(&b, contact);
	bind_i64(&b, decided_ms(p, ev));
	bind_i64(&b, p->received_ms);
	bind_i64(&b, ev->row);
	bind_text(&b, ev->consent == STORE_CONSENT_OUT ? "optout" : "optin");
	bind_text(&b, ev->consent_source);
	if (id_eq(&ev->consent_key, &none))
		bind_text(&b, NULL);
	else
		bind_id(&b, &ev->consent_key);
	bind_str(&b, ev->consent_note);
	return sql_run(&w->sql, st);
}

/* All names of the contact, without what marks their kind ("p:", "uw:"). */
static gw_status names_of(struct writer *w, int64_t contact, struct str *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_ALIASES_OF);
	gw_status status = GW_OK;
	struct buf b;
	bool row = true;

	buf_init(&b, KEYS_MAX);
	bind_i64(&(struct bind){ st, 0 }, contact);
	while (status == GW_OK && row) {
		struct cols c = { st, 0 };
		struct str alias;
		size_t at;

		status = sql_step(&w->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		alias = col_str(&c);
		if (!str_find_char(alias, ':', &at) || b.len + alias.len >= KEYS_MAX)
			continue;
		buf_put_str(&b, str_slice(alias, at + 1, alias.len));
		buf_put_char(&b, '\n');
	}
	sql_done(st);
	if (status == GW_OK && b.len > 0)
		*out = xstr(buf_str(&b));
	buf_release(&b);
	return status;
}

gw_status consent_note(struct writer *w, const struct store_put_body *p, struct store_event_in *ev,
		       int64_t contact)
{
	gw_status status = GW_OK;
	int64_t since;

	if (ev->consent != STORE_CONSENT_NONE)
		status = add(w, p, ev, contact);
	if (status == GW_OK)
		status = consent_of(&w->sql, contact, &ev->consent_now, &since);
	if (status == GW_OK && ev->consent_now != STORE_CONSENT_NONE)
		status = names_of(w, contact, &ev->consent_keys);
	return status;
}
