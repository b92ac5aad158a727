/* SPDX-License-Identifier: MIT */
/*
 * hooks.c - webhooks: how they are written, kept and queued
 *
 * ROLE        Between the world's changes and hooks_send.c.  The log is the
 *             list `all`; `queue` holds what may be tried now.
 * LIFE        unsent | queued -> sending -> delivered | waiting -> queued ...
 *             -> dead; redelivery takes any of them back to queued.
 * INVARIANTS  1. A hook is in `queue` exactly in HOOK_QUEUED, in `finished`
 *                exactly in UNSENT, DELIVERED and DEAD.
 *             2. counts.pending = those in QUEUED, SENDING and WAITING.
 * LIMITS      settings.webhook_log_max finished ones are kept, oldest
 *             dropped; SANDBOX_HOOKS_PENDING_MAX unfinished, new ones dropped
 *             and counted.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_run.c
 */
#include "sandbox/hooks_int.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/sandbox.h"

#define HOOKS_STREAM UINT64_C(0x686f6f6b73000003)
#define CALLBACK_MAX 2048
#define BATCH_MAX (2U << 20) /* of UTF-8; escapes make it longer, HOOK_PAYLOAD_MAX is the end */

static const char *const state_words[HOOK_NSTATES] = { "unsent",  "queued",    "sending",
						       "waiting", "delivered", "dead" };
static const char *const kind_words[] = { "event", "raw", "handshake" };

const char *hook_state_word(enum hook_state s)
{
	return state_words[s];
}

bool hook_state_of(struct str word, enum hook_state *out)
{
	for (size_t i = 0; i < HOOK_NSTATES; i++) {
		if (str_eq(word, str_from(state_words[i]))) {
			*out = (enum hook_state)i;
			return true;
		}
	}
	return false;
}

static bool is_finished(enum hook_state s)
{
	return s == HOOK_UNSENT || s == HOOK_DELIVERED || s == HOOK_DEAD;
}

static void hook_free(struct hook *hook)
{
	struct hooks *h = hook->owner;

	timer_cancel(&hook->timer);
	if (hook->exchange != NULL)
		http_exchange_cancel(hook->exchange);
	TAILQ_REMOVE(&h->all, hook, all);
	(void)map_remove_u64(h->by_id, hook->id);
	free(hook->body);
	free(hook->attempts);
	free(hook);
}

static void drop_oldest_finished(struct hooks *h)
{
	while (h->finished_count > (size_t)h->world->settings.webhook_log_max) {
		struct hook *oldest = TAILQ_FIRST(&h->finished);

		TAILQ_REMOVE(&h->finished, oldest, finished);
		h->finished_count--;
		hook_free(oldest);
	}
}

/* The only place where a state changes (inv. 1, 2). */
void hook_enter(struct hook *hook, enum hook_state state)
{
	struct hooks *h = hook->owner;
	bool was_finished = is_finished(hook->state);

	if (hook->state == HOOK_QUEUED) {
		TAILQ_REMOVE(&h->queue, hook, queue);
		h->queued_count--;
	}
	if (was_finished && !is_finished(state)) {
		TAILQ_REMOVE(&h->finished, hook, finished);
		h->finished_count--;
		h->counts.pending++;
	} else if (!was_finished && is_finished(state)) {
		TAILQ_INSERT_TAIL(&h->finished, hook, finished);
		h->finished_count++;
		h->counts.pending--;
	}
	hook->state = state;
	if (state == HOOK_QUEUED) {
		TAILQ_INSERT_TAIL(&h->queue, hook, queue);
		h->queued_count++;
	}
	if (state == HOOK_DELIVERED)
		h->counts.delivered++;
	h->events.changed(h->events.cookie, hook);
	if (is_finished(state))
		drop_oldest_finished(h);
}

struct hook *hook_new(struct hooks *h, enum hook_kind kind, struct str body)
{
	struct hook *hook = xcalloc(1, sizeof(*hook));
	unsigned char mac[SHA256_BYTES];

	hook->owner = h;
	hook->id = h->next_id++;
	hook->kind = kind;
	hook->body = xstrndup(body);
	hook->body_len = body.len;
	hook->created_ms = clock_wall_ms(h->world->clock);
	timer_init(&hook->timer, h->world->loop, LOOP_MOVED, hook_on_retry_time, hook);
	if (kind != HOOK_HANDSHAKE) {
		mac_sign(h->mac, body, mac);
		(void)str_copy(STR("sha256="), hook->signature, sizeof(hook->signature));
		hex_encode(mac, sizeof(mac), hook->signature + 7);
	}
	/* Born finished in list terms, so that the first hook_enter() has one rule. */
	hook->state = HOOK_UNSENT;
	TAILQ_INSERT_TAIL(&h->all, hook, all);
	TAILQ_INSERT_TAIL(&h->finished, hook, finished);
	h->finished_count++;
	(void)map_set_u64(h->by_id, hook->id, hook);
	h->counts.created++;
	return hook;
}

