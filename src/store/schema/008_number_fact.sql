-- SPDX-License-Identifier: MIT
-- 008_number_fact.sql - what Meta last said of a number
--
-- Read at a start and every hour with the account's token. Words are Meta's, '' where it said
-- nothing; read_ms is by our clock. A number that is put again (configuration) keeps its row here.

CREATE TABLE number_fact (
	number_id TEXT NOT NULL PRIMARY KEY,
	status TEXT NOT NULL,
	quality TEXT NOT NULL,
	throughput TEXT NOT NULL,
	messaging_limit TEXT NOT NULL,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	on_app INTEGER NOT NULL,
	read_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
