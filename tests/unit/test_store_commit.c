/* SPDX-License-Identifier: MIT */
/* test_store_commit.c - groups: order, one bad request among good ones, laziness, load, the end */
#include "store_kit.h"

#include "store/sqlite_int.h"

#define ANN "16505551234"

/* ---- order */

struct ordered {
	struct store_req req;
	int number;
	int *next;
};

static void on_ordered(struct store_req *req)
{
	struct ordered *o = CONTAINER_OF(req, struct ordered, req);

	CHECK_INT("order", o->number, (*o->next)++);
	++*kit_done_count();
}

static void in_order(void **state)
{
	enum { COUNT = 5000 }; /* several groups of STORE_GROUP_MAX */
	struct ordered *o = xcalloc(COUNT, sizeof(*o));
	struct kit k;
	size_t want;
	int next = 0;

	(void)state;
	kit_open(&k);
	want = *kit_done_count() + COUNT;
	for (int i = 0; i < COUNT; i++) {
		o[i] = (struct ordered){ .req = { .op = STORE_BARRIER,
						  .done = on_ordered,
						  .weight = 1,
						  .lazy = i % 7 == 3 },
					 .number = i,
					 .next = &next };
		store_submit(k.store, &o[i].req);
	}
	kit_wait(&k, kit_done_count(), want);
	kit_close(&k);
	free(o);
}

/* ---- a request that does not fit fails alone */

/* 'g' good text, 'b' body whose second event has the id of an earlier one, 'm' good message, 'd' a
 * message whose id is taken */
static void one_bad_among_good(void **state)
{
	static const char *const cases[] = { "gbg", "bgg", "ggb", "bbg", "gmdg", "dbmg", "b", "d" };
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_event_in ev[8][2];
		struct store_put_body put[8];
		struct store_add_message add[8];
		struct store_event_in first = kit_text(&k, ANN, kit_str(&k, "first %zu", i).ptr);
		struct store_add_message taken = kit_accept(&k, ANN);
		size_t n = strlen(cases[i]), want;
		int64_t seq;

		kit_put(&k, &first, 1);
		seq = first.seq;
		store_set_lagging(k.store, true); /* one group */
		want = *kit_done_count() + n;
		for (size_t j = 0; j < n; j++) {
			bool bad = strchr("bd", cases[i][j]) != NULL;

			if (strchr("md", cases[i][j]) != NULL) {
				add[j] = kit_message(&k, ANN);
				if (bad)
					add[j].id = taken.id;
				kit_submit(&k, &add[j].req, STORE_ADD_MESSAGE);
				continue;
			}
			for (size_t e = 0; e < 2; e++)
				ev[j][e] = kit_text(&k, ANN,
						    kit_str(&k, "%zu/%zu/%zu", i, j, e).ptr);
			if (bad)
				ev[j][1].id = first.id;
			put[j] = kit_body(&k, ev[j], 2);
			kit_submit(&k, &put[j].req, STORE_PUT_BODY);
		}
		kit_wait(&k, kit_done_count(), want);
		store_set_lagging(k.store, false);
		for (size_t j = 0; j < n; j++) {
			switch (cases[i][j]) {
			case 'm': CHECK_INT(cases[i], GW_OK, add[j].req.status); break;
			case 'd': CHECK_INT(cases[i], GW_EPARSE, add[j].req.status); break;
			case 'b':
				CHECK_INT(cases[i], GW_EPARSE, put[j].req.status);
				CHECK_INT(cases[i], 0, put[j].row);
				CHECK_INT(cases[i], 0, ev[j][0].row);
				assert_false(ev[j][0].refused);
				assert_true(ev[j][1].refused);
				break;
			default:
				CHECK_INT(cases[i], GW_OK, put[j].req.status);
				CHECK_INT(cases[i], seq + 1, ev[j][0].seq); /* no gap */
				CHECK_INT(cases[i], seq + 2, ev[j][1].seq);
				seq += 2;
			}
		}
	}
	kit_close(&k);
}

