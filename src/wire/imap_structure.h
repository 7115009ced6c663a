/* SPDX-License-Identifier: ISC */
/*
 * imap_structure: ENVELOPE, BODY and BODYSTRUCTURE of a message, as text (RFC 9051
 * 7.5.2, RFC 3501 7.4.2), from what the index keeps (wire/facts.h).
 *
 * Quoted where all of it is printable ASCII with few quotes, else a literal; NIL for
 * what is absent.  Where the RFC leaves a choice it is made as Dovecot makes it, which
 * clients know best: blanks of subjects and names are put together, text without a
 * charset has us-ascii, a multipart without parts has an empty text, a single language
 * is a list.  tests compare the two (doc/mime-differences.md).  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "wire/facts.h"

/* "(…)" */
void imap_put_envelope(struct buf *b, const struct fact_envelope *e);
/* "(…)" of the part with this index and all in it; s as facts_unpack() gave it, with
 * at least one part.  extended: BODYSTRUCTURE, else BODY. */
void imap_put_structure(
	struct buf *b, const struct fact_structure *s, size_t part, bool extended);
/* A string that is there: quoted or a literal. */
void imap_put_string(struct buf *b, str s);
/* NIL where s is empty. */
void imap_put_nstring(struct buf *b, str s);
