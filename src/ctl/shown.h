/* SPDX-License-Identifier: ISC */
/*
 * shown: what goes to standard output, so that nothing in it works a terminal.
 *
 * Much of what a command shows was written by whoever sent a message.  On a terminal
 * control characters are '?', DEL and U+0080 to U+009F (C1) among them, and so are bytes
 * that are no UTF-8; LF, CR LF and tabs are not.  Files and pipes get every byte as it is.
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* A character that came in part; { 0 } at the beginning. */
struct shown {
	unsigned char part[4];
	unsigned n, want;
};

/* As a terminal may have it, behind what is in out. */
void shown_add(struct shown *s, str bytes, struct buf *out);
/* The part of a character that nothing came behind. */
void shown_end(struct shown *s, struct buf *out);

/* To standard output, main thread only; false: it cannot be written. */
bool shown_write(str bytes);
/* Once, before the command ends. */
bool shown_flush(void);
