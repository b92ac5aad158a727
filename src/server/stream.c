/* SPDX-License-Identifier: MIT */
/*
 * stream.c - the live event stream (server-sent events), a tap that never blocks
 *
 * ROLE        Every committed event is rendered once per format and written to
 *             each stream whose filter it passes.  A reader that is further
 *             behind than STREAM_QUEUE_MAX is cut; it comes back with
 *             Last-Event-ID and reads what it missed from the store.
 * LIFE        open: first what the store has after Last-Event-ID (a read job),
 *             then live; events that arrive during the job wait in it.  The
 *             place of that event is kept though it is not stored any more, or
 *             was never visible to the key: ids grow with time.
 * INVARIANTS  1. A stream is freed only after its on_close mail arrived and it
 *                was given back to the listener, once.
 *             2. Events reach a stream in the order of their commits: the
 *                snapshot of the catch-up holds all that were committed before
 *                the stream was linked, and what comes later waits in `held`.
 *                An event between the two is written twice; ids tell.
 *             3. None is opened in a drain: streams_close_all() has closed them.
 *             4. None outlives its key: streams_revoke() follows the commit.
 * LIMITS      STREAMS_MAX streams, STREAM_BACKLOG_MAX events of a catch-up.
 * THREADS     The loop's; on_closed() runs on a listener's and only posts.
 * TESTS       tests/system/test_stream.py, tests/system/test_key_limits.py
 */
#include "server/stream.h"
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/render.h"
#include "gateway/sign.h"
#include "net/loop.h"
#include "server/api.h"

#define STREAM_BACKLOG_MAX 1000
#define STREAM_PING_MS 15000
#define RENDER_MAX (16U * 1024 * 1024)

enum stream_format { STREAM_GODWIT, STREAM_META };

struct stream {
	struct mail closed; /* posted once by on_closed() */
	struct streams *all;
	struct stream *next;
	struct http_stream *http;
	enum stream_format format;
	struct filter *filter;
	struct id key; /* zeros: the local socket, which needs none */
	char *numbers; /* of its key; empty: all */
	bool catching_up; /* live events wait in `held` */
	bool gone; /* on_close has run; waits for its job, if any */
	bool given_back; /* http_stream_close() was called: no more sends */
	struct buf held;
	/* the job */
	struct store_job job;
	struct buf backlog;
	struct id after; /* what it has seen; it need not be stored any more, or be visible */
	struct account_secrets *secrets; /* of the job: the accounts are the loop's */
};

struct streams {
	struct server *server;
	struct stream *first;
	size_t count;
	struct timer ping;
};

static void on_ping(void *cookie);

struct streams *streams_new(struct server *s)
{
	struct streams *st = xcalloc(1, sizeof(*st));

	st->server = s;
	timer_init(&st->ping, s->loop, LOOP_REAL, on_ping, st);
	timer_in_ms(&st->ping, STREAM_PING_MS);
	return st;
}

static void stream_free(struct stream *t)
{
	filter_free(t->filter);
	free(t->numbers);
	buf_release(&t->held);
	buf_release(&t->backlog);
	account_secrets_free(t->secrets);
	free(t);
}

void streams_free(struct streams *st)
{
	struct stream *next;

	if (st == NULL)
		return;
	timer_cancel(&st->ping);
	for (struct stream *t = st->first; t != NULL; t = next) {
		next = t->next;
		stream_free(t);
	}
	free(st);
}

size_t streams_count(const struct streams *st)
{
	return st->count;
}

/* Exactly once: inv. 1 */
static void give_back(struct stream *t)
{
	if (!t->given_back)
		http_stream_close(t->http);
	t->given_back = true;
}

static void on_ping(void *cookie)
{
	struct streams *st = cookie;

	for (struct stream *t = st->first; t != NULL; t = t->next)
		if (!t->given_back)
			http_stream_send(t->http, STR(": still here\n\n"));
	timer_in_ms(&st->ping, STREAM_PING_MS);
}

void streams_close_all(struct streams *st)
{
	for (struct stream *t = st->first; t != NULL; t = t->next)
		give_back(t);
}

void streams_revoke(struct streams *st, const struct id *key)
{
	for (struct stream *t = st->first; t != NULL; t = t->next) {
		if (t->given_back || !id_eq(&t->key, key))
			continue;
		http_stream_cut(t->http); /* what is queued was the key's, too */
		give_back(t);
	}
}

static void unlink_stream(struct stream *t)
{
	for (struct stream **p = &t->all->first; *p != NULL; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			t->all->count--;
			return;
		}
	}
}

static void on_closed_mail(struct mail *mail)
{
	struct stream *t = CONTAINER_OF(mail, struct stream, closed);

	t->gone = true;
	give_back(t);
	if (t->catching_up)
		return; /* on_caught_up() frees it */
	unlink_stream(t);
	stream_free(t);
}

static void on_closed(void *cookie) /* a listener's thread */
{
	struct stream *t = cookie;

	mailbox_post(t->all->server->mail, &t->closed);
}

