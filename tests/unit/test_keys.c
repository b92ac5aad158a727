/* SPDX-License-Identifier: MIT */
/* test_keys.c - API keys: made, found by hash, revoked, limited */
#include "unit.h"

#include "server/keys.h"

static struct store_key row_of(uint8_t n, const char *text, const char *scopes, const char *numbers)
{
	struct store_key k = { .row = n,
			       .name = STR("test"),
			       .scopes = str_from(scopes),
			       .numbers = str_from(numbers),
			       .created_ms = 1 };

	k.id.bytes[0] = n;
	key_hash(str_from(text), k.hash);
	return k;
}

static const struct key *find(const struct keys *keys, const char *text)
{
	unsigned char hash[SHA256_BYTES];

	key_hash(str_from(text), hash);
	return keys_find(keys, hash);
}

static void a_made_key_is_random_and_well_formed(void **state)
{
	char a[KEY_TEXT_MAX], b[KEY_TEXT_MAX];
	struct rnd r;

	(void)state;
	rnd_init_system(&r);
	key_make(&r, a);
	key_make(&r, b);
	assert_true(str_starts(str_from(a), STR("gwk_")));
	assert_int_equal(strlen(a), 4 + 52);
	assert_string_not_equal(a, b);
}

static void scopes_are_words(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		unsigned want;
	} cases[] = {
		{ "send", true, SCOPE_SEND },
		{ "send,read", true, SCOPE_SEND | SCOPE_READ },
		{ " manage , admin ", true, SCOPE_MANAGE | SCOPE_ADMIN },
		{ "", false, 0 },
		{ "send,", false, 0 },
		{ "Send", false, 0 },
		{ "root", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned got = 99;

		CHECK_INT(cases[i].text, cases[i].ok,
			  scopes_parse(str_from(cases[i].text), &got, NULL));
		CHECK_INT(cases[i].text, cases[i].ok ? cases[i].want : 99, got);
	}
}

static void a_key_opens_its_scopes_and_numbers_only(void **state)
{
	struct store_key row = row_of(1, "gwk_A", "send", "11,22");
	struct keys *keys = keys_new();
	const struct key *k;

	(void)state;
	(void)keys_put(keys, &row);
	k = find(keys, "gwk_A");
	assert_non_null(k);
	assert_true(key_may(k, SCOPE_SEND));
	assert_false(key_may(k, SCOPE_READ));
	assert_false(key_may(k, SCOPE_ADMIN));
	assert_true(key_may_number(k, STR("22")));
	assert_false(key_may_number(k, STR("2")));
	assert_false(key_may_number(k, STR("33")));
	assert_null(find(keys, "gwk_B"));
	assert_null(find(keys, ""));
	keys_free(keys);
}

static void admin_may_everything(void **state)
{
	struct store_key row = row_of(1, "gwk_A", "admin", "");
	struct keys *keys = keys_new();
	const struct key *k;

	(void)state;
	k = keys_put(keys, &row);
	assert_true(key_may(k, SCOPE_SEND) && key_may(k, SCOPE_READ) && key_may(k, SCOPE_MANAGE));
	assert_true(key_may_number(k, STR("33")));
	keys_free(keys);
}

static void a_revoked_key_opens_nothing_at_once(void **state)
{
	struct store_key row = row_of(1, "gwk_A", "read", "");
	struct keys *keys = keys_new();

	(void)state;
	(void)keys_put(keys, &row);
	assert_non_null(find(keys, "gwk_A"));
	row.revoked_ms = 2;
	(void)keys_put(keys, &row);
	assert_null(find(keys, "gwk_A"));
	assert_int_equal(keys_count(keys), 1); /* it stays in the list */
	keys_free(keys);
}

/* The listeners' question: never no to a key that there is, and no to almost all others. */
static void listeners_ask_without_the_table(void **state)
{
	struct keys *keys = keys_new();
	unsigned char hash[SHA256_BYTES];
	char text[32];
	size_t maybe = 0;

	(void)state;
	for (uint8_t n = 1; n <= 200; n++) {
		struct store_key row;

		(void)snprintf(text, sizeof(text), "gwk_%u", n);
		row = row_of(n, text, "send", "");
		(void)keys_put(keys, &row);
		row.revoked_ms = n % 2;
		(void)keys_put(keys, &row); /* twice is once */
		assert_true(keys_may_have(keys, row.hash));
	}
	for (unsigned n = 0; n < 10000; n++) {
		(void)snprintf(text, sizeof(text), "not a key %u", n);
		key_hash(str_from(text), hash);
		maybe += keys_may_have(keys, hash);
	}
	assert_int_equal(maybe, 0);
	keys_free(keys);
}

static void a_scope_of_tomorrow_opens_nothing(void **state)
{
	struct store_key row = row_of(1, "gwk_A", "send,teleport", "");
	struct keys *keys = keys_new();

	(void)state;
	assert_false(key_may(keys_put(keys, &row), SCOPE_SEND));
	keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_made_key_is_random_and_well_formed),
		cmocka_unit_test(scopes_are_words),
		cmocka_unit_test(a_key_opens_its_scopes_and_numbers_only),
		cmocka_unit_test(admin_may_everything),
		cmocka_unit_test(a_revoked_key_opens_nothing_at_once),
		cmocka_unit_test(a_scope_of_tomorrow_opens_nothing),
		cmocka_unit_test(listeners_ask_without_the_table),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
