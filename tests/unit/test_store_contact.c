/* SPDX-License-Identifier: MIT */
/* test_store_contact.c - who is who: aliases, merges, names, windows */
#include "store_kit.h"

#define NUMBER "106540352242922"

/* One event of somebody; fields may be NULL. */
struct named {
	const char *user_id, *phone, *name;
	const char *alias; /* another spelling of phone */
	const char *new_phone, *new_user;
};

static struct store_event_in say(struct kit *k, const struct named *n)
{
	static const char *const nothing = "";
	struct str alias = str_from(n->alias);
	struct store_event_in ev = kit_text(k, n->phone == NULL ? nothing : n->phone,
					    kit_str(k, "wamid.%zu", k->strings.count).ptr);

	ev.user_id = str_from(n->user_id);
	ev.name = str_from(n->name);
	ev.new_phone = str_from(n->new_phone);
	ev.new_user_id = str_from(n->new_user);
	ev.aliases = &alias;
	ev.alias_count = n->alias != NULL;
	kit_put(k, &ev, 1);
	ev.aliases = NULL;
	assert_false(ev.duplicate);
	return ev;
}

/* Lines of what events say, and for each the line whose contact it has. */
static const struct {
	const char *name;
	struct named say[5];
	int contact[5]; /* index of the first line with that contact, in the end */
} people[] = {
	{ "phone", { { .phone = "1" }, { .phone = "1" }, { .phone = "2" } }, { 0, 0, 2 } },
	{ "user id", { { .user_id = "U" }, { .user_id = "U" }, { .user_id = "V" } }, { 0, 0, 2 } },
	{ "phone, then both, then user id",
	  { { .phone = "1" }, { "U", "1", .name = NULL }, { .user_id = "U" } },
	  { 0, 0, 0 } },
	{ "user id, then both, then phone",
	  { { .user_id = "U" }, { "U", "1", .name = NULL }, { .phone = "1" } },
	  { 0, 0, 0 } },
	{ "two that turn out to be one",
	  { { .phone = "1" },
	    { .user_id = "U" },
	    { "U", "1", .name = NULL },
	    { .phone = "1" },
	    { .user_id = "U" } },
	  { 0, 1, 0, 0, 0 } },
	{ "the older one stays, whichever way",
	  { { .user_id = "U" }, { .phone = "1" }, { "U", "1", .name = NULL }, { .phone = "1" } },
	  { 0, 1, 0, 0 } },
	{ "Brazil's ninth digit",
	  { { .phone = "5571990000001", .alias = "557190000001" },
	    { .phone = "557190000001", .alias = "5571990000001" } },
	  { 0, 0 } },
	{ "a spelling that came without its variant",
	  { { .phone = "557190000001" },
	    { .phone = "5571990000001", .alias = "557190000001" },
	    { .phone = "5571990000001" } },
	  { 0, 0, 0 } },
	{ "written with signs",
	  { { .phone = "+1 (650) 555-1234" }, { .phone = "16505551234" } },
	  { 0, 0 } },
	{ "a user id that looks like a phone",
	  { { .phone = "123" }, { .user_id = "123" } },
	  { 0, 1 } },
	{ "changed number",
	  { { .phone = "1", .new_phone = "2" }, { .phone = "2" }, { .phone = "1" } },
	  { 0, 0, 0 } },
	{ "changed to a number that wrote before",
	  { { .phone = "2" },
	    { .phone = "1", .new_phone = "2" },
	    { .phone = "1" },
	    { .phone = "2" } },
	  { 0, 0, 0, 0 } },
	{ "changed user id",
	  { { .user_id = "U", .new_user = "V" }, { .user_id = "V" } },
	  { 0, 0 } },
	{ "a chain of merges",
	  { { .phone = "1" },
	    { .phone = "2" },
	    { .phone = "3", .new_phone = "2" },
	    { .phone = "2", .new_phone = "1" },
	    { .phone = "3" } },
	  { 0, 1, 1, 0, 0 } },
};

