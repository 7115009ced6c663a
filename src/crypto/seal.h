/* SPDX-License-Identifier: ISC */
/*
 * seal: bytes that only the holder of a private key can read again.
 *
 * A sealed file has a random key of its own, wrapped for an X25519 public key
 * (ephemeral X25519, HKDF-SHA256, AES-256-GCM), and its bytes in pieces of
 * SEAL_PIECE, each AES-256-GCM with the piece's number and whether it is the last
 * one in the nonce (the STREAM construction), so that pieces cannot be dropped,
 * swapped or cut off unnoticed.  `about`, a few bytes in the clear, is authenticated
 * with it.  By OpenSSL.  Any thread, one struct each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	SEAL_PUBLIC = 32,
	SEAL_PRIVATE = 32,
	SEAL_WRAPPED = 32 + 32 + 16,	/* ephemeral public key, sealed key, its tag */
	SEAL_PIECE = 64 * 1024,		/* plain */
	SEAL_TAG = 16,
};

void seal_make_keys(uint8_t public_key[SEAL_PUBLIC], uint8_t private_key[SEAL_PRIVATE]);
/* The public half of a private key. */
void seal_public_of(const uint8_t private_key[SEAL_PRIVATE], uint8_t public_key[SEAL_PUBLIC]);

struct seal;		/* one file being sealed or opened */

struct seal *seal_new(const uint8_t public_key[SEAL_PUBLIC], str about,
	uint8_t wrapped[SEAL_WRAPPED]);
/* RC_BAD: not for this key, or damaged. */
enum rc seal_open(const uint8_t private_key[SEAL_PRIVATE], str about,
	const uint8_t wrapped[SEAL_WRAPPED], struct seal **out, struct err *err) MUST_CHECK;
/* The next piece: SEAL_PIECE bytes, the last one at most that many (perhaps none),
 * into out, SEAL_TAG bytes longer.  And back; RC_BAD: not as it was sealed. */
void seal_piece(struct seal *s, str plain, bool last, char *out);
enum rc seal_unpiece(struct seal *s, str sealed, bool last, char *out, struct err *err)
	MUST_CHECK;
void seal_free(struct seal **sp);	/* wipes the key */
