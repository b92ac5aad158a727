/* SPDX-License-Identifier: MIT */
/* test_store_consent.c - the record of consent is only added to, and what holds follows from it */
#include "store_kit.h"

#include "store/sqlite_int.h"

#define IN STORE_CONSENT_IN
#define OUT STORE_CONSENT_OUT

static void free_keys(struct store_event_in *ev)
{
	if (ev->consent_keys.len > 0)
		free((void *)(uintptr_t)ev->consent_keys.ptr);
	ev->consent_keys = STR_EMPTY;
}

static struct store_event_in decision(struct kit *k, const char *phone, enum store_consent what,
				      const char *source)
{
	static unsigned count;
	struct store_event_in ev = kit_text(k, phone, "");

	ev.type = "consent.changed";
	ev.kind = "";
	ev.has_seq = ev.opens_window = false;
	ev.consent = what;
	ev.consent_source = source;
	kit_hash(&ev, kit_str(k, "decision %u", ++count));
	return ev;
}

static enum store_consent decide(struct kit *k, const char *phone, enum store_consent what,
				 const char *source)
{
	struct store_event_in ev = decision(k, phone, what, source);

	kit_put(k, &ev, 1);
	free_keys(&ev);
	return ev.consent_now;
}

/* Would marketing be refused: as a new message learns it. */
static bool is_out(struct kit *k, const char *to)
{
	return kit_accept(k, to).opted_out;
}

static const struct step {
	const char *name;
	enum store_consent what;
	const char *source;
	int late_s; /* decided so long before it comes */
	enum store_consent after;
} steps[] = {
	{ "an import counts while there is nothing else", IN, "import", 0, IN },
	{ "an imported optout counts", OUT, "import", 0, OUT },
	{ "an import undoes none", IN, "import", 0, OUT },
	{ "the API does", IN, "api", 0, IN },
	{ "STOP", OUT, "word", 0, OUT },
	{ "an import does not undo STOP", IN, "import", 0, OUT },
	{ "START", IN, "word", 0, IN },
	{ "a STOP from before it comes late", OUT, "word", 60, IN },
	{ "Meta's own", OUT, "meta_preference", 0, OUT },
	{ "by hand", IN, "cli", 0, IN },
};

static void the_latest_decision_holds(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	assert_false(is_out(&k, "49151"));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct store_event_in ev = decision(&k, "49151", steps[i].what, steps[i].source);

		ev.at_s -= steps[i].late_s;
		kit_put(&k, &ev, 1);
		CHECK_INT(steps[i].name, steps[i].after, ev.consent_now);
		free_keys(&ev);
		CHECK_INT(steps[i].name, steps[i].after == OUT, is_out(&k, "49151"));
		assert_false(is_out(&k, "49152"));
		clock_advance(&k.clock, 10 * NS_PER_S);
	}
	kit_close(&k);
}

/* One decision, however often Meta brings it, and with it no record of another's. */
static void a_repetition_is_no_decision(void **state)
{
	struct kit k;
	struct store_event_in ev;

	(void)state;
	kit_open(&k);
	ev = decision(&k, "49151", OUT, "word");
	kit_put(&k, &ev, 1);
	free_keys(&ev);
	clock_advance(&k.clock, 10 * NS_PER_S);
	assert_int_equal(decide(&k, "49151", IN, "word"), IN);
	kit_put(&k, &ev, 1);
	assert_true(ev.duplicate);
	assert_int_equal(ev.consent_now, STORE_CONSENT_NONE);
	assert_false(is_out(&k, "49151"));
	kit_close(&k);
}

struct record {
	char text[512]; /* "optout/word optin/api " */
	enum store_consent consent;
};

static bool consent_row(void *cookie, const struct store_consent_row *c)
{
	struct record *r = cookie;
	size_t at = strlen(r->text);

	(void)snprintf(r->text + at, sizeof(r->text) - at, "%.*s/%.*s ", STR_ARG(c->what),
		       STR_ARG(c->source));
	return true;
}

