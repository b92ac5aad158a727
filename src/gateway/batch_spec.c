/* SPDX-License-Identifier: MIT */
/*
 * batch_spec.c - see batch_spec.h
 *
 * Messages are built by libgodwit, which knows Meta's limits.  Only variables of a template's body
 * are filled; a header or a button with a variable needs the API's own send.
 * TESTS  tests/unit/test_batch_check.c, tests/system/test_batch.py
 */
#include "gateway/batch_spec.h"

#include "base/mem.h"
#include <godwit/message.h>

struct batch_spec *batch_spec_new(void)
{
	struct batch_spec *s = xcalloc(1, sizeof(*s));

	s->class_ = OUTQ_UTILITY;
	return s;
}

void batch_spec_free(struct batch_spec *s)
{
	if (s == NULL)
		return;
	free(s->template_name);
	free(s->language);
	free(s->text);
	for (size_t i = 0; i < s->column_count; i++) {
		free(s->columns[i]);
		free(s->variables[i]);
	}
	free(s);
}

void batch_spec_template(struct batch_spec *s, struct str name, struct str language)
{
	free(s->template_name);
	free(s->language);
	s->template_name = xstrndup(name);
	s->language = xstrndup(language);
}

void batch_spec_text(struct batch_spec *s, struct str text)
{
	free(s->text);
	s->text = xstrndup(text);
}

static gw_status add_column(struct batch_spec *s, struct str variable, struct str column,
			    struct gw_error *err)
{
	if (column.len == 0 || column.len > BATCH_NAME_MAX || variable.len > BATCH_NAME_MAX)
		return gw_error_set(err, GW_EARG, "a column's name has 1 to %d bytes",
				    BATCH_NAME_MAX);
	if (s->column_count == BATCH_COLUMNS_MAX)
		return gw_error_set(err, GW_EARG, "more than %d variables", BATCH_COLUMNS_MAX);
	s->columns[s->column_count] = xstrndup(column);
	s->variables[s->column_count++] = variable.len > 0 ? xstrndup(variable) : NULL;
	return GW_OK;
}

gw_status batch_spec_variable(struct batch_spec *s, struct str variable, struct str column,
			      struct gw_error *err)
{
	if (variable.len == 0)
		return gw_error_set(err, GW_EARG, "a variable has no name: var.1=COLUMN");
	for (size_t i = 0; i < s->column_count; i++) {
		if (s->variables[i] != NULL && str_eq(variable, str_from(s->variables[i])))
			return gw_error_set(err, GW_EARG, "variable %.*s is given twice",
					    STR_ARG(variable));
	}
	return add_column(s, variable, str_trim(column), err);
}

gw_status batch_spec_category(struct batch_spec *s, struct str word, struct gw_error *err)
{
	if (str_eq(word, STR("marketing")))
		s->class_ = OUTQ_MARKETING;
	else if (str_eq(word, STR("utility")))
		s->class_ = OUTQ_UTILITY;
	else if (str_eq(word, STR("authentication")))
		s->class_ = OUTQ_AUTHENTICATION;
	else
		return gw_error_set(err, GW_EARG,
				    "category: want marketing, utility or authentication, got "
				    "\"%.*s\"",
				    STR_ARG(str_slice(word, 0, 64)));
	return GW_OK;
}

/* ---- the text's places */

/* Cut the text in front of the next {{name}} off *rest; false: no place is left, *before is all. */
static bool next_place(struct str *rest, struct str *before, struct str *name)
{
	size_t from, to;

	*before = *rest;
	if (!str_find(*rest, STR("{{"), &from) ||
	    !str_find(str_slice(*rest, from, rest->len), STR("}}"), &to))
		return false;
	*before = str_slice(*rest, 0, from);
	*name = str_trim(str_slice(*rest, from + 2, from + to));
	*rest = str_slice(*rest, from + to + 2, rest->len);
	return true;
}

static size_t column_of(const struct batch_spec *s, struct str name)
{
	size_t i = 0;

	while (i < s->column_count && !str_eq(name, str_from(s->columns[i])))
		i++;
	return i;
}

