/* SPDX-License-Identifier: ISC */
#include "mime/msgid.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next "<…>"; a '<' before its '>' begins it anew. */
static bool
next_bracketed(str *left, str *id)
{
	const char *begin, *end;

	if (left->len == 0 || (begin = memchr(left->ptr, '<', left->len)) == NULL)
		return false;
	*left = str_skip(*left, (size_t)(begin - left->ptr) + 1);
	if (left->len == 0 || (end = memchr(left->ptr, '>', left->len)) == NULL)
		return false;
	*id = str_first(*left, (size_t)(end - left->ptr));
	*left = str_skip(*left, id->len + 1);
	const char *again = id->len == 0 ? NULL : memrchr(id->ptr, '<', id->len);
	if (again != NULL)
		*id = str_skip(*id, (size_t)(again - id->ptr) + 1);
	return true;
}

static bool
next_word(str *left, str *id)
{
	str word;

	while (str_cut(left, ' ', &word)) {
		word = str_trim(word);
		if (word.len > 0 && memchr(word.ptr, '@', word.len) != NULL) {
			*id = word;
			return true;
		}
	}
	return false;
}

static bool
next_id(str *left, bool bracketed, str *id)
{
	for (;;) {
		if (!(bracketed ? next_bracketed(left, id) : next_word(left, id)))
			return false;
		if (id->len > 0 && id->len <= MSGID_LONGEST)
			return true;
	}
}

/* A long id may have been folded in its middle: its blanks are not its own. */
static enum rc
keep(str id, struct arena *mem, str *out)
{
	char *to = arena_alloc(mem, id.len + 1);
	size_t n = 0;

	if (to == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < id.len; i++)
		if (!blank(id.ptr[i]))
			to[n++] = id.ptr[i];
	*out = (str){ to, n };
	return RC_OK;
}

enum rc
msgid_parse(str value, size_t most, struct arena *mem, struct msgid_list *out)
{
	bool bracketed = value.len > 0 && memchr(value.ptr, '<', value.len) != NULL;
	struct msgid_list got = { 0 };
	str left = value, id;
	size_t all = 0;

	while (next_id(&left, bracketed, &id))
		all++;
	size_t drop = all > most ? all - most : 0;
	got.at = arena_array(mem, all - drop, sizeof(*got.at));
	if (got.at == NULL)
		return RC_LIMIT;
	left = value;
	for (size_t i = 0; next_id(&left, bracketed, &id); i++) {
		if (i < drop)
			continue;
		if (keep(id, mem, &got.at[got.n]) != RC_OK)
			return RC_LIMIT;
		got.n += got.at[got.n].len > 0;
	}
	*out = got;
	return RC_OK;
}
