/* SPDX-License-Identifier: ISC */
/*
 * pop3_world: what the session tests stand in: a service on a free port of the loopback, a
 * real directory and store in a folder of their own, and a client.
 *
 * Accounts: anna@x.test, berta@x.test, password "secret".  Cleartext logins are allowed
 * (plain_loopback) unless the settings say otherwise.
 */
#pragma once

#include "base/buf.h"
#include "pop3/pop3.h"
#include "test/client.h"
#include "test/people.h"

struct world {
	const struct conf *conf;
	struct pop3_house house;
	struct people people;
	struct service *service;
	uint64_t anna, berta; /* of the people */
	int data;
	unsigned port, delivered;
};

void world_open(struct world *w, const char *settings);
void world_close(struct world *w);
/* Into INBOX: these bytes, trace block and all; the UID is the delivery's number. */
void world_deliver(struct world *w, uint64_t account, str file);
void world_deliver_many(struct world *w, uint64_t account, str file, size_t n);
unsigned world_flags(struct world *w, uint64_t account, uint64_t uid); /* ~0: gone */

struct client client_open(struct world *w); /* the greeting has been read */
struct client client_in(struct world *w, const char *user); /* and logged in */
#define TALK(c, ...) client_talk((c), (const char *const[]){ __VA_ARGS__, NULL })
