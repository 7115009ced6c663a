/* SPDX-License-Identifier: ISC */
/* What is in a thing: archives, and files in front of which or behind which something
 * else stands. */
#include "scan/stream.h"
#include "scan/walk.h"
#include "scan/zip.h"

/* What ClamAV 1.4 makes of each kind, as tried: LIKE_US where it opens it and the format
 * leaves no room for another reading; PERHAPS where it opens it but not in every form
 * (7z with deflate or bzip2), or where builds differ (rar needs a library that is not
 * free); NOT where it does not. */
enum clamav { LIKE_US, PERHAPS, NOT };

static const enum clamav clamav[OPEN_ARCHIVES] = {
	[OPEN_ZIP] = LIKE_US, /* if zip_is_plain() */
	[OPEN_RAR] = NOT,
	[OPEN_RAR5] = NOT,
	[OPEN_7Z] = PERHAPS,
	[OPEN_TAR] = LIKE_US, /* if it is read without a complaint */
	[OPEN_CPIO] = PERHAPS,
	[OPEN_CAB] = PERHAPS,
	[OPEN_LHA] = PERHAPS,
	[OPEN_ISO] = PERHAPS,
	[OPEN_XAR] = PERHAPS,
	[OPEN_AR] = NOT,
	[OPEN_WARC] = NOT,
	[OPEN_GZ] = LIKE_US,
	[OPEN_BZ2] = PERHAPS, /* several streams in one */
	[OPEN_XZ] = PERHAPS,
	[OPEN_LZMA] = NOT,
	[OPEN_ZSTD] = NOT,
	[OPEN_LZ4] = NOT,
	[OPEN_LZIP] = NOT,
	[OPEN_COMPRESS] = NOT,
};

struct opening {
	struct walk *w;
	struct around in;
	str name; /* the archive's */
	bool stream; /* one member without a name of its own */
	bool again; /* it was read before: what is new and whole counts */
	bool damaged; /* an entry before this one was */
	str source; /* what is being read */
	bool unread; /* libarchive gave it back as it was: it is no such stream */
};

/* "report.pdf" of "dir/report.pdf.gz" */
static str
without_extension(str name)
{
	for (size_t i = name.len; i > 1 && name.ptr[i - 1] != '/'; i--)
		if (name.ptr[i - 1] == '.')
			return str_first(name, i - 1);
	return name;
}

static bool
had_before(const struct opening *o, str bytes)
{
	const struct content *c = o->w->c;
	uint8_t digest[SHA256_BYTES];

	sha256_add(o->w->sha, bytes);
	sha256_done(o->w->sha, digest);
	for (size_t i = o->in.leaf; i < c->nleaves; i++)
		if (c->leaves[i].parent == o->in.leaf &&
			memcmp(c->leaves[i].digest, digest, sizeof(digest)) == 0)
			return true;
	return false;
}

static enum rc
member(const struct unpack_member *m, void *arg)
{
	struct opening *o = arg;
	struct walk *w = o->w;

	if (o->stream && m->bytes.len > 0 && str_starts(o->source, m->bytes)) {
		o->unread = true;
		return RC_OK;
	}
	if (o->again && (m->damaged || m->encrypted || m->bytes.len == 0 ||
				had_before(o, m->bytes)))
		return RC_OK;
	struct thing t = { .in = o->in,
		.bytes = m->bytes,
		.name = o->stream ? without_extension(o->name) : m->name,
		.flags = o->in.flags,
		.encrypted = m->encrypted,
		.bad = m->damaged && !m->encrypted };
	if (m->bytes.len > w->c->member_most)
		w->c->member_most = m->bytes.len;
	w->c->members++;
	t.hidden = o->damaged;
	o->damaged |= t.bad;
	return walk_thing(w, &t);
}

/* What several readings of one archive have found. */
struct found {
	bool encrypted, damaged;
	bool any;
};

static enum rc
read_archive(struct opening *o, enum magic_open how, unsigned flags, str bytes,
	struct found *f)
{
	struct unpacked got;
	uint64_t before = o->w->c->members;
	o->source = bytes;
	o->unread = false;
	enum rc rc = unpack(how, flags, bytes, &o->w->room, member, o, &got, o->w->err);

	if (rc != RC_OK)
		return rc;
	f->encrypted |= got.encrypted;
	f->damaged |= (got.damaged && !got.encrypted) || o->unread;
	f->any |= o->w->c->members > before;
	return RC_OK;
}

