/* SPDX-License-Identifier: MIT */
/*
 * json_write.c - the streaming writer, quoting, and the ASCII form Meta signs
 *
 * ROLE        Whatever JSON leaves Godwit was written here or is a received
 *             span.  Output is compact: no blanks between tokens.
 * INVARIANTS  1. `depth` containers are open; bit depth-1 of is_object and
 *                has_items belongs to the innermost.
 *             2. after_key only inside an object: the next call is its value.
 *             3. What was written, up to the last end, is well-formed JSON
 *                (as far as raw values are).
 * FAILURE     Misuse panics.  A failed buffer swallows the rest; the caller
 *             asks buf_failed() once.
 * TESTS       tests/unit/test_json_write.c, fuzz/fuzz_json.c
 */
#include "json/json_int.h"
#include "base/panic.h"

#define ESCAPE_NONE 0
#define ESCAPE_CODE 'u' /* \u00XX */
#define ESCAPE_HIGH 0x80 /* the first byte of a non-ASCII sequence, or a stray one */

/* How to write a byte: ESCAPE_*, or the letter that stands behind the backslash. */
static unsigned char escape_of(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/': return c;
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return c < 0x20 ? ESCAPE_CODE : c & ESCAPE_HIGH;
	}
}

/* Whether escape_of(c) is ESCAPE_NONE, in one look: most bytes are. */
static inline bool is_plain(unsigned char c)
{
	static const uint64_t bits[4] = {
		~UINT64_C(0) << 32 & ~(UINT64_C(1) << '"') & ~(UINT64_C(1) << '/'),
		~(UINT64_C(1) << ('\\' - 64)),
	};

	return (bits[c >> 6] >> (c & 63) & 1) != 0;
}

static void put_hex4(struct buf *b, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef"; /* lower case, as Meta's */
	char text[6] = { '\\', 'u' };

	for (int i = 0; i < 4; i++)
		text[2 + i] = digits[unit >> (12 - 4 * i) & 0xF];
	buf_put(b, text, sizeof(text));
}

/* One code point in ASCII; surrogates and 0 may come alone, as json_unescape() gives them. */
static void put_code(struct buf *b, uint32_t code)
{
	unsigned char how = code < 0x80 ? escape_of((unsigned char)code) : ESCAPE_CODE;
	char pair[2] = { '\\', (char)how };

	if (how == ESCAPE_NONE) {
		buf_put_char(b, (char)code);
	} else if (how != ESCAPE_CODE) {
		buf_put(b, pair, sizeof(pair));
	} else if (code < 0x10000) {
		put_hex4(b, code);
	} else {
		put_hex4(b, 0xD800 + ((code - 0x10000) >> 10));
		put_hex4(b, 0xDC00 + ((code - 0x10000) & 0x3FF));
	}
}

/* The code point of a well-formed sequence of 2 to 4 bytes. */
static uint32_t read_code(const unsigned char *p, uint32_t len)
{
	uint32_t code = p[0] & (0x7FU >> len);

	for (uint32_t i = 1; i < len; i++)
		code = code << 6 | (p[i] & 0x3F);
	return code;
}

/* Escape decoded text, without quotes. */
static void put_text(struct buf *b, struct str s, bool ascii)
{
	const unsigned char *p = (const unsigned char *)s.ptr, *end, *run = p;
	uint32_t len, code;

	if (s.len == 0) /* ptr may be NULL */
		return;
	end = p + s.len;
	while (p < end) {
		unsigned char how;

		if (is_plain(*p)) {
			p++;
			continue;
		}
		how = escape_of(*p);
		len = how == ESCAPE_HIGH ? json_utf8_len(p, end) : 1;
		if (!ascii && (how == '/' || (how == ESCAPE_HIGH && len > 0))) {
			p += len;
			continue;
		}
		code = how != ESCAPE_HIGH ? *p : len > 0 ? read_code(p, len) : 0xFFFD;
		buf_put(b, run, (size_t)(p - run));
		if (code == 0xFFFD && !ascii)
			buf_put(b, "\xEF\xBF\xBD", 3); /* in place of one bad byte */
		else
			put_code(b, code);
		p += len > 0 ? len : 1;
		run = p;
	}
	if (p > run)
		buf_put(b, run, (size_t)(p - run));
}

void json_quote(struct buf *b, struct str value, bool ascii)
{
	buf_put_char(b, '"');
	put_text(b, value, ascii);
	buf_put_char(b, '"');
}

void json_w_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

static bool in_object(const struct json_writer *w)
{
	return w->depth > 0 && (w->is_object >> (w->depth - 1) & 1) != 0;
}

/* The comma in front of an item or a member, when it is not the first. */
static void put_comma(struct json_writer *w)
{
	uint64_t bit = UINT64_C(1) << (w->depth - 1);

	if ((w->has_items & bit) != 0)
		buf_put_char(w->out, ',');
	w->has_items |= bit;
}

