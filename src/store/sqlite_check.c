/* SPDX-License-Identifier: MIT */
/*
 * sqlite_check.c - is the database whole, and does it hold what the store promises?
 *
 * PRAGMA integrity_check knows pages, indexes and NOT NULL (on a read-only connection it leaves
 * CHECK out); the rest is one query per invariant, each of which must return nothing.  A check may
 * take longer than a job: it is asked for by a person or a test.
 * THREADS  the reader's
 * TESTS    tests/unit/test_store_check.c, and the end of every other test of the store
 */
#include "store/sqlite_int.h"

#include "store/words.h"

#define FINDINGS_MAX 20 /* of one query; the first ones tell */
#define SQL_MAX 2048
#define SWEEP_SLACK_MS (INT64_C(2) * 3600 * 1000) /* the sweep is hourly */

/* The first column of each row says where; ?1 is the arrival (ms) from which keys must be there. */
static const struct {
	const char *name, *sql;
} invariants[] = {
	{ "seq is not dense in conversation",
	  "SELECT conversation FROM event WHERE conversation IS NOT NULL AND seq IS NOT NULL GROUP "
	  "BY conversation HAVING max(seq)-min(seq)+1!=count(*) OR count(DISTINCT seq)!=count(*)" },
	{ "seq does not grow with rows in conversation",
	  "SELECT DISTINCT conversation FROM (SELECT conversation,seq,lag(seq) OVER (PARTITION BY "
	  "conversation ORDER BY row) AS before FROM event WHERE conversation IS NOT NULL AND "
	  "seq IS NOT NULL) WHERE seq<=before" },
	{ "no body for event", "SELECT row FROM event WHERE body NOT IN (SELECT row FROM body)" },
	{ "no event in body", "SELECT row FROM body WHERE quarantined=0 AND row NOT IN "
			      "(SELECT body FROM event)" },
	{ "no contact for event", "SELECT row FROM event WHERE contact IS NOT NULL AND contact NOT "
				  "IN (SELECT row FROM contact)" },
	{ "no conversation for event",
	  "SELECT row FROM event WHERE conversation IS NOT NULL AND conversation NOT IN "
	  "(SELECT row FROM conversation)" },
	{ "no contact for conversation",
	  "SELECT row FROM conversation WHERE contact!=0 AND contact "
	  "NOT IN (SELECT row FROM contact)" },
	{ "an alias points to a contact that is gone or merged",
	  "SELECT alias FROM contact_alias WHERE contact NOT IN "
	  "(SELECT row FROM contact WHERE merged_into IS NULL)" },
	{ "a contact is merged into one that is merged",
	  "SELECT row FROM contact WHERE merged_into IS NOT NULL AND merged_into NOT IN "
	  "(SELECT row FROM contact WHERE merged_into IS NULL)" },
	{ "no contact for a record of consent",
	  "SELECT row FROM consent WHERE contact NOT IN (SELECT row FROM contact)" },
	{ "no dedupe key for event",
	  "SELECT row FROM event WHERE received_ms>=?1 AND row<=(SELECT event FROM dedupe_mark) "
	  "AND row NOT IN (SELECT event FROM dedupe)" },
	{ "no dedupe key in event",
	  "SELECT row FROM event WHERE (dedupe_hash IS NULL OR length(dedupe_hash)!=16) AND "
	  "row>(SELECT event FROM dedupe_mark)" },
	{ "another event's dedupe key names event",
	  "SELECT e.row FROM dedupe d JOIN event e ON e.row=d.event WHERE e.dedupe_hash IS NOT "
	  "NULL AND (d.second!=e.dedupe_s OR d.hash!=e.dedupe_hash)" },
	{ "two events have the dedupe key of event",
	  "SELECT min(row) FROM event WHERE received_ms>=?1 AND dedupe_hash IS NOT NULL GROUP BY "
	  "dedupe_s,dedupe_hash HAVING count(*)>1" },
	{ "two dedupe keys for event",
	  "SELECT event FROM dedupe GROUP BY event HAVING count(*)>1" },
	{ "no event for open delivery",
	  "SELECT row>>16 FROM delivery WHERE @DELIVERY_OPEN@ AND row>>16 NOT IN "
	  "(SELECT row FROM event)" },
	{ "no destination for open delivery of event",
	  "SELECT row>>16 FROM delivery WHERE @DELIVERY_OPEN@ AND destination NOT IN "
	  "(SELECT row FROM destination)" },
	{ "delivery and event disagree about the lane",
	  "SELECT e.row FROM delivery d JOIN event e ON e.row=d.row>>16 WHERE d.lane!=e.lane" },
	{ "no event for evidence of",
	  "SELECT wamid FROM evidence WHERE event NOT IN (SELECT row FROM event)" },
	{ "no message for evidence of", "SELECT wamid FROM evidence WHERE message IS NOT NULL AND "
					"message NOT IN (SELECT row FROM message)" },
	{ "two messages have wamid",
	  "SELECT wamid FROM message WHERE wamid IS NOT NULL GROUP BY wamid HAVING count(*)>1" },
	{ "no message for idempotency key",
	  "SELECT hex(key) FROM idempotency WHERE message NOT IN (SELECT row FROM message)" },
	{ "no message for trail", "SELECT row FROM trail WHERE message NOT IN "
				  "(SELECT row FROM message)" },
	{ "state and trail disagree for message",
	  "SELECT m.row FROM message m JOIN trail t ON t.row=(SELECT max(row) FROM trail WHERE "
	  "message=m.row) WHERE t.to_state!=m.state" },
	{ "a move does not begin where the last one ended, message",
	  "SELECT DISTINCT message FROM (SELECT message,from_state,lag(to_state) OVER "
	  "(PARTITION BY message ORDER BY row) AS before FROM trail) WHERE from_state!=before" },
	{ "an unknown state of message", "SELECT row FROM message WHERE NOT @OUTQ_KNOWN@" },
	{ "an unknown state in the deliveries of event",
	  "SELECT row>>16 FROM delivery WHERE NOT @DELIVERY_KNOWN@" },
	{ "no message for fallback template of",
	  "SELECT message FROM fallback WHERE message NOT IN (SELECT row FROM message)" },
	{ "a plan that its message lacks: fallback of",
	  "SELECT f.message FROM fallback f JOIN message m ON m.row=f.message WHERE (m.plan&2)=0" },
	{ "no fallback template for message",
	  "SELECT row FROM message WHERE (plan&2)!=0 AND row NOT IN "
	  "(SELECT message FROM fallback)" },
	{ "no message that follows another", "SELECT message FROM follow WHERE message NOT IN "
					     "(SELECT row FROM message)" },
	{ "no account for number",
	  "SELECT number_id FROM number WHERE account NOT IN (SELECT row FROM account)" },
};

