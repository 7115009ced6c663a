/* SPDX-License-Identifier: ISC */
/* Text in HTML that its reader is not to see.  Newsletters begin with a line or two of
 * it (what a mailbox' list shows), so only much of it counts. */
#include "filter/checks/checks.h"

enum { MUCH = 1500 };

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	(void)err;
	if (e->content != NULL && e->content->hidden_bytes > MUCH &&
		e->content->hidden_bytes > e->content->text_bytes)
		finding_add(f, c, STR(""));
	return RC_OK;
}

const struct check check_hidden_text = { STR_INIT("HIDDEN_TEXT"), GROUP_CONCEALED,
	CHECK_CHEAP, 1500, "More text that is not to be seen than text that is.", run };
