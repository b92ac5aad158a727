/* SPDX-License-Identifier: MIT */
/*
 * batch_check.h - the rows of a list, looked at before anything is sent
 *
 * Takes CSV in pieces or rows of JSON, gives rows with their findings to a
 * callback in groups.  Touches neither the store nor the network.
 *
 * THREADS  The loop's.
 */
#ifndef GATEWAY_BATCH_CHECK_H
#define GATEWAY_BATCH_CHECK_H

#include "gateway/batch_spec.h"
#include "store/store.h"

#define BATCH_GROUP_ROWS 500 /* one request of the store: a few ms of its thread */
#define BATCH_GROUP_BYTES (128U * 1024)

enum batch_finding {
	FINDING_NONE,
#define BATCH_FINDING(symbol, word, reason, fix) FINDING_##symbol,
#include "gateway/batch_finding.def"
#undef BATCH_FINDING
	FINDING_COUNT
};
struct batch_finding_text {
	const char *word, *reason, *fix;
};
/* By its word; NULL: unknown. */
const struct batch_finding_text *batch_finding_find(struct str word);

struct batch_group { /* rows on their way to the store; one allocation of the check's */
	struct store_add_batch_rows add; /* items, count, ready, refused, duplicates are filled */
	struct store_batch_item items[BATCH_GROUP_ROWS];
	void *owner;
	struct buf text;
};
void batch_group_free(struct batch_group *g);

struct batch_check_options {
	const struct batch_spec *spec; /* outlives it */
	struct str phone_column; /* empty: one of the usual names */
	bool allow_duplicates;
	/* takes the group */
	void (*group)(void *cookie, struct batch_group *g);
	void *cookie;
};

struct batch_check;
struct batch_check *batch_check_new(const struct batch_check_options *o);
void batch_check_free(struct batch_check *c);
/* GW_EPARSE, GW_ELIMIT, GW_EARG: the list cannot be used, err says why; nothing more is taken. */
GW_NODISCARD gw_status batch_check_csv(struct batch_check *c, struct str piece,
				       struct gw_error *err);
/* One row of JSON: an object whose members are the columns. */
GW_NODISCARD gw_status batch_check_json(struct batch_check *c, struct json_val row,
					struct gw_error *err);
/* No more will come: the last group is given, the list judged as a whole. */
GW_NODISCARD gw_status batch_check_end(struct batch_check *c, struct gw_error *err);
uint32_t batch_check_rows(const struct batch_check *c);
uint32_t batch_check_ready(const struct batch_check *c);

#endif
