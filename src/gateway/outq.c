/* SPDX-License-Identifier: MIT */
/*
 * outq.c - messages between "accepted" and "answered by Meta"
 *
 * ROLE        Between the door (outq_add), the dispatcher and the reconciler
 *             (outq_want).  Owns one rule: a state is what the store says, and
 *             only this file changes it.
 *
 * LIFE        outq_state.def; may_follow[] below is the whole machine.
 *
 * INVARIANTS  1. An entry's state is the one its row has: memory follows the
 *                commit (outq_moved), and a compare-and-set that finds another
 *                state is a bug and ends the process.
 *             2. While entry->moving is set exactly one move of it is in the
 *                store, and nobody else may move it.
 *             3. next_ns > 0 exactly in WAITING with reason backoff.
 *             4. tries grows by one with each entry into SENDING, attempts by
 *                one where it was burned; neither shrinks.
 *             5. Of a lane at most one entry is SENDING or about to be
 *                (lane->busy), so that messages to one person leave in order.
 *             6. What is here is not terminal: a terminal entry is freed as
 *                soon as options.moved has been told.
 *             7. What is parked is counted in its lane's `parked`, in no class, and
 *                nobody waits for it: outq_head() steps over it.
 *             8. Each entry is counted in one state, those that are shelved as
 *                UNKNOWN: the counts add up to both.
 *             outq_check() asserts 2 to 8 on every move.
 *
 * FAILURE     The store refuses a move (its savepoint failed): the entry stays
 *             pending in the old state and the same move is handed in again
 *             every second.  A crash leaves the last committed state: queued and
 *             waiting go on, sending becomes unknown or waiting (reconcile.c).
 *
 * LIMITS      outbox_settings.queue_max messages, OUTQ_BYTES_MAX bytes; kept by the door.  An
 *             UNKNOWN that only waits leaves memory (shelf.c), counted by state as before.
 * THREADS     the loop's
 * TESTS       tests/unit/test_outq.c
 */
#include "gateway/outq.h"

#include "base/map.h"
#include "base/mem.h"
#include "gateway/metrics.h"

#define MOVE_RETRY_MS 1000

/* ---- the machine ---- */

static const struct {
	const char *word;
	bool is_terminal;
} states[OUTQ_NSTATES] = {
#define OUTQ_STATE(symbol, word, terminal) [OUTQ_##symbol] = { word, terminal },
#include "store/outq_state.def"
#undef OUTQ_STATE
};

/* ACCEPTED after QUEUED and WAITING: a status proves that a try we took for lost or refused got
 * through, so the message must not be sent again. */
static const uint8_t may_follow[OUTQ_NSTATES] = {
	[OUTQ_QUEUED] = BIT(OUTQ_SENDING) | BIT(OUTQ_WAITING) | BIT(OUTQ_ACCEPTED) |
			BIT(OUTQ_REJECTED) | BIT(OUTQ_EXPIRED),
	[OUTQ_SENDING] = BIT(OUTQ_ACCEPTED) | BIT(OUTQ_REJECTED) | BIT(OUTQ_WAITING) |
			 BIT(OUTQ_UNKNOWN),
	[OUTQ_WAITING] = BIT(OUTQ_SENDING) | BIT(OUTQ_WAITING) | BIT(OUTQ_ACCEPTED) |
			 BIT(OUTQ_REJECTED) | BIT(OUTQ_EXPIRED),
	[OUTQ_UNKNOWN] = BIT(OUTQ_ACCEPTED) | BIT(OUTQ_QUEUED) | BIT(OUTQ_EXPIRED),
	/* ACCEPTED, REJECTED, EXPIRED: terminal, nothing follows */
};

const char *outq_state_name(enum outq_state state)
{
	ASSERT(state < OUTQ_NSTATES);
	return states[state].word;
}

bool outq_state_parse(struct str word, enum outq_state *out)
{
	for (size_t i = 0; i < OUTQ_NSTATES; i++) {
		if (str_eq(word, str_from(states[i].word))) {
			*out = (enum outq_state)i;
			return true;
		}
	}
	return false;
}

