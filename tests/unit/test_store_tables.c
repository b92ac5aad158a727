/* SPDX-License-Identifier: MIT */
/* test_store_tables.c - the small tables, and what a start reads back */
#include "store_kit.h"

struct loaded {
	char text[4096];
	size_t len;
};

static void say(struct loaded *l, const char *fmt, ...) GW_PRINTF(2, 3);
static void say(struct loaded *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(l->text) - l->len);
	l->len += (size_t)n;
}

static void on_account(void *cookie, const struct store_account *a)
{
	say(cookie, "account %.*s %.*s %.*s %.*s %.*s %.*s;", STR_ARG(a->name), STR_ARG(a->app_id),
	    STR_ARG(a->app_secret), STR_ARG(a->app_secret_previous), STR_ARG(a->verify_token),
	    STR_ARG(a->token));
}

static void on_number(void *cookie, const struct store_number *n)
{
	say(cookie, "number %.*s of %d at %u;", STR_ARG(n->number_id), (int)n->account_row,
	    n->limit_mps);
}

static void on_key(void *cookie, const struct store_key *k)
{
	say(cookie, "key %.*s %.*s %02x %d;", STR_ARG(k->name), STR_ARG(k->scopes), k->hash[31],
	    (int)k->revoked_ms);
}

static void on_destination(void *cookie, const struct store_destination *d)
{
	say(cookie, "destination %.*s %.*s %.*s %s%s%s%s;", STR_ARG(d->name), STR_ARG(d->secret),
	    STR_ARG(d->secret_previous), d->state, d->include_raw ? " raw" : "",
	    d->relay_stale ? " stale" : "", d->removed ? " removed" : "");
}

static void on_message(void *cookie, const struct store_message_row *m)
{
	say(cookie, "message %.*s %.*s window=%d evidence=%.*s;", STR_ARG(m->to), STR_ARG(m->state),
	    m->window_ms > 0, STR_ARG(m->evidence_wamid));
}

static void on_delivery(void *cookie, const struct store_delivery_row *d)
{
	say(cookie, "delivery %d>%d %.*s;", (int)d->event_row, (int)d->destination_row,
	    STR_ARG(d->state));
}

static void on_send(void *cookie, struct str number_id, struct str lane, int64_t at_ms)
{
	(void)number_id;
	say(cookie, "sent %.*s %d s ago;", STR_ARG(lane), (int)((KIT_WALL_MS - at_ms) / 1000));
}

static void load(struct kit *k, struct loaded *l)
{
	const struct store_loader loader = { .cookie = l,
					     .account = on_account,
					     .number = on_number,
					     .key = on_key,
					     .destination = on_destination,
					     .message = on_message,
					     .delivery = on_delivery,
					     .recent_send = on_send };
	struct gw_error err = GW_ERROR_INIT;

	*l = (struct loaded){ .len = 0 };
	if (store_load_all(k->store, &loader, &err) != GW_OK)
		fail_msg("store_load_all: %s", err.message);
}

static void empty(void **state)
{
	struct loaded l;
	struct kit k;

	(void)state;
	kit_open(&k);
	load(&k, &l);
	CHECK_STR("nothing", "", str_from(l.text));
	kit_close(&k);
}

static void accounts_and_numbers(void **state)
{
	struct store_put_account a = {
		.a = { .name = STR("main"), .app_id = STR("1"), .app_secret = STR("old") }
	};
	struct store_put_number n = { .n = { .number_id = STR("106"), .limit_mps = 80 } };
	struct loaded l;
	struct kit k;
	int64_t row;

	(void)state;
	kit_open(&k);
	assert_int_equal(kit_run(&k, &a.req, STORE_PUT_ACCOUNT), GW_OK);
	row = a.a.row;
	n.n.account_row = row;
	assert_int_equal(kit_run(&k, &n.req, STORE_PUT_NUMBER), GW_OK);
	/* By name: the same row, whatever row the caller thinks it has. */
	a.a = (struct store_account){ .name = STR("main"),
				      .app_id = STR("2"),
				      .app_secret = STR("new"),
				      .app_secret_previous = STR("old"),
				      .verify_token = STR("v"),
				      .token = STR("t") };
	assert_int_equal(kit_run(&k, &a.req, STORE_PUT_ACCOUNT), GW_OK);
	CHECK_INT("row", row, a.a.row);
	n.n.limit_mps = 1000;
	assert_int_equal(kit_run(&k, &n.req, STORE_PUT_NUMBER), GW_OK);
	kit_restart(&k);
	load(&k, &l);
	CHECK_STR("loaded", "account main 2 new old v t;number 106 of 1 at 1000;",
		  str_from(l.text));
	kit_close(&k);
}

static void secrets_have_a_ceiling(void **state)
{
	char long_secret[SECRET_MAX + 1];
	struct store_put_account a = { .a = { .name = STR("main") } };
	struct kit k;

	(void)state;
	memset(long_secret, 's', sizeof(long_secret));
	kit_open(&k);
	a.a.token = str_make(long_secret, SECRET_MAX);
	CHECK_INT("longest", GW_OK, kit_run(&k, &a.req, STORE_PUT_ACCOUNT));
	a.a.token = str_make(long_secret, SECRET_MAX + 1);
	CHECK_INT("one more", GW_ELIMIT, kit_run(&k, &a.req, STORE_PUT_ACCOUNT));
	kit_close(&k);
}

