/* SPDX-License-Identifier: MIT */
/*
 * sqlite_contact.c - who an event is from: contact, conversation, seq, window
 *
 * ROLE        A contact is known by any number of aliases: user ids (per channel) and spellings of
 *             phone numbers.  An event names it by one or more; whatever it names is from then on
 *             the same contact.
 * INVARIANTS  1. An alias points to one contact, and to one that is not merged.
 *             2. When an event names two contacts the older one stays.  Aliases move to it, and
 *                conversations that it lacks; of a conversation that both have, the younger keeps
 *                its events and points to the other (merged_into).
 *             3. No row here is written per event: rows change when something new is said.
 *             4. A cached seq is the last one given in this transaction or an earlier one; a
 *                rollback forgets all (sqlite_commit.c).
 * THREADS     the store thread; contact_window(): any, on its own connection
 * TESTS       tests/unit/test_store_contact.c
 */
#include "store/sqlite_int.h"

#define CONVERSATION_KEY_MAX 256 /* longer ones are not cached: CACHE_KEY_MAX */

struct alias {
	char text[ALIAS_MAX];
	size_t len;
};

static struct str alias_str(const struct alias *a)
{
	return str_make(a->text, a->len);
}

static void alias_make(const char *prefix, struct str rest, struct alias *out)
{
	size_t at = strlen(prefix);

	memcpy(out->text, prefix, at);
	if (rest.len > sizeof(out->text) - at)
		rest.len = sizeof(out->text) - at; /* Meta's ids have 160 bytes at most */
	if (rest.len > 0)
		memcpy(out->text + at, rest.ptr, rest.len);
	out->len = at + rest.len;
}

static void user_alias(const char *channel, struct str user_id, struct alias *out)
{
	const char prefix[] = { 'u', channel[0], ':', '\0' };

	alias_make(prefix, user_id, out);
}

/* "+1 (555) 010-99" and "155501099" are one number; what has other characters stays as it is. */
static void phone_alias(struct str phone, struct alias *out)
{
	size_t n = 2;

	alias_make("p:", phone, out);
	for (size_t i = 2; i < out->len; i++) {
		if (strchr("0123456789+ -().", out->text[i]) == NULL)
			return;
	}
	for (size_t i = 2; i < out->len; i++) {
		if (out->text[i] >= '0' && out->text[i] <= '9')
			out->text[n++] = out->text[i];
	}
	out->len = n;
}

/* ---- aliases */

static gw_status find_alias(struct writer *w, const struct alias *a, int64_t *out_contact)
{
	const struct cache_value *hit = cache_get(w->aliases, alias_str(a));
	sqlite3_stmt *st;
	gw_status status;
	bool found;

	*out_contact = 0;
	if (hit != NULL) {
		*out_contact = hit->row;
		return GW_OK;
	}
	st = sql_use(&w->sql, SQL_ALIAS_FIND);
	bind_str(&(struct bind){ st, 0 }, alias_str(a));
	status = sql_step(&w->sql, st, &found);
	if (status == GW_OK && found) {
		*out_contact = sqlite3_column_int64(st, 0);
		sql_done(st);
		cache_put(w->aliases, alias_str(a), &(struct cache_value){ .row = *out_contact });
	}
	return status;
}

static gw_status add_alias(struct writer *w, const struct alias *a, int64_t contact)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_ALIAS_ADD);
	struct bind b = { st, 0 };

	bind_str(&b, alias_str(a));
	bind_i64(&b, contact);
	cache_put(w->aliases, alias_str(a), &(struct cache_value){ .row = contact });
	return sql_run(&w->sql, st);
}

/* The phone of the event and its other spellings: the first that is known. */
static gw_status find_phone(struct writer *w, const struct store_event_in *ev, int64_t *out_contact,
			    bool *out_exact)
{
	struct alias a;
	gw_status status;

	phone_alias(ev->phone, &a);
	status = find_alias(w, &a, out_contact);
	*out_exact = *out_contact != 0;
	for (size_t i = 0; i < ev->alias_count && status == GW_OK && *out_contact == 0; i++) {
		phone_alias(ev->aliases[i], &a);
		status = find_alias(w, &a, out_contact);
	}
	return status;
}

