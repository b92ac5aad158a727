/* SPDX-License-Identifier: MIT */
/* test_sandbox_number.c - a number and its account over Graph: set, read back, refused */
#include "sandbox_rig.h"

#define NUMBER "/v26.0/" SANDBOX_NUMBER_ID
#define WABA "/v26.0/" SANDBOX_WABA_ID
#define WA "{\"messaging_product\":\"whatsapp\","
#define HOUR_MS INT64_C(3600000)

static struct json_val call(struct rig *r, const char *method, const char *path, const char *body)
{
	rig_call(r, method, path, "token", body);
	return rig_body(r);
}

static void check_call(struct rig *r, const char *path, const char *body, int code)
{
	(void)call(r, "POST", path, body);
	CHECK_INT(body, code, rig_code(r));
}

static void check_text_at(struct json_val v, const char *path, const char *want)
{
	struct str got = rig_text(json_path(v, path));

	if (!str_eq(got, str_from(want)))
		fail_msg("%s: want %s, got %.*s", path, want, STR_ARG(got));
}

static void profile(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	check_call(r, NUMBER "/whatsapp_business_profile", "{\"about\":\"x\"}", 100);
	check_call(r, NUMBER "/whatsapp_business_profile", WA "\"about\":\"\"}", 100);
	check_call(r, NUMBER "/whatsapp_business_profile", WA "\"vertical\":\"CIRCUS\"}", 100);
	check_call(r, NUMBER "/whatsapp_business_profile",
		   WA "\"about\":\"no\",\"websites\":[\"a\",\"b\",\"c\"]}", 100);
	v = call(r, "GET", NUMBER "/whatsapp_business_profile", "");
	CHECK_INT("nothing of a refused one", 1,
		  json_count(json_at(json_member(v, STR("data")), 0)));
	check_call(r, NUMBER "/whatsapp_business_profile",
		   WA "\"about\":\"Ol\\u00e1\",\"vertical\":\"RETAIL\",\"websites\":[\"https://a/"
		      "\"],\"email\":\"a@b.example\"}",
		   0);
	r->query = "fields=about,vertical,websites";
	v = json_at(
		json_member(call(r, "GET", NUMBER "/whatsapp_business_profile", ""), STR("data")),
		0);
	CHECK_INT("members", 4, json_count(v));
	check_text_at(v, "about", "Olá");
	check_text_at(v, "vertical", "RETAIL");
	check_text_at(v, "messaging_product", "whatsapp");
	CHECK_INT("websites", 1, json_count(json_member(v, STR("websites"))));
	rig_free(r);
}

static void registration(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	check_call(r, NUMBER "/register", "{\"pin\":\"123456\"}", 100);
	check_call(r, NUMBER "/register", WA "\"pin\":\"12345\"}", 100);
	check_call(r, NUMBER, "{\"pin\":\"654321\"}", 0);
	check_call(r, NUMBER "/register", WA "\"pin\":\"123456\"}", 133005);
	check_call(r, NUMBER "/deregister", "", 0);
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("deregistered", 133010, rig_code(r));
	r->query = "fields=status,is_pin_enabled,health_status";
	check_text_at(call(r, "GET", NUMBER, ""), "status", "PENDING");
	check_text_at(rig_body(r), "is_pin_enabled", "true");
	check_text_at(rig_body(r), "health_status.can_send_message", "BLOCKED");
	r->query = NULL;
	for (int i = 0; i < 10; i++)
		check_call(r, NUMBER "/register", WA "\"pin\":\"654321\"}", 0);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("registered", 200, r->answer.status);
	check_call(r, NUMBER "/register", WA "\"pin\":\"654321\"}", 133016);
	rig_advance(r, 72 * HOUR_MS);
	check_call(r, NUMBER "/register", WA "\"pin\":\"654321\"}", 0);
	check_call(r, NUMBER, "{\"new_display_name\":\"Acme\"}", 0);
	check_text_at(call(r, "GET", NUMBER, ""), "verified_name", "Acme");
	check_call(r, NUMBER, "{\"new_display_name\":\"A\"}", 100);
	check_call(r, NUMBER, "{}", 100);
	check_call(r, NUMBER, "{\"webhook_configuration\":{}}", 100);
	rig_free(r);
}

