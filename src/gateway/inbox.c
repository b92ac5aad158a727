/* SPDX-License-Identifier: MIT */
/*
 * inbox.c - verified bodies in, committed events out (W3 to W5)
 *
 * ROLE        Between webhook_front (or whoever composes an event of ours) and
 *             the sinks.  Owns one rule: 200 follows the commit, never precedes it.
 *
 * LIFE        inbox_item_new()  parsed, normalized; any thread
 *             inbox_put()       ids given, destinations chosen, submitted
 *             on_committed()    answered; each new event to the sinks
 *             last reference    freed, with the body's bytes
 *
 * INVARIANTS  1. A call is answered exactly once: 200 after GW_OK, else 503.
 *             2. Sinks see an event only after its commit, in the order of
 *                the body, and never a duplicate.
 *             3. An item lives while it is in the store or an event of it is
 *                referenced.
 *             4. What the store refuses as what it is becomes `unknown`, once; its
 *                siblings stay what they are, and all are committed together.
 *             5. No text that opts out is answered 200 before the optout is recorded.
 *
 * FAILURE     The store refused the body even so: 503, Meta delivers again.  Out of
 *             arena while parsing: the body is kept whole as one unknown event.
 * LIMITS      INBOX_BODY_MAX; what is uncommitted is bounded by the front
 *             through inbox_is_stuck().
 * THREADS     inbox_item_new(), inbox_is_stuck(): any.  The rest: the loop's.
 * TESTS       tests/unit/test_inbox.c, tests/system/test_inbound*.py
 */
#include "gateway/inbox.h"
#include "base/mem.h"
#include "base/panic.h"
#include "gateway/consent.h"
#include "gateway/destination.h"
#include "gateway/metrics.h"
#include "gateway/normalize.h"
#include <stdlib.h>

/* Room for the normalized text beside a body: names, ids and escapes of many small items. */
#define TEXT_ROOM(body_len, events) ((body_len)*7 + (events)*1024 + 4096)
#define DECISION_MAX (64U * 1024) /* bytes of a composed decision */
#define ALIAS_ROOM(events) ((events) * (size_t)1024 + 4096)

struct inbox_item {
	struct store_put_body put; /* first: the store hands this back */
	struct inbox *inbox;
	struct http_call *call;
	gw_notification *note;
	struct arena *arena;
	struct buf text; /* the json of all events */
	struct buf mended; /* of those that the store refused as what they were */
	struct event *events;
	char *signature, *account;
	struct wayback_mark mark;
	void (*done)(void *cookie, const struct store_event_in *ev);
	void *cookie;
	size_t refs;
};

struct inbox {
	struct inbox_options o;
	struct id_maker ids;
	struct rnd rnd;
	struct consent_words words;
	size_t pending;
	bool muted; /* the store is closing: nothing goes there again */
};

struct inbox *inbox_new(const struct inbox_options *o)
{
	struct inbox *in = xcalloc(1, sizeof(*in));

	in->o = *o;
	rnd_init_system(&in->rnd);
	return in;
}

void inbox_set_words(struct inbox *in, const char *stop, const char *start)
{
	consent_words_set(&in->words, stop, start);
}

void inbox_free(struct inbox *in)
{
	ASSERT(in == NULL || in->pending == 0);
	free(in);
}

void inbox_mute(struct inbox *in)
{
	in->o.sinks = (struct inbox_sinks){ 0 };
	in->muted = true;
}

size_t inbox_pending(const struct inbox *in)
{
	return in->pending;
}

static void item_free(struct inbox_item *item)
{
	for (size_t i = 0; i < item->put.event_count; i++) {
		if (item->put.events[i].opaque.len > 0) /* empty: a constant of the store's */
			free((void *)(uintptr_t)item->put.events[i].opaque.ptr);
		if (item->put.events[i].consent_keys.len > 0)
			free((void *)(uintptr_t)item->put.events[i].consent_keys.ptr);
		store_followed_free(item->put.events[i].followed);
		if (item->put.events[i].is_priced) {
			free((void *)(uintptr_t)item->put.events[i].priced_name.ptr);
			free((void *)(uintptr_t)item->put.events[i].priced_language.ptr);
		}
	}
	gw_notification_free(item->note);
	arena_free(item->arena);
	buf_release(&item->text);
	buf_release(&item->mended);
	free(item->put.events);
	free(item->events);
	free(item->signature);
	free(item->account);
	free((void *)(uintptr_t)item->put.bytes.ptr);
	free(item);
}

