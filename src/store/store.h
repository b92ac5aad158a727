/* SPDX-License-Identifier: MIT */
/*
 * store.h - the contract of everything durable, in the gateway's nouns
 *
 * The gateway's loop thread submits requests; the store thread commits them in
 * groups (one fdatasync for many) and hands each back through the loop's
 * mailbox.  A request that comes back with GW_OK is on disk.  Readers run
 * jobs on their own read-only connections.  A back end (sqlite_*.c) implements
 * this file and nothing else; row ids are its own and never leave the process.
 *
 * INVARIANTS
 *   1. req->done runs exactly once, on the loop thread, after COMMIT returned
 *      (or the request was refused); requests of one submitter come back in order.
 *   2. A state changes only by compare-and-set in store_move / store_delivery_move.
 *   3. The dedupe key of an event and the event are in one transaction.
 *   4. seq is dense per conversation over message events; nothing else has one.
 *   5. Evidence (wamid, status, recipient) is inserted once and never rewritten.
 *
 * FAILURE     One bad request rolls back alone (GW_EPARSE: it does not fit the schema); of a
 *             body each bad item is marked, so that its siblings can come again without it.
 *             An I/O error, a full disk inside COMMIT or a failed sync ends the
 *             process (exit 74 after one log line): nothing unsynced was acknowledged.
 * LIMITS      STORE_GROUP_MAX requests a commit; callers bound what they submit.
 * THREADS     All functions: the loop's thread, unless noted.  done(): the loop's thread.
 * TESTS       tests/unit/test_store*.c, tests/crash/test_kills.py
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/str.h"
#include "net/mailbox.h"
#include <godwit/error.h>

#define STORE_GROUP_MAX 1024 /* requests in one commit */
#define STORE_DESTINATIONS_MAX 64 /* destinations at once; 65535 ever */
#define STORE_SPANS 9 /* struct store_splice */

struct store;
struct store_followed;

struct store_options {
	const char *dir; /* data folder: godwit.db, godwit.lock, backup/ */
	struct mailbox *home; /* the loop's; completions go there */
	const struct clock *clock;
	const struct log *log;
	unsigned readers; /* read-only threads, 2 */
	/* how long what is settled is kept; 0: for ever; else longer than dedupe keys, nine days */
	int64_t retain_events_ms, retain_messages_ms;
	int64_t window_max_us; /* longest wait for more requests before a commit (adaptive) */
	/* of the key that seals secrets, and of the one before; NULL: DIR/secrets.key, and none */
	const char *key_file, *previous_key_file;
	size_t dedupe_run; /* keys kept in memory before they go to their table, 2^n; 0: 32768 */
};

/*
 * Lock, open, migrate (after a copy into backup/), start the threads.
 * GW_EBUSY: another process has the folder; GW_ESTATE: the schema is newer; GW_EAUTH: the secrets
 * are sealed with another key.
 */
GW_NODISCARD gw_status store_open(const struct store_options *o, struct store **out,
				  struct gw_error *err);
/* Commit what was submitted, checkpoint, join, free.  Completions are all delivered
 * (drain the home mailbox afterwards). */
void store_close(struct store *s);
/* 32 random bytes made once per store: the key of the token's MAC. */
const unsigned char *store_token_key(const struct store *s);

/* How loaded it is; any thread. */
struct store_load {
	int64_t uncommitted_bytes; /* weight of submitted, not yet committed requests */
	int64_t oldest_ns; /* clock_real_ns() of the oldest of them; 0: none */
	int64_t commits, requests; /* since start */
	int64_t commit_us_last, commit_us_max; /* BEGIN to COMMIT */
	int64_t commit_us_mean; /* of the last ones: an older one counts 7/8 of the next */
	int64_t wal_bytes;
	int64_t swept; /* rows that retention removed, since start */
	int64_t disk_free_bytes; /* looked at every second */
};
void store_load_now(const struct store *s, struct store_load *out);
/* The relay lags: the commit window may widen to 50 ms (design.md 6.7). */
void store_set_lagging(struct store *s, bool lagging);

