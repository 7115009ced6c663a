/* SPDX-License-Identifier: ISC */
/*
 * walk: everything that is in a message, found as mail programs would find it.
 *
 * The parts of all readings, files within texts, messages within messages, what is in
 * archives, and all of that again in what comes out.  Each is a `thing`: bytes that are
 * decoded, and how they were come by.  A thing becomes a leaf of the content, and what
 * the virus scanner would not have found by itself becomes a job for it.
 *
 * Everything has a limit (walk_limits below, struct unpack_room): so a message costs
 * at most the time that hashing, searching and unpacking most_unpacked bytes take.
 * Past one of them: RC_LIMIT, and the message is refused.
 */
#pragma once

#include "crypto/digest.h"
#include "mime/tree.h"
#include "scan/jobs.h"
#include "scan/lump.h"
#include "scan/magic.h"
#include "scan/scan.h"
#include "scan/text.h"
#include "scan/unpack.h"

enum walk_limits {
	WALK_ARCHIVES = 8, /* archives within archives */
	WALK_MEMBERS = 10000, /* of all archives together */
	WALK_MESSAGES = 16, /* messages that had to be decoded, within each other */
	WALK_EMBEDDED = 32, /* files in texts within each other */
	/* of them in all; clamd (1.4) takes seconds for 100,000 of them */
	WALK_BEGINNINGS = 10000,
	/* clamd (1.4) looks into 16 layers: multiparts, messages and archives.  What is
	 * deeper than this has to be given to it by itself. */
	WALK_LAYERS = 12,
};

struct walk {
	unsigned want;
	struct charsets *cs;
	struct arena *mem;
	struct content *c;
	struct texts *texts;
	struct jobs jobs;
	struct unpack_room room;
	struct sha256 *sha;
	size_t leaves_room;
	unsigned beginnings; /* of files in texts */
	bool previewed;
	struct facts *facts;
	struct err *err;
};

/* What everything in a thing has from it. */
struct around {
	uint16_t leaf; /* 1 + index; 0: the message itself */
	uint16_t depth; /* archives and messages */
	uint16_t archives, messages, embedded, layers;
	uint32_t flags;
	bool unseen; /* the virus scanner will not see it unless it is given it */
};

struct thing {
	struct around in;
	str bytes;
	str name, type, charset; /* as said; type with its subtype */
	uint32_t flags; /* enum leaf_flag */
	uint64_t odd; /* with what is around it, where that hides */
	size_t at, length;
	bool text; /* said to be text, and to be shown as such */
	bool hidden; /* not seen, or seen otherwise */
	bool encrypted, bad;
	bool verbatim; /* it stands in a message without an encoding */
};

/* A message's parts: base is what their offsets count from; own: it is the message
 * itself, as it stands. */
enum rc walk_tree(struct walk *w, str base, const struct mime_tree *tree, bool own,
	const struct around *in) MUST_CHECK;
/* Looks at one thing and at everything in it. */
enum rc walk_thing(struct walk *w, struct thing *t) MUST_CHECK;
/* What is in it, t being leaf number `leaf` (1 + index). */
enum rc walk_open(struct walk *w, struct thing *t, const struct magic *m, uint16_t leaf)
	MUST_CHECK;
enum rc walk_tnef(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
enum rc walk_cms(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
/* An OpenPGP message that is not encrypted, armored or not. */
enum rc walk_pgp(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
enum rc walk_mail(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
enum rc walk_embedded(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
/* Files that a page carries within it, as base64. */
enum rc walk_page(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
enum rc walk_card(struct walk *w, const struct thing *t, uint16_t leaf) MUST_CHECK;
/* Bytes that are no leaf: a job if they are new; charged, as each reading may have most of
 * the message among them. */
enum rc walk_raw(struct walk *w, uint16_t leaf, str bytes) MUST_CHECK;
/* Decoded bytes: a view of raw, or in *to. */
enum rc walk_decode(struct walk *w, enum mime_encoding how, str raw, struct lump *to,
	uint64_t *odd, str *out) MUST_CHECK;
/* Counts against most_unpacked what is looked at once more. */
enum rc walk_charge(struct walk *w, uint64_t bytes) MUST_CHECK;
enum rc walk_limit(struct walk *w, const char *what) MUST_CHECK;

static inline struct content_leaf *
walk_leaf(struct walk *w, uint16_t leaf)
{
	return &w->c->leaves[leaf - 1];
}

static inline struct around
around_leaf(const struct thing *t, uint16_t leaf, uint32_t flags)
{
	struct around in = t->in;

	in.leaf = leaf;
	in.depth++;
	in.layers++;
	if ((flags & LEAF_EMBEDDED) != 0)
		in.embedded++;
	in.flags = (t->flags & (LEAF_ALTERNATE | LEAF_IN_MESSAGE)) | flags;
	return in;
}
