/* SPDX-License-Identifier: MIT */
/* test_sandbox_graph.c - what the emulated Graph API takes, refuses, and with which words */
#include "sandbox_rig.h"

#define WA "\"messaging_product\":\"whatsapp\","
#define TO "\"to\":\"+" ANA "\","
#define HEAD "{" WA TO
#define TEXT HEAD "\"text\":{\"body\":\"hi\"}}"
#define BUTTON(id, title) \
	"{\"type\":\"reply\",\"reply\":{\"id\":\"" id "\",\"title\":\"" title "\"}}"
#define BUTTONS(list)                                                         \
	HEAD "\"type\":\"interactive\",\"interactive\":{\"type\":\"button\"," \
	     "\"body\":{\"text\":\"b\"},\"action\":{\"buttons\":[" list "]}}}"
#define ROW(id) "{\"id\":\"" id "\",\"title\":\"t\"}"
#define LIST(button, sections)                                              \
	HEAD "\"type\":\"interactive\",\"interactive\":{\"type\":\"list\"," \
	     "\"body\":{\"text\":\"b\"},\"action\":{\"button\":\"" button   \
	     "\",\"sections\":[" sections "]}}}"
#define INTER(type, body, action)                                                    \
	HEAD "\"type\":\"interactive\",\"interactive\":{\"type\":\"" type "\"," body \
	     "\"action\":" action "}}"
#define B "\"body\":{\"text\":\"b\"},"
#define C20 "aaaaaaaaaaaaaaaaaaaa"
#define C60 C20 C20 C20
#define C256 C60 C60 C60 C60 "aaaaaaaaaaaaaaaa"

/* %N in a body becomes N letters. */
static char *expand(const char *text)
{
	char *out = xmalloc(strlen(text) + 70000);
	size_t len = 0;

	while (*text != '\0') {
		unsigned count = 0;

		if (*text != '%') {
			out[len++] = *text++;
			continue;
		}
		for (text++; *text >= '0' && *text <= '9'; text++)
			count = count * 10 + (unsigned)(*text - '0');
		while (count-- > 0)
			out[len++] = 'x';
	}
	out[len] = '\0';
	return out;
}

