/* SPDX-License-Identifier: ISC */
/* Names that IMAP shows are tokens; texts are UTF-8 on one line. */
#include <stdlib.h>

#include "mime/param.h"
#include "mime/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct charsets *cs;
	ARENA_AUTO mem = arena_new(16 * 1024 * 1024);
	struct mime_value v;

	if (cs == NULL)
		cs = charsets_new();
	if (mime_value_parse((str){ (const char *)data, size }, cs, mem, &v) != RC_OK)
		return 0;
	for (size_t i = 0; i < v.n; i++) {
		const struct mime_param *p = &v.params[i];

		if (p->value.len > PARAM_VALUE || p->text.len > PARAM_VALUE * 3 ||
			!utf8_valid(p->text))
			abort();
		if (p->text.len > 0 && memchr(p->text.ptr, '\n', p->text.len) != NULL)
			abort();
	}
	return 0;
}
