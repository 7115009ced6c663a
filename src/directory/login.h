/* SPDX-License-Identifier: ISC */
/*
 * login: who somebody is, the same way on every door (IMAP, POP3, later submission and web).
 *
 * SASL by gsasl: PLAIN, SCRAM-SHA-256 and -PLUS (RFC 5802, 7677; channel bindings
 * tls-exporter, RFC 9266), and the doors' own user/password commands.  Passwords are compared with
 * yescrypt, at most LOGIN_HASHES at once; a success is remembered for 10 minutes under
 * a keyed hash of account, door and password, and forgotten when the account changes in any way.
 * App passwords are scoped to doors and stand beside the account's own.
 *
 * One guard: failures are counted per client address (IPv6 /64), per network (/24, /48) and
 * per account, and fade with time.  What has failed often is answered later and later (the
 * caller parks until `answer_ms`, so that it costs no thread), then not at all for a while (LOGIN_BLOCKED).  An address
 * from which an account was logged in to lately is not punished for what others do to that account
 * or in that network.  Unknown, disabled and passwordless accounts cost the same time as known ones, and SCRAM has a
 * stable salt for them that nobody can tell from a real one (RFC 5802 9).
 *
 * Each outcome is one line in the log (contrib/fail2ban):
 *	msg="login" door=imap client=192.0.2.1 user="…" how=PLAIN
 *	msg="login failed" door=imap client=192.0.2.1 user="…" how=PLAIN why="…"
 * Passwords are in no log.  Any thread; a struct login is one session's.
 */
#pragma once

#include "base/buf.h"
#include "base/ip.h"
#include "directory/directory.h"

struct logins;
struct login;

enum login_door { DOOR_IMAP = 1, DOOR_POP3 = 2, DOOR_SMTP = 4, DOOR_WEB = 8, DOOR_ALL = 15 };

/* "imap,pop3", as the command line has it; "all" for all. */
enum { LOGIN_DOORS_TEXT = 32 };
bool login_doors_parse(str text, unsigned *doors);
void login_doors_text(unsigned doors, char out[LOGIN_DOORS_TEXT]);

enum { LOGIN_HASHES = 4, LOGIN_STEP_MOST = 8192, LOGIN_BINDING = 32 };

struct logins *logins_new(struct directory *d, const struct conf *conf);
void logins_free(struct logins **lp);
/* Directory's `changed` calls it: what is remembered may be wrong now. */
void logins_forget(struct logins *l);
uint64_t logins_round(struct logins *l);	/* how often that was */
void logins_reload(struct logins *l, const struct conf *conf);

struct login_want {
	enum login_door door;
	struct ip peer;
	bool tls;		/* else only where the door allows cleartext logins */
	uint8_t binding[LOGIN_BINDING];	/* tls-exporter; for SCRAM-SHA-256-PLUS */
	bool has_binding;
};

enum login_says {
	LOGIN_MORE,		/* send `out` (not yet base64), and give the answer to the next step */
	LOGIN_OK,		/* account and address are set; nothing more is to be sent */
	LOGIN_WRONG,		/* name or password: "authentication failed" */
	LOGIN_BAD,		/* not this mechanism's language, or cancelled */
	LOGIN_BLOCKED,		/* too many failures here: `sentence` says until when */
	LOGIN_DISABLED,		/* right, but disabled, or not for this door: `sentence` */
	LOGIN_LATER,		/* the directory could not be asked */
};

struct login_answer {
	enum login_says says;
	uint64_t answer_ms;	/* clock_ms(): not to be answered earlier; 0: at once */
	uint64_t account, round, mark;	/* the last two: for a pass (entry.h) */
	char address[640];
	char sentence[160];
};

/* Mechanisms that may be offered here, with a blank between: "SCRAM-SHA-256-PLUS …". */
void login_mechanisms(const struct login_want *w, struct buf *out);
/* RC_BAD: no such mechanism (here). */
enum rc login_begin(struct logins *l, const struct login_want *w, str mechanism, struct login **out,
	struct err *err) MUST_CHECK;
/* May wait for a hash: on an errand's thread. */
void login_step(struct login *g, str in, struct buf *out, struct login_answer *a);
void login_free(struct login **gp);
/* USER and PASS, LOGIN; on an errand's thread. */
void login_plain(struct logins *l, const struct login_want *w, str user, str password,
	struct login_answer *a);
