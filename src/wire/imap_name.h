/* SPDX-License-Identifier: ISC */
/*
 * imap_name: names of mailboxes: UTF-8 inside, modified UTF-7 for clients that have not
 * enabled IMAP4rev2 or UTF8=ACCEPT (RFC 3501 5.1.3, RFC 6855 3).  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { MAILBOX_NAME_MOST = 1000, MAILBOX_LEVELS_MOST = 32 };

/* What the client wrote, as we keep it: NFC, "INBOX" in capitals also as a first level.
 * RC_BAD with a sentence: no valid UTF-7 or UTF-8, a control character, an empty level, too
 * long.  A trailing '/' is dropped where `folder` is not NULL, and told. */
enum rc imap_name_in(str wire, bool utf8, struct arena *mem, str *out, bool *folder,
	struct err *err) MUST_CHECK;
/* As an astring: atom, quoted or literal. */
void imap_put_name(struct buf *b, str name, bool utf8);
void imap_put_utf7(struct buf *b, str utf8);		/* without quotes */
enum rc imap_utf7_in(str utf7, struct arena *mem, str *out);
/* LIST patterns: '*' anything, '%' anything but '/'; linear in the name for each '*'
 * at worst quadratic; "INBOX" matches in any case. */
bool imap_list_match(str pattern, str name);
