/* SPDX-License-Identifier: MIT */
/* test_store_check.c - every broken invariant is found, and says which */
#include "store_kit.h"

#include "store/sqlite_int.h"

#define ANN "16505551234"

/* A store with some of everything, closed. */
static void fill(struct kit *k)
{
	struct store_put_account account = { .a = { .name = STR("main") } };
	struct store_put_number number = { .n = { .number_id = STR("106"), .account_row = 1 } };
	struct store_add_message m;
	struct store_event_in ev[4];
	int64_t d;

	kit_open(k);
	assert_int_equal(kit_run(k, &account.req, STORE_PUT_ACCOUNT), GW_OK);
	assert_int_equal(kit_run(k, &number.req, STORE_PUT_NUMBER), GW_OK);
	d = kit_destination(k, "http://a", true);
	m = kit_message(k, ANN);
	m.has_idempotency = true;
	assert_int_equal(kit_run(k, &m.req, STORE_ADD_MESSAGE), GW_OK);
	kit_move(k, m.row, "queued", "sending", NULL);
	kit_move(k, m.row, "sending", "accepted", "wamid.A");
	kit_accept(k, ANN);
	ev[0] = kit_text(k, ANN, "1");
	ev[1] = kit_text(k, ANN, "2");
	ev[2] = kit_text(k, ANN, "3");
	ev[3] = kit_status(k, ANN, "wamid.A", "sent");
	for (size_t i = 0; i < 4; i++) {
		ev[i].destinations[0] = d;
		ev[i].destination_count = 1;
	}
	kit_put(k, ev, 4);
	kit_free_opaque(&ev[3]);
	CHECK_INT("whole", 0, kit_check(k).count);
	kit_shut(k);
}

static const struct {
	const char *sql, *want;
} cases[] = {
	{ "UPDATE event SET seq=9 WHERE seq=3", "seq is not dense in conversation 1" },
	{ "UPDATE event SET seq=4-seq WHERE seq IS NOT NULL",
	  "seq does not grow with rows in conversation 1" },
	{ "DELETE FROM body", "no body for event 1" },
	{ "DELETE FROM event WHERE row=4; DELETE FROM delivery; DELETE FROM evidence; "
	  "UPDATE event SET body=7; INSERT INTO body SELECT 7,received_ms,account,siblings,"
	  "quarantined,composed,NULL,NULL,signature,bytes FROM body",
	  "no event in body 1" },
	{ "UPDATE event SET contact=77 WHERE row=1", "no contact for event 1" },
	{ "UPDATE event SET conversation=77", "no conversation for event 1" },
	{ "UPDATE conversation SET contact=77", "no contact for conversation 1" },
	{ "UPDATE contact_alias SET contact=77", "an alias points to a contact that is gone" },
	{ "UPDATE contact SET merged_into=77", "an alias points to a contact that is gone" },
	{ "INSERT INTO contact VALUES(8,randomblob(16),0,9,'','','','','',NULL,0,NULL),"
	  "(9,randomblob(16),0,1,'','','','','',NULL,0,NULL)",
	  "a contact is merged into one that is merged 8" },
	{ "DELETE FROM dedupe WHERE event=2", "no dedupe key for event 2" },
	{ "UPDATE dedupe_mark SET event=1; UPDATE event SET dedupe_hash=x'00' WHERE row=2",
	  "no dedupe key in event 2" },
	{ "DELETE FROM dedupe; UPDATE dedupe_mark SET event=0; UPDATE event SET dedupe_s=(SELECT "
	  "dedupe_s FROM event WHERE row=1),dedupe_hash="
	  "(SELECT dedupe_hash FROM event WHERE row=1) WHERE row=2",
	  "two events have the dedupe key of event 1" },
	{ "UPDATE event SET dedupe_hash=NULL; INSERT INTO dedupe VALUES(1,randomblob(16),2)",
	  "two dedupe keys for event 2" },
	{ "UPDATE dedupe SET hash=randomblob(16) WHERE event=2",
	  "another event's dedupe key names event 2" },
	{ "UPDATE delivery SET row=(77<<16)+1 WHERE row=(1<<16)+1",
	  "no event for open delivery 77" },
	{ "DELETE FROM destination", "no destination for open delivery of event 1" },
	{ "UPDATE delivery SET lane=1", "delivery and event disagree about the lane 1" },
	{ "UPDATE evidence SET event=77", "no event for evidence of wamid.A" },
	{ "UPDATE evidence SET message=77", "no message for evidence of wamid.A" },
	{ "UPDATE message SET wamid='wamid.A'", "two messages have wamid wamid.A" },
	{ "DELETE FROM message WHERE row=1; DELETE FROM trail",
	  "no message for idempotency key 00" },
	{ "DELETE FROM message WHERE row=1; DELETE FROM idempotency", "no message for trail 1" },
	{ "UPDATE message SET state='rejected' WHERE row=1",
	  "state and trail disagree for message 1" },
	{ "UPDATE trail SET from_state='waiting' WHERE row=2",
	  "a move does not begin where the last one ended, message 1" },
	{ "DELETE FROM account", "no account for number 106" },
	{ "PRAGMA ignore_check_constraints=1; UPDATE delivery SET state='eaten' WHERE "
	  "row=(1<<16)+1",
	  "an unknown state in the deliveries of event 1" },
	{ "PRAGMA ignore_check_constraints=1; UPDATE message SET state='lost' WHERE row=2",
	  "an unknown state of message 2" },
	{ "PRAGMA writable_schema=1; UPDATE sqlite_schema SET rootpage=(SELECT rootpage FROM "
	  "sqlite_schema WHERE name='trail_message') WHERE name='evidence_message'",
	  "integrity: " },
};

static void each_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kit_findings f;
		char path[KIT_PATH];
		sqlite3 *db = NULL;
		struct kit k;

		fill(&k);
		kit_path(&k, "godwit.db", path);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		if (sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s: %s", cases[i].sql, sqlite3_errmsg(db));
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		kit_reopen(&k);
		f = kit_check(&k);
		if (f.count == 0 || strncmp(f.first, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("%s: want \"%s\", got \"%s\"", cases[i].sql, cases[i].want,
				 f.first);
		kit_shut(&k);
		kit_remove(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found),
	};

	return cmocka_run_group_tests_name("store_check", tests, NULL, NULL);
}
