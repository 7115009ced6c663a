-- Full text of the accounts of one shard: data/search/N.db.  Derived: it may be
-- removed while no server runs, and is made anew.

-- id: account_id * 2^32 + a number, so that an account's rows, and its part of each
-- word's list, lie together.
CREATE TABLE doc(
	id INTEGER PRIMARY KEY,
	msgid TEXT NOT NULL,
	unread INTEGER NOT NULL			-- no scanner could read it: it is in no list
) STRICT;

-- Up to which made_modseq an account's messages are in.
CREATE TABLE mark(
	account_id INTEGER PRIMARY KEY,
	modseq INTEGER NOT NULL
) STRICT;

CREATE VIRTUAL TABLE words USING fts5(
	subject, people, body,
	content='', detail=column, tokenize='ascii'	-- words are made by search_words.c
);
INSERT INTO words(words, rank) VALUES('automerge', 16);
INSERT INTO words(words, rank) VALUES('crisismerge', 64);
