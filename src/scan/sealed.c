/* SPDX-License-Identifier: ISC */
/* OpenPGP messages that anybody can read: what is in them is looked at, too. */
#include "scan/pgp.h"
#include "scan/walk.h"

enum { PGP_LAYERS = 8, PGP_PACKETS = 1000, PGP_ARMORED = 64 };

struct opened {
	struct walk *w;
	const struct thing *t;
	uint16_t leaf;
	unsigned layers, packets;
};

static enum rc packets(struct opened *o, str bytes);

static enum rc
literal(struct opened *o, str body)
{
	struct thing in = { .in = around_leaf(o->t, o->leaf, LEAF_EMBEDDED | LEAF_HIDDEN),
		.odd = MIME_ODD(EMBEDDED),
		.hidden = true };

	if (!pgp_literal(body, &in.name, &in.bytes) || in.bytes.len == 0)
		return RC_OK;
	in.flags = in.in.flags;
	in.in.unseen = true;
	if (o->leaf > 0)
		walk_leaf(o->w, o->leaf)->odd |= in.odd;
	return walk_thing(o->w, &in);
}

static enum rc
each(const struct unpack_member *m, void *arg)
{
	return packets(arg, m->bytes);
}

/* Deflated data gets gzip's frame, because that is what libarchive reads. */
static enum rc
compressed(struct opened *o, str body)
{
	static const char head[10] = { 0x1f, (char)0x8b, 8 }, tail[8];
	unsigned how = body.len == 0 ? PGP_PLAIN : (unsigned char)body.ptr[0];
	LUMP_AUTO framed = { 0 };
	struct unpacked end = { 0 };
	enum magic_open as = how == PGP_BZIP2 ? OPEN_BZ2 : OPEN_GZ;
	enum rc rc = walk_charge(o->w, body.len);

	if (rc != RC_OK || how > PGP_BZIP2)
		return rc;
	body = str_skip(body, how == PGP_ZLIB ? 3 : 1);
	if (++o->layers > PGP_LAYERS)
		return walk_limit(o->w, "archives within each other");
	if (how == PGP_PLAIN) {
		rc = packets(o, body);
	} else {
		if (as == OPEN_GZ &&
			(!lump_add(&framed, (str){ head, sizeof(head) }) ||
				!lump_add(&framed, body) ||
				!lump_add(&framed, (str){ tail, sizeof(tail) })))
			return walk_limit(o->w, "memory");
		if (as == OPEN_GZ)
			body = (str){ framed.data, framed.len };
		rc = unpack(as, 0, body, &o->w->room, each, o, &end, o->w->err);
	}
	o->layers--;
	return rc;
}

static enum rc
packets(struct opened *o, str bytes)
{
	LUMP_AUTO joined = { 0 };
	struct pgp_packet p;
	enum rc rc = RC_OK;

	while (rc == RC_OK && o->packets++ < PGP_PACKETS &&
		pgp_next(&bytes, &p, &joined)) {
		if (p.tag == PGP_COMPRESSED)
			rc = compressed(o, p.body);
		else if (p.tag == PGP_LITERAL)
			rc = literal(o, p.body);
	}
	return rc;
}

enum rc
walk_pgp(struct walk *w, const struct thing *t, uint16_t leaf)
{
	struct opened o = { .w = w, .t = t, .leaf = leaf };
	size_t at = 0;
	str base64;
	enum rc rc = RC_OK;

	if (pgp_is_open(t->bytes))
		return packets(&o, t->bytes);
	for (unsigned n = 0;
		n < PGP_ARMORED && rc == RC_OK && pgp_armored(t->bytes, &at, &base64);
		n++) {
		LUMP_AUTO bytes = { 0 };
		uint64_t odd = 0;
		str out;

		rc = walk_decode(w, MIME_BASE64, base64, &bytes, &odd, &out);
		if (rc == RC_OK)
			rc = packets(&o, out);
	}
	return rc;
}
