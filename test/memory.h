/* SPDX-License-Identifier: ISC */
/*
 * memory: is a secret anywhere in this process's memory?
 *
 * The secret is made here and known to the test only in disguise, so that the test itself is not
 * where it is found: secret_say() puts it into a message that is sent and wiped at once.
 * What is looked for is its second half: an allocator writes into the beginning of what was freed.
 * Regions of more than 256 MiB (a sanitizer's own) are not looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_CHARS = 56 };

struct secret {
	unsigned char hidden[128];
	size_t len;
};

struct secret secret_new(void);
/* The base64 of before + secret, as AUTHENTICATE PLAIN has it; `before` may hold NULs. */
struct secret secret_base64(const struct secret *s, const char *before, size_t nbefore);
void secret_show(const struct secret *s, char *out);	/* s->len bytes; to be wiped */
void secret_wiped(char *out, size_t len);
bool secret_in_memory(const struct secret *s);
