/* SPDX-License-Identifier: MIT */
/*
 * body_splice.c - edits by span
 *
 * Every top-level occurrence of the key is replaced, since which of two equal
 * keys Meta's parser takes is not ours to guess, and a foreign value on the
 * wire would be a message that nobody can reconcile.  Edits are found in the
 * order of the text, so the result is the text between them and them.
 * TESTS  tests/unit/test_body_splice.c, fuzz/fuzz_send.c
 */
#include "gateway/body_splice.h"

struct splice {
	struct str body;
	size_t done; /* bytes of body that are in out */
	struct buf *out;
};

static void replace(struct splice *s, struct span where, struct str with)
{
	buf_put_str(s->out, str_slice(s->body, s->done, where.at));
	json_quote(s->out, with, false);
	s->done = (size_t)where.at + where.len;
}

static void replace_quoted(struct splice *s, struct json_val context, struct str quoted)
{
	struct json_iter it;
	struct json_val v;

	if (json_type(context) != JSON_OBJECT)
		return;
	for (it = json_iter(context); json_next(&it, &v);) {
		if (str_eq(it.key, STR("message_id")))
			replace(s, json_span(v), quoted);
	}
}

/* Behind the opening brace: the one place that is there in every object. */
static void insert_first(struct splice *s, struct json_val root, struct str token)
{
	size_t at = (size_t)json_span(root).at + 1;

	buf_put_str(s->out, str_slice(s->body, 0, at));
	buf_put_text(s->out, "\"biz_opaque_callback_data\":");
	json_quote(s->out, token, false);
	if (json_count(root) > 0)
		buf_put_char(s->out, ',');
	s->done = at;
}

gw_status body_splice(struct str body, struct str token, struct str quoted, struct arena *a,
		      struct buf *out, struct gw_error *err)
{
	static const struct str key = { "biz_opaque_callback_data", 24 };
	struct splice s = { .body = body, .out = out };
	const struct json_doc *doc;
	struct json_val root, v;
	struct json_iter it;
	gw_status st;

	st = json_scan(body, a, &doc, err);
	if (st != GW_OK)
		return st;
	root = json_root(doc);
	if (json_type(root) != JSON_OBJECT)
		return gw_error_set(err, GW_EPARSE, "the body is not a JSON object");
	if (!json_exists(json_member(root, key)))
		insert_first(&s, root, token);
	for (it = json_iter(root); json_next(&it, &v);) {
		if (str_eq(it.key, key))
			replace(&s, json_span(v), token);
		else if (quoted.len > 0 && str_eq(it.key, STR("context")))
			replace_quoted(&s, v, quoted);
	}
	buf_put_str(out, str_slice(body, s.done, body.len));
	if (buf_failed(out))
		return gw_error_set(err, GW_ELIMIT, "the body is too long with our token in it");
	return GW_OK;
}