/* ---- requests ---------------------------------------------------------- */

enum store_op {
	STORE_ADD_MESSAGE,
	STORE_MOVE,
	STORE_PUT_BODY,
	STORE_DELIVERY_MOVE,
	STORE_REPLAY,
	STORE_PUT_DESTINATION,
	STORE_PUT_KEY,
	STORE_PUT_ACCOUNT,
	STORE_PUT_NUMBER,
	STORE_PUT_NUMBER_FACT,
	STORE_PUT_TEMPLATES,
	STORE_PUT_BATCH,
	STORE_ADD_BATCH_ROWS,
	STORE_BATCH_MOVE,
	STORE_BACKUP,
	STORE_BARRIER, /* comes back after the next commit; changes nothing */
	STORE_NOPS,
};

/* First member of every request.  The submitter fills op, done, weight, lazy. */
struct store_req {
	struct mail mail;
	enum store_op op;
	void (*done)(struct store_req *req);
	size_t weight; /* bytes it keeps in memory until the commit */
	bool lazy; /* may ride on the next commit or wait 100 ms (delivered marks) */
	gw_status status; /* set before done() */
	struct store *store; /* this and the rest: the store's */
	struct store_req *next;
	int64_t submitted_ns;
};

/* Give a request; all it points to stays untouched until done(). */
void store_submit(struct store *s, struct store_req *req);

/* -- outbound: a message is accepted */

/* What becomes of a message whose window is shut (schema/004_plans.sql); a sum. */
enum store_plan { STORE_PLAN_PARK = 1, STORE_PLAN_TEMPLATE = 2, STORE_PLAN_FOLLOWS = 4 };

enum store_idem { STORE_IDEM_NONE, STORE_IDEM_NEW, STORE_IDEM_SAME, STORE_IDEM_DIFFERS };

struct store_add_message {
	struct store_req req;
	struct id id;
	struct str number_id; /* phone_number_id of the path */
	struct str to; /* recipient as it stands in the body; empty: unreadable */
	struct str lane; /* canonical recipient (conversation.h): the order's key */
	struct str target; /* request target as the caller wrote it: "/v25.0/123/messages" */
	struct str body; /* the caller's bytes, never rebuilt */
	struct str opaque; /* the caller's biz_opaque_callback_data; empty: none */
	struct str kind; /* "text", "template", ... for lists and metrics */
	struct str template_name, template_language;
	uint8_t class_; /* enum outq_class */
	const char *policy; /* "hold", "resend", "expire" */
	struct id key_id; /* API key; zeros: local socket */
	int64_t created_ms, expires_ms; /* wall clock */
	unsigned plan; /* STORE_PLAN_PARK, STORE_PLAN_TEMPLATE or both; 0: none */
	struct str fallback_name, fallback_language, fallback_body; /* with STORE_PLAN_TEMPLATE */
	uint8_t fallback_class;
	bool has_idempotency;
	unsigned char idempotency[32]; /* SHA-256 of key id, path and header */
	unsigned char fingerprint[32]; /* SHA-256 of the body */
	int64_t batch_line; /* STORE_LINE() of the row that it is; 0: of no batch */
	/* out */
	bool taken; /* that row is a message already: nothing was added */
	enum store_idem idem;
	int64_t row; /* of the new message, or of the earlier one (SAME) */
	struct id earlier; /* SAME: its id */
	int64_t window_ms; /* when this customer last opened the window; 0: no record */
	bool opted_out; /* she wants no marketing */
};

/* -- outbound: one move of one message (compare-and-set); also records the trail */

