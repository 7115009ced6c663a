/* SPDX-License-Identifier: ISC */
/*
 * conn: one peer's connection, plain or TLS, used by the thread that runs its
 * session.
 *
 * Nothing here waits for the peer: what has not arrived is CONN_QUIET, also in
 * the middle of a line or of a handshake, and the session parks for what
 * conn_want() says.  Before CONN_QUIET is returned what was written has been
 * sent; what the peer does not take makes it CONN_FULL.  How long a peer may
 * take is the park's to enforce, so a slow peer costs a descriptor, no thread.
 *
 * Memory: buffers exist only while they hold something; conn_rest() gives them
 * (and OpenSSL's) back before parking.  Input buffer at most 64 KiB, output at
 * most 256 KiB: a producer asks conn_room().  A peer that leaves more than 16 KiB
 * unread is CONN_FULL before its next command is read.  A line that goes on for
 * more than 1 MiB closes the connection.  No call raises SIGPIPE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"

struct conn;
struct tls;

enum conn_got {
	CONN_OK,	/* a line, some bytes, a finished handshake */
	CONN_QUIET,	/* not yet, TLS layer drained too: park */
	CONN_FULL,	/* our output is not being read: park for writable */
	CONN_LONG,	/* line over the limit: read and thrown away but for 64 bytes */
	CONN_CLOSED,	/* end of stream or error; conn_why() tells */
};

struct conn *conn_new(int fd);		/* owns fd; made non-blocking, TCP_NODELAY */
void conn_free(struct conn **cp);	/* sends what it can without waiting, closes */
int conn_fd(const struct conn *c);
unsigned conn_want(const struct conn *c);	/* enum park_for for the next wait */
void conn_rest(struct conn *c);		/* about to park: let go of idle memory */
/* While passwords may be said: what was received is wiped once it was read, at the latest when the
 * session parks, or when this goes off; OpenSSL's copy too.  Views are gone then. */
void conn_secret(struct conn *c, bool on);

/* One line ended by CRLF, without it; at most `most` bytes (without CRLF).  A
 * bare LF or CR is part of the line.  The view lives until the next read. */
enum conn_got conn_line(struct conn *c, size_t most, str *line);
/* After CONN_QUIET: what is there of the line stops at an LF without a CR. */
bool conn_bare_lf(const struct conn *c);
/* Whatever is there, at least a byte; conn_eat() takes n bytes of it. */
enum conn_got conn_bytes(struct conn *c, str *bytes);
void conn_eat(struct conn *c, size_t n);
char conn_long_end(const struct conn *c);	/* the last byte of the line that was CONN_LONG */
size_t conn_buffered(const struct conn *c);	/* received and not yet eaten */
bool conn_hung_up(const struct conn *c);	/* has the peer closed its side, or gone? */
/* The peer is in the middle of something: what has arrived is acknowledged at once, since many
 * clients hold the rest back until then (Nagle's rule against delayed ACKs: 40 ms). */
void conn_ack(struct conn *c);
bool conn_spoke(struct conn *c);	/* has the peer sent anything? (MSG_PEEK) */

void conn_write(struct conn *c, str data);	/* buffered; past the limit it breaks off */
size_t conn_room(const struct conn *c);		/* bytes that fit in the output buffer */
enum conn_got conn_flush(struct conn *c);	/* OK, FULL or CLOSED */
void conn_close_later(struct conn *c);		/* shutdown for writing */

/* STARTTLS: throws away everything received so far (RFC 3207 4.2, and command
 * injection), then conn_handshake() until it says OK. */
void conn_start_tls(struct conn *c, struct tls *tls);
enum conn_got conn_handshake(struct conn *c);
bool conn_is_tls(const struct conn *c);
const char *conn_tls_version(const struct conn *c);	/* "TLS1_3"; "" when plain */
const char *conn_tls_cipher(const struct conn *c);	/* OpenSSL's name */
const char *conn_why(const struct conn *c);	/* why it closed, for the log */
/* tls-exporter (RFC 9266): 32 bytes; false: not TLS, or not possible. */
bool conn_exporter(const struct conn *c, uint8_t out[32]);
/* COMPRESS=DEFLATE (RFC 4978): from now on, both ways; what was written before goes out as it is.
 * About 100 KiB of memory until the connection ends.  What inflates is never more
 * than the input buffer holds.  False: no memory for it. */
bool conn_start_deflate(struct conn *c);
uint64_t conn_received(const struct conn *c);	/* payload bytes so far */