struct asked {
	struct store_reader *reader;
	const char *key;
	struct record record;
};

static bool contact_row(void *cookie, const struct store_contact_row *c)
{
	struct asked *a = cookie;

	a->record.consent = c->consent;
	assert_int_equal(reader_consents(a->reader, c->row, consent_row, &a->record), GW_OK);
	return true;
}

static void read_record(struct store_reader *r, void *cookie)
{
	struct asked *a = cookie;

	a->reader = r;
	assert_int_equal(reader_contact(r, NULL, str_from(a->key), STR_EMPTY, contact_row, a),
			 GW_OK);
}

static struct record record_of(struct kit *k, const char *key)
{
	struct asked a = { .key = key };

	kit_read(k, read_record, &a);
	return a.record;
}

static void it_survives_a_restart(void **state)
{
	struct kit k;

	(void)state;
	kit_open(&k);
	(void)decide(&k, "49151", IN, "api");
	clock_advance(&k.clock, NS_PER_S);
	(void)decide(&k, "49151", OUT, "word");
	kit_restart(&k);
	assert_true(is_out(&k, "49151"));
	CHECK_STR("record", "optin/api optout/word ", str_from(record_of(&k, "49151").text));
	kit_close(&k);
}

/* Two who turn out to be one: what one decided holds for both, and all names are told. */
static void of_merged_contacts(void **state)
{
	struct kit k;
	struct store_event_in ev;
	size_t at;

	(void)state;
	kit_open(&k);
	ev = kit_text(&k, "", "wamid.1");
	ev.phone = STR_EMPTY;
	ev.user_id = STR("DE.77");
	kit_put(&k, &ev, 1);
	assert_int_equal(decide(&k, "49151", OUT, "word"), OUT);
	ev = kit_text(&k, "49151", "wamid.2");
	ev.user_id = STR("DE.77");
	kit_put(&k, &ev, 1);
	assert_int_equal(ev.consent_now, OUT);
	assert_true(str_find(ev.consent_keys, STR("DE.77\n"), &at));
	assert_true(str_find(ev.consent_keys, STR("49151\n"), &at));
	free_keys(&ev);
	assert_true(is_out(&k, "DE.77"));
	assert_true(is_out(&k, "49151"));
	CHECK_STR("record", "optout/word ", str_from(record_of(&k, "DE.77").text));
	ev = kit_text(&k, "49151", "wamid.3");
	ev.user_id = STR("DE.77");
	kit_put(&k, &ev, 1);
	assert_int_equal(ev.consent_now, STORE_CONSENT_NONE); /* nothing new */
	kit_close(&k);
}

static bool is_refused(sqlite3 *db, const char *sql)
{
	return (sqlite3_exec(db, sql, NULL, NULL, NULL) & 0xff) == SQLITE_CONSTRAINT;
}

/* Whoever has the file open for writing cannot change the record either. */
static void the_record_is_only_added_to(void **state)
{
	char path[KIT_PATH];
	sqlite3 *db = NULL;
	struct kit k;

	(void)state;
	kit_open(&k);
	(void)decide(&k, "49151", OUT, "word");
	kit_shut(&k);
	kit_path(&k, "godwit.db", path);
	assert_int_equal(connection_open(path, true, &db, NULL), GW_OK);
	assert_true(is_refused(db, "UPDATE consent SET what='optin'"));
	assert_true(is_refused(db, "DELETE FROM consent"));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kit_reopen(&k);
	assert_int_equal(record_of(&k, "49151").consent, OUT);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_decision_holds),
		cmocka_unit_test(a_repetition_is_no_decision),
		cmocka_unit_test(it_survives_a_restart),
		cmocka_unit_test(of_merged_contacts),
		cmocka_unit_test(the_record_is_only_added_to),
	};

	return cmocka_run_group_tests_name("store_consent", tests, NULL, NULL);
}
