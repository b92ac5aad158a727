/* SPDX-License-Identifier: MIT */
/*
 * relay.c - events to the user's endpoints (W6, W7): the door, and who is next
 *
 * ROLE        Between the inbox (committed events), the store (which has every delivery) and the
 *             destinations.  Owns the order of a lane and the share of a destination: one
 *             request in flight per lane, as many lanes at once as the breaker allows.
 *
 * LIFE        relay_event()      rendered into its lane, or left to the store (spilled)
 *             outlet_place()     the lane goes where its head belongs: fresh, again, hungry, or
 *                                none of them while its head waits
 *             outlet_pump()      W6: starts attempts (relay_attempt.c), asks for reads
 *                                (relay_refill.c)
 *             outlet_moved()     W7: the outcome is on disk
 *
 * INVARIANTS  1. An event that memory does not take is marked on its lane (dirty) or on the
 *                outlet (overflowed), and is read back later; no event is in neither.  The
 *                same holds for what is replayed, let go or rendered anew: lane_rewind().
 *             2. Events enter a lane in the order of their commits; once a lane has spilled they
 *                enter by reading only, until it is live again.
 *             3. First attempts go before retries and replays, which get one turn in
 *                RELAY_RETRY_SHARE + 1 while first attempts wait, and all turns when none do: a
 *                destination that recovers sees fresh traffic first, and nothing starves.
 *             4. What a lane that waits holds in memory is shed when half the destination's
 *                memory is used: stuck lanes cannot crowd out the others.
 *
 * FAILURE     Crash: what was not marked delivered is delivered again, in order: at least once.
 * LIMITS      RELAY_MEMORY_MAX and RELAY_LANES_MAX a destination; concurrency_max requests.
 * THREADS     The loop's.
 * TESTS       tests/unit/test_relay*.c, tests/system/test_relay*.py
 */
#include "gateway/relay_int.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdlib.h>

#define LAGGING_NS NS_PER_S

/* ---- outlets */

struct destination *outlet_destination(const struct outlet *o)
{
	return o->removed ? NULL : destinations_by_row(o->relay->o.destinations, o->row);
}

bool outlet_is_stopped(const struct outlet *o)
{
	return o->removed || o->disabled;
}

static struct outlet *find_outlet(const struct relay *r, int64_t row)
{
	for (size_t i = 0; i < r->outlet_count; i++)
		if (r->outlets[i]->row == row && !r->outlets[i]->removed)
			return r->outlets[i];
	return NULL;
}

static bool has_room(const struct outlet *o)
{
	return o->lanes.memory < RELAY_MEMORY_MAX;
}

static int64_t now_ns(const struct outlet *o)
{
	return clock_mono_ns(relay_clock(o->relay));
}

static void on_wake(void *cookie)
{
	outlet_pump(cookie);
}

/* A delivery's time has come, or its lane was held up for long enough. */
static void on_due(void *cookie, struct delivery *d)
{
	struct outlet *o = cookie;
	struct lane *l = d->lane;

	if (d == l->line.first && d->state == DELIVERY_WAITING && !d->pending &&
	    d->next_at_ns > now_ns(o))
		delivery_delay(d);
	outlet_place(o, l);
	outlet_pump(o);
}

static void on_moved(void *cookie, struct lane *l, bool lost)
{
	struct outlet *o = cookie;

	if (lost && !o->removed) {
		log_warn(o->relay->o.log,
			 "relay: destination=%s a delivery was not as remembered; its lane is "
			 "read again",
			 o->name);
		lane_rewind(l, 1);
	}
	if (!o->removed) {
		outlet_place(o, l);
		outlet_pump(o);
	}
	relay_look_idle(o->relay);
	outlet_settle(o);
}

static void outlet_follow(struct outlet *o, const struct destination *to)
{
	free(o->url);
	o->url = xstrdup(to->url);
	o->format = to->format;
	o->include_raw = to->include_raw;
	o->disabled = to->disabled;
	gw_error_clear(&o->url_error);
	o->url_bad = egress_check_url(str_from(to->url), o->relay->o.settings.https_only,
				      &o->url_error) != GW_OK;
	outlet_forget_macs(o);
}

static struct outlet *outlet_new(struct relay *r, const struct destination *to)
{
	struct outlet *o = xcalloc(1, sizeof(*o));

	o->relay = r;
	o->row = to->row;
	id_text(ID_DESTINATION, &to->id, o->name);
	lanes_init(&o->lanes, r->o.loop, r->o.store, to->row);
	o->lanes.cookie = o;
	o->lanes.due = on_due;
	o->lanes.moved = on_moved;
	breaker_init(&o->breaker, r->o.settings.concurrency_max, &r->rnd);
	timer_init(&o->wake, r->o.loop, LOOP_MOVED, on_wake, o);
	timer_init(&o->refill_again, r->o.loop, LOOP_REAL, on_wake, o);
	o->scan_after = INT64_MIN;
	outlet_follow(o, to);
	r->outlets = xreallocarray(r->outlets, r->outlet_count + 1, sizeof(struct outlet *));
	r->outlets[r->outlet_count++] = o;
	return o;
}

