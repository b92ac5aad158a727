/* SPDX-License-Identifier: MIT */
/*
 * lane.c - deliveries to one destination, in memory: lanes, their order, their states
 *
 * LIFE        store/delivery_state.def.  Only delivery_want() and
 *             delivery_moved() change a state:
 *
 *               PENDING --> DELIVERING --> DELIVERED
 *                  ^            |  |-----> DEAD (also from PENDING and WAITING)
 *                  |            |  |-----> WAITING --> DELIVERING
 *                  +------------+  a probe of a parked destination failed: nothing burned
 *               DELIVERED, DEAD --> PENDING: a replay, which the store makes
 *
 * INVARIANTS  1. A lane has at most one delivery on the wire.
 *             2. DELIVERING lives in memory only: `stored` is never DELIVERING.  A crash finds
 *                the delivery as it was before the attempt and repeats it: at least once.
 *             3. The line is in the order of event rows, but for delayed deliveries whose time
 *                has come: they stand in front.  A delivery that comes back from the wire goes
 *                to its place, too: older ones may have been replayed meanwhile.
 *             4. A pending delivery (a move is in the store) is moved by nobody else.
 *             5. A row is in a lane once.  While the lane is being read, closed deliveries stay
 *                in `closing`: the reader may still see them open.
 *             6. Every open delivery up to read_row is in memory; a lane that is not spilled has
 *                all.  A read that began behind `after` and came to `upto` raises read_row only
 *                if it began at or below it, and never to again_row: a read that is cut short,
 *                fails, or crosses a replay forgets nothing.
 *             7. memory is the sum of what lanes and deliveries take.
 * LANE        What a lane knows about the store, and what changes that:
 *
 *               live      spilled off             all open deliveries are in memory; events are
 *                                                 appended
 *               spilled   spilled, not dirty      the store may have more behind read_row
 *               dirty     spilled, dirty          ... and a read that is under way cannot show
 *                                                 that it has not
 *               reading   beside any of these     one read is out; closed deliveries stay
 *               hungry    lane_wants_read()       in the queue of that name, or reading
 *
 *                              live             spilled, dirty             reading beside it
 *               event          append           dirty                      dirty
 *               lane_rewind()  dirty, read_row  dirty, read_row            ... and again_row, so
 *                              below the row    below it, if it is lower   that it comes again
 *               lane_shed()    a rewind to the lowest row that was let go
 *               read_begin()   reading          spilled, reading           never
 *               read_done()    -                -                          read_row rises (inv.
 *                                                 6); live if it ended and nothing made it dirty
 *
 * FAILURE     The store refused a move: memory goes on as if it had not (a later start finds the
 *             older state and repeats).  A wait that was lost, because the row was not where we
 *             believed it: the disk's word stands, the relay reads the lane anew.
 * THREADS     The loop's, but delivery_new() and delivery_free().
 * TESTS       tests/unit/test_lane.c
 */
#include "gateway/lane.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdlib.h>

#define KEEP_BYTES_NS (30 * NS_PER_S)
#define LANE_BYTES (sizeof(struct lane) + 48) /* with its place in the map */

/* ---- states */

static const struct {
	const char *text;
	bool terminal;
} states[DELIVERY_NSTATES] = {
#define DELIVERY_STATE(name, text, terminal) [DELIVERY_##name] = { text, terminal },
#include "store/delivery_state.def"
#undef DELIVERY_STATE
};

static const uint8_t may_follow[DELIVERY_NSTATES] = {
	[DELIVERY_PENDING] = BIT(DELIVERY_DELIVERING) | BIT(DELIVERY_DEAD),
	[DELIVERY_DELIVERING] = BIT(DELIVERY_PENDING) | BIT(DELIVERY_WAITING) |
				BIT(DELIVERY_DELIVERED) | BIT(DELIVERY_DEAD),
	[DELIVERY_WAITING] = BIT(DELIVERY_DELIVERING) | BIT(DELIVERY_DEAD),
	[DELIVERY_DELIVERED] = BIT(DELIVERY_PENDING),
	[DELIVERY_DEAD] = BIT(DELIVERY_PENDING),
};

const char *delivery_state_name(enum delivery_state s)
{
	return states[s].text;
}

bool delivery_state_is_terminal(enum delivery_state s)
{
	return states[s].terminal;
}

bool delivery_state_parse(struct str word, enum delivery_state *out)
{
	for (size_t i = 0; i < DELIVERY_NSTATES; i++) {
		if (!str_eq(word, str_from(states[i].text)))
			continue;
		*out = (enum delivery_state)i;
		return true;
	}
	return false;
}

