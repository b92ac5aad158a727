/* SPDX-License-Identifier: MIT */
/*
 * graph_path.c - see graph_path.h
 *
 * TESTS  tests/unit/test_graph_path.c, fuzz/fuzz_link.c
 */
#include "server/graph_path.h"

#include "base/hexb64.h"

#include <ctype.h>

/* "v26.0" */
static bool is_version(struct str s)
{
	size_t i = 1, digits = 0;

	if (s.len < 4 || s.ptr[0] != 'v')
		return false;
	for (; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
		digits++;
	if (digits == 0 || i == s.len || s.ptr[i++] != '.')
		return false;
	for (digits = 0; i < s.len && isdigit((unsigned char)s.ptr[i]); i++)
		digits++;
	return digits > 0 && i == s.len;
}

bool graph_path_read(struct str path, struct graph_path *out)
{
	struct str first;

	*out = (struct graph_path){ STR_EMPTY, STR_EMPTY, STR_EMPTY };
	if (path.len == 0 || path.ptr[0] != '/')
		return false;
	path = str_slice(path, 1, path.len);
	if (!str_split(&path, '/', &first))
		return false;
	if (is_version(first)) {
		out->version = first;
		if (!str_split(&path, '/', &first))
			return false;
	}
	out->object = first;
	out->edge = str_trim(path);
	while (out->edge.len > 0 && out->edge.ptr[out->edge.len - 1] == '/')
		out->edge.len--;
	return first.len > 0;
}

enum graph_kind graph_kind(struct str method, const struct graph_path *p)
{
	if (str_eq(method, STR("GET"))) {
		if (str_eq(p->object, STR("media")))
			return GRAPH_MEDIA_LINK;
		return p->edge.len == 0 ? GRAPH_OBJECT : GRAPH_READ;
	}
	if (!str_eq(method, STR("POST")))
		return GRAPH_WRITE;
	/* marketing_messages: Meta's other door for the same bodies (cloud-api.md 2.4) */
	if (str_eq(p->edge, STR("messages")) || str_eq(p->edge, STR("marketing_messages")))
		return GRAPH_SEND;
	return str_eq(p->edge, STR("media")) ? GRAPH_UPLOAD : GRAPH_WRITE;
}

/* A name may be percent-encoded. */
bool graph_is_token_pair(struct str pair)
{
	char name[sizeof("access_token")];
	size_t n = 0;

	for (size_t i = 0; i < pair.len && pair.ptr[i] != '=' && n < sizeof(name); n++) {
		unsigned char byte;

		if (pair.ptr[i] == '%' && hex_decode(str_slice(pair, i + 1, i + 3), &byte, 1)) {
			name[n] = (char)byte;
			i += 3;
		} else {
			name[n] = pair.ptr[i++];
		}
	}
	return str_eq(str_make(name, n), STR("access_token"));
}

bool graph_strip_token(struct str target, struct buf *out)
{
	struct str query, one;
	size_t at;
	char sep = '?';

	if (!str_find_char(target, '?', &at)) {
		buf_put_str(out, target);
		return !buf_failed(out);
	}
	buf_put_str(out, str_slice(target, 0, at));
	query = str_slice(target, at + 1, target.len);
	while (str_split(&query, '&', &one)) {
		if (one.len == 0 || graph_is_token_pair(one))
			continue;
		buf_put_char(out, sep);
		buf_put_str(out, one);
		sep = '&';
	}
	return !buf_failed(out);
}
