/* SPDX-License-Identifier: MIT */
/* test_errors.c - the catalogue, the retry classes and the reading of Meta's envelope */
#include "unit.h"

#include <godwit/godwit.h>

static void test_rows(void **state)
{
	const gw_error_info *before = NULL;
	char advice[GW_ERROR_ADVICE_MAX];

	(void)state;
	assert_true(gw_error_info_count() > 150);
	for (size_t i = 0; i < gw_error_info_count(); i++) {
		const gw_error_info *r = gw_error_info_at(i);
		char name[32];

		(void)snprintf(name, sizeof(name), "%d/%d", r->code, r->subcode);
		if (before != NULL)
			CHECK_INT(name, 1,
				  before->code < r->code || (before->code == r->code &&
							     before->subcode < r->subcode));
		before = r;
		CHECK_INT(name, 1, r->title[0] >= 'A' && r->title[0] <= 'Z');
		CHECK_INT(name, 1, str_ends(str_from(r->meaning), STR(".")));
		CHECK_INT(name, 1, str_ends(str_from(r->fix), STR(".")));
		CHECK_INT(name, 0, str_ends(str_from(r->title), STR(".")));
		CHECK_INT(name, 1, r->source[0] != '\0' && r->via >= 1 && r->via <= 3);
		CHECK_INT(name, 1,
			  r->http_status == 0 || (r->http_status >= 400 && r->http_status <= 503));
		assert_ptr_equal(gw_error_info_find(r->code, r->subcode), r);
		assert_true(
			gw_error_advice(r->code, r->subcode, advice)); /* whole, and for a header */
		CHECK_INT(name, 1, str_ends(str_from(advice), STR(")")));
		for (const char *c = advice; *c != '\0'; c++)
			CHECK_INT(name, 1, *c >= ' ' && *c <= '~');
	}
	assert_null(gw_error_info_at(gw_error_info_count()));
	assert_false(gw_error_advice(999999, 0, advice));
	assert_string_equal(advice, "999999");
	assert_true(gw_error_advice(100, 2388024, advice));
	assert_non_null(strstr(advice, "(godwit explain 2388024)"));
}

/* The codes that we say we know: Meta's table and the codes of Messenger and Instagram. */
static const int known[] = {
	0,       1,       2,       3,       4,       10,      33,      100,     104,     190,
	192,     200,     368,     501,     506,     551,     613,     1026,    2200,    2500,
	80007,   80008,   130403,  130429,  130472,  130497,  130501,  131000,  131005,  131008,
	131009,  131016,  131020,  131021,  131026,  131030,  131031,  131037,  131041,  131042,
	131043,  131044,  131045,  131047,  131048,  131049,  131050,  131051,  131052,  131053,
	131055,  131056,  131057,  131059,  131061,  131062,  131063,  131064,  131201,  131202,
	131204,  131207,  131208,  131209,  131210,  131211,  131212,  131213,  131214,  131215,
	132000,  132001,  132005,  132007,  132008,  132012,  132015,  132016,  132018,  132068,
	132069,  133000,  133004,  133005,  133006,  133008,  133009,  133010,  133015,  133016,
	134011,  134100,  134101,  134102,  135000,  137000,  138000,  138001,  138002,  138003,
	138004,  138005,  138006,  138007,  138009,  138012,  138013,  138018,  139000,  139001,
	139002,  139003,  139004,  139100,  139101,  139102,  139103,  147001,  147002,  147003,
	147004,  147005,  200005,  200006,  200007,  1752041, 2018001, 2018109, 2388001, 2388012,
	2388019, 2388024, 2388039, 2388040, 2388047, 2388072, 2388073, 2388091, 2388093, 2388103,
	2388293, 2388299, 2494100, 2494164, 2494165, 2494166, 2494167, 2494168, 2494176, 2494177,
	2494179, 2593079, 2593085, 2593107, 2593108, 2593109
};

static void test_every_known_code_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		const gw_error_info *r = gw_error_info_find(known[i], 0);
		char name[32];

		(void)snprintf(name, sizeof(name), "%d", known[i]);
		CHECK_INT(name, known[i], r == NULL ? -1 : r->code);
	}
}

