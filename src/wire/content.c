/* SPDX-License-Identifier: ISC */
#include "wire/content.h"

#include <assert.h>

#include "mime/html.h"
#include "mime/odd.h"
#include "wire/pack.h"
#include "wire/plain.h"

/*
 * Fixed part: 1 byte version, odd (8), parts, depth, html_flags, links_all (4 each),
 * unpacked (8), members, archive_depth (4 each), member_most (8), text_bytes,
 * hidden_bytes (4 each).  Then, each behind its 2-byte number: leaves, links,
 * signatures, tokens, jobs.  Then text, hidden, subject, people, search_head, search_text
 * and 1 byte search_cut.
 *
 * Leaves, links and signatures have a share of the record for their strings, the same
 * for reader and writer.  A leaf whose strings no longer fit goes without them; links
 * and signatures that do not fit are left out.
 */
enum {
	VERSION = 3,
	FIXED = 57,
	LEAF_FIXED = 76,
	LINK_FIXED = 12,
	SIGNATURE_FIXED = 74,
	JOB_FIXED = 2,
	NUMBERS = 5 * 2,
	TYPE = 255, /* RFC 6838 4.2: 127 '/' 127 */
	TRUE_TYPE = 32,
	TAGS = 64 * 1024, /* of one signature; longer: it is left out */
	LEAF_SHARE = 1024 * 1024,
	LINK_SHARE = 768 * 1024,
	SIGNATURE_SHARE = 256 * 1024,
	DEPTH_MOST = 10000,
};

static_assert(FIXED + NUMBERS + CONTENT_LEAVES * LEAF_FIXED + LEAF_SHARE +
			      CONTENT_LINKS * LINK_FIXED + LINK_SHARE +
			      CONTENT_SIGNATURES * SIGNATURE_FIXED + SIGNATURE_SHARE +
			      CONTENT_TOKENS * 8 + CONTENT_JOBS * JOB_FIXED + 4 +
			      CONTENT_TEXT + 4 + CONTENT_HIDDEN + 4 + CONTENT_SUBJECT +
			      4 + CONTENT_PEOPLE + 4 + CONTENT_SEARCH_HEAD + 4 +
			      CONTENT_SEARCH_TEXT + 1 <=
		      CONTENT_MOST,
	"the shares fit into the record");

static const uint64_t ODD_KNOWN = (UINT64_C(1) << MIME_ODD_BITS) - 1;
static const uint32_t LEAF_KNOWN = (LEAF_FOREIGN << 1) - 1,
		      LINK_KNOWN = (LINK_PLAIN << 1) - 1,
		      HTML_KNOWN = (HTML_EVENTS << 1) - 1;

/* What decoding and archives can give: more is a limit of the scanner. */
static const uint64_t SIZE_KNOWN = UINT64_C(1) << 50;

static uint64_t
least_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
most_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
put_fixed(struct buf *b, const struct content *c, size_t nlinks)
{
	buf_le(b, VERSION, 1);
	buf_le(b, c->odd & ODD_KNOWN, 8);
	buf_le(b, c->parts, 4);
	buf_le(b, least_of(c->depth, DEPTH_MOST), 4);
	buf_le(b, c->html_flags & HTML_KNOWN, 4);
	buf_le(b, most_of(c->links_all, nlinks), 4);
	buf_le(b, least_of(c->unpacked, SIZE_KNOWN), 8);
	buf_le(b, c->members, 4);
	buf_le(b, least_of(c->archive_depth, DEPTH_MOST), 4);
	buf_le(b, least_of(c->member_most, SIZE_KNOWN), 8);
	buf_le(b, least_of(most_of(c->text_bytes, c->text.len), CONTENT_TEXT), 4);
	buf_le(b, least_of(most_of(c->hidden_bytes, c->hidden.len), CONTENT_HIDDEN), 4);
}