static void same_person(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		struct store_event_in ev[5];
		struct kit k;

		kit_open(&k);
		for (size_t j = 0; j < 5; j++) {
			const struct named *n = &people[i].say[j];

			if (n->phone == NULL && n->user_id == NULL)
				break;
			ev[j] = say(&k, n);
			/* What was merged away keeps the id it was given, so only the first of a
			 * person and those who are new are compared. */
			for (int l = 0; l < (int)j; l++) {
				bool same = id_eq(&ev[l].contact, &ev[j].contact);

				if (people[i].contact[j] == l)
					CHECK_INT(people[i].name, true, same);
				if (people[i].contact[j] == (int)j)
					CHECK_INT(people[i].name, false, same);
			}
		}
		kit_close(&k);
	}
}

/* A conversation of the loser moves when the winner has none, and stays when she has. */
static void conversations_follow(void **state)
{
	struct kit k;
	struct store_event_in a, b, c, d;

	(void)state;
	kit_open(&k);
	a = say(&k, &(struct named){ .phone = "1" });
	b = kit_text(&k, "", "other number");
	b.user_id = STR("U");
	b.account_id = STR("999");
	kit_put(&k, &b, 1);
	c = say(&k, &(struct named){ .user_id = "U" }); /* clashes with a's */
	say(&k, &(struct named){ .user_id = "U", .phone = "1" });
	d = say(&k, &(struct named){ .user_id = "U" });
	assert_true(id_eq(&d.conversation, &a.conversation));
	assert_false(id_eq(&d.conversation, &c.conversation));
	CHECK_INT("seq goes on", 3, d.seq);
	d = kit_text(&k, "1", "again the other number");
	d.account_id = STR("999");
	kit_put(&k, &d, 1);
	assert_true(id_eq(&d.conversation, &b.conversation));
	CHECK_INT("seq goes on there too", 2, d.seq);
	kit_close(&k);
}

struct shown {
	char name[32], phone[32], user_id[32];
	struct id event;
};

static bool on_event(void *cookie, const struct store_event_row *e)
{
	struct shown *s = cookie;

	assert_true(e->has_contact);
	(void)str_copy(e->name, s->name, sizeof(s->name));
	(void)str_copy(e->phone, s->phone, sizeof(s->phone));
	(void)str_copy(e->user_id, s->user_id, sizeof(s->user_id));
	return true;
}

static void read_event(struct store_reader *r, void *cookie)
{
	struct shown *s = cookie;

	assert_int_equal(reader_event(r, &s->event, on_event, s), GW_OK);
}

/* An old event shows the contact as she is now, merged and renamed. */
static void shows_who_she_is_now(void **state)
{
	struct kit k;
	struct shown s = { .name = "" };

	(void)state;
	kit_open(&k);
	s.event = say(&k, &(struct named){ .phone = "1", .name = "Ann" }).id;
	kit_read(&k, read_event, &s);
	CHECK_STR("name", "Ann", str_from(s.name));
	CHECK_STR("user id", "", str_from(s.user_id));
	say(&k, &(struct named){ .user_id = "U" });
	say(&k, &(struct named){ .user_id = "U", .phone = "1", .name = "Anna" });
	say(&k, &(struct named){ .user_id = "U" }); /* no name is no change */
	kit_read(&k, read_event, &s);
	CHECK_STR("name", "Anna", str_from(s.name));
	CHECK_STR("phone", "1", str_from(s.phone));
	CHECK_STR("user id", "U", str_from(s.user_id));
	kit_restart(&k);
	say(&k, &(struct named){ .phone = "1", .name = "Anna B." });
	say(&k, &(struct named){ .phone = "1", .new_phone = "2" });
	kit_read(&k, read_event, &s);
	CHECK_STR("name", "Anna B.", str_from(s.name));
	CHECK_STR("phone", "2", str_from(s.phone));
	kit_close(&k);
}

/* Channels do not share user ids. */
static void channels(void **state)
{
	struct kit k;
	struct store_event_in a, b;

	(void)state;
	kit_open(&k);
	a = kit_text(&k, "", "a");
	a.user_id = STR("123");
	a.channel = "messenger";
	kit_put(&k, &a, 1);
	b = kit_text(&k, "", "b");
	b.user_id = STR("123");
	b.channel = "instagram";
	kit_put(&k, &b, 1);
	assert_false(id_eq(&a.contact, &b.contact));
	kit_close(&k);
}

