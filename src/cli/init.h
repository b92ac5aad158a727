/* SPDX-License-Identifier: MIT */
/*
 * init.h - what the files of `godwit init` share
 *
 *   cmd_init.c     the order: secrets, what Meta tells, files, checks, what comes next
 *   init_find.c    Meta's side: account and numbers that the token is for
 *   init_write.c   the files: secrets first, the configuration last
 *   init_listen.c  somebody who answers /webhook until the gateway runs
 */
#ifndef CLI_INIT_H
#define CLI_INIT_H

#include "cli/finding.h"
#include "cli/opt.h"
#include "net/loop.h"
#include "server/config.h"

#define INIT_PATH_MAX 1024

struct init {
	struct cli *cli;
	struct loop *loop;
	struct findings *all;
	/* as it was asked for */
	const char *account, *waba, *app_id, *public_url, *base_url, *version, *data;
	const char *token_file, *app_secret_file, *verify_token_file;
	struct opt_list from, set;
	bool force;
	/* as it was found */
	struct secret token, app_secret, verify_token;
	char waba_found[64], app_found[64];
	struct doctor_number *numbers; /* chosen; DOCTOR_NUMBERS_MAX of them */
	size_t number_count;
	/* as it was written */
	char path[INIT_PATH_MAX], folder[INIT_PATH_MAX]; /* folder: of the secrets */
	char kept[INIT_PATH_MAX]; /* the configuration that was there; empty: none was */
	struct config *config;
};

/* ---- init_find.c */

/* Business account, app and numbers; EXIT_OK, or printed. */
int init_find(struct init *in);
/* Subscribe the app and check everything, the callback too; findings go to in->all. */
int init_check(struct init *in);

/* ---- init_write.c */

/* Where the configuration goes; EXIT_OK, or printed (one is there, and no --force). */
int init_choose_path(struct init *in);
/* Path of a secret of this account: "token", "app_secret", "verify_token". */
void init_secret_path(const struct init *in, const char *what, char out[INIT_PATH_MAX]);
int init_write(struct init *in);

/* ---- init_listen.c */

struct init_listener;
/* *out stays NULL when somebody listens there already. */
GW_NODISCARD gw_status init_listen(const struct init *in, const char *address,
				   struct init_listener **out, struct gw_error *err);
void init_listener_free(struct init_listener *l);

#endif
