/* SPDX-License-Identifier: ISC */
/*
 * map: uthash with a keyed hash, so that strangers cannot choose collisions,
 * and an end of the process where memory runs out.  Include this, never
 * <uthash.h>.  Not locked.
 */
#pragma once

#include <stdlib.h>

#include "base/hash.h"

#define HASH_FUNCTION(keyptr, keylen, hashv) \
	do { \
		(hashv) = (unsigned)hash_keyed((keyptr), (size_t)(keylen)); \
	} while (0)
#define uthash_fatal(msg)	abort()

#pragma GCC system_header
#include <uthash.h>
