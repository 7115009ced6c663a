/* SPDX-License-Identifier: ISC */
/*
 * facts: what the scanner found out about a message, as a flat record.
 *
 * The record comes out of a process that has read hostile bytes and may be
 * theirs by now: facts_unpack() checks every length, offset and count against
 * the limits here and against the message's size, and is RC_BAD otherwise.
 * The same bytes travel on in the journal (struct jrec_message.facts) and are
 * unpacked again, with the same checks, where the index row is written.
 *
 * Strings are the message's own bytes as they stand in the header, unfolded;
 * NUL and bare CR or LF replaced by '?'.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum {
	FACTS_MOST = 240 * 1024,	/* packed */
	FACTS_STR = 8 * 1024,		/* longest single string; longer is cut */
	FACTS_ADDRESSES = 1000,		/* in all lists together; more are left out */
	FACTS_REFS = 100,		/* ids in References; the last ones are kept */
	FACTS_FORGED = 64,
	FACTS_PARTS = 1000,		/* in the structure; with more there is none */
	FACTS_STRUCTURE = 64 * 1024,	/* packed; longer: there is none */
	FACTS_PREVIEW = 256 * 4,	/* RFC 8970: 256 characters */
	/* chan types, see scan/scan.h */
	FACTS_SCAN = 1, FACTS_DONE, FACTS_FAILED, FACTS_READY, FACTS_PART, FACTS_CONVERT, FACTS_SEARCH,
};

/* Structural anomalies of the header block, for the checks. */
enum fact_flag {
	FACT_NO_FROM = 1 << 0,
	FACT_NO_DATE = 1 << 1,
	FACT_BAD_FROM = 1 << 2,		/* no address could be read from it */
	FACT_BAD_DATE = 1 << 3,
	FACT_DUP_FROM = 1 << 4,
	FACT_DUP_DATE = 1 << 5,
	FACT_DUP_SUBJECT = 1 << 6,
	FACT_DUP_MESSAGE_ID = 1 << 7,
	FACT_DUP_TO = 1 << 8,		/* To, Cc, Reply-To, Sender or In-Reply-To */
	FACT_DUP_MIME = 1 << 9,		/* Content-Type, -Transfer-Encoding, MIME-Version */
	FACT_NUL = 1 << 10,		/* NUL in the header block */
	FACT_BAD_LINE = 1 << 11,	/* a line that is no header field */
	FACT_NO_BODY_LINE = 1 << 12,	/* the block ends without an empty line */
	FACT_HEADER_LIMIT = 1 << 13,	/* header block past a limit: a content refusal */
	FACT_GTUBE = 1 << 14,
	FACT_RAW_8BIT = 1 << 15,	/* bytes over 127 in the header that are no UTF-8 */
	FACT_NO_MESSAGE_ID = 1 << 16,
};

struct fact_address {		/* RFC 9051 7.5.2; a group: host empty, see there */
	str name, mailbox, host;
};

struct fact_list {
	size_t n;
	struct fact_address *at;
};

/* Of the four fields ptr is NULL where there is none, and not where it is empty. */
struct fact_envelope {
	str date, subject, in_reply_to, message_id;
	struct fact_list from, sender, reply_to, to, cc, bcc;
};

struct fact_param {
	str name, value;		/* as in mime/param.h: what IMAP shows */
};

enum fact_kind { FACT_LEAF, FACT_MULTIPART, FACT_MESSAGE };

/* A part of the message's primary tree (mime/tree.h), in the order of RFC 9051's
 * part numbers.  Offsets from the start of the message; they nest. */
struct fact_part {
	enum fact_kind kind;
	uint16_t up;			/* 1 + index of the part around it; 0: the first */
	uint32_t header_at, body_at, end;
	uint32_t header_lines, body_lines;
	str type, subtype, encoding, id, description, md5, location, language;	/* "" where absent */
	size_t nparams;
	struct fact_param *params;
	str disposition;
	size_t ndisposition;
	struct fact_param *disposition_params;
	struct fact_envelope *envelope;	/* of FACT_MESSAGE; else NULL */
	bool text;			/* body structure gives its lines */
};

/* What BODYSTRUCTURE, BODY[n] and BINARY need without opening the file. */
struct fact_structure {
	size_t n;			/* 0: not known, or too long: ask a scanner */
	struct fact_part *parts;
};

struct facts {
	uint32_t flags;			/* enum fact_flag, or-ed */
	uint32_t received;		/* Received fields */
	uint32_t header_bytes;		/* header block with its empty line */
	int64_t date_s;			/* Date as seconds since 1970; INT64_MIN: none */
	struct fact_envelope envelope;
	size_t nrefs;
	str *refs;			/* References then In-Reply-To, ids without <> */
	/* Fields that pretend to be ours (Authentication-Results of our name,
	 * X-Gatepost-*): offsets of their names from the start of the message,
	 * to be renamed in place. */
	size_t nforged;
	uint32_t *forged;
	/* Records of before have neither: n 0 and known_preview false. */
	struct fact_structure structure;
	bool known_preview;
	str preview;			/* RFC 8970, UTF-8 */
	/* Nor these: known_head false. */
	bool known_head;
	str head;			/* wire/head.h, packed; "": too many for it, ask the file */
	str sortkey;			/* wire/sortkey.h, packed */
};

void facts_pack(struct buf *b, const struct facts *f);	/* limits cut, never fail */
enum rc facts_unpack(str record, uint64_t message_size, struct arena *mem, struct facts *f);
/* The envelope part alone, as the index keeps it. */
void facts_pack_envelope(struct buf *b, const struct fact_envelope *e);
enum rc facts_unpack_envelope(str record, struct arena *mem, struct fact_envelope *e);
/* The structure alone, as the index keeps it. */
void facts_pack_structure(struct buf *b, const struct fact_structure *s);
enum rc facts_unpack_structure(str record, uint64_t message_size, struct arena *mem,
	struct fact_structure *s);
