/* SPDX-License-Identifier: MIT */
/*
 * relay.h - events to the user's endpoints (W6, W7), lane by lane
 *
 * Lane = (destination, lane key of the event): one request in flight.  Lanes
 * live in memory up to RELAY_MEMORY_MAX a destination and spill to the store.
 * Schedule, breaker, poison and dead letters: reliability.md 3.5.
 *
 * THREADS  The loop's.
 */
#ifndef GATEWAY_RELAY_H
#define GATEWAY_RELAY_H

#include "gateway/destination.h"
#include "gateway/event.h"
#include "net/egress.h"
#include "net/loop.h"

#define RELAY_MEMORY_MAX (4U * 1024 * 1024) /* bytes of events a destination */
#define RELAY_ANSWER_MAX (64U * 1024) /* bytes of an endpoint's answer read */

struct relay;
struct accounts;
struct media_base;
struct metrics;

struct relay_settings {
	int64_t timeout_ms, connect_ms; /* relay.timeout 10 s, 3 s */
	int64_t lane_block_max_ms; /* relay.lane_block_max, 10 min */
	int64_t lifetime_ms; /* 72 h of attempts, then dead */
	unsigned concurrency_max; /* requests in flight a destination, 64 */
	bool https_only; /* relay.https_only */
};

struct relay_options {
	struct loop *loop;
	struct store *store;
	struct destinations *destinations;
	struct accounts *accounts; /* app secrets for format meta */
	const struct egress *egress;
	const struct media_base *media_base; /* where links to media lead; NULL: to Meta */
	const struct log *log;
	struct metrics *metrics;
	struct relay_settings settings;
};
GW_NODISCARD gw_status relay_new(const struct relay_options *o, struct relay **out,
				 struct gw_error *err);
/* After the store is closed and what it handed back was delivered: deliveries hold requests. */
void relay_free(struct relay *r);
void relay_load(struct relay *r, const struct store_delivery_row *d); /* at start, in order */
void relay_start(struct relay *r);
void relay_event(struct relay *r, struct event *e); /* inbox_sinks.relay */
/* A delivery of that lane was made pending in the store: it is read from there. */
void relay_replayed(struct relay *r, int64_t destination_row, int64_t lane, int64_t event_row);
/* A destination was changed or removed. */
void relay_destination_changed(struct relay *r, int64_t row);
void relay_clock_moved(struct relay *r);
/* After a reload, of settings or accounts; concurrency_max stays as it was. */
void relay_set(struct relay *r, const struct relay_settings *to);
/* Send one test event now, outside all lanes. */
struct relay_test_result {
	int status; /* 0: no answer */
	int64_t total_ms;
	struct str answer; /* borrowed */
	struct gw_error error;
};
void relay_test(struct relay *r, struct destination *d,
		void (*done)(void *cookie, const struct relay_test_result *res), void *cookie);
void relay_drain(struct relay *r, void (*idle)(void *cookie), void *cookie);

struct relay_numbers {
	size_t pending, in_flight, spilled_lanes, waiting_lanes, open_breakers;
	size_t memory_bytes;
	int64_t oldest_ms;
};
void relay_count(const struct relay *r, struct relay_numbers *out);
/* Of one destination; all 0 when it is not known. */
void relay_count_one(const struct relay *r, int64_t row, struct relay_numbers *out);
/* More than a second behind: the store may widen its window. */
bool relay_is_lagging(const struct relay *r);

#endif