bool delivery_may_follow(enum delivery_state from, enum delivery_state to)
{
	return (may_follow[from] & BIT(to)) != 0;
}

/* ---- lists */

static void list_add(struct delivery_list *list, struct delivery *d, struct delivery *before)
{
	d->next = before;
	d->prev = before == NULL ? list->last : before->prev;
	if (d->prev == NULL)
		list->first = d;
	else
		d->prev->next = d;
	if (before == NULL)
		list->last = d;
	else
		before->prev = d;
	list->count++;
}

static void list_remove(struct delivery_list *list, struct delivery *d)
{
	if (d->prev == NULL)
		list->first = d->next;
	else
		d->prev->next = d->next;
	if (d->next == NULL)
		list->last = d->prev;
	else
		d->next->prev = d->prev;
	d->next = d->prev = NULL;
	list->count--;
}

/* At its place in the line: inv. 3. */
static void line_put(struct delivery_list *line, struct delivery *d)
{
	struct delivery *at = line->last;

	if (d->delayed) {
		list_add(line, d, line->first);
		return;
	}
	while (at != NULL && !at->delayed && at->event_row > d->event_row)
		at = at->prev;
	list_add(line, d, at == NULL ? line->first : at->next);
}

static struct delivery *list_find(const struct delivery_list *list, int64_t row)
{
	struct delivery *d = list->first;

	while (d != NULL && d->event_row != row)
		d = d->next;
	return d;
}

void lane_queue_put(struct lane_queue *q, struct lane *l, int64_t now_ns)
{
	if (l->queue != NULL)
		return;
	l->queue = q;
	l->queued_ns = now_ns;
	l->next = NULL;
	l->prev = q->last;
	if (q->last == NULL)
		q->first = l;
	else
		q->last->next = l;
	q->last = l;
	q->count++;
}

void lane_queue_remove(struct lane *l)
{
	struct lane_queue *q = l->queue;

	if (q == NULL)
		return;
	if (l->prev == NULL)
		q->first = l->next;
	else
		l->prev->next = l->next;
	if (l->next == NULL)
		q->last = l->prev;
	else
		l->next->prev = l->prev;
	l->queue = NULL;
	l->next = l->prev = NULL;
	q->count--;
}

/* ---- deliveries */

static size_t bytes_of(const struct delivery *d)
{
	return d->bytes == NULL ? 0 : d->body_len + d->signature_len + d->account_len;
}

struct delivery *delivery_new(int64_t event_row, const struct id *event, struct str body,
			      struct str signature, struct str account)
{
	struct delivery *d = xcalloc(1, sizeof(*d));

	d->event_row = event_row;
	d->event = *event;
	d->body_len = body.len;
	d->signature_len = signature.len;
	d->account_len = account.len;
	d->bytes = xmalloc(body.len + signature.len + account.len + 1);
	memcpy(d->bytes, body.ptr, body.len);
	if (signature.len > 0)
		memcpy(d->bytes + body.len, signature.ptr, signature.len);
	if (account.len > 0)
		memcpy(d->bytes + body.len + signature.len, account.ptr, account.len);
	return d;
}

void delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	free(d->why);
	free(d->bytes);
	free(d);
}

struct str delivery_body(const struct delivery *d)
{
	return str_make(d->bytes, d->body_len);
}

struct str delivery_signature(const struct delivery *d)
{
	return str_make(d->bytes + d->body_len, d->signature_len);
}

struct str delivery_account(const struct delivery *d)
{
	return str_make(d->bytes + d->body_len + d->signature_len, d->account_len);
}

static void on_timer(void *cookie)
{
	struct delivery *d = cookie;
	struct lane *l = d->lane;

	if (d->parked) {
		d->parked = false;
		list_remove(&l->delayed, d);
		list_add(&l->line, d, l->line.first); /* inv. 3 */
	}
	l->lanes->due(l->lanes->cookie, d);
}

/* The lane owns d from here on; it is in no list yet. */
static void adopt(struct lane *l, struct delivery *d)
{
	d->lane = l;
	timer_init(&d->timer, l->lanes->loop, LOOP_MOVED, on_timer, d);
	l->lanes->memory += sizeof(*d) + bytes_of(d);
	l->lanes->count++;
}

static void free_bytes(struct delivery *d)
{
	d->lane->lanes->memory -= bytes_of(d);
	free(d->bytes);
	d->bytes = NULL;
}

