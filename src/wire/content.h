/* SPDX-License-Identifier: ISC */
/*
 * content: what the scanner found in a message beside its facts: for the checks
 * at the gate, `gatepost scan` and training.  It is not kept.
 *
 * As with facts, the record comes out of a process that may be the enemy's by now:
 * content_unpack() checks every length, offset, count and index.  A record that is
 * too long for a frame travels in a sealed memfd.  Strings are UTF-8 without
 * control characters, except `text`, which has line ends and tabs.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	CONTENT_MOST = 5 * 1024 * 1024,	/* packed */
	CONTENT_LEAVES = 12000,		/* parts in all readings, embedded files, archive members */
	CONTENT_LINKS = 1000,
	CONTENT_SIGNATURES = 16,	/* DKIM-Signature and ARC fields; RFC 6376 has no limit */
	CONTENT_TOKENS = 4096,
	CONTENT_TEXT = 512 * 1024,	/* of all texts, as people see them */
	CONTENT_HIDDEN = 64 * 1024,	/* of text that is not to be seen */
	CONTENT_SUBJECT = 8 * 1024,
	CONTENT_PEOPLE = 64 * 1024,	/* From, Sender, Reply-To, To, Cc, Bcc as people see them */
	CONTENT_SEARCH_HEAD = 64 * 1024,
	CONTENT_SEARCH_TEXT = 1024 * 1024,
	CONTENT_NAME = 1020,
	CONTENT_URL = 2048,
	CONTENT_JOBS = 64,		/* descriptors for the virus scanner, at most */
};

enum leaf_flag {
	LEAF_HIDDEN = 1,	/* a strict reader may have missed or misread it */
	LEAF_ALTERNATE = 2,	/* only another reading has it */
	LEAF_EMBEDDED = 4,	/* within a text (uuencode, yEnc, BinHex) */
	LEAF_MEMBER = 8,	/* of an archive */
	LEAF_ARCHIVE = 16,	/* it is one that was opened */
	LEAF_ENCRYPTED = 32,	/* an archive with encrypted content, or a member that is */
	LEAF_UNOPENED = 64,	/* an archive that was not opened, or not to its end */
	LEAF_ATTACHED = 128,	/* Content-Disposition attachment, or it has a name */
	LEAF_IN_MESSAGE = 256,	/* within an attached message (message/rfc822, ARF) */
	LEAF_TEXT = 512,	/* its text is in `text` */
	LEAF_FOREIGN = 1024,	/* of an archive of a kind that clamd does not open */
};

struct content_leaf {
	uint16_t parent;	/* 1 + index of the archive, text or part it is in; 0: the message */
	uint16_t depth;		/* archives and messages around it */
	uint32_t flags;		/* enum leaf_flag */
	uint64_t odd;		/* mime/odd.h */
	uint32_t at, length;	/* of its body in the message as it stands; 0, 0: not there */
	uint64_t size;		/* decoded, as far as it was */
	str name;		/* of the file, or path in the archive */
	str type;		/* as said: "application/pdf"; "" for members */
	str true_type;		/* by its bytes, scan/magic.c: "pdf", "exe", "zip"; "" unknown */
	uint8_t digest[32];	/* SHA-256, decoded; zeros where it was not decoded */
};

enum content_link_flag { LINK_HIDDEN = 1, LINK_IMAGE = 2, LINK_FORM = 4, LINK_PLAIN = 8 };

struct content_link {
	uint32_t flags;
	str url, text;
};

/* A DKIM-Signature (RFC 6376), ARC-Message-Signature or ARC-Seal (RFC 8617) with the
 * digests that its check needs; taken before anything in the message is changed. */
enum signature_kind { SIGNATURE_DKIM = 1, SIGNATURE_ARC_MESSAGE, SIGNATURE_ARC_SEAL };

struct content_signature {
	enum signature_kind kind;
	uint32_t instance;	/* ARC i= */
	str tags;		/* the whole field's value, unfolded */
	uint8_t header[32], body[32];	/* SHA-256 by its c=, h=, l=; zeros where it names others */
	bool computed;		/* false: an algorithm or canonicalisation that nobody may use */
	bool l_short;		/* l= leaves the end of the body out */
};

/* One thing for the virus scanner: descriptor number `n` of the answer holds it. */
struct content_job {
	uint16_t leaf;		/* 1 + index; 0: none in particular (preamble, epilogue) */
};

struct content {
	uint64_t odd;		/* of all readings */
	uint32_t parts, depth;	/* in all; deepest */
	uint32_t html_flags;	/* mime/html.h, of all HTML parts */
	uint32_t links_all;	/* also those that are not kept */
	uint64_t unpacked;	/* bytes that decoding and archives gave */
	uint32_t members, archive_depth;	/* archive members in all; archives within archives */
	uint64_t member_most;	/* largest */
	uint32_t text_bytes, hidden_bytes;	/* of text and hidden, also where those were not asked for */
	size_t nleaves;
	struct content_leaf *leaves;
	size_t nlinks;
	struct content_link *links;
	size_t nsignatures;
	struct content_signature *signatures;
	size_t ntokens;
	uint64_t *tokens;	/* keyed hashes of words, sorted, each once; for training */
	size_t njobs;
	struct content_job jobs[CONTENT_JOBS];
	str text, hidden;
	str subject, people;	/* decoded; people: names and addresses, a line each */
	/* For full text (store/search.h): every header field as "Name: value", decoded, a line
	 * each, and behind them those of parts, with a tab in front; every text part decoded
	 * (HTML as it is, and as it is read) and the fields of attached messages. */
	str search_head, search_text;
	bool search_cut;	/* there was more */
};

void content_pack(struct buf *b, const struct content *c);	/* limits cut, never fail */
/* RC_BAD: it cannot be true; RC_LIMIT: mem is full. */
enum rc content_unpack(str record, uint64_t message_size, struct arena *mem,
	struct content *out) MUST_CHECK;
