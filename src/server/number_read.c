/* SPDX-License-Identifier: MIT */
/*
 * number_read.c - see number_read.h
 *
 *   GET {base}/{version}/{number}?fields=status,quality_rating,throughput,...
 *
 * ROLE        Says when each number is asked about, asks with its account's token, hands
 *             the answer to the store and, committed, to memory, where the pacer and
 *             the guards see it.  Nothing waits for it.
 * LIFE        due -> asked (one at a time) -> due again in an hour, or sooner after a failure
 * FAILURE     Logged with what to do, counted, shown beside the number; what was known
 *             stays, and stops nobody when it is older than two hours.
 * LIMITS      One call at a time; a number at most once a minute.
 * THREADS     The loop's.
 * TESTS       tests/system/test_numbers.py
 */
#include "server/number_read.h"

#include "base/mem.h"
#include "base/panic.h"
#include "server/graph_get.h"
#include "server/graph_path.h"
#include <godwit/errors.h>

#define HOUR_NS (3600 * NS_PER_S)
#define AGAIN_NS (60 * NS_PER_S) /* the shortest time between two looks at one number */
#define FAILED_NS (5 * 60 * NS_PER_S) /* after the first failure; twice as long after each */
#define ANSWER_MAX ((size_t)64 << 10)
#define URL_MAX 1024
#define JITTER 10 /* of a wait, a tenth more or less: gateways that start together spread */

/* Of accounts_number_at() with the same index: numbers are never removed. */
struct turn {
	int64_t due_ns; /* clock_mono_ns(); 0: never asked about */
	int64_t asked_ns;
	unsigned failures; /* in succession */
};

struct number_read {
	struct server *server;
	struct http_client *client;
	struct http_exchange *exchange; /* of now */
	size_t now; /* index */
	struct timer timer;
	struct turn turns[NUMBERS_MAX];
};

static void on_timer(void *cookie)
{
	number_read_look(cookie);
}

gw_status number_read_new(struct server *s, struct number_read **out, struct gw_error *err)
{
	struct http_client_options o = { .loop = s->loop, .http2 = true };
	struct number_read *r = xcalloc(1, sizeof(*r));
	gw_status st;

	r->server = s;
	if (s->cfg->graph_ca_file[0] != '\0')
		o.ca_file = s->cfg->graph_ca_file;
	st = http_client_new(&o, &r->client, err);
	if (st != GW_OK) {
		free(r);
		return st;
	}
	timer_init(&r->timer, s->loop, LOOP_MOVED, on_timer, r);
	*out = r;
	return GW_OK;
}

void number_read_free(struct number_read *r)
{
	if (r == NULL)
		return;
	timer_cancel(&r->timer);
	if (r->exchange != NULL)
		http_exchange_cancel(r->exchange);
	http_client_free(r->client);
	free(r);
}

static int64_t now_ns(const struct number_read *r)
{
	return clock_mono_ns(&r->server->clock);
}

static struct number *number_now(const struct number_read *r)
{
	return accounts_number_at(r->server->accounts, r->now);
}

static int64_t with_jitter(struct number_read *r, int64_t wait_ns)
{
	int64_t span = wait_ns / JITTER;

	return wait_ns - span + (int64_t)rnd_below(&r->server->rnd, (uint64_t)(2 * span + 1));
}

/* ---- what it said ---- */

struct keeping {
	struct store_put_number_fact put; /* first: the store hands this back */
	struct server *server;
	struct number_fact fact;
	char id[64];
};

static bool is_news(const struct number_fact *was, const struct number_fact *is)
{
	return strcmp(was->status, is->status) != 0 || strcmp(was->quality, is->quality) != 0 ||
	       strcmp(was->throughput, is->throughput) != 0 ||
	       strcmp(was->messaging_limit, is->messaging_limit) != 0 || was->on_app != is->on_app;
}

static void tell(const struct server *s, const struct number *n, bool news)
{
	const struct number_fact *f = &n->fact;
	const char *why;
	int code;

	if (news)
		log_info(&s->log,
			 "number id=%s status=%s quality=%s throughput=%s "
			 "messaging_limit=%s mps=%u",
			 n->id, f->status, f->quality, f->throughput, f->messaging_limit,
			 n->limit_mps);
	why = number_fact_stops(f, f->read_ms, &code);
	if (news && why != NULL)
		log_warn(&s->log, "number id=%s sends nothing, %s: godwit explain %s", n->id, why,
			 f->status);
}

static void on_kept(struct store_req *req)
{
	struct keeping *k = CONTAINER_OF(req, struct keeping, put.req);
	struct server *s = k->server;
	const struct number *n = accounts_number(s->accounts, str_from(k->id));
	bool news;

	if (req->status == GW_OK && n != NULL) {
		news = is_news(&n->fact, &k->fact);
		accounts_put_fact(s->accounts, &k->put.f);
		tell(s, n, news);
		if (news && s->phase != SERVER_DRAINING)
			outbox_number_changed(s->outbox);
	}
	free(k);
}

static void keep(struct number_read *r, const struct number_fact *fact)
{
	struct keeping *k = xcalloc(1, sizeof(*k));

	k->server = r->server;
	k->fact = *fact;
	(void)str_copy(str_from(number_now(r)->id), k->id, sizeof(k->id));
	number_fact_to_store(&k->fact, k->id, &k->put.f);
	k->put.req.op = STORE_PUT_NUMBER_FACT;
	k->put.req.done = on_kept;
	k->put.req.weight = sizeof(*k);
	store_submit(r->server->store, &k->put.req);
}

