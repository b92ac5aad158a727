/* SPDX-License-Identifier: MIT */
/* test_store_inbox.c - bodies: once, whole, in order, with their evidence */
#include "store_kit.h"

#include "store/sqlite_int.h"

#define ANN "16505551234"
#define BOB "16505550000"
#define DAYS_S (INT64_C(86400))

static void one_text(void **state)
{
	struct kit k;
	struct store_event_in ev;
	struct store_put_body p;

	(void)state;
	kit_open(&k);
	ev = kit_text(&k, ANN, "wamid.1");
	p = kit_put(&k, &ev, 1);
	assert_true(p.row > 0);
	assert_true(ev.row > 0);
	assert_true(ev.has_conversation);
	assert_false(ev.duplicate);
	assert_false(ev.stale);
	CHECK_INT("seq", 1, ev.seq);
	CHECK_INT("version", 0, ev.state_version);
	CHECK_INT("message", 0, ev.message_row);
	kit_close(&k);
}

/* The same items again: alone, together, in another order, in the same body, after a restart. */
static void nothing_twice(void **state)
{
	static const struct {
		const char *name;
		const char *wamids[4];
		bool restart;
		int want_new;
	} cases[] = {
		{ "first", { "a", "b", "c" }, false, 3 },
		{ "same", { "a", "b", "c" }, false, 0 },
		{ "shuffled", { "c", "a", "b" }, false, 0 },
		{ "one new among old", { "b", "d", "a" }, false, 1 },
		{ "after a restart", { "d", "c", "b", "a" }, true, 0 },
		{ "twice in one body", { "e", "e" }, false, 1 },
	};
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_event_in ev[4];
		struct store_put_body p;
		size_t n = 0;
		int fresh = 0;

		if (cases[i].restart)
			kit_restart(&k);
		for (; n < 4 && cases[i].wamids[n] != NULL; n++)
			ev[n] = kit_text(&k, ANN, cases[i].wamids[n]);
		p = kit_put(&k, ev, n);
		for (size_t j = 0; j < n; j++)
			fresh += !ev[j].duplicate;
		CHECK_INT(cases[i].name, cases[i].want_new, fresh);
		CHECK_INT(cases[i].name, cases[i].want_new > 0, p.row > 0);
	}
	kit_close(&k);
}

/* Two bodies with the same item, committed in one group. */
static void nothing_twice_in_a_group(void **state)
{
	struct kit k;
	struct store_event_in a, b;
	struct store_put_body p, q;
	size_t want;

	(void)state;
	kit_open(&k);
	store_set_lagging(k.store, true); /* so that both are in one group */
	a = kit_text(&k, ANN, "wamid.1");
	b = kit_text(&k, ANN, "wamid.1");
	p = kit_body(&k, &a, 1);
	q = kit_body(&k, &b, 1);
	want = *kit_done_count() + 2;
	kit_submit(&k, &p.req, STORE_PUT_BODY);
	kit_submit(&k, &q.req, STORE_PUT_BODY);
	kit_wait(&k, kit_done_count(), want);
	assert_false(a.duplicate);
	assert_true(b.duplicate);
	CHECK_INT("kept", 1, p.row > 0);
	CHECK_INT("not kept", 0, q.row);
	kit_close(&k);
}

/* Another second, hash or window: another event. */
static void keys_differ(void **state)
{
	struct kit k;
	struct store_event_in ev[3];

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, ANN, "a");
	ev[1] = kit_text(&k, ANN, "a");
	ev[1].dedupe_s++;
	ev[2] = kit_text(&k, ANN, "a");
	ev[2].hash[15] ^= 1;
	kit_put(&k, ev, 3);
	for (size_t i = 0; i < 3; i++)
		assert_false(ev[i].duplicate);
	CHECK_INT("seq", 3, ev[2].seq);
	kit_close(&k);
}

