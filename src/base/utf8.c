/* SPDX-License-Identifier: MIT */
/*
 * utf8.c - validity, lengths and words of UTF-8 text
 *
 * Validity after table 3-7 of the Unicode standard: the second byte's range
 * depends on the first, which rules out overlong forms, surrogates and what
 * lies above U+10FFFF.  Eight bytes of ASCII go in one step, since most
 * webhook bodies are nothing else.
 * TESTS  tests/unit/test_utf8.c
 */
#include "base/utf8.h"

#include "base/panic.h"

#include <utf8proc.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define FOLDED_MAX 32 /* code points from one; the longest in Unicode 15 is 18 (U+FDFA) */

/* Length of the valid sequence at `at`, of which `left` bytes are there; 0: none. */
static size_t sequence_len(const unsigned char *at, size_t left)
{
	unsigned char lead = at[0];
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	size_t len;

	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (left < len)
		return 0;
	switch (lead) {
	case 0xE0: low = 0xA0; break; /* below: overlong */
	case 0xED: high = 0x9F; break; /* above: surrogates */
	case 0xF0: low = 0x90; break; /* below: overlong */
	case 0xF4: high = 0x8F; break; /* above: no code point */
	}
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

bool utf8_valid(struct str s)
{
	const unsigned char *at = (const unsigned char *)s.ptr;
	size_t left = s.len;
	uint64_t eight;
	size_t len;

	while (left > 0) {
		if (left >= sizeof(eight)) {
			memcpy(&eight, at, sizeof(eight));
			if ((eight & HIGH_BITS) == 0) {
				at += sizeof(eight);
				left -= sizeof(eight);
				continue;
			}
		}
		len = sequence_len(at, left);
		if (len == 0)
			return false;
		at += len;
		left -= len;
	}
	return true;
}

static inline bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

size_t utf8_count(struct str s)
{
	size_t count = 0;

	for (size_t i = 0; i < s.len; i++)
		count += !is_continuation(s.ptr[i]);
	return count;
}

size_t utf8_put(uint32_t code, char out[4])
{
	ASSERT(code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF));
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* A string read as folded code points, one at a time. */
struct folder {
	struct str rest;
	utf8proc_int32_t ready[FOLDED_MAX];
	utf8proc_ssize_t count;
	utf8proc_ssize_t next;
};

/* The next folded code point; -1 at the end, -2 for bytes that are not UTF-8. */
static utf8proc_int32_t fold_next(struct folder *f)
{
	const utf8proc_option_t options = UTF8PROC_CASEFOLD | UTF8PROC_DECOMPOSE | UTF8PROC_IGNORE;
	int boundary = 0;

	while (f->next == f->count) {
		utf8proc_int32_t code;
		utf8proc_ssize_t n;

		if (f->rest.len == 0)
			return -1;
		n = utf8proc_iterate((const utf8proc_uint8_t *)f->rest.ptr,
				     (utf8proc_ssize_t)f->rest.len, &code);
		if (n <= 0)
			return -2;
		f->rest = str_slice(f->rest, (size_t)n, f->rest.len);
		f->next = 0;
		f->count = utf8proc_decompose_char(code, f->ready, FOLDED_MAX, options, &boundary);
		if (f->count < 0 || f->count > FOLDED_MAX) {
			f->count = 0;
			return -2;
		}
	}
	return f->ready[f->next++];
}

bool utf8_same_word(struct str a, struct str b)
{
	struct folder left = { .rest = str_trim(a) };
	struct folder right = { .rest = str_trim(b) };
	utf8proc_int32_t x, y;

	do {
		x = fold_next(&left);
		y = fold_next(&right);
	} while (x == y && x >= 0);
	return x == -1 && y == -1;
}

struct str utf8_cut(struct str s, size_t max_bytes)
{
	size_t len = max_bytes;

	if (s.len <= max_bytes)
		return s;
	while (len > 0 && max_bytes - len < 3 && is_continuation(s.ptr[len]))
		len--;
	return str_make(s.ptr, len);
}
