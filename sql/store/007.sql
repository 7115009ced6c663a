-- What FETCH says of a message as it is sent (wire/imap_structure.h), in small rows that lie
-- together: a page has those of ten messages, where one of `email` has two or three.  Made with
-- the message, and for those of before when somebody asks first; never changed.  Whoever
-- changes the form has to empty this table, in a migration.
CREATE TABLE email_item(
	account_id INTEGER NOT NULL,
	item INTEGER NOT NULL,			-- enum store_item
	msgid TEXT NOT NULL,
	text BLOB NOT NULL,
	PRIMARY KEY(account_id, item, msgid)
) STRICT, WITHOUT ROWID;
