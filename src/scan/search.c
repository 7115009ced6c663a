/* SPDX-License-Identifier: ISC */
#include "scan/search.h"

#include "mime/address.h"
#include "mime/header.h"
#include "mime/html.h"
#include "mime/word.h"
#include "scan/lump.h"
#include "scan/text.h"

enum {
	SCRATCH = 16 * 1024 * 1024,
	ADDRESSES = 4096, /* of a field */
};

struct reading {
	struct charsets *cs;
	struct arena *scratch;
	const struct search_sink *to;
	bool enough;
	struct err *err;
};

static enum rc
no_memory(struct reading *r)
{
	return err_set(
		r->err, RC_LIMIT, "the message needs more memory than a scanner has");
}

/* ---- fields ---- */

/* Those that SEARCH has a key for, by the name of what an envelope has of them; "": another. */
static str
envelope_name(str field)
{
	static const str names[] = { STR_INIT(":From"), STR_INIT(":To"), STR_INIT(":Cc"),
		STR_INIT(":Bcc") };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_ieq(field, str_skip(names[i], 1)))
			return names[i];
	return STR("");
}

static void
put_address(struct buf *b, const struct address *a)
{
	if (a->kind == ADDRESS_GROUP_END) {
		if (b->len > 2 && b->data[b->len - 2] == ',')
			b->len -= 2;
		buf_add(b, STR(";, "));
		return;
	}
	buf_add(b, a->name);
	if (a->kind == ADDRESS_GROUP) {
		buf_add(b, STR(": "));
		return;
	}
	buf_add(b, a->name.len > 0 ? STR(" <") : STR("<"));
	buf_add(b, a->local);
	buf_add(b, a->domain.len > 0 ? STR("@") : STR(""));
	buf_add(b, a->domain);
	buf_add(b, STR(">, "));
}

/* RFC 9051 6.4.4: FROM and the like look into the envelope structure, where addresses have
 * neither comments nor quotes nor folds.  As it was written the field is searched, too. */
static enum rc
read_addresses(struct reading *r, enum search_field_of of, str name, str plain, str shown)
{
	BUF_AUTO b = BUF(4 * plain.len + 1024);
	struct address_list list;
	uint64_t odd = 0;
	str value;

	if (address_parse(plain, ADDRESSES, r->scratch, &list) != RC_OK)
		return no_memory(r);
	for (size_t i = 0; i < list.n; i++)
		put_address(&b, &list.at[i]);
	if (mime_words(buf_str(&b), r->cs, HEADER_BYTES, r->scratch, &value, &odd) !=
		RC_OK)
		return no_memory(r);
	value = str_trim(value);
	if (value.len > 0 && value.ptr[value.len - 1] == ',')
		value.len--;
	if (value.len > 0 && !str_eq(value, str_trim(shown)))
		r->enough = !r->to->field(of, name, value, r->to->arg);
	return RC_OK;
}

static enum rc
read_field(struct reading *r, enum search_field_of of, const struct header_field *f)
{
	/* X-Gatepost-Pad: wire/smtp_trace.h */
	str raw = str_ieq(f->name, STR("X-Gatepost-Pad")) ? STR("") : f->value;
	uint64_t odd = 0;
	str plain, value;

	if (header_unfold(raw, HEADER_BYTES, r->scratch, &plain) != RC_OK ||
		mime_words(plain, r->cs, HEADER_BYTES, r->scratch, &value, &odd) != RC_OK)
		return no_memory(r);
	r->enough = !r->to->field(of, f->name, value, r->to->arg);
	if (of == SEARCH_OF_MESSAGE && !r->enough && envelope_name(f->name).len > 0 &&
		read_addresses(r, of, envelope_name(f->name), plain, value) != RC_OK)
		return RC_LIMIT;
	arena_reset(r->scratch);
	return RC_OK;
}

static enum rc
read_fields(struct reading *r, enum search_field_of of, str block)
{
	struct header_reader h;
	struct header_field f;
	enum header_got got;
	enum rc rc = RC_OK;

	header_begin(&h, block);
	while (rc == RC_OK && !r->enough &&
		((got = header_next(&h, &f)) == HEADER_FIELD || got == HEADER_BAD))
		if (got == HEADER_FIELD)
			rc = read_field(r, of, &f);
	return rc;
}

/* ---- texts ---- */

struct part_text {
	struct reading *r;
	str charset;
	bool html;
	struct lump bytes; /* decoded */
	enum rc rc;
};

