-- What came into an account since: for full text, and for JMAP's changes.
CREATE INDEX email_made ON email(account_id, made_modseq);
