/* SPDX-License-Identifier: ISC */
/*
 * cert: the keys and certificates that an instance makes itself, by OpenSSL.
 *
 * `init` makes an own CA (ECDSA P-256, ten years, path length 0) and a server
 * certificate from it (397 days, the most that browsers take; subjectAltName
 * is the host name; RFC 5280, RFC 9525 6).  They let an instance speak TLS
 * from its first second; for links that strangers follow a certificate of a
 * public CA takes their place in keys/tls/.
 *
 * Only certificates that the administrator put into keys/ are read here.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { CERT_CA_DAYS = 3653, CERT_SERVER_DAYS = 397 };

struct cert_pem {
	char *cert, *key;	/* PEM, NUL-terminated, malloc'd */
};

void cert_pem_clear(struct cert_pem *p);	/* wipes the key */

enum rc cert_make_ca(str hostname, uint64_t wall_ms, struct cert_pem *out, struct err *err)
	MUST_CHECK;
enum rc cert_make_server(const struct cert_pem *ca, str hostname, uint64_t wall_ms,
	struct cert_pem *out, struct err *err) MUST_CHECK;

struct cert_facts {
	uint64_t from_ms, until_ms;	/* validity, wall clock */
	bool names_host;		/* subjectAltName (or a wildcard in it) covers it */
	bool own;			/* signed by the CA given */
};

/* Looks at a certificate (the first of a chain) and its key.  ca_pem "": not
 * asked.  RC_BAD: not PEM, or the key is not the certificate's. */
enum rc cert_look(str cert_pem, str key_pem, str ca_pem, const char *hostname,
	struct cert_facts *out, struct err *err) MUST_CHECK;
/* The first certificate's DER, and its end. */
enum rc cert_der(str cert_pem, struct buf *der, uint64_t *until_ms, struct err *err) MUST_CHECK;
