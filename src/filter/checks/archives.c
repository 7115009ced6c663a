/* SPDX-License-Identifier: ISC */
/* Archives that nobody on the way can look into. */
#include "filter/checks/checks.h"
#include "mime/odd.h"

static bool
is_encrypted(const struct evidence *e, const struct content_leaf *leaf)
{
	(void)e;
	return (leaf->flags & LEAF_ENCRYPTED) != 0 ||
	       (leaf->odd & MIME_ODD(ARCHIVE_ENCRYPTED)) != 0;
}

static bool
is_unopened(const struct evidence *e, const struct content_leaf *leaf)
{
	return !is_encrypted(e, leaf) &&
	       ((leaf->flags & LEAF_UNOPENED) != 0 ||
		       (leaf->odd & (MIME_ODD(ARCHIVE_BAD))) != 0);
}

static enum rc
run_encrypted(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { is_encrypted, NULL };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

static enum rc
run_unopened(const struct check *c, const struct evidence *e, struct findings *f,
	struct err *err)
{
	static const struct leaf_look look = { is_unopened, NULL };

	(void)err;
	leaf_check(c, &look, e, f);
	return RC_OK;
}

const struct check check_encrypted_archive = { STR_INIT("ENCRYPTED_ARCHIVE"),
	GROUP_SEALED, CHECK_CHEAP, 1500, "An archive with encrypted files.",
	run_encrypted };

const struct check check_unopened_archive = { STR_INIT("UNOPENED_ARCHIVE"), GROUP_SEALED,
	CHECK_CHEAP, 1500, "An archive that cannot be read to its end, or not at all.",
	run_unopened };
