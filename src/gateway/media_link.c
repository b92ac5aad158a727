/* SPDX-License-Identifier: MIT */
/*
 * media_link.c - see media_link.h
 *
 * INVARIANTS  1. Bytes that are no such address come out as they came in.
 *             2. An id or number that could not stand in a path stays Meta's link.
 *             3. What comes out is at most MEDIA_GROWTH_MAX longer: who renders counts on it.
 * LIMITS      LINKS_DEPTH: a medium stands in a message, or in one quoted by it.
 * TESTS       tests/unit/test_media_link.c, fuzz/fuzz_media.c, tests/system/test_media_links.py
 */
#include "gateway/media_link.h"

#include "json/json.h"

#include <stdatomic.h>

#define URL_MAX 8192 /* bytes of an address that is looked at */
#define LINKS_DEPTH 16
#define SCAN_ROOM(len) ((len)*16 + 65536)

void media_base_set(struct media_base *b, const char *url, const char *listen, unsigned port)
{
	struct str base = str_from(url), host = str_from(listen), text;
	char number[16];
	uint32_t given = 0;

	if (atomic_load(&b->is_set))
		return;
	while (str_ends(base, STR("/")))
		base.len--;
	while (host.len > 0 && host.ptr[host.len - 1] != ':')
		host.len--;
	text = str_slice(str_from(listen), host.len, strlen(listen));
	host.len -= host.len > 0;
	if (!str_to_u32(text, &given) || given == 0)
		given = port;
	if (base.len == 0 && given == 0)
		return;
	if (str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("*")))
		host = STR("127.0.0.1");
	else if (str_eq(host, STR("[::]")))
		host = STR("[::1]");
	(void)snprintf(number, sizeof(number), ":%u", given);
	if (base.len > 0)
		(void)snprintf(b->text, sizeof(b->text), "%.*s", STR_ARG(base));
	else
		(void)snprintf(b->text, sizeof(b->text), "http://%.*s%s", STR_ARG(host), number);
	atomic_store(&b->is_set, true);
}

struct str media_base_get(const struct media_base *b)
{
	return b != NULL && atomic_load(&b->is_set) ? str_from(b->text) : STR_EMPTY;
}

/* ---- exchanging ---- */

struct exchange {
	struct str json, base, number;
	struct buf *out;
	size_t copied; /* bytes of json that are in out */
	unsigned count;
};

bool media_is_segment(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-' || c == '_'))
			return false;
	}
	return s.len > 0;
}

static bool is_address(struct json_val v)
{
	struct str url;

	return json_str(v, URL_MAX, &url) &&
	       (str_starts(url, STR("https://")) || str_starts(url, STR("http://")));
}

static void exchange_medium(struct exchange *x, struct json_val medium)
{
	struct json_val url = json_member(medium, STR("url"));
	struct span span = json_span(url);
	struct str id;

	if (x->count == MEDIA_LINKS_MAX || !json_get_str(medium, STR("id"), MEDIA_ID_MAX, &id) ||
	    !media_is_segment(id) || !is_address(url))
		return;
	if (!json_exists(json_member(medium, STR("mime_type"))) &&
	    !json_exists(json_member(medium, STR("sha256"))))
		return;
	buf_put_str(x->out, str_slice(x->json, x->copied, span.at));
	buf_put_fmt(x->out, "\"%.*s/media/%.*s/%.*s\"", STR_ARG(x->base), STR_ARG(x->number),
		    STR_ARG(id));
	x->copied = span.at + span.len;
	x->count++;
}

static void walk(struct exchange *x, struct json_val v, unsigned depth)
{
	struct json_iter it = json_iter(v);
	struct json_val item;

	if (depth == LINKS_DEPTH)
		return;
	if (json_type(v) == JSON_OBJECT && json_exists(json_member(v, STR("url"))))
		exchange_medium(x, v);
	while (json_next(&it, &item))
		if (json_type(item) == JSON_OBJECT || json_type(item) == JSON_ARRAY)
			walk(x, item, depth + 1);
}

bool media_links_put(struct buf *out, struct str json, struct str base, struct str number_id)
{
	struct exchange x = { .json = json, .base = base, .number = number_id, .out = out };
	const struct json_doc *doc;
	struct arena *a;
	size_t at;

	if (base.len == 0 || number_id.len > MEDIA_ID_MAX || !media_is_segment(number_id) ||
	    !str_find(json, STR("\"url\""), &at))
		return false; /* nearly all of them leave here */
	a = arena_new(SCAN_ROOM(json.len));
	if (a != NULL && json_scan(json, a, &doc, NULL) == GW_OK)
		walk(&x, json_root(doc), 0);
	if (x.count > 0)
		buf_put_str(out, str_slice(json, x.copied, json.len));
	arena_free(a);
	return x.count > 0;
}
