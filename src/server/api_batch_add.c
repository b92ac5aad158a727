/* SPDX-License-Identifier: MIT */
/*
 * api_batch_add.c - POST /api/v1/batches: a list comes in, as CSV or as rows of JSON
 *
 * A large body goes through a file without a name (spool.h), which the check
 * reads; it is gone with the process, and a start refuses what was being
 * looked at (batch.c).
 *
 * THREADS  api_batch_on_head(): a listener's.  The rest: the loop's.
 * TESTS    tests/system/test_batch.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/batch.h"
#include "server/api.h"
#include "server/spool.h"

#include <errno.h>
#include <unistd.h>

#define CSV_MAX (256U * 1024 * 1024)
#define JSON_MAX (16U * 1024 * 1024)
#define JSON_ARENA ((size_t)64 << 20) /* values of JSON_MAX bytes, unless they are mere digits */
#define TEXT_BYTES_MAX (16U * 1024)

bool api_batch_is_add(const struct http_call *call)
{
	return str_eq(http_path(call), STR("/api/v1/batches")) &&
	       str_eq(http_method(call), STR("POST"));
}

static bool is_csv(const struct http_call *call)
{
	struct str type;

	return http_header(call, "Content-Type", &type) && str_starts(type, STR("text/csv"));
}

size_t api_batch_on_head(struct server *s, struct http_call *call)
{
	uint64_t length = http_content_length(call);
	size_t max = is_csv(call) ? CSV_MAX : JSON_MAX;
	struct spool *spool;

	if (!http_has_body(call) || (length > 0 && length <= API_BODY_MAX))
		return API_BODY_MAX;
	if (length > max)
		return max; /* 413 */
	if (!http_is_local(call) && !api_may_have_key(s, call)) {
		api_no_key(s, call, false);
		return 0;
	}
	spool = spool_open(s, length > 0 ? length : max);
	if (spool == NULL) {
		api_error(call, 503, "busy", "spool",
			  "there is no room for another large body just now; try again");
		return 0;
	}
	http_set_user(call, spool);
	http_body_to(call, spool->fd);
	return max;
}

/* ---- what is asked for */

struct asked {
	struct api_request *r;
	struct batch_wish wish;
	struct str number, template_name, language, text; /* borrowed */
	bool has_template, has_text;
	struct gw_error err;
};

static gw_status odd(struct asked *a, const char *name, struct str value, const char *want)
{
	return gw_error_set(&a->err, GW_EARG, "%s: want %s, got \"%.*s\"", name, want,
			    STR_ARG(str_slice(value, 0, 64)));
}

static gw_status set_flag(struct asked *a, const char *name, struct str value, bool *out)
{
	if (!str_eq(value, STR("0")) && !str_eq(value, STR("1")))
		return odd(a, name, value, "0 or 1");
	*out = str_eq(value, STR("1"));
	return GW_OK;
}

static gw_status set_option(struct asked *a, struct str name, struct str value)
{
	struct batch_wish *w = &a->wish;

	if (str_starts(name, STR("var.")))
		return batch_spec_variable(w->spec, str_slice(name, 4, name.len), value, &a->err);
	if (str_eq(name, STR("category")))
		return batch_spec_category(w->spec, value, &a->err);
	if (str_eq(name, STR("start")))
		return set_flag(a, "start", value, &w->start);
	if (str_eq(name, STR("allow_duplicates")))
		return set_flag(a, "allow_duplicates", value, &w->allow_duplicates);
	if (str_eq(name, STR("confirm"))) {
		w->has_confirm = str_to_i64(value, &w->confirm);
		return w->has_confirm ? GW_OK : odd(a, "confirm", value, "a number of messages");
	}
	if (str_eq(name, STR("template")))
		a->template_name = value, a->has_template = true;
	else if (str_eq(name, STR("text")))
		a->text = value, a->has_text = true;
	else if (str_eq(name, STR("language")))
		a->language = value;
	else if (str_eq(name, STR("number")))
		a->number = value;
	else if (str_eq(name, STR("phone")))
		w->phone_column = value;
	else if (str_eq(name, STR("name")))
		w->name = value;
	else if (!str_eq(name, STR("access_token")))
		return gw_error_set(&a->err, GW_EARG, "unknown option \"%.*s\"",
				    STR_ARG(str_slice(name, 0, 64)));
	return GW_OK;
}