/* The answer as facts, else Meta's code of why there are none. */
static bool take_answer(struct number_read *r, struct str answer, struct number_fact *failed)
{
	struct arena *a = arena_new(answer.len * 16 + 65536);
	struct number_fact fact;
	const struct json_doc *doc;
	struct json_val error;
	int64_t n = 0;
	bool ok = false;

	ASSERT(a != NULL);
	if (json_scan(answer, a, &doc, NULL) == GW_OK) {
		error = json_member(json_root(doc), STR("error"));
		ok = failed->failed_http == 200 &&
		     number_fact_read(json_root(doc), clock_wall_ms(&r->server->clock), &fact);
		if (json_get_i64(error, STR("code"), &n))
			failed->failed_code = (int)n;
		if (json_get_i64(error, STR("error_subcode"), &n))
			failed->failed_subcode = (int)n;
	}
	if (ok)
		keep(r, &fact);
	arena_free(a);
	return ok;
}

static void failed(struct number_read *r, const struct number_fact *how)
{
	struct number *n = number_now(r);
	struct turn *turn = &r->turns[r->now];
	char advice[GW_ERROR_ADVICE_MAX] = "";
	int64_t wait_ns = HOUR_NS;

	n->fact.failed_ms = clock_wall_ms(&r->server->clock);
	n->fact.failed_http = how->failed_http;
	n->fact.failed_code = how->failed_code;
	n->fact.failed_subcode = how->failed_subcode;
	if (turn->failures < 4) /* 5, 10, 20, 40 minutes */
		wait_ns = FAILED_NS << turn->failures++;
	turn->due_ns = now_ns(r) + with_jitter(r, wait_ns);
	if (!gw_error_advice(how->failed_code, how->failed_subcode, advice))
		(void)snprintf(advice, sizeof(advice),
			       "Meta could not be asked; `godwit doctor` looks into it");
	log_warn(&r->server->log,
		 "number id=%s was not told of: http=%d graph=%d/%d: %s; sending goes on with "
		 "what is known",
		 n->id, how->failed_http, how->failed_code, how->failed_subcode, advice);
	metrics_add(r->server->metrics, M_NUMBER_READS,
		    how->failed_code != 0 ? OUTCOME_PERMFAIL : OUTCOME_TEMPFAIL, 0, 1);
}

static void on_answer(void *cookie, const struct http_outcome *o)
{
	struct number_read *r = cookie;
	struct number_fact how = { .failed_http = o->end == HTTP_END_ANSWERED ? o->status : 0 };

	r->exchange = NULL;
	if (o->end == HTTP_END_ANSWERED && take_answer(r, o->answer, &how)) {
		struct turn *turn = &r->turns[r->now];

		turn->failures = 0;
		turn->due_ns = turn->asked_ns + with_jitter(r, HOUR_NS);
		metrics_add(r->server->metrics, M_NUMBER_READS, OUTCOME_OK, 0, 1);
	} else {
		failed(r, &how);
	}
	number_read_look(r);
}

/* ---- one call at a time ---- */

static void ask(struct number_read *r)
{
	const struct number *n = number_now(r);
	const struct account *a = n->account;
	struct buf url;

	buf_init(&url, URL_MAX);
	buf_put_fmt(&url, "%s/%s/%s?fields=" NUMBER_FACT_FIELDS, a->base_url, a->version, n->id);
	r->exchange = graph_get(r->server->cfg, r->client, a, url.data, ANSWER_MAX, on_answer, r);
	buf_release(&url);
}

/* The number that is due first, of those that can be asked about; false: there is none. */
static bool next(const struct number_read *r, size_t *out)
{
	const struct accounts *all = r->server->accounts;
	bool found = false;

	for (size_t i = 0; i < accounts_number_count(all); i++) {
		if (accounts_number_at(all, i)->account->token.len == 0)
			continue;
		if (!found || r->turns[i].due_ns < r->turns[*out].due_ns)
			*out = i;
		found = true;
	}
	return found;
}

void number_read_look(struct number_read *r)
{
	if (r->exchange != NULL || r->server->phase == SERVER_DRAINING)
		return;
	timer_cancel(&r->timer);
	if (!r->server->cfg->numbers_read || !next(r, &r->now))
		return;
	if (r->turns[r->now].due_ns > now_ns(r)) {
		timer_at(&r->timer, r->turns[r->now].due_ns);
		return;
	}
	r->turns[r->now].asked_ns = now_ns(r);
	ask(r);
}

/* ---- sooner than in an hour ---- */

static void hasten(struct number_read *r, size_t i)
{
	struct turn *turn = &r->turns[i];
	int64_t due_ns = turn->asked_ns == 0 ? 0 : turn->asked_ns + AGAIN_NS;

	if (due_ns < turn->due_ns)
		turn->due_ns = due_ns;
}

void number_read_again(void *number_read, struct str number_id)
{
	struct number_read *r = number_read;
	const struct accounts *all = r->server->accounts;

	for (size_t i = 0; i < accounts_number_count(all); i++)
		if (str_eq(str_from(accounts_number_at(all, i)->id), number_id))
			hasten(r, i);
	number_read_look(r);
}

void number_read_heard(struct number_read *r, struct str method, struct str path)
{
	struct graph_path where;

	if (!str_eq(method, STR("GET")) && graph_path_read(path, &where) &&
	    (str_eq(where.edge, STR("register")) || str_eq(where.edge, STR("deregister")) ||
	     str_eq(where.edge, STR("verify_code"))))
		number_read_again(r, where.object);
}

void number_read_hint(struct number_read *r, struct str business_id)
{
	const struct accounts *all = r->server->accounts;

	for (size_t i = 0; i < accounts_number_count(all); i++)
		if (business_id.len > 0 &&
		    str_eq(str_from(accounts_number_at(all, i)->business_id), business_id))
			hasten(r, i);
	number_read_look(r);
}
