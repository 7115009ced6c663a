-- How many rows of `expunged` each mailbox has, and since which modseq they are all there: of
-- what left at that one or before nothing is known any more (store/left.h).
CREATE TABLE expunged_known(
	account_id INTEGER NOT NULL,
	mailbox_id INTEGER NOT NULL,
	n INTEGER NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY(account_id, mailbox_id)
) STRICT, WITHOUT ROWID;

INSERT INTO expunged_known SELECT account_id, mailbox_id, count(*), 0 FROM expunged
	GROUP BY account_id, mailbox_id;

-- Of deleted mailboxes that made room for others.
DELETE FROM expunged WHERE NOT EXISTS
	(SELECT 1 FROM mailbox m WHERE m.account_id = expunged.account_id
		AND m.mailbox_id = expunged.mailbox_id) AND NOT EXISTS
	(SELECT 1 FROM mailbox_deleted m WHERE m.account_id = expunged.account_id
		AND m.mailbox_id = expunged.mailbox_id);
DELETE FROM expunged_known WHERE NOT EXISTS
	(SELECT 1 FROM expunged x WHERE x.account_id = expunged_known.account_id
		AND x.mailbox_id = expunged_known.mailbox_id);
