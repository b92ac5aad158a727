/* SPDX-License-Identifier: MIT */
/* test_out.c - what tables show: numbers masked, text on one line, JSON for people */
#include "unit.h"

#include "cli/event_line.h"
#include "cli/out.h"

static void phones(void **state)
{
	static const struct {
		const char *in, *want;
	} table[] = {
		{ "", "" },
		{ "+5571990000001", "+55 71 ***** 001" },
		{ "5571990000001", "+55 71 ***** 001" },
		{ "+4915112345678", "+49 151 ***** 678" },
		{ "+15550783881", "+1 555 ***** 881" },
		{ "+79161234567", "+7 916 ***** 567" },
		{ "+351912345678", "+351 912 ***** 678" },
		{ "+35312345", "+353 ***** 345" },
		{ "+12345678", "+1 ***** 678" },
		{ "+1234567", "+1234567" }, /* too short to be one */
		{ "+1234567890123456", "+1234567890123456" }, /* too long */
		{ "US.13491234567", "US.13491234567" },
		{ "+55 71 99000-0001", "+55 71 ***** 001" }, /* however it was written */
		{ "(55) 71.99000/0001", "+55 71 ***** 001" },
		{ "+5571990000001x", "+5571990000001x" },
	};
	struct cli cli = { 0 };
	char out[OUT_PHONE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		out_phone(&cli, str_from(table[i].in), out);
		CHECK_STR(table[i].in, table[i].want, str_from(out));
	}
	cli.utf8 = true;
	out_phone(&cli, STR("+5571990000001"), out);
	CHECK_STR("dots", "+55 71 \u2022\u2022\u2022\u2022\u2022 001", str_from(out));
	cli.show_pii = true;
	out_phone(&cli, STR("5571990000001"), out);
	CHECK_STR("whole", "+5571990000001", str_from(out));
}

static void lines(void **state)
{
	static const struct {
		const char *in;
		size_t max;
		const char *want;
	} table[] = {
		{ "", 5, "" },
		{ "abcde", 5, "abcde" },
		{ "abcdef", 5, "abcde..." },
		{ "a\nb\tc\x1b[31m\x7f", 20, "a b c [31m " }, /* no escape reaches the terminal */
		{ "\u00e9\u00e9\u00e9", 3, "\u00e9\u00e9\u00e9" },
		{ "\u00e9\u00e9\u00e9", 2, "\u00e9\u00e9..." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf b;

		buf_init(&b, 1000);
		out_line(&b, str_from(table[i].in), table[i].max);
		CHECK_STR(table[i].in, table[i].want, buf_str(&b));
		buf_release(&b);
	}
}

static void pretty(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} table[] = {
		{ "number", "1", "1" },
		{ "short", "{\"a\":1,\"b\":[1,2]}", "{\"a\": 1, \"b\": [1, 2]}" },
		{ "signs in strings", "[\"{,:}\",\"\\\"]\"]", "[\"{,:}\", \"\\\"]\"]" },
		{ "empty", "{}", "{}" },
	};
	struct buf in, out;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		buf_init(&out, 1000);
		out_pretty(&out, str_from(table[i].in), 0);
		CHECK_STR(table[i].name, table[i].want, buf_str(&out));
		buf_release(&out);
	}
	buf_init(&in, 1000);
	buf_init(&out, 2000);
	buf_put_text(&in, "{\"a\":{\"b\":1},\"c\":\"");
	for (size_t i = 0; i < 200; i++)
		buf_put_char(&in, 'x');
	buf_put_text(&in, "\"}");
	out_pretty(&out, buf_str(&in), 3);
	assert_true(str_starts(buf_str(&out), STR("{\n     \"a\": {\"b\": 1},\n     \"c\": \"xx")));
	assert_true(str_ends(buf_str(&out), STR("xx\"\n   }")));
	buf_release(&in);
	buf_release(&out);
}

static void times(void **state)
{
	(void)state;
	CHECK_STR("stamp", "18:22:51.214", event_time_of_day(STR("2026-11-20T18:22:51.214Z")));
	CHECK_STR("none", "yesterday", event_time_of_day(STR("yesterday")));
	CHECK_STR("empty", "", event_time_of_day(STR_EMPTY));
}

static void events(void **state)
{
	static const struct {
		const char *name, *json, *want;
	} table[] = {
		{ "text",
		  "{\"id\":\"evt_1\",\"type\":\"message.received\",\"received_at\":"
		  "\"2026-11-20T18:22:51.214Z\",\"contact\":{\"name\":\"Ann\",\"phone\":"
		  "\"+5571990000001\"},\"message\":{\"kind\":\"text\",\"text\":\"Hi\\nyou\"}}",
		  "18:22:51.214  --> message.received  evt_1  Ann (+55 71 ***** 001)  \"Hi you\"" },
		{ "image without a name",
		  "{\"id\":\"evt_1\",\"type\":\"message.received\",\"received_at\":\"x\",\"contact\":"
		  "{\"name\":null,\"user_id\":\"US.1\"},\"message\":{\"kind\":\"image\",\"text\":null}}",
		  "x  --> message.received  evt_1  US.1  [image]" },
		{ "failure",
		  "{\"id\":\"evt_2\",\"type\":\"message.status\",\"received_at\":\"x\",\"sent_message\":"
		  "\"msg_1\",\"message\":{\"id\":\"wamid.1\"},\"status\":{\"state\":\"failed\","
		  "\"error\":{\"code\":131026,\"title\":\"Undeliverable\"}}}",
		  "x  --> message.status    evt_2  failed  131026 Undeliverable  msg_1  131026 "
		  "Undeliverable: The number is not on WhatsApp, has not accepted the terms, uses too "
		  "old a client, or blocks you. To do: Check the number; ask the customer by another "
		  "channel to update WhatsApp and to write to you. (godwit explain 131026)" },
		{ "a word of ours",
		  "{\"id\":\"evt_3\",\"type\":\"message.status\",\"received_at\":\"x\",\"message\":"
		  "{\"id\":\"wamid.1\"},\"status\":{\"state\":\"other\",\"word\":\"accepted\"}}",
		  "x  --> message.status    evt_3  accepted  wamid.1" },
		{ "change",
		  "{\"id\":\"evt_4\",\"type\":\"account.changed\",\"received_at\":\"x\",\"contact\":null,"
		  "\"change\":{\"field\":\"account_update\"}}",
		  "x  --> account.changed   evt_4  account_update" },
		{ "nothing known", "{}", "  -->                   " },
	};
	struct cli cli = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct arena *a = arena_new(1U << 20);
		const struct json_doc *doc;
		struct buf b;

		buf_init(&b, 4096);
		assert_int_equal(json_scan(str_from(table[i].json), a, &doc, NULL), GW_OK);
		event_put_line(&b, &cli, json_root(doc));
		CHECK_STR(table[i].name, table[i].want, buf_str(&b));
		buf_release(&b);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones), cmocka_unit_test(lines),  cmocka_unit_test(pretty),
		cmocka_unit_test(times),  cmocka_unit_test(events),
	};

	return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
