/* SPDX-License-Identifier: ISC */
/*
 * IDLE (RFC 9051 6.3.13): parked until somebody changes the mailbox or the client says DONE.
 * The session is woken by the view's watchers, so it costs nothing while nothing happens.
 */
#include "base/log.h"
#include "imap/imap_int.h"

static void
end_idle(struct imap_session *s)
{
	if (s->box.view != NULL)
		view_unwatch(s->box.view, s->io->number);
}

static enum imap_did
begin_idle(struct imap_session *s)
{
	static char idling;

	if (!lex_end(&s->cmd.x))
		return imap_bad(s);
	s->cmd.state = &idling;
	s->cmd.end = end_idle;
	buf_addz(&s->out, "+ idling\r\n");
	if (s->box.view != NULL)
		view_watch(s->box.view, s->io->number);
	return IMAP_MORE;
}

static enum imap_did
end_with(struct imap_session *s, const char *why)
{
	buf_addf(&s->out, "* BYE %s\r\n", why);
	s->base.why = why;
	s->reply.close = true;
	return IMAP_DONE;
}

enum imap_did
cmd_idle(struct imap_session *s)
{
	struct err err = { 0 };
	str line;

	if (s->cmd.state == NULL)
		return begin_idle(s);
	if (!pass_valid(&s->pass)) {
		(void)imap_no(s, "AUTHORIZATIONFAILED", imap_shut_out);
		return end_with(s, imap_shut_out);
	}
	if (s->base.draining) {
		(void)imap_no(s, "UNAVAILABLE", "going down");
		return end_with(s, "this server is going down, please come back");
	}
	if (s->box.view != NULL && imap_sync(s, false, &err) != RC_OK)
		log_warn("msg=\"changes could not be told\" why=\"%s\"", err.text);
	if (s->box.telling)
		return IMAP_MORE;
	if (s->dead)
		return imap_no(s, "NONEXISTENT", "the mailbox was deleted");
	switch (imap_line(s, &line)) {
	case CONN_OK:
		break;
	case CONN_QUIET:
	case CONN_FULL:
		return IMAP_READ;
	case CONN_LONG:
		return imap_badz(s, "DONE was expected");
	case CONN_CLOSED:
		return imap_lost(s);
	}
	if (!str_ieq(line, STR("DONE")))
		return imap_badz(s, "DONE was expected");
	return imap_ok(s, NULL, "done");
}
