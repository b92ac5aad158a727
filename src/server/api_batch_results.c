/* SPDX-License-Identifier: MIT */
/*
 * api_batch_results.c - /api/v1/batches/{id}/results: what became of each row
 *
 *   JSON   a page of rows after ?after=
 *   CSV    all of them as one stream, a page of the store at a time, read on only when the client
 *          has taken what came before
 *
 * INVARIANTS  1. A page looks at LOOK_ROWS rows at most, however few of them are wanted.
 *             2. Of a CSV at most QUEUE_MAX bytes wait for a slow client.
 * THREADS     run(): a reader's; on_closed(): a listener's; the rest: the loop's.
 * TESTS       tests/system/test_batch.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/batch.h"
#include "gateway/outq.h"
#include "gateway/status.h"
#include "server/api.h"
#include "server/api_json.h"
#include <godwit/errors.h>

#include <stdatomic.h>

#define LOOK_ROWS 1000
#define QUEUE_MAX ((size_t)4 << 20)
#define QUEUE_LOW ((size_t)512 << 10)
#define PAGE_BYTES ((size_t)2 << 20)
#define LOOK_MS 5

enum line_state {
	LINE_WAITING,
	LINE_QUEUED,
	LINE_SENDING,
	LINE_SENT,
	LINE_FAILED,
	LINE_REFUSED,
	LINE_UNKNOWN,
	LINE_EXPIRED,
	LINE_CANCELLED,
	LINE_NSTATES
};
static const char *const words[LINE_NSTATES] = { "waiting", "queued",  "sending",
						 "sent",    "failed",  "refused",
						 "unknown", "expired", "cancelled" };

struct results {
	struct store_job job;
	struct server *server;
	struct http_call *call; /* NULL once it streams */
	struct http_stream *stream;
	atomic_bool gone; /* its client is */
	atomic_uint owners; /* of a stream: the loop, the listener; the last one frees */
	struct timer timer;
	bool csv, all;
	struct id id;
	char *numbers;
	int64_t after;
	unsigned limit;
	bool one_state;
	enum line_state wanted;
	/* of one page */
	struct buf out, failed;
	struct json_writer w, f;
	bool found, cancelled, cut; /* cut: there may be more */
	int64_t batch_row, sent, last;
	unsigned looked, given;
	char state[16];
};

static enum line_state state_of(const struct results *q, const struct store_batch_line *l,
				const struct status_merged *m)
{
	static const struct {
		enum outq_state from;
		enum line_state to;
	} rows[] = { { OUTQ_QUEUED, LINE_QUEUED },   { OUTQ_WAITING, LINE_QUEUED },
		     { OUTQ_SENDING, LINE_SENDING }, { OUTQ_UNKNOWN, LINE_UNKNOWN },
		     { OUTQ_ACCEPTED, LINE_SENT },   { OUTQ_REJECTED, LINE_FAILED },
		     { OUTQ_EXPIRED, LINE_EXPIRED } };
	const char *word = status_word(m);

	if (l->finding.len > 0)
		return LINE_REFUSED;
	if (!l->handed)
		return q->cancelled ? LINE_CANCELLED : LINE_WAITING;
	if (!l->has_message)
		return LINE_SENT; /* its row has left by retention, at its end */
	if (word != NULL && str_eq(str_from(word), STR("failed")))
		return LINE_FAILED;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_eq(l->state, str_from(outq_state_name(rows[i].from))))
			return rows[i].to;
	}
	return LINE_QUEUED;
}

/* code, reason and fix, of the check or of Meta */
static void put_reason(struct json_writer *w, const struct store_batch_line *l)
{
	int code = l->code != 0 ? l->code : l->failed_code;
	const gw_error_info *info = NULL;

	if (code != 0) /* 0 is a code of Meta's, too; here it is that there is none */
		info = gw_error_info_find(code, l->code != 0 ? l->subcode : 0);
	if (l->finding.len > 0) {
		api_batch_put_finding(w, l);
		return;
	}
	if (code != 0)
		json_w_kv_i64(w, "code", code);
	else
		json_w_kv_null(w, "code");
	json_w_kv_text(w, "reason", info == NULL ? NULL : info->meaning);
	json_w_kv_text(w, "fix", info == NULL ? NULL : info->fix);
}

static void put_line(struct json_writer *w, const struct store_batch_line *l, enum line_state s,
		     const char *status)
{
	char id[ID_TEXT_MAX];

	json_w_object(w);
	json_w_kv_i64(w, "row", l->n);
	json_w_kv_str(w, "phone", l->phone);
	json_w_kv_text(w, "state", words[s]);
	json_w_kv_text(w, "status", status);
	if (l->has_message)
		id_text(ID_MESSAGE, &l->message, id);
	json_w_kv_text(w, "id", l->has_message ? id : NULL);
	api_kv_opt(w, "wamid", l->wamid);
	put_reason(w, l);
	json_w_end(w);
}

