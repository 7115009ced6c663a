/* SPDX-License-Identifier: ISC */
/*
 * arena: memory that lives and dies together.
 *
 * One arena per session and one per mail transaction.  Nothing in it is
 * freed alone; arena_reset() frees all of it.  Every arena has a limit, so
 * what a client can make us hold is a number in the configuration.
 *
 * At the limit arena_alloc() returns NULL and the caller answers RC_LIMIT.
 * When the machine itself is out of memory the process ends: the queue is
 * on disk, and half-working is worse than restarting.
 *
 * An empty arena holds no block.  Not locked: an arena belongs to whichever
 * thread runs its session.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct arena;

struct arena *arena_new(size_t limit);
void arena_reset(struct arena *a);
void arena_free(struct arena **ap);	/* frees, sets *ap to NULL */
size_t arena_used(const struct arena *a);

void *arena_alloc(struct arena *a, size_t size) MUST_CHECK;	/* zeroed, aligned */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_CHECK;
enum rc arena_copy(struct arena *a, str src, str *out) MUST_CHECK;	/* and a NUL */

#define arena_new_of(a, type)	((type *)arena_alloc((a), sizeof(type)))
#define ARENA_AUTO		__attribute__((cleanup(arena_free))) struct arena *
