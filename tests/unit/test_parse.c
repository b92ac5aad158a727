/* SPDX-License-Identifier: MIT */
/* test_parse.c - the envelope: what becomes an event, and where it lies */
#include "parse_unit.h"

static const struct {
	const char *name, *body;
	int count;
	const char *list; /* of the first event; NULL: the whole value */
	const char *item; /* the bytes of the first event's item */
} shapes[] = {
	{ "empty object", "{}", 1, "", "{}" },
	{ "array", " [1] ", 1, "", "[1]" },
	{ "number", "1", 1, "", "1" },
	{ "null", "null", 1, "", "null" },
	{ "no entry", "{\"object\":\"page\"}", 1, "", "{\"object\":\"page\"}" },
	{ "empty entry", "{\"entry\":[]}", 1, "", "{\"entry\":[]}" },
	{ "entry no list", "{\"entry\":{}}", 1, "", "{\"entry\":{}}" },
	{ "entry of null", "{\"entry\":[null]}", 1, "entry", "null" },
	{ "two entries", "{\"entry\":[{\"id\":\"1\"},{}]}", 2, "entry", "{\"id\":\"1\"}" },
	{ "no changes", "{\"entry\":[{\"changes\":[]}]}", 1, "entry", "{\"changes\":[]}" },
	{ "change of null", "{\"entry\":[{\"changes\":[null]}]}", 1, "changes", "null" },
	{ "no value", "{\"entry\":[{\"changes\":[{\"field\":\"x\"}]}]}", 1, "changes",
	  "{\"field\":\"x\"}" },
	{ "null value", "{\"entry\":[{\"changes\":[{\"value\":null}]}]}", 1, NULL, "null" },
	{ "field of tomorrow", ENVELOPE("tomorrow", "{\"a\":1}"), 1, NULL, "{\"a\":1}" },
	{ "value no object", ENVELOPE("messages", "[2]"), 1, NULL, "[2]" },
	{ "no lists", ENVELOPE("messages", "{\"a\":1}"), 1, NULL, "{\"a\":1}" },
	{ "empty lists", ENVELOPE("messages", "{\"messages\":[],\"statuses\":[]}"), 1, NULL,
	  "{\"messages\":[],\"statuses\":[]}" },
	{ "list no array", ENVELOPE("messages", "{\"messages\":7}"), 1, NULL, "{\"messages\":7}" },
	{ "odd elements", ENVELOPE("messages", "{\"messages\":[1,null,[],\"x\"]}"), 4, "messages",
	  "1" },
	{ "other object", "{\"object\":\"permissions\",\"entry\":[{\"changes\":[{\"value\":5}]}]}",
	  1, NULL, "5" },
};

static void test_other_shapes_are_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct parsed p = parse_body(shapes[i].body);
		const gw_event *e = gw_notification_event(p.n, 0);

		CHECK_INT(shapes[i].name, shapes[i].count, gw_notification_count(p.n));
		CHECK_INT(shapes[i].name, GW_EVENT_UNKNOWN, e->type);
		CHECK_STR(shapes[i].name, shapes[i].item, span_text(p.body, e->item));
		CHECK_INT(shapes[i].name, shapes[i].list == NULL, e->list == NULL);
		if (shapes[i].list != NULL)
			CHECK_STR(shapes[i].name, shapes[i].list, str_from(e->list));
		check_bounds(shapes[i].name, strlen(shapes[i].body), p.n);
		parsed_free(&p);
	}
}

static const char *const no_json[] = { "", "{", "{}x", "{\"a\":}", "\xff", "nul", "{'a':1}" };

static void test_what_is_no_json_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_json); i++) {
		gw_notification *n = (gw_notification *)&n; /* must stay as it is */
		gw_notification *was = n;
		struct gw_error err = GW_ERROR_INIT;

		CHECK_INT(no_json[i], GW_EPARSE,
			  gw_notification_parse(gw_str_from(no_json[i]), &n, &err));
		assert_ptr_equal(n, was);
		assert_true(err.message[0] != '\0');
	}
}

