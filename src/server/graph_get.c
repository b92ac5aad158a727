/* SPDX-License-Identifier: MIT */
/*
 * graph_get.c - see graph_get.h
 *
 * TESTS  tests/system/test_numbers.py, tests/system/test_templates.py
 */
#include "server/graph_get.h"

#include "base/panic.h"

struct http_exchange *graph_get(const struct config_values *cfg, struct http_client *client,
				const struct account *a, const char *url, size_t answer_max,
				http_done_fn done, void *cookie)
{
	char authorization[SECRET_MAX + 64];
	const char *const headers[] = { authorization, "User-Agent: godwit/" GODWIT_VERSION };
	struct http_exchange *exchange;

	(void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %.*s",
		       (int)a->token.len, (const char *)a->token.bytes);
	exchange = http_client_start(
		client,
		&(struct http_request){ .method = "GET",
					.url = url,
					.headers = headers,
					.header_count = ARRAY_LEN(headers),
					.body_fd = -1,
					.connect_timeout_ms = cfg->graph_connect_ms,
					.timeout_ms = cfg->graph_timeout_ms,
					.answer_max = answer_max },
		done, cookie);
	explicit_bzero(authorization, sizeof(authorization));
	return exchange;
}