static gw_status add_phone(struct writer *w, const struct store_event_in *ev, int64_t contact)
{
	struct alias a;
	gw_status status;

	phone_alias(ev->phone, &a);
	status = add_alias(w, &a, contact);
	for (size_t i = 0; i < ev->alias_count && status == GW_OK; i++) {
		int64_t other;

		phone_alias(ev->aliases[i], &a);
		status = find_alias(w, &a, &other);
		if (status == GW_OK && other == 0)
			status = add_alias(w, &a, contact);
	}
	return status;
}

/* ---- merging */

static gw_status run_pair(struct writer *w, enum sql_id what, int64_t from, int64_t to)
{
	sqlite3_stmt *st = sql_use(&w->sql, what);
	struct bind b = { st, 0 };

	bind_i64(&b, from);
	if (sqlite3_bind_parameter_count(st) > 1)
		bind_i64(&b, to);
	return sql_run(&w->sql, st);
}

/* inv. 2; *contact becomes the older of the two. */
static gw_status merge(struct writer *w, int64_t *contact, int64_t other)
{
	static const enum sql_id steps[] = { SQL_ALIAS_MOVE,         SQL_CONVERSATION_GIVE,
					     SQL_CONVERSATION_MERGE, SQL_CONVERSATION_FOLLOW,
					     SQL_CONTACT_INHERIT,    SQL_CONTACT_MERGE };
	int64_t winner = *contact < other ? *contact : other;
	int64_t loser = *contact < other ? other : *contact;
	gw_status status = GW_OK;

	for (size_t i = 0; i < ARRAY_LEN(steps) && status == GW_OK; i++)
		status = run_pair(w, steps[i], loser, winner);
	cache_clear(w->aliases);
	cache_clear(w->contacts);
	cache_clear(w->conversations);
	*contact = winner;
	return status;
}

/* One more name of a contact: add it, or merge with whom it named so far. */
static gw_status also_known_as(struct writer *w, const struct alias *a, int64_t *contact,
			       bool *out_new)
{
	int64_t other;
	gw_status status = find_alias(w, a, &other);

	if (status != GW_OK || other == *contact)
		return status;
	*out_new = true;
	if (other != 0)
		return merge(w, contact, other);
	return add_alias(w, a, *contact);
}

/* ---- contacts */

static struct str row_key(const int64_t *row)
{
	return str_make((const char *)row, sizeof(*row));
}

/* Of what a person calls herself: a difference means a row to write. */
static int64_t names_hash(struct str username, struct str name)
{
	const struct str parts[] = { username, name };
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		for (size_t i = 0; i < parts[p].len; i++)
			hash = (hash ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(0x100000001b3);
		hash = (hash ^ 0xff) * UINT64_C(0x100000001b3); /* no byte of UTF-8: a separator */
	}
	return (int64_t)hash;
}

static gw_status new_contact(struct writer *w, const struct store_event_in *ev, int64_t now_ms,
			     int64_t *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_CONTACT_ADD);
	struct bind b = { st, 0 };
	struct cache_value v = { .number = names_hash(ev->username, ev->name) };
	gw_status status;

	id_make(&w->ids, w->clock, &w->rnd, &v.id);
	bind_id(&b, &v.id);
	bind_i64(&b, now_ms);
	bind_str(&b, ev->user_id);
	bind_str(&b, ev->parent_user_id);
	bind_str(&b, ev->phone);
	bind_str(&b, ev->username);
	bind_str(&b, ev->name);
	status = sql_run(&w->sql, st);
	if (status != GW_OK)
		return status;
	v.row = sqlite3_last_insert_rowid(w->sql.db);
	cache_put(w->contacts, row_key(&v.row), &v);
	*out = v.row;
	return GW_OK;
}

