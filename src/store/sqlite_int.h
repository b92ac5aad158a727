/* SPDX-License-Identifier: MIT */
/*
 * sqlite_int.h - what the files of the SQLite back end share
 *
 *   sqlite_open.c     lock, connections, pragmas, migrate, threads; close
 *   sqlite_commit.c   the store thread: gather, one transaction a group, completions
 *   sqlite_inbox.c    a body and its events      sqlite_contact.c   who it is from
 *   sqlite_dedupe.c   was it here before?        sqlite_consent.c   who wants marketing
 *   sqlite_outbox.c   messages and their moves   sqlite_delivery.c  deliveries and replays
 *   sqlite_tables.c   the small tables           sqlite_sweep.c     housekeeping, backup steps
 *   sqlite_backup.c   copies                     sqlite_load.c      what a start needs
 *   sqlite_reader.c   reader threads, jobs       sqlite_query*.c    reader_*()
 *   sqlite_retain.c   old events and messages    sqlite_check.c    the invariants
 *   sqlite_batch.c    lists and their rows
 *   sqlite_file.c     check and restore of what no gateway has
 *   sqlite_template.c what is known of templates
 *   sqlite_follow.c   messages made because another one could not be delivered
 */
#ifndef STORE_SQLITE_INT_H
#define STORE_SQLITE_INT_H

#include "store/sqlite_cache.h"
#include "store/sqlite_dedupe.h"
#include "store/sqlite_secret.h"
#include "store/sqlite_sql.h"
#include "store/store.h"

#include "base/buf.h"
#include "base/rnd.h"

#include <pthread.h>
#include <stdatomic.h>

#define DESTINATION_ROW_MAX 65535 /* 16 bits of a delivery's key (schema/001_init.sql) */
#define DEDUPE_S (INT64_C(9) * 86400) /* Meta repeats for 7 days (design.md 6.4) */
#define IDEMPOTENCY_MS (INT64_C(7) * 86400 * 1000) /* design.md 5.4 */
#define LAZY_NS (100 * NS_PER_MS) /* store.h: lazy requests */
#define LAG_WINDOW_NS (50 * NS_PER_MS) /* design.md 6.7 */
#define READ_NS (200 * NS_PER_MS) /* design.md 10 */
#define WAL_LIMIT_BYTES (INT64_C(64) << 20) /* design.md 10 */
#define GROUP_BYTES ((size_t)8 << 20) /* bodies in one commit; keeps the WAL's steps small */

/* The store thread's view of the database. */
struct writer {
	struct sql sql;
	const struct clock *clock;
	struct rnd rnd;
	struct keyring keys; /* written before any thread starts */
	struct id_maker ids;
	struct cache *aliases; /* alias -> contact row */
	struct cache *contacts; /* row -> id, names */
	struct cache *conversations; /* contact, number, group -> row, id, last seq */
	struct dedupe *dedupe;
	int64_t next_event, next_body; /* rows to give next */
};

/* A sweep walks one table in steps; see sqlite_sweep.c. */
struct sweep {
	int64_t next_ns; /* when to run a step again */
	int phase; /* 0: idle until the next hour */
	int64_t second; /* dedupe: where the walk stands */
	unsigned char hash[16];
	int64_t cutoff_s, cutoff_event, settle_event;
	int64_t event, message; /* retention: where its walks stand */
	unsigned rounds; /* sweeps begun */
	bool clock_seen; /* the next is of an earlier step */
	int64_t lead_ms; /* wall before mono */
	int64_t steady_ns; /* mono from which on the wall clock is believed again */
};

struct backup;

struct reqs { /* a queue of requests, oldest first */
	struct store_req *first, **last;
	size_t count;
};

struct job_queue {
	struct store_job *first, **last;
};

struct store_reader {
	struct store *store;
	struct sql sql;
	pthread_t thread;
	bool started;
	struct mailbox *box;
	int64_t deadline_ns; /* of the job that runs; INT64_MAX: none */
	bool closing, leave; /* the reader thread's, by mail */
	struct mail idle_mail, closing_mail, leave_mail;
	bool idle; /* the loop's */
	/* the body last read, for the siblings that follow it */
	int64_t body_row;
	struct str body, signature;
};

