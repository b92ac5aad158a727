/* SPDX-License-Identifier: MIT */
/*
 * api_batches.c - /api/v1/batches: how far they are, and orders to them
 *
 * Counts come from the store, where the moves of the messages keep them; only
 * the rate is the loop's.
 *
 * THREADS  api_*(): the loop's; run_*(): a reader's.
 * TESTS    tests/system/test_batch.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "base/utf8.h"
#include "gateway/batch.h"
#include "gateway/batch_check.h"
#include "server/api.h"
#include "server/api_json.h"

#define PREVIEW_ROWS 3
#define PREVIEW_LOOKED 1000 /* rows that are looked at for them */
#define FINDINGS_MAX 100
#define PREVIEW_BYTES 8192

struct batch_ask {
	struct store_job job;
	struct http_call *call;
	struct buf out;
	struct store_batch_filter filter;
	struct id id;
	char *numbers; /* of the key: what belongs to others does not exist */
	char *state;
	int http_status;
	double rate;
	uint32_t limit_mps;
	/* while rendering */
	struct store_reader *reader;
	struct json_writer *w;
	struct batch_spec *spec;
	unsigned rows;
	char found[16]; /* state of the batch */
	char last[ID_TEXT_MAX];
};

static void put_counts(struct json_writer *w, const struct store_batch *b)
{
	bool over = str_eq(b->state, STR("cancelled"));
	int64_t rest = b->ready - b->fed;
	const struct {
		const char *object, *key;
		int64_t value;
	} rows[] = { { "rows", "total", b->total },
		     { NULL, "ready", b->ready },
		     { NULL, "refused", b->refused },
		     { NULL, "duplicates", b->duplicates },
		     { "progress", "waiting", over ? 0 : rest },
		     { NULL, "queued", b->queued + b->waiting },
		     { NULL, "sending", b->sending },
		     { NULL, "accepted", b->accepted },
		     { NULL, "failed", b->rejected },
		     { NULL, "unknown", b->unknown },
		     { NULL, "expired", b->expired },
		     { NULL, "cancelled", over ? rest : 0 },
		     { "delivery", "sent", b->sent },
		     { NULL, "delivered", b->delivered },
		     { NULL, "read", b->read },
		     { NULL, "failed", b->failed } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].object != NULL && i > 0)
			json_w_end(w);
		if (rows[i].object != NULL) {
			json_w_key(w, str_from(rows[i].object));
			json_w_object(w);
		}
		json_w_kv_i64(w, rows[i].key, rows[i].value);
	}
	json_w_end(w);
}

static void put_batch(struct json_writer *w, const struct store_batch *b,
		      const struct batch_spec *spec)
{
	char id[ID_TEXT_MAX];

	id_text(ID_BATCH, &b->id, id);
	json_w_kv_text(w, "id", id);
	json_w_kv_str(w, "state", b->state);
	api_kv_opt(w, "why", b->why);
	api_kv_opt(w, "name", b->name);
	json_w_kv_str(w, "number", b->number_id);
	batch_spec_members(spec, w);
	api_kv_time_ms(w, "created_at", b->created_ms);
	json_w_kv_i64(w, "created_ms", b->created_ms);
	api_kv_time_ms(w, "moved_at", b->moved_ms);
	put_counts(w, b);
}

static void put_eta(struct batch_ask *q, const struct store_batch *b)
{
	int64_t left = b->ready - b->fed + b->queued + b->sending + b->waiting;
	double rate = q->rate > 0 ? q->rate : q->limit_mps;
	char text[32];

	(void)snprintf(text, sizeof(text), "%.1f", q->rate);
	json_w_kv_raw(q->w, "rate", str_from(text));
	if ((str_eq(b->state, STR("running")) || str_eq(b->state, STR("ready"))) && rate > 0)
		json_w_kv_i64(q->w, "eta_s", (int64_t)((double)left / rate + 0.5));
	else
		json_w_kv_null(q->w, "eta_s");
}

static bool preview_row(void *cookie, const struct store_batch_line *l)
{
	struct batch_ask *q = cookie;
	struct buf body;

	buf_init(&body, 64U * 1024);
	batch_spec_show(q->spec, l->values, &body);
	json_w_object(q->w);
	json_w_kv_str(q->w, "phone", l->phone);
	json_w_kv_str(q->w, "body", utf8_cut(buf_str(&body), PREVIEW_BYTES));
	json_w_end(q->w);
	buf_release(&body);
	return true;
}

