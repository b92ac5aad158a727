/* SPDX-License-Identifier: MIT */
/* metrics.h - the gateway's metrics (metrics.def) over base/metric.h */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "base/metric.h"

enum gateway_metric {
#define GATEWAY_METRIC(symbol, kind, name, a, b, help) M_##symbol,
#include "gateway/metrics.def"
#undef GATEWAY_METRIC
	M_COUNT
};

/* label words; the enums index the lists in metrics.c */
enum metric_result {
	RESULT_OK,
	RESULT_SIGNATURE,
	RESULT_BUSY,
	RESULT_TOO_LARGE,
	RESULT_QUARANTINED,
	RESULT_HANDSHAKE,
	RESULT_PARTIAL,
	RESULT_NRESULTS
};
enum metric_fate {
	FATE_NEW,
	FATE_DUPLICATE,
	FATE_STALE,
	FATE_QUARANTINED,
	FATE_UNKNOWN,
	FATE_REFUSED,
	FATE_NFATES
};
enum metric_refusal {
	REFUSAL_INVALID,
	REFUSAL_WINDOW,
	REFUSAL_ACCOUNT,
	REFUSAL_BUSY,
	REFUSAL_OPAQUE,
	REFUSAL_IDEMPOTENCY,
	REFUSAL_EXPIRED,
	REFUSAL_CONSENT,
	REFUSAL_TEMPLATE,
	REFUSAL_NUMBER,
	REFUSAL_OTHER,
	REFUSAL_NREFUSALS
};
enum metric_outcome {
	OUTCOME_OK,
	OUTCOME_TEMPFAIL,
	OUTCOME_PERMFAIL,
	OUTCOME_UNSURE,
	OUTCOME_NOUTCOMES
};
enum metric_row { ROW_READY, ROW_REFUSED, ROW_HANDED, ROW_NROWS };
/* batch: the states of batch_state.def; src and dst: the states of outq_state.def, in its order */

struct metrics *gateway_metrics_new(void);

static inline void metric_count(struct metrics *m, enum gateway_metric what)
{
	metrics_add(m, what, 0, 0, 1);
}

#endif