struct store_move {
	struct store_req req;
	int64_t row;
	const char *from, *to; /* words of outq_state.def */
	const char *reason; /* "backoff", "parked", "paused", or NULL */
	const char *why; /* one word or sentence for the trail */
	int64_t at_ms; /* wall clock */
	int64_t next_ms; /* wall clock; 0: none */
	uint32_t tries, attempts;
	/* what was learned, if anything; zero/empty keeps what the row has */
	int http_status, code, subcode;
	struct str wamid; /* recorded, indexed, adopts earlier evidence of it */
	struct str answer; /* Meta's body, or the refusal we composed */
	int64_t connect_ms, api_ms, paced_ms, waited_ms; /* the delay split; -1: unknown */
	bool unbind; /* its Idempotency-Key, if any, may be used again (design.md 5.4) */
	bool follow; /* its fallback template goes now, if it has not gone yet */
	int64_t batch_line; /* as at its acceptance: the batch counts the move */
	/* out */
	struct store_followed *followed; /* the message that was made of it; NULL: none */
	bool lost; /* the row was not in `from`: a bug or another node */
};

/* -- inbound: a body and its events, one atom */

/* Spans into the body, for render_meta (order fixed; len 0: absent). */
enum store_span {
	SPAN_ITEM,
	SPAN_ENTRY_ID,
	SPAN_ENTRY_TIME,
	SPAN_FIELD,
	SPAN_METADATA,
	SPAN_CONTACT,
	SPAN_OPAQUE, /* our token: it never leaves */
	SPAN_VALUE,
	SPAN_FOREIGN /* biz_opaque_callback_data that is not our token */
};
struct store_splice {
	uint32_t at[STORE_SPANS], len[STORE_SPANS];
	char list[24]; /* "messages", "statuses", ...; empty: the item is the value */
};

/* What somebody said of a template; empty: nothing (schema/005_template.sql). */
struct store_template {
	struct str business_id, name, language, category, state;
	int64_t updated_ms;
};

/* What a contact said about marketing messages. */
enum store_consent { STORE_CONSENT_NONE, STORE_CONSENT_IN, STORE_CONSENT_OUT };

enum store_lane_by { STORE_LANE_CONVERSATION, STORE_LANE_MESSAGE, STORE_LANE_ACCOUNT };

struct store_event_in {
	struct id id;
	const char *type; /* "message.received" */
	const char *kind; /* message kind or status word; "" */
	const char *channel;
	struct str account_id, address, business_id;
	struct str user_id, parent_user_id, phone, username, name, group_id;
	const struct str *aliases; /* other spellings of phone (one contact) */
	size_t alias_count;
	struct str external_id; /* wamid, mid; empty: none */
	int64_t at_s; /* Meta's stamp; 0: unknown */
	bool has_contact; /* resolve contact and conversation */
	bool has_seq; /* message events */
	bool opens_window; /* the customer did something: restarts the 24 hours */
	enum store_lane_by lane_by;
	unsigned char hash[16]; /* dedupe key with dedupe_s */
	int64_t dedupe_s; /* event second; undated: 0 */
	bool never_stale;
	struct str json; /* what the body says, normalized, one JSON object (members only
				 * that do not depend on the store; render_godwit.h) */
	struct store_splice splice;
	/* statuses */
	struct str status, recipient; /* empty: no status */
	struct str errors; /* raw JSON array; empty: none */
	int error_code;
	bool has_token;
	struct id token_id; /* message of the token, MAC already checked */
	uint32_t token_try;
	/* system messages: this contact is now known as */
	struct str new_phone, new_user_id;
	/* consent.changed: recorded with the event */
	enum store_consent consent; /* NONE: no decision */
	const char *consent_source; /* "word", "api", "cli", "meta_preference", "import" */
	struct str consent_note;
	struct id consent_key; /* API key; zeros: none */
	struct store_template *template_; /* template.changed: what it says; NULL: nothing.
					   * updated_ms 0: when it is received */
	const char *priced_as; /* statuses: category of the price, of our template; NULL: none */
	/* destinations that want it (rows), chosen by the loop */
	uint8_t destination_count;
	int64_t destinations[STORE_DESTINATIONS_MAX];
	/* out */
	bool refused; /* GW_EPARSE: this is one that did not fit; the others may come again */
	bool duplicate, stale; /* stale: no delivery where the destination's relay_stale is false */
	int64_t row;
	bool has_conversation;
	int64_t conversation_row;
	struct id conversation, contact;
	int64_t seq; /* 0: none */
	int64_t state_version; /* statuses: how many distinct ones this message has now */
	int64_t lane; /* key of its relay lane */
	int64_t message_row; /* ours that it belongs to; 0: none or unknown */
	int64_t batch_line; /* the row of a batch that this is; 0: none */
	struct id message;
	char message_state[16]; /* its state word in the store when evidence arrived */
	struct str opaque; /* the caller's value, restored; heap, free with the request */
	/* What holds now, where it may be new: a decision, or a name that joined the contact.
	 * NONE: nothing to tell.  keys: all names of the contact, a line each; heap, as opaque. */
	enum store_consent consent_now;
	struct str consent_keys;
	bool is_priced; /* the price taught a category; of this template, heap, as opaque */
	struct str priced_name, priced_language;
	struct store_followed *followed; /* messages made because of this status; heap, as opaque */
};

