/* SPDX-License-Identifier: MIT */
/* test_parse_message.c - every kind of message, echoes, and whose they are */
#include "parse_unit.h"

#define MSG(type, rest)                                 \
	"{\"from\":\"16505551234\",\"id\":\"wamid.A\"," \
	"\"timestamp\":\"1749854575\",\"type\":\"" type "\"" rest "}"

static const struct {
	const char *name, *item;
	gw_event_type type;
	gw_message_kind kind;
	const char *content;
	struct want wants[WANTS_MAX];
} messages[] = {
	{ "text",
	  MSG("text", ",\"text\":{\"body\":\"Hi \\ud83d\\ude00\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  "{\"body\":\"Hi \\ud83d\\ude00\"}",
	  { { "id", "wamid.A" },
	    { "text", "Hi \xf0\x9f\x98\x80" },
	    { "phone", "16505551234" },
	    { "name", "Ann" },
	    { "username", "ann.x" },
	    { "user_id", "US.1349" },
	    { "kind_word", "text" },
	    { "address", "+15550783881" } } },
	{ "type first",
	  "{\"type\":\"text\",\"text\":{\"body\":\"x\"},\"id\":\"m\"}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  "{\"body\":\"x\"}",
	  { { "text", "x" } } },
	{ "type left out",
	  "{\"id\":\"m\",\"image\":{\"id\":\"7\"}}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_IMAGE,
	  "{\"id\":\"7\"}",
	  { { "media_id", "7" }, { "kind_word", "image" } } },
	{ "image",
	  MSG("image", ",\"image\":{\"id\":\"99\",\"mime_type\":\"image/jpeg\",\"sha256\":\"q==\","
		       "\"url\":\"https://x/y\",\"caption\":\"Look\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_IMAGE,
	  NULL,
	  { { "media_id", "99" },
	    { "media_type", "image/jpeg" },
	    { "media_sha256", "q==" },
	    { "media_url", "https://x/y" },
	    { "text", "Look" } } },
	{ "video",
	  MSG("video", ",\"video\":{\"id\":99,\"caption\":\"c\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_VIDEO,
	  NULL,
	  { { "media_id", "99" } } },
	{ "audio",
	  MSG("audio", ",\"audio\":{\"id\":\"9\",\"mime_type\":\"audio/ogg; codecs=opus\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_AUDIO,
	  NULL,
	  { { "media_type", "audio/ogg; codecs=opus" } } },
	{ "document",
	  MSG("document", ",\"document\":{\"id\":\"9\",\"filename\":\"a.pdf\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_DOCUMENT,
	  NULL,
	  { { "media_name", "a.pdf" } } },
	{ "sticker",
	  MSG("sticker", ",\"sticker\":{\"id\":\"9\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_STICKER,
	  NULL,
	  { { "media_id", "9" } } },
	{ "location",
	  MSG("location", ",\"location\":{\"latitude\":1,\"longitude\":2,\"name\":\"HQ\","
			  "\"address\":\"A\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_LOCATION,
	  NULL,
	  { { "text", "HQ" } } },
	{ "location without name",
	  MSG("location", ",\"location\":{\"latitude\":1,\"longitude\":2,\"address\":\"A\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_LOCATION,
	  NULL,
	  { { "text", "A" } } },
	{ "contacts",
	  MSG("contacts", ",\"contacts\":[{\"name\":{\"formatted_name\":\"Bo\"}}]"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_CONTACTS,
	  "[{\"name\":{\"formatted_name\":\"Bo\"}}]",
	  { { "text", "Bo" } } },
	{ "contacts without names",
	  MSG("contacts", ",\"contacts\":[{\"vcard\":\"V\"}]"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_CONTACTS,
	  NULL,
	  { { "text", "" } } },
	{ "button",
	  MSG("button", ",\"button\":{\"payload\":\"YES-77\",\"text\":\"Yes\"},"
			"\"context\":{\"from\":\"1\",\"id\":\"wamid.B\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_BUTTON,
	  NULL,
	  { { "reply_id", "YES-77" }, { "text", "Yes" }, { "reply_to", "wamid.B" } } },
	{ "button reply",
	  MSG("interactive", ",\"interactive\":{\"type\":\"button_reply\",\"button_reply\":{"
			     "\"id\":\"y\",\"title\":\"Yes\"}}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_BUTTON_REPLY,
	  NULL,
	  { { "reply_id", "y" }, { "text", "Yes" }, { "kind_word", "button_reply" } } },
	{ "list reply",
	  MSG("interactive", ",\"interactive\":{\"list_reply\":{\"id\":\"r1\",\"title\":\"Row\","
			     "\"description\":\"d\"},\"type\":\"list_reply\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_LIST_REPLY,
	  NULL,
	  { { "reply_id", "r1" }, { "text", "Row" } } },
	{ "flow reply",
	  MSG("interactive", ",\"interactive\":{\"type\":\"nfm_reply\",\"nfm_reply\":{\"name\":"
			     "\"flow\",\"body\":\"Sent\",\"response_json\":\"{}\"}}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_FLOW_REPLY,
	  NULL,
	  { { "text", "Sent" } } },
	{ "call permission",
	  MSG("interactive", ",\"interactive\":{\"type\":\"call_permission_reply\","
			     "\"call_permission_reply\":{\"response\":\"accept\"}}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_CALL_PERMISSION_REPLY,
	  NULL,
	  { { "reply_id", "accept" } } },
	{ "interactive of tomorrow",
	  MSG("interactive",
	      ",\"interactive\":{\"type\":\"payment_method\",\"payment_method\":{}}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_INTERACTIVE,
	  NULL,
	  { { "kind_word", "payment_method" } } },
	{ "interactive without its object",
	  MSG("interactive", ",\"interactive\":{\"type\":\"list_reply\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_INTERACTIVE,
	  NULL,
	  { { "reply_id", "" } } },
	{ "interactive missing",
	  MSG("interactive", ""),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_INTERACTIVE,
	  "",
	  { { "kind_word", "interactive" } } },
	{ "order",
	  MSG("order", ",\"order\":{\"catalog_id\":\"C\",\"text\":\"fast\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_ORDER,
	  NULL,
	  { { "text", "fast" } } },
	{ "reaction",
	  MSG("reaction", ",\"reaction\":{\"message_id\":\"wamid.B\",\"emoji\":"
			  "\"\\u2764\"}"),
	  GW_EVENT_MESSAGE_REACTION,
	  GW_KIND_REACTION,
	  NULL,
	  { { "reply_to", "wamid.B" }, { "emoji", "\xe2\x9d\xa4" } } },
	{ "reaction taken back",
	  MSG("reaction", ",\"reaction\":{\"message_id\":\"wamid.B\"}"),
	  GW_EVENT_MESSAGE_REACTION,
	  GW_KIND_REACTION,
	  NULL,
	  { { "emoji", "" } } },
	{ "system",
	  MSG("system", ",\"system\":{\"body\":\"User A changed\",\"wa_id\":"
			"\"12195555358\",\"type\":\"user_changed_number\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_SYSTEM,
	  NULL,
	  { { "system_type", "user_changed_number" },
	    { "new_phone", "12195555358" },
	    { "text", "User A changed" } } },
	{ "system user id",
	  MSG("system", ",\"system\":{\"user_id\":\"US.2\",\"previous_user_id\":\"US.1\","
			"\"type\":\"user_changed_user_id\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_SYSTEM,
	  NULL,
	  { { "new_user_id", "US.2" }, { "previous_user_id", "US.1" } } },
	{ "welcome",
	  MSG("request_welcome", ""),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_WELCOME,
	  "",
	  { { "text", "" } } },
	{ "edit",
	  MSG("edit", ",\"edit\":{\"original_message_id\":\"wamid.O\",\"message\":{\"type\":"
		      "\"image\",\"context\":{\"id\":\"M0\"},\"image\":{\"id\":\"5\","
		      "\"caption\":\"New\"}}}"),
	  GW_EVENT_MESSAGE_EDITED,
	  GW_KIND_EDIT,
	  NULL,
	  { { "reply_to", "wamid.O" }, { "text", "New" }, { "media_id", "5" } } },
	{ "edit of an edit",
	  MSG("edit", ",\"edit\":{\"original_message_id\":\"wamid.O\",\"message\":{\"type\":"
		      "\"edit\",\"edit\":{\"original_message_id\":\"x\"}}}"),
	  GW_EVENT_MESSAGE_EDITED,
	  GW_KIND_EDIT,
	  NULL,
	  { { "reply_to", "wamid.O" } } },
	{ "revoke",
	  MSG("revoke", ",\"revoke\":{\"original_message_id\":\"wamid.O\"}"),
	  GW_EVENT_MESSAGE_DELETED,
	  GW_KIND_REVOKE,
	  NULL,
	  { { "reply_to", "wamid.O" } } },
	{ "unsupported",
	  MSG("unsupported", ",\"errors\":[{\"code\":131051,\"title\":\"T\",\"error_data\":{"
			     "\"details\":\"D\"}}],\"unsupported\":{\"type\":\"poll\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_UNSUPPORTED,
	  "{\"type\":\"poll\"}",
	  { { "error_title", "T" }, { "error_details", "D" } } },
	{ "unknown",
	  MSG("unknown", ",\"errors\":[{\"code\":501,\"message\":\"M\"}]"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_UNSUPPORTED,
	  "",
	  { { "error_title", "M" } } },
	{ "placeholder",
	  MSG("media_placeholder", ""),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_MEDIA_PLACEHOLDER,
	  "",
	  { { "text", "" } } },
	{ "word of tomorrow",
	  MSG("hologram", ",\"hologram\":{\"a\":1}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_OTHER,
	  "{\"a\":1}",
	  { { "kind_word", "hologram" } } },
	{ "neither type nor content",
	  "{\"id\":\"m\"}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_OTHER,
	  "",
	  { { "kind_word", "" } } },
	{ "content of another type",
	  MSG("text", ",\"text\":\"oops\""),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  "\"oops\"",
	  { { "text", "" } } },
	{ "no id",
	  "{\"from\":\"16505551234\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  "",
	  { { "text", "" }, { "phone", "" } } },
	{ "empty id",
	  "{\"id\":\"\",\"type\":\"text\"}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  "",
	  { { "id", "" } } },
	{ "id of another type",
	  "{\"id\":{},\"type\":\"text\"}",
	  GW_EVENT_UNKNOWN,
	  GW_KIND_NONE,
	  "",
	  { { "id", "" } } },
	{ "number as id",
	  "{\"id\":12345678901234567890,\"type\":\"text\"}",
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  "",
	  { { "id", "12345678901234567890" } } },
	{ "referral",
	  MSG("text", ",\"text\":{\"body\":\"x\"},\"referral\":{\"ctwa_clid\":\"c\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  NULL,
	  { { "text", "x" } } },
	{ "group",
	  MSG("text", ",\"group_id\":\"Y2Fw\",\"text\":{\"body\":\"x\"}"),
	  GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT,
	  NULL,
	  { { "group_id", "Y2Fw" }, { "phone", "16505551234" } } },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct parsed p = parse_item("messages", "messages", messages[i].item);
		const gw_event *e = gw_notification_event(p.n, 0);

		CHECK_INT(messages[i].name, messages[i].type, e->type);
		CHECK_INT(messages[i].name, messages[i].kind, e->kind);
		if (messages[i].content != NULL)
			CHECK_STR(messages[i].name, messages[i].content,
				  span_text(p.body, e->content));
		CHECK_STR(messages[i].name, messages[i].item, span_text(p.body, e->item));
		check_wants(messages[i].name, e, messages[i].wants);
		parsed_free(&p);
	}
}

static void test_flags_and_numbers(void **state)
{
	struct parsed p = parse_item(
		"messages", "messages",
		MSG("audio", ",\"audio\":{\"id\":\"1\",\"voice\":true},\"context\":{\"forwarded\":"
			     "true},\"errors\":[{\"code\":\"131052\"},{\"code\":1}]"));
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	assert_true(e->media_voice && e->forwarded && !e->media_animated);
	CHECK_INT("code as text", 131052, e->error_code);
	CHECK_STR("all errors", "[{\"code\":\"131052\"},{\"code\":1}]",
		  span_text(p.body, e->errors));
	CHECK_INT("time", 1749854575, e->at);
	parsed_free(&p);
	p = parse_item("messages", "messages",
		       MSG("sticker", ",\"sticker\":{\"animated\":true},\"context\":{"
				      "\"frequently_forwarded\":true}"));
	e = gw_notification_event(p.n, 0);
	assert_true(e->media_animated && e->forwarded);
	parsed_free(&p);
}

static const struct {
	const char *literal;
	double want;
} decimals[] = {
	{ "37.4847", 37.4847 },
	{ "-122.1473", -122.1473 },
	{ "\"-0.5\"", -0.5 },
	{ "0", 0 },
	{ "\"12.345678901234567890123\"", 12.345678901234567890123 },
	{ "\"1e5\"", 0 },
	{ "\"x\"", 0 },
	{ "\"\"", 0 },
	{ "\"-\"", 0 },
	{ "\".\"", 0 },
	{ "\"1.2.3\"", 0 },
	{ "true", 0 },
};

static void test_coordinates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
		char item[256];
		struct parsed p;
		const gw_event *e;

		(void)snprintf(item, sizeof(item),
			       "{\"id\":\"m\",\"type\":\"location\",\"location\":{\"latitude\":%s,"
			       "\"longitude\":-7}}",
			       decimals[i].literal);
		p = parse_item("messages", "messages", item);
		e = gw_notification_event(p.n, 0);
		if (e->latitude - decimals[i].want > 1e-9 ||
		    decimals[i].want - e->latitude > 1e-9) {
			print_error("%s: %.12f\n", decimals[i].literal, e->latitude);
			fail();
		}
		assert_true(e->longitude < -6.99 && e->longitude > -7.01);
		parsed_free(&p);
	}
}

/* Whom a message is of: from, from_user_id and contacts[] in all combinations. */
static const struct {
	const char *name, *who, *contacts;
	const char *phone, *user_id, *profile;
} senders[] = {
	{ "phone", "\"from\":\"111\",", "{\"wa_id\":\"111\",\"profile\":{\"name\":\"A\"}}", "111",
	  "", "A" },
	{ "with plus", "\"from\":\"+1 11\",", "{\"wa_id\":\"111\",\"profile\":{\"name\":\"A\"}}",
	  "111", "", "A" },
	{ "user id alone", "\"from_user_id\":\"US.1\",",
	  "{\"user_id\":\"US.1\",\"profile\":{\"name\":\"A\"}}", "", "US.1", "A" },
	{ "phone of the contact", "\"from_user_id\":\"US.1\",",
	  "{\"user_id\":\"US.1\",\"wa_id\":\"111\"}", "111", "US.1", "" },
	{ "nobody named, one contact", "", "{\"user_id\":\"US.1\",\"wa_id\":\"111\"}", "111",
	  "US.1", "" },
	{ "another national form", "\"from\":\"5511\",",
	  "{\"wa_id\":\"55911\",\"profile\":{\"name\":\"A\"}}", "5511", "", "A" },
	{ "somebody else", "\"from_user_id\":\"US.1\",",
	  "{\"user_id\":\"US.2\",\"profile\":{\"name\":\"B\"}}", "", "US.1", "" },
	{ "second of two", "\"from\":\"222\",",
	  "{\"wa_id\":\"111\",\"profile\":{\"name\":\"A\"}},"
	  "{\"wa_id\":\"222\",\"profile\":{\"name\":\"B\"}}",
	  "222", "", "B" },
	{ "none of two", "\"from\":\"333\",",
	  "{\"wa_id\":\"111\",\"profile\":{\"name\":\"A\"}},{\"wa_id\":\"222\"}", "333", "", "" },
	{ "an id in from", "\"from\":\"US.1349\",", "{\"user_id\":\"US.1349\"}", "", "US.1349",
	  "" },
	{ "odd contacts", "\"from\":\"1\",", "null,[],{\"wa_id\":{}},7", "1", "", "" },
	{ "parent", "\"from\":\"1\",", "{\"wa_id\":\"1\",\"parent_user_id\":\"US.ENT.9\"}", "1", "",
	  "" },
};

static void test_senders(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
		char body[1024];
		struct parsed p;
		const gw_event *e;

		(void)snprintf(body, sizeof(body),
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":["
			       "{\"field\":\"messages\",\"value\":{\"messages\":[{%s\"id\":\"m\"}],"
			       "\"contacts\":[%s]}}]}]}",
			       senders[i].who, senders[i].contacts);
		p = parse_body(body);
		e = gw_notification_event(p.n, 0);
		CHECK_STR(senders[i].name, senders[i].phone, str_of_gw(e->phone));
		CHECK_STR(senders[i].name, senders[i].user_id, str_of_gw(e->user_id));
		CHECK_STR(senders[i].name, senders[i].profile, str_of_gw(e->name));
		parsed_free(&p);
	}
}

static void test_echo(void **state)
{
	struct parsed p = parse_item(
		"smb_message_echoes", "message_echoes",
		"{\"from\":\"15550783881\",\"to\":\"16505551234\",\"to_user_id\":\"US.1349\","
		"\"id\":\"wamid.E\",\"timestamp\":\"1\",\"type\":\"text\",\"text\":{\"body\":"
		"\"From the phone\"}}");
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	CHECK_INT("type", GW_EVENT_MESSAGE_SENT_ELSEWHERE, e->type);
	CHECK_INT("kind", GW_KIND_TEXT, e->kind);
	CHECK_STR("the customer, not us", "16505551234", str_of_gw(e->phone));
	CHECK_STR("name", "Ann", str_of_gw(e->name));
	CHECK_STR("text", "From the phone", str_of_gw(e->text));
	parsed_free(&p);
	p = parse_item("smb_message_echoes", "message_echoes",
		       "{\"id\":\"wamid.E\",\"to\":\"16505551234\",\"type\":\"revoke\",\"revoke\":{"
		       "\"original_message_id\":\"wamid.O\"}}");
	e = gw_notification_event(p.n, 0);
	CHECK_INT("still ours", GW_EVENT_MESSAGE_SENT_ELSEWHERE, e->type);
	CHECK_INT("a revoke", GW_KIND_REVOKE, e->kind);
	parsed_free(&p);
	p = parse_item("smb_message_echoes", "message_echoes", "{\"to\":\"1\"}");
	CHECK_INT("no id", GW_EVENT_UNKNOWN, gw_notification_event(p.n, 0)->type);
	parsed_free(&p);
}

/* Both sides of the ceilings of id and user id. */
static void test_long_ids(void **state)
{
	static const struct {
		const char *name;
		int id_len, user_len;
		gw_event_type type;
		size_t want_user;
	} rows[] = {
		{ "at the limit", GW_WAMID_MAX, GW_USER_ID_MAX, GW_EVENT_MESSAGE_RECEIVED,
		  GW_USER_ID_MAX },
		{ "id over it", GW_WAMID_MAX + 1, 1, GW_EVENT_UNKNOWN, 0 },
		{ "user id over it", 1, GW_USER_ID_MAX + 1, GW_EVENT_MESSAGE_RECEIVED, 0 },
	};
	char digits[512];

	(void)state;
	memset(digits, 'x', sizeof(digits));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char item[1024], body[2048];
		struct parsed p;
		const gw_event *e;

		(void)snprintf(item, sizeof(item), "{\"id\":\"%.*s\",\"from_user_id\":\"%.*s\"}",
			       rows[i].id_len, digits, rows[i].user_len, digits);
		(void)snprintf(body, sizeof(body),
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":["
			       "{\"field\":\"messages\",\"value\":{\"messages\":[%s]}}]}]}",
			       item);
		p = parse_body(body);
		e = gw_notification_event(p.n, 0);
		CHECK_INT(rows[i].name, rows[i].type, e->type);
		CHECK_INT(rows[i].name, rows[i].want_user, e->user_id.len);
		parsed_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),       cmocka_unit_test(test_flags_and_numbers),
		cmocka_unit_test(test_coordinates), cmocka_unit_test(test_senders),
		cmocka_unit_test(test_echo),        cmocka_unit_test(test_long_ids),
	};

	return cmocka_run_group_tests_name("parse_message", tests, NULL, NULL);
}
