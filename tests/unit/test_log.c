/* SPDX-License-Identifier: MIT */
/* test_log.c - levels, the shape of a line, cutting, and hostile values */
#include "unit.h"

#include "base/log.h"

#include <errno.h>

struct tap {
	struct clock clock;
	struct log log;
	int read_fd;
	char line[2 * LOG_LINE_MAX];
};

static void tap_open(struct tap *t, enum log_level level)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	clock_init(&t->clock);
	clock_freeze(&t->clock);
	clock_set_wall(&t->clock, INT64_C(4102444800123)); /* ahead: it must hit exactly */
	log_init(&t->log, ends[1], level, "gateway", &t->clock);
	t->read_fd = ends[0];
}

static struct str tap_read(struct tap *t)
{
	ssize_t n = read(t->read_fd, t->line, sizeof(t->line));

	return str_make(t->line, n > 0 ? (size_t)n : 0);
}

static void tap_close(struct tap *t)
{
	(void)close(t->read_fd);
	(void)close(t->log.fd);
}

static void shape(void **state)
{
	struct tap t;

	(void)state;
	tap_open(&t, LOG_DEBUG);
	log_info(&t.log, "ready public=%s", "127.0.0.1:8080");
	CHECK_STR("info", "2100-01-01T00:00:00.123Z info  gateway: ready public=127.0.0.1:8080\n",
		  tap_read(&t));
	log_error(&t.log, "x");
	CHECK_STR("error", "2100-01-01T00:00:00.123Z error gateway: x\n", tap_read(&t));
	log_warn(&t.log, "x");
	CHECK_STR("warn", "2100-01-01T00:00:00.123Z warn  gateway: x\n", tap_read(&t));
	log_debug(&t.log, "x");
	CHECK_STR("debug", "2100-01-01T00:00:00.123Z debug gateway: x\n", tap_read(&t));
	tap_close(&t);
}

static void system_time_without_a_clock(void **state)
{
	struct tap t;
	struct str line;

	(void)state;
	tap_open(&t, LOG_INFO);
	t.log.clock = NULL;
	log_info(&t.log, "x");
	line = tap_read(&t);
	assert_true(str_starts(line, STR("20")));
	assert_true(str_ends(line, STR("Z info  gateway: x\n")));
	tap_close(&t);
}

static void levels(void **state)
{
	struct tap t;

	(void)state;
	for (enum log_level at = LOG_ERROR; at <= LOG_DEBUG; at++) {
		tap_open(&t, at);
		for (enum log_level l = LOG_ERROR; l <= LOG_DEBUG; l++) {
			log_put(&t.log, l, "x");
			CHECK_INT("shown", l <= at, tap_read(&t).len > 0);
		}
		tap_close(&t);
	}
}

static void level_words(void **state)
{
	static const struct {
		const char *word;
		int want; /* -1: refused */
	} cases[] = {
		{ "error", LOG_ERROR }, { "warn", LOG_WARN }, { "info", LOG_INFO },
		{ "debug", LOG_DEBUG }, { "", -1 },           { "Info", -1 },
		{ "inf", -1 },          { "infos", -1 },      { NULL, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum log_level level = LOG_WARN;

		CHECK_INT(cases[i].word, cases[i].want >= 0,
			  log_level_parse(cases[i].word, &level));
		CHECK_INT(cases[i].word, cases[i].want >= 0 ? cases[i].want : LOG_WARN, level);
	}
}

/* Around the ceiling: whole up to it, cut and marked beyond. */
static void long_lines(void **state)
{
	static char text[2 * LOG_LINE_MAX];
	const size_t head = strlen("2100-01-01T00:00:00.123Z info  gateway: ");
	struct tap t;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	tap_open(&t, LOG_INFO);
	for (size_t len = LOG_LINE_MAX - head - 3; len < LOG_LINE_MAX - head + 3; len++) {
		bool fits = head + len + 1 <= LOG_LINE_MAX;
		struct str line;

		log_info(&t.log, "%.*s", (int)len, text);
		line = tap_read(&t);
		CHECK_INT("len", fits ? head + len + 1 : LOG_LINE_MAX, line.len);
		CHECK_INT("marked", !fits, str_ends(line, STR("...\n")));
		CHECK_INT("ends", true, str_ends(line, STR("\n")));
	}
	log_info(&t.log, "%s", text);
	CHECK_INT("much longer", LOG_LINE_MAX, tap_read(&t).len);
	tap_close(&t);
}

static void no_second_line(void **state)
{
	struct tap t;

	(void)state;
	tap_open(&t, LOG_INFO);
	log_info(&t.log, "name=%s", "a\nb\r\x1b[31m\x7f\t\xC3\xA9");
	CHECK_STR("line", "2100-01-01T00:00:00.123Z info  gateway: name=a?b??[31m??\xC3\xA9\n",
		  tap_read(&t));
	tap_close(&t);
}

static void a_broken_log_is_no_reason_to_stop(void **state)
{
	struct log l;

	(void)state;
	log_init(&l, -1, LOG_INFO, "gateway", NULL);
	errno = ENOENT;
	log_info(&l, "x");
	CHECK_INT("errno", ENOENT, errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape),
		cmocka_unit_test(system_time_without_a_clock),
		cmocka_unit_test(levels),
		cmocka_unit_test(level_words),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(no_second_line),
		cmocka_unit_test(a_broken_log_is_no_reason_to_stop),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
