/* SPDX-License-Identifier: MIT */
/*
 * plan.c - see plan.h
 *
 * Headers and no members of the body: the body is the caller's and goes to Meta
 * as it is.  Values are form-encoded, so that a header holds any language.
 * TESTS  tests/unit/test_plan.c, tests/system/test_plans.py
 */
#include "gateway/plan.h"

#include "base/hexb64.h"
#include "base/utf8.h"
#include "json/json.h"

#define LANGUAGE_MAX 15 /* "zh_Hant_TW" and longer */
#define NAME_MAX_CHARS 512 /* cloud-api.md 4.5 */
#define VAR_NAME_MAX 64
#define VAR_MAX 1024 /* bytes; a body has at most 1,024 characters */

/* ---- the headers ---- */

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return s.len > 0 && s.len <= NAME_MAX_CHARS;
}

static bool is_language(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'))
			return false;
	}
	return s.len >= 2 && s.len <= LANGUAGE_MAX;
}

static bool read_template(struct str header, struct plan *out, struct refusal *r)
{
	struct str rest = str_trim(header);

	(void)str_split(&rest, ':', &out->name); /* a header that is not empty has a field */
	out->language = rest.ptr == NULL ? STR("en_US") : rest;
	if (is_name(out->name) && is_language(out->language))
		return true;
	return refuse(r, REFUSAL_INVALID, 100,
		      "the header Godwit-Fallback-Template must be a template's name (a-z, 0-9, "
		      "_), with a colon and its language unless that is en_US");
}

static bool read_park(struct str header, bool *out, struct refusal *r)
{
	struct str word = str_trim(header);

	*out = str_eq_nocase(word, STR("yes"));
	return *out || word.len == 0 || str_eq_nocase(word, STR("no")) ||
	       refuse(r, REFUSAL_INVALID, 100, "the header Godwit-Park must be yes or no");
}

/* "A%20b+c" as "A b c"; false: too long, or no UTF-8. */
static bool form_decode(struct str s, char *out, size_t max, struct str *decoded)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char byte = s.ptr[i] == '+' ? ' ' : (unsigned char)s.ptr[i];

		if (n == max)
			return false;
		if (s.ptr[i] == '%') {
			if (!hex_decode(str_slice(s, i + 1, i + 3), &byte, 1))
				return false;
			i += 2;
		}
		out[n++] = (char)byte;
	}
	*decoded = str_make(out, n);
	return utf8_valid(*decoded);
}

/* ---- the template's message ---- */

struct vars {
	struct str rest; /* of the header */
	size_t count, numbered;
	char name_text[VAR_NAME_MAX], value_text[VAR_MAX];
	struct str name, value; /* of the one that was read */
};

/* The next one; false: none is left, or (*bad) it is none. */
static bool next_var(struct vars *v, bool *bad)
{
	struct str pair, name;
	int64_t number;

	if (!str_split(&v->rest, '&', &pair) || pair.len == 0)
		return false;
	*bad = !str_split(&pair, '=', &name) || pair.ptr == NULL || name.len == 0 ||
	       !form_decode(name, v->name_text, sizeof(v->name_text), &v->name) ||
	       !form_decode(pair, v->value_text, sizeof(v->value_text), &v->value) ||
	       v->count == PLAN_VARS_MAX;
	if (*bad)
		return false;
	v->count++;
	if (str_to_i64(v->name, &number)) {
		v->numbered++;
		*bad = number != (int64_t)v->count; /* Meta takes them by their place */
	}
	*bad = *bad || (v->numbered != 0 && v->numbered != v->count);
	return !*bad;
}

static bool put_vars(struct json_writer *w, struct str header, struct refusal *r)
{
	struct vars v = { .rest = str_trim(header) };
	bool bad = false;

	json_w_key(w, STR("components"));
	json_w_array(w);
	json_w_object(w);
	json_w_kv_text(w, "type", "body");
	json_w_key(w, STR("parameters"));
	json_w_array(w);
	while (next_var(&v, &bad)) {
		json_w_object(w);
		json_w_kv_text(w, "type", "text");
		if (v.numbered == 0)
			json_w_kv_str(w, "parameter_name", v.name);
		json_w_kv_str(w, "text", v.value);
		json_w_end(w);
	}
	json_w_end(w);
	json_w_end(w);
	json_w_end(w);
	return !bad || refuse(r, REFUSAL_INVALID, 100,
			      "the header Godwit-Fallback-Vars must be pairs like 1=Ann&2=A1 in "
			      "form encoding, at most %d of at most %d bytes: all by number, in "
			      "order from 1, or all by name",
			      PLAN_VARS_MAX, VAR_MAX);
}

