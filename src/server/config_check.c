/* SPDX-License-Identifier: MIT */
/*
 * config_check.c - words of the configuration that are more than a type, read in one place
 *
 * ROLE     `godwit config check`, `serve` and a reload ask here, and `serve`
 *          reads with the same functions, so that none refuses what another took.
 * THREADS  Any.
 * TESTS    tests/unit/test_config.c, tests/system/test_config.py
 */
#include "server/config_check.h"
#include "base/log.h"
#include "gateway/account.h"
#include "net/egress.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_MAX 1000 /* messages/s, cloud-api.md 6.4 */

gw_status config_address(const char *text, char host[CONFIG_HOST_MAX], uint16_t *port,
			 struct gw_error *err)
{
	struct str s = str_from(text), h;
	unsigned char raw[16];
	size_t colon = s.len;
	uint32_t n;

	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon < 2 || !str_to_u32(str_slice(s, colon, s.len), &n) || n > 65535)
		return gw_error_set(err, GW_EPARSE,
				    "\"%s\" is not ADDRESS:PORT, such as 127.0.0.1:8080", text);
	h = str_slice(s, 0, colon - 1);
	if (h.len > 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']')
		h = str_slice(h, 1, h.len - 1);
	if (!str_copy(h, host, CONFIG_HOST_MAX) ||
	    (inet_pton(AF_INET, host, raw) != 1 && inet_pton(AF_INET6, host, raw) != 1))
		return gw_error_set(err, GW_EPARSE,
				    "\"%s\": %.*s is not an IPv4 or IPv6 address; names are not "
				    "looked up here",
				    text, STR_ARG(h));
	*port = (uint16_t)n;
	return GW_OK;
}

gw_status config_number(struct str word, struct str *id, uint32_t *limit_mps, struct gw_error *err)
{
	uint32_t limit = 0;
	struct str name = word;
	size_t at;

	if (str_find_char(word, '=', &at)) {
		name = str_slice(word, 0, at);
		if (!str_to_u32(str_slice(word, at + 1, word.len), &limit) || limit == 0 ||
		    limit > LIMIT_MAX)
			name = STR_EMPTY;
	}
	if (name.len == 0)
		return gw_error_set(err, GW_EPARSE, "\"%.*s\": want ID or ID=1..%d", STR_ARG(word),
				    LIMIT_MAX);
	*id = name;
	*limit_mps = limit;
	return GW_OK;
}

static gw_status check_address(const char *text, struct gw_error *err)
{
	char host[CONFIG_HOST_MAX];
	uint16_t port;

	return config_address(text, host, &port, err);
}

static gw_status check_url(const char *text, struct gw_error *err)
{
	return text[0] == '\0' ? GW_OK : egress_check_url(str_from(text), false, err);
}

static gw_status check_networks(const char *text, struct gw_error *err)
{
	struct egress *e = NULL;
	gw_status st = egress_new(str_from(text), &e, err);

	if (st == GW_OK)
		egress_free(e);
	return st;
}

static gw_status check_numbers(const char *text, struct gw_error *err)
{
	struct str rest = str_from(text), word, id;
	uint32_t limit;
	gw_status st = GW_OK;

	while (st == GW_OK && str_split(&rest, ' ', &word))
		if (word.len > 0)
			st = config_number(word, &id, &limit, err);
	return st;
}

static gw_status check_socket(const char *text, struct gw_error *err)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (strlen(text) > max)
		return gw_error_set(err, GW_ELIMIT, "longer than the %zu bytes of a socket's path",
				    max);
	return GW_OK;
}

static gw_status check_file(const char *text, struct gw_error *err)
{
	if (text[0] != '\0' && access(text, R_OK) != 0)
		return gw_error_set(err, GW_EPARSE, "cannot read %s: %s", text, strerror(errno));
	return GW_OK;
}

static gw_status check_log_level(const char *text, struct gw_error *err)
{
	enum log_level ignored;

	if (!log_level_parse(text, &ignored))
		return gw_error_set(err, GW_EPARSE, "\"%s\" is none of error, warn, info, debug",
				    text);
	return GW_OK;
}

static gw_status check_policy(const char *text, struct gw_error *err)
{
	if (strcmp(text, "hold") != 0 && strcmp(text, "resend") != 0 && strcmp(text, "expire") != 0)
		return gw_error_set(err, GW_EPARSE, "\"%s\" is none of hold, resend, expire", text);
	return GW_OK;
}

static gw_status check_profile(const char *text, struct gw_error *err)
{
	if (strcmp(text, "live") != 0 && strcmp(text, "sandbox") != 0)
		return gw_error_set(err, GW_EPARSE, "\"%s\" is neither live nor sandbox", text);
	return GW_OK;
}

gw_status config_check_word(enum config_word what, const char *text, struct gw_error *err)
{
	static gw_status (*const checks[])(const char *, struct gw_error *) = {
		[WORD_ADDRESS] = check_address,     [WORD_URL] = check_url,
		[WORD_NETWORKS] = check_networks,   [WORD_NUMBERS] = check_numbers,
		[WORD_SOCKET] = check_socket,       [WORD_FILE] = check_file,
		[WORD_LOG_LEVEL] = check_log_level, [WORD_POLICY] = check_policy,
		[WORD_PROFILE] = check_profile,
	};

	return checks[what](text, err);
}
