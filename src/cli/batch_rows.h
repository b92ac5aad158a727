/* SPDX-License-Identifier: MIT */
/*
 * batch_rows.h - the rows of a batch: read page by page, written to a file, counted by reason
 */
#ifndef CLI_BATCH_ROWS_H
#define CLI_BATCH_ROWS_H

#include "cli/api.h"
#include "cli/batch.h"

/* One row as the API tells it; borrowed until the function returns. */
struct batch_row {
	int64_t row; /* line of the list, the one below the names is 1 */
	struct str phone, state, id, wamid, code, reason, fix; /* empty: none */
};

typedef void (*batch_row_fn)(void *cookie, const struct batch_row *r);

/* Every row in `state` (NULL: every row), in order; EXIT_OK, or printed. */
int batch_rows(struct api *a, const char *id, const char *state, batch_row_fn fn, void *cookie);

/* Why rows were not sent, the most frequent first. */
#define BATCH_REASONS_MAX 50
struct batch_reason {
	int64_t count;
	char state[BATCH_WORD_MAX], code[48], reason[256], fix[512];
};
struct batch_reasons {
	struct batch_reason of[BATCH_REASONS_MAX];
	size_t count;
	int64_t others; /* rows with yet other reasons */
};

void batch_reason_add(struct batch_reasons *r, const struct batch_row *row);
/* Of all rows that were not sent; EXIT_OK, or printed. */
int batch_reasons(struct api *a, const struct batch *b, struct batch_reasons *out);
void batch_reasons_put(const struct batch_reasons *r, struct json_writer *w);
void batch_reasons_print(const struct cli *cli, const struct batch_reasons *r);

/*
 * Every row into a file, by the end of its name: .json has `sent` and `failed`,
 * anything else is CSV; "-" is standard output (CSV).  It appears when it is
 * whole.  EXIT_OK, or printed.
 */
int batch_results_write(struct cli *cli, struct api *a, const struct batch *b, const char *path);

#endif
