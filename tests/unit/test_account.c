/* SPDX-License-Identifier: MIT */
/* test_account.c - accounts and numbers in memory: added, replaced, copied, wiped */
#include "unit.h"

#include "gateway/account.h"

static struct account *put(struct accounts *a, int64_t row, const char *name, const char *token)
{
	struct store_account from = { .row = row,
				      .name = str_from(name),
				      .app_id = STR("app"),
				      .app_secret = STR("secret"),
				      .app_secret_previous = STR("older"),
				      .verify_token = STR("verify"),
				      .token = str_from(token),
				      .base_url = STR("https://graph.example//"),
				      .version = STR("v26.0") };

	return accounts_put(a, &from);
}

static struct number *put_number(struct accounts *a, int64_t row, int64_t account, const char *id,
				 uint32_t limit)
{
	struct store_number from = { .row = row,
				     .account_row = account,
				     .number_id = str_from(id),
				     .business_id = STR("waba"),
				     .address = row == 1 ? STR("+15550783881") : STR_EMPTY,
				     .limit_mps = limit };

	return accounts_put_number(a, &from);
}

static void added_and_found(void **state)
{
	struct accounts *a = accounts_new();
	struct account *one = put(a, 1, "one", "t1"), *two = put(a, 2, "two", "t2");
	struct number *n = put_number(a, 1, 2, "1001", 0), *m = put_number(a, 2, 1, "1002", 1000);

	(void)state;
	CHECK_INT("count", 2, accounts_count(a));
	assert_ptr_equal(accounts_get(a, STR("one")), one);
	assert_ptr_equal(accounts_get(a, STR("two")), two);
	assert_null(accounts_get(a, STR("on")));
	assert_ptr_equal(accounts_by_row(a, 2), two);
	assert_null(accounts_by_row(a, 3));
	assert_ptr_equal(accounts_at(a, 1), two);
	assert_ptr_equal(accounts_number(a, STR("1001")), n);
	assert_null(accounts_number(a, STR("1003")));
	CHECK_INT("numbers", 2, accounts_number_count(a));
	assert_ptr_equal(accounts_number_at(a, 1), m);
	assert_ptr_equal(n->account, two);
	CHECK_INT("default limit", NUMBER_LIMIT_DEFAULT, n->limit_mps);
	CHECK_INT("limit", 1000, m->limit_mps);
	assert_string_equal(n->address, "+15550783881");
	assert_null(m->address);
	assert_string_equal(one->base_url, "https://graph.example");
	accounts_free(a);
	accounts_free(NULL);
}

static void replaced_in_place(void **state)
{
	struct accounts *a = accounts_new();
	struct account *one = put(a, 1, "one", "old token");
	struct number *n = put_number(a, 1, 1, "1001", 80);

	(void)state;
	one->paused = true;
	one->paused_code = 190;
	assert_ptr_equal(put(a, 1, "one", "new"), one);
	CHECK_INT("count", 1, accounts_count(a));
	assert_true(secret_eq(&one->token, STR("new")));
	assert_false(one->paused); /* a new token ends the pause */
	CHECK_INT("code", 0, one->paused_code);
	assert_ptr_equal(put_number(a, 1, 1, "1001", 1000), n);
	CHECK_INT("limit", 1000, n->limit_mps);
	CHECK_INT("numbers", 1, accounts_number_count(a));
	accounts_free(a);
}

static void secrets_are_copied(void **state)
{
	struct accounts *a = accounts_new();
	struct account_secrets *s;

	(void)state;
	(void)put(a, 1, "one", "t1");
	(void)put(a, 2, "two", "t2");
	s = account_secrets_copy(a);
	accounts_free(a);
	CHECK_INT("count", 2, s->count);
	assert_string_equal(s->of[1].name, "two");
	assert_true(secret_eq(&s->of[1].app_secret, STR("secret")));
	assert_true(secret_eq(&s->of[1].previous, STR("older")));
	assert_true(secret_eq(&s->of[1].verify_token, STR("verify")));
	account_secrets_free(s);
	account_secrets_free(NULL);
}

/* The configuration's word on the rate, else Meta's, else the default. */
static void the_rate(void **state)
{
	struct accounts *a = accounts_new();
	struct store_number_fact fact = { .number_id = STR("1001"),
					  .throughput = STR("HIGH"),
					  .status = STR("CONNECTED"),
					  .read_ms = 5 };
	struct number *n;

	(void)state;
	(void)put(a, 1, "one", "t1");
	n = put_number(a, 1, 1, "1001", 0);
	CHECK_INT("nobody said", 80, n->limit_mps);
	accounts_put_fact(a, &fact);
	CHECK_INT("Meta says", 1000, n->limit_mps);
	CHECK_INT("it is kept", 5, n->fact.read_ms);
	(void)put_number(a, 1, 1, "1001", 7);
	CHECK_INT("the configuration outweighs it", 7, n->limit_mps);
	assert_string_equal(n->fact.status, "CONNECTED");
	fact.throughput = STR("STANDARD");
	accounts_put_fact(a, &fact);
	CHECK_INT("still", 7, n->limit_mps);
	(void)put_number(a, 1, 1, "1001", 0);
	CHECK_INT("and Meta's word is back", 80, n->limit_mps);
	fact.number_id = STR("1002");
	accounts_put_fact(a, &fact); /* nobody's */
	CHECK_INT("numbers", 1, accounts_number_count(a));
	accounts_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_and_found),
		cmocka_unit_test(replaced_in_place),
		cmocka_unit_test(secrets_are_copied),
		cmocka_unit_test(the_rate),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
