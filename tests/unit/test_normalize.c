/* SPDX-License-Identifier: MIT */
/* test_normalize.c - types, lanes, dedupe keys and the normalized text of every kind of event */
#include "events_unit.h"

/* ---- what each fixture is */

struct row {
	const char *type, *kind;
	char lane; /* c(onversation) m(essage) a(ccount) */
	bool seq, window;
};

#define RECEIVED(kind) "message.received", kind, 'c', true, true
#define STATUS(kind) "message.status", kind, 'm', false, false
#define CHANGED(type) type, "", 'a', false, false

static const struct {
	const char *name;
	const char *channel;
	struct row rows[12];
} fixtures[] = {
	{ "text", "whatsapp", { { RECEIVED("text") } } },
	{ "text_spaced", "whatsapp", { { RECEIVED("text") }, { STATUS("failed") } } },
	{ "text_reply_forwarded", "whatsapp", { { RECEIVED("text") }, { RECEIVED("text") } } },
	{ "media",
	  "whatsapp",
	  { { RECEIVED("image") },
	    { RECEIVED("audio") },
	    { RECEIVED("document") },
	    { RECEIVED("sticker") },
	    { RECEIVED("video") } } },
	{ "place_and_people", "whatsapp", { { RECEIVED("location") }, { RECEIVED("contacts") } } },
	{ "replies",
	  "whatsapp",
	  { { RECEIVED("button") },
	    { RECEIVED("button_reply") },
	    { RECEIVED("list_reply") },
	    { RECEIVED("flow_reply") },
	    { RECEIVED("interactive") },
	    { RECEIVED("order") } } },
	{ "reactions_edits_deletions",
	  "whatsapp",
	  { { "message.reaction", "reaction", 'c', true, true },
	    { "message.reaction", "reaction", 'c', true, true },
	    { "message.edited", "edit", 'c', true, true },
	    { "message.deleted", "revoke", 'c', true, true } } },
	{ "system_and_odd",
	  "whatsapp",
	  { { "message.received", "system", 'c', true, false }, /* the customer wrote nothing */
	    { RECEIVED("unsupported") },
	    { RECEIVED("other") },
	    { RECEIVED("text") }, /* without from: the only contact's */
	    { CHANGED("unknown") } } },
	{ "ad_referral", "whatsapp", { { RECEIVED("text") } } },
	{ "group_message", "whatsapp", { { RECEIVED("text") } } },
	{ "statuses",
	  "whatsapp",
	  { { STATUS("sent") },
	    { STATUS("delivered") },
	    { STATUS("read") },
	    { STATUS("played") },
	    { STATUS("failed") },
	    { STATUS("other") },
	    { STATUS("delivered") },
	    { CHANGED("unknown") } } },
	{ "status_foreign_opaque", "whatsapp", { { STATUS("delivered") } } },
	{ "group_status", "whatsapp", { { STATUS("read") }, { STATUS("read") } } },
	{ "value_errors", "whatsapp", { { CHANGED("account.changed") } } },
	{ "template", "whatsapp", { { CHANGED("template.changed") } } },
	{ "account",
	  "whatsapp",
	  { { CHANGED("account.changed") }, { CHANGED("account.changed") } } },
	{ "flow", "whatsapp", { { CHANGED("flow.changed") } } },
	{ "calls", "whatsapp", { { "call.changed", "", 'c', false, false } } },
	{ "groups", "whatsapp", { { CHANGED("group.changed") } } },
	{ "consent", "whatsapp", { { "consent.changed", "", 'c', false, false } } },
	{ "echoes", "whatsapp", { { "message.sent_elsewhere", "text", 'c', true, false } } },
	{ "history", "whatsapp", { { CHANGED("unknown") } } },
	{ "tomorrow", "whatsapp", { { CHANGED("unknown") } } },
	{ "mixed",
	  "whatsapp",
	  { { RECEIVED("text") },
	    { RECEIVED("text") },
	    { RECEIVED("image") },
	    { STATUS("delivered") },
	    { STATUS("read") },
	    { RECEIVED("text") },
	    { STATUS("failed") } } },
	{ "messenger",
	  "messenger",
	  { { RECEIVED("text") },
	    { RECEIVED("image") },
	    { RECEIVED("button") },
	    { "message.sent_elsewhere", "text", 'c', true, false },
	    { STATUS("delivered") },
	    { "message.reaction", "reaction", 'c', true, true },
	    { "conversation.changed", "", 'c', false, false } } },
	{ "instagram",
	  "instagram",
	  { { RECEIVED("text") },
	    { "message.deleted", "revoke", 'c', true, true },
	    { STATUS("read") },
	    { RECEIVED("button_reply") } } },
	{ "unknown_object", "other", { { CHANGED("unknown") } } },
	{ "not_a_notification", "other", { { CHANGED("unknown") } } },
};

