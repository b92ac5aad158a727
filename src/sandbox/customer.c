/* SPDX-License-Identifier: MIT */
/*
 * customer.c - who the customers are, and what is known about each
 *
 * ROLE        Registry by phone and by business-scoped user id; windows.
 *             customer_say.c makes them speak.
 * LIMITS      SANDBOX_CUSTOMERS_MAX, SANDBOX_INBOUND_MAX
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_world.c
 */
#include "sandbox/customer_int.h"

#include "base/mem.h"
#include "base/panic.h"

#define VISIBLE_NS (INT64_C(30) * 24 * 3600 * NS_PER_S) /* cloud-api.md 6.9 */

/* Calling codes of the countries in Meta's market map (cloud-api.md 6.8) and some more. */
static const struct {
	const char *code;
	const char *country;
} countries[] = {
	{ "1", "US" },   { "7", "RU" },   { "20", "EG" },  { "27", "ZA" },  { "31", "NL" },
	{ "33", "FR" },  { "34", "ES" },  { "36", "HU" },  { "39", "IT" },  { "40", "RO" },
	{ "41", "CH" },  { "43", "AT" },  { "44", "GB" },  { "45", "DK" },  { "46", "SE" },
	{ "47", "NO" },  { "48", "PL" },  { "49", "DE" },  { "51", "PE" },  { "52", "MX" },
	{ "54", "AR" },  { "55", "BR" },  { "56", "CL" },  { "57", "CO" },  { "58", "VE" },
	{ "60", "MY" },  { "61", "AU" },  { "62", "ID" },  { "63", "PH" },  { "65", "SG" },
	{ "81", "JP" },  { "82", "KR" },  { "84", "VN" },  { "86", "CN" },  { "90", "TR" },
	{ "91", "IN" },  { "92", "PK" },  { "94", "LK" },  { "98", "IR" },  { "212", "MA" },
	{ "234", "NG" }, { "254", "KE" }, { "351", "PT" }, { "353", "IE" }, { "358", "FI" },
	{ "380", "UA" }, { "502", "GT" }, { "506", "CR" }, { "507", "PA" }, { "591", "BO" },
	{ "593", "EC" }, { "595", "PY" }, { "598", "UY" }, { "852", "HK" }, { "880", "BD" },
	{ "966", "SA" }, { "971", "AE" }, { "972", "IL" }, { "974", "QA" }, { "977", "NP" },
};

static const char *country_of(struct str digits, const char **code)
{
	for (size_t len = 3; len >= 1; len--) {
		for (size_t i = 0; i < ARRAY_LEN(countries); i++) {
			struct str c = str_from(countries[i].code);

			if (c.len == len && str_starts(digits, c)) {
				*code = countries[i].code;
				return countries[i].country;
			}
		}
	}
	*code = "1";
	return "US";
}

void customer_calling_code(struct str digits, char out[4])
{
	const char *code;

	(void)country_of(digits, &code);
	(void)str_copy(str_from(code), out, 4);
}

/* The same phone has the same BSUID in every run: "BR." and 20 digits. */
static char *derive_user_id(struct str phone)
{
	unsigned char hash[SHA256_BYTES];
	uint64_t high, low;
	char text[32];
	const char *code;

	sha256(phone, hash);
	memcpy(&high, hash, sizeof(high));
	memcpy(&low, hash + sizeof(high), sizeof(low));
	(void)snprintf(text, sizeof(text), "%s.1%09llu%010llu", country_of(phone, &code),
		       (unsigned long long)(high % UINT64_C(1000000000)),
		       (unsigned long long)(low % UINT64_C(10000000000)));
	return xstrdup(text);
}

