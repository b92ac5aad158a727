/* SPDX-License-Identifier: MIT */
/* test_config.c - every source, every type, both sides of each limit, all problems at once */
#include "unit.h"

#include "server/config.h"
#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/godwit-config-XXXXXX";

static const char *file_of(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static struct config *load(const char *text, gw_status want)
{
	struct gw_error err = GW_ERROR_INIT;
	struct config *c = NULL;

	assert_int_equal(config_load(file_of("godwit.conf", text, 0600), NULL, 0, &c, &err), want);
	assert_non_null(c);
	return c;
}

static void defaults_hold_without_a_line(void **state)
{
	struct config *c = load("", GW_OK);
	const struct config_values *v = config_values(c);

	(void)state;
	CHECK_STR("public", "127.0.0.1:8080", str_from(v->listen_public));
	CHECK_INT("wait_max", 25000, v->graph_wait_max_ms);
	CHECK_INT("body_max", 4 << 20, v->webhook_body_max);
	CHECK_INT("assume", true, v->server_errors_prove_nothing);
	CHECK_INT("problems", 0, config_problem_count(c));
	config_free(c);
}

/* One line each, and the words the one problem must hold; NULL: accepted. */
static const struct {
	const char *name, *text, *problem;
} lines[] = {
	{ "duration", "graph.wait_max = 2m", NULL },
	{ "duration at its minimum", "graph.wait_max = 100ms", NULL },
	{ "duration below", "graph.wait_max = 99ms",
	  "graph.wait_max: 99ms is below the minimum 100ms" },
	{ "duration at its maximum", "graph.wait_max = 120s", NULL },
	{ "duration above", "graph.wait_max = 121s", "above the maximum 120s" },
	{ "microseconds", "store.window = 1500us", NULL },
	{ "milliseconds for them", "store.window = 50ms", NULL },
	{ "microseconds above", "store.window = 50001us", "above the maximum 50000us" },
	{ "microseconds below", "store.window = -1us", "below the minimum 0us" },
	{ "no number of them", "store.window = us", "\"us\" is not a duration" },
	{ "not a duration", "graph.wait_max = soon", "\"soon\" is not a duration" },
	{ "whole number", "graph.in_flight = 1", NULL },
	{ "number below", "graph.in_flight = 0", "below the minimum 1" },
	{ "number above", "graph.in_flight = 10001", "above the maximum 10000" },
	{ "not a number", "graph.in_flight = many", "is not a whole number" },
	{ "size", "webhook.body_max = 64M", NULL },
	{ "size above", "webhook.body_max = 65M", "above the maximum" },
	{ "not a size", "webhook.body_max = big", "is not a size" },
	{ "bool", "relay.https_only = ON", NULL },
	{ "not a bool", "relay.https_only = maybe", "neither yes nor no" },
	{ "unknown key", "relay.retries = 3", "unknown key \"relay.retries\"" },
	{ "unknown section", "[server]\nx = 1", "unknown section [server]" },
	{ "no equals sign", "just words", "neither \"key = value\"" },
	{ "policy", "unknown.policy = expire", NULL },
	{ "odd policy", "unknown.policy = retry", "none of hold, resend, expire" },
	{ "kept for ever", "retention.events = 0", NULL },
	{ "kept as long as keys", "retention.events = 9", "0 (never) or at least 10" },
	{ "a day longer", "retention.messages = 10", NULL },
	{ "messages too", "retention.messages = 1", "0 (never) or at least 10" },
	{ "odd profile", "profile = test", "neither live nor sandbox" },
	{ "clock of a live gateway", "clock.follow = http://127.0.0.1:1",
	  "only with profile = sandbox" },
	{ "comment", "# a comment\n; another", NULL },
};

static void each_line_is_taken_or_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct config *c = load(lines[i].text,
					lines[i].problem == NULL ? GW_OK : GW_EPARSE);

		CHECK_INT(lines[i].name, lines[i].problem == NULL ? 0 : 1, config_problem_count(c));
		if (lines[i].problem != NULL &&
		    strstr(config_problem(c, 0), lines[i].problem) == NULL)
			fail_msg("%s: want \"%s\" in \"%s\"", lines[i].name, lines[i].problem,
				 config_problem(c, 0));
		config_free(c);
	}
}

static void all_problems_come_at_once_with_their_lines(void **state)
{
	struct config *c = load("graph.in_flight = 0\n\nrelay.https_only = x\nno.such = 1\n",
				GW_EPARSE);

	(void)state;
	CHECK_INT("count", 3, config_problem_count(c));
	assert_non_null(strstr(config_problem(c, 0), "godwit.conf:1: graph.in_flight"));
	assert_non_null(strstr(config_problem(c, 1), "godwit.conf:3: relay.https_only"));
	assert_non_null(strstr(config_problem(c, 2), "godwit.conf:4: unknown key"));
	config_free(c);
}

