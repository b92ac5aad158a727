/* SPDX-License-Identifier: MIT */
/* test_parse_direct.c - items of Messenger and Instagram */
#include "parse_unit.h"

#define SIDES \
	"\"sender\":{\"id\":\"U1\"},\"recipient\":{\"id\":\"P1\"},\"timestamp\":1459991487970,"
#define FROM_US "\"sender\":{\"id\":\"P1\"},\"recipient\":{\"id\":\"U1\"},"

static const struct {
	const char *name, *item;
	gw_event_type type;
	gw_message_kind kind;
	gw_status_kind status;
	struct want wants[WANTS_MAX];
} items[] = {
	{ "text",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"text\":\"Hi\"}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  GW_STATUS_NONE,
	  { { "id", "m1" },
	    { "text", "Hi" },
	    { "user_id", "U1" },
	    { "account_id", "P1" },
	    { "field", "message" } } },
	{ "image",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"attachments\":[{\"type\":\"image\",\"payload\":{"
	  "\"url\":\"https://x/y\"}}]}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_IMAGE,
	  GW_STATUS_NONE,
	  { { "media_url", "https://x/y" }, { "kind_word", "image" } } },
	{ "location",
	  "{" SIDES
	  "\"message\":{\"mid\":\"m1\",\"attachments\":[{\"type\":\"location\",\"payload\":{"
	  "\"coordinates\":{\"lat\":1.5,\"long\":2}}}]}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_LOCATION,
	  GW_STATUS_NONE,
	  { { NULL, NULL } } },
	{ "story mention",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"attachments\":[{\"type\":\"story_mention\"}]}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_OTHER,
	  GW_STATUS_NONE,
	  { { "kind_word", "story_mention" } } },
	{ "quick reply",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"text\":\"Yes\",\"quick_reply\":{\"payload\":"
	  "\"Y\"}}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_BUTTON_REPLY,
	  GW_STATUS_NONE,
	  { { "reply_id", "Y" }, { "text", "Yes" } } },
	{ "reply",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"text\":\"x\",\"reply_to\":{\"mid\":\"m0\"}}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  GW_STATUS_NONE,
	  { { "reply_to", "m0" } } },
	{ "echo",
	  "{" FROM_US "\"message\":{\"mid\":\"m1\",\"text\":\"x\",\"is_echo\":true}}",
	  GW_EVENT_MESSAGE_SENT_ELSEWHERE,
	  GW_KIND_TEXT,
	  GW_STATUS_NONE,
	  { { "user_id", "U1" } } },
	{ "echo with the sides of a message",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"is_echo\":true}}",
	  GW_EVENT_MESSAGE_SENT_ELSEWHERE,
	  GW_KIND_TEXT,
	  GW_STATUS_NONE,
	  { { "user_id", "U1" } } },
	{ "deleted",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"is_deleted\":true}}",
	  GW_EVENT_MESSAGE_DELETED,
	  GW_KIND_REVOKE,
	  GW_STATUS_NONE,
	  { { "reply_to", "m1" }, { "id", "" } } },
	{ "unsupported",
	  "{" SIDES "\"message\":{\"mid\":\"m1\",\"is_unsupported\":true}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_UNSUPPORTED,
	  GW_STATUS_NONE,
	  { { "id", "m1" } } },
	{ "no mid",
	  "{" SIDES "\"message\":{\"text\":\"x\"}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "text", "" }, { "user_id", "U1" } } },
	{ "postback",
	  "{" SIDES "\"postback\":{\"mid\":\"m1\",\"title\":\"Start\",\"payload\":\"GO\"}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_BUTTON,
	  GW_STATUS_NONE,
	  { { "id", "m1" }, { "text", "Start" }, { "reply_id", "GO" } } },
	{ "older postback",
	  "{" SIDES "\"postback\":{\"payload\":\"GO\"}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_BUTTON,
	  GW_STATUS_NONE,
	  { { "id", "" }, { "reply_id", "GO" } } },
	{ "reaction",
	  "{" SIDES "\"reaction\":{\"mid\":\"m0\",\"action\":\"react\",\"reaction\":\"love\","
	  "\"emoji\":\"\\u2764\"}}",
	  GW_EVENT_MESSAGE_REACTION,
	  GW_KIND_REACTION,
	  GW_STATUS_NONE,
	  { { "reply_to", "m0" }, { "emoji", "\xe2\x9d\xa4" } } },
	{ "reaction without emoji",
	  "{" SIDES "\"reaction\":{\"mid\":\"m0\",\"action\":\"react\",\"reaction\":\"other\"}}",
	  GW_EVENT_MESSAGE_REACTION,
	  GW_KIND_REACTION,
	  GW_STATUS_NONE,
	  { { "emoji", "other" } } },
	{ "unreact",
	  "{" SIDES "\"reaction\":{\"mid\":\"m0\",\"action\":\"unreact\"}}",
	  GW_EVENT_MESSAGE_REACTION,
	  GW_KIND_REACTION,
	  GW_STATUS_NONE,
	  { { "emoji", "" } } },
	{ "edit",
	  "{" SIDES "\"message_edit\":{\"mid\":\"m0\",\"text\":\"New\",\"num_edit\":1}}",
	  GW_EVENT_MESSAGE_EDITED,
	  GW_KIND_EDIT,
	  GW_STATUS_NONE,
	  { { "reply_to", "m0" }, { "text", "New" } } },
	{ "seen on Instagram",
	  "{" SIDES "\"read\":{\"mid\":\"m0\"}}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_KIND_NONE,
	  GW_STATUS_READ,
	  { { "id", "m0" }, { "recipient", "U1" } } },
	{ "read up to",
	  "{" SIDES "\"read\":{\"watermark\":1458668856253}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "field", "read" } } },
	{ "delivery of one",
	  "{" SIDES "\"delivery\":{\"mids\":[\"m0\"],\"watermark\":1}}",
	  GW_EVENT_MESSAGE_STATUS,
	  GW_KIND_NONE,
	  GW_STATUS_DELIVERED,
	  { { "id", "m0" }, { "status_word", "delivered" } } },
	{ "delivery of two",
	  "{" SIDES "\"delivery\":{\"mids\":[\"m0\",\"m1\"]}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "id", "" } } },
	{ "referral",
	  "{" SIDES "\"referral\":{\"ref\":\"r\"}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "field", "referral" } } },
	{ "optin",
	  "{" SIDES "\"optin\":{\"ref\":\"r\"}}",
	  GW_EVENT_CONSENT,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "user_id", "U1" } } },
	{ "pass thread",
	  "{" SIDES "\"pass_thread_control\":{\"metadata\":\"x\"}}",
	  GW_EVENT_CONVERSATION,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "user_id", "U1" } } },
	{ "take thread",
	  "{" SIDES "\"take_thread_control\":{}}",
	  GW_EVENT_CONVERSATION,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { NULL, NULL } } },
	{ "policy",
	  "{" SIDES "\"policy_enforcement\":{\"action\":\"block\"}}",
	  GW_EVENT_ACCOUNT,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { NULL, NULL } } },
	{ "of tomorrow",
	  "{" SIDES "\"hologram\":{}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "user_id", "U1" }, { "field", "" } } },
	{ "nothing at all",
	  "{}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  GW_STATUS_NONE,
	  { { "user_id", "" } } },
};