static void customer_free(struct customer *c)
{
	struct pair *p, *next;

	for (p = c->pairs; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	free(c->user_id);
	free(c->name);
	free(c->username);
	free(c);
}

static struct customer *add(struct customers *all, struct str phone)
{
	struct customer *c = xcalloc(1, sizeof(*c));

	(void)str_copy(phone, c->phone, sizeof(c->phone));
	c->user_id = derive_user_id(phone);
	c->reads = c->on_whatsapp = true;
	for (size_t i = 0; i < ARRAY_LEN(c->delay_ms); i++)
		c->delay_ms[i] = -1;
	TAILQ_INSERT_TAIL(&all->list, c, link);
	(void)map_set(all->by_phone, phone, c);
	(void)map_set(all->by_user_id, str_from(c->user_id), c);
	return c;
}

struct customers *customers_new(void)
{
	struct customers *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(&all->list);
	all->by_phone = map_new();
	all->by_user_id = map_new();
	all->inbound = map_new();
	all->ring = xcalloc(SANDBOX_INBOUND_MAX, sizeof(*all->ring));
	add(all, STR(SEEDED_PHONE))->name = xstrdup("Ana");
	return all;
}

void customers_free(struct customers *all)
{
	struct customer *c;

	if (all == NULL)
		return;
	while ((c = TAILQ_FIRST(&all->list)) != NULL) {
		TAILQ_REMOVE(&all->list, c, link);
		customer_free(c);
	}
	for (size_t i = 0; i < SANDBOX_INBOUND_MAX; i++)
		free(all->ring[i]);
	free(all->ring);
	map_free(all->by_phone);
	map_free(all->by_user_id);
	map_free(all->inbound);
	free(all);
}

size_t customers_count(const struct customers *all)
{
	return map_count(all->by_phone);
}

struct customer *customer_by_phone(struct world *w, struct str digits, bool create)
{
	struct customer *c = map_get(w->customers->by_phone, digits);

	if (c != NULL || !create)
		return c;
	if (customers_count(w->customers) >= SANDBOX_CUSTOMERS_MAX || digits.len >= PHONE_MAX)
		return NULL;
	return add(w->customers, digits);
}

struct customer *customer_by_user_id(const struct world *w, struct str user_id)
{
	return map_get(w->customers->by_user_id, user_id);
}

struct customer *customers_next(const struct customers *all, const struct customer *after)
{
	return after == NULL ? TAILQ_FIRST(&all->list) : TAILQ_NEXT(after, link);
}

void customer_set_user_id(struct world *w, struct customer *c, struct str user_id)
{
	(void)map_remove(w->customers->by_user_id, str_from(c->user_id));
	free(c->user_id);
	c->user_id = xstrndup(user_id);
	(void)map_set(w->customers->by_user_id, user_id, c);
}

struct pair *customer_pair(struct customer *c, const struct number *n)
{
	struct pair *p;

	for (p = c->pairs; p != NULL; p = p->next) {
		if (p->number == n)
			return p;
	}
	p = xcalloc(1, sizeof(*p));
	p->number = n;
	p->next = c->pairs;
	c->pairs = p;
	return p;
}

bool customer_window_is_open(const struct world *w, struct customer *c, const struct number *n)
{
	return world_now_ns(w) < customer_pair(c, n)->window_until_ns;
}

bool customer_shows_phone(const struct world *w, const struct customer *c)
{
	if (c->mode != CUSTOMER_HIDDEN)
		return true;
	return c->by_phone_ns != 0 && world_now_ns(w) - c->by_phone_ns < VISIBLE_NS;
}

/* Brazil: 55 AA 9 XXXXXXXX loses the 9 for area codes from 31; Mexico: 52 1 loses the 1. */
static void rewrite_national(char digits[PHONE_MAX])
{
	size_t len = strlen(digits);

	if (len == 13 && strncmp(digits, "55", 2) == 0 && digits[2] >= '3' && digits[4] == '9')
		memmove(digits + 4, digits + 5, len - 4);
	else if (len == 13 && strncmp(digits, "521", 3) == 0)
		memmove(digits + 2, digits + 3, len - 2);
}

bool customer_normalize(const struct world *w, const struct number *n, struct str to,
			char out[PHONE_MAX])
{
	bool international = to.len > 0 && to.ptr[0] == '+';
	char digits[16];
	size_t len = 0;

	for (size_t i = 0; i < to.len; i++) {
		char c = to.ptr[i];

		if (c == '+' || c == '-' || c == '(' || c == ')' || c == ' ')
			continue;
		if (c < '0' || c > '9' || len == sizeof(digits) - 1)
			return false;
		digits[len++] = c;
	}
	digits[len] = '\0';
	if (len < 5)
		return false;
	(void)snprintf(out, PHONE_MAX, "%s%s", !international && len <= 10 ? n->country : "",
		       digits);
	if (w->settings.rewrite_numbers)
		rewrite_national(out);
	return true;
}
