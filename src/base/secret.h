/* SPDX-License-Identifier: ISC */
/*
 * secret: memory that holds a password for a while.
 *
 * What is freed or moved stays where it was until somebody writes over it, and may be in a core
 * file or in an answer that runs over its end.  So a buffer for secrets gets all of its
 * memory at once (it never moves), and is wiped when it is given back.  Not optimised away.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

void secret_wipe(void *p, size_t len);
/* An empty buffer of `limit` bytes, allocated now.  Only secret_buf_free() gives it back. */
struct buf secret_buf(size_t limit);
void secret_buf_clear(struct buf *b);	/* wiped and empty, the memory is kept */
void secret_buf_free(struct buf *b);	/* also of a buffer that never was one: what it has now */
void secret_arena_free(struct arena **ap);	/* as arena_free(), wiped */
