/* SPDX-License-Identifier: MIT */
/* test_map.c - setting, removing and walking, small and with 100,000 keys */
#include "unit.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/rnd.h"

#define MANY 100000

/* Values: distinct addresses, one a key. */
static char values[MANY];
static char seen[MANY];

static struct str key_of(size_t i, char out[32])
{
	int n = snprintf(out, 32, "wamid.%zu", i * 7919);

	return str_make(out, (size_t)n);
}

static void set_get_remove(void **state)
{
	struct map *m = map_new();
	char key[] = "abc";
	int a, b;

	(void)state;
	assert_null(map_get(m, STR("abc")));
	assert_null(map_remove(m, STR("abc")));
	assert_null(map_set(m, str_from(key), &a));
	key[0] = 'x'; /* keys are copied */
	assert_ptr_equal(map_get(m, STR("abc")), &a);
	assert_null(map_get(m, STR("ab")));
	assert_null(map_get(m, STR("abcd")));
	assert_ptr_equal(map_set(m, STR("abc"), &b), &a);
	CHECK_INT("count", 1, map_count(m));
	assert_ptr_equal(map_remove(m, STR("abc")), &b);
	assert_null(map_get(m, STR("abc")));
	CHECK_INT("count", 0, map_count(m));
	map_free(m);
	map_free(NULL);
}

static void odd_keys(void **state)
{
	struct map *m = map_new();
	char bytes[64];
	int marks[65];

	(void)state;
	memset(bytes, 0, sizeof(bytes)); /* the same bytes: told apart by length alone */
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_null(map_set(m, str_make(len == 0 ? NULL : bytes, len), &marks[len]));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_ptr_equal(map_get(m, str_make(bytes, len)), &marks[len]);
	map_free(m);
	m = map_new();
	assert_null(map_set_u64(m, 0, &marks[0]));
	assert_null(map_set_u64(m, UINT64_MAX, &marks[1]));
	assert_ptr_equal(map_get_u64(m, 0), &marks[0]);
	assert_ptr_equal(map_get_u64(m, UINT64_MAX), &marks[1]);
	assert_null(map_get_u64(m, 1));
	map_free(m);
}

static void many_strings(void **state)
{
	struct map *m = map_new();
	char text[32];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_null(map_set(m, key_of(i, text), &values[i]));
	CHECK_INT("count", MANY, map_count(m));
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(m, key_of(i, text)), &values[i]);
	for (size_t i = 0; i < MANY; i += 2)
		assert_ptr_equal(map_remove(m, key_of(i, text)), &values[i]);
	CHECK_INT("half", MANY / 2, map_count(m));
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(m, key_of(i, text)), i % 2 == 0 ? NULL : &values[i]);
	map_free(m);
}

/* Sets, removals and look-ups against an array that cannot be wrong. */
static void random_against_an_array(void **state)
{
	enum { KEYS = 500, STEPS = 200000 };
	void *model[KEYS] = { NULL };
	struct map *m = map_new();
	size_t count = 0;
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 1);
	for (size_t i = 0; i < STEPS; i++) {
		uint64_t key = rnd_below(&r, KEYS);
		/* Waves: the table fills and empties, so runs grow, merge and wrap. */
		bool adds = rnd_below(&r, 100) < (i / 2000 % 2 == 0 ? 70 : 30);
		void *was = model[key];

		model[key] = adds ? &values[i % MANY] : NULL;
		if (adds)
			assert_ptr_equal(map_set_u64(m, key, model[key]), was);
		else
			assert_ptr_equal(map_remove_u64(m, key), was);
		count += (size_t)(was == NULL && adds) - (size_t)(was != NULL && !adds);
		CHECK_INT("count", count, map_count(m));
		key = rnd_below(&r, KEYS);
		assert_ptr_equal(map_get_u64(m, key), model[key]);
	}
	map_free(m);
}

static bool never(size_t i)
{
	(void)i;
	return false;
}

static bool always(size_t i)
{
	(void)i;
	return true;
}

static bool every_third(size_t i)
{
	return i % 3 == 0;
}

static const struct {
	const char *name;
	bool (*removes)(size_t i);
} walkers[] = {
	{ "keeping all", never },
	{ "removing all", always },
	{ "removing every third", every_third },
};

/* Every key once, whatever is removed on the way, and the rest still there afterwards. */
static void walk_numbers(size_t keys, const char *name, bool (*removes)(size_t i))
{
	struct map *m = map_new();
	size_t at = 0, steps = 0, left = 0;
	struct str key;
	void *value;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < keys; i++)
		(void)map_set_u64(m, i, &values[i]);
	for (; map_next(m, &at, &key, &value); steps++) {
		size_t i = (size_t)((char *)value - values);
		uint64_t number;

		CHECK_INT(name, sizeof(number), key.len);
		memcpy(&number, key.ptr, sizeof(number));
		CHECK_INT(name, i, number);
		CHECK_INT(name, 0, seen[i]++);
		if (removes(i))
			assert_ptr_equal(map_remove_u64(m, number), value);
	}
	CHECK_INT(name, keys, steps);
	assert_false(map_next(m, &at, &key, &value));
	for (size_t i = 0; i < keys; i++) {
		assert_ptr_equal(map_get_u64(m, i), removes(i) ? NULL : &values[i]);
		left += !removes(i);
	}
	CHECK_INT(name, left, map_count(m));
	map_free(m);
}

/* Small tables, each with its own random seed, so that runs wrap in many ways. */
static void walk_small(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(walkers); w++) {
		for (size_t round = 0; round < 100; round++) {
			for (size_t keys = 0; keys < 28; keys++)
				walk_numbers(keys, walkers[w].name, walkers[w].removes);
		}
	}
}

static void walk_many(void **state)
{
	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(walkers); w++)
		walk_numbers(MANY, walkers[w].name, walkers[w].removes);
}

static void walk_strings_removing_by_their_own_key(void **state)
{
	struct map *m = map_new();
	size_t at = 0, steps = 0;
	char text[32];
	struct str key;
	void *value;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		(void)map_set(m, key_of(i, text), xstrndup(key_of(i, text)));
	for (; map_next(m, &at, &key, &value); steps++) {
		CHECK_STR("key", value, key);
		assert_ptr_equal(map_remove(m, key), value);
		free(value);
	}
	CHECK_INT("steps", 1000, steps);
	CHECK_INT("count", 0, map_count(m));
	map_free(m);
}

static void set_null(void *arg)
{
	(void)map_set(arg, STR("a"), NULL);
}

static void mix_kinds(void *arg)
{
	(void)map_set_u64(arg, 1, arg);
}

static void misuse_dies(void **state)
{
	struct map *m = map_new();

	(void)state;
	(void)map_set(m, STR("x"), m);
	assert_true(dies(set_null, m));
	assert_true(dies(mix_kinds, m));
	(void)map_remove(m, STR("x"));
	assert_true(dies(mix_kinds, m));
	map_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_get_remove),
		cmocka_unit_test(odd_keys),
		cmocka_unit_test(many_strings),
		cmocka_unit_test(random_against_an_array),
		cmocka_unit_test(walk_small),
		cmocka_unit_test(walk_many),
		cmocka_unit_test(walk_strings_removing_by_their_own_key),
		cmocka_unit_test(misuse_dies),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
