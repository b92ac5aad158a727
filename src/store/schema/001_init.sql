-- SPDX-License-Identifier: MIT
-- 001_init.sql - the first schema
--
-- Keys sit at the right edge: rows count up, public ids begin with milliseconds, dedupe keys with
-- the event's second. An index on random text costs more than durability (docs/decisions), so
-- there are few, and the ones that follow a state are partial and stay small. @NAME@ stands for
-- words of the *_state.def tables (words.c). Columns that nothing fills yet (campaign, flow,
-- keep_until_ms, masked, erased_ms) are here because migrations only expand.
-- Secrets are versioned blobs: first byte 0x00, then plain bytes. Wide columns come last in a
-- table, so that reading the narrow ones touches no overflow page.

CREATE TABLE setting (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
	row INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	app_id TEXT NOT NULL,
	base_url TEXT NOT NULL,
	version TEXT NOT NULL,
	app_secret BLOB,
	app_secret_previous BLOB,
	verify_token BLOB,
	token BLOB
) STRICT;

CREATE TABLE number (
	row INTEGER PRIMARY KEY,
	account INTEGER NOT NULL,
	number_id TEXT NOT NULL UNIQUE,
	business_id TEXT NOT NULL,
	address TEXT NOT NULL,
	limit_mps INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	name TEXT NOT NULL,
	scopes TEXT NOT NULL,
	numbers TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	revoked_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE destination (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	format TEXT NOT NULL,
	filter TEXT NOT NULL,
	secret BLOB,
	secret_previous BLOB,
	previous_until_ms INTEGER NOT NULL,
	include_raw INTEGER NOT NULL,
	relay_stale INTEGER NOT NULL,
	removed INTEGER NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('active','disabled')),
	created_ms INTEGER NOT NULL
) STRICT;

-- A person. merged_into: this one turned out to be another (always the last of the chain).
CREATE TABLE contact (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	created_ms INTEGER NOT NULL,
	merged_into INTEGER,
	user_id TEXT NOT NULL,
	parent_user_id TEXT NOT NULL,
	phone TEXT NOT NULL,
	username TEXT NOT NULL,
	name TEXT NOT NULL,
	keep_until_ms INTEGER,
	masked INTEGER NOT NULL DEFAULT 0,
	erased_ms INTEGER
) STRICT;
CREATE INDEX contact_merged ON contact (merged_into) WHERE merged_into IS NOT NULL;

