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

/* --- adding to a block --- */

enum { LINES = 64 };

struct lines {
	size_t n, len; /* len: of all, with their ends */
	str at[LINES]; /* without */
};

static bool
is_pad(str line)
{
	return str_starts(line, (str){ pad_name, sizeof(pad_name) - 2 });
}

/* False: not whole fields, or more than a block of ours can have. */
static bool
split(str block, struct lines *l)
{
	bool first = true;

	*l = (struct lines){ .n = 0 };
	for (; block.len > 0; first = false) {
		size_t n = str_find(block, STR("\r\n"));
		str line = str_first(block, n);

		if (n == 0 || n >= block.len || l->n == LINES ||
			(first && line.ptr[0] == '\t'))
			return false;
		if (!is_pad(line)) {
			l->at[l->n++] = line;
			l->len += n + 2;
		}
		block = str_skip(block, n + 2);
	}
	return l->n > 0 && str_starts(l->at[0], STR("Return-Path: "));
}

/* Findings from the last one on; the figure stays. */
static void
shorten_score(struct lines *l, size_t most)
{
	static const char name[] = "X-Gatepost-Score: ";
	size_t at = 0;

	while (at < l->n && !str_starts(l->at[at], STR("X-Gatepost-Score: ")))
		at++;
	while (at < l->n && l->len > most) {
		str *line = &l->at[l->n - 1];
		size_t cut = line->len;

		while (cut > 0 && line->ptr[cut - 1] != ' ' && line->ptr[cut - 1] != '\t')
			cut--;
		if (l->n - 1 == at &&
			cut < sizeof(name)) /* the figure is the last word */
			return;
		if (cut <= 1) { /* a line that was folded for this word alone */
			l->len -= line->len + 2;
			l->n--;
		} else {
			l->len -= line->len - (cut - 1);
			line->len = cut - 1;
		}
	}
}

static void
drop_line(struct lines *l, size_t i)
{
	l->len -= l->at[i].len + 2;
	l->n--;
	for (; i < l->n; i++)
		l->at[i] = l->at[i + 1];
}

/* Cipher and `for`; the semicolon before the date goes to the line before them. */
static void
shorten_received(struct lines *l, bool *semicolon_after, size_t *after)
{
	for (size_t i = 1; i < l->n;) {
		str line = l->at[i];

		if (!str_starts(line, STR("\t(")) && !str_starts(line, STR("\tfor <"))) {
			i++;
			continue;
		}
		if (line.ptr[line.len - 1] == ';') {
			*semicolon_after = true;
			*after = i - 1;
			l->len++;
		}
		drop_line(l, i);
	}
}

bool
smtp_trace_add(char block[TRACE_BLOCK], str field)
{
	size_t most = TRACE_BLOCK - PAD_LEAST - 2 - field.len, after = 0;
	BUF_AUTO b = BUF(2 * TRACE_BLOCK);
	bool semicolon = false;
	struct lines l;

	if (field.len > SMTP_TRACE_FIELD || !split((str){ block, TRACE_BLOCK }, &l))
		return false;
	if (l.len > most)
		shorten_score(&l, most);
	if (l.len > most)
		shorten_received(&l, &semicolon, &after);
	if (l.len > most)
		return false;
	for (size_t i = 0; i < l.n; i++) {
		buf_add(&b, l.at[i]);
		if (semicolon && i == after)
			buf_addc(&b, ';');
		buf_add(&b, STR("\r\n"));
	}
	buf_add(&b, field);
	buf_add(&b, STR("\r\n"));
	put_pad(&b, TRACE_BLOCK - b.len);
	memcpy(block, b.data, TRACE_BLOCK);
	return true;
}

bool
smtp_trace_forged(str bytes, size_t *letter)
{
	if (bytes.len == 0 || (bytes.ptr[0] != '\n' && bytes.ptr[0] != '\r'))
		return false;
	str name = str_skip(bytes, 1);
	bool ours = str_istarts(name, STR("x-gatepost-"));
	*letter = ours ? 2 : 0;
	return ours || str_istarts(name, STR("authentication-results"));
}
