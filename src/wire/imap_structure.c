/* SPDX-License-Identifier: ISC */
#include "wire/imap_structure.h"

enum { ESCAPES_MOST = 4 }; /* more, and a literal is shorter */

static bool
is_eight_bit(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return true;
	return false;
}

/* Not in a quoted string (RFC 9051 9, TEXT-CHAR). */
static bool
ends_lines(str s)
{
	return s.len > 0 &&
	       (memchr(s.ptr, '\r', s.len) != NULL || memchr(s.ptr, '\n', s.len) != NULL);
}

static size_t
escapes(str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '"' || s.ptr[i] == '\\';
	return n;
}

static void
put_literal(struct buf *b, str s)
{
	buf_addc(b, '{');
	buf_addu(b, s.len);
	buf_add(b, STR("}\r\n"));
	buf_add(b, s);
}

void
imap_put_string(struct buf *b, str s)
{
	if (is_eight_bit(s) || ends_lines(s) || escapes(s) > ESCAPES_MOST) {
		put_literal(b, s);
		return;
	}
	buf_addc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.ptr[i]);
	}
	buf_addc(b, '"');
}

void
imap_put_nstring(struct buf *b, str s)
{
	if (s.len == 0)
		buf_add(b, STR("NIL"));
	else
		imap_put_string(b, s);
}

/* A header field: empty is not absent (RFC 9051 7.5.2). */
static void
put_field(struct buf *b, str s)
{
	if (s.ptr == NULL)
		buf_add(b, STR("NIL"));
	else
		imap_put_string(b, s);
}

/* What people read: blanks at the ends go, those within become one. */
static void
put_shown(struct buf *b, str s)
{
	BUF_AUTO one = BUF(FACTS_STR);
	bool blank = true;

	for (size_t i = 0; i < s.len; i++) {
		bool is = s.ptr[i] == ' ' || s.ptr[i] == '\t';

		if (!is || !blank)
			buf_addc(&one, is ? ' ' : s.ptr[i]);
		blank = is;
	}
	str shown = str_trim(buf_str(&one));
	if (is_eight_bit(shown) || escapes(shown) > 0)
		put_literal(b, shown);
	else
		imap_put_string(b, shown);
}

/* A group begins with a mailbox and no host, and ends with neither; so an address
 * without a mailbox has to have one. */
static void
put_address(struct buf *b, const struct fact_address *a)
{
	buf_addc(b, '(');
	if (a->name.len == 0)
		buf_add(b, STR("NIL"));
	else
		put_shown(b, a->name);
	/* RFC 5322 4.4: "the route portion SHOULD be ignored" */
	buf_add(b, STR(" NIL "));
	imap_put_nstring(b, a->mailbox.len == 0 && a->host.len > 0
				    ? STR("MISSING_MAILBOX")
				    : a->mailbox);
	buf_addc(b, ' ');
	imap_put_nstring(b, a->host);
	buf_addc(b, ')');
}

static void
put_list(struct buf *b, const struct fact_list *l)
{
	if (l->n == 0) {
		buf_add(b, STR("NIL "));
		return;
	}
	buf_addc(b, '(');
	for (size_t i = 0; i < l->n; i++)
		put_address(b, &l->at[i]);
	buf_add(b, STR(") "));
}

void
imap_put_envelope(struct buf *b, const struct fact_envelope *e)
{
	buf_addc(b, '(');
	put_field(b, e->date);
	buf_addc(b, ' ');
	if (e->subject.ptr == NULL)
		buf_add(b, STR("NIL"));
	else
		put_shown(b, e->subject);
	buf_addc(b, ' ');
	put_list(b, &e->from);
	/* RFC 9051 7.5.2: absent or empty, they are what From is */
	put_list(b, e->sender.n > 0 ? &e->sender : &e->from);
	put_list(b, e->reply_to.n > 0 ? &e->reply_to : &e->from);
	put_list(b, &e->to);
	put_list(b, &e->cc);
	put_list(b, &e->bcc);
	put_field(b, e->in_reply_to);
	buf_addc(b, ' ');
	put_field(b, e->message_id);
	buf_addc(b, ')');
}

/* default_charset: of a text, which has one even if it does not say so. */
static void
put_params(struct buf *b, const struct fact_param *at, size_t n, bool default_charset)
{
	if (n == 0 && !default_charset) {
		buf_add(b, STR("NIL"));
		return;
	}
	buf_addc(b, '(');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ' ');
		default_charset = default_charset && !str_ieq(at[i].name, STR("charset"));
		imap_put_string(b, at[i].name);
		buf_addc(b, ' ');
		imap_put_string(b, at[i].value);
	}
	if (default_charset)
		buf_add(b, n > 0 ? STR(" \"charset\" \"us-ascii\"")
				 : STR("\"charset\" \"us-ascii\""));
	buf_addc(b, ')');
}

