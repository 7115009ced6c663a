-- The index: what is in the mailboxes of the accounts of one shard.
--
-- Every key begins with account_id and every access is by a prefix of a key,
-- so that one account's rows lie together.  A message is named by its id
-- (20 characters that sort by time): that is the key of its row, its file's
-- name, its EMAILID (RFC 8474) and JMAP id (RFC 8621); it is never reused.
--
-- modseq: one counter per account (RFC 7162 3.1; JMAP's state).  Every change
-- takes the next value, which is never less than the wall clock in
-- milliseconds: should a power cut take the last changes back, values that
-- clients have seen are not given out again.

CREATE TABLE account(
	account_id INTEGER PRIMARY KEY,
	modseq INTEGER NOT NULL,		-- the last one given
	next_mailbox INTEGER NOT NULL,		-- MAILBOXID: never reused
	next_thread INTEGER NOT NULL,		-- THREADID: never reused
	next_uidvalidity INTEGER NOT NULL,	-- grows over deletion and renewal of a name
	bytes INTEGER NOT NULL,			-- of all messages, each once
	messages INTEGER NOT NULL
) STRICT;

CREATE TABLE mailbox(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,		-- INBOX is 1
	name TEXT NOT NULL,			-- whole path, UTF-8, '/' between levels
	special TEXT NOT NULL,			-- RFC 6154 attribute, or ''
	subscribed INTEGER NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uidnext INTEGER NOT NULL,
	messages INTEGER NOT NULL,
	unseen INTEGER NOT NULL,
	modseq INTEGER NOT NULL,		-- HIGHESTMODSEQ: of any change in it
	made_modseq INTEGER NOT NULL,		-- JMAP: created since,
	self_modseq INTEGER NOT NULL,		-- and name or subscription changed since
	PRIMARY KEY(account_id, mailbox_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX mailbox_name ON mailbox(account_id, name);

CREATE TABLE mailbox_gone(
	account_id INTEGER NOT NULL,
	modseq INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	PRIMARY KEY(account_id, modseq, mailbox_id)
) STRICT, WITHOUT ROWID;

-- Never changes, but for what the scanner adds later and for `refs`.
CREATE TABLE email(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	size INTEGER NOT NULL,			-- of the file, trace block included
	received_ms INTEGER NOT NULL,		-- INTERNALDATE
	thread_id INTEGER NOT NULL,
	refs INTEGER NOT NULL,			-- rows of mailbox_email
	made_modseq INTEGER NOT NULL,
	sent_s INTEGER,				-- Date, NULL without a readable one
	header_bytes INTEGER,			-- of the message, trace block not counted
	digest BLOB NOT NULL,			-- SHA-256 of what follows the trace block
	envelope BLOB,				-- wire/facts.h; NULL: not known
	body_structure BLOB,			-- NULL: not yet known
	preview TEXT,				-- NULL: not yet known
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox_email(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	uid INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	flags INTEGER NOT NULL,			-- enum store_flag, or-ed
	keywords TEXT NOT NULL,			-- sorted, one space between
	modseq INTEGER NOT NULL,		-- of its last change
	made_modseq INTEGER NOT NULL,
	saved_ms INTEGER NOT NULL,		-- RFC 8514: when it came into this mailbox
	PRIMARY KEY(account_id, mailbox_id, uid)
) STRICT, WITHOUT ROWID;

-- What has left a mailbox (RFC 7162 3.2.6: VANISHED).
CREATE TABLE expunged(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	modseq INTEGER NOT NULL,
	uid INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	PRIMARY KEY(account_id, mailbox_id, modseq, uid)
) STRICT, WITHOUT ROWID;

-- What its reader has removed from the account: a journal applied again must
-- not bring it back, and audit must not take it for lost.
CREATE TABLE gone(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	modseq INTEGER NOT NULL,
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

-- The thread of each Message-ID seen or referred to, by its hash.  Rows stay
-- when the message goes: an answer that comes later still finds its thread.
CREATE TABLE thread_ref(
	account_id INTEGER NOT NULL,
	hash INTEGER NOT NULL,
	thread_id INTEGER NOT NULL,
	PRIMARY KEY(account_id, hash)
) STRICT, WITHOUT ROWID;

-- Files without a row, to be unlinked once this row is surely on disk.
CREATE TABLE blob_gone(
	account_id INTEGER NOT NULL,
	msgid TEXT NOT NULL,
	PRIMARY KEY(account_id, msgid)
) STRICT, WITHOUT ROWID;

-- Accounts whose folder is to be removed.
CREATE TABLE account_gone(
	account_id INTEGER PRIMARY KEY
) STRICT;

-- Shard 0 only: up to here each journal is applied in every shard, and synced.
CREATE TABLE applied(
	journal TEXT PRIMARY KEY,
	seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
