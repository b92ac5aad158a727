/* SPDX-License-Identifier: MIT */
/*
 * relay_refill.c - what is in the store only comes back into lanes
 *
 * ROLE        Two things are read, in one job at a time for a destination:
 *             lanes   a spilled lane whose line is empty, or begins behind what was read, or
 *                     whose head has no bytes, is hungry: its open deliveries after the last row
 *                     that memory has
 *             scan    when even the lanes are too many for memory (overflow): the next keys of
 *                     lanes, round after round; a lane that memory does not know is made, hungry
 *
 * INVARIANTS  1. A lane is live again (spilled off) only when a read that was asked for after
 *                the last event of the lane was committed came to the end of the lane.
 *             2. overflow ends when a whole round passed in which nothing overflowed: then every
 *                open delivery belongs to a lane that memory knows.
 *             3. An outlet has at most one job; run() touches nothing but the job.
 * FAILURE     A read that failed or was interrupted: what it brought is used; again in a second.
 *             Where the next one begins is the lane's to know (lane.c inv. 6).
 * LIMITS      REFILL_LANES lanes, REFILL_KEYS keys and about REFILL_BYTES a job;
 *             RELAY_MEMORY_MAX and RELAY_LANES_MAX in all.
 * THREADS     run() and what it calls: a reader's.  The rest: the loop's.
 * TESTS       tests/unit/test_relay_spill.c
 */
#include "gateway/relay_int.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdlib.h>

#define REFILL_LANES 64
#define REFILL_KEYS 512
#define REFILL_BYTES (512U * 1024) /* rendered; a job should be far from its 200 ms */
#define REFILL_LANE_BYTES (64U * 1024)
#define REFILL_AGAIN_MS 1000

struct refill_lane {
	int64_t key, after;
	bool ended; /* the read came to the end of the lane */
	struct delivery *first, *last; /* by their next */
};

struct refill {
	struct store_job job;
	struct outlet *outlet;
	/* what run() needs */
	struct buf scratch;
	int64_t destination_row, now_ns, now_ms, block_max_ms;
	enum destination_format format;
	bool include_raw;
	const struct media_base *media_base;
	size_t bytes, lane_bytes;
	size_t lane_count;
	struct refill_lane lanes[REFILL_LANES];
	bool scan, scan_ended;
	int64_t scan_after;
	size_t key_count, key_max;
	int64_t keys[REFILL_KEYS];
};

/* ---- on a reader's thread */

/* A wait of the disk goes on; if its base delays are longer than a lane may be held up, it was let
 * go before the restart. */
static void resume_waiting(const struct refill *f, const struct store_delivery_row *from,
			   struct delivery *d)
{
	int64_t blocked_ms = 0, wait_ms = from->next_ms - f->now_ms, ms;

	d->state = d->stored = DELIVERY_WAITING;
	if (wait_ms > RELAY_WAIT_MAX_S * 1000) /* the time of day was set back since */
		wait_ms = RELAY_WAIT_MAX_S * 1000;
	d->next_at_ns = f->now_ns + wait_ms * NS_PER_MS;
	d->failed_ns = f->now_ns;
	for (uint32_t i = 1; i < from->attempts; i++) {
		ms = relay_delay_ms(i, INT64_MAX);
		blocked_ms += ms < 0 ? 0 : ms;
	}
	d->delayed = blocked_ms >= f->block_max_ms;
}

struct row_cookie {
	struct refill *refill;
	struct refill_lane *lane;
	bool stopped;
};

static bool on_row(void *cookie, const struct store_lane_item *item)
{
	struct row_cookie *c = cookie;
	struct refill *f = c->refill;
	struct delivery *d;

	d = relay_render(&f->scratch, &item->event, f->format,
			 &(struct render_how){ f->include_raw, media_base_get(f->media_base) });
	d->attempts = item->delivery.attempts;
	d->replay = item->delivery.replays > 0;
	if (str_eq(item->delivery.state, STR("waiting")))
		resume_waiting(f, &item->delivery, d);
	if (c->lane->last == NULL)
		c->lane->first = d;
	else
		c->lane->last->next = d;
	c->lane->last = d;
	f->bytes += d->body_len;
	f->lane_bytes += d->body_len;
	c->stopped = f->lane_bytes >= REFILL_LANE_BYTES || f->bytes >= REFILL_BYTES;
	return !c->stopped;
}

static bool on_key(void *cookie, int64_t key)
{
	struct refill *f = cookie;

	f->keys[f->key_count++] = f->scan_after = key;
	return f->key_count < f->key_max;
}

static void run(struct store_job *job, struct store_reader *reader)
{
	struct refill *f = CONTAINER_OF(job, struct refill, job);

	buf_init(&f->scratch, RELAY_BODY_MAX);
	for (size_t i = 0; i < f->lane_count && job->status == GW_OK && f->bytes < REFILL_BYTES;
	     i++) {
		struct row_cookie c = { f, &f->lanes[i], false };

		f->lane_bytes = 0;
		job->status = reader_lane(reader, f->destination_row, f->lanes[i].key,
					  f->lanes[i].after, SIZE_MAX, on_row, &c);
		f->lanes[i].ended = job->status == GW_OK && !c.stopped;
	}
	if (f->scan && job->status == GW_OK) {
		job->status = reader_lanes(reader, f->destination_row, f->scan_after,
					   (unsigned)f->key_max, on_key, f);
		f->scan_ended = job->status == GW_OK && f->key_count < f->key_max;
	}
	buf_release(&f->scratch);
}

