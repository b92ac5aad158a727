/* SPDX-License-Identifier: MIT */
/* test_loop.c - phases, watches, and timers on both clocks */
#include "unit.h"

#include "base/rnd.h"
#include "net/loop.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

/* What happened, one letter each. */
struct diary {
	char text[64];
	size_t len;
};

static void note(struct diary *d, char c)
{
	assert_true(d->len + 1 < sizeof(d->text));
	d->text[d->len++] = c;
	d->text[d->len] = '\0';
}

struct entry {
	struct diary *diary;
	char letter;
	struct timer timer;
	struct mail mail;
	struct loop *loop;
	int rearm; /* times to arm itself again, at once */
	bool stop;
};

static void on_timer(void *cookie)
{
	struct entry *e = cookie;

	note(e->diary, e->letter);
	if (e->rearm-- > 0)
		timer_in_ms(&e->timer, 0);
	if (e->stop)
		loop_stop(e->loop);
}

static void on_mail(struct mail *mail)
{
	struct entry *e = CONTAINER_OF(mail, struct entry, mail);

	note(e->diary, e->letter);
}

static void on_fd(void *cookie, uint32_t events)
{
	struct entry *e = cookie;

	(void)events;
	note(e->diary, e->letter);
}

static struct entry *entry(struct entry *e, struct loop *l, enum loop_clock_kind kind,
			   struct diary *d, char letter)
{
	*e = (struct entry){ .diary = d, .letter = letter, .loop = l };
	timer_init(&e->timer, l, kind, on_timer, e);
	e->mail.deliver = on_mail;
	return e;
}

