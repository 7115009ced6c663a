/* SPDX-License-Identifier: ISC */
/* testing: an instance without processes: directory, store, ledger and a journal
 * in a fresh folder, and messages that go the whole way. */
#pragma once

#include "conf/conf.h"
#include "deliver/apply.h"
#include "deliver/audit.h"
#include "held/held.h"
#include "journal/journal.h"

enum { PARTS_ACCOUNTS = 60, PARTS_DAMAGE = 8192 };

struct parts {
	int data, incoming, folder;	/* folder: journal/gate */
	int held_dir;
	uint8_t held_public[SEAL_PUBLIC], held_private[SEAL_PRIVATE];
	const struct conf *conf;
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct apply *apply;
	struct journal *journal;
	struct held *held;
	uint64_t accounts[PARTS_ACCOUNTS];	/* a0@x.test, a1@x.test, … */
	size_t naccounts;
	uint64_t roll_bytes;
	uint64_t crossed;		/* the last account that was */
	unsigned breaches;
	char damage[PARTS_DAMAGE];
};

/* What a message is to be: recipients a0…, some of them refused. */
struct sent {
	size_t from, n;			/* delivered to accounts [from, from+n) */
	size_t refused;			/* …and refused to that many after them */
	size_t body;			/* bytes */
	uint32_t flags;
	uint64_t time_ms;		/* 0: now */
	struct msg_id bytes_of;		/* the same bytes as that message; "": its own */
	str findings;
	str header;			/* more fields, each with its end */
	bool unread;			/* without facts */
	bool apart;			/* a link for each who was refused, as with PRDR */
	bool unheld;			/* the original is not kept */
	struct msg_id id;		/* out */
	struct msg_id held;		/* out, if some refused it: the original */
	uint64_t seq;			/* out */
};

void parts_make(struct parts *p, const char *path, size_t naccounts);
/* Another folder with the same accounts. */
void parts_attach(struct parts *p, const struct parts *made, const char *path);
/* RC_OK, or what recovery said; opens journal, store, ledger and apply anew. */
enum rc parts_open(struct parts *p, struct err *err) MUST_CHECK;
void parts_close(struct parts *p);	/* folders and directory stay */
void parts_clear(struct parts *p);
/* Spools, holds, links, syncs and commits as a session does. */
enum rc parts_send(struct parts *p, struct sent *s, struct err *err) MUST_CHECK;
/* Is what is held of s what was sent?  RC_BAD: no, and err says more. */
enum rc parts_original(struct parts *p, const struct sent *s, struct err *err) MUST_CHECK;
void parts_apply(struct parts *p);	/* everything; fails the test otherwise */
void parts_audit(struct parts *p, bool verify);	/* fills breaches and damage */
void parts_sound(struct parts *p);	/* no breach in either */
