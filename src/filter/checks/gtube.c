/* SPDX-License-Identifier: ISC */
/* The Generic Test for Unsolicited Bulk Email: a string that is spam by agreement. */
#include "filter/checks/checks.h"

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	(void)err;
	if ((e->facts->flags & FACT_GTUBE) != 0)
		finding_add(f, c, STR(""));
	return RC_OK;
}

const struct check check_gtube = { STR_INIT("GTUBE"), GROUP_SPAM_TEST, CHECK_CHEAP,
	2000000, "It holds the GTUBE test string.", run };
