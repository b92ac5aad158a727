/* SPDX-License-Identifier: MIT */
/*
 * json_int.h - the tape, shared by the files of src/json
 *
 * One node of 16 bytes per value and per key, in the order of the text:
 *
 *   {"a":[1,2],"b":{}}
 *
 *   node  0 object  next 6  count 2
 *         1 string  "a"              keys are string nodes in front of
 *         2 array   next 5  count 2  their values
 *         3 number  1
 *         4 number  2
 *         5 string  "b" ...
 *
 * `next` is the node behind the whole value, so a child list is walked by
 * hopping from next to next until the container's own next is reached.
 */
#ifndef JSON_JSON_INT_H
#define JSON_JSON_INT_H

#include "json/json.h"

struct json_node {
	uint32_t at; /* where the value begins in the text */
	uint32_t len; /* its bytes, strings with their quotes */
	uint32_t next; /* the node behind it; while a container is open: its parent */
	uint32_t info; /* type, flags, and how many items or members */
};

#define NODE_TYPE 0x07U /* enum json_type */
#define NODE_ESCAPED 0x08U /* string: has a backslash */
#define NODE_DOUBT 0x10U /* object: two keys may be the same */
#define NODE_COUNT_SHIFT 5 /* 27 bits; JSON_TEXT_MAX has 2^25 items at most */
#define NODE_COUNT_ONE (1U << NODE_COUNT_SHIFT)

struct json_doc {
	struct str text;
	struct arena *arena; /* for decoded strings */
	struct json_node *nodes;
	uint32_t count;
	uint32_t duplicates;
};

/* What stands between the quotes of a string node, as written. */
static inline struct str json_raw(const struct json_doc *doc, const struct json_node *n)
{
	return (struct str){ doc->text.ptr + n->at + 1, n->len - 2 };
}

static inline uint32_t json_hex4(const unsigned char *p)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t c = p[i];

		code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/*
 * The length of the well-formed sequence at p, whose first byte is >= 0x80;
 * 0 when there is none before end (Unicode 15, table 3-7: no overlong forms,
 * no surrogates, nothing over U+10FFFF).
 */
static inline uint32_t json_utf8_len(const unsigned char *p, const unsigned char *end)
{
	unsigned lead = p[0];
	size_t left = (size_t)(end - p);

	if (lead < 0xE0) {
		return lead >= 0xC2 && left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
	} else if (lead < 0xF0) {
		if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
			return 0;
		if ((lead == 0xE0 && p[1] < 0xA0) || (lead == 0xED && p[1] > 0x9F))
			return 0;
		return 3;
	}
	if (left < 4 || lead > 0xF4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 ||
	    (p[3] & 0xC0) != 0x80)
		return 0;
	if ((lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] > 0x8F))
		return 0;
	return 4;
}

/*
 * Read the escape at *rest, which begins with a backslash and was checked by
 * the scanner, and step over it.  A pair of surrogates gives one code point;
 * a lone one comes out as itself, and \u0000 as 0: the caller decides.
 */
uint32_t json_unescape(struct str *rest);

/* The same as 1 to 4 bytes of UTF-8; lone surrogates and \u0000 are U+FFFD. */
size_t json_decode_escape(struct str *rest, char out[4]);

/* Whether a raw string, once decoded, is `key`. */
bool json_raw_is(struct str raw, struct str key);

/* Set doc->duplicates from the objects that carry NODE_DOUBT. */
void json_count_duplicates(struct json_doc *doc);

#endif
