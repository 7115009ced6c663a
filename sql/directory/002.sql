-- Which doors an app password opens: 1 IMAP, 2 POP3, 4 submission, 8 web, or-ed.
ALTER TABLE credential ADD COLUMN doors INTEGER NOT NULL DEFAULT 15;

-- What this instance alone knows, and has to know for as long as it lives.
-- 'scram': the key that salts are made with for accounts that have none.
CREATE TABLE secret (
	name TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;