struct store_put_body {
	struct store_req req;
	struct str bytes; /* the raw body, or what we composed */
	struct str signature; /* header as received; empty: composed by us */
	struct str account; /* name of the account whose secret matched */
	int64_t received_ms;
	bool quarantined; /* signed, not JSON */
	bool composed; /* by us, in Meta's shape */
	struct store_event_in *events;
	size_t event_count;
	/* out */
	int64_t row; /* 0: nothing new in it, the body was not kept */
};

/* -- relay: one move of one delivery */

struct store_delivery_move {
	struct store_req req;
	int64_t event_row, destination_row;
	const char *from, *to; /* pending delivering waiting delivered dead */
	uint32_t attempts;
	int64_t at_ms, next_ms;
	int http_status;
	const char *why; /* NULL, or a short reason of the failure */
	/* out */
	bool lost;
};

/* Make a stored event pending again for one destination (or all of its own: row 0).  Deliveries
 * that are open stay as they are and do not count; GW_ENOTFOUND: no such event. */
struct store_replay {
	struct store_req req;
	struct id event;
	int64_t destination_row;
	/* out */
	int64_t event_row;
	uint32_t made; /* deliveries made pending */
};

/* -- small tables: the whole row is written; `remove` marks it removed */

struct store_destination {
	int64_t row; /* 0: new */
	struct id id;
	struct str name, url, format, filter; /* filter: JSON as the API takes it */
	struct str secret, secret_previous; /* raw bytes; stored sealed */
	int64_t previous_until_ms;
	bool include_raw, relay_stale, removed;
	const char *state; /* "active", "disabled" */
	int64_t created_ms;
};
struct store_put_destination {
	struct store_req req;
	struct store_destination d; /* out: row */
};

struct store_key {
	int64_t row;
	struct id id;
	struct str name, scopes, numbers; /* "send,read", "" = all numbers */
	unsigned char hash[32]; /* SHA-256 of the key's text */
	int64_t created_ms, revoked_ms;
};
struct store_put_key {
	struct store_req req;
	struct store_key k; /* out: row */
};

struct store_account {
	int64_t row;
	struct str name, app_id, app_secret, app_secret_previous, verify_token, token, base_url,
		version;
};
struct store_put_account {
	struct store_req req;
	struct store_account a; /* matched by name; out: row */
};

struct store_number {
	int64_t row;
	int64_t account_row;
	struct str number_id, business_id, address;
	uint32_t limit_mps; /* as configured; 0: what Meta says */
};
struct store_put_number {
	struct store_req req;
	struct store_number n; /* matched by number_id; out: row */
};

/* What Meta last said of a number (schema/008_number_fact.sql). */
struct store_number_fact {
	struct str number_id, status, quality, throughput, messaging_limit, name, address;
	bool on_app;
	int64_t read_ms;
};
struct store_put_number_fact {
	struct store_req req;
	struct store_number_fact f; /* replaces what was said before */
};

struct store_put_templates {
	struct store_req req;
	const struct store_template *templates;
	size_t count;
};

