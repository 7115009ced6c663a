/* SPDX-License-Identifier: ISC */
/*
 * conn_deflate: the part of conn that compresses (RFC 4978: raw deflate, both ways).
 *
 * Memory of a connection: 40 KiB to inflate, whose window the peer chooses, and 64 KiB to
 * deflate.  What a few bytes of the peer inflate to is taken out as the input buffer has
 * room for it, so that it costs no more than the buffer.
 */
#include <stdlib.h>
#include <zlib.h>

#include "net/net_int.h"
#include "net/park.h"

enum {
	RAW = 8 * 1024,
	WINDOW_IN = -15,
	WINDOW_OUT = -13, /* 8 KiB: answers repeat themselves within that */
	MEMORY_OUT = 6,
	PIECE = 8 * 1024,
};

struct deflate {
	z_stream in, out;
	bool more; /* inflate() may have more of what it has already got */
	bool dirty;
	char raw[RAW];
};

bool
conn_start_deflate(struct conn *c)
{
	struct deflate *z;

	if (c->z != NULL || c->closed)
		return false;
	z = calloc(1, sizeof(*z));
	if (z == NULL)
		abort();
	if (inflateInit2(&z->in, WINDOW_IN) != Z_OK) {
		free(z);
		return false;
	}
	if (deflateInit2(&z->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_OUT,
		    MEMORY_OUT, Z_DEFAULT_STRATEGY) != Z_OK) {
		(void)inflateEnd(&z->in);
		free(z);
		return false;
	}
	/* the client waits for our OK before it compresses: what came early is not ours
	 * to guess at, and is taken for compressed like all that follows */
	size_t early = c->end - c->at < RAW ? c->end - c->at : RAW;
	memcpy(z->raw, c->in == NULL ? "" : c->in + c->at, early);
	z->in.next_in = (Bytef *)z->raw;
	z->in.avail_in = (uInt)early;
	z->more = early > 0;
	c->at = c->end = c->scanned = 0;
	c->quiet = false;
	c->z = z;
	return true;
}

void
conn_deflate_free(struct conn *c)
{
	if (c->z == NULL)
		return;
	(void)inflateEnd(&c->z->in);
	(void)deflateEnd(&c->z->out);
	free(c->z);
	c->z = NULL;
}

bool
conn_deflate_unread(const struct conn *c)
{
	return c->z != NULL && c->z->more;
}

bool
conn_deflate_dirty(const struct conn *c)
{
	return c->z != NULL && c->z->dirty;
}

enum conn_got
conn_deflate_read(struct conn *c, char *out, size_t size, size_t *n)
{
	struct deflate *z = c->z;

	for (;;) {
		if (!z->more) {
			enum conn_got got = conn_raw_read(c, z->raw, RAW, n);

			if (got != CONN_OK)
				return got;
			z->in.next_in = (Bytef *)z->raw;
			z->in.avail_in = (uInt)*n;
		}
		z->in.next_out = (Bytef *)out;
		z->in.avail_out = (uInt)size;
		int r = inflate(&z->in, Z_SYNC_FLUSH);
		*n = size - z->in.avail_out;
		if (r != Z_OK && r != Z_BUF_ERROR)
			return conn_broken(c, "the peer's compressed data is damaged");
		/* a full buffer: there may be more inside, also with all input taken */
		z->more = z->in.avail_out == 0 || z->in.avail_in > 0;
		if (*n > 0)
			return CONN_OK;
		if (z->in.avail_in > 0)
			return conn_broken(c, "the peer's compressed data is damaged");
		z->more = false;
	}
}

void
conn_deflate_write(struct conn *c, str data, bool finish)
{
	struct deflate *z = c->z;
	char piece[PIECE];

	union {
		const char *from;
		Bytef *to;
	} bytes = { .from = data.ptr }; /* zlib does not write to its input */

	z->out.next_in = bytes.to;
	z->out.avail_in = (uInt)data.len;
	do {
		z->out.next_out = (Bytef *)piece;
		z->out.avail_out = PIECE;
		(void)deflate(&z->out, finish ? Z_SYNC_FLUSH : Z_NO_FLUSH);
		buf_add(&c->out, (str){ piece, PIECE - z->out.avail_out });
	} while (z->out.avail_out == 0);
	z->dirty = !finish;
}
