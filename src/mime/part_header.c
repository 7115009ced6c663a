/* SPDX-License-Identifier: ISC */
/* The header of a part: where it ends, and what its MIME fields say. */
#include <stddef.h>

#include "mime/header.h"
#include "mime/param_int.h"
#include "mime/tree_int.h"

enum { BOUNDARY = 70, BOUNDARY_KEPT = 80, RAW_VALUE = 2048 };

/* The MIME fields of a header, before it is known what counts. */
struct fields {
	str type, encoding;
	unsigned types, encodings, dispositions;
	bool version; /* MIME-Version */
	bool content; /* any Content-Type or -Transfer-Encoding */
	bool encoding_shown;
	struct mime_value disposed;
	str raw[5];
};

/* Fields that are kept as they stand; the first of each counts. */
static const struct {
	str name;
	size_t to;
} raw_fields[5] = {
	{ STR_INIT("content-id"), offsetof(struct mime_part, id) },
	{ STR_INIT("content-description"), offsetof(struct mime_part, description) },
	{ STR_INIT("content-md5"), offsetof(struct mime_part, md5) },
	{ STR_INIT("content-location"), offsetof(struct mime_part, location) },
	{ STR_INIT("content-language"), offsetof(struct mime_part, language) },
};

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A token and nothing else: what IMAP shows, else 7BIT. */
static str
shown_encoding(str raw)
{
	struct param_cursor c;
	str token;

	if (raw.len == 0)
		return STR("");
	c = (struct param_cursor){ raw.ptr, raw.ptr + raw.len };
	if (param_blanks(&c) < 0 || param_token(&c, &token) != 0)
		return STR("");
	return token;
}

str
mime_encoding_shown(const struct mime_part *p)
{
	str token = shown_encoding(p->encoding_raw);

	/* "base64" in quotes is decoded for searching and by the virus scanner: who
	 * trusts IMAP's word must not see less. */
	return token.len > 0 || p->encoding == MIME_IDENTITY
		       ? token
		       : mime_encoding_name(p->encoding);
}

enum mime_field
field_loosely(str name)
{
	static const struct {
		str name;
		enum mime_field field;
	} names[] = {
		{ STR_INIT("content-type"), FIELD_TYPE },
		{ STR_INIT("content-transfer-encoding"), FIELD_ENCODING },
		{ STR_INIT("content-disposition"), FIELD_DISPOSITION },
	};
	char clean[32];
	size_t n = 0;

	for (size_t i = 0; i < name.len && n < sizeof(clean); i++) {
		char c = name.ptr[i] == '_' ? '-' : name.ptr[i];

		if (c > ' ' && c < 0x7f)
			clean[n++] = c;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq((str){ clean, n }, names[i].name))
			return names[i].field;
	return FIELD_OTHER;
}

/* The disposition of the first field that has parameters counts, else the last one's. */
static enum rc
disposition(struct reader *r, struct fields *f, str value)
{
	f->dispositions++;
	for (size_t i = 0; i < f->disposed.n; i++)
		if (f->disposed.params[i].name.ptr != NULL)
			return RC_OK;
	return mime_value_parse(value, r->x->cs, r->x->mem, &f->disposed);
}

static enum rc
content_field(struct reader *r, struct fields *f, str name, str value)
{
	if (str_ieq(name, STR("content-type"))) {
		if (f->types++ == 0)
			f->type = value;
		f->content = true;
	} else if (str_ieq(name, STR("content-transfer-encoding"))) {
		bool shown = shown_encoding(value).len > 0;

		if (f->encodings++ == 0 || (shown && !f->encoding_shown))
			f->encoding = value;
		f->encoding_shown = f->encoding_shown || shown;
		f->content = true;
	} else if (str_ieq(name, STR("content-disposition"))) {
		return disposition(r, f, value);
	} else {
		for (size_t i = 0; i < 5; i++)
			if (f->raw[i].ptr == NULL && str_ieq(name, raw_fields[i].name))
				f->raw[i] = value;
	}
	return RC_OK;
}

