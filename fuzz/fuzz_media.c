/* SPDX-License-Identifier: MIT */
/*
 * fuzz_media.c - any bytes as what is relayed, whose media links lead here
 *
 * INVARIANTS  1. Nothing is appended when nothing is exchanged.
 *             2. What comes out is JSON of the same shape; only values of `url` differ.
 *             3. Each of those names its number and the id beside it, and no medium is left but
 *                behind MEDIA_LINKS_MAX of them.
 *             4. Doing it again changes nothing.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "gateway/media_link.h"
#include "json/json.h"

#define BASE STR("http://gw.example:8082")
#define NUMBER STR("106540352242922")
#define LINK "http://gw.example:8082/media/106540352242922/"
#define OUT_MAX ((size_t)64 << 20)
#define LEVELS 16 /* how deep media are looked for (media_link.c) */

/* Is it a medium whose link must be ours? */
static bool is_medium(struct json_val v)
{
	struct str id, url;

	return json_get_str(v, STR("id"), 256, &id) && media_is_segment(id) &&
	       json_get_str(v, STR("url"), 8192, &url) &&
	       (str_starts(url, STR("https://")) || str_starts(url, STR("http://"))) &&
	       (json_exists(json_member(v, STR("mime_type"))) ||
		json_exists(json_member(v, STR("sha256"))));
}

/* inv. 3 */
static void check_exchanged(struct json_val medium, struct json_val value)
{
	struct str id, url;

	ASSERT(json_get_str(medium, STR("id"), 256, &id) && json_str(value, 8192, &url));
	ASSERT(str_starts(url, STR(LINK)));
	ASSERT(str_eq(str_slice(url, sizeof(LINK) - 1, url.len), id));
}

/* inv. 2; as deep as JSON_DEPTH_MAX.  Returns how many were exchanged; *media counts them all. */
static size_t check_same(struct json_val was, struct json_val is, unsigned depth, size_t *media)
{
	struct json_iter a = json_iter(was), b = json_iter(is);
	struct json_val x, y;
	size_t exchanged = 0;

	ASSERT(json_type(was) == json_type(is) && json_count(was) == json_count(is));
	if (depth < LEVELS && is_medium(was) && (*media)++ < MEDIA_LINKS_MAX)
		check_exchanged(is, json_member(is, STR("url")));
	while (json_next(&a, &x)) {
		ASSERT(json_next(&b, &y) && str_eq(a.key, b.key));
		if (json_type(x) == JSON_OBJECT || json_type(x) == JSON_ARRAY) {
			exchanged += check_same(x, y, depth + 1, media);
		} else if (!str_eq(json_bytes(x), json_bytes(y))) {
			ASSERT(str_eq(a.key, STR("url")) && depth < LEVELS && is_medium(was));
			exchanged++;
		}
	}
	return exchanged;
}

static void check_whole(struct str json, struct str out)
{
	struct arena *a = arena_new((size_t)64 << 20);
	const struct json_doc *was, *is;
	struct buf again;
	size_t media = 0;

	ASSERT(a != NULL && json_scan(json, a, &was, NULL) == GW_OK);
	ASSERT(json_scan(out, a, &is, NULL) == GW_OK);
	ASSERT(check_same(json_root(was), json_root(is), 0, &media) <= MEDIA_LINKS_MAX);
	ASSERT(media > 0 && out.len <= json.len + MEDIA_GROWTH_MAX);
	buf_init(&again, OUT_MAX);
	ASSERT(media_links_put(&again, out, BASE, NUMBER) && str_eq(buf_str(&again), out));
	buf_release(&again);
	arena_free(a);
}

static void count_media(struct json_val v, unsigned depth, size_t *media)
{
	struct json_iter it = json_iter(v);
	struct json_val item;

	if (depth < LEVELS && is_medium(v))
		(*media)++;
	while (json_next(&it, &item))
		count_media(item, depth + 1, media);
}

/* What was left as it is holds no medium: unless an escaped key hides it, which Meta never
 * writes and the quick look does not see. */
static void check_left(struct str json)
{
	struct arena *a = arena_new((size_t)64 << 20);
	const struct json_doc *doc;
	size_t at, media = 0;

	ASSERT(a != NULL);
	if (str_find(json, STR("\"url\""), &at) && json_scan(json, a, &doc, NULL) == GW_OK) {
		count_media(json_root(doc), 0, &media);
		ASSERT(media == 0);
	}
	arena_free(a);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str json = str_make((const char *)data, size);
	struct buf out;

	buf_init(&out, OUT_MAX);
	if (media_links_put(&out, json, BASE, NUMBER)) {
		ASSERT(!buf_failed(&out));
		check_whole(json, buf_str(&out));
	} else {
		ASSERT(out.len == 0); /* inv. 1 */
		check_left(json);
	}
	buf_reset(&out);
	ASSERT(!media_links_put(&out, json, STR_EMPTY, NUMBER) && out.len == 0);
	buf_release(&out);
}
