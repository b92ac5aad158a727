/* SPDX-License-Identifier: MIT */
/*
 * serve.c - wire the gateway together, run it, drain it
 *
 * ROLE        The only place that knows every part.  Start and end are lists of
 *             steps in one order, read from top to bottom; what runs in between
 *             is the loop.
 * LIFE        STARTING  store opened, accounts seeded, memory rebuilt, listeners up
 *             READY     until SIGTERM or SIGINT
 *             DRAINING  drain.c
 *             SIGHUP is reload.c's, in any of them.
 * FAILURE     A step of the start fails: one sentence, exit 78 (configuration),
 *             7 (somebody has the port or the data folder) or 74 (disk).
 * THREADS     The caller's becomes the loop's.
 * TESTS       tests/system/test_start.py, tests/system/test_drain.py
 */
#include "server/serve.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include "gateway/batch.h"
#include "gateway/template_fact.h"
#include "server/api.h"
#include "server/clock_follow.h"
#include "server/config_check.h"
#include "server/drain.h"
#include "server/graph_front.h"
#include "server/number_read.h"
#include "server/reload.h"
#include "server/room.h"
#include "server/seed.h"
#include "server/settings.h"
#include "server/server.h"
#include "server/stream.h"
#include "server/template_read.h"
#include "server/webhook_front.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EXIT_TEMPORARY 7
#define EXIT_IO 74
#define EXIT_CONFIG 78
#define TICK_MS 1000

/* ---- listeners (their threads) ---- */

static size_t public_head(void *cookie, struct http_call *call)
{
	struct server *s = cookie;

	if (webhook_is_path(http_path(call)))
		return webhook_on_head(s->webhook, call);
	if (!s->public_serves_api && !str_eq(http_path(call), STR("/livez"))) {
		http_reply_empty(call, 404);
		return 0;
	}
	return api_on_head(s, call);
}

static void public_request(void *cookie, struct http_call *call)
{
	struct server *s = cookie;

	if (webhook_is_path(http_path(call)))
		webhook_on_request(s->webhook, call);
	else
		api_on_request(s, call);
}

static size_t api_head(void *cookie, struct http_call *call)
{
	return api_on_head(cookie, call);
}

static void api_request(void *cookie, struct http_call *call)
{
	api_on_request(cookie, call);
}

static void public_unheard(void *cookie, const struct http_call *call, enum http_unheard why)
{
	if (call != NULL && !webhook_is_path(http_path(call)))
		api_on_unheard(call);
	else
		webhook_on_unheard(((struct server *)cookie)->webhook, call, why);
}

static void api_unheard(void *cookie, const struct http_call *call, enum http_unheard why)
{
	(void)cookie;
	(void)why;
	api_on_unheard(call);
}

static const struct http_server_handlers public_handlers = { public_head, public_request,
							     public_unheard };
static const struct http_server_handlers api_handlers = { api_head, api_request, api_unheard };

static gw_status listen_tcp(struct server *s, const char *name, const char *where,
			    const struct http_server_handlers *handlers, size_t body_max,
			    struct http_server **out, struct gw_error *err)
{
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	char host[CONFIG_HOST_MAX];
	gw_status st = config_address(where, host, &o.port, err);

	if (st != GW_OK)
		return st;
	o.name = name;
	o.address = host;
	o.body_max = body_max;
	o.handlers = handlers;
	o.cookie = s;
	o.log = &s->log;
	return http_server_start(&o, out, err);
}

static gw_status listen_local(struct server *s, char *path, size_t cap, struct gw_error *err)
{
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	gw_status st;

	if (str_eq(str_from(s->cfg->listen_local), STR("none"))) {
		path[0] = '\0';
		return GW_OK;
	}
	(void)str_copy(str_from(s->cfg->listen_local), path, cap);
	if (path[0] == '\0') {
		st = sys_default_socket(path, cap, err);
		if (st != GW_OK)
			return st;
	}
	o.name = "local";
	o.unix_path = path;
	o.body_max = API_BODY_MAX;
	o.handlers = &api_handlers;
	o.cookie = s;
	o.log = &s->log;
	return http_server_start(&o, &s->local_server, err);
}

/* Everybody who waits for it hears that the listeners are up. */
static void tell_ready(struct server *s, int ready_fd, const char *socket)
{
	unsigned public_port = http_server_port(s->public_server);
	unsigned api_port = http_server_port(s->public_serves_api ? s->public_server
								  : s->api_server);
	char status[128];

	log_info(&s->log, "ready public=%u api=%u local=%s profile=%s accounts=%zu", public_port,
		 api_port, socket[0] != '\0' ? socket : "none", s->cfg->profile,
		 accounts_count(s->accounts));
	if (ready_fd >= 0)
		(void)dprintf(ready_fd, "ready public=%u api=%u socket=%s\n", public_port, api_port,
			      socket);
	(void)snprintf(status, sizeof(status), "webhooks on port %u, API on port %u", public_port,
		       api_port);
	notify_ready(&s->notify, status);
}

