/* SPDX-License-Identifier: MIT */
/*
 * seal.h - bytes that only the holder of a key can read or change (AES-256-GCM)
 *
 * `what` is authenticated and not stored: what was sealed for one place does not open at another.
 * THREADS  any: no state
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/rnd.h"
#include "base/str.h"

#define SEAL_KEY_BYTES 32
#define SEAL_OVERHEAD 28 /* a nonce of 12 bytes before, a tag of 16 behind */

/* out has room for plain.len + SEAL_OVERHEAD bytes.  The nonce is random: at most 2^32 times with a
 * key (NIST SP 800-38D, 8.3). */
void seal_put(const unsigned char key[SEAL_KEY_BYTES], struct rnd *r, struct str what,
	      struct str plain, unsigned char *out);
/* out has room for sealed.len bytes; false: another key, another place, or changed bytes. */
bool seal_open(const unsigned char key[SEAL_KEY_BYTES], struct str what, struct str sealed,
	       unsigned char *out, size_t *out_len);

#endif
