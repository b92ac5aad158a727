/* SPDX-License-Identifier: MIT */
/*
 * http_server_stream.c - endless answers, for server-sent events
 *
 * Bytes travel as chunks through the server's mailbox into the stream's queue;
 * the daemon pulls from there and the connection is suspended while the queue
 * is empty.  A suspended connection does not notice its client leaving, so its
 * socket is watched for the hang-up meanwhile.
 *
 * INVARIANTS  1. `queued` counts posted and queued bytes and never exceeds
 *                queue_max; the send that would cross it cuts the stream.
 *             2. The struct is freed when it has ended and its owner has closed
 *                it; owner decides who of the two is second when the server
 *                stops (http_server_int.h).
 *             3. From its making to its closing a stream holds a reference to
 *                the server, so its mailbox outlives every send.
 * THREADS     http_stream_send(), _cut(), _close(): any.  Rest: the server's.
 * TESTS       tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#include <sys/epoll.h>

#define BLOCK_BYTES 4096 /* what the daemon pulls at once */

/* The queue grew or the end is near: let the daemon pull again. */
static void wake(struct http_stream *st)
{
	if (!st->is_suspended)
		return;
	st->is_suspended = false;
	st->server->is_dirty = true;
	MHD_resume_connection(st->conn->mhd);
}

static ssize_t pull(void *cls, uint64_t pos, char *out, size_t max)
{
	struct http_stream *st = cls;
	size_t n = 0;

	(void)pos;
	if (st->is_cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	while (n < max && st->head != NULL) {
		struct stream_chunk *chunk = st->head;
		size_t part = chunk->len - st->head_at;

		if (part > max - n)
			part = max - n;
		memcpy(out + n, chunk->bytes + st->head_at, part);
		n += part;
		st->head_at += part;
		if (st->head_at == chunk->len) {
			st->head = chunk->next;
			st->head_at = 0;
			free(chunk);
		}
	}
	if (n > 0) {
		atomic_fetch_sub(&st->queued, n);
		return (ssize_t)n;
	}
	if (st->is_finishing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	st->is_suspended = true;
	MHD_suspend_connection(st->conn->mhd);
	return 0;
}

static void on_hangup(void *cookie, uint32_t events)
{
	(void)events;
	stream_cut(cookie);
}

void stream_begin(struct http_stream *st, struct http_conn *conn)
{
	st->conn = conn;
	/* Errors and hang-ups are reported unasked; a half-close counts as leaving, too. */
	st->hangup = loop_watch(st->server->loop, conn->fd, EPOLLRDHUP, on_hangup, st);
	if (st->server->is_draining) /* on_stop() has cut those that ran */
		stream_cut(st);
}

void stream_cut(struct http_stream *st)
{
	st->is_cut = true;
	loop_unwatch(st->hangup);
	st->hangup = NULL;
	if (st->conn == NULL)
		return;
	guard_cut(st->conn, "stream cut");
	wake(st);
}

void stream_free(struct http_stream *st)
{
	*st->link = st->next;
	if (st->next != NULL)
		st->next->link = st->link;
	free(st);
}

void stream_end(struct http_stream *st)
{
	struct stream_chunk *chunk;

	atomic_store(&st->ended, true);
	loop_unwatch(st->hangup);
	st->hangup = NULL;
	st->conn = NULL;
	while ((chunk = st->head) != NULL) {
		st->head = chunk->next;
		free(chunk);
	}
	st->on_close(st->cookie);
	if (st->is_finishing) /* its owner had closed it: inv. 2 */
		stream_free(st);
}

bool stream_orphan(struct http_stream *st)
{
	/* Once: an orphan that is closed afterwards is DONE, too, but posts nothing. */
	if (st->is_orphan)
		return true;
	st->is_orphan = atomic_exchange(&st->owner, OWNER_ORPHANED) == OWNER_HAS;
	if (!st->is_orphan)
		atomic_store(&st->owner, OWNER_DONE);
	return st->is_orphan;
}

/* ---- mails ---- */

static void on_chunk(struct mail *mail)
{
	struct stream_chunk *chunk = CONTAINER_OF(mail, struct stream_chunk, mail);
	struct http_stream *st = chunk->stream;

	if (atomic_load(&st->ended) || st->is_cut) {
		free(chunk);
		return;
	}
	chunk->next = NULL;
	if (st->head == NULL)
		st->head = chunk;
	else
		st->tail->next = chunk;
	st->tail = chunk;
	wake(st);
}

static void on_cut(struct mail *mail)
{
	struct http_stream *st = CONTAINER_OF(mail, struct http_stream, cut_mail);

	if (!atomic_load(&st->ended))
		stream_cut(st);
}

static void on_owner_closed(struct mail *mail)
{
	struct http_stream *st = CONTAINER_OF(mail, struct http_stream, close_mail);

	if (atomic_load(&st->ended)) {
		stream_free(st); /* inv. 2 */
		return;
	}
	st->is_finishing = true;
	wake(st);
}

/* ---- for the owner ---- */

void stream_link(struct http_stream *st)
{
	st->next = st->server->streams;
	st->link = &st->server->streams;
	if (st->next != NULL)
		st->next->link = &st->next;
	st->server->streams = st;
}

struct http_stream *http_reply_stream(struct http_call *c, const char *type, size_t queue_max,
				      void (*on_close)(void *cookie), void *cookie)
{
	struct http_stream *st = xcalloc(1, sizeof(*st));
	struct MHD_Response *r;

	st->server = c->server;
	st->queue_max = queue_max;
	st->on_close = on_close;
	st->cookie = cookie;
	st->close_mail.deliver = on_owner_closed;
	st->cut_mail.deliver = on_cut;
	atomic_fetch_add(&st->server->refs, 1); /* until http_stream_close(): inv. 3 */
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, pull, st, NULL);
	if (r == NULL)
		PANIC("no memory for a stream");
	(void)MHD_add_response_header(r, "Content-Type", type);
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	c->stream = st;
	if (!call_deliver(c, 200, r)) {
		/* The server went first: ended from the start, on the only thread there is. */
		atomic_store(&st->owner, OWNER_ORPHANED);
		atomic_store(&st->ended, true);
		on_close(cookie);
	}
	return st;
}

size_t http_stream_queued(const struct http_stream *st)
{
	return atomic_load(&st->queued);
}

void http_stream_cut(struct http_stream *st)
{
	if (!atomic_load(&st->ended) && !atomic_exchange(&st->cut_asked, true))
		mailbox_post(st->server->box, &st->cut_mail);
}

void http_stream_send(struct http_stream *st, struct str bytes)
{
	struct stream_chunk *chunk;

	if (bytes.len == 0 || atomic_load(&st->ended))
		return;
	if (bytes.len > st->queue_max ||
	    atomic_fetch_add(&st->queued, bytes.len) > st->queue_max - bytes.len) { /* inv. 1 */
		http_stream_cut(st);
		return;
	}
	chunk = xmalloc(sizeof(*chunk) + bytes.len);
	chunk->mail.deliver = on_chunk;
	chunk->stream = st;
	chunk->len = bytes.len;
	memcpy(chunk->bytes, bytes.ptr, bytes.len);
	mailbox_post(st->server->box, &chunk->mail);
}

void http_stream_close(struct http_stream *st)
{
	struct http_server *s = st->server;
	int was = atomic_exchange(&st->owner, OWNER_DONE);

	ASSERT(was != OWNER_DONE); /* given back twice */
	if (was == OWNER_HAS)
		mailbox_post(s->box, &st->close_mail);
	else if (st->link == NULL)
		free(st); /* it never began; the others go with the server */
	server_unref(s);
}