static gw_status start_listeners(struct server *s, int ready_fd, struct gw_error *err)
{
	const struct config_values *v = s->cfg;
	bool shared = strcmp(v->listen_public, v->listen_api) == 0;
	size_t body_max = (size_t)v->webhook_body_max;
	char path[512];
	gw_status st;

	if (!shared) {
		st = listen_tcp(s, "api", v->listen_api, &api_handlers, OUTBOX_BODY_MAX,
				&s->api_server, err);
		if (st != GW_OK)
			return st;
	}
	s->public_serves_api = shared;
	st = listen_tcp(s, "public", v->listen_public, &public_handlers, body_max,
			&s->public_server, err);
	if (st == GW_OK)
		st = listen_local(s, path, sizeof(path), err);
	if (st != GW_OK)
		return st;
	s->phase = SERVER_READY;
	media_base_set(&s->media_base, v->api_url, v->listen_api,
		       http_server_port(shared ? s->public_server : s->api_server));
	tell_ready(s, ready_fd, path);
	return GW_OK;
}

/* ---- sinks of the inbox ---- */

static void sink_evidence(void *cookie, struct event *e)
{
	outbox_evidence(((struct server *)cookie)->outbox, e);
}

static void sink_window(void *cookie, struct event *e)
{
	struct server *s = cookie;

	outbox_window(s->outbox, e);
	outbox_count_inbound(s->outbox, e->row.account_id);
}

static void sink_consent(void *cookie, struct event *e)
{
	outbox_consent(((struct server *)cookie)->outbox, e);
}

static void sink_relay(void *cookie, struct event *e)
{
	relay_event(((struct server *)cookie)->relay, e);
}

static void sink_template(void *cookie, struct event *e)
{
	struct server *s = cookie;
	const struct store_event_in *in = e->in;

	if (in->template_ != NULL)
		template_facts_put(s->templates, in->template_);
	if (in->is_priced)
		template_facts_put_price(s->templates, in->business_id, in->priced_name,
					 in->priced_language, str_from(in->priced_as));
}

static void sink_tap(void *cookie, struct event *e)
{
	struct server *s = cookie;

	streams_event(s->streams, e);
	if (str_starts(str_from(e->in->type), STR("account.")))
		number_read_hint(s->number_read, e->in->business_id);
}

/* ---- what the store remembers ---- */

static void on_account(void *cookie, const struct store_account *a)
{
	(void)accounts_put(((struct server *)cookie)->accounts, a);
}

static void on_number(void *cookie, const struct store_number *n)
{
	(void)accounts_put_number(((struct server *)cookie)->accounts, n);
}

static void on_number_fact(void *cookie, const struct store_number_fact *f)
{
	struct accounts *all = ((struct server *)cookie)->accounts;
	struct number *n = accounts_number(all, f->number_id);

	accounts_put_fact(all, f);
	if (n != NULL)
		n->fact.is_remembered = true;
}

static void on_key(void *cookie, const struct store_key *k)
{
	(void)keys_put(((struct server *)cookie)->keys, k);
}

static void on_destination(void *cookie, const struct store_destination *d)
{
	struct server *s = cookie;
	struct gw_error err = GW_ERROR_INIT;
	struct destination *out;

	if (!d->removed && destinations_put(s->destinations, d, &out, &err) != GW_OK)
		log_error(&s->log, "a destination cannot be used: %s", err.message);
}

static void on_template(void *cookie, const struct store_template *t)
{
	template_facts_put(((struct server *)cookie)->templates, t);
}

static void on_batch(void *cookie, const struct store_batch *b)
{
	batches_load(((struct server *)cookie)->batches, b);
}

static void on_message(void *cookie, const struct store_message_row *m)
{
	outbox_load(((struct server *)cookie)->outbox, m);
}

static void on_delivery(void *cookie, const struct store_delivery_row *d)
{
	relay_load(((struct server *)cookie)->relay, d);
}

static void on_recent(void *cookie, struct str number_id, struct str lane, int64_t at_ms)
{
	outbox_load_recent(((struct server *)cookie)->outbox, number_id, lane, at_ms);
}

