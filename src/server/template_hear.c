/* SPDX-License-Identifier: MIT */
/*
 * template_hear.c - see template_hear.h
 *
 * First the store, then memory: gateway/template_fact.h.  What cannot be read is nobody's loss: the
 * answer is the caller's whatever we learn of it.
 * LIMITS  ITEMS_MAX templates of one answer
 * TESTS   tests/system/test_templates.py
 */
#include "server/template_hear.h"

#include "base/mem.h"
#include "base/panic.h"
#include "gateway/template_fact.h"
#include "server/graph_path.h"

#define ITEMS_MAX 10000
#define EDGE "message_templates"

struct hearing {
	struct store_put_templates put; /* first: the store hands this back */
	struct server *server;
	struct arena *arena;
	struct store_template *templates;
};

static void on_put(struct store_req *req)
{
	struct hearing *h = CONTAINER_OF(req, struct hearing, put.req);

	for (size_t i = 0; i < h->put.count && req->status == GW_OK; i++)
		template_facts_put(h->server->templates, &h->put.templates[i]);
	arena_free(h->arena);
	free(h->templates);
	free(h);
}

static struct hearing *hearing_new(struct server *s, size_t count, size_t bytes)
{
	struct hearing *h = xcalloc(1, sizeof(*h));

	h->server = s;
	h->arena = arena_new(bytes + count * 64 + 4096);
	ASSERT(h->arena != NULL);
	h->templates = xcalloc(count > 0 ? count : 1, sizeof(*h->templates));
	h->put.req.op = STORE_PUT_TEMPLATES;
	h->put.req.done = on_put;
	h->put.req.weight = sizeof(*h) + count * sizeof(*h->templates) + bytes;
	h->put.templates = h->templates;
	return h;
}

static void submit(struct hearing *h)
{
	if (h->put.count > 0) {
		store_submit(h->server->store, &h->put.req);
		return;
	}
	h->put.req.status = GW_ESTATE; /* nothing was put */
	on_put(&h->put.req);
}

void template_hear_list(struct server *s, struct str business_id, struct json_val data)
{
	int64_t now_ms = clock_wall_ms(&s->clock);
	struct json_iter it = json_iter(data);
	struct json_val item;
	struct hearing *h;
	struct str whose;

	if (json_type(data) != JSON_ARRAY || json_count(data) > ITEMS_MAX)
		return;
	h = hearing_new(s, json_count(data), json_bytes(data).len + business_id.len);
	whose = arena_str(h->arena, business_id);
	while (json_next(&it, &item)) {
		if (template_read_item(item, whose, now_ms, h->arena, &h->templates[h->put.count]))
			h->put.count++;
	}
	submit(h);
}

/* What was asked for names it, the answer says what became of it. */
static void hear_creation(struct server *s, struct str business_id, struct str request,
			  struct json_val answer)
{
	struct arena *scan = arena_new(request.len * 16 + 65536);
	struct hearing *h = hearing_new(s, 1, request.len + business_id.len + 256);
	struct store_template *t = &h->templates[0];
	const struct json_doc *doc;
	struct str word;

	ASSERT(scan != NULL);
	if (json_scan(request, scan, &doc, NULL) == GW_OK &&
	    template_read_item(json_root(doc), arena_str(h->arena, business_id),
			       clock_wall_ms(&s->clock), h->arena, t)) {
		if (json_get_str(answer, STR("category"), 64, &word))
			t->category = arena_str(h->arena, word);
		if (json_get_str(answer, STR("status"), 64, &word))
			t->state = arena_str(h->arena, word);
		h->put.count = 1;
	}
	arena_free(scan);
	submit(h);
}

void template_hear(struct server *s, struct str method, struct str path, struct str request,
		   struct str answer)
{
	const struct json_doc *doc;
	struct graph_path where;
	struct arena *a;

	if (!graph_path_read(path, &where) || !str_eq(where.edge, STR(EDGE)))
		return;
	a = arena_new(answer.len * 16 + 65536);
	ASSERT(a != NULL);
	if (json_scan(answer, a, &doc, NULL) == GW_OK) {
		if (str_eq(method, STR("GET")))
			template_hear_list(s, where.object,
					   json_member(json_root(doc), STR("data")));
		else if (str_eq(method, STR("POST")))
			hear_creation(s, where.object, request, json_root(doc));
	}
	arena_free(a);
}