static const struct {
	const char *name, *body;
	int code; /* 0: accepted */
} sends[] = {
	{ "text", TEXT, 0 },
	{ "no body", "", 100 },
	{ "not json", "{\"messaging_product", 100 },
	{ "an array", "[]", 100 },
	{ "no product", "{\"to\":\"+1\",\"text\":{\"body\":\"hi\"}}", 100 },
	{ "another product", "{\"messaging_product\":\"telegram\"}", 100 },
	{ "product before all else", "{\"to\":\"x\",\"type\":\"nonsense\"}", 100 },
	{ "no recipient", "{" WA "\"text\":{\"body\":\"hi\"}}", 100 },
	{ "empty recipient", "{" WA "\"to\":\"\",\"text\":{\"body\":\"hi\"}}", 100 },
	{ "recipient is a number", "{" WA "\"to\":5571990000001,\"text\":{\"body\":\"hi\"}}", 0 },
	{ "recipient is no phone", "{" WA "\"to\":\"ana\",\"text\":{\"body\":\"hi\"}}", 131009 },
	{ "sixteen digits", "{" WA "\"to\":\"+1234567890123456\",\"text\":{\"body\":\"hi\"}}",
	  131009 },
	{ "the sender", "{" WA "\"to\":\"+15550783881\",\"text\":{\"body\":\"hi\"}}", 131021 },
	{ "recipient_type", HEAD "\"recipient_type\":\"individual\",\"text\":{\"body\":\"hi\"}}",
	  0 },
	{ "odd recipient_type", HEAD "\"recipient_type\":\"crowd\",\"text\":{\"body\":\"hi\"}}",
	  100 },
	{ "a group", HEAD "\"recipient_type\":\"group\",\"text\":{\"body\":\"hi\"}}", 131041 },
	{ "unknown user id", "{" WA "\"recipient\":\"US.1\",\"text\":{\"body\":\"hi\"}}", 131009 },
	{ "unknown type", HEAD "\"type\":\"gif\",\"gif\":{}}", 100 },
	{ "type without content", HEAD "\"type\":\"text\"}", 100 },
	{ "body 4096", HEAD "\"text\":{\"body\":\"%4096\"}}", 0 },
	{ "body 4097", HEAD "\"text\":{\"body\":\"%4097\"}}", 100 },
	{ "body empty", HEAD "\"text\":{\"body\":\"\"}}", 100 },
	{ "body is a number", HEAD "\"text\":{\"body\":5}}", 100 },
	{ "opaque 512", HEAD "\"text\":{\"body\":\"hi\"},\"biz_opaque_callback_data\":\"%512\"}",
	  0 },
	{ "opaque 513", HEAD "\"text\":{\"body\":\"hi\"},\"biz_opaque_callback_data\":\"%513\"}",
	  100 },
	{ "context", HEAD "\"text\":{\"body\":\"hi\"},\"context\":{\"message_id\":\"wamid.x\"}}",
	  0 },
	{ "empty context", HEAD "\"text\":{\"body\":\"hi\"},\"context\":{}}", 100 },
	{ "image by link",
	  HEAD "\"type\":\"image\",\"image\":{\"link\":\"https://a.example/b.png\"}}", 0 },
	{ "image by id", HEAD "\"type\":\"image\",\"image\":{\"id\":\"1037\"}}", 0 },
	{ "image by both",
	  HEAD "\"type\":\"image\",\"image\":{\"id\":\"1\",\"link\":\"https://a.example/b\"}}",
	  100 },
	{ "image by neither", HEAD "\"type\":\"image\",\"image\":{\"caption\":\"c\"}}", 100 },
	{ "link is no URL", HEAD "\"type\":\"image\",\"image\":{\"link\":\"b.png\"}}", 100 },
	{ "caption 1024", HEAD "\"type\":\"image\",\"image\":{\"id\":\"1\",\"caption\":\"%1024\"}}",
	  0 },
	{ "caption 1025", HEAD "\"type\":\"image\",\"image\":{\"id\":\"1\",\"caption\":\"%1025\"}}",
	  100 },
	{ "video", HEAD "\"type\":\"video\",\"video\":{\"id\":\"1\",\"caption\":\"c\"}}", 0 },
	{ "document",
	  HEAD "\"type\":\"document\",\"document\":{\"id\":\"1\",\"filename\":\"a.pdf\"}}", 0 },
	{ "audio", HEAD "\"type\":\"audio\",\"audio\":{\"id\":\"1\",\"voice\":true}}", 0 },
	{ "audio with caption",
	  HEAD "\"type\":\"audio\",\"audio\":{\"id\":\"1\",\"caption\":\"c\"}}", 100 },
	{ "sticker", HEAD "\"type\":\"sticker\",\"sticker\":{\"id\":\"1\"}}", 0 },
	{ "location",
	  HEAD "\"type\":\"location\",\"location\":{\"latitude\":\"1.5\",\"longitude\":-2}}", 0 },
	{ "location without longitude", HEAD "\"type\":\"location\",\"location\":{\"latitude\":1}}",
	  100 },
	{ "contacts",
	  HEAD "\"type\":\"contacts\",\"contacts\":[{\"name\":{\"formatted_name\":\"A\"}}]}", 0 },
	{ "contacts empty", HEAD "\"type\":\"contacts\",\"contacts\":[]}", 100 },
	{ "contacts without a name", HEAD "\"type\":\"contacts\",\"contacts\":[{\"name\":{}}]}",
	  100 },
	{ "reaction",
	  HEAD "\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.x\",\"emoji\":\"\"}}",
	  0 },
	{ "reaction without emoji",
	  HEAD "\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.x\"}}", 100 },
	{ "pin", HEAD "\"type\":\"pin\",\"pin\":{\"type\":\"pin\",\"message_id\":\"x\"}}", 131051 },
	{ "type in capitals", HEAD "\"type\":\"TEXT\",\"text\":{\"body\":\"hi\"}}", 0 },
	{ "one button", BUTTONS(BUTTON("a", "A")), 0 },
	{ "three buttons", BUTTONS(BUTTON("a", "A") "," BUTTON("b", "B") "," BUTTON("c", "C")), 0 },
	{ "four buttons",
	  BUTTONS(BUTTON("a", "A") "," BUTTON("b", "B") "," BUTTON("c", "C") "," BUTTON("d", "D")),
	  131009 },
	{ "no buttons", BUTTONS(""), 131009 },
	{ "title 20", BUTTONS(BUTTON("a", C20)), 0 },
	{ "title 21", BUTTONS(BUTTON("a", C20 "b")), 131009 },
	{ "id 256", BUTTONS(BUTTON(C256, "A")), 0 },
	{ "id 257", BUTTONS(BUTTON(C256 "b", "A")), 131009 },
	{ "same titles", BUTTONS(BUTTON("a", "A") "," BUTTON("b", "A")), 131009 },
	{ "same ids", BUTTONS(BUTTON("a", "A") "," BUTTON("a", "B")), 131009 },
	{ "list", LIST("Pick", "{\"rows\":[" ROW("1") "]}"), 0 },
	{ "list button 21", LIST(C20 "b", "{\"rows\":[" ROW("1") "]}"), 131009 },
	{ "list without sections", LIST("Pick", ""), 131008 },
	{ "section without rows", LIST("Pick", "{\"title\":\"A\"}"), 131008 },
	{ "two sections need titles",
	  LIST("Pick", "{\"rows\":[" ROW("1") "]},{\"rows\":[" ROW("2") "]}"), 131008 },
	{ "two sections",
	  LIST("Pick", "{\"title\":\"A\",\"rows\":[" ROW("1") "]},{\"title\":\"B\",\"rows\":[" ROW(
			       "2") "]}"),
	  0 },
	{ "same row ids", LIST("Pick", "{\"rows\":[" ROW("1") "," ROW("1") "]}"), 131009 },
	{ "ten rows",
	  LIST("Pick",
	       "{\"rows\":[" ROW("1") "," ROW("2") "," ROW("3") "," ROW("4") "," ROW("5") "," ROW(
		       "6") "," ROW("7") "," ROW("8") "," ROW("9") "," ROW("10") "]}"),
	  0 },
	{ "eleven rows",
	  LIST("Pick",
	       "{\"rows\":[" ROW("1") "," ROW("2") "," ROW("3") "," ROW("4") "," ROW("5") "," ROW(
		       "6") "," ROW("7") "," ROW("8") "," ROW("9") "," ROW("10") "," ROW("11") "]}"),
	  131009 },
	{ "cta",
	  INTER("cta_url", B,
		"{\"name\":\"cta_url\",\"parameters\":{\"display_text\":\"Open\","
		"\"url\":\"https://a.example\"}}"),
	  0 },
	{ "cta without url",
	  INTER("cta_url", B, "{\"name\":\"cta_url\",\"parameters\":{\"display_text\":\"Open\"}}"),
	  131008 },
	{ "location request", INTER("location_request_message", B, "{\"name\":\"send_location\"}"),
	  0 },
	{ "location request without body",
	  INTER("location_request_message", "", "{\"name\":\"send_location\"}"), 131008 },
	{ "flow",
	  INTER("flow", B,
		"{\"name\":\"flow\",\"parameters\":{\"flow_message_version\":\"3\","
		"\"flow_id\":\"1\",\"flow_cta\":\"Book\"}}"),
	  0 },
	{ "flow by id and name",
	  INTER("flow", B,
		"{\"name\":\"flow\",\"parameters\":{\"flow_message_version\":\"3\","
		"\"flow_id\":\"1\",\"flow_name\":\"x\",\"flow_cta\":\"Book\"}}"),
	  131009 },
	{ "product", INTER("product", "", "{\"catalog_id\":\"C\",\"product_retailer_id\":\"S\"}"),
	  0 },
	{ "product list without header",
	  INTER("product_list", B,
		"{\"catalog_id\":\"C\",\"sections\":[{\"title\":\"S\",\"product_items\":[{"
		"\"product_retailer_id\":\"S\"}]}]}"),
	  131008 },
	{ "carousel of one", INTER("carousel", B, "{\"cards\":[{\"card_index\":0,\"action\":{}}]}"),
	  131009 },
	{ "carousel of two",
	  INTER("carousel", B,
		"{\"cards\":[{\"card_index\":0,\"action\":{}},"
		"{\"card_index\":1,\"action\":{}}]}"),
	  0 },
	{ "carousel with one index twice",
	  INTER("carousel", B,
		"{\"cards\":[{\"card_index\":1,\"action\":{}},"
		"{\"card_index\":1,\"action\":{}}]}"),
	  131009 },
	{ "interactive of no kind", INTER("dance", B, "{}"), 131009 },
	{ "footer 61", INTER("button", B "\"footer\":{\"text\":\"" C60 "b\"},", "{}"), 131009 },
	{ "header 60 and no action",
	  INTER("button", B "\"header\":{\"type\":\"text\",\"text\":\"" C60 "\"},", "null"),
	  131008 },
	{ "header 61",
	  INTER("button", B "\"header\":{\"type\":\"text\",\"text\":\"" C60 "b\"},", "{}"),
	  131009 },
	{ "a read receipt of nothing", "{" WA "\"status\":\"read\"}", 100 },
	{ "a read receipt of an unknown message",
	  "{" WA "\"status\":\"read\",\"message_id\":\"wamid.x\"}", 131009 },
	{ "another status", "{" WA "\"status\":\"delivered\",\"message_id\":\"x\"}", 100 },
	{ "template",
	  HEAD "\"type\":\"template\",\"template\":{\"name\":\"hello_sandbox\",\"language\":"
	       "{\"code\":\"en_US\"}}}",
	  0 },
	{ "template of another language",
	  HEAD "\"type\":\"template\",\"template\":{\"name\":\"hello_sandbox\",\"language\":"
	       "{\"code\":\"en\"}}}",
	  132001 },
};

