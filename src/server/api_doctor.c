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
#include "server/doctor.h"

#include <stdarg.h>

#define OUT_MAX (4U << 20)
#define EVENTS_LOOKED_AT 200
#define SKEW_FAIL_MS 60000 /* receivers refuse webhook-timestamp beyond five minutes */
#define OLD_MS 60000 /* a backlog of that age is one */
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
	int64_t skew_ms, event_ms;
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

/* ---- what is here ---- */

static void look_at_disk(struct doctor_run *r)
{
	struct server *s = r->server;
	struct store_load l;
	int64_t free_mib, min_mib = s->cfg->disk_min >> 20;
	enum doctor_result result = DOCTOR_OK;

	store_load_now(s->store, &l);
	free_mib = l.disk_free_bytes >> 20;
	if (l.disk_free_bytes < s->cfg->disk_min)
		result = DOCTOR_FAIL;
	else if (l.disk_free_bytes < 2 * s->cfg->disk_min)
		result = DOCTOR_WARN;
	tell(r, result, "disk", result == DOCTOR_OK ? NULL : "disk-full",
	     "%lld MiB free at %s, at least %lld are kept free (store.disk_min)",
	     (long long)free_mib, s->cfg->data_dir, (long long)min_mib);
	if (inbox_is_stuck(s->store, 0))
		tell(r, DOCTOR_FAIL, "store", "store-stuck", "a commit has not ended for %lld ms",
		     (long long)((clock_real_ns() - l.oldest_ns) / NS_PER_MS));
	else
		tell(r, DOCTOR_OK, "store", NULL,
		     "%lld commits since the start, the last in %lld us", (long long)l.commits,
		     (long long)l.commit_us_last);
}

static void look_at_destinations(struct doctor_run *r)
{
	struct server *s = r->server;
	size_t count = destinations_count(s->destinations);

	if (count == 0)
		tell(r, DOCTOR_OK, "destinations", NULL, "there are none");
	for (size_t i = 0; i < count; i++) {
		const struct destination *d = destinations_at(s->destinations, i);
		struct relay_numbers n;
		char id[ID_TEXT_MAX];
		bool bad;

		id_text(ID_DESTINATION, &d->id, id);
		relay_count_one(s->relay, d->row, &n);
		bad = d->disabled || n.open_breakers > 0;
		tell(r,
		     bad                    ? DOCTOR_FAIL
		     : n.oldest_ms > OLD_MS ? DOCTOR_WARN
					    : DOCTOR_OK,
		     "destinations",
		     d->disabled            ? "destination-disabled"
		     : n.open_breakers > 0  ? "destination-down"
		     : n.oldest_ms > OLD_MS ? "destination-slow"
					    : NULL,
		     "%s %.200s: %s, %zu waiting%s, the oldest for %lld s", id, d->url,
		     d->disabled           ? "disabled"
		     : n.open_breakers > 0 ? "does not answer"
					   : "works",
		     n.pending, n.spilled_lanes > 0 ? " and more in the store" : "",
		     (long long)(n.oldest_ms / 1000));
	}
}

static void look_at_events(struct doctor_run *r)
{
	int64_t ago_s = (clock_wall_ms(&r->server->clock) - r->event_ms) / 1000;

	if (r->event_ms == 0)
		tell(r, DOCTOR_WARN, "events", "no-events", "none has come from Meta yet");
	else
		tell(r, DOCTOR_OK, "events", NULL, "the last one from Meta came %lld min ago",
		     (long long)(ago_s / 60));
}

static void look_at_pauses(struct doctor_run *r)
{
	const struct accounts *all = r->server->accounts;

	for (size_t i = 0; i < accounts_count(all); i++) {
		const struct account *a = accounts_at(all, i);
		struct doctor_finding f = { .check = "sending",
					    .result = DOCTOR_FAIL,
					    .code = a->paused_code,
					    .evidence = "sending is paused by Meta's code" };

		if (!a->paused)
			continue;
		r->account_name = a->name;
		put(r, &f);
		r->account_name = NULL;
	}
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

static void next_account(struct doctor_run *r)
{
	const struct accounts *all = r->server->accounts;
	struct gw_error err = GW_ERROR_INIT;

	while (r->account < accounts_count(all)) {
		const struct account *a = accounts_at(all, r->account++);

		if (r->only_account[0] != '\0' && strcmp(r->only_account, a->name) != 0)
			continue;
		r->account_name = a->name;
		if (start(r, a, &err) == GW_OK)
			return; /* on_done() */
		tell(r, DOCTOR_FAIL, "token", NULL, "%s", err.message);
	}
	r->account_name = NULL;
	finish(r);
}

/* ---- the last event ---- */

static bool on_event(void *cookie, const struct store_event_row *e)
{
	struct doctor_run *r = cookie;

	if (e->composed)
		return true;
	r->event_ms = e->received_ms;
	return false;
}

static void run_events(struct store_job *job, struct store_reader *reader)
{
	struct doctor_run *r = CONTAINER_OF(job, struct doctor_run, job);
	const struct store_event_filter f = { .type = STR_EMPTY, .limit = EVENTS_LOOKED_AT };

	job->status = reader_events(reader, &f, on_event, r);
}

static void on_events(struct store_job *job)
{
	struct doctor_run *r = CONTAINER_OF(job, struct doctor_run, job);

	if (r->call == NULL) { /* the process ends */
		run_free(r);
		return;
	}
	look_at_disk(r);
	look_at_destinations(r);
	look_at_events(r);
	look_at_pauses(r);
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