static void item_unref(struct inbox_item *item)
{
	ASSERT(item->refs > 0);
	if (--item->refs == 0)
		item_free(item); /* inv. 3 */
}

void event_ref(struct event *e)
{
	e->item->refs++;
}

void event_unref(struct event *e)
{
	item_unref(e->item);
}

/* The whole body as one event that says nothing but its bytes. */
static void whole_as_unknown(struct inbox_item *item, const struct inbox_source *source)
{
	gw_event e = { .type = GW_EVENT_UNKNOWN, .channel = GW_CHANNEL_OTHER };

	e.item.len = (uint32_t)item->put.bytes.len;
	free(item->put.events);
	item->put.events = xcalloc(1, sizeof(*item->put.events));
	item->put.event_count = 1;
	buf_reset(&item->text);
	normalize_event(&e, item->put.bytes, source->token, item->arena, &item->text,
			&item->put.events[0]);
}

static void read_events(struct inbox_item *item, const struct inbox_source *source)
{
	size_t count = gw_notification_count(item->note);

	item->arena = arena_new(ALIAS_ROOM(count));
	ASSERT(item->arena != NULL);
	buf_init(&item->text, TEXT_ROOM(item->put.bytes.len, count));
	item->put.events = xcalloc(count > 0 ? count : 1, sizeof(*item->put.events));
	item->put.event_count = count;
	for (size_t i = 0; i < count; i++)
		normalize_event(gw_notification_event(item->note, i), item->put.bytes,
				source->token, item->arena, &item->text, &item->put.events[i]);
	if (count == 0 || buf_failed(&item->text))
		whole_as_unknown(item, source);
	ASSERT(!buf_failed(&item->text));
	normalize_settle(item->put.events, item->put.event_count, &item->text);
}

struct inbox_item *inbox_item_new(struct str body, const struct inbox_source *source)
{
	struct inbox_item *item = xcalloc(1, sizeof(*item));

	item->refs = 1;
	item->call = source->call;
	item->mark = source->mark;
	item->done = source->done;
	item->cookie = source->cookie;
	item->signature = xstrndup(source->signature);
	item->account = xstrndup(source->account);
	item->put.bytes = body;
	item->put.signature = str_from(item->signature);
	item->put.account = str_from(item->account);
	item->put.received_ms = source->received_ms;
	item->put.composed = source->signature.len == 0;
	buf_init(&item->text, 1);
	buf_init(&item->mended, 1);
	if (gw_notification_parse(str_to_gw(body), &item->note, NULL) != GW_OK) {
		item->put.quarantined = true; /* a retry cannot mend it: keep, count, answer 200 */
		return item;
	}
	read_events(item, source);
	return item;
}

bool inbox_is_stuck(const struct store *store, int64_t disk_min_bytes)
{
	struct store_load load;

	store_load_now(store, &load);
	if (load.uncommitted_bytes > (int64_t)INBOX_UNCOMMITTED_MAX)
		return true;
	if (load.oldest_ns != 0 && clock_real_ns() - load.oldest_ns > INBOX_UNCOMMITTED_NS)
		return true;
	return load.disk_free_bytes >= 0 && load.disk_free_bytes < disk_min_bytes;
}

/* What a reader would find in the store, from memory. */
static void fill_row(struct event *e, const struct inbox_item *item)
{
	const struct id none = { { 0 } };
	const struct store_event_in *in = e->in;
	struct store_event_row *r = &e->row;

	r->row = in->row;
	r->body_row = item->put.row;
	r->id = in->id;
	r->has_conversation = in->has_conversation;
	r->conversation = in->conversation;
	r->has_contact = !id_eq(&in->contact, &none);
	r->contact = in->contact;
	r->has_message = in->message_row != 0;
	r->message = in->message;
	r->stale = in->stale;
	r->composed = item->put.composed;
	r->type = str_from(in->type);
	r->kind = str_from(in->kind);
	r->channel = str_from(in->channel);
	r->account_id = in->account_id;
	r->address = in->address;
	r->business_id = in->business_id;
	r->external_id = in->external_id;
	r->user_id = in->user_id;
	r->phone = in->phone;
	r->username = in->username;
	r->name = in->name;
	r->seq = in->seq;
	r->state_version = in->state_version;
	r->at_s = in->at_s;
	r->received_ms = item->put.received_ms;
	r->lane = in->lane;
	r->json = in->json;
	r->opaque = in->opaque;
	r->splice = in->splice;
	r->body = item->put.bytes;
	r->signature = item->put.signature;
	r->account = item->put.account;
	r->siblings = (uint32_t)item->put.event_count;
	e->mark = item->mark;
	e->size = sizeof(*e) + sizeof(*in) + in->json.len + item->put.bytes.len / r->siblings;
}

