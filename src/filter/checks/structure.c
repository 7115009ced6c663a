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
		finding_add(f, c, STR(""));
	return RC_OK;
}

#define ROW(name, flag, group, score, doc)                                       \
	{                                                                        \
		{ STR_INIT(name), GROUP_##group, CHECK_CHEAP, score, doc, run }, \
			FACT_##flag                                              \
	}

const struct structural structural_checks[STRUCTURALS] = {
	ROW("HEADER_LIMIT", HEADER_LIMIT, LARGE, CHECK_DECISIVE,
		"A header block over 1 MiB or 10,000 fields."),
	ROW("NO_FROM", NO_FROM, AUTHOR, 2500, "No From field."),
	ROW("BAD_FROM", BAD_FROM, AUTHOR, 2500, "No address can be read from From."),
	ROW("DUP_FROM", DUP_FROM, AUTHOR, 3500, "More than one From field."),
	ROW("NO_DATE", NO_DATE, HEADER, 1000, "No Date field."),
	ROW("BAD_DATE", BAD_DATE, HEADER, 500, "Date cannot be read."),
	ROW("DUP_DATE", DUP_DATE, HEADER, 1000, "More than one Date field."),
	ROW("DUP_SUBJECT", DUP_SUBJECT, HEADER, 1500, "More than one Subject field."),
	ROW("DUP_MESSAGE_ID", DUP_MESSAGE_ID, HEADER, 1000,
		"More than one Message-ID field."),
	ROW("NO_MESSAGE_ID", NO_MESSAGE_ID, HEADER, 300, "No Message-ID field."),
	ROW("DUP_RECIPIENTS", DUP_TO, HEADER, 500,
		"A second To, Cc, Reply-To, Sender or In-Reply-To field."),
	ROW("DUP_MIME", DUP_MIME, STRUCTURE, 3000,
		"A second Content-Type, Content-Transfer-Encoding or MIME-Version field."),
	ROW("NUL_HEADER", NUL, HEADER, 3000, "NUL in the header block."),
	ROW("BAD_HEADER_LINE", BAD_LINE, HEADER, 1000,
		"A line in the header block that is no field."),
	ROW("RAW_8BIT", RAW_8BIT, HEADER, 500,
		"Bytes over 127 in the header block that are no UTF-8."),
};