static struct hook *add(struct hooks *h, enum hook_kind kind, struct str body)
{
	struct hook *hook;

	if (h->counts.pending >= SANDBOX_HOOKS_PENDING_MAX) {
		if (h->counts.dropped++ == 0)
			log_error(h->world->log, "sandbox: %d webhooks are pending, dropping more",
				  SANDBOX_HOOKS_PENDING_MAX);
		return NULL;
	}
	hook = hook_new(h, kind, body);
	if (h->world->settings.duplicate_percent > 0)
		hook->will_repeat = (int64_t)rnd_below(&h->rnd, 100) <
				    h->world->settings.duplicate_percent;
	hook_enter(hook, h->callback == NULL ? HOOK_UNSENT : HOOK_QUEUED);
	return hook;
}

/* Frame the collected changes, escape as Meta does, queue. */
static void flush_batch(struct hooks *h)
{
	const struct json_doc *doc;
	struct buf framed, body;

	if (h->batch_count == 0)
		return;
	buf_init(&framed, SANDBOX_CHANGE_MAX + 256);
	buf_init(&body, HOOK_PAYLOAD_MAX);
	buf_put_text(
		&framed,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"" SANDBOX_WABA_ID
		"\",\"changes\":[");
	buf_put_str(&framed, buf_str(&h->batch));
	buf_put_text(&framed, "]}]}");
	arena_reset(h->arena);
	if (json_scan(buf_str(&framed), h->arena, &doc, NULL) == GW_OK)
		json_put_ascii(&body, json_root(doc));
	else
		buf_fail(&body);
	if (buf_failed(&body)) {
		h->counts.dropped++;
		log_error(h->world->log, "sandbox: a webhook over %u bytes was dropped",
			  HOOK_PAYLOAD_MAX);
	} else {
		(void)add(h, HOOK_EVENT, buf_str(&body));
	}
	buf_release(&framed);
	buf_release(&body);
	buf_reset(&h->batch);
	h->batch_count = 0;
	hooks_pump(h);
}

void hooks_change(struct hooks *h, struct str change)
{
	if (h->batch_count > 0 && h->batch.len + change.len + 1 > BATCH_MAX)
		flush_batch(h);
	if (h->batch_count > 0)
		buf_put_char(&h->batch, ',');
	buf_put_str(&h->batch, change);
	h->batch_count++;
	if (h->batch_count >= (size_t)h->world->settings.batch)
		flush_batch(h);
}

/* What came in one turn of the loop and did not fill a batch goes out now. */
static void on_turn_end(void *cookie)
{
	flush_batch(cookie);
}

uint64_t hooks_raw(struct hooks *h, struct str body)
{
	struct hook *hook = add(h, HOOK_RAW, body);
	uint64_t id = hook == NULL ? 0 : hook->id;

	hooks_pump(h);
	return id;
}

gw_status hooks_redeliver(struct hooks *h, uint64_t id, struct gw_error *err)
{
	struct hook *hook = map_get_u64(h->by_id, id);

	if (hook == NULL || hook->kind == HOOK_HANDSHAKE)
		return gw_error_set(err, GW_ENOTFOUND, "there is no webhook %llu",
				    (unsigned long long)id);
	if (h->callback == NULL)
		return gw_error_set(err, GW_ESTATE, "there is no callback");
	if (hook->state == HOOK_SENDING || hook->state == HOOK_QUEUED)
		return GW_OK;
	timer_cancel(&hook->timer);
	hook->first_try_ns = 0;
	hook_enter(hook, HOOK_QUEUED);
	hooks_pump(h);
	return GW_OK;
}

static void clear(struct hooks *h)
{
	struct hook *hook;

	handshake_stop(h);
	while ((hook = TAILQ_FIRST(&h->all)) != NULL)
		hook_free(hook);
	TAILQ_INIT(&h->queue);
	TAILQ_INIT(&h->finished);
	h->finished_count = h->queued_count = h->batch_count = 0;
	h->next_id = 1;
	memset(&h->counts, 0, sizeof(h->counts));
	buf_reset(&h->batch);
	rnd_init_seed(&h->rnd, h->world->seed ^ HOOKS_STREAM);
}

