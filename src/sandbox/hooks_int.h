/* SPDX-License-Identifier: MIT */
/* hooks_int.h - shared by hooks.c (record and queue) and hooks_send.c (attempts, handshake) */
#ifndef SANDBOX_HOOKS_INT_H
#define SANDBOX_HOOKS_INT_H

#include "base/map.h"
#include "sandbox/hooks.h"

TAILQ_HEAD(hook_list, hook);

enum handshake_state { HANDSHAKE_NONE, HANDSHAKE_TRYING, HANDSHAKE_PASSED };

struct handshake {
	enum handshake_state state;
	struct timer timer; /* real: a callback comes up in real time */
	struct http_exchange *exchange;
	struct hook *record; /* its line in the log */
	int64_t wait_ms;
	char challenge[24];
};

struct hooks {
	struct world *world;
	struct hooks_events events;
	struct http_client *client;
	struct mac *mac;
	struct secret app_secret; /* for the old SHA-1 signature */
	struct secret verify_token;
	struct rnd rnd; /* a stream of its own */
	char *callback;
	struct handshake handshake;
	struct hook_list all, queue, finished;
	size_t finished_count, queued_count;
	struct map *by_id;
	uint64_t next_id;
	struct hooks_counts counts;
	struct buf batch; /* changes that wait for the end of the turn */
	size_t batch_count;
	struct arena *arena;
};

void hook_enter(struct hook *hook, enum hook_state state); /* state, counts, lists, event */
struct hook *hook_new(struct hooks *h, enum hook_kind kind, struct str body);
void hooks_pump(struct hooks *h); /* start what may start */
void hook_note_attempt(struct hook *hook, const struct http_outcome *o, const char *error);
void hook_on_retry_time(void *cookie); /* timer of HOOK_WAITING */
void handshake_start(struct hooks *h);
void handshake_stop(struct hooks *h);

#endif
