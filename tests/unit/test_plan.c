/* SPDX-License-Identifier: MIT */
/* test_plan.c - what headers plan for a window that is shut, and what becomes of a message then */
#include "unit.h"

#include "gateway/plan.h"

#define HEAD                                                                            \
	"{\"messaging_product\":\"whatsapp\",\"to\":\"+49 151\",\"type\":\"template\"," \
	"\"template\":{\"name\":\"hello\",\"language\":{\"code\":\"en_US\"}"
#define PARAMETERS ",\"components\":[{\"type\":\"body\",\"parameters\":["

static const struct {
	const char *name, *kind, *park, *template, *vars;
	int bits; /* -1: refused */
	const char *body;
} headers[] = {
	{ "nothing", "text", "", "", "", 0, "" },
	{ "park", "text", "yes", "", "", STORE_PLAN_PARK, "" },
	{ "park, in capitals", "text", " YES ", "", "", STORE_PLAN_PARK, "" },
	{ "no", "text", "no", "", "", 0, "" },
	{ "no word", "text", "1", "", "", -1, "" },
	{ "a template", "text", "", "hello", "", STORE_PLAN_TEMPLATE, HEAD "}}" },
	{ "both", "image", "yes", "hello:en_US", "", 3, HEAD "}}" },
	{ "by number", "text", "", "hello", "1=A&2=b%20%22c", STORE_PLAN_TEMPLATE,
	  HEAD PARAMETERS "{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"text\",\"text\":"
			  "\"b \\\"c\"}]}]}}" },
	{ "by name", "text", "", "hello", "who=Ann+B", STORE_PLAN_TEMPLATE,
	  HEAD PARAMETERS
	  "{\"type\":\"text\",\"parameter_name\":\"who\",\"text\":\"Ann B\"}]}]}}" },
	{ "numbers out of order", "text", "", "hello", "2=b&1=a", -1, "" },
	{ "a number is missing", "text", "", "hello", "1=a&3=c", -1, "" },
	{ "both sorts", "text", "", "hello", "1=a&who=b", -1, "" },
	{ "both sorts, the other way", "text", "", "hello", "who=b&1=a", -1, "" },
	{ "no name", "text", "", "hello", "=b", -1, "" },
	{ "no value", "text", "", "hello", "1", -1, "" },
	{ "half an escape", "text", "", "hello", "1=%4", -1, "" },
	{ "no UTF-8", "text", "", "hello", "1=%ff", -1, "" },
	{ "variables of nothing", "text", "", "", "1=a", -1, "" },
	{ "no name of a template", "text", "", "Hello", "", -1, "" },
	{ "no language", "text", "", "hello:", "", -1, "" },
	{ "two languages", "text", "", "hello:en:de", "", -1, "" },
	{ "of a template", "template", "yes", "", "", -1, "" },
	{ "a template's template", "template", "", "hello", "", -1, "" },
	{ "a template without a plan", "template", "", "", "", 0, "" },
};

static void what_headers_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct outbox_submit s = { .park = str_from(headers[i].park),
					   .fallback_template = str_from(headers[i].template),
					   .fallback_vars = str_from(headers[i].vars) };
		struct send read = { .to = STR("+49 151"),
				     .kind = str_from(headers[i].kind),
				     .class_ = OUTQ_REPLY };
		struct refusal r = { .code = 0 };
		struct plan plan;
		struct buf b;
		bool ok;

		buf_init(&b, PLAN_BODY_MAX);
		ok = plan_read(&s, &read, &b, &plan, &r);
		CHECK_INT(headers[i].name, headers[i].bits >= 0, ok);
		CHECK_INT(headers[i].name, ok ? 0 : 100, r.code);
		if (ok) {
			CHECK_INT(headers[i].name, headers[i].bits, (int)plan.bits);
			CHECK_STR(headers[i].name, headers[i].body, plan.body);
		}
		buf_release(&b);
	}
}

static void what_is_marketing_stays_it(void **state)
{
	struct outbox_submit s = { .fallback_template = STR("hello") };
	struct send read = { .to = STR("49151"), .kind = STR("text"), .class_ = OUTQ_MARKETING };
	struct plan plan;
	struct refusal r;
	struct buf b;

	(void)state;
	buf_init(&b, PLAN_BODY_MAX);
	assert_true(plan_read(&s, &read, &b, &plan, &r));
	assert_int_equal(plan.class_, OUTQ_MARKETING);
	buf_release(&b);
}

static const struct {
	const char *name;
	unsigned plan;
	size_t parked;
	bool turns, follows;
	enum outq_state to;
} turns[] = {
	{ "no plan", 0, 0, false, false, OUTQ_REJECTED },
	{ "parked", STORE_PLAN_PARK, 1, true, false, OUTQ_WAITING },
	{ "the last that may", STORE_PLAN_PARK, 1, true, false, OUTQ_WAITING },
	{ "one more", STORE_PLAN_PARK, 2, false, false, OUTQ_REJECTED },
	{ "a template", STORE_PLAN_TEMPLATE, 2, true, true, OUTQ_REJECTED },
	{ "both", STORE_PLAN_PARK | STORE_PLAN_TEMPLATE, 0, true, true, OUTQ_WAITING },
	{ "both, and one more", STORE_PLAN_PARK | STORE_PLAN_TEMPLATE, 2, false, false,
	  OUTQ_REJECTED },
	{ "it follows another", STORE_PLAN_FOLLOWS, 0, false, false, OUTQ_REJECTED },
};

static void what_becomes_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
		struct outq_lane lane = { .parked = turns[i].parked };
		struct outq_entry e = { .lane = &lane, .plan = turns[i].plan };
		struct outq_move m = { .to = OUTQ_REJECTED, .unbinds = true };
		struct refusal r = { .code = 0 };

		CHECK_INT(turns[i].name, turns[i].turns, plan_turn(&e, 2, &m, &r));
		CHECK_INT(turns[i].name, turns[i].to, m.to);
		CHECK_INT(turns[i].name, turns[i].follows, m.follow);
		CHECK_INT(turns[i].name, !turns[i].turns, m.unbinds);
		CHECK_INT(turns[i].name, turns[i].to == OUTQ_WAITING, m.reason != NULL);
	}
}

#define NOW INT64_C(1800000000000)

static const struct {
	const char *name;
	int64_t window_ms, since_ms;
	bool may;
} windows[] = {
	{ "nothing is known of her", 0, 0, false },
	{ "she wrote", NOW - 1, 0, true },
	{ "a day ago", NOW - WINDOW_MS, 0, true },
	{ "more than a day ago", NOW - WINDOW_MS - 1, 0, false },
	{ "before Meta said that it is shut", NOW - 5000, NOW - 3000, false },
	{ "in that second", NOW - 3999, NOW - 3000, true },
	{ "after it", NOW - 1000, NOW - 3000, true },
};

static void who_has_written_since(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct outq_lane lane = { .window_ms = windows[i].window_ms };
		struct outq_entry e = { .lane = &lane, .since_ms = windows[i].since_ms };

		CHECK_INT(windows[i].name, windows[i].may, plan_may_go_on(&e, NOW));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_headers_plan),
		cmocka_unit_test(what_is_marketing_stays_it),
		cmocka_unit_test(what_becomes_of_it),
		cmocka_unit_test(who_has_written_since),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