static gw_status finish_text(struct batch_spec *s, struct gw_error *err)
{
	struct str rest = str_from(s->text), before, name;
	gw_status status = GW_OK;

	if (s->column_count > 0)
		return gw_error_set(err, GW_EARG,
				    "variables belong to a template; a text names its columns: "
				    "Hi {{name}}");
	if (rest.len == 0 || rest.len > GW_TEXT_MAX * 4)
		return gw_error_set(err, GW_EARG, "text: want 1 to %d characters", GW_TEXT_MAX);
	while (status == GW_OK && next_place(&rest, &before, &name)) {
		if (column_of(s, name) == s->column_count)
			status = add_column(s, STR_EMPTY, name, err);
	}
	return status;
}

/* ---- the template's variables */

static bool is_number(struct str s, uint32_t *out)
{
	return str_to_u32(s, out) && *out > 0;
}

static void swap(struct batch_spec *s, size_t a, size_t b)
{
	char *column = s->columns[a], *variable = s->variables[a];

	s->columns[a] = s->columns[b];
	s->variables[a] = s->variables[b];
	s->columns[b] = column;
	s->variables[b] = variable;
}

/* 1, 2, 3 ... without a gap, in this order. */
static gw_status order_numbers(struct batch_spec *s, struct gw_error *err)
{
	for (uint32_t want = 1; want <= s->column_count; want++) {
		uint32_t got = 0;
		size_t i = want - 1;

		while (i < s->column_count &&
		       (!is_number(str_from(s->variables[i]), &got) || got != want))
			i++;
		if (i == s->column_count)
			return gw_error_set(err, GW_EARG,
					    "variables are 1 to %zu or names, but %u is missing",
					    s->column_count, want);
		swap(s, want - 1, i);
	}
	return GW_OK;
}

static gw_status finish_template(struct batch_spec *s, struct gw_error *err)
{
	size_t numbers = 0;
	uint32_t n;

	if (s->template_name[0] == '\0' || s->language[0] == '\0')
		return gw_error_set(err, GW_EARG,
				    "a template needs its name and its language as approved, e.g. "
				    "en_US");
	for (size_t i = 0; i < s->column_count; i++)
		numbers += is_number(str_from(s->variables[i]), &n);
	s->named = numbers == 0 && s->column_count > 0;
	return s->named || s->column_count == 0 ? GW_OK : order_numbers(s, err);
}

/* One message with harmless values: name, language and variables in the library's eyes. */
static gw_status try_it(const struct batch_spec *s, struct gw_error *err)
{
	char values[2 * BATCH_COLUMNS_MAX];
	struct buf body;
	gw_status status;

	for (size_t i = 0; i < sizeof(values); i++)
		values[i] = i % 2 == 0 ? 'x' : '\0';
	buf_init(&body, GW_MESSAGE_MAX);
	status = batch_spec_body(
		s, STR("+12025550123"),
		str_make(values, s->column_count == 0 ? 0 : 2 * s->column_count - 1), &body, err);
	buf_release(&body);
	return status;
}

gw_status batch_spec_finish(struct batch_spec *s, struct gw_error *err)
{
	gw_status status;

	if ((s->template_name != NULL) == (s->text != NULL))
		return gw_error_set(err, GW_EARG, "want a template or a text, and not both");
	status = s->text != NULL ? finish_text(s, err) : finish_template(s, err);
	return status == GW_OK ? try_it(s, err) : status;
}

/* ---- stored */

void batch_spec_members(const struct batch_spec *s, struct json_writer *w)
{
	if (s->text != NULL)
		json_w_kv_text(w, "text", s->text);
	if (s->template_name == NULL)
		return;
	json_w_key(w, STR("template"));
	json_w_object(w);
	json_w_kv_text(w, "name", s->template_name);
	json_w_kv_text(w, "language", s->language);
	json_w_key(w, STR("variables"));
	json_w_object(w);
	for (size_t i = 0; i < s->column_count; i++)
		json_w_kv_text(w, s->variables[i], s->columns[i]);
	json_w_end(w);
	json_w_end(w);
}

void batch_spec_put(const struct batch_spec *s, struct buf *out)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_i64(&w, "class", s->class_);
	batch_spec_members(s, &w);
	json_w_end(&w);
}

struct batch_spec *batch_spec_read(struct str json)
{
	struct arena *a = arena_new(1U << 20);
	struct batch_spec *s = batch_spec_new();
	const struct json_doc *doc;
	struct json_val root, v, template;
	struct str text, language;
	gw_status status = json_scan(json, a, &doc, NULL);
	struct json_iter it;
	int64_t class_ = OUTQ_UTILITY;

