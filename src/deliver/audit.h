/* SPDX-License-Identifier: ISC */
/*
 * audit: proves the promises over journal, ledger, store, incoming, register and held.
 *
 *   - every delivered recipient of a journal record or ledger row has the
 *     message exactly once in each target (or its owner removed it), or in the
 *     heir's, or the record waits to be applied and its file is in incoming/;
 *   - every message that a reader appended is, or was, in the account, or waits to be
 *     applied and its file is in incoming/; only house's journal has such records, and
 *     the ledger has none of them (doc/appends.md);
 *   - every index row's file is there with its size; every file has a row;
 *   - nothing refused is in a mailbox of the refused recipient;
 *   - numbers of journals have no hole, checksums hold; every record of a
 *     message that came in is in the ledger, every ledger row whose record should still be there has it;
 *     ordinals have no hole;
 *   - who was refused with a link is in the register; what it says is held is there,
 *     what is held is in it, and what was released is, or was, in a mailbox, once;
 *   - an appeal has its refusal, an appealed refusal its appeal; no letter about one is stuck.
 * Each breach is one sentence that names what is missing and whose it is.
 * verify: files' digests and databases' integrity; what is held is decrypted, if the
 * key is there.
 */
#pragma once

#include "base/err.h"
#include "directory/directory.h"
#include "held/refusals.h"
#include "ledger/ledger.h"
#include "store/store.h"

struct audit_want {
	int data;
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct apply *apply;		/* of a running house; NULL otherwise */
	const uint8_t *held_key;	/* private; NULL: held files are not decrypted */
	void (*breach)(const char *sentence, void *arg);
	void *arg;
};

struct audit_sum {
	uint64_t records, rows, recipients, messages, refusals, held, breaches;
};

enum rc audit_run(const struct audit_want *w, struct audit_sum *out, struct err *err) MUST_CHECK;
enum rc verify_run(const struct audit_want *w, struct audit_sum *out, struct err *err) MUST_CHECK;
