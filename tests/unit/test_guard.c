/* SPDX-License-Identifier: MIT */
/* test_guard.c - what is refused at release, and how the refusal reads */
#include "unit.h"

#include "gateway/guard.h"

#define NOW INT64_C(1800000000000)
#define DAY (INT64_C(24) * 3600 * 1000)

static const struct {
	const char *name, *kind;
	int64_t window_ms;
	bool passes;
} windows[] = {
	{ "no record", "text", 0, true },
	{ "just now", "text", NOW, true },
	{ "to the millisecond", "text", NOW - DAY, true },
	{ "a millisecond late", "text", NOW - DAY - 1, false },
	{ "long ago", "image", 1, false },
	{ "a reaction is free-form", "reaction", NOW - 2 * DAY, false },
	{ "a template needs none", "template", NOW - 2 * DAY, true },
	{ "from the future", "text", NOW + DAY, true },
};

static void the_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct outq_entry e = { .kind = str_from(windows[i].kind) };
		struct guard_facts f = { .entry = &e,
					 .window_ms = windows[i].window_ms,
					 .now_ms = NOW };
		struct refusal r = { .code = 0 };

		CHECK_INT(windows[i].name, windows[i].passes, guards_pass(&f, &r));
		CHECK_INT(windows[i].name, windows[i].passes ? 0 : 131047, r.code);
		if (!windows[i].passes)
			assert_string_equal(r.reason, "window");
	}
}

static const struct {
	const char *name, *kind;
	enum outq_class class_;
	bool opted_out;
	int64_t window_ms;
	int code; /* 0: it passes */
} wishes[] = {
	{ "nobody opted out", "template", OUTQ_MARKETING, false, NOW, 0 },
	{ "marketing to who opted out", "template", OUTQ_MARKETING, true, NOW, 131050 },
	{ "free-form marketing", "text", OUTQ_MARKETING, true, NOW, 131050 },
	{ "both reasons: the wish comes first", "text", OUTQ_MARKETING, true, 1, 131050 },
	{ "a reply in an open window", "text", OUTQ_REPLY, true, NOW, 0 },
	{ "a reply in a shut one", "text", OUTQ_REPLY, true, 1, 131047 },
	{ "a template that is no marketing", "template", OUTQ_UTILITY, true, 1, 0 },
	{ "a one-time password", "template", OUTQ_AUTHENTICATION, true, 0, 0 },
};

static void consent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		struct outq_entry e = { .kind = str_from(wishes[i].kind),
					.class_ = wishes[i].class_ };
		struct guard_facts f = { .entry = &e,
					 .window_ms = wishes[i].window_ms,
					 .now_ms = NOW,
					 .opted_out = wishes[i].opted_out };
		struct refusal r = { .code = 0 };

		CHECK_INT(wishes[i].name, wishes[i].code == 0, guards_pass(&f, &r));
		CHECK_INT(wishes[i].name, wishes[i].code, r.code);
		if (wishes[i].code == 131050)
			assert_string_equal(r.reason, "consent");
	}
}

static const struct {
	const char *name;
	struct template_fact fact;
	bool opted_out;
	int code; /* 0: it passes */
	const char *reason;
} templates[] = {
	{ "approved", { TEMPLATE_UTILITY, TEMPLATE_SENDABLE, NOW }, true, 0, NULL },
	{ "paused", { TEMPLATE_UTILITY, TEMPLATE_PAUSED, NOW }, false, 132015, "template" },
	{ "paused, a while ago",
	  { 0, TEMPLATE_PAUSED, NOW - DAY / 4 + 1 },
	  false,
	  132015,
	  "template" },
	{ "paused, too long ago", { 0, TEMPLATE_PAUSED, NOW - DAY / 4 }, false, 0, NULL },
	{ "disabled", { 0, TEMPLATE_DISABLED, 1 }, false, 132016, "template" },
	{ "rejected or deleted", { 0, TEMPLATE_ABSENT, 1 }, false, 132001, "template" },
	{ "marketing", { TEMPLATE_MARKETING, TEMPLATE_SENDABLE, 1 }, false, 0, NULL },
	{ "marketing to who opted out", { TEMPLATE_MARKETING, 0, 1 }, true, 131050, "consent" },
	{ "her wish comes first",
	  { TEMPLATE_MARKETING, TEMPLATE_PAUSED, NOW },
	  true,
	  131050,
	  "consent" },
};

