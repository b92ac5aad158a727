/* SPDX-License-Identifier: MIT */
/* test_mailbox.c - order, the signal's rule, waiting, and many senders at once */
#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/mailbox.h"

#include <poll.h>
#include <pthread.h>

#define SENDERS 4
#define PER_SENDER 20000

struct note {
	struct mail mail;
	int from, number;
	int *last; /* of its sender */
	int *total;
};

static bool is_readable(const struct mailbox *box)
{
	struct pollfd p = { .fd = mailbox_fd(box), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void on_note(struct mail *mail)
{
	struct note *n = CONTAINER_OF(mail, struct note, mail);

	assert_int_equal(n->number, *n->last + 1);
	*n->last = n->number;
	if (n->total != NULL)
		++*n->total;
	free(n);
}

static struct note *note_new(int *last, int number)
{
	struct note *n = xcalloc(1, sizeof(*n));

	n->mail.deliver = on_note;
	n->number = number;
	n->last = last;
	return n;
}

static void posts_arrive_in_order(void **state)
{
	struct mailbox *box = mailbox_new();
	int last = 0;

	(void)state;
	assert_true(mailbox_is_empty(box));
	CHECK_INT("drain of nothing", 0, mailbox_drain(box));
	for (int i = 1; i <= 5; i++)
		mailbox_post(box, &note_new(&last, i)->mail);
	assert_false(mailbox_is_empty(box));
	CHECK_INT("drained", 5, mailbox_drain(box));
	CHECK_INT("last", 5, last);
	mailbox_free(box);
	mailbox_free(NULL);
}

static void signal_comes_to_rest(void **state)
{
	struct mailbox *box = mailbox_new();
	int last = 0;

	(void)state;
	assert_false(is_readable(box));
	mailbox_post(box, &note_new(&last, 1)->mail);
	mailbox_post(box, &note_new(&last, 2)->mail);
	assert_true(is_readable(box));
	CHECK_INT("both", 2, mailbox_drain(box));
	CHECK_INT("none", 0, mailbox_drain(box));
	assert_false(is_readable(box));
	mailbox_post(box, &note_new(&last, 3)->mail);
	assert_true(is_readable(box));
	CHECK_INT("one", 1, mailbox_drain(box));
	mailbox_free(box);
}

struct again {
	struct mail mail;
	struct mailbox *box;
	int left;
};

static void on_again(struct mail *mail)
{
	struct again *a = CONTAINER_OF(mail, struct again, mail);

	if (--a->left > 0)
		mailbox_post(a->box, &a->mail);
}

/* A receiver that posts to itself gets it in the next drain, and is signalled. */
static void post_from_delivery(void **state)
{
	struct mailbox *box = mailbox_new();
	struct again a = { .mail.deliver = on_again, .box = box, .left = 2 };

	(void)state;
	mailbox_post(box, &a.mail);
	CHECK_INT("first", 1, mailbox_drain(box));
	assert_true(is_readable(box));
	CHECK_INT("second", 1, mailbox_drain(box));
	CHECK_INT("left", 0, a.left);
	mailbox_free(box);
}

static void wait_times_out(void **state)
{
	struct mailbox *box = mailbox_new();
	int64_t until = clock_real_ns() + 5 * NS_PER_MS;
	int last = 0;

	(void)state;
	assert_false(mailbox_wait(box, until));
	assert_true(clock_real_ns() >= until);
	mailbox_post(box, &note_new(&last, 1)->mail);
	assert_true(mailbox_wait(box, 0)); /* something is there: no look at the clock */
	(void)mailbox_drain(box); /* leaves the signal behind on purpose */
	assert_false(mailbox_wait(box, clock_real_ns() + NS_PER_MS));
	mailbox_free(box);
}

struct sender {
	struct mailbox *box;
	int last, *total;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (int i = 1; i <= PER_SENDER; i++) {
		struct note *n = note_new(&s->last, i);

		n->total = s->total;
		mailbox_post(s->box, &n->mail);
	}
	return NULL;
}

static void many_senders_lose_nothing(void **state)
{
	struct mailbox *box = mailbox_new();
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	int total = 0;

	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ box, 0, &total };
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
	}
	while (total < SENDERS * PER_SENDER && mailbox_wait(box, INT64_MAX))
		(void)mailbox_drain(box);
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		CHECK_INT("last of a sender", PER_SENDER, senders[i].last);
	}
	assert_true(mailbox_is_empty(box));
	mailbox_free(box);
}

static void free_full(void *arg)
{
	mailbox_free(arg);
}

static void freeing_a_full_one_is_a_bug(void **state)
{
	struct mailbox *box = mailbox_new();
	int last = 0;

	(void)state;
	mailbox_post(box, &note_new(&last, 1)->mail);
	assert_true(dies(free_full, box));
	(void)mailbox_drain(box);
	mailbox_free(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts_arrive_in_order),
		cmocka_unit_test(signal_comes_to_rest),
		cmocka_unit_test(post_from_delivery),
		cmocka_unit_test(wait_times_out),
		cmocka_unit_test(many_senders_lose_nothing),
		cmocka_unit_test(freeing_a_full_one_is_a_bug),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
