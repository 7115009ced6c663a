/* SPDX-License-Identifier: ISC */
/*
 * mime_int: between the decoders of this folder.
 *
 * struct pour collects decoded bytes into pieces for a sink, counts them against
 * the limit and keeps the first failure; a decoder that sees !pour_ok() ends.
 */
#pragma once

#include "mime/decode.h"

enum { POUR_PIECE = 16 * 1024 };

struct pour {
	mime_sink_fn *to;
	void *arg;
	uint64_t left;	/* how much may still come */
	enum rc rc;
	size_t n;
	char piece[POUR_PIECE];
};

static inline bool pour_ok(const struct pour *p) { return p->rc == RC_OK; }
void pour_flush(struct pour *p);
void pour(struct pour *p, str s);

static inline void
pour_c(struct pour *p, char c)
{
	if (p->n == POUR_PIECE)
		pour_flush(p);
	p->piece[p->n++] = c;
}

/* The line at the front without its end (LF or CRLF), taken from *rest. */
str take_line(str *rest);
enum { BASE64_PADDING = -2 };
int base64_value(char c);	/* BASE64_PADDING for '='; -1: foreign */

/* decode_embedded.c */
void decode_uu(str in, struct pour *p, uint64_t *odd);
void decode_yenc(str in, struct pour *p, uint64_t *odd);
/* decode_binhex.c */
void decode_binhex(str in, struct pour *p, uint64_t *odd);

/* charset_names.c: what is known, and by which names. */
enum charset_kind {
	CHARSET_UTF8,
	CHARSET_ASCII,	/* UTF-8 where it is valid, else windows-1252 */
	CHARSET_SINGLE,	/* a byte, a character */
	CHARSET_DOUBLE,	/* one or two bytes */
	CHARSET_GB18030,
	CHARSET_EUC_JP,
	CHARSET_ISO_2022,	/* JP and KR: escape sequences */
	CHARSET_HZ,
	CHARSET_UTF16, CHARSET_UTF16BE, CHARSET_UTF16LE,
	CHARSET_UTF32, CHARSET_UTF32BE, CHARSET_UTF32LE,
	CHARSET_UTF7,
};

struct charset_row {
	str name;
	enum charset_kind kind;
	const char *iconv;	/* glibc's name of its table; NULL: needs none */
	str aliases;	/* lower case, letters and digits only, a blank around each */
	bool foreign;	/* ASCII in it is other bytes (EBCDIC) */
};

extern const struct charset_row charset_rows[];
extern const size_t charset_nrows;
/* NULL: unknown. */
const struct charset_row *charset_find(str name);

/* charset_tables.c: characters as iconv has them. */
enum {
	PAIR_LEAD = 0x81, PAIR_LEADS = 126,	/* 81 … fe */
	PAIR_TRAIL = 0x30, PAIR_TRAILS = 207,	/* 30 … fe */
	CHAR_NONE = 0xffff,	/* no character */
	CHAR_LEAD = 0xfffe,	/* the first of two */
};

struct single_table {
	uint16_t at[256];
};

struct double_table {
	uint16_t single[256];
	uint16_t pair[PAIR_LEADS][PAIR_TRAILS];
	uint8_t plane2[PAIR_LEADS][(PAIR_TRAILS + 7) / 8];	/* bits: U+2xxxx */
};

/* GB 18030's four bytes in the BMP: from this number on, from this character on. */
struct gb_run {
	uint32_t linear, c;
};

enum { GB_RUNS = 400, CHARSET_ROWS_MOST = 96 };

struct charsets {
	struct single_table *single[CHARSET_ROWS_MOST];	/* by row */
	struct double_table *pairs[CHARSET_ROWS_MOST];
	struct double_table *jis0212;	/* by its two bytes behind 8f */
	const struct double_table *jp, *kr, *cn;	/* some of pairs; NULL: not there */
	size_t ngb;
	struct gb_run gb[GB_RUNS];
};

void charset_tables_fill(struct charsets *c);