bool outq_is_terminal(enum outq_state state)
{
	ASSERT(state < OUTQ_NSTATES);
	return states[state].is_terminal;
}

bool outq_may_follow(enum outq_state from, enum outq_state to)
{
	ASSERT(from < OUTQ_NSTATES && to < OUTQ_NSTATES);
	return (may_follow[from] & BIT(to)) != 0;
}

static const char *const policies[] = {
	[OUTQ_HOLD] = "hold",
	[OUTQ_RESEND] = "resend",
	[OUTQ_EXPIRE] = "expire",
};

const char *outq_policy_name(enum outq_policy policy)
{
	ASSERT(policy < ARRAY_LEN(policies));
	return policies[policy];
}

bool outq_policy_parse(struct str word, enum outq_policy *out)
{
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		if (str_eq(word, str_from(policies[i]))) {
			*out = (enum outq_policy)i;
			return true;
		}
	}
	return false;
}

/* ---- the queue ---- */

struct outq {
	struct outq_options o;
	struct map *by_row, *by_id, *numbers;
	struct link order; /* head; all entries */
	struct link parked; /* head; those that are */
	size_t parked_count;
	struct link in_store; /* head; moves */
	struct link refused; /* head; moves the store would not take */
	struct timer retry;
	size_t count_in[OUTQ_NSTATES];
	size_t shelved; /* of them, those that are in the store alone */
	size_t moving;
	uint64_t bytes;
};

/* A move in the store. */
struct outq_moving {
	struct store_move move; /* first: the store hands this back */
	struct outq *q; /* NULL: the queue was freed meanwhile */
	struct outq_entry *entry;
	enum outq_state to;
	int64_t next_ns;
	struct link in_store, refused;
	char text[]; /* why, wamid, answer */
};

static void submit_again(void *cookie)
{
	struct outq *q = cookie;
	struct link *l;

	while ((l = link_first(&q->refused)) != NULL) {
		struct outq_moving *m = CONTAINER_OF(l, struct outq_moving, refused);

		link_remove(l);
		store_submit(q->o.store, &m->move.req);
	}
}

struct outq *outq_new(const struct outq_options *o)
{
	struct outq *q = xcalloc(1, sizeof(*q));

	q->o = *o;
	q->by_row = map_new();
	q->by_id = map_new();
	q->numbers = map_new();
	link_init(&q->order);
	link_init(&q->parked);
	link_init(&q->in_store);
	link_init(&q->refused);
	timer_init(&q->retry, o->loop, LOOP_REAL, submit_again, q);
	return q;
}

struct outq_entry *outq_entry_new(const struct outq_text *t)
{
	const struct str from[] = { t->to,
				    t->target,
				    t->body,
				    t->opaque,
				    t->kind,
				    t->template_name,
				    t->template_language };
	struct outq_entry *e;
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		size += from[i].len;
	e = xcalloc(1, sizeof(*e) + size);
	at = (char *)(e + 1);
	struct str *const out[] = { &e->to,
				    &e->target,
				    &e->body,
				    &e->opaque,
				    &e->kind,
				    &e->template_name,
				    &e->template_language };

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (from[i].len > 0)
			memcpy(at, from[i].ptr, from[i].len);
		*out[i] = str_make(at, from[i].len);
		at += from[i].len;
	}
	e->id = t->id;
	link_init(&e->waiters);
	return e;
}

void outq_entry_free(struct outq_entry *e)
{
	if (e == NULL)
		return;
	ASSERT(e->moving == NULL && e->exchange == NULL);
	ASSERT(!link_is_in(&e->in_lane) && !link_is_in(&e->armed) && !link_is_in(&e->unsettled));
	ASSERT(link_is_empty(&e->waiters));
	free((void *)(uintptr_t)e->wire.ptr);
	free(e->context_wamid);
	free(e->wamid);
	free(e);
}

static size_t size_of(const struct outq_entry *e)
{
	return sizeof(*e) + e->to.len + e->target.len + e->body.len + e->opaque.len + e->kind.len +
	       e->template_name.len + e->template_language.len;
}

/* ---- numbers and lanes ---- */

