-- SPDX-License-Identifier: MIT
-- 003_consent.sql - who wants marketing messages, as a record that is only added to
--
-- What holds is derived (SQL_CONSENT_OF): the latest decision by its own time, in which an optin
-- that was imported counts only while there is no other row, so that an import never undoes an
-- optout. event: the consent.changed that told of it; it may leave by retention, the record stays.
-- Rows of a contact that was merged into another stay as they are and are found through it.

CREATE TABLE consent (
	row INTEGER PRIMARY KEY,
	contact INTEGER NOT NULL,
	at_ms INTEGER NOT NULL, -- when it was decided
	recorded_ms INTEGER NOT NULL,
	event INTEGER NOT NULL,
	what TEXT NOT NULL CHECK (what IN ('optin','optout')),
	scope TEXT NOT NULL,
	source TEXT NOT NULL,
	key_id BLOB CHECK (key_id IS NULL OR length(key_id) = 16), -- of the API; NULL: none
	note TEXT NOT NULL
) STRICT;
CREATE INDEX consent_contact ON consent (contact);

CREATE TRIGGER consent_is_not_changed BEFORE UPDATE ON consent BEGIN
	SELECT RAISE(ABORT, 'the record of consent is only added to');
END;
CREATE TRIGGER consent_is_not_removed BEFORE DELETE ON consent BEGIN
	SELECT RAISE(ABORT, 'the record of consent is only added to');
END;
