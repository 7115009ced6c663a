/* SPDX-License-Identifier: ISC */
#include "wire/imap_fetch.h"

#include "base/buf.h"
#include "wire/imap_lex_int.h"
#include "wire/imap_put.h"

struct row {
	str name;
	unsigned items; /* what it is, where no section follows */
	enum { ITEM, MACRO, SECTION, WHOLE } is; /* WHOLE: `section` is what it means */
	struct imap_section section;
};

enum {
	FAST = ITEM_FLAGS | ITEM_INTERNALDATE | ITEM_SIZE,
};

static const struct row rows[] = {
	{ STR_INIT("FLAGS"), ITEM_FLAGS },
	{ STR_INIT("UID"), ITEM_UID },
	{ STR_INIT("INTERNALDATE"), ITEM_INTERNALDATE },
	{ STR_INIT("RFC822.SIZE"), ITEM_SIZE },
	{ STR_INIT("ENVELOPE"), ITEM_ENVELOPE },
	{ STR_INIT("BODYSTRUCTURE"), ITEM_BODYSTRUCTURE },
	{ STR_INIT("MODSEQ"), ITEM_MODSEQ },
	{ STR_INIT("PREVIEW"), ITEM_PREVIEW },
	{ STR_INIT("SAVEDATE"), ITEM_SAVEDATE },
	{ STR_INIT("EMAILID"), ITEM_EMAILID },
	{ STR_INIT("THREADID"), ITEM_THREADID },
	{ STR_INIT("FAST"), FAST, MACRO },
	{ STR_INIT("ALL"), FAST | ITEM_ENVELOPE, MACRO },
	{ STR_INIT("FULL"), FAST | ITEM_ENVELOPE | ITEM_BODY, MACRO },
	{ STR_INIT("BODY"), ITEM_BODY, SECTION },
	{ STR_INIT("BODY.PEEK"), 0, SECTION, { .peek = true } },
	{ STR_INIT("BINARY"), 0, SECTION, { .binary = true } },
	{ STR_INIT("BINARY.PEEK"), 0, SECTION, { .binary = true, .peek = true } },
	{ STR_INIT("BINARY.SIZE"), 0, SECTION, { .binary_size = true, .peek = true } },
	{ STR_INIT("RFC822"), 0, WHOLE, { SECTION_ALL, .rfc822 = "RFC822" } },
	{ STR_INIT("RFC822.HEADER"), 0, WHOLE,
		{ SECTION_HEADER, .peek = true, .rfc822 = "RFC822.HEADER" } },
	{ STR_INIT("RFC822.TEXT"), 0, WHOLE, { SECTION_TEXT, .rfc822 = "RFC822.TEXT" } },
};

static const struct {
	str name;
	enum imap_section_kind kind;
} kinds[] = {
	{ STR_INIT("HEADER"), SECTION_HEADER },
	{ STR_INIT("HEADER.FIELDS"), SECTION_FIELDS },
	{ STR_INIT("HEADER.FIELDS.NOT"), SECTION_FIELDS_NOT },
	{ STR_INIT("TEXT"), SECTION_TEXT },
	{ STR_INIT("MIME"), SECTION_MIME },
};

static bool
is_name(unsigned c)
{
	return (c | 32) - 'a' < 26 || lex_is_digit(c) || c == '.';
}

/* Letters, digits and dots, up to a bracket for example; does not move. */
static str
name_here(const struct imap_lex *x)
{
	size_t n = 0;

	while (is_name(lex_at(x, n)))
		n++;
	return str_first(lex_rest(x), n);
}

static const struct row *
row_here(const struct imap_lex *x)
{
	str name = name_here(x);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (str_ieq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* "1.2", or nothing; dot: a text has to follow. */
static bool
part(struct imap_lex *x, struct imap_section *s, bool *dot)
{
	uint32_t at[IMAP_SECTION_DEPTH];
	size_t n = 0;

	*dot = true; /* in front of the first */
	while (*dot && lex_is_digit(lex_at(x, 0))) {
		if (n == IMAP_SECTION_DEPTH)
			return lex_wanted(x, "a part that is less deep");
		if (!lex_nz_number(x, &at[n++]))
			return false;
		*dot = lex_peek(x, '.') && lex_took(x, 1);
	}
	if (n == 0)
		*dot = !lex_peek(x, ']');
	if (n > 0 && (s->part = arena_array(x->mem, n, sizeof(at[0]))) == NULL)
		return lex_wanted(x, "a shorter command");
	if (n > 0)
		memcpy(s->part, at, n * sizeof(at[0]));
	s->depth = n;
	return true;
}

static bool
fields(struct imap_lex *x, struct imap_section *s)
{
	str at[IMAP_FIELDS];
	size_t n = 0;

	if (!lex_sp(x) || !lex_char(x, '('))
		return false;
	do {
		if (n == IMAP_FIELDS)
			return lex_wanted(x, "fewer header fields");
		if (!lex_astring(x, &at[n++]))
			return false;
	} while (lex_peek(x, ' ') && lex_sp(x));
	if (!lex_char(x, ')'))
		return false;
	if ((s->fields = arena_array(x->mem, n, sizeof(at[0]))) == NULL)
		return lex_wanted(x, "a shorter command");
	memcpy(s->fields, at, n * sizeof(at[0]));
	s->nfields = n;
	return true;
}

static bool
text(struct imap_lex *x, struct imap_section *s)
{
	str name = name_here(x);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!str_ieq(kinds[i].name, name))
			continue;
		if (kinds[i].kind == SECTION_MIME && s->depth == 0)
			return lex_wanted(x, "a part before MIME");
		s->kind = kinds[i].kind;
		lex_took(x, name.len);
		return (s->kind != SECTION_FIELDS && s->kind != SECTION_FIELDS_NOT) ||
		       fields(x, s);
	}
	return lex_wanted(x, "a section of a message");
}