/* ---- writing ---- */

/* What a body that we wrote is signed with; NULL: nothing. */
static const struct secret *secret_of(const struct accounts *all, struct str account)
{
	const struct account *a = accounts_get(all, account);

	if (a == NULL && accounts_count(all) == 1)
		a = accounts_at(all, 0); /* composed by us: whose else could it be */
	return a == NULL ? NULL : &a->app_secret;
}

/* The same from a copy, on a reader's thread. */
static const struct secret *secret_in(const struct account_secrets *all, struct str account)
{
	for (size_t i = 0; all != NULL && i < all->count; i++)
		if (str_eq(str_from(all->of[i].name), account) || all->count == 1)
			return &all->of[i].app_secret;
	return NULL;
}

static void sign(char out[SIGN_HUB_MAX], const struct secret *secret, struct str body)
{
	struct mac *mac;

	out[0] = '\0';
	if (secret == NULL || secret->len == 0)
		return;
	mac = mac_new(str_make((const char *)secret->bytes, secret->len));
	ASSERT(mac != NULL);
	sign_hub(mac, body, out);
	mac_free(mac);
}

static void put_meta(struct buf *out, const struct store_event_row *e, const struct render_how *how,
		     const struct secret *secret)
{
	char ours[SIGN_HUB_MAX];
	struct buf body;
	bool original;

	buf_init(&body, RENDER_MAX);
	if (render_meta(&body, e, how, &original) && !buf_failed(&body)) {
		if (!original)
			sign(ours, secret, buf_str(&body));
		buf_put_text(out, "{\"body\":");
		json_quote(out, buf_str(&body), false);
		buf_put_text(out, ",\"signature\":");
		json_quote(out, original ? e->signature : str_from(ours), false);
		buf_put_char(out, '}');
	}
	buf_release(&body);
}

static struct render_how how_of(const struct streams *st)
{
	return (struct render_how){ .media_base = media_base_get(&st->server->media_base) };
}

/* One event as one server-sent message; nothing when it has no form.  `secret`: for meta. */
static void put_event(struct buf *out, enum stream_format format, const struct store_event_row *e,
		      struct render_how how, const struct secret *secret)
{
	char id[ID_TEXT_MAX];
	struct buf data;

	buf_init(&data, RENDER_MAX * 2);
	if (format == STREAM_META)
		put_meta(&data, e, &how, secret);
	else
		render_godwit(&data, e, &how);
	if (!buf_failed(&data) && data.len > 0) {
		id_text(ID_EVENT, &e->id, id);
		buf_put_fmt(out, "id: %s\nevent: %.*s\ndata: ", id, STR_ARG(e->type));
		buf_put_str(out, buf_str(&data));
		buf_put_text(out, "\n\n");
	}
	buf_release(&data);
}

static bool wants(const struct stream *t, const struct store_event_row *e)
{
	char type[64], kind[64];

	return numbers_have(str_from(t->numbers), e->account_id) &&
	       str_copy(e->type, type, sizeof(type)) && str_copy(e->kind, kind, sizeof(kind)) &&
	       filter_passes(t->filter, type, kind, e->account_id);
}

