/* SPDX-License-Identifier: ISC */
/*
 * pair: a certificate and its key, two files of keys/tls that must belong together
 * whenever the power goes.
 *
 *	NAME.crt NAME.key   what serves
 *	NAME.key.next       the key of a NAME.crt that may have been written already
 *	NAME.previous       the pair before, one file: certificate, then key
 *
 * A new pair is written in this order: NAME.key.next, NAME.crt, then NAME.key.next
 * becomes NAME.key.  Each step is atomic and synced.  Who reads takes the key that is
 * the certificate's, so there is no moment at which there is none.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct pair {
	char *cert, *key;	/* PEM, malloc'd, NUL behind */
	size_t cert_len, key_len;
};

/* folder: keys/tls.  Where neither key fits, key is NAME.key, and the caller finds out. */
enum rc pair_read(int folder, const char *name, struct pair *out, struct err *err) MUST_CHECK;
void pair_clear(struct pair *p);	/* wipes the key */
/* What serves before is NAME.previous after.  One writer at a time. */
enum rc pair_write(int folder, const char *name, str cert, str key, struct err *err) MUST_CHECK;

static inline str pair_cert(const struct pair *p) { return (str){ p->cert, p->cert_len }; }
static inline str pair_key(const struct pair *p) { return (str){ p->key, p->key_len }; }