static void keys(void **state)
{
	struct store_put_key p = { .k = { .name = STR("app"), .scopes = STR("send,read") } };
	struct store_put_key twin;
	struct loaded l;
	struct kit k;
	int64_t row;

	(void)state;
	kit_open(&k);
	p.k.id = kit_id(&k);
	memset(p.k.hash, 0xab, sizeof(p.k.hash));
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_KEY), GW_OK);
	row = p.k.row;
	twin = p;
	twin.k.row = 0;
	twin.k.id = kit_id(&k);
	CHECK_INT("the same hash", GW_EPARSE, kit_run(&k, &twin.req, STORE_PUT_KEY));
	p.k.revoked_ms = 5;
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_KEY), GW_OK);
	CHECK_INT("row", row, p.k.row);
	load(&k, &l);
	CHECK_STR("loaded", "key app send,read ab 5;", str_from(l.text));
	kit_close(&k);
}

static void destinations(void **state)
{
	struct store_put_destination p;
	struct loaded l;
	struct kit k;
	int64_t row;

	(void)state;
	kit_open(&k);
	row = kit_destination(&k, "http://a", true);
	p = (struct store_put_destination){ .d = { .row = row,
						   .id = kit_id(&k),
						   .name = STR("b"),
						   .secret = STR("new"),
						   .secret_previous = STR("old"),
						   .include_raw = true,
						   .removed = true,
						   .state = "disabled" } };
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_DESTINATION), GW_OK);
	CHECK_INT("row", row, p.d.row);
	p.d.state = "asleep";
	CHECK_INT("no such word", GW_EPARSE, kit_run(&k, &p.req, STORE_PUT_DESTINATION));
	load(&k, &l);
	CHECK_STR("loaded", "destination b new old disabled raw removed;", str_from(l.text));
	kit_close(&k);
}

/* Open messages in the order of acceptance, with what resolves them; closed ones are left out. */
static void open_messages(void **state)
{
	static const char *const to[] = { "1", "2", "3", "4" };
	struct store_add_message m[4];
	struct store_event_in ev;
	struct loaded l;
	struct kit k;

	(void)state;
	kit_open(&k);
	ev = kit_text(&k, "1", "wamid.in");
	kit_put(&k, &ev, 1);
	for (size_t i = 0; i < 4; i++)
		m[i] = kit_accept(&k, to[i]);
	kit_move(&k, m[1].row, "queued", "rejected", NULL);
	kit_move(&k, m[2].row, "queued", "sending", NULL);
	kit_move(&k, m[2].row, "sending", "unknown", NULL);
	ev = kit_status(&k, "3", "wamid.C", "sent");
	ev.has_token = true;
	ev.token_id = m[2].id;
	kit_put(&k, &ev, 1);
	kit_restart(&k);
	load(&k, &l);
	CHECK_STR("loaded",
		  "message 1 queued window=1 evidence=;message 3 unknown window=0 evidence=wamid.C;"
		  "message 4 queued window=0 evidence=;sent 3 0 s ago;",
		  str_from(l.text));
	kit_close(&k);
}

/* Open deliveries in the order of events; those of removed destinations are left out. */
static void open_deliveries(void **state)
{
	struct store_put_destination p;
	struct loaded l;
	int64_t d[3];
	struct kit k;

	(void)state;
	kit_open(&k);
	for (size_t i = 0; i < 3; i++)
		d[i] = kit_destination(&k, kit_str(&k, "%zu", i).ptr, true);
	for (int i = 0; i < 3; i++) {
		struct store_event_in ev = kit_text(&k, "1", kit_str(&k, "%d", i).ptr);

		memcpy(ev.destinations, d, sizeof(d));
		ev.destination_count = 3;
		kit_put(&k, &ev, 1);
		if (i == 1) {
			struct store_delivery_move m = { .event_row = ev.row,
							 .destination_row = d[0],
							 .from = "pending",
							 .to = "delivered" };

			assert_int_equal(kit_run(&k, &m.req, STORE_DELIVERY_MOVE), GW_OK);
		}
	}
	p = (struct store_put_destination){
		.d = { .row = d[2], .id = kit_id(&k), .removed = true, .state = "active" }
	};
	assert_int_equal(kit_run(&k, &p.req, STORE_PUT_DESTINATION), GW_OK);
	load(&k, &l);
	assert_non_null(strstr(l.text,
			       ";delivery 1>1 pending;delivery 1>2 pending;delivery 2>2 pending;"
			       "delivery 3>1 pending;delivery 3>2 pending;"));
	kit_close(&k);
}

/* The last ten minutes of sends, oldest first, however long the trail. */
static void recent_sends(void **state)
{
	struct loaded l;
	struct kit k;

	(void)state;
	kit_open(&k);
	for (int i = 0; i < 20; i++) { /* from 950 s ago to now, one every 50 s */
		struct store_add_message m = kit_accept(&k, kit_str(&k, "%d", i).ptr);
		struct store_move v = kit_move_of(&k, m.row, "queued", "sending");

		v.at_ms = KIT_WALL_MS - (19 - i) * 50000;
		assert_int_equal(kit_run(&k, &v.req, STORE_MOVE), GW_OK);
		v = kit_move_of(&k, m.row, "sending", "rejected");
		v.at_ms = KIT_WALL_MS - (19 - i) * 50000;
		assert_int_equal(kit_run(&k, &v.req, STORE_MOVE), GW_OK);
	}
	load(&k, &l);
	assert_int_equal(strncmp(l.text, "sent 7 600 s ago;sent 8 550 s ago;", 34), 0);
	assert_non_null(strstr(l.text, "sent 19 0 s ago;"));
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(accounts_and_numbers),
		cmocka_unit_test(secrets_have_a_ceiling),
		cmocka_unit_test(keys),
		cmocka_unit_test(destinations),
		cmocka_unit_test(open_messages),
		cmocka_unit_test(open_deliveries),
		cmocka_unit_test(recent_sends),
	};

	return cmocka_run_group_tests_name("store_tables", tests, NULL, NULL);
}
