/* SPDX-License-Identifier: MIT */
/*
 * loop.h - one thread's event loop: descriptors, timers, mailboxes, phases
 *
 * One turn of the loop, in this order:
 *   1 wait      epoll, until the nearest timer
 *   2 io        callbacks of ready descriptors
 *   3 mail      mailbox_drain() of every attached mailbox
 *   4 timers    due timers, earliest first (real and moved clocks)
 *   5 before_sleep   hooks in the order they were added: what was queued in
 *                    this turn is handed on here (group commits, curl kicks)
 *
 * Timers of kind LOOP_MOVED follow clock_mono_ns(): when the clock is
 * advanced, call loop_clock_moved() on the loop thread and they fire at once.
 * On a frozen clock they fire only by advances.
 *
 * THREADS  Everything here belongs to the thread that runs the loop, except
 *          loop_wake().
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/clock.h"
#include "net/mailbox.h"
#include <godwit/error.h>

struct loop;
struct loop_watch;

typedef void (*loop_fd_fn)(void *cookie, uint32_t epoll_events);
typedef void (*loop_fn)(void *cookie);

struct loop *loop_new(struct clock *clock); /* panics without descriptors */
struct loop *loop_try_new(struct clock *clock); /* NULL without descriptors or memory */
void loop_free(struct loop *l); /* timers and watches must be gone or are dropped */
void loop_run(struct loop *l); /* until loop_stop() */
void loop_turn(struct loop *l,
	       int64_t max_wait_ms); /* one turn, for tests; -1: as long as needed */
void loop_stop(struct loop *l);
void loop_wake(struct loop *l); /* any thread, or a signal handler */
struct clock *loop_clock(struct loop *l);
void loop_clock_moved(struct loop *l);
/*
 * For a loop inside another loop: poll loop_fd() for reading, at most
 * loop_wait_ms() long (-1: for ever), then loop_turn(l, 0).
 */
int loop_fd(const struct loop *l);
int64_t loop_wait_ms(const struct loop *l);

/* Watch fd for EPOLLIN/EPOLLOUT; fn may unwatch itself or others. */
struct loop_watch *loop_watch(struct loop *l, int fd, uint32_t epoll_events, loop_fd_fn fn,
			      void *cookie);
void loop_watch_change(struct loop_watch *w, uint32_t epoll_events);
void loop_unwatch(struct loop_watch *w); /* before close(fd); NULL allowed */
/* The same where fd may be closed already (by a library): only the watch goes. */
void loop_unwatch_closed(struct loop_watch *w);

void loop_attach(struct loop *l, struct mailbox *box);
void loop_detach(struct loop *l, struct mailbox *box);
void loop_before_sleep(struct loop *l, loop_fn fn, void *cookie);

enum loop_clock_kind { LOOP_REAL, LOOP_MOVED };

/* Embedded in its owner; timer_init() before use, timer_cancel() before the owner is freed. */
struct timer {
	struct loop *loop;
	enum loop_clock_kind kind;
	int64_t at_ns; /* on its clock */
	uint64_t seq; /* order of arming: equal times fire first come, first served */
	size_t slot; /* place in the heap + 1; 0: not armed */
	loop_fn fn;
	void *cookie;
};

void timer_init(struct timer *t, struct loop *l, enum loop_clock_kind kind, loop_fn fn,
		void *cookie);
void timer_at(struct timer *t, int64_t at_ns); /* (re)arm at a time of its clock */
void timer_in_ms(struct timer *t, int64_t ms); /* (re)arm from now */
void timer_cancel(struct timer *t);
bool timer_is_armed(const struct timer *t);

#endif