static gw_status load_contact(struct writer *w, int64_t row, struct cache_value *out)
{
	const struct cache_value *hit = cache_get(w->contacts, row_key(&row));
	sqlite3_stmt *st;
	struct cols c;
	struct str username;
	gw_status status;
	bool found;

	if (hit != NULL) {
		*out = *hit;
		return GW_OK;
	}
	st = sql_use(&w->sql, SQL_CONTACT_FIND);
	c = (struct cols){ st, 0 };
	bind_i64(&(struct bind){ st, 0 }, row);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK)
		return status;
	if (!found)
		return GW_EIO; /* an alias that points nowhere: the check of the store tells */
	*out = (struct cache_value){ .row = row };
	(void)col_id(&c, &out->id); /* NOT NULL */
	username = col_str(&c);
	out->number = names_hash(username, col_str(&c));
	sql_done(st);
	cache_put(w->contacts, row_key(&row), out);
	return GW_OK;
}

/* What the event calls her, if that is new. */
static gw_status note_names(struct writer *w, const struct store_event_in *ev,
			    struct cache_value *contact)
{
	sqlite3_stmt *st;
	struct bind b;

	if ((ev->name.len == 0 && ev->username.len == 0) ||
	    names_hash(ev->username, ev->name) == contact->number)
		return GW_OK;
	contact->number = names_hash(ev->username, ev->name);
	cache_put(w->contacts, row_key(&contact->row), contact);
	st = sql_use(&w->sql, SQL_CONTACT_NAMED);
	b = (struct bind){ st, 0 };
	bind_i64(&b, contact->row);
	bind_str(&b, ev->username);
	bind_str(&b, ev->name);
	return sql_run(&w->sql, st);
}

static gw_status note_known(struct writer *w, int64_t contact, struct str user_id,
			    struct str parent, struct str phone)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_CONTACT_KNOWN);
	struct bind b = { st, 0 };

	bind_i64(&b, contact);
	bind_str(&b, user_id);
	bind_str(&b, parent);
	bind_str(&b, phone);
	return sql_run(&w->sql, st);
}

/* System messages: she is now also known as these. */
static gw_status note_change(struct writer *w, const struct store_event_in *ev, int64_t *contact,
			     bool *out_renamed)
{
	gw_status status = GW_OK;
	struct alias a;
	bool is_new = false;

	if (ev->new_phone.len > 0) {
		phone_alias(ev->new_phone, &a);
		status = also_known_as(w, &a, contact, &is_new);
	}
	if (status == GW_OK && ev->new_user_id.len > 0) {
		user_alias(ev->channel, ev->new_user_id, &a);
		status = also_known_as(w, &a, contact, &is_new);
	}
	*out_renamed |= is_new;
	if (status == GW_OK && is_new)
		status = note_known(w, *contact, ev->new_user_id, STR_EMPTY, ev->new_phone);
	return status;
}

/* The contact of an event that names one: found, merged, or made. */
static gw_status find_contact(struct writer *w, const struct store_event_in *ev, int64_t now_ms,
			      int64_t *out, bool *out_renamed)
{
	int64_t by_user = 0, by_phone = 0, contact = 0;
	bool exact = true, is_new = false;
	struct alias user;
	gw_status status = GW_OK;

	user_alias(ev->channel, ev->user_id, &user);
	if (ev->user_id.len > 0)
		status = find_alias(w, &user, &by_user);
	if (status == GW_OK && ev->phone.len > 0)
		status = find_phone(w, ev, &by_phone, &exact);
	contact = by_user != 0 ? by_user : by_phone;
	*out_renamed = contact != 0 && ((ev->user_id.len > 0 && by_user != contact) ||
					(ev->phone.len > 0 && (by_phone != contact || !exact)));
	if (status == GW_OK && contact == 0)
		status = new_contact(w, ev, now_ms, &contact);
	else if (status == GW_OK && by_user != 0 && by_phone != 0 && by_user != by_phone)
		status = merge(w, &contact, by_user == contact ? by_phone : by_user);
	else if (by_user == 0 || (ev->phone.len > 0 && by_phone == 0))
		is_new = ev->user_id.len > 0 && ev->phone.len > 0;
	if (status == GW_OK && ev->user_id.len > 0 && by_user == 0)
		status = add_alias(w, &user, contact);
	if (status == GW_OK && ev->phone.len > 0 && (by_phone == 0 || !exact))
		status = add_phone(w, ev, contact);
	if (status == GW_OK && is_new)
		status = note_known(w, contact, ev->user_id, ev->parent_user_id, ev->phone);
	if (status == GW_OK)
		*out = contact;
	return status;
}

/* ---- conversations */

