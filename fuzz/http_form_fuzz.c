/* SPDX-License-Identifier: ISC */
/* A form; what was taken is UTF-8 without controls. */
#include "mime/utf8.h"
#include "wire/http_body.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(1 << 17);
	struct http_form f = { 0 };

	if (http_form_parse((str){ (const char *)data, size }, mem, &f) != RC_OK)
		return 0;
	for (size_t i = 0; i < f.n; i++) {
		str v = f.at[i].value, name = f.at[i].name;

		if (!utf8_valid(v) || !utf8_valid(name) ||
			str_printable(name) != name.len)
			abort();
		for (size_t k = 0; k < v.len; k++)
			if ((unsigned char)v.ptr[k] < 0x20 && v.ptr[k] != '\t' &&
				v.ptr[k] != '\n')
				abort();
		(void)http_form_get(&f, name);
	}
	return 0;
}
