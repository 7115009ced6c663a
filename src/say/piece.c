/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"

bool
say_name(str s)
{
	if (s.len == 0 || s.len > TEMPLATE_NAME || s.ptr[0] < 'a' || s.ptr[0] > 'z')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* What is between the braces. */
static enum rc
braces(str in, struct piece *out, struct err *err)
{
	str form;

	(void)str_cut(&in, '|', &out->text);
	if (!say_name(out->text))
		return err_set(err, RC_BAD, "in braces stands a name");
	out->kind = PIECE_NAME;
	while (str_cut(&in, '|', &form)) {
		if (out->nforms == SAY_FORMS || form.len == 0 ||
			memchr(form.ptr, '{', form.len) != NULL)
			return err_set(err, RC_BAD,
				"forms of a number: 1 to 6, none empty, no braces");
		out->kind = PIECE_COUNT;
		out->forms[out->nforms++] = form;
	}
	return RC_OK;
}

enum rc
piece_next(str *rest, struct piece *out, struct err *err)
{
	size_t open = str_find(*rest, STR("{"));
	size_t close = str_find(*rest, STR("}"));

	*out = (struct piece){ 0 };
	if (rest->len == 0)
		return RC_NONE;
	if (open > 0 && close > 0 && close >= open) {
		out->text = str_first(*rest, open);
		*rest = str_skip(*rest, open);
		return RC_OK;
	}
	if (open > 0 || close == rest->len)
		return err_set(err, RC_BAD, "a brace without its other");
	out->text = (str){ rest->ptr + 1, close - 1 };
	*rest = str_skip(*rest, close + 1);
	return braces(out->text, out, err);
}
