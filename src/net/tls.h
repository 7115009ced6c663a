/* SPDX-License-Identifier: ISC */
/*
 * tls: certificates and the server side of TLS, by OpenSSL.
 *
 * A struct tls is made from a set of certificates and never changes; a reload
 * makes a new one, connections go on with theirs (it is counted).  The name
 * that a client asks for (SNI) picks the certificate, exactly or by its
 * wildcard; otherwise the first serves.  A name may have an ECDSA and an RSA
 * pair.  TLS 1.2 and later, session tickets under keys that rotate
 * (RFC 5077; the last two are accepted), no renegotiation, no compression.
 * Tickets of the one before a reload are not accepted by the one after it.
 * Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct tls;

struct tls_pair {
	str name;		/* file name without .crt; only for messages */
	str cert_pem, key_pem;	/* chain, leaf first */
};

/* The names come from the certificates' subjectAltName. */
enum rc tls_new(const struct tls_pair *pairs, size_t n, bool only_1_3,
	uint64_t ticket_rotation_ms, struct tls **out, struct err *err) MUST_CHECK;
struct tls *tls_keep(struct tls *t);
void tls_drop(struct tls **tp);