static void what_is_taken(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"pair_refill_ms\":0,\"limit_mps\":100000,\"check_media\":false}");
	rig_say(r, ANA);
	for (size_t i = 0; i < ARRAY_LEN(sends); i++) {
		char *body = expand(sends[i].body);
		size_t before = r->accepted_count;

		rig_send(r, body);
		CHECK_INT(sends[i].name, sends[i].code, rig_code(r));
		CHECK_INT(sends[i].name, sends[i].code == 0 ? 200 : metaerr_http(sends[i].code),
			  r->answer.status);
		CHECK_INT(sends[i].name, before + (sends[i].code == 0), r->accepted_count);
		free(body);
		arena_reset(r->arena);
	}
	rig_free(r);
}

static void success_shape(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val body;
	struct str id;

	(void)state;
	rig_call(r, "POST", "/v17.0/" SANDBOX_NUMBER_ID "/messages", "t",
		 "{" WA "\"to\":\"+55 (71) 99000-0001\",\"text\":{\"body\":\"hi\"}}");
	body = rig_body(r);
	assert_string_equal(r->answer.version, "v17.0");
	CHECK_STR("product", "whatsapp", rig_text(json_member(body, STR("messaging_product"))));
	CHECK_STR("input", "+55 (71) 99000-0001",
		  rig_text(json_member(json_at(json_member(body, STR("contacts")), 0),
				       STR("input"))));
	CHECK_STR("wa_id", ANA,
		  rig_text(json_member(json_at(json_member(body, STR("contacts")), 0),
				       STR("wa_id"))));
	id = rig_text(json_member(json_at(json_member(body, STR("messages")), 0), STR("id")));
	assert_true(str_starts(id, STR("wamid.")));
	CHECK_STR("no status", "-",
		  rig_text(json_member(json_at(json_member(body, STR("messages")), 0),
				       STR("message_status"))));
	rig_send(r,
		 HEAD "\"type\":\"template\",\"template\":{\"name\":\"hello_world\",\"language\":"
		      "{\"code\":\"en_US\"}}}");
	body = rig_body(r);
	CHECK_STR("accepted", "accepted",
		  rig_text(json_member(json_at(json_member(body, STR("messages")), 0),
				       STR("message_status"))));
	rig_free(r);
}