-- Every spelling by which a contact is known: "p:" and digits, or "u", the channel's first letter,
-- ":" and the user id.
CREATE TABLE contact_alias (
	alias TEXT PRIMARY KEY,
	contact INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_alias_contact ON contact_alias (contact);

-- One number's talk with one contact (group_id '') or with one group (contact 0).
CREATE TABLE conversation (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	contact INTEGER NOT NULL,
	account_id TEXT NOT NULL,
	group_id TEXT NOT NULL,
	channel TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	merged_into INTEGER
) STRICT;
CREATE UNIQUE INDEX conversation_whose ON conversation (contact, account_id, group_id);
CREATE INDEX conversation_merged ON conversation (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE body (
	row INTEGER PRIMARY KEY,
	received_ms INTEGER NOT NULL,
	account TEXT NOT NULL,
	siblings INTEGER NOT NULL,
	quarantined INTEGER NOT NULL,
	composed INTEGER NOT NULL,
	keep_until_ms INTEGER,
	erased_ms INTEGER,
	signature TEXT NOT NULL,
	bytes BLOB NOT NULL
) STRICT;

CREATE TABLE event (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	body INTEGER NOT NULL,
	contact INTEGER,
	conversation INTEGER,
	message INTEGER,
	seq INTEGER,
	state_version INTEGER,
	at_s INTEGER NOT NULL,
	received_ms INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	stale INTEGER NOT NULL,
	opens_window INTEGER NOT NULL,
	keep_until_ms INTEGER,
	erased_ms INTEGER,
	type TEXT NOT NULL,
	kind TEXT NOT NULL,
	channel TEXT NOT NULL,
	account_id TEXT NOT NULL,
	address TEXT NOT NULL,
	business_id TEXT NOT NULL,
	external_id TEXT NOT NULL,
	splice BLOB NOT NULL,
	json TEXT NOT NULL
) STRICT;
-- What was said in a conversation, and what opened its window: statuses, three quarters of all
-- events, stay out (they cost a random page each). Covers the last seq.
CREATE INDEX event_conversation ON event (conversation, row, seq, opens_window)
	WHERE seq IS NOT NULL OR opens_window = 1;

-- second: of the event (0: undated); event: the row it belongs to, which tells when it came.
CREATE TABLE dedupe (
	second INTEGER NOT NULL,
	hash BLOB NOT NULL CHECK (length(hash) = 16),
	event INTEGER NOT NULL,
	PRIMARY KEY (second, hash)
) STRICT, WITHOUT ROWID;

-- row: event << 16 | destination, so that the rows of a lane come in the order of events and a move
-- is one look-up (an update of a table without rowids opens a temporary one: 12 % of all CPU).
CREATE TABLE delivery (
	row INTEGER PRIMARY KEY,
	destination INTEGER NOT NULL CHECK (destination = row & 65535 AND destination > 0),
	lane INTEGER NOT NULL,
	state TEXT NOT NULL CHECK (@DELIVERY_KNOWN@),
	attempts INTEGER NOT NULL,
	next_ms INTEGER NOT NULL,
	moved_ms INTEGER NOT NULL,
	http_status INTEGER NOT NULL,
	size INTEGER NOT NULL,
	replays INTEGER NOT NULL, -- how often somebody asked for it again
	why TEXT
) STRICT;
CREATE INDEX delivery_open ON delivery (destination, lane)
	WHERE @DELIVERY_OPEN@;

CREATE TABLE message (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	state TEXT NOT NULL CHECK (@OUTQ_KNOWN@),
	reason TEXT,
	class INTEGER NOT NULL,
	policy TEXT NOT NULL CHECK
		(policy = 'hold' OR policy = 'resend' OR policy = 'expire'),
	tries INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	next_ms INTEGER NOT NULL,
	moved_ms INTEGER NOT NULL,
	http_status INTEGER NOT NULL,
	code INTEGER NOT NULL,
	subcode INTEGER NOT NULL,
	key_id BLOB NOT NULL CHECK (length(key_id) = 16),
	campaign INTEGER,
	flow INTEGER,
	keep_until_ms INTEGER,
	masked INTEGER NOT NULL DEFAULT 0,
	erased_ms INTEGER,
	wamid TEXT,
	number_id TEXT NOT NULL,
	recipient TEXT NOT NULL,
	lane TEXT NOT NULL,
	target TEXT NOT NULL,
	kind TEXT NOT NULL,
	template_name TEXT NOT NULL,
	template_language TEXT NOT NULL,
	opaque TEXT NOT NULL,
	answer BLOB,
	body BLOB NOT NULL
) STRICT;
CREATE INDEX message_open ON message (row) WHERE @OUTQ_OPEN@;
CREATE INDEX message_wamid ON message (wamid) WHERE wamid IS NOT NULL;

-- Every move of every message, appended.
CREATE TABLE trail (
	row INTEGER PRIMARY KEY,
	message INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	from_state TEXT NOT NULL,
	to_state TEXT NOT NULL,
	reason TEXT,
	why TEXT,
	tries INTEGER NOT NULL,
	http_status INTEGER NOT NULL,
	code INTEGER NOT NULL,
	subcode INTEGER NOT NULL,
	connect_ms INTEGER NOT NULL,
	api_ms INTEGER NOT NULL,
	paced_ms INTEGER NOT NULL,
	waited_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX trail_message ON trail (message);

-- What Meta said of a message: inserted once, never rewritten. message is set only when our token
-- led to it and its row did not hold this wamid at that time; all other evidence is found by wamid.
CREATE TABLE evidence (
	wamid TEXT NOT NULL,
	status TEXT NOT NULL,
	recipient TEXT NOT NULL,
	event INTEGER NOT NULL,
	message INTEGER,
	try INTEGER NOT NULL,
	error_code INTEGER NOT NULL,
	errors TEXT,
	PRIMARY KEY (wamid, status, recipient)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_message ON evidence (message) WHERE message IS NOT NULL;

CREATE TABLE idempotency (
	key BLOB PRIMARY KEY CHECK (length(key) = 32),
	fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
	message INTEGER NOT NULL,
	created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_ms);
