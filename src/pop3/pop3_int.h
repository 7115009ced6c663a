/* SPDX-License-Identifier: ISC */
/*
 * pop3_int: what the files of this folder share: the session (its phases: net/session.h).
 * Commands return their reply; only the phases write.  Long answers are producers: called
 * for a piece whenever there is room for one.
 */
#pragma once

#include "net/session.h"
#include "pop3/pop3.h"
#include "store/view.h"
#include "wire/pop3.h"

enum {
	POP3_INBOX = 1,			/* the number of the mailbox */
	POP3_IDLE_MS = 10 * 60 * 1000,	/* RFC 1939 3: at least this */
	POP3_LAST_MS = 60 * 1000,	/* to hear the last words */
	POP3_ERRORS = 20,		/* commands that are none, failed logins */
	POP3_PIECE = 16 * 1024,		/* of a file */
	POP3_ROOM = 2 * POP3_PIECE + 64, /* what may become of it */
};

enum pop3_state { POP3_NEW = 1, POP3_IN = 2, POP3_ANY = 3 };	/* bits */

struct pop3_session;

struct pop3_reply {
	bool ok;
	bool bad;			/* counts as an error */
	bool close;
	const char *code, *text;	/* "AUTH", or NULL; NULL: a phase will answer */
	void (*put)(const struct pop3_session *s, struct buf *b);	/* instead: all of it */
	session_phase *next;		/* after the reply; NULL: the next command */
};

enum pop3_mark { POP3_DELETED = 1, POP3_READ = 2 };

struct pop3_mail {
	uint32_t uid;
	unsigned marks;
	uint64_t size;
};

/* INBOX as it was when the session came in. */
struct pop3_drop {
	struct view *view;
	uint32_t uidvalidity;
	size_t n, left;			/* left: not deleted */
	uint64_t bytes;			/* of those */
	struct pop3_mail *mails;
};

/* A long answer. False: that was its end. */
typedef bool pop3_more(struct pop3_session *s, struct buf *b);

struct pop3_send {
	pop3_more *more;
	size_t at;			/* the message, from 0 */
	int fd;				/* of its file, or -1 */
	uint64_t offset;
	uint64_t lines;			/* TOP: of the body, still to go */
	bool top, body, mid_line, after_cr, only_cr, failed;
};

struct pop3_session {
	struct session base;
	struct pop3_house *house;
	const struct conf *conf;
	enum pop3_state state;
	bool utf8;
	unsigned errors;
	uint64_t account;		/* 0: not logged in */
	struct errand errand;
	struct entry *entry;		/* a login under way; NULL: none */
	struct pass pass;		/* who is in */
	char user[640];			/* of USER; "": not said */
	struct pop3_drop drop;
	struct pop3_send send;
	uint64_t retrieved, deleted;
};

/* pop3_session.c */
enum session_step pop3_answer(struct pop3_session *s, const struct pop3_reply *r);
enum session_step pop3_late(struct pop3_session *s);
session_phase pop3_phase_command, pop3_phase_send, pop3_phase_secured;

/* pop3_cmds.c */
struct pop3_reply pop3_dispatch(struct pop3_session *s, str line);

/* pop3_login.c */
struct pop3_reply pop3_user(struct pop3_session *s, const struct pop3_cmd *c);
struct pop3_reply pop3_pass(struct pop3_session *s, const struct pop3_cmd *c);
struct pop3_reply pop3_auth(struct pop3_session *s, const struct pop3_cmd *c);
void pop3_login_end(struct pop3_session *s);	/* no errand may be under way */

/* pop3_drop.c; RC_LIMIT: another session has it */
enum rc pop3_drop_open(struct pop3_session *s, struct err *err) MUST_CHECK;
void pop3_drop_close(struct pop3_session *s);
void pop3_drop_reset(struct pop3_session *s);
/* Removes what was deleted, marks what was read. */
enum rc pop3_drop_update(struct pop3_session *s, struct err *err) MUST_CHECK;

/* pop3_send.c */
enum rc pop3_send_message(struct pop3_session *s, size_t at, bool top, uint64_t lines,
	struct err *err) MUST_CHECK;
void pop3_send_list(struct pop3_session *s, pop3_more *more);
void pop3_send_end(struct pop3_session *s);
void pop3_put_size(const struct pop3_session *s, size_t at, struct buf *b);
void pop3_put_uidl(const struct pop3_session *s, size_t at, struct buf *b);
pop3_more pop3_more_sizes, pop3_more_uidls;