static void outlet_free(struct outlet *o)
{
	timer_cancel(&o->wake);
	timer_cancel(&o->refill_again);
	lanes_release(&o->lanes);
	outlet_forget_macs(o);
	free(o->url);
	free(o);
}

void outlet_settle(struct outlet *o)
{
	struct relay *r = o->relay;

	if (!o->removed || o->lanes.moving > 0 || o->refill != NULL)
		return;
	for (size_t i = 0; i < r->outlet_count; i++) {
		if (r->outlets[i] != o)
			continue;
		r->outlets[i] = r->outlets[--r->outlet_count];
		outlet_free(o);
		return;
	}
}

/* The outlet of a destination that exists. */
static struct outlet *get_outlet(struct relay *r, int64_t row)
{
	struct outlet *o = find_outlet(r, row);
	const struct destination *to;

	if (o != NULL)
		return o;
	to = destinations_by_row(r->o.destinations, row);
	return to == NULL ? NULL : outlet_new(r, to);
}

/* ---- who is next */

static void wait_for_head(struct outlet *o, struct lane *l)
{
	struct delivery *d = l->line.first;
	int64_t until = d->failed_ns + o->relay->o.settings.lane_block_max_ms * NS_PER_MS;

	if (until > d->next_at_ns)
		until = d->next_at_ns;
	timer_at(&d->timer, until);
	if (o->lanes.memory > RELAY_MEMORY_MAX / 2 && (l->line.count > 1 || d->bytes != NULL))
		lane_shed(l, false); /* inv. 4 */
}

/* Those that have no form in this format are closed without being sent. */
static void close_formless(struct lane *l)
{
	struct delivery_note note = { .why = "no form in this destination's format" };
	struct delivery *d;

	while ((d = l->line.first) != NULL && d->formless && !d->pending)
		delivery_want(d, DELIVERY_DEAD, &note);
}

static struct lane_queue *place_of(struct outlet *o, struct lane *l)
{
	struct delivery *head;

	if (lane_wants_read(l))
		return l->reading ? NULL : &o->hungry;
	head = lane_next(l, now_ns(o));
	if (head == NULL)
		return NULL;
	if (head->bytes == NULL)
		return l->reading ? NULL : &o->hungry;
	return head->attempts == 0 && !head->replay ? &o->fresh : &o->again;
}

void outlet_place(struct outlet *o, struct lane *l)
{
	struct lane_queue *q;
	struct delivery *head;

	close_formless(l);
	q = place_of(o, l);
	if (l->queue != q) {
		lane_queue_remove(l);
		if (q != NULL)
			lane_queue_put(q, l, clock_real_ns());
	}
	head = l->line.first;
	if (l->flying == NULL && head != NULL && head->state == DELIVERY_WAITING &&
	    !head->pending && head->next_at_ns > now_ns(o))
		wait_for_head(o, l);
	else
		(void)lane_drop_idle(l); /* gone, perhaps */
}

/* inv. 3 */
static struct lane *pick(struct outlet *o)
{
	struct lane *l = o->fresh.first;

	if (o->again.first != NULL && (l == NULL || o->credit >= RELAY_RETRY_SHARE)) {
		o->credit = 0;
		return o->again.first;
	}
	if (l != NULL && o->credit < RELAY_RETRY_SHARE)
		o->credit++;
	return l;
}

static bool may_start(const struct outlet *o)
{
	if (!o->relay->started || o->relay->draining || outlet_is_stopped(o))
		return false;
	/* A probe goes out beside what was under way when it opened. */
	if (breaker_is_open(&o->breaker))
		return breaker_window(&o->breaker, now_ns(o)) > 0;
	return o->in_flight < breaker_window(&o->breaker, now_ns(o));
}

static void plan_wake(struct outlet *o)
{
	int64_t at = breaker_probe_ns(&o->breaker);

	if (at == INT64_MAX || at <= now_ns(o))
		timer_cancel(&o->wake); /* due: whatever comes next is the probe */
	else if (!timer_is_armed(&o->wake) || o->wake.at_ns != at)
		timer_at(&o->wake, at);
}

void outlet_pump(struct outlet *o)
{
	struct delivery *d;
	struct lane *l;

	while (may_start(o) && (l = pick(o)) != NULL) {
		lane_queue_remove(l);
		d = lane_next(l, now_ns(o));
		if (d != NULL && d->bytes != NULL)
			relay_attempt(o, l, d);
		else
			outlet_place(o, l);
	}
	plan_wake(o);
	if (o->relay->started)
		outlet_refill(o);
}

