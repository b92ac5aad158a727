-- SPDX-License-Identifier: MIT
-- 007_sealed.sql - secrets are sealed (sqlite_secret.h)
--
-- Nothing in the tables changes its form: the program seals what is plain when it opens the store.
-- The number alone matters: a program that cannot open them refuses the database, instead of
-- signing with nothing.

INSERT INTO setting VALUES('secrets', CAST('sealed' AS BLOB));