typedef void (*finding_fn)(void *cookie, const char *text);

static gw_status run_check(struct store_reader *r, const char *name, const char *sql,
			   int64_t since_ms, finding_fn finding, void *cookie)
{
	sqlite3_stmt *st = NULL;
	gw_status status = GW_OK;
	struct buf text, found;
	struct str where;
	bool row = true;

	buf_init(&text, SQL_MAX);
	buf_init(&found, SQL_MAX);
	words_expand(str_from(sql), &text);
	ASSERT(!buf_failed(&text));
	if (sqlite3_prepare_v2(r->sql.db, text.data, -1, &st, NULL) != SQLITE_OK)
		status = sql_failed(&r->sql);
	else if (sqlite3_bind_parameter_count(st) > 0)
		bind_i64(&(struct bind){ st, 0 }, since_ms);
	for (int i = 0; status == GW_OK && row && i < FINDINGS_MAX; i++) {
		struct cols c = { st, 0 };

		status = sql_step(&r->sql, st, &row);
		if (status != GW_OK || !row)
			break;
		buf_reset(&found);
		/* A number as its digits: SQLite turns the column into text. */
		(void)sqlite3_column_text(st, 0);
		where = str_slice(col_str(&c), 0, 256);
		buf_put_fmt(&found, "%s %.*s", name, STR_ARG(where));
		if (!str_eq(buf_str(&found), STR("integrity: ok")))
			finding(cookie, buf_str(&found).ptr);
	}
	(void)sqlite3_finalize(st); /* repeats the error of the step */
	buf_release(&text);
	buf_release(&found);
	return status;
}

gw_status reader_check_pages(struct store_reader *r, finding_fn finding, void *cookie)
{
	r->deadline_ns = INT64_MAX;
	return run_check(r, "integrity:", "PRAGMA integrity_check", 0, finding, cookie);
}

gw_status reader_check(struct store_reader *r, finding_fn finding, void *cookie)
{
	int64_t now_ms = clock_wall_ms(r->store->o.clock);
	int64_t since_ms = now_ms - DEDUPE_S * 1000 + SWEEP_SLACK_MS;
	gw_status status;

	r->deadline_ns = INT64_MAX;
	status = run_check(r, "integrity:", "PRAGMA integrity_check", since_ms, finding, cookie);
	for (size_t i = 0; i < ARRAY_LEN(invariants) && status == GW_OK; i++)
		status = run_check(r, invariants[i].name, invariants[i].sql, since_ms, finding,
				   cookie);
	return status;
}