/* Every item that does not fit is named in one go, and the body comes again without them. */
static void which_items_do_not_fit(void **state)
{
	enum { COUNT = 7 };
	static const unsigned sets[] = { 0x01, 0x40, 0x2a, 0x7f, 0x08 };
	struct kit k;
	int64_t seq = 1;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		struct store_event_in ev[COUNT],
			taken = kit_text(&k, "1", kit_str(&k, "t%zu", i).ptr);
		struct store_put_body p;

		kit_put(&k, &taken, 1);
		for (size_t j = 0; j < COUNT; j++) {
			ev[j] = kit_text(&k, ANN, kit_str(&k, "%zu/%zu", i, j).ptr);
			if ((sets[i] >> j & 1) != 0)
				ev[j].id = taken.id;
		}
		p = kit_body(&k, ev, COUNT);
		CHECK_INT("refused", GW_EPARSE, kit_run(&k, &p.req, STORE_PUT_BODY));
		for (size_t j = 0; j < COUNT; j++) {
			CHECK_INT("which", sets[i] >> j & 1, ev[j].refused);
			CHECK_INT("row", 0, ev[j].row);
			if (ev[j].refused)
				ev[j].id = kit_id(&k);
		}
		CHECK_INT("again", GW_OK, kit_run(&k, &p.req, STORE_PUT_BODY));
		for (size_t j = 0; j < COUNT; j++) {
			assert_false(ev[j].refused || ev[j].duplicate);
			CHECK_INT("dense", seq++, ev[j].seq);
		}
	}
	kit_close(&k);
}

/* The heap value of a status is not lost when its group runs twice. */
static void opaque_survives_a_second_run(void **state)
{
	struct kit k;
	struct store_add_message m, bad;
	struct store_event_in ev;
	struct store_put_body p;
	size_t want;

	(void)state;
	kit_open(&k);
	m = kit_message(&k, ANN);
	m.opaque = STR("order 66");
	assert_int_equal(kit_run(&k, &m.req, STORE_ADD_MESSAGE), GW_OK);
	ev = kit_status(&k, ANN, "wamid.A", "sent");
	ev.has_token = true;
	ev.token_id = m.id;
	p = kit_body(&k, &ev, 1);
	bad = kit_message(&k, ANN);
	bad.id = m.id;
	store_set_lagging(k.store, true);
	want = *kit_done_count() + 2;
	kit_submit(&k, &p.req, STORE_PUT_BODY);
	kit_submit(&k, &bad.req, STORE_ADD_MESSAGE);
	kit_wait(&k, kit_done_count(), want);
	CHECK_INT("bad", GW_EPARSE, bad.req.status);
	CHECK_STR("opaque", "order 66", ev.opaque);
	kit_free_opaque(&ev);
	kit_close(&k);
}

/* A merge inside a body that is rolled back leaves nobody merged. */
static void merge_rolls_back(void **state)
{
	struct kit k;
	struct store_event_in a, b, ev[2];
	struct store_put_body p;

	(void)state;
	kit_open(&k);
	a = kit_text(&k, "1", "a");
	kit_put(&k, &a, 1);
	b = kit_text(&k, "", "b");
	b.user_id = STR("U");
	kit_put(&k, &b, 1);
	ev[0] = kit_text(&k, "1", "c");
	ev[0].user_id = STR("U");
	ev[1] = kit_text(&k, "1", "d");
	ev[1].id = a.id;
	p = kit_body(&k, ev, 2);
	CHECK_INT("refused", GW_EPARSE, kit_run(&k, &p.req, STORE_PUT_BODY));
	ev[0] = kit_text(&k, "", "e");
	ev[0].user_id = STR("U");
	kit_put(&k, ev, 1);
	assert_true(id_eq(&ev[0].contact, &b.contact));
	CHECK_INT("seq", 2, ev[0].seq);
	kit_close(&k);
}

/* ---- laziness and load */

static void lazy_waits(void **state)
{
	struct store_req lazy = { .lazy = true, .weight = 1 };
	struct store_load before, after;
	int64_t began;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_barrier(&k);
	store_load_now(k.store, &before);
	began = clock_real_ns();
	CHECK_INT("alone", GW_OK, kit_run(&k, &lazy, STORE_BARRIER));
	assert_true(clock_real_ns() - began >= 95 * NS_PER_MS);
	store_load_now(k.store, &after);
	CHECK_INT("commits", 1, after.commits - before.commits);
	kit_close(&k);
}

