/* SPDX-License-Identifier: ISC */
/* Attachments that make a person, or a program, take them for something else. */
#include "filter/checks/checks.h"
#include "mime/odd.h"

/* U+202A to U+202E and U+2066 to U+2069 turn letters around: "exe.fdp" (UTR 36 3.3). */
static bool
turns_letters(str name)
{
	for (size_t i = 0; i + 2 < name.len; i++) {
		const unsigned char *p = (const unsigned char *)name.ptr + i;

		if (p[0] == 0xe2 &&
			((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
				(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
			return true;
	}
	return false;
}

/* So many that the extension is out of sight. */
static bool
has_long_gap(str name)
{
	enum { GAP = 8 };
	size_t blanks = 0;

	for (size_t i = 0; i < name.len && blanks < GAP; i++)
		blanks = name.ptr[i] == ' ' || name.ptr[i] == '\t' ? blanks + 1 : 0;
	return blanks >= GAP;
}

static bool
hides_name(const struct evidence *e, const struct content_leaf *leaf)
{
	(void)e;
	return (leaf->odd & MIME_ODD(NAME_CONFLICT)) != 0 || turns_letters(leaf->name) ||
	       has_long_gap(leaf->name);
}

static bool
conflicts(const struct evidence *e, const struct content_leaf *leaf)
{
	(void)e;
	return (leaf->odd & MIME_ODD(TYPE_CONFLICT)) != 0;
}

static enum rc
run_name(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { hides_name, NULL };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

static enum rc
run_type(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { conflicts, NULL };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

const struct check check_name_hides = { STR_INIT("NAME_HIDES"), GROUP_DISGUISE,
	CHECK_CHEAP, 3000,
	"A file name that hides what it is: invoice.pdf.exe, letters turned around, a run of blanks.",
	run_name };

const struct check check_type_conflict = { STR_INIT("TYPE_CONFLICT"), GROUP_DISGUISE,
	CHECK_CHEAP, 500, "An attachment of another type than it is said to have.",
	run_type };
