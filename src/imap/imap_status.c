/* SPDX-License-Identifier: ISC */
/* STATUS (RFC 9051 6.3.11): counters of the mailbox's row; only sizes are summed up. */
#include <inttypes.h>

#include "imap/imap_names.h"

static const struct {
	str word;
	unsigned bit;
} words[] = {
	{ STR_INIT("MESSAGES"), ST_MESSAGES },
	{ STR_INIT("UIDNEXT"), ST_UIDNEXT },
	{ STR_INIT("UIDVALIDITY"), ST_UIDVALIDITY },
	{ STR_INIT("UNSEEN"), ST_UNSEEN },
	{ STR_INIT("RECENT"), ST_RECENT },
	{ STR_INIT("DELETED"), ST_DELETED },
	{ STR_INIT("DELETED-STORAGE"), ST_DELETED_STORAGE },
	{ STR_INIT("SIZE"), ST_SIZE },
	{ STR_INIT("HIGHESTMODSEQ"), ST_MODSEQ },
	{ STR_INIT("MAILBOXID"), ST_MAILBOXID },
	{ STR_INIT("APPENDLIMIT"), ST_APPENDLIMIT },
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static bool
read_item(struct imap_session *s, unsigned *items)
{
	for (size_t i = 0; i < WORDS; i++) {
		/* RFC 9051 appendix E has done away with it */
		if (words[i].bit == ST_RECENT && imap_rev2(s))
			continue;
		if (lex_word(&s->cmd.x, words[i].word)) {
			*items |= words[i].bit;
			return true;
		}
	}
	return false;
}

bool
imap_status_items(struct imap_session *s, unsigned *items)
{
	struct imap_lex *x = &s->cmd.x;

	if (!lex_char(x, '('))
		return false;
	do {
		if (!read_item(s, items))
			return false;
	} while (lex_sp(x));
	return lex_char(x, ')');
}

static uint64_t
value_of(struct imap_session *s, const struct mailbox *m, unsigned bit)
{
	switch (bit) {
	case ST_MESSAGES:
		return m->messages;
	case ST_UIDNEXT:
		return m->uidnext;
	case ST_UIDVALIDITY:
		return m->uidvalidity;
	case ST_UNSEEN:
		return m->unseen;
	case ST_RECENT:
		return m->recent;
	case ST_DELETED:
		return m->deleted;
	case ST_DELETED_STORAGE:
		return m->deleted_bytes;
	case ST_SIZE:
		return m->bytes;
	case ST_MODSEQ:
		return m->modseq;
	case ST_MAILBOXID:
		return m->id;
	default:
		return s->conf->imap.append_most;
	}
}

void
imap_put_status(struct imap_session *s, const struct mailbox *m, unsigned items)
{
	struct buf *b = &s->out;
	bool any = false;

	buf_addz(b, "* STATUS ");
	imap_put_mailbox(s, m->name);
	buf_addz(b, " (");
	for (size_t i = 0; i < WORDS; i++) {
		bool id = words[i].bit == ST_MAILBOXID; /* RFC 8474 4.3 */

		if ((items & words[i].bit) == 0)
			continue;
		buf_addf(b, "%s" STR_FMT " %s%" PRIu64 "%s", any ? " " : "",
			STR_ARG(words[i].word), id ? "(F" : "",
			value_of(s, m, words[i].bit), id ? ")" : "");
		any = true;
	}
	buf_addz(b, ")\r\n");
}

enum imap_did
cmd_status(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	struct err err = { 0 };
	struct mailbox m;
	unsigned items = 0;
	str name;
	enum rc rc;

	if (!lex_sp(x))
		return imap_bad(s);
	if (!imap_mailbox_arg(s, &name))
		return IMAP_DONE;
	if (!lex_sp(x) || !imap_status_items(s, &items) || !lex_end(x))
		return imap_bad(s);
	if ((items & ST_MODSEQ) != 0 && (rc = imap_enable_condstore(s, &err)) != RC_OK)
		return imap_failed(s, rc, &err);
	rc = mailbox_by_name(s->house->store, s->account, name, (items & ST_SUMS) != 0,
		s->cmd.mem, &m, &err);
	if (rc != RC_OK)
		return imap_failed(s, rc, &err);
	imap_put_status(s, &m, items);
	return imap_ok(s, NULL, "that is all");
}
