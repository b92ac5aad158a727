/* SPDX-License-Identifier: MIT */
/*
 * mac.c - SHA-256, HMAC-SHA256 and secrets
 *
 * A mac's context is keyed once; EVP_MAC_init() with a NULL key starts it
 * again with the same key.  Plain SHA-256 uses the low-level calls, deprecated
 * since OpenSSL 3.0: the one-shot SHA256() looks the algorithm up by name each
 * time (measured on 60 bytes: 396 ns against 103 ns; EVP_Digest() with a
 * prepared EVP_MD, which would have to live in a global, 243 ns).
 * FAILURE  OpenSSL failing in the middle (no memory inside it) panics: a
 *          signature that is not computed must never be compared or sent.
 * THREADS  a struct mac belongs to one thread; the rest has no state
 * TESTS    tests/unit/test_mac.c
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init() and company, see above */
#include "base/mac.h"

#include "base/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <unistd.h>

struct mac {
	EVP_MAC_CTX *ctx;
	bool fresh; /* keyed and nothing hashed yet */
};

void secret_set(struct secret *s, struct str bytes)
{
	ASSERT(bytes.len <= SECRET_MAX);
	secret_release(s);
	if (bytes.len > 0)
		memcpy(s->bytes, bytes.ptr, bytes.len);
	s->len = bytes.len;
}

void secret_release(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

bool secret_eq(const struct secret *a, struct str b)
{
	return a->len == b.len && bytes_eq_const_time(a->bytes, b.ptr, b.len);
}

/* Until len bytes or the end; -1 with errno. */
static ssize_t read_full(int fd, unsigned char *out, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, out + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

gw_status secret_load(const char *path, struct secret *out, struct gw_error *err)
{
	unsigned char raw[SECRET_MAX + 3]; /* a line end; one more tells "too long" from "full" */
	struct str bytes;
	gw_status st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		st = gw_error_sys(err, GW_EIO, "cannot open %s", path);
		goto out;
	}
	n = read_full(fd, raw, sizeof(raw));
	if (n < 0) {
		st = gw_error_sys(err, GW_EIO, "cannot read %s", path);
		goto out;
	}
	bytes = str_make((const char *)raw, (size_t)n);
	if (str_ends(bytes, STR("\n")))
		bytes.len -= str_ends(bytes, STR("\r\n")) ? 2 : 1;
	if (bytes.len == 0 || bytes.len > SECRET_MAX) {
		st = gw_error_set(err, GW_ELIMIT, "%s: want a secret of 1 to %d bytes, found %s",
				  path, SECRET_MAX, bytes.len == 0 ? "none" : "more");
		goto out;
	}
	secret_set(out, bytes); /* the only write to *out */
	st = GW_OK;
out:
	explicit_bzero(raw, sizeof(raw));
	if (fd >= 0)
		(void)close(fd); /* read-only: nothing left to lose */
	return st;
}

struct mac *mac_new(struct str key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	const unsigned char *bytes = (const unsigned char *)(key.len == 0 ? "" : key.ptr);
	struct mac *m = malloc(sizeof(*m));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (m == NULL || hmac == NULL)
		goto fail;
	m->fresh = true;
	m->ctx = EVP_MAC_CTX_new(hmac); /* holds a reference to hmac */
	if (m->ctx == NULL || EVP_MAC_init(m->ctx, bytes, key.len, params) != 1) {
		EVP_MAC_CTX_free(m->ctx);
		goto fail;
	}
	EVP_MAC_free(hmac);
	return m;
fail:
	EVP_MAC_free(hmac);
	free(m);
	return NULL;
}

void mac_free(struct mac *m)
{
	if (m == NULL)
		return;
	EVP_MAC_CTX_free(m->ctx); /* wipes the key */
	free(m);
}

void mac_sign(struct mac *m, struct str bytes, unsigned char out[SHA256_BYTES])
{
	mac_sign_parts(m, &bytes, 1, out);
}

void mac_sign_parts(struct mac *m, const struct str *parts, size_t count,
		    unsigned char out[SHA256_BYTES])
{
	size_t len = 0;

	if (!m->fresh && EVP_MAC_init(m->ctx, NULL, 0, NULL) != 1)
		PANIC("HMAC cannot be started");
	m->fresh = false;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len == 0)
			continue;
		if (EVP_MAC_update(m->ctx, (const unsigned char *)parts[i].ptr, parts[i].len) != 1)
			PANIC("HMAC of %zu bytes failed", parts[i].len);
	}
	if (EVP_MAC_final(m->ctx, out, &len, SHA256_BYTES) != 1 || len != SHA256_BYTES)
		PANIC("HMAC cannot be finished");
}

void hmac_sha1(struct str key, struct str bytes, unsigned char out[SHA1_BYTES])
{
	unsigned int len = 0;

	if (key.len > SECRET_MAX ||
	    HMAC(EVP_sha1(), key.len == 0 ? "" : key.ptr, (int)key.len,
		 (const unsigned char *)bytes.ptr, bytes.len, out, &len) == NULL ||
	    len != SHA1_BYTES)
		PANIC("HMAC-SHA1 of %zu bytes failed", bytes.len);
}

void sha256(struct str bytes, unsigned char out[SHA256_BYTES])
{
	SHA256_CTX ctx;

	if (SHA256_Init(&ctx) != 1 || SHA256_Update(&ctx, bytes.ptr, bytes.len) != 1 ||
	    SHA256_Final(out, &ctx) != 1)
		PANIC("SHA-256 of %zu bytes failed", bytes.len);
}

bool bytes_eq_const_time(const void *a, const void *b, size_t len)
{
	return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}
