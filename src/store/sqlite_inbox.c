/* SPDX-License-Identifier: MIT */
/*
 * sqlite_inbox.c - a body and its events, one atom
 *
 *   for each event: stale? -> dedupe key in -> the body, once -> who -> whose message
 *                   -> what follows it -> seq -> lane -> the event -> consent -> deliveries
 *
 * INVARIANTS  1. An event's row carries its dedupe key, so both are in one transaction
 *                (sqlite_dedupe.c); a key in the table names the row, which is how the sweep knows
 *                when the event came.
 *             2. The body is kept only if something in it is new.
 *             3. The token names the message; the wamid does where there is no token; evidence
 *                that came with a token names it for those that come without.
 *             4. Evidence is Meta's word alone: events that we composed leave none.
 *             5. The lane of a message is made of its wamid, so it is the same before and after we
 *                learn whose message it is.
 * FAILURE     An item that the schema refuses fails its body; inbox_blame() says which it was.
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_inbox.c
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

/* ---- spans as bytes: length of the word, the word, then at and len of each span as varints */

static size_t put_varint(unsigned char *out, uint32_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (unsigned char)value;
	return n;
}

static bool get_varint(struct str *rest, uint32_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 35 && rest->len > 0; shift += 7) {
		unsigned char c = (unsigned char)rest->ptr[0];

		*rest = str_slice(*rest, 1, rest->len);
		value |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*out = (uint32_t)value;
			return value <= UINT32_MAX;
		}
	}
	return false;
}

size_t splice_pack(const struct store_splice *splice, unsigned char out[SPLICE_MAX])
{
	size_t list = strnlen(splice->list, sizeof(splice->list) - 1), n = 0;

	out[n++] = (unsigned char)list;
	memcpy(out + n, splice->list, list);
	n += list;
	for (size_t i = 0; i < STORE_SPANS; i++) {
		n += put_varint(out + n, splice->at[i]);
		n += put_varint(out + n, splice->len[i]);
	}
	return n;
}

bool splice_unpack(struct str bytes, struct store_splice *out)
{
	struct store_splice splice = { .list = "" };
	size_t list;

	if (bytes.len < 1)
		return false;
	list = (unsigned char)bytes.ptr[0];
	if (list >= sizeof(splice.list) || bytes.len < 1 + list)
		return false;
	memcpy(splice.list, bytes.ptr + 1, list);
	bytes = str_slice(bytes, 1 + list, bytes.len);
	for (size_t i = 0; i < STORE_SPANS; i++) {
		if (!get_varint(&bytes, &splice.at[i]) || !get_varint(&bytes, &splice.len[i]))
			return false;
	}
	*out = splice;
	return true;
}

/* ---- lanes */

#define LANE_CONVERSATION 1
#define LANE_MESSAGE 2
#define LANE_ACCOUNT 3

/* A lane's key: what it is made of, and which kind in the last two bits.  The hash only has to
 * spread: two lanes that meet are one lane, in order, and nothing worse. */
static int64_t lane_of_text(struct str text, unsigned kind)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, the same in every run */

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
	return (int64_t)((hash >> 3) << 2 | kind); /* 63 bits: never negative */
}

static int64_t lane_of(const struct store_event_in *ev, const struct who *who)
{
	if (ev->lane_by == STORE_LANE_MESSAGE) {
		if (ev->external_id.len > 0)
			return lane_of_text(ev->external_id, LANE_MESSAGE);
		if (ev->message_row != 0)
			return lane_of_text(str_make((const char *)ev->message.bytes, ID_BYTES),
					    LANE_MESSAGE);
	}
	if (ev->lane_by != STORE_LANE_ACCOUNT && who->conversation != 0)
		return who->conversation << 2 | LANE_CONVERSATION;
	return lane_of_text(ev->account_id, LANE_ACCOUNT);
}

/* ---- whose message */

static gw_status ask_message(struct writer *w, sqlite3_stmt *st, struct store_event_in *ev,
			     bool *out_same_wamid)
{
	struct cols c = { st, 0 };
	struct str text;
	gw_status status;
	bool found;

	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK || !found)
		return status;
	ev->message_row = col_i64(&c);
	(void)col_id(&c, &ev->message); /* NOT NULL */
	(void)str_copy(col_str(&c), ev->message_state, sizeof(ev->message_state)); /* fits */
	text = col_str(&c);
	ev->opaque = text.len > 0 ? xstr(text) : STR_EMPTY;
	*out_same_wamid = str_eq(col_str(&c), ev->external_id);
	ev->batch_line = col_i64(&c);
	sql_done(st);
	return GW_OK;
}

