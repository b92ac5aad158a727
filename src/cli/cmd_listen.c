/* SPDX-License-Identifier: MIT */
/*
 * cmd_listen.c - godwit listen: watch events as they happen, or hand a copy to an endpoint
 *
 * ROLE        A tap on the event stream; it creates no destination and what it
 *             does disturbs no delivery.  With --forward-to every event is
 *             posted in Meta's format, one at a time and in order; the
 *             signature is Meta's own when the body is the original one.
 * FAILURE     The stream ends: asked for again after the last event seen.  The
 *             endpoint fails: one line says so; nothing is repeated.
 * LIMITS      QUEUE_MAX events wait for a slow endpoint, then the oldest is dropped.
 * TESTS       tests/system/test_cli.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "cli/api.h"
#include "cli/event_line.h"
#include "cli/opt.h"
#include "cli/out.h"
#include <godwit/webhook.h>
#include <sys/queue.h>

#define QUEUE_MAX 10000
#define AGAIN_MS 1000
#define FORWARD_MS 30000
#define ANSWER_KEPT 65536
#define ANSWER_SHOWN 80 /* characters of a refusal */
#define PATH_MAX_BYTES 16384

extern const struct cmd cmd_listen;

struct copy {
	TAILQ_ENTRY(copy) link;
	char id[SSE_NAME_MAX], type[SSE_NAME_MAX];
	char *body, *signature;
	size_t body_len;
};

struct listen {
	struct cli *cli;
	struct api *api;
	const char *forward_to;
	char url[4096];
	struct opt_list on, kinds, numbers;
	struct buf path;
	struct api_stream *stream;
	struct timer again;
	char last[SSE_NAME_MAX];
	bool was_open, told_unsigned;
	int code; /* -1: go on */
	TAILQ_HEAD(, copy) queue;
	size_t queued;
	struct copy *sending;
	struct http_client *client;
};

/* ---- lines ---- */

static struct str time_now(char out[CLOCK_RFC3339_MAX])
{
	clock_format_ms(clock_real_wall_ms(), out);
	return event_time_of_day(str_from(out));
}

static void print_event(struct listen *l, struct str text)
{
	struct arena *a = arena_new(text.len * 10 + 65536);
	const struct json_doc *doc;
	struct buf b;

	ASSERT(a != NULL);
	buf_init(&b, 1U << 20);
	if (json_scan(text, a, &doc, NULL) == GW_OK)
		event_put_line(&b, l->cli, json_root(doc));
	if (b.len > 0)
		printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
	arena_free(a);
}

/* Who and what, from a body in Meta's format. */
static void put_meta_summary(struct buf *b, const struct cli *cli, struct str body)
{
	gw_notification *n = NULL;
	const gw_event *e;
	char phone[OUT_PHONE_MAX];

	if (gw_notification_parse(str_to_gw(body), &n, NULL) != GW_OK ||
	    gw_notification_count(n) == 0)
		goto out;
	e = gw_notification_event(n, 0);
	if (e->type == GW_EVENT_MESSAGE_STATUS)
		buf_put_fmt(b, "  %.*s", STR_ARG(str_of_gw(e->status_word)));
	if (e->error_code != 0)
		buf_put_fmt(b, "  %d", e->error_code);
	out_phone(cli, str_of_gw(e->phone.len > 0 ? e->phone : e->user_id), phone);
	buf_put_fmt(b, "  %s", phone);
	if (e->text.len > 0) {
		buf_put_text(b, "  \"");
		out_line(b, str_of_gw(e->text), 60);
		buf_put_char(b, '"');
	}
	if (gw_notification_count(n) > 1)
		buf_put_fmt(b, "  and %zu more", gw_notification_count(n) - 1);
out:
	gw_notification_free(n);
}

static void print_copy(const struct listen *l, const struct copy *c)
{
	char now[CLOCK_RFC3339_MAX];
	struct buf b;

	buf_init(&b, 1U << 20);
	put_meta_summary(&b, l->cli, str_make(c->body, c->body_len));
	printf("%.*s  --> %-16s  %s%.*s\n", STR_ARG(time_now(now)), c->type, c->id,
	       STR_ARG(buf_str(&b)));
	buf_release(&b);
	(void)fflush(stdout);
}

/* ---- forwarding ---- */

static void copy_free(struct copy *c)
{
	if (c == NULL)
		return;
	free(c->body);
	free(c->signature);
	free(c);
}

static void forward_next(struct listen *l);

