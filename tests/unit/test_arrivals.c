/* SPDX-License-Identifier: MIT */
/* test_arrivals.c - no second at Meta holds more than the limit, however the ways there differ */
#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "gateway/arrivals.h"
#include "gateway/pacer.h"

#define START (1000 * NS_PER_S)
#define RUN_S 120
#define OPEN_MAX 4096

static const struct way {
	const char *name;
	uint32_t limit;
	int64_t there_ns; /* a way takes that ... */
	int64_t there_more_ns; /* ... and up to that more */
	int64_t work_ns; /* Meta works on an answer for up to that */
	uint32_t work_more_one_in; /* and one in so many ... */
	int64_t work_more_ns; /* ... takes up to that more */
	int64_t stall_every_ns; /* 0: never; else nothing arrives, every so often on average ... */
	int64_t stall_ns; /* ... for up to that */
	unsigned want_per_mille; /* of the limit */
} ways[] = {
	{ "80/s next door", 80, NS_PER_MS / 4, NS_PER_MS / 2, NS_PER_MS, 0, 0, 0, 0, 993 },
	{ "80/s, a stall of up to 100 ms every 10 s", 80, NS_PER_MS / 4, NS_PER_MS / 2, NS_PER_MS,
	  0, 0, 10 * NS_PER_S, 100 * NS_PER_MS, 990 },
	{ "80/s, a stall of up to 200 ms every 3 s", 80, NS_PER_MS / 4, NS_PER_MS / 2, NS_PER_MS, 0,
	  0, 3 * NS_PER_S, 200 * NS_PER_MS, 950 },
	{ "1000/s, a stall of up to 30 ms every s", 1000, NS_PER_MS / 4, NS_PER_MS / 2, NS_PER_MS,
	  0, 0, NS_PER_S, 30 * NS_PER_MS, 990 },
	{ "1000/s, a stall of up to 100 ms every s", 1000, NS_PER_MS / 4, NS_PER_MS / 2, NS_PER_MS,
	  0, 0, NS_PER_S, 100 * NS_PER_MS, 950 },
	{ "80/s far away, answers differ by 200 ms", 80, 100 * NS_PER_MS, NS_PER_MS,
	  200 * NS_PER_MS, 0, 0, 0, 0, 990 },
	{ "1000/s far away, answers differ by 200 ms", 1000, 100 * NS_PER_MS, NS_PER_MS,
	  200 * NS_PER_MS, 0, 0, 0, 0, 990 },
	{ "80/s far away, one in 20 takes seconds", 80, 100 * NS_PER_MS, NS_PER_MS, 50 * NS_PER_MS,
	  20, 5 * NS_PER_S, 0, 0, 990 },
	{ "80/s, every answer takes more than a second", 80, 100 * NS_PER_MS, NS_PER_MS, NS_PER_MS,
	  1, 2 * NS_PER_S, 0, 0, 990 },
	{ "80/s far away with stalls", 80, 100 * NS_PER_MS, NS_PER_MS, 5 * NS_PER_MS, 0, 0,
	  10 * NS_PER_S, 100 * NS_PER_MS, 990 },
};

struct open {
	uint64_t place;
	int64_t answered_ns;
};

struct run {
	const struct way *way;
	struct rnd rnd;
	struct pacer pacer;
	int64_t now_ns, stall_from_ns, stall_to_ns;
	struct open open[OPEN_MAX];
	size_t open_count;
	int64_t *arrived_ns;
	size_t count;
};

static int64_t up_to(struct run *r, int64_t ns)
{
	return ns > 0 ? (int64_t)rnd_below(&r->rnd, (uint64_t)ns) : 0;
}

static void next_stall(struct run *r)
{
	r->stall_from_ns = r->way->stall_every_ns == 0
				   ? INT64_MAX
				   : r->stall_to_ns + up_to(r, 2 * r->way->stall_every_ns);
	r->stall_to_ns = r->stall_from_ns + up_to(r, r->way->stall_ns);
}

/* One leaves: when it arrives and is answered is drawn now. */
static void leaves(struct run *r, const struct pacer_rate *rate)
{
	const struct way *w = r->way;
	uint64_t place = pacer_take(&r->pacer, rate, r->now_ns, START);
	int64_t there = r->now_ns + w->there_ns + up_to(r, w->there_more_ns), work;

	while (there >= r->stall_to_ns && r->stall_from_ns != INT64_MAX)
		next_stall(r);
	if (there >= r->stall_from_ns)
		there = r->stall_to_ns + up_to(r, NS_PER_MS / 10);
	work = up_to(r, w->work_ns);
	if (w->work_more_one_in > 0 && rnd_below(&r->rnd, w->work_more_one_in) == 0)
		work += NS_PER_S + up_to(r, w->work_more_ns);
	r->arrived_ns[r->count++] = there;
	assert_true(r->open_count < OPEN_MAX);
	r->open[r->open_count++] = (struct open){ place, there + work + w->there_ns };
}