struct store {
	struct store_options o;
	char *dir, *path;
	int lock_fd;
	unsigned char token_key[32];
	_Atomic int64_t wal_limit; /* WAL_LIMIT_BYTES; tests lower it while it runs */

	/* any thread */
	atomic_bool lagging;
	_Atomic int64_t uncommitted_bytes, oldest_ns, commits, requests, commit_us_last,
		commit_us_max, commit_us_mean, wal_bytes, disk_free, swept;
	atomic_bool readers_wait; /* jobs are held back until a checkpoint */
	atomic_bool wal_mail_out; /* wal_mail is in the home mailbox */
	struct mail wal_mail;

	/* the store thread's */
	struct writer w;
	struct mailbox *box;
	pthread_t thread;
	bool started, closing;
	struct reqs pending;
	size_t lazy; /* of pending */
	size_t last_group;
	struct reqs backups; /* asked for, not begun */
	struct backup *backup; /* under way */
	struct sweep sweep;
	int64_t next_look_ns; /* at the disk */
	int64_t next_checkpoint_ns; /* when one did not get through */
	struct mail close_mail;

	/* the loop's */
	struct store_reader *readers;
	struct job_queue jobs; /* wait for a reader */
	bool is_closed;
	struct mail free_mail;
};

/* One log line, exit 74. */
_Noreturn void store_die(const struct log *log, const char *what, const char *why);

/* ---- sqlite_open.c */
gw_status private_file(const char *path, struct gw_error *err); /* make it, mode 0600 */
gw_status connection_open(const char *path, bool writes, sqlite3 **out, struct gw_error *err);

/* ---- sqlite_commit.c */
void *commit_thread(void *store);
void reqs_init(struct reqs *q);
void reqs_add(struct reqs *q, struct store_req *req);
struct store_req *reqs_take(struct reqs *q); /* NULL: empty */
void commit_forget(struct writer *w); /* cached rows, after a rollback */
/* Hand a chain (req->next) back to the loop. */
void commit_give_back(struct store *s, struct store_req *chain);

/* ---- one function per request: run inside the group's transaction, may be run again after a
 * rollback, set all outputs */
gw_status outbox_add(struct writer *w, struct store_req *req);
gw_status outbox_move(struct writer *w, struct store_req *req);
void outbox_forget(struct store_req *req); /* outputs of a move, after a rollback */
gw_status inbox_add(struct writer *w, struct store_req *req);
void inbox_forget(struct store_req *req); /* outputs, after a rollback */
/* Mark the items that do not fit; the caller rolls back what it wrote. */
void inbox_blame(struct writer *w, struct store_req *req);
gw_status delivery_move(struct writer *w, struct store_req *req);
gw_status delivery_replay(struct writer *w, struct store_req *req);
gw_status tables_put_destination(struct writer *w, struct store_req *req);
gw_status tables_put_key(struct writer *w, struct store_req *req);
gw_status tables_put_account(struct writer *w, struct store_req *req);
gw_status tables_put_number(struct writer *w, struct store_req *req);
gw_status tables_put_number_fact(struct writer *w, struct store_req *req);
gw_status tables_put_templates(struct writer *w, struct store_req *req);
gw_status batch_put(struct writer *w, struct store_req *req);
gw_status batch_add_rows(struct writer *w, struct store_req *req);
gw_status batch_move(struct writer *w, struct store_req *req);

/* ---- sqlite_contact.c */
#define ALIAS_MAX 256 /* "uw:" + GW_USER_ID_MAX, with room */
struct who {
	int64_t contact; /* 0: none */
	struct id contact_id;
	int64_t conversation; /* 0: none */
	struct id conversation_id;
	bool renamed; /* a contact that was known got one more name */
};
gw_status contact_resolve(struct writer *w, const struct store_event_in *ev, int64_t now_ms,
			  struct who *out);
/* The next seq of the conversation that contact_resolve() found. */
gw_status contact_next_seq(struct writer *w, const struct store_event_in *ev, const struct who *who,
			   int64_t *out);
/* When any of keys (phones or user ids) last opened the window of a number (0: no record), and
 * whether she wants no marketing. */
