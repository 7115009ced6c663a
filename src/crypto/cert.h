/* SPDX-License-Identifier: ISC */
/*
 * cert: the keys and certificates that an instance makes itself, by OpenSSL.
 *
 * `init` makes an own CA (ECDSA P-256, ten years, path length 0) and a server
 * certificate from it (397 days, the most that browsers take; subjectAltName
 * holds its host names; RFC 5280, RFC 9525 6).  They let an instance speak TLS
 * from its first second; for links that strangers follow a certificate of a
 * public CA takes their place in keys/tls/.
 *
 * cert_request.c makes what a public CA signs; cert_trust.c says whether strangers
 * believe it.
 *
 * Only certificates that the administrator put into keys/ are read here, and what a CA
 * answered to a request of ours.  Any thread.
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
/* hosts: names with single spaces between, the first is the subject's. */
enum rc cert_make_server(const struct cert_pem *ca, str hosts, uint64_t wall_ms,
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

/* A key (ECDSA P-256) and a request to sign for it (PKCS#10, RFC 2986); hosts as above. */
struct cert_request {
	char *key, *csr;	/* PEM, malloc'd */
};

enum rc cert_make_request(str hosts, struct cert_request *out, struct err *err) MUST_CHECK;
void cert_request_clear(struct cert_request *r);	/* wipes the key */

/* The key is the certificate's (the first's). */
bool cert_fits(str cert_pem, str key_pem);
/* Whom it is for, its DNS names with spaces between, and who signed it, for people. */
enum rc cert_words(str cert_pem, struct buf *names, struct buf *issuer, struct err *err)
	MUST_CHECK;
/* The chain leads to a CA of the system's trust store (OpenSSL's default places, which
 * SSL_CERT_FILE and SSL_CERT_DIR change), names host, and is valid at wall_ms: what a
 * stranger's browser asks.  RC_BAD: err says what it would object to. */
enum rc cert_public(str chain_pem, const char *host, uint64_t wall_ms, struct err *err)
	MUST_CHECK;
