/* SPDX-License-Identifier: ISC */
/*
 * smtp_int: what the files of this folder share: the session (its phases:
 * net/session.h) and its mail transaction.  Commands are functions that return
 * their reply; only the phases write.
 *
 * Memory of a session: `mem` holds the HELO name, `ask_mem` one answer of the
 * directory, `txn` one mail transaction; each is empty when nothing is in it
 * and limited below.  A verdict has an arena of its own while it is made.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "net/limit.h"
#include "net/session.h"
#include "smtp/smtp.h"
#include "smtp/smtp_split.h"
#include "smtp/smtp_verdict.h"
#include "wire/smtp_cmd.h"
#include "wire/smtp_data.h"

enum {
	SMTP_SESSION_MEM = 4 * 1024,
	SMTP_ASK_MEM = 32 * 1024,
	SMTP_TXN_MEM = 1024 * 1024,
	SMTP_RCPTS_MOST = JREC_RCPTS, /* one message is one record */
	/* What all recipients may take of a record beside the facts. */
	SMTP_RCPTS_BYTES = JREC_MOST - FACTS_MOST - 32 * 1024,
};

/* Protocol states; commands are allowed in some of them. */
enum smtp_state { SMTP_NEW, SMTP_READY, SMTP_MAIL, SMTP_RCPT, SMTP_CHUNKS };

struct smtp_session;

/* code 0: no reply now, a phase will give it. */
struct smtp_reply {
	unsigned code;
	const char *esc, *text;
	/* Instead of one line, e.g. EHLO's. */
	void (*put)(struct smtp_session *s, struct buf *b);
	bool close; /* the session ends with it */
};

struct smtp_ask; /* a question to the directory that is not answered yet */

struct smtp_spool { /* a message being received */
	struct fs_spool file; /* fd -1: none, or given up */
	char *held; /* what comes next in the file; NULL: nothing */
	size_t nheld, undigested; /* bytes in front of it that are not the message's */
	struct sha256 *digest;
	struct smtp_data text;
	bool open, binary;
	bool too_large;
	enum rc failed; /* RC_LIMIT: disk full; RC_TEMP */
	uint64_t size; /* of the message, without the trace block */
	struct pace pace;
	uint64_t chunk_left; /* BDAT */
	bool last;
	const struct smtp_reply *chunk_refused; /* BDAT out of place: eat it, say this */
	const struct smtp_reply *chunk_failed; /* the first chunk could not be spooled */
	struct msg_id id;
	uint64_t wall_ms;
};

struct smtp_txn {
	struct arena *mem;
	str from; /* as written */
	str from_plain;
	enum smtp_body body;
	bool utf8, prdr;
	struct smtp_rcpt *first, *last;
	size_t nrcpts, rcpt_bytes;
	enum smtp_group group; /* of the recipients taken so far */
	bool split; /* somebody got 452 for it */
	uint64_t commands; /* what the session had counted before MAIL */
};

struct smtp_session {
	struct session base;
	struct smtp_gate *gate;
	const struct conf *conf;
	enum smtp_state state;
	bool esmtp, delivered;
	struct arena *mem, *ask_mem;
	str helo;
	struct smtp_txn txn;
	struct smtp_spool spool;
	struct smtp_ask *ask;
	struct smtp_verdict *verdict;
	uint64_t commands, errors, messages;
	uint32_t unknown, relay, other; /* refused at RCPT */
};

extern const struct smtp_reply smtp_ok, smtp_limit;

/* smtp_session.c */
/* Writes the reply, counts errors; the session goes on with the next command,
 * or with its end. */
enum session_step smtp_answer(struct smtp_session *s, const struct smtp_reply *r);
enum session_step smtp_late(struct smtp_session *s);
void smtp_forget_mail(struct smtp_session *s);
session_phase smtp_phase_command, smtp_phase_secured;

/* smtp_cmds.c */
struct smtp_reply smtp_dispatch(struct smtp_session *s, str line);

/* smtp_rcpt.c */
struct smtp_reply smtp_rcpt(struct smtp_session *s, str args);
void smtp_ask_free(struct smtp_session *s);

/* smtp_data.c: spooling */
struct smtp_reply smtp_data(struct smtp_session *s, str args);
struct smtp_reply smtp_bdat(struct smtp_session *s, str args);
void smtp_spool_drop(struct smtp_session *s);

/* smtp_answer.c: from the last byte to the last reply */
enum session_step smtp_received(struct smtp_session *s);
struct smtp_verdict *smtp_verdict_new(struct smtp_session *s);
void smtp_verdict_free(struct smtp_verdict **vp);
void smtp_verdict_wait(struct smtp_session *s);
