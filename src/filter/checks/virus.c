/* SPDX-License-Identifier: ISC */
/* clamd's word about the whole file.  Without it there is no verdict. */
#include "filter/checks/checks.h"
#include "filter/clamd.h"

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	char virus[CLAMD_NAME] = "";
	enum rc rc;

	if (e->clamd == NULL)
		return RC_OK;
	rc = clamd_scan(e->clamd, e->fd, e->size, e->until_ms, virus, err);
	if (rc == RC_PERM) {
		finding_add(f, &check_virus_unseen, true,
			STR("this message is too large to be checked for viruses"),
			STR(""));
		return RC_OK;
	}
	if (rc == RC_OK && virus[0] != '\0')
		finding_add(f, c, true,
			STR("this message contains a virus or other malware"),
			str_of(virus));
	return rc;
}

const struct check check_virus = { STR_INIT("VIRUS"), CHECK_DEAR, 1000000,
	"clamd found a virus or other malware in it (decisive)", run };

const struct check check_virus_unseen = { STR_INIT("VIRUS_UNSEEN"), CHECK_DEAR, 1000000,
	"larger than what clamd scans whole (decisive)", NULL };
