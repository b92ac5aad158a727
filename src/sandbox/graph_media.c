/* SPDX-License-Identifier: MIT */
/*
 * graph_media.c - upload, look up, fetch and delete media; are a message's media ids known?
 *
 * ROLE        cloud-api.md 3, read 2026-11.  Form errors are 100, a type or
 *             size outside the matrix 131053.  A link lives five minutes of
 *             the moved clock and needs a token; a dead one is 404.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_media.c, tests/system/test_sandbox_media.py
 */
#include "sandbox/graph.h"

#include "base/hexb64.h"
#include "sandbox/media.h"
#include "sandbox/multipart.h"

/* What a form said. */
struct upload {
	struct str product, type;
	struct multipart_part file;
	bool has_file;
};

static bool read_form(struct graph_call *c, struct upload *u)
{
	struct multipart_part part;
	enum multipart_step step;
	struct multipart m;

	memset(u, 0, sizeof(*u));
	if (!multipart_start(&m, c->ask->content_type, c->ask->body))
		return metaerr_param(&c->err, "The body must be multipart/form-data: %s", m.error);
	while ((step = multipart_next(&m, &part)) == MULTIPART_PART) {
		if (str_eq(part.name, STR("messaging_product"))) {
			u->product = str_trim(part.body);
		} else if (str_eq(part.name, STR("type"))) {
			u->type = str_trim(part.body);
		} else if (str_eq(part.name, STR("file"))) {
			u->file = part;
			u->has_file = true;
		}
	}
	if (step == MULTIPART_BAD)
		return metaerr_param(&c->err, "The body is not well formed: %s", m.error);
	if (u->product.len == 0 && !graph_query(c, "messaging_product", &u->product))
		u->product = STR_EMPTY; /* Graph takes a parameter of a form from the query, too */
	return true;
}

bool graph_upload_media(struct graph_call *c, const struct number *n)
{
	const struct media_rule *rule;
	struct json_writer w;
	struct upload u;
	struct media *m;

	if (!read_form(c, &u))
		return false;
	if (u.product.len == 0)
		return metaerr_param(&c->err, "The parameter messaging_product is required.");
	if (!str_eq(u.product, STR("whatsapp")))
		return metaerr_param(&c->err,
				     "Param messaging_product must be one of {WHATSAPP} - got "
				     "\"%.*s\".",
				     STR_ARG(str_slice(u.product, 0, 64)));
	if (!u.has_file || !u.file.is_file)
		return metaerr_param(&c->err, "The parameter file is required.");
	if (u.type.len == 0)
		u.type = u.file.type;
	if (u.type.len == 0)
		return metaerr_param(&c->err, "The parameter type is required.");
	if (u.file.body.len == 0)
		return metaerr_param(&c->err, "Param file must not be empty.");
	rule = media_rule_of(u.type);
	if (rule == NULL)
		return metaerr_set(&c->err, 131053, "files of type %.*s are not taken",
				   STR_ARG(str_slice(u.type, 0, 128)));
	if (!media_add(c->world, n, MEDIA_UPLOADED, rule, u.file.body, &m, &c->err))
		return false;
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_kv_text(&w, "id", m->id);
	json_w_end(&w);
	return true;
}

static void write_media(struct graph_call *c, const struct media *m)
{
	char url[MEDIA_URL_MAX], sha[2 * SHA256_BYTES + 1];
	struct json_writer w;

	media_url(c->world, m, c->ask->host, url);
	hex_encode(m->sha, sizeof(m->sha), sha);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_text(&w, "url", url);
	json_w_kv_text(&w, "mime_type", m->rule->mime);
	json_w_kv_text(&w, "sha256", sha);
	json_w_kv_i64(&w, "file_size", (int64_t)m->len);
	json_w_kv_text(&w, "id", m->id);
	json_w_end(&w);
}

bool graph_media(struct graph_call *c, bool *found)
{
	struct media *m = media_get(c->world, c->object);
	struct str owner;

	*found = m != NULL;
	if (m != NULL && graph_query(c, "phone_number_id", &owner) &&
	    !str_eq(owner, str_from(m->number)))
		*found = false;
	if (!*found)
		return false;
	if (str_eq(c->ask->method, STR("GET"))) {
		write_media(c, m);
	} else if (str_eq(c->ask->method, STR("DELETE"))) {
		media_drop(c->world, m);
		graph_write_success(c);
	} else {
		*found = false;
		return false;
	}
	return true;
}

static bool fail_link(struct graph_call *c)
{
	(void)metaerr_graph(&c->err, 100, 33, "GraphMethodException",
			    "This link is dead: look the media up again");
	c->err.http = 404;
	return false;
}

bool graph_fetch_media(struct graph_call *c)
{
	struct str id, until, hash;
	char proof[MEDIA_PROOF_MAX];
	const struct media *m;
	int64_t until_s;

	if (!graph_query(c, "mid", &id) || !graph_query(c, "ext", &until) ||
	    !graph_query(c, "hash", &hash) || !str_to_i64(until, &until_s))
		return fail_link(c);
	media_proof(c->world, id, until_s, proof);
	m = media_get(c->world, id);
	if (m == NULL || !str_eq(hash, str_from(proof)) || clock_wall_s(c->world->clock) >= until_s)
		return fail_link(c);
	c->out->type = m->rule->mime;
	buf_release(&c->out->body);
	buf_init(&c->out->body, MEDIA_FILE_MAX + 1);
	buf_put(&c->out->body, m->bytes, m->len);
	return true;
}

/* One {"id":…} of a message; a link or nothing is fine. */
static bool is_known(struct graph_call *c, struct json_val media, const char *path)
{
	struct str id;

	if (!json_get_text(media, STR("id"), 256, &id) || media_get(c->world, id) != NULL)
		return true;
	return metaerr_param(&c->err,
			     "Param %s['id'] is not a valid whatsapp business account media "
			     "attachment ID",
			     path);
}

static const char *const in_parts[] = { "image", "video", "document" };

static bool check_parameters(struct graph_call *c, struct json_val component)
{
	struct json_iter it = json_iter(json_member(component, STR("parameters")));
	struct json_val v;

	while (json_next(&it, &v)) {
		for (size_t i = 0; i < sizeof(in_parts) / sizeof(in_parts[0]); i++) {
			if (!is_known(c, json_member(v, str_from(in_parts[i])), in_parts[i]))
				return false;
		}
	}
	return true;
}

bool graph_check_media_ids(struct graph_call *c, const char *type, struct json_val content)
{
	struct json_val header = json_member(content, STR("header")), v;
	struct json_iter it;

	if (!c->world->settings.check_media)
		return true;
	if (media_rule_of_kind(str_from(type)) != NULL)
		return is_known(c, content, type);
	if (strcmp(type, "interactive") == 0) {
		for (size_t i = 0; i < sizeof(in_parts) / sizeof(in_parts[0]); i++) {
			if (!is_known(c, json_member(header, str_from(in_parts[i])), in_parts[i]))
				return false;
		}
	}
	if (strcmp(type, "template") != 0)
		return true;
	for (it = json_iter(json_member(content, STR("components"))); json_next(&it, &v);) {
		if (!check_parameters(c, v))
			return false;
	}
	return true;
}