/* More people than a cache set holds, several times around. */
static void many_people(void **state)
{
	enum { PEOPLE = 300, ROUNDS = 3 };
	struct id contacts[PEOPLE];
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int round = 0; round < ROUNDS; round++) {
		struct store_event_in ev[PEOPLE];

		for (int i = 0; i < PEOPLE; i++)
			ev[i] = kit_text(&k, kit_str(&k, "49%d", i).ptr,
					 kit_str(&k, "%d/%d", round, i).ptr);
		kit_put(&k, ev, PEOPLE);
		for (int i = 0; i < PEOPLE; i++) {
			CHECK_INT("seq", round + 1, ev[i].seq);
			if (round > 0)
				assert_true(id_eq(&contacts[i], &ev[i].contact));
			contacts[i] = ev[i].contact;
		}
		kit_restart(&k);
	}
	kit_close(&k);
}

/* ---- the window */

struct window {
	struct str number, keys[2];
	size_t count;
	int64_t ms;
	bool out;
};

static void read_window(struct store_reader *r, void *cookie)
{
	struct window *w = cookie;

	assert_int_equal(reader_window(r, w->number, w->keys, w->count, &w->ms, &w->out), GW_OK);
}

static int64_t window(struct kit *k, const char *number, const char *key)
{
	struct window w = { .number = str_from(number),
			    .keys = { STR("nobody"), str_from(key) },
			    .count = 2 };

	kit_read(k, read_window, &w);
	return w.ms;
}

static void windows(void **state)
{
	struct kit k;
	struct store_event_in ev;
	struct store_add_message m;
	int64_t first_ms;

	(void)state;
	kit_open(&k);
	CHECK_INT("nobody", 0, window(&k, NUMBER, "1"));
	say(&k, &(struct named){ .phone = "1", .user_id = "U" });
	first_ms = kit_now(&k);
	CHECK_INT("by phone", first_ms, window(&k, NUMBER, "1"));
	CHECK_INT("by a phone with signs", first_ms, window(&k, NUMBER, "+1"));
	CHECK_INT("by user id", first_ms, window(&k, NUMBER, "U"));
	CHECK_INT("another number", 0, window(&k, "999", "1"));
	clock_advance(&k.clock, 5 * NS_PER_S);
	ev = kit_status(&k, "1", "wamid.S", "read");
	kit_put(&k, &ev, 1);
	CHECK_INT("a status opens nothing", first_ms, window(&k, NUMBER, "1"));
	ev = kit_text(&k, "1", "wamid.old");
	ev.at_s -= 3600; /* came late */
	kit_put(&k, &ev, 1);
	CHECK_INT("what is late shortens nothing", first_ms, window(&k, NUMBER, "1"));
	ev = kit_text(&k, "1", "wamid.undated");
	ev.at_s = 0;
	kit_put(&k, &ev, 1);
	CHECK_INT("undated: when it came", kit_now(&k), window(&k, NUMBER, "1"));
	m = kit_accept(&k, "1");
	CHECK_INT("acceptance tells", kit_now(&k), m.window_ms);
	kit_close(&k);
}

/* Before and after two conversations turn out to be one. */
static void window_of_merged(void **state)
{
	struct kit k;
	int64_t first_ms;

	(void)state;
	kit_open(&k);
	say(&k, &(struct named){ .user_id = "U" });
	clock_advance(&k.clock, NS_PER_S);
	say(&k, &(struct named){ .phone = "1" });
	first_ms = kit_now(&k);
	clock_advance(&k.clock, NS_PER_S);
	{
		struct store_event_in ev = kit_status(&k, "1", "wamid.S", "read");

		ev.user_id = STR("U");
		kit_put(&k, &ev, 1);
	}
	CHECK_INT("the later of the two", first_ms, window(&k, NUMBER, "U"));
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_person),          cmocka_unit_test(conversations_follow),
		cmocka_unit_test(shows_who_she_is_now), cmocka_unit_test(channels),
		cmocka_unit_test(many_people),          cmocka_unit_test(windows),
		cmocka_unit_test(window_of_merged),
	};

	return cmocka_run_group_tests_name("store_contact", tests, NULL, NULL);
}
