/* SPDX-License-Identifier: MIT */
/* test_sandbox_world.c - customers, statuses, prices, the record, and the same bytes again */
#include "sandbox_rig.h"

#include "base/hexb64.h"

static struct json_val status_at(struct rig *r, size_t i)
{
	return json_at(json_path(rig_change(r, i), "value.statuses"), 0);
}

static void check_status(struct rig *r, size_t i, const char *status, int64_t at_ms)
{
	char seconds[24];

	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)(at_ms / 1000));
	CHECK_STR(status, status, rig_text(json_member(status_at(r, i), STR("status"))));
	CHECK_STR(status, seconds, rig_text(json_member(status_at(r, i), STR("timestamp"))));
}

static void statuses_in_time(void **state)
{
	struct rig *r = rig_new(1);
	const struct sent_message *m;

	(void)state;
	rig_set(r, "{\"jitter_percent\":0}");
	rig_say(r, ANA);
	rig_send_text(r, ANA, "o1");
	rig_advance(r, 49);
	CHECK_INT("not yet", 1, r->change_count);
	rig_advance(r, 1);
	CHECK_INT("sent", 2, r->change_count);
	check_status(r, 1, "sent", RIG_WALL_MS + 50);
	rig_advance(r, 99);
	CHECK_INT("not yet", 2, r->change_count);
	rig_advance(r, 1);
	check_status(r, 2, "delivered", RIG_WALL_MS + 150);
	rig_advance(r, 250);
	check_status(r, 3, "read", RIG_WALL_MS + 400);
	CHECK_INT("and no more", 4, r->change_count);
	CHECK_INT("over", 0, r->world->delivery_count);
	m = sent_get(r->world->sent, 1);
	CHECK_INT("recorded", 3, m->status_count);
	assert_string_equal(m->statuses[2].status, "read");
	CHECK_INT("at", RIG_WALL_MS + 400, m->statuses[2].at_ms);
	rig_free(r);
}

/* A day in one jump: every status keeps the time at which it was due. */
static void statuses_after_a_jump(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_set(r, "{\"jitter_percent\":0,\"read_ms\":3600000}");
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	rig_advance(r, 86400000);
	CHECK_INT("all", 4, r->change_count);
	check_status(r, 1, "sent", RIG_WALL_MS + 50);
	check_status(r, 3, "read", RIG_WALL_MS + 3600000);
	rig_free(r);
}

static void status_shape(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val change, s;

	(void)state;
	rig_say(r, ANA);
	rig_send_text(r, ANA, "o1");
	rig_advance(r, 1000);
	change = rig_change(r, 1);
	s = status_at(r, 1);
	CHECK_STR("field", "messages", rig_text(json_member(change, STR("field"))));
	CHECK_STR("number", SANDBOX_NUMBER_ID,
		  rig_text(json_path(change, "value.metadata.phone_number_id")));
	CHECK_STR("display", "15550783881",
		  rig_text(json_path(change, "value.metadata.display_phone_number")));
	CHECK_STR("contact", ANA,
		  rig_text(json_member(json_at(json_path(change, "value.contacts"), 0),
				       STR("wa_id"))));
	CHECK_STR("recipient", ANA, rig_text(json_member(s, STR("recipient_id"))));
	assert_true(str_starts(rig_text(json_member(s, STR("recipient_user_id"))), STR("BR.")));
	CHECK_STR("opaque", "o1", rig_text(json_member(s, STR("biz_opaque_callback_data"))));
	CHECK_STR("no conversation", "-", rig_text(json_member(s, STR("conversation"))));
	CHECK_STR("billable", "true", rig_text(json_path(s, "pricing.billable")));
	CHECK_STR("model", "PMP", rig_text(json_path(s, "pricing.pricing_model")));
	CHECK_STR("type", "regular", rig_text(json_path(s, "pricing.type")));
	CHECK_STR("category", "service", rig_text(json_path(s, "pricing.category")));
	CHECK_INT("priced twice", 2,
		  json_exists(json_member(status_at(r, 2), STR("pricing"))) +
			  json_exists(json_member(status_at(r, 1), STR("pricing"))));
	CHECK_INT("not on read", 0, json_exists(json_member(status_at(r, 3), STR("pricing"))));
	rig_free(r);
}

