/* SPDX-License-Identifier: MIT */
/* test_sign.c - Standard Webhooks' own vector, both secrets, texts of secrets, Meta's header */
#include "unit.h"

#include "gateway/sign.h"

/* The example that the specification's libraries test themselves with. */
#define VECTOR_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define VECTOR_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define VECTOR_BODY "{\"test\": 2432232314}"
#define VECTOR_AT 1614265330
#define VECTOR_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct mac *mac_of_text(const char *text)
{
	unsigned char raw[SIGN_SECRET_MAX];
	size_t len = 0;
	struct mac *m;

	assert_int_equal(sign_secret_parse(str_from(text), raw, &len, NULL), GW_OK);
	m = mac_new(str_make((const char *)raw, len));
	assert_non_null(m);
	return m;
}

static void the_vector(void **state)
{
	struct mac *m = mac_of_text(VECTOR_SECRET);
	char out[SIGN_HEADER_MAX];

	(void)state;
	sign_standard(m, NULL, STR(VECTOR_ID), VECTOR_AT, STR(VECTOR_BODY), out);
	CHECK_STR("vector", VECTOR_SIGNATURE, str_from(out));
	mac_free(m);
}

static void two_while_a_secret_rotates(void **state)
{
	struct mac *old = mac_of_text(VECTOR_SECRET);
	struct mac *now = mac_new(STR("another secret, of 24 bytes"));
	char out[SIGN_HEADER_MAX], alone[SIGN_HEADER_MAX];
	struct str rest, first;

	(void)state;
	sign_standard(now, old, STR(VECTOR_ID), VECTOR_AT, STR(VECTOR_BODY), out);
	sign_standard(now, NULL, STR(VECTOR_ID), VECTOR_AT, STR(VECTOR_BODY), alone);
	rest = str_from(out);
	assert_true(str_split(&rest, ' ', &first));
	CHECK_STR("the new one first", alone, first);
	CHECK_STR("then the old one", VECTOR_SIGNATURE, rest);
	CHECK_INT("length", SIGN_HEADER_MAX - 1, strlen(out));
	mac_free(old);
	mac_free(now);
}

/* Every part is signed, and the dots between them are not to be moved. */
static void every_part_is_signed(void **state)
{
	static const struct {
		const char *name, *id, *body;
		int64_t at;
	} cases[] = {
		{ "another id", "msg_p5jXN8AQM9LWM0D4loKWxJel", VECTOR_BODY, VECTOR_AT },
		{ "another time", VECTOR_ID, VECTOR_BODY, VECTOR_AT + 1 },
		{ "another body", VECTOR_ID, "{\"test\": 2432232315}", VECTOR_AT },
		{ "no body", VECTOR_ID, "", VECTOR_AT },
		{ "a dot in the id", VECTOR_ID ".1614265330", VECTOR_BODY, VECTOR_AT },
	};
	struct mac *m = mac_of_text(VECTOR_SECRET);
	char out[SIGN_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sign_standard(m, NULL, str_from(cases[i].id), cases[i].at, str_from(cases[i].body),
			      out);
		if (str_eq(str_from(out), STR(VECTOR_SIGNATURE)))
			fail_msg("%s: the same signature", cases[i].name);
	}
	mac_free(m);
}

#define B64_24 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 24 zeros */

static const struct {
	const char *name, *text;
	gw_status want;
	size_t len;
} texts[] = {
	{ "24 bytes", "whsec_" B64_24, GW_OK, 24 },
	{ "23 bytes", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", GW_ELIMIT, 0 },
	{ "64 bytes", "whsec_" B64_24 B64_24 "AAAAAAAAAAAAAAAAAAAAAA==", GW_OK, 64 },
	{ "65 bytes", "whsec_" B64_24 B64_24 "AAAAAAAAAAAAAAAAAAAAAAA=", GW_ELIMIT, 0 },
	{ "much longer", "whsec_" B64_24 B64_24 B64_24 B64_24, GW_ELIMIT, 0 },
	{ "no prefix", B64_24, GW_EPARSE, 0 },
	{ "another prefix", "whpk_" B64_24, GW_EPARSE, 0 },
	{ "prefix alone", "whsec_", GW_ELIMIT, 0 },
	{ "empty", "", GW_EPARSE, 0 },
	{ "not base64", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!", GW_EPARSE, 0 },
	{ "no padding", "whsec_" B64_24 "AA", GW_EPARSE, 0 },
	{ "blank behind", "whsec_" B64_24 " ", GW_EPARSE, 0 },
};

static void texts_of_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		unsigned char raw[SIGN_SECRET_MAX] = { 0xAA };
		struct gw_error err = GW_ERROR_INIT;
		size_t len = 7;

		CHECK_INT(texts[i].name, texts[i].want,
			  sign_secret_parse(str_from(texts[i].text), raw, &len, &err));
		if (texts[i].want == GW_OK) {
			CHECK_INT(texts[i].name, texts[i].len, len);
			continue;
		}
		CHECK_INT(texts[i].name, 7, len);
		CHECK_INT(texts[i].name, 0xAA, raw[0]);
		assert_true(strlen(err.message) > 0);
		assert_null(strstr(err.message, "AAAA")); /* a secret is not echoed */
	}
}

static void what_is_made_can_be_read(void **state)
{
	unsigned char made[SIGN_SECRET_BYTES], again[SIGN_SECRET_MAX], other[SIGN_SECRET_BYTES];
	char text[SIGN_SECRET_TEXT_MAX];
	size_t len = 0;
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 1);
	sign_secret_make(&r, made);
	sign_secret_make(&r, other);
	sign_secret_text(str_make((const char *)made, sizeof(made)), text);
	assert_true(str_starts(str_from(text), STR("whsec_")));
	assert_int_equal(sign_secret_parse(str_from(text), again, &len, NULL), GW_OK);
	CHECK_INT("length", sizeof(made), len);
	assert_memory_equal(made, again, len);
	assert_memory_not_equal(made, other, sizeof(made));
}

static void meta_header(void **state)
{
	struct mac *m = mac_new(STR("key"));
	char out[SIGN_HUB_MAX];

	(void)state;
	sign_hub(m, STR("The quick brown fox jumps over the lazy dog"), out);
	CHECK_STR("the usual example",
		  "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
		  str_from(out));
	mac_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vector),
		cmocka_unit_test(two_while_a_secret_rotates),
		cmocka_unit_test(every_part_is_signed),
		cmocka_unit_test(texts_of_secrets),
		cmocka_unit_test(what_is_made_can_be_read),
		cmocka_unit_test(meta_header),
	};

	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