void streams_event(struct streams *st, struct event *e)
{
	struct buf text[2];
	bool done[2] = { false, false };

	for (struct stream *t = st->first; t != NULL; t = t->next) {
		if (t->given_back || !wants(t, &e->row))
			continue;
		if (!done[t->format]) {
			buf_init(&text[t->format], RENDER_MAX * 2);
			put_event(&text[t->format], t->format, &e->row, how_of(st),
				  secret_of(st->server->accounts, e->row.account));
			done[t->format] = true;
		}
		if (t->catching_up) {
			buf_put_str(&t->held, buf_str(&text[t->format]));
		} else if (text[t->format].len > 0) {
			http_stream_send(t->http, buf_str(&text[t->format]));
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		if (done[i])
			buf_release(&text[i]);
}

/* ---- catching up after Last-Event-ID ---- */

struct missed {
	struct stream *stream;
	int64_t row; /* of `after`; 0: it is not stored (any more) */
	struct id ids[STREAM_BACKLOG_MAX];
	size_t count;
};

static bool note_row(void *cookie, const struct store_event_row *e)
{
	((struct missed *)cookie)->row = e->row;
	return false;
}

/* Newest first.  Rows are the order of the commits; without one, ids grow with time. */
static bool note_missed(void *cookie, const struct store_event_row *e)
{
	struct missed *m = cookie;

	if (m->row > 0 ? e->row <= m->row
		       : memcmp(e->id.bytes, m->stream->after.bytes, ID_BYTES) <= 0)
		return m->row == 0; /* a clock that was put back may hide a newer one behind it */
	m->ids[m->count++] = e->id;
	return m->count < STREAM_BACKLOG_MAX;
}

static bool put_missed(void *cookie, const struct store_event_row *e)
{
	struct stream *t = cookie;

	if (wants(t, e))
		put_event(&t->backlog, t->format, e, how_of(t->all),
			  secret_in(t->secrets, e->account));
	return false;
}

static void run_catch_up(struct store_job *job, struct store_reader *r)
{
	struct stream *t = CONTAINER_OF(job, struct stream, job);
	struct missed *m = xcalloc(1, sizeof(*m));
	struct store_event_filter f = { .limit = STREAM_BACKLOG_MAX,
					.numbers = str_from(t->numbers) };

	m->stream = t;
	job->status = reader_event(r, &t->after, note_row, m); /* visible to the key or not */
	if (job->status == GW_OK || job->status == GW_ENOTFOUND)
		job->status = reader_events(r, &f, note_missed, m);
	for (size_t i = m->count; job->status == GW_OK && i-- > 0;)
		job->status = reader_event(r, &m->ids[i], put_missed, t);
	free(m);
}

static void on_caught_up(struct store_job *job)
{
	struct stream *t = CONTAINER_OF(job, struct stream, job);

	t->catching_up = false;
	if (t->gone) {
		unlink_stream(t);
		stream_free(t);
		return;
	}
	if (job->status != GW_OK || buf_failed(&t->backlog) || buf_failed(&t->held)) {
		give_back(t); /* it may come back and ask again */
		return;
	}
	if (t->given_back)
		return;
	if (t->backlog.len > 0)
		http_stream_send(t->http, buf_str(&t->backlog));
	if (t->held.len > 0)
		http_stream_send(t->http, buf_str(&t->held));
	buf_release(&t->backlog);
	buf_release(&t->held);
}

/* ---- opening ---- */

static void put_words(struct buf *b, const struct http_call *call, const char *name)
{
	struct str list, one;
	bool first = true;

	if (!http_query(call, name, &list) || list.len == 0)
		return;
	buf_put_fmt(b, "%s\"%s\":[", b->len > 1 ? "," : "", name);
	while (str_split(&list, ',', &one)) {
		if (!first)
			buf_put_char(b, ',');
		json_quote(b, str_trim(one), false);
		first = false;
	}
	buf_put_char(b, ']');
}

static struct filter *filter_of_query(struct api_request *r)
{
	struct gw_error err = GW_ERROR_INIT;
	struct filter *f = NULL;
	struct buf b;

	buf_init(&b, 32768);
	buf_put_char(&b, '{');
	put_words(&b, r->call, "types");
	put_words(&b, r->call, "kinds");
	put_words(&b, r->call, "numbers");
	buf_put_char(&b, '}');
	if (buf_failed(&b) || filter_parse(buf_str(&b), &f, &err) != GW_OK)
		api_error(r->call, 400, "usage", "bad_filter", "%s",
			  buf_failed(&b) ? "the filter is too long" : err.message);
	buf_release(&b);
	return f;
}

void api_stream(struct api_request *r)
{
	struct streams *st = r->server->streams;
	struct str format = STR("godwit"), last;
	struct stream *t;
	struct filter *filter;
	struct id after;
	bool resume;

	(void)http_query(r->call, "format", &format);
	if (!str_eq(format, STR("godwit")) && !str_eq(format, STR("meta"))) {
		api_error(r->call, 400, "usage", "bad_format",
			  "format: want godwit or meta, got \"%.*s\"", STR_ARG(format));
		return;
	}
	if (r->server->phase == SERVER_DRAINING) {
		api_error(r->call, 503, "busy", "draining",
			  "the gateway is leaving; come back with Last-Event-ID");
		return;
	}
	if (st->count == STREAMS_MAX) {
		api_error(r->call, 503, "busy", "streams", "there are %d streams already",
			  STREAMS_MAX);
		return;
	}
	filter = filter_of_query(r);
	if (filter == NULL)
		return;
	resume = http_header(r->call, "Last-Event-ID", &last) && id_parse(ID_EVENT, last, &after);
	t = xcalloc(1, sizeof(*t));
	t->closed.deliver = on_closed_mail;
	t->all = st;
	t->format = str_eq(format, STR("meta")) ? STREAM_META : STREAM_GODWIT;
	t->filter = filter;
	t->numbers = xstrndup(api_numbers(r));
	if (r->key != NULL)
		t->key = r->key->id;
	buf_init(&t->held, STREAM_QUEUE_MAX);
	buf_init(&t->backlog, RENDER_MAX);
	t->next = st->first;
	st->first = t;
	st->count++;
	t->http = http_reply_stream(r->call, "text/event-stream", STREAM_QUEUE_MAX, on_closed, t);
	http_stream_send(t->http, STR(": godwit events\n\n"));
	if (resume) {
		t->after = after;
		t->catching_up = true;
		if (t->format == STREAM_META)
			t->secrets = account_secrets_copy(r->server->accounts);
		t->job.run = run_catch_up;
		t->job.done = on_caught_up;
		store_read(r->server->store, &t->job);
	}
}
