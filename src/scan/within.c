/* SPDX-License-Identifier: ISC */
/* What is in a thing, without being an archive: messages, files in texts, TNEF. */
#include "scan/cms.h"
#include "scan/scan_int.h"
#include "scan/tnef.h"
#include "scan/walk.h"

/* ---- messages ---- */

/* To parse a mail costs what this many bytes do, however short it is. */
enum { MAIL_LEAST = 1024 };

static enum rc
one_mail(struct walk *w, str bytes, const struct around *in)
{
	ARENA_AUTO mem = arena_new(SCAN_MEMORY);
	struct mime_tree tree;
	enum rc rc;

	if (bytes.len == 0)
		return RC_OK;
	rc = walk_charge(w, bytes.len > MAIL_LEAST ? bytes.len : MAIL_LEAST);
	if (rc == RC_OK)
		rc = mime_parse(bytes, w->cs, mem, &tree, w->err);
	return rc == RC_OK ? walk_tree(w, bytes, &tree, false, in) : rc;
}

/* A message, or several in a mailbox (RFC 4155: a "From " line before each). */
enum rc
walk_mail(struct walk *w, const struct thing *t, uint16_t leaf)
{
	/* attached as one, which a file that happens to be one is not (filter_sample) */
	bool attached = str_eq(t->type, STR("message/rfc822")) ||
			str_eq(t->type, STR("message/global"));
	struct around in = around_leaf(t, leaf, attached ? LEAF_IN_MESSAGE : 0);
	str rest = t->bytes;
	enum rc rc = RC_OK;

	if (t->in.messages == WALK_MESSAGES)
		return walk_limit(w, "messages within each other");
	in.messages++;
	if (!str_starts(rest, STR("From ")))
		return one_mail(w, rest, &in);
	while (rc == RC_OK && rest.len > 0) {
		const char *line = memchr(rest.ptr, '\n', rest.len);
		size_t from = line == NULL ? rest.len : (size_t)(line - rest.ptr) + 1;
		str mail = str_skip(rest, from);
		size_t end = str_find(mail, STR("\nFrom "));

		mail = str_first(mail, end);
		rest = str_skip(rest, from + end + 1);
		if (mail.len > 0)
			rc = one_mail(w, mail, &in);
	}
	return rc;
}

enum rc
walk_cms(struct walk *w, const struct thing *t, uint16_t leaf)
{
	LUMP_AUTO bytes = { 0 };
	struct around in = around_leaf(t, leaf, LEAF_HIDDEN);

	if (!cms_content(t->bytes, &bytes))
		return RC_OK;
	if (t->in.messages == WALK_MESSAGES)
		return walk_limit(w, "messages within each other");
	in.messages++;
	in.unseen = true;
	return one_mail(w, (str){ bytes.data, bytes.len }, &in);
}

/* ---- files in texts ---- */

static enum rc
embedded(struct walk *w, const struct thing *t, uint16_t leaf, str name, str bytes,
	bool whole)
{
	struct thing in = { .in = around_leaf(t, leaf, LEAF_EMBEDDED | LEAF_HIDDEN),
		.bytes = bytes,
		.name = name,
		.odd = MIME_ODD(EMBEDDED) | (whole ? 0 : MIME_ODD(BAD_EMBEDDED)),
		.hidden = true };

	in.flags = in.in.flags;
	if (leaf > 0)
		walk_leaf(w, leaf)->odd |= in.odd;
	return bytes.len > 0 ? walk_thing(w, &in) : RC_OK;
}

/* yEnc cuts files in pieces (yEnc 1.3, multi-part), which a reader joins. */
struct pieces {
	struct lump bytes;
	unsigned n;
};

static void
pieces_end(struct pieces *p)
{
	lump_free(&p->bytes);
}

