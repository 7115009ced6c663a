/* SPDX-License-Identifier: ISC */
/* A line with a charset, then bytes in it: what comes out is UTF-8. */
#include <stdlib.h>

#include "mime/charset.h"
#include "mime/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct charsets *cs;
	BUF_AUTO out = BUF(1000);
	str bytes = { (const char *)data, size }, name = { 0 };
	uint64_t odd = 0;

	if (cs == NULL)
		cs = charsets_new();
	(void)str_cut(&bytes, '\n', &name);
	charset_to_utf8(cs, name, bytes, &out, &odd);
	if (!utf8_valid(buf_str(&out)) || out.len > 1000)
		abort();
	buf_clear(&out);
	charset_to_utf8(NULL, name, bytes, &out, &odd);
	if (!utf8_valid(buf_str(&out)) ||
		(charset_canonical(name).len == 0) == charset_known(name))
		abort();
	return 0;
}
