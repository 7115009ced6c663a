/* SPDX-License-Identifier: ISC */
/*
 * BODY[…], BINARY[…] and rev1's RFC822 names: sections of a message (RFC 9051 6.4.5, 6.4.5.1).
 *
 * A section that the message does not have is an empty string, as with Dovecot. Of BINARY only
 * leaves are decoded; a multipart, a message, and the whole of one stand in no
 * encoding themselves (RFC 2045 6.4) and are given as they are.
 *
 * The size is announced before the bytes are read: it is the file's, which never changes. Should
 * the disk not give them then, the connection is closed, for nothing that could be said would
 * be taken for anything but the message.
 */
#include "base/fs.h"
#include "base/log.h"
#include "imap/imap_fetch_int.h"
#include "mime/header.h"
#include "wire/head.h"

enum { LOOKED_THROUGH = 1024 * 1024 }; /* for NUL; longer: a binary string in any case */

/* ---- the file ---- */

void
fetch_missing(struct fetch *f)
{
	const struct view_row *r = &f->rows[f->i];
	struct view_row now = { 0 };

	if (r->uid != 0)
		view_rows(f->s->box.view, &r->uid, 1, &now);
	if (now.uid == 0) {
		f->gone++;
		return;
	}
	log_error("msg=\"the file of a message is missing\" account=%llu id=%s",
		(unsigned long long)f->s->account, r->id.text);
	f->corrupt = true;
}

bool
fetch_open(struct fetch *f)
{
	const struct view_row *r = &f->rows[f->i];
	struct err err = { 0 };
	uint64_t size = 0;
	enum rc rc = RC_NONE;

	if (f->fd >= 0)
		return true;
	if (r->uid != 0)
		rc = store_open_message(
			f->s->house->store, f->s->account, &r->id, &f->fd, &err);
	if (rc == RC_OK)
		rc = fs_size(f->fd, &size, &err);
	if (rc == RC_OK && size == r->size)
		return true;
	fs_close(&f->fd);
	if (rc == RC_NONE) {
		fetch_missing(f);
		return false;
	}
	f->corrupt = f->corrupt || rc == RC_OK;
	f->unavailable = f->unavailable || rc != RC_OK;
	log_error(
		"msg=\"the file of a message cannot be read\" account=%llu id=%s why=\"%s\"",
		(unsigned long long)f->s->account, r->id.text,
		rc == RC_OK ? "it has another size" : err.text);
	return false;
}

/* Bytes of the file behind what is in scratch; false: it cannot be read. */
static bool
read_span(struct fetch *f, uint64_t at, uint64_t end)
{
	char piece[FETCH_PIECE];

	while (at < end) {
		size_t n = end - at < sizeof(piece) ? (size_t)(end - at) : sizeof(piece);
		size_t got = 0;
		enum rc rc = fs_pread(f->fd, piece, n, at, &got, NULL);

		if (rc != RC_OK || got == 0) {
			f->unavailable = true;
			return false;
		}
		buf_add(&f->scratch, (str){ piece, got });
		at += got;
	}
	return true;
}

uint32_t
fetch_header_bytes(struct fetch *f)
{
	struct store_texts *t = fetch_texts(f);
	uint64_t at = t->trace_bytes, end = f->rows[f->i].size;
	size_t length = 0, seen = 0;

	if (t->header_bytes > 0 || !fetch_open(f))
		return t->header_bytes;
	end = end - at < FETCH_HEADER ? end : at + FETCH_HEADER;
	buf_clear(&f->scratch);
	while (length == 0 && at < end) {
		uint64_t next = end - at < FETCH_PIECE ? end : at + FETCH_PIECE;

		seen = f->scratch.len;
		if (!read_span(f, at, next))
			return 0;
		at = next;
		length = header_block_length(buf_str(&f->scratch), seen);
	}
	/* without an empty line all of it is header */
	t->header_bytes = (uint32_t)(length > 0 ? length : f->scratch.len);
	return t->header_bytes;
}

/* ---- what is written ---- */

static enum fetch_got
next_section(struct fetch *f)
{
	fetch_decoded_end(f);
	f->section++;
	return FETCH_ON;
}

static const struct imap_section *
section_of(const struct fetch *f)
{
	return &f->want.sections[f->section];
}

