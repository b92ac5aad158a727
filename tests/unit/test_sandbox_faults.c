/* SPDX-License-Identifier: MIT */
/* test_sandbox_faults.c - rules: how they are read, when they fire, what they do to a call */
#include "sandbox_rig.h"

static uint64_t add(struct rig *r, const char *rule)
{
	struct gw_error err = GW_ERROR_INIT;
	uint64_t id = 0;

	if (faults_add(r->faults, rig_json(r, rule), &id, &err) != GW_OK)
		fail_msg("%s: %s", rule, err.message);
	return id;
}

static const struct {
	const char *name, *rule;
	gw_status want;
} rules[] = {
	{ "error", "{\"fault\":\"error\",\"code\":130429}", GW_OK },
	{ "no fault", "{\"next\":1}", GW_EARG },
	{ "unknown fault", "{\"fault\":\"explode\"}", GW_EARG },
	{ "none is no fault", "{\"fault\":\"none\"}", GW_EARG },
	{ "next 0", "{\"fault\":\"hang\",\"next\":0}", GW_EARG },
	{ "next as text", "{\"fault\":\"hang\",\"next\":\"1\"}", GW_EARG },
	{ "every", "{\"fault\":\"hang\",\"every\":3}", GW_OK },
	{ "always", "{\"fault\":\"hang\",\"always\":true}", GW_OK },
	{ "any", "{\"fault\":\"hang\",\"target\":\"any\"}", GW_OK },
	{ "unknown target", "{\"fault\":\"hang\",\"target\":\"all\"}", GW_EARG },
	{ "after acceptance of any call", "{\"fault\":\"garbage\",\"target\":\"any\"}", GW_EARG },
	{ "http 399", "{\"fault\":\"error\",\"http\":399}", GW_EARG },
	{ "http 400", "{\"fault\":\"error\",\"http\":400}", GW_OK },
	{ "http 599", "{\"fault\":\"error\",\"http\":599}", GW_OK },
	{ "http 600", "{\"fault\":\"error\",\"http\":600}", GW_EARG },
	{ "delay -1", "{\"fault\":\"slow\",\"delay_ms\":-1}", GW_EARG },
	{ "heads", "{\"fault\":\"reset_head\",\"next\":2}", GW_OK },
	{ "heads twice", "{\"fault\":\"reset_head\"}", GW_ESTATE },
	{ "always heads", "{\"fault\":\"reset_head\",\"always\":true}", GW_EARG },
	{ "heads to one", "{\"fault\":\"reset_head\",\"to\":\"" BOB "\"}", GW_EARG },
	{ "delay 0", "{\"fault\":\"slow\",\"delay_ms\":0}", GW_OK },
};

static void reading(void **state)
{
	struct rig *r = rig_new(1);
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		uint64_t id = 77;

		CHECK_INT(rules[i].name, rules[i].want,
			  faults_add(r->faults, rig_json(r, rules[i].rule), &id, NULL));
		CHECK_INT(rules[i].name, rules[i].want != GW_OK, id == 77);
		count += rules[i].want == GW_OK;
		CHECK_INT(rules[i].name, count, faults_count(r->faults));
	}
	for (int i = 0; i < 3; i++)
		CHECK_INT("two heads", i < 2, faults_take_head(r->faults));
	rig_free(r);
}

static const struct {
	const char *name, *rule;
	enum answer_act act;
	int http, code;
	bool accepted;
} effects[] = {
	{ "error", "{\"fault\":\"error\",\"code\":130429}", ANSWER_REPLY, 400, 130429, false },
	{ "error with a status", "{\"fault\":\"error\",\"code\":131056,\"http\":429}", ANSWER_REPLY,
	  429, 131056, false },
	{ "an unlisted code", "{\"fault\":\"error\",\"code\":999}", ANSWER_REPLY, 400, 999, false },
	{ "hang", "{\"fault\":\"hang\"}", ANSWER_HANG, 0, 0, false },
	{ "reset", "{\"fault\":\"reset\"}", ANSWER_RESET, 0, 0, false },
	{ "close", "{\"fault\":\"close\"}", ANSWER_CLOSE, 0, 0, false },
	{ "5xx", "{\"fault\":\"5xx\",\"http\":503}", ANSWER_REPLY, 503, -1, false },
	{ "slow", "{\"fault\":\"slow\",\"delay_ms\":5}", ANSWER_REPLY, 200, 0, true },
	{ "accept_5xx", "{\"fault\":\"accept_5xx\"}", ANSWER_REPLY, 502, -1, true },
	{ "accept_close", "{\"fault\":\"accept_close\"}", ANSWER_CLOSE, 0, 0, true },
	{ "accept_reset", "{\"fault\":\"accept_reset\"}", ANSWER_RESET, 0, 0, true },
	{ "accept_hang", "{\"fault\":\"accept_hang\"}", ANSWER_HANG, 0, 0, true },
	{ "garbage", "{\"fault\":\"garbage\"}", ANSWER_REPLY, 200, -1, true },
	{ "error_after_accept", "{\"fault\":\"error_after_accept\"}", ANSWER_REPLY, 500, 131000,
	  true },
};