static const struct {
	int code, subcode, want_code, want_subcode; /* want_code -1: not listed */
} finds[] = {
	{ 131047, 0, 131047, 0 }, { 131047, 2494010, 131047, 0 },
	{ 190, 463, 190, 463 },   { 190, 999, 190, 0 },
	{ 100, 33, 100, 33 },     { 100, 2388019, 2388019, 0 },
	{ 100, 2388999, 100, 0 }, { 2388019, 0, 2388019, 0 },
	{ 200, 0, 200, 0 },       { 201, 0, 200, 0 },
	{ 299, 0, 200, 0 },       { 300, 0, -1, 0 },
	{ 199, 0, -1, 0 },        { 0, 0, 0, 0 },
	{ -1, 0, -1, 0 },         { 2147483647, 0, -1, 0 },
	{ 131999, 0, -1, 0 },
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		const gw_error_info *r = gw_error_info_find(finds[i].code, finds[i].subcode);
		char name[32];

		(void)snprintf(name, sizeof(name), "%d/%d", finds[i].code, finds[i].subcode);
		CHECK_INT(name, finds[i].want_code, r == NULL ? -1 : r->code);
		if (r != NULL)
			CHECK_INT(name, finds[i].want_subcode, r->subcode);
	}
}

/* The classes that the outbox rests on, word for word from the design (5.7). */
static const struct {
	int http;
	bool graph;
	int code;
	gw_retry want;
} classes[] = {
	{ 400, true, 4, GW_RETRY_LATER },        { 400, true, 80007, GW_RETRY_LATER },
	{ 400, true, 130429, GW_RETRY_LATER },   { 400, true, 131056, GW_RETRY_LATER },
	{ 500, true, 131057, GW_RETRY_LATER },   { 400, true, 133016, GW_RETRY_LATER },
	{ 401, true, 190, GW_RETRY_ACCOUNT },    { 403, true, 368, GW_RETRY_ACCOUNT },
	{ 403, true, 131031, GW_RETRY_ACCOUNT }, { 400, true, 131042, GW_RETRY_ACCOUNT },
	{ 400, true, 1, GW_RETRY_UNKNOWN },      { 503, true, 2, GW_RETRY_UNKNOWN },
	{ 500, true, 131000, GW_RETRY_UNKNOWN }, { 500, true, 131016, GW_RETRY_UNKNOWN },
	{ 503, true, 133004, GW_RETRY_UNKNOWN }, { 400, true, 100, GW_RETRY_NEVER },
	{ 400, true, 131009, GW_RETRY_NEVER },   { 404, true, 132001, GW_RETRY_NEVER },
	{ 429, true, 130429, GW_RETRY_LATER },   { 400, true, 999999, GW_RETRY_NEVER },
	{ 499, true, 999999, GW_RETRY_NEVER },   { 500, true, 999999, GW_RETRY_UNKNOWN },
	{ 500, false, 0, GW_RETRY_UNKNOWN },     { 503, false, 131056, GW_RETRY_UNKNOWN },
	{ 499, false, 0, GW_RETRY_NEVER },       { 404, false, 0, GW_RETRY_NEVER },
	{ 429, false, 0, GW_RETRY_LATER },       { 408, false, 0, GW_RETRY_UNKNOWN },
	{ 200, false, 0, GW_RETRY_UNKNOWN },     { 302, false, 0, GW_RETRY_NEVER },
};

static void test_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		char name[48];

		(void)snprintf(name, sizeof(name), "%d %s %d", classes[i].http,
			       classes[i].graph ? "graph" : "bare", classes[i].code);
		CHECK_STR(name, gw_retry_name(classes[i].want),
			  str_from(gw_retry_name(gw_retry_of(classes[i].http, classes[i].graph,
							     classes[i].code, 0))));
	}
}

