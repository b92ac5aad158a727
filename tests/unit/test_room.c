/* SPDX-License-Identifier: MIT */
/* test_room.c - both sides of ACCOUNTS_MAX and NUMBERS_MAX, wherever what is stored is learned */
#include "store_kit.h"

#include "server/room.h"
#include <sys/stat.h>

struct rig {
	struct kit kit;
	struct accounts *memory;
	int64_t first; /* row of the first account: every number is its */
};

/* a0, a1, ... in few commits */
static void put_accounts(struct rig *r, size_t count)
{
	struct store_put_account *all = xcalloc(count + 1, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		all[i].a.name = kit_str(&r->kit, "a%zu", i);
		kit_submit(&r->kit, &all[i].req, STORE_PUT_ACCOUNT);
	}
	kit_barrier(&r->kit);
	r->first = all[0].a.row;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all[i].req.status, GW_OK);
		if (i < ACCOUNTS_MAX)
			(void)accounts_put(r->memory, &all[i].a);
	}
	free(all);
}

/* 1000, 1001, ... in few commits */
static void put_numbers(struct rig *r, size_t count)
{
	struct store_put_number *all = xcalloc(count + 1, sizeof(*all));

	for (size_t i = 0; i < count; i++) {
		all[i].n.account_row = r->first;
		all[i].n.number_id = kit_str(&r->kit, "%zu", 1000 + i);
		kit_submit(&r->kit, &all[i].req, STORE_PUT_NUMBER);
	}
	kit_barrier(&r->kit);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(all[i].req.status, GW_OK);
		if (i < NUMBERS_MAX)
			(void)accounts_put_number(r->memory, &all[i].n);
	}
	free(all);
}

static void fill(struct rig *r, size_t accounts, size_t numbers)
{
	kit_open(&r->kit);
	r->memory = accounts_new();
	put_accounts(r, accounts);
	put_numbers(r, numbers);
}

static void empty(struct rig *r)
{
	accounts_free(r->memory);
	kit_close(&r->kit);
}

static const char *path_in(const struct rig *r, const char *name, char out[KIT_PATH])
{
	kit_path(&r->kit, name, out);
	return out;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* Each of `accounts` is "NAME" or "NAME NUMBER NUMBER"; a ; ends it.  secret: any file. */
static struct config *configure(const struct rig *r, const char *accounts)
{
	struct str rest = str_from(accounts), one, name;
	char secret[KIT_PATH], conf[KIT_PATH];
	struct gw_error err = GW_ERROR_INIT;
	struct config *c = NULL;
	struct buf text;

	write_file(path_in(r, "secret", secret), "x");
	buf_init(&text, 65536);
	buf_put_fmt(&text, "data = %s\n", r->kit.dir);
	while (str_split(&rest, ';', &one)) {
		if (one.len == 0 || !str_split(&one, ' ', &name))
			continue;
		buf_put_fmt(&text,
			    "[account %.*s]\napp_secret_file = %s\ntoken_file = %s\n"
			    "numbers = %.*s\n",
			    STR_ARG(name), secret, secret, STR_ARG(one));
	}
	buf_put_char(&text, '\0');
	write_file(path_in(r, "godwit.conf", conf), text.data);
	buf_release(&text);
	if (config_load(conf, NULL, 0, &c, &err) != GW_OK)
		fail_msg("%s: %s", err.message, config_problem(c, 0));
	return c;
}

/* One line each: what is stored, what is configured, and the words of the problem; NULL: none. */
static const struct {
	const char *name;
	size_t accounts, numbers;
	const char *config;
	const char *problem, *and;
} cases[] = {
	{ "nothing", 0, 0, "", NULL, NULL },
	{ "the last account", ACCOUNTS_MAX - 1, 0, "new;", NULL, NULL },
	{ "one more account", ACCOUNTS_MAX, 0, "new;",
	  "account new: with those stored before there are 65 accounts, at most 64 are possible, "
	  "too many are new: name fewer, or remove",
	  "godwit.conf:3: " },
	{ "two, one fits", ACCOUNTS_MAX - 1, 0, "x;y;", "account y: ", "too many are y:" },
	{ "those that are there", ACCOUNTS_MAX, 1, "a0 1000;a63;", NULL, NULL },
	{ "the last number", 1, NUMBERS_MAX - 1, "a0 1;", NULL, NULL },
	{ "two more, one of them twice", 1, NUMBERS_MAX - 1, "a0 1 2=7 2;",
	  "account a0: with those stored before there are 1025 numbers, at most 1024 are "
	  "possible, too many are 2: name fewer, or remove",
	  "/godwit.db" },
	{ "more than a message holds", 1, NUMBERS_MAX,
	  "a0 1111111111111111111111111111111111111111111111111111111111111111111111111111111 "
	  "2222222222222222222222222222222222222222222222222222222222222222222222222222222 3;",
	  "1 and 2 more: name fewer", "are 111" },
	{ "numbers of another account", 2, NUMBERS_MAX, "a1 1000 2023;", NULL, NULL },
};

static void check(const char *name, size_t i, struct config *c, gw_status got)
{
	CHECK_INT(name, cases[i].problem == NULL ? GW_OK : GW_EPARSE, got);
	CHECK_INT(name, cases[i].problem == NULL ? 0 : 1, config_problem_count(c));
	if (cases[i].problem == NULL)
		return;
	if (strstr(config_problem(c, 0), cases[i].problem) == NULL ||
	    strstr(config_problem(c, 0), cases[i].and) == NULL)
		fail_msg("%s: %s", name, config_problem(c, 0));
}

static void room_and_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct config *c;
		struct rig r;

		fill(&r, cases[i].accounts, cases[i].numbers);
		c = configure(&r, cases[i].config);
		check(cases[i].name, i, c, room_of_memory(r.memory, c, &err));
		config_free(c);
		c = configure(&r, cases[i].config);
		check(cases[i].name, i, c, room_of_store(r.kit.store, c, &err));
		config_free(c);
		c = configure(&r, cases[i].config); /* beside the store that is open */
		check(cases[i].name, i, c, room_of_folder(c, &err));
		config_free(c);
		empty(&r);
	}
}