static void test_size_limit(void **state)
{
	size_t len = GW_NOTIFICATION_MAX;
	char *body = malloc(len + 1);
	gw_notification *n = NULL;

	(void)state;
	assert_non_null(body);
	memset(body, ' ', len + 1);
	memcpy(body, "{}", 2);
	CHECK_INT("at the limit", GW_OK, gw_notification_parse((gw_str){ body, len }, &n, NULL));
	gw_notification_free(n);
	CHECK_INT("over it", GW_ELIMIT, gw_notification_parse((gw_str){ body, len + 1 }, &n, NULL));
	free(body);
}

/* `count` elements of `item` in messages; the status of the parse. */
static gw_status parse_many(size_t count, const char *item, size_t *events)
{
	static const char head[] = "{\"object\":\"whatsapp_business_account\",\"entry\":[{"
				   "\"changes\":[{\"field\":\"messages\",\"value\":{\"messages\":[";
	size_t item_len = strlen(item), len = sizeof(head) - 1;
	char *body = malloc(len + count * (item_len + 1) + 8);
	gw_notification *n = NULL;
	gw_status st;

	assert_non_null(body);
	memcpy(body, head, len);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			body[len++] = ',';
		memcpy(body + len, item, item_len);
		len += item_len;
	}
	memcpy(body + len, "]}}]}]}", 7);
	st = gw_notification_parse((gw_str){ body, len + 7 }, &n, NULL);
	*events = st == GW_OK ? gw_notification_count(n) : 0;
	gw_notification_free(n);
	free(body);
	return st;
}

static void test_memory_is_bounded(void **state)
{
	static const char small[] =
		"{\"id\":\"wamid.1234567890123456789012345678\",\"type\":\"x\"}";
	size_t events;

	(void)state;
	CHECK_INT("tiny items", GW_ELIMIT, parse_many(1000000, "{}", &events));
	CHECK_INT("a body full of small messages", GW_OK, parse_many(60000, small, &events));
	CHECK_INT("all of them", 60000, events);
}

/* 1000 updates of 1000 people in 3 MB: what Meta may send in one request. */
static void test_largest_batch(void **state)
{
	size_t cap = 4U * 1024 * 1024, len;
	char *body = malloc(cap), *text = malloc(2801);
	struct parsed p;

	(void)state;
	assert_non_null(body);
	assert_non_null(text);
	memset(text, 'x', 2800);
	text[2800] = '\0';
	len = (size_t)snprintf(body, cap,
			       "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
			       "\"changes\":[{\"field\":\"messages\",\"value\":{\"contacts\":[");
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(body + len, cap - len,
					"%s{\"wa_id\":\"1650%07d\",\"profile\":{\"name\":\"N%d\"}}",
					i > 0 ? "," : "", i, i);
	len += (size_t)snprintf(body + len, cap - len, "],\"messages\":[");
	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(body + len, cap - len,
					"%s{\"id\":\"w%d\",\"from\":\"1650%07d\",\"type\":\"text\","
					"\"text\":{\"body\":\"%s\"}}",
					i > 0 ? "," : "", i, 999 - i, text);
	(void)snprintf(body + len, cap - len, "]}}]}]}");
	p = parse_body(body);
	CHECK_INT("events", 1000, gw_notification_count(p.n));
	for (size_t i = 0; i < 1000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "N%zu", 999 - i);
		CHECK_STR("profile", name, str_of_gw(gw_notification_event(p.n, i)->name));
	}
	parsed_free(&p);
	free(text);
	free(body);
}

#define MIXED                                                                                    \
	"{ \"object\" : \"whatsapp_business_account\", \"entry\" : [ {\"id\" : \"77\", "         \
	"\"time\": 1739321024 , \"changes\":[{\"value\":{\"metadata\": {\"phone_number_id\":5}," \
	"\"contacts\":[{\"wa_id\":\"1\",\"profile\":{\"name\":\"A\"}}, "                         \
	"{\"wa_id\":\"2\",\"profile\":{\"name\":\"B\"}}],"                                       \
	"\"messages\":[{\"id\":\"m1\",\"from\":\"2\",\"type\":\"text\",\"text\":{"               \
	"\"body\":\"x\"}}, "                                                                     \
	"{\"from\":\"1\"} , {\"id\":\"m3\",\"from\":\"9\"}],"                                    \
	"\"statuses\":[{\"id\":\"s1\",\"status\":\"read\",\"recipient_id\":\"1\","               \
	"\"biz_opaque_callback_data\":\"a\\u00e9b\"},{\"id\":\"s2\"},{\"status\":\"sent\"}],"    \
	"\"errors\":[{\"code\":130429,\"title\":\"T\"}]},\"field\":\"messages\"}]}]}"

