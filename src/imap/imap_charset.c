/* SPDX-License-Identifier: ISC */
/* SEARCH in other charsets: the texts become UTF-8, which is what they are compared in. */
#include "base/clock.h"
#include "imap/imap_query.h"
#include "mime/charset.h"
#include "mime/utf8.h"

static const char known[] = "BADCHARSET (US-ASCII UTF-8)";

static bool
all_valid(struct query *q, bool ascii)
{
	size_t at = 0;
	const str *text;

	while ((text = match_text(q->match, &at)) != NULL)
		if (ascii ? str_has_8bit(*text) : !utf8_valid(*text))
			return false;
	return true;
}

static void
convert(void *arg)
{
	struct query *q = arg;
	const struct imap_session *s = q->session;
	uint64_t until = clock_ms() + s->conf->limits.scanner_timeout;
	size_t at = 0;
	str *text, utf8;

	while (q->rc == RC_OK && (text = match_text(q->match, &at)) != NULL) {
		q->rc = s->house->scanners == NULL
				? err_set(&q->err, RC_TEMP, "there is no scanner")
				: scan_convert(s->house->scanners, q->is.charset, *text,
					  until, q->mem, &utf8, &q->err);
		if (q->rc == RC_OK)
			*text = utf8;
	}
}

static enum query_did
converted(struct imap_session *s, struct query *q)
{
	if (q->rc == RC_NONE)
		return query_no(s, q, known, "that charset is not known here");
	if (q->rc != RC_OK)
		return query_failed(s, q, q->rc, &q->err);
	q->step = q->after_charset;
	return QUERY_GO;
}

static enum query_did
ask(struct imap_session *s, struct query *q)
{
	return query_away(s, q, convert, converted);
}

/* None named: UTF-8 (RFC 9051 6.4.4; what IMAP4rev1 leaves open). */
enum query_did
query_charset(struct imap_session *s, struct query *q, query_step *then)
{
	str name = q->is.charset;
	bool ascii = str_ieq(name, STR("US-ASCII"));
	size_t at = 0;

	q->after_charset = then;
	q->step = then;
	/* RFC 6855 3; but SORT and THREAD must name one (RFC 5256 3) */
	if ((s->enabled & ENABLED_UTF8) != 0 && name.len > 0 &&
		s->cmd.is->run == cmd_search) {
		(void)imap_badz(s, "no CHARSET after ENABLE UTF8=ACCEPT");
		return QUERY_DONE;
	}
	if (ascii || name.len == 0 || str_ieq(name, STR("UTF-8"))) {
		if (all_valid(q, ascii))
			return QUERY_GO;
		(void)imap_badz(s, "a text is not in its charset");
		return QUERY_DONE;
	}
	if ((s->enabled & ENABLED_UTF8) != 0) { /* RFC 6855 3 */
		(void)imap_badz(s, "texts are UTF-8 after ENABLE UTF8=ACCEPT");
		return QUERY_DONE;
	}
	if (!charset_known(name))
		return query_no(s, q, known, "that charset is not known here");
	if (match_text(q->match, &at) != NULL)
		q->step = ask;
	return QUERY_GO;
}