void api_batch_put_finding(struct json_writer *w, const struct store_batch_line *l)
{
	const struct batch_finding_text *t = batch_finding_find(l->finding);
	struct buf reason;

	buf_init(&reason, 2048);
	buf_put_text(&reason, t == NULL ? "unknown" : t->reason);
	if (l->detail.len > 0)
		buf_put_fmt(&reason, "%s %.*s",
			    t != NULL && t == batch_finding_find(STR("bad_value")) ? ":" : "",
			    STR_ARG(l->detail));
	json_w_kv_str(w, "code", l->finding);
	json_w_kv_str(w, "reason", buf_str(&reason));
	json_w_kv_text(w, "fix", t == NULL ? NULL : t->fix);
	buf_release(&reason);
}

static bool finding_row(void *cookie, const struct store_batch_line *l)
{
	struct batch_ask *q = cookie;

	json_w_object(q->w);
	json_w_kv_i64(q->w, "row", l->n);
	json_w_kv_str(q->w, "phone", l->phone);
	api_batch_put_finding(q->w, l);
	json_w_end(q->w);
	return true;
}

static bool whole_row(void *cookie, const struct store_batch *b)
{
	struct batch_ask *q = cookie;
	gw_status status;

	if (!numbers_have(str_from(q->numbers), b->number_id))
		return true;
	q->rows++;
	(void)str_copy(b->state, q->found, sizeof(q->found));
	q->spec = batch_spec_read(b->spec);
	ASSERT(q->spec != NULL); /* batch_spec_put() wrote it */
	json_w_object(q->w);
	put_batch(q->w, b, q->spec);
	put_eta(q, b);
	json_w_key(q->w, STR("preview"));
	json_w_array(q->w);
	status = reader_batch_lines(q->reader, b->row, STORE_LINES_TO_SEND, b->last,
				    b->last + PREVIEW_LOOKED, PREVIEW_ROWS, preview_row, q);
	json_w_end(q->w);
	json_w_key(q->w, STR("findings"));
	json_w_array(q->w);
	if (status == GW_OK)
		status = reader_batch_lines(q->reader, b->row, STORE_LINES_FOUND, 0,
					    STORE_LINES_MAX, FINDINGS_MAX, finding_row, q);
	json_w_end(q->w);
	json_w_end(q->w);
	batch_spec_free(q->spec);
	q->job.status = status;
	return false;
}

static void run_get(struct store_job *job, struct store_reader *r)
{
	struct batch_ask *q = CONTAINER_OF(job, struct batch_ask, job);
	struct json_writer w;
	gw_status status;

	json_w_init(&w, &q->out);
	q->reader = r;
	q->w = &w;
	job->status = GW_OK;
	status = reader_batch(r, &q->id, whole_row, q);
	if (status != GW_OK)
		job->status = status;
	else if (q->rows == 0)
		job->status = GW_ENOTFOUND;
}

static bool list_row(void *cookie, const struct store_batch *b)
{
	struct batch_ask *q = cookie;

	struct batch_spec *spec = batch_spec_read(b->spec);

	ASSERT(spec != NULL); /* batch_spec_put() wrote it */
	q->rows++;
	json_w_object(q->w);
	put_batch(q->w, b, spec);
	json_w_end(q->w);
	batch_spec_free(spec);
	id_text(ID_BATCH, &b->id, q->last);
	return true;
}

static void run_list(struct store_job *job, struct store_reader *r)
{
	struct batch_ask *q = CONTAINER_OF(job, struct batch_ask, job);
	struct json_writer w;

	json_w_init(&w, &q->out);
	q->w = &w;
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	job->status = reader_batches(r, &q->filter, list_row, q);
	json_w_end(&w);
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	json_w_kv_text(&w, "next", q->rows == q->filter.limit ? q->last : NULL);
	json_w_end(&w);
	json_w_end(&w);
}

