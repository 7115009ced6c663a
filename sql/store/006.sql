-- `email` by row: its rows are fat, and as a tree of them (WITHOUT ROWID) an inner page held
-- four, so that to find one message of 20,000 took eight pages; now the key's index is
-- thin.  New rows stand at the end.
CREATE TABLE email_new(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	size INTEGER NOT NULL,			-- of the file, trace block included
	received_ms INTEGER NOT NULL,		-- INTERNALDATE
	thread_id INTEGER NOT NULL,
	refs INTEGER NOT NULL,			-- rows of mailbox_email
	made_modseq INTEGER NOT NULL,
	sent_s INTEGER,				-- Date, NULL without a readable one
	header_bytes INTEGER,			-- of the message, trace block not counted
	trace_bytes INTEGER NOT NULL,
	digest BLOB NOT NULL,			-- SHA-256 of what follows the trace block
	envelope BLOB,				-- wire/facts.h; NULL: not known
	body_structure BLOB,			-- NULL: not yet known
	preview TEXT,				-- NULL: not yet known
	head BLOB,				-- wire/head.h; NULL: not known
	PRIMARY KEY(account_id, msgid)
) STRICT;

INSERT INTO email_new SELECT account_id, msgid, size, received_ms, thread_id, refs, made_modseq,
	sent_s, header_bytes, trace_bytes, digest, envelope, body_structure, preview, head
	FROM email ORDER BY account_id, msgid;
DROP TABLE email;
ALTER TABLE email_new RENAME TO email;
CREATE INDEX email_made ON email(account_id, made_modseq, msgid);
