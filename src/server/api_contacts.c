/* SPDX-License-Identifier: MIT */
/*
 * api_contacts.c - /api/v1/contacts: who is known, and who wants marketing messages
 *
 * A decision is a consent.changed that goes through the inbox like one of
 * Meta's: it is recorded, relayed and in force when the call is answered.
 *
 *   POST optout -> who is it? (reader) -> body in Meta's shape -> commit -> answer (reader)
 *
 * THREADS  api_*(): the loop's; run_*(): a reader's.
 * TESTS    tests/system/test_consent.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/consent.h"
#include "server/api.h"
#include "server/api_json.h"

#define BODY_MAX (64U * 1024)
#define PHONE_DIGITS_MIN 7
#define PHONE_DIGITS_MAX 15

struct decision {
	enum store_consent what;
	const char *source;
	char note[CONSENT_NOTE_MAX + 1];
	struct id key;
};

struct contact_read {
	struct store_job job;
	struct server *server;
	struct http_call *call;
	struct buf out;
	struct store_contact_filter filter;
	bool by_id;
	struct id id;
	char *key; /* phone or user id, as it was asked for */
	char *numbers; /* of the API key: what belongs to others does not exist */
	struct decision *decision; /* to be made of whom is found; NULL: only look */
	/* while rendering */
	struct store_reader *reader;
	struct json_writer *w;
	bool with_record;
	unsigned rows;
	char last[ID_TEXT_MAX];
	char phone[RECIPIENT_MAX], user_id[RECIPIENT_MAX]; /* of the contact found */
};

static bool consent_row(void *cookie, const struct store_consent_row *c)
{
	struct contact_read *q = cookie;
	struct json_writer *w = q->w;
	const struct id none = { { 0 } };
	char id[ID_TEXT_MAX];

	json_w_object(w);
	api_kv_time_ms(w, "at", c->at_ms);
	json_w_kv_i64(w, "at_ms", c->at_ms);
	api_kv_time_ms(w, "recorded_at", c->recorded_ms);
	json_w_kv_str(w, "what", c->what);
	json_w_kv_str(w, "scope", c->scope);
	json_w_kv_str(w, "source", c->source);
	if (q->numbers[0] != '\0') { /* the rest may be of another number */
		json_w_end(w);
		return true;
	}
	if (c->has_key)
		id_text(ID_KEY, &c->key, id);
	json_w_kv_text(w, "key", c->has_key ? id : NULL);
	api_kv_opt(w, "note", c->note);
	if (!id_eq(&c->event, &none))
		id_text(ID_EVENT, &c->event, id);
	json_w_kv_text(w, "event", id_eq(&c->event, &none) ? NULL : id);
	json_w_end(w);
	return true;
}

static bool contact_row(void *cookie, const struct store_contact_row *c)
{
	static const char *const words[] = { [STORE_CONSENT_NONE] = "unknown",
					     [STORE_CONSENT_IN] = "optin",
					     [STORE_CONSENT_OUT] = "optout" };
	struct contact_read *q = cookie;
	struct json_writer *w = q->w;

	q->rows++;
	(void)str_copy(c->phone, q->phone, sizeof(q->phone));
	(void)str_copy(c->user_id, q->user_id, sizeof(q->user_id));
	id_text(ID_CONTACT, &c->id, q->last);
	json_w_object(w);
	json_w_kv_text(w, "id", q->last);
	api_kv_phone(w, "phone", c->phone);
	api_kv_opt(w, "user_id", c->user_id);
	api_kv_opt(w, "username", c->username);
	api_kv_opt(w, "name", c->name);
	json_w_kv_text(w, "marketing", words[c->consent]);
	api_kv_time_ms(w, "marketing_since", c->consent_ms);
	api_kv_time_ms(w, "created_at", c->created_ms);
	if (q->with_record) {
		json_w_key(w, STR("record"));
		json_w_array(w);
		q->job.status = reader_consents(q->reader, c->row, consent_row, q);
		json_w_end(w);
	}
	json_w_end(w);
	return q->job.status == GW_OK;
}

static void run_get(struct store_job *job, struct store_reader *r)
{
	struct contact_read *q = CONTAINER_OF(job, struct contact_read, job);
	struct json_writer w;
	gw_status status;

	json_w_init(&w, &q->out);
	q->reader = r;
	q->w = &w;
	job->status = GW_OK;
	status = reader_contact(r, q->by_id ? &q->id : NULL, str_from(q->key), str_from(q->numbers),
				contact_row, q);
	if (status != GW_OK)
		job->status = status;
}

static void run_list(struct store_job *job, struct store_reader *r)
{
	struct contact_read *q = CONTAINER_OF(job, struct contact_read, job);
	struct json_writer w;

	json_w_init(&w, &q->out);
	q->reader = r;
	q->w = &w;
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	job->status = reader_contacts(r, &q->filter, contact_row, q);
	json_w_end(&w);
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	json_w_kv_text(&w, "next", q->rows == q->filter.limit ? q->last : NULL);
	json_w_end(&w);
	json_w_end(&w);
}

static void read_free(struct contact_read *q)
{
	buf_release(&q->out);
	free(q->key);
	free(q->numbers);
	free(q->decision);
	free(q);
}

