/* SPDX-License-Identifier: MIT */
/*
 * graph_template.c - create, edit and delete templates over Graph
 *
 * ROLE        cloud-api.md 4.5, read 2026-11.  Limits: 100 creations an hour
 *             (80008), settings.template_limit (2388019), one edit of an
 *             approved template in 24 hours and ten in 30 days (2388039), the
 *             name of a deleted approved one for 30 days (2388023, known from
 *             practice).
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_manage.c
 */
#include "sandbox/graph.h"

#include "base/mem.h"
#include "sandbox/template.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define DAY_NS (24 * HOUR_NS)

static bool take_creation(struct graph_call *c)
{
	struct world *w = c->world;
	int64_t *oldest = &w->creations_ns[w->creation_at];

	if (*oldest != 0 && world_now_ns(w) - *oldest < HOUR_NS)
		return metaerr_graph(&c->err, 80008, 0, "OAuthException",
				     "(#80008) There have been too many calls to this WhatsApp "
				     "Business account: %d templates were created within an hour.",
				     SANDBOX_CREATIONS_MAX);
	*oldest = world_now_ns(w);
	w->creation_at = (w->creation_at + 1) % SANDBOX_CREATIONS_MAX;
	return true;
}

static void write_template(struct graph_call *c, const struct template *t, bool with_success)
{
	struct json_writer w;

	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	if (with_success)
		json_w_kv_bool(&w, "success", true);
	json_w_kv_text(&w, "id", t->id);
	if (with_success)
		json_w_kv_text(&w, "name", t->name);
	else
		json_w_kv_text(&w, "status", t->status);
	json_w_kv_text(&w, "category", t->category);
	json_w_end(&w);
}

/* Store a definition that was looked over, and send it to its review. */
static bool store(struct graph_call *c, struct json_val object, const struct template **out)
{
	struct templates *all = c->world->templates;
	struct gw_error err = GW_ERROR_INIT;
	const struct template *t;

	if (templates_set(all, object, &t, &err) != GW_OK ||
	    templates_set_status(all, str_from(t->name), str_from(t->language), STR("PENDING"),
				 &err) != GW_OK)
		return metaerr_param(&c->err, "%s", err.message);
	*out = t;
	return true;
}

bool graph_create_template(struct graph_call *c)
{
	struct templates *all = c->world->templates;
	const struct template *t;
	struct str name, language;

	if (!template_lint(c->body, &c->err))
		return false;
	(void)json_get_str(c->body, STR("name"), TEMPLATE_NAME_MAX, &name);
	(void)json_get_str(c->body, STR("language"), 15, &language);
	if (templates_find(all, name, language) != NULL)
		return metaerr_template(&c->err, 2388024, "Content in this language already exists",
					"there is %.*s in %.*s already: edit it or take another "
					"name",
					STR_ARG(str_slice(name, 0, 64)), STR_ARG(language));
	if (templates_is_locked(all, name, language, world_now_ns(c->world)))
		return metaerr_template(&c->err, 2388023, "The name is locked",
					"a template of this name was deleted less than 30 days "
					"ago");
	if (templates_count(all) >= (size_t)c->world->settings.template_limit)
		return metaerr_template(&c->err, 2388019, "Template limit reached",
					"this account has %zu templates: delete one first",
					templates_count(all));
	if (!take_creation(c) || !store(c, c->body, &t))
		return false;
	if (c->world->settings.template_review_ms == 0)
		template_review(c->world, t);
	write_template(c, t, false);
	if (c->world->settings.template_review_ms > 0)
		template_review(c->world, t);
	return true;
}

static bool fail_edit(struct graph_call *c, const char *why)
{
	return metaerr_template(&c->err, 2388039, "The template cannot be edited", "%s", why);
}

/* May it be edited, and so? */
static bool check_edit(struct graph_call *c, const struct template *t)
{
	int64_t now = world_now_ns(c->world);
	size_t in_month = 0;
	struct str category;

	if (strcmp(t->status, "REJECTED") == 0 || strcmp(t->status, "PAUSED") == 0)
		return true;
	if (strcmp(t->status, "APPROVED") != 0)
		return fail_edit(c, "only approved, rejected and paused templates are edited");
	if (json_get_str(c->body, STR("category"), 15, &category) &&
	    !str_eq(category, str_from(t->category)))
		return fail_edit(c, "the category of an approved template stays");
	for (size_t i = 0; i < TEMPLATE_EDITS_MAX; i++) {
		if (t->edits_ns[i] != 0 && now - t->edits_ns[i] < DAY_NS)
			return fail_edit(c, "an approved template is edited once in 24 hours");
		if (t->edits_ns[i] != 0 && now - t->edits_ns[i] < 30 * DAY_NS)
			in_month++;
	}
	return in_month < TEMPLATE_EDITS_MAX ||
	       fail_edit(c, "an approved template is edited ten times in 30 days");
}

