/* SPDX-License-Identifier: MIT */
/*
 * sqlite_secret.h - secrets in the database, sealed with a key that is not in it
 *
 * A secret's column holds NULL or a version byte and bytes:
 *   0x00  plain, as the first stores wrote them; sealed at the next start
 *   0x01  seal.h with the key of secrets.key_file, for "TABLE.COLUMN:OWNER"
 */
#ifndef STORE_SQLITE_SECRET_H
#define STORE_SQLITE_SECRET_H

#include "base/log.h"
#include "base/mac.h"
#include "base/seal.h"
#include <godwit/error.h>
#include <sqlite3.h>

struct keyring {
	unsigned char now[SEAL_KEY_BYTES], before[SEAL_KEY_BYTES];
	bool has_before; /* the key is being changed */
};

struct sealed {
	unsigned char bytes[1 + SECRET_MAX + SEAL_OVERHEAD];
	size_t len; /* 0: none */
};

/*
 * Read the key, or make it when the file is not there and nothing was sealed with it yet; then seal
 * what is plain, or sealed with the key before.  GW_EAUTH: a secret opens with neither key.
 */
GW_NODISCARD gw_status secrets_open(struct keyring *k, sqlite3 *db, const char *key_file,
				    const char *previous_file, struct rnd *r, const struct log *log,
				    struct gw_error *err);

/* false: longer than SECRET_MAX */
bool secret_seal(const struct keyring *k, struct rnd *r, const char *column, struct str owner,
		 struct str secret, struct sealed *out);
/* out stays empty when there is none; false: it does not open.  Who has it wipes it. */
bool secret_unseal(const struct keyring *k, const char *column, struct str owner, struct str blob,
		   struct secret *out);

#endif
