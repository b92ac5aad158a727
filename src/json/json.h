/* SPDX-License-Identifier: MIT */
/*
 * json.h - strict JSON over the received bytes: scan once, read typed, write
 *
 * json_scan() checks the whole text and leaves a flat tape of nodes with byte
 * spans; nothing is copied.  Refused: depth over JSON_DEPTH_MAX, bad UTF-8,
 * control characters in strings, trailing bytes, an empty text, leading
 * zeros, a byte order mark.  Accepted: lone surrogates and \u0000 (their
 * bytes are kept; decoded they are U+FFFD), duplicate keys (the first wins,
 * json_duplicates() counts them), integers of any length (exact in the span).
 *
 * OWNERSHIP  The document lives in the arena and borrows the text; both must
 *            outlive every json_val and every string read from it.
 * MEMORY     16 bytes per value and per key: about the size of the text for a
 *            webhook, never more than 8 times its size plus 1 KiB.
 * THREADS    A scanned document is read-only, except that reading an escaped
 *            string decodes it into the arena: one thread at a time.
 * TESTS      tests/unit/test_json*.c, fuzz/fuzz_json.c (jansson is the oracle)
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include <godwit/error.h>

#define JSON_DEPTH_MAX 64
#define JSON_TEXT_MAX (64U * 1024 * 1024) /* spans are 32 bit */

enum json_type {
	JSON_NONE,
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_doc;

/* A value inside a document; {NULL, 0} is "no such value" and safe to read. */
struct json_val {
	const struct json_doc *doc;
	uint32_t node;
};

#define JSON_MISSING ((struct json_val){ NULL, 0 })

/* Where a value lies in the scanned text. */
struct span {
	uint32_t at;
	uint32_t len;
};

/*
 * Scan `text`.  GW_EPARSE (err names the byte offset and the reason), or
 * GW_ELIMIT when the arena or JSON_TEXT_MAX is exceeded.
 */
GW_NODISCARD gw_status json_scan(struct str text, struct arena *a, const struct json_doc **out,
				 struct gw_error *err);

struct json_val json_root(const struct json_doc *doc);
struct str json_text(const struct json_doc *doc); /* what was scanned */
/* Keys that appeared again; too few when a large object was made to collide (json_key.c). */
uint32_t json_duplicates(const struct json_doc *doc);

enum json_type json_type(struct json_val v);
static inline bool json_exists(struct json_val v)
{
	return v.doc != NULL;
}
struct span json_span(struct json_val v); /* strings with their quotes */
struct str json_bytes(struct json_val v); /* the same as a view; empty when missing */
uint32_t json_count(struct json_val v); /* items or members; 0 for others */

struct json_val json_member(struct json_val object, struct str key); /* first of that name */
/* Follow names: json_path(v, "value.metadata.phone_number_id"). */
struct json_val json_path(struct json_val v, const char *dotted);
struct json_val json_at(struct json_val array, uint32_t index); /* O(index) */

/* Decoded string value; false when v is no string or has more than max bytes.
 * Borrowed from the text, or from the arena when it had escapes. */
bool json_str(struct json_val v, size_t max, struct str *out);
bool json_i64(struct json_val v, int64_t *out); /* an integer literal that fits */
bool json_bool(struct json_val v, bool *out);
/* Member shorthands: false when absent, of another type, or too long. */
bool json_get_str(struct json_val object, struct str key, size_t max, struct str *out);
bool json_get_i64(struct json_val object, struct str key, int64_t *out);
bool json_get_bool(struct json_val object, struct str key, bool *out);
/* A member that may be absent (*out stays as it is), but is an integer in its range when given;
 * GW_EARG names the key and the range otherwise. */
gw_status json_read_i64(struct json_val object, const char *key, int64_t min, int64_t max,
			int64_t *out, struct gw_error *err);
/* A string or a number literal, as text (Meta writes ids and times both ways). */
bool json_get_text(struct json_val object, struct str key, size_t max, struct str *out);

struct json_iter {
	struct json_val of;
	uint32_t next;
	struct str key; /* set by json_next() for object members, decoded; ptr is NULL when it
			 * had escapes and the arena is full */
	struct span key_span;
};
struct json_iter json_iter(struct json_val array_or_object);
bool json_next(struct json_iter *it, struct json_val *out);

/*
 * Writer: appends one value to a struct buf; commas and colons are its
 * business.  A misuse (value without key inside an object, unbalanced end, a
 * second value, more than JSON_DEPTH_MAX open) panics.  The buffer's failed
 * state is checked once at the end by the caller.
 */
struct json_writer {
	struct buf *out;
	uint8_t depth;
	uint64_t has_items; /* bit per depth: something was written here */
	uint64_t is_object; /* bit per depth */
	bool after_key;
	bool done; /* the value is complete */
};

void json_w_init(struct json_writer *w, struct buf *out);
void json_w_object(struct json_writer *w);
void json_w_array(struct json_writer *w);
void json_w_end(struct json_writer *w); /* closes the innermost */
void json_w_key(struct json_writer *w, struct str key);
void json_w_str(struct json_writer *w, struct str value); /* invalid UTF-8 becomes U+FFFD */
void json_w_i64(struct json_writer *w, int64_t value);
void json_w_bool(struct json_writer *w, bool value);
void json_w_null(struct json_writer *w);
void json_w_raw(struct json_writer *w, struct str json); /* one whole value, trusted */
/* key + value in one call */
void json_w_kv_str(struct json_writer *w, const char *key, struct str value);
void json_w_kv_text(struct json_writer *w, const char *key, const char *value); /* NULL: null */
void json_w_kv_i64(struct json_writer *w, const char *key, int64_t value);
void json_w_kv_bool(struct json_writer *w, const char *key, bool value);
void json_w_kv_null(struct json_writer *w, const char *key);
void json_w_kv_raw(struct json_writer *w, const char *key, struct str json);
/* Quote and escape into b, outside any writer. `ascii` also escapes all non-ASCII as \uXXXX and
 * '/' as \/, as Meta serialises what it signs. */
void json_quote(struct buf *b, struct str value, bool ascii);
/* Re-serialise a scanned value without blanks: numbers and the order of keys word for word, strings
 * escaped as json_quote(ascii=true) does, lone surrogates and \u0000 kept.  Missing gives null. */
void json_put_ascii(struct buf *b, struct json_val v);

#endif
