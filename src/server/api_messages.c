/* SPDX-License-Identifier: MIT */
/*
 * api_messages.c - /api/v1/messages: what became of what was sent
 *
 * Lists and single messages are rendered on a reader's thread, straight from
 * the rows; the trail is every move and every piece of evidence, word for word.
 *
 * THREADS  api_*(): the loop's; run_*(): a reader's.
 * TESTS    tests/system/test_cli.py, tests/system/test_unknown.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/advice.h"
#include "gateway/conversation.h"
#include "gateway/outq.h"
#include "gateway/status.h"
#include "server/api.h"
#include <godwit/errors.h>

#define DETAILS_MAX 4096 /* bytes of Meta's own words that are passed on */

struct message_read {
	struct store_job job;
	struct http_call *call;
	struct buf out;
	struct store_message_filter filter;
	bool by_id, with_trail;
	bool is_resolve; /* asked because the outbox knows no such unfinished message */
	char state[16]; /* of the message found */
	struct id id;
	struct str wamid;
	char to[RECIPIENT_MAX]; /* of the filter, in the form that all forms of a number have */
	char *numbers; /* of the key: what belongs to others does not exist */
	/* while rendering */
	struct store_reader *reader;
	struct json_writer *w;
	struct status_merged merged;
	struct buf errors; /* the errors array of the newest failed status */
	unsigned rows;
	char last[ID_TEXT_MAX];
};

static void kv_time_ms(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_RFC3339_MAX];

	if (ms <= 0) {
		json_w_kv_null(w, key);
		return;
	}
	clock_format_ms(ms, text);
	json_w_kv_text(w, key, text);
}

static void kv_opt(struct json_writer *w, const char *key, struct str value)
{
	if (value.len > 0)
		json_w_kv_str(w, key, value);
	else
		json_w_kv_null(w, key);
}

static bool collect(void *cookie, const struct store_trail_row *t)
{
	struct message_read *m = cookie;

	if (!t->is_evidence)
		return true;
	status_merge(&m->merged, t->status);
	if (t->errors.len > 0) {
		buf_reset(&m->errors);
		buf_put_str(&m->errors, t->errors);
	}
	return true;
}

static void put_meaning(struct json_writer *w, int code, int subcode)
{
	const gw_error_info *info = gw_error_info_find(code, subcode);

	if (info == NULL)
		return;
	json_w_kv_text(w, "title", info->title);
	advice_put(w, code, subcode);
}

/* What Meta said in its own words, in an answer or in a member of a status's errors. */
static void put_details(struct json_writer *w, struct json_val error)
{
	struct str details;

	if (json_get_str(json_member(error, STR("error_data")), STR("details"), DETAILS_MAX,
			 &details))
		json_w_kv_str(w, "details", details);
}

/* The error that explains the state: of the answer, else of the newest failed status. */
static void put_error(struct json_writer *w, struct message_read *m,
		      const struct store_message_row *row)
{
	struct str text = row->code != 0 ? row->answer : buf_str(&m->errors);
	struct arena *a = arena_new(256U * 1024);
	struct json_val error = { 0 };
	const struct json_doc *doc;
	int64_t code = row->code;

	ASSERT(a != NULL);
	if (text.len > 0 && json_scan(text, a, &doc, NULL) == GW_OK)
		error = row->code != 0 ? json_member(json_root(doc), STR("error"))
				       : json_at(json_root(doc), 0);
	if (code == 0)
		(void)json_get_i64(error, STR("code"), &code);
	if (code == 0) {
		json_w_kv_null(w, "error");
		arena_free(a);
		return;
	}
	json_w_key(w, STR("error"));
	json_w_object(w);
	json_w_kv_i64(w, "code", code);
	if (row->subcode != 0)
		json_w_kv_i64(w, "subcode", row->subcode);
	put_meaning(w, (int)code, row->subcode);
	put_details(w, error);
	if (m->errors.len > 0)
		json_w_kv_raw(w, "errors", buf_str(&m->errors));
	json_w_end(w);
	arena_free(a);
}

