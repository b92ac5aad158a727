/* SPDX-License-Identifier: MIT */
/*
 * link.c - which links to media nobody outside could fetch
 *
 * ROLE        Nothing is fetched: the sandbox leaves the machine as little as
 *             its user.  What a public server can be told from its name alone:
 *             no host of one word, no .invalid (RFC 2606), .local, .internal or
 *             .localhost, no address that is not public (net/egress.h).
 * THREADS     Any: no state.
 * TESTS       tests/unit/test_sandbox_link.c, tests/system/test_mistakes.py
 */
#include "sandbox/link.h"

#include "base/panic.h"
#include "net/egress.h"

#include <arpa/inet.h>

#define LINK_MAX 8192

/* "https://user@[::1]:8080/a" -> "::1" */
static bool host_of(struct str url, char *host, size_t cap)
{
	struct str rest = STR_EMPTY;
	size_t at;

	if (!str_find(url, STR("://"), &at))
		return false;
	rest = str_slice(url, at + 3, url.len);
	for (size_t i = 0; i < rest.len; i++) {
		if (strchr("/?#", rest.ptr[i]) != NULL)
			rest.len = i;
	}
	if (str_find_char(rest, '@', &at))
		rest = str_slice(rest, at + 1, rest.len);
	if (rest.len > 0 && rest.ptr[0] == '[' && str_find_char(rest, ']', &at))
		rest = str_slice(rest, 1, at);
	else if (str_find_char(rest, ':', &at))
		rest = str_slice(rest, 0, at);
	return str_copy(rest, host, cap);
}

static bool read_address(const char *host, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		out->ss_family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return false;
	out->ss_family = AF_INET6;
	return true;
}

static bool address_is_public(const struct sockaddr_storage *address)
{
	struct gw_error err = GW_ERROR_INIT;
	struct egress *e = NULL;
	char why[128];
	bool ok;

	if (egress_new(STR_EMPTY, &e, &err) != GW_OK)
		return true;
	ok = egress_allows(e, (const struct sockaddr *)(const void *)address, why, sizeof(why));
	egress_free(e);
	return ok;
}

bool link_is_public(struct str url)
{
	static const char *const nowhere[] = { ".invalid", ".local", ".internal", ".localhost" };
	struct sockaddr_storage address;
	char host[256];
	size_t at;

	if (!host_of(url, host, sizeof(host)))
		return false;
	if (read_address(host, &address))
		return address_is_public(&address);
	for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
		if (str_ends(str_from(host), str_from(nowhere[i])))
			return false;
	}
	return str_find_char(str_from(host), '.', &at);
}

/* The medium in one object; without a link there is nothing to say. */
static bool is_public(struct json_val media)
{
	struct str url;

	return !json_get_str(media, STR("link"), LINK_MAX, &url) || link_is_public(url);
}

/* {"type":"image","image":{"link":…}}, as headers and parameters are. */
static bool typed_is_public(struct json_val v)
{
	struct str type;

	return !json_get_str(v, STR("type"), 32, &type) || is_public(json_member(v, type));
}

bool link_all_public(const char *type, struct json_val content)
{
	struct json_val component, parameter;
	struct json_iter it, inner;

	if (strcmp(type, "interactive") == 0)
		return typed_is_public(json_member(content, STR("header")));
	if (strcmp(type, "template") != 0)
		return is_public(content);
	for (it = json_iter(json_member(content, STR("components"))); json_next(&it, &component);) {
		inner = json_iter(json_member(component, STR("parameters")));
		while (json_next(&inner, &parameter)) {
			if (!typed_is_public(parameter))
				return false;
		}
	}
	return true;
}