/* ---- events come in */

/* inv. 1: it stays in the store, and we know that. */
static void leave_to_store(struct outlet *o, struct lane *l)
{
	if (l == NULL) {
		o->overflow = true;
		o->overflowed++;
		return;
	}
	lane_spill(l);
}

/* The lane of that key, made if there is room for it; NULL: there is none. */
static struct lane *lane_for(struct outlet *o, int64_t key)
{
	struct lane *l = lanes_get(&o->lanes, key);

	if (l != NULL || outlet_is_stopped(o) || !has_room(o) ||
	    map_count(o->lanes.by_key) >= RELAY_LANES_MAX)
		return l;
	l = lanes_add(&o->lanes, key);
	if (o->overflow)
		lane_distrust(l); /* it may have older events in the store */
	return l;
}

static void take_event(struct outlet *o, struct event *e)
{
	struct relay *r = o->relay;
	struct lane *l = lane_for(o, e->row.lane);

	if (l == NULL || l->spilled || outlet_is_stopped(o) || !has_room(o)) {
		leave_to_store(o, l); /* inv. 2 */
	} else if (e->row.row > l->last_row) {
		lane_append(l,
			    relay_render(&r->scratch, &e->row, o->format,
					 &(struct render_how){ o->include_raw,
							       media_base_get(r->o.media_base) }));
	} /* else a reader saw the commit before its mail came, and brought the event */
	if (l != NULL)
		outlet_place(o, l);
	outlet_pump(o);
}

void relay_event(struct relay *r, struct event *e)
{
	for (size_t i = 0; i < e->in->destination_count; i++) {
		struct outlet *o = get_outlet(r, e->in->destinations[i]);
		const struct destination *to = o == NULL ? NULL : outlet_destination(o);

		if (to != NULL && (!e->row.stale || to->relay_stale))
			take_event(o, e);
	}
}

void relay_load(struct relay *r, const struct store_delivery_row *d)
{
	struct outlet *o = get_outlet(r, d->destination_row);
	struct lane *l;

	if (o == NULL)
		return; /* removed: the store closes them */
	l = lane_for(o, d->lane);
	leave_to_store(o, l);
	if (l != NULL)
		lane_queue_put(&o->hungry, l, clock_real_ns());
}

void relay_start(struct relay *r)
{
	r->started = true;
	for (size_t i = 0; i < r->outlet_count; i++)
		outlet_pump(r->outlets[i]);
}

void relay_replayed(struct relay *r, int64_t destination_row, int64_t lane, int64_t event_row)
{
	struct outlet *o = get_outlet(r, destination_row);
	struct lane *l;

	if (o == NULL)
		return;
	l = lane_for(o, lane);
	leave_to_store(o, l);
	if (l != NULL) {
		lane_rewind(l, event_row); /* it may be older than what the lane has */
		outlet_place(o, l);
	}
	outlet_pump(o);
}

/* ---- destinations change */

static void each_lane(struct outlet *o, void (*fn)(struct outlet *o, struct lane *l))
{
	size_t at = 0;
	struct str key;
	void *value;

	while (map_next(o->lanes.by_key, &at, &key, &value))
		fn(o, value);
}

static void take_back(struct outlet *o, struct lane *l)
{
	struct delivery *d = l->flying;

	if (d == NULL)
		return;
	http_exchange_cancel(d->exchange);
	d->exchange = NULL;
	o->in_flight--;
	o->relay->in_flight--;
	delivery_want(d, d->stored, NULL);
}

static void render_anew(struct outlet *o, struct lane *l)
{
	lane_shed(l, true);
	outlet_place(o, l);
}

static void remove_outlet(struct outlet *o)
{
	each_lane(o, take_back);
	o->removed = true;
	timer_cancel(&o->wake);
	timer_cancel(&o->refill_again);
	relay_look_idle(o->relay);
	outlet_settle(o);
}

void relay_destination_changed(struct relay *r, int64_t row)
{
	const struct destination *to = destinations_by_row(r->o.destinations, row);
	struct outlet *o = find_outlet(r, row);
	bool anew, missed;

	if (to == NULL) {
		if (o != NULL)
			remove_outlet(o);
		return;
	}
	missed = o == NULL || (o->disabled && !to->disabled);
	if (o == NULL)
		o = outlet_new(r, to);
	anew = o->format != to->format || o->include_raw != to->include_raw;
	if (strcmp(o->url, to->url) != 0 || missed)
		breaker_init(&o->breaker, r->o.settings.concurrency_max, &r->rnd);
	outlet_follow(o, to);
	if (missed)
		leave_to_store(o, NULL);
	if (anew)
		each_lane(o, render_anew);
	outlet_pump(o);
}

