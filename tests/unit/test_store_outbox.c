/* SPDX-License-Identifier: MIT */
/* test_store_outbox.c - messages: accepted once, moved by compare-and-set, with their trail */
#include "store_kit.h"

static void accepts(void **state)
{
	struct kit k;
	struct store_add_message a, b;

	(void)state;
	kit_open(&k);
	a = kit_accept(&k, "16505551234");
	b = kit_accept(&k, "16505551234");
	assert_true(b.row > a.row);
	CHECK_INT("idem", STORE_IDEM_NONE, a.idem);
	CHECK_INT("window", 0, a.window_ms);
	kit_close(&k);
}

static void with_key(struct store_add_message *a, unsigned char key, unsigned char print)
{
	a->has_idempotency = true;
	memset(a->idempotency, key, sizeof(a->idempotency));
	memset(a->fingerprint, print, sizeof(a->fingerprint));
}

static void idempotency(void **state)
{
	static const struct {
		const char *name;
		unsigned char key, print;
		int64_t later_ms;
		bool restart;
		enum store_idem want;
		bool same_row;
	} cases[] = {
		{ "first", 1, 1, 0, false, STORE_IDEM_NEW, false },
		{ "again", 1, 1, 0, false, STORE_IDEM_SAME, true },
		{ "another body", 1, 2, 0, false, STORE_IDEM_DIFFERS, false },
		{ "another key", 2, 1, 0, false, STORE_IDEM_NEW, false },
		{ "after a restart", 1, 1, 0, true, STORE_IDEM_SAME, true },
		{ "just within 7 days", 1, 1, 604799999, false, STORE_IDEM_SAME, true },
		{ "after 7 days", 1, 2, 1, false, STORE_IDEM_NEW, false },
		{ "the new one counts", 1, 2, 0, false, STORE_IDEM_SAME, false },
	};
	struct store_add_message first = { .row = 0 };
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_add_message a;

		clock_advance(&k.clock, cases[i].later_ms * NS_PER_MS);
		if (cases[i].restart)
			kit_restart(&k);
		a = kit_message(&k, "16505551234");
		with_key(&a, cases[i].key, cases[i].print);
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &a.req, STORE_ADD_MESSAGE));
		CHECK_INT(cases[i].name, cases[i].want, a.idem);
		if (i == 0)
			first = a;
		if (cases[i].same_row) {
			CHECK_INT(cases[i].name, first.row, a.row);
			assert_true(id_eq(&first.id, &a.earlier));
		}
	}
	kit_close(&k);
}

/* A refusal of ours frees the key in its own commit; what else moves it does not. */
static void a_key_goes_with_the_refusal(void **state)
{
	static const struct {
		const char *name, *from, *to;
		bool unbind, restart;
		enum store_idem want; /* for another body afterwards */
	} cases[] = {
		{ "refused by Meta", "sending", "rejected", false, false, STORE_IDEM_DIFFERS },
		{ "refused by us", "queued", "rejected", true, false, STORE_IDEM_NEW },
		{ "expired here", "queued", "expired", true, false, STORE_IDEM_NEW },
		{ "refused by us after a restart", "queued", "rejected", true, true,
		  STORE_IDEM_NEW },
		{ "the move was lost", "waiting", "rejected", true, false, STORE_IDEM_DIFFERS },
	};
	struct store_add_message beside, a;
	struct store_move m;
	struct kit k;

	(void)state;
	kit_open(&k);
	for (unsigned char i = 0; i < ARRAY_LEN(cases); i++) {
		a = kit_message(&k, "16505551234");
		with_key(&a, i, 1);
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &a.req, STORE_ADD_MESSAGE));
		beside = kit_message(&k, "16505551234"); /* of the same millisecond */
		with_key(&beside, (unsigned char)(100 + i), 1);
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &beside.req, STORE_ADD_MESSAGE));
		if (str_eq(str_from(cases[i].from), STR("sending")))
			kit_move(&k, a.row, "queued", "sending", NULL);
		if (cases[i].restart)
			kit_restart(&k);
		m = kit_move_of(&k, a.row, cases[i].from, cases[i].to);
		m.unbind = cases[i].unbind;
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &m.req, STORE_MOVE));
		kit_restart(&k);
		a = kit_message(&k, "16505551234");
		with_key(&a, i, 2);
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &a.req, STORE_ADD_MESSAGE));
		CHECK_INT(cases[i].name, cases[i].want, a.idem);
		a = kit_message(&k, "16505551234");
		with_key(&a, (unsigned char)(100 + i), 1);
		CHECK_INT(cases[i].name, GW_OK, kit_run(&k, &a.req, STORE_ADD_MESSAGE));
		CHECK_INT("the other keeps its own", STORE_IDEM_SAME, a.idem);
	}
	kit_close(&k);
}

