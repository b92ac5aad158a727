/* SPDX-License-Identifier: MIT */
/*
 * batch_feed.c - rows of running batches become messages, just in time
 *
 * ROLE        Keeps about a second of each running batch queued in the outbox: the pacer never
 *             waits for a row, and what is better than a campaign is never behind more of it.
 *
 * INVARIANTS  1. A row becomes one message: the store marks it with the acceptance and refuses
 *                a second.  So rows may be read twice here, after a crash or a refusal.
 *             2. A batch is DONE when all its rows were read, none is on its way into the outbox
 *                and none of its messages is queued, sending or waiting.
 *
 * FAILURE     The outbox is full (503): a second later again.  It refuses a row for another reason
 *             (its number has gone): the batch pauses and says why.
 * LIMITS      WINDOW_MIN to WINDOW_MAX messages queued, OPEN_PER_QUEUED times as many open
 * TESTS       tests/system/test_batch.py
 */
#include "base/fault.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/batch_int.h"

#define WINDOW_MIN 64
#define WINDOW_MAX 1000
#define OPEN_PER_QUEUED 8 /* those on the wire and those that wait to be tried again, too */
#define READ_ROWS 250 /* of one read; a commit of as many messages takes some ms */
#define READ_SPAN 20000 /* keys of one read, most of which may be refused or handed over */
#define REST_NS NS_PER_S
#define RETRY_MS 200
#define TICK_MS 1000

struct row {
	uint32_t n;
	char *phone;
	struct str values; /* heap */
};

struct reading {
	struct store_job job; /* first: the store hands this back */
	struct batch *t;
	int64_t row, after, until;
	unsigned limit;
	struct row rows[READ_ROWS];
	size_t count;
};

/* A row on its way into the outbox. */
struct handing {
	struct batch *t;
	uint32_t n;
};

static size_t window_of(const struct batch *t)
{
	const struct number *n = accounts_number(t->b->o.accounts, str_from(t->number_id));
	size_t limit = n == NULL ? 0 : n->limit_mps;

	return limit < WINDOW_MIN ? WINDOW_MIN : limit > WINDOW_MAX ? WINDOW_MAX : limit;
}

static bool is_running(const struct batch *t)
{
	return t->state == BATCH_RUNNING && t->moving == NULL && !t->b->draining && !t->b->closed;
}

static void finish_if_done(struct batch *t)
{
	if (is_running(t) && t->after >= t->total && !t->reading && t->adding == 0 && t->open == 0)
		batch_want(t, BATCH_DONE, ""); /* inv. 2 */
}

/* ---- into the outbox */

static void again_from(struct batch *t, uint32_t n)
{
	if (t->after >= n)
		t->after = (int64_t)n - 1; /* inv. 1 */
}

static void on_answer(void *cookie, const struct outbox_answer *a)
{
	struct handing *h = cookie;
	struct batch *t = h->t;

	t->adding--;
	if (a->status < 300) {
		if (a->has_message)
			metrics_add(t->b->o.metrics, M_BATCH_ROWS, ROW_HANDED, 0, 1);
	} else if (a->status == 503) {
		again_from(t, h->n);
		t->rest_ns = clock_real_ns() + REST_NS;
	} else {
		again_from(t, h->n);
		if (is_running(t))
			batch_want(t, BATCH_PAUSED,
				   "the outbox does not take its messages: is the number still "
				   "configured");
	}
	free(h);
	batch_feed_soon(t->b);
	batch_settle(t);
}

static void hand_over(struct batch *t, const struct row *row)
{
	struct gw_error err = GW_ERROR_INIT;
	struct handing *h;
	char target[128];
	struct buf body;

	buf_init(&body, OUTBOX_BODY_MAX);
	if (batch_spec_body(t->spec, str_from(row->phone), row->values, &body, &err) != GW_OK)
		PANIC("a row that was fit cannot be built: %s", err.message);
	h = xcalloc(1, sizeof(*h));
	*h = (struct handing){ t, row->n };
	(void)snprintf(target, sizeof(target), "/%s/messages", t->number_id);
	t->adding++;
	outbox_submit(t->b->o.outbox,
		      &(struct outbox_submit){ .number_id = str_from(t->number_id),
					       .target = str_from(target),
					       .body = buf_str(&body),
					       .key_id = t->key_id,
					       .respond_async = true,
					       .batch_line = STORE_LINE(t->row, row->n),
					       .batch_class = t->spec->class_,
					       .received_ns = clock_real_ns(),
					       .answer = on_answer,
					       .cookie = h });
	buf_release(&body);
	(void)FAULT("batch.handed"); /* some rows of a window are in the store, some are not */
}

/* ---- out of the store */

