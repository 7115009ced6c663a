/* SPDX-License-Identifier: ISC */
/*
 * pgp: OpenPGP messages (RFC 9580 4.2, 5.6, 5.9, 6.2) that are not encrypted: armor,
 * packets, and the file in a literal packet.  Signatures are not looked at.  Lengths
 * that are too long end with the bytes.  Linear.  Any thread.
 */
#pragma once

#include "scan/lump.h"

enum { PGP_COMPRESSED = 8, PGP_LITERAL = 11 };

enum { PGP_PLAIN, PGP_ZIP, PGP_ZLIB, PGP_BZIP2 }; /* first byte of PGP_COMPRESSED */

struct pgp_packet {
	unsigned tag;
	str body; /* a view, or in *joined where it came in pieces */
};

/* The base64 of the next armored message at or after *at, which goes behind it. */
bool pgp_armored(str text, size_t *at, str *base64);
/* Does it begin with a packet that has something in it, without a key? */
bool pgp_is_open(str bytes);
/* Takes the next packet off *rest.  False: there is none. */
bool pgp_next(str *rest, struct pgp_packet *out, struct lump *joined);
/* What is in a literal packet, and the name it is to have. */
bool pgp_literal(str body, str *name, str *file);