/* Names as they are sent: none of ours needs an escape. */
static gw_status read_query(struct asked *a)
{
	struct str rest = http_target(a->r->call), one, value;
	gw_status status = GW_OK;
	char name[BATCH_NAME_MAX + 8];
	size_t at;

	if (!str_find_char(rest, '?', &at))
		return GW_OK;
	rest = str_slice(rest, at + 1, rest.len);
	while (status == GW_OK && str_split(&rest, '&', &one)) {
		struct str raw = str_find_char(one, '=', &at) ? str_slice(one, 0, at) : one;

		if (raw.len == 0)
			continue;
		if (!str_copy(raw, name, sizeof(name)) || !http_query(a->r->call, name, &value))
			return gw_error_set(&a->err, GW_EARG, "an option \"%.*s\" cannot be read",
					    STR_ARG(str_slice(raw, 0, 64)));
		status = set_option(a, str_from(name), value);
	}
	return status;
}

static gw_status read_template(struct asked *a, struct json_val t)
{
	gw_status status = GW_OK;
	struct json_iter it;
	struct json_val v;
	struct str text;

	if (json_type(t) != JSON_OBJECT ||
	    !json_get_str(t, STR("name"), BATCH_SPEC_MAX, &a->template_name) ||
	    !json_get_str(t, STR("language"), BATCH_SPEC_MAX, &a->language))
		return gw_error_set(&a->err, GW_EARG,
				    "template: want {\"name\",\"language\",\"variables\"}");
	a->has_template = true;
	for (it = json_iter(json_member(t, STR("variables")));
	     status == GW_OK && json_next(&it, &v);)
		status = json_str(v, BATCH_NAME_MAX, &text)
				 ? batch_spec_variable(a->wish.spec, it.key, text, &a->err)
				 : gw_error_set(&a->err, GW_EARG,
						"variables: want the name of a column for each");
	return status;
}

static gw_status read_member(struct asked *a, struct str key, struct json_val v)
{
	struct str text;
	bool flag;

	if (str_eq(key, STR("template")))
		return read_template(a, v);
	if (str_eq(key, STR("rows"))) {
		a->wish.source.rows = v;
		return json_type(v) == JSON_ARRAY
			       ? GW_OK
			       : gw_error_set(&a->err, GW_EARG, "rows: want an array of objects");
	}
	if (json_bool(v, &flag))
		return set_option(a, key, flag ? STR("1") : STR("0"));
	if (json_type(v) == JSON_NUMBER)
		return set_option(a, key, json_bytes(v));
	if (json_str(v, TEXT_BYTES_MAX, &text))
		return set_option(a, key, text);
	return gw_error_set(&a->err, GW_EARG, "%.*s: a value of an odd kind or too long",
			    STR_ARG(str_slice(key, 0, 64)));
}

static gw_status read_json(struct asked *a)
{
	struct batch_source *src = &a->wish.source;
	gw_status status = GW_OK;
	const struct json_doc *doc;
	struct json_iter it;
	struct json_val v;

	src->arena = arena_new(JSON_ARENA);
	ASSERT(src->arena != NULL);
	if (json_scan(src->text, src->arena, &doc, &a->err) != GW_OK)
		return GW_EPARSE;
	if (json_type(json_root(doc)) != JSON_OBJECT)
		return gw_error_set(&a->err, GW_EPARSE, "the body must be a JSON object");
	for (it = json_iter(json_root(doc)); status == GW_OK && json_next(&it, &v);)
		status = read_member(a, it.key, v);
	if (status == GW_OK && json_type(src->rows) != JSON_ARRAY)
		status = gw_error_set(&a->err, GW_EARG, "rows: want an array of objects");
	return status;
}

