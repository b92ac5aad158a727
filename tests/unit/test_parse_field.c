/* SPDX-License-Identifier: MIT */
/* test_parse_field.c - the fields other than messages */
#include "parse_unit.h"

static const struct {
	const char *field, *value;
	gw_event_type type;
	const char *list; /* NULL: the whole value */
	struct want wants[WANTS_MAX];
} fields[] = {
	{ "message_template_status_update",
	  "{\"event\":\"APPROVED\",\"message_template_id\":5,\"reason\":null}",
	  GW_EVENT_TEMPLATE,
	  NULL,
	  { { "kind_word", "APPROVED" }, { "business_id", "1022" } } },
	{ "message_template_quality_update",
	  "{\"new_quality_score\":\"RED\"}",
	  GW_EVENT_TEMPLATE,
	  NULL,
	  { { "kind_word", "" } } },
	{ "message_template_components_update", "{}", GW_EVENT_TEMPLATE, NULL, { { NULL, NULL } } },
	{ "template_category_update", "{}", GW_EVENT_TEMPLATE, NULL, { { NULL, NULL } } },
	{ "template_correct_category_detection",
	  "{}",
	  GW_EVENT_TEMPLATE,
	  NULL,
	  { { NULL, NULL } } },
	{ "account_alerts", "{\"entity_id\":\"5\"}", GW_EVENT_ACCOUNT, NULL, { { NULL, NULL } } },
	{ "account_review_update",
	  "{\"decision\":\"APPROVED\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "kind_word", "APPROVED" } } },
	{ "account_settings_update",
	  "{\"timestamp\":\"7\",\"type\":\"PHONE_NUMBER_SETTINGS\",\"phone_number_settings\":{"
	  "\"phone_number_id\":\"106\"}}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "account_id", "106" }, { "kind_word", "PHONE_NUMBER_SETTINGS" } } },
	{ "account_update",
	  "{\"event\":\"VERIFIED_ACCOUNT\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "kind_word", "VERIFIED_ACCOUNT" } } },
	{ "business_capability_update", "{}", GW_EVENT_ACCOUNT, NULL, { { NULL, NULL } } },
	{ "business_username_update", "{}", GW_EVENT_ACCOUNT, NULL, { { NULL, NULL } } },
	{ "business_username_updates", "{}", GW_EVENT_ACCOUNT, NULL, { { NULL, NULL } } },
	{ "partner_solutions",
	  "{\"event\":\"SOLUTION_CREATED\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "kind_word", "SOLUTION_CREATED" } } },
	{ "payment_configuration_update", "{}", GW_EVENT_ACCOUNT, NULL, { { NULL, NULL } } },
	{ "phone_number_name_update",
	  "{\"display_phone_number\":\"1555\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "address", "+1555" } } },
	{ "phone_number_quality_update",
	  "{\"display_phone_number\":\"1555\",\"event\":\"ONBOARDING\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "address", "+1555" }, { "kind_word", "ONBOARDING" } } },
	{ "security",
	  "{\"event\":\"PIN_CHANGED\"}",
	  GW_EVENT_ACCOUNT,
	  NULL,
	  { { "kind_word", "PIN_CHANGED" } } },
	{ "flows",
	  "{\"event\":\"FLOW_STATUS_CHANGE\"}",
	  GW_EVENT_FLOW,
	  NULL,
	  { { "kind_word", "FLOW_STATUS_CHANGE" } } },
	{ "messaging_handovers",
	  "{\"sender\":{\"phone_number\":\"+1650\"},\"recipient\":{\"phone_number_id\":\"106\","
	  "\"display_phone_number\":\"1555\"},\"type\":\"control_passed\",\"timestamp\":\"9\"}",
	  GW_EVENT_CONVERSATION,
	  NULL,
	  { { "account_id", "106" },
	    { "address", "+1555" },
	    { "phone", "1650" },
	    { "kind_word", "control_passed" } } },
	{ "standby",
	  "{\"metadata\":" METADATA ",\"standby\":{\"messages\":[{}]}}",
	  GW_EVENT_CONVERSATION,
	  NULL,
	  { { "account_id", "106540352242922" } } },
	{ "tracking_events",
	  "{\"a\":1}",
	  GW_EVENT_UNKNOWN,
	  NULL,
	  { { "field", "tracking_events" } } },
	{ "user_preferences",
	  "{\"contacts\":[{\"wa_id\":\"1650\",\"profile\":{\"name\":\"Ann\"}}],"
	  "\"user_preferences\":[{\"wa_id\":\"1650\",\"category\":\"marketing_messages\",\"value\":"
	  "\"stop\",\"detail\":\"D\",\"timestamp\":1731705721}]}",
	  GW_EVENT_CONSENT,
	  "user_preferences",
	  { { "phone", "1650" }, { "kind_word", "stop" }, { "text", "D" }, { "name", "Ann" } } },
	{ "calls",
	  "{\"calls\":[{\"id\":\"wacid.1\",\"from\":\"1555\",\"to\":\"1650\",\"to_user_id\":"
	  "\"US.1\",\"event\":\"connect\",\"direction\":\"BUSINESS_INITIATED\"}]}",
	  GW_EVENT_CALL,
	  "calls",
	  { { "phone", "1650" }, { "user_id", "US.1" }, { "kind_word", "connect" } } },
	{ "calls",
	  "{\"calls\":[{\"id\":\"wacid.1\",\"from\":\"1650\",\"from_user_id\":\"US.1\",\"to\":"
	  "\"1555\",\"event\":\"terminate\",\"direction\":\"USER_INITIATED\"}]}",
	  GW_EVENT_CALL,
	  "calls",
	  { { "phone", "1650" }, { "user_id", "US.1" } } },
	{ "calls",
	  "{\"calls\":[{\"event\":\"connect\"}]}",
	  GW_EVENT_UNKNOWN,
	  "calls",
	  { { "kind_word", "" } } },
	{ "group_lifecycle_update",
	  "{\"groups\":[{\"type\":\"group_create\",\"group_id\":\"G\",\"errors\":[{\"code\":5,"
	  "\"title\":\"T\"}]}]}",
	  GW_EVENT_GROUP,
	  "groups",
	  { { "group_id", "G" }, { "kind_word", "group_create" }, { "error_title", "T" } } },
	{ "group_participants_update",
	  "{\"groups\":[{}]}",
	  GW_EVENT_GROUP,
	  "groups",
	  { { NULL, NULL } } },
	{ "group_participant_update",
	  "{\"groups\":[{}]}",
	  GW_EVENT_GROUP,
	  "groups",
	  { { NULL, NULL } } },
	{ "group_settings_update",
	  "{\"groups\":[{}]}",
	  GW_EVENT_GROUP,
	  "groups",
	  { { NULL, NULL } } },
	{ "group_status_update", "{\"groups\":[]}", GW_EVENT_UNKNOWN, NULL, { { NULL, NULL } } },
	{ "automatic_events",
	  "{\"automatic_events\":[{\"id\":\"wamid.A\",\"event_name\":\"Purchase\"}]}",
	  GW_EVENT_UNKNOWN,
	  "automatic_events",
	  { { "id", "wamid.A" }, { "kind_word", "Purchase" } } },
	{ "smb_app_state_sync",
	  "{\"state_sync\":[{\"type\":\"contact\"}]}",
	  GW_EVENT_UNKNOWN,
	  "state_sync",
	  { { "kind_word", "contact" } } },
	{ "history",
	  "{\"history\":[{\"threads\":[{\"id\":\"1\",\"messages\":[{\"id\":\"m\"}]}]}]}",
	  GW_EVENT_UNKNOWN,
	  "history",
	  { { "text", "" } } },
	{ "history",
	  "{\"history\":[{\"errors\":[{\"code\":2593109,\"title\":\"T\"}]}]}",
	  GW_EVENT_UNKNOWN,
	  "history",
	  { { "error_title", "T" } } },
	{ "history",
	  "{\"messages\":[{\"id\":\"m\",\"from\":\"1650\",\"type\":\"image\",\"image\":"
	  "{\"id\":\"5\"}}"
	  "]}",
	  GW_EVENT_UNKNOWN,
	  "messages",
	  { { "id", "m" }, { "media_id", "5" }, { "phone", "1650" } } },
};

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		char body[1024];
		struct parsed p;
		const gw_event *e;

		(void)snprintf(body, sizeof(body),
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
			       "\"1022\",\"time\":1739321024,\"changes\":[{\"value\":%s,"
			       "\"field\":\"%s\"}]}]}",
			       fields[i].value, fields[i].field);
		p = parse_body(body);
		e = gw_notification_event(p.n, 0);
		CHECK_INT(fields[i].field, 1, gw_notification_count(p.n));
		CHECK_INT(fields[i].field, fields[i].type, e->type);
		CHECK_INT(fields[i].field, fields[i].list == NULL, e->list == NULL);
		if (e->list != NULL)
			CHECK_STR(fields[i].field, fields[i].list, str_from(e->list));
		else
			CHECK_STR(fields[i].field, fields[i].value, span_text(p.body, e->item));
		CHECK_STR(fields[i].field, fields[i].field, str_of_gw(e->field));
		check_wants(fields[i].field, e, fields[i].wants);
		check_bounds(fields[i].field, strlen(body), p.n);
		parsed_free(&p);
	}
}

/* The entry's time dates what has none of its own. */
static void test_times(void **state)
{
	static const struct {
		const char *field, *value;
		long long want;
	} rows[] = {
		{ "security", "{}", 1739321024 },
		{ "account_settings_update", "{\"timestamp\":\"7\"}", 7 },
		{ "messages", "{\"messages\":[{\"id\":\"m\"}]}", 0 },
		{ "messages", "{\"errors\":[{\"code\":1}]}", 1739321024 },
		{ "user_preferences", "{\"user_preferences\":[{\"timestamp\":8}]}", 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char body[512];
		struct parsed p;

		(void)snprintf(body, sizeof(body),
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"time\":"
			       "1739321024,\"changes\":[{\"field\":\"%s\",\"value\":%s}]}]}",
			       rows[i].field, rows[i].value);
		p = parse_body(body);
		CHECK_INT(rows[i].field, rows[i].want, gw_notification_event(p.n, 0)->at);
		parsed_free(&p);
	}
}

static void test_one_event_for_each_element(void **state)
{
	struct parsed p = parse_body(ENVELOPE(
		"calls",
		VALUE("\"calls\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"statuses\":[{\"id\":\"c\","
		      "\"status\":\"X\"}]")));

	(void)state;
	CHECK_INT("events", 3, gw_notification_count(p.n));
	CHECK_STR("second", "b", str_of_gw(gw_notification_event(p.n, 1)->id));
	CHECK_STR("list", "statuses", str_from(gw_notification_event(p.n, 2)->list));
	parsed_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_one_event_for_each_element),
	};

	return cmocka_run_group_tests_name("parse_field", tests, NULL, NULL);
}
