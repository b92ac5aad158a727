/* SPDX-License-Identifier: MIT */
/*
 * template_read.c - see template_read.h
 *
 *   GET {base}/{version}/{business account}/message_templates?fields=...&limit=250   page by page
 *
 * Nothing waits for it: a message whose template is not known goes to Meta, who decides.
 *
 * FAILURE     A page that does not come ends the round; what was read before it is kept.
 * LIMITS      PAGES_MAX pages a round, one call at a time, a round of an account a minute.
 * TESTS       tests/system/test_templates.py
 */
#include "server/template_read.h"

#include "base/mem.h"
#include "base/panic.h"
#include "server/graph_get.h"
#include "server/template_hear.h"

#define PAGES_MAX 200 /* 6,000 templates an account are 24 */
#define ANSWER_MAX ((size_t)4 << 20)
#define AGAIN_NS (60 * NS_PER_S)
#define AFTER_MAX 1024 /* bytes of a cursor */
#define URL_MAX 4096

/* One business account. */
struct reading {
	char *business_id;
	int64_t account; /* row */
	bool due;
	int64_t begun_ns; /* real; of the last round */
	unsigned pages;
	char after[AFTER_MAX]; /* cursor; empty: the first page */
};

struct template_read {
	struct server *server;
	struct http_client *client;
	struct http_exchange *exchange; /* of now */
	struct reading *now;
	struct reading *of[NUMBERS_MAX];
	size_t count;
};

gw_status template_read_new(struct server *s, struct template_read **out, struct gw_error *err)
{
	struct template_read *t = xcalloc(1, sizeof(*t));
	struct http_client_options o = { .loop = s->loop, .http2 = true };
	gw_status st;

	t->server = s;
	if (s->cfg->graph_ca_file[0] != '\0')
		o.ca_file = s->cfg->graph_ca_file;
	st = http_client_new(&o, &t->client, err);
	if (st != GW_OK) {
		free(t);
		return st;
	}
	*out = t;
	return GW_OK;
}

void template_read_free(struct template_read *t)
{
	if (t == NULL)
		return;
	if (t->exchange != NULL)
		http_exchange_cancel(t->exchange);
	http_client_free(t->client);
	for (size_t i = 0; i < t->count; i++) {
		free(t->of[i]->business_id);
		free(t->of[i]);
	}
	free(t);
}

static struct reading *reading_of(struct template_read *t, const struct number *n)
{
	struct reading *r;

	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->of[i]->business_id, n->business_id) == 0)
			return t->of[i];
	}
	if (t->count == ARRAY_LEN(t->of))
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->business_id = xstrdup(n->business_id);
	r->account = n->account->row;
	t->of[t->count++] = r;
	return r;
}

/* ---- one call at a time ---- */

static void start_next(struct template_read *t);

static void end_round(struct template_read *t)
{
	t->now->due = false;
	t->now = NULL;
}

/* What stands on this page; true: there is another. */
static bool take_page(struct template_read *t, struct str answer)
{
	struct arena *a = arena_new(answer.len * 16 + 65536);
	struct reading *r = t->now;
	const struct json_doc *doc;
	struct json_val paging;
	struct str after;
	bool more = false;

	ASSERT(a != NULL);
	if (json_scan(answer, a, &doc, NULL) == GW_OK) {
		template_hear_list(t->server, str_from(r->business_id),
				   json_member(json_root(doc), STR("data")));
		paging = json_member(json_root(doc), STR("paging"));
		more = json_exists(json_member(paging, STR("next"))) &&
		       json_get_str(json_member(paging, STR("cursors")), STR("after"),
				    sizeof(r->after) - 1, &after) &&
		       str_copy(after, r->after, sizeof(r->after)) && ++r->pages < PAGES_MAX;
	}
	arena_free(a);
	return more;
}

static void on_page(void *cookie, const struct http_outcome *o)
{
	struct template_read *t = cookie;
	bool ok = o->end == HTTP_END_ANSWERED && o->status == 200;

	t->exchange = NULL;
	log_info(&t->server->log, "templates of=%s page=%u http=%d", t->now->business_id,
		 t->now->pages, o->status);
	if (!ok || !take_page(t, o->answer))
		end_round(t);
	start_next(t);
}

/* A cursor is base64 and opaque. */
static void put_escaped(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '-' || c == '_' || c == '.')
			buf_put_char(b, (char)c);
		else
			buf_put_fmt(b, "%%%02X", c);
	}
}

static void ask_page(struct template_read *t, const struct account *a)
{
	struct buf url;

	buf_init(&url, URL_MAX);
	buf_put_fmt(&url,
		    "%s/%s/%s/message_templates?fields=name,language,category,status&limit=250",
		    a->base_url, a->version, t->now->business_id);
	if (t->now->after[0] != '\0') {
		buf_put_text(&url, "&after=");
		put_escaped(&url, t->now->after);
	}
	t->exchange = graph_get(t->server->cfg, t->client, a, url.data, ANSWER_MAX, on_page, t);
	buf_release(&url);
}

static void start_next(struct template_read *t)
{
	const struct account *a;

	if (t->exchange != NULL || t->server->phase == SERVER_DRAINING)
		return;
	for (size_t i = 0; i < t->count && t->now == NULL; i++) {
		if (t->of[i]->due) {
			t->now = t->of[i];
			t->now->after[0] = '\0';
			t->now->pages = 0;
			t->now->begun_ns = clock_real_ns();
		}
	}
	if (t->now == NULL)
		return;
	a = accounts_by_row(t->server->accounts, t->now->account);
	if (a == NULL || a->token.len == 0)
		end_round(t); /* it has nothing to ask with */
	else
		ask_page(t, a);
}

/* ---- when ---- */

void template_read_all(struct template_read *t)
{
	const struct accounts *all = t->server->accounts;

	for (size_t i = 0; i < accounts_number_count(all); i++) {
		const struct number *n = accounts_number_at(all, i);
		struct reading *r = n->business_id[0] == '\0' ? NULL : reading_of(t, n);

		if (r != NULL)
			r->due = true;
	}
	start_next(t);
}

void template_read_again(void *template_read, struct str number_id)
{
	struct template_read *t = template_read;
	const struct number *n = accounts_number(t->server->accounts, number_id);
	struct reading *r = NULL;

	if (n != NULL && n->business_id[0] != '\0' && t->server->cfg->templates_read)
		r = reading_of(t, n);
	if (r == NULL || r->due || (r->begun_ns != 0 && clock_real_ns() - r->begun_ns < AGAIN_NS))
		return;
	r->due = true;
	start_next(t);
}
