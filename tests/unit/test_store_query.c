/* SPDX-License-Identifier: MIT */
/* test_store_query.c - events as they are shown: whole, filtered, page by page */
#include "store_kit.h"

#define ANN "16505551234"
#define BOB "16505550000"

/* ---- one event, all of it */

struct one {
	struct id id;
	gw_status status;
	void (*look)(const struct store_event_row *e);
};

static bool on_one(void *cookie, const struct store_event_row *e)
{
	((struct one *)cookie)->look(e);
	return true;
}

static void read_one(struct store_reader *r, void *cookie)
{
	struct one *o = cookie;

	o->status = reader_event(r, &o->id, on_one, o);
}

static void look_at_text(const struct store_event_row *e)
{
	CHECK_STR("type", "message.received", e->type);
	CHECK_STR("kind", "text", e->kind);
	CHECK_STR("channel", "whatsapp", e->channel);
	CHECK_STR("account", "106540352242922", e->account_id);
	CHECK_STR("address", "+15550783881", e->address);
	CHECK_STR("business", "102290129340398", e->business_id);
	CHECK_STR("external", "wamid.1", e->external_id);
	CHECK_STR("phone", ANN, e->phone);
	CHECK_STR("user", "US.1", e->user_id);
	CHECK_STR("username", "@ann", e->username);
	CHECK_STR("name", "Ann", e->name);
	CHECK_INT("seq", 1, e->seq);
	CHECK_INT("version", 0, e->state_version);
	CHECK_INT("at", KIT_WALL_MS / 1000, e->at_s);
	CHECK_INT("received", KIT_WALL_MS, e->received_ms);
	CHECK_STR("json", "{\"message\":{\"text\":\"hi\"}}", e->json);
	CHECK_STR("body", "{\"object\":\"whatsapp_business_account\"}", e->body);
	CHECK_STR("signature", "sha256=00", e->signature);
	CHECK_STR("secret of", "main", e->account);
	CHECK_STR("list", "messages", str_from(e->splice.list));
	CHECK_INT("item at", 7, e->splice.at[SPAN_ITEM]);
	CHECK_INT("item len", 9, e->splice.len[SPAN_ITEM]);
	CHECK_INT("siblings", 2, e->siblings);
	assert_true(e->has_conversation && e->has_contact && !e->has_message);
	assert_false(e->stale || e->composed);
}

static void whole(void **state)
{
	struct kit k;
	struct store_event_in ev[2];
	struct one o = { .look = look_at_text };

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, ANN, "wamid.1");
	ev[0].user_id = STR("US.1");
	ev[0].username = STR("@ann");
	ev[0].name = STR("Ann");
	ev[0].splice = (struct store_splice){ .at = { 7 }, .len = { 9 }, .list = "messages" };
	ev[1] = ev[0]; /* repeated in the same body: counts as an item of it */
	kit_put(&k, ev, 2);
	o.id = ev[0].id;
	kit_read(&k, read_one, &o);
	CHECK_INT("found", GW_OK, o.status);
	o.id = kit_id(&k);
	kit_read(&k, read_one, &o);
	CHECK_INT("not there", GW_ENOTFOUND, o.status);
	kit_close(&k);
}

static void look_at_unknown(const struct store_event_row *e)
{
	assert_false(e->has_message);
	CHECK_STR("opaque", "", e->opaque);
	CHECK_INT("version", 1, e->state_version);
}

static void look_at_ours(const struct store_event_row *e)
{
	assert_true(e->has_message);
	CHECK_STR("opaque", "order 66", e->opaque);
}

/* A status that came before the answer shows its message once the wamid is recorded. */
static void adopted(void **state)
{
	struct kit k;
	struct store_add_message m;
	struct store_event_in ev;
	struct one o = { .look = look_at_unknown };

	(void)state;
	kit_open(&k);
	m = kit_message(&k, ANN);
	m.opaque = STR("order 66");
	assert_int_equal(kit_run(&k, &m.req, STORE_ADD_MESSAGE), GW_OK);
	kit_move(&k, m.row, "queued", "sending", NULL);
	ev = kit_status(&k, ANN, "wamid.A", "sent");
	kit_put(&k, &ev, 1);
	CHECK_INT("not known yet", 0, ev.message_row);
	o.id = ev.id;
	kit_read(&k, read_one, &o);
	kit_move(&k, m.row, "sending", "accepted", "wamid.A");
	o.look = look_at_ours;
	kit_read(&k, read_one, &o);
	CHECK_INT("found", GW_OK, o.status);
	kit_close(&k);
}

