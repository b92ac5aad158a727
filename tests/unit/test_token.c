/* SPDX-License-Identifier: MIT */
/* test_token.c - our mark comes back as it was made, and nothing else passes */
#include "unit.h"

#include "gateway/token.h"

static const struct id message = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xFF } };

struct keys {
	struct token_maker maker;
	struct token_reader reader, other;
};

static int set_up(void **state)
{
	static struct keys k;

	k.maker.mac = mac_new(STR("the key of this store, 32 bytes.."));
	k.reader.mac = k.maker.mac;
	k.other.mac = mac_new(STR("the key of another store"));
	*state = &k;
	return 0;
}

static int tear_down(void **state)
{
	struct keys *k = *state;

	mac_free(k->maker.mac);
	mac_free(k->other.mac);
	return 0;
}

static void there_and_back(void **state)
{
	static const uint32_t tries[] = { 0, 1, 9, 10, 4294967295U };
	struct keys *k = *state;
	char text[TOKEN_MAX];

	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		uint32_t try_ = 77;
		struct id id;

		token_make(&k->maker, &message, tries[i], text);
		assert_true(strlen(text) < TOKEN_MAX);
		assert_true(token_read(&k->reader, str_from(text), &id, &try_));
		assert_true(id_eq(&id, &message));
		CHECK_INT("try", tries[i], try_);
	}
}

static void another_store_is_foreign(void **state)
{
	struct keys *k = *state;
	char text[TOKEN_MAX];
	struct id id = { { 0x55 } };
	uint32_t try_ = 77;

	token_make(&k->maker, &message, 1, text);
	assert_false(token_read(&k->other, str_from(text), &id, &try_));
	CHECK_INT("untouched", 0x55, id.bytes[0]);
	CHECK_INT("untouched", 77, try_);
}

/* Whatever single character is changed, cut or added: not ours. */
static void every_forgery_fails(void **state)
{
	struct keys *k = *state;
	char text[TOKEN_MAX], forged[TOKEN_MAX + 1];
	struct id id;
	uint32_t try_;
	size_t len;

	token_make(&k->maker, &message, 12, text);
	len = strlen(text);
	for (size_t at = 0; at < len; at++) {
		for (int c = 1; c < 256; c++) {
			if ((char)c == text[at])
				continue;
			memcpy(forged, text, len);
			forged[at] = (char)c;
			assert_false(token_read(&k->reader, str_make(forged, len), &id, &try_));
		}
		assert_false(token_read(&k->reader, str_make(text, at), &id, &try_));
	}
	memcpy(forged, text, len);
	forged[len] = '0';
	assert_false(token_read(&k->reader, str_make(forged, len + 1), &id, &try_));
}

static void foreign_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"w1.",
		"w1",
		"order-77",
		"w1....",
		"w2.0123456789ABCDEFGHJKMNPQRS.1.00000000",
		"w1.0123456789ABCDEFGHJKMNPQR.1.00000000",
		"w1.0123456789ABCDEFGHJKMNPQRS.1",
		"w1.0123456789ABCDEFGHJKMNPQRS.01.00000000",
		"w1.0123456789ABCDEFGHJKMNPQRS.-1.00000000",
		"w1.0123456789ABCDEFGHJKMNPQRS.4294967296.00000000",
		"w1.0123456789ABCDEFGHJKMNPQRS.1.00000000.x",
	};
	struct keys *k = *state;
	struct id id;
	uint32_t try_;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (token_read(&k->reader, str_from(texts[i]), &id, &try_))
			fail_msg("passed: %s", texts[i]);
	}
}

/* The caller's value may look like a token: with another try it has another MAC. */
static void try_is_signed(void **state)
{
	struct keys *k = *state;
	char one[TOKEN_MAX], two[TOKEN_MAX];
	struct id id;
	uint32_t try_;

	token_make(&k->maker, &message, 1, one);
	token_make(&k->maker, &message, 2, two);
	memcpy(strrchr(one, '.'), strrchr(two, '.'), 9);
	assert_false(token_read(&k->reader, str_from(one), &id, &try_));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),      cmocka_unit_test(another_store_is_foreign),
		cmocka_unit_test(every_forgery_fails), cmocka_unit_test(foreign_texts),
		cmocka_unit_test(try_is_signed),
	};

	return cmocka_run_group_tests_name("token", tests, set_up, tear_down);
}
