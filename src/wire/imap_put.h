/* SPDX-License-Identifier: ISC */
/* imap_put: what answers are made of.  See also imap_structure.h and imap_name.h.  Any
 * thread. */
#pragma once

#include "base/buf.h"
#include "wire/imap_lex.h"

void imap_put_astring(struct buf *b, str s);		/* atom, quoted or literal */
void imap_put_flags(struct buf *b, unsigned flags, bool recent, str keywords);	/* "(\Seen foo)" */
void imap_put_date_time(struct buf *b, uint64_t ms);	/* "\"17-Jul-1996 02:44:25 +0000\"" */
