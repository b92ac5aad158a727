/* SPDX-License-Identifier: MIT */
/* test_store_cache.c - what is put is found or forgotten, never wrong */
#include "unit.h"

#include "store/sqlite_cache.h"

static struct str key_of(char out[CACHE_KEY_MAX + 2], int n)
{
	int len = snprintf(out, CACHE_KEY_MAX + 2, "key %d", n);

	return str_make(out, (size_t)len);
}

static void finds_what_was_put(void **state)
{
	struct cache *c = cache_new(64);
	char text[CACHE_KEY_MAX + 2];

	(void)state;
	assert_null(cache_get(c, STR("a")));
	cache_put(c, STR("a"), &(struct cache_value){ .row = 1 });
	cache_put(c, STR("b"), &(struct cache_value){ .row = 2 });
	CHECK_INT("a", 1, cache_get(c, STR("a"))->row);
	CHECK_INT("b", 2, cache_get(c, STR("b"))->row);
	cache_put(c, STR("a"), &(struct cache_value){ .row = 3 });
	CHECK_INT("a again", 3, cache_get(c, STR("a"))->row);
	cache_get(c, STR("a"))->number = 7;
	CHECK_INT("in place", 7, cache_get(c, STR("a"))->number);
	cache_clear(c);
	assert_null(cache_get(c, STR("a")));
	cache_put(c, key_of(text, 5), &(struct cache_value){ .row = 5 });
	CHECK_INT("after clearing", 5, cache_get(c, STR("key 5"))->row);
	cache_free(c);
}

/* Many more keys than entries: right or absent, and the last one is always there. */
static void forgets_but_never_lies(void **state)
{
	struct cache *c = cache_new(16);
	char text[CACHE_KEY_MAX + 2];
	int found = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		cache_put(c, key_of(text, i), &(struct cache_value){ .row = i });
		CHECK_INT("just put", i, cache_get(c, key_of(text, i))->row);
	}
	for (int i = 0; i < 1000; i++) {
		const struct cache_value *v = cache_get(c, key_of(text, i));

		if (v != NULL) {
			CHECK_INT("right", i, v->row);
			found++;
		}
	}
	CHECK_INT("full", 16, found);
	cache_free(c);
}

/* In one set the least recently used goes. */
static void oldest_goes(void **state)
{
	struct cache *c = cache_new(4);

	(void)state;
	cache_put(c, STR("a"), &(struct cache_value){ .row = 1 });
	cache_put(c, STR("b"), &(struct cache_value){ .row = 2 });
	cache_put(c, STR("c"), &(struct cache_value){ .row = 3 });
	cache_put(c, STR("d"), &(struct cache_value){ .row = 4 });
	assert_non_null(cache_get(c, STR("a")));
	cache_put(c, STR("e"), &(struct cache_value){ .row = 5 });
	assert_non_null(cache_get(c, STR("a")));
	assert_null(cache_get(c, STR("b")));
	cache_free(c);
}

static void long_keys_are_not_kept(void **state)
{
	struct cache *c = cache_new(4);
	char text[CACHE_KEY_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	cache_put(c, str_make(text, CACHE_KEY_MAX), &(struct cache_value){ .row = 1 });
	cache_put(c, str_make(text, CACHE_KEY_MAX + 1), &(struct cache_value){ .row = 2 });
	CHECK_INT("longest", 1, cache_get(c, str_make(text, CACHE_KEY_MAX))->row);
	assert_null(cache_get(c, str_make(text, CACHE_KEY_MAX + 1)));
	cache_put(c, STR_EMPTY, &(struct cache_value){ .row = 3 });
	assert_null(cache_get(c, STR_EMPTY));
	cache_free(c);
	cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(forgets_but_never_lies),
		cmocka_unit_test(oldest_goes),
		cmocka_unit_test(long_keys_are_not_kept),
	};

	return cmocka_run_group_tests_name("store_cache", tests, NULL, NULL);
}