static void older_shapes(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val s;

	(void)state;
	rig_set(r, "{\"webhook_version\":23,\"status_contacts\":false}");
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	rig_advance(r, 1000);
	s = status_at(r, 1);
	CHECK_STR("origin", "service", rig_text(json_path(s, "conversation.origin.type")));
	CHECK_INT("id", 32, rig_text(json_path(s, "conversation.id")).len);
	assert_true(json_exists(json_path(s, "conversation.expiration_timestamp")));
	assert_false(json_exists(json_path(status_at(r, 2), "conversation.expiration_timestamp")));
	assert_false(json_exists(json_path(rig_change(r, 1), "value.contacts")));
	rig_free(r);
}

static const struct {
	const char *name;
	int64_t wall_ms;
	bool template, window;
	const char *billable, *category;
} prices[] = {
	{ "service now", RIG_WALL_MS, false, true, "true", "service" },
	{ "utility now", RIG_WALL_MS, true, true, "true", "utility" },
	{ "service on 2026-09-30", INT64_C(1790812799000), false, true, "false", "service" },
	{ "service on 2026-10-01", INT64_C(1790812800000), false, true, "true", "service" },
	{ "utility in the window then", INT64_C(1790812799000), true, true, "false", "utility" },
	{ "utility outside then", INT64_C(1790812799000), true, false, "true", "utility" },
};

static void prices_by_date(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
		struct rig *r = rig_new(1);
		size_t first = prices[i].window ? 1 : 0;

		clock_set_wall(&r->clock, prices[i].wall_ms);
		if (prices[i].window)
			rig_say(r, ANA);
		if (prices[i].template)
			rig_send(
				r,
				"{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA
				"\",\"type\":\"template\",\"template\":{\"name\":\"hello_sandbox\","
				"\"language\":{\"code\":\"en_US\"}}}");
		else
			rig_send_text(r, ANA, NULL);
		rig_advance(r, 100);
		CHECK_STR(prices[i].name, prices[i].billable,
			  rig_text(json_path(status_at(r, first), "pricing.billable")));
		CHECK_STR(prices[i].name, prices[i].category,
			  rig_text(json_path(status_at(r, first), "pricing.category")));
		rig_free(r);
	}
}

static void kinds_of_customers(void **state)
{
	struct rig *r = rig_new(1);
	struct customer *ana = customer_by_phone(r->world, STR(ANA), false);
	struct json_val m;

	(void)state;
	ana->mode = CUSTOMER_HIDDEN;
	ana->username = xstrdup("ana.b");
	rig_say(r, ANA);
	m = json_at(json_path(rig_change(r, 0), "value.messages"), 0);
	CHECK_STR("no from", "-", rig_text(json_member(m, STR("from"))));
	CHECK_STR("from_user_id", ana->user_id, rig_text(json_member(m, STR("from_user_id"))));
	CHECK_STR("username", "ana.b",
		  rig_text(json_path(json_at(json_path(rig_change(r, 0), "value.contacts"), 0),
				     "profile.username")));
	rig_send_text(r, ANA, NULL);
	rig_say(r, ANA);
	m = json_at(json_path(rig_change(r, 1), "value.messages"), 0);
	CHECK_STR("known by phone now", ANA, rig_text(json_member(m, STR("from"))));
	rig_advance(r, INT64_C(30) * 86400 * 1000);
	rig_say(r, ANA);
	m = json_at(json_path(rig_change(r, r->change_count - 1), "value.messages"), 0);
	CHECK_STR("for thirty days", "-", rig_text(json_member(m, STR("from"))));
	rig_free(r);
}