enum rc
walk_embedded(struct walk *w, const struct thing *t, uint16_t leaf)
{
	struct pieces pieces __attribute__((cleanup(pieces_end))) = { 0 };
	struct mime_embedded e;
	str name = { 0 };
	size_t at = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && mime_embedded_next(t->bytes, &at, &e)) {
		LUMP_AUTO bytes = { 0 };
		uint64_t odd = 0;
		str out;

		if (w->beginnings++ == WALK_BEGINNINGS)
			return walk_limit(w, "files within texts");
		rc = walk_decode(w, e.how, e.body, &bytes, &odd, &out);
		if (rc == RC_OK && e.how == MIME_YENC) {
			rc = walk_charge(w, out.len);
			if (!lump_add(&pieces.bytes, out))
				return walk_limit(w, "memory");
			pieces.n++;
			name = e.name;
		}
		if (rc == RC_OK)
			rc = embedded(w, t, leaf, e.name, out, e.whole && odd == 0);
	}
	if (rc == RC_OK && pieces.n > 1)
		rc = embedded(w, t, leaf, name,
			(str){ pieces.bytes.data, pieces.bytes.len }, false);
	return rc;
}

/* ---- files in pages ---- */

enum {
	PAGE_LEAST = 64,
	PAGE_LOOK = 1024
}; /* of base64: to be looked at, to be judged by */

static size_t
base64_run(str s)
{
	static const bool letters[256] = {
		['A' ... 'Z'] = true,
		['a' ... 'z'] = true,
		['0' ... '9'] = true,
		['+'] = true,
		['/'] = true,
	};
	size_t n = 0;

	while (n < s.len && letters[(unsigned char)s.ptr[n]])
		n++;
	return n;
}

/* A file that a program could be, and not the picture that it mostly is. */
static enum rc
carried(struct walk *w, const struct thing *t, uint16_t leaf, str base64)
{
	LUMP_AUTO bytes = { 0 };
	struct thing in = { .in = around_leaf(t, leaf, LEAF_EMBEDDED | LEAF_HIDDEN),
		.odd = MIME_ODD(EMBEDDED),
		.hidden = true };
	uint64_t odd = 0;
	enum rc rc = walk_decode(
		w, MIME_BASE64, str_first(base64, PAGE_LOOK), &bytes, &odd, &in.bytes);

	if (rc != RC_OK)
		return rc;
	enum magic_family family = magic_of(in.bytes)->family;
	if (family == MAGIC_UNKNOWN || family == MAGIC_IMAGE || family == MAGIC_MEDIA ||
		family == MAGIC_OTHER)
		return RC_OK;
	lump_free(&bytes);
	rc = walk_decode(w, MIME_BASE64, base64, &bytes, &odd, &in.bytes);
	in.flags = in.in.flags;
	walk_leaf(w, leaf)->odd |= in.odd;
	return rc == RC_OK ? walk_thing(w, &in) : rc;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2397 without ";base64": percent signs up to whatever ends an attribute. */
static enum rc
percent(struct walk *w, const struct thing *t, uint16_t leaf, str s)
{
	LUMP_AUTO bytes = { 0 };
	struct thing in = { .in = around_leaf(t, leaf, LEAF_EMBEDDED | LEAF_HIDDEN),
		.odd = MIME_ODD(EMBEDDED),
		.hidden = true };
	char *to = lump_room(&bytes, s.len);

	if (to == NULL)
		return walk_limit(w, "memory");
	for (size_t i = 0; i < s.len; i++) {
		bool coded = s.ptr[i] == '%' && i + 2 < s.len && hex(s.ptr[i + 1]) >= 0 &&
			     hex(s.ptr[i + 2]) >= 0;

		to[bytes.len++] = coded ? (char)(hex(s.ptr[i + 1]) * 16 +
						  hex(s.ptr[i + 2]))
					: s.ptr[i];
		i += coded ? 2 : 0;
	}
	in.bytes = (str){ bytes.data, bytes.len };
	in.flags = in.in.flags;
	enum magic_family family = magic_of(in.bytes)->family;
	if (family == MAGIC_UNKNOWN || family == MAGIC_IMAGE || family == MAGIC_MEDIA)
		return RC_OK;
	enum rc rc = walk_charge(w, bytes.len);
	return rc == RC_OK ? walk_thing(w, &in) : rc;
}

static enum rc
data_urls(struct walk *w, const struct thing *t, uint16_t leaf)
{
	str rest = t->bytes;
	enum rc rc = RC_OK;

	for (size_t at; rc == RC_OK && (at = str_find(rest, STR("data:"))) < rest.len;) {
		size_t comma = 0, end = 0;

		rest = str_skip(rest, at + 5);
		while (comma < rest.len && comma < 255 && rest.ptr[comma] != ',' &&
			rest.ptr[comma] != '"' && rest.ptr[comma] != '>')
			comma++;
		if (comma == rest.len || rest.ptr[comma] != ',')
			continue;
		bool base64 = str_ifind(str_first(rest, comma), STR("base64")) < comma;
		rest = str_skip(rest, comma + 1);
		while (end < rest.len && (unsigned char)rest.ptr[end] > ' ' &&
			memchr("\"'<>`", rest.ptr[end], 5) == NULL)
			end++;
		if (!base64 && end >= PAGE_LEAST)
			rc = percent(w, t, leaf, str_first(rest, end));
		rest = str_skip(rest, end);
	}
	return rc;
}

/* Runs of base64 behind one of these characters. */
static enum rc
runs(struct walk *w, const struct thing *t, uint16_t leaf, str text, const char *behind)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < text.len && rc == RC_OK;) {
		str run = str_skip(text, i);

		run = str_first(run, base64_run(run));
		if (run.len >= PAGE_LEAST && i > 0 &&
			memchr(behind, text.ptr[i - 1], strlen(behind)) != NULL)
			rc = carried(w, t, leaf, run);
		i += run.len + 1;
	}
	return rc;
}

