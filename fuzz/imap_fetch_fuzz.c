/* SPDX-License-Identifier: ISC */
/* A section as the answer names it can be asked for again, and is named so again. */
#include "base/buf.h"
#include "wire/imap_fetch.h"

static void
again(const struct imap_section *s, struct arena *mem)
{
	struct imap_section whole = *s;
	BUF_AUTO once = BUF(4 * 1024 * 1024);
	BUF_AUTO twice = BUF(4 * 1024 * 1024);
	struct imap_fetch f;

	whole.partial = false;
	imap_put_section(&once, &whole);
	struct imap_lex x = imap_lex(buf_str(&once), false, mem);
	if (!lex_fetch(&x, &f) || !lex_end(&x) || f.nsections != 1)
		abort();
	imap_put_section(&twice, &f.sections[0]);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(8 * 1024 * 1024);
	struct imap_lex x = imap_lex((str){ (const char *)data, size }, true, mem);
	struct imap_fetch f;

	if (lex_fetch(&x, &f))
		for (size_t i = 0; i < f.nsections; i++)
			again(&f.sections[i], mem);
	return 0;
}