static void seq_is_dense(void **state)
{
	struct kit k;
	struct store_event_in ev[5];

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, ANN, "a1");
	ev[1] = kit_text(&k, BOB, "b1");
	ev[2] = kit_status(&k, ANN, "s1", "sent");
	ev[3] = kit_text(&k, ANN, "a2");
	ev[4] = kit_text(&k, ANN, "a1"); /* repeated */
	kit_put(&k, ev, 5);
	CHECK_INT("a1", 1, ev[0].seq);
	CHECK_INT("b1", 1, ev[1].seq);
	CHECK_INT("status", 0, ev[2].seq);
	CHECK_INT("a2", 2, ev[3].seq);
	CHECK_INT("repeated", 0, ev[4].seq);
	assert_true(id_eq(&ev[0].conversation, &ev[3].conversation));
	assert_true(id_eq(&ev[0].conversation, &ev[2].conversation));
	assert_false(id_eq(&ev[0].conversation, &ev[1].conversation));
	kit_restart(&k); /* the cache is empty */
	ev[0] = kit_text(&k, ANN, "a3");
	ev[1] = kit_text(&k, ANN, "a4");
	kit_put(&k, ev, 2);
	CHECK_INT("a3", 3, ev[0].seq);
	CHECK_INT("a4", 4, ev[1].seq);
	kit_close(&k);
}

static void numbers_have_their_own_talk(void **state)
{
	struct kit k;
	struct store_event_in ev[2];

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, ANN, "a");
	ev[1] = kit_text(&k, ANN, "b");
	ev[1].account_id = STR("999");
	kit_put(&k, ev, 2);
	CHECK_INT("first", 1, ev[0].seq);
	CHECK_INT("second", 1, ev[1].seq);
	assert_true(id_eq(&ev[0].contact, &ev[1].contact));
	assert_false(id_eq(&ev[0].conversation, &ev[1].conversation));
	assert_true(ev[0].lane != ev[1].lane);
	kit_close(&k);
}

static void groups_have_one_talk(void **state)
{
	struct kit k;
	struct store_event_in ev[3];

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, ANN, "a");
	ev[1] = kit_text(&k, BOB, "b");
	ev[2] = kit_text(&k, ANN, "c");
	ev[0].group_id = ev[1].group_id = STR("group-1");
	kit_put(&k, ev, 3);
	assert_true(id_eq(&ev[0].conversation, &ev[1].conversation));
	assert_false(id_eq(&ev[0].conversation, &ev[2].conversation));
	assert_false(id_eq(&ev[0].contact, &ev[1].contact));
	CHECK_INT("second of the group", 2, ev[1].seq);
	CHECK_INT("first of the two", 1, ev[2].seq);
	kit_close(&k);
}

/* Events that name nobody. */
static void nobody(void **state)
{
	struct kit k;
	struct store_event_in ev[2];

	(void)state;
	kit_open(&k);
	ev[0] = kit_text(&k, "", "a");
	ev[1] = kit_text(&k, ANN, "b");
	ev[1].has_contact = false;
	kit_put(&k, ev, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_false(ev[i].has_conversation);
		CHECK_INT("seq", 0, ev[i].seq);
	}
	CHECK_INT("one lane for the number", ev[0].lane, ev[1].lane);
	kit_close(&k);
}

static void stale(void **state)
{
	static const struct {
		const char *name;
		int64_t age_s;
		bool never, want;
	} cases[] = {
		{ "now", 0, false, false },
		{ "nine days", 9 * DAYS_S, false, false },
		{ "a second more", 9 * DAYS_S + 1, false, true },
		{ "history", 300 * DAYS_S, true, false },
		{ "from the future", -DAYS_S, false, false },
	};
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_event_in ev = kit_text(&k, ANN, cases[i].name);

		ev.dedupe_s -= cases[i].age_s;
		ev.never_stale = cases[i].never;
		kit_put(&k, &ev, 1);
		assert_false(ev.duplicate);
		CHECK_INT(cases[i].name, cases[i].want, ev.stale);
	}
	kit_close(&k);
}

static void undated_is_never_stale(void **state)
{
	struct kit k;
	struct store_event_in ev;

	(void)state;
	kit_open(&k);
	for (int i = 0; i < 2; i++) {
		ev = kit_text(&k, ANN, "a");
		ev.at_s = ev.dedupe_s = 0;
		kit_put(&k, &ev, 1);
		CHECK_INT("duplicate", i, ev.duplicate);
		assert_false(ev.stale);
	}
	kit_close(&k);
}

