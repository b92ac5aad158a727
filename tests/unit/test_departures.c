/* SPDX-License-Identifier: MIT */
/* test_departures.c - what a killed process can still tell of its attempts, and when it cannot */
#include "base/sys_file.h"
#include "gateway/departures.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACES 64 /* of a small `max` */
#define BOOT_AT 32 /* in the head */
#define HEAD 72

struct rig {
	struct log log;
	char dir[64], path[96];
	struct departures *d;
	int64_t sending_from, sending_to; /* rows whose first try is sending */
	bool is_left;
};

static bool is_sending(void *cookie, int64_t row, uint32_t try_)
{
	const struct rig *r = cookie;

	return try_ == 1 && row >= r->sending_from && row <= r->sending_to;
}

static bool is_anything_left(void *cookie)
{
	return ((struct rig *)cookie)->is_left;
}

static void open_with(struct rig *r, const char *dir, size_t max)
{
	departures_close(r->d);
	r->d = departures_open(&(struct departures_options){ .dir = dir,
							     .max = max,
							     .log = &r->log,
							     .is_sending = is_sending,
							     .is_anything_left = is_anything_left,
							     .cookie = r });
}

/* The process was killed and is back. */
static void again(struct rig *r)
{
	open_with(r, r->dir, 1);
}

static bool absent(const struct rig *r, int64_t row, uint32_t try_)
{
	return departures_prove_absent(r->d, row, try_);
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	log_init(&r->log, STDERR_FILENO, LOG_ERROR, "test", NULL);
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/gw-departures-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/departures", r->dir);
	again(r);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	departures_close(r->d);
	assert_int_equal(sys_remove_dir(r->dir, NULL), GW_OK);
	free(r);
	return 0;
}

static void without_a_file_nothing_is_proven(void **state)
{
	struct rig *r = *state;

	assert_false(absent(r, 1, 1));
	assert_false(departures_prove_absent(NULL, 1, 1));
	departures_note(NULL, 1, 1);
	CHECK_INT("no file before something leaves", -1, access(r->path, F_OK));
	again(r);
	assert_false(absent(r, 1, 1));
}

/* A start that cannot use the file takes it away: what leaves from then on is not in it. */
static void a_file_that_is_not_used_is_removed(void **state)
{
	struct rig *r = *state;

	departures_note(r->d, 5, 1);
	again(r);
	assert_true(absent(r, 6, 1));
	open_with(r, r->dir, 2 * PLACES); /* more may be under way than it has places for */
	CHECK_INT("it is gone", -1, access(r->path, F_OK));
	assert_false(absent(r, 6, 1));
	again(r);
	assert_false(absent(r, 6, 1));
}

static void what_left_is_not_absent_and_the_rest_is(void **state)
{
	struct rig *r = *state;

	r->sending_from = 5;
	r->sending_to = 7;
	departures_note(r->d, 5, 1);
	departures_note(r->d, 6, 1);
	again(r);
	assert_false(absent(r, 5, 1) || absent(r, 6, 1));
	assert_true(absent(r, 5, 2));
	assert_true(absent(r, 6, 0));
	assert_true(absent(r, 7, 1));
	departures_note(r->d, 7, 1); /* the second life adds to it */
	again(r);
	assert_false(absent(r, 5, 1) || absent(r, 6, 1) || absent(r, 7, 1));
}

static void a_place_is_kept_while_its_try_is_sending(void **state)
{
	struct rig *r = *state;

	r->sending_from = 1;
	r->sending_to = PLACES - 1;
	for (int64_t row = 1; row < PLACES; row++)
		departures_note(r->d, row, 1);
	for (int64_t row = 100; row < 300; row++) /* all through the one place that is free */
		departures_note(r->d, row, 1);
	again(r);
	for (int64_t row = 1; row < PLACES; row++)
		assert_false(absent(r, row, 1));
	assert_false(absent(r, 299, 1));
	assert_true(absent(r, 298, 1)); /* of a try that is not sending nobody asks */
	r->sending_to = 0; /* they are settled: there is room again */
	for (int64_t row = 300; row < 300 + PLACES; row++)
		departures_note(r->d, row, 1);
	again(r);
	for (int64_t row = 300; row < 300 + PLACES; row++)
		assert_false(absent(r, row, 1));
}

static void without_a_place_nothing_is_proven(void **state)
{
	struct rig *r = *state;

	r->sending_from = 1;
	r->sending_to = PLACES;
	for (int64_t row = 1; row <= PLACES; row++)
		departures_note(r->d, row, 1);
	again(r);
	assert_true(absent(r, PLACES + 1, 1));
	r->sending_to = PLACES + 1;
	departures_note(r->d, PLACES + 1, 1); /* one too many */
	assert_false(absent(r, PLACES + 2, 1));
	departures_note(r->d, 1000, 1);
	again(r);
	assert_false(absent(r, PLACES + 2, 1));
}