static void what_is_known_of_a_template(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		struct outq_entry e = { .kind = STR("template"), .class_ = OUTQ_UTILITY };
		struct guard_facts f = { .entry = &e,
					 .now_ms = NOW,
					 .opted_out = templates[i].opted_out,
					 .template_ = &templates[i].fact };
		struct refusal r = { .code = 0 };

		CHECK_INT(templates[i].name, templates[i].code == 0, guards_pass(&f, &r));
		CHECK_INT(templates[i].name, templates[i].code, r.code);
		if (templates[i].code != 0)
			assert_string_equal(r.reason, templates[i].reason);
	}
}

static void what_is_known_of_the_number(void **state)
{
	struct outq_entry e = { .kind = STR("text"), .class_ = OUTQ_MARKETING };
	struct number_fact n = { .status = "DISCONNECTED", .read_ms = NOW };
	struct guard_facts f = {
		.entry = &e, .window_ms = 1, .now_ms = NOW, .opted_out = true, .number = &n
	};
	struct refusal r = { .code = 0 };

	(void)state;
	assert_false(guards_pass(&f, &r)); /* before all others: nothing else would help */
	CHECK_INT("code", 133010, r.code);
	CHECK_INT("status", 400, r.status);
	assert_string_equal(r.reason, "number");
	assert_non_null(strstr(r.details, "DISCONNECTED"));
	(void)str_copy(STR("CONNECTED"), n.status, sizeof(n.status));
	assert_false(guards_pass(&f, &r));
	CHECK_INT("the next one", 131050, r.code);
}

static void in_metas_shape(void **state)
{
	struct outq_entry e = { .kind = STR("text") };
	struct guard_facts f = { .entry = &e, .window_ms = INT64_C(1795200000000), .now_ms = NOW };
	struct refusal r;
	struct buf out;

	(void)state;
	assert_false(guards_pass(&f, &r));
	buf_init(&out, REFUSAL_BODY_MAX);
	refusal_put(&out, &r);
	CHECK_STR(
		"body",
		"{\"error\":{\"message\":\"(#131047) Re-engagement message\","
		"\"type\":\"OAuthException\",\"code\":131047,\"error_data\":{"
		"\"messaging_product\":\"whatsapp\",\"details\":\"Godwit refused this message: the "
		"customer last wrote at 2026-11-20T18:40:00.000Z, more than 24 hours ago; send a "
		"template, or wait until the customer writes again. 131047 Customer service window "
		"closed: More than 24 hours passed since the customer last wrote to this number. To "
		"do: Send an approved template instead, or wait for the customer to write. (godwit "
		"explain 131047)\"},\"fbtrace_id\":\"godwit\"}}",
		buf_str(&out));
	assert_true(refusal_is_ours(buf_str(&out)));
	buf_release(&out);
	assert_false(refusal_is_ours(STR("{\"error\":{\"code\":100,\"fbtrace_id\":\"A1b\"}}")));
	assert_false(refusal_is_ours(STR("")));
}

static void long_words_are_cut_between_characters(void **state)
{
	char text[2000];
	struct refusal r;
	struct buf out;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	text[sizeof(text) - 2] = '\0';
	assert_false(refuse(&r, REFUSAL_INVALID, 100, "%s", text));
	assert_true(strlen(r.details) < sizeof(r.details));
	CHECK_INT("whole characters", 1, (strlen(r.details) - 29) % 2 == 0);
	buf_init(&out, REFUSAL_BODY_MAX);
	refusal_put(&out, &r);
	assert_false(buf_failed(&out));
	buf_release(&out);
}

static void codes_have_their_status(void **state)
{
	static const struct {
		int code, status;
	} want[] = { { 100, 400 },    { 190, 401 },    { 368, 403 }, { 131031, 403 },
		     { 131042, 400 }, { 131016, 503 }, { 7, 400 } };
	struct refusal r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_false(refuse(&r, REFUSAL_ACCOUNT, want[i].code, "why"));
		CHECK_INT("status", want[i].status, r.status);
	}
	assert_false(refuse(&r, REFUSAL_INVALID, 100, "no such number"));
	r.subcode = 33;
	struct buf out;
	size_t at;

	buf_init(&out, REFUSAL_BODY_MAX);
	refusal_put(&out, &r);
	assert_true(str_find(buf_str(&out), STR("\"error_subcode\":33"), &at));
	assert_true(str_find(buf_str(&out), STR("GraphMethodException"), &at));
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window),
		cmocka_unit_test(consent),
		cmocka_unit_test(what_is_known_of_a_template),
		cmocka_unit_test(what_is_known_of_the_number),
		cmocka_unit_test(in_metas_shape),
		cmocka_unit_test(long_words_are_cut_between_characters),
		cmocka_unit_test(codes_have_their_status),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
