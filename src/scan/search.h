/* SPDX-License-Identifier: ISC */
/*
 * search: everything that SEARCH looks at in a message (RFC 9051 6.4.4), decoded to UTF-8:
 * the fields of all headers in the primary tree, and what is in parts of type text and
 * message.  HTML as it is and as it is read.  The trace block in front of a message is part of its
 * header, as IMAP shows it, but for the dots that fill it.
 */
#pragma once

#include "scan/scan_int.h"

enum search_field_of {
	SEARCH_OF_MESSAGE,
	SEARCH_OF_PART,		/* of one of its parts */
	SEARCH_OF_ATTACHED,	/* of, or within, an attached message: part of its text */
};

/* The name of a field, or with a colon in front, ":From": its addresses as an envelope has them, without
 * comments, quotes and folds, where that is not how they were written.
 * Who listens; false: no more is wanted.  Views live until the call returns. */
struct search_sink {
	bool (*field)(enum search_field_of of, str name, str value, void *arg);
	bool (*text)(str utf8, void *arg); /* one of them, or (a very long one) some lines */
	void *arg;
};

enum rc search_message(const struct mapped *file, const struct mime_tree *tree, struct charsets *cs,
	const struct search_sink *to, struct err *err) MUST_CHECK;