static void quarantined(void **state)
{
	struct kit k;
	struct store_put_body p;

	(void)state;
	kit_open(&k);
	p = kit_body(&k, NULL, 0);
	p.bytes = STR("not JSON");
	p.quarantined = true;
	CHECK_INT("status", GW_OK, kit_run(&k, &p.req, STORE_PUT_BODY));
	assert_true(p.row > 0);
	p = kit_body(&k, NULL, 0);
	CHECK_INT("nothing in it", GW_OK, kit_run(&k, &p.req, STORE_PUT_BODY));
	CHECK_INT("not kept", 0, p.row);
	kit_close(&k);
}

/* ---- evidence */

static void evidence_counts_once(void **state)
{
	static const struct {
		const char *status;
		const char *phone;
		int64_t later_s; /* the same status with another stamp */
		int want;
	} cases[] = {
		{ "sent", ANN, 0, 1 },   { "delivered", ANN, 0, 2 }, { "delivered", ANN, 1, 2 },
		{ "read", ANN, 0, 3 },   { "read", BOB, 0, 4 }, /* a group */
		{ "played", ANN, 0, 5 },
	};
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_event_in ev = kit_status(&k, cases[i].phone, "wamid.A",
						      cases[i].status);

		ev.dedupe_s += cases[i].later_s;
		kit_put(&k, &ev, 1);
		assert_false(ev.duplicate);
		CHECK_INT(cases[i].status, cases[i].want, ev.state_version);
		CHECK_INT("whose", 0, ev.message_row);
	}
	kit_close(&k);
}

/* Every order of the answer, a status with the token, one without: the same in the end. */
static void evidence_in_any_order(void **state)
{
	/* a: our answer is recorded; t: a status with the token; s: one without */
	static const struct {
		const char *order;
		const char *known; /* per status: is the message known? */
		bool by_wamid_later;
	} cases[] = {
		{ "ats", "11", true }, { "ast", "11", true }, { "tas", "11", true },
		{ "tsa", "11", true }, { "sat", "01", true }, { "sta", "01", true },
		{ "ts", "11", false }, { "st", "01", false }, { "sa", "0", true },
	};
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_add_message m = kit_message(&k, ANN);
		const char *known = cases[i].known;
		struct str wamid = kit_str(&k, "wamid.%zu", i);
		struct store_event_in last = { .row = 0 };

		m.opaque = STR("order 66");
		assert_int_equal(kit_run(&k, &m.req, STORE_ADD_MESSAGE), GW_OK);
		kit_move(&k, m.row, "queued", "sending", NULL);
		for (const char *step = cases[i].order; *step != '\0'; step++) {
			if (*step == 'a') {
				kit_move(&k, m.row, "sending", "accepted", wamid.ptr);
				continue;
			}
			last = kit_status(&k, ANN, wamid.ptr, *step == 't' ? "sent" : "read");
			last.has_token = *step == 't';
			last.token_id = m.id;
			kit_put(&k, &last, 1);
			CHECK_INT(cases[i].order, *known++ == '1', last.message_row == m.row);
			CHECK_STR(cases[i].order, last.message_row != 0 ? "order 66" : "",
				  last.opaque);
			kit_free_opaque(&last);
		}
		last = kit_status(&k, ANN, wamid.ptr, "played");
		kit_put(&k, &last, 1);
		CHECK_INT(cases[i].order, m.row, last.message_row);
		assert_true(id_eq(&last.message, &m.id));
		kit_free_opaque(&last);
	}
	kit_close(&k);
}

static void token_before_wamid(void **state)
{
	struct kit k;
	struct store_add_message m, other;
	struct store_event_in ev;

	(void)state;
	kit_open(&k);
	m = kit_accept(&k, ANN);
	other = kit_accept(&k, ANN);
	kit_move(&k, m.row, "queued", "sending", NULL);
	kit_move(&k, m.row, "sending", "accepted", "wamid.A");
	ev = kit_status(&k, ANN, "wamid.A", "sent");
	ev.has_token = true;
	ev.token_id = other.id; /* the token wins */
	kit_put(&k, &ev, 1);
	CHECK_INT("by token", other.row, ev.message_row);
	CHECK_STR("its state", "queued", str_from(ev.message_state));
	ev = kit_status(&k, ANN, "wamid.A", "read");
	ev.has_token = true;
	ev.token_id = kit_id(&k); /* of a message that is gone: the wamid helps */
	kit_put(&k, &ev, 1);
	CHECK_INT("by wamid", m.row, ev.message_row);
	CHECK_STR("its state", "accepted", str_from(ev.message_state));
	kit_close(&k);
}