static void a_new_number(void **state)
{
	static const char add[] =
		"{\"cc\":\"1\",\"phone_number\":\"6315551234\",\"verified_name\":\"Acme\"}";
	char path[128], body[64];
	struct rig *r = rig_new(1);
	struct number *n;

	(void)state;
	check_call(r, WABA "/phone_numbers", "{\"cc\":\"1\"}", 100);
	check_call(r, WABA "/phone_numbers", add, 0);
	n = world_number(r->world, rig_text(json_member(rig_body(r), STR("id"))));
	assert_non_null(n);
	check_call(r, WABA "/phone_numbers", add, 100);
	check_text_at(rig_body(r), "error.error_subcode", "2388012");
	(void)snprintf(path, sizeof(path), "/v26.0/%s/register", n->id);
	check_call(r, path, WA "\"pin\":\"123456\"}", 133006);
	(void)snprintf(path, sizeof(path), "/v26.0/%s/request_code", n->id);
	check_call(r, path, "{\"code_method\":\"MAIL\",\"language\":\"en\"}", 100);
	check_call(r, path, "{\"code_method\":\"SMS\",\"language\":\"en_US\"}", 0);
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", n->code);
	(void)snprintf(path, sizeof(path), "/v26.0/%s/verify_code", n->id);
	check_call(r, path, body[9] == '1' ? "{\"code\":\"200000\"}" : "{\"code\":\"100000\"}",
		   100);
	check_call(r, path, body, 0);
	check_call(r, path, body, 100);
	(void)snprintf(path, sizeof(path), "/v26.0/%s/register", n->id);
	check_call(r, path, WA "\"pin\":\"123456\"}", 0);
	assert_true(n->registered);
	rig_free(r);
}

static void kept_settings(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	check_call(r, NUMBER "/settings", "{\"calling\":{\"status\":\"ENABLED\"}}", 0);
	check_call(r, NUMBER "/settings", "{\"calling\":true}", 100);
	check_call(r, NUMBER "/settings", "{\"colour\":{}}", 100);
	check_text_at(call(r, "GET", NUMBER "/settings", ""), "calling.status", "ENABLED");
	check_call(r, NUMBER "/conversational_automation",
		   "{\"enable_welcome_message\":true,\"prompts\":[\"Hours?\"],\"commands\":[{"
		   "\"command_name\":\"help\",\"command_description\":\"Help\"}]}",
		   0);
	check_call(r, NUMBER "/conversational_automation",
		   "{\"prompts\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}", 100);
	check_call(r, NUMBER "/conversational_automation", "{\"commands\":[{}]}", 100);
	r->query = "fields=conversational_automation";
	v = json_member(call(r, "GET", NUMBER, ""), STR("conversational_automation"));
	check_text_at(v, "enable_welcome_message", "true");
	CHECK_INT("prompts", 1, json_count(json_member(v, STR("prompts"))));
	r->query = "is_cart_enabled=false&is_catalog_visible=true";
	(void)call(r, "POST", NUMBER "/whatsapp_commerce_settings", "");
	r->query = NULL;
	v = json_at(
		json_member(call(r, "GET", NUMBER "/whatsapp_commerce_settings", ""), STR("data")),
		0);
	check_text_at(v, "is_cart_enabled", "false");
	check_text_at(v, "is_catalog_visible", "true");
	world_reset(r->world);
	CHECK_INT("reset", 1, json_count(call(r, "GET", NUMBER "/settings", "")));
	rig_free(r);
}

static void blocking(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	rig_say(r, ANA);
	check_call(r, NUMBER "/block_users",
		   WA "\"block_users\":[{\"user\":\"+" ANA "\"},{\"user\":\"+" BOB "\"},{"
		      "\"user\":\"x\"},{\"user\":\"+15550783881\"}]}",
		   139100);
	CHECK_INT("status", 400, r->answer.status);
	v = json_member(rig_body(r), STR("block_users"));
	check_text_at(json_at(json_member(v, STR("added_users")), 0), "wa_id", ANA);
	CHECK_INT("failed", 3, json_count(json_member(v, STR("failed_users"))));
	v = json_at(json_member(v, STR("failed_users")), 0);
	check_text_at(json_at(json_member(v, STR("errors")), 0), "code", "131047");
	v = json_member(call(r, "GET", NUMBER "/block_users", ""), STR("data"));
	CHECK_INT("listed", 1, json_count(v));
	rig_send_text(r, ANA, NULL);
	CHECK_INT("accepted", 200, r->answer.status);
	rig_advance(r, 1000);
	v = json_at(json_path(rig_change(r, r->change_count - 1), "value.statuses"), 0);
	check_text_at(json_at(json_member(v, STR("errors")), 0), "code", "130403");
	v = call(r, "DELETE", NUMBER "/block_users",
		 WA "\"block_users\":[{\"user\":\"+" ANA "\"}]}");
	CHECK_INT("removed", 1, json_count(json_path(v, "block_users.removed_users")));
	v = json_member(call(r, "GET", NUMBER "/block_users", ""), STR("data"));
	CHECK_INT("listed", 0, json_count(v));
	check_call(r, NUMBER "/block_users", WA "\"block_users\":[]}", 100);
	rig_free(r);
}

