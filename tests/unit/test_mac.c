/* SPDX-License-Identifier: MIT */
/* test_mac.c - RFC 4231 and FIPS 180 vectors, comparing, and loading secrets */
#include "unit.h"

#include "base/hexb64.h"
#include "base/mac.h"

#define TIMES4(s) s s s s
#define AA20 TIMES4("\xaa\xaa\xaa\xaa\xaa")
#define AA131 AA20 AA20 AA20 AA20 AA20 AA20 "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"

static void check_hex(const char *name, const char *want, const unsigned char got[SHA256_BYTES])
{
	char text[2 * SHA256_BYTES + 1];

	hex_encode(got, SHA256_BYTES, text);
	CHECK_STR(name, want, str_from(text));
}

static const struct {
	const char *name;
	struct str key, data;
	const char *mac;
} vectors[] = {
	{ "RFC 4231 case 1", STR_INIT(TIMES4("\x0b\x0b\x0b\x0b\x0b")), STR_INIT("Hi There"),
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "case 2", STR_INIT("Jefe"), STR_INIT("what do ya want for nothing?"),
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "case 3", STR_INIT(AA20),
	  STR_INIT(TIMES4("\xdd\xdd\xdd\xdd\xdd\xdd") TIMES4("\xdd\xdd\xdd\xdd\xdd"
							     "\xdd") "\xdd\xdd"),
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "case 4",
	  STR_INIT(
		  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
		  "\x15\x16\x17\x18\x19"),
	  STR_INIT(TIMES4("\xcd\xcd\xcd\xcd\xcd\xcd")
			   TIMES4("\xcd\xcd\xcd\xcd\xcd\xcd") "\xcd\xcd"),
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ "case 6", STR_INIT(AA131),
	  STR_INIT("Test Using Larger Than Block-Size Key - Hash Key First"),
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "case 7", STR_INIT(AA131),
	  STR_INIT("This is a test using a larger than block-size key and a larger than block-size "
		   "data. The key needs to be hashed before being used by the HMAC algorithm."),
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	{ "nothing at all",
	  { NULL, 0 },
	  { NULL, 0 },
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void hmac_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct mac *m = mac_new(vectors[i].key);
		unsigned char out[SHA256_BYTES];

		assert_non_null(m);
		for (int round = 0; round < 3; round++) { /* the context is reused */
			mac_sign(m, STR("something else"), out);
			mac_sign(m, vectors[i].data, out);
			check_hex(vectors[i].name, vectors[i].mac, out);
		}
		mac_free(m);
	}
	mac_free(NULL);
}

static void parts_are_one(void **state)
{
	struct str text = vectors[5].data;
	struct mac *m = mac_new(vectors[5].key);
	unsigned char out[SHA256_BYTES];

	(void)state;
	for (size_t cut = 0; cut <= text.len; cut++) {
		struct str parts[] = { str_slice(text, 0, cut),
				       { NULL, 0 },
				       str_slice(text, cut, text.len) };

		mac_sign_parts(m, parts, ARRAY_LEN(parts), out);
		check_hex("parts", vectors[5].mac, out);
	}
	mac_free(m);
	m = mac_new(STR(""));
	mac_sign_parts(m, NULL, 0, out);
	check_hex("no parts", vectors[6].mac, out);
	mac_free(m);
}

static void sha256_vectors(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	unsigned char out[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sha256(str_from(cases[i].in), out);
		check_hex(cases[i].in, cases[i].want, out);
	}
	sha256(str_make(NULL, 0), out);
	check_hex("no pointer", cases[0].want, out);
}

static void comparing(void **state)
{
	struct secret s = { .len = 0 };

	(void)state;
	assert_true(bytes_eq_const_time("abc", "abc", 3));
	assert_true(bytes_eq_const_time("abc", "abd", 2));
	assert_false(bytes_eq_const_time("abc", "abd", 3));
	assert_false(bytes_eq_const_time("bbc", "abc", 3));
	assert_true(bytes_eq_const_time(NULL, NULL, 0));
	assert_true(secret_eq(&s, str_make(NULL, 0)));
	assert_false(secret_eq(&s, STR("a")));
	secret_set(&s, STR("abc"));
	assert_true(secret_eq(&s, STR("abc")));
	assert_false(secret_eq(&s, STR("ab")));
	assert_false(secret_eq(&s, STR("abcd")));
	assert_false(secret_eq(&s, STR("abd")));
	secret_set(&s, STR("x"));
	CHECK_INT("no left-over", 0, s.bytes[1]);
	secret_release(&s);
	CHECK_INT("len", 0, s.len);
	CHECK_INT("wiped", 0, s.bytes[0]);
}

static void set_too_long(void *arg)
{
	static const char bytes[SECRET_MAX + 1];

	secret_set(arg, str_make(bytes, sizeof(bytes)));
}

static void set_both_sides(void **state)
{
	static const char bytes[SECRET_MAX];
	struct secret s = { .len = 0 };

	(void)state;
	secret_set(&s, str_make(bytes, sizeof(bytes)));
	CHECK_INT("full", SECRET_MAX, s.len);
	assert_true(dies(set_too_long, &s));
}

static void make_file(char *path, const char *fill, size_t fill_len, const char *tail)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	for (size_t i = 0; i < fill_len; i++)
		assert_int_equal(write(fd, fill, 1), 1);
	assert_int_equal(write(fd, tail, strlen(tail)), strlen(tail));
	(void)close(fd);
}