/* A value is about to be written. */
static void begin_value(struct json_writer *w)
{
	ASSERT(!w->done); /* one value per writer */
	if (w->after_key) {
		w->after_key = false;
	} else if (w->depth > 0) {
		ASSERT(!in_object(w)); /* a member needs its key */
		put_comma(w);
	}
	if (w->depth == 0)
		w->done = true; /* an open container takes it back */
}

static void begin_container(struct json_writer *w, bool is_object)
{
	uint64_t bit;

	begin_value(w);
	ASSERT(w->depth < JSON_DEPTH_MAX);
	bit = UINT64_C(1) << w->depth++;
	w->done = false;
	w->has_items &= ~bit;
	w->is_object = is_object ? w->is_object | bit : w->is_object & ~bit;
	buf_put_char(w->out, is_object ? '{' : '[');
}

/* A key is about to be written; end_key() follows. */
static void begin_key(struct json_writer *w)
{
	ASSERT(in_object(w) && !w->after_key);
	put_comma(w);
	w->after_key = true; /* inv. 2 */
}

static void end_key(struct json_writer *w)
{
	buf_put_char(w->out, ':');
}

void json_w_object(struct json_writer *w)
{
	begin_container(w, true);
}

void json_w_array(struct json_writer *w)
{
	begin_container(w, false);
}

void json_w_end(struct json_writer *w)
{
	ASSERT(w->depth > 0 && !w->after_key);
	buf_put_char(w->out, in_object(w) ? '}' : ']');
	w->depth--;
	w->done = w->depth == 0;
}

void json_w_key(struct json_writer *w, struct str key)
{
	begin_key(w);
	json_quote(w->out, key, false);
	end_key(w);
}

void json_w_str(struct json_writer *w, struct str value)
{
	begin_value(w);
	json_quote(w->out, value, false);
}

void json_w_i64(struct json_writer *w, int64_t value)
{
	begin_value(w);
	buf_put_i64(w->out, value);
}

void json_w_bool(struct json_writer *w, bool value)
{
	json_w_raw(w, value ? STR("true") : STR("false"));
}

void json_w_null(struct json_writer *w)
{
	json_w_raw(w, STR("null"));
}

void json_w_raw(struct json_writer *w, struct str json)
{
	ASSERT(json.len > 0);
	begin_value(w);
	buf_put_str(w->out, json);
}

void json_w_kv_str(struct json_writer *w, const char *key, struct str value)
{
	json_w_key(w, str_from(key));
	json_w_str(w, value);
}

void json_w_kv_text(struct json_writer *w, const char *key, const char *value)
{
	json_w_key(w, str_from(key));
	if (value == NULL)
		json_w_null(w);
	else
		json_w_str(w, str_from(value));
}

void json_w_kv_i64(struct json_writer *w, const char *key, int64_t value)
{
	json_w_key(w, str_from(key));
	json_w_i64(w, value);
}

void json_w_kv_bool(struct json_writer *w, const char *key, bool value)
{
	json_w_key(w, str_from(key));
	json_w_bool(w, value);
}

void json_w_kv_null(struct json_writer *w, const char *key)
{
	json_w_key(w, str_from(key));
	json_w_null(w);
}

void json_w_kv_raw(struct json_writer *w, const char *key, struct str json)
{
	json_w_key(w, str_from(key));
	json_w_raw(w, json);
}

/* A scanned string in ASCII: lone surrogates and \u0000 stay what they were. */
static void put_node_ascii(struct buf *b, const struct json_doc *doc, const struct json_node *n)
{
	struct str raw = json_raw(doc, n);
	size_t run;

	buf_put_char(b, '"');
	while (raw.len > 0) {
		if (!str_find_char(raw, '\\', &run))
			run = raw.len;
		put_text(b, str_slice(raw, 0, run), true);
		raw = str_slice(raw, run, raw.len);
		while (raw.len > 0 && raw.ptr[0] == '\\')
			put_code(b, json_unescape(&raw));
	}
	buf_put_char(b, '"');
}

void json_put_ascii(struct buf *b, struct json_val v)
{
	uint32_t ends[JSON_DEPTH_MAX], stop;
	struct json_writer w;

	json_w_init(&w, b);
	if (!json_exists(v)) {
		json_w_null(&w);
		return;
	}
	stop = v.doc->nodes[v.node].next;
	for (uint32_t at = v.node; at < stop;) {
		const struct json_node *n = &v.doc->nodes[at++];
		enum json_type type = (enum json_type)(n->info & NODE_TYPE);

		if (type == JSON_OBJECT || type == JSON_ARRAY) {
			begin_container(&w, type == JSON_OBJECT);
			ends[w.depth - 1] = n->next;
		} else if (type != JSON_STRING) {
			json_w_raw(&w, str_slice(v.doc->text, n->at, n->at + n->len));
		} else if (in_object(&w) && !w.after_key) {
			begin_key(&w);
			put_node_ascii(b, v.doc, n);
			end_key(&w);
		} else {
			begin_value(&w);
			put_node_ascii(b, v.doc, n);
		}
		while (w.depth > 0 && ends[w.depth - 1] == at)
			json_w_end(&w);
	}
}
