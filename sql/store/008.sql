-- What readers make of messages: flags, keywords and modseq of those that were changed since
-- they came, a row for each 128 UIDs (store/marks.h, doc/marks.md).  mailbox_email says what a message came
-- with; where there is a mark, the mark counts.
CREATE TABLE mailbox_mark(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	block INTEGER NOT NULL,			-- UIDs from block * 128 on
	data BLOB NOT NULL,
	PRIMARY KEY(account_id, mailbox_id, block)
) STRICT, WITHOUT ROWID;