/* As if both lists said what one of them says, and nothing were encrypted: there are
 * programs for each.  What has the right sum then was meant so. */
static enum rc
read_agreed(struct opening *o, str bytes, enum zip_truth truth)
{
	LUMP_AUTO copy = { 0 };
	struct found f = { 0 };
	enum rc rc = walk_charge(o->w, bytes.len);

	if (rc != RC_OK)
		return rc;
	if (!lump_add(&copy, bytes))
		return walk_limit(o->w, "memory");
	zip_agree(bytes, truth, copy.data);
	return read_archive(o, OPEN_ZIP, UNPACK_SUMS, (str){ copy.data, copy.len }, &f);
}

/* A zip whose two lists do not say the same is read by both. */
static enum rc
open_zip(struct opening *o, str bytes, struct found *f)
{
	struct zip_reader r;
	bool plain = zip_is_plain(bytes), listed = zip_begin(&r, bytes);
	struct found more = { 0 };
	enum rc rc = RC_OK;

	if (listed)
		bytes = str_first(bytes, bytes.len - r.behind);
	o->in.unseen |= !plain;
	if (listed)
		rc = read_archive(o, OPEN_ZIP, 0, bytes, f);
	else
		rc = read_archive(o, OPEN_ZIP, UNPACK_STREAMED, bytes, f);
	o->again = true;
	o->in.unseen = true;
	if (rc == RC_OK && listed && !plain)
		rc = read_archive(o, OPEN_ZIP, UNPACK_STREAMED, bytes, &more);
	if (rc == RC_OK && listed && !plain && r.base > 0)
		rc = read_archive(
			o, OPEN_ZIP, UNPACK_STREAMED, str_skip(bytes, r.base), &more);
	if (rc == RC_OK && listed && (!plain || zip_is_encrypted(bytes)))
		rc = read_agreed(o, bytes, ZIP_DIRECTORY);
	if (rc == RC_OK && listed && !plain)
		rc = read_agreed(o, bytes, ZIP_LOCAL);
	return rc;
}

enum { PAD = 64, TRIES = 8 };

/* What other programs still get out of a damaged archive: a stream that was cut off in
 * its checksum, or has something behind it, and what stands in a tar behind a header that is wrong. */
static enum rc
salvage(struct opening *o, enum magic_open how, str bytes)
{
	LUMP_AUTO copy = { 0 };
	static const char zeros[PAD];
	struct found f = { 0 };
	enum rc rc = walk_charge(o->w, bytes.len);

	o->again = o->in.unseen = true;
	if (rc == RC_OK && o->stream) {
		size_t end = stream_end(how, bytes);

		if (end < bytes.len)
			return read_archive(o, how, 0, str_first(bytes, end), &f);
		if (!lump_add(&copy, bytes) || !lump_add(&copy, (str){ zeros, PAD }))
			return walk_limit(o->w, "memory");
		return read_archive(o, how, 0, (str){ copy.data, copy.len }, &f);
	}
	if (how != OPEN_TAR)
		return rc;
	unsigned tries = 0;
	for (size_t at = 512; rc == RC_OK && at + 512 <= bytes.len && tries < TRIES;
		at += 512) {
		str rest = str_skip(bytes, at);

		if (!magic_is_tar(rest))
			continue;
		tries++;
		rc = walk_charge(o->w, rest.len);
		if (rc == RC_OK)
			rc = read_archive(o, how, 0, rest, &f);
	}
	return rc;
}

static enum rc
open_archive(
	struct walk *w, struct thing *t, enum magic_open how, uint16_t leaf, str bytes)
{
	struct opening o = { .w = w,
		.in = around_leaf(t, leaf, LEAF_MEMBER),
		.name = t->name,
		.stream = how >= OPEN_GZ };
	struct found f = { 0 };
	enum rc rc;

