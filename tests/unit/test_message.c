/* SPDX-License-Identifier: MIT */
/* test_message.c - built messages byte for byte, and both sides of every limit */
#include "unit.h"

#include <godwit/godwit.h>

#define TO                                                                      \
	"\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\"," \
	"\"to\":\"+4915112345\""

static const gw_address ann = { .to = { "+49 151-12345", 13 } };

static void check_json(const char *name, gw_status st, gw_message *m, const char *want)
{
	CHECK_INT(name, GW_OK, st);
	CHECK_STR(name, want, str_of_gw(gw_message_json(m)));
	gw_message_free(m);
}

/* `unit` repeated `count` times; free() it. */
static char *repeat(const char *unit, size_t count)
{
	size_t len = strlen(unit);
	char *out = malloc(len * count + 1);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		memcpy(out + i * len, unit, len);
	out[len * count] = '\0';
	return out;
}

static const struct {
	const char *in;
	gw_status status;
	const char *want;
} phones[] = {
	{ "+4915112345", GW_OK, "+4915112345" },
	{ "+49 (151) 12-345", GW_OK, "+4915112345" },
	{ " 4915112345 ", GW_OK, "4915112345" },
	{ "(+49)151", GW_OK, "+49151" },
	{ "1", GW_OK, "1" },
	{ "123456789012345", GW_OK, "123456789012345" },
	{ "+123456789012345", GW_OK, "+123456789012345" },
	{ "1234567890123456", GW_ELIMIT, NULL },
	{ "", GW_EARG, NULL },
	{ "+", GW_EARG, NULL },
	{ "++49151", GW_EARG, NULL },
	{ "49+151", GW_EARG, NULL },
	{ "0049.151", GW_EARG, NULL },
	{ "tel:+49151", GW_EARG, NULL },
	{ "+49\xc2\xa0"
	  "151",
	  GW_EARG, NULL },
};

static void test_phones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		char out[GW_PHONE_MAX] = "as it was";
		struct gw_error err = GW_ERROR_INIT;

		CHECK_INT(phones[i].in, phones[i].status,
			  gw_phone_normalize(gw_str_from(phones[i].in), out, &err));
		CHECK_STR(phones[i].in, phones[i].want == NULL ? "as it was" : phones[i].want,
			  str_from(out));
		CHECK_INT(phones[i].in, phones[i].want == NULL, err.message[0] != '\0');
	}
}

static void test_text(void **state)
{
	gw_address all = ann;
	gw_message *m = NULL;
	gw_status st;

	(void)state;
	st = gw_message_text(&ann, gw_str_from("Hi \"you\"\n\xf0\x9f\x98\x80"), false, &m, NULL);
	check_json("plain", st, m,
		   "{" TO ",\"type\":\"text\",\"text\":{\"body\":\"Hi \\\"you\\\"\\n"
		   "\xf0\x9f\x98\x80\"}}");
	all.recipient = gw_str_from("US.13491208655302741918");
	all.reply_to = gw_str_from("wamid.A");
	all.opaque = gw_str_from("ord-77");
	all.identity_hash = gw_str_from("DF2l=");
	st = gw_message_text(&all, gw_str_from("x"), true, &m, NULL);
	check_json("all of it", st, m,
		   "{" TO ",\"recipient\":\"US.13491208655302741918\",\"context\":{\"message_id\":"
		   "\"wamid.A\"},\"biz_opaque_callback_data\":\"ord-77\","
		   "\"recipient_identity_key_hash\":\"DF2l=\",\"type\":\"text\",\"text\":{\"body\":"
		   "\"x\",\"preview_url\":true}}");
	all = (gw_address){ .to = gw_str_from("Y2Fw:1"), .is_group = true };
	st = gw_message_text(&all, gw_str_from("x"), false, &m, NULL);
	check_json("group", st, m,
		   "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"group\",\"to\":"
		   "\"Y2Fw:1\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}");
	gw_message_free(NULL);
}