/* It is in no list any more.  Closed deliveries are counted off already. */
static void disown(struct delivery *d)
{
	struct lanes *ls = d->lane->lanes;

	timer_cancel(&d->timer);
	free_bytes(d);
	ls->memory -= sizeof(*d);
	if (!delivery_state_is_terminal(d->pending ? d->to : d->state))
		ls->count--;
	delivery_free(d);
}

/* ---- lanes */

void lanes_init(struct lanes *ls, struct loop *loop, struct store *store, int64_t destination_row)
{
	*ls = (struct lanes){ .loop = loop, .store = store, .destination_row = destination_row };
	ls->by_key = map_new();
}

struct lane *lanes_get(const struct lanes *ls, int64_t key)
{
	return map_get_u64(ls->by_key, (uint64_t)key);
}

struct lane *lanes_add(struct lanes *ls, int64_t key)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->lanes = ls;
	l->key = key;
	ASSERT(map_set_u64(ls->by_key, (uint64_t)key, l) == NULL);
	ls->memory += LANE_BYTES;
	return l;
}

static void set_spilled(struct lane *l, bool spilled)
{
	if (l->spilled == spilled)
		return;
	l->spilled = spilled;
	l->lanes->spilled = spilled ? l->lanes->spilled + 1 : l->lanes->spilled - 1;
}

static void list_free(struct delivery_list *list, bool all)
{
	struct delivery *d, *next;

	for (d = list->first; d != NULL; d = next) {
		next = d->next;
		if (!all && d->pending)
			continue;
		list_remove(list, d);
		disown(d);
	}
}

static void lane_free(struct lane *l)
{
	lane_queue_remove(l);
	set_spilled(l, false);
	l->lanes->memory -= LANE_BYTES;
	free(l);
}

bool lane_drop_idle(struct lane *l)
{
	if (l->flying != NULL || l->line.count + l->delayed.count + l->closing.count > 0 ||
	    l->spilled || l->reading)
		return false;
	(void)map_remove_u64(l->lanes->by_key, (uint64_t)l->key);
	lane_free(l);
	return true;
}

void lanes_release(struct lanes *ls)
{
	size_t at = 0;
	struct str key;
	void *value;

	ASSERT(ls->moving == 0);
	while (ls->by_key != NULL && map_next(ls->by_key, &at, &key, &value)) {
		struct lane *l = value;

		if (l->flying != NULL)
			disown(l->flying);
		list_free(&l->line, true);
		list_free(&l->delayed, true);
		list_free(&l->closing, true);
		lane_free(l);
	}
	map_free(ls->by_key);
	ls->by_key = NULL;
}

void lane_distrust(struct lane *l)
{
	set_spilled(l, true);
}

void lane_spill(struct lane *l)
{
	l->dirty = true;
	set_spilled(l, true);
}

void lane_rewind(struct lane *l, int64_t row)
{
	ASSERT(row > 0);
	if (l->read_row >= row)
		l->read_row = row - 1;
	if (l->reading && (l->again_row == 0 || l->again_row > row))
		l->again_row = row; /* it may have passed there before */
	lane_spill(l);
}

void lane_shed(struct lane *l, bool all)
{
	struct delivery *d, *next;
	int64_t lowest = l->last_row + 1;

	if (all) {
		list_free(&l->line, false);
		list_free(&l->delayed, false);
		for (d = l->line.first; d != NULL; d = d->next)
			free_bytes(d);
		if (l->flying != NULL)
			l->flying->outdated = true;
		lowest = 1; /* what stays is found by its row */
	} else {
		ASSERT(l->line.first != NULL);
		for (d = l->line.first->next; d != NULL; d = next) {
			next = d->next;
			if (d->pending || d->delayed)
				continue;
			if (d->event_row < lowest)
				lowest = d->event_row;
			list_remove(&l->line, d);
			disown(d);
		}
		free_bytes(l->line.first);
	}
	lane_rewind(l, lowest);
}

void lane_append(struct lane *l, struct delivery *d)
{
	ASSERT(d->event_row > l->last_row);
	adopt(l, d);
	list_add(&l->line, d, NULL);
	l->last_row = l->read_row = d->event_row;
}

static struct delivery *find(const struct lane *l, int64_t row)
{
	struct delivery *d;

	if (l->flying != NULL && l->flying->event_row == row)
		return l->flying;
	d = list_find(&l->delayed, row);
	if (d == NULL)
		d = list_find(&l->closing, row);
	return d != NULL ? d : list_find(&l->line, row);
}

