/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - the webhook sender: handshake, signature, delivery, retries, log
 *
 * Bodies are written as Meta writes them (\uXXXX and \/ escapes, cloud-api.md
 * 5.1), signed over those bytes, and sent until the callback answers 200: the
 * waits double from settings.webhook_retry_ms to an hour, for seven days of
 * the moved clock.  Nothing is delivered before the GET handshake has passed.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_HOOKS_H
#define SANDBOX_HOOKS_H

#include "base/mac.h"
#include "net/http_client.h"
#include "sandbox/world.h"

#define HOOK_ATTEMPTS_MAX 16 /* kept per webhook: the newest */
#define HOOK_PAYLOAD_MAX (3U << 20) /* Meta's ceiling for one webhook, cloud-api.md 5.1 */

enum hook_state {
	HOOK_UNSENT, /* there was no callback */
	HOOK_QUEUED, /* waits for the handshake or a free slot */
	HOOK_SENDING,
	HOOK_WAITING, /* refused; waits for its next try */
	HOOK_DELIVERED,
	HOOK_DEAD, /* seven days passed */
	HOOK_NSTATES
};

enum hook_kind { HOOK_EVENT, HOOK_RAW, HOOK_HANDSHAKE };

struct hook_attempt {
	int64_t at_ms; /* wall */
	int64_t took_ms; /* real */
	int status; /* 0: no answer */
	char error[64];
};

struct hook {
	TAILQ_ENTRY(hook) all, queue, finished;
	struct hooks *owner;
	struct timer timer; /* armed in HOOK_WAITING */
	struct http_exchange *exchange; /* in HOOK_SENDING */
	uint64_t id;
	uint64_t duplicate_of; /* 0: none */
	enum hook_kind kind;
	enum hook_state state;
	bool will_repeat; /* drawn at birth: sent again after its 200 */
	char *body; /* of a handshake: the URL without the token */
	size_t body_len;
	char signature[72]; /* "sha256=…" */
	int64_t created_ms; /* wall */
	int64_t first_try_ns; /* moved clock; 0: not tried */
	uint64_t tries;
	struct hook_attempt *attempts; /* the newest HOOK_ATTEMPTS_MAX of tries */
	size_t attempt_count;
};

struct hooks_events {
	void (*changed)(void *cookie, const struct hook *hook); /* a state was entered */
	void (*ready)(void *cookie); /* the handshake passed; after each callback set */
	void *cookie;
};

struct hooks *hooks_new(struct world *w, const struct secret *app_secret,
			const struct secret *verify_token, const struct hooks_events *events,
			struct gw_error *err);
void hooks_free(struct hooks *h);
/* Cancel and forget all; the callback stays and shakes hands again. */
void hooks_reset(struct hooks *h);
/* Empty url: none. */
GW_NODISCARD gw_status hooks_set_callback(struct hooks *h, struct str url, struct gw_error *err);
void hooks_set_verify_token(struct hooks *h, struct str token);
const char *hooks_callback(const struct hooks *h); /* NULL: none */
bool hooks_is_ready(const struct hooks *h); /* handshake passed, or no callback */

/* One change of the world: into the next webhook. */
void hooks_change(struct hooks *h, struct str change);
/* Any bytes, signed and sent as they are.  0: too many are pending. */
uint64_t hooks_raw(struct hooks *h, struct str body);
GW_NODISCARD gw_status hooks_redeliver(struct hooks *h, uint64_t id, struct gw_error *err);

struct hooks_counts {
	uint64_t created, delivered, attempts, failed_attempts, dropped;
	size_t pending, in_flight;
};
void hooks_counts(const struct hooks *h, struct hooks_counts *out);
/* Walk the log in order of ids: start with NULL. */
const struct hook *hooks_next(const struct hooks *h, const struct hook *after);
const struct hook *hooks_get(const struct hooks *h, uint64_t id);
const char *hook_state_word(enum hook_state s);
bool hook_state_of(struct str word, enum hook_state *out);
void hook_write(const struct hook *hook, struct json_writer *w);

#endif
