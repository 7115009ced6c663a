/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "pop3/pop3_int.h"

typedef struct pop3_reply pop3_run(struct pop3_session *s, const struct pop3_cmd *c);

static const struct pop3_reply done = { .ok = true, .text = "done" };
static const struct pop3_reply no_message = { .text = "no such message" };
static const struct pop3_reply removed = {
	.text = "another program removed it meanwhile"
};

/* ---- which message ---- */

static bool
message(const struct pop3_session *s, str number, size_t *at)
{
	uint32_t n;

	if (!pop3_number(number, &n) || n > s->drop.n ||
		(s->drop.mails[n - 1].marks & POP3_DELETED) != 0)
		return false;
	*at = n - 1;
	return true;
}

/* ---- CAPA (RFC 2449, 2595, 3206, 5034, 6856) ---- */

static void
put_capabilities(const struct pop3_session *s, struct buf *b)
{
	buf_addz(b, "+OK this is what I can do\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
		    "AUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nEXPIRE NEVER\r\n"
		    "IMPLEMENTATION Gatepost\r\n");
	if (entry_allowed(s->base.io)) {
		buf_addz(b, "USER\r\nSASL ");
		entry_mechanisms(s->base.io, DOOR_POP3, b);
		buf_addz(b, "\r\n");
	}
	if (s->state == POP3_NEW && !conn_is_tls(s->base.io->conn) &&
		s->base.io->tls != NULL)
		buf_addz(b, "STLS\r\n");
	buf_addz(b, ".\r\n");
}

static struct pop3_reply
cmd_capa(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)s;
	(void)c;
	return (struct pop3_reply){ .ok = true, .put = put_capabilities };
}

static enum session_step
phase_stls(void *session)
{
	return session_starttls(session, pop3_phase_secured);
}

static struct pop3_reply
cmd_stls(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)c;
	if (conn_is_tls(s->base.io->conn))
		return (struct pop3_reply){ .text = "TLS is in use already" };
	if (s->base.io->tls == NULL)
		return (struct pop3_reply){ .text = "there is no certificate for it" };
	return (struct pop3_reply){ .ok = true, .text = "begin TLS", .next = phase_stls };
}

/* Messages are UTF-8 where they are; nothing is made into something else for who did
 * not say this. */
static struct pop3_reply
cmd_utf8(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)c;
	s->utf8 = true;
	return done;
}

static struct pop3_reply
cmd_noop(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)s;
	(void)c;
	return done;
}

static struct pop3_reply
cmd_rset(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)c;
	pop3_drop_reset(s);
	return done;
}

/* ---- lists ---- */

static void
put_stat(const struct pop3_session *s, struct buf *b)
{
	buf_addf(b, "+OK %zu %" PRIu64 "\r\n", s->drop.left, s->drop.bytes);
}

static struct pop3_reply
cmd_stat(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)s;
	(void)c;
	return (struct pop3_reply){ .ok = true, .put = put_stat };
}

static void
put_one_size(const struct pop3_session *s, struct buf *b)
{
	buf_addz(b, "+OK ");
	pop3_put_size(s, s->send.at, b);
}

static void
put_one_uidl(const struct pop3_session *s, struct buf *b)
{
	buf_addz(b, "+OK ");
	pop3_put_uidl(s, s->send.at, b);
}

static struct pop3_reply
cmd_list(struct pop3_session *s, const struct pop3_cmd *c)
{
	if (c->nargs == 1)
		return message(s, c->args[0], &s->send.at)
			       ? (struct pop3_reply){ .ok = true, .put = put_one_size }
			       : no_message;
	pop3_send_list(s, pop3_more_sizes);
	return (struct pop3_reply){
		.ok = true, .text = "sizes in octets", .next = pop3_phase_send
	};
}

static struct pop3_reply
cmd_uidl(struct pop3_session *s, const struct pop3_cmd *c)
{
	if (c->nargs == 1)
		return message(s, c->args[0], &s->send.at)
			       ? (struct pop3_reply){ .ok = true, .put = put_one_uidl }
			       : no_message;
	pop3_send_list(s, pop3_more_uidls);
	return (struct pop3_reply){
		.ok = true, .text = "names that stay", .next = pop3_phase_send
	};
}

/* ---- messages ---- */

static void
put_octets(const struct pop3_session *s, struct buf *b)
{
	buf_addf(b, "+OK %" PRIu64 " octets\r\n", s->drop.mails[s->send.at].size);
}

static struct pop3_reply
send_message(struct pop3_session *s, size_t at, bool top, uint64_t lines)
{
	struct err err = { 0 };
	enum rc rc = pop3_send_message(s, at, top, lines, &err);

	if (rc == RC_NONE)
		return removed;
	if (rc != RC_OK) {
		log_error("msg=\"a message could not be opened\" account=%" PRIu64
			  " why=\"%s\"",
			s->account, err.text);
		return (struct pop3_reply){ .code = "SYS/TEMP",
			.text = "it cannot be read at the moment" };
	}
	if (top)
		return (struct pop3_reply){
			.ok = true, .text = "the top of it", .next = pop3_phase_send
		};
	return (struct pop3_reply){
		.ok = true, .put = put_octets, .next = pop3_phase_send
	};
}

