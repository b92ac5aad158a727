/* SPDX-License-Identifier: MIT */
/* graph_get.h - what the gateway asks of Graph for itself, with an account's token */
#ifndef SERVER_GRAPH_GET_H
#define SERVER_GRAPH_GET_H

#include "gateway/account.h"
#include "net/http_client.h"
#include "server/config.h"

/* url is used up at once.  As http_client_start(). */
struct http_exchange *graph_get(const struct config_values *cfg, struct http_client *client,
				const struct account *a, const char *url, size_t answer_max,
				http_done_fn done, void *cookie);

#endif