static void by_user_id(void **state)
{
	struct rig *r = rig_new(1);
	struct customer *ana = customer_by_phone(r->world, STR(ANA), false);
	struct json_val contact;
	char body[512];

	(void)state;
	ana->mode = CUSTOMER_HIDDEN;
	rig_say(r, ANA);
	(void)snprintf(body, sizeof(body), "{" WA "\"recipient\":\"%s\",\"text\":{\"body\":\"x\"}}",
		       ana->user_id);
	rig_send(r, body);
	CHECK_INT("status", 200, r->answer.status);
	contact = json_at(json_member(rig_body(r), STR("contacts")), 0);
	CHECK_STR("user_id", ana->user_id, rig_text(json_member(contact, STR("user_id"))));
	CHECK_STR("no wa_id", "-", rig_text(json_member(contact, STR("wa_id"))));
	(void)snprintf(body, sizeof(body),
		       "{" WA "\"recipient\":\"%s\",\"to\":\"+" BOB "\",\"text\":{\"body\":\"x\"}}",
		       ana->user_id);
	rig_send(r, body);
	contact = json_at(json_member(rig_body(r), STR("contacts")), 0);
	CHECK_STR("to wins", BOB, rig_text(json_member(contact, STR("wa_id"))));
	rig_free(r);
}

