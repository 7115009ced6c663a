/* SPDX-License-Identifier: ISC */
/* manager_int: the manager's own files. */
#pragma once

#include "daemon/dial.h"
#include "daemon/instance.h"
#include "daemon/listen.h"
#include "daemon/process.h"

enum { MOST_KIDS = 2 + 64 + 16 };

struct kid {
	const struct process *process;
	unsigned slot;			/* which scanner */
	bool reader;			/* a scanner of house's, not the gate's */
	char name[24];
	pid_t pid;			/* 0: not running */
	int control;			/* -1: none */
	uint64_t started_ms, restart_ms;	/* clock_ms(); restart_ms 0: not planned */
	unsigned crashes;		/* in a row, each soon after its start */
	uint64_t starts;
	bool ready, paired;		/* paired: a scanner that has a channel to who asks it */
};

/* renewal.c: the short-lived process that gets a certificate of a public CA (acme.h). */
struct renewal {
	pid_t pid;			/* 0: none */
	uint64_t until_ms;		/* clock_ms(): it is killed then */
	uint64_t look_ms;		/* clock_ms(): whether one is due is looked at then */
};

enum stage { STAGE_SERVING, STAGE_GATE, STAGE_HOUSE, STAGE_OVER };	/* who is drained */

struct manager {
	struct instance in;
	unsigned abi;			/* Landlock's */
	struct listeners listeners;
	int control, signals, metrics;
	struct dial dial;		/* the gate's connections to clamd */
	struct buf keys;		/* packed, as the gate gets them */
	struct held_keys held;		/* as they were at the start */
	struct kid kids[MOST_KIDS];
	size_t nkids;
	enum stage stage;
	uint64_t stage_until_ms;
	uint64_t renew_ms;		/* when the certificate is looked at next */
	struct renewal renewal;
	bool told_ready;
	int status;			/* exit status */
	char *buf;			/* a frame */
};

static inline struct kid *gate_of(struct manager *m) { return &m->kids[PROCESS_GATE]; }
static inline struct kid *house_of(struct manager *m) { return &m->kids[PROCESS_HOUSE]; }

void kids_plan(struct manager *m);			/* the table of who is to run */
void kid_start(struct manager *m, struct kid *k);
void kid_ended(struct manager *m, struct kid *k, int how);	/* waitpid's status */
void kid_kill(struct kid *k, const char *why);
void kid_drain(struct kid *k, uint64_t left_ms);
void kid_reload(struct manager *m, struct kid *k);

/* True: hostname's certificate was made anew by our own CA. */
bool renewal_own(struct manager *m, const struct instance *in);
void renewal_turn(struct manager *m);			/* each turn: starts, and kills who is late */
uint64_t renewal_next_ms(const struct manager *m);	/* clock_ms() of the next one that matters */
/* RC_NONE: that was not it.  RC_OK: there is a new certificate. */
enum rc renewal_ended(struct manager *m, pid_t pid, int how) MUST_CHECK;
void renewal_kill(struct manager *m);
