/* SPDX-License-Identifier: MIT */
/*
 * clock_follow.c - in the sandbox profile the gateway's clock is the sandbox's
 *
 * One long poll of the sandbox's clock is always open.  It answers when the
 * clock was moved; we move ours by the same, fire what is due, and ask again
 * with the new version: the sandbox takes that as "in step".
 *
 * The first answer is waited for before the store is read: what is loaded has
 * lifetimes and windows of the sandbox's time.
 *
 * FAILURE  The sandbox is away: ask again in a second, the clock runs on.
 * THREADS  The loop's.
 * TESTS    tests/system/test_sandbox.py, tests/system/test_window.py
 */
#include "server/clock_follow.h"
#include "base/mem.h"
#include "base/panic.h"
#include "json/json.h"

#define POLL_WAIT_S 25
#define RETRY_MS 200
#define ANSWER_MAX 4096
#define FIRST_MS 500 /* who does not answer its first question by then is no sandbox */

struct clock_follow {
	struct server *server;
	struct http_client *client;
	struct timer again;
	int64_t version;
	bool answered; /* or asked for long enough */
	struct timer first;
};

static void ask(void *cookie);

static void on_first(void *cookie)
{
	((struct clock_follow *)cookie)->answered = true;
}

static void follow(struct clock_follow *f, int64_t wall_ms, int64_t offset_ms, bool frozen)
{
	struct server *s = f->server;

	if (clock_is_frozen(&s->clock))
		clock_resume(&s->clock);
	clock_set_wall(&s->clock, frozen ? wall_ms : clock_real_wall_ms() + offset_ms);
	if (frozen)
		clock_freeze(&s->clock);
	loop_clock_moved(s->loop);
	if (s->outbox != NULL)
		outbox_clock_moved(s->outbox);
	if (s->relay != NULL)
		relay_clock_moved(s->relay);
}

static bool take(struct clock_follow *f, struct str answer)
{
	struct arena *a = arena_new(65536);
	const struct json_doc *doc;
	int64_t version, wall, offset;
	bool frozen = false, ok = false;

	ASSERT(a != NULL);
	if (json_scan(answer, a, &doc, NULL) == GW_OK &&
	    json_get_i64(json_root(doc), STR("version"), &version) &&
	    json_get_i64(json_root(doc), STR("wall_ms"), &wall) &&
	    json_get_i64(json_root(doc), STR("offset_ms"), &offset)) {
		(void)json_get_bool(json_root(doc), STR("frozen"), &frozen);
		if (version != f->version)
			follow(f, wall, offset, frozen);
		f->version = version;
		ok = true;
	}
	arena_free(a);
	return ok;
}

static void on_clock(void *cookie, const struct http_outcome *o)
{
	struct clock_follow *f = cookie;

	f->answered = true;
	if (o->end == HTTP_END_ANSWERED && o->status == 200 && take(f, o->answer))
		ask(f);
	else
		timer_in_ms(&f->again, RETRY_MS);
}

static void ask(void *cookie)
{
	struct clock_follow *f = cookie;
	char url[1024];

	(void)snprintf(url, sizeof(url), "%s/sandbox/v1/clock?after=%lld&wait_s=%d",
		       f->server->cfg->clock_follow, (long long)f->version, POLL_WAIT_S);
	(void)http_client_start(f->client,
				&(struct http_request){ .method = "GET",
							.url = url,
							.connect_timeout_ms = 2000,
							.timeout_ms = (POLL_WAIT_S + 5) * 1000,
							.answer_max = ANSWER_MAX },
				on_clock, f);
}

gw_status clock_follow_new(struct server *s, struct clock_follow **out, struct gw_error *err)
{
	struct clock_follow *f = xcalloc(1, sizeof(*f));
	gw_status st;

	f->server = s;
	f->version = -1;
	timer_init(&f->again, s->loop, LOOP_REAL, ask, f);
	st = http_client_new(&(struct http_client_options){ .loop = s->loop }, &f->client, err);
	if (st != GW_OK) {
		free(f);
		return st;
	}
	ask(f);
	timer_init(&f->first, s->loop, LOOP_REAL, on_first, f);
	timer_in_ms(&f->first, FIRST_MS);
	while (!f->answered)
		loop_turn(s->loop, -1);
	timer_cancel(&f->first);
	*out = f;
	return GW_OK;
}

void clock_follow_free(struct clock_follow *f)
{
	if (f == NULL)
		return;
	timer_cancel(&f->again);
	http_client_free(f->client);
	free(f);
}
