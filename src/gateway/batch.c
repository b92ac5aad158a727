/* SPDX-License-Identifier: MIT */
/*
 * batch.c - batches: their states, and who may change them
 *
 * INVARIANTS  1. A state is what the store says; batch_want() is the only way to change it, and
 *                what is here is at no end.
 *             2. Of a batch one move is in the store at a time.
 *             3. Where a start must be confirmed, nothing is sent before the count was.
 *
 * FAILURE     A crash while a list is looked at: its rows are not all there, so the next start
 *             refuses the batch; nothing was sent.  In all other states a start goes on.
 * LIMITS      BATCHES_OPEN_MAX, BATCHES_CHECKING_MAX
 * TESTS       tests/system/test_batch.py
 */
#include "base/map.h"
#include "base/mem.h"
#include "gateway/batch_int.h"

#include <inttypes.h>

static const struct {
	const char *word;
	bool is_terminal;
} states[BATCH_NSTATES] = {
#define BATCH_STATE(symbol, word, terminal) [BATCH_##symbol] = { word, terminal },
#include "store/batch_state.def"
#undef BATCH_STATE
};

static const unsigned may_follow[BATCH_NSTATES] = {
	[BATCH_CHECKING] = BIT(BATCH_READY) | BIT(BATCH_RUNNING) | BIT(BATCH_REFUSED) |
			   BIT(BATCH_CANCELLED),
	[BATCH_READY] = BIT(BATCH_RUNNING) | BIT(BATCH_CANCELLED),
	[BATCH_RUNNING] = BIT(BATCH_PAUSED) | BIT(BATCH_DONE) | BIT(BATCH_CANCELLED),
	[BATCH_PAUSED] = BIT(BATCH_RUNNING) | BIT(BATCH_CANCELLED),
};

const char *batch_state_name(enum batch_state state)
{
	ASSERT(state < BATCH_NSTATES);
	return states[state].word;
}

bool batch_state_parse(struct str word, enum batch_state *out)
{
	for (size_t i = 0; i < BATCH_NSTATES; i++) {
		if (str_eq(word, str_from(states[i].word))) {
			*out = (enum batch_state)i;
			return true;
		}
	}
	return false;
}

bool batch_state_is_terminal(enum batch_state state)
{
	ASSERT(state < BATCH_NSTATES);
	return states[state].is_terminal;
}

bool batch_state_may_follow(enum batch_state from, enum batch_state to)
{
	ASSERT(from < BATCH_NSTATES && to < BATCH_NSTATES);
	return (may_follow[from] & BIT(to)) != 0;
}

/* ---- in and out of memory */

static struct str id_key(const struct id *id)
{
	return str_make((const char *)id->bytes, ID_BYTES);
}

static void remember(struct batch *t)
{
	struct batches *b = t->b;

	link_push(&b->all, &t->link);
	(void)map_set(b->by_id, id_key(&t->id), t);
	b->count++;
}

static void drop(struct batch *t)
{
	struct batches *b = t->b;

	link_remove(&t->link);
	(void)map_remove(b->by_id, id_key(&t->id));
	if (t->row != 0)
		(void)map_remove_u64(b->by_row, (uint64_t)t->row);
	b->count--;
	batch_list_drop(t);
	batch_spec_free(t->spec);
	free(t->number_id);
	free(t);
}

void batch_settle(struct batch *t)
{
	if (states[t->state].is_terminal && t->adding == 0 && !t->reading && t->groups == 0 &&
	    t->moving == NULL)
		drop(t);
}

void batch_tell(struct batch *t, gw_status status)
{
	batch_done_fn told = t->told;

	t->told = NULL;
	if (told != NULL && !t->b->closed)
		told(t->told_cookie, status, &t->id);
}

/* ---- moves */

struct batch_moving {
	struct store_batch_move move; /* first: the store hands this back */
	struct batch *t;
	enum batch_state to;
	char why[];
};

static void log_move(const struct batch *t, const struct batch_moving *m)
{
	char id[ID_TEXT_MAX];

	id_text(ID_BATCH, &t->id, id);
	log_info(t->b->o.log, "batch id=%s from=%s to=%s rows=%" PRId64 " ready=%" PRId64 "%s%s",
		 id, m->move.from, m->move.to, t->total, t->ready,
		 m->why[0] == '\0' ? "" : " why=", m->why);
}