static void fates(void **state)
{
	struct rig *r = rig_new(1);
	struct customer *ana = customer_by_phone(r->world, STR(ANA), false);

	(void)state;
	rig_say(r, ANA);
	ana->reads = false;
	rig_send_text(r, ANA, NULL);
	rig_advance(r, 1000);
	CHECK_INT("no read receipt", 3, r->change_count);
	ana->blocked = true;
	rig_send_text(r, ANA, "x");
	rig_advance(r, 1000);
	CHECK_STR("blocked", "failed", rig_text(json_member(status_at(r, 3), STR("status"))));
	CHECK_STR("blocked", "131026",
		  rig_text(json_member(json_at(json_member(status_at(r, 3), STR("errors")), 0),
				       STR("code"))));
	assert_false(json_exists(json_path(rig_change(r, 3), "value.contacts")));
	rig_set(r, "{\"echo_opaque_on_failed\":false}");
	rig_send_text(r, ANA, "x");
	rig_advance(r, 1000);
	CHECK_STR("no echo", "-",
		  rig_text(json_member(status_at(r, 4), STR("biz_opaque_callback_data"))));
	ana->blocked = false;
	rig_set(r, "{\"skip_delivered_percent\":100}");
	ana->reads = true;
	rig_send_text(r, ANA, NULL);
	rig_advance(r, 1000);
	CHECK_STR("straight to read", "read",
		  rig_text(json_member(status_at(r, 6), STR("status"))));
	rig_send(r, "{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA "\",\"type\":\"reaction\","
		    "\"reaction\":{\"message_id\":\"wamid.nobody\",\"emoji\":\"\"}}");
	rig_advance(r, 1000);
	CHECK_STR("a bad reaction", "131009",
		  rig_text(json_member(json_at(json_member(status_at(r, 7), STR("errors")), 0),
				       STR("code"))));
	rig_free(r);
}

static void delays_of_one_customer(void **state)
{
	struct rig *r = rig_new(1);
	struct customer *ana = customer_by_phone(r->world, STR(ANA), false);

	(void)state;
	rig_set(r, "{\"jitter_percent\":0}");
	ana->delay_ms[STATUS_READ] = 60000;
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	rig_advance(r, 59999);
	CHECK_INT("unread", 3, r->change_count);
	rig_advance(r, 1);
	CHECK_INT("read", 4, r->change_count);
	rig_free(r);
}

static const struct {
	const char *to, *want; /* NULL: no phone number */
} phones[] = {
	{ "+5571990000001", "5571990000001" },
	{ "5571990000001", "5571990000001" },
	{ "+1 (415) 555-0100", "14155550100" },
	{ "(415) 555-0100", "14155550100" }, /* national: the business's country */
	{ "14155550100", "14155550100" },
	{ "+12345", "12345" },
	{ "+1234", NULL },
	{ "+123456789012345", "123456789012345" },
	{ "+1234567890123456", NULL },
	{ "", NULL },
	{ "+", NULL },
	{ "4155550100x", NULL },
};

static void recipients(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		char digits[PHONE_MAX] = "-";
		bool ok = customer_normalize(r->world, r->world->numbers[0], str_from(phones[i].to),
					     digits);

		CHECK_INT(phones[i].to, phones[i].want != NULL, ok);
		if (ok)
			CHECK_STR(phones[i].to, phones[i].want, str_from(digits));
	}
	rig_set(r, "{\"rewrite_numbers\":true}");
	rig_send_text(r, "5571990000001", NULL);
	CHECK_STR("Brazil", "557190000001",
		  rig_text(json_member(json_at(json_member(rig_body(r), STR("contacts")), 0),
				       STR("wa_id"))));
	rig_send_text(r, "5215512345678", NULL);
	CHECK_STR("Mexico", "525512345678",
		  rig_text(json_member(json_at(json_member(rig_body(r), STR("contacts")), 0),
				       STR("wa_id"))));
	rig_free(r);
}

static void wamids(void **state)
{
	struct rig *r = rig_new(1);
	unsigned char raw[256];
	char id[WAMID_MAX];
	size_t len;

	(void)state;
	world_wamid(r->world, WAMID_OUTBOUND, STR(ANA), id);
	assert_true(b64_decode(str_slice(str_from(id), 6, strlen(id)), raw, sizeof(raw), &len));
	CHECK_INT("length", 3 + 13 + 6 + 18 + 1, len);
	assert_memory_equal(raw, "\x1c\x18\x0d" ANA "\x15\x02\x00\x11\x18\x12", 22);
	world_wamid(r->world, WAMID_INBOUND, STR(ANA), id);
	assert_true(b64_decode(str_slice(str_from(id), 6, strlen(id)), raw, sizeof(raw), &len));
	CHECK_INT("length", 3 + 13 + 6 + 20 + 1, len);
	assert_memory_equal(raw + 16, "\x15\x02\x00\x12\x18\x14", 6);
	rig_free(r);
}

