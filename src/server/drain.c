/* SPDX-License-Identifier: MIT */
/*
 * drain.c - SIGTERM: finish what was begun, lose nothing, leave
 *
 *   1 /readyz says 503, no new connections, streams end
 *   2 the outbox claims nothing more, the relay starts nothing more; both
 *     finish what is in flight (at most drain.grace)
 *   3 the listeners stop: every request whose head was read is answered, for
 *     which this loop keeps turning while a short-lived thread waits for them
 *   4 what the store still has comes back, and the loop stops; serve.c
 *     checkpoints and leaves 0
 *
 * The thread of step 3 is the one exception to the list of threads: stopping a
 * listener blocks until its calls are answered, and the loop answers them
 * (docs/decisions/005-a-thread-stops-the-listeners.md).
 *
 * THREADS  The loop's; stop_all() is the exception above.
 * TESTS    tests/system/test_drain.py
 */
#include "server/drain.h"
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/batch.h"
#include "server/stream.h"
#include <pthread.h>

#define SETTLE_LOOK_MS 5
#define LEAVE_MS 30000 /* behind drain.grace: calls answered, the WAL checkpointed */
#define SETTLE_LOOKS_MAX 400 /* two seconds: a disk that takes longer is stuck */

struct drain {
	struct mail stopped;
	struct server *server;
	struct timer grace;
	bool outbox_idle, relay_idle, stopping;
	unsigned looks; /* at what the store still has */
	pthread_t thread;
};

/* No call is open any more; what is with the store comes back within a commit. */
static void settle(void *cookie)
{
	struct drain *d = cookie;

	if (inbox_pending(d->server->inbox) > 0 && ++d->looks < SETTLE_LOOKS_MAX)
		timer_in_ms(&d->grace, SETTLE_LOOK_MS);
	else
		loop_stop(d->server->loop);
}

static void on_stopped(struct mail *mail)
{
	struct drain *d = CONTAINER_OF(mail, struct drain, stopped);
	struct server *s = d->server;

	(void)pthread_join(d->thread, NULL);
	timer_cancel(&d->grace);
	s->public_server = NULL;
	s->api_server = NULL;
	s->local_server = NULL;
	relay_drain(s->relay, NULL, NULL); /* cut by drain.grace: nobody to tell any more */
	timer_init(&d->grace, s->loop, LOOP_REAL, settle, d);
	settle(d);
}

static void *stop_all(void *cookie)
{
	struct drain *d = cookie;
	struct http_server *all[] = { d->server->public_server, d->server->api_server,
				      d->server->local_server };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] != NULL)
			http_server_stop(all[i], DRAIN_LISTENERS_MS);
	mailbox_post(d->server->mail, &d->stopped);
	return NULL;
}

static void stop_listeners(struct drain *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->stopped.deliver = on_stopped;
	if (pthread_create(&d->thread, NULL, stop_all, d) != 0)
		PANIC("no thread to stop the listeners with");
}

static void check(struct drain *d)
{
	if (d->outbox_idle && d->relay_idle && !d->stopping)
		stop_listeners(d);
}

static void on_outbox_idle(void *cookie)
{
	struct drain *d = cookie;

	d->outbox_idle = true;
	check(d);
}

static void on_relay_idle(void *cookie)
{
	struct drain *d = cookie;

	d->relay_idle = true;
	check(d);
}

static void on_grace(void *cookie)
{
	struct drain *d = cookie;

	log_warn(&d->server->log,
		 "drain.grace is over with attempts in flight; they become unknown");
	outbox_let_go(d->server->outbox);
	stop_listeners(d);
}

void drain_begin(struct server *s)
{
	struct drain *d = xcalloc(1, sizeof(*d));

	log_info(&s->log, "draining");
	s->phase = SERVER_DRAINING;
	notify_stopping(&s->notify, s->cfg->drain_grace_ms + LEAVE_MS);
	d->server = s;
	s->drain = d; /* freed last: callbacks may still name it */
	http_server_quiesce(s->public_server);
	if (s->api_server != NULL)
		http_server_quiesce(s->api_server);
	if (s->local_server != NULL)
		http_server_quiesce(s->local_server);
	streams_close_all(s->streams);
	timer_init(&d->grace, s->loop, LOOP_REAL, on_grace, d);
	timer_in_ms(&d->grace, s->cfg->drain_grace_ms);
	relay_drain(s->relay, on_relay_idle, d);
	batches_drain(s->batches);
	outbox_drain(s->outbox, on_outbox_idle, d);
}