void relay_set(struct relay *r, const struct relay_settings *to)
{
	struct relay_settings *now = &r->o.settings;

	now->timeout_ms = to->timeout_ms;
	now->lane_block_max_ms = to->lane_block_max_ms;
	now->https_only = to->https_only;
	for (size_t i = r->outlet_count; i-- > 0;)
		relay_destination_changed(r, r->outlets[i]->row);
}

void relay_clock_moved(struct relay *r)
{
	for (size_t i = 0; i < r->outlet_count; i++)
		outlet_pump(r->outlets[i]);
}

/* ---- life */

gw_status relay_new(const struct relay_options *o, struct relay **out, struct gw_error *err)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	struct http_client_options client = { .loop = o->loop, .egress = o->egress };
	gw_status st;

	ASSERT(o->settings.concurrency_max > 0);
	r->o = *o;
	rnd_init_system(&r->rnd);
	st = http_client_new(&client, &r->client, err);
	if (st != GW_OK) {
		free(r);
		return st;
	}
	r->app_macs = map_new();
	buf_init(&r->scratch, RELAY_BODY_MAX);
	*out = r;
	return GW_OK;
}

void relay_free(struct relay *r)
{
	size_t at = 0;
	struct str key;
	void *value;

	if (r == NULL)
		return;
	http_client_free(r->client); /* cancels what runs: the deliveries go with their lanes */
	relay_forget_tests(r);
	while (r->outlet_count > 0)
		outlet_free(r->outlets[--r->outlet_count]);
	free(r->outlets);
	while (map_next(r->app_macs, &at, &key, &value)) {
		struct app_mac *m = value;

		mac_free(m->mac);
		secret_release(&m->secret);
		free(m);
	}
	map_free(r->app_macs);
	buf_release(&r->scratch);
	free(r);
}

void relay_look_idle(struct relay *r)
{
	void (*idle)(void *cookie) = r->idle;

	if (idle == NULL || r->in_flight + r->errands > 0)
		return;
	for (size_t i = 0; i < r->outlet_count; i++)
		if (r->outlets[i]->lanes.moving > 0 || r->outlets[i]->refill != NULL)
			return;
	r->idle = NULL;
	idle(r->idle_cookie);
}

void relay_drain(struct relay *r, void (*idle)(void *cookie), void *cookie)
{
	r->draining = true;
	r->idle = idle;
	r->idle_cookie = cookie;
	relay_look_idle(r);
}

/* ---- numbers */

static void count_lane(struct relay_numbers *n, const struct lane *l, int64_t *oldest)
{
	const struct delivery *d = l->flying != NULL ? l->flying : l->line.first;

	if (lane_is_waiting(l))
		n->waiting_lanes++;
	if (d != NULL && d->received_ms < *oldest)
		*oldest = d->received_ms;
}

static void count_outlet(const struct outlet *o, struct relay_numbers *n, int64_t *oldest)
{
	size_t at = 0;
	struct str key;
	void *value;

	n->pending += o->lanes.count;
	n->spilled_lanes += o->lanes.spilled + o->overflow; /* or more: nobody knows */
	n->memory_bytes += o->lanes.memory;
	n->open_breakers += breaker_is_open(&o->breaker);
	while (map_next(o->lanes.by_key, &at, &key, &value))
		count_lane(n, value, oldest);
}

void relay_count_one(const struct relay *r, int64_t row, struct relay_numbers *out)
{
	int64_t now_ms = clock_wall_ms(relay_clock(r)), oldest = now_ms;

	*out = (struct relay_numbers){ 0 };
	for (size_t i = 0; i < r->outlet_count; i++)
		if (r->outlets[i]->row == row && !r->outlets[i]->removed)
			count_outlet(r->outlets[i], out, &oldest);
	out->oldest_ms = now_ms - oldest;
}

void relay_count(const struct relay *r, struct relay_numbers *out)
{
	struct relay_numbers n = { .in_flight = r->in_flight };
	int64_t now_ms = clock_wall_ms(relay_clock(r)), oldest = now_ms;

	for (size_t i = 0; i < r->outlet_count; i++)
		count_outlet(r->outlets[i], &n, &oldest);
	n.oldest_ms = now_ms - oldest;
	*out = n;
}

static bool is_late(const struct lane_queue *q, int64_t now)
{
	return q->first != NULL && now - q->first->queued_ns > LAGGING_NS;
}

bool relay_is_lagging(const struct relay *r)
{
	int64_t now = clock_real_ns();

	for (size_t i = 0; i < r->outlet_count; i++) {
		const struct outlet *o = r->outlets[i];

		/* One that is parked or switched off lags for reasons of its own. */
		if (outlet_is_stopped(o) || breaker_is_open(&o->breaker))
			continue;
		if (is_late(&o->fresh, now) || is_late(&o->hungry, now))
			return true;
	}
	return false;
}
