/* SPDX-License-Identifier: MIT */
/* test_parse_status.c - statuses of messages and calls, errors, and whose receipts they are */
#include "parse_unit.h"

static const struct {
	const char *name, *item;
	gw_event_type type;
	gw_status_kind status;
	struct want wants[WANTS_MAX];
} statuses[] = {
	{ "sent",
	  "{\"id\":\"w\",\"status\":\"sent\",\"recipient_id\":\"16505551234\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "recipient", "16505551234" }, { "phone", "16505551234" }, { "name", "Ann" } } },
	{ "delivered",
	  "{\"id\":\"w\",\"status\":\"delivered\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_DELIVERED,
	  { { "id", "w" } } },
	{ "read",
	  "{\"id\":\"w\",\"status\":\"read\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_READ,
	  { { "status_word", "read" } } },
	{ "played",
	  "{\"id\":\"w\",\"status\":\"played\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_PLAYED,
	  { { "id", "w" } } },
	{ "failed",
	  "{\"id\":\"w\",\"status\":\"failed\",\"errors\":[{\"code\":131047,\"title\":"
	  "\"Re-engagement message\",\"error_data\":{\"details\":\"More than 24 hours\"}}]}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_FAILED,
	  { { "error_title", "Re-engagement message" },
	    { "error_details", "More than 24 hours" } } },
	{ "deleted",
	  "{\"id\":\"w\",\"status\":\"deleted\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_OTHER,
	  { { "status_word", "deleted" } } },
	{ "word of tomorrow",
	  "{\"id\":\"w\",\"status\":\"dreamt\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_OTHER,
	  { { "status_word", "dreamt" } } },
	{ "no id",
	  "{\"status\":\"sent\"}",
	  GW_EVENT_UNKNOWN,
	  GW_STATUS_NONE,
	  { { "status_word", "" } } },
	{ "no status", "{\"id\":\"w\"}", GW_EVENT_UNKNOWN, GW_STATUS_NONE, { { "id", "" } } },
	{ "status of another type",
	  "{\"id\":\"w\",\"status\":{}}",
	  GW_EVENT_UNKNOWN,
	  GW_STATUS_NONE,
	  { { "id", "" } } },
	{ "user id alone",
	  "{\"id\":\"w\",\"status\":\"sent\",\"recipient_user_id\":\"US.1349\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "recipient", "US.1349" }, { "user_id", "US.1349" }, { "phone", "16505551234" } } },
	{ "parent, one spelling",
	  "{\"id\":\"w\",\"status\":\"sent\",\"recipient_parent_user_id\":\"US.ENT.1\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "parent_user_id", "US.ENT.1" } } },
	{ "parent, the other",
	  "{\"id\":\"w\",\"status\":\"sent\",\"parent_recipient_user_id\":\"US.ENT.1\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "parent_user_id", "US.ENT.1" } } },
	{ "group, a participant",
	  "{\"id\":\"w\",\"status\":\"read\",\"recipient_id\":\"Y2Fw\","
	  "\"recipient_type\":\"group\","
	  "\"recipient_participant_id\":\"16505551234\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_READ,
	  { { "group_id", "Y2Fw" },
	    { "participant", "16505551234" },
	    { "recipient", "16505551234" },
	    { "phone", "16505551234" } } },
	{ "group, a participant by user id",
	  "{\"id\":\"w\",\"status\":\"read\",\"recipient_id\":\"Y2Fw\","
	  "\"recipient_type\":\"group\","
	  "\"recipient_participant_user_id\":\"US.1349\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_READ,
	  { { "participant", "US.1349" }, { "recipient", "US.1349" }, { "user_id", "US.1349" } } },
	{ "group as a whole",
	  "{\"id\":\"w\",\"status\":\"sent\",\"recipient_id\":\"Y2Fw\","
	  "\"recipient_type\":\"group\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "group_id", "Y2Fw" }, { "recipient", "Y2Fw" }, { "participant", "" } } },
	{ "opaque",
	  "{\"id\":\"w\",\"status\":\"sent\",\"biz_opaque_callback_data\":\"ord-77\"}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "opaque", "ord-77" } } },
	{ "opaque of another type",
	  "{\"id\":\"w\",\"status\":\"sent\",\"biz_opaque_callback_data\":{}}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_SENT,
	  { { "opaque", "" } } },
	{ "details as text",
	  "{\"id\":\"w\",\"status\":\"failed\",\"errors\":[{\"code\":1,\"error_data\":\"D\"}]}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_FAILED,
	  { { "error_details", "D" } } },
	{ "errors no list",
	  "{\"id\":\"w\",\"status\":\"failed\",\"errors\":{\"title\":\"T\"}}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_FAILED,
	  { { "error_title", "T" } } },
	{ "errors empty",
	  "{\"id\":\"w\",\"status\":\"failed\",\"errors\":[]}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_STATUS_FAILED,
	  { { "error_title", "" } } },
};

static void test_statuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct parsed p = parse_item("messages", "statuses", statuses[i].item);
		const gw_event *e = gw_notification_event(p.n, 0);

		CHECK_INT(statuses[i].name, statuses[i].type, e->type);
		CHECK_INT(statuses[i].name, statuses[i].status, e->status);
		CHECK_INT(statuses[i].name, GW_KIND_NONE, e->kind);
		CHECK_STR(statuses[i].name, statuses[i].item, span_text(p.body, e->item));
		check_wants(statuses[i].name, e, statuses[i].wants);
		parsed_free(&p);
	}
}

static void test_spans(void **state)
{
	struct parsed p = parse_item(
		"messages", "statuses",
		"{\"id\":\"w\",\"status\":\"sent\",\"timestamp\":\"1750030073\",\"pricing\":{"
		"\"billable\":true},\"conversation\":{\"id\":\"c\"},\"errors\":[{\"code\":99}],"
		"\"biz_opaque_callback_data\" : \"x\\\"y\"}");
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	CHECK_STR("pricing", "{\"billable\":true}", span_text(p.body, e->pricing));
	CHECK_STR("conversation", "{\"id\":\"c\"}", span_text(p.body, e->conversation));
	CHECK_STR("errors", "[{\"code\":99}]", span_text(p.body, e->errors));
	CHECK_STR("opaque literal", "\"x\\\"y\"", span_text(p.body, e->opaque_value));
	CHECK_STR("opaque", "x\"y", str_of_gw(e->opaque));
	CHECK_INT("code", 99, e->error_code);
	CHECK_INT("time", 1750030073, e->at);
	parsed_free(&p);
}

/* 512 characters of 4 bytes each are kept; a byte more is only in the span. */
static void test_opaque_limit(void **state)
{
	size_t max = (size_t)4 * GW_OPAQUE_MAX;

	(void)state;
	for (size_t extra = 0; extra <= 1; extra++) {
		char *item = malloc(max + 256);
		struct parsed p;
		const gw_event *e;

		assert_non_null(item);
		(void)snprintf(item, max + 256,
			       "{\"id\":\"w\",\"status\":\"sent\",\"biz_opaque_callback_data\":"
			       "\"%0*d\"}",
			       (int)(max + extra), 7);
		p = parse_item("messages", "statuses", item);
		e = gw_notification_event(p.n, 0);
		CHECK_INT("kept", extra == 0 ? max : 0, e->opaque.len);
		CHECK_INT("span", max + extra + 2, e->opaque_value.len);
		parsed_free(&p);
		free(item);
	}
}

static void test_call_status(void **state)
{
	struct parsed p = parse_item(
		"calls", "statuses",
		"{\"id\":\"wacid.1\",\"type\":\"call\",\"status\":\"RINGING\",\"timestamp\":\"5\","
		"\"recipient_id\":\"16505551234\",\"biz_opaque_callback_data\":\"d\"}");
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	CHECK_INT("type", GW_EVENT_CALL, e->type);
	CHECK_INT("not of a message", GW_STATUS_NONE, e->status);
	CHECK_STR("word", "RINGING", str_of_gw(e->status_word));
	CHECK_STR("id", "wacid.1", str_of_gw(e->id));
	CHECK_STR("opaque", "d", str_of_gw(e->opaque));
	parsed_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_opaque_limit),
		cmocka_unit_test(test_call_status),
	};

	return cmocka_run_group_tests_name("parse_status", tests, NULL, NULL);
}
