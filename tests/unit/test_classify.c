/* SPDX-License-Identifier: MIT */
/* test_classify.c - what an attempt proves: every listed code, every kind of answer */
#include "unit.h"

#include "gateway/classify.h"
#include <godwit/errors.h>

static struct verdict verdict_of(enum http_end end, int status, const char *answer, bool nothing)
{
	struct arena *a = arena_new(1U << 20);
	struct http_outcome o = { .end = end,
				  .status = status,
				  .answer = str_from(answer),
				  .retry_after_s = -1,
				  .error = GW_ERROR_INIT };
	struct verdict v;

	if (end != HTTP_END_ANSWERED)
		(void)gw_error_set(&o.error, GW_ENET, "connection reset");
	classify(&o, nothing, a, &v);
	arena_free(a);
	return v;
}

static struct verdict of_code(int status, int code, bool nothing)
{
	char answer[256];

	(void)snprintf(
		answer, sizeof(answer),
		"{\"error\":{\"message\":\"(#%d) x\",\"type\":\"OAuthException\",\"code\":%d,"
		"\"fbtrace_id\":\"A\"}}",
		code, code);
	return verdict_of(HTTP_END_ANSWERED, status, answer, nothing);
}

/* design.md 5.7, code by code. */
static const struct {
	int status, code;
	enum outq_state to;
	enum verdict_effect effect;
	bool burns;
} rule_7[] = {
	{ 400, 4, OUTQ_WAITING, EFFECT_PAUSE, false },
	{ 400, 80007, OUTQ_WAITING, EFFECT_PAUSE, false },
	{ 400, 130429, OUTQ_WAITING, EFFECT_RATE, false },
	{ 429, 130429, OUTQ_WAITING, EFFECT_RATE, false },
	{ 400, 131056, OUTQ_WAITING, EFFECT_PAIR, false },
	{ 500, 131057, OUTQ_WAITING, EFFECT_PAUSE, false },
	{ 400, 133016, OUTQ_WAITING, EFFECT_NONE, false },
	{ 401, 190, OUTQ_WAITING, EFFECT_ACCOUNT, false },
	{ 403, 368, OUTQ_WAITING, EFFECT_ACCOUNT, false },
	{ 403, 131031, OUTQ_WAITING, EFFECT_ACCOUNT, false },
	{ 400, 131042, OUTQ_WAITING, EFFECT_ACCOUNT, false },
	{ 500, 131000, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 400, 131000, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 400, 1, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 503, 2, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 500, 131016, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 503, 133004, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 400, 131047, OUTQ_REJECTED, EFFECT_NONE, false },
	{ 400, 131026, OUTQ_REJECTED, EFFECT_NONE, false },
	{ 404, 132001, OUTQ_REJECTED, EFFECT_NONE, false },
	{ 400, 987654, OUTQ_REJECTED, EFFECT_NONE, false }, /* in no table */
	{ 500, 987654, OUTQ_UNKNOWN, EFFECT_NONE, true },
	{ 500, 3, OUTQ_REJECTED, EFFECT_NONE, false }, /* known to be final */
};

static void rule_7_of_the_design(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rule_7); i++) {
		struct verdict v = of_code(rule_7[i].status, rule_7[i].code, true);
		char name[32];

		(void)snprintf(name, sizeof(name), "%d/%d", rule_7[i].status, rule_7[i].code);
		CHECK_INT(name, rule_7[i].to, v.to);
		CHECK_INT(name, rule_7[i].effect, v.effect);
		CHECK_INT(name, rule_7[i].burns, v.burns);
		CHECK_INT(name, rule_7[i].code, v.code);
		CHECK_INT(name, rule_7[i].status, v.http_status);
		CHECK_INT(name, rule_7[i].code == 987654, v.unlisted);
		assert_true(v.why[0] != '\0');
		if (v.to == OUTQ_WAITING && v.effect != EFFECT_ACCOUNT)
			assert_true(v.base_ms > 0);
	}
}

/* The assumption may be switched: then these prove non-acceptance, and burn the attempt. */
static void the_switch(void **state)
{
	static const int codes[] = { 1, 2, 131016, 133004 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct verdict v = of_code(500, codes[i], false);

		CHECK_INT("waiting", OUTQ_WAITING, v.to);
		CHECK_INT("tempfail", OUTCOME_TEMPFAIL, v.outcome);
		assert_true(v.burns);
	}
	CHECK_INT("131000 has no switch", OUTQ_UNKNOWN, of_code(500, 131000, false).to);
}

/* Every code of the library's table, as a 4xx and as a 5xx: waiting only where rule 7 says so. */
static void every_listed_code(void **state)
{
	static const int waits[] = { 4,      80007, 130429, 131056, 131057,
				     133016, 190,   368,    131031, 131042 };
	static const int proves_nothing[] = { 1, 2, 131000, 131016, 133004 };

	(void)state;
	for (size_t i = 0; i < gw_error_info_count(); i++) {
		const gw_error_info *info = gw_error_info_at(i);
		struct verdict low = of_code(400, info->code, true);
		struct verdict high = of_code(500, info->code, true);
		bool waiting = false, nothing = false;

		for (size_t k = 0; k < ARRAY_LEN(waits); k++)
			waiting |= waits[k] == info->code;
		for (size_t k = 0; k < ARRAY_LEN(proves_nothing); k++)
			nothing |= proves_nothing[k] == info->code;
		CHECK_INT(info->title,
			  waiting   ? OUTQ_WAITING
			  : nothing ? OUTQ_UNKNOWN
				    : OUTQ_REJECTED,
			  low.to);
		CHECK_INT(info->title, waiting, high.to == OUTQ_WAITING);
		assert_false(low.unlisted);
	}
}

