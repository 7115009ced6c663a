/* SPDX-License-Identifier: ISC */
/*
 * answer: house's end of the gate's channel (wire/ask.h): answers its
 * questions, hears how far its journal is synced, tells it what to forget and
 * how far the journal is applied.
 *
 * One thread reads, looks up and sends.  It never waits for the gate: what the
 * gate does not read is kept, at most ANSWER_WAITING answers, and past that
 * answers are left out (their questions meet their deadlines: "not now"), so a
 * stuck gate cannot keep house from hearing about the journal.
 *
 * An answer that was looked up before answer_forget() is sent before the
 * ASK_FORGET, so that the gate keeps nothing that is out of date.
 *
 * The gate may have been taken over: whatever is not the protocol ends the
 * channel, and `lost` is called once for it.
 */
#pragma once

#include "directory/directory.h"

enum { ANSWER_WAITING = 1024 };

struct answer;

struct answer_want {
	struct directory *directory;	/* must outlive this */
	directory_usage_fn *usage;
	void *usage_arg;
	/* On the thread of this; quick, and not calling back into this. */
	void (*journal)(uint64_t seq, void *arg);	/* gate's journal is synced up to seq */
	void (*lost)(const char *why, void *arg);	/* the channel is given up; may be NULL */
	void *arg;
};

struct answer *answer_new(const struct answer_want *w);
void answer_free(struct answer **ap);
/* The channel of a gate that has (re)started, owned from now on; -1: none. */
void answer_channel(struct answer *a, int fd);
/* The gate is to forget what it was told: directory or quotas changed.  Any
 * thread, never waits, also under the caller's locks. */
void answer_forget(struct answer *a);
/* The gate's journal is applied and synced up to seq: the last one wins, and a
 * gate that starts anew is told.  Any thread, never waits. */
void answer_applied(struct answer *a, uint64_t seq);