static void on_moved(struct store_req *req)
{
	struct batch_moving *m = CONTAINER_OF(req, struct batch_moving, move.req);
	struct batch *t = m->t;

	t->moving = NULL;
	if (req->status != GW_OK || m->move.lost) {
		log_error(t->b->o.log, "batch row=%" PRId64 ": move %s to %s refused by the store",
			  t->row, m->move.from, m->move.to);
		batch_tell(t, req->status == GW_OK ? GW_ESTATE : req->status);
	} else {
		log_move(t, m);
		metrics_add(t->b->o.metrics, M_BATCHES, m->to, 0, 1);
		t->state = m->to;
		batch_tell(t, GW_OK);
		if (!t->b->closed)
			batch_feed_soon(t->b);
	}
	free(m);
	if (!t->b->closed)
		batch_settle(t);
}

void batch_want(struct batch *t, enum batch_state to, const char *why)
{
	size_t len = strlen(why);
	struct batch_moving *m = xcalloc(1, sizeof(*m) + len + 1);

	ASSERT(t->moving == NULL && batch_state_may_follow(t->state, to)); /* inv. 1 and 2 */
	memcpy(m->why, why, len + 1);
	m->t = t;
	m->to = to;
	m->move.req.op = STORE_BATCH_MOVE;
	m->move.req.done = on_moved;
	m->move.req.weight = sizeof(*m) + len;
	m->move.row = t->row;
	m->move.from = states[t->state].word;
	m->move.to = states[to].word;
	m->move.why = str_make(m->why, len);
	m->move.at_ms = clock_wall_ms(loop_clock(t->b->o.loop));
	t->moving = m;
	store_submit(t->b->o.store, &m->move.req);
}

/* ---- a new one */

struct batch_adding {
	struct store_put_batch put; /* first: the store hands this back */
	struct batch *t;
	struct buf spec;
	char *name;
};

static void on_added(struct store_req *req)
{
	struct batch_adding *a = CONTAINER_OF(req, struct batch_adding, put.req);
	struct batch *t = a->t;

	if (req->status == GW_OK) {
		t->row = a->put.row;
		(void)map_set_u64(t->b->by_row, (uint64_t)t->row, t);
	}
	batch_tell(t, req->status);
	if (req->status != GW_OK)
		drop(t);
	else if (!t->b->closed)
		batch_list_run(t);
	buf_release(&a->spec);
	free(a->name);
	free(a);
}

static struct batch *make(struct batches *b, const struct batch_wish *w)
{
	struct batch *t = xcalloc(1, sizeof(*t));

	t->b = b;
	id_make(&b->ids, loop_clock(b->o.loop), &b->rnd, &t->id);
	t->key_id = w->key_id;
	t->number_id = xstrndup(w->number_id);
	t->state = BATCH_CHECKING;
	t->spec = w->spec;
	remember(t);
	batch_list_begin(t, w);
	return t;
}

gw_status batches_add(struct batches *b, const struct batch_wish *w, batch_done_fn done,
		      void *cookie, struct gw_error *err)
{
	struct batch_adding *a;

	if (b->count >= BATCHES_OPEN_MAX || b->checking >= BATCHES_CHECKING_MAX || b->draining) {
		struct batch_source source = w->source;

		batch_spec_free(w->spec);
		batch_source_release(&source);
		return gw_error_set(
			err, GW_EBUSY,
			b->count >= BATCHES_OPEN_MAX
				? "there are %zu batches that are not at their end; "
				  "cancel some"
				: "%zu batches are open and no more lists can be looked "
				  "at just now; try again",
			b->count);
	}
	a = xcalloc(1, sizeof(*a));
	a->t = make(b, w);
	a->t->told = done;
	a->t->told_cookie = cookie;
	buf_init(&a->spec, BATCH_SPEC_MAX * 8);
	batch_spec_put(w->spec, &a->spec);
	a->name = xstrndup(w->name);
	a->put.req.op = STORE_PUT_BATCH;
	a->put.req.done = on_added;
	a->put.req.weight = sizeof(*a) + a->spec.len;
	a->put.id = a->t->id;
	a->put.key_id = w->key_id;
	a->put.number_id = str_from(a->t->number_id);
	a->put.name = str_from(a->name);
	a->put.spec = buf_str(&a->spec);
	a->put.created_ms = clock_wall_ms(loop_clock(b->o.loop));
	store_submit(b->o.store, &a->put.req);
	return GW_OK;
}

/* ---- orders */

bool batch_may_start(const struct batch *t, const int64_t *confirm, struct gw_error *err)
{
	if (!t->b->o.confirms || (confirm != NULL && *confirm == t->ready))
		return true;
	(void)gw_error_set(err, GW_EARG,
			   "%" PRId64
			   " messages would be sent; confirm this number: {\"confirm\":%" PRId64
			   "}",
			   t->ready, t->ready);
	return false;
}

