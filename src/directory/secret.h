/* SPDX-License-Identifier: ISC */
/*
 * secret: random bytes of the instance's own, by name, kept in the directory: they are the same after a restart and
 * in a restored backup.  Any thread.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct directory;

enum { DIRECTORY_SECRET = 32 };

/* Made when it is first asked for. */
enum rc directory_secret(struct directory *d, const char *name, uint8_t out[DIRECTORY_SECRET],
	struct err *err) MUST_CHECK;