static char lane_letter(enum store_lane_by by)
{
	return by == STORE_LANE_CONVERSATION ? 'c' : by == STORE_LANE_MESSAGE ? 'm' : 'a';
}

static void every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
		struct seen s = seen_fixture(fixtures[i].name);
		size_t n = 0;

		for (; n < s.count; n++) {
			const struct row *want = &fixtures[i].rows[n];
			const struct store_event_in *got = &s.in[n];
			char name[128];

			(void)snprintf(name, sizeof(name), "%s[%zu]", fixtures[i].name, n);
			if (want->type == NULL)
				fail_msg("%s: one too many", name);
			CHECK_STR(name, want->type, str_from(got->type));
			CHECK_STR(name, want->kind, str_from(got->kind));
			CHECK_STR(name, fixtures[i].channel, str_from(got->channel));
			CHECK_INT(name, want->lane, lane_letter(got->lane_by));
			CHECK_INT(name, want->seq, got->has_seq);
			CHECK_INT(name, want->window, got->opens_window);
		}
		if (fixtures[i].rows[n].type != NULL)
			fail_msg("%s: only %zu", fixtures[i].name, n);
		seen_release(&s);
	}
}

/* ---- the normalized text */

static const struct {
	const char *name;
	size_t index;
	const char *json;
} texts[] = {
	{ "text", 0,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0001\",\"kind\":\"text\",\"text\":"
	  "\"Is it open today? \xc2\xbfS\xc3\xad? \xf0\x9f\x99\x82 \\\"quoted\\\" \\\\ back\","
	  "\"reply_to\":null}}" },
	{ "text_reply_forwarded", 0,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0002\",\"kind\":\"text\",\"text\":\"This one\","
	  "\"reply_to\":\"wamid.HBgLOURS0001\"}}" },
	{ "text_reply_forwarded", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0003\",\"kind\":\"text\",\"text\":\"Look\","
	  "\"reply_to\":null,\"forwarded\":true}}" },
	{ "media", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0005\",\"kind\":\"audio\",\"text\":null,"
	  "\"reply_to\":null,\"media\":{\"id\":\"2754859441498129\",\"mime_type\":"
	  "\"audio/ogg; codecs=opus\",\"sha256\":\"a\",\"voice\":true},\"content\":"
	  "{\"id\":\"2754859441498129\",\"mime_type\":\"audio\\/ogg; codecs=opus\",\"sha256\":"
	  "\"a\",\"voice\":true}}}" },
	{ "replies", 0,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0011\",\"kind\":\"button\",\"text\":\"Confirm\","
	  "\"reply_to\":\"wamid.HBgLOURS0002\",\"reply_id\":\"CONFIRM_7\",\"content\":"
	  "{\"payload\":\"CONFIRM_7\",\"text\":\"Confirm\"}}}" },
	{ "reactions_edits_deletions", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0018\",\"kind\":\"reaction\",\"text\":null,"
	  "\"reply_to\":\"wamid.HBgLOURS0001\",\"emoji\":\"\",\"content\":{\"message_id\":"
	  "\"wamid.HBgLOURS0001\"}}}" },
	{ "system_and_odd", 2,
	  "{\"message\":{\"id\":\"wamid.HBgLFIXTURE0023\",\"kind\":\"other\",\"kind_word\":"
	  "\"hologram\",\"text\":null,\"reply_to\":null,\"content\":{\"depth\":3}}}" },
	{ "system_and_odd", 4,
	  "{\"change\":{\"field\":\"messages\",\"value\":{\"from\":\"16505551234\",\"type\":"
	  "\"text\",\"text\":{\"body\":\"no id\"}}}}" },
	{ "statuses", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0001\"},\"status\":{\"state\":\"delivered\","
	  "\"recipient\":\"16505551234\"}}" },
	{ "statuses", 5,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0004\"},\"status\":{\"state\":\"other\",\"word\":"
	  "\"warning\",\"recipient\":\"16505551234\"}}" },
	{ "statuses", 6,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0005\"},\"status\":{\"state\":\"delivered\"}}" },
	{ "status_foreign_opaque", 0,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0001\"},\"status\":{\"state\":\"delivered\","
	  "\"recipient\":\"16505551234\"},\"opaque\":\"order-7/\xc3\xa9\"}" },
	{ "group_status", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0001\"},\"status\":{\"state\":\"read\","
	  "\"recipient\":\"16505554321\",\"participant\":\"16505554321\",\"group_id\":"
	  "\"HJkl8GhtYuI\"}}" },
	{ "text_spaced", 1,
	  "{\"message\":{\"id\":\"wamid.HBgLOURS0001\"},\"status\":{\"state\":\"failed\","
	  "\"recipient\":\"16505551234\",\"error\":{\"code\":131047,\"title\":"
	  "\"Re-engagement message\",\"details\":\"More than 24 hours, { [ and \\\\\\\" in it\","
	  "\"meaning\":\"More than 24 hours passed since the customer last wrote to this number.\","
	  "\"fix\":\"Send an approved template instead, or wait for the customer to write.\","
	  "\"retry\":\"never\",\"explain\":\"godwit explain 131047\"},"
	  "\"errors\":[{\"code\":131047,\"title\":\"Re-engagement message\",\"error_data\":"
	  "{\"details\":\"More than 24 hours, { [ and \\\\\\\" in it\"}}]}}" },
	{ "tomorrow", 0,
	  "{\"change\":{\"field\":\"field_of_tomorrow\",\"value\":{\"new\":[1,2,{\"three\":3}]}}}" },
};

