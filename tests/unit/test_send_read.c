/* SPDX-License-Identifier: MIT */
/* test_send_read.c - what the door reads of a body, and what it refuses in Meta's shape */
#include "unit.h"

#include "gateway/send_read.h"

#define P "\"messaging_product\":\"whatsapp\","
#define OTP(body, button)                                                                         \
	"{" P "\"to\":\"1\",\"type\":\"template\",\"template\":{\"name\":\"code\","               \
	"\"language\":{\"code\":\"de\"},\"components\":[{\"type\":\"body\",\"parameters\":[" body \
	"]},{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"0\",\"parameters\":[" button    \
	"]}]}}"
#define TEXT(t) "{\"type\":\"text\",\"text\":\"" t "\"}"

static const struct {
	const char *name, *body, *target;
	const char *lane, *kind, *template_name, *opaque;
	enum outq_class class_;
} good[] = {
	{ "text", "{" P "\"to\":\"+49 151 1\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
	  "/1/messages", "491511", "text", "", "", OUTQ_REPLY },
	{ "no type", "{" P "\"to\":\"491511\"}", "/1/messages", "491511", "text", "", "",
	  OUTQ_REPLY },
	{ "number for a string", "{" P "\"to\":491511}", "/1/messages", "491511", "text", "", "",
	  OUTQ_REPLY },
	{ "user id", "{" P "\"recipient\":\"US.12\",\"type\":\"image\"}", "/1/messages", "US.12",
	  "image", "", "", OUTQ_REPLY },
	{ "to wins", "{" P "\"recipient\":\"US.12\",\"to\":\"491511\"}", "/1/messages", "491511",
	  "text", "", "", OUTQ_REPLY },
	{ "empty to", "{" P "\"recipient\":\"US.12\",\"to\":\"\"}", "/1/messages", "US.12", "text",
	  "", "", OUTQ_REPLY },
	{ "opaque", "{" P "\"to\":\"1\",\"biz_opaque_callback_data\":\"order \\u00e9\"}",
	  "/1/messages", "1", "text", "", "order \xC3\xA9", OUTQ_REPLY },
	{ "opaque null", "{" P "\"to\":\"1\",\"biz_opaque_callback_data\":null}", "/1/messages",
	  "1", "text", "", "", OUTQ_REPLY },
	{ "template",
	  "{" P "\"to\":\"1\",\"type\":\"template\",\"template\":{\"name\":\"order_ok\"}}",
	  "/1/messages", "1", "template", "order_ok", "", OUTQ_UTILITY },
	{ "marketing", "{" P "\"to\":\"1\",\"type\":\"template\",\"template\":{\"name\":\"sale\"}}",
	  "/v26.0/1/marketing_messages", "1", "template", "sale", "", OUTQ_MARKETING },
	{ "one-time password", OTP(TEXT("4711"), TEXT("4711")), "/1/messages", "1", "template",
	  "code", "", OUTQ_AUTHENTICATION },
	{ "two texts", OTP(TEXT("4711"), TEXT("4712")), "/1/messages", "1", "template", "code", "",
	  OUTQ_UTILITY },
	{ "two parameters", OTP(TEXT("4711") "," TEXT("x"), TEXT("4711")), "/1/messages", "1",
	  "template", "code", "", OUTQ_UTILITY },
};

static void read_at_the_door(void **state)
{
	struct arena *a = arena_new(1U << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct refusal r = { .code = 0 };
		struct send s;

		if (!send_read(str_from(good[i].body), str_from(good[i].target), a, &s, &r))
			fail_msg("%s: %s", good[i].name, r.details);
		CHECK_STR(good[i].name, good[i].lane, s.lane);
		CHECK_STR(good[i].name, good[i].kind, s.kind);
		CHECK_STR(good[i].name, good[i].template_name, s.template_name);
		CHECK_STR(good[i].name, good[i].opaque, s.opaque);
		CHECK_INT(good[i].name, good[i].class_, s.class_);
		assert_false(s.has_context);
		arena_reset(a);
	}
	arena_free(a);
}