/* ---- CSV */

static void put_cell(struct buf *out, struct str cell, bool last)
{
	bool quote = false;

	for (size_t i = 0; i < cell.len; i++)
		quote |= cell.ptr[i] == ',' || cell.ptr[i] == '"' || cell.ptr[i] == '\n' ||
			 cell.ptr[i] == '\r';
	if (quote)
		buf_put_char(out, '"');
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] == '"')
			buf_put_char(out, '"');
		buf_put_char(out, cell.ptr[i]);
	}
	if (quote)
		buf_put_char(out, '"');
	buf_put_text(out, last ? "\r\n" : ",");
}

/* The object that JSON shows, member by member: the two cannot say different things. */
static void put_csv(struct buf *out, struct str object)
{
	static const char *const columns[] = { "row",   "phone", "state",  "status", "id",
					       "wamid", "code",  "reason", "fix" };
	struct arena *a = arena_new(64U * 1024);
	const struct json_doc *doc;
	struct str text;

	if (json_scan(object, a, &doc, NULL) != GW_OK)
		PANIC("our own JSON does not scan");
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		if (!json_get_text(json_root(doc), str_from(columns[i]), 8192, &text))
			text = STR_EMPTY;
		put_cell(out, text, i + 1 == ARRAY_LEN(columns));
	}
	arena_free(a);
}

/* ---- a page */

static bool line_row(void *cookie, const struct store_batch_line *l)
{
	struct results *q = cookie;
	struct status_merged m = { 0 };
	struct str rest = l->statuses, one;
	enum line_state s;
	struct buf object;

	while (l->statuses.len > 0 && str_split(&rest, ',', &one))
		status_merge(&m, one);
	s = state_of(q, l, &m);
	q->looked++;
	q->last = l->n;
	if (q->one_state && s != q->wanted)
		return true;
	q->given++;
	if (q->csv) {
		struct json_writer w;

		buf_init(&object, 64U * 1024);
		json_w_init(&w, &object);
		put_line(&w, l, s, status_word(&m));
		put_csv(&q->out, buf_str(&object));
		buf_release(&object);
	} else {
		put_line(&q->w, l, s, status_word(&m));
		if (s == LINE_FAILED || s == LINE_REFUSED || s == LINE_EXPIRED)
			put_line(&q->f, l, s, status_word(&m));
	}
	q->cut = q->given >= q->limit || q->out.len >= PAGE_BYTES;
	return !q->cut;
}

static bool batch_row(void *cookie, const struct store_batch *b)
{
	struct results *q = cookie;

	if (!numbers_have(str_from(q->numbers), b->number_id))
		return false;
	q->found = true;
	q->batch_row = b->row;
	q->cancelled = str_eq(b->state, STR("cancelled"));
	q->sent = b->accepted;
	(void)str_copy(b->state, q->state, sizeof(q->state));
	return false;
}

static void put_json(struct results *q)
{
	struct buf rows = q->out;
	struct json_writer w;
	char id[ID_TEXT_MAX];

	buf_init(&q->out, API_ANSWER_MAX);
	json_w_init(&w, &q->out);
	json_w_object(&w);
	id_text(ID_BATCH, &q->id, id);
	json_w_kv_text(&w, "id", id);
	json_w_kv_text(&w, "state", q->state);
	json_w_kv_i64(&w, "sent", q->sent);
	json_w_kv_raw(&w, "failed", buf_str(&q->failed));
	json_w_kv_raw(&w, "data", buf_str(&rows));
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	if (q->looked == LOOK_ROWS || q->cut)
		json_w_kv_i64(&w, "next", q->last);
	else
		json_w_kv_null(&w, "next");
	json_w_end(&w);
	json_w_end(&w);
	buf_release(&rows);
}

static void run(struct store_job *job, struct store_reader *r)
{
	struct results *q = CONTAINER_OF(job, struct results, job);
	gw_status status;

	q->looked = q->given = 0;
	q->found = q->cut = false;
	q->last = q->after;
	status = reader_batch(r, &q->id, batch_row, q);
	if (status == GW_OK && !q->found)
		status = GW_ENOTFOUND;
	if (!q->csv) {
		json_w_init(&q->w, &q->out);
		json_w_init(&q->f, &q->failed);
		json_w_array(&q->w);
		json_w_array(&q->f);
	}
	if (status == GW_OK)
		status = reader_batch_lines(r, q->batch_row, STORE_LINES_ALL, q->after,
					    STORE_LINES_MAX, LOOK_ROWS, line_row, q);
	if (status == GW_ETIMEOUT && q->looked > 0)
		status = GW_OK, q->cut = true; /* what was read is a shorter page */
	if (!q->csv) {
		json_w_end(&q->w);
		json_w_end(&q->f);
	}
	if (!q->csv && status == GW_OK)
		put_json(q);
	job->status = status;
}

static void results_free(struct results *q)
{
	buf_release(&q->out);
	buf_release(&q->failed);
	free(q->numbers);
	free(q);
}

