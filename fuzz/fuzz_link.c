/* SPDX-License-Identifier: MIT */
/*
 * fuzz_link.c - any bytes as an answer of Meta's, as a target, and as a link of ours
 *
 * INVARIANTS  1. What is passed on holds the token nowhere, also not behind escapes or in base64.
 *             2. It is JSON if the answer was, of the same shape; only links differ.
 *             3. A medium's link opens, to the address it stands for, for its account alone.
 *             4. Nothing opens that was not made here.
 *             5. A target without its token has none, and keeps all else.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "json/json.h"
#include "server/graph_link.h"
#include "server/graph_path.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define OWN "http://gw.example:8082"
#define TOKEN "EAATOKEN"
#define ACCOUNT 7
#define OUT_MAX ((size_t)64 << 20)

static bool holds_token(struct str s)
{
	size_t at;

	return str_find(s, STR(TOKEN), &at);
}

/* inv. 3 */
static void check_link(struct mac *mac, struct str was, struct str is)
{
	static const struct str media = STR_INIT(OWN "/media/");
	int64_t account = 0;
	struct buf url;

	ASSERT(str_starts(was, STR("https://")) || str_starts(was, STR("http://")));
	if (!str_starts(is, media) || str_starts(was, media))
		return;
	buf_init(&url, OUT_MAX);
	if (graph_link_open(mac, str_slice(is, media.len, is.len), &url, &account))
		ASSERT(account == ACCOUNT && str_eq(buf_str(&url), was));
	else
		ASSERT(str_starts(was, STR("https://graph.facebook.com/media/")));
	buf_release(&url);
}

static void check_string(struct mac *mac, struct json_val was, struct json_val is)
{
	struct str from, to;

	ASSERT(json_str(is, SIZE_MAX, &to) && !holds_token(to)); /* inv. 1 */
	if (str_eq(json_bytes(was), json_bytes(is)))
		return;
	ASSERT(json_str(was, SIZE_MAX, &from));
	check_link(mac, from, to);
}

/* inv. 2; as deep as JSON_DEPTH_MAX */
static void check_same(struct mac *mac, struct json_val was, struct json_val is)
{
	struct json_iter a, b;
	struct json_val x, y;

	ASSERT(json_type(was) == json_type(is) && json_count(was) == json_count(is));
	if (json_type(was) == JSON_STRING) {
		check_string(mac, was, is);
		return;
	}
	if (json_type(was) != JSON_OBJECT && json_type(was) != JSON_ARRAY) {
		ASSERT(str_eq(json_bytes(was), json_bytes(is)));
		return;
	}
	for (a = json_iter(was), b = json_iter(is); json_next(&a, &x);) {
		ASSERT(json_next(&b, &y) && a.key_span.len == b.key_span.len);
		ASSERT(str_eq(a.key, b.key) && !holds_token(b.key));
		check_same(mac, x, y);
	}
}

static void check_answer(struct mac *mac, struct str json, struct str key)
{
	struct graph_links l = { .mac = mac,
				 .account = ACCOUNT,
				 .graph_base = STR("https://graph.facebook.com"),
				 .own_base = STR(OWN),
				 .key = key,
				 .token = STR(TOKEN) };
	struct arena *a = arena_new((size_t)64 << 20), *work = arena_new(json.len * 8 + 65536);
	const struct json_doc *was, *is;
	struct buf out;

	ASSERT(a != NULL && work != NULL);
	buf_init(&out, OUT_MAX);
	if (graph_links_rewrite(&l, json, work, &out)) {
		ASSERT(!holds_token(buf_str(&out))); /* inv. 1 */
		if (json_scan(json, a, &was, NULL) == GW_OK) {
			ASSERT(json_scan(buf_str(&out), a, &is, NULL) == GW_OK);
			check_same(mac, json_root(was), json_root(is));
		} else {
			ASSERT(str_eq(buf_str(&out), json));
		}
	}
	buf_release(&out);
	arena_free(work);
	arena_free(a);
}

/* inv. 4 */
static void check_foreign(struct mac *mac, struct str rest)
{
	int64_t account = 0;
	struct buf url;

	buf_init(&url, OUT_MAX);
	ASSERT(!graph_link_open(mac, rest, &url, &account));
	buf_release(&url);
}

/* inv. 5 */
static void check_target(struct str target)
{
	struct graph_path path;
	struct buf once, twice;
	struct str rest, one;
	size_t at;

	buf_init(&once, OUT_MAX);
	buf_init(&twice, OUT_MAX);
	if (graph_path_read(target, &path)) {
		ASSERT(path.object.len > 0 && path.object.len + path.edge.len < target.len);
		(void)graph_kind(STR("GET"), &path);
		(void)graph_kind(STR("POST"), &path);
	}
	ASSERT(graph_strip_token(target, &once) && once.len <= target.len);
	ASSERT(graph_strip_token(buf_str(&once), &twice));
	ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
	rest = buf_str(&once);
	if (str_find_char(rest, '?', &at)) {
		rest = str_slice(rest, at + 1, rest.len);
		while (str_split(&rest, '&', &one))
			ASSERT(!graph_is_token_pair(one));
	}
	buf_release(&once);
	buf_release(&twice);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str bytes = str_make((const char *)data, size);
	struct mac *mac = mac_new(STR(KEY));

	check_answer(mac, bytes, STR("gwk_one"));
	check_answer(mac, bytes, STR_EMPTY);
	check_foreign(mac, bytes);
	check_target(bytes);
	mac_free(mac);
}