/* The whole file into memory: JSON is at most JSON_MAX. */
static gw_status read_file(struct asked *a, uint64_t len)
{
	struct batch_source *src = &a->wish.source;
	char *bytes = xmalloc((size_t)len + 1);
	uint64_t at = 0;

	while (at < len) {
		ssize_t n = pread(src->fd, bytes + at, (size_t)(len - at), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (uint64_t)n;
	}
	(void)close(src->fd);
	src->fd = -1;
	src->text = str_make(bytes, (size_t)at);
	return at == len ? GW_OK : gw_error_set(&a->err, GW_EIO, "the body cannot be read again");
}

static gw_status read_body(struct asked *a)
{
	struct batch_source *src = &a->wish.source;
	uint64_t written = http_body_written(a->r->call);
	bool csv = is_csv(a->r->call);
	gw_status status = GW_OK;

	if (a->r->up != NULL)
		src->fd = spool_take(a->r->up);
	else
		src->text = http_take_body(a->r->call);
	if (a->r->up != NULL && !csv)
		status = read_file(a, written);
	if (status == GW_OK && !csv)
		status = read_json(a);
	return status;
}

/* ---- the number */

static struct str digits_of(struct str s)
{
	return s.len > 0 && s.ptr[0] == '+' ? str_slice(s, 1, s.len) : s;
}

static const struct number *find_number(struct asked *a)
{
	const struct accounts *all = a->r->server->accounts;
	struct str mine = api_numbers(a->r);
	const struct number *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < accounts_number_count(all); i++) {
		const struct number *n = accounts_number_at(all, i);

		if (!numbers_have(mine, str_from(n->id)))
			continue;
		if (a->number.len > 0 && !str_eq(a->number, str_from(n->id)) &&
		    (n->address == NULL ||
		     !str_eq(digits_of(a->number), digits_of(str_from(n->address)))))
			continue;
		found = n;
		count++;
	}
	if (count == 1)
		return found;
	(void)gw_error_set(&a->err, GW_EARG,
			   count == 0 ? "number: there is no number \"%.*s\" to send from"
				      : "number: there are several to send from; say which%.*s",
			   count == 0 ? (int)a->number.len : 0, a->number.ptr);
	return NULL;
}

/* ---- the answer */

struct batch_call {
	struct server *server;
	struct http_call *call;
};

static void on_added(void *cookie, gw_status status, const struct id *id)
{
	struct batch_call *c = cookie;

	if (status == GW_OK)
		api_batch_answer(c->server, c->call, STR_EMPTY, id, 202);
	else
		api_error(c->call, 503, "busy", "store",
			  "it could not be stored, so nothing was accepted; try again");
	free(c);
}

static gw_status read_asked(struct asked *a)
{
	struct batch_wish *w = &a->wish;
	gw_status status = read_query(a);

	if (status == GW_OK)
		status = read_body(a);
	if (status != GW_OK)
		return status;
	if (w->name.len > BATCH_NAME_MAX || w->phone_column.len > BATCH_NAME_MAX)
		return gw_error_set(&a->err, GW_EARG, "name and phone have at most %d bytes",
				    BATCH_NAME_MAX);
	if (a->has_template)
		batch_spec_template(w->spec, a->template_name, a->language);
	if (a->has_text)
		batch_spec_text(w->spec, a->text);
	return batch_spec_finish(w->spec, &a->err);
}

void api_batch_add(struct api_request *r)
{
	struct asked a = { .r = r, .wish = { .source = { .fd = -1 } }, .err = GW_ERROR_INIT };
	const struct number *number = NULL;
	struct batch_call *c;

	a.number = a.template_name = a.language = a.text = STR_EMPTY;
	a.wish.name = a.wish.phone_column = STR_EMPTY;
	a.wish.spec = batch_spec_new();
	if (r->key != NULL)
		a.wish.key_id = r->key->id;
	if (read_asked(&a) == GW_OK)
		number = find_number(&a);
	if (number == NULL) {
		api_error(r->call, 400, "usage", "bad_batch", "%s", a.err.message);
		batch_spec_free(a.wish.spec);
		batch_source_release(&a.wish.source);
		return;
	}
	a.wish.number_id = str_from(number->id);
	c = xmalloc(sizeof(*c));
	*c = (struct batch_call){ r->server, r->call };
	if (batches_add(r->server->batches, &a.wish, on_added, c, &a.err) == GW_OK)
		return;
	free(c);
	api_error(r->call, 503, "busy", "batches", "%s", a.err.message);
}
