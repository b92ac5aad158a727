/* SPDX-License-Identifier: MIT */
/* finding.h - what `godwit doctor` and `godwit init` found, with cause, fix and command */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "cli/cli.h"
#include "json/json.h"
#include "server/doctor.h"

#define FINDINGS_MAX 1024

struct finding {
	char *check, *account, *number, *evidence, *topic; /* heap; all but check may be NULL */
	enum doctor_result result;
	int code, subcode;
};

struct findings {
	struct cli *cli;
	const char *account; /* of those that are added; NULL: of none */
	struct finding item[FINDINGS_MAX];
	size_t items;
};

struct findings *findings_new(struct cli *cli);
void findings_free(struct findings *all);
void findings_clear(struct findings *all);
/* Those over FINDINGS_MAX are dropped. */
void findings_add(struct findings *all, const struct doctor_finding *f);
void findings_put(struct findings *all, const char *check, enum doctor_result r, const char *topic,
		  int code, const char *fmt, ...) GW_PRINTF(6, 7);
void findings_take(struct findings *all, struct json_val v); /* as POST /api/v1/doctor has it */
/* All of them, in the order of the guides; EXIT_OK, or EXIT_CHECK when one failed.
 * where: the gateway, for commands ("unix:/run/..."); NULL: none. */
int findings_print(struct findings *all, const char *where);
/* "data", "ok" and "failed" of an open object; returns how many failed. */
size_t findings_failed(const struct findings *all);
size_t findings_write(struct findings *all, struct json_writer *w, const char *where);
void finding_print(const struct findings *all, const struct finding *f, const char *where);

#endif
