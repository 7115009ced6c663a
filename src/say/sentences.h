/* SPDX-License-Identifier: ISC */
/*
 * sentences: what people read, in their language: ui/text/LANGUAGE.txt.
 *
 *	# a comment
 *	key = a sentence with {name} in it
 *	    that goes on in an indented line
 *
 * en.txt is complete; a sentence that another language lacks is said in English.  A language is added by a
 * file: its name is its tag (RFC 5646), its key `language` its name in itself ("Deutsch").  sentences_new()
 * refuses an unknown key, a {name} that English does not have, and markup: a sentence is text.
 *
 * {n|# message|# messages} chooses a form by the number n, # being the number.  How many forms there are, and
 * which is for which, says the key `plural` at the file's beginning: one (1, others), zero_one (0 and 1, others),
 * never (no forms), east_slavic, polish, czech (plural.c).
 *
 * Any thread after sentences_new().
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { SENTENCES_LANGUAGES = 64, SENTENCE_MOST = 2000 };

struct sentences;

struct sentences_file {
	const char *tag;	/* "en", the first; "de" … */
	str text;
};

enum rc sentences_new(const struct sentences_file *files, size_t n, struct sentences **out,
	struct err *err) MUST_CHECK;
void sentences_free(struct sentences **sp);
size_t sentences_tags(const struct sentences *s, str out[SENTENCES_LANGUAGES]);	/* their number */
str sentences_name(const struct sentences *s, unsigned language);	/* "Deutsch" */
/* "" if there is no such key. */
str sentence(const struct sentences *s, unsigned language, str key);
/* Dates as people of that language write them, in UTC: "21 November 2026, 14:05 UTC". */
void sentence_time(const struct sentences *s, unsigned language, uint64_t wall_ms, struct buf *out);
