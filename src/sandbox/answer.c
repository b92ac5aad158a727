/* SPDX-License-Identifier: MIT */
/*
 * answer.c - answers that take their time
 *
 * ROLE        A server's latency is a timer here, never a thread: a thousand
 *             calls under way are a thousand small structs.
 * LIMITS      SANDBOX_HELD_MAX: beyond it the oldest is answered early.
 *             SANDBOX_HANG_MAX_MS: a hung call is cut then.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_run.c
 */
#include "sandbox/answer.h"

#include "base/mem.h"
#include "sandbox/limits.h"

#include <sys/queue.h>
#include <time.h>

struct held {
	TAILQ_ENTRY(held) link;
	struct answers *all;
	struct timer timer;
	struct http_call *call;
	struct answer answer;
};

struct answers {
	struct loop *loop;
	TAILQ_HEAD(, held) held;
	size_t count;
};

void answer_init(struct answer *a)
{
	memset(a, 0, sizeof(*a));
	a->act = ANSWER_REPLY;
	a->status = 200;
	a->type = "application/json; charset=UTF-8";
	buf_init(&a->body, SANDBOX_ANSWER_MAX);
}

void answer_release(struct answer *a)
{
	buf_release(&a->body);
}

struct answers *answers_new(struct loop *loop)
{
	struct answers *all = xcalloc(1, sizeof(*all));

	all->loop = loop;
	TAILQ_INIT(&all->held);
	return all;
}

void answers_free(struct answers *all)
{
	if (all == NULL)
		return;
	answers_release(all);
	free(all);
}

size_t answers_held(const struct answers *all)
{
	return all->count;
}

static void reply(struct http_call *call, struct answer *a)
{
	struct http_header_out headers[3];
	char retry[16], date[40];
	size_t count = 0;

	if (a->version[0] != '\0')
		headers[count++] = (struct http_header_out){ "facebook-api-version", a->version };
	if (a->retry_after_s > 0) {
		(void)snprintf(retry, sizeof(retry), "%d", a->retry_after_s);
		headers[count++] = (struct http_header_out){ "Retry-After", retry };
	}
	if (a->date_ahead_s != 0) {
		time_t at = (time_t)(clock_real_wall_ms() / 1000 + a->date_ahead_s);
		struct tm tm;

		(void)gmtime_r(&at, &tm);
		(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		headers[count++] = (struct http_header_out){ "Date", date };
	}
	http_reply_take(call, a->status, a->type, buf_take(&a->body), headers, count);
}

static void give_now(struct http_call *call, struct answer *a)
{
	switch (a->act) {
	case ANSWER_REPLY: reply(call, a); break;
	case ANSWER_CLOSE: http_abort(call, false); break;
	case ANSWER_RESET:
	case ANSWER_HANG: http_abort(call, true); break;
	}
	answer_release(a);
}

static void held_give(struct held *h)
{
	timer_cancel(&h->timer);
	TAILQ_REMOVE(&h->all->held, h, link);
	h->all->count--;
	give_now(h->call, &h->answer);
	free(h);
}

static void on_time(void *cookie)
{
	held_give(cookie);
}

void answers_give(struct answers *all, struct http_call *call, struct answer *a)
{
	int64_t wait_ms = a->act == ANSWER_HANG ? SANDBOX_HANG_MAX_MS : a->delay_ms;
	struct held *h;

	if (wait_ms <= 0) {
		give_now(call, a);
		return;
	}
	if (all->count == SANDBOX_HELD_MAX)
		held_give(TAILQ_FIRST(&all->held));
	h = xcalloc(1, sizeof(*h));
	h->all = all;
	h->call = call;
	h->answer = *a;
	buf_init(&a->body, SANDBOX_ANSWER_MAX);
	timer_init(&h->timer, all->loop, LOOP_REAL, on_time, h);
	timer_in_ms(&h->timer, wait_ms);
	TAILQ_INSERT_TAIL(&all->held, h, link);
	all->count++;
}

void answers_release(struct answers *all)
{
	struct held *h;

	while ((h = TAILQ_FIRST(&all->held)) != NULL)
		held_give(h);
}
