/* SPDX-License-Identifier: ISC */
/*
 * imap_int: what the files of this folder share: the session, what it has selected, the
 * command it is at, and the table of commands.
 *
 * A command is a row of the table and a function.  The session assembles a whole command,
 * literals and all (but messages: imap_append.c), and calls the function until it says DONE.
 * The function writes untagged answers with imap_out() and leaves the tagged one in
 * s->reply: only the session writes that, after telling what else has changed.
 *
 *	DONE	s->reply says how it ended
 *	MORE	call me again: after others had their turn, and when what was written has
 *		left.  Whoever writes much says MORE when imap_full(), and at least each few ms
 *	WAIT	until s->errand is done, or s->wake_ms
 *	READ	until the peer has sent more (conn_bytes() said CONN_QUIET), or a watched
 *		mailbox has changed, or s->until_ms: then s->late is set
 *
 * What a command remembers between calls hangs on s->cmd.state, in s->cmd.mem, which ends with it;
 * what must be let go of (descriptors, views) s->cmd.end does, which is called in any case.
 *
 * A parked session between commands has no command memory and no buffers: about a
 * kilobyte, the connection, and a share in its mailbox's view.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "imap/imap.h"
#include "store/change.h"
#include "store/mailbox.h"
#include "store/view.h"
#include "wire/imap_lex.h"
#include "wire/imap_name.h"
#include "wire/imap_put.h"
#include "wire/imap_set.h"

enum {
	IMAP_COMMAND_MEM = 8 * 1024 * 1024,	/* of one command; searches and sorts see below */
	IMAP_RESULT_MEM = 256 * 1024 * 1024,	/* SORT and THREAD of a million messages */
	IMAP_IDLE_MS = 30 * 60 * 1000,		/* RFC 9051 5.4 */
	IMAP_LOGIN_MS = 60 * 1000,		/* until login, in all */
	IMAP_BAD_MOST = 20,			/* BAD in a row, then BYE */
	IMAP_TURN = 64,				/* commands before others have their turn */
};

enum imap_state {	/* bits: a command names those it is allowed in */
	IMAP_NEW = 1, IMAP_AUTH = 2, IMAP_SELECTED = 4,
	IMAP_ANY = 7, IMAP_IN = 6,
};

enum imap_did { IMAP_DONE, IMAP_MORE, IMAP_WAIT, IMAP_READ };

enum imap_enabled {
	ENABLED_REV2 = 1, ENABLED_UTF8 = 2, ENABLED_CONDSTORE = 4, ENABLED_QRESYNC = 8,
};

enum imap_step { STEP_GO, STEP_PARK, STEP_CLOSE };

struct imap_session;
typedef enum imap_did imap_run(struct imap_session *s);

enum imap_flag_of_command {
	CMD_UID = 1,		/* also as UID NAME; s->cmd.uid says so */
	CMD_STILL = 2,		/* no EXPUNGE may be told while or after it (RFC 9051 7.5.1) */
	CMD_WRITES = 4,		/* not in a mailbox selected with EXAMINE */
};

struct imap_command {
	const char *name;
	unsigned states, flags;
	imap_run *run;
};

extern const struct imap_command imap_commands[];	/* imap_table.c; ended by NULL */

enum imap_how { IMAP_OK, IMAP_NO, IMAP_BAD };

struct imap_reply {
	enum imap_how how;
	const char *code;	/* "TRYCREATE"; NULL: none */
	const char *text;	/* a sentence, fixed or in cmd.mem */
	bool close;		/* BYE was said */
};

/* Sets s->reply; always IMAP_DONE, so that a command can return it. */
enum imap_did imap_ok(struct imap_session *s, const char *code, const char *text);
enum imap_did imap_no(struct imap_session *s, const char *code, const char *text);
enum imap_did imap_bad(struct imap_session *s);	/* with what x->why wanted */
enum imap_did imap_badz(struct imap_session *s, const char *text);
/* What a lower level said: RC_LIMIT: NO [LIMIT] or [OVERQUOTA]…, RC_TEMP: NO [UNAVAILABLE] and one line in the log. */
enum imap_did imap_failed(struct imap_session *s, enum rc rc, const struct err *err);

/* The mailbox that is selected. */
struct imap_box {
	struct view *view;
	struct view_list *list;	/* the numbers that the client knows */
	uint64_t told;		/* modseq up to which it knows of changes */
	uint64_t tick;		/* view_tick() at that moment */
	uint32_t recent;	/* first UID that is \Recent here */
	bool read_only;
	size_t nown;		/* modseqs of changes that the client made itself */
	uint64_t *own;		/* malloc'd; until the next imap_sync() */
	bool has_saved;		/* SEARCHRES */
	size_t nsaved;
	uint32_t *saved;	/* UIDs, ascending; malloc'd */
};

struct imap_work {		/* the command under way */
	const struct imap_command *is;
	str tag, name;
	bool uid;
	struct imap_lex x;	/* behind the name */
	struct arena *mem;
	void *state;
	void (*end)(struct imap_session *s);	/* may be NULL */
	void (*then)(struct imap_session *s);	/* once the answer has left; may be NULL */
	bool answered;
	bool within;		/* an untagged answer has begun and not ended: nothing else may be said */
};

