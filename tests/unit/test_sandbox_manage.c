/* SPDX-License-Identifier: MIT */
/* test_sandbox_manage.c - templates over Graph: create, review, edit, delete, their limits */
#include "sandbox_rig.h"

#define LIST "/v26.0/" SANDBOX_WABA_ID "/message_templates"
#define DAY_MS INT64_C(86400000)
#define T(members, components)                                                           \
	"{\"name\":\"order_ok\",\"language\":\"en_US\",\"category\":\"UTILITY\"" members \
	",\"components\":[" components "]}"
#define BODY(text) "{\"type\":\"BODY\",\"text\":\"" text "\"}"
#define BODY_OF(text, samples) \
	"{\"type\":\"BODY\",\"text\":\"" text "\",\"example\":{\"body_text\":[[" samples "]]}}"
#define BUTTONS(list) BODY("b") ",{\"type\":\"BUTTONS\",\"buttons\":[" list "]}"
#define QUICK "{\"type\":\"QUICK_REPLY\",\"text\":\"ok\"}"
#define URL "{\"type\":\"URL\",\"text\":\"go\",\"url\":\"https://a.example/\"}"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1024 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64

static int64_t subcode(struct rig *r)
{
	int64_t n = 0;

	(void)json_get_i64(json_member(rig_body(r), STR("error")), STR("error_subcode"), &n);
	return n;
}

static const char *text_of(struct rig *r, const char *key)
{
	return arena_str(r->arena, rig_text(json_member(rig_body(r), str_from(key)))).ptr;
}

static void create(struct rig *r, const char *name)
{
	char body[512];

	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"%s\",\"language\":\"en\",\"category\":\"UTILITY\","
		       "\"components\":[" BODY("hello") "]}",
		       name);
	rig_call(r, "POST", LIST, "token", body);
}

static void call_id(struct rig *r, const char *method, const char *id, const char *body)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/v26.0/%s", id);
	rig_call(r, method, path, "token", body);
}