static void refuse_call(struct results *q)
{
	if (q->job.status == GW_ENOTFOUND)
		api_error(q->call, 404, "not_found", "no_such_id", "there is no such batch");
	else
		api_error(q->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
	results_free(q);
}

/* ---- the stream */

static void release(struct results *q)
{
	if (atomic_fetch_sub(&q->owners, 1) == 1)
		results_free(q);
}

static void on_closed(void *cookie)
{
	struct results *q = cookie;

	atomic_store(&q->gone, true);
	release(q);
}

/* The loop is done with it. */
static void end_stream(struct results *q, bool whole)
{
	timer_cancel(&q->timer);
	if (!whole)
		http_stream_cut(q->stream);
	http_stream_close(q->stream);
	release(q);
}

static bool is_over(const struct results *q)
{
	return atomic_load(&q->gone) || q->server->phase == SERVER_DRAINING;
}

static void on_look(void *cookie)
{
	struct results *q = cookie;

	if (is_over(q))
		end_stream(q, false);
	else if (http_stream_queued(q->stream) > QUEUE_LOW)
		timer_in_ms(&q->timer, LOOK_MS); /* inv. 2 */
	else
		store_read(q->server->store, &q->job);
}

static void begin_stream(struct results *q)
{
	atomic_store(&q->owners, 2);
	q->stream = http_reply_stream(q->call, "text/csv; charset=utf-8", QUEUE_MAX, on_closed, q);
	q->call = NULL;
	http_stream_send(q->stream, STR("row,phone,state,status,id,wamid,code,reason,fix\r\n"));
}

static void on_page(struct results *q)
{
	bool end;

	if (q->call != NULL && q->job.status != GW_OK) {
		refuse_call(q);
		return;
	}
	if (q->call != NULL)
		begin_stream(q);
	if (q->out.len > 0)
		http_stream_send(q->stream, buf_str(&q->out));
	buf_reset(&q->out);
	q->after = q->last;
	end = (q->job.status == GW_OK && q->looked == 0) || (!q->all && q->given >= q->limit);
	if (!q->all)
		q->limit -= q->given < q->limit ? q->given : q->limit;
	if (end || is_over(q) || (q->job.status != GW_OK && q->job.status != GW_ETIMEOUT))
		end_stream(q, end);
	else
		timer_in_ms(&q->timer, 0);
}

static void on_read(struct store_job *job)
{
	struct results *q = CONTAINER_OF(job, struct results, job);

	if (q->csv) {
		on_page(q);
	} else if (job->status != GW_OK) {
		refuse_call(q);
	} else {
		api_reply(q->call, 200, &q->out);
		buf_init(&q->out, 1);
		results_free(q);
	}
}

/* ---- the call */

static bool read_state(struct api_request *r, struct results *q)
{
	struct str text;

	if (!http_query(r->call, "state", &text) || text.len == 0)
		return true;
	for (size_t i = 0; i < LINE_NSTATES; i++) {
		if (str_eq(text, str_from(words[i]))) {
			q->one_state = true;
			q->wanted = (enum line_state)i;
			return true;
		}
	}
	api_error(r->call, 400, "usage", "bad_state", "state: no row is \"%.*s\"",
		  STR_ARG(str_slice(text, 0, 64)));
	return false;
}

static bool read_format(struct api_request *r, struct results *q)
{
	struct str text = STR_EMPTY;
	uint32_t after = 0;

	(void)http_query(r->call, "format", &text);
	q->csv = str_eq(text, STR("csv"));
	if (text.len > 0 && !q->csv && !str_eq(text, STR("json"))) {
		api_error(r->call, 400, "usage", "bad_format", "format: want csv or json");
		return false;
	}
	if (http_query(r->call, "after", &text) && !str_to_u32(text, &after)) {
		api_error(r->call, 400, "usage", "bad_after", "after: want the number of a row");
		return false;
	}
	q->after = after;
	q->all = q->csv && !http_query(r->call, "limit", &text);
	if (q->all) {
		q->limit = LOOK_ROWS;
		return true;
	}
	return api_limit(r, &q->limit);
}

void api_batch_results(struct api_request *r)
{
	struct results *q = xcalloc(1, sizeof(*q));

	q->server = r->server;
	q->call = r->call;
	timer_init(&q->timer, r->server->loop, LOOP_REAL, on_look, q);
	q->numbers = xstrndup(api_numbers(r));
	buf_init(&q->out, API_ANSWER_MAX);
	buf_init(&q->failed, API_ANSWER_MAX);
	q->job.run = run;
	q->job.done = on_read;
	if (!id_parse(ID_BATCH, r->arg[0], &q->id)) {
		q->job.status = GW_ENOTFOUND;
		refuse_call(q);
	} else if (!read_state(r, q) || !read_format(r, q)) {
		results_free(q);
	} else {
		store_read(r->server->store, &q->job);
	}
}
