/* SPDX-License-Identifier: MIT */
/* test_store_backup.c - copies made while the store works open as stores */
#include "store_kit.h"

#include <stdatomic.h>

#define ANN "16505551234"

/* The copy in `path` as the data of a kit of its own: what does the check say, how many events? */
static bool count_event(void *cookie, const struct store_event_row *e)
{
	(void)e;
	++*(size_t *)cookie;
	return true;
}

static void count_events(struct store_reader *r, void *cookie)
{
	const struct store_event_filter all = { .limit = 1000 };

	assert_int_equal(reader_events(r, &all, count_event, cookie), GW_OK);
}

static size_t events_in(const char *path)
{
	char to[KIT_PATH], key[KIT_PATH];
	const char *slash = strrchr(path, '/');
	struct kit k;
	size_t count = 0;

	kit_prepare(&k);
	(void)snprintf(key, sizeof(key), "%.*s/secrets.key", (int)(slash - path), path);
	kit_path(&k, "secrets.key", to);
	assert_int_equal(link(key, to), 0); /* a copy is of no use without it */
	kit_path(&k, "godwit.db", to);
	assert_int_equal(rename(path, to), 0);
	kit_reopen(&k);
	kit_read(&k, count_events, &count);
	kit_close(&k); /* with its check */
	return count;
}

static void whole_copy(void **state)
{
	struct store_backup b = { .path = NULL };
	char path[KIT_PATH];
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_path(&k, "copy.db", path);
	b.path = path;
	for (int i = 0; i < 10; i++) {
		struct store_event_in ev = kit_text(&k, ANN, kit_str(&k, "%d", i).ptr);

		kit_put(&k, &ev, 1);
	}
	CHECK_INT("status", GW_OK, kit_run(&k, &b.req, STORE_BACKUP));
	assert_true(atomic_load(&b.pages_total) > 10);
	CHECK_INT("pages", atomic_load(&b.pages_total), atomic_load(&b.pages_done));
	CHECK_INT("events", 10, events_in(path));
	kit_close(&k);
}

/* Commits go on while pages are copied; the copy holds at least what was acknowledged before. */
static void while_it_works(void **state)
{
	enum { BEFORE = 400, DURING = 200, BODY = 20000 };
	struct store_backup a = { .path = NULL }, b = { .path = NULL };
	char path[KIT_PATH], second[KIT_PATH];
	char *bytes = xcalloc(1, BODY);
	size_t want, events;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_path(&k, "copy.db", path);
	kit_path(&k, "second.db", second);
	a.path = path;
	b.path = second;
	want = *kit_done_count() + 2;
	for (int i = 0; i < BEFORE + DURING; i++) {
		struct store_event_in ev = kit_text(&k, ANN, kit_str(&k, "%d", i).ptr);
		struct store_put_body p = kit_body(&k, &ev, 1);

		if (i == BEFORE) {
			kit_submit(&k, &a.req, STORE_BACKUP);
			kit_submit(&k, &b.req, STORE_BACKUP); /* waits for the first */
		}
		p.bytes = str_make(bytes, BODY);
		want++;
		assert_int_equal(kit_run(&k, &p.req, STORE_PUT_BODY), GW_OK);
	}
	kit_wait(&k, kit_done_count(), want);
	CHECK_INT("first", GW_OK, a.req.status);
	CHECK_INT("second", GW_OK, b.req.status);
	events = events_in(path);
	assert_true(events >= BEFORE && events <= BEFORE + DURING);
	assert_true(events_in(second) >= BEFORE);
	kit_close(&k);
	free(bytes);
}

static void cannot_write_it(void **state)
{
	struct store_backup b = { .path = "/nonexistent/folder/copy.db" };
	struct kit k;

	(void)state;
	kit_open(&k);
	CHECK_INT("status", GW_EIO, kit_run(&k, &b.req, STORE_BACKUP));
	assert_non_null(strstr(b.error.message, "/nonexistent/folder/copy.db"));
	kit_barrier(&k); /* the store goes on */
	kit_close(&k);
}

static void close_finishes_it(void **state)
{
	struct store_backup b = { .path = NULL };
	char path[KIT_PATH];
	size_t want;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_path(&k, "copy.db", path);
	b.path = path;
	want = *kit_done_count() + 1;
	kit_submit(&k, &b.req, STORE_BACKUP);
	kit_shut(&k);
	CHECK_INT("done", want, *kit_done_count());
	CHECK_INT("status", GW_OK, b.req.status);
	CHECK_INT("events", 0, events_in(path));
	kit_remove(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_copy),
		cmocka_unit_test(while_it_works),
		cmocka_unit_test(cannot_write_it),
		cmocka_unit_test(close_finishes_it),
	};

	return cmocka_run_group_tests_name("store_backup", tests, NULL, NULL);
}