static void give_bytes(struct delivery *to, struct delivery *from)
{
	if (to->bytes != NULL || from->bytes == NULL)
		return;
	to->bytes = from->bytes;
	to->body_len = from->body_len;
	to->signature_len = from->signature_len;
	to->account_len = from->account_len;
	to->formless = from->formless;
	from->bytes = NULL;
	to->lane->lanes->memory += bytes_of(to);
}

static void put_delayed(struct lane *l, struct delivery *d)
{
	d->delayed = d->parked = true;
	list_add(&l->delayed, d, NULL);
	timer_at(&d->timer, d->next_at_ns);
	if (d->next_at_ns - clock_mono_ns(loop_clock(l->lanes->loop)) > KEEP_BYTES_NS)
		free_bytes(d); /* it is read again when its time comes */
}

void delivery_delay(struct delivery *d)
{
	ASSERT(d->state == DELIVERY_WAITING && !d->pending && !d->parked);
	list_remove(&d->lane->line, d);
	put_delayed(d->lane, d);
}

void lane_merge(struct lane *l, struct delivery *d)
{
	struct delivery *known = find(l, d->event_row);

	if (known != NULL) { /* inv. 5 */
		give_bytes(known, d);
		delivery_free(d);
		return;
	}
	adopt(l, d);
	if (d->event_row > l->last_row)
		l->last_row = d->event_row;
	if (d->state == DELIVERY_WAITING && d->delayed) {
		put_delayed(l, d);
		return;
	}
	line_put(&l->line, d);
}

struct delivery *lane_next(const struct lane *l, int64_t now_ns)
{
	struct delivery *d = l->line.first;

	if (l->flying != NULL || d == NULL || d->pending) /* inv. 1, 4 */
		return NULL;
	if (d->state == DELIVERY_WAITING && d->next_at_ns > now_ns)
		return NULL;
	return d;
}

bool lane_is_waiting(const struct lane *l)
{
	const struct delivery *d = l->line.first;

	return l->flying == NULL && d != NULL && (d->state == DELIVERY_WAITING || d->pending);
}

bool lane_wants_read(const struct lane *l)
{
	const struct delivery *head = l->line.first;

	if (head == NULL)
		return l->spilled;
	/* One that waits in front needs its bytes only when its time has come: relay.c. */
	return l->spilled && !head->delayed && head->event_row > l->read_row;
}

int64_t lane_read_begin(struct lane *l)
{
	const struct delivery *head = l->line.first;

	ASSERT(!l->reading);
	l->reading = true;
	l->dirty = false;
	l->again_row = 0;
	/* A head that lacks its bytes is read for itself. */
	if (head != NULL && head->bytes == NULL &&
	    (head->delayed || head->event_row <= l->read_row))
		return head->event_row - 1;
	return l->read_row;
}

void lane_read_done(struct lane *l, int64_t after, int64_t upto, bool ended)
{
	struct delivery *d, *next;

	l->reading = false;
	if (after <= l->read_row && upto > l->read_row)
		l->read_row = upto;
	if (l->again_row != 0 && l->read_row >= l->again_row)
		l->read_row = l->again_row - 1;
	if (ended && after <= l->read_row && !l->dirty) {
		l->read_row = l->last_row;
		set_spilled(l, false);
	}
	l->again_row = 0;
	for (d = l->closing.first; d != NULL; d = next) {
		next = d->next;
		if (d->pending)
			continue;
		list_remove(&l->closing, d);
		disown(d);
	}
}

/* ---- moves */

/* The store has answered: memory follows. */
static void delivery_moved(struct store_req *req)
{
	struct delivery *d = CONTAINER_OF(req, struct delivery, move.req);
	struct lane *l = d->lane;
	struct lanes *ls = l->lanes;
	bool refused = req->status != GW_OK, lost = false;

	ASSERT(d->pending && d->state == DELIVERY_DELIVERING);
	ls->moving--;
	if (delivery_state_is_terminal(d->to)) {
		d->state = d->stored = d->to;
		d->pending = false;
		if (!l->reading) { /* inv. 5 */
			list_remove(&l->closing, d);
			disown(d);
		}
	} else if (!refused && d->move.lost) {
		lost = true;
		list_remove(&l->line, d);
		d->pending = false;
		disown(d);
	} else {
		d->state = d->to;
		d->stored = refused ? d->stored : d->to;
		d->pending = false;
		if (d->delayed) {
			list_remove(&l->line, d);
			put_delayed(l, d);
		}
	}
	ls->moved(ls->cookie, l, lost);
}

