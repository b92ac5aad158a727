/* SPDX-License-Identifier: MIT */
/*
 * world.h - what the emulated Meta knows: numbers, templates, customers, messages
 *
 * The world is driven by calls and by timers on the moved clock; what it has
 * to tell the business goes out through emit() as one webhook change at a
 * time.  It knows neither HTTP nor the control API, so tests drive it alone.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_WORLD_H
#define SANDBOX_WORLD_H

#include "base/log.h"
#include "base/rnd.h"
#include "net/loop.h"
#include "sandbox/gcra.h"
#include "sandbox/limits.h"
#include "sandbox/settings.h"

#include <sys/queue.h>

struct customers;
struct delivery;
struct review;
struct upload_session;
struct media_all;
struct sent;
struct sent_message;
struct templates;

struct qr {
	TAILQ_ENTRY(qr) link;
	char code[15];
	char *prefilled;
};
TAILQ_HEAD(qr_list, qr);

struct number {
	char id[GRAPH_ID_MAX];
	char display[PHONE_MAX + 8]; /* "+1 555-078-3881" */
	char digits[PHONE_MAX]; /* "15550783881" */
	char name[128]; /* verified name */
	char country[4]; /* calling code, put before national numbers */
	int64_t limit_mps; /* 0: the setting */
	bool is_test; /* writes to `allowed` alone (131030) */
	char allowed[NUMBER_ALLOWED_MAX][PHONE_MAX];
	size_t allowed_count;
	bool registered;
	bool unverified; /* no code was verified yet */
	bool on_app; /* it is in the WhatsApp Business app, too */
	/* as told by POST numbers; empty: what the rest says */
	char status[24], quality[16], name_status[32], platform_type[24], messaging_limit[24];
	int64_t health_code; /* of an error in health_status; 0: none */
	char pin[8], code[8]; /* two-step PIN, code that was sent; empty: none */
	int64_t registrations_ns[NUMBER_TURNS_MAX], deregistrations_ns[NUMBER_TURNS_MAX];
	size_t registration_at, deregistration_at;
	char *kept[NUMBER_KEPT_MAX]; /* JSON as written; NULL: never (graph_number.c) */
	bool is_cart_enabled, is_catalog_visible;
	size_t blocked_count;
	struct qr_list codes;
	size_t code_count;
	struct gcra throughput;
	/* Accept times of the last second, for the worst second seen. */
	int64_t *recent_ns;
	size_t recent_cap, recent_at, recent_count;
	size_t worst_second;
};

struct world_hooks {
	/* A change object of a webhook: {"value":{...},"field":"messages"}; borrowed. */
	void (*emit)(void *cookie, struct str change);
	/* A message was accepted; borrowed. */
	void (*accepted)(void *cookie, const struct sent_message *m);
	void *cookie;
};

TAILQ_HEAD(delivery_list, delivery);
TAILQ_HEAD(review_list, review);
TAILQ_HEAD(upload_list, upload_session);

struct world {
	struct loop *loop;
	struct clock *clock;
	const struct log *log;
	struct world_hooks hooks;
	struct settings settings;
	uint64_t seed;
	char host[64]; /* "127.0.0.1:8081": where media are; empty: not known yet */
	bool unsubscribed; /* no app: no webhooks */
	struct rnd ids, jitter, traces, codes; /* streams of their own: one never shifts another */
	struct number *numbers[SANDBOX_NUMBERS_MAX];
	size_t number_count;
	struct templates *templates;
	struct customers *customers;
	struct media_all *media;
	struct sent *sent;
	struct delivery_list deliveries;
	size_t delivery_count;
	struct upload_list uploads;
	size_t upload_count;
	struct review_list reviews; /* templates that wait */
	int64_t creations_ns[SANDBOX_CREATIONS_MAX]; /* of templates, the last ones */
	size_t creation_at;
	struct buf scratch; /* the change being written */
	uint64_t reads, typings; /* read receipts and typing indicators taken */
};

struct world *world_new(struct loop *loop, uint64_t seed, const struct log *log,
			const struct world_hooks *hooks);
void world_free(struct world *w);
/* As world_new() left it, settings too; the clock stays. */
void world_reset(struct world *w);

/* What there is to tell the business, unless no app is subscribed. */
void world_emit(struct world *w, struct str change);
void uploads_drop_all(struct world *w); /* graph_upload.c */
void number_drop_code(struct number *n, struct qr *q);
struct number *world_number(const struct world *w, struct str id); /* NULL: none */
bool number_may_write(const struct number *n, struct str digits); /* a test number: its list */
/* Add or change; GW_ELIMIT over SANDBOX_NUMBERS_MAX.  id may be empty: the next free one. */
GW_NODISCARD gw_status world_set_number(struct world *w, struct str id, struct str phone,
					struct number **out, struct gw_error *err);
int64_t world_limit_mps(const struct world *w, const struct number *n);
bool world_take_throughput(struct world *w, struct number *n);
void world_count_inbound(struct world *w, struct number *n);
void world_count_second(struct world *w, struct number *n);

int64_t world_now_ns(const struct world *w); /* moved monotonic */
/* The time of day at a moment of the moved clock. */
int64_t world_wall_ms(const struct world *w, int64_t at_ns);

enum wamid_kind { WAMID_OUTBOUND, WAMID_INBOUND };
void world_wamid(struct world *w, enum wamid_kind kind, struct str user, char out[WAMID_MAX]);
void world_trace_id(struct world *w, char out[24]);
/* Delay with the seeded jitter of the settings. */
int64_t world_jitter_ms(struct world *w, int64_t ms);
bool world_chance(struct world *w, int64_t percent);

/* Begin a change in w->scratch up to and with "metadata"; the writer stands inside "value". */
void world_begin_change(struct world *w, struct json_writer *jw, const struct number *n);
/* Close it and emit. */
void world_end_change(struct world *w, struct json_writer *jw);

#endif