static bool put_body(struct buf *out, const struct send *read, const struct plan *plan,
		     struct str vars, struct refusal *r)
{
	struct json_writer w;
	bool ok = true;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_str(&w, read->is_user_id ? "recipient" : "to", read->to);
	json_w_kv_text(&w, "type", "template");
	json_w_key(&w, STR("template"));
	json_w_object(&w);
	json_w_kv_str(&w, "name", plan->name);
	json_w_key(&w, STR("language"));
	json_w_object(&w);
	json_w_kv_str(&w, "code", plan->language);
	json_w_end(&w);
	if (vars.len > 0)
		ok = put_vars(&w, vars, r);
	json_w_end(&w);
	json_w_end(&w);
	if (!ok)
		return false;
	return !buf_failed(out) ||
	       refuse(r, REFUSAL_INVALID, 100, "the fallback template has more than %u bytes",
		      PLAN_BODY_MAX);
}

bool plan_read(const struct outbox_submit *s, const struct send *read, struct buf *body,
	       struct plan *out, struct refusal *r)
{
	bool park;

	*out = (struct plan){ .class_ = OUTQ_UTILITY };
	if (!read_park(s->park, &park, r))
		return false;
	if (park)
		out->bits |= STORE_PLAN_PARK;
	if (s->fallback_template.len > 0) {
		out->bits |= STORE_PLAN_TEMPLATE;
		if (read->class_ == OUTQ_MARKETING)
			out->class_ = OUTQ_MARKETING; /* it says the same in another form */
		if (!read_template(s->fallback_template, out, r) ||
		    !put_body(body, read, out, s->fallback_vars, r))
			return false;
		out->body = buf_str(body);
	} else if (s->fallback_vars.len > 0) {
		return refuse(r, REFUSAL_INVALID, 100,
			      "the header Godwit-Fallback-Vars needs Godwit-Fallback-Template");
	}
	if (out->bits != 0 && str_eq(read->kind, STR("template")))
		return refuse(r, REFUSAL_INVALID, 100,
			      "a template needs no open window, so Godwit-Park and "
			      "Godwit-Fallback-Template are for all other messages");
	return true;
}

/* ---- when it is shut ---- */

bool plan_turn(const struct outq_entry *e, uint32_t parked_max, struct outq_move *m,
	       struct refusal *r)
{
	bool parks = (e->plan & STORE_PLAN_PARK) != 0;
	bool follows = (e->plan & STORE_PLAN_TEMPLATE) != 0;

	if (parks && e->lane->parked >= parked_max) {
		(void)refuse(r, REFUSAL_WINDOW, PLAN_CODE_SHUT,
			     "the customer's window is shut, and %u messages wait for her to write "
			     "already, which is as many as may (queue.parked_max)",
			     parked_max);
		return false;
	}
	if (!parks && !follows)
		return false;
	m->follow = follows;
	m->unbinds = false; /* the key is that of what becomes of it */
	if (!parks) {
		m->why = "the window is shut: its fallback template goes in its place";
		return true;
	}
	m->to = OUTQ_WAITING;
	m->reason = "parked";
	m->why = follows ? "the window is shut: its template invites, it waits for the customer"
			 : "the window is shut: it waits until the customer writes";
	m->answer = STR_EMPTY;
	return true;
}

bool plan_may_go_on(const struct outq_entry *e, int64_t now_ms)
{
	int64_t opened_ms = e->lane->window_ms;

	/* Meta's stamps have seconds */
	return opened_ms > 0 && now_ms - opened_ms <= WINDOW_MS && opened_ms + 1000 > e->since_ms;
}