/* -- batches: lists of people to whom one message goes (schema/006_batch.sql) */

#define STORE_LINES_MAX 1000000 /* rows of one list */
#define STORE_LINE_BITS 20
#define STORE_LINE(batch_row, n) ((batch_row) << STORE_LINE_BITS | (int64_t)(n))
#define STORE_LINE_BATCH(line) ((line) >> STORE_LINE_BITS)
#define STORE_LINE_N(line) ((line) & ((INT64_C(1) << STORE_LINE_BITS) - 1))

struct store_put_batch { /* a new one, in checking */
	struct store_req req;
	struct id id, key_id;
	struct str number_id, name, spec;
	int64_t created_ms;
	/* out */
	int64_t row;
};

struct store_batch_item {
	uint32_t n; /* number in the list, from 1 */
	const char *finding; /* word of gateway/batch_finding.def; NULL: fit to be sent */
	struct str detail, phone, values;
};

/* The next rows of a list; its counts grow with them. */
struct store_add_batch_rows {
	struct store_req req;
	int64_t batch_row;
	const struct store_batch_item *items;
	size_t count;
	uint32_t ready, refused, duplicates; /* of them */
};

struct store_batch_move { /* compare-and-set, words of batch_state.def */
	struct store_req req;
	int64_t row;
	const char *from, *to;
	struct str why; /* empty: none */
	int64_t at_ms;
	/* out */
	bool lost;
};

/* Comes back when the copy is complete, so possibly after later requests. */
struct store_backup {
	struct store_req req;
	const char *path;
	struct gw_error error;
	_Atomic int64_t pages_done, pages_total; /* any thread may look; total 0: not begun */
};

/* ---- what a start needs (synchronous, before the loop runs) ------------- */

struct store_message_row {
	int64_t row;
	struct id id, key_id;
	struct str number_id, to, lane, target, body, opaque, kind;
	struct str state, reason, policy;
	struct str wamid, answer;
	uint8_t class_;
	uint32_t tries, attempts;
	int64_t created_ms, expires_ms, next_ms, moved_ms;
	int http_status, code, subcode;
	int64_t window_ms; /* as in store_add_message; at load only */
	bool opted_out;
	int64_t batch_line; /* the row of a batch that it is; 0: none */
	struct id batch; /* of which batch; zeros: none, or it has left */
	bool has_evidence; /* a status of it is stored (unknown that can be resolved) */
	struct str evidence_wamid;
	struct str template_name, template_language;
	unsigned plan; /* enum store_plan */
	int64_t again_of; /* row of the message that this one says again; 0: none */
};

/* A message that the store made (sqlite_follow.c), as a start would load it. */
struct store_followed {
	struct store_followed *next;
	struct store_message_row row;
	char text[];
};
void store_followed_free(struct store_followed *list); /* NULL allowed */

struct store_delivery_row {
	int64_t event_row, destination_row, lane;
	struct str state;
	uint32_t attempts;
	int64_t next_ms;
	size_t size; /* bytes of the event, for the lane's memory */
	uint32_t replays; /* how often it was made pending again */
};

struct store_batch {
	int64_t row;
	struct id id, key_id;
	struct str state, why, number_id, name, spec;
	int64_t created_ms, moved_ms;
	int64_t total, ready, refused, duplicates; /* rows, by what the check said */
	int64_t fed, last; /* handed to the outbox: how many, and the highest number */
	int64_t queued, sending, waiting, unknown, accepted, rejected, expired; /* of these */
	int64_t sent, delivered, read, failed; /* statuses of these */
};