static void qr_codes(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;
	char path[128], body[128], code[16];

	(void)state;
	check_call(r, NUMBER "/message_qrdls", "{}", 100);
	check_call(r, NUMBER "/message_qrdls",
		   "{\"prefilled_message\":\"a\",\"generate_qr_image\":\"GIF\"}", 100);
	v = call(r, "POST", NUMBER "/message_qrdls",
		 "{\"prefilled_message\":\"a\",\"generate_qr_image\":\"PNG\"}");
	assert_true(str_copy(rig_text(json_member(v, STR("code"))), code, sizeof(code)));
	CHECK_INT("code", 14, strlen(code));
	assert_true(json_exists(json_member(v, STR("qr_image_url"))));
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\",\"prefilled_message\":\"b\"}", code);
	check_call(r, NUMBER "/message_qrdls", body, 0);
	(void)snprintf(path, sizeof(path), NUMBER "/message_qrdls/%s", code);
	v = json_member(call(r, "GET", path, ""), STR("data"));
	check_text_at(json_at(v, 0), "prefilled_message", "b");
	v = json_member(call(r, "GET", NUMBER "/message_qrdls", ""), STR("data"));
	CHECK_INT("one", 1, json_count(v));
	r->query = "prefilled_message=c&generate_qr_image=svg"; /* Graph takes them there, too */
	v = call(r, "POST", path, "");
	r->query = NULL;
	check_text_at(v, "prefilled_message", "c");
	assert_true(json_exists(json_member(v, STR("qr_image_url"))));
	check_text_at(call(r, "DELETE", path, ""), "success", "true");
	(void)call(r, "GET", path, "");
	CHECK_INT("gone", 100, rig_code(r));
	for (int i = 0; i < 2000; i++)
		rig_call(r, "POST", NUMBER "/message_qrdls", "token",
			 "{\"prefilled_message\":\"a\"}");
	CHECK_INT("2000", 200, r->answer.status);
	check_call(r, NUMBER "/message_qrdls", "{\"prefilled_message\":\"a\"}", 100);
	rig_free(r);
}

static void subscription(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	rig_say(r, ANA);
	CHECK_INT("told", 1, r->change_count);
	(void)call(r, "DELETE", WABA "/subscribed_apps", "");
	v = json_member(call(r, "GET", WABA "/subscribed_apps", ""), STR("data"));
	CHECK_INT("none", 0, json_count(v));
	rig_say(r, ANA);
	CHECK_INT("silent", 1, r->change_count);
	(void)call(r, "POST", WABA "/subscribed_apps", "");
	v = json_member(call(r, "GET", WABA "/subscribed_apps", ""), STR("data"));
	CHECK_INT("one", 1, json_count(v));
	rig_say(r, ANA);
	CHECK_INT("told", 2, r->change_count);
	check_call(r, WABA "/subscribed_apps", "{\"override_callback_uri\":\"https://a/\"}", 100);
	v = call(r, "GET", "/v26.0/" SANDBOX_BUSINESS_ID "/owned_whatsapp_business_accounts", "");
	check_text_at(json_at(json_member(v, STR("data")), 0), "id", SANDBOX_WABA_ID);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile),      cmocka_unit_test(registration),
		cmocka_unit_test(a_new_number), cmocka_unit_test(kept_settings),
		cmocka_unit_test(blocking),     cmocka_unit_test(qr_codes),
		cmocka_unit_test(subscription),
	};

	return cmocka_run_group_tests_name("sandbox_number", tests, NULL, NULL);
}