static void to_sinks(struct inbox *in, struct event *e)
{
	const struct inbox_sinks *s = &in->o.sinks;

	if (s->evidence != NULL && e->in->status.len > 0)
		s->evidence(s->cookie, e);
	if (s->window != NULL && e->in->opens_window)
		s->window(s->cookie, e);
	if (s->consent != NULL && e->in->consent_now != STORE_CONSENT_NONE)
		s->consent(s->cookie, e);
	if (s->template_ != NULL && (e->in->template_ != NULL || e->in->is_priced))
		s->template_(s->cookie, e);
	if (s->relay != NULL && e->in->destination_count > 0)
		s->relay(s->cookie, e);
	if (s->tap != NULL)
		s->tap(s->cookie, e);
}

static void count_event(struct inbox *in, const struct store_event_in *e)
{
	enum metric_fate fate = e->duplicate ? FATE_DUPLICATE : e->stale ? FATE_STALE : FATE_NEW;

	metrics_add(in->o.metrics, M_EVENTS, fate, 0, 1);
	if (!e->duplicate && str_eq(str_from(e->type), STR("unknown")))
		metrics_add(in->o.metrics, M_EVENTS, FATE_UNKNOWN, 0, 1);
}

static void distribute(struct inbox_item *item)
{
	item->events = xcalloc(item->put.event_count, sizeof(*item->events));
	for (size_t i = 0; i < item->put.event_count; i++) {
		struct event *e = &item->events[i];

		e->item = item;
		e->in = &item->put.events[i];
		count_event(item->inbox, e->in);
		if (e->in->duplicate)
			continue; /* inv. 2 */
		fill_row(e, item);
		to_sinks(item->inbox, e);
	}
}

static void answer(struct inbox_item *item, bool ok)
{
	if (item->call == NULL)
		return;
	if (ok)
		http_reply_empty(item->call, 200);
	else
		http_reply_retry(item->call, 1); /* Meta will deliver again */
	item->call = NULL;
	metrics_add(item->inbox->o.metrics, M_WEBHOOKS,
		    !ok                     ? RESULT_BUSY
		    : item->put.quarantined ? RESULT_QUARANTINED
					    : RESULT_OK,
		    0, 1);
}

/* What is left of an item that the store refused: where it came from, and its bytes. */
static void item_as_unknown(struct inbox_item *item, size_t i)
{
	const gw_event *was = gw_notification_event(item->note, i);
	struct store_event_in *in = &item->put.events[i];
	const struct store_splice splice = in->splice; /* knows which opaque value is our token */
	gw_event e = { .type = GW_EVENT_UNKNOWN,
		       .channel = was->channel,
		       .account_id = was->account_id,
		       .address = was->address,
		       .business_id = was->business_id,
		       .field = was->field,
		       .entry_id = was->entry_id,
		       .entry_time = was->entry_time,
		       .item = was->item };

	*in = (struct store_event_in){ 0 };
	normalize_event(&e, item->put.bytes, NULL, item->arena, &item->mended, in);
	in->splice = splice;
}

/* inv. 4: true, and the body is ready for the store again. */
static bool mend(struct inbox_item *item)
{
	struct store_put_body *p = &item->put;
	size_t count = 0;
	bool *refused;

	if (item->inbox->muted || p->req.status != GW_EPARSE || item->mended.len > 0 ||
	    item->note == NULL || gw_notification_count(item->note) != p->event_count)
		return false;
	refused = xcalloc(p->event_count, sizeof(*refused));
	buf_init(&item->mended, TEXT_ROOM(p->bytes.len, p->event_count));
	for (size_t i = 0; i < p->event_count; i++) {
		refused[i] = p->events[i].refused;
		if (refused[i]) {
			item_as_unknown(item, i);
			count++;
		}
	}
	for (size_t i = 0; i < p->event_count; i++) {
		if (refused[i])
			normalize_settle(&p->events[i], 1, &item->mended);
	}
	free(refused);
	if (count == 0 || buf_failed(&item->mended))
		return false;
	log_error(item->inbox->o.log,
		  "inbox: items that the store refused become unknown count=%zu", count);
	metrics_add(item->inbox->o.metrics, M_EVENTS, FATE_REFUSED, 0, (int64_t)count);
	return true;
}

