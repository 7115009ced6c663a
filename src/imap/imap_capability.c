/* SPDX-License-Identifier: ISC */
#include "imap/imap_int.h"

/* What a client may use once it has logged in: all of it is tested. */
static const char after_login[] =
	"IMAP4rev1 IMAP4rev2 ENABLE ID SASL-IR LITERAL+ UTF8=ACCEPT IDLE NAMESPACE CHILDREN "
	"LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE MULTIAPPEND "
	"UIDPLUS UNSELECT MOVE REPLACE BINARY CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN "
	"PARTIAL SORT SORT=DISPLAY ESORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT PREVIEW "
	"SAVEDATE OBJECTID QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE INPROGRESS";

static const char before_login[] = "IMAP4rev1 IMAP4rev2 ENABLE ID SASL-IR LITERAL+";

static void
put_before(struct imap_session *s, struct buf *b)
{
	BUF_AUTO names = BUF(500);
	str list, one;

	buf_addz(b, before_login);
	if (!conn_is_tls(s->io->conn) && s->io->tls != NULL)
		buf_addz(b, " STARTTLS");
	if (!entry_allowed(s->io)) {
		buf_addz(b, " LOGINDISABLED");
		return;
	}
	entry_mechanisms(s->io, DOOR_IMAP, &names);
	list = buf_str(&names);
	while (str_cut(&list, ' ', &one))
		buf_addf(b, " AUTH=" STR_FMT, STR_ARG(one));
}

void
imap_put_capabilities(struct imap_session *s, struct buf *b)
{
	if (s->state == IMAP_NEW) {
		put_before(s, b);
		return;
	}
	buf_addz(b, after_login);
	buf_addf(b, " APPENDLIMIT=%llu", (unsigned long long)s->conf->imap.append_most);
	if (!s->deflated)
		buf_addz(b, " COMPRESS=DEFLATE");
}

enum imap_did
cmd_capability(struct imap_session *s)
{
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	buf_addz(&s->out, "* CAPABILITY ");
	imap_put_capabilities(s, &s->out);
	buf_addz(&s->out, "\r\n");
	return imap_ok(s, NULL, "that is it");
}

/* RFC 5161 3.1: what is not known is passed over.  What is enabled stays. */
enum imap_did
cmd_enable(struct imap_session *s)
{
	static const struct {
		str name;
		unsigned bit;
	} known[] = {
		{ STR_INIT("IMAP4REV2"), ENABLED_REV2 },
		{ STR_INIT("UTF8=ACCEPT"), ENABLED_UTF8 },
		{ STR_INIT("CONDSTORE"), ENABLED_CONDSTORE },
		{ STR_INIT("QRESYNC"), ENABLED_QRESYNC | ENABLED_CONDSTORE },
	};
	struct imap_lex *x = &s->cmd.x;
	unsigned now = s->enabled;
	str name;

	if (lex_end(x))
		return imap_badz(s, "ENABLE what?");
	while (!lex_end(x)) {
		if (!lex_sp(x) || !lex_atom(x, &name))
			return imap_bad(s);
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (str_ieq(name, known[i].name))
				now |= known[i].bit;
	}
	buf_addz(&s->out, "* ENABLED");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if ((known[i].bit & ~s->enabled & now) != 0 &&
			(known[i].bit & ENABLED_CONDSTORE) == 0)
			buf_addf(&s->out, " " STR_FMT, STR_ARG(known[i].name));
	if ((now & ~s->enabled & ENABLED_QRESYNC) != 0)
		buf_addz(&s->out, " QRESYNC CONDSTORE");
	else if ((now & ~s->enabled & ENABLED_CONDSTORE) != 0)
		buf_addz(&s->out, " CONDSTORE");
	buf_addz(&s->out, "\r\n");
	s->enabled = now;
	return imap_ok(s, NULL, "enabled");
}
