/* SPDX-License-Identifier: ISC */
/* Faults of the header block (RFC 5322 3.6).  Clients disagree about what such a
 * message says, which is what some of them are made for. */
#include "filter/checks/checks.h"

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	const struct structural *s = (const struct structural *)c;

	(void)err;
	if ((e->facts->flags & s->flag) != 0)
		finding_add(f, c, s->decisive, s->reason, STR(""));
	return RC_OK;
}

#define ROW(name, flag, score, decisive, reason, doc)                                    \
	{                                                                                \
		{ STR_INIT(name), CHECK_CHEAP, score, doc, run }, FACT_##flag, decisive, \
			STR_INIT("this message " reason)                                 \
	}

const struct structural structural_checks[STRUCTURALS] = {
	ROW("HEADER_LIMIT", HEADER_LIMIT, 1000000, true, "has a header that is too large",
		"header block over 1 MiB or 10,000 fields (decisive)"),
	ROW("NO_FROM", NO_FROM, 2500, false, "does not say who wrote it",
		"no From field"),
	ROW("BAD_FROM", BAD_FROM, 2500, false, "does not say who wrote it",
		"no address can be read from From"),
	ROW("DUP_FROM", DUP_FROM, 3500, false, "names more than one author field",
		"more than one From field"),
	ROW("NO_DATE", NO_DATE, 1000, false, "has no date", "no Date field"),
	ROW("BAD_DATE", BAD_DATE, 500, false, "has a date that does not exist",
		"Date cannot be read"),
	ROW("DUP_DATE", DUP_DATE, 1000, false, "has more than one date",
		"more than one Date field"),
	ROW("DUP_SUBJECT", DUP_SUBJECT, 1500, false, "has more than one subject",
		"more than one Subject field"),
	ROW("DUP_MESSAGE_ID", DUP_MESSAGE_ID, 1000, false, "has more than one message id",
		"more than one Message-ID field"),
	ROW("NO_MESSAGE_ID", NO_MESSAGE_ID, 300, false, "has no message id",
		"no Message-ID field"),
	ROW("DUP_RECIPIENTS", DUP_TO, 500, false, "has address fields that occur twice",
		"a second To, Cc, Reply-To, Sender or In-Reply-To field"),
	ROW("DUP_MIME", DUP_MIME, 3000, false, "says twice how it is to be read",
		"a second Content-Type, Content-Transfer-Encoding or MIME-Version field"),
	ROW("NUL_HEADER", NUL, 3000, false, "has a NUL byte in its header",
		"NUL in the header block"),
	ROW("BAD_HEADER_LINE", BAD_LINE, 1000, false,
		"has a header line that is no header field",
		"a line in the header block that is no field"),
	ROW("RAW_8BIT", RAW_8BIT, 500, false,
		"has characters of no known kind in its header",
		"bytes over 127 in the header block that are no UTF-8"),
};