/* A field with what continues it, at..end without its last line end. */
static enum rc
field(struct reader *r, struct piece *p, struct fields *f, size_t at, size_t first_end,
	size_t end)
{
	const char *m = r->x->msg.ptr;
	const char *colon = memchr(m + at, ':', first_end - at);
	bool clean = colon != NULL && colon != m + at, known;
	str name = { m + at,
		(size_t)((colon == NULL ? m + first_end : colon) - (m + at)) };
	size_t len;

	while (name.len > 0 && blank(name.ptr[name.len - 1]))
		name.len--;
	len = name.len;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		clean = clean && c > ' ' && c < 0x7f;
		if (c == '\0') /* C programs see what is before it */
			name.len = i;
	}
	known = colon != NULL && (str_istarts(name, STR("content-")) ||
					 str_ieq(name, STR("mime-version")));
	if (!clean && !(at == p->p.header_at && (str_starts(name, STR("From ")) ||
							str_starts(name, STR(">From ")))))
		p->p.odd |= MIME_ODD(BAD_FIELD);
	if (!clean || !known || m + at + len != colon)
		if (field_loosely((str){ m + at, len }) != FIELD_OTHER)
			p->p.odd |= MIME_ODD(HIDDEN_FIELD);
	if (!known)
		return RC_OK;
	if (str_ieq(name, STR("mime-version"))) {
		f->version = true;
		return RC_OK;
	}
	return content_field(
		r, f, name, (str){ colon + 1, (size_t)(m + end - (colon + 1)) });
}

/* Past a line; where it ends without its line end. */
static size_t
header_line(struct reader *r, bool *ended)
{
	size_t at = r->at;

	r->at = line_next(r, at, ended);
	r->lines += *ended ? 1 : 0;
	return *ended ? line_end_before(r, r->at, at) : r->at;
}

bool
field_folded(str line)
{
	static const str values[] = { STR_INIT("multipart/"), STR_INIT("message/"),
		STR_INIT("base64"), STR_INIT("quoted-printable") };
	size_t colon;
	str value;

	if (line.len == 0 || (line.ptr[0] | 0x20) != 'c')
		return false;
	colon = str_find(line, STR(":"));
	if (field_loosely(str_first(line, colon)) == FIELD_OTHER)
		return false;
	value = str_trim(str_skip(line, colon + 1));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (str_istarts(value, values[i]))
			return true;
	return false;
}

/* A line that continues a field, but not for everybody. */
static void
continuation(struct piece *p, str line)
{
	if (line.len == 0)
		p->header_twice = true;
	else if (field_folded(line))
		p->p.odd |= MIME_ODD(HIDDEN_FIELD);
}

/* The fields, from r->at to the empty line, a delimiter or the end. */
static enum rc
fields(struct reader *r, struct piece *p, struct fields *f, bool *cut)
{
	const char *m = r->x->msg.ptr;
	size_t n = 0;

	while (r->at < r->end) {
		size_t begin = r->at, first_end, end;
		bool ended;
		enum rc rc;

		*cut = !(r->policy & READ_THROUGH) && boundary_at(r, begin);
		if (*cut)
			return RC_OK;
		if (r->header_end != 0 && begin >= r->header_end)
			break;
		end = first_end = header_line(r, &ended);
		if (ended && end == begin) {
			p->whole_header = true;
			if (r->header_end != 0)
				continue;
			return RC_OK;
		}
		while (ended && r->at < r->end && blank(m[r->at])) {
			size_t from = r->at;

			end = header_line(r, &ended);
			continuation(p, str_trim((str){ m + from, end - from }));
		}
		if (++n > HEADER_FIELDS || r->at - p->p.header_at > HEADER_BYTES)
			return err_set(r->x->err, RC_LIMIT,
				"a header of more than %d fields or %d bytes",
				HEADER_FIELDS, HEADER_BYTES);
		rc = field(r, p, f, begin, first_end, end);
		if (rc != RC_OK)
			return rc;
	}
	p->whole_header = p->whole_header || r->header_end != 0;
	r->header_end = 0;
	return RC_OK;
}