static void put_message(struct message_read *m, const struct store_message_row *row)
{
	struct json_writer *w = m->w;
	char id[ID_TEXT_MAX];

	id_text(ID_MESSAGE, &row->id, id);
	json_w_kv_text(w, "id", id);
	json_w_kv_str(w, "state", row->state);
	json_w_kv_text(w, "status", status_word(&m->merged));
	json_w_kv_bool(w, "failed", m->merged.failed);
	json_w_kv_str(w, "number_id", row->number_id);
	kv_opt(w, "to", row->to);
	kv_opt(w, "kind", row->kind);
	json_w_kv_i64(w, "tries", row->tries);
	json_w_kv_i64(w, "attempts", row->attempts);
	kv_opt(w, "reason", row->reason);
	kv_opt(w, "wamid", row->wamid);
	kv_opt(w, "opaque", row->opaque);
	kv_opt(w, "policy", row->policy);
	if (row->batch_line != 0 && id_time_ms(&row->batch) > 0) {
		id_text(ID_BATCH, &row->batch, id);
		json_w_kv_text(w, "batch", id);
		json_w_kv_i64(w, "batch_row", STORE_LINE_N(row->batch_line));
	}
	kv_time_ms(w, "created_at", row->created_ms);
	json_w_kv_i64(w, "created_ms", row->created_ms);
	kv_time_ms(w, "expires_at", row->expires_ms);
	kv_time_ms(w, "next_at", row->next_ms);
	json_w_kv_i64(w, "http_status", row->http_status);
	json_w_kv_i64(w, "code", row->code);
	put_error(w, m, row);
	kv_opt(w, "answer", row->answer);
}

/* ---- what it follows, and what follows it ---- */

struct follows {
	struct json_writer *w;
	bool any, of_origin; /* which side is written now */
};

static bool put_follow(void *cookie, const struct store_follow_row *f)
{
	struct follows *o = cookie;
	char id[ID_TEXT_MAX];

	if (f->is_origin != o->of_origin)
		return true;
	id_text(ID_MESSAGE, &f->id, id);
	json_w_object(o->w);
	json_w_kv_text(o->w, "id", id);
	json_w_kv_str(o->w, "as", f->role);
	json_w_end(o->w);
	o->any = true;
	return true;
}

static void put_fallback(void *cookie, struct str name, struct str language)
{
	struct json_writer *w = cookie;

	json_w_key(w, STR("fallback"));
	json_w_object(w);
	json_w_kv_str(w, "template", name);
	json_w_kv_str(w, "language", language);
	json_w_end(w);
}

/* Members that only messages with a plan have. */
static gw_status put_plan(struct message_read *m, const struct store_message_row *row)
{
	struct follows o = { .w = m->w, .of_origin = true };
	gw_status status = GW_OK;

	if (row->plan == 0)
		return GW_OK;
	json_w_kv_bool(m->w, "park", (row->plan & STORE_PLAN_PARK) != 0);
	if ((row->plan & STORE_PLAN_TEMPLATE) != 0)
		status = reader_fallback(m->reader, row->row, put_fallback, m->w);
	json_w_key(m->w, STR("follows"));
	if (status == GW_OK && (row->plan & STORE_PLAN_FOLLOWS) != 0)
		status = reader_follows(m->reader, row->row, put_follow, &o);
	if (!o.any)
		json_w_null(m->w);
	o.of_origin = false;
	json_w_key(m->w, STR("followed_by"));
	json_w_array(m->w);
	if (status == GW_OK)
		status = reader_follows(m->reader, row->row, put_follow, &o);
	json_w_end(m->w);
	return status;
}

/* Meta's list word for word, and what the first of it means. */
static void put_evidence(struct json_writer *w, struct str errors)
{
	struct arena *a = arena_new(256U * 1024);
	const struct json_doc *doc;
	int64_t code;

	ASSERT(a != NULL);
	json_w_kv_raw(w, "errors", errors);
	if (json_scan(errors, a, &doc, NULL) == GW_OK &&
	    json_get_i64(json_at(json_root(doc), 0), STR("code"), &code)) {
		json_w_kv_i64(w, "code", code);
		put_meaning(w, (int)code, 0);
	}
	arena_free(a);
}

