-- SPDX-License-Identifier: MIT
-- 004_plans.sql - what becomes of a message that finds the customer's window shut
--
-- message.plan is a sum: 1 park it until the customer writes, 2 send the template of its row in
-- `fallback`, 4 it follows another message (its row in `follow`). 0 for nearly all.
--
-- follow: message was made because origin could not be delivered, in the transaction that learned
-- it: as 'template' (in place of origin, or to invite its customer), or as 'again' (the same text,
-- parked, when Meta had taken origin and failed it later). Once each: the index sees to it.
-- invites: whose answer the parked origin waits for, number and lane; NULL: it is not parked.

ALTER TABLE message ADD COLUMN plan INTEGER NOT NULL DEFAULT 0;

CREATE TABLE fallback (
	message INTEGER PRIMARY KEY,
	class INTEGER NOT NULL,
	template_name TEXT NOT NULL,
	template_language TEXT NOT NULL,
	body BLOB NOT NULL
) STRICT;

CREATE TABLE follow (
	message INTEGER PRIMARY KEY,
	origin INTEGER NOT NULL,
	role TEXT NOT NULL CHECK (role IN ('template','again')),
	invites TEXT
) STRICT;
CREATE UNIQUE INDEX follow_origin ON follow (origin, role);
CREATE INDEX follow_invites ON follow (invites) WHERE invites IS NOT NULL;