struct outq_number *outq_number(struct outq *q, struct str id)
{
	struct outq_number *n = map_get(q->numbers, id);

	if (n != NULL)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->id = xstr(id);
	n->lanes = map_new();
	for (size_t i = 0; i < OUTQ_NCLASSES; i++) {
		link_init(&n->ready[i]);
		link_init(&n->armed[i]);
	}
	link_init(&n->unsettled);
	pacer_init(&n->pacer);
	(void)map_set(q->numbers, id, n);
	return n;
}

struct outq_number *outq_find_number(const struct outq *q, struct str id)
{
	return map_get(q->numbers, id);
}

struct outq_number *outq_next_number(const struct outq *q, size_t *at)
{
	struct str key;
	void *n;

	return map_next(q->numbers, at, &key, &n) ? n : NULL;
}

struct outq_lane *outq_lane(const struct outq_number *n, struct str key)
{
	return map_get(n->lanes, key);
}

static struct outq_lane *lane_of(struct outq_number *n, struct str key)
{
	struct outq_lane *lane = map_get(n->lanes, key);

	if (lane != NULL)
		return lane;
	lane = xcalloc(1, sizeof(*lane));
	lane->number = n;
	lane->key = xstr(key);
	link_init(&lane->entries);
	(void)map_set(n->lanes, key, lane);
	return lane;
}

static void lane_free(struct outq_lane *lane)
{
	ASSERT(lane->place == LANE_IDLE && link_is_empty(&lane->entries));
	(void)map_remove(lane->number->lanes, lane->key);
	free((void *)(uintptr_t)lane->key.ptr);
	free(lane);
}

void outq_lane_drop_idle(struct outq_lane *lane)
{
	if (link_is_empty(&lane->entries))
		lane_free(lane);
}

struct outq_entry *outq_head(const struct outq_lane *lane)
{
	for (struct link *l = link_first(&lane->entries); l != NULL;
	     l = link_next(&lane->entries, l)) {
		struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, in_lane);

		if (!e->passed && !e->parked)
			return e;
	}
	return NULL;
}

bool outq_is_free(const struct outq_entry *e)
{
	return e->moving == NULL && (e->state == OUTQ_QUEUED || e->state == OUTQ_WAITING) &&
	       e->lane->busy == NULL && outq_head(e->lane) == e;
}

bool outq_is_ending(const struct outq_entry *e)
{
	return e->moving != NULL && outq_is_terminal(e->moving->to);
}

void outq_pass(struct outq_entry *e)
{
	ASSERT(e->state == OUTQ_UNKNOWN);
	e->passed = true;
}

/* ---- parked ---- */

static bool is_parked(const struct outq_entry *e)
{
	return e->state == OUTQ_WAITING && str_eq(str_from(e->reason), STR("parked"));
}

static void set_parked(struct outq *q, struct outq_entry *e, bool parked)
{
	struct outq_lane *lane = e->lane;

	if (e->parked == parked)
		return;
	e->parked = parked; /* inv. 7 */
	if (parked) {
		lane->parked++;
		lane->by_class[e->class_]--;
		q->parked_count++;
		link_push(&q->parked, &e->in_parked);
	} else {
		lane->parked--;
		lane->by_class[e->class_]++;
		q->parked_count--;
		link_remove(&e->in_parked);
	}
	metrics_set(q->o.metrics, M_OUTBOX_PARKED, 0, 0, (int64_t)q->parked_count);
}

void outq_unpark(struct outq *q, struct outq_entry *e)
{
	set_parked(q, e, false);
}

struct outq_entry *outq_next_parked(const struct outq *q, const struct outq_entry *e)
{
	struct link *l = e == NULL ? link_first(&q->parked) : link_next(&q->parked, &e->in_parked);

	return l == NULL ? NULL : CONTAINER_OF(l, struct outq_entry, in_parked);
}

/* ---- in and out ---- */

static void count(struct outq *q, enum outq_state state, int by)
{
	q->count_in[state] = (size_t)((int64_t)q->count_in[state] + by);
	metrics_set(q->o.metrics, M_OUTBOX_STATE, state, 0, (int64_t)q->count_in[state]);
}

