/* SPDX-License-Identifier: ISC */
/* tls_rows: the certificates of keys/tls, as people want them told, and which of them
 * serves a name (net/tls.h decides it so). */
#pragma once

#include "daemon/instance.h"

struct tls_row {
	char file[256];			/* without .crt */
	char *cert;			/* PEM, the chain */
	struct buf names, issuer;	/* spaces between the names */
	uint64_t from_ms, until_ms;
	bool own;			/* signed by this instance's CA */
	char fault[240];		/* it cannot be used; "" */
};

struct tls_rows {
	struct tls_row *at;		/* hostname's own first */
	size_t n;
};

enum rc tls_rows_read(const struct instance *in, struct tls_rows *out, struct err *err)
	MUST_CHECK;
void tls_rows_free(struct tls_rows *r);
/* Who is shown it that asks for host. */
const struct tls_row *tls_rows_serving(const struct tls_rows *r, const char *host);
/* Strangers believe that it is host's.  RC_BAD: err says what they object to. */
enum rc tls_row_public(const struct tls_row *r, const char *host, struct err *err) MUST_CHECK;
/* hostname, or what the links name instead. */
const char *tls_link_host(const struct conf *conf);

/* The sentences of `check` about certificates for strangers. */
typedef void tls_say_fn(bool wrong, const char *sentence, void *arg);
void tls_check(const struct instance *in, bool running, tls_say_fn *say, void *arg);
