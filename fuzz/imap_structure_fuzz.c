/* SPDX-License-Identifier: ISC */
/* Whatever a structure is, its text is balanced, and on one line but for literals. */
#include <stdlib.h>

#include "wire/imap_structure.h"

static int
depth_behind(str s)
{
	uint64_t literal = 0;
	int depth = 0;

	for (bool quoted = false; s.len > 0; s = str_skip(s, 1)) {
		if (s.ptr[0] == '\r' || s.ptr[0] == '\n')
			abort();
		if (quoted && s.ptr[0] == '\\')
			s = str_skip(s, 1);
		else if (s.ptr[0] == '"')
			quoted = !quoted;
		else if (!quoted && s.ptr[0] == '{') {
			size_t n = str_find(s, STR("}"));

			if (!str_u64(str_skip(str_first(s, n), 1), s.len - n - 3,
				    &literal))
				abort();
			s = str_skip(s, n + 2 + (size_t)literal);
		} else if (!quoted)
			depth += s.ptr[0] == '(' ? 1 : s.ptr[0] == ')' ? -1 : 0;
	}
	return depth;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(4 * 1024 * 1024);
	BUF_AUTO b = BUF(16 * 1024 * 1024);
	struct fact_structure s;

	if (facts_unpack_structure((str){ (const char *)data, size }, 1 << 20, mem, &s) ==
			RC_OK &&
		s.n > 0) {
		imap_put_structure(&b, &s, 0, size % 2 == 0);
		if (!buf_ok(&b) || depth_behind(buf_str(&b)) != 0)
			abort();
	}
	return 0;
}
