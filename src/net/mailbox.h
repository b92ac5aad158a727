/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - how threads meet: a queue of typed messages and an eventfd
 *
 * A message embeds a struct mail and names the function that receives it:
 *
 *     struct ping { struct mail mail; int n; };
 *     ping->mail.deliver = on_ping;          // runs on the receiver's thread
 *     mailbox_post(box, &ping->mail);        // any thread; gives the message
 *
 * The receiver owns what arrives and finds its struct with CONTAINER_OF.
 * Messages of one sender keep their order.  Posting never blocks and never
 * fails; what is posted is bounded by its owners (calls, entries, batches).
 */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include "base/panic.h"
#include <godwit/types.h>

struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail);
};

struct mailbox;

struct mailbox *mailbox_new(void); /* panics without descriptors or memory */
void mailbox_free(struct mailbox *box); /* empty, and no post under way; NULL allowed */
/* Readable when something was posted: watch it edge-triggered, or drain until 0 comes back. */
int mailbox_fd(const struct mailbox *box);
bool mailbox_is_empty(const struct mailbox *box); /* costs no system call; any thread */
void mailbox_post(struct mailbox *box, struct mail *mail);
/* Receiver's thread: deliver all that has arrived; returns how many. */
size_t mailbox_drain(struct mailbox *box);
/* For a thread without a loop: wait until something arrives or real time `until_ns` (clock_real_ns
 * scale; INT64_MAX: for ever) passes; true when something arrived. */
bool mailbox_wait(struct mailbox *box, int64_t until_ns);

#endif