/* The text's limit counts characters: 4096 of four bytes each pass. */
static void test_text_limit(void **state)
{
	static const char *const units[] = { "x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		char *over = repeat(units[i], GW_TEXT_MAX + 1);
		size_t at_limit = strlen(units[i]) * GW_TEXT_MAX;
		gw_message *m = NULL;

		CHECK_INT(units[i], GW_OK,
			  gw_message_text(&ann, (gw_str){ over, at_limit }, false, &m, NULL));
		gw_message_free(m);
		m = NULL;
		CHECK_INT(units[i], GW_ELIMIT,
			  gw_message_text(&ann, gw_str_from(over), false, &m, NULL));
		assert_null(m);
		free(over);
	}
}

enum part { TO_, RECIPIENT, REPLY_TO, OPAQUE, HASH, BODY };

static const struct {
	const char *name;
	enum part part;
	const char *unit;
	size_t count;
	gw_status want;
} bounds[] = {
	{ "body empty", BODY, "x", 0, GW_EARG },
	{ "body of one", BODY, "x", 1, GW_OK },
	{ "body not UTF-8", BODY, "\xff", 1, GW_EARG },
	{ "body cut in a character", BODY, "\xe2\x82", 1, GW_EARG },
	{ "opaque at the limit", OPAQUE, "\xf0\x9f\x98\x80", 512, GW_OK },
	{ "opaque over it", OPAQUE, "x", 513, GW_ELIMIT },
	{ "opaque not UTF-8", OPAQUE, "\xff", 1, GW_EARG },
	{ "reply_to at the limit", REPLY_TO, "w", GW_MESSAGE_ID_MAX, GW_OK },
	{ "reply_to over it", REPLY_TO, "w", GW_MESSAGE_ID_MAX + 1, GW_ELIMIT },
	{ "hash over its limit", HASH, "h", 257, GW_ELIMIT },
	{ "number too long", TO_, "1", 16, GW_ELIMIT },
	{ "user id", RECIPIENT, "US.1", 1, GW_OK },
	{ "parent user id", RECIPIENT, "US.ENT.1", 1, GW_OK },
	{ "user id without country", RECIPIENT, "U.1", 1, GW_EARG },
	{ "user id in lower case", RECIPIENT, "us.1", 1, GW_EARG },
	{ "user id without id", RECIPIENT, "US.", 1, GW_EARG },
	{ "parent without id", RECIPIENT, "US.ENT.", 1, GW_EARG },
	{ "user id with a dot", RECIPIENT, "US.1.2", 1, GW_EARG },
	{ "a number as user id", RECIPIENT, "4915112345", 1, GW_EARG },
};

static void test_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		char *text = repeat(bounds[i].unit, bounds[i].count);
		gw_str body = gw_str_from("x"), value = gw_str_from(text);
		struct gw_error err = GW_ERROR_INIT;
		gw_message *m = NULL;
		gw_address a = ann;

		switch (bounds[i].part) {
		case TO_: a.to = value; break;
		case RECIPIENT: a.recipient = value; break;
		case REPLY_TO: a.reply_to = value; break;
		case OPAQUE: a.opaque = value; break;
		case HASH: a.identity_hash = value; break;
		case BODY: body = value; break;
		}
		CHECK_INT(bounds[i].name, bounds[i].want,
			  gw_message_text(&a, body, false, &m, &err));
		CHECK_INT(bounds[i].name, bounds[i].want == GW_OK, m != NULL);
		CHECK_INT(bounds[i].name, bounds[i].want == GW_OK, err.message[0] == '\0');
		gw_message_free(m);
		free(text);
	}
}

static void test_user_id_length(void **state)
{
	char *digits = repeat("1", 129);
	char id[160];

	(void)state;
	for (int len = 128; len <= 129; len++) {
		gw_address a = { 0 };
		gw_message *m = NULL;

		(void)snprintf(id, sizeof(id), "US.ENT.%.*s", len, digits);
		a.recipient = gw_str_from(id);
		CHECK_INT("length", len == 128 ? GW_OK : GW_EARG,
			  gw_message_text(&a, gw_str_from("x"), false, &m, NULL));
		gw_message_free(m);
	}
	free(digits);
}

static void test_nobody(void **state)
{
	gw_address nobody = { 0 };
	gw_message *m = NULL;

	(void)state;
	CHECK_INT("empty", GW_EARG, gw_message_text(&nobody, gw_str_from("x"), false, &m, NULL));
	CHECK_INT("none", GW_EARG, gw_message_text(NULL, gw_str_from("x"), false, &m, NULL));
}