static void normalized_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct seen s = seen_fixture(texts[i].name);

		assert_true(texts[i].index < s.count);
		CHECK_STR(texts[i].name, texts[i].json, s.in[texts[i].index].json);
		seen_release(&s);
	}
}

static void check_texts(const char *name, struct str body)
{
	struct seen s = seen_new(body);

	if (s.note == NULL)
		fail_msg("%s: not parsed", name);
	for (size_t i = 0; i < s.count; i++) {
		struct scanned j = scan(s.in[i].json);
		size_t at;

		if (j.status != GW_OK)
			fail_msg("%s[%zu]: %s: %.*s", name, i, j.err.message,
				 STR_ARG(s.in[i].json));
		CHECK_INT(name, JSON_OBJECT, json_type(json_root(j.doc)));
		CHECK_INT("one line", false, str_find_char(s.in[i].json, '\n', &at));
		CHECK_INT("members once", 0, json_duplicates(j.doc));
		CHECK_INT("within the body", true,
			  (size_t)s.in[i].splice.at[SPAN_ITEM] + s.in[i].splice.len[SPAN_ITEM] <=
				  body.len);
		scanned_release(&j);
	}
	seen_release(&s);
}

static void every_fixture_gives_json(void **state)
{
	(void)state;
	each_fixture(check_texts);
}