static const struct {
	const char *name, *body;
	int code, subcode;
} definitions[] = {
	{ "whole",
	  T(",\"message_send_ttl_seconds\":3600",
	    "{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Order {{1}}\",\"example\":{"
	    "\"header_text\":[\"7\"]}}," BODY_OF(
		    "Hi {{1}}, it ships {{2}}.",
		    "\"A\",\"B\"") ",{"
				   "\"type\":\"FOOTER\",\"text\":\"f\"},{\"type\":\"BUTTONS\",\"buttons\":[" QUICK
				   "," URL "]}"),
	  0, 0 },
	{ "named",
	  T(",\"parameter_format\":\"NAMED\"",
	    "{\"type\":\"BODY\",\"text\":\"Hi {{who}}, hello.\",\"example\":{"
	    "\"body_text_named_params\":[{\"param_name\":\"who\",\"example\":\"A\"}]}}"),
	  0, 0 },
	{ "no body at all", "", 100, 0 },
	{ "no name", "{\"language\":\"en\"}", 100, 0 },
	{ "name in capitals", "{\"name\":\"Order\",\"language\":\"en\"}", 100, 0 },
	{ "no language", "{\"name\":\"a\"}", 100, 0 },
	{ "language with a dash", "{\"name\":\"a\",\"language\":\"en-US\"}", 100, 0 },
	{ "no category", "{\"name\":\"a\",\"language\":\"en\"}", 100, 0 },
	{ "no components", "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\"}", 100,
	  0 },
	{ "ttl", T(",\"message_send_ttl_seconds\":29", BODY("b")), 100, 0 },
	{ "no BODY", T("", "{\"type\":\"FOOTER\",\"text\":\"f\"}"), 100, 2388072 },
	{ "body 1024", T("", BODY(X1024)), 0, 0 },
	{ "body 1025", T("", BODY(X1024 "x")), 100, 2388040 },
	{ "no sample", T("", BODY("Hi {{1}}, hello.")), 100, 2388072 },
	{ "gap", T("", BODY_OF("Hi {{2}}, hello to you.", "\"A\"")), 100, 2388072 },
	{ "side by side", T("", BODY_OF("Hi {{1}}{{2}} hello to you.", "\"A\",\"B\"")), 100,
	  2388072 },
	{ "not closed", T("", BODY("Hi {{1, hello")), 100, 2388072 },
	{ "named in a positional one", T("", BODY_OF("Hi {{who}}, hello.", "\"A\"")), 100,
	  2388072 },
	{ "variable first", T("", BODY_OF("{{1}} is here now.", "\"A\"")), 100, 2388299 },
	{ "variable last", T("", BODY_OF("here now is {{1}}", "\"A\"")), 100, 2388299 },
	{ "too many variables", T("", BODY_OF("Hi {{1}} x", "\"A\"")), 0, 0 },
	{ "too many variables", T("", BODY_OF("Hi {{1}} {{2}} x", "\"A\",\"B\"")), 100, 2388293 },
	{ "header 61", T("", "{\"type\":\"HEADER\",\"text\":\"" X64 "\"}," BODY("b")), 100,
	  2388040 },
	{ "header in two lines", T("", "{\"type\":\"HEADER\",\"text\":\"a\\nb\"}," BODY("b")), 100,
	  2388047 },
	{ "picture without a sample",
	  T("", "{\"type\":\"HEADER\",\"format\":\"IMAGE\"}," BODY("b")), 100, 2388047 },
	{ "variable in the footer", T("", BODY("b") ",{\"type\":\"FOOTER\",\"text\":\"{{a}} b\"}"),
	  100, 2388073 },
	{ "eleven buttons",
	  T("", BUTTONS(QUICK "," QUICK "," QUICK "," QUICK "," QUICK "," QUICK "," QUICK "," QUICK
			      "," QUICK "," QUICK "," QUICK)),
	  100, 0 },
	{ "three urls", T("", BUTTONS(URL "," URL "," URL)), 100, 0 },
	{ "mixed", T("", BUTTONS(QUICK "," URL "," QUICK)), 100, 0 },
	{ "others first", T("", BUTTONS(URL "," QUICK "," QUICK)), 0, 0 },
	{ "variable inside a url",
	  T("", BUTTONS("{\"type\":\"URL\",\"text\":\"t\",\"url\":\"https://a.example/{{1}}/b\","
			"\"example\":[\"x\"]}")),
	  100, 0 },
	{ "label of 26",
	  T("", BUTTONS("{\"type\":\"QUICK_REPLY\",\"text\":\"abcdefghijklmnopqrstuvwxyz\"}")), 100,
	  2388040 },
};

static void what_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct rig *r = rig_new(1);

		rig_call(r, "POST", LIST, "token", definitions[i].body);
		CHECK_INT(definitions[i].name, definitions[i].code, rig_code(r));
		CHECK_INT(definitions[i].name, definitions[i].subcode, subcode(r));
		rig_free(r);
	}
}

static void review_in_time(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;
	const char *id;

	(void)state;
	create(r, "one");
	assert_string_equal(text_of(r, "status"), "PENDING");
	id = text_of(r, "id");
	rig_advance(r, 2999);
	call_id(r, "GET", id, "");
	assert_string_equal(text_of(r, "status"), "PENDING");
	CHECK_INT("webhooks", 0, r->change_count);
	rig_advance(r, 1);
	call_id(r, "GET", id, "");
	assert_string_equal(text_of(r, "status"), "APPROVED");
	v = rig_change(r, 0);
	assert_true(str_eq(rig_text(json_member(v, STR("field"))),
			   STR("message_template_status_update")));
	assert_true(str_eq(rig_text(json_path(v, "value.event")), STR("APPROVED")));
	assert_true(str_eq(rig_text(json_path(v, "value.message_template_name")), STR("one")));
	assert_true(str_eq(json_bytes(json_path(v, "value.message_template_id")), str_from(id)));
	rig_set(r, "{\"template_review_ms\":0}");
	create(r, "two");
	assert_string_equal(text_of(r, "status"), "APPROVED");
	CHECK_INT("webhooks", 2, r->change_count);
	rig_set(r, "{\"template_review_ms\":1000}");
	create(r, "three");
	world_reset(r->world);
	rig_advance(r, 5000);
	CHECK_INT("webhooks", 2, r->change_count);
	rig_free(r);
}

