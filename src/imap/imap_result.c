/* SPDX-License-Identifier: ISC */
#include "imap/imap_result.h"

#include <inttypes.h>

static size_t
within(uint64_t at, size_t n)
{
	return at < n ? (size_t)at : n;
}

/* PARTIAL 1:3 is the first three, -1:-3 the last, in either order (RFC 9394 4). */
static struct result_part
partial(int64_t a, int64_t b, size_t n)
{
	uint64_t x = (uint64_t)(a < 0 ? -a : a), y = (uint64_t)(b < 0 ? -b : b);
	size_t near = within((x < y ? x : y) - 1, n), far = within(x < y ? y : x, n);

	if (a < 0)
		return (struct result_part){ .from = n - far, .to = n - near };
	return (struct result_part){ .from = near, .to = far };
}

struct result_part
result_chosen(unsigned wants, int64_t partial_from, int64_t partial_to, size_t n)
{
	const unsigned some = RETURN_MIN | RETURN_MAX | RETURN_PARTIAL;
	struct result_part part = { 0 };

	if ((wants & (RETURN_ALL | RETURN_COUNT)) != 0 || (wants & some) == 0)
		return (struct result_part){ .to = n };
	if ((wants & RETURN_PARTIAL) != 0)
		part = partial(partial_from, partial_to, n);
	part.min = (wants & RETURN_MIN) != 0 && n > 0;
	part.max = (wants & RETURN_MAX) != 0 && n > 0;
	return part;
}

/* ---- writing ---- */

void
result_number(struct buf *b, uint32_t n)
{
	char digits[10];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(b, (str){ digits + at, sizeof(digits) - at });
}

/* Numbers [r->at, to) as "1:3,5"; false: there are more. */
static bool
put_set(struct result *r, struct buf *b, size_t from, size_t to, size_t enough)
{
	const uint32_t *n = r->numbers;

	if (r->at < from)
		r->at = from;
	while (r->at < to && b->len < enough) {
		size_t first = r->at++;

		/* a range counts upwards (RFC 5267 3.2) */
		while (r->at < to && n[r->at - 1] < UINT32_MAX &&
			n[r->at] == n[r->at - 1] + 1)
			r->at++;
		if (first > from)
			buf_addc(b, ',');
		result_number(b, n[first]);
		if (r->at - first > 1) {
			buf_addc(b, ':');
			result_number(b, n[r->at - 1]);
		}
	}
	return r->at >= to;
}

static bool
put_list(struct result *r, struct buf *b, size_t enough)
{
	while (r->at < r->n && b->len < enough) {
		buf_addc(b, ' ');
		result_number(b, r->numbers[r->at++]);
	}
	return r->at == r->n;
}

static uint64_t
highest(const struct result *r)
{
	struct result_part p = result_chosen(
		r->wants, r->partial_from, r->partial_to, r->n);
	uint64_t most = 0;

	for (size_t i = p.from; i < p.to; i++)
		most = r->modseqs[i] > most ? r->modseqs[i] : most;
	if (p.min && r->modseqs[0] > most)
		most = r->modseqs[0];
	if (p.max && r->modseqs[r->n - 1] > most)
		most = r->modseqs[r->n - 1];
	return most;
}

static void
put_modseq(struct result *r, struct buf *b, const char *before, const char *behind)
{
	uint64_t modseq = r->modseqs == NULL ? 0 : highest(r);

	/* none of nothing: RFC 7162 3.1.6 */
	if (modseq > 0)
		buf_addf(b, "%sMODSEQ %" PRIu64 "%s", before, modseq, behind);
}

static void
put_beginning(struct result *r, struct buf *b)
{
	buf_addf(b, "* ESEARCH (TAG \"" STR_FMT "\")", STR_ARG(r->tag));
	if (r->uid)
		buf_addz(b, " UID");
	if ((r->wants & RETURN_MIN) != 0 && r->n > 0)
		buf_addf(b, " MIN %" PRIu32, r->numbers[0]);
	if ((r->wants & RETURN_MAX) != 0 && r->n > 0)
		buf_addf(b, " MAX %" PRIu32, r->numbers[r->n - 1]);
	if ((r->wants & RETURN_COUNT) != 0)
		buf_addf(b, " COUNT %zu", r->n);
	if ((r->wants & RETURN_ALL) != 0 && r->n > 0)
		buf_addz(b, " ALL ");
	if ((r->wants & RETURN_PARTIAL) != 0)
		buf_addf(b, " PARTIAL (%" PRId64 ":%" PRId64 " ", r->partial_from,
			r->partial_to);
}

static bool
put_numbers(struct result *r, struct buf *b, size_t enough)
{
	struct result_part p = { .to = r->n };

	if ((r->wants & RETURN_PARTIAL) != 0) {
		p = partial(r->partial_from, r->partial_to, r->n);
		if (p.from == p.to) {
			buf_addz(b, "NIL)");
			return true;
		}
	} else if ((r->wants & RETURN_ALL) == 0) {
		return true;
	}
	if (!put_set(r, b, p.from, p.to, enough))
		return false;
	if ((r->wants & RETURN_PARTIAL) != 0)
		buf_addc(b, ')');
	return true;
}

static bool
put_esearch(struct result *r, struct buf *b, size_t enough)
{
	if (r->stage == 0) {
		if (r->wants == RETURN_SAVE) /* RFC 5182 1 */
			return true;
		put_beginning(r, b);
		r->stage = 1;
	}
	if (!put_numbers(r, b, enough))
		return false;
	put_modseq(r, b, " ", "");
	buf_addz(b, "\r\n");
	return true;
}

bool
result_put(struct result *r, struct buf *b, size_t enough)
{
	if (r->form == RESULT_ESEARCH)
		return put_esearch(r, b, enough);
	if (r->stage == 0)
		buf_addz(b, r->form == RESULT_SORT ? "* SORT" : "* SEARCH");
	r->stage = 1;
	if (!put_list(r, b, enough))
		return false;
	r->wants = RETURN_ALL;
	put_modseq(r, b, " (", ")");
	buf_addz(b, "\r\n");
	return true;
}