gw_status contact_window(struct sql *q, struct str number_id, const struct str *keys, size_t count,
			 int64_t *out_ms, bool *out_opted_out);
/* The contact of the first of keys that is known; 0: none. */
gw_status contact_find(struct sql *q, const struct str *keys, size_t count, int64_t *out);
/* The same of one conversation and of those that were merged into it. */
gw_status conversation_window(struct sql *q, int64_t conversation, int64_t *out_ms);

/* ---- sqlite_follow.c */
gw_status fallback_add(struct writer *w, const struct store_add_message *a);
/* The fallback template of origin goes; *out as it was: it has gone, or need not go. */
gw_status follow_template(struct writer *w, int64_t origin, int64_t now_ms,
			  struct store_followed **out);
/* A status that says that the window is shut: what was planned for that, in ev->followed. */
gw_status follow_status(struct writer *w, const struct store_put_body *p,
			struct store_event_in *ev);

/* ---- sqlite_template.c */
gw_status template_put(struct writer *w, const struct store_template *t);
/* A status of a message of ours names the price of its template. */
gw_status template_priced(struct writer *w, struct store_event_in *ev, struct str name,
			  struct str language);

/* ---- sqlite_consent.c */
/* The decision of an event, and what holds after it. */
gw_status consent_note(struct writer *w, const struct store_put_body *p, struct store_event_in *ev,
		       int64_t contact);
/* What holds, and since when. */
gw_status consent_of(struct sql *q, int64_t contact, enum store_consent *out, int64_t *out_ms);

/* ---- sqlite_batch.c */
/* Is this row of a list a message already? */
gw_status batch_is_taken(struct writer *w, int64_t line, bool *out);
/* It is now. */
gw_status batch_mark(struct writer *w, int64_t line, int64_t message);
/* Its message was moved. */
gw_status batch_count_move(struct writer *w, const struct store_move *m);
/* A status of its message came for the first time. */
gw_status batch_count_status(struct writer *w, int64_t line, struct str status);
void batch_row_read(struct cols *c, struct store_batch *b); /* BATCH_COLUMNS */

/* ---- sqlite_inbox.c */
#define SPLICE_MAX 128 /* 9 spans of two varints of 5, a word of 24 and its length */
size_t splice_pack(const struct store_splice *splice, unsigned char out[SPLICE_MAX]);
bool splice_unpack(struct str bytes, struct store_splice *out);

/* ---- sqlite_sweep.c: housekeeping; each returns when it wants to run again (clock_real_ns) */
int64_t sweep_step(struct store *s, int64_t now_ns);
void sweep_id(int64_t before_ms, struct id *out); /* smaller than every id from then on */

/* ---- sqlite_retain.c: one step each; *out_more: not at the end */
gw_status retain_events(struct store *s, int64_t now_ms, bool *out_more);
gw_status retain_messages(struct store *s, int64_t now_ms, bool *out_more);

/* ---- sqlite_backup.c */
gw_status backup_whole(sqlite3 *db, const char *path, struct gw_error *err);
gw_status backup_sync_folder(const char *path, struct gw_error *err); /* of a file */
/* A few pages of the backup under way, or the next one's start; false: nothing to do. */
bool backup_step(struct store *s);

/* ---- sqlite_file.c: the rest of a restore that was interrupted, if there is one */
gw_status restore_finish(const char *dir, struct gw_error *err);

/* ---- sqlite_check.c: the pages alone, of any schema */
gw_status reader_check_pages(struct store_reader *r,
			     void (*finding)(void *cookie, const char *text), void *cookie);

/* ---- sqlite_reader.c */
gw_status reader_start(struct store *s, struct gw_error *err);
void reader_dispatch(struct store *s); /* the loop's thread: jobs to idle readers */
void reader_stop(struct store *s); /* run all jobs, join */
void reader_release(struct store *s);
bool reader_is_over(const struct store_reader *r); /* the job's time is up */
void reader_forget_body(struct store_reader *r);
/* One number of a query. */
gw_status reader_ask(struct store_reader *r, sqlite3_stmt *st, int64_t *out, bool *out_found);

