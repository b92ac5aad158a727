/* SPDX-License-Identifier: MIT */
/*
 * parse.c - a notification's envelope: object, entries, changes, lists
 *
 * ROLE        Turns one verified body into a list of events. Knows where
 *             items lie; what an item means is read by parse_*.c.
 * INVARIANTS  1. A JSON text gives at least one event.
 *             2. Every element of a list gives exactly one event, typed or
 *                unknown; nothing an element holds affects its siblings.
 *             3. Every span of an event lies inside the body; every string is
 *                at most as long as its ceiling in fill.h.
 * LIMITS      GW_NOTIFICATION_MAX, and one arena of ARENA_BASE + ARENA_FACTOR
 *             times the body. A text message takes about its own size for the
 *             scan and 1 KiB for the event. Elements of less than about 40
 *             bytes exhaust it (no message or status is that short) and the
 *             notification is refused as a whole with GW_ELIMIT.
 * FAILURE     Nothing is left behind; *out is untouched.
 * TESTS       tests/unit/test_parse*.c, fuzz/fuzz_notification.c
 */
#include "cloudapi/parse_int.h"

#define ARENA_BASE (64U * 1024)
#define ARENA_FACTOR 32U

struct gw_notification {
	struct arena *arena; /* holds this struct too */
	gw_event **events;
	size_t count, room;
	gw_str object;
	uint32_t duplicate_keys;
};

/* Room for one more pointer; the old table stays in the arena (at most as much again). */
static bool grow(struct parse *p)
{
	gw_notification *n = p->n;
	size_t room = n->room == 0 ? 4 : n->room * 2;
	gw_event **events;

	if (n->count < n->room)
		return true;
	events = arena_alloc(p->arena, room * sizeof(*events));
	if (events == NULL)
		return false;
	if (n->count > 0)
		memcpy(events, n->events, n->count * sizeof(*events));
	n->events = events;
	n->room = room;
	return true;
}

gw_event *parse_add(struct parse *p, struct json_val item, const char *list)
{
	gw_event *e;

	if (p->full || !grow(p) || (e = arena_alloc(p->arena, sizeof(*e))) == NULL) {
		p->full = true;
		return NULL;
	}
	*e = p->scope;
	e->item = fill_span(item);
	e->list = list;
	p->n->events[p->n->count++] = e;
	return e;
}

void parse_untype(struct parse *p, gw_event *e)
{
	gw_span item = e->item;
	const char *list = e->list;

	*e = p->scope;
	e->item = item;
	e->list = list;
}

uint32_t parse_list(struct parse *p, struct json_val items, const char *list, gw_event_type type,
		    parse_item_fn read)
{
	struct json_iter it;
	struct json_val item;
	uint32_t count = 0;

	if (json_type(items) != JSON_ARRAY)
		return 0;
	it = json_iter(items);
	while (!p->full && json_next(&it, &item)) {
		gw_event *e = parse_add(p, item, list);

		count++;
		if (e == NULL || json_type(item) != JSON_OBJECT)
			continue; /* inv. 2: an odd element is unknown, the next may be fine */
		e->type = type;
		read(p, e, item);
	}
	return count;
}

static void walk_changes(struct parse *p, struct json_val changes)
{
	const gw_event entry = p->scope;
	struct json_iter it = json_iter(changes);
	struct json_val change;

	while (!p->full && json_next(&it, &change)) {
		p->scope = entry;
		p->contacts_read = false;
		parse_change(p, change);
	}
	p->scope = entry;
	p->value = JSON_MISSING;
}

enum { ENTRY_ID, ENTRY_TIME, ENTRY_CHANGES, ENTRY_MESSAGING, ENTRY_STANDBY, ENTRY_NPARTS };

static const struct fill entry_rows[] = {
	FILL_KEPT("id", ENTRY_ID),           FILL_KEPT("time", ENTRY_TIME),
	FILL_KEPT("changes", ENTRY_CHANGES), FILL_KEPT("messaging", ENTRY_MESSAGING),
	FILL_KEPT("standby", ENTRY_STANDBY),
};

