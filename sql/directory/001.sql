-- directory.db: domains, accounts, aliases, credentials, quotas, policies.
-- Names are canonical: domains as A-labels in lower case, local parts NFC and
-- case-folded.  Times are milliseconds since 1970.

-- Ids are never used again: mail that is already accepted names them.
CREATE TABLE domain (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	alias_of INTEGER REFERENCES domain (id),
	catchall TEXT REFERENCES name (address),
	created_ms INTEGER NOT NULL
);

CREATE TABLE account (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	disabled INTEGER NOT NULL DEFAULT 0,
	quota INTEGER,				-- bytes; NULL: the default; 0: none
	created_ms INTEGER NOT NULL
);

-- One table of names, so that an account and an alias never share one.
CREATE TABLE name (
	address TEXT NOT NULL PRIMARY KEY,
	domain INTEGER NOT NULL REFERENCES domain (id),
	account INTEGER UNIQUE REFERENCES account (id)	-- NULL: an alias
) WITHOUT ROWID;
CREATE INDEX name_domain ON name (domain);

CREATE TABLE alias_target (
	alias TEXT NOT NULL REFERENCES name (address),
	target TEXT NOT NULL REFERENCES name (address),
	PRIMARY KEY (alias, target)
) WITHOUT ROWID;
CREATE INDEX alias_target_target ON alias_target (target);

-- kind 'yescrypt': secret is libcrypt's text.  'scram-sha-256': secret is the
-- stored key and the server key, 64 bytes.  'app': secret is SHA-256 of a random
-- password, name is what its owner calls it.
CREATE TABLE credential (
	account INTEGER NOT NULL REFERENCES account (id),
	kind TEXT NOT NULL,
	name TEXT NOT NULL DEFAULT '',
	secret BLOB NOT NULL,
	salt BLOB,
	iterations INTEGER,
	created_ms INTEGER NOT NULL,
	PRIMARY KEY (account, kind, name)
) WITHOUT ROWID;

-- scope: an address, a domain, or 'all'.  NULL: what the wider scope says.
CREATE TABLE policy (
	scope TEXT NOT NULL PRIMARY KEY,
	threshold INTEGER,			-- thousandths
	observe INTEGER
) WITHOUT ROWID;