static void test_siblings_and_spans(void **state)
{
	static const struct {
		gw_event_type type;
		const char *list, *item, *contact;
	} want[] = {
		{ GW_EVENT_MESSAGE_RECEIVED, "messages",
		  "{\"id\":\"m1\",\"from\":\"2\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
		  "{\"wa_id\":\"2\",\"profile\":{\"name\":\"B\"}}" },
		{ GW_EVENT_UNKNOWN, "messages", "{\"from\":\"1\"}", "" },
		{ GW_EVENT_MESSAGE_RECEIVED, "messages", "{\"id\":\"m3\",\"from\":\"9\"}", "" },
		{ GW_EVENT_MESSAGE_STATUS, "statuses",
		  "{\"id\":\"s1\",\"status\":\"read\",\"recipient_id\":\"1\","
		  "\"biz_opaque_callback_data\":\"a\\u00e9b\"}",
		  "{\"wa_id\":\"1\",\"profile\":{\"name\":\"A\"}}" },
		{ GW_EVENT_UNKNOWN, "statuses", "{\"id\":\"s2\"}", "" },
		{ GW_EVENT_UNKNOWN, "statuses", "{\"status\":\"sent\"}", "" },
		{ GW_EVENT_ACCOUNT, "errors", "{\"code\":130429,\"title\":\"T\"}", "" },
	};
	struct parsed p = parse_body(MIXED);

	(void)state;
	CHECK_INT("events", ARRAY_LEN(want), gw_notification_count(p.n));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const gw_event *e = gw_notification_event(p.n, i);

		CHECK_INT("type", want[i].type, e->type);
		CHECK_STR("list", want[i].list, str_from(e->list));
		CHECK_STR("item", want[i].item, span_text(p.body, e->item));
		CHECK_STR("contact", want[i].contact, span_text(p.body, e->contact));
		CHECK_STR("entry id", "\"77\"", span_text(p.body, e->entry_id));
		CHECK_STR("entry time", "1739321024", span_text(p.body, e->entry_time));
		CHECK_STR("field", "\"messages\"", span_text(p.body, e->field_word));
		CHECK_STR("metadata", "{\"phone_number_id\":5}", span_text(p.body, e->metadata));
		CHECK_STR("account", "5", str_of_gw(e->account_id));
		CHECK_STR("business", "77", str_of_gw(e->business_id));
	}
	assert_null(gw_notification_event(p.n, ARRAY_LEN(want)));
	CHECK_STR("opaque",
		  "a\xc3\xa9"
		  "b",
		  str_of_gw(gw_notification_event(p.n, 3)->opaque));
	CHECK_STR("its literal", "\"a\\u00e9b\"",
		  span_text(p.body, gw_notification_event(p.n, 3)->opaque_value));
	CHECK_STR("object", "whatsapp_business_account", str_of_gw(gw_notification_object(p.n)));
	parsed_free(&p);
}

static void test_two_changes_do_not_mix(void **state)
{
	struct parsed p = parse_body(
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":["
		"{\"field\":\"messages\",\"value\":{\"metadata\":{\"phone_number_id\":\"5\"},"
		"\"contacts\":[{\"wa_id\":\"7\",\"profile\":{\"name\":\"A\"}}],"
		"\"messages\":[{\"id\":\"m1\",\"from\":\"7\"}]}},"
		"{\"field\":\"messages\",\"value\":{\"messages\":[{\"id\":\"m2\"}]}}]},"
		"{\"id\":\"2\",\"changes\":[{\"field\":\"flows\",\"value\":{\"event\":\"E\"}}]}]}");
	const gw_event *second = gw_notification_event(p.n, 1),
		       *third = gw_notification_event(p.n, 2);

	(void)state;
	CHECK_INT("events", 3, gw_notification_count(p.n));
	CHECK_STR("first", "A", str_of_gw(gw_notification_event(p.n, 0)->name));
	CHECK_STR("no number of the first", "", str_of_gw(second->account_id));
	CHECK_STR("no name of the first", "", str_of_gw(second->name));
	CHECK_STR("its entry", "1", str_of_gw(second->business_id));
	CHECK_STR("the other entry", "2", str_of_gw(third->business_id));
	CHECK_INT("flow", GW_EVENT_FLOW, third->type);
	parsed_free(&p);
}

