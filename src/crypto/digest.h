/* SPDX-License-Identifier: ISC */
/* digest: SHA-256, HMAC and comparison in constant time, thin over OpenSSL.
 * Running out of memory ends the process.  Any thread, one digest each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { SHA256_BYTES = 32 };

struct sha256;		/* a digest being made */

struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *d, str bytes);
void sha256_done(struct sha256 *d, uint8_t out[SHA256_BYTES]);	/* and start anew */
void sha256_free(struct sha256 **dp);

void sha256(str bytes, uint8_t out[SHA256_BYTES]);
void hmac_sha256(str key, str bytes, uint8_t out[SHA256_BYTES]);
bool same_secret(const void *a, const void *b, size_t len);	/* constant time */
void wipe(void *p, size_t len);					/* not optimised away */