static void print_answer(const struct listen *l, const struct http_outcome *o)
{
	char now[CLOCK_RFC3339_MAX];
	struct buf b;

	buf_init(&b, ANSWER_KEPT * 4);
	if (o->end != HTTP_END_ANSWERED)
		buf_put_text(&b, o->error.message);
	else if (o->status < 200 || o->status > 299)
		out_line(&b, o->answer, ANSWER_SHOWN);
	if (cli_is_json(l->cli))
		printf("{\"id\":\"%s\",\"answer\":{\"status\":%d,\"ms\":%lld}}\n", l->sending->id,
		       o->status, (long long)o->total_ms);
	else if (o->status != 0)
		printf("%.*s  <-- %d  %lld ms  %s%s%.*s\n", STR_ARG(time_now(now)), o->status,
		       (long long)o->total_ms, l->sending->id, b.len > 0 ? "  " : "",
		       STR_ARG(buf_str(&b)));
	else
		printf("%.*s  <-- no answer  %s  %.*s\n", STR_ARG(time_now(now)), l->sending->id,
		       STR_ARG(buf_str(&b)));
	buf_release(&b);
	(void)fflush(stdout);
}

static void on_forwarded(void *cookie, const struct http_outcome *o)
{
	struct listen *l = cookie;

	print_answer(l, o);
	copy_free(l->sending);
	l->sending = NULL;
	forward_next(l);
}

static void forward_next(struct listen *l)
{
	struct copy *c = TAILQ_FIRST(&l->queue);
	const char *headers[4];
	char signature[160], id[SSE_NAME_MAX + 32];
	size_t n = 0;

	if (l->sending != NULL || c == NULL)
		return;
	TAILQ_REMOVE(&l->queue, c, link);
	l->queued--;
	l->sending = c;
	headers[n++] = "Content-Type: application/json";
	(void)snprintf(id, sizeof(id), "Godwit-Event: %s", c->id);
	headers[n++] = id;
	if (c->signature[0] != '\0') {
		(void)snprintf(signature, sizeof(signature), "X-Hub-Signature-256: %s",
			       c->signature);
		headers[n++] = signature;
	}
	if (!cli_is_json(l->cli))
		print_copy(l, c);
	(void)http_client_start(l->client,
				&(struct http_request){ .method = "POST",
							.url = l->url,
							.headers = headers,
							.header_count = n,
							.body = str_make(c->body, c->body_len),
							.connect_timeout_ms = 3000,
							.timeout_ms = FORWARD_MS,
							.answer_max = ANSWER_KEPT },
				on_forwarded, l);
}

static void drop_oldest(struct listen *l)
{
	struct copy *c = TAILQ_FIRST(&l->queue);

	cli_note(l->cli, "%s was not forwarded: %d events wait for the endpoint", c->id, QUEUE_MAX);
	TAILQ_REMOVE(&l->queue, c, link);
	l->queued--;
	copy_free(c);
}

static void queue_copy(struct listen *l, const struct sse_event *e)
{
	struct arena *a = arena_new(e->data.len * 12 + 65536);
	struct str body, signature = STR_EMPTY;
	const struct json_doc *doc;
	struct copy *c;

	ASSERT(a != NULL);
	if (json_scan(e->data, a, &doc, NULL) != GW_OK ||
	    !json_get_str(json_root(doc), STR("body"), SSE_EVENT_MAX, &body))
		goto out;
	(void)json_get_str(json_root(doc), STR("signature"), 128, &signature);
	if (signature.len == 0 && !l->told_unsigned) {
		l->told_unsigned = true;
		cli_note(l->cli,
			 "Some bodies are forwarded without a signature: they were composed for "
			 "one event of many,\nand only the gateway knows the app secret.");
	}
	if (l->queued == QUEUE_MAX)
		drop_oldest(l);
	c = xcalloc(1, sizeof(*c));
	(void)str_copy(str_from(e->id), c->id, sizeof(c->id));
	(void)str_copy(str_from(e->type), c->type, sizeof(c->type));
	c->body = xstrndup(body);
	c->body_len = body.len;
	c->signature = xstrndup(signature);
	TAILQ_INSERT_TAIL(&l->queue, c, link);
	l->queued++;
	forward_next(l);
out:
	arena_free(a);
}

/* ---- the stream ---- */

static void on_event(void *cookie, const struct sse_event *e)
{
	struct listen *l = cookie;

	(void)str_copy(str_from(e->id), l->last, sizeof(l->last));
	if (l->forward_to != NULL)
		queue_copy(l, e);
	else if (l->cli->format == OUT_ID)
		printf("%s\n", e->id);
	else if (cli_is_json(l->cli))
		printf("%.*s\n", STR_ARG(e->data));
	else
		print_event(l, e->data);
	if (fflush(stdout) != 0)
		l->code = EXIT_OK; /* whoever read has gone */
}

