/* SPDX-License-Identifier: MIT */
/*
 * egress.c - the tables of addresses that are not the public Internet
 *
 * Order of the check: a metadata service is refused unless it is allowed by
 * its own address; then the allow list; then the denied networks.  All
 * embedded forms of IPv4 are denied as a whole, so that no address can be
 * smuggled in another family's clothes.
 *
 * Networks: IANA's special-purpose registries for IPv4 and IPv6, read 2026-11.
 *
 * TESTS  tests/unit/test_egress.c
 */
#include "net/egress.h"

#include "base/panic.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_MAX 2048

struct named {
	const char *network, *name;
};

static const struct named METADATA[] = {
	{ "169.254.169.254/32", "cloud metadata" }, /* AWS, GCP, Azure and most others */
	{ "169.254.170.2/32", "cloud metadata" }, /* AWS ECS tasks */
	{ "169.254.170.23/32", "cloud metadata" }, /* AWS EKS pods */
	{ "100.100.100.200/32", "cloud metadata" }, /* Alibaba */
	{ "168.63.129.16/32", "cloud metadata" }, /* Azure's wire server, a public address */
	{ "192.0.0.192/32", "cloud metadata" }, /* Oracle */
	{ "fd00:ec2::254/128", "cloud metadata" }, /* AWS */
	{ "fd00:ec2::23/128", "cloud metadata" }, /* AWS EKS pods */
	{ "fd20:ce::254/128", "cloud metadata" }, /* GCP */
};

