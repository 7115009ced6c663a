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

/* decode_embedded.c */
void decode_uu(str in, struct pour *p, uint64_t *odd);
void decode_yenc(str in, struct pour *p, uint64_t *odd);
/* decode_binhex.c */
void decode_binhex(str in, struct pour *p, uint64_t *odd);