static struct str id_key(const struct id *id)
{
	return str_make((const char *)id->bytes, ID_BYTES);
}

static int64_t place_of(const struct outq_entry *e)
{
	return e->again_of != 0 ? e->again_of : e->row;
}

/* Last of its lane; what is said again goes before what is parked and was said after it: the
 * statuses that failed them come in any order. */
static void put_in_lane(struct outq_lane *lane, struct outq_entry *e)
{
	struct link *at = &lane->entries;

	while (e->again_of != 0 && at->prev != &lane->entries) {
		const struct outq_entry *before = CONTAINER_OF(at->prev, struct outq_entry,
							       in_lane);

		if (!before->parked || place_of(before) < e->again_of)
			break;
		at = at->prev;
	}
	link_insert_before(at, &e->in_lane);
}

void outq_add(struct outq *q, struct outq_entry *e, struct str number_id, struct str lane,
	      int64_t window_ms)
{
	ASSERT(e->row > 0 && !outq_is_terminal(e->state)); /* inv. 6 */
	e->lane = lane_of(outq_number(q, number_id), lane);
	if (window_ms > e->lane->window_ms)
		e->lane->window_ms = window_ms;
	put_in_lane(e->lane, e);
	e->lane->by_class[e->class_]++;
	if (e->state == OUTQ_SENDING) {
		ASSERT(e->lane->busy == NULL);
		e->lane->busy = e;
	}
	link_push(&q->order, &e->in_order);
	ASSERT(map_set_u64(q->by_row, (uint64_t)e->row, e) == NULL);
	ASSERT(map_set(q->by_id, id_key(&e->id), e) == NULL);
	q->bytes += size_of(e);
	count(q, e->state, 1);
	set_parked(q, e, is_parked(e));
	outq_check(q, e);
}

static void forget(struct outq *q, struct outq_entry *e)
{
	set_parked(q, e, false);
	link_remove(&e->in_lane);
	e->lane->by_class[e->class_]--;
	link_remove(&e->in_order);
	(void)map_remove_u64(q->by_row, (uint64_t)e->row);
	(void)map_remove(q->by_id, id_key(&e->id));
	q->bytes -= size_of(e);
}

static void take_out(struct outq *q, struct outq_entry *e)
{
	forget(q, e);
	count(q, e->state, -1);
}

void outq_shelve(struct outq *q, struct outq_entry *e)
{
	ASSERT(e->state == OUTQ_UNKNOWN);
	forget(q, e); /* it stays counted */
	q->shelved++;
	outq_entry_free(e);
}

void outq_count_shelved(struct outq *q, int by)
{
	count(q, OUTQ_UNKNOWN, by);
	q->shelved = (size_t)((int64_t)q->shelved + by);
}

/* What the store still has comes back to nobody. */
static void orphan_moves(struct outq *q)
{
	struct link *l;

	while ((l = link_first(&q->in_store)) != NULL) {
		struct outq_moving *m = CONTAINER_OF(l, struct outq_moving, in_store);

		link_remove(l);
		m->entry->moving = NULL;
		m->q = NULL;
		if (link_is_in(&m->refused)) { /* the store does not have it */
			link_remove(&m->refused);
			free(m);
		}
	}
}

void outq_free(struct outq *q)
{
	struct link *l;
	struct str key;
	size_t at = 0;
	void *n;

	if (q == NULL)
		return;
	timer_cancel(&q->retry);
	orphan_moves(q);
	while ((l = link_first(&q->order)) != NULL) {
		struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, in_order);
		struct outq_lane *lane = e->lane;

		take_out(q, e);
		link_remove(&e->unsettled);
		outq_entry_free(e);
		outq_lane_drop_idle(lane);
	}
	while (map_next(q->numbers, &at, &key, &n)) {
		struct outq_number *number = n;

		map_free(number->lanes);
		free((void *)(uintptr_t)number->id.ptr);
		free(number);
	}
	map_free(q->numbers);
	map_free(q->by_row);
	map_free(q->by_id);
	free(q);
}

/* ---- the one way to change a state ---- */