/* Called once per row; strings are borrowed until the callback returns. */
struct store_loader {
	void *cookie;
	void (*account)(void *cookie, const struct store_account *a);
	void (*number)(void *cookie, const struct store_number *n);
	void (*number_fact)(void *cookie, const struct store_number_fact *f);
	void (*key)(void *cookie, const struct store_key *k);
	void (*destination)(void *cookie, const struct store_destination *d);
	void (*template_)(void *cookie, const struct store_template *t);
	void (*batch)(void *cookie, const struct store_batch *b); /* state not terminal */
	/* state not terminal, in the order of acceptance */
	void (*message)(void *cookie, const struct store_message_row *m);
	/* state not delivered and not dead, in the order of events */
	void (*delivery)(void *cookie, const struct store_delivery_row *d);
	/* what left or may have left in the last ten minutes, oldest first: rebuilds the pair
	 * pacer */
	void (*recent_send)(void *cookie, struct str number_id, struct str lane, int64_t at_ms);
};
GW_NODISCARD gw_status store_load_all(struct store *s, const struct store_loader *l,
				      struct gw_error *err);

/* The names of accounts and the ids of numbers in a folder, in the order of their rows.  Takes no
 * lock and migrates nothing: a gateway may have it.  GW_ENOTFOUND: there is no store.  Any
 * thread. */
struct store_names {
	void (*account)(void *cookie, struct str name);
	void (*number)(void *cookie, struct str id);
};
GW_NODISCARD gw_status store_peek(const char *dir, const struct store_names *to, void *cookie,
				  struct gw_error *err);

/* ---- reading ------------------------------------------------------------ */

struct store_reader;

/*
 * A job runs once on a reader thread, in one snapshot that holds every commit
 * whose completion was delivered before store_read() was called; then done()
 * on the loop's thread.  A job longer than 200 ms is interrupted: the reader
 * functions then return GW_ETIMEOUT.
 */
struct store_job {
	struct mail mail;
	void (*run)(struct store_job *job, struct store_reader *r); /* reader thread */
	void (*done)(struct store_job *job); /* loop thread */
	gw_status status; /* for run() to use */
	struct store_reader *reader; /* this and the rest: the store's */
	struct store_job *next;
};
void store_read(struct store *s, struct store_job *job);

/* Row callbacks return false to stop.  Strings are borrowed until it returns. */

struct store_event_row {
	int64_t row, body_row;
	struct id id, conversation, contact, message;
	bool has_conversation, has_contact, has_message, stale, composed;
	struct str type, kind, channel, account_id, address, business_id, external_id;
	struct str user_id, phone, username, name; /* of the contact, now */
	int64_t seq, state_version, at_s, received_ms, lane;
	struct str json, opaque;
	struct store_splice splice;
	struct str body, signature, account; /* the raw body it came in */
	uint32_t siblings; /* items of that body, this one and repeated ones included */
};
typedef bool (*store_event_fn)(void *cookie, const struct store_event_row *e);

struct store_event_filter {
	struct str type; /* exact or a prefix with ".*"; empty: all */
	struct str account_id; /* empty: all */
	struct str numbers; /* account ids with commas between them: no others; empty: all */
	struct id conversation; /* zeros: all; else what was said in it (events with a seq, or that
				 * opened the window): statuses are listed by their message */
	int64_t since_ms, until_ms; /* received; 0: open */
	struct id before; /* newest first, older than this one; zeros: from the newest */
	unsigned limit; /* at most 1000 */
	bool with_body; /* fill body and signature */
};
GW_NODISCARD gw_status reader_events(struct store_reader *r, const struct store_event_filter *f,
				     store_event_fn fn, void *cookie);
/* GW_ENOTFOUND when there is none. */
GW_NODISCARD gw_status reader_event(struct store_reader *r, const struct id *id, store_event_fn fn,
				    void *cookie);
/* Open deliveries of one lane in event order, after event row `after`, up to max_bytes (at
 * least one). */
struct store_lane_item {
	struct store_delivery_row delivery;
	struct store_event_row event; /* with its body */
};
typedef bool (*store_lane_fn)(void *cookie, const struct store_lane_item *item);
GW_NODISCARD gw_status reader_lane(struct store_reader *r, int64_t destination_row, int64_t lane,
				   int64_t after, size_t max_bytes, store_lane_fn fn, void *cookie);

