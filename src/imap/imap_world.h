/* SPDX-License-Identifier: ISC */
/*
 * imap_world: what the session tests stand in: a service on a free port of the loopback, a real
 * directory, store, journal and a real scanner (on a thread) in a folder of their own.
 *
 * Accounts: anna@x.test and berta@x.test, password "secret"; mail is put in with APPEND,
 * or world_deliver().  Cleartext logins are allowed (plain_loopback).
 */
#pragma once

#include "base/buf.h"
#include "imap/imap.h"
#include "test/client.h"
#include "test/people.h"

struct world {
	const struct conf *conf;
	struct imap_house house;
	struct people people;
	struct service *service;
	struct ledger *ledger;
	struct refusals *refusals;
	struct pool *pools[2];
	uint64_t anna, berta;
	int data, incoming;
	unsigned port;
	pthread_t scanner;
	int scanner_end;
	unsigned delivered;
};

/* settings: further lines, sections and all; "" for none. */
void world_open(struct world *w, const char *settings);
void world_close(struct world *w);
/* As if it had come in from outside: with a trace block, without flags, into INBOX. */
void world_deliver(struct world *w, uint64_t account, str message);

struct client client_open(struct world *w);	/* the greeting has been read */
struct client client_in(struct world *w, const char *user);	/* and logged in */
#define TALK(c, ...) client_talk((c), (const char *const[]){ __VA_ARGS__, NULL })
