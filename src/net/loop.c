/* SPDX-License-Identifier: MIT */
/*
 * loop.c - epoll, mailboxes, timers and hooks in the order of loop.h
 *
 * INVARIANTS  1. A watch that was taken away in a turn stays allocated until
 *                the end of its io phase (on the list `dead`, fn == NULL),
 *                because epoll may have reported it already.
 *             2. Eventfds (wake-up, mailboxes) are watched edge-triggered and
 *                never read: each write is one more wake-up.
 * FAILURE     No descriptors or memory: panic, the state is on disk.
 * THREADS     The thread that runs the loop; loop_wake() any thread.
 * TESTS       tests/unit/test_loop.c
 */
#include "loop_int.h"

#include "base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 128 /* taken from epoll in one turn; the rest comes in the next */

struct loop_watch {
	struct loop *loop;
	int fd;
	uint32_t events;
	loop_fd_fn fn; /* NULL: unwatched */
	void *cookie;
	struct loop_watch *next, **link; /* in loop->watches or loop->dead */
};

struct hook {
	loop_fn fn;
	void *cookie;
};

struct loop {
	struct clock *clock;
	int epoll_fd, wake_fd;
	bool no_pwait2; /* the kernel lacks epoll_pwait2(): whole milliseconds */
	bool in_io;
	atomic_bool stop;
	struct timer_set timers;
	struct loop_watch *watches, *dead;
	struct mailbox **boxes;
	size_t box_count;
	struct hook *hooks;
	size_t hook_count;
};

static void epoll_must(struct loop *l, int op, int fd, uint32_t events, void *ptr)
{
	struct epoll_event ev = { .events = events, .data.ptr = ptr };

	if (epoll_ctl(l->epoll_fd, op, fd, &ev) != 0)
		PANIC("epoll_ctl op %d fd %d: errno %d", op, fd, errno);
}

struct loop *loop_try_new(struct clock *clock)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL }; /* inv. 2 */
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->clock = clock;
	atomic_init(&l->stop, false);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd >= 0 && l->wake_fd >= 0 &&
	    epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev) == 0)
		return l;
	if (l->wake_fd >= 0)
		(void)close(l->wake_fd);
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	free(l);
	return NULL;
}

struct loop *loop_new(struct clock *clock)
{
	struct loop *l = loop_try_new(clock);

	if (l == NULL)
		PANIC("no descriptors for a loop: errno %d", errno);
	return l;
}

static void free_list(struct loop_watch **head)
{
	while (*head != NULL) {
		struct loop_watch *w = *head;

		*head = w->next;
		free(w);
	}
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	timers_release(&l->timers);
	free_list(&l->watches);
	free_list(&l->dead);
	free(l->boxes);
	free(l->hooks);
	(void)close(l->wake_fd);
	(void)close(l->epoll_fd);
	free(l);
}

struct clock *loop_clock(struct loop *l)
{
	return l->clock;
}

struct timer_set *loop_timers(struct loop *l)
{
	return &l->timers;
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
}

