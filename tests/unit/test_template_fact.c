/* SPDX-License-Identifier: MIT */
/* test_template_fact.c - what is read of templates, and what is believed of it */
#include "unit.h"

#include "gateway/template_fact.h"

static const struct {
	const char *name, *json, *want; /* "name language category state"; NULL: nothing is said */
	bool is_item;
} texts[] = {
	{ "a status",
	  "{\"event\":\"PAUSED\",\"message_template_id\":1,\"message_template_name\":\"a\","
	  "\"message_template_language\":\"en-US\",\"message_template_category\":\"MARKETING\"}",
	  "a en_US MARKETING PAUSED", false },
	{ "a status without a category",
	  "{\"event\":\"APPROVED\",\"message_template_name\":\"a\",\"message_template_language\":"
	  "\"de\"}",
	  "a de  APPROVED", false },
	{ "filed anew",
	  "{\"message_template_name\":\"a\",\"message_template_language\":\"de\","
	  "\"previous_category\":\"UTILITY\",\"new_category\":\"MARKETING\"}",
	  "a de MARKETING ", false },
	{ "to be filed anew: it holds what is now",
	  "{\"message_template_name\":\"a\",\"message_template_language\":\"de\","
	  "\"correct_category\":\"MARKETING\",\"new_category\":\"UTILITY\"}",
	  "a de UTILITY ", false },
	{ "quality",
	  "{\"message_template_name\":\"a\",\"message_template_language\":\"de\","
	  "\"new_quality_score\":\"RED\"}",
	  NULL, false },
	{ "no language", "{\"event\":\"PAUSED\",\"message_template_name\":\"a\"}", NULL, false },
	{ "no object", "[]", NULL, false },
	{ "of a list",
	  "{\"id\":\"1\",\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"status\":"
	  "\"APPROVED\"}",
	  "a en UTILITY APPROVED", true },
	{ "of a list with other fields", "{\"id\":\"1\",\"name\":\"a\",\"language\":\"en\"}", NULL,
	  true },
};

static void what_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct arena *a = arena_new(65536);
		const struct json_doc *doc;
		struct store_template t;
		char got[256];
		bool ok;

		assert_int_equal(json_scan(str_from(texts[i].json), a, &doc, NULL), GW_OK);
		ok = texts[i].is_item ? template_read_item(json_root(doc), STR("1"), 7, a, &t)
				      : template_read_change(json_root(doc), STR("1"), 7, a, &t);
		CHECK_INT(texts[i].name, texts[i].want != NULL, ok);
		if (ok) {
			(void)snprintf(got, sizeof(got), "%.*s %.*s %.*s %.*s", STR_ARG(t.name),
				       STR_ARG(t.language), STR_ARG(t.category), STR_ARG(t.state));
			CHECK_STR(texts[i].name, texts[i].want, str_from(got));
		}
		arena_free(a);
	}
}

static const struct {
	const char *name, *category, *state;
	int64_t at_ms;
	enum template_category want;
	enum template_state stands;
} news[] = {
	{ "the first", "UTILITY", "APPROVED", 100, TEMPLATE_UTILITY, TEMPLATE_SENDABLE },
	{ "only a state", "", "PAUSED", 200, TEMPLATE_UTILITY, TEMPLATE_PAUSED },
	{ "older", "", "APPROVED", 150, TEMPLATE_UTILITY, TEMPLATE_PAUSED },
	{ "of the same moment", "", "DISABLED", 200, TEMPLATE_UTILITY, TEMPLATE_DISABLED },
	{ "only a category", "MARKETING", "", 300, TEMPLATE_MARKETING, TEMPLATE_DISABLED },
	{ "rejected", "", "REJECTED", 400, TEMPLATE_MARKETING, TEMPLATE_ABSENT },
	{ "in review: Meta decides", "", "PENDING", 500, TEMPLATE_MARKETING, TEMPLATE_SENDABLE },
	{ "deleted", "", "DELETED", 600, TEMPLATE_MARKETING, TEMPLATE_ABSENT },
	{ "a word of tomorrow", "NEWS", "SHINING", 700, TEMPLATE_UNKNOWN, TEMPLATE_SENDABLE },
};

static void what_is_believed(void **state)
{
	struct template_facts *all = template_facts_new();
	const struct template_fact *f;

	(void)state;
	assert_null(template_facts_find(all, STR("1"), STR("a"), STR("en_US")));
	for (size_t i = 0; i < ARRAY_LEN(news); i++) {
		struct store_template t = { .business_id = STR("1"),
					    .name = STR("a"),
					    .language = STR("en_US"),
					    .category = str_from(news[i].category),
					    .state = str_from(news[i].state),
					    .updated_ms = news[i].at_ms };

		template_facts_put(all, &t);
		f = template_facts_find(all, STR("1"), STR("a"), STR("en-US"));
		assert_non_null(f);
		CHECK_INT(news[i].name, news[i].want, f->category);
		CHECK_INT(news[i].name, news[i].stands, f->state);
	}
	assert_null(template_facts_find(all, STR("2"), STR("a"), STR("en_US")));
	assert_null(template_facts_find(all, STR("1"), STR("a"), STR("en")));
	template_facts_put_price(all, STR("1"), STR("a"), STR("en_US"), STR("MARKETING"));
	f = template_facts_find(all, STR("1"), STR("a"), STR("en_US"));
	assert_int_equal(f->category, TEMPLATE_MARKETING);
	assert_int_equal(f->updated_ms, 700);
	template_facts_free(all);
	assert_null(template_facts_find(NULL, STR("1"), STR("a"), STR("en_US")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(what_is_believed),
	};

	return cmocka_run_group_tests_name("template_fact", tests, NULL, NULL);
}
