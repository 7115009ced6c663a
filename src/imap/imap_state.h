/* SPDX-License-Identifier: ISC */
/*
 * imap_state: the session: what it has selected, the command it is at, and how commands
 * and session work together.
 *
 * A command is a row of the table and a function.  The session assembles a whole command,
 * literals and all (but messages: imap_append.c), and calls the function until it says DONE.
 * The function writes untagged answers into s->out and leaves the tagged one in
 * s->reply: only the session writes that, after telling what else has changed.
 *
 *	DONE	s->reply says how it ended
 *	MORE	call me again: after others had their turn, and when what was written has
 *		left.  Whoever writes much says MORE when imap_full(), and at least each few ms
 *	WAIT	until s->errand is done, or s->wake_ms
 *	READ	until the peer has sent more (conn_bytes() said CONN_QUIET), or a watched
 *		mailbox has changed, or s->base.until_ms: then s->base.late is set
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
#include "net/session.h"
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
	IMAP_BAD_MOST = 20,			/* BAD in a row, then BYE */
};

enum imap_state {	/* bits: a command names those it is allowed in */
	IMAP_NEW = 1, IMAP_AUTH = 2, IMAP_SELECTED = 4,
	IMAP_ANY = 7, IMAP_IN = 6,
};

enum imap_did { IMAP_DONE, IMAP_MORE, IMAP_WAIT, IMAP_READ };

enum imap_enabled {
	ENABLED_REV2 = 1, ENABLED_UTF8 = 2, ENABLED_CONDSTORE = 4, ENABLED_QRESYNC = 8,
};

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

/* The mailbox that is selected. */
struct imap_box {
	struct view *view;
	struct view_list *list;	/* the numbers that the client knows */
	uint64_t told;		/* modseq up to which it knows of changes */
	uint64_t tick;		/* view_tick() at that moment */
	uint32_t recent;	/* first UID that is \Recent here */
	bool read_only;
	size_t nown;		/* modseqs of changes that the client made itself */
	uint64_t *own;		/* malloc'd, ascending; until the next imap_sync() */
	bool telling;		/* imap_sync() has more to tell: send, and call it again */
	uint32_t tell_from;	/* then: the next UID, and up to which modseq */
	uint64_t tell_upto;
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
	struct session base;
	struct session_io *io;	/* base.io */
	struct imap_house *house;
	const struct conf *conf;
	enum imap_state state;
	unsigned enabled;
	uint64_t account;
	char address[256];
	struct imap_box box;	/* view NULL: none */
	struct imap_work cmd;
	struct imap_reply reply;
	struct errand errand;
	struct entry *entry;	/* a login under way */
	struct pass pass;	/* who is in */
	struct buf in;		/* the command as it is gathered */
	struct buf out;		/* what is to be sent; empties into the connection */
	/* Gathering a command (imap_gather.c): */
	uint64_t literal_left;	/* of the literal that is arriving */
	size_t line_at;		/* in `in`: where the last line begins */
	const char *too_much;	/* the command is thrown away as it comes, for this reason */
	uint64_t thrown;
	uint64_t wake_ms;	/* with IMAP_WAIT and no errand */
	uint64_t said_ms;	/* when something was last sent, for INPROGRESS */
	unsigned bad;
	bool deflated;
	bool bare_lf;		/* was complained of, in this line */
	bool secret;		/* what is said may be a password: it is wiped */
	bool dead;		/* BYE was said while changes were told: the mailbox is gone */
};
