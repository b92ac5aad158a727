/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - the order of the checks of an account, and its calls
 *
 * ROLE        One call at a time, in the order in which things must work: a check
 *             that rests on one that failed is skipped and says so.
 * LIFE        doctor_new() -> steps, each on its own turn of the loop -> done().
 * INVARIANTS  1. No finding holds the token or the app secret: Meta's texts that do are
 *                dropped (tell()).
 *             2. The token goes to the account's base URL and nowhere else.
 * LIMITS      CALL_MS for a call, ANSWER_MAX of an answer, DOCTOR_NUMBERS_MAX numbers.
 * THREADS     The loop's.
 * TESTS       tests/system/test_doctor.py
 */
#include "server/doctor_int.h"

#include "base/mem.h"
#include "base/panic.h"
#include <godwit/errors.h>

#include <stdarg.h>
#include <time.h>

#define CALL_MS 10000
#define CONNECT_MS 5000
#define ANSWER_MAX ((size_t)4 << 20)

static const struct step {
	const char *check;
	void (*run)(struct doctor *d);
	bool is_of_numbers;
} steps[] = {
	{ "token", doctor_token, false },
	{ "account", doctor_waba, false },
	{ "number", doctor_number, true },
	{ "template", doctor_template, false },
	{ "subscription", doctor_subscription, false },
	{ "callback", doctor_callback, false },
	{ "limits", doctor_limits, true },
	{ "app-secret", doctor_secret, false },
	{ "health", doctor_health, true },
};

const char *doctor_result_word(enum doctor_result r)
{
	static const char *const words[] = { "ok", "warn", "fail", "skip" };

	return words[r];
}

const struct doctor_facts *doctor_facts(const struct doctor *d)
{
	return &d->facts;
}

struct doctor_number *doctor_at(struct doctor *d)
{
	return &d->numbers[d->number];
}

/* ---- findings ---- */

static bool holds_secret(const struct doctor *d, const char *text)
{
	const struct secret *all[] = { d->o.account.token, d->o.account.app_secret };
	size_t at;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i] != NULL && all[i]->len > 0 &&
		    str_find(str_from(text), str_make((const char *)all[i]->bytes, all[i]->len),
			     &at))
			return true;
	}
	return false;
}

static void tell(struct doctor *d, struct doctor_finding *f, const char *fmt, va_list ap)
	GW_PRINTF(3, 0);