static void
put_leaf(struct buf *b, const struct content_leaf *l, size_t index, size_t *room)
{
	str name = plain_cut(l->name, CONTENT_NAME), type = plain_cut(l->type, TYPE),
	    true_type = plain_cut(l->true_type, TRUE_TYPE);
	size_t size = name.len + type.len + true_type.len;

	if (size > *room)
		name = type = true_type = STR("");
	else
		*room -= size;
	buf_le(b, l->parent <= index ? l->parent : 0, 2);
	buf_le(b, least_of(l->depth, DEPTH_MOST), 2);
	buf_le(b, l->flags & LEAF_KNOWN, 4);
	buf_le(b, l->odd & ODD_KNOWN, 8);
	buf_le(b, l->at, 4);
	buf_le(b, l->length, 4);
	buf_le(b, least_of(l->size, SIZE_KNOWN), 8);
	buf_add(b, (str){ (const char *)l->digest, sizeof(l->digest) });
	plain_put(b, name, CONTENT_NAME, false);
	plain_put(b, type, TYPE, false);
	plain_put(b, true_type, TRUE_TYPE, false);
}

static size_t
put_leaves(struct buf *b, const struct content *c)
{
	size_t n = (size_t)least_of(c->nleaves, CONTENT_LEAVES), room = LEAF_SHARE;

	buf_le(b, n, 2);
	for (size_t i = 0; i < n; i++)
		put_leaf(b, &c->leaves[i], i, &room);
	return n;
}

static size_t
link_size(const struct content_link *l)
{
	return plain_cut(l->url, CONTENT_URL).len +
	       plain_cut(l->text, HTML_LINK_TEXT).len;
}

static size_t
links_fit(const struct content *c)
{
	size_t n = 0, room = LINK_SHARE;

	for (; n < c->nlinks && n < CONTENT_LINKS && link_size(&c->links[n]) <= room; n++)
		room -= link_size(&c->links[n]);
	return n;
}

static void
put_links(struct buf *b, const struct content *c, size_t n)
{
	buf_le(b, n, 2);
	for (size_t i = 0; i < n; i++) {
		buf_le(b, c->links[i].flags & LINK_KNOWN, 4);
		plain_put(b, c->links[i].url, CONTENT_URL, false);
		plain_put(b, c->links[i].text, HTML_LINK_TEXT, false);
	}
}

/* A signature without its end is none: those that are too long are not there. */
static bool
signature_fits(const struct content_signature *s, size_t *room)
{
	if (s->kind < SIGNATURE_DKIM || s->kind > SIGNATURE_ARC_SEAL ||
		s->tags.len > TAGS || s->tags.len > *room)
		return false;
	*room -= s->tags.len;
	return true;
}

static void
put_signatures(struct buf *b, const struct content *c)
{
	const struct content_signature *fit[CONTENT_SIGNATURES];
	size_t n = 0, room = SIGNATURE_SHARE;

	for (size_t i = 0; i < c->nsignatures && n < CONTENT_SIGNATURES; i++)
		if (signature_fits(&c->signatures[i], &room))
			fit[n++] = &c->signatures[i];
	buf_le(b, n, 2);
	for (size_t i = 0; i < n; i++) {
		const struct content_signature *s = fit[i];

		buf_le(b, s->kind, 1);
		buf_le(b, (s->computed ? 1u : 0) | (s->l_short ? 2u : 0), 1);
		buf_le(b, s->instance, 4);
		buf_add(b, (str){ (const char *)s->header, sizeof(s->header) });
		buf_add(b, (str){ (const char *)s->body, sizeof(s->body) });
		plain_put(b, s->tags, TAGS, false);
	}
}

static void
put_tokens(struct buf *b, const struct content *c)
{
	size_t n = (size_t)least_of(c->ntokens, CONTENT_TOKENS), good = 0;

	while (good < n && (good == 0 || c->tokens[good] > c->tokens[good - 1]))
		good++;
	buf_le(b, good, 2);
	for (size_t i = 0; i < good; i++)
		buf_le(b, c->tokens[i], 8);
}

void
content_pack(struct buf *b, const struct content *c)
{
	size_t nlinks = links_fit(c), njobs = (size_t)least_of(c->njobs, CONTENT_JOBS);

	put_fixed(b, c, nlinks);
	size_t nleaves = put_leaves(b, c);
	put_links(b, c, nlinks);
	put_signatures(b, c);
	put_tokens(b, c);
	buf_le(b, njobs, 2);
	for (size_t i = 0; i < njobs; i++)
		buf_le(b, c->jobs[i].leaf <= nleaves ? c->jobs[i].leaf : 0, JOB_FIXED);
	plain_put(b, c->text, CONTENT_TEXT, true);
	plain_put(b, c->hidden, CONTENT_HIDDEN, true);
	plain_put(b, c->subject, CONTENT_SUBJECT, false);
	plain_put(b, c->people, CONTENT_PEOPLE, true);
	plain_put(b, c->search_head, CONTENT_SEARCH_HEAD, true);
	plain_put(b, c->search_text, CONTENT_SEARCH_TEXT, true);
	buf_le(b, c->search_cut, 1);
}

