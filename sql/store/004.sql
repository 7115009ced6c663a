-- The mailboxes made with an account had one UIDVALIDITY between them.  Now that they can be
-- named anew, a name must not come to another mailbox with the same one (RFC 9051 2.3.1.1).
-- INBOX, which is number 1, keeps its own.
UPDATE mailbox SET uidvalidity = uidvalidity + mailbox_id - 1 WHERE mailbox_id <= 6;
UPDATE account SET next_uidvalidity = next_uidvalidity + 6;
