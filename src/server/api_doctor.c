/* SPDX-License-Identifier: MIT */
/*
 * api_doctor.c - POST /api/v1/doctor: what can be found out about this gateway and its accounts
 *
 * ROLE        First what is here (disk, store, destinations, last event), then each
 *             account at Meta (doctor.h).  Answers when all is known.
 * LIFE        one run at a time (server.doctor_run); the end of the process cuts it.
 * FAILURE     409 while another runs.
 * THREADS     The loop's; run_events(): a reader's.
 * TESTS       tests/system/test_doctor.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "server/api.h"
#include "server/doctor_here.h"

#include <stdarg.h>

#define OUT_MAX (4U << 20)
#define EVENTS_LOOKED_AT 200
#define MESSAGES_LOOKED_AT 200
#define SKEW_FAIL_MS 60000 /* receivers refuse webhook-timestamp beyond five minutes */
#define NAME_BYTES 128
#define TEMPLATE_BYTES 512

struct doctor_run {
	struct store_job job; /* the last event; before anything else */
	struct server *server;
	struct http_call *call; /* NULL: answered, it only waits for its job */
	struct buf out;
	struct json_writer w;
	struct doctor *doctor;
	struct doctor_number *numbers;
	size_t account; /* the next one */
	const char *account_name; /* of findings; NULL: of the gateway */
	int64_t skew_ms, now_ms;
	struct doctor_read read;
	bool fix;
	char only_account[NAME_BYTES + 1], only_number[NAME_BYTES + 1], public_url[512];
	char template[TEMPLATE_BYTES + 1], language[32];
};

/* ---- findings ---- */

static void put(void *cookie, const struct doctor_finding *f)
{
	struct doctor_run *r = cookie;
	struct json_writer *w = &r->w;

	json_w_object(w);
	json_w_kv_text(w, "check", f->check);
	json_w_kv_text(w, "account", r->account_name);
	json_w_kv_text(w, "number", f->number);
	json_w_kv_text(w, "result", doctor_result_word(f->result));
	json_w_kv_text(w, "evidence", f->evidence);
	json_w_kv_text(w, "topic", f->topic);
	if (f->code != 0) {
		json_w_kv_i64(w, "code", f->code);
		json_w_kv_i64(w, "subcode", f->subcode);
	}
	json_w_end(w);
}

static void tell(struct doctor_run *r, enum doctor_result result, const char *check,
		 const char *topic, const char *fmt, ...) GW_PRINTF(5, 6);

static void tell(struct doctor_run *r, enum doctor_result result, const char *check,
		 const char *topic, const char *fmt, ...)
{
	char text[DOCTOR_EVIDENCE_MAX];
	struct doctor_finding f = { .check = check, .result = result, .topic = topic };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f.evidence = text;
	put(r, &f);
}

static void put_here(void *cookie, const char *account, const struct doctor_finding *f)
{
	struct doctor_run *r = cookie;

	r->account_name = account;
	put(r, f);
	r->account_name = NULL;
}

static void look_at_clock(struct doctor_run *r)
{
	int64_t ms;

	if (r->skew_ms == INT64_MIN) {
		tell(r, DOCTOR_SKIP, "clock", NULL, "Meta told no time");
		return;
	}
	ms = r->skew_ms < 0 ? -r->skew_ms : r->skew_ms;
	tell(r, ms >= SKEW_FAIL_MS ? DOCTOR_FAIL : DOCTOR_OK, "clock",
	     ms >= SKEW_FAIL_MS ? "clock-skew" : NULL, "%lld s %s Meta's", (long long)(ms / 1000),
	     r->skew_ms < 0 ? "behind" : "ahead of");
}

/* ---- accounts, one after the other ---- */

static void run_free(struct doctor_run *r)
{
	doctor_free(r->doctor);
	free(r->numbers);
	buf_release(&r->out);
	free(r);
}