/* Counts what is taken from a share. */
static str
get_plain(struct pack *p, size_t most, bool lines, size_t *room)
{
	str s = pack_str(p, most);

	if (!plain_ok(s, lines) || s.len > *room) {
		p->bad = true;
		return (str){ 0 };
	}
	*room -= s.len;
	return s;
}

static uint64_t
get_most(struct pack *p, unsigned bytes, uint64_t most)
{
	uint64_t v = pack_le(p, bytes);

	if (v > most)
		p->bad = true;
	return v;
}

static uint64_t
get_bits(struct pack *p, unsigned bytes, uint64_t known)
{
	uint64_t v = pack_le(p, bytes);

	if ((v & ~known) != 0)
		p->bad = true;
	return v;
}

/* How many follow; each takes `each` bytes at least. */
static size_t
get_number(struct pack *p, size_t most, size_t each)
{
	size_t n = (size_t)get_most(p, 2, most);

	if (n > p->left.len / each)
		p->bad = true;
	return pack_ok(p) ? n : 0;
}

static void
get_fixed(struct pack *p, struct content *c)
{
	if (pack_le(p, 1) != VERSION)
		p->bad = true;
	c->odd = get_bits(p, 8, ODD_KNOWN);
	c->parts = (uint32_t)pack_le(p, 4);
	c->depth = (uint32_t)get_most(p, 4, DEPTH_MOST);
	c->html_flags = (uint32_t)get_bits(p, 4, HTML_KNOWN);
	c->links_all = (uint32_t)pack_le(p, 4);
	c->unpacked = get_most(p, 8, SIZE_KNOWN);
	c->members = (uint32_t)pack_le(p, 4);
	c->archive_depth = (uint32_t)get_most(p, 4, DEPTH_MOST);
	c->member_most = get_most(p, 8, SIZE_KNOWN);
	c->text_bytes = (uint32_t)get_most(p, 4, CONTENT_TEXT);
	c->hidden_bytes = (uint32_t)get_most(p, 4, CONTENT_HIDDEN);
}

static void
get_leaf(struct pack *p, uint64_t message_size, size_t index, size_t *room,
	struct content_leaf *l)
{
	l->parent = (uint16_t)get_most(p, 2, index);
	l->depth = (uint16_t)get_most(p, 2, DEPTH_MOST);
	l->flags = (uint32_t)get_bits(p, 4, LEAF_KNOWN);
	l->odd = get_bits(p, 8, ODD_KNOWN);
	l->at = (uint32_t)get_most(p, 4, message_size);
	l->length = (uint32_t)get_most(p, 4, message_size - l->at);
	l->size = get_most(p, 8, SIZE_KNOWN);
	pack_bytes(p, l->digest, sizeof(l->digest));
	l->name = get_plain(p, CONTENT_NAME, false, room);
	l->type = get_plain(p, TYPE, false, room);
	l->true_type = get_plain(p, TRUE_TYPE, false, room);
}

static enum rc
get_leaves(struct pack *p, uint64_t message_size, struct arena *mem, struct content *c)
{
	size_t room = LEAF_SHARE;

	c->nleaves = get_number(p, CONTENT_LEAVES, LEAF_FIXED);
	c->leaves = arena_array(mem, c->nleaves, sizeof(*c->leaves));
	if (c->leaves == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < c->nleaves && pack_ok(p); i++)
		get_leaf(p, message_size, i, &room, &c->leaves[i]);
	return pack_ok(p) ? RC_OK : RC_BAD;
}

static enum rc
get_links(struct pack *p, struct arena *mem, struct content *c)
{
	size_t room = LINK_SHARE;

	c->nlinks = get_number(p, CONTENT_LINKS, LINK_FIXED);
	c->links = arena_array(mem, c->nlinks, sizeof(*c->links));
	if (c->links == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < c->nlinks; i++) {
		c->links[i].flags = (uint32_t)get_bits(p, 4, LINK_KNOWN);
		c->links[i].url = get_plain(p, CONTENT_URL, false, &room);
		c->links[i].text = get_plain(p, HTML_LINK_TEXT, false, &room);
	}
	return pack_ok(p) && c->nlinks <= c->links_all ? RC_OK : RC_BAD;
}