gw_status batches_order(struct batches *b, const struct id *id, enum batch_order order,
			const int64_t *confirm, batch_done_fn done, void *cookie,
			struct gw_error *err)
{
	static const enum batch_state to[] = { [BATCH_START] = BATCH_RUNNING,
					       [BATCH_PAUSE] = BATCH_PAUSED,
					       [BATCH_RESUME] = BATCH_RUNNING,
					       [BATCH_CANCEL] = BATCH_CANCELLED };
	struct batch *t = map_get(b->by_id, id_key(id));

	if (t == NULL || states[t->state].is_terminal)
		return gw_error_set(err, GW_ENOTFOUND, "no open batch has this id");
	if (t->moving != NULL || t->row == 0)
		return gw_error_set(err, GW_ESTATE, "the batch is about to change; try again");
	if (t->state == to[order]) {
		done(cookie, GW_OK, id);
		return GW_OK;
	}
	if (!batch_state_may_follow(t->state, to[order]) ||
	    (order == BATCH_RESUME && t->state == BATCH_READY))
		return gw_error_set(err, GW_ESTATE, "the batch is %s", states[t->state].word);
	if (t->state == BATCH_READY && order == BATCH_START && !batch_may_start(t, confirm, err))
		return GW_EARG; /* inv. 3 */
	t->told = done;
	t->told_cookie = cookie;
	batch_want(t, to[order], "");
	return GW_OK;
}

struct str batches_number_of(const struct batches *b, const struct id *id)
{
	const struct batch *t = map_get(b->by_id, id_key(id));

	return t == NULL ? STR_EMPTY : str_from(t->number_id);
}

double batches_rate(const struct batches *b, const struct id *id)
{
	const struct batch *t = map_get(b->by_id, id_key(id));

	return t == NULL ? 0 : t->rate;
}

size_t batches_open(const struct batches *b)
{
	return b->count;
}

/* ---- life */

struct batches *batches_new(const struct batches_options *o)
{
	struct batches *b = xcalloc(1, sizeof(*b));

	b->o = *o;
	link_init(&b->all);
	b->by_row = map_new();
	b->by_id = map_new();
	rnd_init_system(&b->rnd);
	batch_feed_init(b);
	outbox_tell_batches(o->outbox, batch_feed_told, b);
	return b;
}

void batches_load(struct batches *b, const struct store_batch *row)
{
	struct batch *t = xcalloc(1, sizeof(*t));

	t->b = b;
	t->id = row->id;
	t->key_id = row->key_id;
	t->row = row->row;
	t->number_id = xstrndup(row->number_id);
	t->total = row->total;
	t->ready = row->ready;
	t->source.fd = -1;
	if (!batch_state_parse(row->state, &t->state))
		PANIC("batch row %" PRId64 " has the state %.*s", row->row, STR_ARG(row->state));
	t->spec = batch_spec_read(row->spec);
	ASSERT(t->spec != NULL); /* batch_spec_put() wrote it */
	remember(t);
	(void)map_set_u64(b->by_row, (uint64_t)t->row, t);
}

void batches_start(struct batches *b)
{
	b->started = true;
	for (struct link *l = link_first(&b->all); l != NULL; l = link_next(&b->all, l)) {
		struct batch *t = CONTAINER_OF(l, struct batch, link);

		if (t->state == BATCH_CHECKING)
			batch_want(t, BATCH_REFUSED,
				   "the gateway stopped while the list was looked at; nothing was "
				   "sent, hand it in again");
	}
	batch_feed_soon(b);
}

void batches_drain(struct batches *b)
{
	b->draining = true;
}

void batches_close(struct batches *b)
{
	if (b == NULL)
		return;
	b->closed = true;
	outbox_tell_batches(b->o.outbox, NULL, NULL);
	timer_cancel(&b->feed);
	timer_cancel(&b->tick);
	for (struct link *l = link_first(&b->all); l != NULL; l = link_next(&b->all, l)) {
		struct batch *t = CONTAINER_OF(l, struct batch, link);

		if (t->check != NULL)
			timer_cancel(&t->slice);
	}
}

void batches_free(struct batches *b)
{
	struct link *l;

	if (b == NULL)
		return;
	while ((l = link_first(&b->all)) != NULL)
		drop(CONTAINER_OF(l, struct batch, link));
	map_free(b->by_row);
	map_free(b->by_id);
	free(b);
}