	if (status != GW_OK)
		goto out;
	root = json_root(doc);
	template = json_member(root, STR("template"));
	if (json_get_i64(root, STR("class"), &class_) && class_ >= 0 && class_ < OUTQ_NCLASSES)
		s->class_ = (enum outq_class)class_;
	if (json_get_str(root, STR("text"), BATCH_SPEC_MAX, &text))
		batch_spec_text(s, text);
	if (json_get_str(template, STR("name"), BATCH_SPEC_MAX, &text) &&
	    json_get_str(template, STR("language"), BATCH_SPEC_MAX, &language))
		batch_spec_template(s, text, language);
	for (it = json_iter(json_member(template, STR("variables")));
	     status == GW_OK && json_next(&it, &v);)
		status = json_str(v, BATCH_NAME_MAX, &text)
				 ? batch_spec_variable(s, it.key, text, NULL)
				 : GW_EPARSE;
	if (status == GW_OK)
		status = batch_spec_finish(s, NULL);
out:
	arena_free(a);
	if (status == GW_OK)
		return s;
	batch_spec_free(s);
	return NULL;
}

/* ---- one row */

static size_t split_values(struct str values, struct str out[BATCH_COLUMNS_MAX])
{
	size_t count = 0;

	while (count < BATCH_COLUMNS_MAX && str_split(&values, '\0', &out[count]))
		count++;
	return count;
}

static void put_text(const struct batch_spec *s, const struct str *values, size_t count,
		     struct buf *out)
{
	struct str rest = str_from(s->text), before, name;

	while (next_place(&rest, &before, &name)) {
		size_t i = column_of(s, name);

		buf_put_str(out, before);
		if (i < count)
			buf_put_str(out, values[i]);
	}
	buf_put_str(out, before);
}

static gw_status text_body(const struct batch_spec *s, const gw_address *to,
			   const struct str *values, size_t count, gw_message **out,
			   struct gw_error *err)
{
	gw_status status;
	struct buf text;

	buf_init(&text, (size_t)GW_MESSAGE_MAX);
	put_text(s, values, count, &text);
	status = buf_failed(&text)
			 ? gw_error_set(err, GW_ELIMIT, "text of more than %u bytes",
					GW_MESSAGE_MAX)
			 : gw_message_text(to, str_to_gw(buf_str(&text)), false, out, err);
	buf_release(&text);
	return status;
}

static gw_status template_body(const struct batch_spec *s, const gw_address *to,
			       const struct str *values, size_t count, gw_message **out,
			       struct gw_error *err)
{
	gw_param params[BATCH_COLUMNS_MAX] = { 0 };
	gw_part body = { .kind = GW_PART_BODY, .params = params, .param_count = s->column_count };
	gw_template t = { .name = gw_str_from(s->template_name),
			  .language = gw_str_from(s->language),
			  .parts = &body,
			  .part_count = s->column_count > 0 ? 1 : 0 };

	for (size_t i = 0; i < s->column_count; i++) {
		params[i].kind = GW_PARAM_TEXT;
		params[i].text = i < count ? str_to_gw(values[i]) : (gw_str){ "", 0 };
		if (s->named)
			params[i].name = gw_str_from(s->variables[i]);
	}
	return gw_message_template(to, &t, out, err);
}

gw_status batch_spec_body(const struct batch_spec *s, struct str phone, struct str values,
			  struct buf *out, struct gw_error *err)
{
	struct str cells[BATCH_COLUMNS_MAX];
	size_t count = split_values(values, cells);
	gw_address to = GW_ADDRESS_INIT;
	gw_message *m = NULL;
	gw_status status;

	to.to = str_to_gw(phone);
	status = s->text != NULL ? text_body(s, &to, cells, count, &m, err)
				 : template_body(s, &to, cells, count, &m, err);
	if (status != GW_OK)
		return status;
	buf_put_str(out, str_of_gw(gw_message_json(m)));
	gw_message_free(m);
	return GW_OK;
}

void batch_spec_show(const struct batch_spec *s, struct str values, struct buf *out)
{
	struct str cells[BATCH_COLUMNS_MAX];
	size_t count = split_values(values, cells);

	if (s->text != NULL) {
		put_text(s, cells, count, out);
		return;
	}
	buf_put_fmt(out, "%s (%s)", s->template_name, s->language);
	for (size_t i = 0; i < s->column_count && i < count; i++)
		buf_put_fmt(out, "%s %s: %.*s", i == 0 ? "" : ",", s->variables[i],
			    STR_ARG(cells[i]));
}
