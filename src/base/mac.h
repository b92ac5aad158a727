/* SPDX-License-Identifier: MIT */
/*
 * mac.h - SHA-256, HMAC-SHA256 and secrets, over OpenSSL's EVP
 *
 * A struct mac holds one EVP_MAC context keyed once and reused (one-shot
 * HMAC() costs 2.2 times as much: reference/dependencies.md).  Not shared
 * between threads.
 */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include "base/str.h"
#include <godwit/error.h>

#define SHA256_BYTES 32
#define SECRET_MAX 512 /* bytes; Meta's app secrets have 32, tokens about 250 */

/* Bytes that must never be printed.  There is no writer for it on purpose. */
struct secret {
	unsigned char bytes[SECRET_MAX];
	size_t len; /* 0: none */
};

void secret_set(struct secret *s, struct str bytes); /* at most SECRET_MAX, else panic */
void secret_release(struct secret *s); /* wipes */
bool secret_eq(const struct secret *a, struct str b); /* constant time in the bytes */
/* Read a file, without one final line end; what is left must be 1 to SECRET_MAX bytes.  *out
 * untouched on failure. */
GW_NODISCARD gw_status secret_load(const char *path, struct secret *out, struct gw_error *err);

struct mac;
struct mac *mac_new(struct str key); /* NULL: no memory */
void mac_free(struct mac *m);
void mac_sign(struct mac *m, struct str bytes, unsigned char out[SHA256_BYTES]);
/* Over several pieces, as if they were one. */
void mac_sign_parts(struct mac *m, const struct str *parts, size_t count,
		    unsigned char out[SHA256_BYTES]);

/* For the sandbox alone: Meta still sends the old X-Hub-Signature beside the new one. */
#define SHA1_BYTES 20
void hmac_sha1(struct str key, struct str bytes, unsigned char out[SHA1_BYTES]);

void sha256(struct str bytes, unsigned char out[SHA256_BYTES]);
bool bytes_eq_const_time(const void *a, const void *b, size_t len);
/* No fast non-cryptographic hash here, on purpose: dedupe keys are sha256 cut to 16 bytes. */

#endif