static const struct {
	const char *name, *body, *word; /* word: stands in the details */
} bad[] = {
	{ "empty", "", "not JSON" },
	{ "cut", "{\"messaging_product\":\"whatsapp\"", "not JSON" },
	{ "form encoded", "messaging_product=whatsapp&to=1", "not JSON" },
	{ "array", "[]", "not a JSON object" },
	{ "no product", "{\"to\":\"1\"}", "messaging_product is required" },
	{ "another product", "{\"messaging_product\":\"sms\",\"to\":\"1\"}", "must be" },
	{ "product no string", "{\"messaging_product\":1,\"to\":\"1\"}", "is required" },
	{ "no recipient", "{" P "\"type\":\"text\"}", "to (or recipient) is required" },
	{ "empty recipient", "{" P "\"to\":\"\"}", "to (or recipient) is required" },
	{ "no digits", "{" P "\"to\":\"+ ()\"}", "no digits" },
	{ "an object", "{" P "\"to\":{}}", "to (or recipient) is required" },
	{ "opaque number", "{" P "\"to\":\"1\",\"biz_opaque_callback_data\":7}",
	  "must be a string" },
};

static void refused_at_the_door(void **state)
{
	struct arena *a = arena_new(1U << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct refusal r = { .code = 0 };
		struct send s;
		size_t at;

		assert_false(send_read(str_from(bad[i].body), STR("/1/messages"), a, &s, &r));
		CHECK_INT(bad[i].name, 100, r.code);
		CHECK_INT(bad[i].name, 400, r.status);
		assert_true(str_starts(str_from(r.details), STR("Godwit refused this message: ")));
		if (!str_find(str_from(r.details), str_from(bad[i].word), &at))
			fail_msg("%s: %s", bad[i].name, r.details);
		arena_reset(a);
	}
	arena_free(a);
}

static bool opaque_of(size_t characters, const char *one, struct refusal *r)
{
	struct arena *a = arena_new(1U << 20);
	struct buf b;
	struct send s;
	bool ok;

	buf_init(&b, 1U << 16);
	buf_put_text(&b, "{" P "\"to\":\"1\",\"biz_opaque_callback_data\":\"");
	for (size_t i = 0; i < characters; i++)
		buf_put_text(&b, one);
	buf_put_text(&b, "\"}");
	ok = send_read(buf_str(&b), STR("/1/messages"), a, &s, r);
	buf_release(&b);
	arena_free(a);
	return ok;
}

static void opaque_of_512_characters(void **state)
{
	static const char *const letters[] = { "a", "\xC3\xA9", "\xF0\x9F\x98\x80", "\\u00e9" };
	struct refusal r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		assert_true(opaque_of(512, letters[i], &r));
		assert_false(opaque_of(513, letters[i], &r));
		assert_string_equal(r.reason, "opaque");
	}
}

static void quoted_messages_of_ours(void **state)
{
	static const struct {
		const char *text;
		bool ours;
	} ids[] = {
		{ "msg_01JD8K3V9Q7TM2XXXXXXXXXXXX", true },
		{ "wamid.HBgL", false },
		{ "msg_01JD8K3V9Q7TM2", false },
		{ "evt_01JD8K3V9Q7TM2XXXXXXXXXXXX", false },
		{ "", false },
	};
	struct arena *a = arena_new(1U << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		char body[256];
		struct refusal r;
		struct send s;
		struct id id;

		(void)snprintf(body, sizeof(body),
			       "{" P "\"to\":\"1\",\"context\":{\"message_id\":\"%s\"}}",
			       ids[i].text);
		assert_true(send_read(str_from(body), STR("/1/messages"), a, &s, &r));
		CHECK_INT(ids[i].text, ids[i].ours, s.has_context);
		CHECK_INT(ids[i].text, ids[i].ours, send_read_context(str_from(body), a, &id));
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_at_the_door),
		cmocka_unit_test(refused_at_the_door),
		cmocka_unit_test(opaque_of_512_characters),
		cmocka_unit_test(quoted_messages_of_ours),
	};

	return cmocka_run_group_tests_name("send_read", tests, NULL, NULL);
}
