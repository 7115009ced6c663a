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

-- Bytes of the trace block in front of the file; whatever came before this has one.
ALTER TABLE email ADD COLUMN trace_bytes INTEGER NOT NULL DEFAULT 1024;
-- Header fields, wire/head.h; NULL: not known.
ALTER TABLE email ADD COLUMN head BLOB;

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
