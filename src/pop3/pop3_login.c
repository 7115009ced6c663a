/* SPDX-License-Identifier: ISC */
/*
 * USER and PASS, and AUTH (RFC 5034): how entry.h's dialogue is spoken here.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "pop3/pop3_int.h"

static const struct pop3_reply
	in_clear = { .text = "no passwords in clear: use STLS first", .bad = true },
	no_user = { .text = "say USER first", .bad = true },
	unknown = { .text = "no such mechanism here", .bad = true },
	in_use = { .code = "IN-USE", .text = "another session has this mailbox" },
	no_drop = { .code = "SYS/TEMP",
		.text = "the mailbox cannot be opened at the moment" },
	wrong = { .code = "AUTH", .text = "wrong name or password", .bad = true },
	not_spoken = { .text = "that is not how this mechanism is spoken", .bad = true },
	cancelled = { .text = "cancelled", .bad = true },
	later = { .code = "SYS/TEMP",
		.text = "the directory cannot be asked at the moment" },
	busy = { .code = "SYS/TEMP", .text = "too many logins at the moment" },
	/* text: the entry's own sentence */
	blocked = { .code = "SYS/TEMP", .bad = true },
	disabled = { .code = "AUTH", .bad = true };

static const struct pop3_reply *const ends[ENTRY_ENDS] = {
	[ENTRY_WRONG] = &wrong,
	[ENTRY_BAD] = &not_spoken,
	[ENTRY_NO_BASE64] = &not_spoken,
	[ENTRY_CANCELLED] = &cancelled,
	[ENTRY_BLOCKED] = &blocked,
	[ENTRY_DISABLED] = &disabled,
	[ENTRY_LATER] = &later,
	[ENTRY_BUSY] = &busy,
};

static struct entry_want
wanted(struct pop3_session *s)
{
	return (struct entry_want){ .io = s->base.io,
		.logins = s->house->logins,
		.hashes = s->house->hashes,
		.errand = &s->errand,
		.door = DOOR_POP3 };
}

void
pop3_login_end(struct pop3_session *s)
{
	if (s->entry != NULL)
		s->user[0] = '\0';
	entry_free(&s->entry);
}

static enum session_step
end_with(struct pop3_session *s, const struct pop3_reply *r)
{
	enum session_step step;

	s->base.phase = pop3_phase_command;
	step = pop3_answer(s, r); /* its text may be the login's */
	pop3_login_end(s);
	return step;
}

/* ---- how it ends ---- */

static void
put_welcome(const struct pop3_session *s, struct buf *b)
{
	buf_addf(b, "+OK %zu messages (%" PRIu64 " octets)\r\n", s->drop.left,
		s->drop.bytes);
}

static enum session_step
come_in(struct pop3_session *s)
{
	static const struct pop3_reply welcome = { .ok = true, .put = put_welcome };
	struct err err = { 0 };
	enum rc rc;

	pass_take(&s->pass, s->base.io, s->entry);
	s->account = s->pass.account;
	rc = pop3_drop_open(s, &err);
	if (rc != RC_OK)
		pass_return(&s->pass);
	if (rc == RC_LIMIT)
		return end_with(s, &in_use);
	if (rc != RC_OK) {
		log_error("msg=\"a mailbox could not be opened\" door=pop3 why=\"%s\"",
			err.text);
		return end_with(s, &no_drop);
	}
	s->state = POP3_IN;
	conn_secret(s->base.io->conn, false);
	return end_with(s, &welcome);
}

static enum session_step
told(struct pop3_session *s)
{
	enum entry_end end = entry_end(s->entry);

	if (end == ENTRY_IN)
		return come_in(s);
	struct pop3_reply r = *ends[end];
	if (r.text == NULL)
		r.text = entry_sentence(s->entry);
	return end_with(s, &r);
}

/* ---- on the way ---- */

static enum session_step
listen_on(struct pop3_session *s)
{
	enum session_step step;
	bool long_line;
	str line;

	if (s->base.late || s->base.draining)
		return s->base.late ? pop3_late(s) : end_with(s, &cancelled);
	step = session_line(&s->base, POP3_AUTH_MOST, &line, &long_line);
	if (step != STEP_GO)
		return step;
	if (long_line)
		return end_with(s, &not_spoken);
	entry_heard(s->entry, line);
	return STEP_GO;
}

static enum session_step
phase_login(void *session)
{
	struct pop3_session *s = session;
	BUF_AUTO b = BUF(POP3_AUTH_MOST);
	uint64_t again_ms;

	switch (entry_go_on(s->entry, &again_ms)) {
	case ENTRY_WAIT:
		return session_pause(
			&s->base, again_ms != 0 ? again_ms : clock_ms() + ENTRY_MS);
	case ENTRY_SAY:
		entry_words(s->entry, &b);
		conn_write(s->base.io->conn, buf_str(&b));
		return STEP_GO;
	case ENTRY_LISTEN:
		return listen_on(s);
	case ENTRY_OVER:
		break;
	}
	return told(s);
}

/* ---- the commands ---- */

struct pop3_reply
pop3_auth(struct pop3_session *s, const struct pop3_cmd *c)
{
	const struct entry_want want = wanted(s);

	if (!entry_allowed(s->base.io))
		return in_clear;
	if (entry_sasl(&want, c->args[0], &s->entry) != RC_OK)
		return unknown;
	/* RFC 5034 4: "=" is an initial response that is empty */
	if (c->nargs == 2 && !str_eq(c->args[1], STR("=")))
		entry_heard(s->entry, c->args[1]);
	return (struct pop3_reply){ .ok = true, .next = phase_login };
}

struct pop3_reply
pop3_user(struct pop3_session *s, const struct pop3_cmd *c)
{
	if (!entry_allowed(s->base.io))
		return in_clear;
	/* one that does not fit is nobody's; PASS will say so */
	if (!str_z(str_trim(c->rest), s->user, sizeof(s->user)))
		(void)str_z(STR("?"), s->user, sizeof(s->user));
	return (struct pop3_reply){ .ok = true, .text = "and the password?" };
}

struct pop3_reply
pop3_pass(struct pop3_session *s, const struct pop3_cmd *c)
{
	const struct entry_want want = wanted(s);

	if (!entry_allowed(s->base.io))
		return in_clear;
	if (s->user[0] == '\0')
		return no_user;
	s->entry = entry_user(&want, str_of(s->user), c->rest);
	return (struct pop3_reply){ .ok = true, .next = phase_login };
}