/* W5: the commit is on disk, or it is not. */
static void on_committed(struct store_req *req)
{
	struct inbox_item *item = CONTAINER_OF(req, struct inbox_item, put.req);
	struct inbox *in = item->inbox;

	in->pending--;
	if (mend(item)) {
		inbox_put(in, item);
		return;
	}
	if (item->mark.key != 0 && (req->status != GW_OK || item->put.quarantined))
		in->o.wayback->refused++; /* before the answer: a status may have been in it */
	answer(item, req->status == GW_OK); /* inv. 1 */
	if (item->done != NULL)
		item->done(item->cookie, req->status == GW_OK ? &item->put.events[0] : NULL);
	if (req->status != GW_OK)
		log_error(in->o.log, "inbox: a body was not stored status=%s bytes=%zu",
			  gw_status_name(req->status), item->put.bytes.len);
	else if (item->put.quarantined)
		metrics_add(in->o.metrics, M_EVENTS, FATE_QUARANTINED, 0, 1);
	else
		distribute(item);
	item_unref(item);
}

/* ---- words of consent ---- */

static bool may_decide(const gw_event *e)
{
	return e->type == GW_EVENT_MESSAGE_RECEIVED && e->channel == GW_CHANNEL_WHATSAPP &&
	       e->group_id.len == 0 && (e->phone.len > 0 || e->user_id.len > 0) &&
	       (e->kind == GW_KIND_TEXT || e->kind == GW_KIND_BUTTON);
}

static void put_decision(struct inbox *in, const struct inbox_item *item, const gw_event *e,
			 enum store_consent what)
{
	struct inbox_source source = { .account = item->put.account,
				       .received_ms = item->put.received_ms };
	struct consent_change c = { .what = what,
				    .source = "word",
				    .phone = str_of_gw(e->phone),
				    .user_id = str_of_gw(e->user_id),
				    .number_id = str_of_gw(e->account_id),
				    .address = str_of_gw(e->address),
				    .business_id = str_of_gw(e->business_id),
				    .at_s = e->at,
				    .note = str_of_gw(e->text),
				    .cause = str_of_gw(e->id) };
	struct buf body;

	buf_init(&body, DECISION_MAX);
	consent_put_body(&body, &c);
	if (buf_failed(&body))
		log_error(in->o.log,
			  "inbox: a word of consent is in no room: its ids are too long");
	else
		inbox_put(in, inbox_item_new(buf_take(&body), &source));
	buf_release(&body);
}

/*
 * inv. 5: a text that opts out or in is a decision of its own, which goes to the store before the
 * message that it is in, in the same turn.  After a crash in between Meta, who had no 200, brings
 * both again, and the decision is recognised.
 */
static void put_decisions(struct inbox *in, const struct inbox_item *item)
{
	for (size_t i = 0; i < gw_notification_count(item->note); i++) {
		const gw_event *e = gw_notification_event(item->note, i);
		enum store_consent what = STORE_CONSENT_NONE;

		if (may_decide(e))
			what = consent_of_text(&in->words, str_of_gw(e->text));
		if (what != STORE_CONSENT_NONE)
			put_decision(in, item, e, what);
	}
}

void inbox_put(struct inbox *in, struct inbox_item *item)
{
	item->inbox = in;
	if (item->note != NULL && !item->put.composed && item->mended.len == 0)
		put_decisions(in, item);
	for (size_t i = 0; i < item->put.event_count; i++) {
		id_make(&in->ids, in->o.clock, &in->rnd, &item->put.events[i].id);
		destinations_match(in->o.destinations, &item->put.events[i]);
	}
	if (item->note != NULL && item->mended.len == 0 &&
	    gw_notification_duplicate_keys(item->note) > 0)
		metrics_add(in->o.metrics, M_DUPLICATE_KEYS, 0, 0,
			    gw_notification_duplicate_keys(item->note));
	for (size_t i = 0; i < item->put.event_count; i++) {
		struct store_template *t = item->put.events[i].template_;

		if (t != NULL && t->updated_ms == 0)
			t->updated_ms = item->put.received_ms;
	}
	item->put.req.op = STORE_PUT_BODY;
	item->put.req.done = on_committed;
	item->put.req.weight = item->put.bytes.len +
			       item->put.event_count * sizeof(struct store_event_in);
	in->pending++;
	store_submit(in->o.store, &item->put.req);
}