static void test_template(void **state)
{
	const gw_param header = { .kind = GW_PARAM_DOCUMENT,
				  .media_link = gw_str_from("https://x/a.pdf"),
				  .filename = gw_str_from("a.pdf") };
	const gw_param body[] = {
		{ .kind = GW_PARAM_TEXT, .text = gw_str_from("Ann") },
		{ .kind = GW_PARAM_TEXT,
		  .text = gw_str_from("7"),
		  .name = gw_str_from("order_no") },
		{ .kind = GW_PARAM_CURRENCY,
		  .text = gw_str_from("$5"),
		  .currency = gw_str_from("USD"),
		  .amount_1000 = 5000 },
		{ .kind = GW_PARAM_DATE_TIME, .text = gw_str_from("May 1") },
	};
	const gw_param button = { .kind = GW_PARAM_PAYLOAD, .text = gw_str_from("YES") };
	const gw_param image = { .kind = GW_PARAM_JSON,
				 .json = gw_str_from(" {\"type\":\"gif\"} ") };
	const gw_part parts[] = {
		{ .kind = GW_PART_HEADER, .params = &header, .param_count = 1 },
		{ .kind = GW_PART_BODY, .params = body, .param_count = ARRAY_LEN(body) },
		{ .kind = GW_PART_BUTTON,
		  .sub_type = "quick_reply",
		  .index = 9,
		  .params = &button,
		  .param_count = 1 },
		{ .kind = GW_PART_BUTTON, .sub_type = "x", .params = &image, .param_count = 1 },
		{ .kind = GW_PART_JSON, .json = gw_str_from("{\"type\":\"carousel\"}") },
	};
	gw_template t = { gw_str_from("order_ok"), gw_str_from("en_US"), NULL, 0 };
	gw_message *m = NULL;
	gw_status st = gw_message_template(&ann, &t, &m, NULL);

	(void)state;
	check_json("bare", st, m,
		   "{" TO
		   ",\"type\":\"template\",\"template\":{\"name\":\"order_ok\",\"language\":{"
		   "\"code\":\"en_US\"}}}");
	t.parts = parts;
	t.part_count = ARRAY_LEN(parts);
	st = gw_message_template(&ann, &t, &m, NULL);
	check_json(
		"full", st, m,
		"{" TO ",\"type\":\"template\",\"template\":{\"name\":\"order_ok\",\"language\":{"
		"\"code\":\"en_US\"},\"components\":["
		"{\"type\":\"header\",\"parameters\":[{\"type\":\"document\",\"document\":{"
		"\"link\":\"https://x/a.pdf\",\"filename\":\"a.pdf\"}}]},"
		"{\"type\":\"body\",\"parameters\":[{\"type\":\"text\",\"text\":\"Ann\"},"
		"{\"type\":\"text\",\"text\":\"7\",\"parameter_name\":\"order_no\"},"
		"{\"type\":\"currency\",\"currency\":{\"fallback_value\":\"$5\",\"code\":\"USD\","
		"\"amount_1000\":5000}},{\"type\":\"date_time\",\"date_time\":{\"fallback_value\":"
		"\"May 1\"}}]},"
		"{\"type\":\"button\",\"sub_type\":\"quick_reply\",\"index\":\"9\",\"parameters\":["
		"{\"type\":\"payload\",\"payload\":\"YES\"}]},"
		"{\"type\":\"button\",\"sub_type\":\"x\",\"index\":\"0\",\"parameters\":["
		"{\"type\":\"gif\"}]},"
		"{\"type\":\"carousel\"}]}}");
}

static const struct {
	const char *name, *template_name, *language;
	gw_status want;
} heads[] = {
	{ "plain", "a_1", "en", GW_OK },
	{ "upper case", "A", "en", GW_EARG },
	{ "no name", "", "en", GW_EARG },
	{ "blank", "a b", "en", GW_EARG },
	{ "no language", "a", "", GW_EARG },
	{ "one letter", "a", "e", GW_EARG },
	{ "with hyphen", "a", "en-US", GW_EARG },
	{ "long language", "a", "abcdefghijklmno", GW_OK },
	{ "too long", "a", "abcdefghijklmnop", GW_EARG },
};