void loop_wake(struct loop *l)
{
	uint64_t one = 1;
	int saved = errno; /* may run in a signal handler */

	while (write(l->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	errno = saved;
}

void loop_clock_moved(struct loop *l)
{
	loop_wake(l); /* the next turn computes its wait anew and fires what became due */
}

static void list_put(struct loop_watch **head, struct loop_watch *w)
{
	w->next = *head;
	w->link = head;
	if (w->next != NULL)
		w->next->link = &w->next;
	*head = w;
}

static void list_take(struct loop_watch *w)
{
	*w->link = w->next;
	if (w->next != NULL)
		w->next->link = w->link;
}

struct loop_watch *loop_watch(struct loop *l, int fd, uint32_t epoll_events, loop_fd_fn fn,
			      void *cookie)
{
	struct loop_watch *w = xmalloc(sizeof(*w));

	*w = (struct loop_watch){ l, fd, epoll_events, fn, cookie, NULL, NULL };
	list_put(&l->watches, w);
	epoll_must(l, EPOLL_CTL_ADD, fd, epoll_events, w);
	return w;
}

void loop_watch_change(struct loop_watch *w, uint32_t epoll_events)
{
	if (w->events == epoll_events)
		return;
	w->events = epoll_events;
	epoll_must(w->loop, EPOLL_CTL_MOD, w->fd, epoll_events, w);
}

static void let_go(struct loop_watch *w)
{
	struct loop *l = w->loop;

	list_take(w);
	w->fn = NULL;
	if (l->in_io)
		list_put(&l->dead, w); /* inv. 1 */
	else
		free(w);
}

void loop_unwatch(struct loop_watch *w)
{
	if (w == NULL)
		return;
	epoll_must(w->loop, EPOLL_CTL_DEL, w->fd, 0, NULL);
	let_go(w);
}

void loop_unwatch_closed(struct loop_watch *w)
{
	struct epoll_event ev = { .events = 0 };

	if (w == NULL)
		return;
	/* EBADF: closed.  ENOENT, EPERM: closed, and the number is another thread's now. */
	(void)epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, &ev);
	let_go(w);
}

/* A mailbox only has to end the wait: the mail phase looks at all of them. */
static void on_mail_signal(void *cookie, uint32_t events)
{
	(void)cookie;
	(void)events;
}

void loop_attach(struct loop *l, struct mailbox *box)
{
	l->boxes = xreallocarray(l->boxes, l->box_count + 1, sizeof(struct mailbox *));
	l->boxes[l->box_count++] = box;
	(void)loop_watch(l, mailbox_fd(box), EPOLLIN | EPOLLET, on_mail_signal, box); /* inv. 2 */
}

void loop_detach(struct loop *l, struct mailbox *box)
{
	struct loop_watch *w;
	size_t i = 0;

	for (w = l->watches; w != NULL && (w->fn != on_mail_signal || w->cookie != box);
	     w = w->next)
		;
	loop_unwatch(w);
	while (i < l->box_count && l->boxes[i] != box)
		i++;
	ASSERT(i < l->box_count);
	l->boxes[i] = l->boxes[--l->box_count];
	loop_wake(l); /* a mail phase under way may have passed over the box that moved */
}

void loop_before_sleep(struct loop *l, loop_fn fn, void *cookie)
{
	l->hooks = xreallocarray(l->hooks, l->hook_count + 1, sizeof(struct hook));
	l->hooks[l->hook_count++] = (struct hook){ fn, cookie };
}

static int64_t wait_ns(const struct loop *l, int64_t max_wait_ms)
{
	int64_t wait = timers_wait_ns(&l->timers, l->clock);

	if (max_wait_ms >= 0 && max_wait_ms < INT64_MAX / NS_PER_MS &&
	    wait > max_wait_ms * NS_PER_MS)
		wait = max_wait_ms * NS_PER_MS;
	return atomic_load(&l->stop) ? 0 : wait;
}

int loop_fd(const struct loop *l)
{
	return l->epoll_fd;
}

int64_t loop_wait_ms(const struct loop *l)
{
	int64_t ns = wait_ns(l, -1);

	return ns == INT64_MAX ? -1 : ns / NS_PER_MS + (ns % NS_PER_MS != 0); /* up: never early */
}

static int wait_events(struct loop *l, int64_t ns, struct epoll_event *events)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / NS_PER_S),
			       .tv_nsec = (long)(ns % NS_PER_S) };
	int64_t ms;
	int n;

	if (!l->no_pwait2) {
		n = epoll_pwait2(l->epoll_fd, events, EVENTS_MAX, ns == INT64_MAX ? NULL : &ts,
				 NULL);
		if (n >= 0 || errno == EINTR)
			return n < 0 ? 0 : n;
		l->no_pwait2 = true; /* before Linux 5.11, or a filter that does not know it */
	}
	ms = ns == INT64_MAX ? -1 : (ns + NS_PER_MS - 1) / NS_PER_MS; /* up: never early */
	n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, ms > INT32_MAX ? INT32_MAX : (int)ms);
	if (n < 0 && errno != EINTR)
		PANIC("epoll_wait: errno %d", errno);
	return n < 0 ? 0 : n;
}

static void run_io(struct loop *l, const struct epoll_event *events, int count)
{
	l->in_io = true;
	for (int i = 0; i < count; i++) {
		struct loop_watch *w = events[i].data.ptr;

		if (w != NULL && w->fn != NULL) /* NULL: the wake-up */
			w->fn(w->cookie, events[i].events);
	}
	l->in_io = false;
	free_list(&l->dead);
}

void loop_turn(struct loop *l, int64_t max_wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int count = wait_events(l, wait_ns(l, max_wait_ms), events);

	run_io(l, events, count);
	for (size_t i = 0; i < l->box_count; i++)
		if (!mailbox_is_empty(l->boxes[i]))
			(void)mailbox_drain(l->boxes[i]);
	timers_run(&l->timers, l->clock);
	for (size_t i = 0; i < l->hook_count; i++)
		l->hooks[i].fn(l->hooks[i].cookie);
}

void loop_run(struct loop *l)
{
	while (!atomic_load(&l->stop))
		loop_turn(l, -1);
	atomic_store(&l->stop, false);
}
