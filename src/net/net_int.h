/* SPDX-License-Identifier: ISC */
/*
 * net_int: what net/ shares within itself: conn.c with conn_tls.c and tls.c,
 * and what the service has to know of a connection.
 */
#pragma once

#include <openssl/ssl.h>

#include "base/buf.h"
#include "net/conn.h"
#include "net/tls.h"

enum { CONN_IN_MOST = 64 * 1024 };	/* of the input buffer */

struct conn {
	int fd;
	unsigned want;		/* enum park_for, as the last call left it */
	SSL *ssl;		/* from the first conn_handshake() on */
	struct tls *tls;	/* from conn_start_tls() on */
	bool shaking_hands;	/* started, and not finished */
	bool quiet;		/* nothing to be had since the last CONN_QUIET */
	bool closed;		/* no more reading or writing; `why` is set */
	bool last_words;	/* conn_close_later() was called ... */
	bool said_all;		/* ... and done */

	char *in;		/* at..end: received and not eaten */
	size_t at, end, cap;
	size_t scanned;		/* of these, known to hold no CRLF */
	bool secret;		/* what was read is wiped */
	bool eager;		/* the last read filled all the room there was */
	size_t thrown;		/* bytes of a line that is too long; 0: none */
	char first[64];		/* the first of these */
	char last;		/* and the last; of the whole line, once it has ended */
	struct buf out;		/* written and not sent */
	struct deflate *z;	/* from conn_start_deflate() on */
	uint64_t received;
	char why[96];
};

/* CONN_CLOSED, and remembers why. */
enum conn_got conn_broken(struct conn *c, const char *fmt, ...) PRINTF(2, 3);
/* Bytes that a read would give without waiting for the peer? */
bool conn_unread(const struct conn *c);

/* conn_tls.c: as recv() and send(), but CONN_OK with *n > 0, CONN_QUIET
 * (c->want says what for) or CONN_CLOSED. */
enum conn_got conn_tls_read(struct conn *c, char *out, size_t size, size_t *n);
enum conn_got conn_tls_write(struct conn *c, str data, size_t *n);
void conn_tls_end(struct conn *c);	/* sends close_notify */
void conn_tls_free(struct conn *c);
void conn_tls_secret(struct conn *c);	/* as c->secret says */
void conn_make_room(struct conn *c);	/* conn_memory.c: space behind what is there */

/* As recv() and send() of what the connection is made of, with the results of conn_tls_*. */
enum conn_got conn_raw_read(struct conn *c, char *out, size_t size, size_t *n);

/* conn_deflate.c: reads what inflates of what arrives; appends to c->out what data
 * deflates to, and what is still inside when `finish`. */
enum conn_got conn_deflate_read(struct conn *c, char *out, size_t size, size_t *n);
void conn_deflate_write(struct conn *c, str data, bool finish);
bool conn_deflate_unread(const struct conn *c);	/* is there more without the peer? */
bool conn_deflate_dirty(const struct conn *c);	/* written, and not yet in c->out */
void conn_deflate_free(struct conn *c);

SSL *tls_session(struct tls *t);	/* server side, no BIO yet */