static void test_template_heads(void **state)
{
	char *long_name = repeat("a", GW_TEMPLATE_NAME_MAX + 1);
	gw_message *m = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		gw_template t = { gw_str_from(heads[i].template_name),
				  gw_str_from(heads[i].language), NULL, 0 };

		m = NULL;
		CHECK_INT(heads[i].name, heads[i].want, gw_message_template(&ann, &t, &m, NULL));
		gw_message_free(m);
	}
	for (size_t extra = 0; extra <= 1; extra++) {
		gw_template t = {
			{ long_name, GW_TEMPLATE_NAME_MAX + extra }, gw_str_from("en"), NULL, 0
		};

		m = NULL;
		CHECK_INT("length of the name", extra == 0 ? GW_OK : GW_EARG,
			  gw_message_template(&ann, &t, &m, NULL));
		gw_message_free(m);
	}
	free(long_name);
}

static const struct {
	const char *name;
	gw_param param;
	size_t text_len; /* > 0: that many x as text */
	gw_status want;
} params[] = {
	{ "text at the limit", { .kind = GW_PARAM_TEXT }, GW_TEMPLATE_TEXT_MAX, GW_OK },
	{ "text over it", { .kind = GW_PARAM_TEXT }, GW_TEMPLATE_TEXT_MAX + 1, GW_ELIMIT },
	{ "no text", { .kind = GW_PARAM_TEXT }, 0, GW_EARG },
	{ "line break", { .kind = GW_PARAM_TEXT, .text = { "a\nb", 3 } }, 0, GW_EARG },
	{ "tab", { .kind = GW_PARAM_TEXT, .text = { "a\tb", 3 } }, 0, GW_EARG },
	{ "four spaces", { .kind = GW_PARAM_TEXT, .text = { "a    b", 6 } }, 0, GW_OK },
	{ "five spaces", { .kind = GW_PARAM_TEXT, .text = { "a     b", 7 } }, 0, GW_EARG },
	{ "payload at the limit", { .kind = GW_PARAM_PAYLOAD }, GW_TEMPLATE_PAYLOAD_MAX, GW_OK },
	{ "payload over it", { .kind = GW_PARAM_PAYLOAD }, GW_TEMPLATE_PAYLOAD_MAX + 1, GW_ELIMIT },
	{ "coupon at the limit", { .kind = GW_PARAM_COUPON }, GW_TEMPLATE_COUPON_MAX, GW_OK },
	{ "coupon over it", { .kind = GW_PARAM_COUPON }, GW_TEMPLATE_COUPON_MAX + 1, GW_ELIMIT },
	{ "image by id", { .kind = GW_PARAM_IMAGE, .media_id = { "1", 1 } }, 0, GW_OK },
	{ "neither id nor link", { .kind = GW_PARAM_IMAGE }, 0, GW_EARG },
	{ "both",
	  { .kind = GW_PARAM_VIDEO, .media_id = { "1", 1 }, .media_link = { "http://x", 8 } },
	  0,
	  GW_EARG },
	{ "link of another kind",
	  { .kind = GW_PARAM_IMAGE, .media_link = { "ftp://x", 7 } },
	  0,
	  GW_EARG },
	{ "currency without code", { .kind = GW_PARAM_CURRENCY }, 1, GW_EARG },
	{ "JSON no object", { .kind = GW_PARAM_JSON, .json = { "[]", 2 } }, 0, GW_EARG },
	{ "no JSON", { .kind = GW_PARAM_JSON, .json = { "{", 1 } }, 0, GW_EPARSE },
	{ "name in upper case", { .kind = GW_PARAM_TEXT, .name = { "A", 1 } }, 1, GW_EARG },
	{ "no such kind", { .kind = (gw_param_kind)99 }, 1, GW_EARG },
};

