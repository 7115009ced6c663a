/* SPDX-License-Identifier: ISC */
/*
 * tls_names: which pairs of certificate and key there are and for which names,
 * read from their PEM.  Private to tls.c.
 */
#pragma once

#include <openssl/x509.h>

#include "net/tls.h"

enum tls_kind { TLS_ECDSA, TLS_RSA, TLS_OTHER, TLS_KINDS };

enum { TLS_NAME = 254, TLS_CHAIN = 16, TLS_SANS = 1000 };

struct tls_cert {
	X509 *leaf;
	STACK_OF(X509) *chain;		/* without the leaf */
	EVP_PKEY *key;
	enum tls_kind kind;
	size_t nnames;
	char (*names)[TLS_NAME];	/* lower case, wildcards as they stand */
};

enum rc tls_cert_read(const struct tls_pair *pair, struct tls_cert *out, struct err *err)
	MUST_CHECK;
void tls_cert_clear(struct tls_cert *c);
/* Lower case, without a final dot; false: not a name of ours to look up. */
bool tls_name(str name, char out[TLS_NAME]);