/* "[1.2.TEXT]<0.100>" */
static bool
section(struct imap_lex *x, struct imap_section *s)
{
	bool binary = s->binary || s->binary_size, dot;

	if (!lex_char(x, '[') || !part(x, s, &dot))
		return false;
	if (dot && binary)
		return lex_wanted(x, "a part's number");
	if (dot && !text(x, s))
		return false;
	if (!lex_char(x, ']'))
		return false;
	if (s->binary_size || !lex_peek(x, '<'))
		return true;
	s->partial = true;
	if (!lex_char(x, '<') || !lex_number64(x, &s->first) || !lex_char(x, '.') ||
		!lex_number64(x, &s->count))
		return false;
	return s->count > 0 ? lex_char(x, '>')
			    : lex_wanted(x, "a number of octets from 1");
}

static bool
add_section(struct imap_lex *x, const struct imap_section *s, struct imap_fetch *f)
{
	if (f->sections == NULL)
		f->sections = arena_array(x->mem, IMAP_SECTIONS, sizeof(*s));
	if (f->sections == NULL || f->nsections == IMAP_SECTIONS)
		return lex_wanted(x, "fewer sections");
	f->sections[f->nsections++] = *s;
	return true;
}

/* " (LAZY)": else there is none, and what stands here is something else's. */
static bool
lazy(struct imap_lex *x)
{
	size_t start = x->at;

	if (!lex_sp(x) || !lex_char(x, '('))
		return lex_back(x, start);
	do {
		if (!lex_word(x, STR("LAZY")))
			return lex_back(x, start);
	} while (lex_peek(x, ' ') && lex_sp(x));
	return lex_char(x, ')') || lex_back(x, start);
}

static bool
item(struct imap_lex *x, struct imap_fetch *f)
{
	const struct row *row = row_here(x);

	if (row == NULL || row->is == MACRO)
		return lex_wanted(x, "an item of a message");
	lex_took(x, row->name.len);
	if (row->is == ITEM || (row->items != 0 && !lex_peek(x, '['))) {
		f->items |= row->items;
		if (row->items == ITEM_PREVIEW && lazy(x))
			f->items |= ITEM_PREVIEW_LAZY;
		return true;
	}
	struct imap_section s = row->section;
	return (row->is == WHOLE || section(x, &s)) && add_section(x, &s, f);
}

static bool
items(struct imap_lex *x, struct imap_fetch *f)
{
	const struct row *macro = row_here(x);

	if (macro != NULL && macro->is == MACRO) {
		f->items = macro->items;
		return lex_took(x, macro->name.len);
	}
	if (!lex_peek(x, '('))
		return item(x, f);
	lex_took(x, 1);
	do {
		if (!item(x, f))
			return false;
	} while (lex_peek(x, ' ') && lex_sp(x));
	return lex_char(x, ')');
}

static bool
modifier(struct imap_lex *x, struct imap_fetch *f)
{
	size_t start = x->at;

	if (!f->has_changed && lex_word(x, STR("CHANGEDSINCE"))) {
		f->has_changed = true;
		return lex_sp(x) && lex_number64(x, &f->changed);
	}
	if (!f->vanished && lex_word(x, STR("VANISHED"))) {
		f->vanished = true;
		return true;
	}
	if (!f->has_partial && lex_word(x, STR("PARTIAL"))) {
		f->has_partial = true;
		return lex_sp(x) && lex_partial(x, &f->partial_from, &f->partial_to);
	}
	return lex_wanted_all(x, start, "a modifier of FETCH");
}

static bool
modifiers(struct imap_lex *x, struct imap_fetch *f)
{
	if (!lex_peek(x, ' '))
		return true;
	if (!lex_sp(x) || !lex_char(x, '('))
		return false;
	do {
		if (!modifier(x, f))
			return false;
	} while (lex_peek(x, ' ') && lex_sp(x));
	if (f->vanished && !f->has_changed) /* RFC 7162 3.2.6 */
		return lex_wanted(x, "CHANGEDSINCE beside VANISHED");
	return lex_char(x, ')');
}

bool
lex_fetch(struct imap_lex *x, struct imap_fetch *out)
{
	struct imap_fetch f = { 0 };
	size_t start = x->at;

	if (!items(x, &f) || !modifiers(x, &f))
		return lex_back(x, start);
	*out = f;
	return lex_took(x, 0);
}

static void
put_fields(struct buf *b, const struct imap_section *s)
{
	for (size_t i = 0; i < s->nfields; i++) {
		buf_add(b, i == 0 ? STR(" (") : STR(" "));
		imap_put_astring(b, s->fields[i]);
	}
	buf_addc(b, ')');
}

void
imap_put_section(struct buf *b, const struct imap_section *s)
{
	if (s->rfc822 != NULL) {
		buf_addz(b, s->rfc822);
		return;
	}
	buf_addz(b, s->binary_size ? "BINARY.SIZE[" : s->binary ? "BINARY[" : "BODY[");
	for (size_t i = 0; i < s->depth; i++)
		buf_addf(b, i == 0 ? "%u" : ".%u", s->part[i]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].kind == s->kind) {
			if (s->depth > 0)
				buf_addc(b, '.');
			buf_add(b, kinds[i].name);
		}
	}
	if (s->kind == SECTION_FIELDS || s->kind == SECTION_FIELDS_NOT)
		put_fields(b, s);
	buf_addc(b, ']');
	if (s->partial)
		buf_addf(b, "<%llu>", (unsigned long long)s->first);
}
