-- SPDX-License-Identifier: ISC
-- One month of the ledger: data/ledger/YYYY-MM.db.

-- How far each journal is entered here, and the last ordinal given up to there.
CREATE TABLE position (
	journal TEXT NOT NULL,
	seq INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	PRIMARY KEY (journal)
) WITHOUT ROWID;

-- One DATA or BDAT. ordinal: messages of a journal, counted without holes.
CREATE TABLE message (
	journal TEXT NOT NULL,
	seq INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	id TEXT NOT NULL,
	client TEXT NOT NULL,
	helo TEXT NOT NULL,
	sender TEXT NOT NULL,
	size INTEGER NOT NULL,
	flags INTEGER NOT NULL,
	nrcpts INTEGER NOT NULL,
	findings TEXT NOT NULL,
	PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
CREATE INDEX message_time ON message (time_ms);
CREATE INDEX message_id ON message (id);

-- Its recipients' answers. targets: account ids, eight bytes each, little endian.
CREATE TABLE rcpt (
	journal TEXT NOT NULL,
	seq INTEGER NOT NULL,
	n INTEGER NOT NULL,
	address TEXT NOT NULL,
	answer INTEGER NOT NULL,
	code INTEGER NOT NULL,
	enhanced TEXT NOT NULL,
	reason TEXT NOT NULL,
	score INTEGER NOT NULL,
	targets BLOB NOT NULL,
	PRIMARY KEY (journal, seq, n)
) WITHOUT ROWID;

-- Refusals at RCPT per network and minute.
CREATE TABLE refusals (
	minute INTEGER NOT NULL,
	network TEXT NOT NULL,
	unknown INTEGER NOT NULL,
	relay INTEGER NOT NULL,
	full_mailbox INTEGER NOT NULL,
	other INTEGER NOT NULL,
	PRIMARY KEY (minute, network)
) WITHOUT ROWID;

-- What is left of days whose addresses are gone: figures, and which ordinals.
CREATE TABLE figure (
	day INTEGER NOT NULL,
	messages INTEGER NOT NULL,
	delivered INTEGER NOT NULL,
	refused INTEGER NOT NULL,
	not_now INTEGER NOT NULL,
	unknown INTEGER NOT NULL,
	relay INTEGER NOT NULL,
	full_mailbox INTEGER NOT NULL,
	other INTEGER NOT NULL,
	PRIMARY KEY (day)
) WITHOUT ROWID;
CREATE TABLE aged (
	journal TEXT NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	PRIMARY KEY (journal, first)
) WITHOUT ROWID;