struct conversation_key {
	char text[CONVERSATION_KEY_MAX];
	size_t len;
};

/* Contact and group never meet in one key: the contact of a group's conversation is 0. */
static struct str conversation_key(const struct store_event_in *ev, int64_t contact,
				   struct conversation_key *k)
{
	size_t need = sizeof(contact) + ev->account_id.len + 1 + ev->group_id.len;

	if (need > sizeof(k->text))
		return STR_EMPTY; /* never cached */
	memcpy(k->text, &contact, sizeof(contact));
	k->len = sizeof(contact);
	if (ev->account_id.len > 0)
		memcpy(k->text + k->len, ev->account_id.ptr, ev->account_id.len);
	k->len += ev->account_id.len;
	k->text[k->len++] = '\0';
	if (ev->group_id.len > 0)
		memcpy(k->text + k->len, ev->group_id.ptr, ev->group_id.len);
	k->len += ev->group_id.len;
	return str_make(k->text, k->len);
}

static gw_status new_conversation(struct writer *w, const struct store_event_in *ev,
				  int64_t contact, int64_t now_ms, struct cache_value *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_CONVERSATION_ADD);
	struct bind b = { st, 0 };
	gw_status status;

	id_make(&w->ids, w->clock, &w->rnd, &out->id);
	bind_id(&b, &out->id);
	bind_i64(&b, contact);
	bind_str(&b, ev->account_id);
	bind_str(&b, ev->group_id);
	bind_text(&b, ev->channel);
	bind_i64(&b, now_ms);
	status = sql_run(&w->sql, st);
	out->row = sqlite3_last_insert_rowid(w->sql.db);
	out->number = 0; /* nothing was said yet */
	return status;
}

static gw_status find_conversation(struct writer *w, const struct store_event_in *ev,
				   int64_t contact, int64_t now_ms, struct who *out)
{
	struct conversation_key k;
	struct str key = conversation_key(ev, contact, &k);
	const struct cache_value *hit = cache_get(w->conversations, key);
	struct cache_value v = { .number = -1 };
	sqlite3_stmt *st;
	struct bind b;
	struct cols c;
	gw_status status;
	bool found;

	if (hit != NULL) {
		out->conversation = hit->row;
		out->conversation_id = hit->id;
		return GW_OK;
	}
	st = sql_use(&w->sql, SQL_CONVERSATION_FIND);
	b = (struct bind){ st, 0 };
	bind_i64(&b, contact);
	bind_str(&b, ev->account_id);
	bind_str(&b, ev->group_id);
	status = sql_step(&w->sql, st, &found);
	if (status == GW_OK && found) {
		c = (struct cols){ st, 0 };
		v.row = col_i64(&c);
		(void)col_id(&c, &v.id); /* NOT NULL */
		sql_done(st);
	} else if (status == GW_OK) {
		status = new_conversation(w, ev, contact, now_ms, &v);
	}
	if (status != GW_OK)
		return status;
	cache_put(w->conversations, key, &v);
	out->conversation = v.row;
	out->conversation_id = v.id;
	return GW_OK;
}

gw_status contact_resolve(struct writer *w, const struct store_event_in *ev, int64_t now_ms,
			  struct who *out)
{
	struct cache_value contact;
	gw_status status = GW_OK;

	*out = (struct who){ 0 };
	if (ev->user_id.len > 0 || ev->phone.len > 0) {
		status = find_contact(w, ev, now_ms, &out->contact, &out->renamed);
		if (status == GW_OK && (ev->new_phone.len > 0 || ev->new_user_id.len > 0))
			status = note_change(w, ev, &out->contact, &out->renamed);
		if (status == GW_OK)
			status = load_contact(w, out->contact, &contact);
		if (status == GW_OK) {
			out->contact_id = contact.id;
			status = note_names(w, ev, &contact);
		}
	} else if (ev->group_id.len == 0) {
		return GW_OK; /* nobody is named */
	}
	if (status == GW_OK && ev->account_id.len + ev->group_id.len > 0) /* else with nobody */
		status = find_conversation(w, ev, ev->group_id.len > 0 ? 0 : out->contact, now_ms,
					   out);
	return status;
}

