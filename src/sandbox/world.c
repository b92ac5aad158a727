/* SPDX-License-Identifier: MIT */
/*
 * world.c - numbers, time, ids and the frame of every webhook change
 *
 * ROLE        Owns what the other parts of the world share.  Everything drawn
 *             at random comes from the seed: the same seed, a frozen clock and
 *             serial calls give the same bytes.
 * FAILURE     Out of memory panics; nothing here is durable.
 * LIMITS      limits.h
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_world.c
 */
#include "sandbox/world.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/customer.h"
#include "sandbox/delivery.h"
#include "sandbox/media.h"
#include "sandbox/sandbox.h"
#include "sandbox/sent.h"
#include "sandbox/template.h"

#define NUMBER_PHONE "15550783881"
#define RECENT_MIN 256
#define RECENT_MAX 131072

void number_drop_code(struct number *n, struct qr *q)
{
	TAILQ_REMOVE(&n->codes, q, link);
	n->code_count--;
	free(q->prefilled);
	free(q);
}

static void number_free(struct number *n)
{
	while (!TAILQ_EMPTY(&n->codes))
		number_drop_code(n, TAILQ_FIRST(&n->codes));
	for (size_t i = 0; i < NUMBER_KEPT_MAX; i++)
		free(n->kept[i]);
	free(n->recent_ns);
	free(n);
}

bool number_may_write(const struct number *n, struct str digits)
{
	for (size_t i = 0; i < n->allowed_count; i++) {
		if (str_eq(digits, str_from(n->allowed[i])))
			return true;
	}
	return !n->is_test;
}

/* "15550783881" as "+1 555-078-3881"; other countries without dashes. */
static void format_display(struct number *n)
{
	const char *d = n->digits;

	if (d[0] == '1' && strlen(d) == 11) {
		(void)snprintf(n->display, sizeof(n->display), "+1 %.3s-%.3s-%.4s", d + 1, d + 4,
			       d + 7);
		(void)snprintf(n->country, sizeof(n->country), "1");
		return;
	}
	(void)snprintf(n->display, sizeof(n->display), "+%s", d);
	customer_calling_code(str_from(d), n->country);
}

static void seed_streams(struct world *w)
{
	rnd_init_seed(&w->ids, w->seed);
	rnd_init_seed(&w->jitter, w->seed ^ UINT64_C(0x6a69747465720001));
	rnd_init_seed(&w->codes, w->seed ^ UINT64_C(0x636f646573000004));
	rnd_init_seed(&w->traces, w->seed ^ UINT64_C(0x7472616365000002));
}

static void fill(struct world *w)
{
	struct number *n;

	settings_init(&w->settings);
	seed_streams(w);
	if (world_set_number(w, STR(SANDBOX_NUMBER_ID), STR(NUMBER_PHONE), &n, NULL) != GW_OK)
		PANIC("cannot make the first number");
	w->templates = templates_new();
	w->customers = customers_new();
	w->sent = sent_new();
	w->media = media_new(w->seed);
	TAILQ_INIT(&w->uploads);
	TAILQ_INIT(&w->reviews);
	memset(w->creations_ns, 0, sizeof(w->creations_ns));
	w->creation_at = 0;
	TAILQ_INIT(&w->deliveries);
	w->delivery_count = 0;
	w->reads = w->typings = 0;
	w->unsubscribed = false;
}

static void empty(struct world *w)
{
	delivery_drop_all(w);
	template_review_drop_all(w);
	uploads_drop_all(w);
	sent_free(w->sent);
	media_free(w->media);
	customers_free(w->customers);
	templates_free(w->templates);
	for (size_t i = 0; i < w->number_count; i++)
		number_free(w->numbers[i]);
	w->number_count = 0;
	secret_release(&w->settings.check_token);
}

struct world *world_new(struct loop *loop, uint64_t seed, const struct log *log,
			const struct world_hooks *hooks)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->loop = loop;
	w->clock = loop_clock(loop);
	w->log = log;
	w->seed = seed;
	w->hooks = *hooks;
	buf_init(&w->scratch, SANDBOX_CHANGE_MAX);
	fill(w);
	return w;
}

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	empty(w);
	buf_release(&w->scratch);
	free(w);
}

