/* SPDX-License-Identifier: MIT */
/*
 * store_file.h - a database as a file: checked, and put back in the place of another
 *
 * For people and their tools, beside a gateway that does not run (or that has another folder).
 *
 * THREADS  any, nothing is shared
 * TESTS    tests/system/test_db.py
 */
#ifndef STORE_STORE_FILE_H
#define STORE_STORE_FILE_H

#include <godwit/error.h>

typedef void (*store_finding_fn)(void *cookie, const char *text);

/* What the file is. */
struct store_file {
	int64_t schema; /* its version */
	int64_t newest; /* the version that this program makes */
	int64_t events, messages, open; /* rows; messages that are not settled */
	int64_t findings; /* what is wrong */
};

/*
 * Check a database: pages, indexes and (of the newest schema) what the store promises; one call per
 * finding.  GW_ENOTFOUND: no such file; GW_EPARSE: not a database of ours; GW_ESTATE: newer than
 * this program.
 */
GW_NODISCARD gw_status store_file_check(const char *path, store_finding_fn finding, void *cookie,
					struct store_file *out, struct gw_error *err);
/* The same for the database of a folder.  GW_EBUSY: a gateway has it. */
GW_NODISCARD gw_status store_folder_check(const char *dir, store_finding_fn finding, void *cookie,
					  struct store_file *out, struct gw_error *err);

struct store_restore {
	const char *path, *dir; /* a backup, and the data folder */
	bool resume_queue; /* leave unsettled messages as they are: they will be sent */
	store_finding_fn finding; /* what is wrong with the backup */
	void *cookie;
	/* out */
	struct store_file file; /* findings > 0: nothing was done */
	int64_t held; /* messages that are unknown now */
	char aside[512]; /* the database that was there before; empty: none */
};

/*
 * Put a copy of a backup in the place of a folder's database.  All or nothing: it is decided when
 * the finished copy gets its name (RESTORED_NAME); an interrupted exchange of the two is finished
 * by the next who opens the folder.  Unless resume_queue, every message that may have been sent
 * since the backup becomes `unknown` with the policy `hold`.  GW_EBUSY: a gateway has the folder.
 */
GW_NODISCARD gw_status store_restore(struct store_restore *r, struct gw_error *err);

#endif
