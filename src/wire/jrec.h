/* SPDX-License-Identifier: ISC */
/*
 * jrec: the records of a journal, as bytes.
 *
 * The payload only; sequence numbers, checksums and files are journal/'s.
 * Flat little-endian (wire/pack.h).  Unpacking checks every length; a record
 * that does not fit is RC_BAD, which in a journal means damage.  Strings of what
 * was unpacked are views into the payload; arrays are in the arena.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/ids.h"
#include "base/ip.h"

enum {
	JREC_MOST = 512 * 1024,		/* one packed record */
	JREC_RCPTS = 1000,		/* as RCPTMAX; more are several records */
	JREC_TARGETS = 1000,
	JREC_REASON = 256,
	JREC_APPENDED = 100,		/* messages of one JREC_APPEND */
	JREC_KEYWORDS = 2048,		/* bytes of keywords */
};

enum jrec_kind {
	JREC_MESSAGE = 1,	/* one DATA or BDAT with every recipient's answer */
	JREC_ANSWERED,		/* the answer of a message has been written to the peer */
	JREC_COUNTS,		/* refusals at RCPT, per network and minute */
	JREC_PENDING,		/* at the head of a file: messages not yet answered */
	JREC_APPEND,		/* house's alone: what a reader put into a mailbox himself */
};

enum jrec_answer { JREC_DELIVERED = 1, JREC_REFUSED, JREC_NOT_NOW };

enum jrec_flag {
	JREC_TLS = 1, JREC_UTF8 = 2, JREC_PRDR = 4,
	JREC_AGAIN = 8,		/* bytes that came again after an unanswered record: no second copy */
	JREC_RELEASED = 16,	/* house's: a refused original that is delivered after all */
	JREC_NOTICE = 32,	/* house's: a message of our own to a postmaster */
};

struct jrec_rcpt {
	str address;		/* canonical, as house said */
	enum jrec_answer answer;
	uint16_t code;		/* 250, 451, 550, … */
	str enhanced;		/* "5.7.1" */
	str reason;		/* one sentence of ours; no content, no token */
	int32_t score;		/* thousandths */
	bool has_token;		/* a refusal with a link; without PRDR all share one */
	uint8_t token[32];	/* SHA-256 of the refusal's token */
	size_t ntargets;	/* accounts; only with JREC_DELIVERED */
	uint64_t *targets;
};

struct jrec_message {
	struct msg_id id;	/* ledger id, and the file's name where delivered */
	uint64_t time_ms;	/* wall clock */
	struct ip client;
	str helo, from;		/* from: "" for the null sender */
	uint32_t flags;
	uint64_t size;		/* of the whole file, trace block included */
	uint8_t digest[32];	/* SHA-256 of the whole file after its trace block */
	uint8_t once[16];	/* see journal/once.h; zeros: nothing delivered */
	str findings;		/* "NAME=2.500 NAME=…", what the verdict was made of */
	size_t nrcpts;
	struct jrec_rcpt *rcpts;
	str facts;		/* wire/facts.h, packed; "" if nobody is delivered to */
	struct msg_id held;	/* the file in held/ with the original; "" if none */
	struct msg_id released;	/* with JREC_RELEASED: the refusal's id, and the number of */
	uint32_t released_n;	/* its answer (held/refusals.h) */
};

struct jrec_answered {
	struct msg_id id;
};

struct jrec_counts {		/* one network, one minute */
	uint64_t minute;	/* wall clock / 60,000 */
	struct ip network;
	uint32_t unknown, relay, full, other;
};

struct jrec_pending {
	struct msg_id id;
	uint64_t time_ms;
	uint8_t once[16];
};

struct jrec_append_item {
	struct msg_id id;	/* and the file's name */
	uint64_t size;		/* of the whole file */
	uint8_t digest[32];	/* SHA-256 of the file after its trace block */
	uint64_t received_ms;
	uint32_t flags;		/* enum store_flag */
	uint32_t trace_bytes;	/* TRACE_BLOCK where a delivered message is given back; else 0 */
	str keywords;		/* sorted, a blank between */
	str facts;		/* wire/facts.h, packed; "": not known, or there was no room */
};

struct jrec_append {		/* all of it or nothing */
	uint64_t account, mailbox;
	uint64_t replaces_mailbox;	/* another message goes at the same moment; uid 0: none */
	uint32_t replaces;
	size_t n;			/* 1 to JREC_APPENDED */
	struct jrec_append_item *items;
};

void jrec_put_message(struct buf *b, const struct jrec_message *m);
enum rc jrec_get_message(str payload, struct arena *mem, struct jrec_message *m);
void jrec_put_answered(struct buf *b, const struct jrec_answered *a);
enum rc jrec_get_answered(str payload, struct jrec_answered *a);
void jrec_put_counts(struct buf *b, const struct jrec_counts *c);
enum rc jrec_get_counts(str payload, struct jrec_counts *c);
void jrec_put_pending(struct buf *b, const struct jrec_pending *p, size_t n);
enum rc jrec_get_pending(str payload, struct arena *mem, struct jrec_pending **p, size_t *n);
/* Bytes at the start of every spooled file that hold our trace header fields. */
enum { TRACE_BLOCK = 1024 };
/* Facts for which there is no room in JREC_MOST are left out, the later ones first. */
void jrec_put_append(struct buf *b, const struct jrec_append *a);
enum rc jrec_get_append(str payload, struct arena *mem, struct jrec_append *a);
