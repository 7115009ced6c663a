/* SPDX-License-Identifier: ISC */
/*
 * tls_ticket: the keys of session tickets (RFC 5077), the present one and the
 * one before it.  A key is used for `rotation_ms`, accepted for as long again,
 * and then gone, so that what was said before cannot be read with what we
 * still have.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TICKET_NAME = 16, TICKET_KEY = 32 };

struct ticket_key {
	unsigned char name[TICKET_NAME], cipher[TICKET_KEY], mac[TICKET_KEY];
	uint64_t made_ms;
};

struct tickets;

struct tickets *tickets_new(uint64_t rotation_ms);
void tickets_free(struct tickets **tp);
/* The key to seal with at now_ms: a new one when the last has had its time. */
void tickets_seal(struct tickets *t, uint64_t now_ms, struct ticket_key *out);
/* The key of this name; false: unknown, or past its time.  *old: not the
 * present one, so the client is to get a new ticket. */
bool tickets_open(struct tickets *t, uint64_t now_ms, const unsigned char name[TICKET_NAME],
	struct ticket_key *out, bool *old);
