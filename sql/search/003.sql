-- The text of one shard's messages: data/search/N.db.  Derived: it may be removed while no
-- server runs, and is made anew.

-- Ids sort by time, so what is new stands at the end of its account's part.  Header fields, which are
-- a seventh, lie apart from words: who asks for a Subject reads no more than them.  In one
-- table: an account that got one message has both on the same page.
CREATE TABLE text(
	account_id INTEGER NOT NULL,
	part INTEGER NOT NULL,			-- 0: header fields, 1: words
	msgid TEXT NOT NULL,
	flags INTEGER NOT NULL,			-- 1: no scanner could read it; 2: there is more of it
	lines BLOB NOT NULL,			-- "SUBJECT: …", or each different word once; folded (wire/sortkey.h)
	PRIMARY KEY(account_id, part, msgid)
) STRICT, WITHOUT ROWID;

-- Up to which made_modseq an account's messages are in.
CREATE TABLE mark(
	account_id INTEGER PRIMARY KEY,
	modseq INTEGER NOT NULL
) STRICT;
