/* SPDX-License-Identifier: ISC */
/* One thing: what it is, its digest, its text, and whether the virus scanner gets it. */
#include "scan/scan_int.h"
#include "scan/walk.h"

enum rc
walk_limit(struct walk *w, const char *what)
{
	return err_set(w->err, RC_LIMIT, "more %s in it than are looked at", what);
}

enum rc
walk_charge(struct walk *w, uint64_t bytes)
{
	if (bytes > w->room.left)
		return walk_limit(w, "bytes");
	w->room.left -= bytes;
	return RC_OK;
}

struct sink {
	struct lump *to;
	bool full;
};

static enum rc
keep(str piece, void *arg)
{
	struct sink *s = arg;

	s->full = !lump_add(s->to, piece);
	return s->full ? RC_LIMIT : RC_OK;
}

enum rc
walk_decode(struct walk *w, enum mime_encoding how, str raw, struct lump *to,
	uint64_t *odd, str *out)
{
	struct sink s = { .to = to };

	if (how == MIME_IDENTITY) {
		*out = raw;
		return RC_OK;
	}
	enum rc rc = mime_decode(how, raw, w->room.left, keep, &s, odd);
	if (rc != RC_OK)
		return walk_limit(w, s.full ? "memory" : "bytes");
	w->room.left -= to->len;
	*out = (str){ to->data, to->len };
	return RC_OK;
}

/* ---- leaves ---- */

static enum rc
room_for_leaf(struct walk *w)
{
	struct content *c = w->c;

	if (c->nleaves == CONTENT_LEAVES)
		return walk_limit(w, "parts");
	if (c->nleaves < w->leaves_room)
		return RC_OK;
	size_t room = w->leaves_room == 0 ? 16 : w->leaves_room * 2;
	struct content_leaf *at = arena_array(w->mem, room, sizeof(*at));
	if (at == NULL)
		return walk_limit(w, "parts");
	if (c->nleaves > 0)
		memcpy(at, c->leaves, c->nleaves * sizeof(*at));
	c->leaves = at;
	w->leaves_room = room;
	return RC_OK;
}

static enum rc
add_leaf(struct walk *w, const struct thing *t, const struct magic *m, uint16_t *leaf)
{
	struct content_leaf *l;
	str name = t->name;
	enum rc rc = room_for_leaf(w);

	if (rc == RC_OK)
		rc = arena_copy(w->mem, str_first(t->name, CONTENT_NAME), &name);
	if (rc != RC_OK)
		return walk_limit(w, "names");
	l = &w->c->leaves[w->c->nleaves++];
	*l = (struct content_leaf){ .parent = t->in.leaf,
		.depth = t->in.depth,
		.flags = t->flags,
		.odd = t->odd,
		.at = (uint32_t)t->at,
		.length = (uint32_t)t->length,
		.size = t->bytes.len,
		.name = name,
		.type = t->type,
		.true_type = m->name };
	*leaf = (uint16_t)w->c->nleaves;
	return RC_OK;
}

static enum rc
job(struct walk *w, uint16_t leaf, str bytes, const uint8_t *digest)
{
	uint8_t own[SHA256_BYTES];

	if (!w->jobs.wanted)
		return RC_OK;
	if (digest == NULL) {
		sha256_add(w->sha, bytes);
		sha256_done(w->sha, own);
		digest = own;
	}
	return jobs_add(&w->jobs, leaf, bytes, digest, w->err);
}

enum rc
walk_raw(struct walk *w, uint16_t leaf, str bytes)
{
	enum rc rc = w->jobs.wanted ? walk_charge(w, bytes.len) : RC_OK;

	return rc == RC_OK ? job(w, leaf, bytes, NULL) : rc;
}

/* ---- text ---- */

static enum rc
preview(struct walk *w, const struct thing *t)
{
	struct texts *x = w->texts;
	str seen = str_skip(buf_str(&x->text), x->from);

	if (w->previewed || t->in.leaf != 0 || !t->text ||
		(t->flags & (LEAF_ATTACHED | LEAF_ALTERNATE)) != 0)
		return RC_OK;
	enum rc rc = text_preview(seen, w->mem, &w->facts->preview);
	w->previewed = w->facts->preview.len > 0;
	return rc;
}