static const struct {
	const char *name, *method, *path, *token, *body;
	int http, code, subcode;
} routes[] = {
	{ "number", "GET", "/v26.0/" SANDBOX_NUMBER_ID, "t", "", 200, 0, 0 },
	{ "no version", "GET", "/" SANDBOX_NUMBER_ID, "t", "", 200, 0, 0 },
	{ "old version", "GET", "/v2.11/" SANDBOX_NUMBER_ID, "t", "", 200, 0, 0 },
	{ "no token", "GET", "/v26.0/" SANDBOX_NUMBER_ID, NULL, "", 400, 104, 0 },
	{ "no token beats a bad object", "POST", "/v26.0/1/messages", NULL, "", 400, 104, 0 },
	{ "no token beats a bad body", "POST", MESSAGES, NULL, "{}", 400, 104, 0 },
	{ "unknown object beats a bad body", "POST", "/v26.0/1/messages", "t", "{}", 400, 100, 33 },
	{ "unknown object", "GET", "/v26.0/999", "t", "", 400, 100, 33 },
	{ "unknown edge", "GET", "/v26.0/" SANDBOX_NUMBER_ID "/nothing", "t", "", 400, 2500, 0 },
	{ "unknown path", "GET", "/v26.0/nothing", "t", "", 400, 2500, 0 },
	{ "too deep", "POST", MESSAGES "/x", "t", TEXT, 400, 2500, 0 },
	{ "root", "GET", "/v26.0", "t", "", 400, 2500, 0 },
	{ "waba", "GET", "/v26.0/" SANDBOX_WABA_ID, "t", "", 200, 0, 0 },
	{ "numbers", "GET", "/v26.0/" SANDBOX_WABA_ID "/phone_numbers", "t", "", 200, 0, 0 },
	{ "templates", "GET", "/v26.0/" SANDBOX_WABA_ID "/message_templates", "t", "", 200, 0, 0 },
	{ "apps", "GET", "/v26.0/" SANDBOX_WABA_ID "/subscribed_apps", "t", "", 200, 0, 0 },
	{ "subscribe", "POST", "/v26.0/" SANDBOX_WABA_ID "/subscribed_apps", "t", "", 200, 0, 0 },
	{ "override", "POST", "/v26.0/" SANDBOX_WABA_ID "/subscribed_apps", "t",
	  "{\"override_callback_uri\":\"https://a.example\"}", 400, 100, 0 },
	{ "messages are not read", "GET", MESSAGES, "t", "", 400, 2500, 0 },
	{ "debug_token needs one", "GET", "/debug_token", "t", "", 400, 100, 0 },
};

static void routing(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		int64_t subcode = 0;

		rig_call(r, routes[i].method, routes[i].path, routes[i].token, routes[i].body);
		CHECK_INT(routes[i].name, routes[i].http, r->answer.status);
		CHECK_INT(routes[i].name, routes[i].code, rig_code(r));
		(void)json_get_i64(json_member(rig_body(r), STR("error")), STR("error_subcode"),
				   &subcode);
		CHECK_INT(routes[i].name, routes[i].subcode, subcode);
	}
	rig_free(r);
}

static void error_shapes(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val e;

	(void)state;
	rig_send(r, "{" WA "\"to\":\"ana\",\"text\":{\"body\":\"hi\"}}");
	e = json_member(rig_body(r), STR("error"));
	CHECK_STR("message", "(#131009) Parameter value is not valid",
		  rig_text(json_member(e, STR("message"))));
	CHECK_STR("type", "OAuthException", rig_text(json_member(e, STR("type"))));
	CHECK_STR("product", "whatsapp", rig_text(json_path(e, "error_data.messaging_product")));
	CHECK_STR("details", "Param to is not a valid phone number",
		  rig_text(json_path(e, "error_data.details")));
	CHECK_INT("trace", 23, rig_text(json_member(e, STR("fbtrace_id"))).len);
	rig_send(r, "{}");
	e = json_member(rig_body(r), STR("error"));
	CHECK_STR("100", "(#100) The parameter messaging_product is required.",
		  rig_text(json_member(e, STR("message"))));
	CHECK_STR("no error_data", "-", rig_text(json_member(e, STR("error_data"))));
	rig_call(r, "GET", "/v26.0/999", "t", "");
	e = json_member(rig_body(r), STR("error"));
	CHECK_STR("type", "GraphMethodException", rig_text(json_member(e, STR("type"))));
	rig_free(r);
}