/* ---- rows as reader and loader show them */
#define EVENT_COLUMNS                                                                        \
	"e.row,e.body,e.id,cv.id,c.id,m.id,e.stale,b.composed,e.type,e.kind,e.channel,"      \
	"e.account_id,e.address,e.business_id,e.external_id,c.user_id,c.phone,c.username,"   \
	"c.name,e.seq,e.state_version,e.at_s,e.received_ms,e.lane,e.json,m.opaque,e.splice," \
	"b.account,b.siblings"
#define EVENT_FILTER                                                                          \
	" AND e.received_ms>=?3 AND e.received_ms<=?4 AND (?5='' OR e.type=?5) AND "          \
	"(?6='' OR (e.type>=?6||'.' AND e.type<?6||'/')) AND (?7='' OR e.account_id=?7) AND " \
	"(?8='' OR instr(','||?8||',',','||e.account_id||','))"
/* Behind "event e": the order of the loops is as written. A status that came before we knew whose
 * it is finds its message by the wamid. */
#define EVENT_JOINS                                                                             \
	" CROSS JOIN body b ON b.row=e.body LEFT JOIN conversation cv ON cv.row=e.conversation" \
	" LEFT JOIN contact c0 ON c0.row=e.contact"                                             \
	" LEFT JOIN contact c ON c.row=coalesce(c0.merged_into,c0.row)"                         \
	" LEFT JOIN message m ON m.row=coalesce(e.message,iif(e.state_version IS NULL,NULL,"    \
	"(SELECT w.row FROM message w WHERE w.wamid=e.external_id LIMIT 1))) "
#define CONVERSATION_COLUMNS                                                              \
	"v.row,v.id,c.id,v.account_id,v.group_id,v.channel,c.user_id,c.phone,c.username," \
	"c.name,v.created_ms"
#define CONVERSATION_JOINS                          \
	" LEFT JOIN contact c0 ON c0.row=v.contact" \
	" LEFT JOIN contact c ON c.row=coalesce(c0.merged_into,c0.row) "
#define CONTACT_COLUMNS "c.row,c.id,c.user_id,c.phone,c.username,c.name,c.created_ms"
#define CONTACT_OF_NUMBERS                                                                   \
	"(?2='' OR EXISTS(SELECT 1 FROM conversation v INDEXED BY conversation_whose WHERE " \
	"v.contact=c.row AND instr(','||?2||',',','||v.account_id||',')))"
#define BATCH_COLUMNS                                                                          \
	"b.row,b.id,b.key_id,b.state,b.why,b.number_id,b.name,b.spec,b.created_ms,b.moved_ms," \
	"b.total,b.ready,b.refused,b.duplicates,b.fed,b.last,b.queued,b.sending,b.waiting,"    \
	"b.unknown,b.accepted,b.rejected,b.expired,b.was_sent,b.was_delivered,b.was_read,"     \
	"b.has_failed"
void message_read(struct cols *c, struct store_message_row *m); /* MESSAGE_COLUMNS */
void delivery_read(struct cols *c, struct store_delivery_row *d); /* event .. size */
#define MESSAGE_COLUMNS                                                                    \
	"m.row,m.id,m.key_id,m.number_id,m.recipient,m.lane,m.target,m.body,m.opaque,"     \
	"m.kind,m.state,m.reason,m.policy,m.wamid,m.answer,m.class,m.tries,m.attempts,"    \
	"m.created_ms,m.expires_ms,m.next_ms,m.moved_ms,m.http_status,m.code,m.subcode,"   \
	"coalesce((SELECT v.wamid FROM evidence v WHERE v.wamid=m.wamid LIMIT 1),"         \
	"(SELECT v.wamid FROM evidence v WHERE v.message IS NOT NULL AND v.message=m.row " \
	"LIMIT 1)),m.template_name,m.template_language,m.plan,"                            \
	"iif(m.plan>4,(SELECT f.origin FROM follow f WHERE f.message=m.row),0),"           \
	"m.campaign,(SELECT b.id FROM batch b WHERE b.row=m.campaign>>20)"

/* ---- vfs.c: the name of the file layer, registered at the first call (on one thread) */
const char *store_vfs(void);

#endif
