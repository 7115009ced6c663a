/* SPDX-License-Identifier: ISC */
/* Pattern, a newline, name: what the plain way says, which is slow, is right. */
#include "wire/imap_name.h"

static bool
plainly(str p, str s)
{
	if (p.len == 0 || (p.ptr[0] != '*' && p.ptr[0] != '%'))
		return p.len == 0 ? s.len == 0
				  : s.len > 0 && s.ptr[0] == p.ptr[0] &&
					    plainly(str_skip(p, 1), str_skip(s, 1));
	for (size_t n = 0; n <= s.len; n++) {
		if (plainly(str_skip(p, 1), str_skip(s, n)))
			return true;
		if (n < s.len && p.ptr[0] == '%' && s.ptr[n] == '/')
			return false;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str name = { (const char *)data, size }, pattern = { 0 };

	(void)!str_cut(&name, '\n', &pattern);
	bool is = imap_list_match(pattern, name);
	if (pattern.len < 12 && name.len < 12 && !str_istarts(name, STR("INBOX")) &&
		is != plainly(pattern, name))
		abort();
	return 0;
}
