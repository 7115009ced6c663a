/* SPDX-License-Identifier: ISC */
/*
 * http_put: heads of answers (RFC 9112 4).  A value with a control character in it is ours to prevent:
 * it ends the process (whoever puts a stranger's bytes into a field encodes them first).
 */
#pragma once

#include "base/buf.h"

/* "HTTP/1.1 200 OK" and Date */
void http_put_status(struct buf *b, unsigned status, uint64_t wall_ms);
void http_put_field(struct buf *b, const char *name, str value);
void http_put_number(struct buf *b, const char *name, uint64_t value);
/* Percent-encoded, but for unreserved characters and '/': a path in Location or in a page. */
void http_put_path(struct buf *b, str path);
void http_put_end(struct buf *b);	/* the empty line */
