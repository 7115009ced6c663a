/* SPDX-License-Identifier: ISC */
/* What cannot be read is no doubt (doc/unreadable.md). */
#include "filter/checks/checks.h"

const struct check check_scanner_lost = { STR_INIT("SCANNER_LOST"), GROUP_UNREAD,
	CHECK_CHEAP, CHECK_DECISIVE, "Two scanners died, hung or lied over it.", NULL };

const struct check check_unreadable = { STR_INIT("UNREADABLE"), GROUP_LARGE, CHECK_CHEAP,
	CHECK_DECISIVE, "It is past a limit of the scanner.", NULL };

const struct check check_virus_unseen = { STR_INIT("VIRUS_UNSEEN"), GROUP_UNSEEN,
	CHECK_DEAR, CHECK_DECISIVE,
	"Something in it is more than what clamd looks at, or it did not come to an end with it.",
	NULL };