static enum rc
as_read(struct reading *r, str utf8)
{
	BUF_AUTO text = BUF(utf8.len + 1024);
	BUF_AUTO hidden = BUF(64 * 1024);
	struct html h = { .text = &text, .hidden = &hidden };

	if (html_read(utf8, r->scratch, &h) != RC_OK)
		return no_memory(r);
	arena_reset(r->scratch);
	if (!str_eq(buf_str(&text), utf8))
		r->enough = !r->to->text(buf_str(&text), r->to->arg);
	return RC_OK;
}

static enum rc
convert(struct part_text *t, str bytes)
{
	BUF_AUTO utf8 = BUF(4 * bytes.len + 4);
	struct reading *r = t->r;
	uint64_t odd = 0;

	if (t->html && t->charset.len == 0)
		t->charset = html_charset(bytes);
	charset_to_utf8(r->cs, t->charset, bytes, &utf8, &odd);
	r->enough = !r->to->text(buf_str(&utf8), r->to->arg);
	return t->html && !r->enough ? as_read(r, buf_str(&utf8)) : RC_OK;
}

/* Where a text may be parted that is longer than is read at once. */
static size_t
whole_lines(str s)
{
	const char *end = memrchr(s.ptr, '\n', s.len);

	return end == NULL ? s.len : (size_t)(end + 1 - s.ptr);
}

static enum rc
take(str piece, void *arg)
{
	struct part_text *t = arg;

	if (!lump_add(&t->bytes, piece))
		return t->rc = no_memory(t->r);
	if (t->bytes.len < TEXT_MOST)
		return RC_OK;
	size_t n = whole_lines((str){ t->bytes.data, t->bytes.len });
	t->rc = convert(t, (str){ t->bytes.data, n });
	memmove(t->bytes.data, t->bytes.data + n, t->bytes.len - n);
	t->bytes.len -= n;
	return t->rc == RC_OK && t->r->enough ? RC_NONE : t->rc;
}

static enum rc
read_plain(struct part_text *t, str body)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && body.len > 0 && !t->r->enough) {
		str some = str_first(body, TEXT_MOST);

		if (some.len < body.len)
			some.len = whole_lines(some);
		rc = convert(t, some);
		body = str_skip(body, some.len);
	}
	return rc;
}

static enum rc
read_text(struct reading *r, const struct mime_part *p, str body)
{
	struct part_text t = { .r = r,
		.charset = p->charset,
		.html = str_ieq(p->subtype, STR("html")) &&
			str_ieq(p->type, STR("text")) };
	uint64_t odd = 0;

	if (p->encoding == MIME_IDENTITY)
		return read_plain(&t, body);
	/* only what is in a message is decoded, once: no more than the message allows */
	(void)!mime_decode(p->encoding, body, SCAN_UNPACKED, take, &t, &odd);
	if (t.rc == RC_OK && !r->enough)
		t.rc = convert(&t, (str){ t.bytes.data, t.bytes.len });
	lump_free(&t.bytes);
	return t.rc;
}

/* ---- all of it ---- */

static bool
is_attached(const struct mime_part *p)
{
	for (p = p->parent; p != NULL; p = p->parent)
		if (p->kind == MIME_MESSAGE)
			return true;
	return false;
}

static enum rc
read_part(struct reading *r, str message, const struct mime_part *p, bool top)
{
	str block = str_first(str_skip(message, p->header_at), p->body_at - p->header_at);
	enum search_field_of of = top              ? SEARCH_OF_MESSAGE
				  : is_attached(p) ? SEARCH_OF_ATTACHED
						   : SEARCH_OF_PART;
	enum rc rc = read_fields(r, of, block);

	if (rc != RC_OK || r->enough || p->kind != MIME_LEAF ||
		(!str_ieq(p->type, STR("text")) && !str_ieq(p->type, STR("message"))))
		return rc;
	return read_text(r, p, mime_body(message, p));
}

enum rc
search_message(const struct mapped *file, const struct mime_tree *tree,
	struct charsets *cs, const struct search_sink *to, struct err *err)
{
	ARENA_AUTO scratch = arena_new(SCRATCH);
	struct reading r = { .cs = cs, .scratch = scratch, .to = to, .err = err };
	enum rc rc = read_fields(&r, SEARCH_OF_MESSAGE, file->trace);

	for (const struct mime_part *p = tree->top; p != NULL && rc == RC_OK && !r.enough;
		p = mime_next(p))
		rc = read_part(&r, file->message, p, p == tree->top);
	return rc;
}
