/* SPDX-License-Identifier: MIT */
/* test_sandbox_token.c - what tokens may, and what debug_token and a number's fields say */
#include "sandbox_rig.h"

#define NUMBER "/v26.0/" SANDBOX_NUMBER_ID
#define WABA "/v26.0/" SANDBOX_WABA_ID
#define APP_TOKEN SANDBOX_APP_ID "|" SANDBOX_APP_SECRET

static struct json_val get(struct rig *r, const char *token, const char *path, const char *query)
{
	r->query = query;
	rig_call(r, "GET", path, token, "");
	r->query = NULL;
	return rig_body(r);
}

static void check_text(struct json_val v, const char *path, const char *want)
{
	struct str got = rig_text(json_path(v, path));

	if (!str_eq(got, str_from(want)))
		fail_msg("%s: want %s, got %.*s", path, want, STR_ARG(got));
}

static void an_expired_token(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	rig_set(r, "{\"token_expires_at\":1795000100}"); /* in 100 s */
	v = get(r, "t", "/debug_token", "input_token=t");
	check_text(v, "data.is_valid", "true");
	check_text(v, "data.expires_at", "1795000100");
	check_text(v, "data.type", "SYSTEM_USER");
	rig_advance(r, 100000);
	v = get(r, "t", NUMBER, "fields=id");
	CHECK_INT("code", 190, rig_code(r));
	check_text(v, "error.error_subcode", "463");
	CHECK_INT("http", 401, r->answer.status);
	v = get(r, APP_TOKEN, "/debug_token", "input_token=t");
	check_text(v, "data.is_valid", "false");
	check_text(v, "data.error.subcode", "463");
	rig_free(r);
}

static void the_apps_own_token(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"debug_needs_app_token\":true}");
	(void)get(r, "t", "/debug_token", "input_token=t");
	CHECK_INT("a user's", 100, rig_code(r));
	check_text(get(r, APP_TOKEN, "/debug_token", "input_token=t"), "data.app_id",
		   SANDBOX_APP_ID);
	(void)get(r, SANDBOX_APP_ID "|wrong", "/debug_token", "input_token=t");
	CHECK_INT("a wrong secret", 190, rig_code(r));
	(void)get(r, APP_TOKEN, NUMBER, "fields=id");
	CHECK_INT("no number of anybody's", 200, rig_code(r));
	check_text(get(r, "t", "/me", ""), "id", "122100000000000001");
	check_text(get(r, "t", "/app", ""), "id", SANDBOX_APP_ID);
	rig_free(r);
}

static void permissions(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val v;

	(void)state;
	rig_say(r, ANA);
	v = get(r, "t", "/debug_token", "input_token=t");
	CHECK_INT("scopes", 2, json_count(json_path(v, "data.scopes")));
	v = json_at(json_path(v, "data.granular_scopes"), 1);
	CHECK_INT("targets", 1, json_count(json_member(v, STR("target_ids"))));
	rig_set(r, "{\"scope_messaging\":false,\"granular_scopes\":false}");
	v = get(r, "t", "/debug_token", "input_token=t");
	CHECK_INT("scopes", 1, json_count(json_path(v, "data.scopes")));
	v = json_at(json_path(v, "data.granular_scopes"), 0);
	assert_false(json_exists(json_member(v, STR("target_ids"))));
	rig_send_text(r, ANA, NULL);
	CHECK_INT("messages", 10, rig_code(r));
	CHECK_INT("http", 403, r->answer.status);
	(void)get(r, "t", WABA "/phone_numbers", "");
	CHECK_INT("managed", 200, r->answer.status);
	rig_set(r, "{\"scope_messaging\":true,\"scope_management\":false}");
	(void)get(r, "t", WABA "/phone_numbers", "");
	CHECK_INT("numbers", 200, rig_code(r));
	(void)get(r, "t", NUMBER, "fields=id");
	CHECK_INT("number", 200, rig_code(r));
	rig_send_text(r, ANA, NULL);
	CHECK_INT("messages", 200, r->answer.status);
	rig_free(r);
}

static void what_a_number_shows(void **state)
{
	struct rig *r = rig_new(1);
	struct number *n = r->world->numbers[0];
	struct json_val v;

	(void)state;
	(void)str_copy(STR("FLAGGED"), n->status, sizeof(n->status));
	(void)str_copy(STR("RED"), n->quality, sizeof(n->quality));
	(void)str_copy(STR("TIER_250"), n->messaging_limit, sizeof(n->messaging_limit));
	n->health_code = 141006;
	v = get(r, "t", NUMBER,
		"fields=status,quality_rating,whatsapp_business_manager_messaging_limit,"
		"health_status,webhook_configuration");
	check_text(v, "status", "FLAGGED");
	check_text(v, "quality_rating", "RED");
	check_text(v, "whatsapp_business_manager_messaging_limit", "TIER_250");
	check_text(v, "health_status.can_send_message", "BLOCKED");
	v = json_at(json_path(v, "health_status.entities"), 0);
	check_text(json_at(json_member(v, STR("errors")), 0), "error_code", "141006");
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expired_token),
		cmocka_unit_test(the_apps_own_token),
		cmocka_unit_test(permissions),
		cmocka_unit_test(what_a_number_shows),
	};

	return cmocka_run_group_tests_name("sandbox_token", tests, NULL, NULL);
}
