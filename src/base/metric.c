/* SPDX-License-Identifier: MIT */
/*
 * metric.c - counters, gauges and histograms as relaxed atomics, and their text
 *
 * A metric is a run of cells: label a times label b for counters and gauges;
 * for a histogram one a bound, one for what is above all bounds, and the sum.
 * The sum is a double kept as its bits, added by compare-and-swap.  A reader
 * may see a histogram between two cells of one observation; the counts it
 * prints are cumulative over what it read, so buckets never contradict _count.
 *
 * INVARIANTS  1. every index is checked: a wrong one is a bug and panics
 *             2. a cell of a counter never shrinks
 * THREADS     any
 * TESTS       tests/unit/test_metric.c
 */
#include "base/metric.h"

#include "base/mem.h"
#include "base/panic.h"

#include <inttypes.h>
#include <stdatomic.h>

struct metrics {
	const struct metric_desc *table;
	size_t count;
	size_t *first; /* of each metric: its first cell */
	_Atomic int64_t *cells;
};

static size_t label_count(const struct metric_label *l)
{
	return l->name == NULL ? 1 : l->count;
}

static size_t cell_count(const struct metric_desc *d)
{
	if (d->kind == METRIC_HISTOGRAM)
		return d->bound_count + 2; /* + above all bounds, + the sum */
	return label_count(&d->a) * label_count(&d->b);
}

struct metrics *metrics_new(const struct metric_desc *table, size_t count)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	size_t cells = 0;

	m->table = table;
	m->count = count;
	m->first = xcalloc(count + 1, sizeof(*m->first));
	for (size_t i = 0; i < count; i++) {
		m->first[i] = cells;
		cells += cell_count(&table[i]);
	}
	m->cells = xcalloc(cells + 1, sizeof(*m->cells));
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	free(m->first);
	free(m->cells);
	free(m);
}

static _Atomic int64_t *cell_at(const struct metrics *m, size_t metric, size_t a, size_t b)
{
	const struct metric_desc *d;

	ASSERT(metric < m->count); /* inv. 1 */
	d = &m->table[metric];
	ASSERT(d->kind != METRIC_HISTOGRAM);
	ASSERT(a < label_count(&d->a) && b < label_count(&d->b));
	return &m->cells[m->first[metric] + a * label_count(&d->b) + b];
}

void metrics_add(struct metrics *m, size_t metric, size_t a, size_t b, int64_t n)
{
	_Atomic int64_t *cell = cell_at(m, metric, a, b);

	ASSERT(n >= 0 || m->table[metric].kind == METRIC_GAUGE); /* inv. 2 */
	(void)atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, size_t metric, size_t a, size_t b, int64_t value)
{
	_Atomic int64_t *cell = cell_at(m, metric, a, b);

	ASSERT(m->table[metric].kind == METRIC_GAUGE);
	atomic_store_explicit(cell, value, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *m, size_t metric, size_t a, size_t b)
{
	return atomic_load_explicit(cell_at(m, metric, a, b), memory_order_relaxed);
}

static double double_of(int64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int64_t bits_of(double value)
{
	int64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

void metrics_observe(struct metrics *m, size_t metric, double value)
{
	const struct metric_desc *d;
	_Atomic int64_t *cells, *sum;
	size_t bucket = 0;
	int64_t was;

	ASSERT(metric < m->count);
	d = &m->table[metric];
	ASSERT(d->kind == METRIC_HISTOGRAM);
	cells = &m->cells[m->first[metric]];
	while (bucket < d->bound_count && value > d->bounds[bucket])
		bucket++;
	(void)atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
	sum = &cells[d->bound_count + 1];
	was = atomic_load_explicit(sum, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(sum, &was, bits_of(double_of(was) + value),
						      memory_order_relaxed, memory_order_relaxed))
		;
}

static void put_labels(struct buf *out, const struct metric_desc *d, size_t a, size_t b)
{
	if (d->a.name == NULL)
		return;
	buf_put_fmt(out, "{%s=\"%s\"", d->a.name, d->a.words[a]);
	if (d->b.name != NULL)
		buf_put_fmt(out, ",%s=\"%s\"", d->b.name, d->b.words[b]);
	buf_put_char(out, '}');
}

static void render_plain(const struct metrics *m, size_t metric, struct buf *out)
{
	const struct metric_desc *d = &m->table[metric];

	for (size_t a = 0; a < label_count(&d->a); a++) {
		for (size_t b = 0; b < label_count(&d->b); b++) {
			buf_put_text(out, d->name);
			put_labels(out, d, a, b);
			buf_put_fmt(out, " %" PRId64 "\n", metrics_get(m, metric, a, b));
		}
	}
}

static void render_histogram(const struct metrics *m, size_t metric, struct buf *out)
{
	const struct metric_desc *d = &m->table[metric];
	_Atomic int64_t *cells = &m->cells[m->first[metric]];
	int64_t count = 0;
	double sum = double_of(
		atomic_load_explicit(&cells[d->bound_count + 1], memory_order_relaxed));

	for (size_t i = 0; i < d->bound_count; i++) {
		count += atomic_load_explicit(&cells[i], memory_order_relaxed);
		buf_put_fmt(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", d->name, d->bounds[i],
			    count);
	}
	count += atomic_load_explicit(&cells[d->bound_count], memory_order_relaxed);
	buf_put_fmt(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", d->name, count);
	buf_put_fmt(out, "%s_sum %.9g\n%s_count %" PRId64 "\n", d->name, sum, d->name, count);
}

void metrics_render(const struct metrics *m, struct buf *out)
{
	static const char *const kinds[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	for (size_t i = 0; i < m->count; i++) {
		const struct metric_desc *d = &m->table[i];

		buf_put_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name,
			    kinds[d->kind]);
		if (d->kind == METRIC_HISTOGRAM)
			render_histogram(m, i, out);
		else
			render_plain(m, i, out);
	}
}