static void
put_name(struct fetch *f)
{
	struct buf *b = &f->s->out;
	str *name = &f->names[f->section];
	size_t at;

	fetch_put_blank(f);
	if (name->len > 0) {
		buf_add(b, *name);
		return;
	}
	at = b->len;
	imap_put_section(b, section_of(f));
	buf_addc(b, ' ');
	/* the same for all messages; without room it is made again */
	if (buf_ok(b))
		(void)!arena_copy(f->s->cmd.mem, str_skip(buf_str(b), at), name);
}

static void
put_announcement(struct fetch *f, uint64_t bytes, bool binary)
{
	struct buf *b = &f->s->out;

	put_name(f);
	buf_add(b, binary ? STR("~{") : STR("{"));
	buf_addu(b, bytes);
	buf_add(b, STR("}\r\n"));
}

static enum fetch_got
put_none(struct fetch *f)
{
	put_name(f);
	buf_add(&f->s->out, section_of(f)->binary_size ? STR("0") : STR("\"\""));
	return next_section(f);
}

static enum fetch_got
put_bytes(struct fetch *f, str bytes)
{
	uint64_t first, count;

	imap_section_partial(section_of(f), bytes.len, &first, &count);
	put_announcement(f, count, false);
	buf_add(&f->s->out, str_first(str_skip(bytes, (size_t)first), (size_t)count));
	return next_section(f);
}

/* From now on fetch_sections() sends them. */
static enum fetch_got
put_file(struct fetch *f, int fd, uint64_t at, uint64_t count, bool binary)
{
	put_announcement(f, count, binary);
	f->source = (struct fetch_source){ .fd = fd, .at = at, .left = count };
	f->sending = true;
	return FETCH_ON;
}

static enum fetch_got
send_some(struct fetch *f)
{
	char piece[FETCH_PIECE];
	struct fetch_source *x = &f->source;

	while (x->left > 0 && !imap_full(f->s)) {
		size_t n = x->left < sizeof(piece) ? (size_t)x->left : sizeof(piece);
		size_t got = 0;
		struct err err = { 0 };
		enum rc rc = fs_pread(x->fd, piece, n, x->at, &got, &err);

		if (rc != RC_OK || got == 0) {
			log_error(
				"msg=\"a message cannot be read\" account=%llu id=%s why=\"%s\"",
				(unsigned long long)f->s->account, f->rows[f->i].id.text,
				rc == RC_OK ? "it has become shorter" : err.text);
			f->s->out.over = true; /* the session ends */
			return FETCH_ON;
		}
		buf_add(&f->s->out, (str){ piece, got });
		x->at += got;
		x->left -= got;
	}
	if (x->left > 0)
		return FETCH_ON;
	f->sending = false;
	return next_section(f);
}

/* ---- header fields ---- */

/* Fields of the trace block are in no index. */
static bool
is_trace_field(str name)
{
	static const str names[] = { STR_INIT("Return-Path"), STR_INIT("Received"),
		STR_INIT("Authentication-Results") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_ieq(name, names[i]))
			return true;
	return str_istarts(name, STR("X-Gatepost-"));
}

static bool
fields_of_index(struct fetch *f, const struct imap_section *x)
{
	const struct store_texts *t = fetch_texts(f);
	bool not = x->kind == SECTION_FIELDS_NOT;

	if (x->depth > 0 || !t->known_head || (not &&t->trace_bytes > 0))
		return false;
	/* perhaps without an empty line: the file knows */
	if (t->trace_bytes + fetch_header_bytes(f) >= f->rows[f->i].size)
		return false;
	for (size_t i = 0; i < x->nfields && t->trace_bytes > 0; i++)
		if (is_trace_field(x->fields[i]))
			return false;
	return head_put(&f->scratch, t->head, x->fields, x->nfields, not );
}

static void
layout(struct fetch *f, struct imap_layout *l)
{
	const struct imap_section *x = section_of(f);
	bool header = x->depth == 0 && x->kind != SECTION_ALL;

	*l = (struct imap_layout){ .size = f->rows[f->i].size,
		.trace = f->needs_texts ? fetch_texts(f)->trace_bytes : 0,
		.header = header ? fetch_header_bytes(f) : 0,
		.structure = &f->structure };
}