static void a_store_that_is_over(void **state)
{
	static const struct {
		size_t accounts, numbers;
		const char *want;
	} over[] = {
		{ ACCOUNTS_MAX + 2, 0,
		  "the store has 66 accounts, at most 64 are possible, too "
		  "many are a64, a65: remove what is not used" },
		{ 1, NUMBERS_MAX + 1,
		  "the store has 1025 numbers, at most 1024 are possible, too "
		  "many are 2024: remove what is not used" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(over); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct config *c;
		struct rig r;

		fill(&r, over[i].accounts, over[i].numbers);
		c = configure(&r, "a0;");
		CHECK_INT("store", GW_ELIMIT, room_of_store(r.kit.store, c, &err));
		CHECK_INT("no problem of the configuration's", 0, config_problem_count(c));
		if (strstr(err.message, over[i].want) == NULL)
			fail_msg("%s", err.message);
		CHECK_INT("folder", GW_EPARSE, room_of_folder(c, &err));
		CHECK_INT("one", 1, config_problem_count(c));
		if (strstr(config_problem(c, 0), over[i].want) == NULL)
			fail_msg("%s", config_problem(c, 0));
		config_free(c);
		empty(&r);
	}
}

/* What cannot be read is not counted, and said; where there is nothing there is nothing to say. */
static void folders_without_a_store(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[KIT_PATH];
	struct config *c;
	struct rig r;

	(void)state;
	kit_prepare(&r.kit);
	c = configure(&r, "a0 1;");
	CHECK_INT("none", GW_OK, room_of_folder(c, &err));
	write_file(path_in(&r, "godwit.db", path), "not a database, but long enough to be one");
	CHECK_INT("no database", true, room_of_folder(c, &err) != GW_OK);
	CHECK_INT("is no problem", 0, config_problem_count(c));
	assert_true(err.message[0] != '\0');
	config_free(c);
	assert_int_equal(unlink(path), 0);
	kit_reopen(&r.kit);
	kit_close(&r.kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_and_none),
		cmocka_unit_test(a_store_that_is_over),
		cmocka_unit_test(folders_without_a_store),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
