/* SPDX-License-Identifier: MIT */
/*
 * probes.c - /livez, /readyz and /metrics
 *
 * A probe must answer when the loop does not, so /livez and /readyz look at
 * two atomics on the listener's own thread.
 *
 * THREADS  probe_answer(): a listener's.  api_metrics(): the loop's.
 * TESTS    tests/system/test_probes.py
 */
#include "server/probes.h"
#include "base/sys_file.h"
#include "server/api.h"

#define LIVE_NS (INT64_C(5) * NS_PER_S) /* the loop ticks every second */

bool probe_answer(struct server *s, struct http_call *call)
{
	struct str path = http_path(call);
	int phase = s->phase;

	if (str_eq(path, STR("/livez"))) {
		bool live = clock_real_ns() - s->turned_ns < LIVE_NS;

		http_reply_json(call, live ? 200 : 503,
				live ? STR("{\"live\":true}") : STR("{\"live\":false}"));
		return true;
	}
	if (!str_eq(path, STR("/readyz")))
		return false;
	if (phase == SERVER_STARTING)
		http_reply_json(call, 503, STR("{\"ready\":false,\"reason\":\"starting\"}"));
	else if (phase == SERVER_DRAINING)
		http_reply_json(call, 503, STR("{\"ready\":false,\"reason\":\"draining\"}"));
	else if (inbox_is_stuck(s->store, s->disk_min))
		http_reply_json(call, 503,
				STR("{\"ready\":false,\"reason\":\"the store is stuck or the "
				    "disk is full\"}"));
	else
		http_reply_json(call, 200, STR("{\"ready\":true}"));
	return true;
}

static void set_gauges(struct server *s)
{
	struct outbox_numbers o;
	struct relay_numbers r;
	struct store_load l;

	outbox_count(s->outbox, &o);
	relay_count(s->relay, &r);
	store_load_now(s->store, &l);
	/* in the order of outq_state.def */
	metrics_set(s->metrics, M_OUTBOX_STATE, 0, 0, (int64_t)o.queued);
	metrics_set(s->metrics, M_OUTBOX_STATE, 1, 0, (int64_t)o.sending);
	metrics_set(s->metrics, M_OUTBOX_STATE, 2, 0, (int64_t)o.waiting);
	metrics_set(s->metrics, M_OUTBOX_STATE, 3, 0, (int64_t)o.unknown);
	metrics_set(s->metrics, M_OUTBOX_OLDEST, 0, 0, o.oldest_ms / 1000);
	metrics_set(s->metrics, M_RELAY_PENDING, 0, 0, (int64_t)r.pending);
	metrics_set(s->metrics, M_RELAY_SPILLED, 0, 0, (int64_t)r.spilled_lanes);
	metrics_set(s->metrics, M_RELAY_BREAKERS, 0, 0, (int64_t)r.open_breakers);
	metrics_set(s->metrics, M_STORE_UNCOMMITTED, 0, 0, l.uncommitted_bytes);
	metrics_set(s->metrics, M_STORE_DISK_FREE, 0, 0, l.disk_free_bytes);
	metrics_add(s->metrics, M_STORE_SWEPT, 0, 0,
		    l.swept - metrics_get(s->metrics, M_STORE_SWEPT, 0, 0));
	metrics_add(s->metrics, M_STORE_COMMITS, 0, 0,
		    l.commits - metrics_get(s->metrics, M_STORE_COMMITS, 0, 0));
	metrics_set(s->metrics, M_RSS, 0, 0, sys_rss_bytes());
}

void api_metrics(struct api_request *r)
{
	struct buf b;

	set_gauges(r->server);
	buf_init(&b, 1U << 20);
	metrics_render(r->server->metrics, &b);
	http_reply_take(r->call, 200, "text/plain; version=0.0.4", buf_take(&b), NULL, 0);
}
