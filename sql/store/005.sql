-- What its reader said of a message: it is spam (1) or it is not (0).  The last word counts.
CREATE TABLE lesson(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	spam INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;
