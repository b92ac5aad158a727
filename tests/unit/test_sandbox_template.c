/* SPDX-License-Identifier: MIT */
/* test_sandbox_template.c - templates: what a definition asks of a send */
#include "sandbox_rig.h"

#define BODY(text) "{\"type\":\"BODY\",\"text\":\"" text "\"}"
#define DEFINE(parts) "{\"name\":\"t\",\"language\":\"en\",\"components\":[" parts "]}"
#define DEFINE_AS(more, parts) \
	"{\"name\":\"t\",\"language\":\"en\"," more ",\"components\":[" parts "]}"
#define SEND(parts) "{\"name\":\"t\",\"language\":{\"code\":\"en\"},\"components\":[" parts "]}"
#define PLAIN "{\"name\":\"t\",\"language\":{\"code\":\"en\"}}"
#define T(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define NAMED(name) "{\"type\":\"text\",\"parameter_name\":\"" name "\",\"text\":\"x\"}"
#define PARAMS(kind, list) "{\"type\":\"" kind "\",\"parameters\":[" list "]}"
#define PRESS(sub, index, list)                                                                   \
	"{\"type\":\"button\",\"sub_type\":\"" sub "\",\"index\":" index ",\"parameters\":[" list \
	"]}"
#define URL \
	"{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"text\":\"Go\",\"url\":\"https://a.example/{{1}}\"}]}"
#define IMAGE "{\"type\":\"HEADER\",\"format\":\"IMAGE\"}"
#define X100                                                               \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

