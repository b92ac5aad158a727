/* SPDX-License-Identifier: MIT */
/* test_progress.c - how far a batch is, as people and programs read it; reasons counted */
#include "unit.h"

#include "cli/batch_rows.h"
#include "cli/copy_progress.h"
#include "cli/progress.h"

static void read_into(const char *text, struct batch *out)
{
	struct arena *a = arena_new(65536);
	const struct json_doc *doc;

	assert_int_equal(json_scan(str_from(text), a, &doc, NULL), GW_OK);
	assert_true(batch_read(json_root(doc), out));
	arena_free(a);
}

static void batches(void **state)
{
	struct arena *a = arena_new(65536);
	const struct json_doc *doc;
	struct batch b;

	(void)state;
	read_into(
		"{\"id\":\"bat_1\",\"name\":\"May\",\"state\":\"running\",\"number\":\"57\",\"rows\":"
		"{\"total\":12,\"ready\":10,\"refused\":2,\"duplicates\":1},\"progress\":{\"waiting\":4,"
		"\"accepted\":3,\"failed\":2,\"unknown\":1,\"expired\":1},\"rate\":74.76,\"eta_s\":79,"
		"\"why\":null}",
		&b);
	CHECK_STR("id", "bat_1", str_from(b.id));
	CHECK_STR("name", "May", str_from(b.name));
	CHECK_STR("why", "", str_from(b.why));
	assert_int_equal(b.total, 12);
	assert_int_equal(b.ready, 10);
	assert_int_equal(b.accepted, 3);
	assert_int_equal(batch_not_sent(&b), 4);
	assert_int_equal(b.rate_tenths, 748);
	assert_int_equal(b.eta_s, 79);
	assert_false(batch_is_over(&b));
	read_into("{\"id\":\"bat_1\",\"state\":\"cancelled\",\"rate\":-1,\"eta_s\":null}", &b);
	assert_true(batch_is_over(&b));
	assert_int_equal(b.rate_tenths, 0);
	assert_int_equal(b.eta_s, -1); /* not known */
	assert_int_equal(json_scan(STR("{\"state\":\"running\"}"), a, &doc, NULL), GW_OK);
	assert_false(batch_read(json_root(doc), &b));
	arena_free(a);
}

static void numbers(void **state)
{
	static const struct {
		int64_t n;
		const char *count, *time;
	} table[] = {
		{ -1, "0", "0:00" },
		{ 0, "0", "0:00" },
		{ 59, "59", "0:59" },
		{ 60, "60", "1:00" },
		{ 999, "999", "16:39" },
		{ 1000, "1,000", "16:40" },
		{ 3599, "3,599", "59:59" },
		{ 3600, "3,600", "1:00:00" },
		{ 999999, "999,999", "277:46:39" },
		{ 1000000, "1,000,000", "277:46:40" },
	};
	char out[BATCH_COUNT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CHECK_STR("count", table[i].count, str_from(batch_count(table[i].n, out)));
		CHECK_STR("time", table[i].time, str_from(batch_time(table[i].n, out)));
	}
}

static void lines_and_bars(void **state)
{
	static const struct {
		const char *state;
		int64_t accepted, failed, eta_s;
		unsigned columns;
		const char *line, *bar;
	} table[] = {
		{ "running", 4120, 3, 79, 100,
		  "batch=bat_1 sent=4120/10000 failed=3 rate=74.8/s eta=00:01:19",
		  " 41 %  [########------------]  4,120/10,000  74.8/s  ETA 1:19  3 failed" },
		{ "running", 0, 0, -1, 100, "batch=bat_1 sent=0/10000 failed=0 rate=74.8/s",
		  "  0 %  [--------------------]  0/10,000  74.8/s" },
		{ "running", 9999, 0, 3661, 59,
		  "batch=bat_1 sent=9999/10000 failed=0 rate=74.8/s eta=01:01:01",
		  " 99 %  9,999/10,000  74.8/s  ETA 1:01:01" },
		{ "done", 9990, 10, 0, 60, "batch=bat_1 state=done sent=9990/10000 failed=10",
		  "100 %  [####################]  9,990/10,000  done  10 failed" },
		{ "checking", 0, 0, -1, 100, "batch=bat_1 state=checking rows=12000",
		  "checking  12,000 rows" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct batch b = { .id = "bat_1",
				   .total = 12000,
				   .ready = 10000,
				   .rate_tenths = 748,
				   .accepted = table[i].accepted,
				   .failed = table[i].failed,
				   .eta_s = table[i].eta_s };

		(void)str_copy(str_from(table[i].state), b.state, sizeof(b.state));
		buf_init(&out, 4096);
		progress_put_line(&out, &b);
		CHECK_STR(table[i].state, table[i].line, buf_str(&out));
		buf_reset(&out);
		progress_put_bar(&out, &b, table[i].columns, false);
		CHECK_STR(table[i].state, table[i].bar, buf_str(&out));
		buf_release(&out);
	}
}

/* Nothing of the test's own standard error is looked at: only when the next one is due. */
static void paces(void **state)
{
	static const struct {
		enum progress_kind kind;
		int64_t every_ms;
	} table[] = { { PROGRESS_BAR, 250 }, { PROGRESS_PLAIN, 10000 }, { PROGRESS_JSON, 1000 } };
	struct batch b = { .id = "bat_1", .state = "running", .eta_s = -1 };
	struct cli cli = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct progress p = { .cli = &cli, .kind = table[i].kind, .columns = 80 };
		int64_t every = table[i].every_ms * 1000000;

		progress_show(&p, &b, 5);
		assert_int_equal(p.next_ns, 5 + every);
		progress_show(&p, &b, 4 + every);
		assert_int_equal(p.next_ns, 5 + every);
		progress_show(&p, &b, 6 + every);
		assert_int_equal(p.next_ns, 6 + 2 * every);
		progress_last(&p, &b, 7 + every);
		assert_int_equal(p.next_ns, 7 + 2 * every);
		progress_leave(&p);
	}
}

