/* SPDX-License-Identifier: ISC */
/*
 * Tables out of glibc's iconv, at the start.  Strangers' bytes never reach iconv:
 * its modules have had holes, keep states, and know how to load more of themselves.
 */
#include <assert.h>
#include <errno.h>
#include <iconv.h>

#include "mime/mime_int.h"

/* The (first) character of n bytes; CHAR_LEAD: more are needed. */
static uint32_t
ask(iconv_t h, const uint8_t *bytes, size_t n)
{
	char in[4], *from = in;
	uint32_t out[4] = { 0 };
	char *to = (char *)out;
	size_t left = n, room = sizeof(out);

	memcpy(in, bytes, n);
	(void)iconv(h, NULL, NULL, NULL, NULL);
	size_t rc = iconv(h, &from, &left, &to, &room);

	if (rc == (size_t)-1 && errno == EINVAL)
		return CHAR_LEAD;
	if (rc != 0 || left != 0)
		return CHAR_NONE;
	(void)iconv(h, NULL, NULL, &to, &room); /* what is kept for a combination */
	return room == sizeof(out) ? CHAR_NONE : out[0];
}

static void *
zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort();
	return p;
}

static struct single_table *
read_single(iconv_t h)
{
	struct single_table *t = zeroed(sizeof(*t));

	for (unsigned c = 0; c < 256; c++) {
		uint32_t u = ask(h, &(uint8_t){ (uint8_t)c }, 1);

		t->at[c] = u < CHAR_LEAD ? (uint16_t)u : CHAR_NONE;
	}
	return t;
}

/* The pairs behind `before` (8f in EUC-JP; or 0: none). */
static struct double_table *
read_double(iconv_t h, uint8_t before)
{
	struct double_table *t = zeroed(sizeof(*t));
	size_t more = before != 0;
	uint8_t b[3] = { before };

	for (unsigned c = 0; c < 256; c++) {
		b[more] = (uint8_t)c;
		uint32_t u = ask(h, b, more + 1);

		t->single[c] = u <= CHAR_LEAD ? (uint16_t)u : CHAR_NONE;
	}
	for (unsigned l = 0; l < PAIR_LEADS; l++)
		for (unsigned k = 0; k < PAIR_TRAILS; k++) {
			b[more] = (uint8_t)(PAIR_LEAD + l);
			b[more + 1] = (uint8_t)(PAIR_TRAIL + k);
			uint32_t u = t->single[b[more]] == CHAR_LEAD ? ask(h, b, more + 2)
								     : CHAR_NONE;

			if (u >> 16 == 2)
				t->plane2[l][k / 8] |= (uint8_t)(1u << k % 8);
			else if (u >= CHAR_LEAD)
				u = CHAR_NONE;
			t->pair[l][k] = (uint16_t)u;
		}
	return t;
}

static void
read_gb(struct charsets *c, iconv_t h)
{
	uint32_t before = 0;

	for (uint32_t n = 0; n < 39420; n++) {
		uint8_t b[4] = { (uint8_t)(0x81 + n / 12600),
			(uint8_t)(0x30 + n / 1260 % 10), (uint8_t)(0x81 + n / 10 % 126),
			(uint8_t)(0x30 + n % 10) };
		uint32_t u = ask(h, b, 4);

		if (u == before + 1 && u != CHAR_LEAD) {
			before = u;
			continue;
		}
		before = u;
		if (c->ngb == GB_RUNS)
			return;
		c->gb[c->ngb++] = (struct gb_run){ .linear = n, .c = u };
	}
}

static void
fill_row(struct charsets *c, size_t i)
{
	const struct charset_row *row = &charset_rows[i];
	iconv_t h;

	if (row->iconv == NULL)
		return;
	h = iconv_open("WCHAR_T", row->iconv);
	if (h == (iconv_t)-1)
		return; /* a smaller libc: the name is unknown then */
	if (row->kind == CHARSET_SINGLE)
		c->single[i] = read_single(h);
	else
		c->pairs[i] = read_double(h, 0);
	if (row->kind == CHARSET_GB18030)
		read_gb(c, h);
	if (row->kind == CHARSET_EUC_JP)
		c->jis0212 = read_double(h, 0x8f);
	(void)iconv_close(h);
}

void
charset_tables_fill(struct charsets *c)
{
	for (size_t i = 0; i < charset_nrows; i++)
		fill_row(c, i);
}