static void submit(struct delivery *d, enum delivery_state to, const struct delivery_note *note)
{
	struct lanes *ls = d->lane->lanes;
	const struct clock *clock = loop_clock(ls->loop);
	struct store_delivery_move *m = &d->move;

	free(d->why);
	d->why = note->why == NULL ? NULL : xstrdup(note->why);
	*m = (struct store_delivery_move){ .event_row = d->event_row,
					   .destination_row = ls->destination_row,
					   .from = delivery_state_name(d->stored),
					   .to = delivery_state_name(to),
					   .attempts = note->attempts,
					   .at_ms = clock_wall_ms(clock),
					   .http_status = note->http_status,
					   .why = d->why };
	if (to == DELIVERY_WAITING)
		m->next_ms = m->at_ms + (note->next_at_ns - clock_mono_ns(clock)) / NS_PER_MS;
	m->req.op = STORE_DELIVERY_MOVE;
	m->req.done = delivery_moved;
	m->req.weight = sizeof(*m);
	m->req.lazy = true; /* a crash before the commit repeats the attempt */
	d->pending = true;
	d->to = to;
	ls->moving++;
	store_submit(ls->store, &m->req);
}

/* Straight in memory: the disk does not know DELIVERING (inv. 2). */
static void take_off(struct delivery *d)
{
	struct lane *l = d->lane;

	ASSERT(l->flying == NULL && d == l->line.first); /* inv. 1 */
	timer_cancel(&d->timer);
	list_remove(&l->line, d);
	l->flying = d;
	d->state = DELIVERY_DELIVERING;
}

static void leave(struct delivery *d)
{
	struct lane *l = d->lane;

	if (l->flying == d)
		l->flying = NULL;
	else
		list_remove(&l->line, d);
	timer_cancel(&d->timer);
}

void delivery_want(struct delivery *d, enum delivery_state to, const struct delivery_note *note)
{
	struct lane *l = d->lane;

	ASSERT(!d->pending); /* inv. 4 */
	ASSERT(delivery_may_follow(d->state, to) ||
	       (d->state == DELIVERY_DELIVERING && to == d->stored));
	if (to == DELIVERY_DELIVERING) {
		take_off(d);
		return;
	}
	leave(d);
	if (delivery_state_is_terminal(to)) {
		d->state = DELIVERY_DELIVERING; /* out of the line in any case */
		list_add(&l->closing, d, NULL);
		l->lanes->count--;
		free_bytes(d);
		submit(d, to, note);
		return;
	}
	if (note != NULL)
		d->delayed = note->delayed;
	line_put(&l->line, d); /* inv. 3 */
	if (d->outdated)
		free_bytes(d);
	d->outdated = false;
	if (note == NULL) { /* nothing was burned: as the disk has it */
		ASSERT(to == d->stored);
		d->state = to;
		return;
	}
	ASSERT(to == DELIVERY_WAITING);
	d->attempts = note->attempts;
	d->next_at_ns = note->next_at_ns;
	submit(d, to, note);
}

/* ---- checks */

static size_t check_list(const struct lane *l, const struct delivery_list *list)
{
	size_t count = 0;

	for (const struct delivery *d = list->first; d != NULL; d = d->next, count++) {
		ASSERT(d->lane == l && d->stored != DELIVERY_DELIVERING); /* inv. 2 */
		ASSERT(d->next == NULL ? list->last == d : d->next->prev == d);
	}
	ASSERT(count == list->count);
	return count;
}

void lane_check(const struct lane *l)
{
	int64_t row = 0;

	(void)check_list(l, &l->line);
	(void)check_list(l, &l->delayed);
	(void)check_list(l, &l->closing);
	ASSERT(l->flying == NULL || l->flying->state == DELIVERY_DELIVERING);
	for (const struct delivery *d = l->line.first; d != NULL; d = d->next) {
		ASSERT(d->delayed || d->event_row > row); /* inv. 3 */
		if (!d->delayed)
			row = d->event_row;
	}
	ASSERT(l->reading || l->again_row == 0);
	ASSERT(l->read_row <= l->last_row);
	for (const struct delivery *d = l->delayed.first; d != NULL; d = d->next)
		ASSERT(d->parked && d->state == DELIVERY_WAITING && timer_is_armed(&d->timer));
}