static const struct {
	const char *name, *define, *send;
	int code;
} cases[] = {
	{ "nothing asked, nothing given", DEFINE(BODY("hi")), PLAIN, 0 },
	{ "empty components", DEFINE(BODY("hi")), SEND(""), 0 },
	{ "components are an object", DEFINE(BODY("hi")),
	  "{\"name\":\"t\",\"language\":{\"code\":\"en\"},\"components\":{}}", 131009 },
	{ "no name", DEFINE(BODY("hi")), "{\"language\":{\"code\":\"en\"}}", 131008 },
	{ "no language", DEFINE(BODY("hi")), "{\"name\":\"t\"}", 131008 },
	{ "policy", DEFINE(BODY("hi")),
	  "{\"name\":\"t\",\"language\":{\"code\":\"en\",\"policy\":\"deterministic\"}}", 0 },
	{ "odd policy", DEFINE(BODY("hi")),
	  "{\"name\":\"t\",\"language\":{\"code\":\"en\",\"policy\":\"fallback\"}}", 131009 },
	{ "another name", DEFINE(BODY("hi")), "{\"name\":\"u\",\"language\":{\"code\":\"en\"}}",
	  132001 },
	{ "another language", DEFINE(BODY("hi")),
	  "{\"name\":\"t\",\"language\":{\"code\":\"en_US\"}}", 132001 },
	{ "pending", DEFINE_AS("\"status\":\"PENDING\"", BODY("hi")), PLAIN, 132001 },
	{ "rejected", DEFINE_AS("\"status\":\"REJECTED\"", BODY("hi")), PLAIN, 132001 },
	{ "paused", DEFINE_AS("\"status\":\"PAUSED\"", BODY("hi")), PLAIN, 132015 },
	{ "disabled", DEFINE_AS("\"status\":\"DISABLED\"", BODY("hi")), PLAIN, 132016 },
	{ "one of two", DEFINE(BODY("{{1}} {{2}}")), SEND(PARAMS("body", T("a"))), 132000 },
	{ "two of two", DEFINE(BODY("{{1}} {{2}}")), SEND(PARAMS("body", T("a") "," T("b"))), 0 },
	{ "three of two", DEFINE(BODY("{{1}} {{2}}")),
	  SEND(PARAMS("body", T("a") "," T("b") "," T("c"))), 132000 },
	{ "none of two", DEFINE(BODY("{{1}} {{2}}")), PLAIN, 132000 },
	{ "one variable twice", DEFINE(BODY("{{1}} {{1}}")), SEND(PARAMS("BODY", T("a"))), 0 },
	{ "an image for a text", DEFINE(BODY("{{1}}")),
	  SEND(PARAMS("body", "{\"type\":\"image\",\"image\":{\"id\":\"1\"}}")), 132012 },
	{ "a currency", DEFINE(BODY("{{1}}")),
	  SEND(PARAMS("body", "{\"type\":\"currency\",\"currency\":{\"fallback_value\":\"$5\"}}")),
	  0 },
	{ "a currency without a fallback", DEFINE(BODY("{{1}}")),
	  SEND(PARAMS("body", "{\"type\":\"currency\",\"currency\":{}}")), 131008 },
	{ "empty text", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", T(""))), 131008 },
	{ "no type", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", "{\"text\":\"a\"}")), 131008 },
	{ "a line break", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", T("a\\nb"))), 132012 },
	{ "a tab", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", T("a\\tb"))), 132012 },
	{ "four blanks", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", T("a    b"))), 0 },
	{ "five blanks", DEFINE(BODY("{{1}}")), SEND(PARAMS("body", T("a     b"))), 132012 },
	{ "1024 filled in", DEFINE(BODY("x{{1}}")),
	  SEND(PARAMS("body", T(X1000 "xxxxxxxxxxxxxxxxxxxxxxx"))), 0 },
	{ "1025 filled in", DEFINE(BODY("x{{1}}")),
	  SEND(PARAMS("body", T(X1000 "xxxxxxxxxxxxxxxxxxxxxxxx"))), 132005 },
	{ "named", DEFINE_AS("\"parameter_format\":\"NAMED\"", BODY("{{a}} {{b}}")),
	  SEND(PARAMS("body", NAMED("b") "," NAMED("a"))), 0 },
	{ "named without a name", DEFINE_AS("\"parameter_format\":\"NAMED\"", BODY("{{a}}")),
	  SEND(PARAMS("body", T("x"))), 132012 },
	{ "named wrongly", DEFINE_AS("\"parameter_format\":\"NAMED\"", BODY("{{a}}")),
	  SEND(PARAMS("body", NAMED("c"))), 132012 },
	{ "header text",
	  DEFINE("{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"O {{1}}\"}," BODY("b")),
	  SEND(PARAMS("header", T("7"))), 0 },
	{ "header text missing",
	  DEFINE("{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"O {{1}}\"}," BODY("b")),
	  PLAIN, 132000 },
	{ "header image", DEFINE(IMAGE "," BODY("b")),
	  SEND(PARAMS("header", "{\"type\":\"image\",\"image\":{\"id\":\"1\"}}")), 0 },
	{ "header image missing", DEFINE(IMAGE "," BODY("b")), PLAIN, 132012 },
	{ "header video for image", DEFINE(IMAGE "," BODY("b")),
	  SEND(PARAMS("header", "{\"type\":\"video\",\"video\":{\"id\":\"1\"}}")), 132012 },
	{ "header image of nothing", DEFINE(IMAGE "," BODY("b")),
	  SEND(PARAMS("header", "{\"type\":\"image\",\"image\":{}}")), 131008 },
	{ "url button", DEFINE(BODY("b") "," URL), SEND(PRESS("url", "\"0\"", T("s"))), 0 },
	{ "url button, index as a number", DEFINE(BODY("b") "," URL),
	  SEND(PRESS("url", "0", T("s"))), 0 },
	{ "url button without its text", DEFINE(BODY("b") "," URL), PLAIN, 131008 },
	{ "a button too many", DEFINE(BODY("b") "," URL), SEND(PRESS("url", "1", T("s"))), 132000 },
	{ "a button without index", DEFINE(BODY("b") "," URL),
	  SEND("{\"type\":\"button\",\"sub_type\":\"url\"}"), 131008 },
	{ "coupon",
	  DEFINE(BODY("b") ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"COPY_CODE\"}]}"),
	  SEND(PRESS("copy_code", "0", "{\"type\":\"coupon_code\",\"coupon_code\":\"SAVE20\"}")),
	  0 },
	{ "coupon of 16",
	  DEFINE(BODY("b") ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"COPY_CODE\"}]}"),
	  SEND(PRESS("copy_code", "0",
		     "{\"type\":\"coupon_code\",\"coupon_code\":\"1234567890123456\"}")),
	  131008 },
	{ "a code",
	  DEFINE_AS(
		  "\"category\":\"AUTHENTICATION\"",
		  "{\"type\":\"BODY\",\"add_security_recommendation\":true},{\"type\":\"BUTTONS\","
		  "\"buttons\":[{\"type\":\"OTP\",\"otp_type\":\"COPY_CODE\"}]}"),
	  SEND(PARAMS("body", T("123")) "," PRESS("url", "0", T("123"))), 0 },
	{ "a code without its button",
	  DEFINE_AS("\"category\":\"AUTHENTICATION\"",
		    "{\"type\":\"BODY\"},{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"OTP\"}]}"),
	  SEND(PARAMS("body", T("123"))), 131008 },
	{ "two cards of two", DEFINE(BODY("b") ",{\"type\":\"CAROUSEL\",\"cards\":[{},{}]}"),
	  SEND("{\"type\":\"carousel\",\"cards\":[{},{}]}"), 0 },
	{ "one card of two", DEFINE(BODY("b") ",{\"type\":\"CAROUSEL\",\"cards\":[{},{}]}"),
	  SEND("{\"type\":\"carousel\",\"cards\":[{}]}"), 132000 },
	{ "an unknown component", DEFINE(BODY("b")), SEND("{\"type\":\"hat\"}"), 132012 },
};

static void parameters(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct templates *all = templates_new();
		struct gw_error why = GW_ERROR_INIT;
		const struct template *t = NULL;
		struct metaerr err = { .code = 0 };
		bool ok;

		if (templates_set(all, rig_json(r, cases[i].define), &t, &why) != GW_OK)
			fail_msg("%s: %s", cases[i].name, why.message);
		ok = template_check_send(all, rig_json(r, cases[i].send), &t, &err);
		CHECK_INT(cases[i].name, cases[i].code, ok ? 0 : err.code);
		templates_free(all);
		arena_reset(r->arena);
	}
	rig_free(r);
}

static const struct {
	const char *name, *define;
	gw_status want;
} definitions[] = {
	{ "good", DEFINE(BODY("hi")), GW_OK },
	{ "no name", "{\"language\":\"en\",\"components\":[]}", GW_EARG },
	{ "no language", "{\"name\":\"t\",\"components\":[]}", GW_EARG },
	{ "no components", "{\"name\":\"t\",\"language\":\"en\"}", GW_EARG },
	{ "component without type", DEFINE("{}"), GW_EARG },
	{ "button without type", DEFINE("{\"type\":\"BUTTONS\",\"buttons\":[{}]}"), GW_EARG },
	{ "eleven buttons",
	  DEFINE("{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":\"A\"},"
		 "{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":\"A\"},"
		 "{\"type\":\"A\"},{\"type\":\"A\"},{\"type\":\"A\"}]}"),
	  GW_ELIMIT },
	{ "not an object", "[]", GW_EARG },
};

static void defining(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct templates *all = templates_new();
		const struct template *t = NULL;
		size_t before = templates_count(all);

		CHECK_INT(definitions[i].name, definitions[i].want,
			  templates_set(all, rig_json(r, definitions[i].define), &t, NULL));
		CHECK_INT(definitions[i].name, definitions[i].want == GW_OK, t != NULL);
		CHECK_INT(definitions[i].name, before + (t != NULL), templates_count(all));
		templates_free(all);
	}
	rig_free(r);
}

static void replacing_keeps_the_id(void **state)
{
	struct rig *r = rig_new(1);
	struct templates *all = r->world->templates;
	const struct template *t, *again;
	char id[GRAPH_ID_MAX];

	(void)state;
	t = templates_find(all, STR("order_shipped"), STR("en"));
	CHECK_INT("variables", 2, t->body_vars.count);
	memcpy(id, t->id, sizeof(id));
	CHECK_INT("replace", GW_OK,
		  templates_set(all,
				rig_json(r, "{\"name\":\"order_shipped\",\"language\":\"en\","
					    "\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]}"),
				&again, NULL));
	assert_string_equal(id, again->id);
	CHECK_INT("variables", 0, again->body_vars.count);
	assert_ptr_equal(templates_by_id(all, str_from(id)), again);
	CHECK_INT("status", GW_OK,
		  templates_set_status(all, STR("order_shipped"), STR_EMPTY, STR("PAUSED"), NULL));
	assert_string_equal(again->status, "PAUSED");
	CHECK_INT("unknown", GW_ENOTFOUND,
		  templates_set_status(all, STR("x"), STR_EMPTY, STR("PAUSED"), NULL));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters),
		cmocka_unit_test(defining),
		cmocka_unit_test(replacing_keeps_the_id),
	};

	return cmocka_run_group_tests_name("sandbox_template", tests, NULL, NULL);
}
