/* SPDX-License-Identifier: MIT */
/*
 * delivery.c - timers of one message, and the status webhooks they write
 *
 * ROLE        Between graph_send.c (acceptance) and world's emit().  Shapes
 *             and pricing: cloud-api.md 5.4 and 6.8, read 2026-11.
 * INVARIANTS  1. A delivery has one timer, armed for plan[next].
 *             2. due_ns never shrinks along the plan.
 *             3. Messages are named by seq: the record may forget them first.
 * LIMITS      SANDBOX_DELIVERIES_MAX; beyond it a message stays accepted and
 *             silent, and the log says so.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_world.c
 */
#include "sandbox/delivery.h"

#include "base/mac.h"
#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/metaerr.h"
#include "sandbox/sent.h"

#define PLAN_MAX 4
/* 2026-10-01T00:00:00Z: service messages are billed, utility in the window too (6.8). */
#define BILLED_FROM_MS INT64_C(1790812800000)

struct delivery {
	TAILQ_ENTRY(delivery) link;
	struct timer timer;
	struct world *world;
	const struct number *number;
	struct customer *customer;
	uint64_t seq; /* inv. 3 */
	char *wamid, *opaque;
	char category[16]; /* "utility", "service" */
	bool by_user_id, billable;
	enum status_kind plan[PLAN_MAX];
	int64_t due_ns[PLAN_MAX];
	size_t planned, next;
	int fail_code;
	const char *fail_details;
};

static const char *const words[STATUS_NKINDS] = { "sent", "delivered", "read", "played", "failed" };

const char *delivery_status_word(enum status_kind kind)
{
	return words[kind];
}

bool delivery_status_of(struct str word, enum status_kind *out)
{
	for (size_t i = 0; i < STATUS_NKINDS; i++) {
		if (str_eq(word, str_from(words[i]))) {
			*out = (enum status_kind)i;
			return true;
		}
	}
	return false;
}

static void write_recipient(const struct world *w, const struct delivery *d, struct json_writer *jw)
{
	if (!d->by_user_id || customer_shows_phone(w, d->customer))
		json_w_kv_text(jw, "recipient_id", d->customer->phone);
	json_w_kv_text(jw, "recipient_user_id", d->customer->user_id);
}

/* Left out from v24 on, but for free entry points, which the sandbox has not (5.4). */
static void write_conversation(const struct world *w, const struct delivery *d,
			       enum status_kind kind, int64_t at_ms, struct json_writer *jw)
{
	unsigned char hash[SHA256_BYTES];
	char id[33], stamp[24];

	if (w->settings.webhook_version >= 24)
		return;
	sha256(str_from(d->wamid), hash);
	hex_encode(hash, 16, id);
	json_w_key(jw, STR("conversation"));
	json_w_object(jw);
	json_w_kv_text(jw, "id", id);
	if (kind == STATUS_SENT) {
		(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)(at_ms / 1000 + 86400));
		json_w_kv_text(jw, "expiration_timestamp", stamp);
	}
	json_w_key(jw, STR("origin"));
	json_w_object(jw);
	json_w_kv_text(jw, "type", d->category);
	json_w_end(jw);
	json_w_end(jw);
}

/* On sent and on exactly one of delivered and read (5.4): here, delivered. */
static void write_pricing(const struct delivery *d, struct json_writer *jw)
{
	json_w_key(jw, STR("pricing"));
	json_w_object(jw);
	json_w_kv_bool(jw, "billable", d->billable);
	json_w_kv_text(jw, "pricing_model", "PMP");
	json_w_kv_text(jw, "type", d->billable ? "regular" : "free_customer_service");
	json_w_kv_text(jw, "category", d->category);
	json_w_end(jw);
}

static void write_status(const struct world *w, const struct delivery *d, enum status_kind kind,
			 int64_t at_ms, struct json_writer *jw)
{
	char stamp[24];

	(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)(at_ms / 1000));
	json_w_object(jw);
	json_w_kv_text(jw, "id", d->wamid);
	json_w_kv_text(jw, "status", delivery_status_word(kind));
	json_w_kv_text(jw, "timestamp", stamp);
	write_recipient(w, d, jw);
	if (d->opaque != NULL && (kind != STATUS_FAILED || w->settings.echo_opaque_on_failed))
		json_w_kv_text(jw, "biz_opaque_callback_data", d->opaque);
	if (kind != STATUS_FAILED)
		write_conversation(w, d, kind, at_ms, jw);
	if (kind == STATUS_SENT || kind == STATUS_DELIVERED)
		write_pricing(d, jw);
	if (kind == STATUS_FAILED) {
		json_w_key(jw, STR("errors"));
		json_w_array(jw);
		metaerr_write_webhook(jw, d->fail_code, d->fail_details);
		json_w_end(jw);
	}
	json_w_end(jw);
}

static void tell(struct world *w, const struct delivery *d, enum status_kind kind, int64_t at_ns)
{
	int64_t at_ms = world_wall_ms(w, at_ns);
	struct json_writer jw;

	sent_note_status(w->sent, d->seq, delivery_status_word(kind), at_ms,
			 kind == STATUS_FAILED ? d->fail_code : 0);
	world_begin_change(w, &jw, d->number);
	if (kind != STATUS_FAILED && w->settings.status_contacts) {
		json_w_key(&jw, STR("contacts"));
		json_w_array(&jw);
		customer_write_contact(w, d->customer, &jw);
		json_w_end(&jw);
	}
	json_w_key(&jw, STR("statuses"));
	json_w_array(&jw);
	write_status(w, d, kind, at_ms, &jw);
	json_w_end(&jw);
	world_end_change(w, &jw);
}