static void walk_entry(struct parse *p, struct json_val entry)
{
	struct json_val part[ENTRY_NPARTS] = { 0 };
	size_t before = p->n->count;
	gw_str id;

	fill(entry, entry_rows, ARRAY_LEN(entry_rows), NULL, part);
	id = fill_text(part[ENTRY_ID], FILL_ID_MAX);
	if (p->scope.channel == GW_CHANNEL_WHATSAPP)
		p->scope.business_id = id;
	else
		p->scope.account_id = id;
	p->scope.entry_id = fill_span(part[ENTRY_ID]);
	p->scope.entry_time = fill_span(part[ENTRY_TIME]);
	p->entry_at = fill_time(part[ENTRY_TIME]);
	if (json_type(part[ENTRY_CHANGES]) == JSON_ARRAY)
		walk_changes(p, part[ENTRY_CHANGES]);
	(void)parse_list(p, part[ENTRY_MESSAGING], "messaging", GW_EVENT_UNKNOWN, parse_direct);
	(void)parse_list(p, part[ENTRY_STANDBY], "standby", GW_EVENT_CONVERSATION, parse_direct);
	if (p->n->count == before)
		(void)parse_add(p, entry, "entry"); /* full is remembered in p */
}

static gw_channel channel_of(gw_str object)
{
	if (fill_is(object, "whatsapp_business_account"))
		return GW_CHANNEL_WHATSAPP;
	if (fill_is(object, "page"))
		return GW_CHANNEL_MESSENGER;
	if (fill_is(object, "instagram"))
		return GW_CHANNEL_INSTAGRAM;
	return GW_CHANNEL_OTHER;
}

static void walk_body(struct parse *p, struct json_val root)
{
	struct json_val entries = json_member(root, STR("entry"));
	struct json_iter it;
	struct json_val entry;
	gw_event body;

	p->n->object = fill_text(json_member(root, STR("object")), FILL_WORD_MAX);
	p->scope.channel = channel_of(p->n->object);
	body = p->scope;
	if (json_type(entries) == JSON_ARRAY) {
		it = json_iter(entries);
		while (!p->full && json_next(&it, &entry)) {
			p->scope = body;
			walk_entry(p, entry);
		}
	}
	if (p->n->count == 0 && !p->full) {
		p->scope = body;
		(void)parse_add(p, root, ""); /* inv. 1 */
	}
}

gw_status gw_notification_parse(gw_str body, gw_notification **out, struct gw_error *err)
{
	const struct json_doc *doc = NULL;
	struct parse p = { 0 };
	gw_status st;

	if (body.len > GW_NOTIFICATION_MAX)
		return gw_error_set(err, GW_ELIMIT, "notification of %zu bytes; at most %u",
				    body.len, GW_NOTIFICATION_MAX);
	p.arena = arena_new(ARENA_BASE + ARENA_FACTOR * body.len);
	if (p.arena == NULL || (p.n = arena_zalloc(p.arena, sizeof(*p.n))) == NULL) {
		st = gw_error_set(err, GW_ENOMEM, "no memory for a notification");
		goto out;
	}
	st = json_scan(str_of_gw(body), p.arena, &doc, err);
	if (st != GW_OK)
		goto out;
	walk_body(&p, json_root(doc));
	if (p.full) {
		st = gw_error_set(err, GW_ELIMIT, "notification of %zu bytes holds too many items",
				  body.len);
		goto out;
	}
	p.n->duplicate_keys = json_duplicates(doc);
	p.n->arena = p.arena;
	p.arena = NULL;
	*out = p.n;
out:
	arena_free(p.arena);
	return st;
}

void gw_notification_free(gw_notification *n)
{
	if (n != NULL)
		arena_free(n->arena);
}

size_t gw_notification_count(const gw_notification *n)
{
	return n->count;
}

const gw_event *gw_notification_event(const gw_notification *n, size_t index)
{
	return index < n->count ? n->events[index] : NULL;
}

gw_str gw_notification_object(const gw_notification *n)
{
	return n->object;
}

uint32_t gw_notification_duplicate_keys(const gw_notification *n)
{
	return n->duplicate_keys;
}
