/* SPDX-License-Identifier: MIT */
/*
 * seal.c - see seal.h; over OpenSSL's EVP
 *
 * FAILURE  OpenSSL failing while it seals (no memory inside it) panics: a secret must not be stored
 *          in another way.  While it opens, it is as if the key were wrong.
 * TESTS    tests/unit/test_seal.c
 */
#include "base/seal.h"

#include "base/panic.h"

#include <openssl/evp.h>

#define NONCE_BYTES 12
#define TAG_BYTES 16

static const unsigned char *bytes_of(struct str s)
{
	return (const unsigned char *)(s.len == 0 ? "" : s.ptr);
}

void seal_put(const unsigned char key[SEAL_KEY_BYTES], struct rnd *r, struct str what,
	      struct str plain, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char *body = out + NONCE_BYTES;
	int n = 0;

	ASSERT(c != NULL && plain.len < INT32_MAX && what.len < INT32_MAX);
	rnd_bytes(r, out, NONCE_BYTES);
	ASSERT(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1);
	ASSERT(EVP_EncryptUpdate(c, NULL, &n, bytes_of(what), (int)what.len) == 1);
	ASSERT(EVP_EncryptUpdate(c, body, &n, bytes_of(plain), (int)plain.len) == 1);
	ASSERT(n == (int)plain.len);
	ASSERT(EVP_EncryptFinal_ex(c, body + n, &n) == 1 && n == 0);
	ASSERT(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + plain.len) == 1);
	EVP_CIPHER_CTX_free(c); /* wipes the key's schedule */
}

bool seal_open(const unsigned char key[SEAL_KEY_BYTES], struct str what, struct str sealed,
	       unsigned char *out, size_t *out_len)
{
	const unsigned char *bytes = bytes_of(sealed);
	unsigned char tag[TAG_BYTES];
	EVP_CIPHER_CTX *c;
	size_t len;
	int n = 0;
	bool ok;

	if (sealed.len < SEAL_OVERHEAD || sealed.len > INT32_MAX || what.len > INT32_MAX)
		return false;
	c = EVP_CIPHER_CTX_new();
	if (c == NULL)
		return false;
	len = sealed.len - SEAL_OVERHEAD;
	memcpy(tag, bytes + NONCE_BYTES + len, TAG_BYTES);
	ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, bytes) == 1 &&
	     EVP_DecryptUpdate(c, NULL, &n, bytes_of(what), (int)what.len) == 1 &&
	     EVP_DecryptUpdate(c, out, &n, bytes + NONCE_BYTES, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	     EVP_DecryptFinal_ex(c, out + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok)
		explicit_bzero(out, len); /* not authentic: nobody may use it */
	else
		*out_len = len;
	return ok;
}
