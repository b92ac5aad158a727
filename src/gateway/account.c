/* SPDX-License-Identifier: MIT */
/*
 * account.c - accounts and numbers by name, row and number id
 *
 * Both are few (ACCOUNTS_MAX, NUMBERS_MAX) and never removed while the process
 * runs, so pointers to them stay good until accounts_free(); putting one again
 * replaces its fields.  Numbers are also in a map, since every send asks.
 *
 * Whoever stores a new one has counted them before (server/room.c): one that
 * is stored and does not fit would stop every later start, so it is a bug.
 *
 * A new token or secret may be what the account was paused for, so that
 * accounts_put() ends a pause.
 *
 * THREADS  the loop's; account_secrets_copy() makes what others may own
 * TESTS    tests/unit/test_account.c
 */
#include "gateway/account.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/panic.h"

struct accounts {
	struct account *accounts[ACCOUNTS_MAX];
	size_t count;
	struct number *numbers[NUMBERS_MAX];
	size_t number_count;
	struct map *by_number_id;
};

struct accounts *accounts_new(void)
{
	struct accounts *a = xcalloc(1, sizeof(*a));

	a->by_number_id = map_new();
	return a;
}

static void account_free(struct account *account)
{
	secret_release(&account->app_secret);
	secret_release(&account->app_secret_previous);
	secret_release(&account->verify_token);
	secret_release(&account->token);
	free(account->name);
	free(account->app_id);
	free(account->base_url);
	free(account->version);
	free(account);
}

static void number_free(struct number *number)
{
	free(number->id);
	free(number->business_id);
	free(number->address);
	free(number);
}

void accounts_free(struct accounts *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		account_free(a->accounts[i]);
	for (size_t i = 0; i < a->number_count; i++)
		number_free(a->numbers[i]);
	map_free(a->by_number_id);
	free(a);
}

static void replace_text(char **text, struct str with)
{
	free(*text);
	*text = xstrndup(with);
}

static void replace_secret(struct secret *s, struct str with)
{
	secret_release(s);
	secret_set(s, with);
}

struct account *accounts_put(struct accounts *a, const struct store_account *from)
{
	struct account *account = accounts_get(a, from->name);
	struct str base_url = from->base_url;
	bool is_other;

	if (account == NULL) {
		if (a->count == ACCOUNTS_MAX)
			PANIC("account %.*s was stored and is more than the %d there is room for",
			      STR_ARG(from->name), ACCOUNTS_MAX);
		account = xcalloc(1, sizeof(*account));
		account->name = xstrndup(from->name);
		a->accounts[a->count++] = account;
	}
	while (str_ends(base_url, STR("/")))
		base_url.len--;
	is_other = account->app_id == NULL || !str_eq(str_from(account->app_id), from->app_id) ||
		   !str_eq(str_from(account->base_url), base_url) ||
		   !secret_eq(&account->token, from->token);
	account->row = from->row;
	replace_text(&account->app_id, from->app_id);
	replace_text(&account->base_url, base_url);
	replace_text(&account->version, from->version);
	replace_secret(&account->app_secret, from->app_secret);
	replace_secret(&account->app_secret_previous, from->app_secret_previous);
	replace_secret(&account->verify_token, from->verify_token);
	replace_secret(&account->token, from->token);
	if (is_other) { /* what Meta refused is not what it is asked with from now on */
		account->paused = false;
		account->paused_code = 0;
	}
	return account;
}

/* The configuration's word, else Meta's. */
static void settle_limit(struct number *number)
{
	number->limit_mps = number->fixed_mps;
	if (number->limit_mps == 0)
		number->limit_mps = number_fact_limit(&number->fact);
	if (number->limit_mps == 0)
		number->limit_mps = NUMBER_LIMIT_DEFAULT;
}

struct number *accounts_put_number(struct accounts *a, const struct store_number *from)
{
	struct number *number = accounts_number(a, from->number_id);
	struct account *account = accounts_by_row(a, from->account_row);

	ASSERT(account != NULL);
	if (number == NULL) {
		if (a->number_count == NUMBERS_MAX)
			PANIC("number %.*s was stored and is more than the %d there is room for",
			      STR_ARG(from->number_id), NUMBERS_MAX);
		number = xcalloc(1, sizeof(*number));
		number->id = xstrndup(from->number_id);
		a->numbers[a->number_count++] = number;
		(void)map_set(a->by_number_id, from->number_id, number);
	}
	number->row = from->row;
	number->account = account;
	replace_text(&number->business_id, from->business_id);
	free(number->address);
	number->address = from->address.len == 0 ? NULL : xstrndup(from->address);
	number->fixed_mps = from->limit_mps;
	settle_limit(number);
	return number;
}

void accounts_put_fact(struct accounts *a, const struct store_number_fact *from)
{
	struct number *number = accounts_number(a, from->number_id);

	if (number == NULL)
		return;
	number_fact_from_store(from, &number->fact);
	settle_limit(number);
}

struct account *accounts_get(const struct accounts *a, struct str name)
{
	for (size_t i = 0; i < a->count; i++) {
		if (str_eq(str_from(a->accounts[i]->name), name))
			return a->accounts[i];
	}
	return NULL;
}

struct account *accounts_by_row(const struct accounts *a, int64_t row)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->accounts[i]->row == row)
			return a->accounts[i];
	}
	return NULL;
}

struct number *accounts_number(const struct accounts *a, struct str number_id)
{
	return map_get(a->by_number_id, number_id);
}

size_t accounts_count(const struct accounts *a)
{
	return a->count;
}

struct account *accounts_at(const struct accounts *a, size_t index)
{
	ASSERT(index < a->count);
	return a->accounts[index];
}

size_t accounts_number_count(const struct accounts *a)
{
	return a->number_count;
}

struct number *accounts_number_at(const struct accounts *a, size_t index)
{
	ASSERT(index < a->number_count);
	return a->numbers[index];
}

struct account_secrets *account_secrets_copy(const struct accounts *a)
{
	struct account_secrets *s = xcalloc(1, sizeof(*s));

	s->count = a->count;
	for (size_t i = 0; i < a->count; i++) {
		(void)str_copy(str_from(a->accounts[i]->name), s->of[i].name,
			       sizeof(s->of[i].name));
		s->of[i].app_secret = a->accounts[i]->app_secret;
		s->of[i].previous = a->accounts[i]->app_secret_previous;
		s->of[i].verify_token = a->accounts[i]->verify_token;
	}
	return s;
}

void account_secrets_free(struct account_secrets *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, sizeof(*s));
	free(s);
}
