/* SPDX-License-Identifier: ISC */
#include "scan/tokens.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/hash.h"
#include "wire/content.h"

/* The table is sorted at all times: a hash's place follows from its upper bits, and those
 * that meet stand behind it in their order.  So sorting costs nothing at the end. */
enum {
	BITS = 13,
	SLOTS = (1 << BITS) + 512, /* the last ones have somewhere to go */
	WORD_LEAST = 2, /* characters */
	WORD_MOST = 64, /* bytes; longer is no word */
};

struct tokens {
	size_t n;
	uint64_t slots[SLOTS]; /* 0: free */
};

/* Public, and never to be changed: what was learned is kept under it. */
static const uint64_t key[2] = { 0x67617465706f7374, 0x776f7264732e3031 };

struct tokens *
tokens_new(void)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	return t;
}

void
tokens_free(struct tokens **tp)
{
	free(*tp);
	*tp = NULL;
}

static void
add(struct tokens *t, uint64_t hash)
{
	size_t i, end;

	hash += hash == 0;
	for (i = (size_t)(hash >> (64 - BITS)); i < SLOTS && t->slots[i] != 0; i++) {
		if (t->slots[i] == hash)
			return;
		if (t->slots[i] > hash)
			break;
	}
	for (end = i; end < SLOTS && t->slots[end] != 0; end++)
		;
	if (t->n == CONTENT_TOKENS || end == SLOTS)
		return;
	memmove(&t->slots[i + 1], &t->slots[i], (end - i) * sizeof(t->slots[0]));
	t->slots[i] = hash;
	t->n++;
}

/* A word being read: its kind, then its bytes in lower case. */
struct word {
	struct tokens *to;
	size_t len, chars;
	char at[1 + WORD_MOST + 4];
};

static void
put(struct word *w, str s)
{
	if (w->len + s.len <= 1 + WORD_MOST) {
		memcpy(w->at + w->len, s.ptr, s.len);
		w->len += s.len;
		w->chars++;
	} else
		w->len = 2 + WORD_MOST; /* too long */
}

static void
end_word(struct word *w)
{
	if (w->chars >= WORD_LEAST && w->len <= 1 + WORD_MOST)
		add(w->to, hash_sip24(key, w->at, w->len));
	w->len = 1;
	w->chars = 0;
}

/* Scripts that put no blanks between words. */
static bool
without_blanks(utf8proc_int32_t c)
{
	return (c >= 0x0e00 && c < 0x0f00) || (c >= 0x3040 && c < 0x3100) ||
	       (c >= 0x3400 && c < 0xa000) || (c >= 0xac00 && c < 0xd7b0) ||
	       (c >= 0xf900 && c < 0xfb00) || (c >= 0x20000 && c < 0x30000);
}

static bool
is_letter(utf8proc_int32_t c)
{
	switch ((int)utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NO:
	case UTF8PROC_CATEGORY_SC:
		return true;
	default:
		return false;
	}
}

/* A character over 127 at the front of s; *last: the one before it in a pair. */
static size_t
wide(struct word *w, str s, str *last)
{
	utf8proc_uint8_t out[4];
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate(
		(const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &c);

	if (n <= 0 || !is_letter(c)) {
		end_word(w);
		*last = (str){ 0 };
		return n <= 0 ? 1 : (size_t)n;
	}
	if (without_blanks(c)) {
		if (last->len == 0)
			end_word(w);
		else {
			put(w, *last);
			put(w, str_first(s, (size_t)n));
			end_word(w);
		}
		*last = str_first(s, (size_t)n);
		return (size_t)n;
	}
	*last = (str){ 0 };
	utf8proc_ssize_t len = utf8proc_encode_char(utf8proc_tolower(c), out);
	put(w, (str){ (const char *)out, (size_t)len });
	return (size_t)n;
}

/* The ASCII that words are of, in lower case; 0: none. */
static char
letter(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '$' ? c : 0;
}

void
tokens_words(struct tokens *t, enum token_kind kind, str s)
{
	struct word w = { .to = t, .len = 1 };
	str last = { 0 };

	if (t == NULL)
		return;
	w.at[0] = (char)kind;
	for (size_t i = 0; i < s.len && t->n < CONTENT_TOKENS;) {
		if ((unsigned char)s.ptr[i] >= 0x80) {
			i += wide(&w, str_skip(s, i), &last);
			continue;
		}
		char c = letter(s.ptr[i++]);
		last = (str){ 0 };
		if (c == 0) {
			if (w.len > 1)
				end_word(&w);
		} else if (w.len <= WORD_MOST) {
			w.at[w.len++] = c;
			w.chars++;
		} else
			w.len = 2 + WORD_MOST;
	}
	end_word(&w);
}

void
tokens_whole(struct tokens *t, enum token_kind kind, str s)
{
	char at[1 + 255];

	if (t == NULL || s.len == 0 || s.len >= sizeof(at))
		return;
	at[0] = (char)kind;
	for (size_t i = 0; i < s.len; i++)
		at[1 + i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 32)
							       : s.ptr[i];
	add(t, hash_sip24(key, at, 1 + s.len));
}

size_t
tokens_count(const struct tokens *t)
{
	return t == NULL ? 0 : t->n;
}

size_t
tokens_done(const struct tokens *t, uint64_t *out)
{
	size_t n = 0;

	for (size_t i = 0; t != NULL && i < SLOTS && n < t->n; i++)
		if (t->slots[i] != 0)
			out[n++] = t->slots[i];
	return n;
}
