/* SPDX-License-Identifier: MIT */
/* hexb64.h - hexadecimal and base64, strict both ways */
#ifndef BASE_HEXB64_H
#define BASE_HEXB64_H

#include "base/str.h"

void hex_encode(const void *bytes, size_t len, char *out); /* 2*len + NUL, lower case */
bool hex_decode(struct str text, void *out, size_t out_len); /* exact length, either case */

#define B64_LEN(n) (((n) + 2) / 3 * 4)
size_t b64_encode(const void *bytes, size_t len, char *out); /* padded; B64_LEN + NUL */
/* Padded standard base64; *out_len is set on success only.  out needs text.len/4*3. */
bool b64_decode(struct str text, void *out, size_t cap, size_t *out_len);

#endif