/* The definition as it would be after the edit. */
static bool merge(struct graph_call *c, const struct template *t, struct json_val *out)
{
	struct json_val components = json_member(c->body, STR("components"));
	struct json_val ttl = json_member(c->body, STR("message_send_ttl_seconds"));
	struct str category = str_from(t->category), text;
	const struct json_doc *doc;
	struct json_writer w;
	struct buf b;
	bool ok;

	(void)json_get_str(c->body, STR("category"), 15, &category);
	buf_init(&b, SANDBOX_BODY_MAX * 2);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "name", t->name);
	json_w_kv_text(&w, "language", t->language);
	json_w_kv_str(&w, "category", category);
	json_w_kv_text(&w, "parameter_format", t->named ? "NAMED" : "POSITIONAL");
	json_w_kv_raw(&w, "components",
		      json_exists(components) ? json_bytes(components) : str_from(t->components));
	if (!json_exists(ttl) && t->ttl_s != 0)
		json_w_kv_i64(&w, "message_send_ttl_seconds", t->ttl_s);
	if (json_exists(ttl))
		json_w_kv_raw(&w, "message_send_ttl_seconds", json_bytes(ttl));
	json_w_end(&w);
	text = arena_str(c->graph->arena, buf_str(&b));
	ok = !buf_failed(&b) && text.ptr != NULL &&
	     json_scan(text, c->graph->arena, &doc, NULL) == GW_OK;
	buf_release(&b);
	if (!ok)
		return metaerr_param(&c->err, "the template is too large");
	*out = json_root(doc);
	return true;
}

bool graph_edit_template(struct graph_call *c)
{
	const struct template *t = templates_by_id(c->world->templates, c->object);
	bool was_approved = strcmp(t->status, "APPROVED") == 0;
	struct json_val object;

	if (json_type(c->body) != JSON_OBJECT ||
	    (!json_exists(json_member(c->body, STR("components"))) &&
	     !json_exists(json_member(c->body, STR("category"))) &&
	     !json_exists(json_member(c->body, STR("message_send_ttl_seconds")))))
		return metaerr_param(&c->err, "The parameter components is required.");
	if (!check_edit(c, t) || !merge(c, t, &object) || !template_lint(object, &c->err) ||
	    !store(c, object, &t))
		return false;
	if (was_approved)
		templates_note_edit(c->world->templates, c->object, world_now_ns(c->world));
	write_template(c, t, true);
	template_review(c->world, t);
	return true;
}

static bool fail_unknown(struct graph_call *c, struct str name)
{
	return metaerr_template(&c->err, 0, "Message template not found",
				"there is no template %.*s", STR_ARG(str_slice(name, 0, 128)));
}

static bool is_meant(const struct template *t, struct str name, struct str id)
{
	return str_eq(name, str_from(t->name)) && (id.len == 0 || str_eq(id, str_from(t->id)));
}

/* All languages of a name, or the one with the id. */
bool graph_delete_templates(struct graph_call *c)
{
	struct templates *all = c->world->templates;
	const struct template *t;
	struct str name, id = STR_EMPTY;
	size_t matched = 0;

	if (!graph_query(c, "name", &name) || name.len == 0)
		return metaerr_param(&c->err, "The parameter name is required.");
	(void)graph_query(c, "hsm_id", &id);
	for (size_t i = 0; (t = templates_at(all, i)) != NULL; i++) {
		if (!is_meant(t, name, id))
			continue;
		if (strcmp(t->status, "DISABLED") == 0)
			return metaerr_template(&c->err, 0, "The template cannot be deleted",
						"a disabled template cannot be deleted");
		matched++;
	}
	if (matched == 0)
		return fail_unknown(c, name);
	for (size_t i = 0; (t = templates_at(all, i)) != NULL;) {
		if (!is_meant(t, name, id)) {
			i++;
			continue;
		}
		if (strcmp(t->status, "APPROVED") == 0)
			templates_lock(all, t, world_now_ns(c->world) + 30 * DAY_NS);
		templates_remove(all, i);
	}
	graph_write_success(c);
	return true;
}
