/* SPDX-License-Identifier: MIT */
/*
 * init_listen.c - somebody who answers /webhook until the gateway runs
 *
 * ROLE        Meta (and the check of the callback) can shake hands before there is a
 *             gateway.  Nothing is taken: an event is answered with 503, and Meta brings it
 *             again when the gateway runs.
 * THREADS     Handlers run on the listener's thread; the secrets do not change meanwhile.
 * TESTS       tests/system/test_init.py
 */
#include "base/mem.h"
#include "cli/child.h"
#include "cli/init.h"
#include "net/http_server.h"

#include <godwit/webhook.h>
#include <unistd.h>

#define BODY_MAX (4U << 20)
#define RETRY_S 5
#define STOP_MS 1000

struct init_listener {
	const struct init *in;
	struct log log;
	struct http_server *server;
};

static void shake_hands(const struct init *in, struct http_call *call)
{
	const struct secret *expected = &in->verify_token;
	struct str mode = STR_EMPTY, token = STR_EMPTY, challenge;

	(void)http_query(call, "hub.mode", &mode);
	(void)http_query(call, "hub.verify_token", &token);
	if (http_query(call, "hub.challenge", &challenge) &&
	    gw_webhook_handshake((gw_str){ mode.ptr, mode.len }, (gw_str){ token.ptr, token.len },
				 (gw_str){ (const char *)expected->bytes, expected->len }))
		http_reply(call, 200, "text/plain", challenge, NULL, 0);
	else
		http_reply_empty(call, 403);
}

static bool is_signed(const struct init *in, const struct http_call *call)
{
	struct str body = http_body(call), header;
	struct gw_error err = GW_ERROR_INIT;

	return http_header(call, "X-Hub-Signature-256", &header) &&
	       gw_webhook_verify((gw_str){ body.ptr, body.len }, (gw_str){ header.ptr, header.len },
				 (gw_str){ (const char *)in->app_secret.bytes, in->app_secret.len },
				 &err) == GW_OK;
}

static void on_request(void *cookie, struct http_call *call)
{
	const struct init *in = ((struct init_listener *)cookie)->in;
	struct str nonce;

	if (!str_eq(http_path(call), STR("/webhook")))
		http_reply_empty(call, 404);
	else if (str_eq(http_method(call), STR("GET")))
		shake_hands(in, call);
	else if (!str_eq(http_method(call), STR("POST")))
		http_reply_empty(call, 405);
	else if (!is_signed(in, call))
		http_reply_empty(call, 401);
	else if (doctor_is_probe(http_body(call), &nonce))
		http_reply(call, 200, "text/plain", nonce, NULL, 0);
	else
		http_reply_retry(call, RETRY_S);
}

gw_status init_listen(const struct init *in, const char *address, struct init_listener **out,
		      struct gw_error *err)
{
	static const struct http_server_handlers handlers = { .on_request = on_request };
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	struct init_listener *l = xcalloc(1, sizeof(*l));
	char host[256];
	gw_status st;

	l->in = in;
	log_init(&l->log, STDERR_FILENO, LOG_ERROR, "init", NULL);
	o.name = "callback";
	o.address = host;
	o.body_max = BODY_MAX;
	o.handlers = &handlers;
	o.cookie = l;
	o.log = &l->log;
	st = child_split_address(address, host, sizeof(host), &o.port)
		     ? http_server_start(&o, &l->server, err)
		     : gw_error_set(err, GW_EARG, "%s is no address", address);
	if (st != GW_OK) {
		free(l);
		return st == GW_EBUSY ? GW_OK : st;
	}
	*out = l;
	return GW_OK;
}

void init_listener_free(struct init_listener *l)
{
	if (l == NULL)
		return;
	http_server_stop(l->server, STOP_MS);
	free(l);
}