/* One line, in mem only if it has to be changed. */
static enum rc
raw_value(struct reader *r, str raw, str *out)
{
	for (size_t i = 0; i < raw.len; i++)
		if (raw.ptr[i] == '\0' || raw.ptr[i] == '\r' || raw.ptr[i] == '\n')
			return header_unfold(raw, RAW_VALUE, r->x->mem, out);
	raw = str_trim(raw);
	*out = raw.len == 0 ? STR("") : str_first(raw, RAW_VALUE);
	return RC_OK;
}

/* RFC 2046 5.1.1 */
static bool
boundary_legal(str b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = b.ptr[i];

		if (!((c >= '0' && c <= '9') ||
			    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			    (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL)))
			return false;
	}
	return b.len > 0 && b.len <= BOUNDARY && b.ptr[b.len - 1] != ' ';
}

void
piece_boundary(struct piece *p)
{
	const struct mime_value *v = &p->p.content_type;

	if (p->p.kind != MIME_MULTIPART)
		return;
	for (size_t i = 0; i < v->n && p->boundary.ptr == NULL; i++)
		if (str_ieq(v->params[i].name, STR("boundary")))
			p->boundary = v->params[i].value;
	if (p->boundary.ptr == NULL)
		p->p.odd |= MIME_ODD(NO_BOUNDARY);
	else if (!boundary_legal(p->boundary))
		p->p.odd |= MIME_ODD(BAD_BOUNDARY);
	p->boundary = str_first(p->boundary, BOUNDARY_KEPT);
}

void
part_kind(struct piece *p)
{
	struct mime_part *m = &p->p;

	if (str_ieq(m->type, STR("multipart"))) {
		m->kind = MIME_MULTIPART;
		piece_boundary(p);
	} else if (str_ieq(m->type, STR("message"))) {
		if (str_ieq(m->subtype, STR("rfc822")) ||
			str_ieq(m->subtype, STR("global")))
			m->kind = MIME_MESSAGE;
		else if (str_ieq(m->subtype, STR("partial")))
			m->odd |= MIME_ODD(PARTIAL);
		else if (str_ieq(m->subtype, STR("external-body")))
			m->odd |= MIME_ODD(EXTERNAL);
	}
	if (m->kind != MIME_LEAF && m->encoding != MIME_IDENTITY)
		m->odd |= MIME_ODD(ENCODED_COMPOSITE);
}

static void
default_type(struct mime_part *m)
{
	const struct mime_part *around = m->of != NULL ? m->of->parent : m->parent;
	bool digest = around != NULL && around->kind == MIME_MULTIPART &&
		      str_ieq(around->subtype, STR("digest"));

	/* RFC 2046 5.1.5, RFC 2045 5.2 */
	m->type = digest ? STR("message") : STR("text");
	m->subtype = digest ? STR("rfc822") : STR("plain");
}

enum rc
part_type(struct reader *r, struct piece *p, str raw, str *name)
{
	struct mime_part *m = &p->p;
	struct mime_value v;
	const struct mime_param *param;
	enum rc rc = mime_value_parse(raw, r->x->cs, r->x->mem, &v);

	if (rc != RC_OK)
		return rc;
	p->type_raw = raw;
	m->odd |= v.odd;
	if ((param = mime_param_find(&v, STR("name"))) != NULL)
		*name = param->text;
	if (mime_type_split(v.value, &m->type, &m->subtype) != RC_OK) {
		/* RFC 2045 5.2: as if there were none; other readers guess */
		m->odd |= MIME_ODD(BAD_TYPE);
		m->type = STR("text");
		m->subtype = STR("plain");
		return RC_BAD;
	}
	m->content_type = v;
	param = str_ieq(m->type, STR("text")) ? mime_param_find(&v, STR("charset"))
					      : NULL;
	if (param != NULL)
		m->charset = param->text;
	return RC_OK;
}

