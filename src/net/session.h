/* SPDX-License-Identifier: ISC */
/*
 * session: what the sessions of all doors have in common.
 *
 *	struct pop3_session { struct session base; … };		base is first
 *
 *	open	s = session_new(io, sizeof(*s), phase_greet, how long the peer may take)
 *	run	session_run, for all kinds
 *	close	lets go of what it has (errand_wait(), pass_return() …), session_free()
 *
 * A session goes through phases.  A phase is a function that goes on where the session stands.
 * It consumes what is there and says:
 *	STEP_GO		base.phase is to go on; it may be another one now
 *	STEP_PARK	call me again when there is something: one of the functions below said so
 *	STEP_CLOSE	it is over; base.why is why, for the log
 * What the functions below return is a step, too: STEP_GO is "done, go on behind the call", and
 * everything else is to be returned by the phase.  So phases are straight-line code:
 *
 *	if (s->base.late)
 *		return …;		421, BYE, 408
 *	step = session_line(&s->base, MOST, &line, &too_long);
 *	if (step != STEP_GO)
 *		return step;
 *
 * Time: base.until_ms is when the peer is late, whatever it owes, words or reading ours.
 * Phases set it (session_patience()), parking does not.  Who is late is run once more with
 * base.late, and says goodbye.  A session that waits for ourselves pauses: nobody is late then.
 *
 * Nothing here waits, and nothing is written but by the phases.  A long answer is a phase that
 * asks session_room() for each piece, or a buffer that is poured.  Who has had its turn says
 * session_yield().  While passwords may be said: conn_secret().
 *
 * One thread at a time has a session; there is no lock.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "net/service.h"

enum session_step { STEP_GO, STEP_PARK, STEP_CLOSE };
typedef enum session_step session_phase(void *session);

enum { SESSION_TURN = 64 };	/* commands or pieces, then others go first */

struct session {
	struct session_io *io;
	session_phase *phase;
	uint64_t until_ms;	/* clock_ms() */
	bool late;		/* the peer is; in this run */
	bool draining;		/* the service ends: say goodbye when it fits */
	unsigned turn;		/* see session_had_turn() */
	const char *why;	/* it ended, for the log; NULL: not known yet */
	/* session.c's own: */
	unsigned want;
	uint64_t park_ms, after_ms;
	session_phase *then;
};

/* Zeroed, `size` bytes, with a struct session first. */
void *session_new(struct session_io *io, size_t size, session_phase *first, uint64_t patience_ms);
enum session_next session_run(void *session, enum park_why why, struct session_wait *wait);
/* One line in the log, msg="end" with door, client, `about` (" helo=x"; "" for nothing) and why;
 * not notable: for debugging only.  Then the memory. */
void session_free(struct session *s, bool notable, str about);

static inline void
session_patience(struct session *s, uint64_t ms)
{
	s->until_ms = clock_ms() + ms;
}

/* ---- parking: always STEP_PARK ---- */
enum session_step session_wait(struct session *s);	/* for what the connection wants */
enum session_step session_wait_for(struct session *s, unsigned want);	/* PARK_READ, PARK_WRITE */
/* Until service_wake(), or until then; the phase finds out itself which. */
enum session_step session_pause(struct session *s, uint64_t until_ms);
/* For somebody who wakes us and has a deadline himself: until that, then a second at a time. */
enum session_step session_await(struct session *s, uint64_t deadline_ms);
/* True when a run had `most` of these and others are to go first: session_wait_for() what is
 * there already. */
bool session_had_turn(struct session *s, unsigned most);

/* ---- the peer's words ---- */
/* A line, or the beginning of one that was too long. */
enum session_step session_line(struct session *s, size_t most, str *line, bool *too_long);
enum session_step session_bytes(struct session *s, str *bytes);	/* at least one; conn_eat() */

/* ---- ours ---- */
enum session_step session_flush(struct session *s);		/* all that was written has left */
enum session_step session_room(struct session *s, size_t n);	/* conn_write() of n bytes fits */
/* As much as leaves goes out of `out`; STEP_GO: all of it. */
enum session_step session_pour(struct session *s, struct buf *out);

/* ---- the end, and a new beginning ---- */
enum session_step session_gone(struct session *s);	/* STEP_CLOSE: the connection says why */
/* What was written is heard if the peer takes it within `ms`; then it closes.  For a phase to
 * return. */
enum session_step session_last_words(struct session *s, const char *why, uint64_t ms);
/* STARTTLS, once its answer was written: that goes out in clear; what else came in clear is thrown
 * away (RFC 3207 4.2); then `next` goes on, under TLS, with as much time as was left before. */
enum session_step session_starttls(struct session *s, session_phase *next);