/* inv. 3; `witness` is the message that earlier evidence of the wamid came to by its token. */
static gw_status find_message(struct writer *w, struct store_event_in *ev, int64_t witness,
			      bool *out_by_token)
{
	sqlite3_stmt *st;
	gw_status status = GW_OK;
	bool same = false;

	if (ev->has_token) {
		st = sql_use(&w->sql, SQL_MESSAGE_OF_TOKEN);
		bind_id(&(struct bind){ st, 0 }, &ev->token_id);
		status = ask_message(w, st, ev, &same);
		*out_by_token = ev->message_row != 0 && !same;
	}
	if (status == GW_OK && ev->message_row == 0 && ev->external_id.len > 0) {
		st = sql_use(&w->sql, SQL_MESSAGE_OF_WAMID);
		bind_str(&(struct bind){ st, 0 }, ev->external_id);
		status = ask_message(w, st, ev, &same);
	}
	if (status == GW_OK && ev->message_row == 0 && witness != 0) {
		st = sql_use(&w->sql, SQL_MESSAGE_OF_ROW);
		bind_i64(&(struct bind){ st, 0 }, witness);
		status = ask_message(w, st, ev, &same);
		*out_by_token = ev->message_row != 0;
	}
	return status;
}

/* ---- evidence */

/* How many distinct pieces there are of the wamid, and whose message one of them names. */
static gw_status ask_evidence(struct writer *w, struct store_event_in *ev, int64_t *out_witness)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_EVIDENCE_OF);
	struct cols c = { st, 0 };
	gw_status status;
	bool found;

	bind_str(&(struct bind){ st, 0 }, ev->external_id);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK || !found)
		return status;
	ev->state_version = col_i64(&c);
	*out_witness = col_i64(&c);
	sql_done(st);
	return GW_OK;
}

static gw_status add_evidence(struct writer *w, struct store_event_in *ev, bool by_token)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_EVIDENCE_ADD);
	struct bind b = { st, 0 };
	gw_status status;

	bind_str(&b, ev->external_id);
	bind_str(&b, ev->status);
	bind_str(&b, ev->recipient);
	bind_i64(&b, ev->row);
	bind_row(&b, by_token ? ev->message_row : 0);
	bind_i64(&b, ev->token_try);
	bind_i64(&b, ev->error_code);
	bind_str_or_null(&b, ev->errors);
	status = sql_run(&w->sql, st);
	if (status != GW_OK || sqlite3_changes(w->sql.db) == 0)
		return status;
	ev->state_version++;
	return ev->batch_line == 0 ? GW_OK : batch_count_status(w, ev->batch_line, ev->status);
}

static gw_status note_price(struct writer *w, struct store_event_in *ev)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_TEMPLATE_OF_MESSAGE);
	struct cols c = { st, 0 };
	struct str name, language;
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ st, 0 }, ev->message_row);
	status = sql_step(&w->sql, st, &found);
	if (status != GW_OK || !found)
		return status;
	name = col_str(&c);
	language = col_str(&c);
	status = template_priced(w, ev, name, language);
	sql_done(st);
	return status;
}

static gw_status note_status(struct writer *w, const struct store_put_body *p,
			     struct store_event_in *ev)
{
	bool by_token = false;
	int64_t witness = 0;
	gw_status status = GW_OK;

	if (ev->external_id.len > 0)
		status = ask_evidence(w, ev, &witness);
	if (status == GW_OK)
		status = find_message(w, ev, witness, &by_token);
	if (status == GW_OK && ev->external_id.len > 0 && !p->composed) /* inv. 4 */
		status = add_evidence(w, ev, by_token);
	if (status == GW_OK && ev->priced_as != NULL && ev->message_row != 0)
		status = note_price(w, ev);
	return status == GW_OK ? follow_status(w, p, ev) : status;
}

/* ---- rows */