static void test_duplicate_keys_first_wins(void **state)
{
	struct parsed p = parse_body(
		ENVELOPE("messages", "{\"messages\":[{\"id\":\"a\",\"id\":\"b\",\"type\":\"text\","
				     "\"text\":{\"body\":\"1\",\"body\":\"2\"}}]}"));
	const gw_event *e = gw_notification_event(p.n, 0);

	(void)state;
	CHECK_STR("id", "a", str_of_gw(e->id));
	CHECK_STR("text", "1", str_of_gw(e->text));
	CHECK_INT("counted", 2, gw_notification_duplicate_keys(p.n));
	parsed_free(&p);
}

static const struct {
	const char *in, *want;
} addresses[] = {
	{ "15550783881", "+15550783881" },
	{ "+15550783881", "+15550783881" },
	{ "+1 555-078-3881", "+15550783881" },
	{ "1 (555) 078", "+1555078" },
	{ "<NUMBER>", "<NUMBER>" },
	{ "", "" },
};

static void test_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		char body[512];
		struct parsed p;

		(void)snprintf(
			body, sizeof(body),
			"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":["
			"{\"field\":\"security\",\"value\":{\"display_phone_number\":\"%s\"}}]}"
			"]}",
			addresses[i].in);
		p = parse_body(body);
		CHECK_STR(addresses[i].in, addresses[i].want,
			  str_of_gw(gw_notification_event(p.n, 0)->address));
		parsed_free(&p);
	}
}

static const struct {
	const char *literal;
	long long want;
} times[] = {
	{ "\"1739321024\"", 1739321024 },
	{ "1739321024", 1739321024 },
	{ "1739321024123", 1739321024 },
	{ "\"1739321024123\"", 1739321024 },
	{ "0", 0 },
	{ "-1", 0 },
	{ "1.5", 0 },
	{ "\"<TIME>\"", 0 },
	{ "null", 0 },
	{ "99999999999", 99999999999 },
	{ "100000000000", 100000000 },
	{ "99999999999999999999999", 0 },
	{ "9223372036854775807", 0 },
};

static void test_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		char item[128];
		struct parsed p;

		(void)snprintf(item, sizeof(item), "{\"id\":\"m\",\"timestamp\":%s}",
			       times[i].literal);
		p = parse_item("messages", "messages", item);
		CHECK_INT(times[i].literal, times[i].want, gw_notification_event(p.n, 0)->at);
		parsed_free(&p);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GW_EVENT_NTYPES; i++)
		assert_string_not_equal(gw_event_type_name((gw_event_type)i), "invalid");
	for (unsigned i = 0; i < GW_NKINDS; i++)
		assert_string_not_equal(gw_message_kind_name((gw_message_kind)i), "invalid");
	for (unsigned i = 0; i < GW_NSTATUSES; i++)
		assert_string_not_equal(gw_status_kind_name((gw_status_kind)i), "invalid");
	assert_string_equal(gw_channel_name(GW_CHANNEL_INSTAGRAM), "instagram");
	assert_string_equal(gw_event_type_name(GW_EVENT_MESSAGE_RECEIVED), "message.received");
	assert_string_equal(gw_message_kind_name((gw_message_kind)99), "invalid");
	assert_string_equal(gw_version(), GODWIT_VERSION);
	assert_int_equal(GW_VERSION_NUMBER, 100);
	gw_notification_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_shapes_are_unknown),
		cmocka_unit_test(test_what_is_no_json_is_refused),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_largest_batch),
		cmocka_unit_test(test_siblings_and_spans),
		cmocka_unit_test(test_two_changes_do_not_mix),
		cmocka_unit_test(test_duplicate_keys_first_wins),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
