/* SPDX-License-Identifier: MIT */
/*
 * json_key.c - decode escapes, compare keys, count the repeated ones
 *
 * ROLE        The scanner marks objects in which two keys may be the same; the
 *             count is made here, once, after the scan.
 *
 * LIMITS      An object of up to PAIRS_MAX members is compared pair by pair, a
 *             larger one through a hash set in the arena.  The hash is not
 *             keyed, so a body can be made to collide: a set therefore stops
 *             after PROBES_MAX steps per member, and an arena without room for
 *             it skips the object.  The count is then too low, never too high.
 * TESTS       tests/unit/test_json_scan.c (duplicates), fuzz/fuzz_json.c
 */
#include "json/json_int.h"
#include "base/utf8.h"

#define PAIRS_MAX 16 /* 120 comparisons of lengths: less than a set costs */
#define PROBES_MAX 16 /* at half load linear probing needs 1.5 on average */

/* The decoded bytes of a string, one after the other. */
struct decoder {
	struct str rest; /* raw */
	char code[4]; /* of the escape just read */
	uint8_t at;
	uint8_t len;
};

uint32_t json_unescape(struct str *rest)
{
	const unsigned char *p = (const unsigned char *)rest->ptr;
	uint32_t code = p[1], low;
	size_t used = 2;

	switch (code) {
	case 'b': code = '\b'; break;
	case 'f': code = '\f'; break;
	case 'n': code = '\n'; break;
	case 'r': code = '\r'; break;
	case 't': code = '\t'; break;
	case 'u':
		code = json_hex4(p + 2);
		used = 6;
		if (code < 0xD800 || code > 0xDBFF || rest->len < 12 || p[6] != '\\' || p[7] != 'u')
			break;
		low = json_hex4(p + 8);
		if (low < 0xDC00 || low > 0xDFFF)
			break;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
		used = 12;
		break;
	default: break; /* quote, backslash, slash stand for themselves */
	}
	rest->ptr += used;
	rest->len -= used;
	return code;
}

size_t json_decode_escape(struct str *rest, char out[4])
{
	uint32_t code = json_unescape(rest);

	if (code == 0 || (code >= 0xD800 && code <= 0xDFFF))
		code = 0xFFFD;
	return utf8_put(code, out);
}

/* The next decoded byte, or -1. */
static int next_byte(struct decoder *d)
{
	if (d->at < d->len)
		return (unsigned char)d->code[d->at++];
	if (d->rest.len == 0)
		return -1;
	if (d->rest.ptr[0] == '\\') {
		d->len = (uint8_t)json_decode_escape(&d->rest, d->code);
		d->at = 1;
		return (unsigned char)d->code[0];
	}
	d->rest.len--;
	return (unsigned char)*d->rest.ptr++;
}

bool json_raw_is(struct str raw, struct str key)
{
	struct decoder d = { .rest = raw };

	for (size_t i = 0; i < key.len; i++)
		if (next_byte(&d) != (unsigned char)key.ptr[i])
			return false;
	return next_byte(&d) == -1;
}

static bool same_key(const struct json_doc *doc, const struct json_node *a,
		     const struct json_node *b)
{
	struct decoder da = { .rest = json_raw(doc, a) }, db = { .rest = json_raw(doc, b) };
	int c;

	if (((a->info | b->info) & NODE_ESCAPED) == 0)
		return a->len == b->len && memcmp(da.rest.ptr, db.rest.ptr, da.rest.len) == 0;
	do {
		c = next_byte(&da);
		if (c != next_byte(&db))
			return false;
	} while (c != -1);
	return true;
}

/* FNV-1a over the decoded bytes. */
static uint32_t hash_key(const struct json_doc *doc, const struct json_node *n)
{
	struct decoder d = { .rest = json_raw(doc, n) };
	uint32_t hash = 2166136261U;
	int c;

	while ((c = next_byte(&d)) != -1)
		hash = (hash ^ (uint32_t)c) * 16777619U;
	return hash ^ hash >> 15; /* the low bits choose the slot */
}

static uint32_t count_pairs(const struct json_doc *doc, const struct json_node *object)
{
	const struct json_node *keys[PAIRS_MAX], *n = object + 1;
	uint32_t members = object->info >> NODE_COUNT_SHIFT, found = 0, j;

	for (uint32_t i = 0; i < members; i++) {
		keys[i] = n;
		n = &doc->nodes[n[1].next];
		for (j = 0; j < i && !same_key(doc, keys[j], keys[i]); j++)
			;
		found += j < i;
	}
	return found;
}

static uint32_t count_hashed(const struct json_doc *doc, const struct json_node *object)
{
	uint32_t members = object->info >> NODE_COUNT_SHIFT, found = 0, slots = 64;
	uint32_t *set, at = (uint32_t)(object - doc->nodes) + 1, slot;
	uint64_t budget = (uint64_t)members * PROBES_MAX;

	while (slots < 2 * members)
		slots *= 2;
	set = arena_zalloc(doc->arena, slots * sizeof(*set));
	if (set == NULL)
		return 0;
	for (uint32_t i = 0; i < members && budget > 0; i++) {
		const struct json_node *key = &doc->nodes[at];

		slot = hash_key(doc, key) & (slots - 1);
		while (budget > 0 && set[slot] != 0 &&
		       !same_key(doc, &doc->nodes[set[slot]], key)) {
			slot = (slot + 1) & (slots - 1);
			budget--;
		}
		if (budget == 0)
			break;
		found += set[slot] != 0;
		set[slot] = at; /* a key is never node 0 */
		at = key[1].next;
	}
	arena_shrink(doc->arena, set, slots * sizeof(*set), 0);
	return found;
}

void json_count_duplicates(struct json_doc *doc)
{
	for (uint32_t i = 0; i < doc->count; i++) {
		const struct json_node *n = &doc->nodes[i];

		if ((n->info & NODE_TYPE) != JSON_OBJECT || (n->info & NODE_DOUBT) == 0)
			continue;
		doc->duplicates += n->info >> NODE_COUNT_SHIFT <= PAIRS_MAX ? count_pairs(doc, n)
									    : count_hashed(doc, n);
	}
}
