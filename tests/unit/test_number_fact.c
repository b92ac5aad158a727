/* SPDX-License-Identifier: MIT */
/* test_number_fact.c - what Meta says of a number: read, what it allows, when it stops */
#include "unit.h"

#include "gateway/account.h"

#define NOW INT64_C(1800000000000)

static bool read_text(const char *text, struct number_fact *out)
{
	struct arena *a = arena_new(65536);
	const struct json_doc *doc;
	bool ok;

	assert_int_equal(json_scan(str_from(text), a, &doc, NULL), GW_OK);
	ok = number_fact_read(json_root(doc), NOW, out);
	arena_free(a);
	return ok;
}

static void one_is_read(void **state)
{
	struct number_fact f = { .failed_ms = 5 };

	(void)state;
	assert_true(read_text(
		"{\"display_phone_number\":\"+1 555-078-3881\",\"verified_name\":\"Ann's\","
		"\"status\":\"CONNECTED\",\"quality_rating\":\"GREEN\",\"throughput\":"
		"{\"level\":\"HIGH\"},\"is_on_biz_app\":true,\"messaging_limit_tier\":"
		"\"TIER_1K\",\"whatsapp_business_manager_messaging_limit\":\"TIER_2K\","
		"\"id\":\"1\"}",
		&f));
	assert_string_equal(f.status, "CONNECTED");
	assert_string_equal(f.quality, "GREEN");
	assert_string_equal(f.throughput, "HIGH");
	assert_string_equal(f.messaging_limit, "TIER_2K");
	assert_string_equal(f.name, "Ann's");
	assert_string_equal(f.address, "+15550783881");
	assert_true(f.on_app);
	CHECK_INT("read", NOW, f.read_ms);
	CHECK_INT("an older failure is forgotten", 0, f.failed_ms);
}

static void what_is_missing_is_empty(void **state)
{
	struct number_fact f;

	(void)state;
	assert_true(
		read_text("{\"display_phone_number\":\"x\",\"messaging_limit_tier\":\"TIER_250\","
			  "\"status\":null,\"throughput\":\"HIGH\",\"quality_rating\":7}",
			  &f));
	assert_string_equal(f.status, "");
	assert_string_equal(f.quality, "");
	assert_string_equal(f.throughput, "");
	assert_string_equal(f.messaging_limit, "TIER_250");
	assert_string_equal(f.address, "");
	CHECK_INT("nobody said", 0, number_fact_limit(&f));
}

static void other_answers_are_none(void **state)
{
	static const char *const none[] = { "{}", "[]", "7", "{\"error\":{\"code\":190}}",
					    "{\"id\":\"1\",\"status\":\"BANNED\"}" };
	struct number_fact f = { .status = "kept" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		CHECK_INT(none[i], false, read_text(none[i], &f));
	assert_string_equal(f.status, "kept");
}

static void long_words_are_cut(void **state)
{
	char text[600];
	struct number_fact f;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "{\"display_phone_number\":\"%050d\",\"status\":\"%0100d\","
		       "\"verified_name\":\"%0127d\xc3\xa9\"}",
		       1, 1, 1);
	assert_true(read_text(text, &f));
	CHECK_INT("status", sizeof(f.status) - 1, strlen(f.status));
	CHECK_INT("name: no half character", sizeof(f.name) - 1, strlen(f.name));
	CHECK_INT("address", sizeof(f.address) - 1, strlen(f.address));
}

static const struct {
	const char *throughput;
	bool on_app;
	uint32_t mps;
} limits[] = {
	{ "STANDARD", false, 80 },      { "HIGH", false, 1000 }, { "HIGH", true, 20 },
	{ "STANDARD", true, 20 },       { "", true, 20 },        { "", false, 0 },
	{ "NOT_APPLICABLE", false, 0 },
};

static void what_it_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct number_fact f = { .on_app = limits[i].on_app };

		(void)str_copy(str_from(limits[i].throughput), f.throughput, sizeof(f.throughput));
		CHECK_INT(limits[i].throughput, limits[i].mps, number_fact_limit(&f));
	}
}

static const struct {
	const char *status;
	int64_t read_ms;
	int code; /* 0: it may send */
} stops[] = {
	{ "CONNECTED", NOW, 0 },
	{ "FLAGGED", NOW, 0 },
	{ "RESTRICTED", NOW, 0 },
	{ "RATE_LIMITED", NOW, 0 },
	{ "TOMORROW", NOW, 0 },
	{ "", NOW, 0 },
	{ "PENDING", NOW, 133010 },
	{ "UNVERIFIED", NOW, 133010 },
	{ "DISCONNECTED", NOW, 133010 },
	{ "MIGRATED", NOW, 133010 },
	{ "DELETED", NOW, 133010 },
	{ "BANNED", NOW, 131031 },
	{ "BANNED", NOW - NUMBER_FACT_FRESH_MS, 131031 },
	{ "BANNED", NOW - NUMBER_FACT_FRESH_MS - 1, 0 },
	{ "BANNED", 0, 0 },
};

static void when_it_stops(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
		struct number_fact f = { .read_ms = stops[i].read_ms };
		int code = 0;

		(void)str_copy(str_from(stops[i].status), f.status, sizeof(f.status));
		CHECK_INT(stops[i].status, stops[i].code != 0,
			  number_fact_stops(&f, NOW, &code) != NULL);
		CHECK_INT(stops[i].status, stops[i].code, code);
	}
}

static void through_the_store(void **state)
{
	struct number_fact f, back = { .failed_ms = 1 };
	struct store_number_fact kept;

	(void)state;
	assert_true(read_text(
		"{\"display_phone_number\":\"+1\",\"verified_name\":\"N\",\"status\":\"S\","
		"\"quality_rating\":\"Q\",\"throughput\":{\"level\":\"T\"},"
		"\"is_on_biz_app\":true,\"messaging_limit_tier\":\"L\"}",
		&f));
	number_fact_to_store(&f, "42", &kept);
	assert_true(str_eq(kept.number_id, STR("42")));
	number_fact_from_store(&kept, &back);
	assert_string_equal(back.name, "N");
	assert_string_equal(back.status, "S");
	assert_string_equal(back.quality, "Q");
	assert_string_equal(back.throughput, "T");
	assert_string_equal(back.messaging_limit, "L");
	assert_string_equal(back.address, "+1");
	assert_true(back.on_app);
	CHECK_INT("read", NOW, back.read_ms);
	CHECK_INT("no failure", 0, back.failed_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_read),
		cmocka_unit_test(what_is_missing_is_empty),
		cmocka_unit_test(other_answers_are_none),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(what_it_allows),
		cmocka_unit_test(when_it_stops),
		cmocka_unit_test(through_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