static void tell(struct doctor *d, struct doctor_finding *f, const char *fmt, va_list ap)
{
	char text[DOCTOR_EVIDENCE_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	f->evidence = holds_secret(d, text) ? "the text holds a secret and is not shown" : text;
	d->o.found(d->o.cookie, f);
}

void doctor_tell(struct doctor *d, enum doctor_result r, const char *check, const char *number,
		 const char *topic, const char *fmt, ...)
{
	struct doctor_finding f = { .check = check, .result = r, .number = number, .topic = topic };
	va_list ap;

	va_start(ap, fmt);
	tell(d, &f, fmt, ap);
	va_end(ap);
}

void doctor_tell_code(struct doctor *d, enum doctor_result r, const char *check, const char *number,
		      int code, int subcode, const char *fmt, ...)
{
	struct doctor_finding f = {
		.check = check, .result = r, .number = number, .code = code, .subcode = subcode
	};
	va_list ap;

	va_start(ap, fmt);
	tell(d, &f, fmt, ap);
	va_end(ap);
}

void doctor_tell_reply(struct doctor *d, const char *check, const char *number, const char *what)
{
	const struct doctor_reply *r = &d->reply;

	if (r->end != HTTP_END_ANSWERED)
		doctor_tell(d, DOCTOR_FAIL, check, number, "graph-unreachable", "%s: %s", what,
			    r->text);
	else if (r->code == 0)
		doctor_tell(d, DOCTOR_FAIL, check, number, "graph-unreachable",
			    "%s: HTTP %d without an answer of Graph", what, r->status);
	else
		doctor_tell_code(d, DOCTOR_FAIL, check, number, r->code, r->subcode,
				 "%s: HTTP %d, code %d%s%.0d: %s", what, r->status, r->code,
				 r->subcode != 0 ? "/" : "", r->subcode, r->text);
}

/* ---- calls ---- */

/* "Date: Thu, 26 Nov 2026 06:00:00 GMT" */
static void on_header(void *cookie, struct str line)
{
	struct doctor *d = cookie;
	struct str name, value = line;
	struct tm tm = { 0 };
	char text[64];

	if (!str_split(&value, ':', &name) || !str_eq_nocase(name, STR("Date")) ||
	    !str_copy(str_trim(value), text, sizeof(text)) ||
	    strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
		return;
	d->facts.skew_ms = clock_real_wall_ms() - (int64_t)timegm(&tm) * 1000;
}

static void read_error(struct doctor *d)
{
	struct json_val e = json_member(d->reply.json, STR("error"));
	struct str text;
	int64_t n;

	if (json_type(e) != JSON_OBJECT)
		return;
	if (json_get_i64(e, STR("code"), &n))
		d->reply.code = (int)n;
	if (json_get_i64(e, STR("error_subcode"), &n))
		d->reply.subcode = (int)n;
	if (json_get_str(e, STR("message"), 4096, &text))
		(void)snprintf(d->reply.text, sizeof(d->reply.text), "%.*s",
			       STR_ARG(str_slice(text, 0, sizeof(d->reply.text) - 1)));
}

static void on_outcome(void *cookie, const struct http_outcome *o)
{
	struct doctor *d = cookie;
	const struct json_doc *doc;

	d->exchange = NULL;
	d->reply = (struct doctor_reply){
		.end = o->end, .status = o->status, .ms = o->total_ms, .json = JSON_MISSING
	};
	buf_reset(&d->body);
	arena_free(d->arena);
	d->arena = NULL;
	if (o->end == HTTP_END_ANSWERED) {
		buf_put_str(&d->body, o->answer);
		d->reply.body = buf_str(&d->body);
		d->arena = arena_new(d->reply.body.len * 10 + 65536);
		if (d->arena != NULL && json_scan(d->reply.body, d->arena, &doc, NULL) == GW_OK)
			d->reply.json = json_root(doc);
		read_error(d);
	} else {
		(void)snprintf(d->reply.text, sizeof(d->reply.text), "%s", o->error.message);
	}
	d->then(d);
}

void doctor_call(struct doctor *d, const struct http_request *r, bool to_user,
		 void (*then)(struct doctor *d))
{
	struct http_request full = *r;

	full.connect_timeout_ms = CONNECT_MS;
	full.timeout_ms = CALL_MS;
	full.answer_max = ANSWER_MAX;
	full.body_fd = -1;
	full.on_header = to_user ? NULL : on_header;
	d->then = then;
	d->exchange = http_client_start(to_user ? d->user : d->graph, &full, on_outcome, d);
}

static void put_secret(struct buf *b, const struct secret *s)
{
	buf_put_str(b, str_make((const char *)s->bytes, s->len));
}

void doctor_ask(struct doctor *d, const char *method, bool as_app, const char *path,
		void (*then)(struct doctor *d))
{
	const struct doctor_account *a = &d->o.account;
	struct buf url, authorization;
	const char *headers[2];

	buf_init(&url, 16384);
	buf_init(&authorization, 4096);
	buf_put_fmt(&url, "%s/%s/%s", a->base_url, a->version[0] != '\0' ? a->version : "v26.0",
		    path);
	buf_put_text(&authorization, "Authorization: Bearer ");
	if (as_app) {
		buf_put_fmt(&authorization, "%s|", d->facts.app_id);
		put_secret(&authorization, a->app_secret);
	} else {
		put_secret(&authorization, a->token);
	}
	headers[0] = authorization.data;
	headers[1] = "User-Agent: godwit/" GODWIT_VERSION;
	doctor_call(
		d,
		&(struct http_request){
			.method = method, .url = url.data, .headers = headers, .header_count = 2 },
		false, then);
	buf_wipe(&authorization);
	buf_wipe(&url);
}

bool doctor_is_ok(const struct doctor *d)
{
	return d->reply.end == HTTP_END_ANSWERED && d->reply.status >= 200 &&
	       d->reply.status < 300 && json_exists(d->reply.json);
}

void doctor_put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '.' || c == '_' || c == '-')
			buf_put_char(b, (char)c);
		else
			buf_put_fmt(b, "%%%02X", (unsigned)c);
	}
}