/* Everything that leaves one run, in order. */
static char *transcript(uint64_t seed)
{
	struct rig *r = rig_new(seed);
	struct buf b;
	char *out;

	buf_init(&b, 1U << 20);
	customers_say_hello(r->world);
	for (int i = 0; i < 20; i++) {
		rig_send_text(r, i % 3 == 0 ? BOB : ANA, i % 2 == 0 ? "token" : NULL);
		buf_put_str(&b, buf_str(&r->answer.body));
		rig_advance(r, 77);
		rig_send(r, "{}");
		buf_put_str(&b, buf_str(&r->answer.body));
	}
	rig_advance(r, 10000);
	for (size_t i = 0; i < r->change_count; i++)
		buf_put_text(&b, r->changes[i]);
	out = xstrndup(buf_str(&b));
	buf_release(&b);
	rig_free(r);
	return out;
}

static void same_seed_same_bytes(void **state)
{
	char *one = transcript(42), *two = transcript(42), *three = transcript(43);

	(void)state;
	assert_true(strlen(one) > 10000);
	assert_string_equal(one, two);
	assert_string_not_equal(one, three);
	free(one);
	free(two);
	free(three);
}

static void reset_is_a_new_start(void **state)
{
	struct rig *r = rig_new(7);
	char first[WAMID_MAX], second[WAMID_MAX];

	(void)state;
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	(void)str_copy(str_from(sent_get(r->world->sent, 1)->wamid), first, sizeof(first));
	rig_set(r, "{\"limit_mps\":5}");
	world_reset(r->world);
	CHECK_INT("settings", 80, r->world->settings.limit_mps);
	CHECK_INT("messages", 0, sent_total(r->world->sent));
	CHECK_INT("deliveries", 0, r->world->delivery_count);
	CHECK_INT("customers", 1, customers_count(r->world->customers));
	rig_say(r, ANA);
	rig_send_text(r, ANA, NULL);
	(void)str_copy(str_from(sent_get(r->world->sent, 1)->wamid), second, sizeof(second));
	assert_string_equal(first, second);
	rig_free(r);
}

static void the_record_forgets_the_oldest(void **state)
{
	struct rig *r = rig_new(1);
	struct sent *s = r->world->sent;
	struct str token = STR("t1");
	char wamid[32];

	(void)state;
	for (int i = 1; i <= SANDBOX_SENT_FULL_MAX + 2; i++) {
		(void)snprintf(wamid, sizeof(wamid), "wamid.%d", i);
		(void)sent_add(s, r->world->numbers[0], str_from(wamid), STR(ANA), "text",
			       STR("{}"), i <= 2 ? &token : NULL, i);
	}
	CHECK_INT("total", SANDBOX_SENT_FULL_MAX + 2, sent_total(s));
	CHECK_INT("first", 3, sent_first_full(s));
	assert_null(sent_get(s, 2));
	assert_null(sent_get(s, SANDBOX_SENT_FULL_MAX + 3));
	assert_null(sent_find(s, STR("wamid.2")));
	CHECK_INT("found", 3, sent_find(s, STR("wamid.3"))->seq);
	assert_string_equal(sent_get_short(s, 1)->text, "wamid.1");
	assert_string_equal(sent_get_short(s, 1)->text + sent_get_short(s, 1)->to_at, ANA);
	CHECK_INT("token", 2, sent_token_count(s, token));
	CHECK_INT("doubled", 1, sent_doubled(s));
	CHECK_INT("another", 0, sent_token_count(s, STR("t2")));
	rig_free(r);
}

static void worst_second_slides(void **state)
{
	struct rig *r = rig_new(1);
	struct number *n = r->world->numbers[0];

	(void)state;
	for (int i = 0; i < 300; i++)
		world_count_second(r->world, n);
	CHECK_INT("at once", 300, n->worst_second);
	rig_advance(r, 1000);
	for (int i = 0; i < 200; i++)
		world_count_second(r->world, n);
	CHECK_INT("a full second later", 300, n->worst_second);
	rig_advance(r, 999);
	for (int i = 0; i < 200; i++)
		world_count_second(r->world, n);
	CHECK_INT("within a second", 400, n->worst_second);
	rig_free(r);
}

