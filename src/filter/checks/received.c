/* SPDX-License-Identifier: ISC */
/* Many Received fields: a detour no usual mail makes.  Loops are SMTP's matter
 * (RFC 5321 6.3) and never get here. */
#include "filter/checks/checks.h"

enum { MANY = 25 };

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	(void)err;
	if (e->facts->received > MANY)
		finding_add(f, c, STR(""));
	return RC_OK;
}

const struct check check_many_received = { STR_INIT("MANY_RECEIVED"), GROUP_ROUTE,
	CHECK_CHEAP, 1000, "More than 25 Received fields.", run };
