/* SPDX-License-Identifier: MIT */
/* test_metric.c - counting from many threads, and the text form word for word */
#include "unit.h"

#include "base/metric.h"

#include <pthread.h>

static const char *const colours[] = { "red", "green" };
static const char *const sizes[] = { "s", "m", "l" };
static const double bounds[] = { 0.01, 0.1, 1 };

enum { PLAIN, LABELLED, BOTH, LEVEL, SECONDS, NMETRICS };

static const struct metric_desc table[NMETRICS] = {
	[PLAIN] = { .name = "plain_total", .kind = METRIC_COUNTER, .help = "no label" },
	[LABELLED] = { .name = "labelled_total",
		       .kind = METRIC_COUNTER,
		       .help = "one label",
		       .a = { "colour", colours, 2 } },
	[BOTH] = { .name = "both_total",
		   .kind = METRIC_COUNTER,
		   .help = "two labels",
		   .a = { "colour", colours, 2 },
		   .b = { "size", sizes, 3 } },
	[LEVEL] = { .name = "level", .kind = METRIC_GAUGE, .help = "goes both ways" },
	[SECONDS] = { .name = "seconds",
		      .kind = METRIC_HISTOGRAM,
		      .help = "how long",
		      .bounds = bounds,
		      .bound_count = 3 },
};

static void cells_are_apart(void **state)
{
	struct metrics *m = metrics_new(table, NMETRICS);

	(void)state;
	metrics_add(m, PLAIN, 0, 0, 3);
	metrics_add(m, LABELLED, 1, 0, 5);
	for (size_t a = 0; a < 2; a++) {
		for (size_t b = 0; b < 3; b++)
			metrics_add(m, BOTH, a, b, (int64_t)(10 * a + b));
	}
	metrics_set(m, LEVEL, 0, 0, 9);
	metrics_add(m, LEVEL, 0, 0, -4);
	CHECK_INT("plain", 3, metrics_get(m, PLAIN, 0, 0));
	CHECK_INT("red", 0, metrics_get(m, LABELLED, 0, 0));
	CHECK_INT("green", 5, metrics_get(m, LABELLED, 1, 0));
	for (size_t a = 0; a < 2; a++) {
		for (size_t b = 0; b < 3; b++)
			CHECK_INT("both", 10 * a + b, metrics_get(m, BOTH, a, b));
	}
	CHECK_INT("level", 5, metrics_get(m, LEVEL, 0, 0));
	metrics_free(m);
	metrics_free(NULL);
}

static void text_form(void **state)
{
	struct metrics *m = metrics_new(table, NMETRICS);
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	metrics_add(m, BOTH, 1, 2, 7);
	metrics_observe(m, SECONDS, 0.01); /* on the bound: inside it */
	metrics_observe(m, SECONDS, 0.011);
	metrics_observe(m, SECONDS, 5);
	metrics_render(m, &out);
	CHECK_STR("text",
		  "# HELP plain_total no label\n# TYPE plain_total counter\nplain_total 0\n"
		  "# HELP labelled_total one label\n# TYPE labelled_total counter\n"
		  "labelled_total{colour=\"red\"} 0\nlabelled_total{colour=\"green\"} 0\n"
		  "# HELP both_total two labels\n# TYPE both_total counter\n"
		  "both_total{colour=\"red\",size=\"s\"} 0\n"
		  "both_total{colour=\"red\",size=\"m\"} 0\n"
		  "both_total{colour=\"red\",size=\"l\"} 0\n"
		  "both_total{colour=\"green\",size=\"s\"} 0\n"
		  "both_total{colour=\"green\",size=\"m\"} 0\n"
		  "both_total{colour=\"green\",size=\"l\"} 7\n"
		  "# HELP level goes both ways\n# TYPE level gauge\nlevel 0\n"
		  "# HELP seconds how long\n# TYPE seconds histogram\n"
		  "seconds_bucket{le=\"0.01\"} 1\nseconds_bucket{le=\"0.1\"} 2\n"
		  "seconds_bucket{le=\"1\"} 2\nseconds_bucket{le=\"+Inf\"} 3\n"
		  "seconds_sum 5.021\nseconds_count 3\n",
		  buf_str(&out));
	buf_release(&out);
	metrics_free(m);
}

#define ROUNDS 20000

static void *bump(void *cookie)
{
	for (int i = 0; i < ROUNDS; i++) {
		metrics_add(cookie, PLAIN, 0, 0, 1);
		metrics_observe(cookie, SECONDS, 0.5);
	}
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	struct metrics *m = metrics_new(table, NMETRICS);
	pthread_t threads[3];
	struct buf out;
	size_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, bump, m), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	CHECK_INT("count", 3 * ROUNDS, metrics_get(m, PLAIN, 0, 0));
	buf_init(&out, 4096);
	metrics_render(m, &out);
	assert_true(str_find(buf_str(&out), STR("seconds_sum 30000\nseconds_count 60000\n"), &at));
	buf_release(&out);
	metrics_free(m);
}

static void wrong_metric(void *m)
{
	metrics_add(m, NMETRICS, 0, 0, 1);
}

static void wrong_label(void *m)
{
	metrics_add(m, LABELLED, 2, 0, 1);
}

static void label_without_labels(void *m)
{
	metrics_add(m, PLAIN, 0, 1, 1);
}

static void shrinking_counter(void *m)
{
	metrics_add(m, PLAIN, 0, 0, -1);
}

static void setting_a_counter(void *m)
{
	metrics_set(m, PLAIN, 0, 0, 1);
}

static void adding_to_a_histogram(void *m)
{
	metrics_add(m, SECONDS, 0, 0, 1);
}

static void observing_a_counter(void *m)
{
	metrics_observe(m, PLAIN, 1);
}

static void misuse_panics(void **state)
{
	struct metrics *m = metrics_new(table, NMETRICS);

	(void)state;
	assert_true(dies(wrong_metric, m));
	assert_true(dies(wrong_label, m));
	assert_true(dies(label_without_labels, m));
	assert_true(dies(shrinking_counter, m));
	assert_true(dies(setting_a_counter, m));
	assert_true(dies(adding_to_a_histogram, m));
	assert_true(dies(observing_a_counter, m));
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_are_apart),
		cmocka_unit_test(text_form),
		cmocka_unit_test(threads_lose_nothing),
		cmocka_unit_test(misuse_panics),
	};

	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
