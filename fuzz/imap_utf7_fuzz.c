/* SPDX-License-Identifier: ISC */
/* There is one way to write a name; what was taken is taken again as it is kept. */
#include "mime/utf8.h"
#include "wire/imap_name.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(1024 * 1024);
	str in = { (const char *)data, size }, name, again;
	BUF_AUTO b = BUF(1024 * 1024);
	bool folder;

	if (imap_utf7_in(in, mem, &name) == RC_OK) {
		imap_put_utf7(&b, name);
		if (!utf8_valid(name) || !str_eq(buf_str(&b), in))
			abort();
	}
	for (int utf8 = 0; utf8 < 2; utf8++) {
		if (imap_name_in(in, utf8, mem, &name, &folder, NULL) != RC_OK)
			continue;
		if (name.len == 0 || name.len > MAILBOX_NAME_MOST || !utf8_valid(name))
			abort();
		if (imap_name_in(name, true, mem, &again, NULL, NULL) != RC_OK ||
			!str_eq(name, again))
			abort();
		imap_put_name(&b, name, utf8);
	}
	return 0;
}
