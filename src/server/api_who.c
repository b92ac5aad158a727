/* SPDX-License-Identifier: MIT */
/*
 * api_who.c - /api/v1/conversations: who writes with whom, and whether the window is open
 *
 * Rendered on a reader's thread, straight from the rows.  The window's state is
 * what the guard would find now (gateway/guard.c): open until 24 hours after the
 * customer last wrote, shut since then, or "never" when nothing is known of her.
 *
 * THREADS  api_*(): the loop's; run_*(): a reader's.
 * TESTS    tests/system/test_conversation.py
 */
#include "base/mem.h"
#include "gateway/conversation.h"
#include "server/api_json.h"
#include "server/api.h"

struct who_read {
	struct store_job job;
	struct http_call *call;
	struct buf out;
	struct store_conversation_filter filter;
	struct id id;
	char *numbers; /* of the key: what belongs to others does not exist */
	char *account_id; /* of the filter */
	int64_t now_ms;
	/* while rendering */
	struct json_writer *w;
	unsigned rows;
	char last[ID_TEXT_MAX];
};

static void put_window(struct json_writer *w, int64_t window_ms, int64_t now_ms)
{
	bool open = window_ms > 0 && now_ms - window_ms <= WINDOW_MS;

	json_w_key(w, STR("window"));
	json_w_object(w);
	json_w_kv_text(w, "state", window_ms == 0 ? "never" : open ? "open" : "shut");
	api_kv_time_ms(w, "opened_at", window_ms);
	api_kv_time_ms(w, "until", window_ms == 0 ? 0 : window_ms + WINDOW_MS);
	json_w_kv_i64(w, "until_ms", window_ms == 0 ? 0 : window_ms + WINDOW_MS);
	json_w_end(w);
}

static void put_contact(struct json_writer *w, const struct store_conversation_row *c)
{
	char id[ID_TEXT_MAX];

	if (!c->has_contact) {
		json_w_kv_null(w, "contact");
		return;
	}
	id_text(ID_CONTACT, &c->contact, id);
	json_w_key(w, STR("contact"));
	json_w_object(w);
	json_w_kv_text(w, "id", id);
	api_kv_phone(w, "phone", c->phone);
	api_kv_opt(w, "user_id", c->user_id);
	api_kv_opt(w, "username", c->username);
	api_kv_opt(w, "name", c->name);
	json_w_end(w);
}

static bool conversation_row(void *cookie, const struct store_conversation_row *c)
{
	struct who_read *q = cookie;
	struct json_writer *w = q->w;

	if (!numbers_have(str_from(q->numbers), c->account_id))
		return true;
	q->rows++;
	id_text(ID_CONVERSATION, &c->id, q->last);
	json_w_object(w);
	json_w_kv_text(w, "id", q->last);
	json_w_kv_str(w, "number_id", c->account_id);
	json_w_kv_str(w, "channel", c->channel);
	api_kv_opt(w, "group_id", c->group_id);
	put_contact(w, c);
	put_window(w, c->window_ms, q->now_ms);
	api_kv_time_ms(w, "created_at", c->created_ms);
	if (c->last_seq == 0) {
		json_w_kv_null(w, "last");
	} else {
		json_w_key(w, STR("last"));
		json_w_object(w);
		json_w_kv_i64(w, "seq", c->last_seq);
		json_w_kv_str(w, "type", c->last_type);
		json_w_kv_str(w, "kind", c->last_kind);
		api_kv_time_ms(w, "received_at", c->last_ms);
		json_w_end(w);
	}
	json_w_end(w);
	return true;
}

static void run_get(struct store_job *job, struct store_reader *r)
{
	struct who_read *q = CONTAINER_OF(job, struct who_read, job);
	struct json_writer w;

	json_w_init(&w, &q->out);
	q->w = &w;
	job->status = reader_conversation(r, &q->id, conversation_row, q);
	if (job->status == GW_OK && q->rows == 0)
		job->status = GW_ENOTFOUND;
}

static void run_list(struct store_job *job, struct store_reader *r)
{
	struct who_read *q = CONTAINER_OF(job, struct who_read, job);
	struct json_writer w;

	json_w_init(&w, &q->out);
	q->w = &w;
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	job->status = reader_conversations(r, &q->filter, conversation_row, q);
	json_w_end(&w);
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	json_w_kv_text(&w, "next", q->rows == q->filter.limit ? q->last : NULL);
	json_w_end(&w);
	json_w_end(&w);
}

static void on_read(struct store_job *job)
{
	struct who_read *q = CONTAINER_OF(job, struct who_read, job);

	if (job->status == GW_OK)
		api_reply(q->call, 200, &q->out);
	else if (job->status == GW_ENOTFOUND)
		api_error(q->call, 404, "not_found", "no_such_id", "there is no such conversation");
	else
		api_error(q->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
	if (job->status != GW_OK)
		buf_release(&q->out);
	free(q->numbers);
	free(q->account_id);
	free(q);
}

static struct who_read *read_new(struct api_request *r)
{
	struct who_read *q = xcalloc(1, sizeof(*q));

	q->job.done = on_read;
	q->call = r->call;
	q->numbers = xstrndup(api_numbers(r));
	q->now_ms = clock_wall_ms(loop_clock(r->server->loop));
	buf_init(&q->out, API_ANSWER_MAX);
	return q;
}

void api_conversation_get(struct api_request *r)
{
	struct who_read *q;
	struct id id;

	if (!id_parse(ID_CONVERSATION, r->arg[0], &id)) {
		api_error(r->call, 404, "not_found", "no_such_id", "there is no such conversation");
		return;
	}
	q = read_new(r);
	q->id = id;
	q->job.run = run_get;
	store_read(r->server->store, &q->job);
}

void api_conversation_list(struct api_request *r)
{
	struct store_conversation_filter f = { 0 };
	struct str number = STR_EMPTY;
	struct who_read *q;

	if (!api_limit(r, &f.limit) || !api_query_id(r, "before", ID_CONVERSATION, &f.before) ||
	    !api_query_id(r, "contact", ID_CONTACT, &f.contact))
		return;
	(void)http_query(r->call, "number", &number);
	q = read_new(r);
	q->filter = f;
	q->account_id = xstrndup(number);
	q->filter.account_id = str_make(q->account_id, number.len);
	q->filter.numbers = str_from(q->numbers);
	q->job.run = run_list;
	store_read(r->server->store, &q->job);
}
