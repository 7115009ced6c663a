/* SPDX-License-Identifier: ISC */
/* What cannot be read is no doubt (doc/unreadable.md). */
#include "filter/checks/checks.h"

const struct check check_scanner_lost = { STR_INIT("SCANNER_LOST"), CHECK_CHEAP, 1000000,
	"two scanners died, hung or lied over it (decisive)", NULL };

const struct check check_unreadable = { STR_INIT("UNREADABLE"), CHECK_CHEAP, 1000000,
	"past a limit of the scanner (decisive)", NULL };
