-- What readers need at once.
--
-- A mailbox is read into memory by one scan of mailbox_email (doc/views.md): what that needs
-- of `email` is copied there when the row is made, and never changes (but for sent_s, which a
-- scanner may find out later).

ALTER TABLE mailbox_email ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox_email ADD COLUMN received_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox_email ADD COLUMN sent_s INTEGER;
ALTER TABLE mailbox_email ADD COLUMN thread_id INTEGER NOT NULL DEFAULT 0;

UPDATE mailbox_email SET size = e.size, received_ms = e.received_ms, sent_s = e.sent_s,
	thread_id = e.thread_id
	FROM email e WHERE e.account_id = mailbox_email.account_id AND e.msgid = mailbox_email.msgid;

-- In which mailboxes a message is (JMAP's mailboxIds).
CREATE INDEX mailbox_email_msgid ON mailbox_email(account_id, msgid);

-- New: trace_bytes, of the trace block in front of the file (whatever came before this has
-- one), and head, header fields that are kept (wire/head.h; NULL: not known).  A row is read from its
-- beginning: what is short and asked for often comes first, what is long last.
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
	head BLOB,
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

INSERT INTO email_new SELECT account_id, msgid, size, received_ms, thread_id, refs, made_modseq,
	sent_s, header_bytes, 1024, digest, envelope, body_structure, preview, NULL
	FROM email ORDER BY account_id, msgid;
DROP TABLE email;
ALTER TABLE email_new RENAME TO email;
CREATE INDEX email_made ON email(account_id, made_modseq);

-- What SORT and THREAD compare (wire/sortkey.h), apart from `email`, whose rows are fat.
CREATE TABLE email_key(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	key BLOB NOT NULL,
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

-- The first UID that no session was told of as \Recent (RFC 3501 2.3.2).
ALTER TABLE mailbox ADD COLUMN recent_uid INTEGER NOT NULL DEFAULT 1;

-- Mailboxes that were deleted: the row of `mailbox`, moved.  Their messages stay in
-- mailbox_email, under the same id, until they are pruned or brought back.
CREATE TABLE mailbox_deleted(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	deleted_ms INTEGER NOT NULL,
	name TEXT NOT NULL,
	special TEXT NOT NULL,
	subscribed INTEGER NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uidnext INTEGER NOT NULL,
	messages INTEGER NOT NULL,
	unseen INTEGER NOT NULL,
	modseq INTEGER NOT NULL,
	made_modseq INTEGER NOT NULL,
	self_modseq INTEGER NOT NULL,
	recent_uid INTEGER NOT NULL,
	PRIMARY KEY(account_id, mailbox_id)
) STRICT, WITHOUT ROWID;

-- Names that are subscribed and that no mailbox has (RFC 9051 6.3.7); of one that is there,
-- mailbox.subscribed says it.
CREATE TABLE subscribed_name(
	account_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY(account_id, name)
) STRICT, WITHOUT ROWID;
