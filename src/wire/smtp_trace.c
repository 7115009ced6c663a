/* SPDX-License-Identifier: ISC */
#include "wire/smtp_trace.h"

#include "base/clock.h"
#include "wire/smtp_path.h"

enum {
	LINE_MOST = 78, /* RFC 5322 2.1.1 */
	PAD_LEAST = 19, /* "X-Gatepost-Pad: ." and CRLF */
	SCORE_LEAST = 40, /* X-Gatepost-Score with the figure alone */
	HELO_MOST = 100,
};

static const char pad_name[] = "X-Gatepost-Pad: ";
static const char dots[] =
	"..............................................................";

/* What a client called itself, in a place where only a domain may stand. */
static void
put_helo(struct buf *b, str helo)
{
	str name = str_first(helo, HELO_MOST);

	if (name.len == 0) {
		buf_add(b, STR("unknown"));
		return;
	}
	bool whole = smtp_is_domain(name);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool plain = (c >= '0' && c <= '9') ||
			     ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
			     c == '.' || c == '_';

		buf_addc(b, plain || (whole && (unsigned char)c < 0x80) ? c : '?');
	}
}

/* RFC 3848, RFC 6531 4.3 */
static const char *
protocol(const struct smtp_trace *t)
{
	bool tls = t->tls_version.len > 0;

	if (t->utf8)
		return tls ? "UTF8SMTPS" : "UTF8SMTP";
	if (!t->esmtp)
		return "SMTP";
	return tls ? "ESMTPS" : "ESMTP";
}

static void
put_received(struct buf *b, const struct smtp_trace *t, bool cipher, bool rcpt)
{
	char ip[IP_TEXT], date[CLOCK_TEXT + 8];

	ip_text(&t->client, ip);
	clock_mail_date(t->wall_ms, date);
	buf_add(b, STR("Received: from "));
	put_helo(b, t->helo);
	/* RFC 5321 4.1.3 */
	buf_addf(b, " ([%s%s])\r\n\tby ", t->client.family == 6 ? "IPv6:" : "", ip);
	buf_add(b, t->hostname);
	buf_addf(b, " (Gatepost) with %s\r\n\tid ", protocol(t));
	buf_add(b, t->id);
	if (cipher && t->tls_version.len > 0)
		buf_addf(b, "\r\n\t(" STR_FMT " " STR_FMT ")", STR_ARG(t->tls_version),
			STR_ARG(t->tls_cipher));
	if (rcpt && t->rcpt.len > 0)
		buf_addf(b, "\r\n\tfor <" STR_FMT ">", STR_ARG(t->rcpt));
	buf_addf(b, ";\r\n\t%s\r\n", date);
}

/* The names go on new lines where a line would be long; those that do not fit
 * at all stay away. */
static void
put_score(struct buf *b, const struct smtp_trace *t, size_t room)
{
	str left = t->findings, word;
	size_t begin = b->len, line = b->len;
	int32_t s = t->score;
	unsigned whole = s < 0 ? 0u - (unsigned)s : (unsigned)s;

	buf_addf(b, "X-Gatepost-Score: %s%u.%03u", s < 0 ? "-" : "", whole / 1000,
		whole % 1000);
	while (str_cut(&left, ' ', &word)) {
		if (word.len == 0 || b->len - begin + word.len + 6 > room)
			continue;
		bool fold = b->len - line + 1 + word.len > LINE_MOST;

		buf_addz(b, fold ? "\r\n\t" : " ");
		if (fold)
			line = b->len - 1;
		for (size_t i = 0; i < word.len; i++) {
			char c = word.ptr[i];

			buf_addc(b, c > ' ' && c < 0x7f ? c : '?');
		}
	}
	buf_add(b, STR("\r\n"));
}

/* left is 0 or at least PAD_LEAST, and stays so. */
static void
put_pad(struct buf *b, size_t left)
{
	while (left > 0) {
		size_t n = left < LINE_MOST + 2 ? left : LINE_MOST + 2;

		if (left - n > 0 && left - n < PAD_LEAST)
			n = left - PAD_LEAST;
		buf_addz(b, pad_name);
		buf_add(b, (str){ dots, n - 2 - (sizeof(pad_name) - 1) });
		buf_add(b, STR("\r\n"));
		left -= n;
	}
}

void
smtp_trace_block(const struct smtp_trace *t, char out[TRACE_BLOCK])
{
	static const struct {
		bool cipher, rcpt;
	} tries[] = { { true, true }, { true, false }, { false, false } };
	size_t most = TRACE_BLOCK - PAD_LEAST - (t->has_score ? SCORE_LEAST : 0);
	BUF_AUTO b = BUF(4 * TRACE_BLOCK);

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		buf_clear(&b);
		buf_add(&b, STR("Return-Path: <"));
		buf_add(&b, str_first(t->from, SMTP_PATH_MOST));
		buf_add(&b, STR(">\r\n"));
		put_received(&b, t, tries[i].cipher, tries[i].rcpt);
		if (b.len <= most)
			break;
	}
	if (b.len > most)
		abort(); /* its longest parts are limited: see the test */
	if (t->has_score)
		put_score(&b, t, TRACE_BLOCK - PAD_LEAST - b.len);
	put_pad(&b, TRACE_BLOCK - b.len);
	memcpy(out, b.data, TRACE_BLOCK);
}
