/* SPDX-License-Identifier: MIT */
/*
 * reload.c - SIGHUP, or POST /api/v1/config/reload: read the configuration again
 *
 * ROLE        The sources of the start are read again and checked whole, and
 *             beside the accounts and numbers that are there (room.c).  With
 *             a problem nothing changes and every problem is told.  Else the
 *             accounts go to the store and to memory (secrets: a rotation needs
 *             no restart), then the LIVE keys to their owners; keys that changed
 *             and are not LIVE are named: they wait for a restart.
 * LIFE        read -> accounts in the store -> applied -> told.  One at a time.
 * INVARIANTS  1. Nothing is applied before everything was checked.
 *             2. An account or number that is no longer named stays, as it does
 *                at a restart: the store has it.
 * FAILURE     The store refuses an account: what was stored before it is in
 *             force, no key is; the log and the answer say so.
 * THREADS     The loop's.
 * TESTS       tests/system/test_reload.py
 */
#include "server/reload.h"
#include "base/mem.h"
#include "server/api.h"
#include "server/number_read.h"
#include "server/room.h"
#include "server/seed.h"
#include "server/settings.h"
#include "server/webhook_front.h"

#define ANSWER_MAX (256U * 1024)
#define NAMES_MAX 2048

struct reload {
	struct server *server;
	struct http_call *call; /* NULL: a signal asked */
	struct config *next;
	struct buf live, fixed; /* names of keys that changed, each with a blank before it */
};

static void end(struct reload *r)
{
	r->server->reload = NULL;
	config_free(r->next);
	buf_release(&r->live);
	buf_release(&r->fixed);
	free(r);
}

static void refuse(struct reload *r)
{
	const struct log *log = &r->server->log;
	struct json_writer w;
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "class", "usage");
	json_w_kv_text(&w, "code", "config");
	json_w_kv_text(&w, "message",
		       "there are problems in the configuration, nothing was changed");
	json_w_key(&w, STR("problems"));
	json_w_array(&w);
	for (size_t i = 0; i < config_problem_count(r->next); i++) {
		log_error(log, "reload: %s", config_problem(r->next, i));
		json_w_str(&w, str_from(config_problem(r->next, i)));
	}
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	log_error(log, "reload: %zu problems in the configuration, nothing was changed",
		  config_problem_count(r->next));
	if (r->call != NULL)
		api_reply(r->call, 400, &b);
	else
		buf_release(&b);
	end(r);
}

static void note(void *cookie, const char *key, bool live)
{
	struct reload *r = cookie;

	buf_put_fmt(live ? &r->live : &r->fixed, " %s", key);
}

static void put_names(struct json_writer *w, const char *name, struct str list)
{
	struct str one;

	json_w_key(w, str_from(name));
	json_w_array(w);
	while (str_split(&list, ' ', &one))
		if (one.len > 0)
			json_w_str(w, one);
	json_w_end(w);
}

static void tell(struct reload *r)
{
	const struct log *log = &r->server->log;
	struct str live = buf_str(&r->live), fixed = buf_str(&r->fixed);
	struct json_writer w;
	struct buf b;

	log_info(log, "reload: done, accounts=%zu changed:%.*s", config_account_count(r->next),
		 STR_ARG(live.len > 0 ? live : STR(" none")));
	if (fixed.len > 0)
		log_warn(log, "reload: these keys changed and wait for a restart:%.*s",
			 STR_ARG(fixed));
	if (r->call == NULL)
		return;
	buf_init(&b, ANSWER_MAX);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "file", config_path(r->next));
	put_names(&w, "changed", live);
	put_names(&w, "restart", fixed);
	json_w_kv_i64(&w, "accounts", (int64_t)config_account_count(r->next));
	json_w_end(&w);
	api_reply(r->call, 200, &b);
}

static void apply(struct reload *r)
{
	struct server *s = r->server;
	struct outbox_settings outbox;
	struct relay_settings relay;
	enum log_level level = LOG_INFO;

	webhook_front_secrets(s->webhook);
	config_adopt(s->config, r->next, note, r);
	(void)log_level_parse(s->cfg->log_level, &level);
	log_set_level(&s->log, level);
	settings_publish(s);
	outbox = settings_outbox(s->cfg);
	relay = settings_relay(s->cfg);
	outbox_set(s->outbox, &outbox);
	inbox_set_words(s->inbox, s->cfg->consent_stop_words, s->cfg->consent_start_words);
	relay_set(s->relay, &relay);
	number_read_look(s->number_read);
}

static void busy(struct server *s, struct http_call *call, const char *why)
{
	log_warn(&s->log, "reload: not now, %s", why);
	if (call != NULL)
		api_error(call, 409, "busy", "reload", "not now, %s", why);
}

static void on_seeded(void *cookie, gw_status st, const char *what)
{
	struct reload *r = cookie;

	if (r->server->phase != SERVER_READY) { /* a drain began, its owners may be gone */
		busy(r->server, r->call, "it is leaving");
	} else if (st != GW_OK) {
		webhook_front_secrets(
			r->server->webhook); /* of accounts stored before the failure */
		log_error(&r->server->log, "reload: %s; the keys are as before", what);
		if (r->call != NULL)
			api_error(r->call, 503, "unavailable", "store",
				  "%s; the keys are as before", what);
	} else {
		apply(r);
		tell(r);
	}
	end(r);
}

void reload_begin(struct server *s, struct http_call *call)
{
	struct gw_error err = GW_ERROR_INIT;
	struct reload *r;

	if (s->phase != SERVER_READY) {
		busy(s, call, s->phase == SERVER_STARTING ? "the gateway starts" : "it is leaving");
		return;
	}
	if (s->reload != NULL) {
		busy(s, call, "another reload is under way");
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->server = s;
	r->call = call;
	buf_init(&r->live, NAMES_MAX);
	buf_init(&r->fixed, NAMES_MAX);
	s->reload = r;
	if (config_reload(s->config, &r->next, &err) != GW_OK ||
	    room_of_memory(s->accounts, r->next, &err) != GW_OK)
		refuse(r);
	else
		seed_begin(s, r->next, on_seeded, r);
}

void api_config_reload(struct api_request *r)
{
	reload_begin(r->server, r->call);
}
