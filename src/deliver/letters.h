/* SPDX-License-Identifier: ISC */
/*
 * letters: mail of our own about refusals, each exactly once (held/letters.h says which are due and when):
 * an appeal to each who may decide about it, digests of appeals, and what was refused for one account in a day
 * (policy refused_mail=daily).
 *
 * Text only (ui/letters, templates as for pages, in [web] language), with a link https://…/d/TOKEN for each refusal.
 * The stranger's words are quoted line by line, their links defanged (hxxp[:]//, example[.]test).
 */
#pragma once

#include "deliver/own.h"
#include "held/letters.h"
#include "say/sentences.h"
#include "say/template.h"

enum {
	TOKEN_KEY = 32, /* bytes of the instance's own secret (directory_secret()) */
	DAILY_ROWS = 20000, /* refusals that one day's letters tell of, of all accounts */
};

struct letters_want {
	const struct conf *conf; /* names, links, language */
	struct directory *directory;
	struct refusals *refusals;
	struct own *own;
	const struct sentences *sentences;
	const struct templates *templates;
	const uint8_t *token_key; /* TOKEN_KEY bytes */
};

/* Writes down whose daily letters are due, and sends what is; quick when nothing is, and no longer than
 * some tens of letters.  RC_OK: *more says whether something is left.  Any thread that may wait. */
enum rc letters_send(
	const struct letters_want *w, bool *more, struct err *err) MUST_CHECK;
/* Its first half. */
enum rc letters_daily(const struct letters_want *w, struct err *err) MUST_CHECK;

/* Who decides about it gets to the page by this token (26 characters and a NUL): the same each time. */
void decider_token(const uint8_t key[TOKEN_KEY], const struct decider *d, char out[27]);
/* A stranger's line, so that no mail program makes a link of it. */
void letters_defang(str line, struct buf *out);
