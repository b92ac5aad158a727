/* SPDX-License-Identifier: MIT */
/*
 * json_read.c - typed reading of a scanned document
 *
 * ROLE        Turns nodes of the tape into C values.  Every function accepts
 *             JSON_MISSING and says "no", so that callers chain without checks.
 * FAILURE     A full arena makes an escaped string unreadable (false); nothing
 *             else here can fail.
 * TESTS       tests/unit/test_json_read.c, test_json_oracle.c
 */
#include "json/json_int.h"

static const struct json_node *node_of(struct json_val v)
{
	return &v.doc->nodes[v.node];
}

static bool is_type(struct json_val v, enum json_type type)
{
	return v.doc != NULL && (node_of(v)->info & NODE_TYPE) == type;
}

struct json_val json_root(const struct json_doc *doc)
{
	return (struct json_val){ doc, 0 };
}

struct str json_text(const struct json_doc *doc)
{
	return doc->text;
}

uint32_t json_duplicates(const struct json_doc *doc)
{
	return doc->duplicates;
}

enum json_type json_type(struct json_val v)
{
	return v.doc == NULL ? JSON_NONE : (enum json_type)(node_of(v)->info & NODE_TYPE);
}

struct span json_span(struct json_val v)
{
	if (v.doc == NULL)
		return (struct span){ 0, 0 };
	return (struct span){ node_of(v)->at, node_of(v)->len };
}

struct str json_bytes(struct json_val v)
{
	struct span span = json_span(v);

	if (v.doc == NULL)
		return STR_EMPTY;
	return (struct str){ v.doc->text.ptr + span.at, span.len };
}

uint32_t json_count(struct json_val v)
{
	return v.doc == NULL ? 0 : node_of(v)->info >> NODE_COUNT_SHIFT;
}

struct json_val json_member(struct json_val object, struct str key)
{
	const struct json_node *nodes;
	uint32_t at, end;

	if (!is_type(object, JSON_OBJECT))
		return JSON_MISSING;
	nodes = object.doc->nodes;
	end = nodes[object.node].next;
	for (at = object.node + 1; at < end; at = nodes[at + 1].next) {
		struct str raw = json_raw(object.doc, &nodes[at]);
		bool found;

		if ((nodes[at].info & NODE_ESCAPED) == 0)
			found = raw.len == key.len &&
				(key.len == 0 || memcmp(raw.ptr, key.ptr, key.len) == 0);
		else
			found = json_raw_is(raw, key);
		if (found)
			return (struct json_val){ object.doc, at + 1 };
	}
	return JSON_MISSING;
}

struct json_val json_path(struct json_val v, const char *dotted)
{
	struct str rest = str_from(dotted), name;

	while (str_split(&rest, '.', &name))
		v = json_member(v, name);
	return v;
}

struct json_val json_at(struct json_val array, uint32_t index)
{
	uint32_t at;

	if (!is_type(array, JSON_ARRAY) || index >= json_count(array))
		return JSON_MISSING;
	for (at = array.node + 1; index > 0; index--)
		at = array.doc->nodes[at].next;
	return (struct json_val){ array.doc, at };
}

/*
 * Decode into the arena.  An escape is never shorter than what it stands for
 * (six bytes give three at most), so raw.len bytes always do.
 */
static bool decode(const struct json_doc *doc, struct str raw, size_t max, struct str *out)
{
	size_t size = raw.len, len = 0, run;
	char *bytes;

	if (raw.len / 6 > max) /* no escape is longer: it cannot fit */
		return false;
	bytes = arena_alloc(doc->arena, size);
	if (bytes == NULL)
		return false;
	while (raw.len > 0) {
		if (!str_find_char(raw, '\\', &run))
			run = raw.len;
		memcpy(bytes + len, raw.ptr, run);
		len += run;
		raw = str_slice(raw, run, raw.len);
		while (raw.len > 0 && raw.ptr[0] == '\\')
			len += json_decode_escape(&raw, bytes + len);
	}
	arena_shrink(doc->arena, bytes, size, len <= max ? len : 0);
	if (len > max)
		return false;
	*out = (struct str){ bytes, len };
	return true;
}

static bool read_string(const struct json_doc *doc, const struct json_node *n, size_t max,
			struct str *out)
{
	struct str raw = json_raw(doc, n);

	if ((n->info & NODE_ESCAPED) != 0)
		return decode(doc, raw, max, out);
	if (raw.len > max)
		return false;
	*out = raw;
	return true;
}

bool json_str(struct json_val v, size_t max, struct str *out)
{
	return is_type(v, JSON_STRING) && read_string(v.doc, node_of(v), max, out);
}

bool json_i64(struct json_val v, int64_t *out)
{
	return is_type(v, JSON_NUMBER) && str_to_i64(json_bytes(v), out);
}

bool json_bool(struct json_val v, bool *out)
{
	if (!is_type(v, JSON_TRUE) && !is_type(v, JSON_FALSE))
		return false;
	*out = is_type(v, JSON_TRUE);
	return true;
}

bool json_get_str(struct json_val object, struct str key, size_t max, struct str *out)
{
	return json_str(json_member(object, key), max, out);
}

bool json_get_i64(struct json_val object, struct str key, int64_t *out)
{
	return json_i64(json_member(object, key), out);
}

bool json_get_bool(struct json_val object, struct str key, bool *out)
{
	return json_bool(json_member(object, key), out);
}

gw_status json_read_i64(struct json_val object, const char *key, int64_t min, int64_t max,
			int64_t *out, struct gw_error *err)
{
	struct json_val v = json_member(object, str_from(key));
	int64_t value;

	if (!json_exists(v))
		return GW_OK;
	if (!json_i64(v, &value) || value < min || value > max)
		return gw_error_set(err, GW_EARG, "%s: want an integer from %lld to %lld", key,
				    (long long)min, (long long)max);
	*out = value;
	return GW_OK;
}

bool json_get_text(struct json_val object, struct str key, size_t max, struct str *out)
{
	struct json_val v = json_member(object, key);

	if (!is_type(v, JSON_NUMBER))
		return json_str(v, max, out);
	if (node_of(v)->len > max)
		return false;
	*out = json_bytes(v);
	return true;
}

struct json_iter json_iter(struct json_val array_or_object)
{
	struct json_iter it = { .of = array_or_object, .key = STR_EMPTY };

	if (!is_type(it.of, JSON_ARRAY) && !is_type(it.of, JSON_OBJECT))
		it.of = JSON_MISSING;
	it.next = it.of.node + 1;
	return it;
}

bool json_next(struct json_iter *it, struct json_val *out)
{
	const struct json_doc *doc = it->of.doc;
	uint32_t at = it->next;

	if (doc == NULL || at >= doc->nodes[it->of.node].next)
		return false;
	if (is_type(it->of, JSON_OBJECT)) {
		const struct json_node *key = &doc->nodes[at++];

		it->key_span = (struct span){ key->at, key->len };
		if (!read_string(doc, key, SIZE_MAX, &it->key))
			it->key = (struct str){ NULL, 0 };
	}
	it->next = doc->nodes[at].next;
	*out = (struct json_val){ doc, at };
	return true;
}