/* ---- depth */

static char *nested(unsigned depth)
{
	static char text[1024];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
				    "\"1\",\"changes\":[{\"field\":\"tomorrow\",\"value\":");

	for (unsigned i = 0; i < depth; i++)
		text[n++] = '[';
	for (unsigned i = 0; i < depth; i++)
		text[n++] = ']';
	(void)snprintf(text + n, sizeof(text) - n, "}]}]}");
	return text;
}

/* Five levels of Meta's stand around a value of at most 59; only a whole body can be deeper. */
static void deep_values_become_text(void **state)
{
	char text[256];
	struct seen s;
	size_t n = 0;

	(void)state;
	s = seen_text(nested(59));
	check_texts("deepest value", s.body);
	assert_true(str_ends(s.in[0].json, STR("]]}}")));
	seen_release(&s);
	for (unsigned depth = 60; depth <= 64; depth += 4) {
		n = 0;
		for (unsigned i = 0; i < depth; i++)
			text[n++] = '[';
		for (unsigned i = 0; i < depth; i++)
			text[n++] = ']';
		s = seen_new(str_make(text, n));
		assert_non_null(s.note);
		check_texts("a body of brackets", s.body);
		CHECK_INT("text over 60", depth > 60, str_ends(s.in[0].json, STR("]\"}}")));
		seen_release(&s);
	}
}

/* ---- dedupe keys */

#define BODY(list)                                                            \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\"," \
	"\"changes\":[{\"value\":{\"messaging_product\":\"whatsapp\","        \
	"\"metadata\":{\"phone_number_id\":\"7\"}," list "},\"field\":\"messages\"}]}]}"
#define TEXT(id, from, at, body)                                       \
	"{\"from\":\"" from "\",\"id\":\"" id "\",\"timestamp\":\"" at \
	"\",\"type\":\"text\",\"text\":{\"body\":\"" body "\"}}"
#define STAT(id, word, to, at)                                           \
	"{\"id\":\"" id "\",\"status\":\"" word "\",\"timestamp\":\"" at \
	"\",\"recipient_id\":\"" to "\"}"

static bool same_key(const struct store_event_in *a, const struct store_event_in *b)
{
	return a->dedupe_s == b->dedupe_s && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

static const struct {
	const char *name, *a, *b;
	bool same;
} keys[] = {
	{ "the same body", BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"),
	  BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"), true },
	{ "escaped otherwise", BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "\\u0041") "]"),
	  BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "A") "]"), true },
	{ "beside a contact",
	  BODY("\"contacts\":[{\"wa_id\":\"1\"}],\"messages\":[" TEXT("w1", "1", "1795000000",
								      "x") "]"),
	  BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"), true },
	{ "another id", BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"),
	  BODY("\"messages\":[" TEXT("w2", "1", "1795000000", "x") "]"), false },
	{ "another second", BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"),
	  BODY("\"messages\":[" TEXT("w1", "1", "1795000001", "x") "]"), false },
	{ "another kind under the same id",
	  BODY("\"messages\":[{\"id\":\"w1\",\"timestamp\":\"1795000000\",\"type\":\"unsupported\"}]"),
	  BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "]"), false },
	{ "undated, the same bytes", BODY("\"messages\":[{\"id\":\"w1\",\"type\":\"text\"}]"),
	  BODY("\"messages\":[{\"id\":\"w1\",\"type\":\"text\"}]"), true },
	{ "undated, other bytes", BODY("\"messages\":[{\"id\":\"w1\",\"type\":\"text\"}]"),
	  BODY("\"messages\":[{\"id\":\"w1\", \"type\":\"text\"}]"), false },
	{ "a status", BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"),
	  BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"), true },
	{ "another word", BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"),
	  BODY("\"statuses\":[" STAT("w1", "delivered", "1", "1795000000") "]"), false },
	{ "another recipient", BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"),
	  BODY("\"statuses\":[" STAT("w1", "read", "2", "1795000000") "]"), false },
	{ "a word that we do not know",
	  BODY("\"statuses\":[" STAT("w1", "warning", "1", "1795000000") "]"),
	  BODY("\"statuses\":[" STAT("w1", "deleted", "1", "1795000000") "]"), false },
	{ "a message and a status of one id",
	  BODY("\"messages\":[{\"id\":\"w1\",\"timestamp\":\"1795000000\",\"type\":\"read\"}]"),
	  BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"), false },
	{ "words do not run into each other",
	  BODY("\"statuses\":[" STAT("w1", "read1", "", "1795000000") "]"),
	  BODY("\"statuses\":[" STAT("w1", "read", "1", "1795000000") "]"), false },
};

static void dedupe_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct seen a = seen_text(keys[i].a), b = seen_text(keys[i].b);

		assert_true(a.count == 1 && b.count == 1);
		CHECK_INT(keys[i].name, keys[i].same, same_key(&a.in[0], &b.in[0]));
		seen_release(&a);
		seen_release(&b);
	}
}

