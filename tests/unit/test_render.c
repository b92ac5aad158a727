/* SPDX-License-Identifier: MIT */
/* test_render.c - the normalized event, CloudEvents, and Meta's shape without anyone else's data */
#include "events_unit.h"

static struct str render(struct buf *b, const struct store_event_row *row, bool raw)
{
	buf_reset(b);
	render_godwit(b, row, &(struct render_how){ .raw = raw });
	assert_false(buf_failed(b));
	return buf_str(b);
}

/* ---- godwit */

static void a_whole_event(void **state)
{
	struct seen s = seen_fixture("text");
	struct store_event_row row = seen_row(&s, 0);
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	CHECK_STR(
		"event",
		"{\"id\":\"evt_01081G81800000000000000000\",\"type\":\"message.received\",\"schema\":1,"
		"\"time\":\"2026-11-18T11:06:41Z\",\"received_at\":\"2026-11-18T11:08:20.214Z\","
		"\"channel\":\"whatsapp\",\"account\":{\"id\":\"106540352242922\",\"address\":"
		"\"+15550783881\",\"business_id\":\"102290129340398\"},\"conversation\":{\"id\":"
		"\"cnv_02000000000000000000000000\",\"seq\":1},\"contact\":{\"id\":"
		"\"ctc_03000000000000000000000000\",\"user_id\":\"US.13491208655302741918\","
		"\"phone\":\"+16505551234\",\"username\":\"ann.ortiz\",\"name\":\"Ann Ortiz\"},"
		"\"message\":{\"id\":\"wamid.HBgLFIXTURE0001\",\"kind\":\"text\",\"text\":"
		"\"Is it open today? \xc2\xbfS\xc3\xad? \xf0\x9f\x99\x82 \\\"quoted\\\" \\\\ back\","
		"\"reply_to\":null}}",
		render(&b, &row, false));
	seen_release(&s);
	buf_release(&b);
}

static void what_is_unknown_is_null(void **state)
{
	struct seen s = seen_fixture("not_a_notification");
	struct store_event_row row = seen_row(&s, 0);
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	CHECK_STR(
		"event",
		"{\"id\":\"evt_01081G81800000000000000000\",\"type\":\"unknown\",\"schema\":1,"
		"\"time\":null,\"received_at\":\"2026-11-18T11:08:20.214Z\",\"channel\":\"other\","
		"\"account\":{\"id\":null,\"address\":null,\"business_id\":null},"
		"\"conversation\":null,\"contact\":null,\"change\":{\"field\":\"\",\"value\":"
		"[\"signed\",{\"but\":\"of another shape\"}]}}",
		render(&b, &row, false));
	seen_release(&s);
	buf_release(&b);
}

static void what_the_store_adds(void **state)
{
	struct seen s = seen_fixture("statuses");
	struct store_event_row row = seen_row(&s, 1);
	struct buf b;
	struct str out;

	(void)state;
	buf_init(&b, 1U << 20);
	row.has_message = true;
	row.message = (struct id){ { 4 } };
	row.opaque = STR("order \"7\"");
	row.state_version = 2;
	row.stale = true;
	out = render(&b, &row, true);
	assert_non_null(strstr(out.ptr, "\"sent_message\":\"msg_04000000000000000000000000\""));
	assert_non_null(strstr(out.ptr, "\"opaque\":\"order \\\"7\\\"\""));
	assert_non_null(strstr(out.ptr, "\"state_version\":2"));
	assert_non_null(strstr(out.ptr, "\"stale\":true"));
	assert_non_null(strstr(out.ptr, "\"raw\":\"{\\\"id\\\":\\\"wamid.HBgLOURS0001\\\","));
	assert_null(strstr(out.ptr, "\"seq\""));
	seen_release(&s);
	buf_release(&b);
}

/* The store found the message, but what stands in the status is not our token. */
static void one_opaque_value_at_most(void **state)
{
	struct seen s = seen_fixture("status_foreign_opaque");
	struct store_event_row row = seen_row(&s, 0);
	struct scanned j;
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	row.has_message = true;
	row.opaque = STR("of the row");
	j = scan_good(render(&b, &row, false));
	CHECK_INT("once", 0, json_duplicates(j.doc));
	CHECK_STR("as it came", "\"order-7/\xc3\xa9\"",
		  json_bytes(json_member(json_root(j.doc), STR("opaque"))));
	scanned_release(&j);
	seen_release(&s);
	buf_release(&b);
}

static void phones_have_a_ceiling(void **state)
{
	static char digits[128];
	struct seen s = seen_fixture("text");
	struct store_event_row row = seen_row(&s, 0);
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	memset(digits, '1', sizeof(digits) - 1);
	row.phone = str_make(digits, 64);
	assert_non_null(strstr(render(&b, &row, false).ptr, "\"phone\":\"+1111"));
	row.phone = str_make(digits, 65);
	assert_non_null(strstr(render(&b, &row, false).ptr, "\"phone\":null"));
	seen_release(&s);
	buf_release(&b);
}