static const struct named DENIED[] = {
	{ "0.0.0.0/8", "this network" },
	{ "10.0.0.0/8", "private" },
	{ "100.64.0.0/10", "carrier-grade NAT" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local" },
	{ "172.16.0.0/12", "private" },
	{ "192.0.0.0/24", "protocol assignments" },
	{ "192.0.2.0/24", "documentation" },
	{ "192.88.99.0/24", "6to4 relay" },
	{ "192.168.0.0/16", "private" },
	{ "198.18.0.0/15", "benchmarking" },
	{ "198.51.100.0/24", "documentation" },
	{ "203.0.113.0/24", "documentation" },
	{ "224.0.0.0/4", "multicast" },
	{ "240.0.0.0/4", "reserved" },
	{ "::/128", "unspecified" },
	{ "::1/128", "loopback" },
	{ "::ffff:0:0/96", "IPv4-mapped" },
	{ "::/96", "IPv4-compatible" },
	{ "64:ff9b::/96", "NAT64" },
	{ "64:ff9b:1::/48", "local NAT64" },
	{ "100::/64", "discard" },
	{ "2001::/32", "Teredo" },
	{ "2001::/23", "protocol assignments" },
	{ "2001:db8::/32", "documentation" },
	{ "2002::/16", "6to4" },
	{ "3fff::/20", "documentation" },
	{ "5f00::/16", "segment routing" },
	{ "fc00::/7", "unique local" },
	{ "fe80::/10", "link-local" },
	{ "fec0::/10", "site-local" },
	{ "ff00::/8", "multicast" },
};

struct network {
	int family;
	unsigned bits;
	unsigned char address[16];
	const struct named *named; /* NULL in the allow list */
};

struct egress {
	struct network allow[EGRESS_ALLOW_MAX];
	size_t allow_count;
	struct network metadata[ARRAY_LEN(METADATA)];
	struct network denied[ARRAY_LEN(DENIED)];
};

/* "10.0.0.0/8", "::1" (its own /32 or /128). */
static bool parse_network(struct str text, struct network *out)
{
	struct network n = { .family = AF_INET };
	char address[INET6_ADDRSTRLEN];
	uint32_t bits;
	size_t at;
	unsigned max;

	if (!str_find_char(text, '/', &at))
		at = text.len;
	if (!str_copy(str_slice(text, 0, at), address, sizeof(address)))
		return false;
	if (inet_pton(AF_INET, address, n.address) != 1) {
		n.family = AF_INET6;
		if (inet_pton(AF_INET6, address, n.address) != 1)
			return false;
	}
	max = n.family == AF_INET ? 32 : 128;
	bits = max;
	if (at < text.len && !str_to_u32(str_slice(text, at + 1, text.len), &bits))
		return false;
	if (bits > max)
		return false;
	n.bits = bits;
	*out = n;
	return true;
}

static bool holds(const struct network *n, int family, const unsigned char *address)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (n->family != family || memcmp(n->address, address, whole) != 0)
		return false;
	return rest == 0 || (n->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static void fill(struct network *out, const struct named *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ASSERT(parse_network(str_from(rows[i].network), &out[i]));
		out[i].named = &rows[i];
	}
}

gw_status egress_new(struct str allow, struct egress **out, struct gw_error *err)
{
	struct egress *e = calloc(1, sizeof(*e));
	size_t at = 0;
	gw_status st;

	if (e == NULL)
		return gw_error_set(err, GW_ENOMEM, "no memory for the egress guard");
	fill(e->metadata, METADATA, ARRAY_LEN(METADATA));
	fill(e->denied, DENIED, ARRAY_LEN(DENIED));
	while (at < allow.len) {
		size_t from = at;
		struct str word;

		while (at < allow.len && strchr(" ,\t\r\n", allow.ptr[at]) == NULL)
			at++;
		word = str_slice(allow, from, at++);
		if (word.len == 0)
			continue;
		if (e->allow_count == EGRESS_ALLOW_MAX) {
			st = gw_error_set(err, GW_ELIMIT, "more than %d allowed networks",
					  EGRESS_ALLOW_MAX);
			goto out;
		}
		if (!parse_network(word, &e->allow[e->allow_count])) {
			st = gw_error_set(
				err, GW_EPARSE,
				"\"%.*s\" is not a network such as 10.1.0.0/16 or ::1/128",
				STR_ARG(word));
			goto out;
		}
		e->allow_count++;
	}
	*out = e;
	e = NULL;
	st = GW_OK;
out:
	free(e);
	return st;
}

void egress_free(struct egress *e)
{
	free(e);
}

/* By a network that holds it; `alone`: by its own address only. */
static bool is_allowed(const struct egress *e, int family, const unsigned char *address, bool alone)
{
	for (size_t i = 0; i < e->allow_count; i++) {
		const struct network *n = &e->allow[i];

		if (holds(n, family, address) &&
		    (!alone || n->bits == (family == AF_INET ? 32 : 128)))
			return true;
	}
	return false;
}

static const struct named *find(const struct network *rows, size_t count, int family,
				const unsigned char *address)
{
	for (size_t i = 0; i < count; i++)
		if (holds(&rows[i], family, address))
			return rows[i].named;
	return NULL;
}

bool egress_allows(const struct egress *e, const struct sockaddr *address, char *why, size_t cap)
{
	const struct named *rule;
	unsigned char bytes[16];
	bool alone;

	if (address->sa_family == AF_INET) {
		memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	} else {
		(void)snprintf(why, cap, "not an Internet address");
		return false;
	}
	rule = find(e->metadata, ARRAY_LEN(METADATA), address->sa_family, bytes);
	alone = rule != NULL;
	if (rule == NULL)
		rule = find(e->denied, ARRAY_LEN(DENIED), address->sa_family, bytes);
	if (rule == NULL || is_allowed(e, address->sa_family, bytes, alone))
		return true;
	(void)snprintf(why, cap, "%s %s", rule->name, rule->network);
	return false;
}

/* ---- the form of a URL ---- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static gw_status check_port(struct str port, struct gw_error *err)
{
	uint32_t number;

	if (port.len == 0)
		return GW_OK;
	if (!str_to_u32(str_slice(port, 1, port.len), &number) || number < 1 || number > 65535)
		return gw_error_set(err, GW_EPARSE, "the URL's port is not 1 to 65535");
	return GW_OK;
}

/* "host", "host:443", "[::1]:443" */
static gw_status check_authority(struct str authority, struct gw_error *err)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	size_t end = 0;

	if (str_find_char(authority, '@', &end))
		return gw_error_set(err, GW_EPARSE, "the URL may not carry a user or password");
	if (str_starts(authority, STR("["))) {
		if (!str_find_char(authority, ']', &end) ||
		    !str_copy(str_slice(authority, 1, end), text, sizeof(text)) ||
		    inet_pton(AF_INET6, text, bytes) != 1)
			return gw_error_set(err, GW_EPARSE,
					    "the URL's host is not an IPv6 address");
		end++;
	} else {
		for (end = 0; end < authority.len && authority.ptr[end] != ':'; end++)
			if (!is_name_char(authority.ptr[end]))
				return gw_error_set(
					err, GW_EPARSE,
					"the URL's host may hold letters, digits, '-', "
					"'_' and '.'; other alphabets are written xn--");
		if (end == 0)
			return gw_error_set(err, GW_EPARSE, "the URL has no host");
	}
	if (end < authority.len && authority.ptr[end] != ':')
		return gw_error_set(err, GW_EPARSE, "the URL's host is malformed");
	return check_port(str_slice(authority, end, authority.len), err);
}

gw_status egress_check_url(struct str url, bool https_only, struct gw_error *err)
{
	bool is_https = url.len >= 8 && str_eq_nocase(str_slice(url, 0, 8), STR("https://"));
	bool is_http = url.len >= 7 && str_eq_nocase(str_slice(url, 0, 7), STR("http://"));
	size_t end;

	if (url.len > URL_MAX)
		return gw_error_set(err, GW_ELIMIT, "the URL is longer than %d bytes", URL_MAX);
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '\\')
			return gw_error_set(
				err, GW_EPARSE,
				"the URL holds a character that must be written as %%%02X", c);
		if (c == '#')
			return gw_error_set(err, GW_EPARSE, "the URL may not have a fragment (#)");
	}
	if (!is_https && !is_http)
		return gw_error_set(err, GW_EPARSE, "the URL must begin with https:// or http://");
	if (https_only && !is_https)
		return gw_error_set(err, GW_EPARSE, "the URL must begin with https://");
	url = str_slice(url, is_https ? 8 : 7, url.len);
	for (end = 0; end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?'; end++)
		;
	return check_authority(str_slice(url, 0, end), err);
}
