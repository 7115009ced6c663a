/* SPDX-License-Identifier: ISC */
#include "scan/hunt.h"

#include "mime/utf8.h"
#include "wire/sortkey.h"

enum { PIECE = 32 * 1024, FOLDED = 20 };

static void
found(struct hunt *h, size_t i)
{
	h->left -= !h->yes[i];
	h->yes[i] = true;
}

void
hunt_begin(struct hunt *h, const struct scan_key *keys, size_t n)
{
	*h = (struct hunt){ .keys = keys, .n = n, .left = n };
	for (size_t i = 0; i < n; i++) {
		h->longest = keys[i].what.len > h->longest ? keys[i].what.len
							   : h->longest;
		/* nothing is in every text, but not in every field */
		if (keys[i].what.len == 0 &&
			(keys[i].text || (keys[i].head && keys[i].field.len == 0)))
			found(h, i);
	}
	h->window = BUF(h->longest + (size_t)FOLDED * PIECE + 64);
}

void
hunt_clear(struct hunt *h)
{
	buf_free(&h->window);
}

static void
look(struct hunt *h)
{
	str in = buf_str(&h->window);

	for (size_t i = 0; i < h->n && in.len > 0; i++) {
		str what = h->keys[i].what;

		if (h->about[i] && !h->yes[i] &&
			memmem(in.ptr, in.len, what.ptr, what.len) != NULL)
			found(h, i);
	}
}

/* Everything that ends a line is LF. */
static void
fold(struct hunt *h, str utf8)
{
	while (utf8.len > 0) {
		size_t n = str_find(utf8, STR("\r\n"));

		sortkey_fold(str_first(utf8, n), &h->window);
		utf8 = str_skip(utf8, n);
		if (utf8.len > 0) {
			buf_addc(&h->window, '\n');
			utf8 = str_skip(utf8, 2);
		}
	}
}

/* Parted neither within a character nor within CRLF. */
static str
piece_of(str utf8)
{
	str some = utf8_first(utf8, PIECE);

	if (some.len < utf8.len && some.len > 1 && some.ptr[some.len - 1] == '\r')
		some.len--;
	return some;
}

/* Goes on behind what is in the window: of that, what may be a key's beginning is kept. */
static void
run(struct hunt *h, str utf8)
{
	while (utf8.len > 0 && h->left > 0) {
		str some = piece_of(utf8);

		if (h->window.len >= h->longest && h->longest > 0)
			buf_drop(&h->window, h->window.len - (h->longest - 1));
		fold(h, some);
		look(h);
		utf8 = str_skip(utf8, some.len);
	}
}

static void
run_field(struct hunt *h, str name, str value)
{
	buf_clear(&h->window);
	fold(h, name);
	fold(h, STR(": "));
	look(h); /* run() keeps only what may be a key's beginning */
	run(h, value);
}

/* ":From" is From, and its addresses as an envelope has them (scan/search.h). */
static bool
is_field(str asked, str name)
{
	return str_ieq(asked, name) ||
	       (asked.ptr[0] == ':' && str_ieq(str_skip(asked, 1), name));
}

void
hunt_field(struct hunt *h, bool own, str name, str value)
{
	bool any = false, envelope = name.len > 0 && name.ptr[0] == ':';

	for (size_t i = 0; i < h->n; i++) {
		h->about[i] = h->keys[i].head && h->keys[i].field.len == 0 && !envelope;
		any = any || h->about[i];
	}
	if (any)
		run_field(h, name, value);
	any = false;
	for (size_t i = 0; own && i < h->n; i++) {
		const struct scan_key *k = &h->keys[i];

		h->about[i] = k->head && k->field.len > 0 && is_field(k->field, name);
		any = any || h->about[i];
		if (h->about[i] && k->what.len == 0)
			found(h, i);
	}
	buf_clear(&h->window);
	if (any)
		run(h, value);
}

static void
about_text(struct hunt *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->about[i] = h->keys[i].text;
}

void
hunt_attached(struct hunt *h, str name, str value)
{
	about_text(h);
	run_field(h, name, value);
}

void
hunt_text(struct hunt *h, str utf8)
{
	about_text(h);
	buf_clear(&h->window);
	run(h, utf8);
}