/* The next lanes of a destination that hold open deliveries, by key: those over `after`
 * (INT64_MIN: all), at most `limit`. */
typedef bool (*store_lane_key_fn)(void *cookie, int64_t lane);
GW_NODISCARD gw_status reader_lanes(struct store_reader *r, int64_t destination_row, int64_t after,
				    unsigned limit, store_lane_key_fn fn, void *cookie);

struct store_message_filter {
	struct str state; /* empty: all */
	struct str number_id, to;
	struct str numbers; /* number ids with commas between them: no others; empty: all */
	struct id before;
	unsigned limit;
};
typedef bool (*store_message_fn)(void *cookie, const struct store_message_row *m);
GW_NODISCARD gw_status reader_messages(struct store_reader *r, const struct store_message_filter *f,
				       store_message_fn fn, void *cookie);
/* By our id, or by wamid when id is NULL. */
GW_NODISCARD gw_status reader_message(struct store_reader *r, const struct id *id, struct str wamid,
				      store_message_fn fn, void *cookie);

/* The trail of a message: its moves and its evidence, oldest first. */
struct store_trail_row {
	bool is_evidence;
	int64_t at_ms; /* evidence: when it was received */
	int64_t meta_s; /* evidence: Meta's stamp */
	struct str from, to, reason, why;
	int http_status, code, subcode;
	uint32_t tries;
	int64_t connect_ms, api_ms, paced_ms, waited_ms;
	struct str status, recipient, errors; /* evidence */
	struct id event; /* evidence */
};
typedef bool (*store_trail_fn)(void *cookie, const struct store_trail_row *t);
GW_NODISCARD gw_status reader_trail(struct store_reader *r, int64_t message_row, store_trail_fn fn,
				    void *cookie);
/* Messages that a message follows (at most one) and that follow it, oldest first. */
struct store_follow_row {
	bool is_origin; /* the message asked about follows this one */
	struct id id;
	struct str role; /* "template", "again": what the follower is */
};
typedef bool (*store_follow_fn)(void *cookie, const struct store_follow_row *f);
GW_NODISCARD gw_status reader_follows(struct store_reader *r, int64_t message_row,
				      store_follow_fn fn, void *cookie);
/* The fallback template of a message; GW_ENOTFOUND: it has none. */
typedef void (*store_fallback_fn)(void *cookie, struct str name, struct str language);
GW_NODISCARD gw_status reader_fallback(struct store_reader *r, int64_t message_row,
				       store_fallback_fn fn, void *cookie);
/* Deliveries of one event. */
struct store_delivery_info {
	struct id destination;
	struct str url, state, why;
	uint32_t attempts;
	int http_status;
	int64_t next_ms, moved_ms;
};
typedef bool (*store_delivery_fn)(void *cookie, const struct store_delivery_info *d);
GW_NODISCARD gw_status reader_deliveries(struct store_reader *r, const struct id *event,
					 store_delivery_fn fn, void *cookie);
/* When the customer last did something that opens the window (wall ms; 0: never recorded).
 * number_id and any of the spellings or the user id of the contact.  Also: does she want no
 * marketing messages. */
GW_NODISCARD gw_status reader_window(struct store_reader *r, struct str number_id,
				     const struct str *keys, size_t key_count, int64_t *out_ms,
				     bool *out_opted_out);

/* One number's talk with one customer or group, newest conversation first. */
struct store_conversation_row {
	struct id id, contact;
	bool has_contact; /* false: a group's */
	struct str account_id, group_id, channel;
	struct str user_id, phone, username, name; /* of the contact, now */
	int64_t created_ms;
	int64_t window_ms; /* when the customer last opened the window; 0: no record */
	int64_t last_seq, last_ms; /* of what was last said; 0: nothing kept */
	struct str last_type, last_kind;
};
struct store_conversation_filter {
	struct str account_id; /* empty: all */
	struct str numbers; /* account ids with commas between them: no others; empty: all */
	struct id contact; /* zeros: all */
	struct id before;
	unsigned limit; /* at most 1000 */
};
typedef bool (*store_conversation_fn)(void *cookie, const struct store_conversation_row *c);
GW_NODISCARD gw_status reader_conversations(struct store_reader *r,
					    const struct store_conversation_filter *f,
					    store_conversation_fn fn, void *cookie);
