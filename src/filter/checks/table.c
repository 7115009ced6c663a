/* SPDX-License-Identifier: ISC */
/* Every check.  A new one is its file here and its row below. */
#include "filter/checks/checks.h"

const struct check *const filter_checks[] = {
	&structural_checks[0].check,
	&structural_checks[1].check,
	&structural_checks[2].check,
	&structural_checks[3].check,
	&structural_checks[4].check,
	&structural_checks[5].check,
	&structural_checks[6].check,
	&structural_checks[7].check,
	&structural_checks[8].check,
	&structural_checks[9].check,
	&structural_checks[10].check,
	&structural_checks[11].check,
	&structural_checks[12].check,
	&structural_checks[13].check,
	&structural_checks[14].check,
	&check_many_received,
	&check_gtube,
	&check_virus,
	&check_virus_unseen,
	&check_scanner_lost,
	&check_unreadable,
	&(const struct check){ .name = { NULL, 0 } },
};
