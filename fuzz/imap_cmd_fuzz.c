/* SPDX-License-Identifier: ISC */
/* Every word function at every place: one that says no has not moved and says why. */
#include "wire/imap_fetch.h"
#include "wire/imap_search.h"

#define TRY(call)                                                                   \
	do {                                                                        \
		struct imap_lex x = start;                                          \
		bool ok = (call);                                                   \
		if (ok ? x.at <= start.at || x.at > command.len : x.at != start.at) \
			abort();                                                    \
		if (ok != (x.why == NULL))                                          \
			abort();                                                    \
		if (ok && x.at > furthest)                                          \
			furthest = x.at;                                            \
	} while (0)

struct any {
	str s;
	bool nil;
	uint32_t n;
	uint64_t n64;
	int64_t days;
	struct imap_flags flags;
	struct imap_set set;
	struct imap_fetch fetch;
	struct imap_query query;
};

static size_t
step(struct imap_lex start, str command)
{
	size_t furthest = start.at + 1;
	struct any a;

	TRY(lex_sp(&x));
	TRY(lex_atom(&x, &a.s));
	TRY(lex_tag(&x, &a.s));
	TRY(lex_astring(&x, &a.s));
	TRY(lex_string(&x, &a.s));
	TRY(lex_nstring(&x, &a.s, &a.nil));
	TRY(lex_list_mailbox(&x, &a.s));
	TRY(lex_number(&x, &a.n));
	TRY(lex_nz_number(&x, &a.n));
	TRY(lex_number64(&x, &a.n64));
	TRY(lex_flags(&x, false, &a.flags));
	TRY(lex_flags(&x, true, &a.flags));
	TRY(lex_date(&x, &a.days));
	TRY(lex_date_time(&x, &a.n64));
	TRY(lex_set(&x, &a.set));
	TRY(lex_known_set(&x, &a.set));
	TRY(lex_fetch(&x, &a.fetch));
	TRY(lex_search(&x, &a.query));
	return furthest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str command = { (const char *)data, size < 2000 ? size : 2000 };
	struct arena *mem = arena_new(8 * 1024 * 1024);
	struct imap_literal l;

	for (int utf8 = 0; utf8 < 2; utf8++)
		for (struct imap_lex x = imap_lex(command, utf8, mem); x.at < command.len;
			arena_reset(mem))
			x.at = step(x, command);
	if (imap_line_literal(command, &l) == RC_OK && l.bytes > INT64_MAX)
		abort();
	arena_free(&mem);
	return 0;
}
