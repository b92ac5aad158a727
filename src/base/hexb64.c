/* SPDX-License-Identifier: MIT */
/*
 * hexb64.c - hexadecimal and base64
 *
 * Decoding is strict, so that every value has one text (hexadecimal: two
 * cases): base64 wants its padding and zeros in the bits that pad, and no
 * blanks or line ends.  A refusal may leave bytes in out, never a length.
 * TESTS  tests/unit/test_hexb64.c
 */
#include "base/hexb64.h"

static const char hex_digits[] = "0123456789abcdef";
static const char b64_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_encode(const void *bytes, size_t len, char *out)
{
	const unsigned char *in = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[in[i] >> 4];
		*out++ = hex_digits[in[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct str text, void *out, size_t out_len)
{
	unsigned char *to = out;

	if (text.len % 2 != 0 || text.len / 2 != out_len)
		return false;
	for (size_t i = 0; i < out_len; i++) {
		int high = hex_value(text.ptr[2 * i]);
		int low = hex_value(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

size_t b64_encode(const void *bytes, size_t len, char *out)
{
	const unsigned char *in = bytes;
	char *start = out;
	uint32_t group;

	for (; len >= 3; len -= 3, in += 3) {
		group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		*out++ = b64_chars[group >> 18];
		*out++ = b64_chars[group >> 12 & 63];
		*out++ = b64_chars[group >> 6 & 63];
		*out++ = b64_chars[group & 63];
	}
	if (len > 0) {
		group = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
		*out++ = b64_chars[group >> 18];
		*out++ = b64_chars[group >> 12 & 63];
		*out++ = len == 2 ? b64_chars[group >> 6 & 63] : '=';
		*out++ = '=';
	}
	*out = '\0';
	return (size_t)(out - start);
}

static int b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* `count` characters (2 to 4) hold count - 1 bytes. */
static bool decode_group(const char *in, size_t count, unsigned char *to)
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < count ? b64_value(in[i]) : 0;

		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
	}
	if ((count == 2 && (group & 0xFFFF) != 0) || (count == 3 && (group & 0xFF) != 0))
		return false; /* bits that nobody would read back */
	for (size_t i = 0; i < count - 1; i++)
		to[i] = (unsigned char)(group >> (16 - 8 * i));
	return true;
}

bool b64_decode(struct str text, void *out, size_t cap, size_t *out_len)
{
	unsigned char *to = out;
	size_t pad = 0;
	size_t len;

	if (text.len % 4 != 0)
		return false;
	if (text.len > 0 && text.ptr[text.len - 1] == '=')
		pad = text.ptr[text.len - 2] == '=' ? 2 : 1;
	len = text.len / 4 * 3 - pad;
	if (len > cap)
		return false;
	for (size_t i = 0; i < text.len; i += 4, to += 3) {
		size_t count = i + 4 == text.len ? 4 - pad : 4;

		if (!decode_group(text.ptr + i, count, to))
			return false;
	}
	*out_len = len;
	return true;
}