/* ---- lists */

struct list {
	struct store_event_filter f;
	size_t count, stop_after;
	struct id ids[64];
	bool with_body;
};

static bool on_event(void *cookie, const struct store_event_row *e)
{
	struct list *l = cookie;

	l->with_body = e->body.len > 0;
	l->ids[l->count++] = e->id;
	return l->count != l->stop_after;
}

static void read_list(struct store_reader *r, void *cookie)
{
	struct list *l = cookie;

	l->count = 0;
	assert_int_equal(reader_events(r, &l->f, on_event, l), GW_OK);
}

/* Ten events a second apart: texts of Ann (even) and Bob (odd), the last two are statuses. */
static void fill(struct kit *k, struct store_event_in ev[10])
{
	for (int i = 0; i < 10; i++) {
		const char *wamid = kit_str(k, "wamid.%d", i).ptr;

		clock_advance(&k->clock, NS_PER_S);
		ev[i] = i < 8 ? kit_text(k, i % 2 == 0 ? ANN : BOB, wamid)
			      : kit_status(k, ANN, wamid, "sent");
		if (i == 3)
			ev[i].account_id = STR("999");
		kit_put(k, &ev[i], 1);
	}
}

/* Lists of numbers, beside what the other filters say; a list names whole ids. */
static void numbers(void **state)
{
	static const char mine[] = "106540352242922"; /* kit_text() */
	static const struct {
		const char *numbers, *account;
		size_t want;
	} cases[] = {
		{ "", "", 10 },     { mine, "", 9 },    { "999", "", 1 },  { "999,7", "", 1 },
		{ "7,999", "", 1 }, { "99", "", 0 },    { "9999", "", 0 }, { "999", mine, 0 },
		{ mine, mine, 9 },  { "7,8,9", "", 0 }, { "%", "", 0 },
	};
	struct store_event_in ev[10];
	struct kit k;

	(void)state;
	kit_open(&k);
	fill(&k, ev);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list l = { .f = { .numbers = str_from(cases[i].numbers),
					 .account_id = str_from(cases[i].account) } };

		kit_read(&k, read_list, &l);
		CHECK_INT(cases[i].numbers, cases[i].want, l.count);
		l.f.conversation = ev[0].conversation; /* Ann's, with mine */
		kit_read(&k, read_list, &l);
		CHECK_INT(cases[i].numbers, cases[i].want >= 9 ? 4 : 0, l.count);
	}
	kit_close(&k);
}

static void filters(void **state)
{
	enum { FROM_NEWEST = -1 };
	static const struct {
		const char *name, *type, *account;
		int before, since_s, until_s; /* index; seconds after the first arrival, 0: open */
		unsigned limit;
		size_t want;
		int first; /* index of the newest that is listed */
	} cases[] = {
		{ "all", "", "", FROM_NEWEST, 0, 0, 0, 10, 9 },
		{ "limit", "", "", FROM_NEWEST, 0, 0, 4, 4, 9 },
		{ "next page", "", "", 6, 0, 0, 4, 4, 5 },
		{ "last page", "", "", 2, 0, 0, 4, 2, 1 },
		{ "nothing before the first", "", "", 0, 0, 0, 4, 0, 0 },
		{ "exact type", "message.status", "", FROM_NEWEST, 0, 0, 0, 2, 9 },
		{ "prefix", "message.*", "", FROM_NEWEST, 0, 0, 0, 10, 9 },
		{ "prefix of a word only", "mess.*", "", FROM_NEWEST, 0, 0, 0, 0, 0 },
		{ "another type", "template.*", "", FROM_NEWEST, 0, 0, 0, 0, 0 },
		{ "number", "", "999", FROM_NEWEST, 0, 0, 0, 1, 3 },
		{ "since", "", "", FROM_NEWEST, 5, 0, 0, 6, 9 },
		{ "since the future", "", "", FROM_NEWEST, 500, 0, 0, 0, 0 },
		{ "until", "", "", FROM_NEWEST, 0, 5, 0, 5, 4 },
		{ "between", "", "", FROM_NEWEST, 3, 5, 0, 3, 4 },
		{ "between, and type", "message.received", "", FROM_NEWEST, 8, 10, 0, 1, 7 },
	};
	struct store_event_in ev[10];
	struct kit k;

	(void)state;
	kit_open(&k);
	fill(&k, ev);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list l = { .f = { .type = str_from(cases[i].type),
					 .account_id = str_from(cases[i].account),
					 .limit = cases[i].limit } };

		if (cases[i].before >= 0)
			l.f.before = ev[cases[i].before].id;
		if (cases[i].since_s > 0)
			l.f.since_ms = KIT_WALL_MS + cases[i].since_s * 1000;
		if (cases[i].until_s > 0)
			l.f.until_ms = KIT_WALL_MS + cases[i].until_s * 1000;
		kit_read(&k, read_list, &l);
		CHECK_INT(cases[i].name, cases[i].want, l.count);
		if (l.count > 0)
			assert_true(id_eq(&l.ids[0], &ev[cases[i].first].id));
		for (size_t j = 1; j < l.count; j++)
			assert_true(memcmp(l.ids[j].bytes, l.ids[j - 1].bytes, ID_BYTES) < 0);
		assert_false(l.with_body);
	}
	kit_close(&k);
}

