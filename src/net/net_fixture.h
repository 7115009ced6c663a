/* SPDX-License-Identifier: ISC */
/*
 * net_fixture: what the tests of net/ share: certificates made on the spot, and
 * the client's end of a connection in the same thread.
 */
#pragma once

#include <openssl/ssl.h>

#include "net/conn.h"
#include "net/tls.h"

struct fixture_cert {
	char *cert, *key;	/* PEM */
};

/* "EC" or "RSA"; names as in OpenSSL's "DNS:a.example,DNS:*.b.example". */
struct fixture_cert fixture_cert(const char *kind, const char *names);
void fixture_cert_free(struct fixture_cert *c);
struct tls_pair fixture_pair(const struct fixture_cert *c);
/* One ECDSA certificate for mx.example.test, 12 hours of tickets. */
struct tls *fixture_tls(void);

struct fixture_link {
	int fd;			/* the client's end, non-blocking */
	struct conn *conn;	/* ours */
	SSL_CTX *ctx;
	SSL *ssl;
};

struct fixture_link fixture_link(void);		/* a socketpair, in clear */
void fixture_link_close(struct fixture_link *l);
void fixture_say(struct fixture_link *l, str what);	/* all of it, or the test fails */
/* Whatever has arrived, at most size; 0: nothing or the end. */
size_t fixture_hear(struct fixture_link *l, char *out, size_t size);
/* conn_start_tls() was called: both ends until both are done.  `name`: SNI or
 * NULL.  The link's ctx may have been set up before. */
void fixture_handshake(struct fixture_link *l, const char *name);
/* As far as it goes; what our end says in the end. */
enum conn_got fixture_try_handshake(struct fixture_link *l, const char *name);
