/* SPDX-License-Identifier: ISC */
/* cert_int: what the files about certificates share; OpenSSL's objects, to be freed. */
#pragma once

#include <openssl/x509v3.h>

#include "crypto/cert.h"

X509 *cert_read(str pem);		/* the first one; NULL */
EVP_PKEY *cert_read_key(str pem);	/* NULL, also when it wants a passphrase */
BIO *cert_text_out(void);		/* in memory that is wiped */
char *cert_take_text(BIO *b);		/* what it holds, malloc'd; frees it */
GENERAL_NAMES *cert_alt_names(str hosts);	/* separated by spaces */
/* "what: why", the why from OpenSSL's queue, which is empty then.  RC_BAD. */
enum rc cert_broken(struct err *err, const char *what);
