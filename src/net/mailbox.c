/* SPDX-License-Identifier: MIT */
/*
 * mailbox.c - a lock-free queue of many senders and one receiver
 *
 *     head -> newest -> ... -> oldest -> NULL      senders push with one CAS,
 *                                                  the receiver takes all and
 *                                                  turns the list around
 *
 * ROLE        The only way in which threads of this program meet.
 * INVARIANTS  1. The eventfd is written by exactly the post that found the
 *                queue empty, after the message is in the queue.
 *             2. A drain that takes something does not touch the eventfd: a
 *                loop watches it edge-triggered, so a signal that was overtaken
 *                by an early drain costs one empty turn and no read(2).  A
 *                drain that finds nothing reads the eventfd before it looks
 *                again, so level-triggered watchers come to rest.
 * THREADS     mailbox_post(): any.  The rest: the receiver's.
 * TESTS       tests/unit/test_mailbox.c
 */
#include "net/mailbox.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
	_Atomic(struct mail *) head; /* newest first; NULL: empty */
	int fd; /* eventfd, non-blocking */
};

struct mailbox *mailbox_new(void)
{
	struct mailbox *box = xcalloc(1, sizeof(*box));

	atomic_init(&box->head, NULL);
	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->fd < 0)
		PANIC("eventfd: errno %d", errno);
	return box;
}

void mailbox_free(struct mailbox *box)
{
	if (box == NULL)
		return;
	ASSERT(mailbox_is_empty(box));
	(void)close(box->fd);
	free(box);
}

int mailbox_fd(const struct mailbox *box)
{
	return box->fd;
}

bool mailbox_is_empty(const struct mailbox *box)
{
	return atomic_load_explicit(&box->head, memory_order_acquire) == NULL;
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
	struct mail *old = atomic_load_explicit(&box->head, memory_order_relaxed);
	uint64_t one = 1;

	do {
		mail->next = old;
	} while (!atomic_compare_exchange_weak_explicit(
		&box->head, &old, mail, memory_order_release, memory_order_relaxed));
	if (old != NULL)
		return;
	/* inv. 1.  It can only fail when the counter is full, and then it is readable. */
	while (write(box->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Forget signals that were given so far. */
static void read_signal(struct mailbox *box)
{
	uint64_t count;

	while (read(box->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

/* Everything in the queue, oldest first. */
static struct mail *take_all(struct mailbox *box)
{
	struct mail *list = atomic_exchange_explicit(&box->head, NULL, memory_order_acquire);
	struct mail *turned = NULL;

	while (list != NULL) {
		struct mail *next = list->next;

		list->next = turned;
		turned = list;
		list = next;
	}
	return turned;
}

size_t mailbox_drain(struct mailbox *box)
{
	struct mail *list = take_all(box);
	size_t count = 0;

	if (list == NULL) {
		read_signal(box); /* inv. 2 */
		list = take_all(box);
	}
	while (list != NULL) {
		struct mail *mail = list;

		list = mail->next; /* deliver() owns mail and may free it */
		mail->next = NULL;
		mail->deliver(mail);
		count++;
	}
	return count;
}

bool mailbox_wait(struct mailbox *box, int64_t until_ns)
{
	while (mailbox_is_empty(box)) {
		struct pollfd p = { .fd = box->fd, .events = POLLIN };
		struct timespec wait;
		int64_t left = 0;

		if (until_ns != INT64_MAX) {
			left = until_ns - clock_real_ns();
			if (left <= 0)
				return false;
			wait.tv_sec = (time_t)(left / NS_PER_S);
			wait.tv_nsec = (long)(left % NS_PER_S);
		}
		if (ppoll(&p, 1, until_ns == INT64_MAX ? NULL : &wait, NULL) > 0)
			read_signal(box); /* before the queue is looked at again */
	}
	return true;
}
