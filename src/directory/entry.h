/* SPDX-License-Identifier: ISC */
/*
 * entry: how the client of a session comes in, and whether it may stay: the same for IMAP, POP3
 * and the web.
 *
 *	e = entry_user(&want, user, password), or entry_sasl(&want, mechanism, &e)
 *	entry_go_on(e, …) whenever the session runs:
 *		ENTRY_WAIT	park without reading, until *again_ms or woken
 *		ENTRY_SAY	send entry_words(); then, and until there is a line:
 *		ENTRY_LISTEN	the client's next line goes to entry_heard()
 *		ENTRY_OVER	entry_end() says how; the session answers
 *	pass_take(&s->pass, …, e) if it was ENTRY_IN; entry_free(&e) in any case
 *
 * What it takes to know somebody may wait for a hash: each step is an errand.  An answer that the
 * guard delays is given after a pause.  An entry has copies of its own of what it was given, and wipes
 * them; the session wipes its command, and tells its connection to (conn_secret()).
 *
 * A pass is what remains: who is in, and by which password.  When the account is disabled or
 * removed, or that password is no more, logins_shut_out() wakes the session; it asks
 * pass_valid() then and before each command (cheap as long as nothing in the directory
 * changes), and ends.  Both are one session's; logins_shut_out() is for any thread.
 */
#pragma once

#include "directory/login.h"
#include "net/errand.h"
#include "net/service.h"

struct entry;

enum { ENTRY_MS = 60 * 1000 };	/* from a session's beginning until it is in */

struct entry_want {
	struct session_io *io;
	struct logins *logins;
	struct pool *hashes;
	struct errand *errand;	/* the session's; nothing else under way, and waited for before entry_free() */
	enum login_door door;
};

enum entry_did { ENTRY_WAIT, ENTRY_SAY, ENTRY_LISTEN, ENTRY_OVER };

enum entry_end {
	ENTRY_IN,
	ENTRY_WRONG,		/* name or password */
	ENTRY_BAD,		/* not the mechanism's language */
	ENTRY_NO_BASE64,
	ENTRY_CANCELLED,	/* "*" */
	ENTRY_BLOCKED,		/* entry_sentence() says until when */
	ENTRY_DISABLED,		/* entry_sentence() */
	ENTRY_LATER,		/* the directory could not be asked */
	ENTRY_BUSY,		/* too many hashes are waited for */
	ENTRY_ENDS,
};

/* May passwords be said here: TLS, or cleartext from the loopback where that is allowed? */
bool entry_allowed(const struct session_io *io);
void entry_mechanisms(const struct session_io *io, enum login_door door, struct buf *out);

struct entry *entry_user(const struct entry_want *w, str user, str password);
/* RC_BAD: no such mechanism here.  It begins with nothing from the client, unless entry_heard()
 * comes first. */
enum rc entry_sasl(const struct entry_want *w, str mechanism, struct entry **out) MUST_CHECK;
void entry_free(struct entry **ep);

enum entry_did entry_go_on(struct entry *e, uint64_t *again_ms);	/* 0: only when woken */
void entry_words(struct entry *e, struct buf *b);	/* "+ base64 CRLF" */
void entry_heard(struct entry *e, str line);
enum entry_end entry_end(const struct entry *e);
const char *entry_sentence(const struct entry *e);
const char *entry_address(const struct entry *e);	/* canonical; of who is in */

struct pass {
	struct logins *logins;	/* NULL: nobody is in */
	uint64_t account, round, mark;
	struct service *service;
	uint64_t number;
	struct pass *next, **at;	/* the logins' own */
};

void pass_take(struct pass *p, const struct session_io *io, const struct entry *e);
void pass_return(struct pass *p);	/* before the session ends; also of one that was not taken */
bool pass_valid(struct pass *p);	/* true also while nobody is in, or the directory cannot be asked */
/* Wakes all who are in by this account; for the directory's `shut_out`. */
void logins_shut_out(struct logins *l, uint64_t account);
