/* SPDX-License-Identifier: ISC */
#include "wire/smtp_data.h"

static const str crlf = STR_INIT("\r\n");

/* Nothing was written for the CR yet; it turned out to be alone. */
static str
bare_cr(struct smtp_data *d)
{
	d->bare_cr = true;
	d->at = SMTP_AT_TEXT;
	return d->normalize ? crlf : STR("\r");
}

static str
text(struct smtp_data *d, str *in)
{
	str s = *in;
	size_t n = 0;

	for (; n < s.len && s.ptr[n] != '\r' && s.ptr[n] != '\n'; n++)
		if (s.ptr[n] == '\0')
			d->nul = true;
	if (n > 0) {
		*in = str_skip(s, n);
		return str_first(s, n);
	}
	*in = str_skip(s, 1);
	if (s.ptr[0] == '\r') {
		d->at = SMTP_AT_CR;
		return STR("");
	}
	d->bare_lf = true; /* and what follows is no new line */
	return d->normalize ? crlf : STR("\n");
}

bool
smtp_data_next(struct smtp_data *d, str *in, str *out)
{
	if (in->len == 0 || d->done)
		return false;
	char c = in->ptr[0];

	*out = STR("");
	switch (d->at) {
	case SMTP_AT_BEGIN:
		d->at = SMTP_AT_TEXT;
		if (c == '.' && d->mode == SMTP_DATA_DOTS) {
			d->at = SMTP_AT_DOT;
			*in = str_skip(*in, 1);
			break;
		}
		*out = text(d, in);
		break;
	case SMTP_AT_TEXT:
		*out = text(d, in);
		break;
	case SMTP_AT_CR:
		if (c != '\n') {
			*out = bare_cr(d); /* c is looked at again, as text */
			break;
		}
		d->at = SMTP_AT_BEGIN;
		*in = str_skip(*in, 1);
		*out = crlf;
		break;
	case SMTP_AT_DOT:
		d->at = SMTP_AT_TEXT;
		if (c == '\r') {
			d->at = SMTP_AT_DOT_CR;
			*in = str_skip(*in, 1);
		}
		break; /* the dot is gone: it was there for us alone */
	case SMTP_AT_DOT_CR:
		if (c != '\n') {
			*out = bare_cr(d);
			break;
		}
		d->done = true;
		*in = str_skip(*in, 1);
		break;
	}
	return true;
}

str
smtp_data_end(struct smtp_data *d)
{
	return d->at == SMTP_AT_CR ? bare_cr(d) : STR("");
}
