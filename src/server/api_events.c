/* SPDX-License-Identifier: MIT */
/*
 * api_events.c - /api/v1/events: what came in, where it went, once more
 *
 * THREADS  api_*(): the loop's; run_*(): a reader's.
 * TESTS    tests/system/test_cli.py, tests/system/test_relay.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/render.h"
#include "server/api.h"

struct event_read {
	struct store_job job;
	struct http_call *call;
	struct buf out;
	struct store_event_filter filter;
	struct id id;
	bool raw, body;
	struct str media_base;
	/* of a key that is limited to numbers; empty: it is not */
	char *numbers;
	struct id destinations[STORE_DESTINATIONS_MAX]; /* that it may see */
	size_t destination_count;
	struct store_reader *reader;
	struct json_writer *deliveries;
	unsigned rows;
	char last[ID_TEXT_MAX];
};

static bool list_row(void *cookie, const struct store_event_row *e)
{
	struct event_read *r = cookie;

	if (r->rows++ > 0)
		buf_put_char(&r->out, ',');
	render_godwit(&r->out, e, &(struct render_how){ .media_base = r->media_base });
	id_text(ID_EVENT, &e->id, r->last);
	return true;
}

static void run_list(struct store_job *job, struct store_reader *reader)
{
	struct event_read *r = CONTAINER_OF(job, struct event_read, job);

	buf_put_text(&r->out, "{\"data\":[");
	job->status = reader_events(reader, &r->filter, list_row, r);
	buf_put_text(&r->out, "],\"page\":{\"next\":");
	if (r->rows == r->filter.limit)
		buf_put_fmt(&r->out, "\"%s\"}}", r->last);
	else
		buf_put_text(&r->out, "null}}");
}

static bool sees_destination(const struct event_read *r, const struct id *id)
{
	for (size_t i = 0; i < r->destination_count; i++)
		if (id_eq(&r->destinations[i], id))
			return true;
	return r->numbers[0] == '\0';
}

static bool delivery_row(void *cookie, const struct store_delivery_info *d)
{
	struct event_read *r = cookie;
	struct json_writer *w = r->deliveries;
	char id[ID_TEXT_MAX], text[CLOCK_RFC3339_MAX];

	if (!sees_destination(r, &d->destination))
		return true;
	json_w_object(w);
	id_text(ID_DESTINATION, &d->destination, id);
	json_w_kv_text(w, "destination", id);
	json_w_kv_str(w, "url", d->url);
	json_w_kv_str(w, "state", d->state);
	json_w_kv_i64(w, "attempts", d->attempts);
	json_w_kv_i64(w, "http_status", d->http_status);
	if (d->why.len > 0)
		json_w_kv_str(w, "why", d->why);
	if (d->next_ms > 0) {
		clock_format_ms(d->next_ms, text);
		json_w_kv_text(w, "next_at", text);
	}
	if (d->moved_ms > 0) {
		clock_format_ms(d->moved_ms, text);
		json_w_kv_text(w, "moved_at", text);
	}
	json_w_end(w);
	return true;
}

/* The body it came in.  It may hold items of other numbers: a key that is limited gets this one's
 * part of it, as a destination of format meta does. */
static void put_body(struct event_read *r, const struct store_event_row *e)
{
	struct buf part;
	bool original; /* as it came, links too */

	buf_put_text(&r->out, ",\"body\":");
	if (r->numbers[0] == '\0') {
		json_quote(&r->out, e->body, false);
		return;
	}
	buf_init(&part, API_ANSWER_MAX);
	if (render_meta(&part, e, &(struct render_how){ 0 }, &original) && !buf_failed(&part))
		json_quote(&r->out, buf_str(&part), false);
	else
		buf_put_text(&r->out, "null");
	buf_release(&part);
}

