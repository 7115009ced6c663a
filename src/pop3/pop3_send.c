/* SPDX-License-Identifier: ISC */
/*
 * Long answers.  A message goes out as it lies there, piece by piece: lines that end
 * in LF alone get a CR, and a dot in front gets a second one (RFC 1939 3).
 */
#include <inttypes.h>

#include "base/fs.h"
#include "base/log.h"
#include "pop3/pop3_int.h"

/* ---- lists ---- */

void
pop3_put_size(const struct pop3_session *s, size_t at, struct buf *b)
{
	buf_addf(b, "%zu %" PRIu64 "\r\n", at + 1, s->drop.mails[at].size);
}

/* RFC 1939 7: the UID of IMAP and what makes it unique for ever, since one message
 * may be in INBOX twice. */
void
pop3_put_uidl(const struct pop3_session *s, size_t at, struct buf *b)
{
	buf_addf(b, "%zu %u.%u\r\n", at + 1, s->drop.uidvalidity, s->drop.mails[at].uid);
}

static bool
more_lines(struct pop3_session *s, struct buf *b,
	void (*put)(const struct pop3_session *, size_t, struct buf *))
{
	struct pop3_send *o = &s->send;

	for (; o->at < s->drop.n; o->at++) {
		if ((s->drop.mails[o->at].marks & POP3_DELETED) != 0)
			continue;
		if (b->len > POP3_PIECE)
			return true;
		put(s, o->at, b);
	}
	buf_addz(b, ".\r\n");
	return false;
}

bool
pop3_more_sizes(struct pop3_session *s, struct buf *b)
{
	return more_lines(s, b, pop3_put_size);
}

bool
pop3_more_uidls(struct pop3_session *s, struct buf *b)
{
	return more_lines(s, b, pop3_put_uidl);
}

void
pop3_send_list(struct pop3_session *s, pop3_more *more)
{
	s->send = (struct pop3_send){ .more = more, .fd = -1 };
}

/* ---- a message ---- */

/* A part of a line, without its LF. */
static void
put_span(struct pop3_send *o, str span, struct buf *b)
{
	if (str_empty(span))
		return;
	if (!o->mid_line && span.ptr[0] == '.')
		buf_addc(b, '.');
	buf_add(b, span);
	o->only_cr = !o->mid_line && span.len == 1 && span.ptr[0] == '\r';
	o->after_cr = span.ptr[span.len - 1] == '\r';
	o->mid_line = true;
}

/* False: TOP has shown what was asked for. */
static bool
end_line(struct pop3_send *o, struct buf *b)
{
	bool blank = !o->mid_line || o->only_cr, first = false;

	buf_addz(b, o->after_cr ? "\n" : "\r\n");
	o->mid_line = o->after_cr = o->only_cr = false;
	if (!o->body && blank)
		first = o->body = true;
	if (!o->top || !o->body)
		return true;
	if (!first)
		o->lines--;
	return o->lines > 0;
}

static void
put_end(struct pop3_send *o, struct buf *b)
{
	if (o->mid_line)
		buf_addz(b, o->after_cr ? "\n" : "\r\n");
	buf_addz(b, ".\r\n");
}

static bool
put_piece(struct pop3_send *o, str piece, struct buf *b)
{
	while (!str_empty(piece)) {
		const char *lf = memchr(piece.ptr, '\n', piece.len);

		if (lf == NULL) {
			put_span(o, piece, b);
			return true;
		}
		put_span(o, str_first(piece, (size_t)(lf - piece.ptr)), b);
		piece = str_skip(piece, (size_t)(lf - piece.ptr) + 1);
		if (!end_line(o, b))
			return false;
	}
	return true;
}

static bool
more_message(struct pop3_session *s, struct buf *b)
{
	struct pop3_send *o = &s->send;
	char piece[POP3_PIECE];
	struct err err = { 0 };
	size_t got;

	if (fs_pread(o->fd, piece, sizeof(piece), o->offset, &got, &err) != RC_OK) {
		log_error("msg=\"a message could not be read\" account=%" PRIu64
			  " why=\"%s\"",
			s->account, err.text);
		o->failed = true;
		return false;
	}
	o->offset += got;
	if (put_piece(o, (str){ piece, got }, b) && got == sizeof(piece))
		return true;
	put_end(o, b);
	if (!o->top) {
		s->drop.mails[o->at].marks |= POP3_READ;
		s->retrieved++;
	}
	return false;
}

enum rc
pop3_send_message(
	struct pop3_session *s, size_t at, bool top, uint64_t lines, struct err *err)
{
	struct view_row row = { 0 };
	int fd = -1;
	enum rc rc;

	view_rows(s->drop.view, &s->drop.mails[at].uid, 1, &row);
	if (row.uid == 0)
		return err_set(err, RC_NONE, "it is gone");
	rc = store_open_message(s->house->store, s->account, &row.id, &fd, err);
	if (rc != RC_OK)
		return rc;
	s->send = (struct pop3_send){
		.more = more_message, .at = at, .fd = fd, .top = top, .lines = lines
	};
	return RC_OK;
}

void
pop3_send_end(struct pop3_session *s)
{
	if (s->send.more != NULL)
		fs_close(&s->send.fd);
	s->send = (struct pop3_send){ .fd = -1 };
}