void world_reset(struct world *w)
{
	empty(w);
	fill(w);
}

struct number *world_number(const struct world *w, struct str id)
{
	for (size_t i = 0; i < w->number_count; i++) {
		if (str_eq(id, str_from(w->numbers[i]->id)))
			return w->numbers[i];
	}
	return NULL;
}

static gw_status check_number(struct str id, struct str digits, struct gw_error *err)
{
	uint64_t value;

	if (id.len >= GRAPH_ID_MAX || (id.len > 0 && !str_to_u64(id, &value)))
		return gw_error_set(err, GW_EARG, "id: want up to 20 digits");
	if (digits.len > 0 && (digits.len < 7 || digits.len > 15 || !str_to_u64(digits, &value)))
		return gw_error_set(err, GW_EARG, "phone: want 7 to 15 digits");
	return GW_OK;
}

gw_status world_set_number(struct world *w, struct str id, struct str phone, struct number **out,
			   struct gw_error *err)
{
	char next_id[GRAPH_ID_MAX];
	struct number *n;
	gw_status st;

	if (phone.len > 0 && phone.ptr[0] == '+')
		phone = str_slice(phone, 1, phone.len);
	st = check_number(id, phone, err);
	if (st != GW_OK)
		return st;
	if (id.len == 0) {
		(void)snprintf(next_id, sizeof(next_id), "5735425174220%02zu", w->number_count);
		id = str_from(next_id);
	}
	n = world_number(w, id);
	if (n == NULL) {
		if (w->number_count == SANDBOX_NUMBERS_MAX)
			return gw_error_set(err, GW_ELIMIT, "there are %d numbers already",
					    SANDBOX_NUMBERS_MAX);
		n = xcalloc(1, sizeof(*n));
		(void)str_copy(id, n->id, sizeof(n->id));
		(void)snprintf(n->digits, sizeof(n->digits), "155507839%02zu", w->number_count);
		(void)snprintf(n->name, sizeof(n->name), "Godwit Sandbox");
		n->registered = true;
		n->is_cart_enabled = true;
		TAILQ_INIT(&n->codes);
		w->numbers[w->number_count++] = n;
	}
	if (phone.len > 0)
		(void)str_copy(phone, n->digits, sizeof(n->digits));
	format_display(n);
	*out = n;
	return GW_OK;
}

int64_t world_limit_mps(const struct world *w, const struct number *n)
{
	return n->limit_mps > 0 ? n->limit_mps : w->settings.limit_mps;
}

bool world_take_throughput(struct world *w, struct number *n)
{
	int64_t limit = world_limit_mps(w, n);
	int64_t burst = w->settings.throughput_burst > 0 ? w->settings.throughput_burst : limit;

	return gcra_take(&n->throughput, world_now_ns(w), NS_PER_S / limit, burst);
}

/* In and out share one budget (cloud-api.md 6.4); what comes in is never refused. */
void world_count_inbound(struct world *w, struct number *n)
{
	if (w->settings.count_inbound)
		gcra_charge(&n->throughput, world_now_ns(w), NS_PER_S / world_limit_mps(w, n));
}

static void grow_recent(struct number *n)
{
	size_t cap = n->recent_cap == 0 ? RECENT_MIN : n->recent_cap * 2;
	int64_t *grown = xcalloc(cap, sizeof(*grown));

	for (size_t i = 0; i < n->recent_count; i++)
		grown[i] = n->recent_ns[(n->recent_at + i) % n->recent_cap];
	free(n->recent_ns);
	n->recent_ns = grown;
	n->recent_cap = cap;
	n->recent_at = 0;
}

