/* SPDX-License-Identifier: MIT */
/*
 * graph_link.c - see graph_link.h
 *
 * A medium's address is told by its shape, an object with `url` beside `mime_type` or `sha256`
 * (cloud-api.md 3); a link of a page by where it points: to Graph, or with a token in its query.
 *
 * INVARIANTS  1. Bytes that are no such link come out as they came in.
 *             2. Nothing comes out that holds the token.
 * TESTS       tests/unit/test_graph_link.c, fuzz/fuzz_link.c, tests/system/test_graph_pass.py
 */
#include "server/graph_link.h"

#include "base/hexb64.h"
#include "base/panic.h"
#include "json/json.h"
#include "server/graph_path.h"

#define URL_MAX 8192 /* bytes of a link that is looked at */
#define MAC_BYTES 16

static void mac_of(struct mac *mac, struct str row, struct str url, char out[2 * MAC_BYTES + 1])
{
	const struct str parts[] = { STR("media link"), row, STR(" "), url };
	unsigned char sum[SHA256_BYTES];

	mac_sign_parts(mac, parts, ARRAY_LEN(parts), sum);
	hex_encode(sum, MAC_BYTES, out);
}

/* ---- making links ---- */

/* base64 with the two letters that may stand in a path */
static void put_encoded(struct buf *b, struct str url)
{
	char text[B64_LEN(URL_MAX) + 1];
	size_t len = b64_encode(url.ptr, url.len, text);

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
	}
	while (len > 0 && text[len - 1] == '=')
		len--;
	buf_put(b, text, len);
}

static void put_media(const struct graph_links *l, struct str url, struct buf *b)
{
	char row[24], mac[2 * MAC_BYTES + 1];

	(void)snprintf(row, sizeof(row), "%lld", (long long)l->account);
	mac_of(l->mac, str_from(row), url, mac);
	buf_put_str(b, l->own_base);
	buf_put_fmt(b, "/media/%s.%s/", row, mac);
	put_encoded(b, url);
}

/* The same link here: own base, and the caller's key where the token stood. */
static void put_page(const struct graph_links *l, struct str url, struct buf *b)
{
	struct str rest = url, one;
	char sep = '?';
	size_t at;

	if (str_starts(url, l->graph_base)) {
		buf_put_str(b, l->own_base);
		rest = str_slice(url, l->graph_base.len, url.len);
	}
	if (!str_find_char(rest, '?', &at)) {
		buf_put_str(b, rest);
		return;
	}
	buf_put_str(b, str_slice(rest, 0, at));
	rest = str_slice(rest, at + 1, rest.len);
	while (str_split(&rest, '&', &one)) {
		bool is_token = graph_is_token_pair(one);

		if (is_token && l->key.len == 0)
			continue;
		buf_put_char(b, sep);
		sep = '&';
		buf_put_str(b, is_token ? STR("access_token=") : one);
		if (is_token)
			buf_put_str(b, l->key);
	}
}

static bool has_token(struct str url)
{
	struct str one;
	size_t at;

	if (!str_find_char(url, '?', &at))
		return false;
	url = str_slice(url, at + 1, url.len);
	while (str_split(&url, '&', &one))
		if (graph_is_token_pair(one))
			return true;
	return false;
}

static bool is_link(struct str s)
{
	return str_starts(s, STR("https://")) || str_starts(s, STR("http://"));
}

/* Does it point to Graph itself, and not to a host whose name begins alike? */
static bool is_graphs(const struct graph_links *l, struct str url)
{
	return str_starts(url, l->graph_base) &&
	       (url.len == l->graph_base.len || url.ptr[l->graph_base.len] == '/');
}

/* ---- walking an answer ---- */

struct walk {
	const struct graph_links *l;
	struct str json;
	struct buf *out;
	size_t copied; /* bytes of json that are in out */
	bool leaks; /* the token stands where the bytes of out do not show it */
};

