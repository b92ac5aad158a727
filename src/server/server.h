/* SPDX-License-Identifier: MIT */
/*
 * server.h - what the files of this folder share: one running gateway
 *
 * Made by serve.c, owned by the loop's thread.  HTTP threads see only what is
 * said to be theirs (the fronts' on_head/on_request) and reach the rest by
 * mail to `mail`.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "gateway/media_link.h"
#include "gateway/account.h"
#include "gateway/destination.h"
#include "gateway/inbox.h"
#include "gateway/metrics.h"
#include "gateway/outbox.h"
#include "gateway/relay.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "server/config.h"
#include "server/keys.h"
#include "server/notify.h"

struct webhook_front;
struct graph_front;
struct streams;
struct template_read;
struct number_read;
struct clock_follow;
struct batches;
struct drain;
struct reload;
struct hosts;
struct doctor_run;

/* When /webhook was last called well and badly, by others than `godwit doctor` (wall clock, ms;
 * 0: never). */
struct webhook_heard {
	_Atomic int64_t shaken_ms, unshaken_ms; /* a handshake; with a verify token of nobody's */
	_Atomic int64_t signed_ms, unsigned_ms; /* a call; with a signature of nobody's */
};

enum server_phase { SERVER_STARTING, SERVER_READY, SERVER_DRAINING };

struct server {
	struct config *config; /* written by reload.c */
	const struct config_values *cfg;
	struct log log;
	struct clock clock;
	struct loop *loop;
	struct mailbox *mail; /* to the loop: store completions and HTTP threads */
	struct rnd rnd;
	struct id_maker ids;
	struct metrics *metrics;
	struct wayback wayback; /* counted by the public listener's thread, too */
	struct webhook_heard heard; /* written by that thread */
	struct store *store;
	struct accounts *accounts;
	struct destinations *destinations;
	struct keys *keys;
	struct egress *egress;
	struct template_facts *templates;
	struct template_read *template_read;
	struct number_read *number_read;
	struct token_maker token;
	struct inbox *inbox;
	struct outbox *outbox;
	struct batches *batches;
	struct relay *relay;
	struct webhook_front *webhook;
	struct graph_front *graph;
	struct streams *streams;
	struct clock_follow *follow;
	struct http_server *public_server, *api_server,
		*local_server; /* api NULL: public is both */
	bool public_serves_api; /* set before the listeners start */
	struct timer tick;
	struct drain *drain; /* from SIGTERM on */
	struct reload *reload; /* one that is under way */
	struct backup_call *backups; /* likewise, oldest first (api_backup.c) */
	struct doctor_run *doctor_run; /* likewise (api_doctor.c) */
	/* LIVE keys that listeners read (settings.c) */
	_Atomic int64_t disk_min;
	struct media_base media_base; /* of links to media in events */
	_Atomic unsigned spools; /* open now (spool.c) */
	struct hosts *_Atomic hosts;
	struct notify notify; /* of the service manager */
	int signal_fd;
	struct loop_watch *signal_watch;
	_Atomic int phase; /* enum server_phase; read by HTTP threads */
	_Atomic int64_t turned_ns; /* clock_real_ns() of the loop's last tick: /livez */
	int64_t started_ms;
};

#endif
