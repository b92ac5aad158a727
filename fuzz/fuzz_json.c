/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json.c - any bytes through the scanner, the readers and the writers
 *
 * INVARIANTS  1. A refusal says why and leaves no document.
 *             2. A document keeps to the memory that json.h promises.
 *             3. Spans lie inside the text, inside their container, in order.
 *             4. Decoded strings are valid UTF-8 without NUL, no longer than
 *                the raw ones, and survive being quoted and read again.
 *             5. A key finds the first member of its name.
 *             6. The ASCII form is ASCII, is accepted, is its own ASCII form,
 *                and has the same values, keys and repetitions.
 *             7. With less memory a text is refused, never misread.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "base/utf8.h"
#include "json/json.h"

#define INPUT_MAX 65536 /* libFuzzer stays below by itself; seeds could not */
#define OUTPUT_MAX ((size_t)16 << 20)
#define NAIVE_MAX 300 /* members that are compared each with each */

/* What a walk over a document found; equal for a text and its ASCII form. */
struct found {
	uint64_t values;
	uint64_t members;
	uint64_t repeated;
	uint64_t decoded; /* bytes of strings and keys */
};

static const struct json_doc *scan_good(struct str text, struct arena *a)
{
	const struct json_doc *doc = NULL;

	ASSERT(json_scan(text, a, &doc, NULL) == GW_OK);
	return doc;
}

/* inv. 4 */
static void check_string(struct str raw, struct str decoded)
{
	struct arena *a = arena_new(OUTPUT_MAX);
	struct buf b;

	ASSERT(a != NULL && decoded.len <= raw.len && utf8_valid(decoded));
	ASSERT(decoded.len == 0 || memchr(decoded.ptr, '\0', decoded.len) == NULL);
	buf_init(&b, OUTPUT_MAX);
	for (int ascii = 0; ascii < 2; ascii++) {
		struct str again = STR_EMPTY;

		buf_reset(&b);
		json_quote(&b, decoded, ascii);
		ASSERT(!buf_failed(&b));
		ASSERT(json_str(json_root(scan_good(buf_str(&b), a)), decoded.len, &again));
		ASSERT(str_eq(again, decoded));
	}
	buf_release(&b);
	arena_free(a);
}

/* inv. 5, and how often the key of `it` stood in front of it */
static uint32_t check_key(struct json_val object, const struct json_iter *it, struct json_val v)
{
	struct json_val first = json_member(object, it->key), other = JSON_MISSING;
	struct json_iter before = json_iter(object);

	ASSERT(it->key.ptr != NULL && json_exists(first) && first.node <= v.node);
	if (first.node == v.node)
		return 0;
	while (json_next(&before, &other) && other.node != first.node)
		ASSERT(!str_eq(before.key, it->key));
	ASSERT(str_eq(before.key, it->key));
	return 1;
}

static void check_scalar(struct json_val v, struct found *f)
{
	struct str bytes = json_bytes(v), text = STR_EMPTY;
	int64_t number = 0;
	bool flag = false;

	ASSERT(json_count(v) == 0);
	ASSERT(json_bool(v, &flag) == (json_type(v) == JSON_TRUE || json_type(v) == JSON_FALSE));
	ASSERT(flag == (json_type(v) == JSON_TRUE));
	if (json_i64(v, &number))
		ASSERT(json_type(v) == JSON_NUMBER && bytes.len <= 20);
	if (json_type(v) == JSON_STRING) {
		ASSERT(json_str(v, bytes.len, &text));
		ASSERT(text.len == 0 || !json_str(v, text.len - 1, &text));
		check_string(str_slice(bytes, 1, bytes.len - 1), text);
		f->decoded += text.len;
	} else {
		ASSERT(!json_str(v, bytes.len, &text));
	}
}