static void test_params(void **state)
{
	char *text = repeat("x", GW_TEMPLATE_TEXT_MAX + 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		gw_param p = params[i].param;
		gw_part part = { .kind = GW_PART_BODY, .params = &p, .param_count = 1 };
		gw_template t = { gw_str_from("a"), gw_str_from("en"), &part, 1 };
		struct gw_error err = GW_ERROR_INIT;
		gw_message *m = NULL;

		if (params[i].text_len > 0)
			p.text = (gw_str){ text, params[i].text_len };
		CHECK_INT(params[i].name, params[i].want, gw_message_template(&ann, &t, &m, &err));
		CHECK_INT(params[i].name, params[i].want == GW_OK, m != NULL);
		if (m == NULL)
			CHECK_INT(params[i].name, 1,
				  str_starts(str_from(err.message), STR("parameter 1: ")));
		gw_message_free(m);
	}
	free(text);
}

static void test_parts(void **state)
{
	static gw_param many[GW_TEMPLATE_PARAMS_MAX + 1];
	static const struct {
		const char *name;
		gw_part part;
		size_t parts;
		gw_status want;
	} rows[] = {
		{ "header of two", { .kind = GW_PART_HEADER, .param_count = 2 }, 1, GW_ELIMIT },
		{ "header of one", { .kind = GW_PART_HEADER, .param_count = 1 }, 1, GW_OK },
		{ "no sub_type", { .kind = GW_PART_BUTTON }, 1, GW_EARG },
		{ "index 9", { .kind = GW_PART_BUTTON, .sub_type = "url", .index = 9 }, 1, GW_OK },
		{ "index 10",
		  { .kind = GW_PART_BUTTON, .sub_type = "url", .index = 10 },
		  1,
		  GW_ELIMIT },
		{ "index below",
		  { .kind = GW_PART_BUTTON, .sub_type = "url", .index = -1 },
		  1,
		  GW_ELIMIT },
		{ "parameters at the limit",
		  { .kind = GW_PART_BODY, .param_count = GW_TEMPLATE_PARAMS_MAX },
		  1,
		  GW_OK },
		{ "over it",
		  { .kind = GW_PART_BODY, .param_count = GW_TEMPLATE_PARAMS_MAX + 1 },
		  1,
		  GW_ELIMIT },
		{ "parts at the limit", { .kind = GW_PART_BODY }, GW_TEMPLATE_PARTS_MAX, GW_OK },
		{ "parts over it", { .kind = GW_PART_BODY }, GW_TEMPLATE_PARTS_MAX + 1, GW_ELIMIT },
		{ "no such kind", { .kind = (gw_part_kind)99 }, 1, GW_EARG },
		{ "no JSON", { .kind = GW_PART_JSON }, 1, GW_EPARSE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (gw_param){ .kind = GW_PARAM_TEXT, .text = { "x", 1 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		gw_part parts[GW_TEMPLATE_PARTS_MAX + 1];
		gw_template t = { gw_str_from("a"), gw_str_from("en"), parts, rows[i].parts };
		gw_message *m = NULL;

		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			parts[k] = rows[i].part;
			parts[k].params = many;
		}
		CHECK_INT(rows[i].name, rows[i].want, gw_message_template(&ann, &t, &m, NULL));
		gw_message_free(m);
	}
}

static void test_json_kind(void **state)
{
	gw_message *m = NULL;
	gw_status st = gw_message_json_kind(
		&ann, "image", gw_str_from(" { \"link\" : \"https://x/a.png\" }\n"), &m, NULL);

	(void)state;
	check_json("bytes as given", st, m,
		   "{" TO ",\"type\":\"image\",\"image\":{ \"link\" : \"https://x/a.png\" }}");
	st = gw_message_json_kind(&ann, "hologram", gw_str_from("{\"a\":[1]}"), &m, NULL);
	check_json("kind of tomorrow", st, m,
		   "{" TO ",\"type\":\"hologram\",\"hologram\":{\"a\":[1]}}");
}

#define BUTTON(title) "{\"type\":\"reply\",\"reply\":{\"id\":\"i\",\"title\":\"" title "\"}}"
#define BUTTONS(list) \
	"{\"type\":\"button\",\"body\":{\"text\":\"b\"},\"action\":{\"buttons\":[" list "]}}"
#define ROWROW "{\"id\":\"r\",\"title\":\"t\"}"
#define LIST(sections)                                              \
	"{\"type\":\"list\",\"body\":{\"text\":\"b\"},\"action\":{" \
	"\"button\":\"Pick\",\"sections\":[" sections "]}}"
#define FIVE(x) x "," x "," x "," x "," x

static const struct {
	const char *name, *type, *json;
	gw_status want;
} kinds[] = {
	{ "text", "text", "{\"body\":\"x\"}", GW_OK },
	{ "text without body", "text", "{}", GW_EARG },
	{ "image by id", "image", "{\"id\":\"1\",\"caption\":\"c\"}", GW_OK },
	{ "neither", "image", "{}", GW_EARG },
	{ "both", "image", "{\"id\":\"1\",\"link\":\"https://x\"}", GW_EARG },
	{ "link no URL", "video", "{\"link\":\"x\"}", GW_EARG },
	{ "link no string", "video", "{\"link\":7}", GW_EARG },
	{ "caption no string", "video", "{\"id\":\"1\",\"caption\":7}", GW_EARG },
	{ "audio with caption", "audio", "{\"id\":\"1\",\"caption\":\"c\"}", GW_EARG },
	{ "sticker with caption", "sticker", "{\"id\":\"1\",\"caption\":\"c\"}", GW_EARG },
	{ "document", "document", "{\"id\":\"1\",\"filename\":\"a.pdf\"}", GW_OK },
	{ "location", "location", "{\"latitude\":1,\"longitude\":\"2\"}", GW_OK },
	{ "half a location", "location", "{\"latitude\":1}", GW_EARG },
	{ "contacts", "contacts", "[{\"name\":{\"formatted_name\":\"A\"}}]", GW_OK },
	{ "contacts as object", "contacts", "{}", GW_EARG },
	{ "no contacts", "contacts", "[]", GW_EARG },
	{ "contact without name", "contacts", "[{\"name\":{\"formatted_name\":\"A\"}},{}]",
	  GW_EARG },
	{ "reaction", "reaction", "{\"message_id\":\"w\",\"emoji\":\"\"}", GW_OK },
	{ "reaction to nothing", "reaction", "{\"emoji\":\"x\"}", GW_EARG },
	{ "three buttons", "interactive", BUTTONS(BUTTON("1") "," BUTTON("2") "," BUTTON("3")),
	  GW_OK },
	{ "four buttons", "interactive",
	  BUTTONS(BUTTON("1") "," BUTTON("2") "," BUTTON("3") "," BUTTON("4")), GW_ELIMIT },
	{ "no buttons", "interactive", BUTTONS(""), GW_EARG },
	{ "title of 20", "interactive", BUTTONS(BUTTON("12345678901234567890")), GW_OK },
	{ "title of 21", "interactive", BUTTONS(BUTTON("123456789012345678901")), GW_ELIMIT },
	{ "title of 20 wide ones", "interactive",
	  BUTTONS(BUTTON("\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4"
			 "\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4")),
	  GW_OK },
	{ "no title", "interactive", BUTTONS(BUTTON("")), GW_EARG },
	{ "ten rows", "interactive",
	  LIST("{\"rows\":[" FIVE(ROWROW) "]},{\"title\":\"B\",\"rows\":[" FIVE(ROWROW) "]}"),
	  GW_OK },
	{ "eleven rows", "interactive",
	  LIST("{\"rows\":[" FIVE(ROWROW) "]},{\"rows\":[" FIVE(ROWROW) "," ROWROW "]}"),
	  GW_ELIMIT },
	{ "row without title", "interactive", LIST("{\"rows\":[{\"id\":\"r\"}]}"), GW_EARG },
	{ "rows missing", "interactive", LIST("{}"), GW_OK },
	{ "no sections", "interactive", LIST(""), GW_EARG },
	{ "interactive without type", "interactive", "{}", GW_EARG },
	{ "interactive of tomorrow", "interactive", "{\"type\":\"hologram\"}", GW_OK },
	{ "product with header", "interactive", "{\"type\":\"product\",\"header\":{}}", GW_EARG },
	{ "no object", "image", "[]", GW_EARG },
	{ "no JSON", "image", "{", GW_EPARSE },
	{ "empty", "image", "", GW_EPARSE },
	{ "reserved word", "to", "{}", GW_EARG },
	{ "type in upper case", "Image", "{}", GW_EARG },
	{ "type with a quote", "a\"b", "{}", GW_EARG },
	{ "no type", "", "{}", GW_EARG },
	{ "type of 32", "abcdefghijklmnopqrstuvwxyzabcdef", "{}", GW_OK },
	{ "type of 33", "abcdefghijklmnopqrstuvwxyzabcdefg", "{}", GW_EARG },
};

static void test_json_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct gw_error err = GW_ERROR_INIT;
		gw_message *m = NULL;

		CHECK_INT(kinds[i].name, kinds[i].want,
			  gw_message_json_kind(&ann, kinds[i].type, gw_str_from(kinds[i].json), &m,
					       &err));
		CHECK_INT(kinds[i].name, kinds[i].want == GW_OK, m != NULL);
		CHECK_INT(kinds[i].name, kinds[i].want == GW_OK, err.message[0] == '\0');
		gw_message_free(m);
	}
}

