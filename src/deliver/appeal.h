/* SPDX-License-Identifier: ISC */
/*
 * appeal: what the pages behind a refusal's link do: an appeal, and the decision about it.
 *
 * The postmaster of each recipient's domain is asked, and the recipients too where the policy says
 * appeals=recipient (never about a virus).  Who decides first has decided, for all to whom that answer was
 * given; a recipient only if each of their domains leaves it to one of its recipients.
 */
#pragma once

#include "deliver/release.h"
#include "held/appeals.h"
#include "scan/scan.h"

enum { APPEAL_LOOK = 100 }; /* recipients of a refusal that are looked at */

struct appeal_house {
	struct release_want release;
	struct own *own;
	struct scanners
		*scanners; /* house's readers, for the subject; NULL: it stays unknown */
	uint64_t scanner_ms, unpacked; /* their limits, as in struct scan_job */
	struct appeal_limits limits;
};

/* Blocks for the disk.  The original's subject is looked up for it, which is written down as an opening. */
enum rc appeal_make(const struct appeal_house *h, const struct refusal *f,
	const struct appeal *a, enum appeal_end *end, struct err *err) MUST_CHECK;
/* As the directory is now: the account must be there, not disabled, and the refusal his.  RC_BAD: err says why not. */
enum rc appeal_may_decide(struct directory *d, const struct decider *who,
	const struct refusal *f, bool uphold, struct err *err) MUST_CHECK;
/* Does each domain of its recipients let one of them decide? */
enum rc appeal_left_to_recipients(struct directory *d, const struct refusal *f, bool *out,
	struct err *err) MUST_CHECK;
/* The recipients that he may see: himself; a postmaster those whose postmaster he is, of the first APPEAL_LOOK. */
enum rc appeal_sees(struct directory *d, const struct decider *who,
	const struct refusal *f, struct arena *mem, str **out, size_t *n,
	struct err *err) MUST_CHECK;
/* RC_OK: released (perhaps on its way) or dismissed, now or by this decider before; *f as it is now.
 * RC_BAD: it cannot be, and err is a sentence: decided otherwise, not held, expired, or not his to release.
 * Blocks until it is in the mailboxes. */
enum rc appeal_decide(const struct appeal_house *h, str token, bool uphold,
	struct arena *mem, struct refusal *f, struct err *err) MUST_CHECK;
