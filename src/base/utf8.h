/* SPDX-License-Identifier: MIT */
/* utf8.h - validity, lengths and words of UTF-8 text (utf8proc where it needs tables) */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

bool utf8_valid(struct str s); /* no surrogates, no overlong forms */
size_t utf8_count(struct str s); /* code points; s must be valid */
/* Write one code point (<= 0x10FFFF, no surrogate); returns 1..4 bytes. */
size_t utf8_put(uint32_t code, char out[4]);
/* Case-folded equality of two valid strings after trimming blanks.  Composed or not makes no
 * difference, nor do characters that nobody sees, such as marks of direction. */
bool utf8_same_word(struct str a, struct str b);
/* The longest prefix of s with at most max bytes that ends between code points. */
struct str utf8_cut(struct str s, size_t max_bytes);

#endif