/* The first answer that is due by then; false: none. */
static bool answered_by(struct run *r, int64_t then_ns)
{
	size_t best = 0;

	for (size_t i = 1; i < r->open_count; i++) {
		if (r->open[i].answered_ns < r->open[best].answered_ns)
			best = i;
	}
	if (r->open_count == 0 || r->open[best].answered_ns > then_ns)
		return false;
	if (r->open[best].answered_ns > r->now_ns)
		r->now_ns = r->open[best].answered_ns;
	pacer_answered(&r->pacer, r->open[best].place, r->now_ns);
	r->open[best] = r->open[--r->open_count];
	return true;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static size_t worst_second(struct run *r)
{
	size_t worst = 0, first = 0;

	qsort(r->arrived_ns, r->count, sizeof(*r->arrived_ns), by_time);
	for (size_t i = 0; i < r->count; i++) {
		while (r->arrived_ns[first] <= r->arrived_ns[i] - NS_PER_S)
			first++;
		worst = i - first + 1 > worst ? i - first + 1 : worst;
	}
	return worst;
}

/* A backlog leaves for two minutes; returns the worst second at Meta. */
static size_t two_minutes(struct run *r, size_t i)
{
	struct pacer_rate rate = { ways[i].limit, 995000 };

	r->way = &ways[i];
	r->arrived_ns = xcalloc((size_t)RUN_S * rate.limit * 2, sizeof(*r->arrived_ns));
	rnd_init_seed(&r->rnd, i + 1);
	pacer_init(&r->pacer);
	r->now_ns = r->stall_to_ns = START;
	next_stall(r);
	while (r->now_ns < START + RUN_S * NS_PER_S) {
		int64_t next = pacer_next(&r->pacer, &rate, r->now_ns);

		if (answered_by(r, next > r->now_ns ? next : r->now_ns))
			continue;
		if (next > r->now_ns)
			r->now_ns = next;
		else
			leaves(r, &rate);
	}
	return worst_second(r);
}

static void no_second_at_meta_is_too_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct run *r = xcalloc(1, sizeof(*r));
		size_t worst = two_minutes(r, i), most = (size_t)RUN_S * ways[i].limit;

		print_message("# %s: %zu of %zu, worst second %zu\n", ways[i].name, r->count, most,
			      worst);
		if (worst > ways[i].limit)
			fail_msg("%s: %zu in one second", ways[i].name, worst);
		if (r->count * 1000 < most * ways[i].want_per_mille)
			fail_msg("%s: only %zu", ways[i].name, r->count);
		free(r->arrived_ns);
		free(r);
	}
}

/* A limit of 1/s: the last one alone decides. */
static void room_comes_with_the_answer(void **state)
{
	struct arrivals *a = xcalloc(1, sizeof(*a));
	uint64_t first, second;

	(void)state;
	arrivals_init(a);
	assert_true(arrivals_room(a, 1, START) < START);
	first = arrivals_left(a, START);
	CHECK_INT("silence", START + 1252 * NS_PER_MS, arrivals_room(a, 1, START + 5 * NS_PER_MS));
	arrivals_answered(a, first, START + NS_PER_MS);
	assert_in_range(arrivals_room(a, 1, START + NS_PER_S), START + NS_PER_S,
			START + 1005 * NS_PER_MS);
	second = arrivals_left(a, START + 2 * NS_PER_S);
	CHECK_INT("no answer is due", START + 3002 * NS_PER_MS,
		  arrivals_room(a, 1, START + 2 * NS_PER_S + NS_PER_MS));
	CHECK_INT("it is overdue", START + 3252 * NS_PER_MS,
		  arrivals_room(a, 1, START + 2 * NS_PER_S + 100 * NS_PER_MS));
	arrivals_answered(a, second, START + 2 * NS_PER_S + 100 * NS_PER_MS);
	assert_in_range(arrivals_room(a, 1, START + 3 * NS_PER_S), START + 3095 * NS_PER_MS,
			START + 3103 * NS_PER_MS);
	free(a);
}

/* Answers to messages that no second holds any more, and to all of a full ring. */
static void old_places(void **state)
{
	struct arrivals *a = xcalloc(1, sizeof(*a));
	uint64_t first, last = 0;

	(void)state;
	arrivals_init(a);
	first = arrivals_left(a, START);
	for (int i = 0; i < ARRIVALS_MAX; i++)
		last = arrivals_left(a, START + NS_PER_S);
	arrivals_answered(a, first, START + 60 * NS_PER_S); /* its place is another's */
	CHECK_INT("not learnt from", 0, a->mean_ns);
	for (uint64_t place = first + 1; place <= last; place++)
		arrivals_answered(a, place, START + NS_PER_S + NS_PER_MS);
	assert_in_range(arrivals_room(a, ARRIVALS_MAX, START + 2 * NS_PER_S), START + 2 * NS_PER_S,
			START + 2005 * NS_PER_MS);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_second_at_meta_is_too_full),
		cmocka_unit_test(room_comes_with_the_answer),
		cmocka_unit_test(old_places),
	};

	return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