static void on_read(struct store_job *job)
{
	struct batch_ask *q = CONTAINER_OF(job, struct batch_ask, job);

	if (job->status == GW_OK && q->http_status == 409)
		api_error(q->call, 409, "state", "batch_state", "the batch is %s", q->found);
	else if (job->status == GW_OK)
		api_reply(q->call, q->http_status, &q->out);
	else if (job->status == GW_ENOTFOUND)
		api_error(q->call, 404, "not_found", "no_such_id", "there is no such batch");
	else
		api_error(q->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
	if (job->status != GW_OK || q->http_status == 409)
		buf_release(&q->out);
	free(q->numbers);
	free(q->state);
	free(q);
}

static struct batch_ask *ask_new(struct http_call *call, struct str numbers)
{
	struct batch_ask *q = xcalloc(1, sizeof(*q));

	q->job.done = on_read;
	q->call = call;
	q->http_status = 200;
	q->numbers = xstrndup(numbers);
	buf_init(&q->out, API_ANSWER_MAX);
	return q;
}

void api_batch_answer(struct server *s, struct http_call *call, struct str numbers,
		      const struct id *id, int status)
{
	struct batch_ask *q = ask_new(call, numbers);
	const struct number *n = accounts_number(s->accounts, batches_number_of(s->batches, id));

	q->id = *id;
	q->http_status = status;
	q->rate = batches_rate(s->batches, id);
	q->limit_mps = n == NULL ? 0 : n->limit_mps;
	q->job.run = run_get;
	store_read(s->store, &q->job);
}

static bool read_id(struct api_request *r, struct id *out)
{
	if (id_parse(ID_BATCH, r->arg[0], out))
		return true;
	api_error(r->call, 404, "not_found", "no_such_id", "there is no such batch");
	return false;
}

void api_batch_get(struct api_request *r)
{
	struct id id;

	if (read_id(r, &id))
		api_batch_answer(r->server, r->call, api_numbers(r), &id, 200);
}

void api_batch_list(struct api_request *r)
{
	struct store_batch_filter f = { .state = STR_EMPTY };
	enum batch_state state;
	struct batch_ask *q;

	if (!api_limit(r, &f.limit) || !api_query_id(r, "before", ID_BATCH, &f.before))
		return;
	if (http_query(r->call, "state", &f.state) && f.state.len > 0 &&
	    !batch_state_parse(f.state, &state)) {
		api_error(r->call, 400, "usage", "bad_state", "state: there is no \"%.*s\"",
			  STR_ARG(str_slice(f.state, 0, 64)));
		return;
	}
	q = ask_new(r->call, api_numbers(r));
	q->state = xstrndup(f.state);
	q->filter = f;
	q->filter.state = str_from(q->state);
	q->filter.numbers = str_from(q->numbers);
	q->job.run = run_list;
	store_read(r->server->store, &q->job);
}

/* ---- orders */

struct batch_ordered {
	struct server *server;
	struct http_call *call;
};

static void on_ordered(void *cookie, gw_status status, const struct id *id)
{
	struct batch_ordered *o = cookie;

	if (status == GW_OK)
		api_batch_answer(o->server, o->call, STR_EMPTY, id, 200);
	else
		api_error(o->call, status == GW_ESTATE ? 409 : 503,
			  status == GW_ESTATE ? "state" : "busy", "not_moved",
			  "the batch has changed meanwhile, or the store did not take it");
	free(o);
}

static bool read_confirm(struct api_request *r, bool *has, int64_t *out)
{
	static const struct api_member known[] = { { "confirm", API_OTHER, 0 } };
	struct arena *a;
	struct json_val body;
	bool ok = true;

	*has = false;
	if (http_body(r->call).len == 0)
		return true;
	a = arena_new(1U << 20);
	ok = api_body(r, a, known, ARRAY_LEN(known), &body);
	if (ok && json_exists(json_member(body, STR("confirm")))) {
		*has = ok = json_get_i64(body, STR("confirm"), out);
		if (!ok)
			api_error(r->call, 400, "usage", "bad_member",
				  "confirm: want a number of messages");
	}
	arena_free(a);
	return ok;
}

/* It is at its end, or there is none: the answer says which. */
static void not_open(struct api_request *r, const struct id *id)
{
	api_batch_answer(r->server, r->call, api_numbers(r), id, 409);
}

static void order(struct api_request *r, enum batch_order what)
{
	struct gw_error err = GW_ERROR_INIT;
	struct batch_ordered *o;
	int64_t confirm;
	struct str number;
	gw_status status;
	struct id id;
	bool has;

	if (!read_id(r, &id) || !read_confirm(r, &has, &confirm))
		return;
	number = batches_number_of(r->server->batches, &id);
	if (number.len == 0 || !numbers_have(api_numbers(r), number)) {
		not_open(r, &id);
		return;
	}
	o = xmalloc(sizeof(*o));
	*o = (struct batch_ordered){ r->server, r->call };
	status = batches_order(r->server->batches, &id, what, has ? &confirm : NULL, on_ordered, o,
			       &err);
	if (status == GW_OK)
		return;
	free(o);
	if (status == GW_ENOTFOUND)
		not_open(r, &id);
	else
		api_error(r->call, 409, "state", status == GW_EARG ? "confirm" : "batch_state",
			  "%s", err.message);
}

void api_batch_start(struct api_request *r)
{
	order(r, BATCH_START);
}

void api_batch_pause(struct api_request *r)
{
	order(r, BATCH_PAUSE);
}

void api_batch_resume(struct api_request *r)
{
	order(r, BATCH_RESUME);
}

void api_batch_cancel(struct api_request *r)
{
	order(r, BATCH_CANCEL);
}
