/* SPDX-License-Identifier: MIT */
/*
 * batch_list.c - a list is looked at, a slice of the loop at a time
 *
 *   file or bytes -> check -> groups of rows -> store; at the end READY, or REFUSED with the reason
 *
 * INVARIANTS  1. A slice takes SLICE_NS and a piece more, then the loop has its turn.
 *             2. At most GROUPS_MAX groups are in the store: a slow disk slows the reading.
 *             3. The verdict is moved when every group has come back.
 * TESTS       tests/system/test_batch.py
 */
#include "base/mem.h"
#include "gateway/batch_int.h"

#include <errno.h>
#include <unistd.h>

#define SLICE_NS (2 * NS_PER_MS)
#define PIECE 8192 /* bytes between looks at the clock: well under a millisecond */
#define JSON_ROWS 64 /* likewise */
#define GROUPS_MAX 3

void batch_source_release(struct batch_source *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free((void *)(uintptr_t)s->text.ptr);
	arena_free(s->arena);
	*s = (struct batch_source){ .fd = -1 };
}

static void on_slice(void *cookie);

static void conclude(struct batch *t)
{
	const struct batch_check *c = t->check;

	if (!t->read_all || t->groups > 0 || t->moving != NULL || t->state != BATCH_CHECKING)
		return; /* inv. 3 */
	t->total = batch_check_rows(c);
	t->ready = batch_check_ready(c);
	if (t->verdict == GW_OK) {
		struct gw_error err = GW_ERROR_INIT;
		bool starts = t->start &&
			      batch_may_start(t, t->has_confirm ? &t->confirm : NULL, &err);

		/* In one step: a crash in between would forget that it was to start. */
		batch_want(t, starts ? BATCH_RUNNING : BATCH_READY, err.message);
	} else {
		batch_want(t, BATCH_REFUSED, t->why.message);
	}
	batch_list_drop(t);
}

static void on_group(struct store_req *req)
{
	struct batch_group *g = CONTAINER_OF(req, struct batch_group, add.req);
	struct batch *t = g->owner;

	t->groups--;
	if (req->status != GW_OK && t->verdict == GW_OK)
		t->verdict = gw_error_set(&t->why, req->status, "its rows could not be stored");
	metrics_add(t->b->o.metrics, M_BATCH_ROWS, ROW_READY, 0, g->add.ready);
	metrics_add(t->b->o.metrics, M_BATCH_ROWS, ROW_REFUSED, 0, g->add.refused);
	batch_group_free(g);
	if (t->b->closed)
		return;
	if (t->check != NULL && !t->read_all)
		timer_in_ms(&t->slice, 0);
	if (t->check != NULL)
		conclude(t);
	batch_settle(t);
}

static void give_group(void *cookie, struct batch_group *g)
{
	struct batch *t = cookie;

	g->owner = t;
	g->add.batch_row = t->row;
	g->add.req.op = STORE_ADD_BATCH_ROWS;
	g->add.req.done = on_group;
	g->add.req.weight = sizeof(*g) + g->text.len;
	t->groups++;
	store_submit(t->b->o.store, &g->add.req);
}

/* The next bytes; 0: the end. */
static gw_status read_piece(struct batch *t, char piece[PIECE], struct str *out)
{
	ssize_t n;

	if (t->source.fd < 0) {
		*out = str_slice(t->source.text, t->at, t->at + PIECE);
		t->at += out->len;
		return GW_OK;
	}
	do
		n = pread(t->source.fd, piece, PIECE, (off_t)t->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return gw_error_sys(&t->why, GW_EIO, "the list cannot be read");
	t->at += (uint64_t)n;
	*out = str_make(piece, (size_t)n);
	return GW_OK;
}

static gw_status take_csv(struct batch *t, bool *out_more)
{
	char piece[PIECE];
	struct str bytes;
	gw_status status = read_piece(t, piece, &bytes);

	if (status != GW_OK)
		return status;
	*out_more = bytes.len > 0;
	return *out_more ? batch_check_csv(t->check, bytes, &t->why) : GW_OK;
}

static gw_status take_json(struct batch *t, bool *out_more)
{
	gw_status status = GW_OK;
	struct json_val row;

	for (int i = 0; i < JSON_ROWS && status == GW_OK; i++) {
		*out_more = json_next(&t->iter, &row);
		if (!*out_more)
			break;
		status = batch_check_json(t->check, row, &t->why);
	}
	return status;
}

static void on_slice(void *cookie)
{
	struct batch *t = cookie;
	int64_t until = clock_real_ns() + SLICE_NS;
	bool more = true;

	if (t->state != BATCH_CHECKING)
		return;
	while (more && t->verdict == GW_OK && t->groups < GROUPS_MAX && clock_real_ns() < until)
		t->verdict = t->source.arena != NULL ? take_json(t, &more) : take_csv(t, &more);
	if (!more || t->verdict != GW_OK) {
		gw_status last;

		t->read_all = true;
		last = batch_check_end(t->check, t->verdict == GW_OK ? &t->why : NULL);
		if (t->verdict == GW_OK)
			t->verdict = last;
		conclude(t);
	} else if (t->groups < GROUPS_MAX) {
		timer_in_ms(&t->slice, 0);
	} /* else a group that comes back goes on */
}

void batch_list_begin(struct batch *t, const struct batch_wish *w)
{
	struct batch_check_options o = { .spec = t->spec,
					 .phone_column = w->phone_column,
					 .allow_duplicates = w->allow_duplicates,
					 .group = give_group,
					 .cookie = t };

	t->start = w->start;
	t->has_confirm = w->has_confirm;
	t->confirm = w->confirm;
	t->source = w->source;
	t->check = batch_check_new(&o);
	t->b->checking++;
	timer_init(&t->slice, t->b->o.loop, LOOP_REAL, on_slice, t);
	if (t->source.arena != NULL)
		t->iter = json_iter(t->source.rows);
}

void batch_list_run(struct batch *t)
{
	timer_in_ms(&t->slice, 0);
}

void batch_list_drop(struct batch *t)
{
	if (t->check == NULL)
		return;
	timer_cancel(&t->slice);
	batch_check_free(t->check);
	t->check = NULL;
	t->b->checking--;
	batch_source_release(&t->source);
}