static void check_item(const char *object, gw_channel channel, size_t i)
{
	char body[1024];
	struct parsed p;
	const gw_event *e;

	(void)snprintf(body, sizeof(body),
		       "{\"object\":\"%s\",\"entry\":[{\"id\":\"P1\",\"time\":1459991487970,"
		       "\"messaging\":[%s]}]}",
		       object, items[i].item);
	p = parse_body(body);
	e = gw_notification_event(p.n, 0);
	CHECK_INT(items[i].name, 1, gw_notification_count(p.n));
	CHECK_INT(items[i].name, channel, e->channel);
	CHECK_INT(items[i].name, items[i].type, e->type);
	CHECK_INT(items[i].name, items[i].kind, e->kind);
	CHECK_INT(items[i].name, items[i].status, e->status);
	CHECK_STR(items[i].name, "messaging", str_from(e->list));
	CHECK_STR(items[i].name, items[i].item, span_text(p.body, e->item));
	CHECK_STR(items[i].name, "\"P1\"", span_text(p.body, e->entry_id));
	CHECK_STR(items[i].name, "", str_of_gw(e->business_id));
	check_wants(items[i].name, e, items[i].wants);
	check_bounds(items[i].name, strlen(body), p.n);
	parsed_free(&p);
}

static void test_messenger(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		check_item("page", GW_CHANNEL_MESSENGER, i);
}

static void test_instagram(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		check_item("instagram", GW_CHANNEL_INSTAGRAM, i);
}

static void test_other_places(void **state)
{
	struct parsed p = parse_body(
		"{\"object\":\"instagram\",\"entry\":[{\"id\":\"P1\",\"standby\":[{" SIDES
		"\"message\":{\"mid\":\"m1\",\"text\":\"x\"}}],\"changes\":[{"
		"\"field\":\"messages\","
		"\"value\":{" SIDES "\"message\":{\"mid\":\"m2\",\"text\":\"y\"}}},{\"field\":"
		"\"comments\",\"value\":{\"id\":\"1\"}}]}]}");
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	CHECK_INT("events", 3, gw_notification_count(p.n));
	CHECK_INT("a message in a change", GW_EVENT_MESSAGE_RECEIVED, e->type);
	CHECK_STR("its text", "y", str_of_gw(e->text));
	assert_null(e->list);
	CHECK_STR("its field", "messages", str_of_gw(e->field));
	e = gw_notification_event(p.n, 1);
	CHECK_INT("a comment", GW_EVENT_UNKNOWN, e->type);
	e = gw_notification_event(p.n, 2);
	CHECK_INT("somebody else's thread", GW_EVENT_CONVERSATION, e->type);
	CHECK_STR("its list", "standby", str_from(e->list));
	CHECK_INT("nothing to answer", GW_KIND_NONE, e->kind);
	CHECK_INT("time in seconds", 1459991487, e->at);
	parsed_free(&p);
}

static void test_other_objects(void **state)
{
	static const char *const objects[] = { "whatsapp_business_account", "user", "" };
	static const char *const lists[] = { "messaging", "standby" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(objects) * ARRAY_LEN(lists); i++) {
		char body[512];
		struct parsed p;
		const gw_event *e;

		(void)snprintf(body, sizeof(body),
			       "{\"object\":\"%s\",\"entry\":[{\"id\":\"P1\",\"%s\":[{" SIDES
			       "\"message\":{\"mid\":\"m1\",\"text\":\"x\"}}]}]}",
			       objects[i / ARRAY_LEN(lists)], lists[i % ARRAY_LEN(lists)]);
		p = parse_body(body);
		e = gw_notification_event(p.n, 0);
		CHECK_INT(body, GW_EVENT_UNKNOWN, e->type);
		CHECK_INT(body, GW_KIND_NONE, e->kind);
		parsed_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messenger),
		cmocka_unit_test(test_instagram),
		cmocka_unit_test(test_other_places),
		cmocka_unit_test(test_other_objects),
	};

	return cmocka_run_group_tests_name("parse_direct", tests, NULL, NULL);
}
