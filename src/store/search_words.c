/* SPDX-License-Identifier: ISC */
#include "store/search_words.h"

#include <stdlib.h>

#include "base/hash.h"
#include "wire/sortkey.h"

enum { FOLDED_MOST = 4, FIRST_SLOTS = 1024 };

/* Which words are there: where each begins, by hash; 0: free. */
struct set {
	size_t n, slots; /* a power of two */
	struct slot {
		uint32_t at, len; /* at: 1 + offset */
		uint64_t hash;
	} * of;
};

static bool
blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

bool
search_next_word(str *folded, str *word)
{
	size_t from = 0, to;

	while (from < folded->len && blank(folded->ptr[from]))
		from++;
	for (to = from; to < folded->len && !blank(folded->ptr[to]);)
		to++;
	*word = str_first(str_skip(*folded, from), to - from);
	*folded = str_skip(*folded, to);
	return word->len > 0;
}

static void
set_grow(struct set *s)
{
	struct set more = { s->n, s->slots == 0 ? FIRST_SLOTS : 2 * s->slots, NULL };

	more.of = calloc(more.slots, sizeof(*more.of));
	if (more.of == NULL)
		abort();
	for (size_t i = 0; i < s->slots; i++) {
		size_t k = s->of[i].hash & (more.slots - 1);

		if (s->of[i].at == 0)
			continue;
		while (more.of[k].at != 0)
			k = (k + 1) & (more.slots - 1);
		more.of[k] = s->of[i];
	}
	free(s->of);
	*s = more;
}

/* False: it was there already. */
static bool
set_add(struct set *s, const char *base, str word)
{
	/* keyed: strangers choose the words */
	uint64_t hash = hash_keyed(word.ptr, word.len);
	size_t k;

	if (2 * s->n >= s->slots)
		set_grow(s);
	for (k = hash & (s->slots - 1); s->of[k].at != 0; k = (k + 1) & (s->slots - 1))
		if (s->of[k].hash == hash && s->of[k].len == word.len &&
			memcmp(base + s->of[k].at - 1, word.ptr, word.len) == 0)
			return false;
	s->of[k] = (struct slot){ (uint32_t)(word.ptr - base) + 1, (uint32_t)word.len,
		hash };
	s->n++;
	return true;
}

void
search_words(str utf8, struct buf *out)
{
	BUF_AUTO folded = BUF(FOLDED_MOST * utf8.len + 64);
	struct set seen = { 0 };
	str rest, word;

	sortkey_fold(utf8, &folded);
	out->over = out->over || folded.over;
	rest = buf_str(&folded);
	while (search_next_word(&rest, &word)) {
		if (!set_add(&seen, folded.data, word))
			continue;
		buf_add(out, word);
		buf_addc(out, '\n');
	}
	free(seen.of);
}

/* How often a byte is in mail, roughly: the rarer of two is looked for. */
static unsigned
common(unsigned char c)
{
	static const char often[] = "\n EATOINSRLDHCUMPFGY<>=\"/.-0B1VK2;:3";
	const char *at = memchr(often, c, sizeof(often) - 1);

	return at == NULL ? 0 : (unsigned)(sizeof(often) - (size_t)(at - often));
}

bool
search_has(str in, str what)
{
	size_t rare = 0;

	if (what.len == 0)
		return true;
	if (in.len < what.len)
		return false;
	for (size_t i = 1; i < what.len; i++)
		if (common((unsigned char)what.ptr[i]) <
			common((unsigned char)what.ptr[rare]))
			rare = i;
	if (common((unsigned char)what.ptr[rare]) > 20)
		return memmem(in.ptr, in.len, what.ptr, what.len) != NULL;
	const char *at = in.ptr + rare, *end = in.ptr + (in.len - what.len) + rare + 1;
	size_t misses = 0;
	while (at < end &&
		(at = memchr(at, what.ptr[rare], (size_t)(end - at))) != NULL) {
		const char *from = at - rare;

		if (memcmp(from, what.ptr, what.len) == 0)
			return true;
		/* text that is made of it: memmem is linear whatever there is */
		if (++misses * what.len > 1024 + (size_t)(from - in.ptr))
			return memmem(from, (size_t)(in.ptr + in.len - from), what.ptr,
				       what.len) != NULL;
		at++;
	}
	return false;
}