/* Characters of members whose limits are counted. */
static void test_json_lengths(void **state)
{
	static const struct {
		const char *type, *before, *after;
		size_t max;
	} rows[] = {
		{ "text", "{\"body\":\"", "\"}", 4096 },
		{ "image", "{\"id\":\"1\",\"caption\":\"", "\"}", 1024 },
		{ "document", "{\"id\":\"1\",\"caption\":\"", "\"}", 1024 },
		{ "interactive", "{\"type\":\"x\",\"footer\":{\"text\":\"", "\"}}", 60 },
		{ "interactive", "{\"type\":\"x\",\"header\":{\"text\":\"", "\"}}", 60 },
		{ "interactive", "{\"type\":\"x\",\"body\":{\"text\":\"", "\"}}", 4096 },
		{ "interactive", "{\"type\":\"location_request_message\",\"body\":{\"text\":\"",
		  "\"}}", 1024 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t extra = 0; extra <= 1; extra++) {
			char *text = repeat("x", rows[i].max + extra);
			char json[8192];
			gw_message *m = NULL;

			(void)snprintf(json, sizeof(json), "%s%s%s", rows[i].before, text,
				       rows[i].after);
			CHECK_INT(rows[i].before, extra == 0 ? GW_OK : GW_ELIMIT,
				  gw_message_json_kind(&ann, rows[i].type, gw_str_from(json), &m,
						       NULL));
			gw_message_free(m);
			free(text);
		}
	}
}