static void two_in_one_group(void **state)
{
	struct kit k;
	struct store_add_message a, b;
	size_t want;

	(void)state;
	kit_open(&k);
	a = kit_message(&k, "16505551234");
	b = kit_message(&k, "16505551234");
	with_key(&a, 1, 1);
	with_key(&b, 1, 1);
	want = *kit_done_count() + 2;
	kit_submit(&k, &a.req, STORE_ADD_MESSAGE);
	kit_submit(&k, &b.req, STORE_ADD_MESSAGE);
	kit_wait(&k, kit_done_count(), want);
	CHECK_INT("first", STORE_IDEM_NEW, a.idem);
	CHECK_INT("second", STORE_IDEM_SAME, b.idem);
	CHECK_INT("row", a.row, b.row);
	kit_close(&k);
}

static void moves(void **state)
{
	struct kit k;
	struct store_add_message a;
	struct store_move m;

	(void)state;
	kit_open(&k);
	a = kit_accept(&k, "16505551234");
	kit_move(&k, a.row, "queued", "sending", NULL);
	m = kit_move_of(&k, a.row, "queued", "rejected");
	CHECK_INT("lost", GW_OK, kit_run(&k, &m.req, STORE_MOVE));
	assert_true(m.lost);
	m = kit_move_of(&k, a.row + 1, "queued", "rejected");
	CHECK_INT("no such row", GW_OK, kit_run(&k, &m.req, STORE_MOVE));
	assert_true(m.lost);
	m = kit_move_of(&k, a.row, "sending", "vanished");
	CHECK_INT("no such word", GW_EPARSE, kit_run(&k, &m.req, STORE_MOVE));
	kit_move(&k, a.row, "sending", "accepted", "wamid.A");
	kit_close(&k);
}

struct seen {
	size_t count;
	struct store_message_row m;
	char wamid[64], answer[64], state[16], reason[16];
};

static bool on_message(void *cookie, const struct store_message_row *m)
{
	struct seen *s = cookie;

	s->count++;
	s->m = *m;
	(void)str_copy(m->wamid, s->wamid, sizeof(s->wamid));
	(void)str_copy(m->answer, s->answer, sizeof(s->answer));
	(void)str_copy(m->state, s->state, sizeof(s->state));
	(void)str_copy(m->reason, s->reason, sizeof(s->reason));
	return true;
}

static void read_all(struct store_reader *r, void *cookie)
{
	const struct store_message_filter all = { .limit = 10 };

	assert_int_equal(reader_messages(r, &all, on_message, cookie), GW_OK);
}

static void learns_and_keeps(void **state)
{
	struct kit k;
	struct store_add_message a;
	struct store_move m;
	struct seen s = { 0 };

	(void)state;
	kit_open(&k);
	a = kit_accept(&k, "16505551234");
	m = kit_move_of(&k, a.row, "queued", "sending");
	m.tries = 1;
	CHECK_INT("sending", GW_OK, kit_run(&k, &m.req, STORE_MOVE));
	m = kit_move_of(&k, a.row, "sending", "waiting");
	m.reason = "backoff";
	m.next_ms = kit_now(&k) + 4000;
	m.tries = 1;
	m.http_status = 429;
	m.code = 130429;
	m.answer = STR("{\"error\":{}}");
	m.wamid = STR("wamid.A");
	CHECK_INT("waiting", GW_OK, kit_run(&k, &m.req, STORE_MOVE));
	m = kit_move_of(&k, a.row, "waiting", "sending");
	m.tries = 2;
	CHECK_INT("again", GW_OK, kit_run(&k, &m.req, STORE_MOVE));
	kit_read(&k, read_all, &s);
	CHECK_INT("rows", 1, s.count);
	CHECK_STR("state", "sending", str_from(s.state));
	CHECK_STR("reason", "", str_from(s.reason));
	CHECK_INT("next", 0, s.m.next_ms);
	CHECK_INT("tries", 2, s.m.tries);
	CHECK_INT("http stays", 429, s.m.http_status);
	CHECK_INT("code stays", 130429, s.m.code);
	CHECK_STR("wamid stays", "wamid.A", str_from(s.wamid));
	CHECK_STR("answer stays", "{\"error\":{}}", str_from(s.answer));
	kit_close(&k);
}

