/* SPDX-License-Identifier: MIT */
/*
 * metric.h - counters and gauges that any thread may bump, and their text form
 *
 * A table of struct metric_desc says what exists (one row a name, up to two
 * labels with fixed words); values are relaxed atomics.  metrics_render()
 * writes the Prometheus text format.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_label {
	const char *name; /* NULL: no label */
	const char *const *words; /* the values it may have */
	size_t count;
};

struct metric_desc {
	const char *name; /* "godwit_webhook_refused_total" */
	enum metric_kind kind;
	const char *help;
	struct metric_label a, b; /* not for histograms */
	const double *bounds; /* histogram: upper bounds, ascending */
	size_t bound_count;
};

struct metrics;

struct metrics *metrics_new(const struct metric_desc *table, size_t count);
void metrics_free(struct metrics *m);
/* a and b index the label words; 0 when the metric has no such label. */
void metrics_add(struct metrics *m, size_t metric, size_t a, size_t b, int64_t n);
void metrics_set(struct metrics *m, size_t metric, size_t a, size_t b, int64_t value);
void metrics_observe(struct metrics *m, size_t metric, double value);
int64_t metrics_get(const struct metrics *m, size_t metric, size_t a, size_t b);
void metrics_render(const struct metrics *m, struct buf *out);

#endif
