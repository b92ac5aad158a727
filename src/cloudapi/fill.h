/* SPDX-License-Identifier: MIT */
/*
 * fill.h - read the members of one JSON object into a struct, by a table
 *
 * A row says: the member of this name, read this way, goes to that field.
 * fill() walks the object once; a member that is absent, of another type or
 * too long leaves its field as it was; of a name that is repeated the first
 * counts (design.md section 11).
 */
#ifndef CLOUDAPI_FILL_H
#define CLOUDAPI_FILL_H

#include <string.h>

#include "base/arena.h"
#include "base/panic.h"
#include "json/json.h"
#include <godwit/webhook.h>

/* Ceilings of decoded strings, in bytes. What is longer stays in the raw span alone. */
#define FILL_ID_MAX GW_WAMID_MAX
#define FILL_WORD_MAX 128 /* words of Meta's: types, events, fields */
#define FILL_NAME_MAX 1024 /* profile and file names */
#define FILL_URL_MAX 8192
#define FILL_TEXT_MAX (256U * 1024) /* WhatsApp's 65,536 characters of 4 bytes */

enum fill_how {
	FILL_STRING, /* gw_str: a string, or a number as it is written */
	FILL_TIME, /* int64_t: Unix seconds, from seconds or milliseconds, text or number */
	FILL_INT, /* int: from a number or a decimal string */
	FILL_BOOL, /* bool */
	FILL_DECIMAL, /* double: from a number or a decimal string */
	FILL_SPAN, /* gw_span: where the value lies, whatever it is */
	FILL_KEEP, /* kept[at]: the value itself, for a closer look */
};

struct fill {
	struct str key;
	uint16_t at; /* offset in the struct, or index into kept[] */
	uint16_t how;
	uint32_t max; /* bytes; FILL_STRING only */
};

#define FILL_KEY(literal)                    \
	{                                    \
		literal, sizeof(literal) - 1 \
	}
#define FILL_ROW(name, how, type, member, max)                   \
	{                                                        \
		FILL_KEY(name), offsetof(type, member), how, max \
	}
#define FILL_KEPT(name, index)                      \
	{                                           \
		FILL_KEY(name), index, FILL_KEEP, 0 \
	}
#define FILL_ROWS_MAX 32 /* rows of one table */

/* kept may be NULL when no row is FILL_KEEP; the caller sets it to JSON_MISSING before. */
void fill(struct json_val object, const struct fill *rows, size_t count, void *base,
	  struct json_val *kept);

/* A string, or a number as it is written; empty when neither or longer than max. */
gw_str fill_text(struct json_val v, size_t max);
gw_span fill_span(struct json_val v);
int64_t fill_time(struct json_val v);
bool fill_int(struct json_val v, int *out);

static inline bool fill_is(gw_str s, const char *word)
{
	size_t len = strlen(word);

	return s.len == len && memcmp(s.ptr, word, len) == 0;
}

#endif
