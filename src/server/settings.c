/* SPDX-License-Identifier: MIT */
/*
 * settings.c - from the keys of the configuration to what their owners take
 *
 * ROLE        Most LIVE keys are read on the loop and are the owners' after a
 *             reload.  Two are read by listeners: the disk's minimum is an
 *             atomic number, the host names are a snapshot behind an atomic pointer.
 * LIMITS      A snapshot replaced stays until the end, as that of the webhook's
 *             secrets: half a KiB for each reload that changes api.hosts.
 * THREADS     settings_hosts(): any.  The rest: the loop's.
 * TESTS       tests/system/test_reload.py
 */
#include "server/settings.h"
#include "base/mem.h"

struct hosts {
	struct hosts *older;
	char list[sizeof(((struct config_values *)0)->api_hosts)];
};

struct outbox_settings settings_outbox(const struct config_values *v)
{
	return (struct outbox_settings){
		.wait_max_ms = v->graph_wait_max_ms,
		.lifetime_ms = v->queue_lifetime_ms,
		.retry_max_ms = v->queue_retry_max_ms,
		.attempts_max = (uint32_t)v->queue_attempts_max,
		.lane_unknown_wait_ms = v->lane_unknown_wait_ms,
		.unknown_wait_ms = v->unknown_wait_ms,
		.unknown_policy = v->unknown_policy,
		.server_errors_prove_nothing = v->server_errors_prove_nothing,
		.failed_echoes_token = v->failed_echoes_token,
		.graph_connect_ms = v->graph_connect_ms,
		.graph_timeout_ms = v->graph_timeout_ms,
		.graph_ca_file = v->graph_ca_file,
		.in_flight_max = (unsigned)v->graph_in_flight,
		.disk_min = v->disk_min,
		.parked_max = (uint32_t)v->queue_parked_max,
		.queue_max = (uint32_t)v->queue_max,
		.number_rate_share = (double)v->pacing_share / 1000.0,
		.pair_burst = (uint32_t)v->pair_burst,
		.pair_interval_ms = v->pair_interval_ms,
	};
}

struct relay_settings settings_relay(const struct config_values *v)
{
	return (struct relay_settings){
		.timeout_ms = v->relay_timeout_ms,
		.connect_ms = 3000,
		.lane_block_max_ms = v->relay_lane_block_max_ms,
		.lifetime_ms = INT64_C(72) * 3600 * 1000,
		.concurrency_max = (unsigned)v->relay_concurrency,
		.https_only = v->relay_https_only,
	};
}

void settings_publish(struct server *s)
{
	struct hosts *now = s->hosts, *next;

	s->disk_min = s->cfg->disk_min;
	if (now != NULL && strcmp(now->list, s->cfg->api_hosts) == 0)
		return;
	next = xcalloc(1, sizeof(*next));
	(void)str_copy(str_from(s->cfg->api_hosts), next->list, sizeof(next->list));
	next->older = now;
	s->hosts = next;
}

struct str settings_hosts(const struct server *s)
{
	return str_from(((const struct hosts *)s->hosts)->list);
}

void settings_release(struct server *s)
{
	struct hosts *older;

	for (struct hosts *h = s->hosts; h != NULL; h = older) {
		older = h->older;
		free(h);
	}
	s->hosts = NULL;
}
