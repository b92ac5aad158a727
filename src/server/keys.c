/* SPDX-License-Identifier: MIT */
/*
 * keys.c - API keys: made once, stored hashed, checked on every call
 *
 * Listeners ask a table of the first 8 bytes of every hash, which only grows; one thread writes it.
 *
 * THREADS  The loop's; key_hash(), keys_may_have(): any.
 * TESTS    tests/unit/test_keys.c, tests/system/test_access.py
 */
#include "server/keys.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/panic.h"

#define KEY_PREFIX "gwk_"
#define KEY_RANDOM 32 /* bytes: 256 bits */

#define PRINTS 16384 /* a power of two over KEYS_MAX, so that a free place ends each search */

struct keys {
	_Atomic uint64_t prints[PRINTS]; /* 0: free */
	struct map *by_hash;
	struct key **of;
	size_t count;
};

struct keys *keys_new(void)
{
	struct keys *k = xcalloc(1, sizeof(*k));

	k->by_hash = map_new();
	return k;
}

void keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->count; i++) {
		free(k->of[i]->name);
		free(k->of[i]->scopes_text);
		free(k->of[i]->numbers);
		free(k->of[i]);
	}
	free(k->of);
	map_free(k->by_hash);
	free(k);
}

void key_make(struct rnd *r, char out[KEY_TEXT_MAX])
{
	unsigned char raw[KEY_RANDOM];

	rnd_bytes(r, raw, sizeof(raw));
	(void)str_copy(STR(KEY_PREFIX), out, KEY_TEXT_MAX);
	(void)base32_encode(raw, sizeof(raw), out + sizeof(KEY_PREFIX) - 1);
	explicit_bzero(raw, sizeof(raw));
}

void key_hash(struct str text, unsigned char out[SHA256_BYTES])
{
	sha256(text, out);
}

static const struct {
	const char *word;
	enum scope scope;
} scope_words[] = {
	{ "send", SCOPE_SEND },
	{ "read", SCOPE_READ },
	{ "manage", SCOPE_MANAGE },
	{ "admin", SCOPE_ADMIN },
};

bool scopes_parse(struct str text, unsigned *out, struct gw_error *err)
{
	bool is_empty = text.len == 0;
	unsigned scopes = 0;
	struct str word;

	while (!is_empty && str_split(&text, ',', &word)) {
		unsigned one = 0;

		word = str_trim(word);
		for (size_t i = 0; i < ARRAY_LEN(scope_words); i++)
			if (str_eq(str_from(scope_words[i].word), word))
				one = scope_words[i].scope;
		if (one == 0) {
			(void)gw_error_set(err, GW_EPARSE,
					   "scope \"%.*s\" is none of send, read, manage, admin",
					   STR_ARG(word));
			return false;
		}
		scopes |= one;
	}
	if (scopes == 0) {
		(void)gw_error_set(err, GW_EPARSE, "a key needs at least one scope");
		return false;
	}
	*out = scopes;
	return true;
}

static uint64_t print_of(const unsigned char hash[SHA256_BYTES])
{
	uint64_t print;

	memcpy(&print, hash, sizeof(print));
	return print | 1; /* 0 is a free place */
}

static void add_print(struct keys *k, const unsigned char hash[SHA256_BYTES])
{
	uint64_t print = print_of(hash);

	for (size_t i = 0; i < PRINTS; i++) {
		_Atomic uint64_t *at = &k->prints[(print + i) % PRINTS];

		if (*at == print)
			return;
		if (*at == 0) {
			*at = print;
			return;
		}
	}
	PANIC("more than %d keys", PRINTS);
}

bool keys_may_have(const struct keys *k, const unsigned char hash[SHA256_BYTES])
{
	uint64_t print = print_of(hash), there;

	for (size_t i = 0; i < PRINTS; i++) {
		there = k->prints[(print + i) % PRINTS];
		if (there == print || there == 0)
			return there == print;
	}
	return true;
}

struct key *keys_by_id(const struct keys *k, const struct id *id)
{
	for (size_t i = 0; i < k->count; i++)
		if (id_eq(&k->of[i]->id, id))
			return k->of[i];
	return NULL;
}

struct key *keys_put(struct keys *k, const struct store_key *from)
{
	struct key *key = keys_by_id(k, &from->id);

	if (key == NULL) {
		key = xcalloc(1, sizeof(*key));
		k->of = xreallocarray(k->of, k->count + 1, sizeof(*k->of));
		k->of[k->count++] = key;
	} else {
		(void)map_remove(k->by_hash, str_make((const char *)key->hash, SHA256_BYTES));
		free(key->name);
		free(key->scopes_text);
		free(key->numbers);
	}
	key->row = from->row;
	key->id = from->id;
	memcpy(key->hash, from->hash, SHA256_BYTES);
	key->name = xstrndup(from->name);
	key->scopes_text = xstrndup(from->scopes);
	key->numbers = xstrndup(from->numbers);
	if (!scopes_parse(from->scopes, &key->scopes, NULL))
		key->scopes = 0; /* a word of a newer version: it may nothing */
	key->created_ms = from->created_ms;
	key->revoked_ms = from->revoked_ms;
	add_print(k, key->hash);
	if (key->revoked_ms == 0)
		(void)map_set(k->by_hash, str_make((const char *)key->hash, SHA256_BYTES), key);
	return key;
}

const struct key *keys_find(const struct keys *k, const unsigned char hash[SHA256_BYTES])
{
	return map_get(k->by_hash, str_make((const char *)hash, SHA256_BYTES));
}

size_t keys_count(const struct keys *k)
{
	return k->count;
}

struct key *keys_at(const struct keys *k, size_t index)
{
	ASSERT(index < k->count);
	return k->of[index];
}

bool key_may(const struct key *k, enum scope scope)
{
	return (k->scopes & (scope | SCOPE_ADMIN)) != 0;
}

bool numbers_have(struct str numbers, struct str number_id)
{
	struct str one;

	if (numbers.len == 0)
		return true;
	while (str_split(&numbers, ',', &one))
		if (str_eq(str_trim(one), number_id))
			return true;
	return false;
}

bool key_may_number(const struct key *k, struct str number_id)
{
	return numbers_have(str_from(k->numbers), number_id);
}