/* One that was merged is answered as what it became.  GW_ENOTFOUND when there is none. */
GW_NODISCARD gw_status reader_conversation(struct store_reader *r, const struct id *id,
					   store_conversation_fn fn, void *cookie);

struct store_contact_row {
	int64_t row; /* for reader_consents() */
	struct id id;
	struct str user_id, phone, username, name;
	int64_t created_ms;
	enum store_consent consent; /* what holds */
	int64_t consent_ms; /* since when */
};
struct store_contact_filter {
	struct str numbers; /* who has a conversation with one of them; empty: all */
	struct id before;
	unsigned limit; /* at most 1000 */
};
typedef bool (*store_contact_fn)(void *cookie, const struct store_contact_row *c);
GW_NODISCARD gw_status reader_contacts(struct store_reader *r, const struct store_contact_filter *f,
				       store_contact_fn fn, void *cookie);
/* By our id, or by a phone or user id when id is NULL.  Whom she was merged into is answered in
 * her place.  GW_ENOTFOUND: nobody, or nobody who has a conversation with one of `numbers`. */
GW_NODISCARD gw_status reader_contact(struct store_reader *r, const struct id *id, struct str key,
				      struct str numbers, store_contact_fn fn, void *cookie);
/* Her record of consent, oldest first. */
struct store_consent_row {
	int64_t at_ms, recorded_ms;
	struct str what, scope, source, note;
	bool has_key;
	struct id key, event; /* event: zeros when it has left by retention */
};
typedef bool (*store_consent_fn)(void *cookie, const struct store_consent_row *c);
GW_NODISCARD gw_status reader_consents(struct store_reader *r, int64_t contact_row,
				       store_consent_fn fn, void *cookie);

struct store_batch_filter {
	struct str numbers; /* number ids with commas between them: no others; empty: all */
	struct str state; /* empty: all */
	struct id before;
	unsigned limit; /* at most 1000 */
};
typedef bool (*store_batch_fn)(void *cookie, const struct store_batch *b);
GW_NODISCARD gw_status reader_batches(struct store_reader *r, const struct store_batch_filter *f,
				      store_batch_fn fn, void *cookie);
/* GW_ENOTFOUND: there is none. */
GW_NODISCARD gw_status reader_batch(struct store_reader *r, const struct id *id, store_batch_fn fn,
				    void *cookie);

/* A row of a list, and what became of it. */
struct store_batch_line {
	uint32_t n;
	struct str finding, detail, phone, values; /* finding empty: fit to be sent */
	bool handed; /* it became a message; whose row may have left by retention: no id */
	bool has_message;
	struct id message;
	struct str state, wamid;
	int http_status, code, subcode;
	struct str statuses; /* words of the evidence, with commas between them */
	int failed_code; /* of a failed status; 0: none */
};
enum store_lines {
	STORE_LINES_ALL,
	STORE_LINES_TO_SEND, /* fit and not handed over; nothing of messages is filled */
	STORE_LINES_FOUND /* those the check refused; likewise */
};
typedef bool (*store_batch_line_fn)(void *cookie, const struct store_batch_line *l);
/* Rows with numbers over `after` and up to `until` in their order, `limit` at most. */
GW_NODISCARD gw_status reader_batch_lines(struct store_reader *r, int64_t batch_row,
					  enum store_lines which, int64_t after, int64_t until,
					  unsigned limit, store_batch_line_fn fn, void *cookie);

/* PRAGMA integrity_check and the invariants of the schema; one callback per finding.  May take
 * longer than other jobs: it lifts the limit of the job that calls it. */
GW_NODISCARD gw_status reader_check(struct store_reader *r,
				    void (*finding)(void *cookie, const char *text), void *cookie);

#endif