static bool take_line(void *cookie, const struct store_batch_line *l)
{
	struct reading *r = cookie;
	struct row *row = &r->rows[r->count++];

	row->n = l->n;
	row->phone = xstrndup(l->phone);
	row->values = l->values.len > 0 ? xstr(l->values) : (struct str){ NULL, 0 };
	return r->count < r->limit;
}

static void run_reading(struct store_job *job, struct store_reader *reader)
{
	struct reading *r = CONTAINER_OF(job, struct reading, job);

	job->status = reader_batch_lines(reader, r->row, STORE_LINES_TO_SEND, r->after, r->until,
					 r->limit, take_line, r);
}

static void on_read(struct store_job *job)
{
	struct reading *r = CONTAINER_OF(job, struct reading, job);
	struct batch *t = r->t;
	size_t i = 0;

	t->reading = false;
	if (t->after != r->after)
		r->count = 0, r->limit = 0; /* lowered meanwhile: read again from there */
	if (job->status != GW_OK) /* what was read is good all the same */
		t->rest_ns = clock_real_ns() + REST_NS;
	for (; i < r->count && is_running(t) && t->rest_ns <= clock_real_ns(); i++) {
		t->after = r->rows[i].n;
		hand_over(t, &r->rows[i]);
	}
	if (i == r->count && r->count < r->limit && job->status == GW_OK && is_running(t) &&
	    t->rest_ns <= clock_real_ns())
		t->after = r->until; /* nothing more to be sent up to there */
	for (i = 0; i < r->count; i++) {
		free(r->rows[i].phone);
		free((void *)(uintptr_t)r->rows[i].values.ptr);
	}
	free(r);
	if (t->b->closed)
		return;
	batch_feed_soon(t->b);
	batch_settle(t);
}

static void read_some(struct batch *t, size_t room)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->t = t;
	r->row = t->row;
	r->after = t->after;
	r->until = t->after + READ_SPAN < t->total ? t->after + READ_SPAN : t->total;
	r->limit = room < READ_ROWS ? (unsigned)room : READ_ROWS;
	r->job.run = run_reading;
	r->job.done = on_read;
	t->reading = true;
	store_read(t->b->o.store, &r->job);
}

/* ---- when */

static void feed(struct batch *t)
{
	size_t window = window_of(t), held = t->queued + t->adding;

	finish_if_done(t);
	if (!is_running(t) || t->reading || t->after >= t->total || held > window / 4 * 3 ||
	    t->open + t->adding >= OPEN_PER_QUEUED * window)
		return;
	if (t->rest_ns > clock_real_ns()) {
		timer_in_ms(&t->b->feed, RETRY_MS);
		return;
	}
	read_some(t, window - held);
}

static void on_feed(void *cookie)
{
	struct batches *b = cookie;
	struct link *l = link_first(&b->all), *next;

	for (; l != NULL; l = next) {
		next = link_next(&b->all, l);
		feed(CONTAINER_OF(l, struct batch, link));
	}
}

static void on_tick(void *cookie)
{
	struct batches *b = cookie;
	bool any = false;

	for (struct link *l = link_first(&b->all); l != NULL; l = link_next(&b->all, l)) {
		struct batch *t = CONTAINER_OF(l, struct batch, link);

		t->rate = t->rate == 0 ? t->ended : 0.7 * t->rate + 0.3 * t->ended;
		if (t->rate < 0.01)
			t->rate = 0;
		t->ended = 0;
		any |= t->state == BATCH_RUNNING;
	}
	if (any)
		timer_in_ms(&b->tick, TICK_MS);
}

void batch_feed_init(struct batches *b)
{
	timer_init(&b->feed, b->o.loop, LOOP_REAL, on_feed, b);
	timer_init(&b->tick, b->o.loop, LOOP_REAL, on_tick, b);
}

void batch_feed_soon(struct batches *b)
{
	if (!b->started || b->closed)
		return;
	timer_in_ms(&b->feed, 0);
	if (!timer_is_armed(&b->tick))
		timer_in_ms(&b->tick, TICK_MS);
}

static bool is_open(enum outq_state s)
{
	return s == OUTQ_QUEUED || s == OUTQ_SENDING || s == OUTQ_WAITING;
}

void batch_feed_told(void *cookie, int64_t line, enum outq_state from, enum outq_state to)
{
	struct batches *b = cookie;
	struct batch *t = map_get_u64(b->by_row, (uint64_t)STORE_LINE_BATCH(line));

	if (t == NULL)
		return;
	t->open += is_open(to);
	t->queued += to == OUTQ_QUEUED;
	t->open -= is_open(from);
	t->queued -= from == OUTQ_QUEUED;
	t->ended += outq_is_terminal(to);
	batch_feed_soon(b);
}
