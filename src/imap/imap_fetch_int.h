/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch_int: what the files of FETCH share.
 *
 * Messages are told in slices: their rows are taken from the view at once, then in smaller
 * windows the texts that are wanted, so that locks are few and memory is bounded however
 * many messages are asked for.  A scanner is asked for what the index does not
 * know, in an errand, before the window is told.  The bodies of a message are
 * written behind its other items, piece by piece; the one file that is open is its.
 */
#pragma once

#include "imap/imap_int.h"
#include "imap/imap_section.h"
#include "store/items.h"
#include "wire/imap_fetch.h"

enum {
	FETCH_SLICE = 256,			/* rows */
	FETCH_WINDOW = 64,			/* texts */
	FETCH_SEEN_BYTES = 4 * 1024 * 1024,	/* of messages that become \Seen at once */
	FETCH_TEXTS_MEM = 4 * 1024 * 1024,	/* of a window */
	FETCH_FACTS_MEM = FETCH_WINDOW * 320 * 1024,	/* what scanners find out of a window */
	FETCH_WORK_MEM = 8 * 1024 * 1024,	/* what is unpacked of it; emptied at */
	FETCH_WORK_ENOUGH = 1024 * 1024,
	FETCH_PIECE = 32 * 1024,		/* of a body */
	FETCH_HEADER = 1024 * 1024,		/* of a header block that is read from the file */
	FETCH_AGAIN_MS = 50,			/* when all errands are taken */
	FETCH_ASK_MS = 10 * 1000,		/* one errand's questions in all, but the last */
};

enum fetch_got { FETCH_ON, FETCH_WAIT, FETCH_END };

struct fetch;
typedef enum fetch_got fetch_step(struct fetch *f);

/* Of a message whose facts are not in the index: RC_NONE: its file is not there; RC_TEMP: try
 * another time; others: nobody can tell them. */
struct fetch_learnt {
	bool tried;
	enum rc rc;
};

/* The bytes that are being sent. */
struct fetch_source {
	int fd;				/* the message's, or decode_fd; not owned */
	uint64_t at, left;
};

struct fetch {
	struct imap_session *s;
	struct imap_fetch want;
	unsigned texts_wanted;		/* enum store_text, or-ed, but for: */
	unsigned items_wanted;		/* STORE_ENVELOPE, STORE_STRUCTURE: as they are sent */
	bool uid, needs_texts, needs_file, sets_seen;
	bool needs_row;			/* there are questions that items do not answer */
	bool narrow;			/* a window was too much at once */
	bool exact;			/* messages were named by their numbers */
	fetch_step *step;

	uint32_t *uids;			/* all that were asked for */
	size_t n, at;
	uint32_t next;			/* CHANGEDSINCE: the next to look at */

	size_t room, nrows, i;		/* the slice, and the message that is told */
	struct view_row *rows;
	bool *newly;			/* it has become \Seen by this command */
	size_t seq;			/* of the last one told */

	size_t window, from, loaded;	/* rows that have texts: [from, loaded) */
	const struct msg_id **ids;
	struct store_texts *texts;
	struct fetch_items *items;	/* imap_fetch_texts.h */
	struct fetch_learnt *learnt;
	struct store_item_made *made;	/* of the window: to be kept */
	size_t nmade;
	struct arena *mem, *facts;	/* of the window: texts; what was found out, or made */
	struct arena *work;		/* of some messages */

	struct fact_structure structure;	/* of the message that is told */
	bool structure_known;		/* and it is what the row says */
	bool first;			/* nothing stands behind "FETCH (" yet */
	size_t section;
	str names[IMAP_SECTIONS];	/* as answers name the sections */
	int fd;
	bool sending;
	struct fetch_source source;
	struct buf scratch;		/* header fields */

	bool asked;			/* an errand has been started */
	enum rc decode_rc;		/* of BINARY: */
	int decode_fd;			/* of decode_size bytes, which are taken (imap_decoded.h) */
	uint64_t decode_size, decode_at, decode_end;
	str decode_encoding;

	size_t told, gone;		/* messages; gone: others expunged them */
	bool no_scanner;		/* it was not to be had once: that is enough */
	bool unavailable, unknown_cte, corrupt;
	bool failed;			/* the reply says how */
};

/* ---- imap_fetch_begin.c ---- */
/* Hangs on s->cmd.state.  NULL: the reply says why. */
struct fetch *fetch_begin(struct imap_session *s);

/* ---- imap_fetch.c ---- */
fetch_step fetch_rows;		/* the next slice, or the next window of this one */
/* The message is told: ")" and the next one. */
void fetch_end_row(struct fetch *f);
/* Nothing is to be asked any more: the window is told. */
void fetch_learnt(struct fetch *f);

/* ---- imap_fetch_row.c ---- */
/* Items that need no file, "* n FETCH (" in front.  False: it is gone, and nothing was written. */
bool fetch_put_row(struct fetch *f);
/* A blank, but for the first item. */
void fetch_put_blank(struct fetch *f);
/* What is known of the structure; false: the item is left out, and why is noted. */
bool fetch_structure(struct fetch *f);

/* ---- imap_fetch_body.c ---- */
fetch_step fetch_sections;
/* Opens the file of message f->i; false: it is not there, which is noted. */
bool fetch_open(struct fetch *f);
/* Notes that it was expunged, or else that something is wrong. */
void fetch_missing(struct fetch *f);
/* Of the header block behind the trace block; looked for in the file where it is not known. */
uint32_t fetch_header_bytes(struct fetch *f);

/* ---- imap_fetch_ask.c ---- */
/* Are there facts to be asked for in this window? */
bool fetch_unknown(struct fetch *f);
fetch_step fetch_learn;
/* FETCH_WAIT until [decode_at, decode_end) of the file that is open is decoded, then FETCH_ON. */
enum fetch_got fetch_decode(struct fetch *f);
void fetch_decoded_end(struct fetch *f);

static inline struct store_texts *
fetch_texts(struct fetch *f)
{
	return &f->texts[f->i - f->from];
}
