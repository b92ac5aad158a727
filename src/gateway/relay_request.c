/* SPDX-License-Identifier: MIT */
/*
 * relay_request.c - the request that carries a delivery: its headers and signatures
 *
 * INVARIANTS  1. webhook-id is the event's id in every attempt; webhook-timestamp is the real
 *                time of this attempt, whatever the moved clock says, or receivers refuse it.
 * THREADS     The loop's.
 * TESTS       tests/unit/test_relay.c, tests/unit/test_sign.c
 */
#include "gateway/relay_int.h"

#include "base/mem.h"
#include "base/panic.h"

#include <inttypes.h>
#include <stdarg.h>

void relay_put_header(struct relay_headers *h, const char *fmt, ...)
{
	va_list args;
	int n;

	ASSERT(h->count < RELAY_HEADERS_MAX);
	va_start(args, fmt);
	n = vsnprintf(h->text[h->count], RELAY_HEADER_MAX, fmt, args);
	va_end(args);
	ASSERT(n > 0 && n < RELAY_HEADER_MAX);
	h->list[h->count] = h->text[h->count];
	h->count++;
}

static struct mac *mac_of(const struct secret *s)
{
	struct mac *m = mac_new(str_make((const char *)s->bytes, s->len));

	ASSERT(m != NULL);
	return m;
}

static void put_standard(struct relay_headers *h, struct outlet *o, const struct destination *to,
			 struct str id, struct str body)
{
	int64_t now_s = clock_real_wall_ms() / 1000; /* inv. 1 */
	struct mac *previous = NULL;
	char value[SIGN_HEADER_MAX];

	relay_put_header(h, "webhook-id: %.*s", STR_ARG(id));
	relay_put_header(h, "webhook-timestamp: %" PRId64, now_s);
	if (to->secret.len == 0)
		return;
	if (o->mac == NULL)
		o->mac = mac_of(&to->secret);
	if (to->secret_previous.len > 0 &&
	    clock_wall_ms(relay_clock(o->relay)) < to->previous_until_ms) {
		if (o->mac_previous == NULL)
			o->mac_previous = mac_of(&to->secret_previous);
		previous = o->mac_previous;
	}
	sign_standard(o->mac, previous, id, now_s, body, value);
	relay_put_header(h, "webhook-signature: %s", value);
}

void outlet_forget_macs(struct outlet *o)
{
	mac_free(o->mac);
	mac_free(o->mac_previous);
	o->mac = o->mac_previous = NULL;
}

/* The keyed context of an account's app secret; NULL: there is none. */
static struct mac *app_mac(struct relay *r, struct str account)
{
	const struct account *a = accounts_get(r->o.accounts, account);
	struct app_mac *m;

	if (a == NULL && accounts_count(r->o.accounts) == 1)
		a = accounts_at(r->o.accounts, 0); /* composed by us: whose else could it be */
	if (a == NULL || a->app_secret.len == 0)
		return NULL;
	m = map_get(r->app_macs, str_from(a->name));
	if (m == NULL) {
		m = xcalloc(1, sizeof(*m));
		(void)map_set(r->app_macs, str_from(a->name), m);
	}
	if (!secret_eq(&m->secret,
		       str_make((const char *)a->app_secret.bytes, a->app_secret.len))) {
		mac_free(m->mac);
		m->secret = a->app_secret;
		m->mac = mac_of(&a->app_secret);
	}
	return m->mac;
}

static void put_hub(struct relay_headers *h, struct relay *r, const struct delivery *d)
{
	struct str signature = delivery_signature(d);
	char value[SIGN_HUB_MAX];
	struct mac *mac;

	if (signature.len > 0) {
		relay_put_header(h, "X-Hub-Signature-256: %.*s", STR_ARG(signature));
		return;
	}
	mac = app_mac(r, delivery_account(d));
	if (mac == NULL)
		return;
	sign_hub(mac, delivery_body(d), value);
	relay_put_header(h, "X-Hub-Signature-256: %s", value);
}

void relay_put_headers(struct relay_headers *h, struct outlet *o, const struct destination *to,
		       const struct delivery *d)
{
	char id[ID_TEXT_MAX];

	id_text(ID_EVENT, &d->event, id);
	relay_put_header(h, "content-type: %s",
			 to->format == DESTINATION_CLOUDEVENTS ? "application/cloudevents+json"
							       : "application/json");
	relay_put_header(h, "user-agent: godwit/" GODWIT_VERSION);
	relay_put_header(h, "godwit-attempt: %" PRIu32, d->attempts + 1);
	put_standard(h, o, to, str_from(id), delivery_body(d));
	if (to->format == DESTINATION_META)
		put_hub(h, o->relay, d);
	if (d->replay)
		relay_put_header(h, "webhook-replay: 1");
}

struct http_request relay_request(const struct relay *r, const struct destination *to,
				  const struct relay_headers *h, struct str body)
{
	return (struct http_request){ .method = "POST",
				      .url = to->url,
				      .headers = h->list,
				      .header_count = h->count,
				      .body = body,
				      .may_repeat = true, /* at least once, same webhook-id */
				      .connect_timeout_ms = r->o.settings.connect_ms,
				      .timeout_ms = r->o.settings.timeout_ms,
				      .answer_max = RELAY_ANSWER_MAX };
}
