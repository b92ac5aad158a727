/* SPDX-License-Identifier: MIT */
/* test_verify.c - signatures and the handshake */
#include "unit.h"

#include <godwit/godwit.h>

#define SECRET "5f1d3a9bd2c84e07a6b1c0de99887766"
#define BODY "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
/* openssl dgst -sha256 -hmac SECRET over BODY */
#define HEX "01f15fdcfe059f767b644930baac57f158ac9c71c2e818a86340283aab1baaca"

static const struct {
	const char *name, *body, *header, *secret;
	gw_status want;
} signatures[] = {
	{ "right", BODY, "sha256=" HEX, SECRET, GW_OK },
	{ "other body", BODY " ", "sha256=" HEX, SECRET, GW_EAUTH },
	{ "cut body", "{", "sha256=" HEX, SECRET, GW_EAUTH },
	{ "other secret", BODY, "sha256=" HEX, "5f1d3a9bd2c84e07a6b1c0de99887767", GW_EAUTH },
	{ "no secret", BODY, "sha256=" HEX, "", GW_EARG },
	{ "no header", BODY, "", SECRET, GW_EPARSE },
	{ "no prefix", BODY, HEX, SECRET, GW_EPARSE },
	{ "sha1", BODY, "sha1=" HEX, SECRET, GW_EPARSE },
	{ "prefix alone", BODY, "sha256=", SECRET, GW_EPARSE },
	{ "blank in front", BODY, " sha256=" HEX, SECRET, GW_EPARSE },
	{ "one digit more", BODY, "sha256=" HEX "0", SECRET, GW_EPARSE },
	{ "not hex", BODY,
	  "sha256=zz0000000000000000000000000000000000000000000000000000000000000z", SECRET,
	  GW_EPARSE },
	{ "zeros", BODY, "sha256=0000000000000000000000000000000000000000000000000000000000000000",
	  SECRET, GW_EAUTH },
};

static void test_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		struct gw_error err = GW_ERROR_INIT;
		gw_status got = gw_webhook_verify(gw_str_from(signatures[i].body),
						  gw_str_from(signatures[i].header),
						  gw_str_from(signatures[i].secret), &err);

		CHECK_INT(signatures[i].name, signatures[i].want, got);
		CHECK_INT(signatures[i].name, signatures[i].want, err.status);
	}
}

static void test_every_cut_header_is_refused(void **state)
{
	const char *whole = "sha256=" HEX;

	(void)state;
	for (size_t len = 0; len < strlen(whole); len++)
		CHECK_INT("cut", GW_EPARSE,
			  gw_webhook_verify(gw_str_from(BODY), (gw_str){ whole, len },
					    gw_str_from(SECRET), NULL));
}

static void test_every_wrong_digit_is_found(void **state)
{
	char header[] = "sha256=" HEX;

	(void)state;
	for (size_t i = 7; i < sizeof(header) - 1; i++) {
		char was = header[i];

		header[i] = was == '0' ? '1' : '0';
		CHECK_INT("digit", GW_EAUTH,
			  gw_webhook_verify(gw_str_from(BODY), gw_str_from(header),
					    gw_str_from(SECRET), NULL));
		header[i] = was;
	}
}

static void test_sign_is_what_verify_takes(void **state)
{
	char out[72];

	(void)state;
	gw_webhook_sign(gw_str_from(BODY), gw_str_from(SECRET), out);
	assert_string_equal(out, "sha256=" HEX);
	gw_webhook_sign((gw_str){ NULL, 0 }, gw_str_from(SECRET), out);
	CHECK_INT("empty body", GW_OK,
		  gw_webhook_verify((gw_str){ NULL, 0 }, gw_str_from(out), gw_str_from(SECRET),
				    NULL));
	gw_webhook_sign(gw_str_from(BODY), gw_str_from(""), out);
	assert_string_equal(out, "");
}

static const struct {
	const char *name, *mode, *token, *expected;
	bool want;
} handshakes[] = {
	{ "right", "subscribe", "secret-token", "secret-token", true },
	{ "other mode", "unsubscribe", "secret-token", "secret-token", false },
	{ "no mode", "", "secret-token", "secret-token", false },
	{ "other token", "subscribe", "secret-tokem", "secret-token", false },
	{ "prefix of it", "subscribe", "secret-toke", "secret-token", false },
	{ "longer", "subscribe", "secret-token1", "secret-token", false },
	{ "no token", "subscribe", "", "secret-token", false },
	{ "none expected", "subscribe", "", "", false },
};

static void test_handshakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(handshakes); i++)
		CHECK_INT(handshakes[i].name, handshakes[i].want,
			  gw_webhook_handshake(gw_str_from(handshakes[i].mode),
					       gw_str_from(handshakes[i].token),
					       gw_str_from(handshakes[i].expected)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_every_cut_header_is_refused),
		cmocka_unit_test(test_every_wrong_digit_is_found),
		cmocka_unit_test(test_sign_is_what_verify_takes),
		cmocka_unit_test(test_handshakes),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