static void of_a_conversation(void **state)
{
	struct store_event_in ev[10];
	struct list l = { .f = { .with_body = true } };
	struct kit k;

	(void)state;
	kit_open(&k);
	fill(&k, ev);
	l.f.conversation = ev[0].conversation;
	kit_read(&k, read_list, &l);
	CHECK_INT("what Ann said", 4, l.count);
	assert_true(id_eq(&l.ids[0], &ev[6].id));
	assert_true(l.with_body);
	l.f.before = ev[4].id;
	kit_read(&k, read_list, &l);
	CHECK_INT("earlier", 2, l.count);
	l.f.before = (struct id){ { 0 } };
	l.stop_after = 1;
	kit_read(&k, read_list, &l);
	CHECK_INT("stopped", 1, l.count);
	l.f.conversation = kit_id(&k);
	kit_read(&k, read_list, &l);
	CHECK_INT("no such conversation", 0, l.count);
	kit_close(&k);
}

/* A page begins right even when the event it begins before is gone. */
static void before_an_unknown_id(void **state)
{
	struct store_event_in ev[10];
	struct list l = { .f = { .limit = 0 } };
	struct kit k;

	(void)state;
	kit_open(&k);
	fill(&k, ev);
	l.f.before = ev[5].id;
	l.f.before.bytes[15] ^= 1;
	kit_read(&k, read_list, &l);
	assert_true(l.count == 5 || l.count == 6); /* the id lies beside the sixth */
	memset(l.f.before.bytes, 0xff, ID_BYTES);
	kit_read(&k, read_list, &l);
	CHECK_INT("after all", 10, l.count);
	kit_close(&k);
}

/* ---- messages */

struct found {
	struct id id;
	const char *wamid;
	gw_status status;
	int64_t row;
};

static bool on_message(void *cookie, const struct store_message_row *m)
{
	((struct found *)cookie)->row = m->row;
	return true;
}

static void read_by_id(struct store_reader *r, void *cookie)
{
	struct found *f = cookie;

	f->status = reader_message(r, &f->id, STR_EMPTY, on_message, f);
}

static void read_by_wamid(struct store_reader *r, void *cookie)
{
	struct found *f = cookie;

	f->status = reader_message(r, NULL, str_from(f->wamid), on_message, f);
}

static void messages_by_name(void **state)
{
	struct kit k;
	struct store_add_message m;
	struct store_event_in ev;
	struct found f = { .wamid = "wamid.A" };

	(void)state;
	kit_open(&k);
	m = kit_accept(&k, ANN);
	f.id = m.id;
	kit_read(&k, read_by_id, &f);
	CHECK_INT("by id", m.row, f.row);
	kit_read(&k, read_by_wamid, &f);
	CHECK_INT("no wamid yet", GW_ENOTFOUND, f.status);
	ev = kit_status(&k, ANN, "wamid.A", "sent");
	ev.has_token = true;
	ev.token_id = m.id;
	kit_put(&k, &ev, 1);
	f.row = 0;
	kit_read(&k, read_by_wamid, &f);
	CHECK_INT("by its evidence", m.row, f.row);
	kit_move(&k, m.row, "queued", "accepted", "wamid.A");
	f.row = 0;
	kit_read(&k, read_by_wamid, &f);
	CHECK_INT("by wamid", m.row, f.row);
	f.id = kit_id(&k);
	kit_read(&k, read_by_id, &f);
	CHECK_INT("not there", GW_ENOTFOUND, f.status);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(adopted),
		cmocka_unit_test(filters),
		cmocka_unit_test(numbers),
		cmocka_unit_test(of_a_conversation),
		cmocka_unit_test(before_an_unknown_id),
		cmocka_unit_test(messages_by_name),
	};

	return cmocka_run_group_tests_name("store_query", tests, NULL, NULL);
}