static void on_moved(struct store_req *req)
{
	struct outq_moving *m = CONTAINER_OF(req, struct outq_moving, move.req);

	if (m->q != NULL) {
		outq_moved(m->q, &m->move);
	} else {
		store_followed_free(m->move.followed);
		free(m);
	}
}

/* Copy `s` behind what is in m->text; `at` moves on. */
static struct str keep(char **at, struct str s)
{
	struct str kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	(*at)[s.len] = '\0';
	*at += s.len + 1;
	return kept;
}

static int64_t wall_of(const struct outq *q, int64_t mono_ns)
{
	const struct clock *c = loop_clock(q->o.loop);

	return mono_ns == 0 ? 0 : clock_wall_ms(c) + (mono_ns - clock_mono_ns(c)) / NS_PER_MS;
}

static struct outq_moving *make_move(struct outq *q, struct outq_entry *e,
				     const struct outq_move *m)
{
	struct str why = str_from(m->why);
	size_t room = why.len + m->wamid.len + m->answer.len + 3;
	struct outq_moving *out = xcalloc(1, sizeof(*out) + room);
	struct store_move *s = &out->move;
	char *at = out->text;

	out->q = q;
	out->entry = e;
	out->to = m->to;
	out->next_ns = m->next_ns;
	s->req.op = STORE_MOVE;
	s->req.done = on_moved;
	s->req.weight = sizeof(*out) + room;
	s->row = e->row;
	s->from = outq_state_name(e->state);
	s->to = outq_state_name(m->to);
	s->reason = m->reason;
	s->why = keep(&at, why).ptr;
	s->at_ms = clock_wall_ms(loop_clock(q->o.loop));
	s->next_ms = wall_of(q, m->next_ns);
	s->tries = e->tries + (m->to == OUTQ_SENDING ? 1 : 0); /* inv. 4 */
	s->attempts = e->attempts + (m->burns ? 1 : 0);
	s->http_status = m->http_status;
	s->code = m->code;
	s->subcode = m->subcode;
	/* What may have reached Meta in an earlier try keeps its key: a repetition would send it
	 * twice. */
	s->unbind = m->unbinds && s->attempts == 0;
	s->follow = m->follow;
	s->batch_line = e->batch_line;
	s->wamid = keep(&at, m->wamid);
	s->answer = keep(&at, m->answer);
	s->connect_ms = m->has_delays ? m->connect_ms : -1;
	s->api_ms = m->has_delays ? m->api_ms : -1;
	s->paced_ms = m->has_delays ? m->paced_ms : -1;
	s->waited_ms = m->has_delays ? m->waited_ms : -1;
	return out;
}

void outq_want(struct outq *q, struct outq_entry *e, const struct outq_move *m)
{
	bool backs_off = m->reason != NULL && str_eq(str_from(m->reason), STR("backoff"));

	ASSERT(e->moving == NULL); /* inv. 2 */
	ASSERT(outq_may_follow(e->state, m->to));
	ASSERT((m->to == OUTQ_WAITING) == (m->reason != NULL));
	ASSERT(backs_off == (m->next_ns > 0)); /* inv. 3 */
	if (m->to == OUTQ_SENDING) {
		ASSERT(outq_is_free(e)); /* inv. 5 */
		e->lane->busy = e;
	}
	if (q->o.moving != NULL)
		q->o.moving(q->o.cookie, e, m);
	e->moving = make_move(q, e, m);
	q->moving++;
	link_push(&q->in_store, &e->moving->in_store);
	outq_check(q, e);
	store_submit(q->o.store, &e->moving->move.req);
}

/* Memory follows the disk. */
static void apply(struct outq *q, struct outq_entry *e, const struct outq_moving *m)
{
	e->moving = NULL;
	e->state = m->to;
	e->reason = m->move.reason;
	e->next_ns = m->next_ns;
	e->tries = m->move.tries;
	e->attempts = m->move.attempts;
	if (e->lane->busy == e && e->state != OUTQ_SENDING)
		e->lane->busy = NULL;
	if (e->state != OUTQ_UNKNOWN)
		e->passed = false;
	set_parked(q, e, is_parked(e));
	if (e->parked)
		e->since_ms = m->move.code != 0 ? m->move.at_ms : 0;
}