static void phases_in_order(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry t, m, f, h1, h2;
	struct mailbox *box = mailbox_new();
	int fds[2];

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	loop_attach(l, box);
	loop_before_sleep(l, on_timer, entry(&h1, l, LOOP_REAL, &d, '1'));
	loop_before_sleep(l, on_timer, entry(&h2, l, LOOP_REAL, &d, '2'));
	timer_in_ms(&entry(&t, l, LOOP_REAL, &d, 't')->timer, 0);
	mailbox_post(box, &entry(&m, l, LOOP_REAL, &d, 'm')->mail);
	(void)loop_watch(l, fds[0], EPOLLIN, on_fd, entry(&f, l, LOOP_REAL, &d, 'f'));
	loop_turn(l, -1);
	CHECK_STR("one turn", "fmt12", str_from(d.text));
	loop_detach(l, box);
	mailbox_free(box);
	loop_free(l); /* drops the watch */
	loop_free(NULL);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void timers_fire_earliest_first(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry e[4];
	int64_t now = clock_real_ns() - NS_PER_S;

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	timer_at(&entry(&e[0], l, LOOP_REAL, &d, 'c')->timer, now + 3);
	timer_at(&entry(&e[1], l, LOOP_MOVED, &d, 'b')->timer, now + 2);
	timer_at(&entry(&e[2], l, LOOP_REAL, &d, 'd')->timer, now + 3); /* armed later */
	timer_at(&entry(&e[3], l, LOOP_REAL, &d, 'a')->timer, now + 1);
	loop_turn(l, -1);
	assert_int_equal(d.len, 4);
	/* The two clocks are not comparable to the nanosecond: real ones keep their order. */
	assert_non_null(strchr(d.text, 'b'));
	assert_true(strchr(d.text, 'a') < strchr(d.text, 'c'));
	assert_true(strchr(d.text, 'c') < strchr(d.text, 'd'));
	loop_free(l);
}

static void timer_real_waits(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry e;
	int64_t start = clock_real_ns();

	(void)state;
	clock_init(&clock);
	clock_freeze(&clock); /* means nothing to a real timer */
	l = loop_new(&clock);
	entry(&e, l, LOOP_REAL, &d, 'x')->stop = true;
	timer_in_ms(&e.timer, 3);
	assert_true(timer_is_armed(&e.timer));
	loop_run(l);
	assert_true(clock_real_ns() - start >= 3 * NS_PER_MS);
	assert_false(timer_is_armed(&e.timer));
	CHECK_STR("fired", "x", str_from(d.text));
	loop_free(l);
}

static void frozen_timers_fire_by_moves_only(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry e;

	(void)state;
	clock_init(&clock);
	clock_freeze(&clock);
	l = loop_new(&clock);
	timer_in_ms(&entry(&e, l, LOOP_MOVED, &d, 'x')->timer, 3600 * 1000);
	loop_turn(l, 0);
	CHECK_STR("not yet", "", str_from(d.text));
	clock_advance(&clock, 3600 * NS_PER_S - 1);
	loop_clock_moved(l);
	loop_turn(l, -1); /* woken by the move, and nothing is due */
	CHECK_STR("one ns early", "", str_from(d.text));
	clock_advance(&clock, 1);
	loop_clock_moved(l);
	loop_turn(l, -1);
	CHECK_STR("due", "x", str_from(d.text));
	loop_free(l);
}

static void moved_timer_wakes_a_running_clock(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry e;

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	timer_in_ms(&entry(&e, l, LOOP_MOVED, &d, 'x')->timer, 2);
	e.stop = true;
	loop_run(l);
	CHECK_STR("fired", "x", str_from(d.text));
	loop_free(l);
}

/* One that re-arms itself for now has one turn in every turn, no more. */
static void rearming_cannot_hold_the_loop(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry a, b;

	(void)state;
	clock_init(&clock);
	clock_freeze(&clock);
	l = loop_new(&clock);
	timer_in_ms(&entry(&a, l, LOOP_MOVED, &d, 'a')->timer, 0);
	timer_in_ms(&entry(&b, l, LOOP_MOVED, &d, 'b')->timer, 0);
	a.rearm = 2;
	loop_turn(l, -1);
	CHECK_STR("first", "ab", str_from(d.text));
	loop_turn(l, -1);
	loop_turn(l, -1);
	CHECK_STR("third", "abaa", str_from(d.text));
	loop_turn(l, 0);
	CHECK_STR("none left", "abaa", str_from(d.text));
	loop_free(l);
}

static void cancelled_and_moved_timers(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry a, b;

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	timer_in_ms(&entry(&a, l, LOOP_REAL, &d, 'a')->timer, 0);
	timer_cancel(&a.timer);
	timer_cancel(&a.timer); /* twice is fine */
	timer_in_ms(&entry(&b, l, LOOP_REAL, &d, 'b')->timer, 0);
	timer_in_ms(&b.timer, INT64_MAX); /* later after all: for ever */
	loop_turn(l, 0);
	CHECK_STR("nothing", "", str_from(d.text));
	timer_at(&b.timer, 0);
	loop_turn(l, -1);
	CHECK_STR("b", "b", str_from(d.text));
	loop_free(l);
}

#define MANY 500

struct ranked {
	struct timer timer;
	int64_t *last;
	int *count;
};

static void on_ranked(void *cookie)
{
	struct ranked *r = cookie;

	assert_true(r->timer.at_ns >= *r->last);
	*r->last = r->timer.at_ns;
	++*r->count;
}

/* The heap under random arming, moving and cancelling. */
static void heap_keeps_order(void **state)
{
	static struct ranked all[MANY];
	struct clock clock;
	struct loop *l;
	struct rnd rnd;
	int64_t last = INT64_MIN;
	int count = 0, armed = 0;

	(void)state;
	clock_init(&clock);
	clock_freeze(&clock);
	l = loop_new(&clock);
	rnd_init_seed(&rnd, 1);
	for (int i = 0; i < MANY; i++) {
		all[i] = (struct ranked){ .last = &last, .count = &count };
		timer_init(&all[i].timer, l, LOOP_MOVED, on_ranked, &all[i]);
	}
	for (int i = 0; i < MANY * 8; i++) {
		struct timer *t = &all[rnd_below(&rnd, MANY)].timer;

		if (rnd_below(&rnd, 4) == 0)
			timer_cancel(t);
		else
			timer_in_ms(t, (int64_t)rnd_below(&rnd, 1000));
	}
	for (int i = 0; i < MANY; i++)
		armed += timer_is_armed(&all[i].timer);
	clock_advance(&clock, NS_PER_S);
	loop_clock_moved(l);
	loop_turn(l, -1);
	CHECK_INT("all fired", armed, count);
	loop_free(l);
}

struct pair {
	struct loop_watch *a, *b;
	struct diary *d;
};

static void unwatch_both(void *cookie, uint32_t events)
{
	struct pair *p = cookie;

	(void)events;
	note(p->d, 'u');
	loop_unwatch(p->a);
	loop_unwatch(p->b);
	p->a = p->b = NULL;
}

/* Both are ready; whichever comes first takes both away, and the other never runs. */
static void unwatch_inside_a_callback(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct pair p = { .d = &d };
	int one[2], two[2];

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	assert_int_equal(pipe(one) | pipe(two), 0);
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	p.a = loop_watch(l, one[0], EPOLLIN, unwatch_both, &p);
	p.b = loop_watch(l, two[0], EPOLLIN, unwatch_both, &p);
	loop_turn(l, 0);
	loop_turn(l, 0);
	CHECK_STR("once", "u", str_from(d.text));
	loop_unwatch(NULL);
	loop_free(l);
	for (int i = 0; i < 2; i++) {
		(void)close(one[i]);
		(void)close(two[i]);
	}
}

static void watch_change_is_obeyed(void **state)
{
	struct clock clock;
	struct loop *l;
	struct diary d = { 0 };
	struct entry f;
	struct loop_watch *w;
	int fds[2];

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	assert_int_equal(pipe(fds), 0);
	w = loop_watch(l, fds[1], 0, on_fd, entry(&f, l, LOOP_REAL, &d, 'w'));
	loop_turn(l, 0);
	CHECK_STR("not asked for", "", str_from(d.text));
	loop_watch_change(w, EPOLLOUT);
	loop_turn(l, 0);
	CHECK_STR("writable", "w", str_from(d.text));
	loop_unwatch(w);
	loop_turn(l, 0);
	CHECK_STR("gone", "w", str_from(d.text));
	loop_free(l);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void *wake_later(void *arg)
{
	loop_wake(arg);
	return NULL;
}

static void wake_from_another_thread(void **state)
{
	struct clock clock;
	struct loop *l;
	pthread_t thread;

	(void)state;
	clock_init(&clock);
	l = loop_new(&clock);
	assert_int_equal(pthread_create(&thread, NULL, wake_later, l), 0);
	loop_turn(l, -1); /* would hang without the wake-up */
	assert_int_equal(pthread_join(thread, NULL), 0);
	loop_stop(l);
	loop_run(l); /* a stop before the run counts */
	loop_free(l);
}

struct letter {
	struct mail mail;
	struct loop *loop;
};

static void stop_on_mail(struct mail *mail)
{
	loop_stop(CONTAINER_OF(mail, struct letter, mail)->loop);
}

static void *post_later(void *arg)
{
	void **args = arg;

	mailbox_post(args[0], args[1]);
	return NULL;
}

static void mail_from_another_thread(void **state)
{
	struct clock clock;
	struct mailbox *box = mailbox_new();
	struct letter letter = { .mail.deliver = stop_on_mail };
	void *args[2] = { box, &letter.mail };
	pthread_t thread;

	(void)state;
	clock_init(&clock);
	letter.loop = loop_new(&clock);
	loop_attach(letter.loop, box);
	assert_int_equal(pthread_create(&thread, NULL, post_later, args), 0);
	loop_run(letter.loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	loop_detach(letter.loop, box);
	loop_free(letter.loop);
	mailbox_free(box);
}

static void read_byte(void *cookie, uint32_t events)
{
	char byte;

	(void)events;
	assert_int_equal(read(*(int *)cookie, &byte, 1), 1);
}

static void nothing_due(void *cookie)
{
	(void)cookie;
}

static void another_loop_polls_it(void **state)
{
	struct clock clock;
	struct timer t;
	struct pollfd outer = { .events = POLLIN };
	int pipes[2];
	struct loop *l;

	(void)state;
	clock_init(&clock);
	l = loop_try_new(&clock);
	assert_non_null(l);
	outer.fd = loop_fd(l);
	assert_int_equal(pipe(pipes), 0);
	(void)loop_watch(l, pipes[0], EPOLLIN, read_byte, &pipes[0]);
	assert_int_equal(loop_wait_ms(l), -1);
	assert_int_equal(poll(&outer, 1, 0), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(poll(&outer, 1, 0), 1);
	loop_turn(l, 0);
	assert_int_equal(poll(&outer, 1, 0), 0);
	timer_init(&t, l, LOOP_REAL, nothing_due, NULL);
	timer_in_ms(&t, 60000);
	assert_true(loop_wait_ms(l) > 59000 && loop_wait_ms(l) <= 60000);
	timer_at(&t, 0);
	assert_int_equal(loop_wait_ms(l), 0);
	timer_cancel(&t);
	loop_free(l);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phases_in_order),
		cmocka_unit_test(timers_fire_earliest_first),
		cmocka_unit_test(timer_real_waits),
		cmocka_unit_test(frozen_timers_fire_by_moves_only),
		cmocka_unit_test(moved_timer_wakes_a_running_clock),
		cmocka_unit_test(rearming_cannot_hold_the_loop),
		cmocka_unit_test(cancelled_and_moved_timers),
		cmocka_unit_test(heap_keeps_order),
		cmocka_unit_test(unwatch_inside_a_callback),
		cmocka_unit_test(watch_change_is_obeyed),
		cmocka_unit_test(wake_from_another_thread),
		cmocka_unit_test(mail_from_another_thread),
		cmocka_unit_test(another_loop_polls_it),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