static bool trail_row(void *cookie, const struct store_trail_row *t)
{
	struct message_read *m = cookie;
	struct json_writer *w = m->w;
	char id[ID_TEXT_MAX];

	json_w_object(w);
	kv_time_ms(w, "at", t->at_ms);
	json_w_kv_i64(w, "at_ms", t->at_ms);
	if (t->is_evidence) {
		json_w_kv_str(w, "status", t->status);
		kv_opt(w, "recipient", t->recipient);
		kv_time_ms(w, "meta_time", t->meta_s * 1000);
		if (t->errors.len > 0)
			put_evidence(w, t->errors);
		id_text(ID_EVENT, &t->event, id);
		json_w_kv_text(w, "event", id);
	} else {
		kv_opt(w, "from", t->from);
		json_w_kv_str(w, "to", t->to);
		kv_opt(w, "reason", t->reason);
		kv_opt(w, "why", t->why);
		json_w_kv_i64(w, "try", t->tries);
		if (t->http_status != 0)
			json_w_kv_i64(w, "http_status", t->http_status);
		if (t->code != 0) {
			json_w_kv_i64(w, "code", t->code);
			put_meaning(w, t->code, t->subcode);
		}
		if (t->api_ms >= 0) {
			json_w_kv_i64(w, "waited_ms", t->waited_ms);
			json_w_kv_i64(w, "paced_ms", t->paced_ms);
			json_w_kv_i64(w, "connect_ms", t->connect_ms);
			json_w_kv_i64(w, "api_ms", t->api_ms);
		}
	}
	json_w_end(w);
	return true;
}

static bool message_row(void *cookie, const struct store_message_row *row)
{
	struct message_read *m = cookie;

	if (!numbers_have(str_from(m->numbers), row->number_id))
		return true;
	m->rows++;
	m->merged = (struct status_merged){ 0 };
	buf_reset(&m->errors);
	if (reader_trail(m->reader, row->row, collect, m) != GW_OK)
		return false;
	(void)str_copy(row->state, m->state, sizeof(m->state));
	json_w_object(m->w);
	put_message(m, row);
	m->job.status = put_plan(m, row);
	if (m->with_trail && m->job.status == GW_OK) {
		json_w_key(m->w, STR("trail"));
		json_w_array(m->w);
		m->job.status = reader_trail(m->reader, row->row, trail_row, m);
		json_w_end(m->w);
	}
	json_w_end(m->w);
	id_text(ID_MESSAGE, &row->id, m->last);
	return true;
}

static void run_get(struct store_job *job, struct store_reader *r)
{
	struct message_read *m = CONTAINER_OF(job, struct message_read, job);
	struct json_writer w;

	json_w_init(&w, &m->out);
	m->reader = r;
	m->w = &w;
	job->status = reader_message(r, m->by_id ? &m->id : NULL, m->wamid, message_row, m);
	if (job->status == GW_OK && m->rows == 0)
		job->status = GW_ENOTFOUND;
}

static void run_list(struct store_job *job, struct store_reader *r)
{
	struct message_read *m = CONTAINER_OF(job, struct message_read, job);
	struct json_writer w;

	json_w_init(&w, &m->out);
	m->reader = r;
	m->w = &w;
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	job->status = reader_messages(r, &m->filter, message_row, m);
	json_w_end(&w);
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	json_w_kv_text(&w, "next", m->rows == m->filter.limit ? m->last : NULL);
	json_w_end(&w);
	json_w_end(&w);
}