static bool
ends_with_empty_line(str block)
{
	str last = str_skip(block, block.len < 3 ? 0 : block.len - 3);

	return str_eq(block, STR("\r\n")) || str_eq(last, STR("\n\r\n"));
}

static enum fetch_got
put_fields(struct fetch *f, const struct imap_section *x)
{
	struct imap_layout l;
	struct imap_span span;

	buf_clear(&f->scratch);
	if (fields_of_index(f, x))
		return put_bytes(f, buf_str(&f->scratch));
	if (!fetch_open(f))
		return next_section(f);
	layout(f, &l);
	if (!imap_section_span(&l, x, &span))
		return put_none(f);
	/* what stands behind the first MiB of a header nobody reads */
	bool whole = span.end - span.at <= FETCH_HEADER;
	if (!whole)
		span.end = span.at + FETCH_HEADER;
	buf_clear(&f->scratch);
	if (!read_span(f, span.at, span.end))
		return next_section(f);
	BUF_AUTO fields = BUF(FETCH_HEADER + 2);
	head_put_block(&fields, buf_str(&f->scratch), x->fields, x->nfields,
		x->kind == SECTION_FIELDS_NOT);
	/* RFC 9051 6.4.5.1: "in the case of a message that has no body and no blank line" */
	if (whole && !ends_with_empty_line(buf_str(&f->scratch)))
		fields.len -= 2;
	return put_bytes(f, buf_str(&fields));
}

/* ---- bodies ---- */

static bool
is_identity(str encoding)
{
	return encoding.len == 0 || str_ieq(encoding, STR("7bit")) ||
	       str_ieq(encoding, STR("8bit")) || str_ieq(encoding, STR("binary"));
}

/* RFC 9051 4.3.1: a string with NUL is a binary one. */
static bool
has_nul(int fd, uint64_t at, uint64_t count)
{
	char piece[FETCH_PIECE];

	if (count > LOOKED_THROUGH)
		return true;
	while (count > 0) {
		size_t n = count < sizeof(piece) ? (size_t)count : sizeof(piece), got = 0;

		if (fs_pread(fd, piece, n, at, &got, NULL) != RC_OK || got == 0 ||
			memchr(piece, '\0', got) != NULL)
			return true;
		at += got;
		count -= got;
	}
	return false;
}

static enum fetch_got
put_span(struct fetch *f, int fd, uint64_t at, uint64_t bytes)
{
	const struct imap_section *x = section_of(f);
	uint64_t first, count;

	if (x->binary_size) {
		put_name(f);
		buf_addu(&f->s->out, bytes);
		return next_section(f);
	}
	imap_section_partial(x, bytes, &first, &count);
	return put_file(
		f, fd, at + first, count, x->binary && has_nul(fd, at + first, count));
}

static enum fetch_got
put_decoded(struct fetch *f, const struct imap_span *span)
{
	f->decode_at = span->at;
	f->decode_end = span->end;
	f->decode_encoding = span->part->encoding;
	if (fetch_decode(f) == FETCH_WAIT)
		return FETCH_WAIT;
	if (f->decode_rc == RC_OK)
		return put_span(f, f->decode_fd, 0, f->decode_size);
	if (f->decode_rc == RC_NONE)
		f->unknown_cte = true;
	else
		f->unavailable = true;
	return next_section(f);
}

static enum fetch_got
put_section(struct fetch *f)
{
	const struct imap_section *x = section_of(f);
	struct imap_layout l;
	struct imap_span span;

	if (x->depth > 0 && !fetch_structure(f))
		return next_section(f);
	if (x->kind == SECTION_FIELDS || x->kind == SECTION_FIELDS_NOT)
		return put_fields(f, x);
	if (!fetch_open(f))
		return next_section(f);
	layout(f, &l);
	if (!imap_section_span(&l, x, &span))
		return put_none(f);
	if ((x->binary || x->binary_size) && span.part != NULL &&
		span.part->kind == FACT_LEAF && !is_identity(span.part->encoding))
		return put_decoded(f, &span);
	return put_span(f, f->fd, span.at, span.end - span.at);
}

enum fetch_got
fetch_sections(struct fetch *f)
{
	if (f->sending)
		return send_some(f);
	if (f->section < f->want.nsections)
		return put_section(f);
	fetch_end_row(f);
	return FETCH_ON;
}
