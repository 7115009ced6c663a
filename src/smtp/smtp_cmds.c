/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "smtp/smtp_int.h"
#include "wire/smtp_reply.h"

static const struct smtp_reply
	bye = { 221, "2.0.0", "bye", .close = true },
	no_line = { 500, "5.5.2", "a line ends in CRLF and holds no CR, LF or NUL" },
	unknown = { 500, "5.5.2", "no such command" },
	out_of_order = { 503, "5.5.1", "not at this point" },
	no_args = { 501, "5.5.4", "this command takes no argument" },
	bad_name = { 501, "5.5.2", "say your name, in one word" },
	no_tls = { 502, "5.5.1", "no TLS here" },
	tls_already = { 503, "5.5.1", "TLS is on already" },
	go_tls = { 220, "2.0.0", "go ahead" },
	no_login = { 503, "5.5.1", "nobody logs in here" },
	no_expn = { 502, "5.5.1", "lists are not shown" },
	vrfy = { 252, "2.5.0", "send it and you will see" },
	unsynchronized = { 503, "5.5.0",
		"improper pipelining: wait for the reply to this command",
		.close = true },
	too_many_mails = { 421, "4.7.0", "too many messages in one session",
		.close = true },
	too_large = { 552, "5.3.4", "the message is larger than this server takes" };

/* Whatever waits behind a command that must be the last of its group
 * (RFC 2920 3.1) was sent by somebody who does not listen. */
static bool
talks_on(const struct smtp_session *s)
{
	return conn_buffered(s->base.io->conn) > 0;
}

static void
put_ehlo(struct smtp_session *s, struct buf *b)
{
	const struct conf_smtp *c = &s->conf->smtp;
	char line[80];
	str name = s->conf->server.hostname;
	unsigned long long most = c->max_recipients < SMTP_RCPTS_MOST ? c->max_recipients
								      : SMTP_RCPTS_MOST;

	smtp_put_line(b, 250, false, name);
	smtp_put_line(b, 250, false, STR("PIPELINING"));
	(void)snprintf(line, sizeof(line), "SIZE %llu", (unsigned long long)c->max_size);
	smtp_put_line(b, 250, false, str_of(line));
	smtp_put_line(b, 250, false, STR("8BITMIME"));
	smtp_put_line(b, 250, false, STR("BINARYMIME"));
	smtp_put_line(b, 250, false, STR("CHUNKING"));
	smtp_put_line(b, 250, false, STR("SMTPUTF8"));
	smtp_put_line(b, 250, false, STR("ENHANCEDSTATUSCODES"));
	if (s->base.io->tls != NULL && !conn_is_tls(s->base.io->conn))
		smtp_put_line(b, 250, false, STR("STARTTLS"));
	/* RFC 9422 */
	(void)snprintf(line, sizeof(line), "LIMITS MAILMAX=%llu RCPTMAX=%llu",
		(unsigned long long)c->max_messages, most);
	smtp_put_line(b, 250, false, str_of(line));
	smtp_put_line(b, 250, true, STR("PRDR"));
}

static void
put_helo(struct smtp_session *s, struct buf *b)
{
	smtp_put_line(b, 250, true, s->conf->server.hostname);
}

static struct smtp_reply
hello(struct smtp_session *s, str args, bool esmtp)
{
	str name;

	if (!smtp_helo_read(args, &name))
		return bad_name;
	if (s->state == SMTP_NEW && talks_on(s))
		return unsynchronized;
	smtp_forget_mail(s); /* RFC 5321 4.1.4: as RSET */
	arena_reset(s->mem);
	s->helo = STR("");
	if (arena_copy(s->mem, name, &s->helo) != RC_OK)
		return smtp_limit;
	s->state = SMTP_READY;
	s->esmtp = esmtp;
	return (struct smtp_reply){ 250, .put = esmtp ? put_ehlo : put_helo };
}

static struct smtp_reply
cmd_ehlo(struct smtp_session *s, str args)
{
	return hello(s, args, true);
}

static struct smtp_reply
cmd_helo(struct smtp_session *s, str args)
{
	return hello(s, args, false);
}

static struct smtp_reply
cmd_starttls(struct smtp_session *s, str args)
{
	(void)args;
	if (conn_is_tls(s->base.io->conn))
		return tls_already;
	if (s->base.io->tls == NULL)
		return no_tls;
	if (talks_on(s))
		return unsynchronized;
	(void)session_starttls(&s->base, smtp_phase_secured);
	return go_tls;
}

static struct smtp_reply
bad_mail(enum smtp_bad bad)
{
	static const struct smtp_reply rows[] = {
		[SMTP_BAD_SYNTAX] = { 501, "5.5.4", "say MAIL FROM:<address>" },
		[SMTP_BAD_ADDRESS] = { 501, "5.1.7", "this is not an address" },
		[SMTP_LONG_ADDRESS] = { 501, "5.1.7", "the address is too long" },
		[SMTP_BAD_PARAMETER] = { 501, "5.5.4",
			"a parameter is wrong or there twice" },
		[SMTP_NO_PARAMETER] = { 555, "5.5.4",
			"there is a parameter that is not known" },
		[SMTP_NEEDS_UTF8] = { 553, "5.6.7", "this address needs SMTPUTF8" },
	};

	return rows[bad];
}

