-- SPDX-License-Identifier: MIT
-- 005_template.sql - what is known of the templates of a business account
--
-- Learned from what passes by (webhooks, prices in statuses, lists and creations over Graph) and
-- from lists that we read ourselves. Words are Meta's; '' where it has not said so yet. updated_ms:
-- of what was learned last, by Meta's stamp where it gave one, so that older news changes nothing.

CREATE TABLE template (
	business_id TEXT NOT NULL,
	name TEXT NOT NULL,
	language TEXT NOT NULL,
	category TEXT NOT NULL,
	state TEXT NOT NULL,
	updated_ms INTEGER NOT NULL,
	PRIMARY KEY (business_id, name, language)
) STRICT, WITHOUT ROWID;