static gw_status remember(struct server *s, struct gw_error *err)
{
	const struct store_loader loader = { .cookie = s,
					     .account = on_account,
					     .number = on_number,
					     .number_fact = on_number_fact,
					     .key = on_key,
					     .destination = on_destination,
					     .template_ = on_template,
					     .batch = on_batch,
					     .message = on_message,
					     .delivery = on_delivery,
					     .recent_send = on_recent };

	return store_load_all(s->store, &loader, err);
}

#define DAY_MS (INT64_C(86400) * 1000)

/* ---- parts ---- */

static gw_status open_store(struct server *s, struct gw_error *err)
{
	gw_status st = sys_make_dir(s->cfg->data_dir, err);

	if (st != GW_OK)
		return st;
	return store_open(
		&(struct store_options){ .dir = s->cfg->data_dir,
					 .home = s->mail,
					 .clock = &s->clock,
					 .log = &s->log,
					 .readers = 2,
					 .retain_events_ms = s->cfg->retention_events * DAY_MS,
					 .retain_messages_ms = s->cfg->retention_messages * DAY_MS,
					 .key_file = s->cfg->key_file,
					 .previous_key_file = s->cfg->previous_key_file,
					 .window_max_us = s->cfg->store_window_us },
		&s->store, err);
}

static gw_status make_flows(struct server *s, struct gw_error *err)
{
	const struct config_values *v = s->cfg;
	gw_status st;

	s->inbox = inbox_new(
		&(struct inbox_options){ .store = s->store,
					 .destinations = s->destinations,
					 .clock = &s->clock,
					 .log = &s->log,
					 .metrics = s->metrics,
					 .wayback = &s->wayback,
					 .sinks = { s, sink_evidence, sink_window, sink_consent,
						    sink_relay, sink_tap, sink_template } });
	inbox_set_words(s->inbox, v->consent_stop_words, v->consent_start_words);
	st = outbox_new(&(struct outbox_options){ .loop = s->loop,
						  .store = s->store,
						  .accounts = s->accounts,
						  .templates = s->templates,
						  .curious = template_read_again,
						  .curious_cookie = s->template_read,
						  .doubt = number_read_again,
						  .doubt_cookie = s->number_read,
						  .inbox = s->inbox,
						  .token = &s->token,
						  .log = &s->log,
						  .metrics = s->metrics,
						  .wayback = &s->wayback,
						  .dir = v->data_dir,
						  .settings = settings_outbox(v) },
			&s->outbox, err);
	if (st != GW_OK)
		return st;
	s->batches = batches_new(
		&(struct batches_options){ .loop = s->loop,
					   .store = s->store,
					   .outbox = s->outbox,
					   .accounts = s->accounts,
					   .log = &s->log,
					   .metrics = s->metrics,
					   .confirms = strcmp(v->profile, "sandbox") != 0 });
	return relay_new(&(struct relay_options){ .loop = s->loop,
						  .store = s->store,
						  .destinations = s->destinations,
						  .accounts = s->accounts,
						  .egress = s->egress,
						  .media_base = &s->media_base,
						  .log = &s->log,
						  .metrics = s->metrics,
						  .settings = settings_relay(v) },
			 &s->relay, err);
}

static gw_status make_parts(struct server *s, struct gw_error *err)
{
	gw_status st;

	media_base_set(&s->media_base, s->cfg->api_url, s->cfg->listen_api, 0);
	s->metrics = gateway_metrics_new();
	s->accounts = accounts_new();
	s->destinations = destinations_new();
	s->keys = keys_new();
	s->templates = template_facts_new();
	st = egress_new(str_from(s->cfg->egress_allow), &s->egress, err);
	if (st == GW_OK)
		st = open_store(s, err);
	if (st == GW_OK)
		st = room_of_store(s->store, s->config, err);
	if (st == GW_OK)
		st = seed_accounts(s, err);
	if (st != GW_OK)
		return st;
	s->token.mac = mac_new(str_make((const char *)store_token_key(s->store), SHA256_BYTES));
	ASSERT(s->token.mac != NULL);
	if (s->cfg->clock_follow[0] != '\0')
		st = clock_follow_new(s, &s->follow, err);
	if (st == GW_OK)
		st = template_read_new(s, &s->template_read, err);
	if (st == GW_OK)
		st = number_read_new(s, &s->number_read, err);
	if (st == GW_OK)
		st = make_flows(s, err);
	if (st == GW_OK)
		st = remember(s, err);
	if (st != GW_OK)
		return st;
	s->webhook = webhook_front_new(s);
	s->streams = streams_new(s);
	st = graph_front_new(s, &s->graph, err);
	if (st != GW_OK)
		return st;
	if (s->cfg->templates_read)
		template_read_all(s->template_read);
	number_read_look(s->number_read);
	outbox_start(s->outbox);
	batches_start(s->batches);
	relay_start(s->relay);
	return GW_OK;
}