static void delivery_free(struct delivery *d)
{
	timer_cancel(&d->timer);
	TAILQ_REMOVE(&d->world->deliveries, d, link);
	d->world->delivery_count--;
	free(d->wamid);
	free(d->opaque);
	free(d);
}

/* A clock that jumped may have passed several steps: all of them now. */
static void on_due(void *cookie)
{
	struct delivery *d = cookie;
	int64_t now = world_now_ns(d->world);

	while (d->next < d->planned && d->due_ns[d->next] <= now) {
		tell(d->world, d, d->plan[d->next], d->due_ns[d->next]);
		d->next++;
	}
	if (d->next == d->planned)
		delivery_free(d);
	else
		timer_at(&d->timer, d->due_ns[d->next]);
}

static void plan(struct delivery *d, enum status_kind kind, int64_t from_ns, int64_t ms)
{
	int64_t due = from_ns + world_jitter_ms(d->world, ms) * NS_PER_MS;

	ASSERT(d->planned < PLAN_MAX);
	if (d->planned > 0 && due < d->due_ns[d->planned - 1])
		due = d->due_ns[d->planned - 1]; /* inv. 2 */
	d->plan[d->planned] = kind;
	d->due_ns[d->planned++] = due;
}

static int64_t delay_of(const struct delivery *d, enum status_kind kind)
{
	const struct settings *s = &d->world->settings;
	const int64_t general[] = { s->sent_ms, s->delivered_ms, s->read_ms };

	return d->customer->delay_ms[kind] >= 0 ? d->customer->delay_ms[kind] : general[kind];
}

static void make_plan(struct delivery *d, const struct delivery_order *o)
{
	struct world *w = d->world;
	int64_t now = world_now_ns(w);

	if (o->fail_code != 0) {
		plan(d, STATUS_FAILED, now, w->settings.failed_ms);
		return;
	}
	plan(d, STATUS_SENT, now, delay_of(d, STATUS_SENT));
	if (o->is_reaction)
		return;
	if (!world_chance(w, w->settings.skip_delivered_percent))
		plan(d, STATUS_DELIVERED, now, delay_of(d, STATUS_DELIVERED));
	if (!d->customer->reads)
		return;
	plan(d, STATUS_READ, now, delay_of(d, STATUS_READ));
	if (o->is_voice)
		plan(d, STATUS_PLAYED, now, w->settings.played_ms);
}

/* Billed or free, and under which category (6.8). */
static void price(struct delivery *d, const struct template *t)
{
	struct world *w = d->world;
	bool in_window = customer_window_is_open(w, d->customer, d->number);
	const char *category = t == NULL ? "SERVICE" : t->category;
	size_t i;

	for (i = 0; category[i] != '\0' && i < sizeof(d->category) - 1; i++)
		d->category[i] = (char)(category[i] >= 'A' && category[i] <= 'Z'
						? category[i] - 'A' + 'a'
						: category[i]);
	d->category[i] = '\0';
	d->billable = true;
	if (clock_wall_ms(w->clock) < BILLED_FROM_MS)
		d->billable = t != NULL && !(in_window && strcmp(d->category, "utility") == 0);
}

void delivery_start(struct world *w, const struct delivery_order *o)
{
	struct delivery *d;

	if (w->delivery_count == SANDBOX_DELIVERIES_MAX) {
		log_warn(w->log, "sandbox: %d messages await statuses, the next stays silent",
			 SANDBOX_DELIVERIES_MAX);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->world = w;
	d->number = o->number;
	d->customer = o->customer;
	d->seq = o->message->seq;
	d->wamid = xstrdup(o->message->wamid);
	d->opaque = o->message->opaque == NULL ? NULL : xstrdup(o->message->opaque);
	d->by_user_id = o->by_user_id;
	d->fail_code = o->fail_code;
	d->fail_details = o->fail_details;
	price(d, o->template);
	make_plan(d, o);
	TAILQ_INSERT_TAIL(&w->deliveries, d, link);
	w->delivery_count++;
	timer_init(&d->timer, w->loop, LOOP_MOVED, on_due, d);
	timer_at(&d->timer, d->due_ns[0]);
}

void delivery_drop_all(struct world *w)
{
	struct delivery *d;

	while ((d = TAILQ_FIRST(&w->deliveries)) != NULL)
		delivery_free(d);
}

void delivery_tell(struct world *w, const struct sent_message *m, enum status_kind kind, int code,
		   const char *details)
{
	struct delivery d;

	memset(&d, 0, sizeof(d));
	d.world = w;
	d.number = m->number;
	d.customer = customer_by_phone(w, str_from(m->to), false);
	if (d.customer == NULL)
		d.customer = customer_by_user_id(w, str_from(m->to));
	if (d.customer == NULL)
		return;
	d.by_user_id = !str_eq(str_from(m->to), str_from(d.customer->phone));
	d.seq = m->seq;
	d.wamid = m->wamid;
	d.opaque = m->opaque;
	d.fail_code = code;
	d.fail_details = details;
	price(&d, NULL);
	tell(w, &d, kind, world_now_ns(w));
}
