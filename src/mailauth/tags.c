/* SPDX-License-Identifier: ISC */
#include "mailauth/tags.h"

static bool
is_fws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static str
trim_fws(str s)
{
	while (s.len > 0 && is_fws(s.ptr[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_fws(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool
is_name(str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z');
		bool more = (c >= '0' && c <= '9') || c == '_';

		if (!letter && (i == 0 || !more))
			return false;
	}
	return s.len > 0;
}

/* tag-value: VALCHAR is every visible character but ';'. */
static bool
is_value(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_fws(s.ptr[i]) && (s.ptr[i] < '!' || s.ptr[i] > '~'))
			return false;
	return true;
}

const struct tag *
tags_find(const struct tags *t, str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(t->at[i].name, name))
			return &t->at[i];
	return NULL;
}

str
tags_value(const struct tags *t, str name)
{
	const struct tag *tag = tags_find(t, name);

	return tag == NULL ? STR("") : tag->value;
}

enum rc
tags_read(str list, struct tags *out)
{
	str rest = list, spec;

	out->n = 0;
	while (str_cut(&rest, ';', &spec)) {
		str name, whole = spec;

		if (trim_fws(spec).len == 0 && trim_fws(rest).len == 0)
			break; /* a ';' may end the list */
		size_t eq = str_find(spec, STR("="));
		if (eq == spec.len || out->n == TAGS_MOST)
			return RC_BAD;
		name = trim_fws(str_first(spec, eq));
		whole = (str){ spec.ptr + eq + 1, spec.len - eq - 1 };
		if (!is_name(name) || !is_value(whole) || tags_find(out, name) != NULL)
			return RC_BAD;
		out->at[out->n++] = (struct tag){ .name = name,
			.value = trim_fws(whole),
			.at = (size_t)(whole.ptr - list.ptr),
			.length = whole.len };
	}
	return out->n > 0 ? RC_OK : RC_BAD;
}
