/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "say/say_int.h"

enum { KEYS = 1000, MEMORY = 4 * 1024 * 1024, FILE_MOST = 256 * 1024 };

struct language {
	str tag;
	unsigned rule;
	struct said *said; /* by number of key; text "" while it is not known */
};

struct sentences {
	struct arena *mem;
	size_t nkeys;
	str keys[KEYS]; /* sorted once English is read */
	size_t nlanguages;
	struct language languages[SENTENCES_LANGUAGES];
};

/* While a file is read. */
struct reading {
	struct sentences *s;
	struct language *into;
	bool english; /* its keys are the keys */
	const char *tag;
	unsigned line, began;
	str key;
	struct buf text;
	struct err *err;
};

static enum rc
bad(const struct reading *r, const char *what, str which)
{
	return err_set(r->err, RC_BAD, "%s.txt:%u: %s%s" STR_FMT, r->tag, r->began, what,
		which.len > 0 ? ": " : "", STR_ARG(str_first(which, 60)));
}

static int
compare(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

/* The number of a key; nkeys if there is none.  English's own are not sorted yet. */
static size_t
key_number(const struct sentences *s, str key)
{
	const str *at = bsearch(&key, s->keys, s->nkeys, sizeof(str), compare);

	return at == NULL ? s->nkeys : (size_t)(at - s->keys);
}

/* Does this sentence have a {name} of this kind? */
static bool
has_name(str text, str name)
{
	struct piece p;

	while (piece_next(&text, &p, NULL) == RC_OK)
		if (p.kind != PIECE_TEXT && str_eq(p.text, name))
			return true;
	return false;
}

static enum rc
check_markup(const struct reading *r, str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		/* "this & that" is text, &amp; is not */
		if (c == '<' || c == '>' ||
			(c == '&' && !str_starts(str_skip(text, i), STR("& "))))
			return bad(r, "a sentence has no markup", STR(""));
		if (c < ' ' || c == 0x7f)
			return bad(r, "a control character", STR(""));
	}
	return RC_OK;
}

static enum rc
check_names(const struct reading *r, str text, str english)
{
	struct err why = { 0 };
	struct piece p;
	enum rc rc;

	while ((rc = piece_next(&text, &p, &why)) == RC_OK) {
		if (p.kind == PIECE_TEXT)
			continue;
		if (!r->english && !has_name(english, p.text))
			return bad(r, "English does not have this name here", p.text);
		if (p.kind == PIECE_COUNT && p.nforms != plural_forms(r->into->rule))
			return bad(r,
				"a wrong number of forms for this language's plural",
				p.text);
	}
	return rc == RC_NONE ? RC_OK : bad(r, why.text, STR(""));
}

static enum rc
new_key(struct reading *r, size_t *number)
{
	struct sentences *s = r->s;

	for (size_t i = 0; i < s->nkeys; i++)
		if (str_eq(s->keys[i], r->key))
			return bad(r, "this key is there twice", r->key);
	if (s->nkeys == KEYS)
		return bad(r, "too many keys", STR(""));
	*number = s->nkeys++;
	s->keys[*number] = r->key;
	return RC_OK;
}

static enum rc
old_key(struct reading *r, size_t *number)
{
	*number = key_number(r->s, r->key);
	if (*number == r->s->nkeys)
		return bad(r, "English does not have this key", r->key);
	if (r->into->said[*number].text.len > 0)
		return bad(r, "this key is there twice", r->key);
	return RC_OK;
}

/* The sentence that was gathered, at its end. */
static enum rc
finish(struct reading *r)
{
	size_t number = 0;
	str text, english = { 0 };
	enum rc rc;

	if (r->key.len == 0)
		return RC_OK;
	if (!buf_ok(&r->text))
		return bad(r, "this sentence is too long", r->key);
	if (r->text.len == 0)
		return bad(r, "this sentence says nothing", r->key);
	rc = r->english ? new_key(r, &number) : old_key(r, &number);
	if (rc != RC_OK)
		return rc;
	if (str_eq(r->key, STR("plural")) &&
		!plural_find(buf_str(&r->text), &r->into->rule))
		return bad(r, "there is no such plural", buf_str(&r->text));
	if (arena_copy(r->s->mem, buf_str(&r->text), &text) != RC_OK)
		return bad(r, "too much text", STR(""));
	if (!r->english)
		english = r->s->languages[0].said[number].text;
	if ((rc = check_markup(r, text)) != RC_OK ||
		(rc = check_names(r, text, english)) != RC_OK)
		return rc;
	r->into->said[number] = (struct said){ text, r->into->rule };
	r->key = (str){ 0 };
	return RC_OK;
}

static enum rc
read_line(struct reading *r, str line)
{
	str text = str_trim(line), key;
	enum rc rc;

	if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t') && text.len > 0) {
		if (r->key.len == 0) {
			r->began = r->line;
			return bad(r, "this line goes on with nothing", STR(""));
		}
		buf_addc(&r->text, ' ');
		buf_add(&r->text, text);
		return RC_OK;
	}
	if ((rc = finish(r)) != RC_OK)
		return rc;
	r->began = r->line;
	if (text.len == 0 || text.ptr[0] == '#')
		return RC_OK;
	if (memchr(text.ptr, '=', text.len) == NULL)
		return bad(r, "this is no \"key = sentence\"", STR(""));
	(void)str_cut(&text, '=', &key);
	key = str_trim(key);
	if (!say_name(key))
		return bad(r, "this is no key", key);
	if (arena_copy(r->s->mem, key, &r->key) != RC_OK)
		return bad(r, "too much text", STR(""));
	buf_clear(&r->text);
	buf_add(&r->text, str_trim(text));
	return RC_OK;
}