static void reasons(void **state)
{
	struct batch_reasons *r = calloc(1, sizeof(*r));
	char text[32];

	(void)state;
	assert_non_null(r);
	for (int i = 0; i < 3; i++)
		batch_reason_add(r, &(struct batch_row){ .state = STR("failed"),
							 .code = STR("131026"),
							 .reason = STR("differs") });
	batch_reason_add(r, &(struct batch_row){ .state = STR("unknown"), .code = STR("131026") });
	batch_reason_add(r, &(struct batch_row){ .state = STR("failed"), .reason = STR("one") });
	batch_reason_add(r, &(struct batch_row){ .state = STR("failed"), .reason = STR("two") });
	assert_int_equal(r->count, 4);
	assert_int_equal(r->of[0].count, 3);
	for (int i = 0; i < BATCH_REASONS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "reason %d", i);
		batch_reason_add(
			r, &(struct batch_row){ .state = STR("failed"), .reason = str_from(text) });
	}
	assert_int_equal(r->count, BATCH_REASONS_MAX);
	assert_int_equal(r->others, 4);
	free(r);
}

static void copies(void **state)
{
	static const struct {
		const char *json, *line, *bar; /* line NULL: not read */
	} table[] = {
		{ "{\"file\":\"/a\",\"state\":\"waiting\",\"pages\":{\"done\":0,\"total\":0},\"ms\":5}",
		  "copy=/a pages=0/0", "waiting for another copy" },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":0,\"total\":9},\"ms\":5}",
		  "copy=/a pages=0/9", "  0 %  [--------------------]  0/9 pages" },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":1024,\"total\":4096},\"ms\":2000}",
		  "copy=/a pages=1024/4096 eta=00:00:06",
		  " 25 %  [#####---------------]  1,024/4,096 pages  ETA 0:06" },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":9,\"total\":9},\"ms\":2147483647}",
		  "copy=/a pages=9/9 eta=00:00:00",
		  "100 %  [####################]  9/9 pages  ETA 0:00" },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":9,\"total\":9},\"ms\":2147483648}", NULL,
		  NULL },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":10,\"total\":9},\"ms\":1}", NULL, NULL },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":-1,\"total\":9},\"ms\":1}", NULL, NULL },
		{ "{\"file\":\"/a\",\"pages\":{\"done\":1},\"ms\":1}", NULL, NULL },
		{ "{\"pages\":{\"done\":1,\"total\":9},\"ms\":1}", NULL, NULL },
		{ "[]", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct arena *a = arena_new(65536);
		const struct json_doc *doc;
		struct copy_at at;
		struct buf line, bar;

		assert_int_equal(json_scan(str_from(table[i].json), a, &doc, NULL), GW_OK);
		assert_int_equal(copy_at_read(json_root(doc), &at), table[i].line != NULL);
		if (table[i].line != NULL) {
			buf_init(&line, 1024);
			buf_init(&bar, 1024);
			copy_put_line(&line, &at);
			CHECK_STR(table[i].json, table[i].line, buf_str(&line));
			copy_put_bar(&bar, &at, 60, false);
			CHECK_STR(table[i].json, table[i].bar, buf_str(&bar));
			buf_reset(&bar);
			copy_put_bar(&bar, &at, 59, false);
			assert_false(str_find(buf_str(&bar), STR("["), &(size_t){ 0 }));
			buf_release(&line);
			buf_release(&bar);
		}
		arena_free(a);
	}
}

static void copies_for_programs(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	copy_put_json(&out, &(struct copy_at){ STR("/a\"b"), 1, 4, 1000 });
	CHECK_STR("under way",
		  "{\"file\":\"/a\\\"b\",\"pages_done\":1,\"pages_total\":4,\"eta_s\":3}",
		  buf_str(&out));
	buf_reset(&out);
	copy_put_json(&out, &(struct copy_at){ STR("/a"), 0, 4, 1000 });
	CHECK_STR("not known yet",
		  "{\"file\":\"/a\",\"pages_done\":0,\"pages_total\":4,\"eta_s\":null}",
		  buf_str(&out));
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches),
		cmocka_unit_test(numbers),
		cmocka_unit_test(lines_and_bars),
		cmocka_unit_test(paces),
		cmocka_unit_test(reasons),
		cmocka_unit_test(copies),
		cmocka_unit_test(copies_for_programs),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
