/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "base/ids.h"
#include "crypto/digest.h"
#include "filter/filter.h"

static_assert(sizeof(((struct token *)0)->hash) == SHA256_BYTES, "the hash is SHA-256");

void
token_make(struct token *t)
{
	uint8_t bits[16];

	ids_random(bits, sizeof(bits));
	ids_base32(bits, sizeof(bits), t->text);
	sha256(str_of(t->text), t->hash);
	wipe(bits, sizeof(bits));
}
