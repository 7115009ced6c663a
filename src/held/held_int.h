/* SPDX-License-Identifier: ISC */
/*
 * held_int: a held file, as bytes.
 *
 *	magic (8), id (20), time (8), size (8), facts (4), network (1 + 16), mark (16),
 *	wrapped key (80); then, in sealed pieces: digest (32), facts, the file
 *
 * Little endian.  What stands before the wrapped key is authenticated with it, so
 * a file under another's name is noticed.  The mark is what duplicates are known
 * by: a keyed hash of the digest, the key made of the public key.  The digest
 * itself would tell whoever gets hold of data/ alone (a stolen disk image) which
 * well-known messages are among them; with keys/held.pub a guess at a whole
 * message can be confirmed, which nothing that finds duplicates can help.
 */
#pragma once

#include "base/buf.h"
#include "held/held.h"

enum {
	HELD_MARK = 16,
	HELD_ABOUT = 8 + MSG_ID_LEN + 8 + 8 + 4 + 1 + 16 + HELD_MARK,
	HELD_HEADER = HELD_ABOUT + SEAL_WRAPPED,
	HELD_DIGEST = 32,
};

struct held_header {
	struct msg_id id;
	uint64_t wall_ms, size;
	uint32_t facts;		/* bytes */
	struct ip network;	/* port 0 */
	uint8_t mark[HELD_MARK];
	uint8_t wrapped[SEAL_WRAPPED];
};

/* Everything but the wrapped key. */
void held_about_put(struct buf *b, const struct held_header *h);
/* HELD_HEADER bytes.  RC_BAD: not a header, or past a limit. */
enum rc held_header_get(str bytes, struct held_header *h) MUST_CHECK;
/* Bytes of the whole held file. */
uint64_t held_file_bytes(const struct held_header *h);
/* Reads it from dir and compares it with the file's name and length.  RC_NONE: not
 * there; RC_BAD: damaged. */
enum rc held_header_read(int dir, const char *id, int *fd, struct held_header *h,
	struct err *err) MUST_CHECK;
/* Writes, syncs, names, syncs the name.  h without its key.  RC_OK, RC_LIMIT,
 * RC_TEMP, and then nothing is left. */
enum rc held_write(int dir, const uint8_t public_key[SEAL_PUBLIC], struct held_header *h,
	const struct held_item *what, struct err *err) MUST_CHECK;
