/* SPDX-License-Identifier: MIT */
/* test_consent.c - which texts opt out or in, and what a body of ours says when it is read again */
#include "unit.h"

#include "base/mem.h"
#include "gateway/consent.h"
#include "gateway/normalize.h"

#define IN STORE_CONSENT_IN
#define OUT STORE_CONSENT_OUT
#define NONE STORE_CONSENT_NONE

static const struct {
	const char *text;
	enum store_consent is;
} texts[] = {
	{ "STOP", OUT },
	{ "stop", OUT },
	{ " Stop. ", OUT },
	{ "\"STOP!!\"", OUT },
	{ "\u00a1Baja!", OUT },
	{ "\u00abSTOP\u00bb", OUT },
	{ "opt out", OUT },
	{ "\u0421\u0422\u041e\u041f", OUT }, /* Cyrillic, in capitals */
	{ "ARR\u00caT", OUT },
	{ "start", IN },
	{ "Start :)", IN },
	{ "both", OUT }, /* in both lists */
	{ "please stop by", NONE },
	{ "stop it", NONE },
	{ "stopped", NONE },
	{ "", NONE },
	{ "!!!", NONE },
	{ ",", NONE },
	{ "stop, opt out", NONE }, /* two words are none */
};

static void whole_texts(void **state)
{
	struct consent_words w;
	char big[4096];

	(void)state;
	consent_words_set(&w, "stop, opt out,BAJA, , arr\u00eat,\u0441\u0442\u043e\u043f, both",
			  "START,both");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_INT(texts[i].text, texts[i].is, consent_of_text(&w, str_from(texts[i].text)));
	memset(big, '!', sizeof(big));
	memcpy(big, "stop", 4);
	assert_int_equal(consent_of_text(&w, str_make(big, sizeof(big))), NONE);
	assert_int_equal(consent_of_text(&w, str_make("\xff", 1)), NONE);
	consent_words_set(&w, "", "");
	assert_int_equal(consent_of_text(&w, STR("stop")), NONE);
}

static void read_again(struct str body, bool ours, struct arena *a, struct store_event_in *out)
{
	const struct token_reader token = { .mac = NULL };
	gw_notification *note;
	struct buf text;

	buf_init(&text, 65536);
	assert_int_equal(gw_notification_parse(str_to_gw(body), &note, NULL), GW_OK);
	assert_int_equal(gw_notification_count(note), 1);
	*out = (struct store_event_in){ .type = "" };
	normalize_event(gw_notification_event(note, 0), body, ours ? NULL : &token, a, &text, out);
	normalize_settle(out, 1, &text);
	out->json = arena_str(a, out->json);
	out->phone = arena_str(a, out->phone);
	out->account_id = arena_str(a, out->account_id);
	gw_notification_free(note);
	buf_release(&text);
}

static void a_body_says_it_all(void **state)
{
	const struct consent_change c = { .what = OUT,
					  .source = "import",
					  .phone = STR("4915112345678"),
					  .at_s = 1795000000,
					  .note = STR("said \"no\" at the desk"),
					  .cause = STR("evt_1"),
					  .key = { { 7 } } };
	struct arena *a = arena_new(65536);
	struct store_event_in ev, theirs;
	struct buf body;
	size_t at;

	(void)state;
	buf_init(&body, 65536);
	consent_put_body(&body, &c);
	read_again(buf_str(&body), true, a, &ev);
	assert_string_equal(ev.type, "consent.changed");
	assert_int_equal(ev.consent, OUT);
	assert_string_equal(ev.consent_source, "import");
	CHECK_STR("note", "said \"no\" at the desk", ev.consent_note);
	CHECK_STR("phone", "4915112345678", ev.phone);
	CHECK_STR("of no number", "", ev.account_id);
	assert_true(id_eq(&ev.consent_key, &c.key));
	assert_true(ev.has_contact && !ev.opens_window && !ev.has_seq);
	assert_int_equal(ev.at_s, 1795000000);
	assert_true(str_find(ev.json,
			     STR("\"consent\":{\"what\":\"optout\",\"scope\":\"marketing\","
				 "\"source\":\"import\"}"),
			     &at));
	/* the same bytes with Meta's signature: our member proves nothing */
	read_again(buf_str(&body), false, a, &theirs);
	assert_int_equal(theirs.consent, OUT);
	assert_string_equal(theirs.consent_source, "meta_preference");
	assert_int_equal(theirs.consent_note.len, 0);
	buf_release(&body);
	arena_free(a);
}

static const struct {
	const char *name, *item;
	enum store_consent is;
} items[] = {
	{ "stop", "{\"wa_id\":\"1650\",\"category\":\"marketing_messages\",\"value\":\"stop\"}",
	  OUT },
	{ "resume", "{\"wa_id\":\"1650\",\"category\":\"marketing_messages\",\"value\":\"resume\"}",
	  IN },
	{ "signup", "{\"wa_id\":\"1650\",\"category\":\"marketing_messages\",\"value\":\"signup\"}",
	  NONE },
	{ "another category", "{\"wa_id\":\"1650\",\"category\":\"other\",\"value\":\"stop\"}",
	  NONE },
	{ "of nobody", "{\"category\":\"marketing_messages\",\"value\":\"stop\"}", NONE },
	{ "no value", "{\"wa_id\":\"1650\",\"category\":\"marketing_messages\"}", NONE },
};

static void metas_own(void **state)
{
	struct arena *a = arena_new(1U << 20);
	struct store_event_in ev;
	char body[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		(void)snprintf(
			body, sizeof(body),
			"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
			"\"changes\":[{\"field\":\"user_preferences\",\"value\":{\"metadata\":"
			"{\"phone_number_id\":\"106\"},\"user_preferences\":[%s]}}]}]}",
			items[i].item);
		read_again(str_from(body), false, a, &ev);
		CHECK_INT(items[i].name, items[i].is, ev.consent);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts),
		cmocka_unit_test(a_body_says_it_all),
		cmocka_unit_test(metas_own),
	};

	return cmocka_run_group_tests_name("consent", tests, NULL, NULL);
}