static struct pop3_reply
cmd_retr(struct pop3_session *s, const struct pop3_cmd *c)
{
	size_t at;

	return message(s, c->args[0], &at) ? send_message(s, at, false, 0) : no_message;
}

static struct pop3_reply
cmd_top(struct pop3_session *s, const struct pop3_cmd *c)
{
	uint64_t lines;
	size_t at;

	if (!str_u64(c->args[1], UINT32_MAX, &lines))
		return (struct pop3_reply){ .text = "that is no number of lines",
			.bad = true };
	return message(s, c->args[0], &at) ? send_message(s, at, true, lines)
					   : no_message;
}

static struct pop3_reply
cmd_dele(struct pop3_session *s, const struct pop3_cmd *c)
{
	size_t at;

	if (!message(s, c->args[0], &at))
		return no_message;
	s->drop.mails[at].marks |= POP3_DELETED;
	s->drop.left--;
	s->drop.bytes -= s->drop.mails[at].size;
	return (struct pop3_reply){ .ok = true, .text = "it goes at QUIT" };
}

/* RFC 1939 6: the UPDATE state; the lock ends with it. */
static enum session_step
phase_quit(void *session)
{
	static const struct pop3_reply goodbye = {
		.ok = true, .text = "goodbye", .close = true
	};
	static const struct pop3_reply not_all = { .code = "SYS/TEMP",
		.text = "some deleted messages are still there",
		.close = true };
	struct pop3_session *s = session;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	/* not before what it read has left: who has gone meanwhile may not have it */
	if (s->base.late)
		return pop3_late(s);
	session_patience(&s->base, POP3_IDLE_MS);
	enum session_step step = session_flush(&s->base);
	if (step != STEP_GO)
		return step;
	if (s->state == POP3_IN)
		rc = pop3_drop_update(s, &err);
	if (rc != RC_OK)
		log_error("msg=\"mail was not removed\" account=%" PRIu64 " why=\"%s\"",
			s->account, err.text);
	pop3_drop_close(s);
	return pop3_answer(s, rc == RC_OK ? &goodbye : &not_all);
}

static struct pop3_reply
cmd_quit(struct pop3_session *s, const struct pop3_cmd *c)
{
	(void)s;
	(void)c;
	return (struct pop3_reply){ .ok = true, .next = phase_quit };
}

/* ---- the table ---- */

enum { BLANKS = 99 }; /* arguments that may have them: c->rest */

static const struct {
	const char *name;
	unsigned states;
	size_t least, most;
	pop3_run *run;
} commands[] = {
	{ "AUTH", POP3_NEW, 1, 2, pop3_auth },
	{ "CAPA", POP3_ANY, 0, 0, cmd_capa },
	{ "DELE", POP3_IN, 1, 1, cmd_dele },
	{ "LIST", POP3_IN, 0, 1, cmd_list },
	{ "NOOP", POP3_IN, 0, 0, cmd_noop },
	{ "PASS", POP3_NEW, 1, BLANKS, pop3_pass },
	{ "QUIT", POP3_ANY, 0, 0, cmd_quit },
	{ "RETR", POP3_IN, 1, 1, cmd_retr },
	{ "RSET", POP3_IN, 0, 0, cmd_rset },
	{ "STAT", POP3_IN, 0, 0, cmd_stat },
	{ "STLS", POP3_NEW, 0, 0, cmd_stls },
	{ "TOP", POP3_IN, 2, 2, cmd_top },
	{ "UIDL", POP3_IN, 0, 1, cmd_uidl },
	{ "USER", POP3_NEW, 1, BLANKS, pop3_user },
	{ "UTF8", POP3_NEW, 0, 0, cmd_utf8 },
};

struct pop3_reply
pop3_dispatch(struct pop3_session *s, str line)
{
	struct pop3_cmd c;

	if (pop3_parse(line, &c) != RC_OK)
		return (struct pop3_reply){ .text = "that is no command", .bad = true };
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!str_ieq(c.word, str_of(commands[i].name)))
			continue;
		if ((commands[i].states & s->state) == 0)
			return (struct pop3_reply){ .bad = true,
				.text = s->state == POP3_NEW ? "log in first"
							     : "you are logged in" };
		if (c.nargs < commands[i].least || c.nargs > commands[i].most)
			return (struct pop3_reply){ .text = "wrong number of arguments",
				.bad = true };
		return commands[i].run(s, &c);
	}
	return (struct pop3_reply){ .text = "no such command", .bad = true };
}