void outq_moved(struct outq *q, struct store_move *s)
{
	struct outq_moving *m = CONTAINER_OF(s, struct outq_moving, move);
	struct outq_entry *e = m->entry;
	struct outq_lane *lane = e->lane;
	enum outq_state from = e->state;
	char text[ID_TEXT_MAX];

	if (s->req.status != GW_OK) {
		log_error(q->o.log, "message row=%lld: move %s to %s refused by the store (%s)",
			  (long long)s->row, s->from, s->to, gw_status_name(s->req.status));
		link_push(&q->refused, &m->refused);
		timer_in_ms(&q->retry, MOVE_RETRY_MS);
		return;
	}
	if (s->lost)
		PANIC("message row %lld is not %s in the store", (long long)s->row, s->from);
	ASSERT(e->moving == m && q->moving > 0); /* inv. 1 and 2 */
	q->moving--;
	link_remove(&m->in_store);
	count(q, from, -1);
	apply(q, e, m);
	count(q, e->state, 1);
	id_text(ID_MESSAGE, &e->id, text);
	log_debug(q->o.log, "message id=%s from=%s to=%s tries=%u why=%s", text, s->from, s->to,
		  e->tries, s->why);
	metrics_add(q->o.metrics, M_OUTBOX_MOVES, from, e->state, 1);
	if (outq_is_terminal(e->state))
		take_out(q, e);
	else
		outq_check(q, e);
	q->o.moved(q->o.cookie, e, from, s);
	if (outq_is_terminal(e->state)) {
		outq_entry_free(e); /* inv. 6 */
		outq_lane_drop_idle(lane);
	}
	store_followed_free(s->followed);
	free(m);
}

static size_t counted(const struct outq *q)
{
	size_t all = 0;

	for (size_t i = 0; i < ARRAY_LEN(q->count_in); i++)
		all += q->count_in[i];
	return all;
}

void outq_check(const struct outq *q, const struct outq_entry *e)
{
	bool backs_off = e->reason != NULL && str_eq(str_from(e->reason), STR("backoff"));

	ASSERT((e->state == OUTQ_WAITING) == (e->reason != NULL));
	ASSERT(backs_off == (e->next_ns > 0)); /* inv. 3 */
	ASSERT(e->attempts <= e->tries); /* inv. 4 */
	ASSERT(e->moving == NULL || (e->moving->entry == e && q->moving > 0)); /* inv. 2 */
	ASSERT(e->state != OUTQ_SENDING || e->lane->busy == e); /* inv. 5 */
	ASSERT(!e->passed || e->state == OUTQ_UNKNOWN);
	ASSERT(!outq_is_terminal(e->state) && link_is_in(&e->in_lane)); /* inv. 6 */
	ASSERT(!link_is_in(&e->armed) || e->state == OUTQ_SENDING);
	ASSERT(e->exchange == NULL || e->state == OUTQ_SENDING);
	ASSERT(!e->parked || is_parked(e)); /* inv. 7 */
	ASSERT(counted(q) == map_count(q->by_row) + q->shelved); /* inv. 8 */
}

/* ---- asking ---- */

struct outq_entry *outq_by_row(const struct outq *q, int64_t row)
{
	return map_get_u64(q->by_row, (uint64_t)row);
}

struct outq_entry *outq_by_id(const struct outq *q, const struct id *id)
{
	return map_get(q->by_id, id_key(id));
}

size_t outq_count(const struct outq *q)
{
	return map_count(q->by_row);
}

size_t outq_count_in(const struct outq *q, enum outq_state state)
{
	return q->count_in[state];
}

uint64_t outq_bytes(const struct outq *q)
{
	return q->bytes;
}

size_t outq_moving_count(const struct outq *q)
{
	return q->moving;
}

struct outq_entry *outq_next(const struct outq *q, const struct outq_entry *e)
{
	struct link *l = e == NULL ? link_first(&q->order) : link_next(&q->order, &e->in_order);

	return l == NULL ? NULL : CONTAINER_OF(l, struct outq_entry, in_order);
}