static void composed_is_no_evidence(void **state)
{
	struct kit k;
	struct store_add_message m;
	struct store_event_in ev;
	struct store_put_body p;

	(void)state;
	kit_open(&k);
	m = kit_accept(&k, ANN);
	ev = kit_status(&k, ANN, "wamid.A", "failed");
	ev.has_token = true;
	ev.token_id = m.id;
	p = kit_body(&k, &ev, 1);
	p.composed = true;
	CHECK_INT("composed", GW_OK, kit_run(&k, &p.req, STORE_PUT_BODY));
	CHECK_INT("whose", m.row, ev.message_row);
	CHECK_INT("version", 0, ev.state_version);
	ev = kit_status(&k, ANN, "wamid.A", "sent");
	kit_put(&k, &ev, 1);
	CHECK_INT("version", 1, ev.state_version);
	kit_close(&k);
}

/* ---- lanes */

static void lanes(void **state)
{
	struct kit k;
	struct store_event_in a, b, c, d;

	(void)state;
	kit_open(&k);
	a = kit_status(&k, ANN, "wamid.A", "sent");
	kit_put(&k, &a, 1);
	b = kit_status(&k, ANN, "wamid.A", "read");
	kit_put(&k, &b, 1);
	c = kit_status(&k, ANN, "wamid.B", "read");
	kit_put(&k, &c, 1);
	d = kit_text(&k, ANN, "wamid.C");
	kit_put(&k, &d, 1);
	CHECK_INT("one message, one lane", a.lane, b.lane);
	assert_true(a.lane != c.lane);
	assert_true(d.lane != a.lane && d.lane != c.lane);
	assert_true(a.lane > 0 && c.lane > 0 && d.lane > 0);
	kit_restart(&k);
	b = kit_status(&k, ANN, "wamid.A", "played");
	kit_put(&k, &b, 1);
	CHECK_INT("the same after a restart", a.lane, b.lane);
	kit_close(&k);
}

/* ---- spans */

static void splices(void **state)
{
	static const struct {
		const char *name;
		struct store_splice s;
	} cases[] = {
		{ "empty", { .list = "" } },
		{ "usual",
		  { { 400, 40, 60, 20, 100, 200 }, { 300, 15, 10, 10, 80, 90 }, "messages" } },
		{ "largest",
		  { { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
		      UINT32_MAX, UINT32_MAX, UINT32_MAX },
		    { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
		      UINT32_MAX, UINT32_MAX, UINT32_MAX },
		    "12345678901234567890123" } },
		{ "edges", { { 127, 128, 16383, 16384, 2097151, 2097152 }, { 0, 1 }, "x" } },
	};
	unsigned char bytes[SPLICE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = splice_pack(&cases[i].s, bytes);
		struct store_splice got;

		assert_true(len <= SPLICE_MAX);
		assert_true(splice_unpack(str_make((char *)bytes, len), &got));
		assert_memory_equal(got.at, cases[i].s.at, sizeof(got.at));
		assert_memory_equal(got.len, cases[i].s.len, sizeof(got.len));
		CHECK_STR(cases[i].name, cases[i].s.list, str_from(got.list));
		for (size_t cut = 0; cut < len; cut++)
			assert_false(splice_unpack(str_make((char *)bytes, cut), &got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text),
		cmocka_unit_test(nothing_twice),
		cmocka_unit_test(nothing_twice_in_a_group),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(seq_is_dense),
		cmocka_unit_test(numbers_have_their_own_talk),
		cmocka_unit_test(groups_have_one_talk),
		cmocka_unit_test(nobody),
		cmocka_unit_test(stale),
		cmocka_unit_test(undated_is_never_stale),
		cmocka_unit_test(quarantined),
		cmocka_unit_test(evidence_counts_once),
		cmocka_unit_test(evidence_in_any_order),
		cmocka_unit_test(token_before_wamid),
		cmocka_unit_test(composed_is_no_evidence),
		cmocka_unit_test(lanes),
		cmocka_unit_test(splices),
	};

	return cmocka_run_group_tests_name("store_inbox", tests, NULL, NULL);
}