static void free_parts(struct server *s)
{
	clock_follow_free(s->follow);
	if (s->inbox != NULL)
		inbox_mute(s->inbox); /* what the last commit hands back is not acted upon */
	api_doctor_stop(s);
	graph_front_free(s->graph);
	template_read_free(s->template_read);
	number_read_free(s->number_read);
	batches_close(s->batches);
	outbox_free(s->outbox);
	if (s->store != NULL)
		store_close(s->store);
	while (mailbox_drain(s->mail) > 0) /* what the last commit handed back */
		continue;
	batches_free(s->batches);
	relay_free(s->relay); /* marks of its deliveries were in that commit */
	streams_free(s->streams);
	webhook_front_free(s->webhook);
	inbox_free(s->inbox);
	mac_free(s->token.mac);
	egress_free(s->egress);
	keys_free(s->keys);
	template_facts_free(s->templates);
	destinations_free(s->destinations);
	accounts_free(s->accounts);
	metrics_free(s->metrics);
}

/* ---- running ---- */

static void on_tick(void *cookie)
{
	struct server *s = cookie;

	s->turned_ns = clock_real_ns();
	notify_alive(&s->notify);
	store_set_lagging(s->store, relay_is_lagging(s->relay));
	timer_in_ms(&s->tick, TICK_MS);
}

static void on_signal(void *cookie, uint32_t events)
{
	struct server *s = cookie;
	struct signalfd_siginfo info;

	(void)events;
	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		reload_begin(s, NULL);
		return;
	}
	if (s->phase == SERVER_STARTING) { /* nothing was accepted, and there is nothing to drain */
		log_info(&s->log, "leaving before it was ready");
		_exit(0);
	}
	if (s->phase == SERVER_DRAINING) {
		log_warn(&s->log, "second signal: leaving now, as if killed");
		_exit(1);
	}
	drain_begin(s);
}

static gw_status watch_signals(struct server *s, struct gw_error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return gw_error_sys(err, GW_EIO, "cannot block signals");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot watch for signals");
	s->signal_watch = loop_watch(s->loop, s->signal_fd, EPOLLIN, on_signal, s);
	return GW_OK;
}

static int exit_code_of(gw_status st)
{
	switch (st) {
	case GW_OK: return 0;
	case GW_EBUSY: return EXIT_TEMPORARY;
	case GW_EIO: return EXIT_IO;
	default: return EXIT_CONFIG;
	}
}

static void stop_listeners(struct server *s)
{
	struct http_server *all[] = { s->public_server, s->api_server, s->local_server };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i] != NULL)
			http_server_stop(all[i], 0);
}

gw_status serve_check(struct config *c, struct gw_error *err)
{
	return room_of_folder(c, err);
}

int serve_run(const struct serve_options *o, struct gw_error *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	enum log_level level = LOG_INFO;
	gw_status st;

	s->config = o->config;
	s->cfg = config_values(o->config);
	s->signal_fd = -1;
	clock_init(&s->clock);
	(void)log_level_parse(s->cfg->log_level, &level);
	log_init(&s->log, STDERR_FILENO, level, "gateway", NULL);
	notify_open(&s->notify, &s->log);
	rnd_init_system(&s->rnd);
	s->loop = loop_new(&s->clock);
	settings_publish(s);
	s->mail = mailbox_new();
	loop_attach(s->loop, s->mail);
	timer_init(&s->tick, s->loop, LOOP_REAL, on_tick, s);
	s->started_ms = clock_wall_ms(&s->clock);
	s->turned_ns = clock_real_ns();
	st = watch_signals(s, err);
	if (st == GW_OK)
		st = make_parts(s, err);
	if (st == GW_OK)
		st = start_listeners(s, o->ready_fd, err);
	if (st == GW_OK) {
		on_tick(s);
		loop_run(s->loop); /* until drain.c stops it; the listeners are stopped then */
	} else {
		stop_listeners(s);
	}
	timer_cancel(&s->tick);
	free_parts(s);
	loop_unwatch(s->signal_watch);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
	loop_detach(s->loop, s->mail);
	mailbox_free(s->mail);
	loop_free(s->loop);
	if (st == GW_OK)
		log_info(&s->log, "drained, leaving");
	free(s->drain);
	notify_close(&s->notify);
	settings_release(s);
	free(s);
	return exit_code_of(st);
}
