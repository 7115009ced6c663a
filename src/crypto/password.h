/* SPDX-License-Identifier: ISC */
/*
 * password: what is kept instead of passwords, and comparing with it.
 *
 * A password is prepared (SASLprep, RFC 4013) before it is hashed, so that the
 * same characters typed on different machines are the same password.  At most
 * PASSWORD_MOST bytes of UTF-8, no control characters.  Comparisons take the
 * same time wherever they differ.  Any thread; a hash takes about 20 ms of
 * processor time and 16 MiB of memory: callers limit how many run at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
	PASSWORD_MOST = 512,
	PASSWORD_TEXT = 128,		/* a yescrypt hash with its NUL is shorter */
	SCRAM_SALT = 16,
	SCRAM_KEY = 32,
	/* RFC 7677 4 asks for 4,096 at least; phones still do this in a blink. */
	SCRAM_ITERATIONS = 16384,
	APP_SECRET = 21,		/* 20 characters of base 32 (100 bits), NUL */
};

/* yescrypt by libxcrypt: "$y$…".  RC_BAD: not usable as a password. */
enum rc password_hash(str password, char out[PASSWORD_TEXT], struct err *err) MUST_CHECK;
/* False also for what is no hash. */
bool password_matches(str password, str hash);

/* What SCRAM-SHA-256 needs of a password (RFC 5802 3, RFC 7677). */
struct scram {
	uint8_t salt[SCRAM_SALT];
	uint32_t iterations;
	uint8_t stored_key[SCRAM_KEY], server_key[SCRAM_KEY];
};

enum rc scram_make(str password, struct scram *out, struct err *err) MUST_CHECK;
/* The same for a given salt and count: what a client would have. */
enum rc scram_derive(str password, str salt, uint32_t iterations, struct scram *out,
	struct err *err) MUST_CHECK;

/* App passwords are random, so one SHA-256 guards them as well as yescrypt
 * would.  Spaces and dashes that people type between the characters, and the
 * characters' case, do not matter. */
void app_secret_make(char secret[APP_SECRET], uint8_t digest[32]);
bool app_secret_matches(str secret, const uint8_t digest[32]);
