/* SPDX-License-Identifier: ISC */
#include "store/search_words.h"

#include <utf8proc.h>

enum { DECOMPOSED = 32 };

struct words {
	struct buf *out;
	size_t n;
	char word[SEARCH_WORD];
};

static void
end_word(struct words *w)
{
	if (w->n == 0)
		return;
	buf_add(w->out, (str){ w->word, w->n });
	buf_addc(w->out, ' ');
	w->n = 0;
}

static void
put(struct words *w, const char *bytes, size_t n)
{
	if (w->n + n > SEARCH_WORD)
		return;
	memcpy(w->word + w->n, bytes, n);
	w->n += n;
}

static bool
is_word_character(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO) ||
	       k == UTF8PROC_CATEGORY_CO;
}

/* Kana, Han (with extensions), and Thai: no spaces between words. */
static bool
stands_alone(utf8proc_int32_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff) ||
	       (c >= 0x0e00 && c <= 0x0e7f);
}

static void
put_folded(struct words *w, utf8proc_int32_t c)
{
	utf8proc_int32_t to[DECOMPOSED];
	utf8proc_ssize_t n = utf8proc_decompose_char(c, to, DECOMPOSED,
		UTF8PROC_CASEFOLD | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
			UTF8PROC_STRIPMARK | UTF8PROC_IGNORE,
		NULL);

	for (utf8proc_ssize_t i = 0; i < n && n <= DECOMPOSED; i++) {
		utf8proc_uint8_t bytes[4];
		utf8proc_ssize_t len = utf8proc_encode_char(to[i], bytes);

		if (to[i] == ' ')
			continue; /* what some symbols decompose to */
		put(w, (const char *)bytes, (size_t)len);
	}
}

static void
wide(struct words *w, utf8proc_int32_t c)
{
	bool alone = stands_alone(c);

	if (!is_word_character(c) || alone)
		end_word(w);
	if (!is_word_character(c))
		return;
	put_folded(w, c);
	if (alone)
		end_word(w);
}

/* Letters and digits in front go into the word; how many. */
static size_t
ascii(struct words *w, str text)
{
	static const char folded[] =
		"................................................0123456789......"
		".abcdefghijklmnopqrstuvwxyz......abcdefghijklmnopqrstuvwxyz.....";
	size_t i = 0;

	for (; i < text.len && (unsigned char)text.ptr[i] < 0x80; i++) {
		char c = folded[(unsigned char)text.ptr[i]];

		if (c == '.')
			break;
		if (w->n < SEARCH_WORD)
			w->word[w->n++] = c;
	}
	return i;
}

void
search_words(str text, struct buf *out)
{
	struct words w = { .out = out };

	while (text.len > 0) {
		char c = text.ptr[0];
		utf8proc_int32_t wide_c;

		if ((unsigned char)c < 0x80) {
			size_t n = ascii(&w, text);

			if (n < text.len && (unsigned char)text.ptr[n] < 0x80) {
				end_word(&w);
				n++;
			}
			text = str_skip(text, n);
		} else {
			utf8proc_ssize_t n = utf8proc_iterate(
				(const utf8proc_uint8_t *)text.ptr,
				(utf8proc_ssize_t)text.len, &wide_c);
			if (n > 0)
				wide(&w, wide_c);
			else
				end_word(&w);
			text = str_skip(text, n > 0 ? (size_t)n : 1);
		}
	}
	end_word(&w);
}