static gw_status last_seq(struct writer *w, int64_t conversation, int64_t *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_LAST_SEQ);
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ st, 0 }, conversation);
	status = sql_step(&w->sql, st, &found);
	*out = status == GW_OK && found ? sqlite3_column_int64(st, 0) : 0;
	if (status == GW_OK && found)
		sql_done(st);
	return status;
}

gw_status contact_next_seq(struct writer *w, const struct store_event_in *ev, const struct who *who,
			   int64_t *out)
{
	struct conversation_key k;
	struct str key = conversation_key(ev, ev->group_id.len > 0 ? 0 : who->contact, &k);
	struct cache_value *hit = cache_get(w->conversations, key);
	gw_status status = GW_OK;
	int64_t last;

	if (hit != NULL && hit->number >= 0) {
		*out = ++hit->number;
		return GW_OK;
	}
	status = last_seq(w, who->conversation, &last);
	if (status != GW_OK)
		return status;
	*out = last + 1;
	if (hit != NULL)
		hit->number = last + 1;
	return GW_OK;
}

/* ---- the window */

static gw_status ask_i64(struct sql *q, sqlite3_stmt *st, int64_t *out)
{
	gw_status status;
	bool found;

	*out = 0;
	status = sql_step(q, st, &found);
	if (status == GW_OK && found) {
		*out = sqlite3_column_int64(st, 0);
		sql_done(st);
	}
	return status;
}

gw_status contact_find(struct sql *q, const struct str *keys, size_t count, int64_t *out)
{
	gw_status status = GW_OK;
	struct alias a;

	*out = 0;
	for (size_t i = 0; i < 2 * count && status == GW_OK && *out == 0; i++) {
		sqlite3_stmt *st = sql_use(q, SQL_ALIAS_FIND);

		if (keys[i / 2].len == 0)
			continue;
		if (i % 2 == 0)
			phone_alias(keys[i / 2], &a);
		else
			user_alias("whatsapp", keys[i / 2], &a);
		bind_str(&(struct bind){ st, 0 }, alias_str(&a));
		status = ask_i64(q, st, out);
	}
	return status;
}

static gw_status window_of(struct sql *q, int64_t conversation, int64_t *out)
{
	sqlite3_stmt *st = sql_use(q, SQL_WINDOW_OF);
	int64_t ms;
	gw_status status;

	bind_i64(&(struct bind){ st, 0 }, conversation);
	status = ask_i64(q, st, &ms);
	if (ms > *out)
		*out = ms;
	return status;
}

gw_status conversation_window(struct sql *q, int64_t conversation, int64_t *out_ms)
{
	gw_status status;
	int64_t latest = 0;
	sqlite3_stmt *st;
	bool more = true;

	status = window_of(q, conversation, &latest);
	st = sql_use(q, SQL_CONVERSATION_MERGED);
	bind_i64(&(struct bind){ st, 0 }, conversation);
	while (status == GW_OK && more) {
		status = sql_step(q, st, &more);
		if (status == GW_OK && more)
			status = window_of(q, sqlite3_column_int64(st, 0), &latest);
	}
	if (status == GW_OK)
		*out_ms = latest;
	else
		sql_done(st);
	return status;
}

gw_status contact_window(struct sql *q, struct str number_id, const struct str *keys, size_t count,
			 int64_t *out_ms, bool *out_opted_out)
{
	sqlite3_stmt *st = sql_use(q, SQL_CONVERSATION_FIND);
	struct bind b = { st, 0 };
	int64_t contact, conversation = 0, latest = 0, since;
	enum store_consent consent = STORE_CONSENT_NONE;
	gw_status status;

	status = contact_find(q, keys, count, &contact);
	if (status == GW_OK && contact != 0) {
		bind_i64(&b, contact);
		bind_str(&b, number_id);
		bind_str(&b, STR_EMPTY);
		status = ask_i64(q, st, &conversation);
	}
	if (status == GW_OK && conversation != 0)
		status = conversation_window(q, conversation, &latest);
	if (status == GW_OK && contact != 0)
		status = consent_of(q, contact, &consent, &since);
	if (status != GW_OK)
		return status;
	*out_ms = latest;
	*out_opted_out = consent == STORE_CONSENT_OUT;
	return GW_OK;
}
