/* SPDX-License-Identifier: MIT */
/*
 * keys.h - API keys: made once, stored hashed, checked on every call
 *
 * A key is "gwk_" and 52 base32 characters (32 random bytes).  The store and
 * this table hold its SHA-256 only: keys are random, so a slow hash would add
 * nothing.
 *
 * THREADS  The loop's; key_hash(), keys_may_have(): any.
 */
#ifndef SERVER_KEYS_H
#define SERVER_KEYS_H

#include "base/mac.h"
#include "base/rnd.h"
#include "store/store.h"

#define KEY_TEXT_MAX 64
#define KEYS_MAX 10000

enum scope { SCOPE_SEND = 1, SCOPE_READ = 2, SCOPE_MANAGE = 4, SCOPE_ADMIN = 8 };

struct key {
	int64_t row;
	struct id id;
	unsigned char hash[SHA256_BYTES];
	char *name, *scopes_text, *numbers; /* numbers: ids separated by commas; "" = all */
	unsigned scopes; /* enum scope; admin has all */
	int64_t created_ms, revoked_ms;
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *k);
/* Make a new key's text. */
void key_make(struct rnd *r, char out[KEY_TEXT_MAX]);
void key_hash(struct str text, unsigned char out[SHA256_BYTES]);
/* "send,read" to a bit set; false names the odd word in err. */
bool scopes_parse(struct str text, unsigned *out, struct gw_error *err);
/* Add or replace by id. */
struct key *keys_put(struct keys *k, const struct store_key *from);
/* For a listener that must decide before a large body is read: false: no key has this hash.  True
 * says little: the key may be revoked, or another's whose hash begins alike. */
bool keys_may_have(const struct keys *k, const unsigned char hash[SHA256_BYTES]);
/* NULL: no such key, or revoked. */
const struct key *keys_find(const struct keys *k, const unsigned char hash[SHA256_BYTES]);
struct key *keys_by_id(const struct keys *k, const struct id *id);
size_t keys_count(const struct keys *k);
struct key *keys_at(const struct keys *k, size_t index);
bool key_may(const struct key *k, enum scope scope);
/* Is number_id in the list (ids with commas between them; empty: all)? */
bool numbers_have(struct str numbers, struct str number_id);
bool key_may_number(const struct key *k, struct str number_id);

#endif
