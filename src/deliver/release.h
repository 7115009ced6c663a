/* SPDX-License-Identifier: ISC */
/*
 * release: the original of a refused message into the mailboxes it was meant for,
 * exactly once, however often and by whomever it is asked for.
 *
 * The id of the copy is written down first (refusals_release_id) and is the same for
 * every attempt; the record in house's own journal is the commit (deliver/own.h), and
 * mailboxes take a message id once.  So a release that was cut off at any point is
 * finished by the next start, or by asking again.
 *
 * What is delivered is the original with one header field more in its trace block,
 * X-Gatepost-Released; everything after the block is as it was held (but for names of
 * header fields that pretend to be ours, in a message that nobody could read).
 */
#pragma once

#include "crypto/seal.h"
#include "deliver/own.h"

struct release_want {
	int data;
	str hostname;
	struct directory *directory;
	struct refusals *refusals;
	const uint8_t *private_key; /* SEAL_PRIVATE bytes; NULL: missing */
};

/* A refusal by its name, whose time is not over; a sentence otherwise. */
enum rc release_find(const struct release_want *w, str name, struct arena *mem,
	struct refusal *out, struct err *err) MUST_CHECK;
/* Notes who opens it and why, synced, and decrypts it into the file `out`: the trace
 * block, then the message.  *facts (malloc'd) with *len bytes, "" where there are none. */
enum rc release_open(const struct release_want *w, const struct refusal *f, str who,
	str why, int out, char **facts, size_t *len, struct err *err) MUST_CHECK;
/* RC_OK: it is, or will be, in the mailboxes.  RC_BAD: it cannot be, and err says why
 * (released already, dismissed, not held, expired).  *out as it is afterwards. */
enum rc release_run(const struct release_want *w, struct own *own, str name, str who,
	struct arena *mem, struct refusal *out, struct err *err) MUST_CHECK;
/* The appeal, or the refusal itself, was looked at and stands.  RC_BAD: it was decided already.
 * Waits for a release that is under way. */
enum rc release_dismiss(const struct release_want *w, struct own *own, str name, str who,
	struct arena *mem, struct refusal *out, struct err *err) MUST_CHECK;
