/* SPDX-License-Identifier: MIT */
/* batch.h - a batch as the API tells it (docs/api.md) */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "json/json.h"

#define BATCH_ID_MAX 64
#define BATCH_WORD_MAX 24

struct batch {
	char id[BATCH_ID_MAX], state[BATCH_WORD_MAX], number[64];
	char name[256]; /* the label; empty: none */
	char why[1024]; /* of a state that needs one; empty: none */
	int64_t total, ready; /* rows of the list */
	int64_t refused, duplicates; /* disjoint here; the API counts duplicates in both */
	int64_t accepted, failed, unknown, expired; /* what became of the ready ones */
	int64_t rate_tenths; /* messages in ten seconds */
	int64_t eta_s; /* -1: not known */
};

/* False: this is none. */
bool batch_read(struct json_val v, struct batch *out);
bool batch_is(const struct batch *b, const char *state);
/* Nothing changes any more by itself. */
bool batch_is_over(const struct batch *b);
/* Ready rows that did not get through, as far as is known. */
int64_t batch_not_sent(const struct batch *b);

/* "10,412" */
#define BATCH_COUNT_MAX 32
const char *batch_count(int64_t n, char out[BATCH_COUNT_MAX]);
/* "1:19", "2:05:00" */
#define BATCH_TIME_MAX 32
const char *batch_time(int64_t seconds, char out[BATCH_TIME_MAX]);

#endif