static void tokens(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"check_token\":\"good\"}");
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, "good", "");
	CHECK_INT("good", 200, r->answer.status);
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, "bad", "");
	CHECK_INT("bad", 401, r->answer.status);
	CHECK_INT("bad", 190, rig_code(r));
	r->query = "access_token=good";
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, NULL, "");
	CHECK_INT("in the query", 200, r->answer.status);
	r->query = "input_token=good&access_token=good";
	rig_call(r, "GET", "/debug_token", NULL, "");
	CHECK_STR("valid", "true", rig_text(json_path(rig_body(r), "data.is_valid")));
	rig_free(r);
}

static void fields_and_pages(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val body;

	(void)state;
	r->query = "fields=display_phone_number,throughput{level},status";
	rig_call(r, "GET", "/" SANDBOX_NUMBER_ID, "t", "");
	assert_string_equal(
		r->answer.body.data,
		"{\"display_phone_number\":\"+1 555-078-3881\",\"throughput\":{\"level\":"
		"\"STANDARD\"},\"status\":\"CONNECTED\",\"id\":\"" SANDBOX_NUMBER_ID "\"}");
	r->query = "limit=3";
	rig_call(r, "GET", "/" SANDBOX_WABA_ID "/message_templates", "t&k", "");
	body = rig_body(r);
	CHECK_INT("three", 3, json_count(json_member(body, STR("data"))));
	CHECK_STR("after", "3", rig_text(json_path(body, "paging.cursors.after")));
	CHECK_STR("next",
		  "http://sandbox.example/v26.0/" SANDBOX_WABA_ID
		  "/message_templates?access_token=t%26k&limit=3&after=3",
		  rig_text(json_path(body, "paging.next")));
	r->query = "limit=3&after=3";
	rig_call(r, "GET", "/" SANDBOX_WABA_ID "/message_templates", "t", "");
	body = rig_body(r);
	CHECK_INT("the rest", 1, json_count(json_member(body, STR("data"))));
	CHECK_STR("no next", "-", rig_text(json_path(body, "paging.next")));
	r->query = "name=order_shipped&status=approved";
	rig_call(r, "GET", "/" SANDBOX_WABA_ID "/message_templates", "t", "");
	CHECK_INT("by name", 1, json_count(json_member(rig_body(r), STR("data"))));
	rig_free(r);
}

static void window_opens_and_shuts(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val status;

	(void)state;
	rig_send_text(r, ANA, "one");
	CHECK_INT("accepted all the same", 200, r->answer.status);
	rig_advance(r, 1000);
	CHECK_INT("one webhook", 1, r->change_count);
	status = json_at(json_path(rig_change(r, 0), "value.statuses"), 0);
	CHECK_STR("failed", "failed", rig_text(json_member(status, STR("status"))));
	CHECK_STR("opaque", "one", rig_text(json_member(status, STR("biz_opaque_callback_data"))));
	CHECK_STR(
		"code", "131047",
		rig_text(json_member(json_at(json_member(status, STR("errors")), 0), STR("code"))));
	rig_set(r, "{\"window_sync_error\":true}");
	rig_send_text(r, ANA, NULL);
	CHECK_INT("sync", 131047, rig_code(r));
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("open", 200, r->answer.status);
	rig_advance(r, 24 * 3600 * 1000 - 1);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("last millisecond", 200, r->answer.status);
	rig_advance(r, 1);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("shut", 131047, rig_code(r));
	rig_send_text(r, BOB, NULL);
	CHECK_INT("another customer", 131047, rig_code(r));
	rig_set(r, "{\"enforce_window\":false}");
	rig_send_text(r, BOB, NULL);
	CHECK_INT("switched off", 200, r->answer.status);
	rig_free(r);
}