static void several_numbers(void **state)
{
	struct rig *r = rig_new(1);
	struct number *n, *same;

	(void)state;
	CHECK_INT("add", GW_OK,
		  world_set_number(r->world, STR("1001"), STR("+4915112345678"), &n, NULL));
	assert_string_equal(n->display, "+4915112345678");
	assert_string_equal(n->country, "49");
	CHECK_INT("again", GW_OK, world_set_number(r->world, STR("1001"), STR_EMPTY, &same, NULL));
	assert_ptr_equal(n, same);
	CHECK_INT("no digits", GW_EARG, world_set_number(r->world, STR("x"), STR_EMPTY, &n, NULL));
	rig_say(r, ANA); /* to the first number */
	rig_call(r, "POST", "/1001/messages", "t",
		 "{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA
		 "\",\"text\":{\"body\":\"x\"}}");
	rig_advance(r, 100);
	CHECK_STR("the window is the other number's", "failed",
		  rig_text(json_member(status_at(r, 1), STR("status"))));
	rig_free(r);
}

static void statuses_by_hand(void **state)
{
	struct rig *r = rig_new(1);

	(void)state;
	rig_say(r, ANA);
	rig_send_text(r, ANA, "o");
	rig_advance(r, 1000);
	delivery_tell(r->world, sent_get(r->world->sent, 1), STATUS_FAILED, 131049, "cap");
	CHECK_STR("failed", "failed", rig_text(json_member(status_at(r, 4), STR("status"))));
	CHECK_STR("details", "cap",
		  rig_text(json_path(json_at(json_member(status_at(r, 4), STR("errors")), 0),
				     "error_data.details")));
	rig_free(r);
}

static void raw_inbound(void **state)
{
	struct rig *r = rig_new(1);
	struct customer *ana = customer_by_phone(r->world, STR(ANA), false);
	struct number *n = r->world->numbers[0];
	char wamid[WAMID_MAX];
	struct json_val m;

	(void)state;
	CHECK_INT(
		"raw", GW_OK,
		customer_say(
			r->world, ana, n,
			rig_json(
				r,
				"{\"type\":\"image\",\"image\":{\"id\":\"9\"},\"id\":\"wamid.mine\","
				"\"timestamp\":\"5\",\"from\":\"1\"}"),
			wamid, NULL));
	assert_string_equal(wamid, "wamid.mine");
	m = json_at(json_path(rig_change(r, 0), "value.messages"), 0);
	CHECK_STR("from", "1", rig_text(json_member(m, STR("from"))));
	CHECK_STR("timestamp", "5", rig_text(json_member(m, STR("timestamp"))));
	CHECK_STR("image", "9", rig_text(json_path(m, "image.id")));
	CHECK_INT("one id", 1, customers_knows_wamid(r->world->customers, STR("wamid.mine")));
	CHECK_INT("no type", GW_EARG,
		  customer_say(r->world, ana, n, rig_json(r, "{}"), wamid, NULL));
	CHECK_INT("no object", GW_EARG,
		  customer_say(r->world, ana, n, rig_json(r, "5"), wamid, NULL));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_in_time),
		cmocka_unit_test(statuses_after_a_jump),
		cmocka_unit_test(status_shape),
		cmocka_unit_test(older_shapes),
		cmocka_unit_test(prices_by_date),
		cmocka_unit_test(kinds_of_customers),
		cmocka_unit_test(fates),
		cmocka_unit_test(delays_of_one_customer),
		cmocka_unit_test(recipients),
		cmocka_unit_test(wamids),
		cmocka_unit_test(same_seed_same_bytes),
		cmocka_unit_test(reset_is_a_new_start),
		cmocka_unit_test(the_record_forgets_the_oldest),
		cmocka_unit_test(worst_second_slides),
		cmocka_unit_test(several_numbers),
		cmocka_unit_test(statuses_by_hand),
		cmocka_unit_test(raw_inbound),
	};

	return cmocka_run_group_tests_name("sandbox_world", tests, NULL, NULL);
}
