/* SPDX-License-Identifier: MIT */
/*
 * control.h - the control API under /sandbox/v1/ (docs/sandbox.md)
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "sandbox/answer.h"
#include "sandbox/faults.h"
#include "sandbox/hooks.h"
#include "sandbox/sent.h"
#include "sandbox/simclock.h"
#include "sandbox/world.h"

struct waiter;
TAILQ_HEAD(waiter_list, waiter);

struct control {
	struct world *world;
	struct faults *faults;
	struct hooks *hooks;
	struct answers *answers;
	struct simclock *clock;
	bool no_seed_message;
	struct arena *arena; /* of the call being handled */
	struct waiter_list waiters;
	size_t waiter_count;
};

void control_init(struct control *c);
void control_release(struct control *c); /* answers whoever waits */
void control_free_waiters(struct control *c); /* the same alone */
/* path is what follows "/sandbox/v1/". */
void control_handle(struct control *c, struct http_call *call, struct str path);
/* The page at "/". */
void control_page(struct control *c, struct http_call *call);

/* For the owner to pass on: something happened that a long-poll may wait for. */
void control_accepted(struct control *c, const struct sent_message *m);
void control_hook_changed(struct control *c, const struct hook *hook);

#endif