static void flags_win_over_environment_over_file(void **state)
{
	const struct config_override flag = { "listen.public", "127.0.0.1:3" };
	const char *path = file_of("godwit.conf",
				   "listen.public = 127.0.0.1:1\nlisten.api = 127.0.0.1:1\n"
				   "log.level = warn\n",
				   0600);
	struct config *c = NULL;

	(void)state;
	assert_int_equal(setenv("GODWIT_LISTEN_PUBLIC", "127.0.0.1:2", 1), 0);
	assert_int_equal(setenv("GODWIT_LISTEN_API", "127.0.0.1:2", 1), 0);
	assert_int_equal(config_load(path, &flag, 1, &c, NULL), GW_OK);
	CHECK_STR("flag", "127.0.0.1:3", str_from(config_values(c)->listen_public));
	CHECK_STR("environment", "127.0.0.1:2", str_from(config_values(c)->listen_api));
	CHECK_STR("file", "warn", str_from(config_values(c)->log_level));
	config_free(c);
	assert_int_equal(unsetenv("GODWIT_LISTEN_PUBLIC"), 0);
	assert_int_equal(unsetenv("GODWIT_LISTEN_API"), 0);
}

static void a_long_line_is_named_and_not_cut_in_silence(void **state)
{
	char text[4096] = "api.hosts = ";
	struct config *c;

	(void)state;
	memset(text + strlen(text), 'a', 3000);
	c = load(text, GW_EPARSE);
	assert_non_null(strstr(config_problem(c, 0), "longer than"));
	config_free(c);
}

static void account_text(char out[2048], const char *extra)
{
	char secret[256], token[256];

	(void)snprintf(secret, sizeof(secret), "%s", file_of("secret", "abc\n", 0600));
	(void)snprintf(token, sizeof(token), "%s", file_of("token", "EAAtoken", 0600));
	(void)snprintf(
		out, 2048,
		"[account main]\napp_secret_file = %s\ntoken_file = %s\nnumbers = 1 2=1000\n%s\n",
		secret, token, extra);
}

static void an_account_has_its_secrets_from_files(void **state)
{
	const struct config_account *a;
	struct config *c;
	char text[2048];

	(void)state;
	account_text(text, "");
	c = load(text, GW_OK);
	assert_int_equal(config_account_count(c), 1);
	a = config_account_at(c, 0);
	CHECK_STR("name", "main", str_from(a->name));
	CHECK_STR("secret", "abc", str_make((const char *)a->app_secret.bytes, a->app_secret.len));
	CHECK_STR("base url", "https://graph.facebook.com", str_from(a->base_url));
	config_free(c);
}

static void bad_accounts_are_refused(void **state)
{
	static const struct {
		const char *name, *extra, *problem;
	} cases[] = {
		{ "secret in the file itself", "app_secret = abc", "secrets come from files" },
		{ "unknown key", "colour = red", "unknown key \"colour\"" },
		{ "missing file", "verify_token_file = /no/such/file", "/no/such/file" },
		{ "no secrets", "[account other]\nnumbers = 3", "no app_secret_file" },
		{ "no name", "[account]\nnumbers = 3", "needs a name" },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config *c;
		bool found = false;

		account_text(text, cases[i].extra);
		c = load(text, GW_EPARSE);
		for (size_t k = 0; k < config_problem_count(c); k++)
			found |= strstr(config_problem(c, k), cases[i].problem) != NULL;
		if (!found)
			fail_msg("%s: no problem says \"%s\"", cases[i].name, cases[i].problem);
		config_free(c);
	}
}

static void a_secret_that_everybody_reads_is_refused(void **state)
{
	char text[2048], path[256];
	struct config *c;

	(void)state;
	account_text(text, "");
	(void)snprintf(path, sizeof(path), "%s/token", folder);
	assert_int_equal(chmod(path, 0644), 0);
	c = load(text, GW_EPARSE);
	assert_non_null(strstr(config_problem(c, 0), "readable by everybody"));
	config_free(c);
}

static void the_description_holds_every_key_and_no_secret(void **state)
{
	struct config *c;
	struct buf b;
	char text[2048];

	(void)state;
	account_text(text, "");
	c = load(text, GW_OK);
	buf_init(&b, 1U << 20);
	config_describe(c, &b);
	assert_false(buf_failed(&b));
	assert_non_null(strstr(b.data, "\"listen.public\""));
	assert_non_null(strstr(b.data, "\"origin\":\"default\""));
	assert_null(strstr(b.data, "EAAtoken"));
	buf_release(&b);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_without_a_line),
		cmocka_unit_test(each_line_is_taken_or_named),
		cmocka_unit_test(all_problems_come_at_once_with_their_lines),
		cmocka_unit_test(flags_win_over_environment_over_file),
		cmocka_unit_test(a_long_line_is_named_and_not_cut_in_silence),
		cmocka_unit_test(an_account_has_its_secrets_from_files),
		cmocka_unit_test(bad_accounts_are_refused),
		cmocka_unit_test(a_secret_that_everybody_reads_is_refused),
		cmocka_unit_test(the_description_holds_every_key_and_no_secret),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 99;
	failed = cmocka_run_group_tests_name("config", tests, NULL, NULL);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "godwit.conf", "secret", "token" };
		char path[256];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return failed;
}