static enum rc
read_file(struct sentences *s, const struct sentences_file *f, struct err *err)
{
	BUF_AUTO text = BUF(SENTENCE_MOST);
	struct reading r = { .s = s,
		.into = &s->languages[s->nlanguages],
		.tag = f->tag,
		.err = err,
		.english = s->nlanguages == 0 };
	str left = f->text, line;
	enum rc rc = RC_OK;

	if (left.len > FILE_MOST)
		return err_set(err, RC_BAD, "%s.txt: too large", f->tag);
	r.into->tag = str_of(f->tag);
	r.into->said = arena_array(s->mem, KEYS, sizeof(struct said));
	if (r.into->said == NULL)
		return err_set(err, RC_BAD, "%s.txt: too many languages", f->tag);
	(void)plural_find(STR("one"), &r.into->rule);
	r.text = text;
	while (rc == RC_OK && str_cut(&left, '\n', &line)) {
		r.line++;
		rc = read_line(&r, line);
	}
	if (rc == RC_OK)
		rc = finish(&r);
	text = r.text; /* its memory */
	s->nlanguages += rc == RC_OK;
	return rc;
}

/* Keys in their order, and English's sentences with them. */
static enum rc
sort_english(struct sentences *s)
{
	struct said *sorted = arena_array(s->mem, KEYS, sizeof(*sorted));
	str *before = arena_array(s->mem, KEYS, sizeof(*before));

	if (sorted == NULL || before == NULL)
		return RC_BAD;
	memcpy(before, s->keys, s->nkeys * sizeof(*before));
	qsort(s->keys, s->nkeys, sizeof(str), compare);
	for (size_t i = 0; i < s->nkeys; i++)
		sorted[key_number(s, before[i])] = s->languages[0].said[i];
	s->languages[0].said = sorted;
	return RC_OK;
}

static size_t
words(str text)
{
	size_t n = 0;
	str word;

	while (str_cut(&text, ' ', &word))
		n += word.len > 0;
	return n;
}

/* What this module itself says, and what every page has. */
static enum rc
check_own(const struct sentences *s, struct err *err)
{
	static const char *const own[] = { "date_day", "date_time", "direction",
		"first_day", "language", "months", "plural" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (key_number(s, str_of(own[i])) == s->nkeys)
			return err_set(
				err, RC_BAD, "en.txt: the key %s is missing", own[i]);
	for (unsigned i = 0; i < s->nlanguages; i++)
		if (words(sentence(s, i, STR("months"))) != 12)
			return err_set(err, RC_BAD,
				STR_FMT ".txt: a year has twelve months",
				STR_ARG(s->languages[i].tag));
	return RC_OK;
}

static enum rc
read_all(struct sentences *s, const struct sentences_file *files, size_t n,
	struct err *err)
{
	const struct language *english = &s->languages[0];
	enum rc rc;

	if (n == 0 || n > SENTENCES_LANGUAGES || strcmp(files[0].tag, "en") != 0)
		return err_set(err, RC_BAD,
			"sentences: English is the first of 64 languages at most");
	for (size_t i = 0; i < n; i++) {
		if ((rc = read_file(s, &files[i], err)) != RC_OK)
			return rc;
		if (i == 0 && (rc = sort_english(s)) != RC_OK)
			return err_set(err, rc, "sentences: too much text");
	}
	for (size_t l = 1; l < n; l++)
		for (size_t k = 0; k < s->nkeys; k++)
			if (s->languages[l].said[k].text.len == 0)
				s->languages[l].said[k] = english->said[k];
	return check_own(s, err);
}

enum rc
sentences_new(const struct sentences_file *files, size_t n, struct sentences **out,
	struct err *err)
{
	struct sentences *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		abort();
	s->mem = arena_new(MEMORY);
	rc = read_all(s, files, n, err);
	if (rc == RC_OK)
		*out = s;
	else
		sentences_free(&s);
	return rc;
}

void
sentences_free(struct sentences **sp)
{
	if (*sp == NULL)
		return;
	arena_free(&(*sp)->mem);
	free(*sp);
	*sp = NULL;
}

size_t
sentences_tags(const struct sentences *s, str out[SENTENCES_LANGUAGES])
{
	for (size_t i = 0; i < s->nlanguages; i++)
		out[i] = s->languages[i].tag;
	return s->nlanguages;
}

str
sentences_tag(const struct sentences *s, unsigned language)
{
	return s->languages[language < s->nlanguages ? language : 0].tag;
}

str
sentences_name(const struct sentences *s, unsigned language)
{
	return sentence(s, language, STR("language"));
}

const struct said *
sentences_said(const struct sentences *s, unsigned language, str key)
{
	size_t number = key_number(s, key);

	return number == s->nkeys ? NULL
				  : &s->languages[language < s->nlanguages ? language : 0]
					     .said[number];
}

str
sentence(const struct sentences *s, unsigned language, str key)
{
	const struct said *said = sentences_said(s, language, key);

	return said == NULL ? STR("") : said->text;
}