/* One message was accepted now: how many in the second that ends here? */
void world_count_second(struct world *w, struct number *n)
{
	int64_t now = world_now_ns(w);

	while (n->recent_count > 0 && n->recent_ns[n->recent_at] <= now - NS_PER_S) {
		n->recent_at = (n->recent_at + 1) % n->recent_cap;
		n->recent_count--;
	}
	if (n->recent_count == n->recent_cap) {
		if (n->recent_cap >= RECENT_MAX)
			return;
		grow_recent(n);
	}
	n->recent_ns[(n->recent_at + n->recent_count) % n->recent_cap] = now;
	n->recent_count++;
	if (n->recent_count > n->worst_second)
		n->worst_second = n->recent_count;
}

int64_t world_now_ns(const struct world *w)
{
	return clock_mono_ns(w->clock);
}

int64_t world_wall_ms(const struct world *w, int64_t at_ns)
{
	return clock_wall_ms(w->clock) - (world_now_ns(w) - at_ns) / NS_PER_MS;
}

/* cloud-api.md 1.5: 1c 18 LEN <user> 15 02 00 KIND 18 N <N hex digits> 00, in base64. */
void world_wamid(struct world *w, enum wamid_kind kind, struct str user, char out[WAMID_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char raw[160], random[10];
	size_t hex_len = kind == WAMID_OUTBOUND ? 18 : 20;
	size_t len = 0;

	if (user.len > 100)
		user.len = 100;
	raw[len++] = 0x1c;
	raw[len++] = 0x18;
	raw[len++] = (unsigned char)user.len;
	memcpy(raw + len, user.ptr, user.len);
	len += user.len;
	raw[len++] = 0x15;
	raw[len++] = 0x02;
	raw[len++] = 0x00;
	raw[len++] = kind == WAMID_OUTBOUND ? 0x11 : 0x12;
	raw[len++] = 0x18;
	raw[len++] = (unsigned char)hex_len;
	rnd_bytes(&w->ids, random, sizeof(random));
	for (size_t i = 0; i < hex_len; i++)
		raw[len++] = (unsigned char)digits[(random[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15];
	raw[len++] = 0x00;
	memcpy(out, "wamid.", 6);
	(void)b64_encode(raw, len, out + 6);
}

void world_trace_id(struct world *w, char out[24])
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[22];

	rnd_bytes(&w->traces, random, sizeof(random));
	out[0] = 'A';
	for (size_t i = 0; i < sizeof(random); i++)
		out[i + 1] = alphabet[random[i] & 63];
	out[23] = '\0';
}

int64_t world_jitter_ms(struct world *w, int64_t ms)
{
	int64_t swing = ms * w->settings.jitter_percent / 100;

	if (swing == 0)
		return ms;
	return ms - swing + (int64_t)rnd_below(&w->jitter, (uint64_t)(2 * swing + 1));
}

bool world_chance(struct world *w, int64_t percent)
{
	return percent > 0 && (int64_t)rnd_below(&w->jitter, 100) < percent;
}

void world_begin_change(struct world *w, struct json_writer *jw, const struct number *n)
{
	buf_reset(&w->scratch);
	json_w_init(jw, &w->scratch);
	json_w_object(jw);
	json_w_key(jw, STR("value"));
	json_w_object(jw);
	json_w_kv_text(jw, "messaging_product", "whatsapp");
	json_w_key(jw, STR("metadata"));
	json_w_object(jw);
	json_w_kv_text(jw, "display_phone_number", n->digits);
	json_w_kv_text(jw, "phone_number_id", n->id);
	json_w_end(jw);
}

void world_end_change(struct world *w, struct json_writer *jw)
{
	json_w_end(jw);
	json_w_kv_text(jw, "field", "messages");
	json_w_end(jw);
	if (buf_failed(&w->scratch)) {
		log_error(w->log, "sandbox: a webhook change over %u bytes was dropped",
			  (unsigned)SANDBOX_CHANGE_MAX);
		return;
	}
	world_emit(w, buf_str(&w->scratch));
}

void world_emit(struct world *w, struct str change)
{
	if (!w->unsubscribed)
		w->hooks.emit(w->hooks.cookie, change);
}
