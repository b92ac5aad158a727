/* SPDX-License-Identifier: MIT */
/*
 * template_review.c - a template waits for its review, and the webhook that tells
 *
 * ROLE        PENDING becomes APPROVED settings.template_review_ms later on the
 *             moved clock, or at once with 0; nothing is ever rejected but by
 *             POST /sandbox/v1/templates.  Shape of the webhook: cloud-api.md
 *             5.4, read 2026-11.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_manage.c
 */
#include "sandbox/template.h"

#include "base/mem.h"

struct review {
	TAILQ_ENTRY(review) link;
	struct world *world;
	struct timer timer;
	char id[GRAPH_ID_MAX]; /* of the template: it may be gone by then */
};

void template_tell_status(struct world *w, const struct template *t)
{
	struct json_writer jw;

	buf_reset(&w->scratch);
	json_w_init(&jw, &w->scratch);
	json_w_object(&jw);
	json_w_key(&jw, STR("value"));
	json_w_object(&jw);
	json_w_kv_text(&jw, "event", t->status);
	json_w_kv_raw(&jw, "message_template_id", str_from(t->id));
	json_w_kv_text(&jw, "message_template_name", t->name);
	json_w_kv_text(&jw, "message_template_language", t->language);
	json_w_kv_text(&jw, "reason", "NONE");
	json_w_kv_text(&jw, "message_template_category", t->category);
	json_w_end(&jw);
	json_w_kv_text(&jw, "field", "message_template_status_update");
	json_w_end(&jw);
	if (!buf_failed(&w->scratch))
		world_emit(w, buf_str(&w->scratch));
}

static void forget(struct review *r)
{
	timer_cancel(&r->timer);
	TAILQ_REMOVE(&r->world->reviews, r, link);
	free(r);
}

static void approve(struct world *w, const char *id)
{
	const struct template *t = templates_by_id(w->templates, str_from(id));

	if (t == NULL || strcmp(t->status, "PENDING") != 0)
		return;
	if (templates_set_status(w->templates, str_from(t->name), str_from(t->language),
				 STR("APPROVED"), NULL) == GW_OK)
		template_tell_status(w, t);
}

static void on_time(void *cookie)
{
	struct review *r = cookie;

	approve(r->world, r->id);
	forget(r);
}

static struct review *find(struct world *w, const char *id)
{
	struct review *r;

	TAILQ_FOREACH(r, &w->reviews, link)
	{
		if (strcmp(r->id, id) == 0)
			return r;
	}
	return NULL;
}

void template_review(struct world *w, const struct template *t)
{
	struct review *r = find(w, t->id);

	if (w->settings.template_review_ms == 0) {
		approve(w, t->id);
		return;
	}
	if (r == NULL) {
		r = xcalloc(1, sizeof(*r));
		r->world = w;
		(void)str_copy(str_from(t->id), r->id, sizeof(r->id));
		timer_init(&r->timer, w->loop, LOOP_MOVED, on_time, r);
		TAILQ_INSERT_TAIL(&w->reviews, r, link);
	}
	timer_in_ms(&r->timer, w->settings.template_review_ms);
}

void template_review_drop_all(struct world *w)
{
	while (!TAILQ_EMPTY(&w->reviews))
		forget(TAILQ_FIRST(&w->reviews));
}
