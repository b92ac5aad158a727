/* SPDX-License-Identifier: MIT */
/* test_sandbox_upload.c - resumable uploads and the app's subscription */
#include "sandbox_rig.h"

#define APP "/v26.0/" SANDBOX_APP_ID

static void resumable(void **state)
{
	struct rig *r = rig_new(1);
	char path[64];

	(void)state;
	rig_call(r, "POST", APP "/uploads", "token", "");
	CHECK_INT("no length", 100, rig_code(r));
	r->query = "file_length=10&file_type=text/plain";
	rig_call(r, "POST", APP "/uploads", "token", "");
	CHECK_INT("type", 100, rig_code(r));
	r->query = "file_length=10&file_type=image/png";
	rig_call(r, "POST", APP "/uploads", "token", "");
	CHECK_INT("session", 200, r->answer.status);
	(void)snprintf(path, sizeof(path), "/v26.0/%.*s",
		       STR_ARG(rig_text(json_member(rig_body(r), STR("id")))));
	r->query = NULL;
	rig_call(r, "POST", path, "token", "123456");
	CHECK_INT("six", 200, r->answer.status);
	rig_call(r, "GET", path, "token", "");
	assert_true(str_eq(rig_text(json_member(rig_body(r), STR("file_offset"))), STR("6")));
	rig_call(r, "POST", path, "token", "7890");
	CHECK_INT("wrong offset", 100, rig_code(r));
	r->file_offset = "6";
	rig_call(r, "POST", path, "token", "78901");
	CHECK_INT("too long", 100, rig_code(r));
	rig_call(r, "POST", path, "token", "7890");
	assert_true(
		str_starts(rig_text(json_member(rig_body(r), STR("h"))), STR("4::aW1hZ2UvcG5n:")));
	rig_call(r, "GET", path, "token", "");
	CHECK_INT("over", 100, rig_code(r));
	rig_free(r);
}

static void sessions_are_bounded(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	r->query = "file_length=10&file_type=image/png";
	for (int i = 0; i < SANDBOX_UPLOADS_MAX + 5; i++)
		rig_call(r, "POST", APP "/uploads", "token", "");
	CHECK_INT("sessions", SANDBOX_UPLOADS_MAX, r->world->upload_count);
	world_reset(r->world);
	CHECK_INT("sessions", 0, r->world->upload_count);
	rig_free(r);
}

static gw_status on_subscribe(void *cookie, struct str url, struct str token, struct gw_error *err)
{
	char *out = cookie;

	if (!str_starts(url, STR("http")))
		return gw_error_set(err, GW_EARG, "no URL");
	(void)snprintf(out, 64, "%.*s %.*s", STR_ARG(url), STR_ARG(token));
	return GW_OK;
}

static void subscriptions(void **state)
{
	struct rig *r = rig_new(1);
	char seen[64] = "";

	(void)state;
	r->graph.subscribe = on_subscribe;
	r->graph.cookie = seen;
	rig_call(r, "POST", APP "/subscriptions", "token", "{\"object\":\"page\"}");
	CHECK_INT("no url", 100, rig_code(r));
	rig_call(r, "POST", APP "/subscriptions", "token",
		 "{\"object\":\"page\",\"callback_url\":\"http://a\",\"verify_token\":\"t\"}");
	CHECK_INT("object", 100, rig_code(r));
	r->query = "object=whatsapp_business_account&callback_url=x&verify_token=t";
	rig_call(r, "POST", APP "/subscriptions", "token", "");
	CHECK_INT("url", 2200, rig_code(r));
	r->query = "object=whatsapp_business_account&callback_url=http://a/b&verify_token=t";
	rig_call(r, "POST", APP "/subscriptions", "token", "");
	CHECK_INT("taken", 200, r->answer.status);
	assert_string_equal("http://a/b t", seen);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resumable),
		cmocka_unit_test(sessions_are_bounded),
		cmocka_unit_test(subscriptions),
	};

	return cmocka_run_group_tests_name("sandbox_upload", tests, NULL, NULL);
}