static void check_event(const char *name, struct str text)
{
	struct scanned j = scan(text);
	size_t at;

	if (j.status != GW_OK)
		fail_msg("%s: %s: %.*s", name, j.err.message, STR_ARG(text));
	CHECK_INT(name, 0, json_duplicates(j.doc));
	CHECK_INT("one line", false, str_find_char(text, '\n', &at));
	scanned_release(&j);
}

static void all_renderings(const char *name, struct str body)
{
	struct seen s = seen_new(body);
	struct buf b;

	buf_init(&b, 32U << 20);
	for (size_t i = 0; i < s.count; i++) {
		struct store_event_row row = seen_row(&s, i);

		check_event(name, render(&b, &row, false));
		check_event(name, render(&b, &row, true));
		buf_reset(&b);
		render_cloudevents(&b, &row, &(struct render_how){ .raw = true });
		check_event(name, buf_str(&b));
	}
	buf_release(&b);
	seen_release(&s);
}

static void every_fixture_renders(void **state)
{
	(void)state;
	each_fixture(all_renderings);
}

/* ---- cloudevents */

static void an_envelope(void **state)
{
	struct seen s = seen_fixture("text");
	struct store_event_row row = seen_row(&s, 0);
	struct buf b, plain;
	struct scanned j;

	(void)state;
	buf_init(&b, 1U << 20);
	buf_init(&plain, 1U << 20);
	row.account_id = STR("a/b c\"\xc3\xa9~");
	render_cloudevents(&b, &row, &(struct render_how){ .raw = false });
	(void)render(&plain, &row, false);
	j = scan_good(buf_str(&b));
#define MEMBER(name) json_bytes(json_member(json_root(j.doc), STR(name)))
	CHECK_STR("version", "\"1.0\"", MEMBER("specversion"));
	CHECK_STR("id", "\"evt_01081G81800000000000000000\"", MEMBER("id"));
	CHECK_STR("type", "\"org.godwit.message.received\"", MEMBER("type"));
	CHECK_STR("source", "\"/whatsapp/a%2Fb%20c%22%C3%A9~\"", MEMBER("source"));
	CHECK_STR("time", "\"2026-11-18T11:06:41Z\"", MEMBER("time"));
	CHECK_STR("subject", "\"cnv_02000000000000000000000000\"", MEMBER("subject"));
	CHECK_STR("content", "\"application/json\"", MEMBER("datacontenttype"));
	CHECK_STR("data", plain.data, MEMBER("data"));
#undef MEMBER
	scanned_release(&j);
	row.at_s = 0;
	row.has_conversation = false;
	buf_reset(&b);
	render_cloudevents(&b, &row, &(struct render_how){ .raw = false });
	assert_non_null(strstr(b.data, "\"time\":\"2026-11-18T11:08:20.214Z\""));
	assert_null(strstr(b.data, "\"subject\""));
	seen_release(&s);
	buf_release(&b);
	buf_release(&plain);
}

/* ---- meta */