/* ---- on the loop's */

/* Rendered for what the destination is no more? */
static bool is_outdated(const struct outlet *o, const struct refill *f)
{
	return f->format != o->format || f->include_raw != o->include_raw;
}

static void take_lane(struct outlet *o, const struct refill *f, struct refill_lane *from)
{
	struct lane *l = o->removed ? NULL : lanes_get(&o->lanes, from->key);
	struct delivery *d, *next;
	bool keep = l != NULL && !is_outdated(o, f);
	int64_t upto = from->after;

	for (d = from->first; d != NULL; d = next) {
		next = d->next;
		d->next = NULL;
		if (!keep) {
			delivery_free(d);
			continue;
		}
		upto = d->event_row;
		lane_merge(l, d);
	}
	if (l == NULL)
		return;
	lane_read_done(l, from->after, upto, keep && from->ended); /* inv. 1 */
	outlet_place(o, l);
}

static void take_key(struct outlet *o, int64_t key)
{
	struct lane *l = lanes_get(&o->lanes, key);

	if (l != NULL)
		return; /* known: its own reads bring what it has */
	l = lanes_add(&o->lanes, key);
	lane_spill(l);
	outlet_place(o, l);
}

static void take_scan(struct outlet *o, const struct refill *f)
{
	for (size_t i = 0; i < f->key_count; i++)
		take_key(o, f->keys[i]);
	o->scan_after = f->scan_after;
	if (!f->scan_ended)
		return;
	o->scan_after = INT64_MIN;
	if (o->scan_began == o->overflowed)
		o->overflow = false; /* inv. 2 */
}

static void on_read(struct store_job *job)
{
	struct refill *f = CONTAINER_OF(job, struct refill, job);
	struct outlet *o = f->outlet;
	struct relay *r = o->relay;

	o->refill = NULL;
	for (size_t i = 0; i < f->lane_count; i++)
		take_lane(o, f, &f->lanes[i]);
	if (f->scan && !o->removed)
		take_scan(o, f);
	if (job->status != GW_OK) {
		if (job->status != GW_ETIMEOUT)
			log_warn(r->o.log, "relay: reading events back failed status=%s",
				 gw_status_name(job->status));
		timer_in_ms(&o->refill_again, REFILL_AGAIN_MS);
	}
	free(f);
	if (!o->removed)
		outlet_pump(o);
	outlet_settle(o); /* it may be gone now */
	relay_look_idle(r);
}

static void ask_lanes(struct outlet *o, struct refill *f)
{
	struct lane *l;

	while (f->lane_count < REFILL_LANES && (l = o->hungry.first) != NULL) {
		lane_queue_remove(l);
		f->lanes[f->lane_count++] = (struct refill_lane){ .key = l->key,
								  .after = lane_read_begin(l) };
	}
}

static void ask_scan(struct outlet *o, struct refill *f)
{
	size_t lanes = map_count(o->lanes.by_key);

	if (!o->overflow || f->lane_count == REFILL_LANES || lanes >= RELAY_LANES_MAX)
		return;
	if (o->scan_after == INT64_MIN)
		o->scan_began = o->overflowed;
	f->scan = true;
	f->scan_after = o->scan_after;
	f->key_max = RELAY_LANES_MAX - lanes;
	if (f->key_max > REFILL_KEYS)
		f->key_max = REFILL_KEYS;
}

/* Whether there is anything to read, and room for it or nothing else to do. */
static bool may_read(const struct outlet *o)
{
	bool busy = o->in_flight > 0 || o->fresh.count + o->again.count > 0;

	if (o->refill != NULL || timer_is_armed(&o->refill_again) || o->relay->draining ||
	    outlet_is_stopped(o) || (o->hungry.count == 0 && !o->overflow))
		return false;
	if (breaker_is_open(&o->breaker))
		return !busy; /* parked: one to probe with is enough */
	return !busy || o->lanes.memory < RELAY_MEMORY_MAX / 4 * 3;
}

void outlet_refill(struct outlet *o)
{
	const struct clock *clock = relay_clock(o->relay);
	struct refill *f;

	if (!may_read(o))
		return;
	f = xcalloc(1, sizeof(*f));
	f->outlet = o;
	f->destination_row = o->row;
	f->format = o->format;
	f->include_raw = o->include_raw;
	f->media_base = o->relay->o.media_base;
	f->now_ns = clock_mono_ns(clock);
	f->now_ms = clock_wall_ms(clock);
	f->block_max_ms = o->relay->o.settings.lane_block_max_ms;
	ask_lanes(o, f);
	ask_scan(o, f);
	if (f->lane_count == 0 && !f->scan) {
		free(f);
		return;
	}
	f->job.run = run;
	f->job.done = on_read;
	f->job.status = GW_OK;
	o->refill = f;
	store_read(o->relay->o.store, &f->job);
}
