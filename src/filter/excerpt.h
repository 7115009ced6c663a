/* SPDX-License-Identifier: ISC */
/*
 * excerpt: a message less something, in a memfd, for clamd.  Bytes are copied and
 * blanked by ranges that the scanner gave; nothing is decoded here.
 *
 * RC_OK: *fd is the caller's.  RC_NONE: there is nothing to make it of.  Else RC_TEMP
 * or RC_LIMIT.
 */
#pragma once

#include "filter/filter.h"

/* One part as a message of its own, the header of which clamd takes for one. */
enum rc excerpt_part(const struct evidence *e, const struct fact_part *p, int *fd,
	uint64_t *size, struct err *err) MUST_CHECK;
/* All but the bodies of attached messages.  RC_NONE: none is attached. */
enum rc excerpt_outside(
	const struct evidence *e, int *fd, uint64_t *size, struct err *err) MUST_CHECK;
/* The leaf, one of e->content, is an attached message that is encoded, or lies within an
 * attached one: what excerpt_outside() leaves out. */
bool leaf_is_inside(const struct evidence *e, const struct content_leaf *leaf);