static void the_original_when_it_may(void **state)
{
	struct seen s = seen_fixture("text_spaced"), one = seen_fixture("text");
	struct store_event_row row = seen_row(&one, 0);
	bool original = false;
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	assert_true(render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	CHECK_INT("original", true, original);
	assert_true(str_eq(buf_str(&b), one.body));
	row = seen_row(&s, 0);
	buf_reset(&b);
	assert_true(render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	CHECK_INT("two events", false, original);
	assert_null(strstr(b.data, "statuses"));
	row = seen_row(&one, 0);
	row.signature = STR("");
	buf_reset(&b);
	assert_true(render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	CHECK_INT("nobody signed it", false, original);
	seen_release(&s);
	seen_release(&one);
	buf_release(&b);
}

static void our_own_transitions(void **state)
{
	struct seen s = seen_fixture("statuses");
	bool original = false;
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	for (size_t i = 0; i < 5; i++) {
		struct store_event_row row = seen_row(&s, i);

		row.composed = true;
		row.signature = STR("");
		buf_reset(&b);
		CHECK_INT(s.in[i].kind, strcmp(s.in[i].kind, "failed") == 0,
			  render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	}
	seen_release(&s);
	buf_release(&b);
}

static bool same_key(const struct store_event_in *a, const struct store_event_in *b)
{
	return a->dedupe_s == b->dedupe_s && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

/* A body of its own says of the event what the whole body said. */
static void check_minimal(const char *name, const struct seen *s, size_t i, struct str out)
{
	const struct store_event_in *want = &s->in[i], *got;
	struct seen m = seen_new(out);

	if (m.note == NULL || m.count != 1)
		fail_msg("%s[%zu]: %zu events in %.*s", name, i, m.count, STR_ARG(out));
	got = &m.in[0];
	CHECK_STR(name, want->type, str_from(got->type));
	CHECK_STR(name, want->kind, str_from(got->kind));
	assert_true(str_eq(want->account_id, got->account_id));
	assert_true(str_eq(want->address, got->address));
	assert_true(str_eq(want->business_id, got->business_id));
	assert_true(str_eq(want->external_id, got->external_id));
	assert_true(str_eq(want->phone, got->phone));
	assert_true(str_eq(want->user_id, got->user_id));
	assert_true(str_eq(want->name, got->name));
	assert_true(str_eq(want->status, got->status));
	assert_true(str_eq(want->json, got->json));
	CHECK_INT(name, want->at_s, got->at_s);
	CHECK_INT("the same event", true, same_key(want, got));
	seen_release(&m);
}

static void check_no_sibling(const char *name, const struct seen *s, size_t i, struct str out)
{
	struct str own = str_slice(s->body, s->in[i].splice.at[SPAN_ITEM],
				   (size_t)s->in[i].splice.at[SPAN_ITEM] +
					   s->in[i].splice.len[SPAN_ITEM]);
	size_t at;

	for (size_t k = 0; k < s->count; k++) {
		struct str id = s->in[k].external_id, number = s->in[k].account_id;

		if (id.len > 0 && !str_find(own, id, &at) && str_find(out, id, &at))
			fail_msg("%s[%zu] holds item %zu", name, i, k);
		if (number.len > 0 && !str_eq(number, s->in[i].account_id) &&
		    str_find(out, number, &at))
			fail_msg("%s[%zu] holds the number of item %zu", name, i, k);
	}
}

static void minimal_bodies(const char *name, struct str body)
{
	struct seen s = seen_new(body);
	bool original = true;
	struct buf b;

	buf_init(&b, 32U << 20);
	for (size_t i = 0; i < s.count; i++) {
		struct store_event_row row = seen_row(&s, i);

		row.siblings = 2; /* as if there were others, so that it is spliced */
		buf_reset(&b);
		if (!render_meta(&b, &row, &(struct render_how){ 0 }, &original))
			continue;
		CHECK_INT(name, false, original);
		check_minimal(name, &s, i, buf_str(&b));
		check_no_sibling(name, &s, i, buf_str(&b));
	}
	buf_release(&b);
	seen_release(&s);
}

static void every_event_alone(void **state)
{
	(void)state;
	each_fixture(minimal_bodies);
}

static void what_has_no_place_is_not_rendered(void **state)
{
	static const char *const bodies[] = {
		"[1]",
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\"}]}",
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":[{\"field\":\"x\"}]}]}",
		"{\"object\":\"something\",\"entry\":[{\"changes\":[{\"field\":\"x\",\"value\":1}]}]}",
	};
	bool original = false;
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct seen s = seen_text(bodies[i]);
		struct store_event_row row = seen_row(&s, 0);

		row.siblings = 2;
		buf_reset(&b);
		CHECK_INT(bodies[i], false,
			  render_meta(&b, &row, &(struct render_how){ 0 }, &original));
		row.siblings = 1;
		buf_reset(&b);
		CHECK_INT("but the original may go", true,
			  render_meta(&b, &row, &(struct render_how){ 0 }, &original));
		seen_release(&s);
	}
	buf_release(&b);
}

/* ---- the opaque value */

#define HEAD                                                                                      \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{"       \
	"\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{\"phone_number_id\":\"7\"}," \
	"\"statuses\":["
#define TAIL "]},\"field\":\"messages\"}]}]}"
#define KEY "\"biz_opaque_callback_data\""

/* %s stands for the token. */
static const struct {
	const char *name, *item, *restored, *removed;
} opaque[] = {
	{ "first", "{" KEY ":\"%s\",\"id\":\"w\",\"status\":\"sent\"}",
	  "{" KEY ":\"a \\\"b\\\"\\/\\u00e9\",\"id\":\"w\",\"status\":\"sent\"}",
	  "{\"id\":\"w\",\"status\":\"sent\"}" },
	{ "in the middle", "{\"id\":\"w\"," KEY ":\"%s\",\"status\":\"sent\"}",
	  "{\"id\":\"w\"," KEY ":\"a \\\"b\\\"\\/\\u00e9\",\"status\":\"sent\"}",
	  "{\"id\":\"w\",\"status\":\"sent\"}" },
	{ "last", "{\"id\":\"w\",\"status\":\"sent\"," KEY ":\"%s\"}",
	  "{\"id\":\"w\",\"status\":\"sent\"," KEY ":\"a \\\"b\\\"\\/\\u00e9\"}",
	  "{\"id\":\"w\",\"status\":\"sent\"}" },
	{ "first, with blanks", "{ " KEY " : \"%s\" , \"id\":\"w\",\"status\":\"sent\"}",
	  "{ " KEY " : \"a \\\"b\\\"\\/\\u00e9\" , \"id\":\"w\",\"status\":\"sent\"}",
	  "{  \"id\":\"w\",\"status\":\"sent\"}" },
	{ "in the middle, with blanks",
	  "{\"id\":\"w\" ,\n\t" KEY "\n:\t\"%s\"\r\n,\"status\":\"sent\"}",
	  "{\"id\":\"w\" ,\n\t" KEY "\n:\t\"a \\\"b\\\"\\/\\u00e9\"\r\n,\"status\":\"sent\"}",
	  "{\"id\":\"w\" ,\n\t\"status\":\"sent\"}" },
	{ "last, with blanks", "{\"id\":\"w\",\"status\":\"sent\" , " KEY " : \"%s\" }",
	  "{\"id\":\"w\",\"status\":\"sent\" , " KEY " : \"a \\\"b\\\"\\/\\u00e9\" }",
	  "{\"id\":\"w\",\"status\":\"sent\" }" },
	{ "the key spelled otherwise",
	  "{\"id\":\"w\",\"biz\\u005fopaque_callback_data\":\"%s\",\"status\":\"sent\"}",
	  "{\"id\":\"w\",\"biz\\u005fopaque_callback_data\":\"a \\\"b\\\"\\/\\u00e9\","
	  "\"status\":\"sent\"}",
	  "{\"id\":\"w\",\"biz\\u005fopaque_callback_data\":\"\",\"status\":\"sent\"}" },
};

static void check_opaque(const char *name, const struct seen *s, struct str caller,
			 const char *want)
{
	struct store_event_row row = seen_row(s, 0);
	bool original = true;
	char whole[1024];
	struct scanned j;
	struct buf b;

	buf_init(&b, 1U << 20);
	row.opaque = caller;
	assert_true(render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	CHECK_INT(name, false, original);
	(void)snprintf(
		whole, sizeof(whole),
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\","
		"\"changes\":[{\"field\":\"messages\",\"value\":{\"messaging_product\":"
		"\"whatsapp\",\"metadata\":{\"phone_number_id\":\"7\"},\"statuses\":[%s]}}]}]}",
		want);
	CHECK_STR(name, whole, buf_str(&b));
	j = scan_good(buf_str(&b));
	scanned_release(&j);
	buf_release(&b);
}

static void our_token_never_leaves(void **state)
{
	char token[TOKEN_MAX], item[512], body[1024];
	struct token_maker maker = { .mac = mac_new(STR(TOKEN_KEY)) };

	(void)state;
	token_make(&maker, &(struct id){ { 7 } }, 1, token);
	for (size_t i = 0; i < ARRAY_LEN(opaque); i++) {
		const char *at = strstr(opaque[i].item, "%s");
		struct seen s;

		(void)snprintf(item, sizeof(item), "%.*s%s%s", (int)(at - opaque[i].item),
			       opaque[i].item, token, at + 2);
		(void)snprintf(body, sizeof(body), "%s%s%s", HEAD, item, TAIL);
		s = seen_text(body);
		CHECK_INT(opaque[i].name, true, s.in[0].has_token);
		check_opaque(opaque[i].name, &s, STR("a \"b\"/\xc3\xa9"), opaque[i].restored);
		check_opaque(opaque[i].name, &s, STR_EMPTY, opaque[i].removed);
		seen_release(&s);
	}
	mac_free(maker.mac);
}

/* What is not ours stays as it is, and the body is the original. */
static void foreign_values_stay(void **state)
{
	struct seen s = seen_fixture("status_foreign_opaque");
	struct store_event_row row = seen_row(&s, 0);
	bool original = false;
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	row.has_message = true;
	row.opaque = STR("of the row");
	assert_true(render_meta(&b, &row, &(struct render_how){ 0 }, &original));
	CHECK_INT("original", true, original);
	assert_true(str_eq(buf_str(&b), s.body));
	seen_release(&s);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_event),
		cmocka_unit_test(what_is_unknown_is_null),
		cmocka_unit_test(what_the_store_adds),
		cmocka_unit_test(one_opaque_value_at_most),
		cmocka_unit_test(phones_have_a_ceiling),
		cmocka_unit_test(every_fixture_renders),
		cmocka_unit_test(an_envelope),
		cmocka_unit_test(the_original_when_it_may),
		cmocka_unit_test(our_own_transitions),
		cmocka_unit_test(every_event_alone),
		cmocka_unit_test(what_has_no_place_is_not_rendered),
		cmocka_unit_test(our_token_never_leaves),
		cmocka_unit_test(foreign_values_stay),
	};

	return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
