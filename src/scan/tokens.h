/* SPDX-License-Identifier: ISC */
/*
 * tokens: the words of a message as 64-bit hashes, for training: sorted, each once,
 * CONTENT_TOKENS at most (the first ones).
 *
 * SipHash under a key that is the same everywhere, because what was learned must fit
 * what is seen later, also after a restart or on another machine.  A word's kind goes
 * into its hash: the same word in the subject is another token.  Words are letters and
 * digits in lower case; of scripts without blanks, pairs of characters.
 */
#pragma once

#include "base/str.h"

enum token_kind {
	TOKEN_TEXT = 't',
	TOKEN_SUBJECT = 's',
	TOKEN_FROM = 'f',	/* domain of the first address in From */
	TOKEN_HOST = 'h',	/* of a link */
};

struct tokens;

/* NULL stands for tokens that nobody wants. */
struct tokens *tokens_new(void);
void tokens_free(struct tokens **tp);
void tokens_words(struct tokens *t, enum token_kind kind, str utf8);
void tokens_whole(struct tokens *t, enum token_kind kind, str utf8);	/* as one word */
size_t tokens_count(const struct tokens *t);
size_t tokens_done(const struct tokens *t, uint64_t *out);	/* tokens_count() fit */
