/* SPDX-License-Identifier: ISC */
/* What checks of attachments share. */
#include "filter/checks/checks.h"
#include "filter/excerpt.h"

void
leaf_check(const struct check *c, const struct leaf_look *look, const struct evidence *e,
	struct findings *f)
{
	const struct content_leaf *found = NULL;

	for (size_t i = 0; e->content != NULL && i < e->content->nleaves; i++) {
		const struct content_leaf *leaf = &e->content->leaves[i];

		if (found != NULL && leaf_is_inside(e, leaf))
			continue;
		if (!look->is(e, leaf))
			continue;
		found = leaf;
		if (!leaf_is_inside(e, leaf))
			break;
	}
	if (found != NULL)
		finding_add_inside(f, c, leaf_is_inside(e, found),
			look->detail == NULL ? STR("") : look->detail(e, found));
}

str
leaf_file_name(const struct content_leaf *leaf)
{
	str name = leaf->name;

	while (name.len > 0 && memchr(". \t\"'", name.ptr[name.len - 1], 5) != NULL)
		name.len--;
	for (size_t i = name.len; i > 0; i--)
		if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\')
			return str_skip(name, i);
	return name;
}

str
leaf_extension(const struct content_leaf *leaf)
{
	str name = leaf_file_name(leaf);

	for (size_t i = name.len; i > 0; i--)
		if (name.ptr[i - 1] == '.')
			return str_skip(name, i);
	return STR("");
}
