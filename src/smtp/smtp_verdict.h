/* SPDX-License-Identifier: ISC */
/*
 * smtp_verdict: what becomes of a received message.
 *
 * Straight-line, blocking code, run by a thread of the verdict pool while the
 * session is parked: scanner, checks, an answer for each recipient, and what
 * makes the answers true: the file under its name and on disk, and the journal's
 * record (doc/commit-order.md).  Whatever fails ends in "not now" for everybody.
 *
 * The session makes a struct smtp_verdict, fills in what is known and gives it
 * to the pool; until `done` it is the pool's and the session must not end.
 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "base/fs.h"
#include "filter/filter.h"
#include "net/pool.h"
#include "smtp/smtp.h"

enum { SMTP_VERDICT_MEM = 8 * 1024 * 1024 }; /* content alone may be CONTENT_MOST */

struct smtp_rcpt { /* one accepted RCPT */
	struct smtp_rcpt *next;
	str written; /* as in the command */
	str address; /* canonical */
	size_t ntargets;
	uint64_t *targets;
	struct policy_of policy;
	/* the answer */
	enum jrec_answer answer;
	unsigned code;
	const char *esc;
	str reason;
	int32_t score;
	bool by_score, has_token;
	struct token token;
};

/* An answer for everybody that stands before anybody looked. */
struct smtp_preset {
	unsigned code; /* 0: none */
	const char *esc, *text;
};

struct smtp_verdict {
	struct work work;
	struct smtp_gate *gate;
	struct service *service;
	uint64_t number;
	const struct conf *conf;
	struct arena *mem;
	uint64_t until_ms;
	_Atomic bool done;

	/* what is known */
	struct msg_id id;
	uint64_t wall_ms;
	struct ip client;
	str helo;
	str from, from_plain; /* as written, and without quotes */
	str tls_version, tls_cipher;
	bool esmtp, utf8, prdr;
	struct fs_spool *file; /* the session's; fd -1 with some presets */
	uint64_t size; /* of the message */
	uint8_t digest[32]; /* as received */
	struct smtp_rcpt *rcpts;
	size_t nrcpts;
	struct smtp_preset preset;

	/* what was found */
	struct scanned scanned;
	struct findings *findings;
	struct findings *sample; /* for abuse@, see smtp_sample.h; NULL: it is none */
	bool sample_counted;
	str listed; /* filter_list() */
	int32_t score;

	/* the outcome, beside what stands in each rcpt */
	bool per_rcpt; /* PRDR, and the answers differ */
	bool again; /* committed before and never answered */
	bool committed;
	size_t delivered; /* recipients */
	struct msg_id answered; /* the id in the replies */
	bool finished; /* smtp_finish_file() has been there */
	struct msg_id held; /* the file in held/ with the original; "" if none */
	struct err unheld; /* why it is not held though it should be */
	struct err err; /* what failed, for the log; rc RC_OK: nothing */

	/* for smtp_answer.c */
	bool unheard; /* nobody is there for the answer */
	struct smtp_rcpt *next_reply;
	unsigned replies;
};

/* The pool's: smtp_verdict_decide(), then done and the session is woken. */
void smtp_verdict_run(struct work *w);
void smtp_verdict_decide(struct smtp_verdict *v);
/* "Not now" for everybody, with an unsynced record: the pool is full. */
void smtp_verdict_busy(struct smtp_verdict *v);
/* The link of an answer with a token. */
enum { SMTP_LINK = 320 + sizeof(((struct token *)0)->text) };
void smtp_verdict_link(const struct smtp_verdict *v, const struct token *t, char out[SMTP_LINK]);
/* Fills in everything about the trace block but the score. */
struct smtp_trace;
void smtp_verdict_trace(const struct smtp_verdict *v, struct smtp_trace *t);
/* The record of the outcome as it stands. */
void smtp_verdict_record(const struct smtp_verdict *v, struct buf *out);
