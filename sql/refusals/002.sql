-- SPDX-License-Identifier: ISC
-- What senders said about their refusals, who decides, and letters about it.

-- One for a refusal; goes with it. network, domain: what limits are counted by (domain:
-- of the sender, and the network that the mail came from).
CREATE TABLE appeal (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	note TEXT NOT NULL,
	contact TEXT NOT NULL,
	subject TEXT NOT NULL,
	language TEXT NOT NULL,
	client TEXT NOT NULL,
	network TEXT NOT NULL,
	domain TEXT NOT NULL,
	PRIMARY KEY (id, n)
) WITHOUT ROWID;
CREATE INDEX appeal_time ON appeal (time_ms);
CREATE INDEX appeal_network ON appeal (network, time_ms);
CREATE INDEX appeal_domain ON appeal (domain, time_ms);

-- Whose page is behind which link; token: SHA-256 of the link's. role: enum
-- decider_role.
CREATE TABLE decider (
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	address TEXT NOT NULL,
	role INTEGER NOT NULL,
	token BLOB NOT NULL,
	PRIMARY KEY (id, n, address, role)
) WITHOUT ROWID;
CREATE INDEX decider_token ON decider (token);

-- Letters that were begun; kind: enum letter_kind.
CREATE TABLE letter (
	message TEXT NOT NULL,
	kind INTEGER NOT NULL,
	address TEXT NOT NULL,
	made_ms INTEGER NOT NULL,
	done INTEGER NOT NULL,
	PRIMARY KEY (message)
) WITHOUT ROWID;
CREATE INDEX letter_done ON letter (done, made_ms);
CREATE INDEX letter_address ON letter (kind, address, made_ms);

-- What they are about; letter '': waits for one.
CREATE TABLE letter_about (
	kind INTEGER NOT NULL,
	address TEXT NOT NULL,
	id TEXT NOT NULL,
	n INTEGER NOT NULL,
	role INTEGER NOT NULL,
	time_ms INTEGER NOT NULL,
	letter TEXT NOT NULL,
	PRIMARY KEY (kind, address, id, n)
) WITHOUT ROWID;
CREATE INDEX letter_about_letter ON letter_about (letter, time_ms);
CREATE INDEX letter_about_id ON letter_about (id, n);