/* Texts as people read them; what is in an archive is not shown. */
static enum rc
read_text(struct walk *w, struct thing *t, const struct magic *m)
{
	bool html = str_eq(t->type, STR("text/html")) ||
		    str_eq(t->type, STR("application/xhtml+xml")) ||
		    (!t->text && m->family == MAGIC_HTML);
	bool shown = (t->flags & (LEAF_ALTERNATE | LEAF_MEMBER | LEAF_EMBEDDED)) == 0;
	uint64_t odd = 0;

	if (!t->text && m->family != MAGIC_HTML && m->family != MAGIC_TEXT)
		return RC_OK;
	if (m->open == OPEN_MAIL && !t->text)
		return RC_OK; /* it is looked at part by part */
	enum rc rc = texts_read(w->texts, t->bytes, t->charset, html, shown, &odd);
	if (rc != RC_OK)
		return walk_limit(w, "links");
	t->odd |= odd;
	t->flags |= shown ? LEAF_TEXT : 0;
	return shown ? preview(w, t) : RC_OK;
}

/* Programs read such texts, virus scanners have their patterns in ASCII: the text as UTF-8
 * and, of a page, as it is seen. */
static enum rc
text_as_seen(struct walk *w, const struct thing *t, const struct magic *m, uint16_t leaf)
{
	const uint64_t tricky = MIME_ODD(WIDE_CHARSET) | MIME_ODD(CHARSET_CONFLICT);
	LUMP_AUTO utf8 = { 0 };
	struct thing as_text = *t;
	struct texts *x = w->texts;
	enum rc rc = RC_OK;

	if ((t->flags & LEAF_TEXT) != 0 && x->was_html && x->disguised)
		rc = walk_raw(w, leaf, str_skip(buf_str(&x->text), x->from));
	if (rc != RC_OK || ((t->odd & tricky) == 0 && !str_eq(m->name, STR("utf16"))))
		return rc;
	if (t->bytes.len > TEXT_MOST)
		return walk_limit(w, "text in a wide charset");
	rc = walk_charge(w, x->utf8.len);
	if (rc == RC_OK && !lump_add(&utf8, buf_str(&x->utf8)))
		rc = walk_limit(w, "memory");
	as_text.bytes = (str){ utf8.data, utf8.len };
	if (rc == RC_OK)
		rc = walk_raw(w, leaf, as_text.bytes);
	if (rc == RC_OK && (t->flags & LEAF_TEXT) != 0 && x->was_html)
		rc = walk_raw(w, leaf, str_skip(buf_str(&x->text), x->from));
	if (rc == RC_OK)
		rc = walk_embedded(w, &as_text, leaf);
	return rc == RC_OK && x->was_html ? walk_page(w, &as_text, leaf) : rc;
}

/* ---- all of it ---- */

static void
judge(struct thing *t, const struct magic *m)
{
	if (!magic_fits(m, t->type))
		t->odd |= MIME_ODD(TYPE_CONFLICT);
	if (magic_name_hides(t->name))
		t->odd |= MIME_ODD(NAME_CONFLICT);
	if (m->open == OPEN_TNEF)
		t->odd |= MIME_ODD(TNEF);
	if (t->bad)
		t->odd |= MIME_ODD(ARCHIVE_BAD);
	if (t->encrypted) {
		t->flags |= LEAF_ENCRYPTED;
		t->odd |= MIME_ODD(ARCHIVE_ENCRYPTED);
	}
	if (str_eq(m->name, STR("office-encrypted")))
		t->flags |= LEAF_ENCRYPTED;
}

/* What clamd would find by itself, and as it is: not binary files between lines of text,
 * whose line ends it changes. */
static bool
is_unseen(const struct thing *t, const struct magic *m)
{
	const uint64_t odd = MIME_ODD_HIDES | MIME_ODD(TYPE_CONFLICT);

	return t->hidden || t->in.unseen || t->in.layers > WALK_LAYERS ||
	       (t->odd & odd) != 0 ||
	       (t->verbatim && m->family != MAGIC_TEXT && m->family != MAGIC_HTML &&
		       m->family != MAGIC_SEALED);
}

enum rc
walk_thing(struct walk *w, struct thing *t)
{
	const struct magic *m = magic_of(t->bytes);
	uint16_t leaf;
	uint8_t digest[SHA256_BYTES];
	enum rc rc;

	if (t->in.embedded > WALK_EMBEDDED)
		return walk_limit(w, "files within texts");
	judge(t, m);
	if ((rc = read_text(w, t, m)) != RC_OK ||
		(rc = add_leaf(w, t, m, &leaf)) != RC_OK)
		return rc;
	w->c->odd |= t->odd;
	sha256_add(w->sha, t->bytes);
	sha256_done(w->sha, digest);
	memcpy(walk_leaf(w, leaf)->digest, digest, sizeof(digest));
	if ((rc = text_as_seen(w, t, m, leaf)) != RC_OK)
		return rc;
	if (is_unseen(t, m)) {
		rc = job(w, leaf, t->bytes, digest);
		/* from here the virus scanner begins anew */
		t->in.unseen = false;
		t->in.layers = 0;
	}
	return rc == RC_OK ? walk_open(w, t, m, leaf) : rc;
}