static enum rc
encoding(struct reader *r, struct piece *p, const struct fields *f)
{
	enum rc rc = RC_OK;

	if (f->encodings == 0)
		return rc;
	rc = raw_value(r, f->encoding, &p->p.encoding_raw);
	if (rc == RC_OK)
		p->p.encoding = mime_encoding_read(p->p.encoding_raw, &p->p.odd);
	return rc;
}

/* What the fields say when they count. */
static enum rc
understand(struct reader *r, struct piece *p, struct fields *f)
{
	struct mime_part *m = &p->p;
	const struct mime_param *file;
	enum rc rc = encoding(r, p, f);

	if (f->types == 0)
		default_type(m);
	else if (rc == RC_OK)
		rc = part_type(r, p, f->type, &m->name);
	if (rc == RC_BAD)
		rc = RC_OK;
	m->disposition = f->disposed;
	m->odd |= f->disposed.odd;
	file = mime_param_find(&m->disposition, STR("filename"));
	if (file != NULL && file->text.len > 0)
		m->name = file->text;
	m->name = str_first(m->name, MIME_NAME);
	for (size_t i = 0; i < 5 && rc == RC_OK; i++)
		if (f->raw[i].ptr != NULL)
			rc = raw_value(
				r, f->raw[i], (str *)((char *)m + raw_fields[i].to));
	part_kind(p);
	return rc;
}

/* What of the header's bytes alone makes readers disagree. */
static void
header_oddities(struct reader *r, struct piece *p, const struct fields *f, bool cut)
{
	const char *m = r->x->msg.ptr, *at = m + p->p.header_at, *end = m + r->at;
	uint64_t odd = 0;

	if (at == end)
		return;
	if (memchr(at, '\0', (size_t)(end - at)) != NULL)
		odd |= MIME_ODD(NUL_BYTE);
	for (; at < end && (at = memchr(at, '\r', (size_t)(end - at))) != NULL; at++)
		if (at + 1 == end || at[1] != '\n')
			odd |= MIME_ODD(BARE_LINE_END);
	if (cut || !p->whole_header)
		odd |= MIME_ODD(HEADER_CUT);
	if (f->types > 1)
		odd |= MIME_ODD(DUP_TYPE);
	if (f->encodings > 1)
		odd |= MIME_ODD(DUP_ENCODING);
	if (f->dispositions > 1)
		odd |= MIME_ODD(DUP_DISPOSITION);
	p->p.odd |= odd;
}

enum rc
part_header(struct reader *r, struct piece *p, bool *cut)
{
	struct fields f = { 0 };
	uint32_t lines = r->lines;
	enum rc rc;

	*cut = false;
	p->p.header_at = r->at;
	rc = fields(r, p, &f, cut);
	p->p.body_at = r->at;
	p->p.header_lines = r->lines - lines;
	if (*cut) /* the last line end is the delimiter's */
		p->p.body_at = line_end_before(r, r->at, p->p.header_at);
	p->p.header_lines -= p->p.body_at < r->at ? 1 : 0;
	if (rc == RC_OK)
		rc = reading_work(r->x, r->at - p->p.header_at);
	if (rc != RC_OK)
		return rc;
	header_oddities(r, p, &f, *cut);
	if (*cut)
		r->open[r->owner].piece->want |= READ_THROUGH;
	if (!p->in_multipart && !f.version && f.content)
		p->p.odd |= MIME_ODD(NO_MIME_VERSION);
	p->mime = p->in_multipart || f.version || f.types > 0;
	if (p->mime)
		return understand(r, p, &f);
	/* RFC 2045 5.2; Dovecot forgets all Content- fields then, others do not */
	p->header_twice = p->header_twice || f.content || f.dispositions > 0;
	default_type(&p->p);
	part_kind(p);
	return RC_OK;
}