/* Behind escapes, or in what becomes base64; a text that cannot be read may hold anything. */
static void look_for_token(struct walk *w, struct json_val v)
{
	struct str text;
	size_t at;

	if (w->l->token.len > 0 &&
	    (!json_str(v, JSON_TEXT_MAX, &text) || str_find(text, w->l->token, &at)))
		w->leaks = true;
}

static void look_for_token_in_key(struct walk *w, struct str key)
{
	size_t at;

	if (w->l->token.len > 0 && (key.ptr == NULL || str_find(key, w->l->token, &at)))
		w->leaks = true;
}

static void replace(struct walk *w, struct json_val v, struct str url, bool is_media)
{
	struct span span = json_span(v);
	struct buf link;

	buf_init(&link, (size_t)4 * URL_MAX);
	if (is_media)
		put_media(w->l, url, &link);
	else
		put_page(w->l, url, &link);
	buf_put_str(w->out, str_slice(w->json, w->copied, span.at));
	json_quote(w->out, buf_str(&link), false);
	if (buf_failed(&link))
		buf_fail(w->out);
	w->copied = span.at + span.len;
	buf_release(&link);
}

static void walk_value(struct walk *w, struct json_val v);

static void walk_members(struct walk *w, struct json_val v)
{
	bool is_medium = json_exists(json_member(v, STR("mime_type"))) ||
			 json_exists(json_member(v, STR("sha256")));
	struct json_iter it = json_iter(v);
	struct json_val member;
	struct str url;

	while (json_next(&it, &member)) {
		look_for_token_in_key(w, it.key);
		if (is_medium && str_eq(it.key, STR("url")) && json_str(member, URL_MAX, &url) &&
		    is_link(url)) {
			look_for_token(w, member);
			replace(w, member, url, true);
		} else {
			walk_value(w, member);
		}
	}
}

static void walk_value(struct walk *w, struct json_val v)
{
	struct json_iter it;
	struct json_val item;
	struct str url;

	switch (json_type(v)) {
	case JSON_OBJECT: walk_members(w, v); break;
	case JSON_ARRAY:
		for (it = json_iter(v); json_next(&it, &item);)
			walk_value(w, item);
		break;
	case JSON_STRING:
		if (json_str(v, URL_MAX, &url) && is_link(url) &&
		    (has_token(url) || is_graphs(w->l, url)))
			replace(w, v, url, false);
		else
			look_for_token(w, v);
		break;
	default: break;
	}
}

bool graph_links_rewrite(const struct graph_links *l, struct str json, struct arena *a,
			 struct buf *out)
{
	struct walk w = { .l = l, .json = json, .out = out };
	const struct json_doc *doc;
	size_t at;

	if (json_scan(json, a, &doc, NULL) == GW_OK)
		walk_value(&w, json_root(doc));
	buf_put_str(out, str_slice(json, w.copied, json.len));
	return !buf_failed(out) && !w.leaks &&
	       (l->token.len == 0 || !str_find(buf_str(out), l->token, &at));
}

/* ---- opening one ---- */

bool graph_link_open(struct mac *mac, struct str rest, struct buf *url, int64_t *out_account)
{
	char want[2 * MAC_BYTES + 1], text[B64_LEN(URL_MAX) + 1], raw[URL_MAX + 3];
	struct str head, row;
	size_t n = 0, len;

	if (!str_split(&rest, '/', &head) || !str_split(&head, '.', &row) ||
	    !str_to_i64(row, out_account) || rest.len > B64_LEN(URL_MAX))
		return false;
	for (size_t i = 0; i < rest.len; i++)
		text[n++] = (char)(rest.ptr[i] == '-'   ? '+'
				   : rest.ptr[i] == '_' ? '/'
							: rest.ptr[i]);
	while (n % 4 != 0)
		text[n++] = '=';
	if (!b64_decode(str_make(text, n), raw, sizeof(raw), &len))
		return false;
	mac_of(mac, row, str_make(raw, len), want);
	if (head.len != 2 * MAC_BYTES || !bytes_eq_const_time(head.ptr, want, head.len))
		return false;
	buf_put(url, raw, len);
	return !buf_failed(url);
}