/* ---- order ---- */

void doctor_next(struct doctor *d)
{
	const struct step *s = &steps[d->step];

	if (s->is_of_numbers && d->number + 1 < d->number_count) {
		d->number++;
	} else {
		d->step++;
		d->number = 0;
	}
	timer_in_ms(&d->turn, 0);
}

/* Those that are configured, else those of the account; one that is asked for in any case. */
static void choose_numbers(struct doctor *d)
{
	const struct doctor_number *from = d->o.account.numbers;
	size_t count = d->o.account.number_count;

	if (count == 0) {
		from = d->facts.numbers;
		count = d->facts.number_count;
	}
	for (size_t i = 0; i < count && d->number_count < DOCTOR_NUMBERS_MAX; i++)
		if (d->o.only_number == NULL || strcmp(d->o.only_number, from[i].id) == 0)
			d->numbers[d->number_count++] = from[i];
	if (d->o.only_number != NULL && d->number_count == 0) {
		(void)str_copy(str_slice(str_from(d->o.only_number), 0, 39), d->numbers[0].id,
			       sizeof(d->numbers[0].id));
		d->number_count = 1;
	}
}

static void on_turn(void *cookie)
{
	struct doctor *d = cookie;
	const struct step *s = &steps[d->step];

	if (d->step == ARRAY_LEN(steps) || (d->o.only_find && s->run == doctor_number)) {
		d->o.done(d->o.cookie);
		return;
	}
	if (s->run == doctor_number && d->number == 0)
		choose_numbers(d);
	if (s->is_of_numbers && d->number_count == 0) {
		doctor_tell(d, DOCTOR_SKIP, s->check, NULL, NULL, "no number is known");
		doctor_next(d);
		return;
	}
	if (d->down != NULL && s->run != doctor_callback) {
		doctor_tell(d, DOCTOR_SKIP, s->check, s->is_of_numbers ? doctor_at(d)->id : NULL,
			    NULL, "%s", d->down);
		doctor_next(d);
		return;
	}
	s->run(d);
}

gw_status doctor_new(const struct doctor_options *o, struct doctor **out, struct gw_error *err)
{
	struct http_client_options options = { .loop = o->loop, .http2 = true };
	struct doctor *d = xcalloc(1, sizeof(*d));
	gw_status st;

	d->o = *o;
	d->facts.skew_ms = INT64_MIN;
	buf_init(&d->body, ANSWER_MAX + 1);
	timer_init(&d->turn, o->loop, LOOP_REAL, on_turn, d);
	(void)str_copy(str_from(o->account.app_id), d->facts.app_id, sizeof(d->facts.app_id));
	(void)str_copy(str_from(o->account.business_id), d->facts.business_id,
		       sizeof(d->facts.business_id));
	if (o->ca_file != NULL && o->ca_file[0] != '\0')
		options.ca_file = o->ca_file;
	st = http_client_new(&options, &d->graph, err);
	options.ca_file = NULL;
	options.http2 = false;
	options.egress = o->egress;
	if (st == GW_OK)
		st = http_client_new(&options, &d->user, err);
	if (st != GW_OK) {
		doctor_free(d);
		return st;
	}
	timer_in_ms(&d->turn, 0);
	*out = d;
	return GW_OK;
}

void doctor_free(struct doctor *d)
{
	if (d == NULL)
		return;
	timer_cancel(&d->turn);
	if (d->exchange != NULL)
		http_exchange_cancel(d->exchange);
	if (d->graph != NULL)
		http_client_free(d->graph);
	if (d->user != NULL)
		http_client_free(d->user);
	arena_free(d->arena);
	buf_wipe(&d->body);
	free(d);
}
