-- SPDX-License-Identifier: ISC
-- The register of content refusals: data/refusals.db.

-- How far each journal is entered.
CREATE TABLE position (
	journal TEXT NOT NULL,
	seq INTEGER NOT NULL,
	PRIMARY KEY (journal)
) WITHOUT ROWID;

-- 'expired': the newest time_ms of a row that was removed.
CREATE TABLE mark (
	name TEXT NOT NULL,
	value INTEGER NOT NULL,
	PRIMARY KEY (name)
) WITHOUT ROWID;

-- One for each link that was given: n counts those of a message. token: SHA-256
-- of the link's. state: enum refusal_state, but for what stands in `released`.
-- held_as: the file with the original, '' for none, until held_until_ms.
CREATE TABLE refusal (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	token BLOB NOT NULL,
	state INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	held_until_ms INTEGER NOT NULL,
	decided_ms INTEGER NOT NULL,
	decided_by TEXT NOT NULL,
	client TEXT NOT NULL,
	helo TEXT NOT NULL,
	sender TEXT NOT NULL,
	findings TEXT NOT NULL,
	reason TEXT NOT NULL,
	score INTEGER NOT NULL,
	size INTEGER NOT NULL,
	virus INTEGER NOT NULL,
	held_as TEXT NOT NULL,
	PRIMARY KEY (id, n)
) WITHOUT ROWID;
CREATE INDEX refusal_time ON refusal (time_ms);
CREATE INDEX refusal_token ON refusal (token);
CREATE INDEX refusal_held ON refusal (held_as);
CREATE INDEX refusal_expires ON refusal (expires_ms);

-- Whom the answer was for.
CREATE TABLE rcpt (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	k INTEGER NOT NULL,
	address TEXT NOT NULL,
	PRIMARY KEY (id, n, k)
) WITHOUT ROWID;

-- Releases that somebody asked for; done_ms: when the copy was delivered, or 0. A
-- row may be there before its refusal, when the register is made anew.
CREATE TABLE released (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	release_id TEXT NOT NULL,
	who TEXT NOT NULL,
	asked_ms INTEGER NOT NULL,
	done_ms INTEGER NOT NULL,
	PRIMARY KEY (id, n)
) WITHOUT ROWID;

-- Who saw an original, or began to release it.
CREATE TABLE opened (
	num INTEGER PRIMARY KEY,
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	who TEXT NOT NULL,
	why TEXT NOT NULL
);
CREATE INDEX opened_id ON opened (id, n);

-- What people taught the filter by what they decided.
CREATE TABLE training (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	kind TEXT NOT NULL,
	held_as TEXT NOT NULL,
	PRIMARY KEY (id, n)
) WITHOUT ROWID;

-- Messages to the postmaster, and the refusals that they are about ('' waits).
CREATE TABLE notice (
	message TEXT NOT NULL,
	made_ms INTEGER NOT NULL,
	done INTEGER NOT NULL,
	PRIMARY KEY (message)
) WITHOUT ROWID;
CREATE TABLE notice_about (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	client TEXT NOT NULL,
	sender TEXT NOT NULL,
	held_as TEXT NOT NULL,
	notice TEXT NOT NULL,
	PRIMARY KEY (id, n)
) WITHOUT ROWID;
CREATE INDEX notice_about_notice ON notice_about (notice);