static size_t
tag_length(str s)
{
	size_t n = 0;

	while (n < s.len && (unsigned char)s.ptr[n] > ' ' && s.ptr[n] != ',' &&
		s.ptr[n] != '(' && s.ptr[n] != '"')
		n++;
	return n;
}

/* RFC 3282 2: tags with commas between them. */
static void
put_languages(struct buf *b, str value)
{
	str rest = value, tag;
	bool any = false;

	while (str_cut(&rest, ',', &tag)) {
		tag = str_trim(tag);
		tag = str_first(tag, tag_length(tag));
		if (tag.len == 0)
			continue;
		buf_addc(b, any ? ' ' : '(');
		imap_put_string(b, tag);
		any = true;
	}
	buf_add(b, any ? STR(")") : STR("NIL"));
}

/* What BODYSTRUCTURE has of every part behind what is its own. */
static void
put_extension(struct buf *b, const struct fact_part *p)
{
	buf_addc(b, ' ');
	if (p->disposition.len == 0) {
		buf_add(b, STR("NIL"));
	} else {
		buf_addc(b, '(');
		imap_put_string(b, p->disposition);
		buf_addc(b, ' ');
		put_params(b, p->disposition_params, p->ndisposition, false);
		buf_addc(b, ')');
	}
	buf_addc(b, ' ');
	put_languages(b, p->language);
	buf_addc(b, ' ');
	imap_put_nstring(b, p->location);
}

static void
put_fields(struct buf *b, const struct fact_part *p)
{
	if (p->kind == FACT_MESSAGE && str_ieq(p->subtype, STR("rfc822"))) {
		buf_add(b, STR("\"message\" \"rfc822\"")); /* RFC 9051 9: media-message */
	} else {
		imap_put_string(b, p->type);
		buf_addc(b, ' ');
		imap_put_string(b, p->subtype);
	}
	buf_addc(b, ' ');
	put_params(b, p->params, p->nparams, p->text);
	buf_addc(b, ' ');
	imap_put_nstring(b, p->id);
	buf_addc(b, ' ');
	imap_put_nstring(b, p->description);
	buf_addc(b, ' ');
	imap_put_string(b, p->encoding.len > 0 ? p->encoding : STR("7bit"));
	buf_addc(b, ' ');
	buf_addu(b, p->end - p->body_at);
}

static size_t put_part(
	struct buf *b, const struct fact_structure *s, size_t part, bool extended);

static size_t
put_children(struct buf *b, const struct fact_structure *s, size_t part, bool extended)
{
	size_t next = part + 1;

	while (next < s->n && s->parts[next].up == part + 1)
		next = put_part(b, s, next, extended);
	return next;
}

/* The grammar knows no multipart without parts. */
static size_t
put_multipart(struct buf *b, const struct fact_structure *s, size_t part, bool extended)
{
	const struct fact_part *p = &s->parts[part];
	size_t next = put_children(b, s, part, extended);

	if (next == part + 1)
		buf_addf(b,
			"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0%s)",
			extended ? " NIL NIL NIL NIL" : "");
	buf_addc(b, ' ');
	imap_put_string(b, p->subtype);
	if (extended) {
		buf_addc(b, ' ');
		put_params(b, p->params, p->nparams, false);
		put_extension(b, p);
	}
	return next;
}

/* Returns the index of the next part behind it and its children; MIME_DEPTH bounds
 * the recursion. */
static size_t
put_part(struct buf *b, const struct fact_structure *s, size_t part, bool extended)
{
	const struct fact_part *p = &s->parts[part];
	size_t next = part + 1;

	buf_addc(b, '(');
	if (p->kind == FACT_MULTIPART) {
		next = put_multipart(b, s, part, extended);
	} else {
		put_fields(b, p);
		if (p->kind == FACT_MESSAGE) {
			buf_addc(b, ' ');
			imap_put_envelope(b, p->envelope);
			buf_addc(b, ' ');
			next = put_children(b, s, part, extended);
		}
		if (p->kind == FACT_MESSAGE || p->text) {
			buf_addc(b, ' ');
			buf_addu(b, p->body_lines);
		}
		if (extended) {
			buf_addc(b, ' ');
			imap_put_nstring(b, p->md5);
			put_extension(b, p);
		}
	}
	buf_addc(b, ')');
	return next;
}

void
imap_put_structure(
	struct buf *b, const struct fact_structure *s, size_t part, bool extended)
{
	(void)put_part(b, s, part, extended);
}
