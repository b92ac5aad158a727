/* SPDX-License-Identifier: MIT */
/* test_idempotency.c - the scope of a key, and keys in flight */
#include "unit.h"

#include "gateway/idempotency.h"

static const struct id nobody, somebody = { { 1 } };

static const struct {
	const char *name;
	const struct id *key;
	const char *target, *header;
	bool same; /* as the first row */
} scopes[] = {
	{ "the first", &nobody, "/v25.0/1/messages", "k", true },
	{ "again", &nobody, "/v25.0/1/messages", "k", true },
	{ "a query is no part", &nobody, "/v25.0/1/messages?x=1", "k", true },
	{ "another API key", &somebody, "/v25.0/1/messages", "k", false },
	{ "another version", &nobody, "/v26.0/1/messages", "k", false },
	{ "another number", &nobody, "/v25.0/2/messages", "k", false },
	{ "another header", &nobody, "/v25.0/1/messages", "K", false },
	{ "moved border", &nobody, "/v25.0/1/message", "sk", false },
};

static void scope(void **state)
{
	unsigned char first[32], hash[32];

	(void)state;
	idempotency_hash(scopes[0].key, str_from(scopes[0].target), str_from(scopes[0].header),
			 first);
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
		idempotency_hash(scopes[i].key, str_from(scopes[i].target),
				 str_from(scopes[i].header), hash);
		CHECK_INT(scopes[i].name, scopes[i].same, memcmp(hash, first, 32) == 0);
	}
}

static void bound_while_in_memory(void **state)
{
	struct idempotency *keys = idempotency_new();
	struct outq_entry one = { .has_idempotency = true, .idempotency = { 1 } };
	struct outq_entry two = { .has_idempotency = true, .idempotency = { 2 } };
	struct outq_entry none = { .row = 1 };
	const unsigned char first[32] = { 1 };

	(void)state;
	idempotency_bind(keys, &one);
	idempotency_bind(keys, &two);
	assert_ptr_equal(idempotency_find(keys, first), &one);
	idempotency_drop(keys, &none); /* has no key */
	idempotency_drop(keys, &one);
	assert_null(idempotency_find(keys, first));
	assert_false(one.has_idempotency);
	idempotency_drop(keys, &one); /* once more does nothing */
	assert_ptr_equal(idempotency_find(keys, two.idempotency), &two);
	idempotency_free(keys);
	idempotency_free(NULL);
}

static void another_body_is_422(void **state)
{
	struct refusal r;

	(void)state;
	idempotency_differs(&r);
	CHECK_INT("status", 422, r.status);
	CHECK_INT("code", 100, r.code);
	assert_string_equal(r.reason, "idempotency");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope),
		cmocka_unit_test(bound_while_in_memory),
		cmocka_unit_test(another_body_is_422),
	};

	return cmocka_run_group_tests_name("idempotency", tests, NULL, NULL);
}
