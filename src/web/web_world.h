/* SPDX-License-Identifier: ISC */
/*
 * web_world: what the session tests stand in: a service on free ports of the loopback, a real directory, store,
 * register of refusals and held originals in a folder of their own, the pages of ui/, and a client.
 *
 * Accounts: a0@x.test to a3@x.test, and postmaster@x.test.
 */
#pragma once

#include <openssl/ssl.h>

#include "deliver/testing.h"
#include "web/web.h"

struct world {
	struct parts parts;
	struct own *own;
	const struct conf *conf;
	struct service *service;
	struct sentences *sentences;
	struct templates *templates;
	struct pool *errands;
	struct web_house house;
	uint8_t key[TOKEN_KEY];
	SSL_CTX *ctx;		/* the client's */
	unsigned https, http;	/* ports */
	uint64_t entered;
};

void world_open(struct world *w, const char *settings);	/* lines of [web] */
void world_close(struct world *w);
/* A message to a0@x.test is refused, and its original held; the link's token. */
struct msg_id world_refuse(struct world *w);
/* One that only the register knows: from, recipient, findings as given; not held. */
struct msg_id world_enter(struct world *w, const char *from, const char *to, const char *findings);
struct refusal world_refusal(struct world *w, const char *token, struct arena *mem);

struct client {
	int fd;
	SSL *ssl;		/* NULL: port 80 */
	struct buf in;
	size_t at;
};

struct client client_https(struct world *w);
struct client client_http(struct world *w);
void client_close(struct client *c);
void client_send(struct client *c, str bytes);
/* What is left until the server closes; false: it sent more than that, or does not. */
bool client_ended(struct client *c);

/* An answer; everything in it lives until the next. */
struct reply {
	unsigned status;
	str head, body;		/* head: with its last CRLF */
};

struct reply client_reply(struct client *c, bool head);	/* head: one of HEAD */
/* Of a client that sent `request`; "~" in it stands for CRLF. */
struct reply client_ask(struct client *c, const char *request);
str reply_field(const struct reply *r, const char *name);	/* "" if there is none; not two */
bool reply_has(const struct reply *r, const char *text);	/* in the body */

/* A page's form: the cookie of its answer ("" if it set none) and its hidden fields. */
struct form {
	char cookie[64], token[64], stamp[128];
};

struct form client_form(struct client *c, const char *path, const char *cookie);
/* POST path with the form's fields and `more` ("&note=…"). */
struct reply client_post(struct client *c, const char *path, const struct form *f, const char *more);
/* The fields of a form that came back; the cookie as it was. */
struct form reply_form(const struct reply *r, const struct form *was);
bool reply_waits(struct reply r);	/* is it the second step? */
/* The second step; true: it is asked for once more. */
bool client_second(struct client *c, const char *path, const struct form *f);
/* The proof for a stamp, by trying. */
uint64_t proof_of(const char *stamp, unsigned bits);