static void finish(struct doctor_run *r)
{
	look_at_clock(r);
	json_w_end(&r->w);
	json_w_end(&r->w);
	r->server->doctor_run = NULL;
	api_reply(r->call, 200, &r->out);
	buf_init(&r->out, 1);
	run_free(r);
}

static void next_account(struct doctor_run *r);

static void on_done(void *cookie)
{
	struct doctor_run *r = cookie;

	if (doctor_facts(r->doctor)->skew_ms != INT64_MIN)
		r->skew_ms = doctor_facts(r->doctor)->skew_ms;
	doctor_free(r->doctor);
	r->doctor = NULL;
	next_account(r);
}

static const char *find_numbers(struct doctor_run *r, const struct account *a, size_t *count)
{
	const struct accounts *all = r->server->accounts;
	const char *business = "";

	*count = 0;
	for (size_t i = 0; i < accounts_number_count(all) && *count < DOCTOR_NUMBERS_MAX; i++) {
		const struct number *n = accounts_number_at(all, i);
		struct doctor_number *to = &r->numbers[*count];

		if (n->account != a)
			continue;
		memset(to, 0, sizeof(*to));
		(void)str_copy(str_slice(str_from(n->id), 0, sizeof(to->id) - 1), to->id,
			       sizeof(to->id));
		to->limit_mps = n->limit_mps;
		business = n->business_id;
		(*count)++;
	}
	return business;
}

static gw_status start(struct doctor_run *r, const struct account *a, struct gw_error *err)
{
	const struct config_values *v = r->server->cfg;
	struct doctor_options o = { .loop = r->server->loop,
				    .egress = r->server->egress,
				    .ca_file = v->graph_ca_file,
				    .fix = r->fix,
				    .found = put,
				    .done = on_done,
				    .cookie = r };

	o.account = (struct doctor_account){ .app_id = a->app_id,
					     .base_url = a->base_url,
					     .version = a->version,
					     .token = &a->token,
					     .app_secret = &a->app_secret,
					     .verify_token = &a->verify_token,
					     .numbers = r->numbers };
	o.account.business_id = find_numbers(r, a, &o.account.number_count);
	o.only_number = r->only_number[0] != '\0' ? r->only_number : NULL;
	o.template = r->template[0] != '\0' ? r->template : NULL;
	o.language = r->language[0] != '\0' ? r->language : NULL;
	o.public_url = r->public_url[0] != '\0' ? r->public_url : v->public_url;
	return doctor_new(&o, &r->doctor, err);
}

/* A number that nobody configured is looked at with every account. */
static bool is_asked_for(const struct doctor_run *r, const struct account *a)
{
	const struct number *n = accounts_number(r->server->accounts, str_from(r->only_number));

	if (r->only_account[0] != '\0')
		return strcmp(r->only_account, a->name) == 0;
	return n == NULL || n->account == a;
}

static void next_account(struct doctor_run *r)
{
	const struct accounts *all = r->server->accounts;
	struct gw_error err = GW_ERROR_INIT;

	while (r->account < accounts_count(all)) {
		const struct account *a = accounts_at(all, r->account++);

		if (!is_asked_for(r, a))
			continue;
		r->account_name = a->name;
		if (start(r, a, &err) == GW_OK)
			return; /* on_done() */
		tell(r, DOCTOR_FAIL, "token", NULL, "%s", err.message);
	}
	r->account_name = NULL;
	finish(r);
}

/* ---- the last event, and messages since ---- */

static bool on_event(void *cookie, const struct store_event_row *e)
{
	struct doctor_run *r = cookie;

	if (e->composed)
		return true;
	r->read.event_ms = e->received_ms;
	return false;
}

/* Newest first. */
static bool on_message(void *cookie, const struct store_message_row *m)
{
	struct doctor_run *r = cookie;

	if (m->created_ms <= r->read.event_ms)
		return false;
	if (m->created_ms > r->now_ms - DOCTOR_MUTE_MS)
		return true;
	r->read.mute++;
	r->read.mute_ms = m->created_ms;
	return true;
}