/* Whatever stands beside an item and in whatever order: its key is its own, and nobody else's. */
static void keys_survive_other_company(void **state)
{
	struct seen all = seen_text(
		BODY("\"messages\":[" TEXT("w1", "1", "1795000000", "x") "," TEXT(
			"w2", "1", "1795000000",
			"x") "],"
			     "\"statuses\":[" STAT("w3", "read", "1", "1795000000") "," STAT(
				     "w3", "read", "2", "1795000000") "]"));
	struct seen turned = seen_text(
		BODY("\"statuses\":[" STAT("w3", "read", "2", "1795000000") "," STAT(
			"w3", "read", "1",
			"1795000000") "],"
				      "\"messages\":[" TEXT("w2", "1", "1795000000", "x") "," TEXT(
					      "w1", "1", "1795000000", "x") "]"));

	(void)state;
	CHECK_INT("count", 4, all.count);
	CHECK_INT("count", 4, turned.count);
	for (size_t i = 0; i < 4; i++) {
		size_t matches = 0;

		for (size_t k = 0; k < 4; k++) {
			matches += same_key(&all.in[i], &turned.in[k]);
			CHECK_INT("distinct", i == k, same_key(&all.in[i], &all.in[k]));
		}
		CHECK_INT("found", 1, matches);
	}
	seen_release(&all);
	seen_release(&turned);
}

struct all_keys {
	unsigned char of[4096][24];
	size_t count;
};

static struct all_keys *keys_of_fixtures(void)
{
	static struct all_keys keys_; /* each_fixture() has no cookie */

	return &keys_;
}

static void collect_keys(const char *name, struct str body)
{
	struct all_keys *all = keys_of_fixtures();
	struct seen s = seen_new(body), again = seen_new(body);

	for (size_t i = 0; i < s.count; i++) {
		if (!same_key(&s.in[i], &again.in[i]))
			fail_msg("%s[%zu] is not its own repetition", name, i);
		assert_true(all->count < ARRAY_LEN(all->of));
		memcpy(all->of[all->count], &s.in[i].dedupe_s, 8);
		memcpy(all->of[all->count++] + 8, s.in[i].hash, 16);
	}
	seen_release(&s);
	seen_release(&again);
}

static void fixtures_are_their_own_repetitions(void **state)
{
	(void)state;
	each_fixture(collect_keys);
	assert_true(keys_of_fixtures()->count > 60);
}

/* ---- our tokens */

static char *status_with_opaque(const char *opaque)
{
	static char text[2048];

	(void)snprintf(text, sizeof(text),
		       BODY("\"statuses\":[{\"id\":\"w1\",\"status\":\"sent\",\"timestamp\":"
			    "\"1795000000\",\"biz_opaque_callback_data\":\"%s\"}]"),
		       opaque);
	return text;
}

