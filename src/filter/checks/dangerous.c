/* SPDX-License-Identifier: ISC */
/*
 * Attachments that run when they are opened: by name or by what they are, whatever they
 * are called; also in archives, where the name of an encrypted one is still to be read.
 */
#include "filter/checks/checks.h"
#include "filter/filter_int.h"

/* The word of the list that it is; "": none. */
static str
danger_of(const struct evidence *e, const struct content_leaf *leaf)
{
	str list = filter_settings(e)->dangerous, extension = leaf_extension(leaf), one;

	while (str_cut(&list, ' ', &one))
		if (one.len > 0 &&
			(str_ieq(one, extension) || str_ieq(one, leaf->true_type)))
			return one;
	return STR("");
}

static bool
is_file(const struct evidence *e, const struct content_leaf *leaf)
{
	return (leaf->flags & LEAF_MEMBER) == 0 && danger_of(e, leaf).len > 0;
}

static bool
is_member(const struct evidence *e, const struct content_leaf *leaf)
{
	return (leaf->flags & LEAF_MEMBER) != 0 && danger_of(e, leaf).len > 0;
}

static enum rc
run_file(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { is_file, danger_of };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

static enum rc
run_member(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { is_member, danger_of };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

const struct check check_dangerous_file = { STR_INIT("DANGEROUS_FILE"), GROUP_DANGEROUS,
	CHECK_CHEAP, 6000, "An attached file of a kind that [filter] dangerous names.",
	run_file };

const struct check check_dangerous_member = { STR_INIT("DANGEROUS_MEMBER"),
	GROUP_DANGEROUS, CHECK_CHEAP, 5500, "The same within an archive.", run_member };