struct imap_session {
	struct session_io *io;
	struct imap_house *house;
	const struct conf *conf;
	enum imap_state state;
	unsigned enabled;
	uint64_t account;
	uint64_t round;		/* logins_round() when it was last known to be allowed here */
	char address[256];
	struct imap_box box;	/* view NULL: none */
	struct imap_work cmd;
	struct imap_reply reply;
	struct errand errand;
	struct login *login;	/* of AUTHENTICATE */
	struct imap_login *logging_in;	/* imap_login.c; NULL once it is over */
	struct buf in;		/* the command as it is gathered */
	struct buf out;		/* what is to be sent; empties into the connection */
	/* Gathering a command (imap_session.c): */
	enum imap_step (*phase)(struct imap_session *s);
	uint64_t literal_left;	/* of the literal that is arriving */
	size_t line_at;		/* in `in`: where the last line begins */
	const char *too_much;	/* the command is thrown away as it comes, for this reason */
	uint64_t thrown;
	unsigned want;		/* what to park for */
	uint64_t until_ms;	/* when the client is late */
	uint64_t wake_ms;	/* with IMAP_WAIT and no errand */
	uint64_t said_ms;	/* when something was last sent, for INPROGRESS */
	unsigned bad, turn;
	bool late, draining, deflated;
	bool dead;		/* BYE was said while changes were told: the mailbox is gone */
	const char *why;	/* why it ended, for the log */
};

static inline bool imap_utf8(const struct imap_session *s)
{
	return (s->enabled & (ENABLED_REV2 | ENABLED_UTF8)) != 0;
}
static inline bool imap_rev2(const struct imap_session *s)
{
	return (s->enabled & ENABLED_REV2) != 0;
}

/* ---- writing: into s->out, which imap_flush() sends ---- */
/* True when enough has gathered: return IMAP_MORE. */
bool imap_full(struct imap_session *s);

/* ---- imap_sync.c: telling what has changed ---- */
/* EXISTS, RECENT, FETCH (FLAGS), EXPUNGE or VANISHED, if `still` without the last. */
enum rc imap_sync(struct imap_session *s, bool still, struct err *err);
/* The client knows what it did itself: changes of this modseq to these UIDs have been told, or need
 * not be (.SILENT). */
void imap_told(struct imap_session *s, uint64_t modseq);
/* One "* n FETCH (UID … FLAGS … MODSEQ …)". */
void imap_put_row(struct imap_session *s, size_t seq, const struct view_row *r, bool uid);
void imap_unselect(struct imap_session *s);
/* Once a client has used CONDSTORE in any way (RFC 7162 3.1). */
enum rc imap_enable_condstore(struct imap_session *s, struct err *err);

/* ---- sets ---- */
/* A resolved set of the command (UIDs, or numbers of the client's list) becomes UIDs that are in the
 * list, ascending, in cmd.mem.  RC_BAD: a number past the list's end (not for UIDs). */
enum rc imap_uids(struct imap_session *s, struct imap_set *set, bool uid, uint32_t **out,
	size_t *n, struct err *err) MUST_CHECK;

/* ---- imap_copy.c: removes those of the UIDs (NULL: of all) that are marked \Deleted;
 * *modseq of the last change, 0: there was none ---- */
enum rc imap_expunge_marked(struct imap_session *s, const uint32_t *uids, size_t n,
	uint64_t *modseq, struct err *err) MUST_CHECK;

/* ---- mailbox names ---- */
/* Parses a mailbox name; false: s->reply is set. */
bool imap_mailbox_arg(struct imap_session *s, str *name);
/* Store's flags from the grammar's, and back: the same bits (asserted in imap_sync.c). */
void imap_put_mailbox(struct imap_session *s, str name);

/* ---- imap_session.c, imap_login.c ---- */
void imap_then_tls(struct imap_session *s);
void imap_login_clear(struct imap_session *s);
bool imap_still_allowed(struct imap_session *s);	/* its account was not disabled or removed */
/* The client went away, or was late, in the middle of a command. */
enum imap_did imap_lost(struct imap_session *s);
/* A line of a dialogue within a command: CONN_OK, or IMAP_READ is to be returned, or
 * the session is lost or late (CONN_CLOSED, CONN_LONG). */
enum conn_got imap_line(struct imap_session *s, str *line);

/* ---- imap_append.c: does the literal that this beginning of a command ends in hold a message?
 * Then the command begins now, and reads it itself. ---- */
bool imap_append_wants(struct imap_session *s, str command);

/* ---- capabilities (imap_capability.c) ---- */
bool imap_may_log_in(const struct imap_session *s);	/* TLS, or plain_loopback */
void imap_login_want(const struct imap_session *s, struct login_want *w);
void imap_put_capabilities(struct imap_session *s, struct buf *b);

/* ---- one function for each command; the table names them ---- */
imap_run cmd_capability, cmd_enable;			/* imap_capability.c */
imap_run cmd_login, cmd_authenticate;			/* imap_login.c */
imap_run cmd_noop, cmd_check, cmd_logout, cmd_id, cmd_starttls, cmd_compress;	/* imap_plain.c */
imap_run cmd_idle;					/* imap_idle.c */
imap_run cmd_select, cmd_examine, cmd_close, cmd_unselect;	/* imap_select.c */
imap_run cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe;	/* imap_mailbox.c */
imap_run cmd_list, cmd_lsub, cmd_status, cmd_namespace;	/* imap_list.c */
imap_run cmd_getquota, cmd_getquotaroot, cmd_setquota;	/* imap_quota.c */
imap_run cmd_fetch, cmd_store;				/* imap_fetch*.c, imap_store.c */
imap_run cmd_search, cmd_sort, cmd_thread;		/* imap_search*.c, imap_sort.c, imap_thread.c */
imap_run cmd_copy, cmd_move, cmd_expunge;		/* imap_copy.c */
imap_run cmd_append, cmd_replace;			/* imap_append.c */
