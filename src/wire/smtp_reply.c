/* SPDX-License-Identifier: ISC */
#include "wire/smtp_reply.h"

static void
put_clean(struct buf *b, str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		buf_addc(b, c >= ' ' && c < 0x7f ? c : '?');
	}
}

/* Room for the text of a line of which `used` octets are taken. */
static size_t
room(size_t used)
{
	return used + 2 < SMTP_REPLY_MOST ? SMTP_REPLY_MOST - 2 - used : 0;
}

void
smtp_put_reply(struct buf *b, unsigned code, const char *esc, str text)
{
	size_t begin = b->len;

	buf_addf(b, "%03u ", code);
	if (esc != NULL)
		buf_addf(b, "%s ", esc);
	put_clean(b, str_first(text, room(b->len - begin)));
	buf_add(b, STR("\r\n"));
}

void
smtp_put_line(struct buf *b, unsigned code, bool last, str text)
{
	size_t begin = b->len;

	buf_addf(b, "%03u%c", code, last ? ' ' : '-');
	put_clean(b, str_first(text, room(b->len - begin)));
	buf_add(b, STR("\r\n"));
}

void
smtp_put_refusal(
	struct buf *b, unsigned code, const char *esc, str link, str reason, str id)
{
	size_t begin = b->len;

	buf_addf(b, "%03u %s ", code, esc);
	put_clean(b, link);
	if (link.len > 0)
		buf_addc(b, ' ');
	put_clean(b, str_first(reason, room(b->len - begin + id.len + 3)));
	buf_add(b, STR(" ("));
	put_clean(b, id);
	buf_add(b, STR(")\r\n"));
}
