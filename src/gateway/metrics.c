/* SPDX-License-Identifier: MIT */
/*
 * metrics.c - the gateway's table of metrics, made of metrics.def, and the words of its labels
 *
 * The enums of metrics.h index the word lists here; outq_state.def gives the
 * words of src and dst.
 * TESTS  tests/unit/test_gateway_metrics.c
 */
#include "gateway/metrics.h"

#include "base/panic.h"

static const char *const result_words[RESULT_NRESULTS] = {
	[RESULT_OK] = "ok",
	[RESULT_SIGNATURE] = "signature",
	[RESULT_BUSY] = "busy",
	[RESULT_TOO_LARGE] = "too_large",
	[RESULT_QUARANTINED] = "quarantined",
	[RESULT_HANDSHAKE] = "handshake",
	[RESULT_PARTIAL] = "partial",
};

static const char *const fate_words[FATE_NFATES] = {
	[FATE_NEW] = "new",         [FATE_DUPLICATE] = "duplicate",
	[FATE_STALE] = "stale",     [FATE_QUARANTINED] = "quarantined",
	[FATE_UNKNOWN] = "unknown", [FATE_REFUSED] = "refused",
};

static const char *const refusal_words[REFUSAL_NREFUSALS] = {
	[REFUSAL_INVALID] = "invalid",   [REFUSAL_WINDOW] = "window",
	[REFUSAL_ACCOUNT] = "account",   [REFUSAL_BUSY] = "busy",
	[REFUSAL_OPAQUE] = "opaque",     [REFUSAL_IDEMPOTENCY] = "idempotency",
	[REFUSAL_EXPIRED] = "expired",   [REFUSAL_CONSENT] = "consent",
	[REFUSAL_TEMPLATE] = "template", [REFUSAL_NUMBER] = "number",
	[REFUSAL_OTHER] = "other",
};

static const char *const outcome_words[OUTCOME_NOUTCOMES] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_TEMPFAIL] = "tempfail",
	[OUTCOME_PERMFAIL] = "permfail",
	[OUTCOME_UNSURE] = "unsure",
};

static const char *const state_words[] = {
#define OUTQ_STATE(symbol, word, terminal) word,
#include "store/outq_state.def"
#undef OUTQ_STATE
};

static const char *const batch_words[] = {
#define BATCH_STATE(symbol, word, terminal) word,
#include "store/batch_state.def"
#undef BATCH_STATE
};

static const char *const row_words[ROW_NROWS] = {
	[ROW_READY] = "ready",
	[ROW_REFUSED] = "refused",
	[ROW_HANDED] = "handed",
};

/* Seconds; 2.5 ms is a fast answer on loopback, 30 s the time-out at Meta. */
static const double seconds[] = { 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
				  0.5,    1,     2.5,  5,     10,   30 };

#define LABEL_none                           \
	{                                    \
		.name = NULL, .words = NULL, \
	}
#define LABEL_result                                                                       \
	{                                                                                  \
		.name = "result", .words = result_words, .count = ARRAY_LEN(result_words), \
	}
#define LABEL_fate                                                                   \
	{                                                                            \
		.name = "fate", .words = fate_words, .count = ARRAY_LEN(fate_words), \
	}
#define LABEL_refusal                                                                        \
	{                                                                                    \
		.name = "reason", .words = refusal_words, .count = ARRAY_LEN(refusal_words), \
	}
#define LABEL_outcome                                                                         \
	{                                                                                     \
		.name = "outcome", .words = outcome_words, .count = ARRAY_LEN(outcome_words), \
	}
#define LABEL_batch                                                                     \
	{                                                                               \
		.name = "state", .words = batch_words, .count = ARRAY_LEN(batch_words), \
	}
#define LABEL_row                                                                  \
	{                                                                          \
		.name = "fate", .words = row_words, .count = ARRAY_LEN(row_words), \
	}
#define LABEL_src                                                                     \
	{                                                                             \
		.name = "src", .words = state_words, .count = ARRAY_LEN(state_words), \
	}
#define LABEL_dst                                                                     \
	{                                                                             \
		.name = "dst", .words = state_words, .count = ARRAY_LEN(state_words), \
	}

static const struct metric_desc table[M_COUNT] = {
#define GATEWAY_METRIC(symbol, kind_, name_, a_, b_, help_)                                     \
	[M_##symbol] = { .name = (name_),                                                       \
			 .kind = METRIC_##kind_,                                                \
			 .help = (help_),                                                       \
			 .a = LABEL_##a_,                                                       \
			 .b = LABEL_##b_,                                                       \
			 .bounds = METRIC_##kind_ == METRIC_HISTOGRAM ? seconds : NULL,         \
			 .bound_count = METRIC_##kind_ == METRIC_HISTOGRAM ? ARRAY_LEN(seconds) \
									   : 0 },
#include "gateway/metrics.def"
#undef GATEWAY_METRIC
};

struct metrics *gateway_metrics_new(void)
{
	return metrics_new(table, M_COUNT);
}