static void loading(void **state)
{
	static const struct {
		const char *name;
		size_t fill; /* so many "s", then: */
		const char *tail;
		size_t len; /* 0: refused */
	} cases[] = {
		{ "plain", 10, "", 10 },
		{ "one newline", 10, "\n", 10 },
		{ "DOS line end", 10, "\r\n", 10 },
		{ "two newlines", 10, "\n\n", 11 },
		{ "blank kept", 10, " ", 11 },
		{ "one byte", 1, "", 1 },
		{ "empty", 0, "", 0 },
		{ "newline only", 0, "\n", 0 },
		{ "longest", SECRET_MAX, "", SECRET_MAX },
		{ "longest and newline", SECRET_MAX, "\n", SECRET_MAX },
		{ "longest and DOS line end", SECRET_MAX, "\r\n", SECRET_MAX },
		{ "too long", SECRET_MAX + 1, "", 0 },
		{ "too long and newline", SECRET_MAX + 1, "\n", 0 },
		{ "longest and two newlines", SECRET_MAX, "\n\n", 0 },
		{ "much too long", 10 * SECRET_MAX, "\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[] = "/tmp/godwit-test-XXXXXX";
		struct gw_error err = GW_ERROR_INIT;
		struct secret s = { .len = 0 };
		gw_status want = cases[i].len == 0 ? GW_ELIMIT : GW_OK;

		make_file(path, "s", cases[i].fill, cases[i].tail);
		secret_set(&s, STR("before"));
		CHECK_INT(cases[i].name, want, secret_load(path, &s, &err));
		if (want == GW_OK) {
			CHECK_INT(cases[i].name, cases[i].len, s.len);
		} else {
			assert_true(secret_eq(&s, STR("before")));
			assert_non_null(strstr(err.message, path));
			assert_non_null(strstr(err.message, "512"));
			assert_null(strstr(err.message, "sss"));
		}
		(void)unlink(path);
	}
}

static void loading_what_is_not_there(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct secret s = { .len = 0 };

	(void)state;
	secret_set(&s, STR("before"));
	CHECK_INT("missing", GW_EIO, secret_load("/nonexistent/secret", &s, &err));
	assert_string_equal(err.message,
			    "cannot open /nonexistent/secret: No such file or directory");
	gw_error_clear(&err);
	CHECK_INT("a folder", GW_EIO, secret_load("/", &s, &err));
	assert_string_equal(err.message, "cannot read /: Is a directory");
	CHECK_INT("nobody cares", GW_EIO, secret_load("/", &s, NULL));
	assert_true(secret_eq(&s, STR("before")));
}

/* RFC 2202, cases 1 and 2. */
static void hmac_sha1_vectors(void **state)
{
	unsigned char key[20], mac[SHA1_BYTES];
	char hex[2 * SHA1_BYTES + 1];

	(void)state;
	memset(key, 0x0b, sizeof(key));
	hmac_sha1(str_make((const char *)key, sizeof(key)), STR("Hi There"), mac);
	hex_encode(mac, sizeof(mac), hex);
	assert_string_equal(hex, "b617318655057264e28bc0b6fb378c8ef146be00");
	hmac_sha1(STR("Jefe"), STR("what do ya want for nothing?"), mac);
	hex_encode(mac, sizeof(mac), hex);
	assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	hmac_sha1(STR_EMPTY, STR_EMPTY, mac);
	hex_encode(mac, sizeof(mac), hex);
	assert_string_equal(hex, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_vectors),   cmocka_unit_test(parts_are_one),
		cmocka_unit_test(sha256_vectors), cmocka_unit_test(hmac_sha1_vectors),
		cmocka_unit_test(comparing),      cmocka_unit_test(set_both_sides),
		cmocka_unit_test(loading),        cmocka_unit_test(loading_what_is_not_there),
	};

	return cmocka_run_group_tests_name("mac", tests, NULL, NULL);
}