static void run_events(struct store_job *job, struct store_reader *reader)
{
	struct doctor_run *r = CONTAINER_OF(job, struct doctor_run, job);
	const struct store_event_filter f = { .type = STR_EMPTY, .limit = EVENTS_LOOKED_AT };

	const struct store_message_filter taken = { .state = STR("accepted"),
						    .limit = MESSAGES_LOOKED_AT };

	job->status = reader_events(reader, &f, on_event, r);
	if (job->status == GW_OK)
		job->status = reader_messages(reader, &taken, on_message, r);
}

static void on_events(struct store_job *job)
{
	struct doctor_run *r = CONTAINER_OF(job, struct doctor_run, job);

	if (r->call == NULL) { /* the process ends */
		run_free(r);
		return;
	}
	doctor_look_here(r->server, &r->read, put_here, r);
	r->job.done = NULL; /* no job is out any more */
	next_account(r);
}

/* ---- the call ---- */

static bool read_wishes(struct doctor_run *r, struct api_request *q, struct arena *a)
{
	static const struct api_member known[] = {
		{ "account", API_TEXT, NAME_BYTES },      { "number", API_TEXT, NAME_BYTES },
		{ "template", API_TEXT, TEMPLATE_BYTES }, { "language", API_TEXT, 31 },
		{ "public_url", API_TEXT, 500 },          { "fix", API_FLAG, 0 },
	};
	const struct {
		const char *key;
		char *to;
		size_t cap;
	} texts[] = { { "account", r->only_account, sizeof(r->only_account) },
		      { "number", r->only_number, sizeof(r->only_number) },
		      { "template", r->template, sizeof(r->template) },
		      { "language", r->language, sizeof(r->language) },
		      { "public_url", r->public_url, sizeof(r->public_url) } };
	struct json_val body;
	struct str text;

	if (http_body(q->call).len == 0)
		return true;
	if (!api_body(q, a, known, ARRAY_LEN(known), &body))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_get_str(body, str_from(texts[i].key), texts[i].cap - 1, &text))
			(void)str_copy(text, texts[i].to, texts[i].cap);
	(void)json_get_bool(body, STR("fix"), &r->fix);
	if (r->only_account[0] == '\0' ||
	    accounts_get(q->server->accounts, str_from(r->only_account)) != NULL)
		return true;
	api_error(q->call, 404, "not_found", "no_such_account", "there is no account %s",
		  r->only_account);
	return false;
}

void api_doctor(struct api_request *q)
{
	struct arena *a = arena_new(2U << 20);
	struct doctor_run *r;

	ASSERT(a != NULL);
	if (q->server->doctor_run != NULL) {
		api_error(q->call, 409, "state", "doctor_runs", "another doctor is at work; wait");
		arena_free(a);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->server = q->server;
	r->call = q->call;
	r->skew_ms = INT64_MIN;
	r->now_ms = clock_wall_ms(&q->server->clock);
	r->numbers = xcalloc(DOCTOR_NUMBERS_MAX, sizeof(*r->numbers));
	buf_init(&r->out, OUT_MAX);
	if (!read_wishes(r, q, a)) {
		run_free(r);
		arena_free(a);
		return;
	}
	arena_free(a);
	json_w_init(&r->w, &r->out);
	json_w_object(&r->w);
	json_w_key(&r->w, STR("data"));
	json_w_array(&r->w);
	q->server->doctor_run = r;
	r->job.run = run_events;
	r->job.done = on_events;
	store_read(q->server->store, &r->job);
}

void api_doctor_stop(struct server *s)
{
	struct doctor_run *r = s->doctor_run;

	if (r == NULL)
		return;
	s->doctor_run = NULL;
	api_error(r->call, 503, "busy", "draining", "the gateway stopped");
	r->call = NULL;
	if (r->job.done == NULL)
		run_free(r); /* else on_events() does */
}