static const struct {
	const char *name;
	int status;
	const char *answer;
	enum outq_state to;
	const char *wamid;
} answers[] = {
	{ "success", 200, "{\"messages\":[{\"id\":\"wamid.A\"}]}", OUTQ_ACCEPTED, "wamid.A" },
	{ "201", 201, "{\"messages\":[{\"id\":\"wamid.A\"}]}", OUTQ_ACCEPTED, "wamid.A" },
	{ "escapes", 200, "{\"messages\":[{\"id\":\"wamid.\\u0041\\/\"}]}", OUTQ_ACCEPTED,
	  "wamid.A/" },
	{ "no id", 200, "{\"messages\":[{}]}", OUTQ_UNKNOWN, "" },
	{ "empty id", 200, "{\"messages\":[{\"id\":\"\"}]}", OUTQ_UNKNOWN, "" },
	{ "number", 200, "{\"messages\":[{\"id\":7}]}", OUTQ_UNKNOWN, "" },
	{ "no messages", 200, "{\"success\":true}", OUTQ_UNKNOWN, "" },
	{ "cut", 200, "{\"messages\":[{\"id\":\"wamid.A\"}", OUTQ_UNKNOWN, "" },
	{ "empty", 200, "", OUTQ_UNKNOWN, "" },
	{ "garbage", 200, "<html>", OUTQ_UNKNOWN, "" },
	{ "error in a 200", 200, "{\"error\":{\"code\":131047}}", OUTQ_UNKNOWN, "" },
	{ "redirect", 302, "", OUTQ_UNKNOWN, "" },
	{ "bare 400", 400, "Bad Request", OUTQ_UNKNOWN, "" },
	{ "bare 401", 401, "", OUTQ_UNKNOWN, "" },
	{ "bare 429", 429, "<html>slow down</html>", OUTQ_UNKNOWN, "" },
	{ "bare 500", 500, "", OUTQ_UNKNOWN, "" },
	{ "bare 503", 503, "upstream", OUTQ_UNKNOWN, "" },
	{ "another API's error", 400, "{\"error\":\"no\"}", OUTQ_UNKNOWN, "" },
	{ "error without code", 400, "{\"error\":{\"message\":\"no\"}}", OUTQ_UNKNOWN, "" },
};

static void answers_without_a_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct verdict v = verdict_of(HTTP_END_ANSWERED, answers[i].status,
					      answers[i].answer, true);

		CHECK_INT(answers[i].name, answers[i].to, v.to);
		CHECK_STR(answers[i].name, answers[i].wamid, str_from(v.wamid));
		CHECK_INT(answers[i].name, answers[i].to == OUTQ_UNKNOWN, v.burns);
	}
}

static void a_long_wamid(void **state)
{
	char answer[400];
	size_t at = (size_t)snprintf(answer, sizeof(answer), "{\"messages\":[{\"id\":\"");

	(void)state;
	memset(answer + at, 'w', WAMID_MAX + 1);
	(void)snprintf(answer + at + WAMID_MAX + 1, 8, "\"}]}");
	CHECK_INT("one more", OUTQ_UNKNOWN, verdict_of(HTTP_END_ANSWERED, 200, answer, true).to);
	(void)snprintf(answer + at + WAMID_MAX, 8, "\"}]}");
	CHECK_INT("as long", OUTQ_ACCEPTED, verdict_of(HTTP_END_ANSWERED, 200, answer, true).to);
}

static void without_an_answer(void **state)
{
	static const struct {
		enum http_end end;
		enum outq_state to;
		enum metric_outcome outcome;
	} ends[] = {
		{ HTTP_END_NOT_SENT, OUTQ_WAITING, OUTCOME_TEMPFAIL },
		{ HTTP_END_REFUSED, OUTQ_WAITING, OUTCOME_TEMPFAIL },
		{ HTTP_END_LOST, OUTQ_UNKNOWN, OUTCOME_UNSURE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct verdict v = verdict_of(ends[i].end, 0, "", true);

		CHECK_INT("to", ends[i].to, v.to);
		CHECK_INT("outcome", ends[i].outcome, v.outcome);
		CHECK_INT("burns", ends[i].to == OUTQ_UNKNOWN, v.burns);
		assert_string_equal(v.why, "connection reset");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_7_of_the_design), cmocka_unit_test(the_switch),
		cmocka_unit_test(every_listed_code),    cmocka_unit_test(answers_without_a_verdict),
		cmocka_unit_test(a_long_wamid),         cmocka_unit_test(without_an_answer),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
