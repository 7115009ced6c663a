/* SPDX-License-Identifier: ISC */
/*
 * imap_forest: trees that are linked and cut, asked for loops before (RFC 5256 3, step 1: "make
 * sure that A is not a descendent of B").
 *
 * Usually somebody's ancestors are few and are walked up.  Strangers can make chains of
 * 50,000 and have them walked 50,000 times; once that has become too much, a link-cut
 * tree (Sleator and Tarjan 1983) answers in logarithmic time, amortised.  Pure; one thread at a time.
 */
#pragma once

#include "base/arena.h"

#define FOREST_NONE UINT32_MAX

struct splay {
	uint32_t left, right, up;
};

struct forest {
	struct arena *mem;
	size_t n, room;
	uint32_t *up;		/* parents; FOREST_NONE: a root */
	bool *parent;		/* it has or had a child */
	struct splay *splay;	/* NULL as long as walking is cheap */
	uint64_t walked;
};

enum rc forest_init(struct forest *f, size_t n, struct arena *mem, struct err *err) MUST_CHECK;
enum rc forest_add(struct forest *f, uint32_t *node, struct err *err) MUST_CHECK;
/* `child` is a root, and gets a parent unless that would make a loop.  RC_NONE: it would. */
enum rc forest_link(struct forest *f, uint32_t child, uint32_t parent, struct err *err) MUST_CHECK;
void forest_cut(struct forest *f, uint32_t child);	/* a root afterwards */