static void what_an_earlier_process_left_prevents_a_new_file(void **state)
{
	struct rig *r = *state;

	r->is_left = true;
	departures_note(r->d, 1, 1);
	r->is_left = false; /* too late: 1 has left without a note */
	departures_note(r->d, 2, 1);
	again(r);
	assert_false(absent(r, 3, 1));
	departures_note(r->d, 4, 1);
	again(r);
	assert_true(absent(r, 3, 1));
}

static void put_byte(const char *path, off_t at)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "~", 1, at), 1);
	(void)close(fd);
}

static void a_file_that_cannot_be_believed(void **state)
{
	static const struct {
		const char *what;
		off_t byte, length; /* -1: as it is */
	} cases[] = {
		{ "another layout", 0, -1 },
		{ "other places", 8, -1 },
		{ "another inode", 16, -1 },
		{ "another device", 24, -1 },
		{ "another boot", BOOT_AT, -1 },
		{ "the end of the boot", BOOT_AT + 35, -1 },
		{ "empty", -1, 0 },
		{ "half a head", -1, HEAD - 1 },
		{ "a head", -1, HEAD },
		{ "cut", -1, HEAD + PLACES * 16 - 1 },
		{ "whole", -1, HEAD + PLACES * 16 },
	};
	struct rig *r = *state;
	bool believed;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		departures_note(r->d, 5, 1);
		again(r);
		assert_true(absent(r, 6, 1));
		if (cases[i].byte >= 0)
			put_byte(r->path, cases[i].byte);
		if (cases[i].length >= 0)
			assert_int_equal(truncate(r->path, cases[i].length), 0);
		again(r);
		believed = absent(r, 6, 1);
		CHECK_INT(cases[i].what, i == ARRAY_LEN(cases) - 1, believed);
		assert_false(absent(r, 5, 1));
	}
}

static void a_copied_folder_proves_nothing(void **state)
{
	struct rig *r = *state;
	char copy[96], path[128];
	struct buf b;

	departures_note(r->d, 5, 1);
	buf_init(&b, 65536);
	assert_int_equal(sys_read_file(r->path, &b, NULL), GW_OK);
	(void)snprintf(copy, sizeof(copy), "%s/copy", r->dir);
	(void)snprintf(path, sizeof(path), "%s/departures", copy);
	assert_int_equal(mkdir(copy, 0700), 0);
	assert_int_equal(sys_write_file(path, buf_str(&b), 0600, NULL), GW_OK);
	buf_release(&b);
	open_with(r, copy, 1);
	assert_false(absent(r, 6, 1));
	again(r);
	assert_true(absent(r, 6, 1));
}

static void more_at_once_than_it_has_places_for(void **state)
{
	struct rig *r = *state;

	departures_note(r->d, 5, 1);
	open_with(r, r->dir, PLACES / 2);
	assert_true(absent(r, 6, 1));
	open_with(r, r->dir, PLACES / 2 + 1);
	assert_false(absent(r, 6, 1));
	departures_note(r->d, 5, 1); /* a larger one */
	open_with(r, r->dir, PLACES / 2 + 1);
	assert_true(absent(r, 6, 1));
}

/* Nothing may be proven by a file that lacks a note. */
static void a_note_that_cannot_be_written(void **state)
{
	struct rig *r = *state;
	struct rlimit was, tight;

	departures_note(r->d, 5, 1);
	assert_int_equal(access(r->path, F_OK), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	(void)sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	tight = was;
	tight.rlim_cur = HEAD;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	departures_note(r->d, 6, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	CHECK_INT("the file is gone", -1, access(r->path, F_OK));
	assert_false(absent(r, 7, 1));
	departures_note(r->d, 7, 1);
	again(r);
	assert_false(absent(r, 8, 1));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_that_is_not_used_is_removed),
		CASE(without_a_file_nothing_is_proven),
		CASE(what_left_is_not_absent_and_the_rest_is),
		CASE(a_place_is_kept_while_its_try_is_sending),
		CASE(without_a_place_nothing_is_proven),
		CASE(what_an_earlier_process_left_prevents_a_new_file),
		CASE(a_file_that_cannot_be_believed),
		CASE(a_copied_folder_proves_nothing),
		CASE(more_at_once_than_it_has_places_for),
		CASE(a_note_that_cannot_be_written),
	};

	return cmocka_run_group_tests_name("departures", tests, NULL, NULL);
}
