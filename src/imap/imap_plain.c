/* SPDX-License-Identifier: ISC */
/* Commands that concern the session alone. */
#include "base/log.h"
#include "imap/imap_int.h"

enum { ID_PAIRS = 30, ID_SHOWN = 60 };

enum imap_did
cmd_noop(struct imap_session *s)
{
	return lex_end(&s->cmd.x) ? imap_ok(s, NULL, "as you like") : imap_bad(s);
}

/* Everything is on disk before it is answered. */
enum imap_did
cmd_check(struct imap_session *s)
{
	return lex_end(&s->cmd.x) ? imap_ok(s, NULL, "all is safe") : imap_bad(s);
}

enum imap_did
cmd_logout(struct imap_session *s)
{
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	imap_unselect(s);
	buf_addz(&s->out, "* BYE until next time\r\n");
	(void)imap_ok(s, NULL, "goodbye");
	s->reply.close = true;
	s->base.why = "logged out";
	return IMAP_DONE;
}

/* What the connection cannot go on with: there is nobody to answer. */
enum imap_did
imap_lost(struct imap_session *s)
{
	s->base.why = s->base.late ? "you were silent for too long"
				   : conn_why(s->io->conn);
	if (s->base.late)
		buf_addz(&s->out, "* BYE you were silent for too long\r\n");
	(void)imap_badz(s, "the rest of the command did not come");
	s->reply.close = true;
	return IMAP_DONE;
}

/* RFC 2971 3.1: who asks may say who it is: up to 30 pairs, noted for the administrator. */
static bool
read_pairs(struct imap_session *s, struct buf *shown)
{
	struct imap_lex *x = &s->cmd.x;
	bool nil, first = true;
	str name, value;

	while (!lex_char(x, ')')) {
		if ((!first && !lex_sp(x)) || !lex_string(x, &name) || !lex_sp(x) ||
			!lex_nstring(x, &value, &nil))
			return false;
		first = false;
		if (str_ieq(name, STR("name")) || str_ieq(name, STR("version")))
			buf_addf(shown, STR_FMT " ", STR_ARG(str_first(value, ID_SHOWN)));
	}
	return true;
}

enum imap_did
cmd_id(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;
	BUF_AUTO shown = BUF(4 * ID_SHOWN);
	bool nil = false;
	str value;

	if (!lex_sp(x))
		return imap_bad(s);
	if (lex_char(x, '(')) {
		if (!read_pairs(s, &shown))
			return imap_bad(s);
	} else if (!lex_nstring(x, &value, &nil) || !nil) {
		return imap_bad(s);
	}
	if (!lex_end(x))
		return imap_bad(s);
	if (shown.len > 0)
		log_debug("imap client=\"" STR_FMT "\"",
			STR_ARG(str_trim(buf_str(&shown))));
	buf_addz(&s->out, "* ID (\"name\" \"Gatepost\"");
	if (s->state != IMAP_NEW)
		buf_addz(&s->out, " \"version\" \"" GATEPOST_VERSION "\"");
	buf_addz(&s->out, ")\r\n");
	return imap_ok(s, NULL, "pleased to meet you");
}

enum imap_did
cmd_starttls(struct imap_session *s)
{
	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	if (conn_is_tls(s->io->conn))
		return imap_badz(s, "this connection is under TLS already");
	if (s->io->tls == NULL)
		return imap_no(s, "UNAVAILABLE", "there is no certificate");
	s->cmd.then = imap_then_tls;
	return imap_ok(s, NULL, "begin TLS now");
}

static void
then_deflate(struct imap_session *s)
{
	s->deflated = conn_start_deflate(s->io->conn);
}

enum imap_did
cmd_compress(struct imap_session *s)
{
	struct imap_lex *x = &s->cmd.x;

	if (!lex_sp(x) || !lex_word(x, STR("DEFLATE")) || !lex_end(x))
		return imap_bad(s);
	if (s->deflated)
		return imap_no(
			s, "COMPRESSIONACTIVE", "this connection is compressed already");
	s->cmd.then = then_deflate;
	return imap_ok(s, NULL, "compressed from here on");
}