static void what_they_do(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_say(r, ANA);
	for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
		uint64_t before = sent_total(r->world->sent);

		faults_clear(r->faults);
		(void)add(r, effects[i].rule);
		rig_send_text(r, ANA, NULL);
		CHECK_INT(effects[i].name, effects[i].act, r->answer.act);
		CHECK_INT(effects[i].name, effects[i].accepted,
			  sent_total(r->world->sent) - before);
		if (effects[i].act == ANSWER_REPLY)
			CHECK_INT(effects[i].name, effects[i].http, r->answer.status);
		if (effects[i].act == ANSWER_REPLY && effects[i].code >= 0)
			CHECK_INT(effects[i].name, effects[i].code, rig_code(r));
		rig_send_text(r, ANA, NULL);
		CHECK_INT(effects[i].name, 200, r->answer.status); /* once only */
	}
	rig_free(r);
}

static void when_they_fire(void **state)
{
	struct rig *r = rig_new(1);
	uint64_t id;

	(void)state;
	rig_say(r, ANA);
	rig_say(r, BOB);
	(void)add(r, "{\"fault\":\"error\",\"code\":1,\"next\":2}");
	for (int i = 0; i < 3; i++) {
		rig_send_text(r, ANA, NULL);
		CHECK_INT("next 2", i < 2 ? 1 : 0, rig_code(r));
	}
	faults_clear(r->faults);
	(void)add(r, "{\"fault\":\"error\",\"code\":1,\"every\":3}");
	for (int i = 1; i <= 6; i++) {
		rig_send_text(r, ANA, NULL);
		CHECK_INT("every 3", i % 3 == 0 ? 1 : 0, rig_code(r));
	}
	faults_clear(r->faults);
	id = add(r, "{\"fault\":\"error\",\"code\":1,\"always\":true,\"to\":\"+" BOB "\"}");
	rig_send_text(r, ANA, NULL);
	CHECK_INT("to another", 0, rig_code(r));
	rig_send_text(r, BOB, NULL);
	CHECK_INT("to bob", 1, rig_code(r));
	assert_true(faults_remove(r->faults, id));
	assert_false(faults_remove(r->faults, id));
	rig_send_text(r, BOB, NULL);
	CHECK_INT("removed", 0, rig_code(r));
	(void)add(r, "{\"fault\":\"error\",\"code\":1,\"number\":\"1\"}");
	rig_send_text(r, BOB, NULL);
	CHECK_INT("another number", 0, rig_code(r));
	rig_free(r);
}

static void which_calls(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	(void)add(r, "{\"fault\":\"error\",\"code\":2}");
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, "t", "");
	CHECK_INT("a read is no send", 200, r->answer.status);
	rig_send(r,
		 "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"x\"}");
	CHECK_INT("a receipt is no send", 131009, rig_code(r));
	rig_send_text(r, ANA, NULL);
	CHECK_INT("a send", 503, r->answer.status);
	(void)add(r, "{\"fault\":\"error\",\"code\":2,\"target\":\"any\"}");
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, NULL, "");
	CHECK_INT("before the token", 503, r->answer.status);
	(void)add(r, "{\"fault\":\"accept_5xx\"}");
	rig_send(r, "{}");
	CHECK_INT("refused is not accepted", 100, rig_code(r));
	rig_send_text(r, ANA, NULL);
	CHECK_INT("so the rule was still there", 502, r->answer.status);
	rig_free(r);
}

static void slow_and_then_something_else(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"answer_delay_ms\":100}");
	(void)add(r, "{\"fault\":\"slow\",\"delay_ms\":30}");
	(void)add(r, "{\"fault\":\"error\",\"code\":130429,\"retry_after\":42}");
	rig_send_text(r, ANA, NULL);
	CHECK_INT("both", 130429, rig_code(r));
	CHECK_INT("delay", 130, r->answer.delay_ms);
	CHECK_INT("Retry-After", 42, r->answer.retry_after_s);
	rig_free(r);
}

static void they_show(void **state)
{
	struct rig *r = rig_new(1);
	struct json_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_w_init(&w, &b);
	(void)add(r, "{\"fault\":\"error\",\"code\":130429,\"next\":2,\"to\":\"" BOB "\"}");
	faults_write(r->faults, &w);
	assert_string_equal(b.data,
			    "[{\"id\":1,\"fault\":\"error\",\"target\":\"send\",\"when\":\"next\","
			    "\"n\":2,\"to\":\"" BOB "\",\"code\":130429,\"seen\":0,\"fired\":0}]");
	buf_release(&b);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),        cmocka_unit_test(what_they_do),
		cmocka_unit_test(when_they_fire), cmocka_unit_test(which_calls),
		cmocka_unit_test(they_show),      cmocka_unit_test(slow_and_then_something_else),
	};

	return cmocka_run_group_tests_name("sandbox_faults", tests, NULL, NULL);
}