/* RFC 1870 6.1: is there room for it? */
static const struct smtp_reply *
no_room(struct smtp_session *s, uint64_t size)
{
	uint64_t bytes, now_s = clock_ms() / 1000;
	unsigned full = atomic_load(&s->gate->full);

	if (size > s->conf->smtp.max_size)
		return &too_large;
	/* a quota, which the file system's figure does not show */
	if (full != 0 && now_s - full < 2)
		return &smtp_limit;
	if (fs_free_bytes(s->gate->incoming, &bytes, NULL) == RC_OK &&
		bytes < s->conf->smtp.min_free + size)
		return &smtp_limit;
	return NULL;
}

static struct smtp_reply
cmd_mail(struct smtp_session *s, str args)
{
	static const struct smtp_reply sender_ok = { 250, "2.1.0", "ok" };
	struct smtp_mail m;
	enum smtp_bad bad = smtp_mail_read(args, &m);

	if (bad != SMTP_GOOD)
		return bad_mail(bad);
	if (s->messages >= s->conf->smtp.max_messages)
		return too_many_mails;
	const struct smtp_reply *full = no_room(s, m.size);
	if (full != NULL)
		return *full;
	if (arena_copy(s->txn.mem, m.from.text, &s->txn.from) != RC_OK ||
		arena_copy(s->txn.mem, (str){ m.from.plain, m.from.plain_len },
			&s->txn.from_plain) != RC_OK)
		return smtp_limit;
	s->txn.body = m.body;
	s->txn.utf8 = m.utf8;
	s->txn.prdr = m.prdr;
	s->txn.commands = s->commands;
	s->state = SMTP_MAIL;
	return sender_ok;
}

static struct smtp_reply
cmd_rset(struct smtp_session *s, str args)
{
	(void)args;
	smtp_forget_mail(s);
	return smtp_ok;
}

static struct smtp_reply
cmd_noop(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return smtp_ok;
}

static struct smtp_reply
cmd_quit(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return bye;
}

static struct smtp_reply
cmd_vrfy(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return vrfy;
}

static struct smtp_reply
cmd_expn(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return no_expn;
}

static struct smtp_reply
cmd_auth(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return no_login;
}

static void put_help(struct smtp_session *s, struct buf *b);

static struct smtp_reply
cmd_help(struct smtp_session *s, str args)
{
	(void)s;
	(void)args;
	return (struct smtp_reply){ 214, .put = put_help };
}

#define IN(state) (1u << SMTP_##state)
#define IN_MAIL   (IN(READY) | IN(MAIL) | IN(RCPT))
#define IN_ANY    (IN(NEW) | IN_MAIL | IN(CHUNKS))

enum { NO_ARGS = 1 };

static const struct command {
	str name;
	struct smtp_reply (*run)(struct smtp_session *s, str args);
	unsigned in; /* states it is allowed in */
	unsigned flags;
} commands[] = {
	{ STR_INIT("EHLO"), cmd_ehlo, IN_ANY, 0 },
	{ STR_INIT("HELO"), cmd_helo, IN_ANY, 0 },
	{ STR_INIT("STARTTLS"), cmd_starttls, IN_MAIL, NO_ARGS },
	{ STR_INIT("MAIL"), cmd_mail, IN(READY), 0 },
	{ STR_INIT("RCPT"), smtp_rcpt, IN(MAIL) | IN(RCPT), 0 },
	{ STR_INIT("DATA"), smtp_data, IN(RCPT), NO_ARGS },
	/* its chunk follows whatever we think of it: see smtp_bdat() */
	{ STR_INIT("BDAT"), smtp_bdat, IN_ANY, 0 },
	{ STR_INIT("RSET"), cmd_rset, IN_ANY, NO_ARGS },
	{ STR_INIT("NOOP"), cmd_noop, IN_ANY, 0 },
	{ STR_INIT("QUIT"), cmd_quit, IN_ANY, NO_ARGS },
	{ STR_INIT("VRFY"), cmd_vrfy, IN_ANY, 0 },
	{ STR_INIT("EXPN"), cmd_expn, IN_ANY, 0 },
	{ STR_INIT("HELP"), cmd_help, IN_ANY, 0 },
	{ STR_INIT("AUTH"), cmd_auth, IN_ANY, 0 },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
put_help(struct smtp_session *s, struct buf *b)
{
	BUF_AUTO names = BUF(400);

	(void)s;
	for (size_t i = 0; i < COMMANDS; i++) {
		buf_addc(&names, ' ');
		buf_add(&names, commands[i].name);
	}
	smtp_put_line(
		b, 214, false, STR("2.0.0 RFC 5321 tells how to talk to this server:"));
	smtp_put_reply(b, 214, "2.0.0", buf_str(&names));
}

struct smtp_reply
smtp_dispatch(struct smtp_session *s, str line)
{
	struct smtp_line l;

	if (!smtp_line_read(line, &l))
		return no_line;
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		if (!str_ieq(c->name, l.verb))
			continue;
		if ((c->in & 1u << s->state) == 0)
			return out_of_order;
		if ((c->flags & NO_ARGS) && !str_empty(l.args))
			return no_args;
		return c->run(s, l.args);
	}
	return unknown;
}