static void throughput_is_kept(void **state)
{
	struct rig *r = rig_new(1);
	char to[PHONE_MAX];

	(void)state;
	rig_set(r, "{\"enforce_window\":false}");
	for (int i = 0; i < 80; i++) {
		(void)snprintf(to, sizeof(to), "141555502%02d", i);
		rig_send_text(r, to, NULL);
		CHECK_INT("within", 200, r->answer.status);
	}
	rig_send_text(r, BOB, NULL);
	CHECK_INT("over", 130429, rig_code(r));
	CHECK_INT("over", 400, r->answer.status);
	CHECK_INT("worst second", 80, r->world->numbers[0]->worst_second);
	rig_set(r, "{\"throttle_http_429\":true}");
	rig_advance(r, 12);
	rig_send_text(r, BOB, NULL);
	CHECK_INT("12 ms later", 429, r->answer.status);
	rig_advance(r, 1);
	rig_send_text(r, BOB, NULL);
	CHECK_INT("13 ms later", 200, r->answer.status);
	CHECK_INT("refusals", 2, sent_refusals(r->world->sent)->codes[0].times);
	rig_free(r);
}

static void inbound_counts_too(void **state)
{
	struct rig *r = rig_new(1);
	struct number *n = r->world->numbers[0];

	(void)state;
	n->limit_mps = 2;
	rig_say(r, ANA);
	rig_say(r, BOB);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("used up by customers", 130429, rig_code(r));
	rig_advance(r, 1000);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("a second later", 200, r->answer.status);
	rig_free(r);
}

static void pair_rate_is_kept(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_say(r, ANA);
	rig_say(r, BOB);
	for (int i = 0; i < 45; i++) {
		rig_send_text(r, ANA, NULL);
		CHECK_INT("burst", 200, r->answer.status);
	}
	rig_send_text(r, ANA, NULL);
	CHECK_INT("46th", 131056, rig_code(r));
	rig_send_text(r, BOB, NULL);
	CHECK_INT("others go on", 200, r->answer.status);
	rig_advance(r, 5999);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("too early", 131056, rig_code(r));
	rig_advance(r, 1);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("one more", 200, r->answer.status);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("one only", 131056, rig_code(r));
	rig_free(r);
}

static void refused_is_not_charged(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"limit_mps\":1,\"count_inbound\":false}");
	rig_say(r, ANA);
	rig_say(r, BOB);
	rig_send_text(r, ANA, NULL);
	CHECK_INT("the only one", 200, r->answer.status);
	for (int i = 0; i < 50; i++)
		rig_send_text(r, BOB, NULL);
	CHECK_INT("throttled", 130429, rig_code(r));
	rig_advance(r, 1000);
	rig_send_text(r, BOB, NULL);
	CHECK_INT("the pair was not charged", 200, r->answer.status);
	CHECK_INT("recorded", 2, sent_total(r->world->sent));
	rig_free(r);
}

static void read_receipts(void **state)
{
	struct rig *r = rig_new(1);
	struct str id;
	char body[512];

	(void)state;
	rig_say(r, ANA);
	id = rig_text(
		json_member(json_at(json_path(rig_change(r, 0), "value.messages"), 0), STR("id")));
	(void)snprintf(body, sizeof(body),
		       "{" WA "\"status\":\"read\",\"message_id\":\"%.*s\",\"typing_indicator\":"
		       "{\"type\":\"text\"}}",
		       STR_ARG(id));
	rig_send(r, body);
	CHECK_INT("taken", 200, r->answer.status);
	assert_string_equal(r->answer.body.data, "{\"success\":true}");
	CHECK_INT("reads", 1, r->world->reads);
	CHECK_INT("typings", 1, r->world->typings);
	CHECK_INT("no message", 0, sent_total(r->world->sent));
	rig_free(r);
}

static void unregistered_number(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	r->world->numbers[0]->registered = false;
	rig_send_text(r, ANA, NULL);
	CHECK_INT("code", 133010, rig_code(r));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),      cmocka_unit_test(success_shape),
		cmocka_unit_test(by_user_id),         cmocka_unit_test(routing),
		cmocka_unit_test(error_shapes),       cmocka_unit_test(tokens),
		cmocka_unit_test(fields_and_pages),   cmocka_unit_test(window_opens_and_shuts),
		cmocka_unit_test(throughput_is_kept), cmocka_unit_test(inbound_counts_too),
		cmocka_unit_test(pair_rate_is_kept),  cmocka_unit_test(refused_is_not_charged),
		cmocka_unit_test(read_receipts),      cmocka_unit_test(unregistered_number),
	};

	return cmocka_run_group_tests_name("sandbox_graph", tests, NULL, NULL);
}
