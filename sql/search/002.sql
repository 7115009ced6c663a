-- The text of one shard's messages: data/search/N.db.  Derived: it may be removed while no
-- server runs, and is made anew.

-- Ids sort by time, so what is new stands at the end of its account.
CREATE TABLE message(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	flags INTEGER NOT NULL,			-- 1: no scanner could read it; 2: there is more of it
	head BLOB NOT NULL,			-- "SUBJECT: …", a line each, folded (wire/sortkey.h)
	words BLOB NOT NULL,			-- each different word once, a line each, folded
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

-- Up to which made_modseq an account's messages are in.
CREATE TABLE mark(
	account_id INTEGER PRIMARY KEY,
	modseq INTEGER NOT NULL
) STRICT;
