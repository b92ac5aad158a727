/* SPDX-License-Identifier: MIT */
/*
 * room.c - is there room for the accounts and numbers of a configuration beside those stored?
 *
 * ROLE        Memory holds ACCOUNTS_MAX accounts and NUMBERS_MAX numbers (gateway/account.h), and
 *             a name that a configuration no longer has stays in the store.  So names are counted
 *             before the first of them is stored: afterwards no start could load them.
 * INVARIANTS  1. A name counts once, wherever it stands.
 *             2. Who calls accounts_put() or accounts_put_number() with something new asked here
 *                before it was stored.
 * FAILURE     A store that an earlier version filled over the limit is left as it is: which rows
 *             are not used only their owner knows.
 * THREADS     room_of_folder(): any.  The rest: the loop's.
 * TESTS       tests/unit/test_room.c, tests/system/test_room.py
 */
#include "server/room.h"
#include "base/buf.h"
#include "base/map.h"
#include "server/config_check.h"
#include "store/store.h"

#define OVER_BYTES 160 /* of names in one message */
#define WAY_OUT                                                                        \
	"remove what is not used from the tables account and number of %s/godwit.db, " \
	"its numbers with each account, while no gateway runs"

struct tally {
	const char *noun;
	size_t max;
	struct map *names;
	size_t over, told; /* beyond max since tally_mark(), and how many of them are in `list` */
	char list[OVER_BYTES];
};

struct room {
	struct tally accounts, numbers;
};

static void tally_init(struct tally *t, const char *noun, size_t max)
{
	*t = (struct tally){ .noun = noun, .max = max, .names = map_new() };
}

static void tally_mark(struct tally *t)
{
	t->over = t->told = 0;
	t->list[0] = '\0';
}

static void tally_add(struct tally *t, struct str name)
{
	size_t len = strlen(t->list);

	if (map_get(t->names, name) != NULL)
		return; /* inv. 1 */
	(void)map_set(t->names, name, t);
	if (map_count(t->names) <= t->max)
		return;
	t->over++;
	if (t->told + 1 < t->over || len + name.len + sizeof(", ") > sizeof(t->list))
		return; /* the first ones without a gap; the others are counted */
	(void)snprintf(t->list + len, sizeof(t->list) - len, "%s%.*s", len > 0 ? ", " : "",
		       STR_ARG(name));
	t->told++;
}

/* "a, b and 3 more" */
static const char *tally_over(const struct tally *t, char out[OVER_BYTES + 32])
{
	if (t->told == t->over)
		(void)snprintf(out, OVER_BYTES + 32, "%s", t->list);
	else
		(void)snprintf(out, OVER_BYTES + 32, "%s%s%zu more", t->list,
			       t->told > 0 ? " and " : "", t->over - t->told);
	return out;
}

static void room_init(struct room *r)
{
	tally_init(&r->accounts, "accounts", ACCOUNTS_MAX);
	tally_init(&r->numbers, "numbers", NUMBERS_MAX);
}

static void room_release(struct room *r)
{
	map_free(r->accounts.names);
	map_free(r->numbers.names);
}

static gw_status check_stored(const struct tally *t, const char *dir, struct gw_error *err)
{
	char over[OVER_BYTES + 32];

	if (t->over == 0)
		return GW_OK;
	return gw_error_set(
		err, GW_ELIMIT,
		"the store has %zu %s, at most %zu are possible, too many are %s: " WAY_OUT,
		map_count(t->names), t->noun, t->max, tally_over(t, over), dir);
}

static void check_added(const struct tally *t, struct config *c, const struct config_account *a)
{
	char over[OVER_BYTES + 32];

	if (t->over > 0)
		config_problem_add(c, a,
				   "with those stored before there are %zu %s, at most %zu are "
				   "possible, too many are %s: name fewer, or " WAY_OUT,
				   map_count(t->names), t->noun, t->max, tally_over(t, over),
				   config_values(c)->data_dir);
}

/* What c adds to what r has. */
static gw_status check_config(struct room *r, struct config *c, struct gw_error *err)
{
	for (size_t i = 0; i < config_account_count(c); i++) {
		const struct config_account *a = config_account_at(c, i);
		struct str rest = str_from(a->numbers), word, id;
		uint32_t limit;

		tally_mark(&r->accounts);
		tally_mark(&r->numbers);
		tally_add(&r->accounts, str_from(a->name));
		while (str_split(&rest, ' ', &word))
			if (word.len > 0 && config_number(word, &id, &limit, NULL) == GW_OK)
				tally_add(&r->numbers, id);
		check_added(&r->accounts, c, a);
		check_added(&r->numbers, c, a);
	}
	if (config_problem_count(c) == 0)
		return GW_OK;
	return gw_error_set(err, GW_EPARSE, "there are too many accounts or numbers");
}

/* ---- where what is stored is learned ---- */

static void on_account_name(void *cookie, struct str name)
{
	tally_add(&((struct room *)cookie)->accounts, name);
}

static void on_number_id(void *cookie, struct str id)
{
	tally_add(&((struct room *)cookie)->numbers, id);
}

static void on_account(void *cookie, const struct store_account *a)
{
	on_account_name(cookie, a->name);
}

static void on_number(void *cookie, const struct store_number *n)
{
	on_number_id(cookie, n->number_id);
}

gw_status room_of_store(struct store *s, struct config *c, struct gw_error *err)
{
	const char *dir = config_values(c)->data_dir;
	struct room r;
	gw_status st;

	room_init(&r);
	st = store_load_all(
		s,
		&(struct store_loader){ .cookie = &r, .account = on_account, .number = on_number },
		err);
	if (st == GW_OK)
		st = check_stored(&r.accounts, dir, err);
	if (st == GW_OK)
		st = check_stored(&r.numbers, dir, err);
	if (st == GW_OK)
		st = check_config(&r, c, err);
	room_release(&r);
	return st;
}

gw_status room_of_memory(const struct accounts *a, struct config *c, struct gw_error *err)
{
	struct room r;
	gw_status st;

	room_init(&r);
	for (size_t i = 0; i < accounts_count(a); i++)
		on_account_name(&r, str_from(accounts_at(a, i)->name));
	for (size_t i = 0; i < accounts_number_count(a); i++)
		on_number_id(&r, str_from(accounts_number_at(a, i)->id));
	st = check_config(&r, c, err);
	room_release(&r);
	return st;
}

gw_status room_of_folder(struct config *c, struct gw_error *err)
{
	const struct store_names into = { on_account_name, on_number_id };
	const char *dir = config_values(c)->data_dir;
	struct gw_error over = GW_ERROR_INIT;
	struct room r;
	gw_status read, st;

	room_init(&r);
	read = store_peek(dir, &into, &r, err);
	if (check_stored(&r.accounts, dir, &over) != GW_OK ||
	    check_stored(&r.numbers, dir, &over) != GW_OK)
		config_problem_add(c, NULL, "%s", over.message);
	st = check_config(&r, c, &over);
	room_release(&r);
	return st != GW_OK || read == GW_ENOTFOUND ? st : read;
}
