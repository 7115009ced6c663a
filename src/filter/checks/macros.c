/* SPDX-License-Identifier: ISC */
/* Documents with macros: the scanner says so in the true type ("docx-macros"), and an
 * OOXML document is an archive with its macros in a member. */
#include "filter/checks/checks.h"

static bool
has_macros(const struct evidence *e, const struct content_leaf *leaf)
{
	static const str mark = STR_INIT("-macros"), project = STR_INIT("vbaProject.bin");
	str type = leaf->true_type;

	(void)e;
	return (type.len > mark.len &&
		       str_eq(str_skip(type, type.len - mark.len), mark)) ||
	       ((leaf->flags & LEAF_MEMBER) != 0 &&
		       str_ieq(leaf_file_name(leaf), project));
}

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	static const struct leaf_look look = { has_macros, NULL };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

const struct check check_macros = { STR_INIT("MACROS"), GROUP_MACROS, CHECK_CHEAP, 3000,
	"A document with macros.", run };