struct trail {
	size_t count;
	char text[512];
};

static bool on_trail(void *cookie, const struct store_trail_row *t)
{
	struct trail *out = cookie;
	size_t at = strlen(out->text);

	(void)snprintf(out->text + at, sizeof(out->text) - at, "%s%.*s>%.*s", at == 0 ? "" : " ",
		       STR_ARG(t->from), STR_ARG(t->is_evidence ? t->status : t->to));
	out->count++;
	return true;
}

struct trail_job {
	int64_t row;
	struct trail trail;
};

static void read_trail(struct store_reader *r, void *cookie)
{
	struct trail_job *j = cookie;

	assert_int_equal(reader_trail(r, j->row, on_trail, &j->trail), GW_OK);
}

static void trail_is_complete(void **state)
{
	struct kit k;
	struct trail_job j = { .row = 0 };
	struct store_event_in ev;

	(void)state;
	kit_open(&k);
	j.row = kit_accept(&k, "16505551234").row;
	kit_move(&k, j.row, "queued", "sending", NULL);
	clock_advance(&k.clock, NS_PER_S);
	ev = kit_status(&k, "16505551234", "wamid.A", "sent"); /* before our answer */
	kit_put(&k, &ev, 1);
	clock_advance(&k.clock, NS_PER_S);
	kit_move(&k, j.row, "sending", "accepted", "wamid.A");
	clock_advance(&k.clock, NS_PER_S);
	ev = kit_status(&k, "16505551234", "wamid.A", "read");
	kit_put(&k, &ev, 1);
	ev = kit_status(&k, "16505551234", "wamid.B", "read"); /* another's */
	kit_put(&k, &ev, 1);
	kit_read(&k, read_trail, &j);
	CHECK_STR("trail", "queued>sending >sent sending>accepted >read", str_from(j.trail.text));
	kit_close(&k);
}

struct list_job {
	struct store_message_filter f;
	struct seen seen;
};

static void read_list(struct store_reader *r, void *cookie)
{
	struct list_job *j = cookie;

	assert_int_equal(reader_messages(r, &j->f, on_message, &j->seen), GW_OK);
}

static void lists(void **state)
{
	static const struct {
		const char *name;
		const char *state, *number, *to;
		int before; /* -1: from the newest */
		unsigned limit;
		size_t want;
	} cases[] = {
		{ "all", "", "", "", -1, 0, 5 },
		{ "limit", "", "", "", -1, 3, 3 },
		{ "state", "sending", "", "", -1, 0, 1 },
		{ "number", "", "106540352242922", "", -1, 0, 5 },
		{ "another number", "", "1", "", -1, 0, 0 },
		{ "to", "", "", "3", -1, 0, 1 },
		{ "older than the third", "", "", "", 2, 0, 2 },
		{ "older than the first", "", "", "", 0, 0, 0 },
	};
	struct id ids[5];
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int i = 0; i < 5; i++) {
		struct store_add_message a = kit_accept(&k, kit_str(&k, "%d", i).ptr);

		ids[i] = a.id;
		if (i == 2)
			kit_move(&k, a.row, "queued", "sending", NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct list_job j = { .f = { .state = str_from(cases[i].state),
					     .number_id = str_from(cases[i].number),
					     .to = str_from(cases[i].to),
					     .limit = cases[i].limit } };

		if (cases[i].before >= 0)
			j.f.before = ids[cases[i].before];
		kit_read(&k, read_list, &j);
		CHECK_INT(cases[i].name, cases[i].want, j.seen.count);
	}
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(idempotency),
		cmocka_unit_test(a_key_goes_with_the_refusal),
		cmocka_unit_test(two_in_one_group),
		cmocka_unit_test(moves),
		cmocka_unit_test(learns_and_keeps),
		cmocka_unit_test(trail_is_complete),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests_name("store_outbox", tests, NULL, NULL);
}