struct hooks *hooks_new(struct world *w, const struct secret *app_secret,
			const struct secret *verify_token, const struct hooks_events *events,
			struct gw_error *err)
{
	struct http_client_options o = { .loop = w->loop,
					 .host_connections_max = 1000,
					 .connections_cached = 1000 };
	struct hooks *h = xcalloc(1, sizeof(*h));

	h->world = w;
	h->events = *events;
	h->app_secret = *app_secret;
	h->verify_token = *verify_token;
	h->mac = mac_new(str_make((const char *)app_secret->bytes, app_secret->len));
	h->arena = arena_new(SANDBOX_ARENA_MAX);
	h->by_id = map_new();
	ASSERT(h->mac != NULL && h->arena != NULL);
	TAILQ_INIT(&h->all);
	buf_init(&h->batch, SANDBOX_CHANGE_MAX);
	clear(h);
	if (http_client_new(&o, &h->client, err) != GW_OK) {
		hooks_free(h);
		return NULL;
	}
	loop_before_sleep(w->loop, on_turn_end, h);
	return h;
}

void hooks_free(struct hooks *h)
{
	if (h == NULL)
		return;
	clear(h);
	if (h->client != NULL)
		http_client_free(h->client);
	mac_free(h->mac);
	arena_free(h->arena);
	map_free(h->by_id);
	buf_release(&h->batch);
	secret_release(&h->app_secret);
	secret_release(&h->verify_token);
	free(h->callback);
	free(h);
}

void hooks_reset(struct hooks *h)
{
	clear(h);
	if (h->callback != NULL)
		handshake_start(h);
}

void hooks_set_verify_token(struct hooks *h, struct str token)
{
	secret_set(&h->verify_token, token);
}

gw_status hooks_set_callback(struct hooks *h, struct str url, struct gw_error *err)
{
	gw_status st;

	if (url.len > CALLBACK_MAX)
		return gw_error_set(err, GW_ELIMIT, "callback: at most %d characters",
				    CALLBACK_MAX);
	st = url.len == 0 ? GW_OK : egress_check_url(url, false, err);
	if (st != GW_OK)
		return st;
	handshake_stop(h);
	free(h->callback);
	h->callback = url.len == 0 ? NULL : xstrndup(url);
	if (h->callback != NULL)
		handshake_start(h);
	return GW_OK;
}

const char *hooks_callback(const struct hooks *h)
{
	return h->callback;
}

bool hooks_is_ready(const struct hooks *h)
{
	return h->callback == NULL || h->handshake.state == HANDSHAKE_PASSED;
}

void hooks_counts(const struct hooks *h, struct hooks_counts *out)
{
	*out = h->counts;
}

const struct hook *hooks_next(const struct hooks *h, const struct hook *after)
{
	return after == NULL ? TAILQ_FIRST(&h->all) : TAILQ_NEXT(after, all);
}

const struct hook *hooks_get(const struct hooks *h, uint64_t id)
{
	return map_get_u64(h->by_id, id);
}

void hook_write(const struct hook *hook, struct json_writer *w)
{
	char at[CLOCK_RFC3339_MAX];

	clock_format_ms(hook->created_ms, at);
	json_w_object(w);
	json_w_kv_i64(w, "id", (int64_t)hook->id);
	json_w_kv_text(w, "kind", kind_words[hook->kind]);
	json_w_kv_text(w, "state", state_words[hook->state]);
	json_w_kv_text(w, "at", at);
	if (hook->duplicate_of != 0)
		json_w_kv_i64(w, "duplicate_of", (int64_t)hook->duplicate_of);
	json_w_kv_str(w, "body", str_make(hook->body, hook->body_len));
	if (hook->signature[0] != '\0')
		json_w_kv_text(w, "signature", hook->signature);
	json_w_kv_i64(w, "tries", (int64_t)hook->tries);
	json_w_key(w, STR("attempts"));
	json_w_array(w);
	for (size_t i = 0; i < hook->attempt_count; i++) {
		const struct hook_attempt *a = &hook->attempts[i];

		json_w_object(w);
		json_w_kv_i64(w, "at_ms", a->at_ms);
		json_w_kv_i64(w, "took_ms", a->took_ms);
		json_w_kv_i64(w, "status", a->status);
		if (a->error[0] != '\0')
			json_w_kv_text(w, "error", a->error);
		json_w_end(w);
	}
	json_w_end(w);
	json_w_end(w);
}
