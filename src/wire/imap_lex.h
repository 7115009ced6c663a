/* SPDX-License-Identifier: ISC */
/*
 * imap_lex: the words of an IMAP command (RFC 9051 9, RFC 3501 9), one after the other.
 *
 * A whole command stands in memory: its lines, and its literals where they stood,
 * "{5}\r\nhello", without the end of the last line.  A function either takes what it is
 * named for, moves on and says true; or it says false, has not moved, and `why` says
 * in a word what was wanted there (the first such place is kept, for BAD).  Views live as long as
 * the command; quoted strings with a backslash in them are copied into mem.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum {
	IMAP_LINE_MOST = 64 * 1024,	/* one line (RFC 7162 4 asks for 8192 at least) */
	IMAP_COMMAND_MOST = 512 * 1024,	/* lines and literals together, but not messages */
	IMAP_LOGIN_MOST = 16 * 1024,	/* the same before login */
	IMAP_DEPTH_MOST = 100,		/* parentheses within another */
};

struct imap_lex {
	str all;
	size_t at;
	bool utf8;		/* quoted strings may be UTF-8: rev2, or UTF8=ACCEPT */
	struct arena *mem;
	const char *why;	/* "a mailbox name"; NULL as long as all was well */
};

struct imap_lex imap_lex(str command, bool utf8, struct arena *mem);

bool lex_end(struct imap_lex *x);		/* nothing is left */
bool lex_sp(struct imap_lex *x);		/* exactly one blank */
bool lex_char(struct imap_lex *x, char c);	/* this character: '(' */
bool lex_peek(const struct imap_lex *x, char c);
bool lex_word(struct imap_lex *x, str word);	/* this word in any case, and no more of an atom */
bool lex_atom(struct imap_lex *x, str *out);	/* ATOM-CHARs */
bool lex_tag(struct imap_lex *x, str *out);	/* ASTRING-CHARs without '+' */
bool lex_astring(struct imap_lex *x, str *out);
bool lex_string(struct imap_lex *x, str *out);	/* quoted or literal */
bool lex_nstring(struct imap_lex *x, str *out, bool *nil);
bool lex_list_mailbox(struct imap_lex *x, str *out);	/* LIST's pattern */
bool lex_number(struct imap_lex *x, uint32_t *out);
bool lex_nz_number(struct imap_lex *x, uint32_t *out);
bool lex_number64(struct imap_lex *x, uint64_t *out);	/* at most 2^63-1 */
/* "(\Seen foo)" or, where bare, also without parentheses: as store_flags() wants them: enum
 * store_flag's bits as wire numbers them, and keywords, each once, sorted, a blank between. */
struct imap_flags {
	unsigned marks;	/* enum imap_flag, or-ed */
	str keywords;
};
enum imap_flag { IMAP_SEEN = 1, IMAP_ANSWERED = 2, IMAP_FLAGGED = 4, IMAP_DELETED = 8, IMAP_DRAFT = 16 };
enum { IMAP_KEYWORD_MOST = 100, IMAP_KEYWORDS_MOST = 64, IMAP_KEYWORDS_BYTES = 2048 };
bool lex_flags(struct imap_lex *x, bool bare, struct imap_flags *out);
bool lex_date(struct imap_lex *x, int64_t *days);	/* 1-Feb-1994: days since 1970 */
bool lex_date_time(struct imap_lex *x, uint64_t *ms);	/* " 1-Feb-1994 21:52:25 -0800" */

/* The announcement at the end of a line: "{n}", "{n+}", "~{n}", "~{n+}" (RFC 7888, 3516). */
struct imap_literal {
	uint64_t bytes;
	bool wait;		/* the client waits for "+ " */
	bool binary;
};
/* RC_NONE: the line does not end in one; RC_BAD: in one that is wrong. */
enum rc imap_line_literal(str line, struct imap_literal *out);
