/* SPDX-License-Identifier: MIT */
/* test_error.c - who fills a gw_error, what is kept, where it is cut */
#include "unit.h"

#include "base/utf8.h"
#include <godwit/error.h>

#include <errno.h>

static void names(void **state)
{
	(void)state;
	for (int i = GW_OK; i <= GW_ECANCELLED; i++) {
		assert_non_null(gw_status_name((gw_status)i));
		assert_string_not_equal(gw_status_name((gw_status)i), "invalid");
		for (int j = GW_OK; j < i; j++)
			assert_string_not_equal(gw_status_name((gw_status)i),
						gw_status_name((gw_status)j));
	}
	assert_string_equal(gw_status_name(GW_OK), "ok");
	assert_string_equal(gw_status_name(GW_ELIMIT), "limit");
	assert_string_equal(gw_status_name((gw_status)99), "invalid");
	assert_string_equal(gw_status_name((gw_status)-1), "invalid");
	assert_string_equal(gw_retry_name(GW_RETRY_NEVER), "never");
	assert_string_equal(gw_retry_name(GW_RETRY_NOW), "now");
	assert_string_equal(gw_retry_name(GW_RETRY_LATER), "later");
	assert_string_equal(gw_retry_name(GW_RETRY_AFTER), "after");
	assert_string_equal(gw_retry_name(GW_RETRY_ACCOUNT), "account");
	assert_string_equal(gw_retry_name(GW_RETRY_UNKNOWN), "unknown");
	assert_string_equal(gw_retry_name((gw_retry)99), "invalid");
}

static void first_one_fills(void **state)
{
	struct gw_error err = GW_ERROR_INIT;

	(void)state;
	CHECK_INT("status", GW_EIO, gw_error_set(&err, GW_EIO, "first %d", 1));
	CHECK_INT("status of the second", GW_ENET, gw_error_set(&err, GW_ENET, "second"));
	errno = EPERM;
	CHECK_INT("status of the third", GW_EARG, gw_error_sys(&err, GW_EARG, "third"));
	CHECK_INT("kept", GW_EIO, err.status);
	assert_string_equal(err.message, "first 1");
	gw_error_clear(&err);
	CHECK_INT("cleared", GW_OK, err.status);
	assert_string_equal(err.message, "");
	(void)gw_error_set(&err, GW_ENET, "second");
	assert_string_equal(err.message, "second");
}

static void nobody_cares(void **state)
{
	(void)state;
	CHECK_INT("set", GW_EIO, gw_error_set(NULL, GW_EIO, "x"));
	CHECK_INT("sys", GW_EIO, gw_error_sys(NULL, GW_EIO, "x"));
	gw_error_context(NULL, "x");
	gw_error_clear(NULL);
}

static void errno_text(void **state)
{
	struct gw_error err = GW_ERROR_INIT;

	(void)state;
	errno = ENOENT;
	(void)gw_error_sys(&err, GW_EIO, "cannot open %s", "x");
	CHECK_INT("errno", ENOENT, errno);
	assert_string_equal(err.message, "cannot open x: No such file or directory");
}

static void context(void **state)
{
	struct gw_error err = GW_ERROR_INIT;

	(void)state;
	gw_error_context(&err, "nothing wrong");
	assert_string_equal(err.message, "");
	(void)gw_error_set(&err, GW_EIO, "inner");
	gw_error_context(&err, "media %d", 7);
	assert_string_equal(err.message, "media 7: inner");
}

/* `lead` bytes of ASCII, then two-, three- or four-byte characters to far behind the end. */
static void cut_between_characters(void **state)
{
	static const char *const characters[] = { "x", "\xC3\xA9", "\xE2\x82\xAC",
						  "\xF0\x9F\x98\x80" };
	char text[2 * GW_ERROR_MESSAGE_MAX];

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(characters); c++) {
		size_t step = strlen(characters[c]);

		for (size_t lead = 0; lead < 5; lead++) {
			struct gw_error err = GW_ERROR_INIT;
			size_t at = lead;
			size_t room = GW_ERROR_MESSAGE_MAX - 1 - lead;

			memset(text, 'a', lead);
			for (; at + step < sizeof(text); at += step)
				memcpy(text + at, characters[c], step);
			text[at] = '\0';
			(void)gw_error_set(&err, GW_EIO, "%s", text);
			CHECK_INT("set", lead + room / step * step, strlen(err.message));
			assert_true(utf8_valid(str_from(err.message)));
			gw_error_context(&err, "ctx");
			assert_true(utf8_valid(str_from(err.message)));
			assert_true(strlen(err.message) > GW_ERROR_MESSAGE_MAX - 5);
			gw_error_clear(&err);
			errno = ENOENT;
			(void)gw_error_sys(&err, GW_EIO, "%s", text);
			assert_true(utf8_valid(str_from(err.message)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),        cmocka_unit_test(first_one_fills),
		cmocka_unit_test(nobody_cares), cmocka_unit_test(errno_text),
		cmocka_unit_test(context),      cmocka_unit_test(cut_between_characters),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
