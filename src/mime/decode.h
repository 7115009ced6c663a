/* SPDX-License-Identifier: ISC */
/*
 * decode: transfer encodings, as forgiving as mail clients are.
 *
 * base64: foreign bytes are stepped over, padding may be missing or stand in the
 * middle (then it goes on behind it, with a new group, as Outlook and Thunderbird
 * do), url-safe letters count.  Perl, Python and PHP end at the padding, others
 * ignore it: where BAD_BASE64 was set, MIME_BASE64_STRICT and _JOINED give what those
 * see.  quoted-printable: "=" before anything else stays as it is,
 * lower-case digits, blanks at line ends dropped, any line end.  uuencode (RFC-less;
 * POSIX uuencode): also "begin-base64", spaces for '`', lines too short or too
 * long, no "end".  yEnc 1.3, BinHex 4.0 (RFC 1741; data fork).  What a strict
 * decoder would have done otherwise sets a bit in *odd.
 *
 * No allocation.  Linear in input and output.  The output is not longer than the
 * input, but for BinHex's run length encoding and uuencode's lines whose blanks at the
 * end were lost: at most `most` bytes come out.  Any thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "mime/odd.h"

enum mime_encoding {
	MIME_IDENTITY,		/* 7bit, 8bit, binary, none: bytes as they stand */
	MIME_BASE64,
	MIME_QP,
	MIME_UUENCODE,		/* x-uuencode, x-uue, uuencode */
	MIME_YENC,		/* x-yenc */
	MIME_BINHEX,		/* mac-binhex40 */
	/* Other readings of base64, for the virus scanner: never found in a field. */
	MIME_BASE64_STRICT,	/* ends at the first padding, url-safe letters are foreign */
	MIME_BASE64_JOINED,	/* the same, but padding too is stepped over */
	MIME_ENCODINGS,
};

/* Gets the output piece by piece (at most 16 KiB each); anything but RC_OK ends the
 * decoding and is what mime_decode() returns. */
typedef enum rc mime_sink_fn(str piece, void *arg);

enum rc mime_decode(enum mime_encoding how, str in, uint64_t most, mime_sink_fn *to,
	void *arg, uint64_t *odd) MUST_CHECK;	/* RC_LIMIT: more than `most` came out */

/* A Content-Transfer-Encoding's raw value.  Case, blanks, comments, quotes and junk
 * behind the token do not matter to a client: *odd gets BAD_ENCODING for what a
 * strict reader would not accept (MIME_IDENTITY for unknown ones). */
enum mime_encoding mime_encoding_read(str raw, uint64_t *odd);
str mime_encoding_name(enum mime_encoding how);

/* A file within a text: "begin 644 name", "begin-base64", "=ybegin", "(This file must
 * be converted with BinHex". */
struct mime_embedded {
	enum mime_encoding how;
	str body;		/* behind its first line, to its end; give it to mime_decode */
	str name;
	bool whole;		/* its end was there */
};

/* The next one at or after *at, which goes on behind its first line, because what is
 * in one (or seems to be) may hold another of another kind; those of one kind never
 * overlap.  False: no more.  A whole text costs linear time, however many beginnings
 * it has. */
bool mime_embedded_next(str text, size_t *at, struct mime_embedded *out);