static void on_open(void *cookie)
{
	struct listen *l = cookie;

	if (l->was_open)
		cli_note(l->cli, "connected again");
	else
		cli_note(l->cli,
			 "Ready: a copy of every event%s%s; destinations are unaffected. Ctrl-C "
			 "ends it.",
			 l->forward_to != NULL ? " goes to " : "",
			 l->forward_to != NULL ? l->url : "");
	l->was_open = true;
}

static void on_end(void *cookie, int status, const struct gw_error *err)
{
	struct listen *l = cookie;

	if (!l->was_open || (status >= 400 && status < 500)) {
		l->code = status == 401 || status == 403  ? EXIT_AUTH
			  : status >= 400 && status < 500 ? EXIT_USAGE
							  : EXIT_TEMPORARY;
		if (status == 0)
			(void)api_unreachable(l->api, err);
		else
			(void)cli_failf(l->cli, l->code,
					l->code == EXIT_AUTH ? "give a key with the scope read: "
							       "GODWIT_KEY or --key-file"
							     : "see godwit listen --help",
					"%s refused the stream: HTTP %d", api_where(l->api),
					status);
		return;
	}
	cli_note(l->cli, "the stream ended; asking again");
	timer_in_ms(&l->again, AGAIN_MS);
}

static void connect_stream(void *cookie)
{
	struct listen *l = cookie;
	const struct api_stream_handlers h = { on_event, on_open, on_end, l };

	api_stream_close(l->stream);
	l->stream = api_stream_open(l->api, l->path.data, l->last[0] != '\0' ? l->last : NULL, &h);
}

static void put_filter(struct buf *path, const char *name, const struct opt_list *list)
{
	struct buf b;

	if (list->count == 0)
		return;
	buf_init(&b, PATH_MAX_BYTES);
	for (size_t i = 0; i < list->count; i++)
		buf_put_fmt(&b, "%s%s", i > 0 ? "," : "", list->items[i]);
	if (!buf_failed(&b))
		api_put_query(path, name, b.data);
	buf_release(&b);
}

static int listen_to(struct listen *l)
{
	struct gw_error err = GW_ERROR_INIT;

	if (l->forward_to != NULL) {
		size_t at;

		(void)snprintf(l->url, sizeof(l->url), "%s%s",
			       str_find(str_from(l->forward_to), STR("://"), &at) ? "" : "http://",
			       l->forward_to);
		if (egress_check_url(str_from(l->url), false, &err) != GW_OK)
			return cli_failf(l->cli, EXIT_USAGE, NULL, "--forward-to: %s", err.message);
	}
	buf_put_text(&l->path, "/api/v1/stream");
	put_filter(&l->path, "types", &l->on);
	put_filter(&l->path, "kinds", &l->kinds);
	put_filter(&l->path, "numbers", &l->numbers);
	api_put_query(&l->path, "format", l->forward_to != NULL ? "meta" : NULL);
	if (buf_failed(&l->path))
		return cli_failf(l->cli, EXIT_USAGE, NULL, "the filter is too long");
	l->client = api_client(l->api);
	timer_init(&l->again, api_loop(l->api), LOOP_REAL, connect_stream, l);
	connect_stream(l);
	while (l->code < 0)
		loop_turn(api_loop(l->api), -1);
	timer_cancel(&l->again);
	return l->code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct listen l = { .cli = cli, .code = -1 };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "forward-to", &l.forward_to, "URL",
		  "post every event there in Meta's format, with Meta's signature" },
		{ OPT_LIST, 0, "on", &l.on, "TYPES", "only these types, such as message.received" },
		{ OPT_LIST, 0, "kinds", &l.kinds, "KINDS",
		  "only these kinds, such as text,failed" },
		{ OPT_LIST, 0, "numbers", &l.numbers, "IDS", "only of these numbers" },
		OPT_END
	};
	struct copy *c;
	int code;

	if (!opt_parse(cli, &cmd_listen, opts, &argc, &argv))
		return cli->code;
	TAILQ_INIT(&l.queue);
	buf_init(&l.path, PATH_MAX_BYTES);
	l.api = api_open(cli, &code);
	if (l.api != NULL)
		code = listen_to(&l);
	api_stream_close(l.stream);
	api_close(l.api);
	while ((c = TAILQ_FIRST(&l.queue)) != NULL) {
		TAILQ_REMOVE(&l.queue, c, link);
		copy_free(c);
	}
	copy_free(l.sending);
	buf_release(&l.path);
	return code;
}

const struct cmd cmd_listen = {
	.name = "listen",
	.help = "watch events as they happen, or hand a copy of them to an endpoint",
	.more = "godwit listen --forward-to localhost:3000/webhook\n"
		"godwit listen --on message.received -o jsonl\n"
		"The signature in X-Hub-Signature-256 is Meta's own: check it with the account's\n"
		"app secret. Under `godwit up` the file with that secret is named in the banner.",
	.run = run,
};