/* One container: its items lie inside it and behind one another (inv. 3). */
static void check_container(struct json_val v, struct found *f)
{
	struct span outer = json_span(v);
	uint32_t behind = outer.at + 1, items = 0;
	struct json_val item = JSON_MISSING;
	struct json_iter it;

	for (it = json_iter(v); json_next(&it, &item); items++) {
		struct span inner = json_span(item);

		if (json_type(v) == JSON_OBJECT) {
			ASSERT(it.key_span.at >= behind && it.key_span.len >= 2);
			behind = it.key_span.at + it.key_span.len;
			f->members++;
			f->decoded += it.key.len;
			if (json_count(v) <= NAIVE_MAX)
				f->repeated += check_key(v, &it, item);
		} else if (items < 8) {
			ASSERT(json_at(v, items).node == item.node);
		}
		ASSERT(inner.at >= behind && inner.len >= 1);
		behind = inner.at + inner.len;
	}
	ASSERT(behind < outer.at + outer.len && items == json_count(v));
	ASSERT(!json_exists(json_at(v, items)));
}

static bool is_container(struct json_val v)
{
	return json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT;
}

/* Every value of the document, without recursion. */
static struct found check_document(const struct json_doc *doc)
{
	struct found f = { .values = 0 };
	struct json_iter stack[JSON_DEPTH_MAX];
	struct json_val v = json_root(doc);
	struct str text = json_text(doc);
	bool is_small = true;
	size_t depth = 0;

	for (;;) {
		struct span span = json_span(v);

		ASSERT((size_t)span.at + span.len <= text.len && span.len > 0);
		ASSERT(json_bytes(v).ptr == text.ptr + span.at);
		f.values++;
		if (is_container(v)) {
			check_container(v, &f);
			is_small = is_small && json_count(v) <= NAIVE_MAX;
			ASSERT(depth < JSON_DEPTH_MAX);
			stack[depth++] = json_iter(v);
		} else {
			check_scalar(v, &f);
		}
		while (depth > 0 && !json_next(&stack[depth - 1], &v))
			depth--;
		if (depth == 0)
			break;
	}
	if (is_small)
		ASSERT(f.repeated == json_duplicates(doc));
	return f;
}

/* inv. 6 */
static void check_ascii(const struct json_doc *doc, const struct found *f)
{
	struct arena *a = arena_new(OUTPUT_MAX * 16);
	struct buf once, twice;
	struct found again;

	ASSERT(a != NULL);
	buf_init(&once, OUTPUT_MAX);
	buf_init(&twice, OUTPUT_MAX);
	json_put_ascii(&once, json_root(doc));
	ASSERT(!buf_failed(&once));
	for (size_t i = 0; i < once.len; i++)
		ASSERT(once.data[i] >= 0x20);
	doc = scan_good(buf_str(&once), a);
	again = check_document(doc);
	ASSERT(memcmp(&again, f, sizeof(again)) == 0);
	json_put_ascii(&twice, json_root(doc));
	ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
	buf_release(&once);
	buf_release(&twice);
	arena_free(a);
}

/* inv. 7 */
static void check_ceilings(struct str text)
{
	for (size_t max = 0; max <= 16 * text.len + 64; max = max * 4 + 16) {
		const struct json_doc *doc = NULL;
		struct arena *a = arena_new(max);
		gw_status st;

		ASSERT(a != NULL);
		st = json_scan(text, a, &doc, NULL);
		ASSERT((st == GW_OK && doc != NULL) || (st == GW_ELIMIT && doc == NULL));
		arena_free(a);
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size < INPUT_MAX ? size : INPUT_MAX };
	struct arena *a = arena_new(OUTPUT_MAX * 16);
	struct gw_error err = GW_ERROR_INIT;
	const struct json_doc *doc = NULL;
	struct found f;

	ASSERT(a != NULL);
	if (json_scan(text, a, &doc, &err) != GW_OK) {
		ASSERT(doc == NULL && err.status == GW_EPARSE && err.message[0] != '\0');
		ASSERT(arena_used(a) < 256); /* inv. 1: the tape was given back */
		arena_free(a);
		return;
	}
	ASSERT(doc != NULL && err.status == GW_OK);
	ASSERT(arena_used(a) <= 8 * text.len + 1024); /* inv. 2 */
	f = check_document(doc);
	check_ascii(doc, &f);
	check_ceilings(text);
	arena_free(a);
}
