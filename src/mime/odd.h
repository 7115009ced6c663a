/* SPDX-License-Identifier: ISC */
/*
 * odd: what is not as it should be in a message, as bits.
 *
 * Whoever writes such a message makes programs disagree about what it says,
 * by mistake or because one of them is the virus scanner.  Each bit is set
 * where the parsing code met it; names and sentences are in one table, for
 * JSON, checks and the manual.  Bits are for this process and the next: they
 * are never stored, so the order may change.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* ODD(name, hides, doc): hides: a strict reader may have missed or misread what
 * is in such a part, so the virus scanner is given it decoded. */
#define MIME_ODDITIES(ODD) \
	ODD(NO_MIME_VERSION, 1, "MIME fields, but no MIME-Version") \
	ODD(DUP_TYPE, 1, "a second Content-Type") \
	ODD(BAD_TYPE, 1, "a Content-Type that cannot be read by the grammar") \
	ODD(DUP_ENCODING, 1, "a second Content-Transfer-Encoding") \
	ODD(BAD_ENCODING, 1, "an encoding that is unknown or has something beside it") \
	ODD(DUP_DISPOSITION, 0, "a second Content-Disposition") \
	ODD(BAD_FIELD, 1, "a line among the fields of a part that is none") \
	ODD(HIDDEN_FIELD, 1, "a MIME field in a form that not every reader takes for one") \
	ODD(HEADER_CUT, 1, "a part ends within its header") \
	ODD(NUL_BYTE, 1, "NUL in a header or a boundary") \
	ODD(NO_BOUNDARY, 1, "multipart without a boundary") \
	ODD(BAD_BOUNDARY, 1, "a boundary that is empty, too long or has bytes that none may have") \
	ODD(DUP_BOUNDARY, 1, "two boundaries for one multipart") \
	ODD(LOOSE_BOUNDARY, 1, "a delimiter line with something before or behind it") \
	ODD(SAME_BOUNDARY, 1, "a boundary that is, or begins with, one around it") \
	ODD(NO_PARTS, 1, "a multipart in which its boundary never occurs") \
	ODD(UNCLOSED, 1, "a multipart without its end") \
	ODD(PREAMBLE, 1, "something other than a note in front of the first part") \
	ODD(EPILOGUE, 1, "something behind the last part, or parts behind the end") \
	ODD(BARE_LINE_END, 1, "bare CR or LF where it tells parts or fields apart") \
	ODD(ENCODED_COMPOSITE, 1, "a multipart or message with an encoding") \
	ODD(BAD_BASE64, 1, "base64 with foreign bytes, or padding where none belongs") \
	ODD(BAD_QP, 1, "quoted-printable that cannot be decoded by the rules") \
	ODD(UNENCODED, 0, "bytes over 127 in a part that is said to have none") \
	ODD(EMBEDDED, 1, "uuencode, yEnc or BinHex within a text") \
	ODD(BAD_EMBEDDED, 1, "the same, damaged") \
	ODD(PARAM_CONFLICT, 1, "two values for a parameter, or continuations out of order") \
	ODD(PARAM_WORD, 0, "an encoded word in a parameter (RFC 2047 5 forbids it)") \
	ODD(BAD_WORD, 0, "an encoded word that cannot be decoded") \
	ODD(UNKNOWN_CHARSET, 0, "a charset that we do not know") \
	ODD(BAD_CHARSET, 0, "bytes that do not exist in their charset") \
	ODD(WIDE_CHARSET, 1, "text in UTF-16, UTF-32 or UTF-7") \
	ODD(CHARSET_CONFLICT, 1, "a text that says something else than its charset") \
	ODD(PARTIAL, 1, "message/partial: a piece of a message") \
	ODD(EXTERNAL, 0, "message/external-body: the content is elsewhere") \
	ODD(TNEF, 0, "Microsoft's winmail.dat") \
	ODD(TYPE_CONFLICT, 0, "content of another type than it is said to have") \
	ODD(NAME_CONFLICT, 0, "a file name that hides the type") \
	ODD(ARCHIVE_BAD, 0, "an archive that cannot be read to its end") \
	ODD(ARCHIVE_ENCRYPTED, 0, "an archive with encrypted content") \
	ODD(ARCHIVE_FOREIGN, 1, "an archive of a kind that virus scanners do not open") \
	ODD(ALTERNATE, 1, "a part that only another reading of the message has")

enum mime_odd_bit {
#define ODD(name, hides, doc) MIME_ODD_BIT_##name,
	MIME_ODDITIES(ODD)
#undef ODD
	MIME_ODD_BITS,
};

#define MIME_ODD(name) (UINT64_C(1) << MIME_ODD_BIT_##name)

/* All bits whose row says `hides`. */
#define ODD(name, hides, doc) | ((uint64_t)(hides) << MIME_ODD_BIT_##name)
static const uint64_t MIME_ODD_HIDES = 0 MIME_ODDITIES(ODD);
#undef ODD

str mime_odd_name(enum mime_odd_bit bit);	/* "dup_type" */
str mime_odd_doc(enum mime_odd_bit bit);