static void tokens_are_ours_or_foreign(void **state)
{
	struct token_maker other = { .mac = mac_new(STR("another store's key, another one")) };
	struct id message = { { 9, 8, 7 } };
	char ours[TOKEN_MAX], theirs[TOKEN_MAX];
	struct seen s = seen_text("[]");

	(void)state;
	token_make(&s.token, &message, 3, ours);
	token_make(&other, &message, 3, theirs);
	seen_release(&s);
	s = seen_text(status_with_opaque(ours));
	CHECK_INT("ours", true, s.in[0].has_token);
	CHECK_INT("try", 3, s.in[0].token_try);
	assert_true(id_eq(&message, &s.in[0].token_id));
	assert_null(strstr(s.text.data, "w1.")); /* it never leaves */
	CHECK_INT("to be replaced", strlen(ours) + 2, s.in[0].splice.len[SPAN_OPAQUE]);
	CHECK_INT("not foreign", 0, s.in[0].splice.len[SPAN_FOREIGN]);
	seen_release(&s);
	s = seen_text(status_with_opaque(theirs));
	CHECK_INT("theirs", false, s.in[0].has_token);
	CHECK_INT("stays", 0, s.in[0].splice.len[SPAN_OPAQUE]);
	CHECK_INT("foreign", strlen(theirs) + 2, s.in[0].splice.len[SPAN_FOREIGN]);
	assert_non_null(strstr(s.text.data, theirs));
	seen_release(&s);
	mac_free(other.mac);
}

/* ---- who */

static void national_variants_are_aliases(void **state)
{
	struct seen s = seen_fixture("place_and_people");

	(void)state;
	CHECK_INT("one other spelling", 1, s.in[0].alias_count);
	CHECK_STR("without the ninth digit", "551187654321", s.in[0].aliases[0]);
	CHECK_STR("as it came", "5511987654321", s.in[0].phone);
	seen_release(&s);
}

static void a_new_number_is_told(void **state)
{
	struct seen s = seen_fixture("system_and_odd");

	(void)state;
	CHECK_STR("new", "16505559999", s.in[0].new_phone);
	CHECK_STR("of", "16505551234", s.in[0].phone);
	CHECK_STR("only there", "", s.in[1].new_phone);
	seen_release(&s);
}

static void names_are_those_of_the_sender(void **state)
{
	struct seen s = seen_fixture("mixed");

	(void)state;
	CHECK_STR("first", "Ann Ortiz", s.in[0].name);
	CHECK_STR("second", "Bob", s.in[1].name);
	CHECK_STR("another number's", "Eva", s.in[5].name);
	CHECK_STR("number", "106540352242922", s.in[0].account_id);
	CHECK_STR("number", "206540352242922", s.in[5].account_id);
	CHECK_STR("number", "206540352242922", s.in[6].account_id);
	seen_release(&s);
}

static void history_is_never_stale(void **state)
{
	struct seen s = seen_fixture("history"), t = seen_fixture("text");

	(void)state;
	CHECK_INT("history", true, s.in[0].never_stale);
	CHECK_INT("text", false, t.in[0].never_stale);
	seen_release(&s);
	seen_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(normalized_texts),
		cmocka_unit_test(every_fixture_gives_json),
		cmocka_unit_test(deep_values_become_text),
		cmocka_unit_test(dedupe_keys),
		cmocka_unit_test(keys_survive_other_company),
		cmocka_unit_test(fixtures_are_their_own_repetitions),
		cmocka_unit_test(tokens_are_ours_or_foreign),
		cmocka_unit_test(national_variants_are_aliases),
		cmocka_unit_test(a_new_number_is_told),
		cmocka_unit_test(names_are_those_of_the_sender),
		cmocka_unit_test(history_is_never_stale),
	};

	return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