static gw_status add_body(struct writer *w, struct store_put_body *p)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_BODY_ADD);
	struct bind b = { st, 0 };

	p->row = w->next_body++;
	bind_i64(&b, p->row);
	bind_i64(&b, p->received_ms);
	bind_str(&b, p->account);
	bind_i64(&b, (int64_t)p->event_count);
	bind_i64(&b, p->quarantined);
	bind_i64(&b, p->composed);
	bind_str(&b, p->signature);
	bind_blob(&b, p->bytes.ptr, p->bytes.len);
	return sql_run(&w->sql, st);
}

/* Take the event's row and its key; *out_new: nobody had it. */
static gw_status add_key(struct writer *w, struct store_event_in *ev, bool *out_new)
{
	gw_status status = dedupe_add(w, ev->dedupe_s, ev->hash, w->next_event, out_new);

	if (*out_new)
		ev->row = w->next_event++;
	return status;
}

static gw_status add_event(struct writer *w, const struct store_put_body *p,
			   const struct store_event_in *ev, const struct who *who)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_EVENT_ADD);
	unsigned char splice[SPLICE_MAX];
	struct bind b = { st, 0 };

	bind_i64(&b, ev->row);
	bind_id(&b, &ev->id);
	bind_i64(&b, p->row);
	bind_row(&b, who->contact);
	bind_row(&b, who->conversation);
	bind_row(&b, ev->message_row);
	bind_row(&b, ev->seq);
	bind_row(&b, ev->state_version);
	bind_i64(&b, ev->at_s);
	bind_i64(&b, p->received_ms);
	bind_i64(&b, ev->lane);
	bind_i64(&b, ev->stale);
	bind_i64(&b, ev->opens_window);
	bind_text(&b, ev->type);
	bind_text(&b, ev->kind);
	bind_text(&b, ev->channel);
	bind_str(&b, ev->account_id);
	bind_str(&b, ev->address);
	bind_str(&b, ev->business_id);
	bind_str(&b, ev->external_id);
	bind_blob(&b, splice, splice_pack(&ev->splice, splice));
	bind_str(&b, ev->json);
	bind_i64(&b, ev->dedupe_s);
	bind_blob(&b, ev->hash, sizeof(ev->hash));
	return sql_run(&w->sql, st);
}

/* Old events go only where they are wanted (design.md 6.4). */
static gw_status wants(struct writer *w, const struct store_event_in *ev, int64_t destination,
		       bool *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DESTINATION_WANTS_STALE);
	gw_status status;
	bool found;

	*out = true;
	if (!ev->stale)
		return GW_OK;
	bind_i64(&(struct bind){ st, 0 }, destination);
	status = sql_step(&w->sql, st, &found);
	*out = status == GW_OK && found && sqlite3_column_int(st, 0) != 0;
	sql_done(st);
	return status;
}

static gw_status add_deliveries(struct writer *w, const struct store_put_body *p,
				const struct store_event_in *ev)
{
	gw_status status = GW_OK;

	for (size_t i = 0; i < ev->destination_count && status == GW_OK; i++) {
		sqlite3_stmt *st = sql_use(&w->sql, SQL_DELIVERY_ADD);
		struct bind b = { st, 0 };
		bool wanted;

		status = wants(w, ev, ev->destinations[i], &wanted);
		if (status != GW_OK || !wanted)
			continue;
		bind_i64(&b, ev->row);
		bind_i64(&b, ev->destinations[i]);
		bind_i64(&b, ev->lane);
		bind_i64(&b, p->received_ms);
		bind_i64(&b, (int64_t)(ev->json.len + ev->splice.len[SPAN_ITEM]));
		bind_i64(&b, 0);
		status = sql_run(&w->sql, st);
	}
	return status;
}

static bool is_stale(const struct store_put_body *p, const struct store_event_in *ev)
{
	return !ev->never_stale && ev->dedupe_s > 0 &&
	       ev->dedupe_s < p->received_ms / 1000 - DEDUPE_S;
}