enum rc
walk_page(struct walk *w, const struct thing *t, uint16_t leaf)
{
	/* behind a quote, or "base64," of a data URL */
	enum rc rc = runs(w, t, leaf, t->bytes, "\"'`,");

	return rc == RC_OK ? data_urls(w, t, leaf) : rc;
}

/* ATTACH;ENCODING=BASE64 of calendars and the like in cards, in folded lines (RFC 5545
 * 3.1, 3.8.1.1). */
enum rc
walk_card(struct walk *w, const struct thing *t, uint16_t leaf)
{
	LUMP_AUTO unfolded = { 0 };
	str s = t->bytes;
	char *to = lump_room(&unfolded, s.len);
	enum rc rc = walk_charge(w, s.len);

	if (rc != RC_OK || to == NULL)
		return rc == RC_OK ? walk_limit(w, "memory") : rc;
	for (size_t i = 0; i < s.len; i++) {
		size_t lf = s.ptr[i] == '\r' ? i + 1 : i;

		if (lf + 1 < s.len && s.ptr[lf] == '\n' &&
			(s.ptr[lf + 1] == ' ' || s.ptr[lf + 1] == '\t'))
			i = lf + 1;
		else
			to[unfolded.len++] = s.ptr[i];
	}
	return runs(w, t, leaf, (str){ unfolded.data, unfolded.len }, ":,");
}

/* ---- TNEF ---- */

enum rc
walk_tnef(struct walk *w, const struct thing *t, uint16_t leaf)
{
	struct tnef_reader r;
	struct thing in = { .in = around_leaf(t, leaf, LEAF_MEMBER) };
	enum rc rc = RC_OK;

	if (t->in.archives == WALK_ARCHIVES)
		return walk_limit(w, "archives within each other");
	in.in.archives++;
	in.in.unseen = true;
	tnef_begin(&r, t->bytes);
	while (rc == RC_OK && tnef_next(&r, &in.name, &in.bytes)) {
		struct thing one = in;

		one.flags = in.in.flags;
		if (w->room.members == 0)
			return walk_limit(w, "files");
		w->room.members--;
		w->c->members++;
		rc = walk_charge(w, one.bytes.len);
		if (rc == RC_OK)
			rc = walk_thing(w, &one);
	}
	if (rc == RC_OK)
		walk_leaf(w, leaf)->flags |= LEAF_ARCHIVE |
					     (r.damaged ? LEAF_UNOPENED : 0);
	return rc;
}
