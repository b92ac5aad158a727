-- SPDX-License-Identifier: MIT
-- 002_keys_in_events.sql - an event carries its dedupe key, so that the key may reach its table later
--
-- A second's keys are random among each other: kept at once, they are half of the pages of a commit
-- (docs/decisions/013). So the row of the event is the record of its key, and the table follows in
-- sorted runs. dedupe_mark: the keys of all events up to this row are in the table.

-- No CHECK: SQLite would read every event to prove it. sqlite_check.c does.
ALTER TABLE event ADD COLUMN dedupe_s INTEGER;
ALTER TABLE event ADD COLUMN dedupe_hash BLOB;

CREATE TABLE dedupe_mark (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	event INTEGER NOT NULL
) STRICT;
INSERT INTO dedupe_mark SELECT 1, coalesce(max(row), 0) FROM event;