static enum rc
get_signatures(struct pack *p, struct arena *mem, struct content *c)
{
	size_t room = SIGNATURE_SHARE;

	c->nsignatures = get_number(p, CONTENT_SIGNATURES, SIGNATURE_FIXED);
	c->signatures = arena_array(mem, c->nsignatures, sizeof(*c->signatures));
	if (c->signatures == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < c->nsignatures; i++) {
		struct content_signature *s = &c->signatures[i];
		uint64_t kind = pack_le(p, 1), is = get_bits(p, 1, 3);

		if (kind < SIGNATURE_DKIM || kind > SIGNATURE_ARC_SEAL)
			return RC_BAD;
		s->kind = (enum signature_kind)kind;
		s->computed = (is & 1) != 0;
		s->l_short = (is & 2) != 0;
		s->instance = (uint32_t)pack_le(p, 4);
		pack_bytes(p, s->header, sizeof(s->header));
		pack_bytes(p, s->body, sizeof(s->body));
		s->tags = get_plain(p, TAGS, false, &room);
	}
	return pack_ok(p) ? RC_OK : RC_BAD;
}

/* Ascending, each once: who merges them with what was learned relies on it. */
static enum rc
get_tokens(struct pack *p, struct arena *mem, struct content *c)
{
	c->ntokens = get_number(p, CONTENT_TOKENS, 8);
	c->tokens = arena_array(mem, c->ntokens, sizeof(*c->tokens));
	if (c->tokens == NULL)
		return RC_LIMIT;
	for (size_t i = 0; i < c->ntokens; i++) {
		c->tokens[i] = pack_le(p, 8);
		if (i > 0 && c->tokens[i] <= c->tokens[i - 1])
			return RC_BAD;
	}
	return pack_ok(p) ? RC_OK : RC_BAD;
}

static enum rc
get_rest(struct pack *p, struct content *c)
{
	size_t text = c->text_bytes, hidden = c->hidden_bytes, subject = CONTENT_SUBJECT,
	       people = CONTENT_PEOPLE, search_head = CONTENT_SEARCH_HEAD,
	       search_text = CONTENT_SEARCH_TEXT;

	c->njobs = get_number(p, CONTENT_JOBS, JOB_FIXED);
	for (size_t i = 0; i < c->njobs; i++)
		c->jobs[i].leaf = (uint16_t)get_most(p, JOB_FIXED, c->nleaves);
	c->text = get_plain(p, CONTENT_TEXT, true, &text);
	c->hidden = get_plain(p, CONTENT_HIDDEN, true, &hidden);
	c->subject = get_plain(p, CONTENT_SUBJECT, false, &subject);
	c->people = get_plain(p, CONTENT_PEOPLE, true, &people);
	c->search_head = get_plain(p, CONTENT_SEARCH_HEAD, true, &search_head);
	c->search_text = get_plain(p, CONTENT_SEARCH_TEXT, true, &search_text);
	c->search_cut = get_most(p, 1, 1) == 1;
	return pack_done(p) ? RC_OK : RC_BAD;
}

enum rc
content_unpack(str record, uint64_t message_size, struct arena *mem, struct content *out)
{
	struct content got = { 0 };
	struct pack p = { 0 };
	enum rc rc;

	if (record.len > CONTENT_MOST)
		return RC_BAD;
	if (arena_copy(mem, record, &p.left) != RC_OK)
		return RC_LIMIT;
	get_fixed(&p, &got);
	rc = pack_ok(&p) ? get_leaves(&p, message_size, mem, &got) : RC_BAD;
	if (rc == RC_OK)
		rc = get_links(&p, mem, &got);
	if (rc == RC_OK)
		rc = get_signatures(&p, mem, &got);
	if (rc == RC_OK)
		rc = get_tokens(&p, mem, &got);
	if (rc == RC_OK)
		rc = get_rest(&p, &got);
	if (rc == RC_OK)
		*out = got;
	return rc;
}