	if (t->in.archives == WALK_ARCHIVES)
		return walk_limit(w, "archives within each other");
	o.in.archives++;
	if (o.in.archives > w->c->archive_depth)
		w->c->archive_depth = o.in.archives;
	o.in.unseen = clamav[how] != LIKE_US;
	o.in.flags |= clamav[how] == NOT ? LEAF_FOREIGN : 0;
	if (clamav[how] == NOT)
		walk_leaf(w, leaf)->odd |= MIME_ODD(ARCHIVE_FOREIGN);
	if (how == OPEN_ZIP)
		rc = open_zip(&o, bytes, &f);
	else
		rc = read_archive(&o, how, 0, bytes, &f);
	if (rc == RC_OK && f.damaged)
		rc = salvage(&o, how, bytes);
	struct content_leaf *l = walk_leaf(w, leaf);
	l->flags |= f.any ? LEAF_ARCHIVE : 0;
	l->flags |= f.damaged || !f.any ? LEAF_UNOPENED : 0;
	l->odd |= f.damaged ? MIME_ODD(ARCHIVE_BAD) : 0;
	l->flags |= f.encrypted ? LEAF_ENCRYPTED : 0;
	l->odd |= f.encrypted ? MIME_ODD(ARCHIVE_ENCRYPTED) : 0;
	w->c->odd |= l->odd;
	return rc;
}

/* An archive behind something else: a program that unpacks itself, or a file that is
 * two things.  Zip is found from its end, as all programs do. */
static enum rc
open_behind(struct walk *w, struct thing *t, const struct magic *m, uint16_t leaf)
{
	static const struct {
		str mark;
		enum magic_open how;
	} marks[] = {
		{ STR_INIT("Rar!\x1a\7\0"), OPEN_RAR },
		{ STR_INIT("Rar!\x1a\7\1\0"), OPEN_RAR5 },
		{ STR_INIT("7z\xbc\xaf\x27\x1c"), OPEN_7Z },
		{ STR_INIT("MSCF\0\0\0\0"), OPEN_CAB },
	};
	struct zip_reader r;
	struct zip_entry e;
	enum rc rc = RC_OK;

	if (zip_begin(&r, t->bytes) && zip_next(&r, &e))
		return open_archive(w, t, OPEN_ZIP, leaf, t->bytes);
	if (!str_eq(m->name, STR("exe")) && !str_eq(m->name, STR("elf")))
		return RC_OK;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && rc == RC_OK; i++) {
		size_t at = str_find(t->bytes, marks[i].mark);

		if (at < t->bytes.len)
			rc = open_archive(
				w, t, marks[i].how, leaf, str_skip(t->bytes, at));
	}
	return rc;
}

static bool
is_mail(const struct thing *t, const struct magic *m)
{
	if (str_starts(t->type, STR("message/")) && t->bytes.len > 0)
		return str_eq(t->type, STR("message/rfc822")) ||
		       str_eq(t->type, STR("message/global")) ||
		       str_eq(t->type, STR("message/news")) || m->open == OPEN_MAIL;
	if (t->text && (t->flags & LEAF_ATTACHED) == 0)
		return false;
	if (m->open == OPEN_MAIL || m->open == OPEN_MBOX)
		return true;
	return (m->family == MAGIC_TEXT || m->family == MAGIC_UNKNOWN) &&
	       t->name.len > 4 &&
	       str_ieq(str_skip(t->name, t->name.len - 4), STR(".eml"));
}

enum rc
walk_open(struct walk *w, struct thing *t, const struct magic *m, uint16_t leaf)
{
	enum rc rc = RC_OK;

	if (m->open > OPEN_NOT && m->open < OPEN_ARCHIVES)
		return open_archive(w, t, m->open, leaf, t->bytes);
	if (m->open == OPEN_UNABLE)
		walk_leaf(w, leaf)->flags |= LEAF_UNOPENED;
	if (m->open == OPEN_TNEF)
		return walk_tnef(w, t, leaf);
	if (m->open == OPEN_CMS)
		return walk_cms(w, t, leaf);
	if (is_mail(t, m))
		return walk_mail(w, t, leaf);
	if (t->text || m->family == MAGIC_TEXT || m->family == MAGIC_HTML ||
		m->family == MAGIC_UNKNOWN)
		rc = walk_embedded(w, t, leaf);
	if (rc == RC_OK && (t->text || m->family == MAGIC_SEALED ||
				   m->family == MAGIC_TEXT || m->family == MAGIC_UNKNOWN))
		rc = walk_pgp(w, t, leaf);
	if (rc == RC_OK && (m->family == MAGIC_HTML || str_eq(m->name, STR("svg")) ||
				   str_eq(t->type, STR("text/html"))))
		rc = walk_page(w, t, leaf);
	if (rc == RC_OK && (str_eq(m->name, STR("ics")) || str_eq(m->name, STR("vcf")) ||
				   str_eq(t->type, STR("text/calendar"))))
		rc = walk_card(w, t, leaf);
	return rc == RC_OK ? open_behind(w, t, m, leaf) : rc;
}
