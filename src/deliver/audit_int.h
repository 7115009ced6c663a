/* SPDX-License-Identifier: ISC */
/* audit_int: what audit's files share. */
#pragma once

#include "base/arena.h"
#include "base/ids.h"
#include "deliver/audit.h"
#include "journal/journal.h"

enum { JOURNALS = 8, SENTENCE = 500, ROW_MEM = 16 * 1024 * 1024, ACCOUNT_MEM = 8 * 1024 };

/* A message record that a journal has. */
struct seen {
	uint64_t seq;
	struct msg_id id;
	bool entered; /* the ledger has it too */
};

struct journal_state {
	char name[32];
	uint64_t first, end; /* what could be read: [first, end) */
	bool damaged; /* at `end` */
	uint64_t in_ledger; /* entered up to here, as it said before we read */
	uint64_t in_register; /* likewise */
	uint64_t oldest_row;
	struct seen *at;
	size_t n, room;
};

struct audit {
	const struct audit_want *w;
	struct audit_sum sum;
	struct arena *mem;
	struct journal_state journals[JOURNALS];
	size_t njournals;
	bool verify;
	uint64_t expired_ms; /* newer refusals are all in the register */
};

/* One sentence. */
void audit_breach(struct audit *a, const char *fmt, ...) PRINTF(2, 3);
/* Is the message, or was it, in the account?  RC_NONE: never. */
enum rc audit_was_there(struct audit *a, uint64_t account, const struct msg_id *id,
	struct err *err) MUST_CHECK;

/* A file in incoming/ whose record waits to be applied. */
struct waiting_file {
	struct msg_id id;
	uint64_t size;
	uint32_t trace_bytes;
	const uint8_t *digest;
};

bool audit_in_incoming(const struct audit *a, const struct msg_id *id);
/* Is it what was accepted?  One that is gone was applied meanwhile. */
enum rc audit_waiting_file(struct audit *a, const struct waiting_file *f, struct err *err)
	MUST_CHECK;

/* audit_append.c: what readers put into their mailboxes themselves. */
enum rc audit_append(struct audit *a, const struct journal_state *j,
	const struct journal_item *item, uint64_t applied, struct err *err) MUST_CHECK;

/* audit_held.c: the register, held/ and what was released. */
enum rc audit_held(struct audit *a, struct err *err) MUST_CHECK;
/* A recipient who was refused with a link has a row. */
enum rc audit_link(struct audit *a, const struct msg_id *id, uint64_t time_ms, str address,
	struct err *err) MUST_CHECK;
/* A record with JREC_RELEASED that was applied. */
enum rc audit_release(struct audit *a, const struct jrec_message *m, struct err *err) MUST_CHECK;