static bool one_row(void *cookie, const struct store_event_row *e)
{
	struct event_read *r = cookie;
	struct json_writer w;
	struct buf deliveries;

	if (!numbers_have(str_from(r->numbers), e->account_id)) {
		r->job.status = GW_ENOTFOUND;
		return false;
	}
	buf_init(&deliveries, 1U << 20);
	json_w_init(&w, &deliveries);
	r->deliveries = &w;
	json_w_array(&w);
	r->job.status = reader_deliveries(r->reader, &e->id, delivery_row, r);
	json_w_end(&w);
	render_godwit(&r->out, e, &(struct render_how){ r->raw, r->media_base });
	ASSERT(buf_failed(&r->out) || r->out.data[r->out.len - 1] == '}');
	if (!buf_failed(&r->out))
		buf_cut(&r->out, r->out.len - 1);
	buf_put_text(&r->out, ",\"deliveries\":");
	buf_put_str(&r->out, buf_str(&deliveries));
	if (r->body)
		put_body(r, e);
	buf_put_char(&r->out, '}');
	buf_release(&deliveries);
	return true;
}

static void run_get(struct store_job *job, struct store_reader *reader)
{
	struct event_read *r = CONTAINER_OF(job, struct event_read, job);
	gw_status st;

	r->reader = reader;
	st = reader_event(reader, &r->id, one_row, r);
	if (st != GW_OK)
		job->status = st;
}

static void on_read(struct store_job *job)
{
	struct event_read *r = CONTAINER_OF(job, struct event_read, job);

	if (job->status == GW_OK)
		api_reply(r->call, 200, &r->out);
	else if (job->status == GW_ENOTFOUND)
		api_error(r->call, 404, "not_found", "no_such_event", "there is no such event");
	else
		api_error(r->call, 503, "busy", "store",
			  "the store did not answer in time; ask for less or try again");
	if (job->status != GW_OK)
		buf_release(&r->out);
	free(r->numbers);
	free(r);
}

static struct event_read *read_new(struct api_request *q)
{
	struct destinations *all = q->server->destinations;
	struct event_read *r = xcalloc(1, sizeof(*r));

	r->job.done = on_read;
	r->call = q->call;
	r->media_base = media_base_get(&q->server->media_base);
	r->numbers = xstrndup(api_numbers(q));
	for (size_t i = 0; i < destinations_count(all); i++)
		if (api_owns_filter(q, destinations_at(all, i)->filter))
			r->destinations[r->destination_count++] = destinations_at(all, i)->id;
	buf_init(&r->out, API_ANSWER_MAX);
	return r;
}

static bool is_set(const struct http_call *call, const char *name)
{
	struct str v;

	return http_query(call, name, &v) && (str_eq(v, STR("1")) || str_eq(v, STR("true")));
}

void api_event_get(struct api_request *q)
{
	struct event_read *r;
	struct id id;

	if (!api_id(q, ID_EVENT, q->arg[0], &id))
		return;
	r = read_new(q);
	r->id = id;
	r->raw = is_set(q->call, "raw");
	r->body = is_set(q->call, "body");
	r->job.run = run_get;
	store_read(q->server->store, &r->job);
}

static bool read_ms(struct api_request *q, const char *name, int64_t *out)
{
	struct str text;

	if (!http_query(q->call, name, &text) || str_to_i64(text, out))
		return true;
	api_error(q->call, 400, "usage", "bad_time",
		  "%s: want milliseconds since the epoch, got \"%.*s\"", name, STR_ARG(text));
	return false;
}

void api_event_list(struct api_request *q)
{
	struct store_event_filter f = { 0 };
	struct event_read *r;

	if (!api_limit(q, &f.limit) || !read_ms(q, "since", &f.since_ms) ||
	    !read_ms(q, "until", &f.until_ms))
		return;
	if (!api_query_id(q, "before", ID_EVENT, &f.before) ||
	    !api_query_id(q, "conversation", ID_CONVERSATION, &f.conversation))
		return;
	(void)http_query(q->call, "type", &f.type);
	(void)http_query(q->call, "account", &f.account_id);
	r = read_new(q);
	r->filter = f;
	r->filter.numbers = str_from(r->numbers);
	r->job.run = run_list;
	store_read(q->server->store, &r->job);
}

