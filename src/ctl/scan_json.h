/* SPDX-License-Identifier: ISC */
/* scan_json: what a scanner found (wire/facts.h, wire/content.h), as JSON.  Strings that
 * are no UTF-8 have '?' for their bytes over 127.  New references. */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "mime/charset.h"
#include "wire/content.h"
#include "wire/facts.h"

/* Fields of the header; names and subjects raw and decoded (cs may be NULL). */
json_t *facts_json(const struct facts *f, struct charsets *cs, struct arena *mem);
/* {"envelope": "(…)", "bodystructure": …, "body": …}; null where not known. */
json_t *imap_json(const struct facts *f);
/* text: what people see is in it too. */
json_t *content_json(const struct content *c, bool text);
/* Names of the bits, mime/odd.h. */
json_t *odd_json(uint64_t odd);
/* Hexadecimal. */
json_t *digest_json(const uint8_t digest[32]);
/* Adds value to the object; out of memory ends the process. */
void put_json(json_t *object, const char *key, json_t *value);
