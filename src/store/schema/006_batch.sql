-- SPDX-License-Identifier: MIT
-- 006_batch.sql - lists of people to whom one message goes
--
-- A row of the list is one row of batch_row, with its finding when the check refused it; its key is
-- batch << 20 | number in the list, so that rows are appended and a page of them is one range.
-- batch_sent is the mark that a row became a message, in the transaction that accepts the message:
-- its key makes a second one impossible. It is a table of its own because it is appended in the same
-- order, where a mark in batch_row would make a row longer in the middle of a full page.
-- message.campaign is the key of that row, too. The counts of batch are kept by the transactions
-- that move its messages (sqlite_batch.c), so that a start and a look at the progress count nothing.

CREATE TABLE batch (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	state TEXT NOT NULL CHECK (@BATCH_KNOWN@),
	key_id BLOB NOT NULL CHECK (length(key_id) = 16),
	created_ms INTEGER NOT NULL,
	moved_ms INTEGER NOT NULL,
	-- rows of the list, by what the check said
	total INTEGER NOT NULL DEFAULT 0,
	ready INTEGER NOT NULL DEFAULT 0,
	refused INTEGER NOT NULL DEFAULT 0,
	duplicates INTEGER NOT NULL DEFAULT 0, -- of refused
	-- handed to the outbox: how many, and the highest of their numbers
	fed INTEGER NOT NULL DEFAULT 0,
	last INTEGER NOT NULL DEFAULT 0,
	-- these by the state of their messages (outq_state.def)
	queued INTEGER NOT NULL DEFAULT 0,
	sending INTEGER NOT NULL DEFAULT 0,
	waiting INTEGER NOT NULL DEFAULT 0,
	unknown INTEGER NOT NULL DEFAULT 0,
	accepted INTEGER NOT NULL DEFAULT 0,
	rejected INTEGER NOT NULL DEFAULT 0,
	expired INTEGER NOT NULL DEFAULT 0,
	-- and by the statuses that came
	was_sent INTEGER NOT NULL DEFAULT 0,
	was_delivered INTEGER NOT NULL DEFAULT 0,
	was_read INTEGER NOT NULL DEFAULT 0,
	has_failed INTEGER NOT NULL DEFAULT 0,
	why TEXT,
	number_id TEXT NOT NULL,
	name TEXT NOT NULL,
	spec TEXT NOT NULL -- what is sent (gateway/batch_spec.c)
) STRICT;
CREATE INDEX batch_open ON batch (row) WHERE @BATCH_OPEN@;

CREATE TABLE batch_row (
	row INTEGER PRIMARY KEY,
	finding TEXT, -- NULL: fit to be sent
	detail TEXT,
	phone TEXT NOT NULL,
	vals BLOB NOT NULL -- what is put into the message, with zero bytes between them
) STRICT;
CREATE INDEX batch_row_found ON batch_row (row) WHERE finding IS NOT NULL;

CREATE TABLE batch_sent (
	row INTEGER PRIMARY KEY,
	message INTEGER NOT NULL
) STRICT;