static void not_read(struct contact_read *q)
{
	if (q->job.status == GW_ENOTFOUND)
		api_error(q->call, 404, "not_found", "no_such_contact", "there is no such contact");
	else
		api_error(q->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
}

static void on_read(struct store_job *job)
{
	struct contact_read *q = CONTAINER_OF(job, struct contact_read, job);

	if (job->status == GW_OK)
		api_reply(q->call, 200, &q->out);
	else
		not_read(q);
	read_free(q);
}

static struct contact_read *read_new(struct server *s, struct http_call *call, struct str numbers,
				     struct str who)
{
	struct contact_read *q = xcalloc(1, sizeof(*q));

	q->server = s;
	q->call = call;
	q->numbers = xstrndup(numbers);
	q->key = xstrndup(who);
	q->by_id = id_parse(ID_CONTACT, who, &q->id);
	q->with_record = true;
	q->job.run = run_get;
	q->job.done = on_read;
	buf_init(&q->out, API_ANSWER_MAX);
	return q;
}

void api_contact_get(struct api_request *r)
{
	struct contact_read *q = read_new(r->server, r->call, api_numbers(r), r->arg[0]);

	store_read(r->server->store, &q->job);
}

void api_contact_list(struct api_request *r)
{
	struct store_contact_filter f = { 0 };
	struct contact_read *q;

	if (!api_limit(r, &f.limit) || !api_query_id(r, "before", ID_CONTACT, &f.before))
		return;
	q = read_new(r->server, r->call, api_numbers(r), STR_EMPTY);
	q->filter = f;
	q->filter.numbers = str_from(q->numbers);
	q->with_record = false;
	q->job.run = run_list;
	store_read(r->server->store, &q->job);
}

/* ---- decisions ---- */

/* The decision is on disk, or it is not: the answer is the contact as it is now. */
static void on_decided(void *cookie, const struct store_event_in *ev)
{
	struct contact_read *q = cookie, *now;

	if (ev == NULL) {
		api_error(q->call, 503, "busy", "store",
			  "the decision was not stored; nothing has changed, try again");
	} else {
		now = read_new(q->server, q->call, STR_EMPTY, STR_EMPTY);
		now->by_id = true;
		now->id = ev->contact;
		store_read(q->server->store, &now->job);
	}
	read_free(q);
}

/* The digits of a telephone number that nobody was asked for yet. */
static bool new_phone(struct contact_read *q)
{
	char digits[RECIPIENT_MAX];
	size_t n = 0;

	for (const char *p = q->key; *p != '\0'; p++) {
		if (*p >= '0' && *p <= '9' && n < PHONE_DIGITS_MAX)
			digits[n++] = *p;
		else if (strchr("+-() ", *p) == NULL)
			return false;
	}
	return n >= PHONE_DIGITS_MIN && str_copy(str_make(digits, n), q->phone, sizeof(q->phone));
}

static void decide(struct contact_read *q)
{
	struct server *s = q->server;
	struct inbox_source source = { .received_ms = clock_wall_ms(&s->clock),
				       .done = on_decided,
				       .cookie = q };
	struct consent_change c = { .what = q->decision->what,
				    .source = q->decision->source,
				    .phone = str_from(q->phone),
				    .user_id = str_from(q->user_id),
				    .at_s = source.received_ms / 1000,
				    .note = str_from(q->decision->note),
				    .key = q->decision->key };
	char cause[ID_TEXT_MAX];
	struct buf body;
	struct id id;

	id_make(&s->ids, &s->clock, &s->rnd, &id); /* so that no two decisions are one */
	id_text(ID_EVENT, &id, cause);
	c.cause = str_from(cause);
	buf_init(&body, BODY_MAX);
	consent_put_body(&body, &c);
	ASSERT(!buf_failed(&body));
	inbox_put(s->inbox, inbox_item_new(buf_take(&body), &source));
	buf_release(&body);
}

static void on_found(struct store_job *job)
{
	struct contact_read *q = CONTAINER_OF(job, struct contact_read, job);

	if (job->status == GW_ENOTFOUND && !q->by_id && new_phone(q))
		job->status = GW_OK; /* she can opt out before she is ever written to */
	if (job->status == GW_OK) {
		decide(q);
		return;
	}
	not_read(q);
	read_free(q);
}

static bool read_source(struct api_request *r, struct json_val body, struct decision *d)
{
	static const char *const words[] = { "api", "cli", "import" };
	struct str text;

	d->source = words[0];
	if (!json_get_str(body, STR("source"), 16, &text))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(text, str_from(words[i]))) {
			d->source = words[i];
			return true;
		}
	}
	api_error(r->call, 400, "usage", "bad_source",
		  "source: want api, cli or import, got \"%.*s\"", STR_ARG(text));
	return false;
}

static void opt(struct api_request *r, enum store_consent what)
{
	static const struct api_member known[] = { { "source", API_TEXT, 16 },
						   { "note", API_TEXT, CONSENT_NOTE_MAX } };
	struct decision *d = xcalloc(1, sizeof(*d));
	struct arena *a = arena_new(1U << 20);
	struct contact_read *q;
	struct json_val body;
	struct str note;

	ASSERT(a != NULL);
	d->what = what;
	if (http_body(r->call).len == 0) {
		d->source = "api";
	} else if (!api_body(r, a, known, ARRAY_LEN(known), &body) || !read_source(r, body, d)) {
		free(d);
		arena_free(a);
		return;
	} else if (json_get_str(body, STR("note"), CONSENT_NOTE_MAX, &note)) {
		(void)str_copy(note, d->note, sizeof(d->note));
	}
	if (r->key != NULL)
		d->key = r->key->id;
	q = read_new(r->server, r->call, STR_EMPTY, r->arg[0]);
	q->decision = d;
	q->job.done = on_found;
	store_read(r->server->store, &q->job);
	arena_free(a);
}

void api_contact_optin(struct api_request *r)
{
	opt(r, STORE_CONSENT_IN);
}

void api_contact_optout(struct api_request *r)
{
	opt(r, STORE_CONSENT_OUT);
}
