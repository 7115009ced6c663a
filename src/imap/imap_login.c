/* SPDX-License-Identifier: ISC */
/*
 * LOGIN and AUTHENTICATE (RFC 9051 6.2.2, 6.2.3): how entry.h's dialogue is spoken here.  All
 * that was said until somebody is in is wiped (end_command() in imap_session.c).
 */
#include "base/clock.h"
#include "imap/imap_int.h"

static void
end_login(struct imap_session *s)
{
	entry_free(&s->entry);
}

static struct entry_want
wanted(struct imap_session *s)
{
	return (struct entry_want){ .io = s->io,
		.logins = s->house->logins,
		.hashes = s->house->hashes,
		.errand = &s->errand,
		.door = DOOR_IMAP };
}

/* ---- how it ends ---- */

static enum imap_did
logged_in(struct imap_session *s)
{
	BUF_AUTO b = BUF(2000);
	str code;

	s->state = IMAP_AUTH;
	pass_take(&s->pass, s->io, s->entry);
	s->account = s->pass.account;
	(void)str_z(str_first(str_of(entry_address(s->entry)), sizeof(s->address) - 1),
		s->address, sizeof(s->address));
	session_patience(&s->base, s->conf->imap.idle_timeout);
	buf_addz(&b, "CAPABILITY ");
	imap_put_capabilities(s, &b);
	if (arena_copy(s->cmd.mem, buf_str(&b), &code) != RC_OK)
		return imap_ok(s, NULL, "welcome");
	return imap_ok(s, code.ptr, "welcome");
}

static enum imap_did
ended(struct imap_session *s)
{
	/* code NULL: BAD; text NULL: the entry's own sentence */
	static const struct {
		const char *code, *text;
	} says[ENTRY_ENDS] = {
		[ENTRY_WRONG] = { "AUTHENTICATIONFAILED", "wrong name or password" },
		[ENTRY_BAD] = { NULL, "that is not how this mechanism is spoken" },
		[ENTRY_NO_BASE64] = { NULL, "that is not base64" },
		[ENTRY_CANCELLED] = { NULL, "cancelled" },
		[ENTRY_BLOCKED] = { "LIMIT", NULL },
		[ENTRY_DISABLED] = { "AUTHORIZATIONFAILED", NULL },
		[ENTRY_LATER] = { "UNAVAILABLE",
			"the directory cannot be asked at the moment" },
		[ENTRY_BUSY] = { "UNAVAILABLE",
			"too many logins at the moment, try again later" },
	};
	enum entry_end end = entry_end(s->entry);
	str text;

	if (end == ENTRY_IN)
		return logged_in(s);
	if (says[end].code == NULL)
		return imap_badz(s, says[end].text);
	if (says[end].text != NULL)
		return imap_no(s, says[end].code, says[end].text);
	if (arena_copy(s->cmd.mem, str_of(entry_sentence(s->entry)), &text) != RC_OK)
		text = STR("no");
	return imap_no(s, says[end].code, text.ptr);
}

static enum imap_did go_on(struct imap_session *s);

static enum imap_did
listen_on(struct imap_session *s)
{
	str line;

	switch (imap_line(s, &line)) {
	case CONN_OK:
		entry_heard(s->entry, line);
		return go_on(s);
	case CONN_QUIET:
	case CONN_FULL:
		return IMAP_READ;
	case CONN_LONG:
		return imap_badz(s, "that line is too long");
	case CONN_CLOSED:
		break;
	}
	return imap_lost(s);
}

static enum imap_did
go_on(struct imap_session *s)
{
	switch (entry_go_on(s->entry, &s->wake_ms)) {
	case ENTRY_WAIT:
		return IMAP_WAIT;
	case ENTRY_SAY:
		entry_words(s->entry, &s->out);
		return IMAP_MORE;
	case ENTRY_LISTEN:
		return listen_on(s);
	case ENTRY_OVER:
		break;
	}
	return ended(s);
}

/* ---- the commands ---- */

static enum imap_did
not_in_clear(struct imap_session *s)
{
	return imap_no(s, "PRIVACYREQUIRED", "no passwords in clear: use TLS");
}

enum imap_did
cmd_login(struct imap_session *s)
{
	const struct entry_want want = wanted(s);
	struct imap_lex *x = &s->cmd.x;
	str user, password;

	if (s->entry != NULL)
		return go_on(s);
	if (!lex_sp(x) || !lex_astring(x, &user) || !lex_sp(x) ||
		!lex_astring(x, &password) || !lex_end(x))
		return imap_bad(s);
	if (!entry_allowed(s->io))
		return not_in_clear(s);
	s->cmd.end = end_login;
	s->entry = entry_user(&want, user, password);
	return go_on(s);
}

enum imap_did
cmd_authenticate(struct imap_session *s)
{
	const struct entry_want want = wanted(s);
	struct imap_lex *x = &s->cmd.x;
	str mechanism, first = { 0 };

	if (s->entry != NULL)
		return go_on(s);
	if (!lex_sp(x) || !lex_atom(x, &mechanism))
		return imap_bad(s);
	if (lex_sp(x)) {
		first = str_skip(x->all, x->at);
		x->at = x->all.len;
	}
	if (!lex_end(x))
		return imap_bad(s);
	if (!entry_allowed(s->io))
		return not_in_clear(s);
	if (entry_sasl(&want, mechanism, &s->entry) != RC_OK)
		return imap_no(s, "CANNOT", "that mechanism is not offered here");
	s->cmd.end = end_login;
	/* RFC 4959: "=" is a response that is empty, with which none of ours begins */
	if (str_eq(first, STR("=")) || str_eq(first, STR("*")))
		return imap_badz(s, "that is no beginning of this mechanism");
	if (first.len > 0)
		entry_heard(s->entry, first);
	return go_on(s);
}