static void lazy_rides(void **state)
{
	struct store_req lazy = { .lazy = true, .weight = 1 }, eager = { .weight = 1 };
	struct store_load load;
	struct kit k;
	size_t want;

	(void)state;
	kit_open(&k);
	want = *kit_done_count() + 2;
	kit_submit(&k, &lazy, STORE_BARRIER);
	kit_submit(&k, &eager, STORE_BARRIER);
	kit_wait(&k, kit_done_count(), want);
	store_load_now(k.store, &load);
	CHECK_INT("one commit", 1, load.commits);
	kit_close(&k);
}

static void load_counts(void **state)
{
	struct store_req reqs[10];
	struct store_load load;
	struct kit k;
	size_t want;

	(void)state;
	kit_open(&k);
	store_load_now(k.store, &load);
	CHECK_INT("bytes", 0, load.uncommitted_bytes);
	CHECK_INT("oldest", 0, load.oldest_ns);
	assert_true(load.disk_free_bytes > 0);
	store_set_lagging(k.store, true);
	want = *kit_done_count() + ARRAY_LEN(reqs);
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		reqs[i] = (struct store_req){ .weight = 1000 };
		kit_submit(&k, &reqs[i], STORE_BARRIER);
	}
	store_load_now(k.store, &load);
	if (load.commits == 0) { /* on a machine that stood still for 50 ms they are done already */
		CHECK_INT("bytes", 10000, load.uncommitted_bytes);
		CHECK_INT("oldest", reqs[0].submitted_ns, load.oldest_ns);
	}
	kit_wait(&k, kit_done_count(), want);
	kit_barrier(&k); /* and the thread has looked at its queue again */
	store_load_now(k.store, &load);
	CHECK_INT("bytes", 0, load.uncommitted_bytes);
	CHECK_INT("requests", ARRAY_LEN(reqs) + 1, load.requests);
	assert_true(load.commits >= 2 && load.commits <= load.requests);
	assert_true(load.commit_us_max >= load.commit_us_last);
	kit_close(&k);
}

/* A group is bounded by bytes too; one request may be larger than the bound. */
static void heavy_requests(void **state)
{
	struct store_req reqs[3];
	struct store_load load;
	struct kit k;
	size_t want;

	(void)state;
	kit_open(&k);
	store_set_lagging(k.store, true);
	want = *kit_done_count() + ARRAY_LEN(reqs);
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		reqs[i] = (struct store_req){ .weight = GROUP_BYTES + 1 };
		kit_submit(&k, &reqs[i], STORE_BARRIER);
	}
	kit_wait(&k, kit_done_count(), want);
	store_load_now(k.store, &load);
	CHECK_INT("commits", 3, load.commits);
	kit_close(&k);
}

/* ---- the end */

static void close_delivers_all(void **state)
{
	enum { COUNT = 300 };
	struct store_event_in ev[COUNT];
	struct store_put_body put[COUNT];
	struct kit_findings f = { 0 };
	struct kit_job j = { .fn = kit_check_job, .cookie = &f };
	struct store_req lazy = { .lazy = true, .weight = 1 };
	struct kit k;
	size_t want;

	(void)state;
	kit_open(&k);
	want = *kit_done_count() + COUNT + 1;
	for (int i = 0; i < COUNT; i++) {
		ev[i] = kit_text(&k, ANN, kit_str(&k, "%d", i).ptr);
		put[i] = kit_body(&k, &ev[i], 1);
		kit_submit(&k, &put[i].req, STORE_PUT_BODY);
	}
	kit_submit(&k, &lazy, STORE_BARRIER);
	j.job.run = kit_job_run;
	j.job.done = kit_job_done;
	store_read(k.store, &j.job);
	kit_shut(&k);
	CHECK_INT("requests", want, *kit_done_count());
	CHECK_INT("job", 1, j.done);
	CHECK_INT("findings", 0, f.count);
	for (int i = 0; i < COUNT; i++)
		CHECK_INT("seq", i + 1, ev[i].seq);
	kit_reopen(&k);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(one_bad_among_good),
		cmocka_unit_test(which_items_do_not_fit),
		cmocka_unit_test(opaque_survives_a_second_run),
		cmocka_unit_test(merge_rolls_back),
		cmocka_unit_test(lazy_waits),
		cmocka_unit_test(lazy_rides),
		cmocka_unit_test(load_counts),
		cmocka_unit_test(heavy_requests),
		cmocka_unit_test(close_delivers_all),
	};

	return cmocka_run_group_tests_name("store_commit", tests, NULL, NULL);
}
