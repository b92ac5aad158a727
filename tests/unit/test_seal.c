/* SPDX-License-Identifier: MIT */
/* test_seal.c - a published vector opens, nothing that was changed does */
#include "unit.h"

#include "base/hexb64.h"
#include "base/seal.h"

/* The GCM specification of McGrew and Viega, test case 16: AES-256 with data that is only
 * authenticated. */
static const char vector_key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char vector_what[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char vector_sealed[] =
	"cafebabefacedbaddecaf888"
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056"
	"828838c5f61e6393ba7a0abcc9f662"
	"76fc6ece0f4e1768cddf8853bb2d551b";
static const char vector_plain[] =
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
	"a6b525b16aedf5aa0de657ba637b39";

#define BYTES(hex) ((sizeof(hex) - 1) / 2)

static void a_published_vector_opens(void **state)
{
	unsigned char key[SEAL_KEY_BYTES], what[BYTES(vector_what)], in[BYTES(vector_sealed)];
	unsigned char out[BYTES(vector_sealed)], want[BYTES(vector_plain)];
	size_t len = 0;

	(void)state;
	assert_true(hex_decode(str_from(vector_key), key, sizeof(key)));
	assert_true(hex_decode(str_from(vector_what), what, sizeof(what)));
	assert_true(hex_decode(str_from(vector_sealed), in, sizeof(in)));
	assert_true(hex_decode(str_from(vector_plain), want, sizeof(want)));
	assert_true(seal_open(key, str_make((const char *)what, sizeof(what)),
			      str_make((const char *)in, sizeof(in)), out, &len));
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

static void what_was_sealed_opens_and_nothing_else_does(void **state)
{
	static const char *const plains[] = { "", "x", "EAAG a token" };
	unsigned char key[SEAL_KEY_BYTES] = { 1 }, other[SEAL_KEY_BYTES] = { 2 };
	struct rnd r;

	(void)state;
	rnd_init_system(&r);
	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		unsigned char a[64], b[64], out[64];
		struct str plain = str_from(plains[i]), sealed;
		size_t len = 99;

		seal_put(key, &r, STR("token:main"), plain, a);
		seal_put(key, &r, STR("token:main"), plain, b);
		sealed = str_make((const char *)a, plain.len + SEAL_OVERHEAD);
		assert_memory_not_equal(a, b, sealed.len); /* another nonce */
		assert_true(seal_open(key, STR("token:main"), sealed, out, &len));
		CHECK_STR("plain", plains[i], str_make((const char *)out, len));
		len = 99;
		assert_false(seal_open(other, STR("token:main"), sealed, out, &len));
		assert_false(seal_open(key, STR("token:other"), sealed, out, &len));
		for (size_t at = 0; at < sealed.len;
		     at++) { /* any byte changed, and cut anywhere */
			a[at] ^= 0x10;
			assert_false(seal_open(key, STR("token:main"), sealed, out, &len));
			a[at] ^= 0x10;
			assert_false(seal_open(key, STR("token:main"), str_slice(sealed, 0, at),
					       out, &len));
		}
		assert_int_equal(len, 99); /* untouched by what did not open */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_published_vector_opens),
		cmocka_unit_test(what_was_sealed_opens_and_nothing_else_does),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
