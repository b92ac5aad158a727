/* SPDX-License-Identifier: MIT */
/*
 * copy_progress.h - how far a copy of the gateway's database is, while its call waits
 */
#ifndef CLI_COPY_PROGRESS_H
#define CLI_COPY_PROGRESS_H

#include "cli/api.h"
#include "cli/progress.h"

struct copy_at {
	struct str file;
	int64_t done, total; /* pages; total 0: it waits for another copy */
	int64_t ms; /* since it was asked for */
};

struct copy_progress {
	struct progress shown;
	struct api *api; /* another than the one that waits */
	const char *file; /* NULL: the gateway chose its name; the newest is shown */
};

/* One copy of an answer of GET /api/v1/backup, while the answer lives; false: it is none. */
bool copy_at_read(struct json_val v, struct copy_at *out);
void copy_put_bar(struct buf *out, const struct copy_at *at, unsigned columns, bool utf8);
/* copy=/path pages=10752/25600 eta=00:00:03 */
void copy_put_line(struct buf *out, const struct copy_at *at);
void copy_put_json(struct buf *out, const struct copy_at *at);

/* Asks and shows, when it is time; whatever is wrong is passed over: the copy counts. */
void copy_progress_tick(void *copy_progress);

#endif
