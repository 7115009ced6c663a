/* SPDX-License-Identifier: ISC */
/*
 * ids: names for messages, and random bytes.
 *
 * A message id is 20 characters of Crockford's base 32 (0-9 A-Z without
 * I L O U): 45 bits of milliseconds since 1970, then 55 random bits.  Ids sort
 * by time.  It names the message everywhere: in the reply to DATA, the
 * journal, the ledger, the file in incoming/ and the blob in an account.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { MSG_ID_LEN = 20 };

struct msg_id {
	char text[MSG_ID_LEN + 1];
};

void ids_random(void *out, size_t len);	/* getrandom(2); ends the process without */
uint64_t ids_random_u64(void);
struct msg_id ids_message(uint64_t wall_ms);
bool ids_valid(str s);			/* could be a message id */
uint64_t ids_time_ms(str id);		/* when it was made; 0 if not valid */

static inline str
msg_id_str(const struct msg_id *id)
{
	return (str){ id->text, strlen(id->text) };
}

/* 128-bit tokens and other bytes as lower-case base 32 (Crockford), no pad. */
void ids_base32(const void *bytes, size_t len, char *out);	/* ceil(len*8/5)+1 */
void ids_hex(const void *bytes, size_t len, char *out);		/* 2*len+1 */
bool ids_unhex(str hex, void *out, size_t len);			/* exactly len bytes */
