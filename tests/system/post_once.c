/* SPDX-License-Identifier: MIT */
/*
 * post_once.c - POST through net/http_client, for test_no_repeat.py
 *
 * usage: post_once CA|- URL
 *
 * One POST for each line of standard input, all over one client, so that
 * connections are reused; each prints `END STATUS REASON`.  CA: a file of
 * certificates, or - for the system's.
 */
#include "base/mem.h"
#include "base/panic.h"
#include "net/http_client.h"

#include <stdio.h>

#define TIMEOUT_MS 10000

struct poster {
	struct loop *loop;
	struct http_client *client;
	const char *url;
	bool is_done;
};

static const char *word_of(enum http_end end)
{
	switch (end) {
	case HTTP_END_ANSWERED: return "answered";
	case HTTP_END_NOT_SENT: return "not_sent";
	case HTTP_END_LOST: return "lost";
	case HTTP_END_REFUSED: return "refused";
	}
	return "?";
}

static void on_done(void *cookie, const struct http_outcome *o)
{
	struct poster *p = cookie;

	(void)printf("%s %d %s\n", word_of(o->end), o->status,
		     o->end == HTTP_END_ANSWERED ? "-" : o->error.message);
	(void)fflush(stdout);
	p->is_done = true;
}

static void post(struct poster *p)
{
	static const char *const headers[] = { "Content-Type: application/json" };
	const struct http_request r = {
		.method = "POST",
		.url = p->url,
		.headers = headers,
		.header_count = ARRAY_LEN(headers),
		.body = STR("{\"messaging_product\":\"whatsapp\",\"to\":\"5571990000001\","
			    "\"text\":{\"body\":\"once\"}}"),
		.connect_timeout_ms = TIMEOUT_MS,
		.timeout_ms = TIMEOUT_MS,
		.answer_max = 65536,
	};

	p->is_done = false;
	(void)http_client_start(p->client, &r, on_done, p);
	while (!p->is_done)
		loop_turn(p->loop, -1);
}

int main(int argc, char **argv)
{
	struct poster p = { 0 };
	struct gw_error err = GW_ERROR_INIT;
	struct http_client_options o = { .http2 = true };
	struct clock clock;
	char line[256];

	if (argc != 3) {
		(void)fprintf(stderr, "usage: post_once CA|- URL\n");
		return 2;
	}
	clock_init(&clock);
	p.loop = loop_new(&clock);
	p.url = argv[2];
	o.loop = p.loop;
	o.ca_file = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
	if (http_client_new(&o, &p.client, &err) != GW_OK) {
		(void)fprintf(stderr, "post_once: %s\n", err.message);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) != NULL)
		post(&p);
	http_client_free(p.client);
	loop_free(p.loop);
	return 0;
}
