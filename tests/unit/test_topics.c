/* SPDX-License-Identifier: MIT */
/* test_topics.c - everything that can be explained is found, and says what it should */
#include "unit.h"

#include "cli/topics.h"

#include <ctype.h>

static void names_find_their_rows(void **state)
{
	const struct topic *t;

	(void)state;
	for (size_t i = 0; (t = topic_at(i)) != NULL; i++) {
		char word[64];
		size_t n = strlen(t->name);

		assert_true(str_copy(str_from(t->name), word, sizeof(word)));
		for (size_t c = 0; c < n; c++) {
			word[c] = (char)(isupper(word[c]) ? tolower(word[c]) : toupper(word[c]));
			word[c] = word[c] == '_' ? '-' : word[c];
		}
		assert_ptr_equal(topic_find(str_from(t->name)), t); /* so no name is there twice */
		assert_ptr_equal(topic_find(str_from(word)), t);
		if (t->other != NULL)
			assert_ptr_equal(topic_find(str_from(t->other)), t);
	}
	assert_null(topic_find(STR("")));
	assert_null(topic_find(STR("FLAG")));
}

static bool is_sentence(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < 400 && text[len - 1] == '.';
}

static void rows_are_whole(void **state)
{
	size_t of_kind[TOPIC_NKINDS] = { 0 };
	const struct topic *t;

	(void)state;
	for (size_t i = 0; (t = topic_at(i)) != NULL; i++) {
		if (!is_sentence(t->meaning) || !is_sentence(t->fix) || t->title[0] == '\0' ||
		    t->title[strlen(t->title) - 1] == '.' || strlen(t->source) == 0)
			fail_msg("%s: an empty text, or a wrong end", t->name);
		of_kind[t->kind]++;
	}
	for (size_t kind = 0; kind < TOPIC_NKINDS; kind++)
		assert_true(of_kind[kind] >= 4);
}

/* Every word that may stand in the header Godwit-Refused (src/gateway/refusal.c). */
static void refusals(void **state)
{
	static const char *const words[] = { "invalid", "window",      "account", "busy",
					     "opaque",  "idempotency", "expired", "other",
					     "quota",   "lost",        "consent", "template" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_non_null(topic_find(str_from(words[i])));
}

/* What is said wrongly is found where people ask: under a code or a topic. */
static void wrong_advice_belongs_to_something(void **state)
{
	const struct wrong_advice *w;
	size_t count = 0;

	(void)state;
	for (; (w = wrong_at(count)) != NULL; count++) {
		const struct topic *t = w->topic == NULL ? NULL : topic_find(str_from(w->topic));
		size_t at = 0;

		if (t == NULL && (w->topic != NULL || gw_error_info_find(w->code, 0) == NULL))
			fail_msg("\"%s\" belongs to nothing that can be asked for", w->said);
		assert_non_null(wrong_next(t, w->code, &at));
		assert_true(w->said[strlen(w->said) - 1] != '.' &&
			    w->fact[strlen(w->fact) - 1] != '.');
	}
	assert_true(count >= 22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_find_their_rows),
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(refusals),
		cmocka_unit_test(wrong_advice_belongs_to_something),
	};

	return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