static void clear_outputs(struct store_event_in *ev)
{
	ev->duplicate = ev->stale = ev->has_conversation = false;
	ev->row = ev->conversation_row = ev->seq = ev->state_version = ev->lane = 0;
	ev->conversation = ev->contact = ev->message = (struct id){ { 0 } };
	ev->message_row = ev->batch_line = 0;
	ev->message_state[0] = '\0';
	ev->opaque = STR_EMPTY;
	ev->consent_now = STORE_CONSENT_NONE;
	ev->consent_keys = STR_EMPTY;
	ev->followed = NULL;
	ev->is_priced = false;
	ev->priced_name = ev->priced_language = STR_EMPTY;
}

static gw_status put_event(struct writer *w, struct store_put_body *p, struct store_event_in *ev)
{
	struct who who = { 0 };
	gw_status status;
	bool is_new = false;

	ev->stale = is_stale(p, ev);
	status = add_key(w, ev, &is_new);
	ev->duplicate = status == GW_OK && !is_new;
	if (status != GW_OK || !is_new)
		return status;
	if (p->row == 0)
		status = add_body(w, p);
	if (status == GW_OK && ev->has_contact)
		status = contact_resolve(w, ev, p->received_ms, &who);
	if (status == GW_OK && ev->status.len > 0)
		status = note_status(w, p, ev);
	if (status == GW_OK && ev->has_seq && who.conversation != 0)
		status = contact_next_seq(w, ev, &who, &ev->seq);
	if (status != GW_OK)
		return status;
	ev->contact = who.contact_id;
	ev->has_conversation = who.conversation != 0;
	ev->conversation_row = who.conversation;
	ev->conversation = who.conversation_id;
	ev->lane = lane_of(ev, &who);
	status = add_event(w, p, ev, &who);
	if (status == GW_OK && who.contact != 0 &&
	    (ev->consent != STORE_CONSENT_NONE || who.renamed))
		status = consent_note(w, p, ev, who.contact);
	if (status == GW_OK && ev->template_ != NULL)
		status = template_put(w, ev->template_);
	if (status == GW_OK)
		status = add_deliveries(w, p, ev);
	return status;
}

gw_status inbox_add(struct writer *w, struct store_req *req)
{
	struct store_put_body *p = CONTAINER_OF(req, struct store_put_body, req);
	gw_status status = GW_OK;

	p->row = 0;
	for (size_t i = 0; i < p->event_count; i++) {
		clear_outputs(&p->events[i]);
		p->events[i].refused = false;
	}
	if (p->quarantined)
		return add_body(w, p);
	for (size_t i = 0; i < p->event_count && status == GW_OK; i++)
		status = put_event(w, p, &p->events[i]);
	return status;
}

static void forget_event(struct store_event_in *ev)
{
	if (ev->opaque.len > 0) /* empty: a constant */
		free((void *)(uintptr_t)ev->opaque.ptr);
	if (ev->consent_keys.len > 0)
		free((void *)(uintptr_t)ev->consent_keys.ptr);
	store_followed_free(ev->followed);
	if (ev->is_priced) {
		free((void *)(uintptr_t)ev->priced_name.ptr);
		free((void *)(uintptr_t)ev->priced_language.ptr);
	}
	clear_outputs(ev);
}

void inbox_forget(struct store_req *req)
{
	struct store_put_body *p = CONTAINER_OF(req, struct store_put_body, req);

	for (size_t i = 0; i < p->event_count; i++)
		forget_event(&p->events[i]);
	p->row = 0;
}

static void savepoint(struct writer *w, enum sql_id what)
{
	gw_status status = sql_run(&w->sql, sql_use(&w->sql, what));

	ASSERT(status == GW_OK); /* whatever else could happen has ended the process */
}

void inbox_blame(struct writer *w, struct store_req *req)
{
	struct store_put_body *p = CONTAINER_OF(req, struct store_put_body, req);

	for (size_t i = 0; i < p->event_count; i++) {
		struct store_event_in *ev = &p->events[i];
		int64_t event = w->next_event, next_body = w->next_body, body = p->row;

		savepoint(w, SQL_SAVE); /* inside the request's: the inner one is meant */
		ev->refused = put_event(w, p, ev) != GW_OK;
		if (ev->refused) {
			savepoint(w, SQL_SAVE_BACK);
			w->next_event = event;
			w->next_body = next_body;
			p->row = body;
			commit_forget(w);
			forget_event(ev);
		}
		savepoint(w, SQL_SAVE_END);
	}
}
