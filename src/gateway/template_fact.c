/* SPDX-License-Identifier: MIT */
/*
 * template_fact.c - see template_fact.h; shapes and words: cloud-api.md 4.5 and 5.5, read 2026-11
 *
 * Webhooks write a language as en-US or en_US: it is kept with the underscore.
 * TESTS  tests/unit/test_template_fact.c, tests/system/test_templates.py
 */
#include "gateway/template_fact.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"

#define WORD_MAX 64
#define KEY_MAX (TEMPLATE_NAME_MAX + TEMPLATE_LANGUAGE_MAX + 128)

struct template_facts {
	struct map *by_key;
};

struct template_facts *template_facts_new(void)
{
	struct template_facts *t = xcalloc(1, sizeof(*t));

	t->by_key = map_new();
	return t;
}

void template_facts_free(struct template_facts *t)
{
	struct str key;
	size_t at = 0;
	void *fact;

	if (t == NULL)
		return;
	while (map_next(t->by_key, &at, &key, &fact))
		free(fact);
	map_free(t->by_key);
	free(t);
}

/* ---- words ---- */

static const struct {
	const char *word;
	enum template_category category;
} categories[] = {
	{ "MARKETING", TEMPLATE_MARKETING },
	{ "MARKETING_LITE", TEMPLATE_MARKETING },
	{ "UTILITY", TEMPLATE_UTILITY },
	{ "AUTHENTICATION", TEMPLATE_AUTHENTICATION },
	{ "AUTHENTICATION-INTERNATIONAL", TEMPLATE_AUTHENTICATION },
	{ "AUTHENTICATION_INTERNATIONAL", TEMPLATE_AUTHENTICATION },
};

static const struct {
	const char *word;
	enum template_state state;
} states[] = {
	{ "PAUSED", TEMPLATE_PAUSED },
	{ "DISABLED", TEMPLATE_DISABLED },
	{ "REJECTED", TEMPLATE_ABSENT },
	{ "DELETED", TEMPLATE_ABSENT },
};

enum template_category template_category_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
		if (str_eq_nocase(word, str_from(categories[i].word)))
			return categories[i].category;
	}
	return TEMPLATE_UNKNOWN;
}

const char *template_category_word(enum template_category c)
{
	for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
		if (categories[i].category == c)
			return categories[i].word;
	}
	return "";
}

/* A word that is not in the table, PENDING among them, is Meta's to judge. */
static enum template_state state_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (str_eq(word, str_from(states[i].word)))
			return states[i].state;
	}
	return TEMPLATE_SENDABLE;
}

/* ---- memory ---- */

static bool key_of(struct str business_id, struct str name, struct str language, char out[KEY_MAX],
		   struct str *key)
{
	size_t n = 0;

	if (business_id.len + name.len + language.len + 2 > KEY_MAX)
		return false;
	for (size_t i = 0; i < business_id.len; i++)
		out[n++] = business_id.ptr[i];
	out[n++] = '\n';
	for (size_t i = 0; i < name.len; i++)
		out[n++] = name.ptr[i];
	out[n++] = '\n';
	for (size_t i = 0; i < language.len; i++)
		out[n++] = language.ptr[i] == '-' ? '_' : language.ptr[i];
	*key = str_make(out, n);
	return true;
}

void template_facts_put(struct template_facts *t, const struct store_template *from)
{
	struct template_fact *fact;
	char text[KEY_MAX];
	struct str key;

	if (!key_of(from->business_id, from->name, from->language, text, &key))
		return;
	fact = map_get(t->by_key, key);
	if (fact == NULL) {
		if (map_count(t->by_key) >= TEMPLATES_MAX)
			return;
		fact = xcalloc(1, sizeof(*fact));
		(void)map_set(t->by_key, key, fact);
	}
	if (from->updated_ms < fact->updated_ms)
		return;
	if (from->category.len > 0)
		fact->category = template_category_of(from->category);
	if (from->state.len > 0)
		fact->state = state_of(from->state);
	fact->updated_ms = from->updated_ms;
}

void template_facts_put_price(struct template_facts *t, struct str business_id, struct str name,
			      struct str language, struct str category)
{
	struct store_template from = { .business_id = business_id,
				       .name = name,
				       .language = language,
				       .category = category,
				       .state = STR_EMPTY };
	const struct template_fact *known = template_facts_find(t, business_id, name, language);

	if (known != NULL)
		from.updated_ms = known->updated_ms; /* it is no news of the state */
	template_facts_put(t, &from);
}

const struct template_fact *template_facts_find(const struct template_facts *t,
						struct str business_id, struct str name,
						struct str language)
{
	char text[KEY_MAX];
	struct str key;

	if (t == NULL || !key_of(business_id, name, language, text, &key))
		return NULL;
	return map_get(t->by_key, key);
}

/* ---- readers ---- */

static struct str copy_language(struct arena *a, struct str language)
{
	struct str copy = arena_str(a, language);

	for (size_t i = 0; copy.ptr != NULL && i < copy.len; i++) {
		if (copy.ptr[i] == '-')
			((char *)(uintptr_t)copy.ptr)[i] = '_';
	}
	return copy;
}

static bool read_one(struct json_val v, const char *const names[4], struct store_template *out,
		     struct arena *a)
{
	struct str name, language, word;

	if (!json_get_str(v, str_from(names[0]), TEMPLATE_NAME_MAX, &name) ||
	    !json_get_str(v, str_from(names[1]), TEMPLATE_LANGUAGE_MAX, &language) ||
	    name.len == 0 || language.len == 0)
		return false;
	out->name = arena_str(a, name);
	out->language = copy_language(a, language);
	if (json_get_str(v, str_from(names[2]), WORD_MAX, &word))
		out->category = arena_str(a, word);
	if (json_get_str(v, str_from(names[3]), WORD_MAX, &word))
		out->state = arena_str(a, word);
	return out->name.ptr != NULL && out->language.ptr != NULL &&
	       out->category.len + out->state.len > 0;
}

bool template_read_change(struct json_val value, struct str business_id, int64_t at_ms,
			  struct arena *a, struct store_template *out)
{
	static const char *const status[] = { "message_template_name", "message_template_language",
					      "message_template_category", "event" };
	static const char *const category[] = { "message_template_name",
						"message_template_language", "new_category", "" };
	bool re_filed = json_exists(json_member(value, STR("new_category")));

	*out = (struct store_template){ .business_id = business_id,
					.category = STR_EMPTY,
					.state = STR_EMPTY,
					.updated_ms = at_ms };
	return read_one(value, re_filed ? category : status, out, a);
}

bool template_read_item(struct json_val item, struct str business_id, int64_t at_ms,
			struct arena *a, struct store_template *out)
{
	static const char *const names[] = { "name", "language", "category", "status" };

	*out = (struct store_template){ .business_id = business_id,
					.category = STR_EMPTY,
					.state = STR_EMPTY,
					.updated_ms = at_ms };
	return read_one(item, names, out, a);
}
