/* SPDX-License-Identifier: ISC */
/*
 * client: the other side of a session under test, on the loopback, in clear or under TLS.
 * Nothing is waited for longer than 20 seconds.
 */
#pragma once

#include "base/buf.h"
#include "test/memory.h"

struct client {
	int fd;
	struct ssl_st *ssl;	/* after client_tls() */
	struct buf in;
	size_t at;
};

int client_listen(unsigned *port);	/* a listening socket on a free port: the server's end */
struct tls;
struct tls *client_tls_of(const char *name);	/* for the server: a certificate, made on the spot */

struct client client_connect(unsigned port);
void client_close(struct client *c);
void client_tls(struct client *c);	/* the handshake, whatever the certificate */
void client_send(struct client *c, str bytes);
/* Sends all three; our own copy is wiped. */
void client_secret(struct client *c, const char *before, const struct secret *s, const char *after);
bool client_more(struct client *c);	/* receives something; false: the end */
str client_line(struct client *c);	/* without CRLF, until the next call; "(the end)" */
/*
 * "C: text"	sends a line
 * "C> text"	sends the text alone
 * "S: text"	the next line is this
 * "S~ text"	the next line begins so
 * "S* text"	some later line begins so; those before it are passed over
 */
void client_talk(struct client *c, const char *const lines[]);
/* TALK(&c, "C: …", "S: …") is each world's: SMTP has a talk of its own. */