static void test_reaction_quotes_nothing(void **state)
{
	gw_address a = ann;
	gw_message *m = NULL;

	(void)state;
	a.reply_to = gw_str_from("wamid.A");
	CHECK_INT("context", GW_EARG,
		  gw_message_json_kind(&a, "reaction", gw_str_from("{\"message_id\":\"w\"}"), &m,
				       NULL));
}

/* A message's bytes are bounded, its envelope included. */
static void test_message_limit(void **state)
{
	static const struct {
		const char *name;
		int digits;
		gw_status want;
	} rows[] = {
		{ "fits", (int)GW_MESSAGE_MAX - 200, GW_OK },
		{ "not with the envelope", (int)GW_MESSAGE_MAX - 20, GW_ELIMIT },
		{ "not alone", (int)GW_MESSAGE_MAX, GW_ELIMIT },
	};
	char *json = malloc(GW_MESSAGE_MAX + 64);

	(void)state;
	assert_non_null(json);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		gw_message *m = NULL;

		(void)snprintf(json, GW_MESSAGE_MAX + 64, "{\"a\":\"%0*d\"}", rows[i].digits, 1);
		CHECK_INT(rows[i].name, rows[i].want,
			  gw_message_json_kind(&ann, "hologram", gw_str_from(json), &m, NULL));
		CHECK_INT(rows[i].name, rows[i].want == GW_OK, m != NULL);
		gw_message_free(m);
	}
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phones),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_limit),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_user_id_length),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_template_heads),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_json_kind),
		cmocka_unit_test(test_json_kinds),
		cmocka_unit_test(test_json_lengths),
		cmocka_unit_test(test_reaction_quotes_nothing),
		cmocka_unit_test(test_message_limit),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