static void names_and_limits(void **state)
{
	struct rig *r = rig_new(1);
	char name[32];

	(void)state;
	create(r, "one");
	create(r, "one");
	CHECK_INT("twice", 2388024, subcode(r));
	for (int i = 0; i < 99; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		create(r, name);
		CHECK_INT("created", 200, r->answer.status);
	}
	create(r, "more");
	CHECK_INT("101 in an hour", 80008, rig_code(r));
	rig_advance(r, 3600000);
	create(r, "more");
	CHECK_INT("an hour later", 200, r->answer.status);
	rig_set(r, "{\"template_limit\":50}");
	create(r, "full");
	CHECK_INT("limit", 2388019, subcode(r));
	rig_free(r);
}

static void editing(void **state)
{
	static const char edit[] = "{\"components\":[" BODY("changed") "]}";
	struct rig *r = rig_new(1);
	const char *id;

	(void)state;
	create(r, "one");
	id = text_of(r, "id");
	call_id(r, "POST", id, edit);
	CHECK_INT("pending", 2388039, subcode(r));
	rig_advance(r, 3000);
	call_id(r, "POST", id, "{}");
	CHECK_INT("nothing", 100, rig_code(r));
	call_id(r, "POST", id, "{\"category\":\"MARKETING\"}");
	CHECK_INT("category", 2388039, subcode(r));
	call_id(r, "POST", id, "{\"components\":[]}");
	CHECK_INT("no body", 2388072, subcode(r));
	call_id(r, "POST", id, edit);
	CHECK_INT("edit", 200, r->answer.status);
	call_id(r, "GET", id, "");
	assert_string_equal(text_of(r, "status"), "PENDING");
	assert_non_null(strstr(text_of(r, "components"), "changed"));
	rig_advance(r, 3000);
	call_id(r, "POST", id, edit);
	CHECK_INT("within a day", 2388039, subcode(r));
	for (int i = 0; i < 9; i++) {
		rig_advance(r, DAY_MS);
		call_id(r, "POST", id, edit);
		CHECK_INT("a day later", 200, r->answer.status);
	}
	rig_advance(r, DAY_MS);
	call_id(r, "POST", id, edit);
	CHECK_INT("eleventh", 2388039, subcode(r));
	rig_free(r);
}

static void deleting(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"template_review_ms\":0}");
	create(r, "one");
	rig_call(r, "DELETE", LIST, "token", "");
	CHECK_INT("no name", 100, rig_code(r));
	r->query = "name=one&hsm_id=1";
	rig_call(r, "DELETE", LIST, "token", "");
	CHECK_INT("another id", 100, rig_code(r));
	r->query = "name=one";
	rig_call(r, "DELETE", LIST, "token", "");
	CHECK_INT("deleted", 200, r->answer.status);
	rig_call(r, "DELETE", LIST, "token", "");
	CHECK_INT("again", 100, rig_code(r));
	r->query = NULL;
	create(r, "one");
	CHECK_INT("locked", 2388023, subcode(r));
	rig_advance(r, 30 * DAY_MS);
	create(r, "one");
	CHECK_INT("30 days later", 200, r->answer.status);
	CHECK_INT("disable", GW_OK,
		  templates_set_status(r->world->templates, STR("one"), STR("en"), STR("DISABLED"),
				       NULL));
	r->query = "name=one";
	rig_call(r, "DELETE", LIST, "token", "");
	CHECK_INT("disabled", 100, rig_code(r));
	rig_free(r);
}

static void fields(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val first;

	(void)state;
	r->query = "fields=name,quality_score&name=spring_sale";
	rig_call(r, "GET", LIST, "token", "");
	first = json_at(json_member(rig_body(r), STR("data")), 0);
	CHECK_INT("members", 3, json_count(first));
	assert_true(str_eq(rig_text(json_member(first, STR("name"))), STR("spring_sale")));
	assert_true(json_exists(json_path(first, "quality_score.score")));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),    cmocka_unit_test(review_in_time),
		cmocka_unit_test(names_and_limits), cmocka_unit_test(editing),
		cmocka_unit_test(deleting),         cmocka_unit_test(fields),
	};

	return cmocka_run_group_tests_name("sandbox_manage", tests, NULL, NULL);
}