/* ---- replay ---- */

struct replay {
	struct store_replay req;
	struct server *server;
	struct http_call *call;
	char *numbers; /* of the key */
	int64_t lane;
};

static void replay_free(struct replay *p)
{
	free(p->numbers);
	free(p);
}

struct replay_look {
	struct store_job job;
	struct replay *replay;
	bool is_foreign; /* of a number that the key has not */
};

static bool note_lane(void *cookie, const struct store_event_row *e)
{
	struct replay_look *l = cookie;

	l->replay->lane = e->lane;
	l->is_foreign = !numbers_have(str_from(l->replay->numbers), e->account_id);
	return false;
}

static void run_look(struct store_job *job, struct store_reader *r)
{
	struct replay_look *l = CONTAINER_OF(job, struct replay_look, job);

	job->status = reader_event(r, &l->replay->req.event, note_lane, l);
	if (job->status == GW_OK && l->is_foreign)
		job->status = GW_ENOTFOUND;
}

static void tell_relay(struct replay *p)
{
	struct server *s = p->server;

	for (size_t i = 0; i < destinations_count(s->destinations); i++) {
		const struct destination *d = destinations_at(s->destinations, i);

		if (p->req.destination_row == 0 || p->req.destination_row == d->row)
			relay_replayed(s->relay, d->row, p->lane, p->req.event_row);
	}
}

static void on_replayed(struct store_req *req)
{
	struct replay *p = CONTAINER_OF(req, struct replay, req.req);
	struct buf b;

	if (req->status != GW_OK) {
		api_error(p->call, 503, "busy", "store", "the event was not replayed");
	} else {
		tell_relay(p);
		buf_init(&b, 256);
		buf_put_fmt(&b, "{\"replayed\":%u}", p->req.made);
		api_reply(p->call, 200, &b);
	}
	replay_free(p);
}

static void on_looked(struct store_job *job)
{
	struct replay_look *l = CONTAINER_OF(job, struct replay_look, job);
	struct replay *p = l->replay;

	if (job->status == GW_OK) {
		store_submit(p->server->store, &p->req.req);
	} else {
		api_error(p->call, 404, "not_found", "no_such_event", "there is no such event");
		replay_free(p);
	}
	free(l);
}

void api_event_replay(struct api_request *q)
{
	static const struct api_member known[] = { { "destination", API_TEXT, ID_TEXT_MAX } };
	struct arena *a = arena_new(1U << 20);
	struct destination *d = NULL;
	struct replay_look *l;
	struct json_val body;
	struct str text;
	struct id event, id;

	if (!api_id(q, ID_EVENT, q->arg[0], &event) ||
	    !api_body(q, a, known, ARRAY_LEN(known), &body))
		goto out;
	if (json_get_str(body, STR("destination"), ID_TEXT_MAX, &text)) {
		if (!api_id(q, ID_DESTINATION, text, &id))
			goto out;
		d = destinations_by_id(q->server->destinations, &id);
		if (d == NULL || !api_owns_filter(q, d->filter)) {
			api_error(q->call, 404, "not_found", "no_such_destination",
				  "there is no such destination");
			goto out;
		}
	} else if (api_numbers(q).len > 0) {
		api_number_key(q, "without \"destination\" it goes to those of others too");
		goto out;
	}
	l = xcalloc(1, sizeof(*l));
	l->replay = xcalloc(1, sizeof(*l->replay));
	l->replay->server = q->server;
	l->replay->call = q->call;
	l->replay->numbers = xstrndup(api_numbers(q));
	l->replay->req.event = event;
	l->replay->req.destination_row = d == NULL ? 0 : d->row;
	l->replay->req.req.op = STORE_REPLAY;
	l->replay->req.req.done = on_replayed;
	l->job.run = run_look;
	l->job.done = on_looked;
	store_read(q->server->store, &l->job);
out:
	arena_free(a);
}
