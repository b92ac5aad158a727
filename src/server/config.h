/* SPDX-License-Identifier: MIT */
/*
 * config.h - one table (config.def), one file, the environment and flags
 *
 * Precedence: flags, environment (GODWIT_<KEY with _ for .>), the first file
 * found (never merged), defaults.  Every problem is reported at once, each as
 * "file:line: key: what is wrong".  Accounts come from [account NAME] sections, whose keys are in
 * config_account.def.
 * Secrets come from files, $CREDENTIALS_DIRECTORY or the environment, never from flags.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "base/buf.h"
#include "base/mac.h"
#include <godwit/error.h>

#define CONFIG_PROBLEMS_MAX 64
#define CONFIG_ACCOUNTS_MAX 64

struct config_account {
	char name[64];
	char app_id[64], base_url[256], version[16], business_id[64];
	char numbers[1024];
	struct secret app_secret, app_secret_previous, verify_token, token;
	int line; /* of the first key in its section */
};

/* One field per row of config.def, named as there; see that file. */
struct config_values {
#define CONFIG_STR(key, field, def, flags, help) char field[512];
#define CONFIG_INT(key, field, def, min, max, flags, help) int64_t field;
#define CONFIG_MS(key, field, def, min, max, flags, help) int64_t field;
#define CONFIG_US(key, field, def, min, max, flags, help) int64_t field;
#define CONFIG_SIZE(key, field, def, min, max, flags, help) int64_t field;
#define CONFIG_BOOL(key, field, def, flags, help) bool field;
#include "server/config.def"
#undef CONFIG_STR
#undef CONFIG_INT
#undef CONFIG_MS
#undef CONFIG_US
#undef CONFIG_SIZE
#undef CONFIG_BOOL
};

struct config;

struct config_override {
	const char *key, *value; /* a flag: "listen.public" = "127.0.0.1:0" */
};

/*
 * Load.  path NULL: the search order of reference/ux.md 3.3.  On GW_EPARSE the
 * problems can be listed; *out is set in both cases when memory allowed.
 */
GW_NODISCARD gw_status config_load(const char *path, const struct config_override *overrides,
				   size_t count, struct config **out, struct gw_error *err);
/* The same sources (path, environment, flags) again; c stays as it is.  As config_load(). */
GW_NODISCARD gw_status config_reload(const struct config *c, struct config **out,
				     struct gw_error *err);
/* Take the LIVE values and the accounts of `from`; changed() names every key that differs. */
void config_adopt(struct config *c, struct config *from,
		  void (*changed)(void *cookie, const char *key, bool live), void *cookie);
void config_free(struct config *c); /* wipes secrets */
const struct config_values *config_values(const struct config *c);
size_t config_account_count(const struct config *c);
const struct config_account *config_account_at(const struct config *c, size_t index);
size_t config_problem_count(const struct config *c);
const char *config_problem(const struct config *c, size_t index);
/* One that shows only beside something else, such as a store (room.h): of an account, at the line
 * where it begins, or of the data folder (a NULL). */
void config_problem_add(struct config *c, const struct config_account *a, const char *fmt, ...)
	GW_PRINTF(3, 4);
/* Every key as JSON [{"key","value","default","origin","help"}], secrets never. */
void config_describe(const struct config *c, struct buf *out);
const char *config_path(const struct config *c); /* NULL: no file */

/* The tables, for godwit.conf(5) and for shells that complete; false: no such row. */
struct config_key_info {
	const char *key, *type, *def, *help;
	char min[32], max[32]; /* empty: no limits */
	bool live; /* follows SIGHUP */
};
bool config_key_at(size_t index, struct config_key_info *out);
bool config_account_key_at(size_t index, const char **out_key, const char **out_help);

#endif
