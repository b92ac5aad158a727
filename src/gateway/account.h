/* SPDX-License-Identifier: MIT */
/*
 * account.h - accounts (one Meta app each) and their numbers, in memory
 *
 * Loaded from the store, seeded from the configuration.  Secrets are wiped on
 * release and have no printer.
 *
 * THREADS  The loop's; HTTP threads get copies (account_secrets).
 */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include "base/mac.h"
#include "gateway/number_fact.h"
#include "store/store.h"

#define ACCOUNTS_MAX 64
#define NUMBERS_MAX 1024
#define NUMBER_LIMIT_DEFAULT NUMBER_LIMIT_STANDARD /* as long as nobody said anything */

struct account {
	int64_t row;
	char *name;
	char *app_id;
	struct secret app_secret, app_secret_previous, verify_token, token;
	char *base_url; /* "https://graph.facebook.com", no final slash */
	char *version; /* "v26.0": used when the caller's path has none */
	bool paused; /* a code of the account came back (190, 368, ...) */
	int paused_code;
	int64_t probe_ns; /* paused: when it is tried again (clock_mono_ns()); dispatch.c */
};

struct number {
	int64_t row;
	struct account *account;
	char *id; /* phone_number_id */
	char *business_id; /* WABA */
	char *address; /* "+15550783881"; NULL: unknown */
	uint32_t fixed_mps; /* as configured; 0: what Meta says */
	uint32_t limit_mps; /* what holds */
	struct number_fact fact;
};

struct accounts;

struct accounts *accounts_new(void);
void accounts_free(struct accounts *a);
/* Add or replace by name / by number id; secrets are copied. */
struct account *accounts_put(struct accounts *a, const struct store_account *from);
struct number *accounts_put_number(struct accounts *a, const struct store_number *from);
/* What Meta said of a number, when it is stored; one that is not here changes nothing. */
void accounts_put_fact(struct accounts *a, const struct store_number_fact *from);
struct account *accounts_get(const struct accounts *a, struct str name);
struct account *accounts_by_row(const struct accounts *a, int64_t row);
struct number *accounts_number(const struct accounts *a, struct str number_id); /* NULL: unknown */
size_t accounts_count(const struct accounts *a);
struct account *accounts_at(const struct accounts *a, size_t index);
size_t accounts_number_count(const struct accounts *a);
struct number *accounts_number_at(const struct accounts *a, size_t index);

/* What the webhook front needs, as a copy another thread may own. */
struct account_secrets {
	size_t count;
	struct {
		char name[64];
		struct secret app_secret, previous, verify_token;
	} of[ACCOUNTS_MAX];
};
struct account_secrets *account_secrets_copy(const struct accounts *a);
void account_secrets_free(struct account_secrets *s); /* wipes */

#endif