static void on_read(struct store_job *job)
{
	struct message_read *m = CONTAINER_OF(job, struct message_read, job);

	if (job->status == GW_OK && m->is_resolve)
		api_error(m->call, 409, "state", "not_unknown", "the message is %s, not unknown",
			  m->state);
	else if (job->status == GW_OK)
		api_reply(m->call, 200, &m->out);
	else if (job->status == GW_ENOTFOUND)
		api_error(m->call, 404, "not_found", "no_such_message", "there is no such message");
	else
		api_error(m->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
	if (job->status != GW_OK || m->is_resolve)
		buf_release(&m->out);
	buf_release(&m->errors);
	free(m->numbers);
	free(m);
}

static struct message_read *read_new(struct http_call *call, struct str numbers)
{
	struct message_read *m = xcalloc(1, sizeof(*m));

	m->job.done = on_read;
	m->call = call;
	m->numbers = xstrndup(numbers);
	buf_init(&m->out, API_ANSWER_MAX);
	buf_init(&m->errors, 1U << 20);
	return m;
}

static void get(struct api_request *r, bool with_trail)
{
	struct message_read *m = read_new(r->call, api_numbers(r));

	m->job.run = run_get;
	m->with_trail = with_trail;
	m->by_id = id_parse(ID_MESSAGE, r->arg[0], &m->id);
	m->wamid = r->arg[0];
	store_read(r->server->store, &m->job);
}

void api_message_get(struct api_request *r)
{
	get(r, false);
}

void api_message_trail(struct api_request *r)
{
	get(r, true);
}

static void bad_state(struct api_request *r, struct str state)
{
	struct buf words;

	buf_init(&words, 512);
	for (size_t i = 0; i < OUTQ_NSTATES; i++)
		buf_put_fmt(&words, "%s%s", i > 0 ? ", " : "", outq_state_name((enum outq_state)i));
	api_error(r->call, 400, "usage", "bad_state", "state: want one of %.*s, got \"%.*s\"",
		  STR_ARG(buf_str(&words)), STR_ARG(state));
	buf_release(&words);
}

void api_message_list(struct api_request *r)
{
	struct store_message_filter f = { 0 };
	struct message_read *m;
	enum outq_state state;
	struct str to;

	if (!api_limit(r, &f.limit) || !api_query_id(r, "before", ID_MESSAGE, &f.before))
		return;
	if (http_query(r->call, "state", &f.state) && f.state.len > 0 &&
	    !outq_state_parse(f.state, &state)) {
		bad_state(r, f.state);
		return;
	}
	(void)http_query(r->call, "number", &f.number_id);
	m = read_new(r->call, api_numbers(r));
	m->filter = f;
	if (http_query(r->call, "to", &to)) {
		m->filter.to = str_make(m->to, recipient_canonical(to, m->to));
		if (m->filter.to.len == 0)
			m->filter.to = to;
	}
	m->filter.numbers = str_from(m->numbers);
	m->job.run = run_list;
	store_read(r->server->store, &m->job);
}

/* A person's word on a message that may have to be fetched first. */
struct resolve {
	struct server *server;
	struct http_call *call;
	struct str numbers; /* of the key; empty: all */
	struct id id;
	enum outbox_resolve how;
};

static void on_resolved(void *cookie)
{
	http_reply_json(cookie, 200, STR("{\"resolved\":true}"));
}

/* Nothing unknown has this id: say what it is. */
static void resolve_nothing(const struct resolve *o)
{
	struct message_read *m = read_new(o->call, o->numbers);

	m->job.run = run_get;
	m->is_resolve = m->by_id = true;
	m->id = o->id;
	store_read(o->server->store, &m->job);
}

/* In memory, and another number's: to this key it is not there. */
static bool is_foreign(const struct resolve *o)
{
	struct str number = outbox_number_of(o->server->outbox, &o->id);

	return number.len > 0 && !numbers_have(o->numbers, number);
}

/* False: the outbox does not have it in memory. */
static bool resolve(const struct resolve *o)
{
	struct gw_error err = GW_ERROR_INIT;
	gw_status st = outbox_resolve(o->server->outbox, &o->id, o->how, on_resolved, o->call,
				      &err);

	if (st != GW_OK && st != GW_ENOTFOUND)
		api_error(o->call, 409, "state", "not_unknown", "%s", err.message);
	return st != GW_ENOTFOUND;
}

static void on_fetched(void *cookie)
{
	struct resolve *o = cookie;

	if (is_foreign(o) || !resolve(o))
		resolve_nothing(o);
	free((void *)(uintptr_t)o->numbers.ptr);
	free(o);
}

void api_message_resolve(struct api_request *r)
{
	static const struct {
		const char *word;
		enum outbox_resolve how;
	} words[] = { { "sent", OUTBOX_AS_SENT },
		      { "resend", OUTBOX_RESEND },
		      { "expire", OUTBOX_EXPIRE } };
	static const struct api_member known[] = { { "as", API_TEXT, 64 } };
	struct arena *a = arena_new(1U << 20);
	struct resolve o = { .server = r->server, .call = r->call, .numbers = api_numbers(r) };
	struct resolve *kept;
	struct json_val body;
	struct str as = STR_EMPTY;
	size_t i = ARRAY_LEN(words);

	if (!api_id(r, ID_MESSAGE, r->arg[0], &o.id) ||
	    !api_body(r, a, known, ARRAY_LEN(known), &body))
		goto out;
	if (json_get_str(body, STR("as"), 64, &as))
		for (i = 0; i < ARRAY_LEN(words); i++)
			if (str_eq(as, str_from(words[i].word)))
				break;
	if (i == ARRAY_LEN(words)) {
		api_error(r->call, 400, "usage", "bad_as",
			  "as: want sent, resend or expire, got \"%.*s\"", STR_ARG(as));
		goto out;
	}
	o.how = words[i].how;
	if (is_foreign(&o)) {
		resolve_nothing(&o);
	} else if (!resolve(&o)) {
		kept = xmalloc(sizeof(*kept));
		*kept = o;
		kept->numbers = str_make(xstrndup(o.numbers), o.numbers.len);
		outbox_fetch(r->server->outbox, &o.id, on_fetched, kept);
	}
out:
	arena_free(a);
}