static const struct {
	const char *name, *body;
	bool want;
	int code, subcode;
	const char *trace, *message;
} bodies[] = {
	{ "whole",
	  "{\"error\":{\"message\":\"(#131009) Parameter value is not valid\",\"type\":"
	  "\"OAuthException\",\"code\":131009,\"error_data\":{\"messaging_product\":\"whatsapp\","
	  "\"details\":\"Bad emoji.\"},\"error_subcode\":2494010,\"fbtrace_id\":\"A1b2\"}}",
	  true, 131009, 2494010, "A1b2", "(#131009) Parameter value is not valid: Bad emoji" },
	{ "data as text",
	  "{\"error\":{\"message\":\"M.\",\"code\":100,\"error_data\":\"Which parameter\"}}", true,
	  100, 0, "", "M: Which parameter" },
	{ "user message", "{\"error\":{\"code\":100,\"message\":\"M\",\"error_user_msg\":\"U\"}}",
	  true, 100, 0, "", "M: U" },
	{ "user title", "{\"error\":{\"code\":100,\"error_user_title\":\"T\"}}", true, 100, 0, "",
	  "T" },
	{ "code alone", "{\"error\":{\"code\":190}}", true, 190, 0, "",
	  "Meta gave error 190 without a text" },
	{ "code zero", "{\"error\":{\"code\":0,\"message\":\"Auth\"}}", true, 0, 0, "", "Auth" },
	{ "numbers as text", "{\"error\":{\"code\":\"190\",\"error_subcode\":\"463\"}}", true, 190,
	  463, "", "Meta gave error 190 without a text" },
	{ "odd members",
	  "{\"error\":{\"code\":1,\"message\":{},\"error_data\":[],\"fbtrace_id\":7,"
	  "\"error_subcode\":null}}",
	  true, 1, 0, "7", "Meta gave error 1 without a text" },
	{ "no code", "{\"error\":{\"message\":\"M\"}}", false, 0, 0, "", "" },
	{ "code too large", "{\"error\":{\"code\":99999999999}}", false, 0, 0, "", "" },
	{ "code as a fraction", "{\"error\":{\"code\":1.5}}", false, 0, 0, "", "" },
	{ "error as text", "{\"error\":\"invalid_request\"}", false, 0, 0, "", "" },
	{ "error list", "{\"error\":[{\"code\":1}]}", false, 0, 0, "", "" },
	{ "success", "{\"messages\":[{\"id\":\"wamid.A\"}]}", false, 0, 0, "", "" },
	{ "cut", "{\"error\":{\"code\":190", false, 0, 0, "", "" },
	{ "page", "<html>502 Bad Gateway</html>", false, 0, 0, "", "" },
	{ "empty", "", false, 0, 0, "", "" },
	{ "list", "[]", false, 0, 0, "", "" },
};

static void test_envelopes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct gw_error err = GW_ERROR_INIT;
		bool got = gw_graph_error_parse(gw_str_from(bodies[i].body), 400, &err);

		CHECK_INT(bodies[i].name, bodies[i].want, got);
		CHECK_INT(bodies[i].name, bodies[i].want, err.status == GW_EAPI);
		CHECK_INT(bodies[i].name, bodies[i].want ? 400 : 0, err.http_status);
		CHECK_INT(bodies[i].name, bodies[i].code, err.code);
		CHECK_INT(bodies[i].name, bodies[i].subcode, err.subcode);
		CHECK_STR(bodies[i].name, bodies[i].trace, str_from(err.trace_id));
		CHECK_STR(bodies[i].name, bodies[i].message, str_from(err.message));
		CHECK_INT(bodies[i].name, bodies[i].want,
			  gw_graph_error_parse(gw_str_from(bodies[i].body), 400, NULL));
	}
}

static void test_long_texts_are_cut(void **state)
{
	static char body[8192];
	struct gw_error err = GW_ERROR_INIT;

	(void)state;
	(void)snprintf(body, sizeof(body),
		       "{\"error\":{\"code\":131056,\"message\":\"%0*d\",\"fbtrace_id\":\"%0*d\"}}",
		       3000, 1, 3000, 1);
	assert_true(gw_graph_error_parse(gw_str_from(body), 400, &err));
	CHECK_INT("message", GW_ERROR_MESSAGE_MAX - 1, strlen(err.message));
	CHECK_INT("trace", GW_ERROR_TRACE_MAX - 1, strlen(err.trace_id));
	CHECK_INT("class", GW_RETRY_LATER, err.retry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),      cmocka_unit_test(test_every_known_code_has_a_row),
		cmocka_unit_test(test_find),      cmocka_unit_test(test_classes),
		cmocka_unit_test(test_envelopes), cmocka_unit_test(test_long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
